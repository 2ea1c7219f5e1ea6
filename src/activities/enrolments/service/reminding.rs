//! The ladder of reminders before a shift, and who has said again that they come.

use super::super::model::{Enrolment, EnrolmentId, EnrolmentStatus};
use super::super::rules;
use super::super::store::{self, Due};
use super::{change, seen, tell_person_until};
use crate::activities::model::{ActivityId, ShiftId};
use crate::activities::rules::LIVE;
use crate::activities::service::{Desk, organizers, serialize, tell};
use crate::activities::store as activities;
use crate::error::{Code, Error, Problem, Result};
use crate::identity::Caller;
use crate::notifications::{self, Kind};
use crate::platform::db::Tx;
use crate::platform::lifecycle;

/// Says again that one comes. Saying it twice is saying it once.
///
/// # Errors
/// `not_found`, `forbidden`, `move_not_allowed` without a place, `enrolment_too_late` once the shift has begun.
pub fn reconfirm(
    tx: &mut Tx<'_>,
    desk: &Desk,
    caller: &Caller,
    id: EnrolmentId,
) -> Result<Enrolment> {
    let seen = seen(tx, caller, id)?;
    if !seen.relation.person {
        return Err(Code::Forbidden.into());
    }
    let of = (&seen.activity, &seen.shift);
    if seen.enrolment.status != EnrolmentStatus::Confirmed {
        let from = seen.enrolment.status;
        let moves = rules::moves(&seen.enrolment, seen.relation, of, &desk.rules, tx.now);
        return Err(Problem::refused_move(from.into(), moves).into());
    }
    if seen.enrolment.reconfirmed_at.is_some() {
        return Ok(seen.enrolment);
    }
    if !rules::moves_up(of.0, of.1, tx.now) {
        return Err(Code::EnrolmentTooLate.into());
    }
    let said = Enrolment {
        reconfirmed_at: Some(tx.now),
        ..seen.enrolment
    };
    if !store::save(tx, said.status, &said)? {
        let now = store::enrolment(tx.conn, id)?;
        return Err(lifecycle::refusal(rules::MOVES, seen.relation, now.status));
    }
    tx.journal(change(&seen.activity, &said, caller.actor(), "reconfirm"))?;
    Ok(said)
}

/// Reminds those whose shift comes near, and tells those who organise it how many have not said again that
/// they come; up to `limit` of either. Returns how many it looked at.
///
/// # Errors
/// Those of the database.
pub fn remind(tx: &mut Tx<'_>, desk: &Desk, limit: i64) -> Result<usize> {
    let due = store::to_remind(tx.conn, tx.now, limit)?;
    let mut looked_at = 0;
    for one in due {
        looked_at += done(tx.savepoint(|tx| remind_one(tx, desk, one)))?;
    }
    if let Some(hours) = rules::counting_step(&desk.rules.reminder_hours) {
        let until = tx.now + chrono::TimeDelta::hours(hours);
        for one in store::to_count(tx.conn, (tx.now, until), limit)? {
            looked_at += done(tx.savepoint(|tx| count(tx, one)))?;
        }
    }
    Ok(looked_at)
}

/// One that a rule refuses does not hold up the others.
fn done(result: Result<()>) -> Result<usize> {
    match result {
        Ok(()) => Ok(1),
        Err(Error::Problem(_)) => Ok(0),
        Err(error) => Err(error),
    }
}

/// Reminds somebody of the step whose time has come, and notes when the next one comes. What another worker
/// has done meanwhile is seen here: whatever touches the activity waits for each other.
fn remind_one(tx: &mut Tx<'_>, desk: &Desk, (id, one): Due) -> Result<()> {
    serialize(tx, id)?;
    let enrolment = store::enrolment(tx.conn, one)?;
    if enrolment.remind_at.is_none_or(|at| at > tx.now) {
        return Ok(());
    }
    let activity = activities::activity(tx.conn, id)?;
    let shift = activities::shift(tx.conn, enrolment.shift_id)?;
    let ladder = &desk.rules.reminder_hours;
    let comes = enrolment.status == EnrolmentStatus::Confirmed && LIVE.contains(&activity.status);
    // one whose time has just become another follows that first
    let is_of_today = enrolment.starts_at == shift.starts_at;
    let step = match comes && is_of_today {
        true => rules::due_step(&enrolment, ladder, tx.now),
        false => None,
    };
    let next = match comes {
        true => rules::remind_at(enrolment.starts_at, ladder, tx.now),
        false => None,
    };
    store::set_reminded(tx.conn, one, step.or(enrolment.reminded_hours), next)?;
    let Some(hours) = step else {
        return Ok(());
    };
    let asks = ladder.first() == Some(&i64::from(hours)) && enrolment.reconfirmed_at.is_none();
    let kind = match asks {
        true => Kind::ShiftReminderAsking,
        false => Kind::ShiftReminder,
    };
    let meeting_point = match activity.meeting_point.as_str() {
        "" => activity.place.as_str(),
        point => point,
    };
    let params = [("meeting_point", meeting_point)];
    let who = enrolment.account_id;
    tell_person_until(tx, &activity, &shift, who, kind, &params)
}

/// Takes a reminder back that waits for the end of quiet hours: the person does not come any more, or at another
/// time. One that may be of another seat in the activity stays.
pub(super) fn take_back(tx: &mut Tx<'_>, enrolment: &Enrolment) -> Result<()> {
    if enrolment.reminded_hours.is_none() || store::holds_another(tx.conn, enrolment)? {
        return Ok(());
    }
    let subject = ("activity", enrolment.activity_id.0);
    for kind in [Kind::ShiftReminderAsking, Kind::ShiftReminder] {
        notifications::take_back(tx, enrolment.account_id, kind, subject)?;
    }
    Ok(())
}

/// Tells those who organise a shift how many of those who come have not said so again.
fn count(tx: &mut Tx<'_>, (id, shift): (ActivityId, ShiftId)) -> Result<()> {
    serialize(tx, id)?;
    let activity = activities::activity(tx.conn, id)?;
    let shift = activities::shift(tx.conn, shift)?;
    if !store::set_counted(tx.conn, shift.id, shift.starts_at)? {
        return Ok(()); // by another worker
    }
    let count = store::unconfirmed(tx.conn, shift.id)?;
    if count == 0 || !LIVE.contains(&activity.status) {
        return Ok(());
    }
    let to = organizers(tx.conn, &activity)?;
    let (count, at) = (count.to_string(), shift.starts_at.on_the_wall(tx.zone));
    let params = [
        ("role", shift.name.as_str()),
        ("at", at.as_str()),
        ("count", count.as_str()),
    ];
    tell(tx, &activity, &to, Kind::ShiftUnconfirmed, &params)
}
