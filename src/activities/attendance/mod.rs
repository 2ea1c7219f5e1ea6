//! Attendance: who of those who enrolled was there, and from when to when.
//!
//! ```text
//! expected ──check_in──▶ checked_in ──check_out──▶ checked_out
//!    │ └───────no_show──▶ no_show ──excuse──▶ excused
//!    └──────────────────excuse─────────────────▲          correct: from any state to any other, with a reason
//! ```
//!
//! The row is made with the first thing said about an enrolment, or as its activity ends: until then, who holds
//! a seat is expected. Instants are the true ones, also before and after the shift: the ledger clips them.

mod model;
mod store;

pub use model::{Attendance, AttendanceId, AttendanceStatus, Means};
pub use store::{attendance, of_activity};
