//! The moves of a record that people make.

use serde::Deserialize;
use utoipa::ToSchema;
use validator::Validate;

use super::super::model::{Record, RecordId, RecordStatus};
use super::super::rules::{self, Span};
use super::super::store;
use super::{
    Desk, advance, confirmer, credit, recorders, take_back, tell, tell_person, to_move, weighed,
};
use crate::activities::{self, ActivityId};
use crate::error::{Code, Error, FieldError, Problem, Result};
use crate::identity::Caller;
use crate::notifications::{self, Kind};
use crate::platform::clock::Instant;
use crate::platform::db::Tx;

/// The time of service as it is set by hand.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(as = HoursCorrection)]
pub struct Corrected {
    /// From when on.
    pub starts_at: Instant,
    /// Until when; not included.
    pub ends_at: Instant,
    /// Why, in words that the person reads.
    #[validate(length(min = 1, max = 1000))]
    pub reason: String,
}

/// What the person says is wrong.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(as = HoursDispute)]
pub struct Dispute {
    /// From when on it was.
    pub starts_at: Instant,
    /// Until when it was; not included.
    pub ends_at: Instant,
    /// Why.
    #[validate(length(min = 1, max = 1000))]
    pub reason: String,
}

/// What became of one of several records.
#[derive(Clone, Copy, Debug)]
pub struct Answer {
    /// Which.
    pub id: RecordId,
    /// Why it was not confirmed.
    pub refused: Option<Code>,
}

/// Confirms a record: it enters the ledger.
///
/// # Errors
/// `own_hours`, `hours_unknown`, `daily_cap`, `time_conflict`, `move_not_allowed`.
pub fn confirm(tx: &mut Tx<'_>, desk: &Desk, caller: &Caller, id: RecordId) -> Result<Record> {
    let (record, relation, is_repeat) = to_move(tx, desk, caller, id, "confirm")?;
    if is_repeat {
        return Ok(record);
    }
    let mut wanted = credit(tx, desk, &record, Some(caller.account), None)?;
    wanted.confirmed_by = Some(confirmer(relation));
    let moved = advance(tx, &wanted, "confirm", caller.actor(), None)?;
    tell_person(tx, &moved, Kind::HoursConfirmed, None)?;
    Ok(moved)
}

/// Confirms several records of an activity; what cannot be is named with its reason and holds up no other.
///
/// # Errors
/// Those of the database.
pub fn confirm_many(
    tx: &mut Tx<'_>,
    desk: &Desk,
    caller: &Caller,
    of: ActivityId,
    ids: &[RecordId],
) -> Result<Vec<Answer>> {
    let mut found = Vec::new();
    for id in ids {
        match store::record(tx.conn, *id) {
            Ok(record) if record.activity_id == of => found.push((Some(record.account_id), *id)),
            Ok(_) => found.push((None, *id)),
            Err(Error::Problem(_)) => found.push((None, *id)),
            Err(error) => return Err(error),
        }
    }
    found.sort_unstable();
    found.dedup();
    let mut answers = Vec::new();
    for (account, id) in found {
        let confirmed = match account {
            Some(_) => tx.savepoint(|tx| confirm(tx, desk, caller, id)).map(drop),
            None => Err(Code::NotFound.into()),
        };
        let refused = match confirmed {
            Ok(()) => None,
            Err(Error::Problem(problem)) => Some(problem.code),
            Err(error) => return Err(error),
        };
        answers.push(Answer { id, refused });
    }
    Ok(answers)
}

fn refuse(wrong: Vec<FieldError>) -> Result<()> {
    if wrong.is_empty() {
        return Ok(());
    }
    let mut refusal = Problem::new(Code::Invalid);
    refusal.errors = wrong;
    Err(refusal.into())
}

fn checked(
    tx: &mut Tx<'_>,
    desk: &Desk,
    record: &Record,
    (from, until): (Instant, Instant),
) -> Result<Span> {
    let shifts = activities::shifts(tx.conn, record.activity_id)?;
    let shift = shifts.into_iter().find(|shift| shift.id == record.shift_id);
    let shift = shift.ok_or(Code::NotFound)?;
    let span = Span { from, until };
    let of_shift = Span {
        from: shift.starts_at,
        until: shift.ends_at,
    };
    let names = ["/starts_at", "/ends_at"];
    refuse(rules::check_span(
        span,
        of_shift,
        &desk.rules,
        tx.now,
        names,
    ))?;
    Ok(span)
}

/// Gives a record another time. What stands in the ledger is taken back by counter-entries and entered anew.
fn retimed(
    tx: &mut Tx<'_>,
    desk: &Desk,
    caller: &Caller,
    record: &Record,
    span: Span,
    reason: Option<&str>,
) -> Result<Record> {
    let by = Some(caller.account);
    let was_credited = record.is_credited;
    let timed = Record {
        starts_at: Some(span.from),
        ends_at: Some(span.until),
        is_by_hand: true,
        ..take_back(tx, desk, record, by, reason)?
    };
    if was_credited || record.status != RecordStatus::Proposed {
        return credit(tx, desk, &timed, by, reason);
    }
    let (days, cut) = weighed(tx, desk, record.account_id, span)?;
    Ok(Record {
        minutes: days.iter().map(|(_, minutes)| minutes).sum(),
        capped_minutes: cut,
        ..timed
    })
}

/// Sets the time of a record by hand; one that is confirmed stays so.
///
/// # Errors
/// `own_hours`, `outside_shift`, `daily_cap`, `time_conflict`, `move_not_allowed`.
pub fn correct(
    tx: &mut Tx<'_>,
    desk: &Desk,
    caller: &Caller,
    id: RecordId,
    to: &Corrected,
) -> Result<Record> {
    let (record, _, _) = to_move(tx, desk, caller, id, "correct")?;
    let span = checked(tx, desk, &record, (to.starts_at, to.ends_at))?;
    let reason = Some(to.reason.as_str());
    if super::span_of(&record) == Some(span) && record.reason.as_deref() == reason {
        return Ok(record);
    }
    let wanted = retimed(tx, desk, caller, &record, span, reason)?;
    let moved = advance(tx, &wanted, "correct", caller.actor(), reason)?;
    tell_person(tx, &moved, Kind::HoursCorrected, reason)?;
    Ok(moved)
}

/// Says that a record is wrong, and what it was.
///
/// # Errors
/// `forbidden`, `outside_shift`, `move_not_allowed`.
pub fn dispute(
    tx: &mut Tx<'_>,
    desk: &Desk,
    caller: &Caller,
    id: RecordId,
    said: &Dispute,
) -> Result<Record> {
    let (record, _, is_repeat) = to_move(tx, desk, caller, id, "dispute")?;
    if is_repeat {
        return Ok(record);
    }
    let span = checked(tx, desk, &record, (said.starts_at, said.ends_at))?;
    let wanted = Record {
        claimed_from: Some(span.from),
        claimed_until: Some(span.until),
        disputed_at: Some(tx.now),
        ..record
    };
    let reason = said.reason.as_str();
    let moved = advance(tx, &wanted, "dispute", caller.actor(), Some(reason))?;
    let to = recorders(tx.conn, &moved)?;
    tell(tx, &moved, &to, Kind::HoursDisputed, &[("reason", reason)])?;
    Ok(moved)
}

/// The person is right: the record gets the time that they named.
///
/// # Errors
/// `own_hours`, `daily_cap`, `time_conflict`, `move_not_allowed`.
pub fn agree(
    tx: &mut Tx<'_>,
    desk: &Desk,
    caller: &Caller,
    id: RecordId,
    reason: &str,
) -> Result<Record> {
    as_claimed(tx, desk, caller, id, "agree", reason)
}

/// The record stays as it is; what was not confirmed yet is.
///
/// # Errors
/// `own_hours`, `daily_cap`, `time_conflict`, `move_not_allowed`.
pub fn keep(
    tx: &mut Tx<'_>,
    desk: &Desk,
    caller: &Caller,
    id: RecordId,
    reason: &str,
) -> Result<Record> {
    as_it_was(tx, desk, caller, id, "keep", reason)
}

/// Takes a dispute that was answered to the region's staff.
///
/// # Errors
/// `forbidden`, `move_not_allowed`.
pub fn appeal(
    tx: &mut Tx<'_>,
    desk: &Desk,
    caller: &Caller,
    id: RecordId,
    reason: &str,
) -> Result<Record> {
    let (record, _, is_repeat) = to_move(tx, desk, caller, id, "appeal")?;
    if is_repeat {
        return Ok(record);
    }
    let wanted = Record {
        appealed_at: Some(tx.now),
        ..record
    };
    let moved = advance(tx, &wanted, "appeal", caller.actor(), Some(reason))?;
    let staff = notifications::staff_of(tx.conn, moved.region_id)?;
    tell(
        tx,
        &moved,
        &staff,
        Kind::HoursAppealed,
        &[("reason", reason)],
    )?;
    Ok(moved)
}

/// The region's staff find that the person is right. Nobody decides after them.
///
/// # Errors
/// `own_hours`, `daily_cap`, `time_conflict`, `move_not_allowed`.
pub fn uphold(
    tx: &mut Tx<'_>,
    desk: &Desk,
    caller: &Caller,
    id: RecordId,
    reason: &str,
) -> Result<Record> {
    as_claimed(tx, desk, caller, id, "uphold", reason)
}

/// The region's staff find that the record is right. Nobody decides after them.
///
/// # Errors
/// `own_hours`, `daily_cap`, `time_conflict`, `move_not_allowed`.
pub fn dismiss(
    tx: &mut Tx<'_>,
    desk: &Desk,
    caller: &Caller,
    id: RecordId,
    reason: &str,
) -> Result<Record> {
    as_it_was(tx, desk, caller, id, "dismiss", reason)
}

fn as_claimed(
    tx: &mut Tx<'_>,
    desk: &Desk,
    caller: &Caller,
    id: RecordId,
    verb: &str,
    reason: &str,
) -> Result<Record> {
    let (record, relation, is_repeat) = to_move(tx, desk, caller, id, verb)?;
    if is_repeat {
        return Ok(record);
    }
    let claimed = record.claimed_from.zip(record.claimed_until);
    let (from, until) = claimed.ok_or(Code::HoursUnknown)?;
    let span = Span { from, until };
    let wanted = Record {
        claimed_from: None,
        claimed_until: None,
        confirmed_by: Some(confirmer(relation)),
        ..retimed(tx, desk, caller, &record, span, Some(reason))?
    };
    let moved = advance(tx, &wanted, verb, caller.actor(), Some(reason))?;
    tell_person(tx, &moved, Kind::HoursAnswered, Some(reason))?;
    Ok(moved)
}

fn as_it_was(
    tx: &mut Tx<'_>,
    desk: &Desk,
    caller: &Caller,
    id: RecordId,
    verb: &str,
    reason: &str,
) -> Result<Record> {
    let (record, relation, is_repeat) = to_move(tx, desk, caller, id, verb)?;
    if is_repeat {
        return Ok(record);
    }
    let wanted = match record.is_credited {
        true => record,
        false => Record {
            confirmed_by: Some(confirmer(relation)),
            ..credit(tx, desk, &record, Some(caller.account), Some(reason))?
        },
    };
    let moved = advance(tx, &wanted, verb, caller.actor(), Some(reason))?;
    tell_person(tx, &moved, Kind::HoursAnswered, Some(reason))?;
    Ok(moved)
}

/// Says that nothing of a record counts. What stands in the ledger is taken back.
///
/// # Errors
/// `own_hours`, `forbidden`, `move_not_allowed`.
pub fn void(
    tx: &mut Tx<'_>,
    desk: &Desk,
    caller: &Caller,
    id: RecordId,
    reason: &str,
) -> Result<Record> {
    let (record, _, is_repeat) = to_move(tx, desk, caller, id, "void")?;
    if is_repeat {
        return Ok(record);
    }
    let wanted = Record {
        minutes: 0,
        capped_minutes: 0,
        ..take_back(tx, desk, &record, Some(caller.account), Some(reason))?
    };
    let moved = advance(tx, &wanted, "void", caller.actor(), Some(reason))?;
    tell_person(tx, &moved, Kind::HoursVoid, Some(reason))?;
    Ok(moved)
}
