//! What those who stand in an activity follow: another time or place, and its end.

use std::collections::HashMap;

use super::super::model::{Enrolment, EnrolmentStatus};
use super::super::rules::{self, free_until};
use super::super::store;
use super::known::Known;
use super::line::promote;
use super::{advance, reminding, sentences, serialize_on_people, tell_person};
use crate::activities::model::{Activity, ActivityId, ActivityStatus, Shift, ShiftId};
use crate::activities::rules::{LIVE, open_until, was_not_held};
use crate::activities::service::{Desk, broadcast, serialize};
use crate::activities::store as activities;
use crate::error::Result;
use crate::identity::AccountId;
use crate::notifications::Kind;
use crate::platform::db::Tx;
use crate::platform::journal::Actor;

/// How many of those who stand in an activity follow it in one transaction.
const PAGE: i64 = 100;

/// Lets some of those who stand in an activity, those `after` somebody, follow what became of it; returns
/// after whom to go on, if there are more. Whoever has followed is left alone, so doing it twice is doing it
/// once.
///
/// # Errors
/// Those of the database.
pub(in crate::activities) fn follow(
    tx: &mut Tx<'_>,
    desk: &Desk,
    id: ActivityId,
    after: Option<AccountId>,
) -> Result<Option<AccountId>> {
    serialize(tx, id)?;
    let activity = activities::activity(tx.conn, id)?;
    let shifts = activities::shifts(tx.conn, id)?;
    let by_id: HashMap<_, _> = shifts.iter().map(|shift| (shift.id, shift)).collect();
    let (open, next) = whole_people(store::open_after(tx.conn, id, after, PAGE)?);
    if activity.status == ActivityStatus::Cancelled {
        call_off(tx, &activity, &by_id, &open)?;
    } else if LIVE.contains(&activity.status) {
        let (lost, open): (Vec<_>, Vec<_>) = open
            .into_iter()
            .partition(|one| by_id[&one.shift_id].held == Some(false));
        not_held(tx, &activity, &by_id, &lost)?;
        catch_up(tx, desk, &activity, &by_id, open)?;
        if next.is_none() {
            for shift in &shifts {
                promote(tx, desk, &activity, shift.id)?;
            }
        }
    }
    Ok(next)
}

/// The enrolments of a page but for those of its last person, of whom there may be more; after whom to go on.
fn whole_people(mut page: Vec<Enrolment>) -> (Vec<Enrolment>, Option<AccountId>) {
    if page.len() <= PAGE as usize {
        return (page, None);
    }
    let last = page.last().map(|one| one.account_id);
    page.retain(|one| Some(one.account_id) != last);
    let next = page.last().map(|one| one.account_id);
    (page, next)
}

/// Ends places in an activity that was cancelled, but of those whose shift had begun: that service was done.
fn call_off(
    tx: &mut Tx<'_>,
    activity: &Activity,
    shifts: &HashMap<ShiftId, &Shift>,
    open: &[Enrolment],
) -> Result<()> {
    let reason = activity.reason.as_deref();
    let kind = match reason {
        Some(_) => Kind::ActivityCancelled,
        None if was_not_held(activity) => Kind::ActivityNotHeld,
        None => Kind::ActivityStopped,
    };
    let params: Vec<_> = reason.map(|why| ("reason", why)).into_iter().collect();
    let mut told = Vec::new();
    for enrolment in open {
        let shift = shifts[&enrolment.shift_id];
        let had_begun = activity.began_at.is_some()
            && shift.starts_at <= activity.status_since
            && shift.held != Some(false);
        if had_begun {
            continue;
        }
        advance(tx, activity, enrolment, "call_off", Actor::System, reason)?;
        told.push(enrolment.account_id);
    }
    told.dedup(); // in their order
    broadcast(tx, activity, &told, kind, &params)
}

/// Ends places in a shift of work with minors that could not be held.
fn not_held(
    tx: &mut Tx<'_>,
    activity: &Activity,
    shifts: &HashMap<ShiftId, &Shift>,
    lost: &[Enrolment],
) -> Result<()> {
    for enrolment in lost {
        let verb = match enrolment.status {
            EnrolmentStatus::Waitlisted => "close",
            _ => "displace",
        };
        advance(tx, activity, enrolment, verb, Actor::System, None)?;
        let shift = shifts[&enrolment.shift_id];
        let who = enrolment.account_id;
        tell_person(tx, activity, shift, who, Kind::ShiftNotHeld, &[])?;
    }
    Ok(())
}

/// Lets people follow a change of time or place that concerns them: they are told, and until when they may go
/// without its being late. Who cannot come at the new time, or may not on the new day, is let go, and told
/// why.
fn catch_up(
    tx: &mut Tx<'_>,
    desk: &Desk,
    activity: &Activity,
    shifts: &HashMap<ShiftId, &Shift>,
    open: Vec<Enrolment>,
) -> Result<()> {
    let has_moved = |one: &Enrolment| {
        let shift = shifts[&one.shift_id];
        (one.starts_at, one.ends_at) != (shift.starts_at, shift.ends_at)
    };
    let mut behind = open;
    behind.retain(|one| has_moved(one) || one.heard < activity.news);
    if behind.is_empty() {
        return Ok(());
    }
    let people: Vec<_> = behind.iter().map(|one| one.account_id).collect();
    serialize_on_people(tx, people.clone())?;
    let mut known = Known::of(tx.conn, desk, activity, &people, (tx.now, tx.zone))?;
    // shifts that move together would collide with each other on the way
    let moved = behind.iter().filter(|one| one.holds_seat && has_moved(one));
    let moved: Vec<_> = moved.map(|one| (one.account_id, one.id)).collect();
    for (who, id) in &moved {
        known.now_holds(*who, *id, None);
    }
    store::release(tx.conn, moved.into_iter().map(|(_, id)| id).collect())?;
    for seen in behind {
        let shift = shifts[&seen.shift_id];
        let (who, id) = (seen.account_id, seen.id);
        let has_moved = has_moved(&seen);
        let holds_anew = seen.holds_seat && has_moved;
        let now = Enrolment {
            starts_at: shift.starts_at,
            ends_at: shift.ends_at,
            accept_by: seen.accept_by.map(|by| by.min(open_until(activity, shift))),
            skipped_at: None,
            heard: activity.news,
            changed_at: Some(tx.now),
            ..seen
        };
        if has_moved {
            reminding::take_back(tx, &now)?;
        }
        let now = match has_moved {
            true => rules::moved(now, &desk.rules.reminder_hours, tx.now),
            false => now,
        };
        let codes = match holds_anew {
            true => known.obstacles(shift, who, Some(id)),
            false => Vec::new(),
        };
        if !codes.is_empty() {
            // it holds a seat of the counter, and no time any more
            advance(tx, activity, &now, "displace", Actor::System, None)?;
            let (zh, en) = sentences(&codes);
            let params = [("why_zh", zh.as_str()), ("why_en", en.as_str())];
            tell_person(tx, activity, shift, who, Kind::EnrolmentDisplaced, &params)?;
            continue;
        }
        store::save(tx, now.status, &now)?;
        if holds_anew {
            known.now_holds(who, id, Some((now.starts_at, now.ends_at)));
        }
        let due = free_until(&now, activity, &desk.rules).on_the_wall(tx.zone);
        let params = [("due", due.as_str()), ("place", activity.place.as_str())];
        tell_person(tx, activity, shift, who, Kind::ActivityChanged, &params)?;
    }
    Ok(())
}
