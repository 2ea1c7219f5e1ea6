//! The moves of an activity's life that people make.

use super::super::model::{Activity, ActivityId, ActivityStatus, Shift};
use super::super::rules::{self, MOVES};
use super::super::{enrolments, series, store};
use super::followed::follow_later;
use super::writing::may_organize;
use super::{Desk, advance, broadcast, is_repeat, organizers, refusal, tell, to_move};
use crate::error::{Code, FieldError, Problem, Result};
use crate::identity::Caller;
use crate::notifications::{self, Kind};
use crate::platform::db::Tx;
use crate::platform::http::IfMatch;
use crate::platform::journal::Actor;
use crate::platform::lifecycle;

/// Publishes a draft once nothing is missing, or hands it in for the review where its region demands one.
///
/// # Errors
/// `invalid` with every miss; `forbidden`; what keeps the organisation from acting.
pub fn publish(tx: &mut Tx<'_>, caller: &Caller, id: ActivityId) -> Result<Activity> {
    let activity = to_move(tx, caller, id, "publish")?;
    let review = store::demands_review(tx.conn, activity.region_id)?;
    let verb = if review { "submit" } else { "publish" };
    for verb in ["submit", "publish"] {
        if is_repeat(tx.conn, &activity, verb, caller)? {
            return Ok(activity);
        }
    }
    if lifecycle::next(MOVES, activity.status, verb).is_none() {
        return Err(refusal(tx.conn, &activity, caller.actor()));
    }
    may_organize(tx, caller, &activity)?;
    let shifts = store::shifts(tx.conn, id)?;
    complete(&activity, &shifts, tx)?;
    let moved = advance(tx, &activity, verb, caller.actor(), None)?;
    if review {
        let mut staff = notifications::staff_of(tx.conn, moved.region_id)?;
        staff.retain(|to| *to != caller.account);
        broadcast(tx, &moved, &staff, Kind::ActivitySubmitted, &[])?;
    }
    Ok(moved)
}

fn complete(activity: &Activity, shifts: &[Shift], tx: &Tx<'_>) -> Result<()> {
    refuse(rules::misses(activity, shifts, tx.now, tx.zone))
}

/// # Errors
/// `invalid` with every miss.
pub(super) fn refuse(misses: Vec<FieldError>) -> Result<()> {
    if misses.is_empty() {
        return Ok(());
    }
    let mut missing = Problem::new(Code::Invalid);
    missing.errors = misses;
    Err(missing.into())
}

/// Approves a submitted activity, which publishes it.
///
/// # Errors
/// `forbidden`, `own_activity`, and every miss that appeared since it was handed in.
pub fn approve(
    tx: &mut Tx<'_>,
    caller: &Caller,
    id: ActivityId,
    seen: &IfMatch,
) -> Result<Activity> {
    let activity = to_move(tx, caller, id, "approve")?;
    if is_repeat(tx.conn, &activity, "approve", caller)? {
        return Ok(activity);
    }
    seen.expect(activity.version)?;
    if lifecycle::next(MOVES, activity.status, "approve").is_none() {
        return Err(refusal(tx.conn, &activity, caller.actor()));
    }
    let shifts = store::shifts(tx.conn, id)?;
    complete(&activity, &shifts, tx)?;
    let moved = advance(tx, &activity, "approve", caller.actor(), None)?;
    let to = organizers(tx.conn, &moved)?;
    broadcast(tx, &moved, &to, Kind::ActivityApproved, &[])?;
    Ok(moved)
}

/// Sends a submitted activity back with a reason.
///
/// # Errors
/// `forbidden`, `own_activity`, `move_not_allowed`.
pub fn send_back(
    tx: &mut Tx<'_>,
    caller: &Caller,
    id: ActivityId,
    seen: &IfMatch,
    reason: &str,
) -> Result<Activity> {
    let activity = to_move(tx, caller, id, "return")?;
    if is_repeat(tx.conn, &activity, "return", caller)? {
        return Ok(activity);
    }
    seen.expect(activity.version)?;
    let moved = advance(tx, &activity, "return", caller.actor(), Some(reason))?;
    let to = organizers(tx.conn, &moved)?;
    let params = [("reason", reason)];
    broadcast(tx, &moved, &to, Kind::ActivityReturned, &params)?;
    Ok(moved)
}

/// Takes a returned activity back into a draft.
///
/// # Errors
/// `forbidden`, `move_not_allowed`.
pub fn revise(tx: &mut Tx<'_>, caller: &Caller, id: ActivityId) -> Result<Activity> {
    plainly(tx, caller, id, "revise")
}

/// Ends the enrolment before its time. The line still moves up.
///
/// # Errors
/// `forbidden`, `move_not_allowed`.
pub fn close_enrolment(tx: &mut Tx<'_>, caller: &Caller, id: ActivityId) -> Result<Activity> {
    plainly(tx, caller, id, "close_enrolment")
}

/// Lets people enrol again while there is time: of one that is held up, to its end, for those who are missing
/// are to come yet.
///
/// # Errors
/// `forbidden`, `move_not_allowed`, `enrolment_too_late`.
pub fn reopen_enrolment(tx: &mut Tx<'_>, caller: &Caller, id: ActivityId) -> Result<Activity> {
    let mut activity = to_move(tx, caller, id, "reopen_enrolment")?;
    let is_closed = activity.status == ActivityStatus::EnrolmentClosed;
    if is_closed && activity.enrolment_closes_at <= tx.now {
        if !rules::is_held_up(&activity) || activity.ends_at <= tx.now {
            return Err(Code::EnrolmentTooLate.into());
        }
        activity.enrolment_closes_at = activity.ends_at;
    }
    make(tx, caller, &activity, "reopen_enrolment")
}

/// Says that what was done in a finished activity is settled.
///
/// # Errors
/// `forbidden`, `move_not_allowed`.
pub fn settle(tx: &mut Tx<'_>, caller: &Caller, id: ActivityId) -> Result<Activity> {
    plainly(tx, caller, id, "settle")
}

fn plainly(tx: &mut Tx<'_>, caller: &Caller, id: ActivityId, verb: &str) -> Result<Activity> {
    let activity = to_move(tx, caller, id, verb)?;
    make(tx, caller, &activity, verb)
}

fn make(tx: &mut Tx<'_>, caller: &Caller, wanted: &Activity, verb: &str) -> Result<Activity> {
    if is_repeat(tx.conn, wanted, verb, caller)? {
        return Ok(wanted.clone());
    }
    advance(tx, wanted, verb, caller.actor(), None)
}

/// Tells who organises work with minors which of its shifts still lack vetted adults, now that nobody comes by
/// themselves any more.
///
/// # Errors
/// Those of the database.
pub(super) fn warn_of_missing_adults(
    tx: &mut Tx<'_>,
    desk: &Desk,
    activity: &Activity,
) -> Result<()> {
    if !activity.minors {
        return Ok(());
    }
    let to = organizers(tx.conn, activity)?;
    for shift in store::shifts(tx.conn, activity.id)? {
        let session = enrolments::session(tx.conn, desk, &shift, tx.zone)?;
        if shift.starts_at <= tx.now || session.lacks() == 0 {
            continue;
        }
        let at = shift.starts_at.on_the_wall(tx.zone);
        let params = [("role", shift.name.as_str()), ("at", at.as_str())];
        tell(tx, activity, &to, Kind::ShiftLacksAdults, &params)?;
    }
    Ok(())
}

/// Cancels an activity; everybody concerned is told why. For its organiser and, once it is published, for
/// those who review in its region.
///
/// # Errors
/// `forbidden`, `move_not_allowed`.
pub fn cancel(tx: &mut Tx<'_>, caller: &Caller, id: ActivityId, reason: &str) -> Result<Activity> {
    let activity = to_move(tx, caller, id, "cancel")?;
    if is_repeat(tx.conn, &activity, "cancel", caller)? {
        return Ok(activity);
    }
    let by = caller.actor();
    call_off(tx, &activity, by, Some(reason))
}

/// Cancels an activity, and tells who organises it unless they did it. Everybody who stands in it follows, and
/// is told; of one that is going on, whoever's shift has begun keeps the place: that service was done.
pub(super) fn call_off(
    tx: &mut Tx<'_>,
    activity: &Activity,
    by: Actor,
    reason: Option<&str>,
) -> Result<Activity> {
    let moved = advance(tx, activity, "cancel", by, reason)?;
    follow_later(tx, moved.id)?;
    let kind = match reason {
        Some(_) => Kind::ActivityCancelledOf,
        None => Kind::ActivityStoppedOf,
    };
    let params: Vec<_> = reason
        .map(|reason| ("reason", reason))
        .into_iter()
        .collect();
    let organizers = organizers(tx.conn, &moved)?;
    let is_theirs = |who| by == Actor::Account(crate::platform::columns::Uid(who));
    if !organizers.iter().any(|who| is_theirs(who.0)) {
        broadcast(tx, &moved, &organizers, kind, &params)?;
    }
    if let Some(series) = moved.series_id {
        series::touch(tx.conn, series)?;
    }
    Ok(moved)
}
