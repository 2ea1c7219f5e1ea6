//! What the clock does to activities, and what other rooms' changes do.

use chrono::TimeDelta;

use super::super::model::{Activity, ActivityId, ActivityStatus, Shift};
use super::super::store::{self, AGAIN};
use super::super::{attendance, enrolments, rules};
use super::followed::{follow_later, stop_later};
use super::moves::warn_of_missing_adults;
use super::{Desk, advance, organizers, serialize, tell};
use crate::error::{Error, Result};
use crate::notifications::Kind;
use crate::organizations;
use crate::platform::db::Tx;
use crate::platform::journal::{Actor, Entry};
use crate::projects::ProjectId;
use crate::projects::claims::ClaimId;

/// Closes, begins, ends and settles the activities whose time has come, up to `limit`; returns how many it
/// looked at without finding that a rule keeps them where they are.
///
/// # Errors
/// Those of the database.
pub fn sweep(tx: &mut Tx<'_>, desk: &Desk, limit: i64) -> Result<usize> {
    let settled = tx.now - TimeDelta::days(desk.rules.settle_days);
    let mut moved = 0;
    for id in store::due(tx.conn, tx.now, (tx.now - AGAIN, settled), limit)? {
        match tx.savepoint(|tx| move_on(tx, desk, id)) {
            Ok(()) => moved += 1,
            Err(Error::Problem(_)) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(moved)
}

fn move_on(tx: &mut Tx<'_>, desk: &Desk, id: ActivityId) -> Result<()> {
    serialize(tx, id)?;
    let mut activity = store::activity(tx.conn, id)?;
    while let Some(verb) = rules::follow(&activity, &desk.rules, tx.now) {
        if verb == "begin" && is_held_up(tx, desk, &activity)? {
            return Ok(());
        }
        if verb == "begin" {
            activity.began_at = Some(tx.now);
        }
        activity = advance(tx, &activity, verb, Actor::System, None)?;
        if verb == "close_enrolment" {
            warn_of_missing_adults(tx, desk, &activity)?;
        }
    }
    if activity.status == ActivityStatus::Ongoing && activity.minors {
        sessions(tx, desk, &activity)?;
    }
    Ok(())
}

/// Whether something keeps an activity from beginning whose time has come: its project is suspended, or a
/// shift of work with minors has not two vetted adults. Who organises it is told once; when its time is over,
/// it was not held, and everybody is told.
fn is_held_up(tx: &mut Tx<'_>, desk: &Desk, activity: &Activity) -> Result<bool> {
    let is_suspended = enrolments::is_suspended(tx.conn, activity)?;
    let lacking = match activity.minors && !is_suspended {
        true => sessions(tx, desk, activity)?,
        false => None,
    };
    if !is_suspended && lacking.is_none() {
        return Ok(false);
    }
    let organizers = organizers(tx.conn, activity)?;
    if activity.ends_at <= tx.now {
        let over = Activity {
            // what a suspended project keeps from being held lacks nobody
            held_up_at: lacking.is_some().then_some(tx.now),
            ..activity.clone()
        };
        let moved = advance(tx, &over, "cancel", Actor::System, None)?;
        follow_later(tx, activity.id)?;
        let kind = match is_suspended {
            true => Kind::ActivityStoppedOf,
            false => Kind::ActivityNotHeld,
        };
        tell(tx, &moved, &organizers, kind, &[])?;
        return Ok(true);
    }
    if activity.held_up_at.is_none() {
        let at = lacking.map(|shift| shift.starts_at.on_the_wall(tx.zone));
        match &at {
            Some(at) => tell(
                tx,
                activity,
                &organizers,
                Kind::ActivityHeldUp,
                &[("at", at)],
            )?,
            None => tell(tx, activity, &organizers, Kind::ActivitySuspended, &[])?,
        }
    }
    store::hold_up(tx.conn, activity.id, tx.now)?;
    Ok(true)
}

/// Looks at the shifts of work with minors whose time has come: each is held with two vetted adults of its own
/// (domain §3). While the activity waits for its beginning so does such a shift, up to its end; of one that is
/// going on it is not held, and those who would have come are let go. Returns the shift for which the activity
/// cannot begin: one that lacks adults now, or, where no shift is at hand, the first.
fn sessions(tx: &mut Tx<'_>, desk: &Desk, activity: &Activity) -> Result<Option<Shift>> {
    let is_ongoing = activity.status == ActivityStatus::Ongoing;
    let shifts = store::shifts(tx.conn, activity.id)?;
    let (mut lacking, mut may_begin) = (None, false);
    for shift in &shifts {
        if shift.starts_at > tx.now || shift.held.is_some() {
            may_begin |= shift.held == Some(true);
            continue;
        }
        let session = enrolments::session(tx.conn, desk, shift, tx.zone)?;
        let is_over = shift.ends_at <= tx.now;
        if session.lacks() == 0 {
            store::set_held(tx.conn, shift.id, true)?;
            may_begin = true;
        } else if is_ongoing || is_over {
            store::set_held(tx.conn, shift.id, false)?;
            if session.is_attended && tx.now < activity.ends_at {
                let to = organizers(tx.conn, activity)?;
                let at = shift.starts_at.on_the_wall(tx.zone);
                let params = [("role", shift.name.as_str()), ("at", at.as_str())];
                tell(tx, activity, &to, Kind::ShiftNotHeld, &params)?;
            }
            follow_later(tx, activity.id)?;
        } else if session.is_attended {
            lacking = lacking.or(Some(shift.clone()));
        }
    }
    if may_begin && lacking.is_none() {
        return Ok(None);
    }
    Ok(lacking.or_else(|| shifts.into_iter().min_by_key(|shift| shift.starts_at)))
}

/// A reaction: what an organisation organises that may not act any more is cancelled, and so is what belongs
/// to a claim that has ended before it was fulfilled, as far as it has not begun. When a suspended project
/// goes on, so do the lines of its activities. And whoever something changed for is looked at again.
///
/// # Errors
/// Those of the database.
pub fn react(tx: &mut Tx<'_>, entry: &Entry) -> Result<()> {
    attendance::react(tx, entry)?;
    // each in a job of its own: several at once would be locked in whatever order they come
    let ahead = match entry.kind.as_str() {
        "project_claim.withdraw" | "project_claim.expire" | "project_claim.revoke" => {
            store::ahead_of_claim(tx.conn, ClaimId(entry.subject_id.0))?
        }
        "project.resume" => {
            let project = ProjectId(entry.subject_id.0);
            let live = store::live_of_project(tx.conn, project)?;
            return live.into_iter().try_for_each(|id| follow_later(tx, id));
        }
        _ => match organizations::stopped(tx.conn, entry)? {
            Some(organization) => store::ahead_of_organization(tx.conn, organization)?,
            None => return enrolments::react(tx, entry),
        },
    };
    ahead.into_iter().try_for_each(|id| stop_later(tx, id))
}
