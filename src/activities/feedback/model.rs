use diesel::prelude::*;

use crate::activities::enrolments::EnrolmentId;
use crate::activities::model::ActivityId;
use crate::identity::AccountId;
use crate::organizations::OrganizationId;
use crate::platform::clock::Instant;
use crate::schema::feedback;
use crate::{id, text_enum};

id! {
    /// Names what somebody said after an activity.
    FeedbackId
}

text_enum! {
    /// Of whom it is said.
    Direction {
        /// By a volunteer, of the activity.
        ToActivity,
        /// By who organised it, of a volunteer.
        ToVolunteer,
    }
}

/// What somebody said after an activity.
#[derive(Clone, Debug, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = feedback, treat_none_as_null = true)]
pub struct Feedback {
    /// Its id.
    pub id: FeedbackId,
    /// Of whose place in the activity.
    pub enrolment_id: EnrolmentId,
    /// After which activity.
    pub activity_id: ActivityId,
    /// Whose activity it was.
    pub organization_id: Option<OrganizationId>,
    /// Who said it last.
    pub author_id: AccountId,
    /// Of whom.
    pub direction: Direction,
    /// How well it was organised, one to five.
    pub organization: Option<i32>,
    /// How safe it was, one to five.
    pub safety: Option<i32>,
    /// How much sense it made, one to five.
    pub meaning: Option<i32>,
    /// How reliable the volunteer was, one to five.
    pub reliability: Option<i32>,
    /// In words; may be empty.
    pub comment: String,
    /// When it was said first.
    pub created_at: Instant,
    /// When it was said last.
    pub changed_at: Instant,
}
