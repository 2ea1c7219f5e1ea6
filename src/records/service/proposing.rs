//! Records come of attendance, once its activity is over: a reaction to the journal, and a job for all of an activity.

use serde::{Deserialize, Serialize};

use super::super::model::{Record, RecordId, RecordStatus, Track};
use super::super::rules::{self, Span};
use super::super::store;
use super::{Desk, advance, change, recorders, tell, weighed};
use crate::activities::attendance::{self, Attendance, AttendanceId, AttendanceStatus};
use crate::activities::{self, Activity, ActivityId, ActivityStatus};
use crate::error::{Code, Error, Result};
use crate::notifications::{Kind, Notice, notify};
use crate::platform::db::{Db, Tx};
use crate::platform::jobs::Job;
use crate::platform::journal::{Actor, Entry};
use crate::projects;

/// The attendance of an activity that is over becomes records.
const PROPOSE: &str = "records.propose";

/// The kinds of jobs that this room performs.
pub const JOBS: &[&str] = &[PROPOSE];

#[derive(Serialize, Deserialize)]
struct Of {
    id: ActivityId,
}

/// A reaction: when an activity is over its attendance becomes records, and so does what is said of it afterwards.
///
/// # Errors
/// Those of the database.
pub fn react(tx: &mut Tx<'_>, desk: &Desk, entry: &Entry) -> Result<()> {
    match entry.kind.as_str() {
        "activity.finish" | "activity.cancel" => {
            let id = ActivityId(entry.subject_id.0);
            tx.enqueue(PROPOSE, &Of { id }, tx.now).map(drop)
        }
        kind if kind.starts_with("attendance.") => {
            match propose(tx, desk, AttendanceId(entry.subject_id.0)) {
                Err(Error::Problem(problem)) if problem.code == Code::NotFound => Ok(()),
                done => done.map(drop),
            }
        }
        _ => Ok(()),
    }
}

/// Performs one of the room's [`JOBS`]. Done twice, it is done once.
///
/// # Errors
/// Those of the database, and of a payload that does not fit.
pub async fn perform(db: &Db, desk: &Desk, job: &Job) -> Result<()> {
    let of = job.payload::<Of>()?.id;
    let there = db
        .read(move |conn| attendance::of_activity(conn, of))
        .await?;
    let mut last = None;
    for one in there {
        let desk = desk.clone();
        let made = db.write(move |tx| propose(tx, &desk, one.id)).await?;
        last = made.or(last);
    }
    let Some(record) = last else { return Ok(()) };
    db.write(move |tx| {
        let title = activities::activity(tx.conn, of)?.title;
        for to in recorders(tx.conn, &record)? {
            notify(
                tx,
                &Notice::titled(to, Kind::HoursToConfirm, ("activity", of.0), &title),
            )?;
        }
        Ok(())
    })
    .await
}

/// Makes the record of an attendance, or gives the one that nobody has touched its time anew; returns one that was
/// made.
fn propose(tx: &mut Tx<'_>, desk: &Desk, of: AttendanceId) -> Result<Option<Record>> {
    let seen = attendance::attendance(tx.conn, of)?;
    let activity = activities::activity(tx.conn, seen.activity_id)?;
    if !is_over(&activity) {
        return Ok(None);
    }
    super::serialize(tx, seen.account_id)?;
    let seen = attendance::attendance(tx.conn, of)?;
    let shifts = activities::shifts(tx.conn, activity.id)?;
    let shift = shifts.into_iter().find(|shift| shift.id == seen.shift_id);
    let shift = shift.ok_or(Code::NotFound)?;
    let shift = Span {
        from: shift.starts_at,
        until: shift.ends_at,
    };
    let found = match (seen.status, seen.checked_in_at.zip(seen.checked_out_at)) {
        (AttendanceStatus::CheckedOut, Some((came, went))) => {
            Found::of(rules::shared(came, went, shift))
        }
        (AttendanceStatus::CheckedIn, _) => Found::Open,
        _ => Found::Nothing,
    };
    match store::of_attendance(tx.conn, of)? {
        Some(record) if record.status != RecordStatus::Proposed || record.is_by_hand => Ok(None),
        Some(record) => renew(tx, desk, record, found).map(|()| None),
        None if was_there(&seen) => make(tx, desk, &activity, &seen, found).map(Some),
        None => Ok(None),
    }
}

/// What an attendance comes to.
enum Found {
    /// A time of service.
    Time(Span),
    /// Nobody knows when the person went.
    Open,
    /// Less than a minute of the shift, or the person was not there.
    Nothing,
}

impl Found {
    fn of(span: Option<Span>) -> Self {
        span.map_or(Self::Nothing, Self::Time)
    }
}

fn was_there(seen: &Attendance) -> bool {
    matches!(
        seen.status,
        AttendanceStatus::CheckedIn | AttendanceStatus::CheckedOut
    )
}

/// One that was broken off counts as far as it went.
fn is_over(activity: &Activity) -> bool {
    match activity.status {
        ActivityStatus::Finished | ActivityStatus::Settled => true,
        ActivityStatus::Cancelled => activity.began_at.is_some(),
        _ => false,
    }
}

fn make(
    tx: &mut Tx<'_>,
    desk: &Desk,
    activity: &Activity,
    seen: &Attendance,
    found: Found,
) -> Result<Record> {
    // where a person claimed the project, who published it records
    let organization_id = match (activity.organization_id, activity.project_id) {
        (None, Some(project)) => projects::project(tx.conn, project)?.organization_id,
        (organization, _) => organization,
    };
    let bare = Record {
        id: RecordId::new(),
        attendance_id: seen.id,
        account_id: seen.account_id,
        activity_id: activity.id,
        shift_id: seen.shift_id,
        organization_id,
        project_id: activity.project_id,
        region_id: activity.region_id,
        track: Track::Voluntary,
        status: RecordStatus::Proposed,
        status_since: tx.now,
        starts_at: None,
        ends_at: None,
        minutes: 0,
        capped_minutes: 0,
        is_credited: false,
        confirmed_by: None,
        is_by_hand: false,
        claimed_from: None,
        claimed_until: None,
        disputed_at: None,
        appealed_at: None,
        reason: None,
        reminded: 0,
        version: 1,
        created_at: tx.now,
    };
    let record = timed(tx, desk, bare, &found)?;
    store::insert(tx.conn, &record)?;
    tx.journal(change(&record, Actor::System, "propose"))?;
    match found {
        Found::Nothing => advance(tx, &record, "void", Actor::System, None),
        Found::Time(_) | Found::Open => Ok(record),
    }
}

fn timed(tx: &mut Tx<'_>, desk: &Desk, record: Record, found: &Found) -> Result<Record> {
    let Found::Time(span) = *found else {
        return Ok(Record {
            starts_at: None,
            ends_at: None,
            minutes: 0,
            capped_minutes: 0,
            ..record
        });
    };
    let (days, cut) = weighed(tx, desk, record.account_id, span)?;
    Ok(Record {
        starts_at: Some(span.from),
        ends_at: Some(span.until),
        minutes: days.iter().map(|(_, minutes)| minutes).sum(),
        capped_minutes: cut,
        ..record
    })
}

fn renew(tx: &mut Tx<'_>, desk: &Desk, record: Record, found: Found) -> Result<()> {
    let before = (record.starts_at, record.ends_at);
    let wanted = timed(tx, desk, record, &found)?;
    if matches!(found, Found::Nothing) {
        let gone = advance(tx, &wanted, "void", Actor::System, None)?;
        return tell(tx, &gone, &[gone.account_id], Kind::HoursVoided, &[]);
    }
    if (wanted.starts_at, wanted.ends_at) == before {
        return Ok(());
    }
    if !store::save(tx, &wanted)? {
        return Err(Error::internal("a record was changed beside its lock"));
    }
    tx.journal(change(&wanted, Actor::System, "propose"))
}
