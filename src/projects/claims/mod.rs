//! Claims: leases by which organisations, and people where a project allows it, take projects on.
//!
//! ```text
//! first come:  (claim) ─▶ approved, or waitlisted when the seats are held
//! reviewed:    (claim) ─▶ applied ──approve──▶ approved; the others are waitlisted
//! approved ──plan──▶ planned ──start──▶ executing ◀─send_back/report─▶ reported ──accept──▶ fulfilled
//! out: rejected(reason) · withdrawn · expired (the lease ran out) · revoked(reason)
//! ```
//!
//! A lease lasts until its term is over; a plan begins a new one, and so does each progress entry
//! with a photo. Until the report, another plan may take the place of the first. What frees a seat
//! promotes the first in line who is still eligible, in the same transaction. While the project is
//! suspended, leases stand still and nobody is given one.

pub mod http;
mod model;
pub mod rules;
mod service;
mod store;

pub use model::{ClaimId, ClaimStatus, ProjectClaim};
pub use service::{
    Application, NewProgress, Plan, Report, accept, add_photo, add_progress, apply, approve, plan,
    react, remind, report, start, sweep, withdraw,
};
pub(super) use service::{
    Over, complete, dissolve_line, end_all, line_up, pause, serialize, tally, unpause,
};
pub(super) use service::{alone, is_claimant, leaders, relation, steps, took_part, visible};
pub use store::{claim, claims_of, holders, holders_of, keeps_file};
