//! Service records and the ledger of hours: who did what service, from when to when, and what of it counts.
//!
//! ```text
//! proposed ──confirm, clock──▶ confirmed ──appeal──▶ appealed ──uphold, dismiss──▶ confirmed
//!    │  └───────dispute──┐      │  ▲  └─void─▶ void       ▲
//!    └─void─▶ void       ▼      ▼  │ agree, keep          │
//!                        disputed ─┴─────────escalate─────┘        correct: proposed and confirmed stay so
//! ```
//!
//! Each attendance that began gets one record when its activity is over, with the time that it shares with its
//! shift; where nobody knows when the person went, a record without a time, which its organiser completes. Who
//! organises records: an organisation's managers; where a person claimed a project, those who published it. Nobody
//! confirms their own hours: another manager does, or the region's staff.
//!
//! What is confirmed stands in the ledger: an entry for each day on the wall. Entries are never changed; the database
//! itself refuses it. What was wrong is taken back by a counter-entry and entered anew. A person's time counts once,
//! and no more of a day than the cap: both are guarded in the database, over all organisations. Sums by day are kept
//! in the transaction that makes the entries. What a certificate certifies are live credits ([`live_credits`]).

pub mod http;
mod model;
pub mod rules;
mod service;
mod store;

pub use model::{Entry, EntryId, EntryKind, Record, RecordId, RecordStatus, Scope, Track};
pub use rules::RecordRules;
pub use service::{Desk, JOBS, perform, react, sweep};
pub use store::{live_credits, sum};
