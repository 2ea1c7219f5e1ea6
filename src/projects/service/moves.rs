//! The moves of a project's life that people make.

use serde_json::json;

use super::super::model::{Project, ProjectId, ProjectStatus};
use super::super::rules;
use super::super::{claims, store};
use super::{
    Desk, advance, change, follow_claims, is_for_region, is_repeat, notice, of_publisher, refusal,
    step, tell_publisher, to_move,
};
use crate::error::{Code, Error, Problem, Result};
use crate::identity::Caller;
use crate::notifications::{self, Kind, notify};
use crate::organizations;
use crate::platform::columns::Uid;
use crate::platform::db::Tx;
use crate::platform::http::IfMatch;
use crate::platform::journal::{self, Actor};
use crate::projects::campaigns::{self, BatchId};

/// Hands a draft in for the review, once nothing is missing.
///
/// # Errors
/// `invalid` with every miss.
pub fn submit(tx: &mut Tx<'_>, caller: &Caller, id: ProjectId) -> Result<Project> {
    let project = to_move(tx, caller, id, "submit")?;
    if is_repeat(tx.conn, &project, "submit", caller)? {
        return Ok(project);
    }
    step(tx.conn, &project, "submit", caller.actor())?;
    complete(tx, &project)?;
    let moved = advance(tx, &project, "submit", caller.actor(), None)?;
    for to in notifications::staff_of(tx.conn, moved.region_id)? {
        if to != caller.account {
            notify(tx, &notice(&moved, to, Kind::ProjectSubmitted))?;
        }
    }
    Ok(moved)
}

fn complete(tx: &mut Tx<'_>, project: &Project) -> Result<()> {
    let roles = store::roles(tx.conn, project.id)?;
    let seats: Vec<_> = roles.iter().map(|role| role.seats).collect();
    let mut missing = Problem::new(Code::Invalid);
    missing.errors = rules::misses(project, &seats, tx.today());
    if missing.errors.is_empty() {
        Ok(())
    } else {
        Err(missing.into())
    }
}

/// Takes a returned project back into a draft.
///
/// # Errors
/// `forbidden`, `move_not_allowed`.
pub fn revise(tx: &mut Tx<'_>, caller: &Caller, id: ProjectId) -> Result<Project> {
    let project = to_move(tx, caller, id, "revise")?;
    if is_repeat(tx.conn, &project, "revise", caller)? {
        return Ok(project);
    }
    advance(tx, &project, "revise", caller.actor(), None)
}

/// Approves a submitted project. In a batch that is published already it opens at once.
///
/// # Errors
/// `forbidden`, `own_project`, and every miss that appeared since the submission.
pub fn approve(tx: &mut Tx<'_>, caller: &Caller, id: ProjectId, seen: &IfMatch) -> Result<Project> {
    let project = to_move(tx, caller, id, "approve")?;
    if is_approved_by(tx, &project, caller)? {
        return Ok(project);
    }
    seen.expect(project.version)?;
    step(tx.conn, &project, "approve", caller.actor())?;
    complete(tx, &project)?;
    let moved = advance(tx, &project, "approve", caller.actor(), None)?;
    notify(tx, &notice(&moved, moved.author_id, Kind::ProjectApproved))?;
    if let Some(batch) = moved.batch_id
        && campaigns::is_published(tx, batch)?
    {
        let opened = advance(tx, &moved, "open", Actor::System, None)?;
        tell_publisher(tx, &opened, caller.actor(), Kind::ProjectOpened, &[])?;
        return Ok(opened);
    }
    Ok(moved)
}

/// Whether it was the caller's approval that brought a project to where it stands: in a batch that
/// was published it opened it, too.
fn is_approved_by(tx: &mut Tx<'_>, project: &Project, caller: &Caller) -> Result<bool> {
    if is_repeat(tx.conn, project, "approve", caller)? {
        return Ok(true);
    }
    let id = project.id.0;
    let opened_at_once = Some(("project.open".to_owned(), Actor::System));
    Ok(
        journal::last_move(tx.conn, "project", id)? == opened_at_once
            && journal::has_done(tx.conn, caller.account.0, "project", id, &["approve"])?,
    )
}

/// Sends a submitted project back with a reason.
///
/// # Errors
/// `forbidden`, `own_project`, `move_not_allowed`.
pub fn send_back(
    tx: &mut Tx<'_>,
    caller: &Caller,
    id: ProjectId,
    seen: &IfMatch,
    reason: &str,
) -> Result<Project> {
    let project = to_move(tx, caller, id, "return")?;
    if is_repeat(tx.conn, &project, "return", caller)? {
        return Ok(project);
    }
    seen.expect(project.version)?;
    let moved = advance(tx, &project, "return", caller.actor(), Some(reason))?;
    let told = notice(&moved, moved.author_id, Kind::ProjectReturned);
    notify(tx, &told.with("reason", reason))?;
    Ok(moved)
}

/// Opens an approved project that is in no batch.
///
/// # Errors
/// `forbidden`, `opens_with_its_batch`, `move_not_allowed`.
pub fn open(tx: &mut Tx<'_>, caller: &Caller, id: ProjectId) -> Result<Project> {
    let project = to_move(tx, caller, id, "open")?;
    if is_repeat(tx.conn, &project, "open", caller)? {
        return Ok(project);
    }
    rules::opens_by_itself(&project)?;
    advance(tx, &project, "open", caller.actor(), None)
}

/// Ends the claiming of a project early: it keeps as many claim seats as are taken, and goes on with
/// those. A seat that gets free later can be claimed again. With no seat left to give, nothing
/// changes.
///
/// # Errors
/// `forbidden`; `nothing_claimed`; `move_not_allowed` before it is open and once it is over.
pub fn close_claims(tx: &mut Tx<'_>, caller: &Caller, id: ProjectId) -> Result<Project> {
    of_publisher(tx.conn, caller, id)?;
    claims::serialize(tx, id)?;
    let project = of_publisher(tx.conn, caller, id)?;
    if !matches!(
        project.status,
        ProjectStatus::Open
            | ProjectStatus::Claimed
            | ProjectStatus::Running
            | ProjectStatus::Suspended
            | ProjectStatus::Completing
    ) {
        return Err(refusal(tx.conn, &project, caller.actor()));
    }
    let tally = claims::tally(tx.conn, id)?;
    let taken = i32::try_from(tally.live + tally.fulfilled).unwrap_or(i32::MAX);
    if taken >= project.claim_seats {
        return Ok(project);
    }
    if taken == 0 {
        return Err(Code::NothingClaimed.into());
    }
    let closed = Project {
        claim_seats: taken,
        ..project.clone()
    };
    if !store::save(tx.conn, &closed)? {
        return Err(Code::VersionMismatch.into());
    }
    let seats = json!({ "claim_seats": taken, "before": project.claim_seats });
    tx.journal(change(&project, caller.actor(), "close_claims").payload(seats))?;
    claims::line_up(tx, &closed)?;
    follow_claims(tx, id)
}

/// Lets the open projects whose claiming has closed by the passing of time go on with the claims
/// they have, and ends the lines for those that are over with nobody at work, up to `limit` of each;
/// returns how many there were.
///
/// # Errors
/// Those of the database.
pub fn sweep(tx: &mut Tx<'_>, limit: i64) -> Result<usize> {
    let closed = store::closed_and_claimed(tx.conn, tx.today(), tx.now, limit)?;
    for id in &closed {
        claims::serialize(tx, *id)?;
        follow_claims(tx, *id)?;
    }
    let over = store::over_and_waited_for(tx.conn, tx.today(), limit)?;
    for id in &over {
        claims::serialize(tx, *id)?;
        if claims::tally(tx.conn, *id)?.live == 0 {
            let project = store::project(tx.conn, *id)?;
            claims::dissolve_line(tx, &project, claims::Over::LastDay)?;
        }
    }
    Ok(closed.len() + over.len())
}

/// Opens the approved projects of a batch that is being published; returns how many there were.
pub(in crate::projects) fn open_batch(
    tx: &mut Tx<'_>,
    caller: &Caller,
    batch: BatchId,
) -> Result<usize> {
    let query = store::Query {
        statuses: vec![ProjectStatus::Approved],
        batch: Some(batch),
        limit: i64::from(i32::MAX),
        ..store::Query::default()
    };
    let mut opened = 0;
    for project in store::list(tx.conn, &query)? {
        match advance(tx, &project, "open", caller.actor(), None) {
            Ok(project) => {
                tell_publisher(tx, &project, caller.actor(), Kind::ProjectOpened, &[])?;
                opened += 1;
            }
            // one that is cancelled at the same moment does not hold up the others
            Err(Error::Problem(_)) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(opened)
}

/// Stops a running project for a while: its leases stand still. For the publisher, and for those who
/// review in its region.
///
/// # Errors
/// `forbidden`, `move_not_allowed`.
pub fn suspend(tx: &mut Tx<'_>, caller: &Caller, id: ProjectId, reason: &str) -> Result<Project> {
    let project = to_move(tx, caller, id, "suspend")?;
    if is_repeat(tx.conn, &project, "suspend", caller)? {
        return Ok(project);
    }
    let moved = advance(tx, &project, "suspend", caller.actor(), Some(reason))?;
    if is_for_region(caller, &project) {
        tell_publisher(
            tx,
            &moved,
            caller.actor(),
            Kind::ProjectSuspendedOf,
            &[("reason", reason)],
        )?;
    }
    claims::pause(tx, &moved, reason)?;
    Ok(moved)
}

/// Whether somebody who does not run the organisation behind a suspended project suspended it: then
/// the region lets it go on.
fn was_stopped_by_region(tx: &mut Tx<'_>, project: &Project) -> Result<bool> {
    let Some(organization) = project.organization_id else {
        return Ok(false);
    };
    let last = journal::last_of(tx.conn, "project", project.id.0, &["suspend"])?;
    let managers = organizations::managers(tx.conn, organization)?;
    let by = last.and_then(|entry| entry.actor_id);
    Ok(!managers.iter().any(|manager| by == Some(Uid(manager.0))))
}

/// Lets a suspended project go on: its leases begin anew. What the region suspended, the region lets
/// go on.
///
/// # Errors
/// `forbidden`, `move_not_allowed`.
pub fn resume(tx: &mut Tx<'_>, desk: &Desk, caller: &Caller, id: ProjectId) -> Result<Project> {
    let project = to_move(tx, caller, id, "resume")?;
    if is_repeat(tx.conn, &project, "resume", caller)? {
        return Ok(project);
    }
    step(tx.conn, &project, "resume", caller.actor())?;
    if !is_for_region(caller, &project) && was_stopped_by_region(tx, &project)? {
        return Err(Code::Forbidden.into());
    }
    let moved = advance(tx, &project, "resume", caller.actor(), None)?;
    if is_for_region(caller, &project) {
        tell_publisher(tx, &moved, caller.actor(), Kind::ProjectResumedOf, &[])?;
    }
    claims::unpause(tx, desk, &moved)?;
    follow_claims(tx, id)
}

/// Ends a project before it is completed, and with it its claims. For the publisher and, once it was
/// open, for those who review in its region.
///
/// # Errors
/// `forbidden`, `move_not_allowed`.
pub fn cancel(
    tx: &mut Tx<'_>,
    desk: &Desk,
    caller: &Caller,
    id: ProjectId,
    reason: &str,
) -> Result<Project> {
    let project = to_move(tx, caller, id, "cancel")?;
    if is_repeat(tx.conn, &project, "cancel", caller)? {
        return Ok(project);
    }
    let moved = advance(tx, &project, "cancel", caller.actor(), Some(reason))?;
    if is_for_region(caller, &project) {
        tell_publisher(
            tx,
            &moved,
            caller.actor(),
            Kind::ProjectCancelledOf,
            &[("reason", reason)],
        )?;
    }
    claims::end_all(tx, desk, &moved, caller.actor(), reason)?;
    Ok(moved)
}

/// Puts a completed project away.
///
/// # Errors
/// `forbidden`, `move_not_allowed`.
pub fn archive(tx: &mut Tx<'_>, caller: &Caller, id: ProjectId) -> Result<Project> {
    let project = to_move(tx, caller, id, "archive")?;
    if is_repeat(tx.conn, &project, "archive", caller)? {
        return Ok(project);
    }
    let moved = advance(tx, &project, "archive", caller.actor(), None)?;
    claims::dissolve_line(tx, &moved, claims::Over::Completed)?;
    Ok(moved)
}
