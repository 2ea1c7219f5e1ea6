//! What the clock does to service records, so that no hours vanish because nobody looked.

use chrono::TimeDelta;

use super::super::model::{ConfirmedBy, Record, RecordId};
use super::super::rules;
use super::super::store::{self, Of};
use super::{Desk, advance, credit, recorders, serialize, tell, tell_person};
use crate::activities::{self, ActivityId};
use crate::error::{Code, Error, Result};
use crate::notifications::{self, Kind, Notice, notify};
use crate::platform::db::Tx;
use crate::platform::journal::Actor;

/// Who records was reminded.
const RECORDERS: i32 = 1;
/// The staff were told.
const STAFF: i32 = 2;
/// The clock could not confirm it; the staff were told of that one.
const STUCK: i32 = 3;

/// Reminds of what is unconfirmed, confirms in the end what has its time, and takes unanswered disputes to the staff;
/// up to `limit` of each. Returns how many it did of the kind of which most was due.
///
/// # Errors
/// Those of the database.
pub fn sweep(tx: &mut Tx<'_>, desk: &Desk, limit: i64) -> Result<usize> {
    let ago = |days| tx.now - TimeDelta::days(days);
    let (remind, staff) = (ago(desk.rules.remind_days), ago(desk.rules.staff_days));
    let (confirm, answer) = (ago(desk.rules.confirm_days), ago(desk.rules.answer_days));
    let mut most = 0;
    for (before, level) in [(staff, STAFF), (remind, RECORDERS)] {
        let due = store::unconfirmed(tx.conn, before, level, limit)?;
        most = most.max(due.len());
        for activity in due {
            remind_of(tx, activity, level)?;
            store::remind(tx.conn, activity, before, level)?;
        }
    }
    let due = store::to_confirm(tx.conn, confirm, STUCK, limit)?;
    most = most.max(due.len());
    for id in due {
        confirm_late(tx, desk, id)?;
    }
    let due = store::unanswered(tx.conn, answer, limit)?;
    most = most.max(due.len());
    for id in due {
        escalate(tx, desk, id)?;
    }
    Ok(most)
}

fn remind_of(tx: &mut Tx<'_>, of: ActivityId, level: i32) -> Result<()> {
    let activity = activities::activity(tx.conn, of)?;
    let Some(record) = store::list(tx.conn, Of::Activity(of), None, None, 1)?.pop() else {
        return Ok(());
    };
    let (to, kind) = match level {
        STAFF => {
            let staff = notifications::staff_of(tx.conn, record.region_id)?;
            (staff, Kind::HoursOverdue)
        }
        _ => (recorders(tx.conn, &record)?, Kind::HoursToConfirm),
    };
    for to in to {
        notify(
            tx,
            &Notice::titled(to, kind, ("activity", of.0), &activity.title),
        )?;
    }
    Ok(())
}

fn locked(tx: &mut Tx<'_>, id: RecordId) -> Result<Record> {
    let record = store::record(tx.conn, id)?;
    serialize(tx, record.account_id)?;
    store::record(tx.conn, id)
}

/// What cannot be confirmed stays as it is, and the staff hear of it.
fn confirm_late(tx: &mut Tx<'_>, desk: &Desk, id: RecordId) -> Result<()> {
    let confirmed = tx.savepoint(|tx| {
        let record = locked(tx, id)?;
        let mut wanted = credit(tx, desk, &record, None, None)?;
        wanted.confirmed_by = Some(ConfirmedBy::Clock);
        let moved = advance(tx, &wanted, "confirm", Actor::System, None)?;
        tell_person(tx, &moved, Kind::HoursConfirmed, None)
    });
    match confirmed {
        Err(Error::Problem(problem)) => {
            store::remind_one(tx.conn, id, STUCK)?;
            if problem.code == Code::MoveNotAllowed {
                return Ok(());
            }
            let record = store::record(tx.conn, id)?;
            let mut to = recorders(tx.conn, &record)?;
            to.extend(notifications::staff_of(tx.conn, record.region_id)?);
            to.sort_unstable();
            to.dedup();
            tell(tx, &record, &to, Kind::HoursStuck, &[])
        }
        done => done,
    }
}

fn escalate(tx: &mut Tx<'_>, desk: &Desk, id: RecordId) -> Result<()> {
    let record = locked(tx, id)?;
    if !rules::is_unanswered(&record, &desk.rules, tx.now) {
        return Ok(());
    }
    let wanted = Record {
        appealed_at: Some(tx.now),
        ..record.clone()
    };
    let moved = advance(
        tx,
        &wanted,
        "escalate",
        Actor::System,
        record.reason.as_deref(),
    )?;
    let staff = notifications::staff_of(tx.conn, moved.region_id)?;
    let reason = moved.reason.clone().unwrap_or_default();
    tell(
        tx,
        &moved,
        &staff,
        Kind::HoursAppealed,
        &[("reason", &reason)],
    )
}
