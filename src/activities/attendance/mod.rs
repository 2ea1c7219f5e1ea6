//! Attendance: who of those who enrolled was there, and from when to when.
//!
//! ```text
//! expected ──check_in──▶ checked_in ──check_out──▶ checked_out
//!    │ └───────no_show──▶ no_show ──excuse──▶ excused
//!    └──────────────────excuse─────────────────▲          correct: what was recorded, with a reason
//! ```
//!
//! The row is made with the first thing said about an enrolment, or as its activity ends: until then, who holds
//! a seat is expected. Instants are the true ones, also before and after the shift: the ledger clips them.

pub mod http;
mod model;
pub mod rules;
mod service;
mod store;

pub use model::{Attendance, AttendanceId, AttendanceStatus, Means};
pub(in crate::activities) use service::{NO_SHOWS, Pending, no_shows, react};
pub(in crate::activities) use store::has_come;
pub use store::{attendance, of_activity};
