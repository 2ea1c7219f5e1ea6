//! Activities: dated work with places, of a claimed project or of an organisation of its own.
//!
//! Each has shifts: a role from when to when, with so many seats. A [`series`] sub-room makes them come again
//! by a rule, [`enrolments`] holds who comes to which shift.
//!
//! ```text
//! draft ──publish──▶ published ⇄ enrolment_closed ──begin──▶ ongoing ──finish──▶ finished ──settle──▶ settled
//!   │ ▲                  ▲
//!   │ └─revise─ returned │            cancelled: from any state before finished, with a reason
//!   └──submit──▶ submitted ──approve
//! ```
//!
//! Whether a draft is published at once or after a review is said by the nearest region that says anything.
//! Enrolment closes, activities begin and end by the clock. Work with minors does not begin without two vetted
//! adults at every moment of it; who organises it is told why. What concerns people's time is guarded where
//! it is kept: see [`enrolments`]. Finding somebody for a seat that got free at short notice belongs to
//! matching, which knows this room.

pub mod enrolments;
pub mod http;
mod model;
pub mod rules;
pub mod series;
mod service;
mod store;

pub use model::{Activity, ActivityId, ActivityStatus, Shift, ShiftId};
pub use rules::ActivityRules;
pub use service::{
    Copied, Desk, EditActivity, NewActivity, NewShift, cancel, copy, create, edit, publish, react,
    settle, sweep,
};
pub use store::{activity, shifts};
