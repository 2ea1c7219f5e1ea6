//! Activities: dated work with places, of a claimed project or of an organisation of its own.
//!
//! Each has shifts: a role from when to when, with so many seats. A [`series`] sub-room makes them come again
//! by a rule, [`enrolments`] holds who comes to which shift, [`calendars`] carries both into people's own,
//! [`incidents`] keeps what went wrong, [`feedback`] what people thought of it.
//!
//! ```text
//! draft ──publish──▶ published ⇄ enrolment_closed ──begin──▶ ongoing ──finish──▶ finished ──settle──▶ settled
//!   │ ▲                  ▲
//!   │ └─revise─ returned │            cancelled: from any state before finished, with a reason
//!   └──submit──▶ submitted ──approve
//! ```
//!
//! Whether a draft is published at once or after a review is said by the nearest region that says anything.
//! Enrolment closes, activities begin and end by the clock, which also settles what nobody has settled. A shift
//! of work with minors is held with two vetted adults of its own; who organises it sees beforehand where they
//! lack. An activity that cannot begin is held up, and waits to its end: its enrolment may be reopened, or it
//! may be moved. Its region lies in that of its project or organisation and is shown by the place; what a
//! review has seen of place and risks is not changed after it. What touches everybody who stands in an
//! activity is done after its own transaction, a few at a time. What concerns people's time is guarded where
//! it is kept: see [`enrolments`]. Finding somebody for a seat that got free at short notice belongs to
//! matching, which knows this room.

pub mod attendance;
pub mod calendars;
pub mod enrolments;
pub mod feedback;
pub mod http;
pub mod incidents;
mod model;
pub mod rules;
pub mod series;
mod service;
mod store;

pub use model::{Activity, ActivityId, ActivityStatus, Shift, ShiftId};
pub use rules::ActivityRules;
pub use service::{
    Copied, Desk, EditActivity, JOBS, NewActivity, NewShift, cancel, copy, create, edit, perform,
    publish, react, settle, sweep,
};
pub use store::{activity, shifts};
