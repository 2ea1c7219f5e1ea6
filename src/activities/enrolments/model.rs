use diesel::prelude::*;

use crate::activities::model::{ActivityId, ShiftId};
use crate::identity::AccountId;
use crate::platform::clock::Instant;
use crate::schema::enrolments;
use crate::{id, text_enum};

id! {
    /// Names an enrolment: somebody's place in a shift, from the first word on.
    EnrolmentId
}

text_enum! {
    /// Where an enrolment stands.
    EnrolmentStatus {
        /// Waits for the person's yes: to a seat that is held for them, or to an invitation.
        Pending,
        /// In line for a seat that gets free.
        Waitlisted,
        /// Holds a seat; the person comes.
        Confirmed,
        /// The person said no, or nothing in time.
        Declined,
        /// The person went in time.
        Withdrawn,
        /// The person went so late that finding somebody else is hard. Not a no-show.
        LateWithdrawn,
        /// The organiser sent the person away, the person may not come any more, or the activity was cancelled.
        Removed,
    }
}

/// Somebody's place in a shift. What is recorded of their service hangs on it.
#[derive(Clone, Debug, Queryable, Selectable, Identifiable, Insertable, AsChangeset)]
#[diesel(table_name = enrolments, treat_none_as_null = true)]
pub struct Enrolment {
    /// Its id.
    pub id: EnrolmentId,
    /// In which activity.
    pub activity_id: ActivityId,
    /// In which of its shifts.
    pub shift_id: ShiftId,
    /// Who.
    pub account_id: AccountId,
    /// Who asked them, unless they came by themselves.
    pub invited_by: Option<AccountId>,
    /// Where it stands.
    pub status: EnrolmentStatus,
    /// Since when.
    pub status_since: Instant,
    /// Whether it holds a seat of its shift, and with it the person's time.
    pub holds_seat: bool,
    /// When its shift begins.
    pub starts_at: Instant,
    /// When its shift ends; not included.
    pub ends_at: Instant,
    /// Its number in the line: the lower is the first.
    pub queue_no: Option<i32>,
    /// When the line last passed it over, because something was in the way.
    pub skipped_at: Option<Instant>,
    /// Until when it may be accepted.
    pub accept_by: Option<Instant>,
    /// When it ended without service.
    pub ended_at: Option<Instant>,
    /// Why it ended, in the words of who ended it.
    pub reason: Option<String>,
    /// The last news of its activity that the person was told.
    pub heard: i32,
    /// When time or place last became another for the person.
    pub changed_at: Option<Instant>,
    /// When it was made.
    pub created_at: Instant,
    /// When it is looked at for the next reminder of its shift.
    pub remind_at: Option<Instant>,
    /// The last reminder that was told, in hours before the shift.
    pub reminded_hours: Option<i32>,
    /// When the person said again that they come.
    pub reconfirmed_at: Option<Instant>,
}
