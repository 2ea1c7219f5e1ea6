//! The lines of shifts: who moves up, and what time does to those who wait.

use chrono::TimeDelta;

use super::super::model::{Enrolment, EnrolmentStatus};
use super::super::rules::{accept_by, moves_up};
use super::super::store::{self, Due};
use super::known::{Known, is_suspended, session};
use super::{advance, serialize_on_people, tell_person};
use crate::activities::model::{Activity, ActivityStatus, ShiftId};
use crate::activities::rules::LIVE;
use crate::activities::service::{Desk, follow_later, organizers, serialize, tell};
use crate::activities::store as activities;
use crate::error::{Error, Result};
use crate::notifications::Kind;
use crate::platform::db::Tx;
use crate::platform::journal::Actor;

/// The most of a line that one transaction looks at.
const FEW: i64 = 20;

/// How long somebody who was passed over is not looked at again, unless something happens that may have
/// changed it.
const PASSED_OVER: TimeDelta = TimeDelta::hours(1);

/// What follows when somebody left a place: the line moves up, and where too few vetted adults are left once
/// nobody comes by themselves any more, who organises it is told.
pub(super) fn freed(
    tx: &mut Tx<'_>,
    desk: &Desk,
    activity: &Activity,
    left: &Enrolment,
) -> Result<()> {
    promote(tx, desk, activity, left.shift_id)?;
    let is_closed = activity.status != ActivityStatus::Published;
    let was_coming = left.status == EnrolmentStatus::Confirmed;
    if !(activity.minors && is_closed && was_coming && LIVE.contains(&activity.status)) {
        return Ok(());
    }
    let shift = activities::shift(tx.conn, left.shift_id)?;
    let session = session(tx.conn, desk, &shift, tx.zone)?;
    if session.lacks() == 0 {
        return Ok(());
    }
    let to = organizers(tx.conn, activity)?;
    let at = shift.starts_at.on_the_wall(tx.zone);
    let params = [("role", shift.name.as_str()), ("at", at.as_str())];
    tell(tx, activity, &to, Kind::ShiftLacksAdults, &params)
}

/// Holds the free seats of a shift for the first in line whom it still suits, with time to accept. Who
/// cannot now keeps the place in the line, and is passed over for a while. A long line is looked at in
/// several transactions.
pub(super) fn promote(
    tx: &mut Tx<'_>,
    desk: &Desk,
    activity: &Activity,
    shift: ShiftId,
) -> Result<()> {
    let shift = activities::shift(tx.conn, shift)?;
    let mut free = i64::from(shift.seats - shift.taken);
    if free <= 0 || !moves_up(activity, &shift, tx.now) || is_suspended(tx.conn, activity)? {
        return Ok(());
    }
    let mut looked_at = 0;
    while free > 0 {
        if looked_at >= FEW {
            return follow_later(tx, activity.id);
        }
        let few = free.min(FEW);
        let first = store::first_in_line(tx.conn, shift.id, tx.now - PASSED_OVER, few)?;
        if first.is_empty() {
            return Ok(());
        }
        let people: Vec<_> = first.iter().map(|waiting| waiting.account_id).collect();
        serialize_on_people(tx, people.clone())?;
        let known = Known::of(tx.conn, desk, activity, &people, (tx.now, tx.zone))?;
        for waiting in &first {
            looked_at += 1;
            let who = waiting.account_id;
            let suits = known.obstacles(&shift, who, Some(waiting.id)).is_empty();
            if !suits {
                store::pass_over(tx, waiting.id)?;
                continue;
            }
            if !activities::take_seat(tx.conn, shift.id)? {
                return Ok(()); // somebody came to it meanwhile
            }
            free -= 1;
            let due = accept_by(&desk.rules, (activity, &shift), tx.now);
            let held = Enrolment {
                holds_seat: true,
                accept_by: Some(due),
                ..waiting.clone()
            };
            advance(tx, activity, &held, "promote", Actor::System, None)?;
            let due = due.on_the_wall(tx.zone);
            let params = [("due", due.as_str())];
            tell_person(tx, activity, &shift, who, Kind::EnrolmentPromoted, &params)?;
        }
    }
    Ok(())
}

/// What time does to those who wait, up to `limit`: who did not accept in time loses the seat, a line ends as
/// its shift begins, and who was passed over long ago is looked at again where a seat is free. Returns how
/// many it moved on.
///
/// # Errors
/// Those of the database.
pub fn sweep(tx: &mut Tx<'_>, desk: &Desk, limit: i64) -> Result<usize> {
    let mut due = store::overdue(tx.conn, tx.now, limit)?;
    due.extend(store::left_waiting(tx.conn, tx.now, limit)?);
    due.extend(store::passed_over(tx.conn, tx.now - PASSED_OVER, limit)?);
    due.sort_unstable(); // as their activities are locked
    due.dedup();
    let mut moved = 0;
    for one in due {
        match tx.savepoint(|tx| move_on(tx, desk, one)) {
            Ok(()) => moved += 1,
            Err(Error::Problem(_)) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(moved)
}

fn move_on(tx: &mut Tx<'_>, desk: &Desk, (id, one): Due) -> Result<()> {
    serialize(tx, id)?;
    let activity = activities::activity(tx.conn, id)?;
    let enrolment = store::enrolment(tx.conn, one)?;
    let shift = activities::shift(tx.conn, enrolment.shift_id)?;
    let (verb, kind) = match enrolment.status {
        EnrolmentStatus::Pending if enrolment.accept_by.is_some_and(|by| by <= tx.now) => {
            ("lapse", Kind::EnrolmentLapsed)
        }
        EnrolmentStatus::Waitlisted if moves_up(&activity, &shift, tx.now) => {
            store::look_at(tx.conn, one)?;
            return promote(tx, desk, &activity, shift.id);
        }
        EnrolmentStatus::Waitlisted => ("close", Kind::EnrolmentClosed),
        _ => return Ok(()), // answered at the same moment
    };
    advance(tx, &activity, &enrolment, verb, Actor::System, None)?;
    tell_person(tx, &activity, &shift, enrolment.account_id, kind, &[])?;
    freed(tx, desk, &activity, &enrolment)
}
