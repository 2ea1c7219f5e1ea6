//! The SQL of service records and their ledger.

use std::collections::HashMap;

use chrono::NaiveDate;
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::result::{DatabaseErrorKind, Error as QueryError};
use diesel::sql_types::BigInt;

use super::model::{Entry, EntryId, EntryKind, Record, RecordId, RecordStatus, Scope, Track};
use super::rules;
use crate::activities::ActivityId;
use crate::activities::attendance::AttendanceId;
use crate::error::{Code, Error, Result};
use crate::identity::AccountId;
use crate::organizations::OrganizationId;
use crate::platform::clock::Instant;
use crate::platform::columns::Uid;
use crate::platform::db::{Conn, Tx};
use crate::regions;
use crate::schema::{hour_entries, hour_sums, service_days, service_records};

/// What both databases call the guard against counting somebody's time twice.
const OVERLAP: &str = "service_records_overlap";

/// Whether the database refused to count somebody's time twice: PostgreSQL names the constraint, SQLite's trigger
/// says its name.
fn is_overlap(error: &Error) -> bool {
    match error {
        Error::Database(QueryError::DatabaseError(DatabaseErrorKind::ExclusionViolation, info)) => {
            info.constraint_name() == Some(OVERLAP)
        }
        Error::Database(QueryError::DatabaseError(_, info)) => info.message() == OVERLAP,
        _ => false,
    }
}

// ---- records

/// A service record.
///
/// # Errors
/// `not_found`.
pub fn record(conn: &mut Conn, id: RecordId) -> Result<Record> {
    service_records::table
        .find(id)
        .select(Record::as_select())
        .first(conn)
        .optional()?
        .ok_or_else(|| Code::NotFound.into())
}

/// What an attendance came to.
pub fn of_attendance(conn: &mut Conn, id: AttendanceId) -> Result<Option<Record>> {
    Ok(service_records::table
        .filter(service_records::attendance_id.eq(id))
        .select(Record::as_select())
        .first(conn)
        .optional()?)
}

pub fn insert(conn: &mut Conn, record: &Record) -> Result<()> {
    diesel::insert_into(service_records::table)
        .values(record)
        .execute(conn)?;
    Ok(())
}

/// Writes a record of the version that was read; false when somebody else was faster.
///
/// # Errors
/// `time_conflict`.
pub fn save(tx: &mut Tx<'_>, changed: &Record) -> Result<bool> {
    let next = Record {
        version: changed.version + 1,
        ..changed.clone()
    };
    let same = service_records::table
        .filter(service_records::id.eq(changed.id))
        .filter(service_records::version.eq(changed.version));
    let update = diesel::update(same).set(next);
    let saved = tx.savepoint(|tx| Ok(update.execute(tx.conn)?));
    match saved {
        Err(error) if is_overlap(&error) => Err(Code::TimeConflict.into()),
        saved => Ok(saved? > 0),
    }
}

/// Whose records, or of which activity.
#[derive(Clone, Copy, Debug)]
pub enum Of {
    /// A person's.
    Account(AccountId),
    /// An activity's.
    Activity(ActivityId),
}

/// Records, the newest first.
pub fn list(
    conn: &mut Conn,
    of: Of,
    status: Option<RecordStatus>,
    before: Option<RecordId>,
    limit: i64,
) -> Result<Vec<Record>> {
    let mut query = service_records::table
        .select(Record::as_select())
        .order(service_records::id.desc())
        .limit(limit + 1)
        .into_boxed();
    query = match of {
        Of::Account(id) => query.filter(service_records::account_id.eq(id)),
        Of::Activity(id) => query.filter(service_records::activity_id.eq(id)),
    };
    if let Some(status) = status {
        query = query.filter(service_records::status.eq(status));
    }
    if let Some(before) = before {
        query = query.filter(service_records::id.lt(before));
    }
    Ok(query.load(conn)?)
}

/// Activities with unconfirmed records made before an instant of which fewer reminders were sent.
pub fn unconfirmed(
    conn: &mut Conn,
    before: Instant,
    reminded: i32,
    limit: i64,
) -> Result<Vec<ActivityId>> {
    Ok(service_records::table
        .filter(service_records::status.eq(RecordStatus::Proposed))
        .filter(service_records::reminded.lt(reminded))
        .filter(service_records::created_at.le(before))
        .select(service_records::activity_id)
        .distinct()
        .limit(limit)
        .load(conn)?)
}

/// Notes that a reminder of an activity's unconfirmed records was sent. No version is counted: nothing changed.
pub fn remind(conn: &mut Conn, of: ActivityId, before: Instant, reminded: i32) -> Result<()> {
    let waiting = service_records::table
        .filter(service_records::activity_id.eq(of))
        .filter(service_records::status.eq(RecordStatus::Proposed))
        .filter(service_records::reminded.lt(reminded))
        .filter(service_records::created_at.le(before));
    diesel::update(waiting)
        .set(service_records::reminded.eq(reminded))
        .execute(conn)?;
    Ok(())
}

/// Notes how far the reminders of one record are.
pub fn remind_one(conn: &mut Conn, id: RecordId, reminded: i32) -> Result<()> {
    diesel::update(service_records::table.find(id))
        .set(service_records::reminded.eq(reminded))
        .execute(conn)?;
    Ok(())
}

/// Records made before an instant that the clock confirms.
pub fn to_confirm(
    conn: &mut Conn,
    before: Instant,
    reminded: i32,
    limit: i64,
) -> Result<Vec<RecordId>> {
    Ok(service_records::table
        .filter(service_records::status.eq(RecordStatus::Proposed))
        .filter(service_records::reminded.lt(reminded))
        .filter(service_records::created_at.le(before))
        .order(service_records::created_at)
        .select(service_records::id)
        .limit(limit)
        .load(conn)?)
}

/// Records that nobody has answered about since an instant.
pub fn unanswered(conn: &mut Conn, since: Instant, limit: i64) -> Result<Vec<RecordId>> {
    Ok(service_records::table
        .filter(service_records::status.eq(RecordStatus::Disputed))
        .filter(service_records::status_since.le(since))
        .order(service_records::status_since)
        .select(service_records::id)
        .limit(limit)
        .load(conn)?)
}

// ---- the ledger

/// The entries of some records, the oldest first.
pub fn entries(conn: &mut Conn, of: &[RecordId]) -> Result<HashMap<RecordId, Vec<Entry>>> {
    let rows: Vec<Entry> = hour_entries::table
        .filter(hour_entries::record_id.eq_any(of.to_vec()))
        .order(hour_entries::id)
        .select(Entry::as_select())
        .load(conn)?;
    let mut by_record: HashMap<_, Vec<_>> = HashMap::new();
    for row in rows {
        by_record.entry(row.record_id).or_default().push(row);
    }
    Ok(by_record)
}

/// The entries of a record that count: credits that nothing has taken back.
pub fn live(conn: &mut Conn, of: RecordId) -> Result<Vec<Entry>> {
    let rows = hour_entries::table
        .filter(hour_entries::record_id.eq(of))
        .order(hour_entries::id)
        .select(Entry::as_select());
    Ok(rules::live(rows.load(conn)?))
}

/// The entries of a person that count, for an organisation and days on the wall, the last included: what can be
/// certified.
///
/// # Errors
/// Those of the database.
pub fn live_credits(
    conn: &mut Conn,
    who: AccountId,
    organization: OrganizationId,
    (from, to): (NaiveDate, NaiveDate),
) -> Result<Vec<Entry>> {
    // an entry and what takes it back are of the same day
    let rows = hour_entries::table
        .inner_join(service_records::table)
        .filter(hour_entries::account_id.eq(who))
        .filter(hour_entries::day.between(from, to))
        .filter(service_records::organization_id.eq(organization))
        .order((hour_entries::day, hour_entries::id))
        .select(Entry::as_select());
    Ok(rules::live(rows.load(conn)?))
}

/// Minutes that a person has credited for some days.
pub fn taken(
    conn: &mut Conn,
    who: AccountId,
    days: &[NaiveDate],
) -> Result<HashMap<NaiveDate, i32>> {
    let rows: Vec<(NaiveDate, i32)> = service_days::table
        .filter(service_days::account_id.eq(who))
        .filter(service_days::day.eq_any(days.to_vec()))
        .select((service_days::day, service_days::minutes))
        .load(conn)?;
    Ok(rows.into_iter().collect())
}

/// Enters a row into the ledger, and into every sum that it is a part of.
///
/// # Errors
/// `daily_cap` where it would pass the cap.
pub fn enter(tx: &mut Tx<'_>, record: &Record, entry: &Entry, cap: i32) -> Result<()> {
    count_day(tx, entry, cap)?;
    diesel::insert_into(hour_entries::table)
        .values(entry)
        .execute(tx.conn)?;
    let scopes = [
        Some((Scope::Account, record.account_id.0)),
        record.organization_id.map(|id| (Scope::Organization, id.0)),
        record.project_id.map(|id| (Scope::Project, id.0)),
        Some((Scope::Region, record.region_id.0)),
    ];
    for (scope, id) in scopes.into_iter().flatten() {
        add(tx, (scope, Uid(id)), record.track, entry)?;
    }
    Ok(())
}

/// Counts a person's day up or down, by compare-and-set against the cap.
fn count_day(tx: &mut Tx<'_>, entry: &Entry, cap: i32) -> Result<()> {
    let day = service_days::table.find((entry.account_id, entry.day));
    // what was counted under a higher cap is still taken back
    let most = if entry.minutes > 0 {
        cap - entry.minutes
    } else {
        i32::MAX
    };
    for _ in 0..2 {
        let free = day.filter(service_days::minutes.le(most));
        let counted = diesel::update(free)
            .set(service_days::minutes.eq(service_days::minutes + entry.minutes))
            .execute(tx.conn)?;
        if counted > 0 {
            return Ok(());
        }
        let first = (
            service_days::account_id.eq(entry.account_id),
            service_days::day.eq(entry.day),
            service_days::minutes.eq(0),
        );
        let made = tx.savepoint(|tx| {
            Ok(diesel::insert_into(service_days::table)
                .values(first)
                .execute(tx.conn)?)
        });
        match made {
            // it is there: somebody else made it, or the cap is reached
            Err(error) if error.is_unique_violation() => {}
            made => drop(made?),
        }
    }
    Err(Code::DailyCap.into())
}

fn add(tx: &mut Tx<'_>, (scope, id): (Scope, Uid), track: Track, entry: &Entry) -> Result<()> {
    let sum = hour_sums::table.find((scope, id, track, entry.day));
    let more = hour_sums::minutes + entry.minutes;
    let add = diesel::update(sum).set(hour_sums::minutes.eq(more));
    if add.execute(tx.conn)? > 0 {
        return Ok(());
    }
    let first = (
        hour_sums::scope.eq(scope),
        hour_sums::scope_id.eq(id),
        hour_sums::track.eq(track),
        hour_sums::day.eq(entry.day),
        hour_sums::minutes.eq(entry.minutes),
    );
    let made = tx.savepoint(|tx| {
        Ok(diesel::insert_into(hour_sums::table)
            .values(first)
            .execute(tx.conn)?)
    });
    match made {
        // somebody else made it meanwhile
        Err(error) if error.is_unique_violation() => {
            let more = hour_sums::minutes + entry.minutes;
            diesel::update(hour_sums::table.find((scope, id, track, entry.day)))
                .set(hour_sums::minutes.eq(more))
                .execute(tx.conn)?;
            Ok(())
        }
        made => made.map(drop),
    }
}

/// A sum of minutes that is the same number on both databases.
const TOTAL: &str = "CAST(SUM(hour_sums.minutes) AS BIGINT)";

/// Minutes that count, of a person, an organisation, a project, or a region and all below it, on days on the wall,
/// the last included, by track.
///
/// # Errors
/// Those of the database.
pub fn sum(
    conn: &mut Conn,
    (scope, id): (Scope, uuid::Uuid),
    (from, to): (NaiveDate, NaiveDate),
) -> Result<HashMap<Track, i64>> {
    let rows = hour_sums::table
        .filter(hour_sums::scope.eq(scope))
        .filter(hour_sums::day.between(from, to))
        .group_by(hour_sums::track)
        .select((hour_sums::track, sql::<BigInt>(TOTAL)));
    let rows: Vec<(Track, i64)> = match scope {
        Scope::Region => {
            let ids = regions::within(regions::RegionId(id));
            rows.filter(hour_sums::scope_id.eq_any(ids)).load(conn)?
        }
        _ => rows.filter(hour_sums::scope_id.eq(Uid(id))).load(conn)?,
    };
    Ok(rows.into_iter().collect())
}

/// The entry that takes another back.
pub fn counter_of(
    entry: &Entry,
    by: Option<AccountId>,
    reason: Option<&str>,
    at: Instant,
) -> Entry {
    Entry {
        id: EntryId::new(),
        kind: EntryKind::Counter,
        minutes: -entry.minutes,
        counters_id: Some(entry.id),
        made_by: by,
        reason: reason.map(str::to_owned),
        made_at: at,
        ..entry.clone()
    }
}
