//! Saying what one thinks after an activity.

use serde::Deserialize;
use utoipa::ToSchema;
use validator::Validate;

use super::model::{Direction, Feedback, FeedbackId};
use super::rules;
use super::store;
use crate::activities::enrolments::{Enrolment, EnrolmentId, visible};
use crate::activities::model::Activity;
use crate::activities::service::Desk;
use crate::error::{Code, Result};
use crate::identity::Caller;
use crate::platform::db::{Conn, Tx};
use crate::platform::journal::Change;

/// What somebody who came says of an activity.
#[derive(Debug, Clone, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(as = NewActivityFeedback)]
pub struct NewFeedback {
    /// How well it was organised, one to five.
    #[validate(range(min = 1, max = 5))]
    pub organization: i32,
    /// How safe it was, one to five.
    #[validate(range(min = 1, max = 5))]
    pub safety: i32,
    /// How much sense it made, one to five.
    #[validate(range(min = 1, max = 5))]
    pub meaning: i32,
    /// In words. The organisers read it without a name, once enough have answered.
    #[serde(default)]
    #[validate(length(max = 2000))]
    pub comment: String,
}

/// What who organised an activity says of a volunteer.
#[derive(Debug, Clone, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct NewAssessment {
    /// How reliable the volunteer was, one to five.
    #[validate(range(min = 1, max = 5))]
    pub reliability: i32,
    /// In words that the volunteer reads.
    #[serde(default)]
    #[validate(length(max = 2000))]
    pub comment: String,
}

/// A place in an activity, for who may give feedback about it in one direction: whose it is, of the activity;
/// who organises it, of the volunteer.
///
/// # Errors
/// `not_found`, `forbidden`.
pub fn seen(
    conn: &mut Conn,
    caller: &Caller,
    id: EnrolmentId,
    direction: Direction,
) -> Result<(Enrolment, Activity)> {
    let seen = visible(conn, caller, id)?;
    let is_theirs = match direction {
        Direction::ToActivity => seen.relation.person,
        Direction::ToVolunteer => seen.relation.organizer,
    };
    match is_theirs {
        true => Ok((seen.enrolment, seen.activity)),
        false => Err(Code::Forbidden.into()),
    }
}

/// Says what one thinks of an activity, or says it anew.
///
/// # Errors
/// `not_found`, `forbidden`, `feedback_closed`.
pub fn give(
    tx: &mut Tx<'_>,
    desk: &Desk,
    caller: &Caller,
    id: EnrolmentId,
    new: &NewFeedback,
) -> Result<(Feedback, Activity)> {
    let with = |said: Feedback| Feedback {
        organization: Some(new.organization),
        safety: Some(new.safety),
        meaning: Some(new.meaning),
        comment: new.comment.clone(),
        ..said
    };
    say(tx, desk, caller, (id, Direction::ToActivity), with)
}

/// Says what one thinks of a volunteer, or says it anew.
///
/// # Errors
/// `not_found`, `forbidden`, `feedback_closed`.
pub fn assess(
    tx: &mut Tx<'_>,
    desk: &Desk,
    caller: &Caller,
    id: EnrolmentId,
    new: &NewAssessment,
) -> Result<(Feedback, Activity)> {
    let with = |said: Feedback| Feedback {
        reliability: Some(new.reliability),
        comment: new.comment.clone(),
        ..said
    };
    say(tx, desk, caller, (id, Direction::ToVolunteer), with)
}

fn say(
    tx: &mut Tx<'_>,
    desk: &Desk,
    caller: &Caller,
    (id, direction): (EnrolmentId, Direction),
    with: impl Fn(Feedback) -> Feedback,
) -> Result<(Feedback, Activity)> {
    tx.serialize_on(&format!("feedback:{id}:{direction}"))?;
    let (enrolment, activity) = seen(tx.conn, caller, id, direction)?;
    if direction == Direction::ToVolunteer && enrolment.account_id == caller.account {
        return Err(Code::Forbidden.into()); // nobody says how reliable one is oneself
    }
    rules::may_give(&enrolment, &activity, &desk.rules, tx.now)?;
    let before = store::of_place(tx.conn, id, direction)?;
    let (said, verb) = match before {
        Some(before) => {
            let said = with(Feedback {
                author_id: caller.account,
                changed_at: tx.now,
                ..before
            });
            store::update(tx.conn, &said)?;
            (said, "change")
        }
        None => {
            let said = with(Feedback {
                id: FeedbackId::new(),
                enrolment_id: id,
                activity_id: activity.id,
                organization_id: activity.organization_id,
                author_id: caller.account,
                direction,
                organization: None,
                safety: None,
                meaning: None,
                reliability: None,
                comment: String::new(),
                created_at: tx.now,
                changed_at: tx.now,
            });
            store::insert(tx.conn, &said)?;
            (said, "give")
        }
    };
    let change = Change::new(caller.actor(), format!("feedback.{verb}"), said.id.0);
    tx.journal(change.region(activity.region_id.0))?;
    Ok((said, activity))
}
