//! What can be done with service records.
//!
//! What changes a person's hours waits for each other, over all organisations; several people are taken in the order
//! of their ids.

mod clock;
mod moves;
mod proposing;

use chrono::NaiveDate;

use super::model::{ConfirmedBy, Entry, EntryId, EntryKind, Record, RecordId};
use super::rules::{self, MOVES, RecordRules, Relation, Span};
use super::store;
use crate::activities;
use crate::error::{Code, Error, Problem, Result};
use crate::identity::{AccountId, Caller, Role};
use crate::notifications::{self, Kind, Notice, notify};
use crate::organizations;
use crate::platform::db::{Conn, Tx};
use crate::platform::journal::{Actor, Change};
use crate::platform::lifecycle;

pub use clock::sweep;
pub use moves::{
    Corrected, Dispute, agree, appeal, confirm, confirm_many, correct, dismiss, dispute, keep,
    uphold, void,
};
pub use proposing::{JOBS, perform, react};

/// What every write of this room needs beside its transaction.
#[derive(Clone)]
pub struct Desk {
    /// The room's numbers.
    pub rules: RecordRules,
    /// Minutes that count of a person's day on the wall, over all organisations.
    pub daily_minutes: i32,
}

/// How a caller stands to a record.
///
/// # Errors
/// Those of the database.
pub fn relation(conn: &mut Conn, caller: &Caller, record: &Record) -> Result<Relation> {
    let runs = |id: organizations::OrganizationId| caller.holds(Role::OrganizationManager, id.0);
    Ok(Relation {
        person: record.account_id == caller.account,
        recorder: record.organization_id.is_some_and(runs),
        staff: caller.holds_in_region(conn, &[Role::RegionAdmin], record.region_id)?,
        staff_record: record.organization_id.is_none(),
    })
}

/// A record and how the caller stands to it, for those who have to do with it.
///
/// # Errors
/// `not_found`.
pub fn visible(conn: &mut Conn, caller: &Caller, id: RecordId) -> Result<(Record, Relation)> {
    let record = store::record(conn, id)?;
    let relation = relation(conn, caller, &record)?;
    if relation.may_see() {
        Ok((record, relation))
    } else {
        Err(Code::NotFound.into())
    }
}

/// Whatever changes a person's hours waits here for each other.
fn serialize(tx: &mut Tx<'_>, who: AccountId) -> Result<()> {
    tx.serialize_on(&format!("hours of:{who}"))
}

/// A record for a caller whose move it is, once nobody else is about to change it; true where the very move has
/// brought it here.
fn to_move(
    tx: &mut Tx<'_>,
    desk: &Desk,
    caller: &Caller,
    id: RecordId,
    verb: &str,
) -> Result<(Record, Relation, bool)> {
    let (seen, _) = visible(tx.conn, caller, id)?;
    serialize(tx, seen.account_id)?;
    let (record, relation) = visible(tx.conn, caller, id)?;
    lifecycle::may(MOVES, relation, verb)?;
    let subject = ("service_record", record.id.0);
    if lifecycle::is_repeat(tx.conn, MOVES, subject, record.status, verb, caller.actor())? {
        return Ok((record, relation, true));
    }
    let is_open = lifecycle::next(MOVES, record.status, verb).is_some();
    if !is_open || !rules::is_open(&record, &desk.rules, tx.now, verb) {
        let moves = rules::moves(&record, relation, &desk.rules, tx.now);
        return Err(Problem::refused_move(record.status.into(), moves).into());
    }
    Ok((record, relation, false))
}

fn change(record: &Record, by: Actor, verb: &str) -> Change {
    Change::new(by, format!("service_record.{verb}"), record.id.0)
        .region(record.region_id.0)
        .payload(
            serde_json::json!({ "activity_id": record.activity_id, "minutes": record.minutes }),
        )
}

/// Makes one move: by the table, by compare-and-set, into the journal. What else changed in `wanted` is written
/// with it.
///
/// # Errors
/// `time_conflict`; `move_not_allowed` where somebody was faster.
fn advance(
    tx: &mut Tx<'_>,
    wanted: &Record,
    verb: &str,
    by: Actor,
    reason: Option<&str>,
) -> Result<Record> {
    let from = wanted.status;
    let refused = || Error::from(Problem::refused_move(from.into(), Vec::new()));
    let to = lifecycle::next(MOVES, from, verb).ok_or_else(refused)?;
    let moved = Record {
        status: to,
        // correcting what is confirmed does not open the time to dispute it again
        status_since: if to == from {
            wanted.status_since
        } else {
            tx.now
        },
        reason: reason.map(str::to_owned),
        ..wanted.clone()
    };
    if !store::save(tx, &moved)? {
        return Err(refused());
    }
    tx.journal(
        change(&moved, by, verb)
            .states(from.into(), to.into())
            .reason(reason),
    )?;
    store::record(tx.conn, wanted.id)
}

fn span_of(record: &Record) -> Option<Span> {
    let (from, until) = record.starts_at.zip(record.ends_at)?;
    Some(Span { from, until })
}

/// What a time of service comes to under the cap, as things stand: minutes by day, and what is cut away.
fn weighed(
    tx: &mut Tx<'_>,
    desk: &Desk,
    who: AccountId,
    span: Span,
) -> Result<(Vec<(NaiveDate, i32)>, i32)> {
    let days = rules::by_day(span, tx.zone);
    let dates: Vec<_> = days.iter().map(|(day, _)| *day).collect();
    let taken = store::taken(tx.conn, who, &dates)?;
    let taken = |day: NaiveDate| taken.get(&day).copied().unwrap_or_default();
    Ok(rules::under_cap(&days, taken, desk.daily_minutes))
}

/// Enters a record's time into the ledger, as far as the cap lets it.
///
/// # Errors
/// `hours_unknown`, `daily_cap`.
fn credit(
    tx: &mut Tx<'_>,
    desk: &Desk,
    record: &Record,
    by: Option<AccountId>,
    reason: Option<&str>,
) -> Result<Record> {
    let span = span_of(record).ok_or(Code::HoursUnknown)?;
    let (days, cut) = weighed(tx, desk, record.account_id, span)?;
    if days.is_empty() {
        return Err(Code::DailyCap.into());
    }
    for (day, minutes) in &days {
        let entry = Entry {
            id: EntryId::new(),
            record_id: record.id,
            account_id: record.account_id,
            day: *day,
            kind: EntryKind::Credit,
            minutes: *minutes,
            counters_id: None,
            made_by: by,
            reason: reason.map(str::to_owned),
            made_at: tx.now,
        };
        store::enter(tx, record, &entry, desk.daily_minutes)?;
    }
    Ok(Record {
        minutes: days.iter().map(|(_, minutes)| minutes).sum(),
        capped_minutes: cut,
        is_credited: true,
        ..record.clone()
    })
}

/// Takes back what stands in the ledger of a record.
fn take_back(
    tx: &mut Tx<'_>,
    desk: &Desk,
    record: &Record,
    by: Option<AccountId>,
    reason: Option<&str>,
) -> Result<Record> {
    for entry in store::live(tx.conn, record.id)? {
        let counter = store::counter_of(&entry, by, reason, tx.now);
        store::enter(tx, record, &counter, desk.daily_minutes)?;
    }
    Ok(Record {
        is_credited: false,
        ..record.clone()
    })
}

fn confirmer(relation: Relation) -> ConfirmedBy {
    match relation.recorder {
        true => ConfirmedBy::Organizer,
        false => ConfirmedBy::Staff,
    }
}

/// Those who record: an organisation's managers, or the region's staff.
fn recorders(conn: &mut Conn, record: &Record) -> Result<Vec<AccountId>> {
    match record.organization_id {
        Some(organization) => organizations::managers(conn, organization),
        None => notifications::staff_of(conn, record.region_id),
    }
}

/// Tells people about a record, but for whom it is about where they are told as others.
fn tell(
    tx: &mut Tx<'_>,
    record: &Record,
    to: &[AccountId],
    kind: Kind,
    params: &[(&'static str, &str)],
) -> Result<()> {
    let title = activities::activity(tx.conn, record.activity_id)?.title;
    for to in to {
        let notice = Notice::titled(*to, kind, ("service_record", record.id.0), &title);
        notify(tx, &notice.with_all(params))?;
    }
    Ok(())
}

/// Tells the person what their hours came to.
fn tell_person(tx: &mut Tx<'_>, record: &Record, kind: Kind, reason: Option<&str>) -> Result<()> {
    let hours = format!("{:.1}", rules::hours(record.minutes.into()));
    let params = [
        ("hours", hours.as_str()),
        ("reason", reason.unwrap_or_default()),
    ];
    tell(tx, record, &[record.account_id], kind, &params)
}
