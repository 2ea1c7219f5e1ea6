//! Who holds a seat, and who stands in line for one.

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use super::super::model::{ClaimId, ClaimStatus, ProjectClaim};
use super::super::rules::{WAITING, free_seat};
use super::super::store;
use super::eligible::may_hold;
use super::{advance, leaders, name, serialize, tell_claimant, tell_publisher};
use crate::error::{Code, Error, Result};
use crate::notifications::Kind;
use crate::platform::clock::Instant;
use crate::platform::db::{Conn, Tx};
use crate::platform::journal::Actor;
use crate::projects::crews;
use crate::projects::model::{Project, ProjectId};
use crate::projects::rules::claims_go_on;
use crate::projects::service::{Desk, follow_claims, tell};

/// How many seats of a project nobody holds or has used up.
pub(super) fn seats_left(conn: &mut Conn, project: &Project) -> Result<i64> {
    let tally = super::tally(conn, project.id)?;
    Ok((i64::from(project.claim_seats) - tally.live - tally.fulfilled).max(0))
}

/// Gives a claim a free seat and a lease.
pub(super) fn hold(
    tx: &mut Tx<'_>,
    desk: &Desk,
    project: &Project,
    claim: &ProjectClaim,
    verb: &str,
    by: Actor,
) -> Result<ProjectClaim> {
    let held: Vec<i32> = store::in_states(
        tx.conn,
        project.id,
        &[
            ClaimStatus::Approved,
            ClaimStatus::Planned,
            ClaimStatus::Executing,
            ClaimStatus::Reported,
            ClaimStatus::Fulfilled,
        ],
    )?
    .into_iter()
    .filter_map(|claim| claim.seat)
    .collect();
    let seat = free_seat(&held, project.claim_seats).ok_or(Code::CapacityFull)?;
    let leased = renewed(tx, desk, claim)?;
    let seated = ProjectClaim {
        seat: Some(seat),
        ..leased
    };
    let moved = advance(tx, project, &seated, verb, by, None)?;
    let due = moved
        .lease_until
        .map(|at| at.on_the_wall(tx.zone))
        .unwrap_or_default();
    tell_claimant(tx, project, &moved, Kind::ClaimApproved, &[("due", &due)])?;
    let name = name(tx.conn, &moved)?;
    tell_publisher(tx, project, by, Kind::ClaimHeld, &[("name", &name)])?;
    Ok(moved)
}

/// Puts a claim into the line.
pub(super) fn wait(tx: &mut Tx<'_>, project: &Project, claim: &ProjectClaim) -> Result<()> {
    let moved = advance(tx, project, claim, "waitlist", Actor::System, None)?;
    tell_claimant(tx, project, &moved, Kind::ClaimWaitlisted, &[])
}

/// Gives free seats to the first in line who are still eligible.
pub(super) fn promote(tx: &mut Tx<'_>, desk: &Desk, id: ProjectId) -> Result<()> {
    let project = crate::projects::store::project(tx.conn, id)?;
    if claims_go_on(project.status).is_err() {
        return Ok(());
    }
    for claim in store::in_states(tx.conn, id, &[ClaimStatus::Waitlisted])? {
        if seats_left(tx.conn, &project)? == 0 {
            break;
        }
        match may_hold(tx, desk, &project, &claim) {
            Ok(()) => {
                hold(tx, desk, &project, &claim, "promote", Actor::System)?;
            }
            // not now: it keeps its place in the line
            Err(Error::Problem(_)) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Why nobody is given a seat of a project any more.
#[derive(Clone, Copy)]
pub(in crate::projects) enum Over {
    /// It is completed.
    Completed,
    /// Its last day is behind it, and nobody holds a seat.
    LastDay,
}

impl Over {
    fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Completed => ("项目已结项", "it is completed"),
            Self::LastDay => ("项目已过截止日期", "its last day is over"),
        }
    }
}

/// Ends the applications for a project that is over, and its line. Claimants are told why.
pub(in crate::projects) fn dissolve_line(
    tx: &mut Tx<'_>,
    project: &Project,
    why: Over,
) -> Result<()> {
    let (zh, en) = why.words();
    for claim in store::in_states(tx.conn, project.id, WAITING)? {
        let over = ProjectClaim {
            ended_at: Some(tx.now),
            ..claim
        };
        let moved = advance(tx, project, &over, "reject", Actor::System, Some(zh))?;
        let params = [("reason_zh", zh), ("reason_en", en)];
        tell_claimant(tx, project, &moved, Kind::ClaimWaitedInVain, &params)?;
    }
    Ok(())
}

/// What a project leaves behind that is completed: nobody waits for it any more, and its crews are
/// told.
pub(in crate::projects) fn complete(tx: &mut Tx<'_>, project: &Project) -> Result<()> {
    let (mut claimants, mut crew) = (Vec::new(), Vec::new());
    for claim in store::in_states(tx.conn, project.id, &[ClaimStatus::Fulfilled])? {
        claimants.extend(leaders(tx.conn, &claim)?); // are told that it is fulfilled
        crew.extend(crews::people(tx.conn, claim.id)?);
    }
    crew.sort_unstable();
    crew.dedup();
    crew.retain(|who| !claimants.contains(who));
    tell(tx, project, &crew, Kind::ProjectCompleted, &[])?;
    dissolve_line(tx, project, Over::Completed)
}

/// What a claimant waits for elsewhere may be its now that it holds a seat less, or somebody
/// else's who stands in line there.
pub(super) fn promote_elsewhere(tx: &mut Tx<'_>, desk: &Desk, ended: &ProjectClaim) -> Result<()> {
    for project in store::waits_for(tx.conn, ended.organization_id, ended.person_id)? {
        serialize(tx, project)?;
        promote(tx, desk, project)?;
        follow_claims(tx, project)?;
    }
    Ok(())
}

/// A claimant to be reminded, and of which lease.
#[derive(Serialize, Deserialize)]
pub(super) struct Reminder {
    pub claim: ClaimId,
    pub lease_until: Instant,
    /// When the next reminder of the same lease is due.
    #[serde(default)]
    pub next: Option<Instant>,
}

/// The claim with a lease that begins now, and its reminders planned.
pub(super) fn renewed(tx: &mut Tx<'_>, desk: &Desk, claim: &ProjectClaim) -> Result<ProjectClaim> {
    let lease_until = tx.now + TimeDelta::days(desk.rules.lease_days);
    if claim.lease_until == Some(lease_until) {
        return Ok(claim.clone()); // at the same instant: reminded once
    }
    let before = desk.rules.reminder_hours.iter();
    let mut due: Vec<_> = before
        .map(|hours| lease_until - TimeDelta::hours(*hours))
        .collect();
    due.sort_unstable();
    for (n, at) in due.iter().enumerate() {
        let reminder = Reminder {
            claim: claim.id,
            lease_until,
            next: due.get(n + 1).copied(),
        };
        tx.enqueue("claim.remind", &reminder, *at)?;
    }
    Ok(ProjectClaim {
        lease_until: Some(lease_until),
        ..claim.clone()
    })
}
