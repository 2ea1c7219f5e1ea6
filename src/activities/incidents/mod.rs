//! Safety incidents: what went wrong in an activity, told by anybody who is there.
//!
//! ```text
//! reported ──acknowledge──▶ acknowledged ──resolve(outcome)──▶ resolved
//! ```
//!
//! The staff of the street and of the district hear of it at once, whatever the hour, and look after it; who
//! organises the activity hears of it, too, unless it is about them. It stays with the record whatever becomes
//! of the activity: notes and photos are added, and nothing of it is changed or deleted; the database itself
//! refuses that. What is told there is for those three alone.

pub mod http;
mod model;
pub mod rules;
mod service;
mod store;

pub use model::{Incident, IncidentId, IncidentKind, IncidentStatus, Severity};
pub use store::keeps_file;
