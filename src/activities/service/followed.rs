//! What is done after the transaction that wants it, as jobs: one that touches everybody in an activity stays
//! small, and locks one thing at a time.

use serde::{Deserialize, Serialize};

use super::super::model::{Activity, ActivityId, ActivityStatus};
use super::super::rules::AHEAD;
use super::super::{attendance, enrolments, store};
use super::moves::call_off;
use super::{Desk, serialize};
use crate::error::{Code, Error, Result};
use crate::identity::AccountId;
use crate::platform::db::{Db, Tx};
use crate::platform::jobs::Job;
use crate::platform::journal::Actor;

/// Those who stand in an activity follow what became of it.
const FOLLOW: &str = "activity.follow";
/// An activity is cancelled whose organiser may not hold it any more.
const STOP: &str = "activity.stop";
/// The places of a person are looked at again.
const LOOK_AGAIN: &str = "enrolment.look_again";

/// The kinds of jobs that this room performs.
pub const JOBS: &[&str] = &[FOLLOW, STOP, LOOK_AGAIN, attendance::NO_SHOWS];

#[derive(Serialize, Deserialize)]
struct Of<T> {
    id: T,
}

/// Has those who stand in an activity follow what became of it.
pub(in crate::activities) fn follow_later(tx: &mut Tx<'_>, id: ActivityId) -> Result<()> {
    tx.enqueue(FOLLOW, &Of { id }, tx.now).map(drop)
}

pub(super) fn stop_later(tx: &mut Tx<'_>, id: ActivityId) -> Result<()> {
    tx.enqueue(STOP, &Of { id }, tx.now).map(drop)
}

/// Has the places of a person looked at again.
pub(in crate::activities) fn look_again_later(tx: &mut Tx<'_>, id: AccountId) -> Result<()> {
    tx.enqueue(LOOK_AGAIN, &Of { id }, tx.now).map(drop)
}

/// Performs one of the room's [`JOBS`]. What is gone needs nothing more.
///
/// # Errors
/// Those of the database, and of a payload that does not fit.
pub async fn perform(db: &Db, desk: &Desk, job: &Job) -> Result<()> {
    let done = match job.kind.as_str() {
        FOLLOW => follow(db, desk, job.payload::<Of<ActivityId>>()?.id).await,
        STOP => {
            let id = job.payload::<Of<ActivityId>>()?.id;
            db.write(move |tx| stop(tx, id)).await
        }
        attendance::NO_SHOWS => no_shows(db, desk, job.payload::<attendance::Pending>()?.id).await,
        _ => look_again(db, desk, job.payload::<Of<AccountId>>()?.id).await,
    };
    match done {
        Err(Error::Problem(problem)) if problem.code == Code::NotFound => Ok(()),
        done => done,
    }
}

async fn follow(db: &Db, desk: &Desk, id: ActivityId) -> Result<()> {
    let mut after = None;
    loop {
        let desk = desk.clone();
        let followed = db.write(move |tx| enrolments::follow(tx, &desk, id, after));
        after = followed.await?;
        if after.is_none() {
            return Ok(());
        }
    }
}

async fn no_shows(db: &Db, desk: &Desk, id: ActivityId) -> Result<()> {
    let mut after = None;
    loop {
        let desk = desk.clone();
        let looked = db.write(move |tx| attendance::no_shows(tx, &desk, id, after));
        after = looked.await?;
        if after.is_none() {
            return Ok(());
        }
    }
}

async fn look_again(db: &Db, desk: &Desk, who: AccountId) -> Result<()> {
    let places = db.write(move |tx| enrolments::to_look_at(tx.conn, who, tx.now));
    for id in places.await? {
        let desk = desk.clone();
        db.write(move |tx| enrolments::look_again(tx, &desk, id))
            .await?;
    }
    Ok(())
}

/// Cancels what has not begun. What is found over stays as it is, so doing it twice is doing it once.
fn stop(tx: &mut Tx<'_>, id: ActivityId) -> Result<()> {
    serialize(tx, id)?;
    let activity: Activity = store::activity(tx.conn, id)?;
    let is_before = matches!(
        activity.status,
        ActivityStatus::Draft | ActivityStatus::Submitted | ActivityStatus::Returned
    );
    if is_before || AHEAD.contains(&activity.status) {
        // why is between the staff and those who organise it
        call_off(tx, &activity, Actor::System, None)?;
    }
    Ok(())
}
