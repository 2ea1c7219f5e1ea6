//! What moves places in shifts by itself: the line, the clock, and what becomes of the activity.

use chrono::TimeDelta;

use super::super::model::{Enrolment, EnrolmentStatus};
use super::super::rules::{self, Held, accept_by};
use super::super::store;
use super::{advance, facts, is_refusal, serialize_on_person, tell_person};
use crate::activities::model::{Activity, ShiftId};
use crate::activities::rules::{AHEAD, Presence};
use crate::activities::service::{Desk, serialize};
use crate::activities::store as activities;
use crate::error::{Code, Error, Result};
use crate::identity::AccountId;
use crate::notifications::Kind;
use crate::platform::clock::Instant;
use crate::platform::db::Tx;
use crate::platform::journal::Actor;
use crate::projects::ADULT_AGE;
use crate::volunteers;

/// Holds the free seats of a shift for the first in line whom it still suits, with time to accept. Who
/// cannot now keeps the place in the line.
pub(in crate::activities) fn promote(
    tx: &mut Tx<'_>,
    desk: &Desk,
    activity: &Activity,
    shift: ShiftId,
) -> Result<()> {
    let shift = activities::shift(tx.conn, shift)?;
    if !AHEAD.contains(&activity.status) || shift.starts_at <= tx.now {
        return Ok(());
    }
    let mut free = shift.seats - shift.taken;
    for waiting in store::line(tx.conn, shift.id)? {
        if free <= 0 {
            break;
        }
        let (who, at) = (waiting.account_id, (tx.now, tx.zone));
        serialize_on_person(tx, who)?;
        let known = facts(tx.conn, desk, (activity, &shift), who, Some(waiting.id), at)?;
        let suits = rules::unfit(&known).is_empty()
            && rules::in_the_way(&known, &desk.rules, tx.zone).is_empty();
        if !suits {
            continue;
        }
        let due = accept_by(&desk.rules, &shift, tx.now);
        let promoted = tx.savepoint(|tx| {
            if !activities::take_seat(tx.conn, shift.id)? {
                return Err(Code::CapacityFull.into());
            }
            hold(tx, activity, &waiting, due)
        });
        match promoted {
            Ok(()) => {}
            // took on something else at this very moment
            Err(error) if is_refusal(&error) => continue,
            Err(error) => return Err(error),
        }
        free -= 1;
        let due = due.on_the_wall(tx.zone);
        let params = [("due", due.as_str())];
        tell_person(tx, activity, &shift, who, Kind::EnrolmentPromoted, &params)?;
    }
    Ok(())
}

fn hold(tx: &mut Tx<'_>, activity: &Activity, waiting: &Enrolment, due: Instant) -> Result<()> {
    let held = Enrolment {
        holds_seat: true,
        accept_by: Some(due),
        ..waiting.clone()
    };
    advance(tx, activity, &held, "promote", Actor::System, None).map(|_| ())
}

/// Ends the enrolments that were not accepted in time, up to `limit`, and gives their seats on; returns how
/// many were due.
///
/// # Errors
/// Those of the database.
pub fn sweep(tx: &mut Tx<'_>, desk: &Desk, limit: i64) -> Result<usize> {
    let due = store::overdue(tx.conn, tx.now, limit)?;
    for seen in &due {
        match tx.savepoint(|tx| lapse(tx, desk, seen)) {
            Err(Error::Problem(_)) | Ok(()) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(due.len())
}

fn lapse(tx: &mut Tx<'_>, desk: &Desk, seen: &Enrolment) -> Result<()> {
    serialize(tx, seen.activity_id)?;
    let activity = activities::activity(tx.conn, seen.activity_id)?;
    let enrolment = store::enrolment(tx.conn, seen.id)?;
    let is_due = enrolment.status == EnrolmentStatus::Pending
        && enrolment.accept_by.is_some_and(|by| by <= tx.now);
    if !is_due {
        return Ok(()); // answered at the same moment
    }
    advance(tx, &activity, &enrolment, "lapse", Actor::System, None)?;
    let shift = activities::shift(tx.conn, enrolment.shift_id)?;
    let who = enrolment.account_id;
    tell_person(tx, &activity, &shift, who, Kind::EnrolmentLapsed, &[])?;
    promote(tx, desk, &activity, shift.id)
}

/// Ends the places in an activity that is cancelled, those of shifts that have begun only where it has not
/// been `going_on`; returns whose they were, to be told.
pub(in crate::activities) fn call_off(
    tx: &mut Tx<'_>,
    activity: &Activity,
    reason: Option<&str>,
    going_on: bool,
) -> Result<Vec<AccountId>> {
    let mut whose = Vec::new();
    for enrolment in store::open_ones(tx.conn, activity.id)? {
        if going_on && enrolment.starts_at <= tx.now {
            continue;
        }
        advance(tx, activity, &enrolment, "call_off", Actor::System, reason)?;
        whose.push(enrolment.account_id);
    }
    whose.sort_unstable();
    whose.dedup();
    Ok(whose)
}

/// Ends the waiting for an activity that has begun.
pub(in crate::activities) fn close_line(tx: &mut Tx<'_>, activity: &Activity) -> Result<()> {
    for enrolment in store::open_ones(tx.conn, activity.id)? {
        if enrolment.status == EnrolmentStatus::Confirmed {
            continue;
        }
        advance(tx, activity, &enrolment, "close", Actor::System, None)?;
        let shift = activities::shift(tx.conn, enrolment.shift_id)?;
        let who = enrolment.account_id;
        tell_person(tx, activity, &shift, who, Kind::EnrolmentClosed, &[])?;
    }
    Ok(())
}

/// Lets those who stand in an activity follow a change of its time or place: they are told, and until when
/// they may go without its being late. Whom the new time collides with is let go, and told.
pub(in crate::activities) fn follow_change(
    tx: &mut Tx<'_>,
    desk: &Desk,
    activity: &Activity,
    has_moved: bool,
) -> Result<()> {
    let open = store::open_ones(tx.conn, activity.id)?;
    if has_moved {
        store::release(tx.conn, activity.id)?;
    }
    let due = (tx.now + TimeDelta::hours(desk.rules.changed_hours)).on_the_wall(tx.zone);
    for seen in open {
        let shift = activities::shift(tx.conn, seen.shift_id)?;
        let who = seen.account_id;
        let moved = Enrolment {
            starts_at: shift.starts_at,
            ends_at: shift.ends_at,
            accept_by: seen.accept_by.map(|by| by.min(shift.starts_at)),
            ..seen.clone()
        };
        if has_moved && !fits(tx, desk, activity, &moved)? {
            // it holds a seat of the counter, and no time any more
            advance(tx, activity, &moved, "displace", Actor::System, None)?;
            tell_person(tx, activity, &shift, who, Kind::EnrolmentDisplaced, &[])?;
            continue;
        }
        let params = [("due", due.as_str()), ("place", activity.place.as_str())];
        tell_person(tx, activity, &shift, who, Kind::ActivityChanged, &params)?;
    }
    Ok(())
}

/// Writes an enrolment at its new time; whether it can be held there.
fn fits(tx: &mut Tx<'_>, desk: &Desk, activity: &Activity, moved: &Enrolment) -> Result<bool> {
    if moved.holds_seat {
        let shift = activities::shift(tx.conn, moved.shift_id)?;
        let (who, at) = (moved.account_id, (tx.now, tx.zone));
        serialize_on_person(tx, who)?;
        let known = facts(tx.conn, desk, (activity, &shift), who, Some(moved.id), at)?;
        if !rules::in_the_way(&known, &desk.rules, tx.zone).is_empty() {
            return Ok(false);
        }
    }
    match store::save(tx, moved.status, moved) {
        Ok(is_saved) => Ok(is_saved),
        Err(error) if is_refusal(&error) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Who will be there, from when to when, and whether it is an adult who is vetted for work with minors.
pub(in crate::activities) fn presences(
    tx: &mut Tx<'_>,
    desk: &Desk,
    activity: &Activity,
) -> Result<Vec<Presence>> {
    let mut present = Vec::new();
    for enrolment in store::open_ones(tx.conn, activity.id)? {
        if enrolment.status != EnrolmentStatus::Confirmed {
            continue;
        }
        let shift = activities::shift(tx.conn, enrolment.shift_id)?;
        let (who, at) = (enrolment.account_id, (tx.now, tx.zone));
        let known = facts(
            tx.conn,
            desk,
            (activity, &shift),
            who,
            Some(enrolment.id),
            at,
        )?;
        let is_adult = known
            .birth_date
            .is_some_and(|born| volunteers::age(born, known.day) >= ADULT_AGE);
        let is_vetted = known.vetting == Held::Then;
        present.push((
            enrolment.starts_at,
            enrolment.ends_at,
            is_adult && is_vetted,
        ));
    }
    Ok(present)
}
