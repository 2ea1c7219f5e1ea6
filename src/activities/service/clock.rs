//! What the clock does to activities, and what other rooms' changes do.

use chrono::TimeDelta;

use super::super::model::{Activity, ActivityId, ActivityStatus};
use super::super::rules::{self, AHEAD};
use super::super::{enrolments, store};
use super::moves::call_off;
use super::{Desk, advance, organizers, serialize, tell};
use crate::error::{Error, Result};
use crate::notifications::Kind;
use crate::organizations;
use crate::platform::db::Tx;
use crate::platform::journal::{Actor, Entry};
use crate::projects::claims::ClaimId;

/// How long after an activity was found not fit to begin it is looked at again.
const AGAIN: TimeDelta = TimeDelta::minutes(5);

/// Closes, begins and ends the activities whose time has come, up to `limit`; returns how many it looked at
/// without finding that a rule keeps them where they are.
///
/// # Errors
/// Those of the database.
pub fn sweep(tx: &mut Tx<'_>, desk: &Desk, limit: i64) -> Result<usize> {
    let mut moved = 0;
    for id in store::due(tx.conn, tx.now, tx.now - AGAIN, limit)? {
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
    while let Some(verb) = rules::follow(&activity, tx.now) {
        if verb == "begin" && is_held_up(tx, desk, &activity)? {
            return Ok(());
        }
        activity = advance(tx, &activity, verb, Actor::System, None)?;
        if activity.status == ActivityStatus::Ongoing {
            enrolments::close_line(tx, &activity)?;
        }
    }
    Ok(())
}

/// Whether something keeps an activity from beginning whose time has come: work with minors wants two
/// vetted adults at every moment. Who organises it is told once; when its time is over without them, it was
/// not held, and everybody is told.
fn is_held_up(tx: &mut Tx<'_>, desk: &Desk, activity: &Activity) -> Result<bool> {
    if !activity.minors {
        return Ok(false);
    }
    let present = enrolments::presences(tx, desk, activity)?;
    let Some(moment) = rules::without_adults(&present, activity.starts_at) else {
        return Ok(false);
    };
    let organizers = organizers(tx.conn, activity)?;
    if activity.ends_at <= tx.now {
        let moved = advance(tx, activity, "cancel", Actor::System, None)?;
        let mut told = enrolments::call_off(tx, &moved, None, false)?;
        told.extend(organizers);
        told.sort_unstable();
        told.dedup();
        tell(tx, &moved, &told, Kind::ActivityNotHeld, &[])?;
        return Ok(true);
    }
    if activity.held_up_at.is_none() {
        let at = moment.on_the_wall(tx.zone);
        tell(
            tx,
            activity,
            &organizers,
            Kind::ActivityHeldUp,
            &[("at", &at)],
        )?;
    }
    store::hold_up(tx.conn, activity.id, tx.now)?;
    Ok(true)
}

/// A reaction: what an organisation organises that may not act any more is cancelled, and so is what belongs
/// to a claim that has ended before it was fulfilled, as far as it has not begun. What is found over stays
/// as it is, so reacting twice is reacting once.
///
/// # Errors
/// Those of the database.
pub fn react(tx: &mut Tx<'_>, entry: &Entry) -> Result<()> {
    let ahead = match entry.kind.as_str() {
        "project_claim.withdraw" | "project_claim.expire" | "project_claim.revoke" => {
            store::ahead_of_claim(tx.conn, ClaimId(entry.subject_id.0))?
        }
        _ => match organizations::stopped(tx.conn, entry)? {
            Some(organization) => store::ahead_of_organization(tx.conn, organization)?,
            None => return Ok(()),
        },
    };
    for id in ahead {
        serialize(tx, id)?;
        let activity = store::activity(tx.conn, id)?;
        let has_begun = !AHEAD.contains(&activity.status)
            && !matches!(
                activity.status,
                ActivityStatus::Draft | ActivityStatus::Submitted | ActivityStatus::Returned
            );
        if !has_begun {
            // why is between the staff and those who organise it
            call_off(tx, &activity, Actor::System, None)?;
        }
    }
    Ok(())
}
