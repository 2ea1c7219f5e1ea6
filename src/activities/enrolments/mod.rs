//! Enrolments: who comes to which shift, from the first word on. Whether somebody may is a computed verdict
//! with codes.
//!
//! ```text
//! (enrol) ─▶ confirmed, or waitlisted where the shift is full
//! (invite, by a team leader) ─▶ pending ──accept──▶ confirmed, or waitlisted
//! waitlisted ──promote (a seat got free)──▶ pending, with time to accept
//! out: declined (said no, or nothing in time) · withdrawn · late_withdrawn · removed(reason)
//! ```
//!
//! A seat is held from the promotion on, and from an invitation only once it is accepted. Seats are counted
//! in the shift's own row, up by compare-and-set; that nobody is in two places at once is guarded in the
//! database. What frees a seat promotes the first in line whom it still suits, in the same transaction; whom
//! it does not suit just then is passed over, and looked at again when something about the person has
//! changed, and every hour. A line ends as its shift begins. Who may not come any more, since a certificate
//! or a membership counts no more, gives the seat to the next. Going is late from the organiser's deadline
//! on, except for a while after time or place were changed. Who comes is reminded in steps, each once, and
//! asked at the first to say so again; a changed time begins the ladder anew.

pub mod http;
mod model;
pub mod rules;
mod service;
mod store;

pub use http::EnrolmentView;
pub use model::{Enrolment, EnrolmentId, EnrolmentStatus};
pub use service::{NewEnrolment, accept, enrol, react, remind, sweep, withdraw};
pub(in crate::activities) use service::{
    follow, is_suspended, look_again, session, to_look_at, visible,
};
pub(in crate::activities) use store::{any_in, enrolment, ever_among, ever_in};
