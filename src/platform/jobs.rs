//! The outbox: effects outside the database (mail, SMS) are rows written in the transaction that
//! wants them, and performed later.
//!
//! ```text
//! queued ──take──▶ running ──▶ done
//!   ▲                 │  └────▶ dead      after the last try, or when trying again is useless
//!   ├── retry, later ─┘          │
//!   └───── an operator ──────────┘
//! ```
//! A worker that dies leaves its job `running` with a lease; after the lease it is taken again.

use std::collections::HashSet;

use chrono::TimeDelta;
use diesel::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::clock::Instant;
use super::columns::Json;
use super::db::{Conn, Tx};
use crate::error::{Error, Result};
use crate::schema::jobs;
use crate::{id, text_enum};

id! {
    /// Names a job.
    JobId
}

text_enum! {
    /// Where a job stands.
    JobStatus { Queued, Running, Done, Dead }
}

/// Tries before a job is given up.
pub const MAX_ATTEMPTS: i32 = 8;

/// How long a worker may be at a job before another takes it.
const LEASE: TimeDelta = TimeDelta::minutes(5);

/// An effect to be performed.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = jobs)]
pub struct Job {
    /// Its name; the effect uses it to be performed once (a mail's Message-ID).
    pub id: JobId,
    /// What to do.
    pub kind: String,
    /// What with. May hold an address or a code: emptied once done, and gone with a dead job.
    pub payload: Json<Value>,
    /// Where it stands.
    pub status: JobStatus,
    /// Not before.
    pub run_at: Instant,
    /// Tries so far.
    pub attempts: i32,
    /// While running: until when.
    pub leased_until: Option<Instant>,
    /// Why the last try failed.
    pub last_error: Option<String>,
    /// When it was asked for.
    pub created_at: Instant,
}

impl Job {
    /// The payload as the type it was written from.
    ///
    /// # Errors
    /// When it does not fit.
    pub fn payload<T: DeserializeOwned>(&self) -> Result<T> {
        serde_json::from_value(self.payload.0.clone()).map_err(Error::internal)
    }
}

impl Tx<'_> {
    /// Puts an effect into the outbox, to be performed not before `run_at`.
    ///
    /// # Errors
    /// Those of the database.
    pub fn enqueue(
        &mut self,
        kind: &str,
        payload: &impl Serialize,
        run_at: Instant,
    ) -> Result<JobId> {
        let id = JobId::new();
        self.enqueue_as(id, kind, payload, run_at)?;
        Ok(id)
    }

    /// The same under a name that is given, by which it is found again.
    ///
    /// # Errors
    /// Those of the database.
    pub fn enqueue_as(
        &mut self,
        id: JobId,
        kind: &str,
        payload: &impl Serialize,
        run_at: Instant,
    ) -> Result<()> {
        let payload = serde_json::to_value(payload).map_err(Error::internal)?;
        diesel::insert_into(jobs::table)
            .values((
                jobs::id.eq(id),
                jobs::kind.eq(kind),
                jobs::payload.eq(Json(payload)),
                jobs::status.eq(JobStatus::Queued),
                jobs::run_at.eq(run_at),
                jobs::attempts.eq(0),
                jobs::created_at.eq(self.now),
            ))
            .execute(self.conn)?;
        Ok(())
    }
}

/// Forgets a job that waits for its first try; false where there is none.
///
/// # Errors
/// Those of the database.
pub fn forget_waiting(tx: &mut Tx<'_>, id: JobId) -> Result<bool> {
    let waiting = jobs::table
        .filter(jobs::id.eq(id))
        .filter(jobs::status.eq(JobStatus::Queued))
        .filter(jobs::attempts.eq(0));
    Ok(diesel::delete(waiting).execute(tx.conn)? > 0)
}

/// Takes up to `limit` jobs of these kinds that are due: each is this worker's until its lease ends,
/// which begins now, so that a worker takes no more than it begins at once.
///
/// # Errors
/// Those of the database.
pub fn take(tx: &mut Tx<'_>, kinds: &[&str], limit: i64) -> Result<Vec<Job>> {
    let now = tx.now;
    let due: Vec<Job> = jobs::table
        .filter(jobs::kind.eq_any(kinds))
        .filter(
            jobs::status
                .eq(JobStatus::Queued)
                .and(jobs::run_at.le(now))
                .or(jobs::status
                    .eq(JobStatus::Running)
                    .and(jobs::leased_until.lt(now))),
        )
        .order((jobs::run_at, jobs::id))
        .limit(limit)
        .select(Job::as_select())
        .load(tx.conn)?;
    let mut taken = Vec::with_capacity(due.len());
    for job in due {
        let row = diesel::update(
            jobs::table
                .filter(jobs::id.eq(job.id))
                .filter(jobs::status.eq(job.status))
                .filter(jobs::attempts.eq(job.attempts)),
        )
        .set((
            jobs::status.eq(JobStatus::Running),
            jobs::attempts.eq(job.attempts + 1),
            jobs::leased_until.eq(Some(now + LEASE)),
        ))
        .returning(jobs::all_columns)
        .get_result(tx.conn)
        .optional()?;
        taken.extend(row);
    }
    Ok(taken)
}

/// How a try ended.
#[derive(Debug)]
pub enum Outcome {
    /// Performed.
    Done,
    /// Not performed; worth another try later.
    Retry(String),
    /// Not performed; another try would fail the same way.
    GiveUp(String),
}

/// Records how a try ended.
///
/// # Errors
/// Those of the database.
pub fn settle(tx: &mut Tx<'_>, job: &Job, outcome: &Outcome) -> Result<()> {
    let (status, run_at, error) = match outcome {
        Outcome::Done => (JobStatus::Done, job.run_at, None),
        Outcome::Retry(why) if job.attempts < MAX_ATTEMPTS => (
            JobStatus::Queued,
            tx.now + back_off(job.attempts),
            Some(why),
        ),
        Outcome::Retry(why) | Outcome::GiveUp(why) => (JobStatus::Dead, job.run_at, Some(why)),
    };
    let payload = match status {
        JobStatus::Queued | JobStatus::Running | JobStatus::Dead => job.payload.clone(),
        // addresses and codes are not kept longer than they are needed
        JobStatus::Done => Json(Value::Null),
    };
    let mine = jobs::table
        .filter(jobs::id.eq(job.id))
        .filter(jobs::status.eq(JobStatus::Running))
        .filter(jobs::attempts.eq(job.attempts));
    diesel::update(mine)
        .set((
            jobs::status.eq(status),
            jobs::payload.eq(payload),
            jobs::run_at.eq(run_at),
            jobs::leased_until.eq(None::<Instant>),
            jobs::last_error.eq(error),
        ))
        .execute(tx.conn)?;
    Ok(())
}

/// 15 s, 1 min, 4 min, 16 min, then an hour each.
fn back_off(attempts: i32) -> TimeDelta {
    let factor = 4_i64.pow(u32::try_from(attempts - 1).unwrap_or(0).min(4));
    TimeDelta::seconds((15 * factor).min(3600))
}

/// What waits although it is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backlog {
    /// How many jobs.
    pub count: i64,
    /// Since when the oldest of them is due.
    pub since: Option<Instant>,
}

/// The jobs that are due and taken by no worker, or by one that is gone.
///
/// # Errors
/// Those of the database.
pub fn backlog(conn: &mut Conn, now: Instant) -> Result<Backlog> {
    let due = || {
        let waiting = jobs::status.eq(JobStatus::Queued).and(jobs::run_at.le(now));
        let left = jobs::status
            .eq(JobStatus::Running)
            .and(jobs::leased_until.lt(now).assume_not_null());
        jobs::table.filter(waiting.or(left))
    };
    let oldest = due().order(jobs::run_at).select(jobs::run_at);
    Ok(Backlog {
        count: due().count().get_result(conn)?,
        since: oldest.first(conn).optional()?,
    })
}

/// How many jobs stand where, for the metrics page.
///
/// # Errors
/// Those of the database.
pub fn counts(conn: &mut Conn) -> Result<Vec<(JobStatus, i64)>> {
    Ok(jobs::table
        .group_by(jobs::status)
        .select((jobs::status, diesel::dsl::count_star()))
        .load(conn)?)
}

/// Removes jobs that were last due so long ago: done ones before `done`, dead ones before `dead`.
///
/// # Errors
/// Those of the database.
pub fn purge(tx: &mut Tx<'_>, done: Instant, dead: Instant) -> Result<()> {
    for (status, before) in [(JobStatus::Done, done), (JobStatus::Dead, dead)] {
        let old = jobs::table
            .filter(jobs::status.eq(status))
            .filter(jobs::run_at.lt(before));
        diesel::delete(old).execute(tx.conn)?;
    }
    Ok(())
}

/// Frees the jobs that a worker was at, for one that knows all others to be gone: else their leases
/// would be waited for. One that was tried as often as may be is given up; it may be what ended the
/// worker.
///
/// # Errors
/// Those of the database.
pub fn release(tx: &mut Tx<'_>) -> Result<()> {
    let held = || jobs::table.filter(jobs::status.eq(JobStatus::Running));
    diesel::update(held().filter(jobs::attempts.ge(MAX_ATTEMPTS)))
        .set((
            jobs::status.eq(JobStatus::Dead),
            jobs::leased_until.eq(None::<Instant>),
            jobs::last_error.eq("the worker ended while it was at it"),
        ))
        .execute(tx.conn)?;
    diesel::update(held())
        .set((
            jobs::status.eq(JobStatus::Queued),
            jobs::leased_until.eq(None::<Instant>),
        ))
        .execute(tx.conn)?;
    Ok(())
}

// ---- what an operator does about dead ones

/// Which of the dead jobs.
#[derive(Clone, Debug)]
pub enum Which {
    /// These, each of which is dead.
    These(Vec<JobId>),
    /// Those of a kind.
    Kind(String),
    /// All.
    All,
}

/// The dead jobs, the oldest first.
///
/// # Errors
/// Those of the database.
pub fn dead(conn: &mut Conn) -> Result<Vec<Job>> {
    Ok(jobs::table
        .filter(jobs::status.eq(JobStatus::Dead))
        .order((jobs::run_at, jobs::id))
        .select(Job::as_select())
        .load(conn)?)
}

/// Puts dead jobs into the queue again, with all tries before them; returns how many.
///
/// # Errors
/// When one of those that are named is no dead job; those of the database.
pub fn retry(tx: &mut Tx<'_>, which: &Which) -> Result<usize> {
    let ids = chosen(tx.conn, which)?;
    let now = tx.now;
    let dead = jobs::table.filter(jobs::id.eq_any(ids));
    Ok(diesel::update(dead)
        .set((
            jobs::status.eq(JobStatus::Queued),
            jobs::run_at.eq(now),
            jobs::attempts.eq(0),
        ))
        .execute(tx.conn)?)
}

/// Forgets dead jobs; returns how many.
///
/// # Errors
/// When one of those that are named is no dead job; those of the database.
pub fn drop(tx: &mut Tx<'_>, which: &Which) -> Result<usize> {
    let ids = chosen(tx.conn, which)?;
    Ok(diesel::delete(jobs::table.filter(jobs::id.eq_any(ids))).execute(tx.conn)?)
}

fn chosen(conn: &mut Conn, which: &Which) -> Result<Vec<JobId>> {
    let dead = dead(conn)?.into_iter();
    let chosen: Vec<_> = match which {
        Which::All => dead.map(|job| job.id).collect(),
        Which::Kind(kind) => {
            let of_kind = dead.filter(|job| job.kind == *kind);
            of_kind.map(|job| job.id).collect()
        }
        Which::These(ids) => {
            let known: HashSet<_> = dead.map(|job| job.id).collect();
            if let Some(other) = ids.iter().find(|id| !known.contains(id)) {
                return Err(Error::internal(format!("{other} is no dead job")));
            }
            ids.clone()
        }
    };
    Ok(chosen)
}
