//! Party membership, and Party branches (党支部) over HTTP.
//!
//! Political status is sensitive personal data (PIPL Art. 28): it is kept only under the person's
//! separate consent, sealed, and verified by the secretary of the branch that the person names.
//! The secretary's reading is journalled and shown to the person. It never ranks anybody; projects
//! marked as internal Party activity ask [`is_party_member`].
//!
//! ```text
//! declared ─┬─verify──▶ verified ──end──▶ ended
//!           ├─reject(reason)──▶ rejected
//!           └─end──▶ ended            (the person at any time; the secretary with a reason)
//! ```
//!
//! With the consent withdrawn a membership is invisible at once, to everybody, because every
//! reading asks whether the consent it was declared under is in force; the row is deleted by a
//! reaction a moment later. Who agrees again declares again. What has ended loses its standing at
//! once and keeps only that it ended and why, for the person.

pub mod http;
mod model;
pub mod rules;
mod service;
mod store;

pub use model::{NewMembership, Standing};
pub use service::{Verdict, changed, decide, declare, is_party_member, members_among, react};
pub use store::accounts_of;
