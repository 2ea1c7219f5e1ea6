//! Getting a claim, and losing it.

use serde::Deserialize;
use utoipa::ToSchema;
use validator::Validate;

use super::super::model::{ClaimId, ClaimStatus, ProjectClaim};
use super::super::rules::{LIVE, has_run_out};
use super::super::store;
use super::eligible::{entitled, in_window, may_hold, not_paused};
use super::line::{hold, promote, promote_elsewhere, seats_left, wait};
use super::{
    advance, change, goes_on, is_repeat, leaders, name, serialize, step, tell_claimant,
    tell_publisher, to_move,
};
use crate::error::{Code, Result};
use crate::identity::{AccountId, Caller, Role};
use crate::notifications::Kind;
use crate::organizations::OrganizationId;
use crate::platform::db::{Conn, Tx};
use crate::platform::journal::Actor;
use crate::projects::crews;
use crate::projects::model::{ClaimMode, Project, ProjectId, ProjectStatus};
use crate::projects::service::{Desk, barred, follow_claims, tell, visible as visible_project};

/// A claim as the claimant makes it.
#[derive(Clone, Debug, Default, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(as = NewProjectClaim)]
pub struct Application {
    /// The organisation that claims; the caller as a person when left out.
    pub organization_id: Option<OrganizationId>,
    /// What the claimant proposes.
    #[serde(default)]
    #[validate(length(max = 2000))]
    pub proposal: String,
}

/// Claims a project. Where the first come is first served, an eligible claimant holds a free seat
/// at once, later ones wait in line; where claims are reviewed, they compete. Claiming twice
/// answers as the first time.
///
/// # Errors
/// `forbidden` for an organisation one does not run; `own_project`, `no_persons`,
/// `publisher_not_active`, `outside_claim_window`, `project_over`, `claim_limit_reached`,
/// `claiming_paused`, what keeps the organisation or the person from the work, or `move_not_allowed`
/// where nothing can be claimed.
pub fn apply(
    tx: &mut Tx<'_>,
    desk: &Desk,
    caller: &Caller,
    id: ProjectId,
    new: &Application,
) -> Result<ProjectClaim> {
    visible_project(tx.conn, Some(caller), id)?;
    serialize(tx, id)?;
    let (project, relation) = visible_project(tx.conn, Some(caller), id)?;
    let person = new.organization_id.is_none().then_some(caller.account);
    if let Some(known) = store::standing(tx.conn, id, new.organization_id, person)? {
        let may_act = new
            .organization_id
            .is_none_or(|o| caller.holds(Role::OrganizationManager, o.0));
        return if may_act {
            Ok(known)
        } else {
            Err(Code::Forbidden.into())
        };
    }
    entitled(tx, desk, caller, &project, new.organization_id)?;
    let can_wait = matches!(
        project.status,
        ProjectStatus::Open | ProjectStatus::Claimed | ProjectStatus::Running
    );
    if !can_wait {
        return Err(crate::projects::rules::refusal(&project, relation));
    }
    if barred(tx.conn, &project)?.is_some() {
        return Err(Code::PublisherNotActive.into());
    }
    in_window(tx, &project)?;
    let claim = ProjectClaim {
        id: ClaimId::new(),
        project_id: id,
        organization_id: new.organization_id,
        person_id: person,
        applied_by: caller.account,
        proposal: new.proposal.clone(),
        status: ClaimStatus::Applied,
        status_since: tx.now,
        seat: None,
        lease_until: None,
        plan: None,
        report: None,
        people_served: None,
        ended_at: None,
        version: 1,
        created_at: tx.now,
    };
    let is_free = project.status == ProjectStatus::Open && seats_left(tx.conn, &project)? > 0;
    not_paused(tx, desk, &project, &claim)?;
    if is_free && project.claim_mode == ClaimMode::FirstCome {
        may_hold(tx, desk, &project, &claim)?;
    }
    store::insert(tx.conn, &claim)?;
    tx.journal(change(&project, &claim, caller.actor(), "apply"))?;
    match project.claim_mode {
        ClaimMode::FirstCome if is_free => {
            hold(tx, desk, &project, &claim, "approve", caller.actor())?;
        }
        ClaimMode::Reviewed if is_free => {
            let name = name(tx.conn, &claim)?;
            tell_publisher(
                tx,
                &project,
                caller.actor(),
                Kind::ClaimApplied,
                &[("name", &name)],
            )?;
        }
        _ => wait(tx, &project, &claim)?,
    }
    follow_claims(tx, id)?;
    store::claim(tx.conn, claim.id)
}

/// Chooses a claim: it holds a seat. When it was the last seat, the others wait in line.
///
/// # Errors
/// `forbidden`, `own_claim`, `project_suspended`, `capacity_full`, `claim_limit_reached`,
/// `move_not_allowed`.
pub fn approve(tx: &mut Tx<'_>, desk: &Desk, caller: &Caller, id: ClaimId) -> Result<ProjectClaim> {
    let (claim, project) = to_move(tx, caller, id, "approve")?;
    let verb = if claim.status == ClaimStatus::Waitlisted {
        "promote"
    } else {
        "approve"
    };
    let is_done = is_repeat(tx.conn, &claim, "approve", caller)?
        || is_repeat(tx.conn, &claim, "promote", caller)?;
    if is_done {
        return Ok(claim);
    }
    step(tx.conn, &project, &claim, verb, caller.actor())?;
    goes_on(tx.conn, &project, caller.actor())?;
    if seats_left(tx.conn, &project)? == 0 {
        return Err(Code::CapacityFull.into());
    }
    may_hold(tx, desk, &project, &claim)?;
    hold(tx, desk, &project, &claim, verb, caller.actor())?;
    if seats_left(tx.conn, &project)? == 0 {
        line_up(tx, &project)?;
    }
    follow_claims(tx, project.id)?;
    store::claim(tx.conn, id)
}

/// Puts the applications of a project into the line, since no seat is left.
pub(in crate::projects) fn line_up(tx: &mut Tx<'_>, project: &Project) -> Result<()> {
    for other in store::in_states(tx.conn, project.id, &[ClaimStatus::Applied])? {
        wait(tx, project, &other)?;
    }
    Ok(())
}

/// Turns a claim down, with a reason.
///
/// # Errors
/// `forbidden`, `own_claim`, `move_not_allowed`.
pub fn reject(tx: &mut Tx<'_>, caller: &Caller, id: ClaimId, reason: &str) -> Result<ProjectClaim> {
    let (claim, project) = to_move(tx, caller, id, "reject")?;
    if is_repeat(tx.conn, &claim, "reject", caller)? {
        return Ok(claim);
    }
    let over = ProjectClaim {
        ended_at: Some(tx.now),
        ..claim
    };
    let moved = advance(tx, &project, &over, "reject", caller.actor(), Some(reason))?;
    tell_claimant(
        tx,
        &project,
        &moved,
        Kind::ClaimRejected,
        &[("reason", reason)],
    )?;
    Ok(moved)
}

/// Gives a claim up.
///
/// # Errors
/// `forbidden`, `move_not_allowed`.
pub fn withdraw(
    tx: &mut Tx<'_>,
    desk: &Desk,
    caller: &Caller,
    id: ClaimId,
    reason: &str,
) -> Result<ProjectClaim> {
    let (claim, project) = to_move(tx, caller, id, "withdraw")?;
    if is_repeat(tx.conn, &claim, "withdraw", caller)? {
        return Ok(claim);
    }
    let ended = end(
        tx,
        desk,
        &project,
        &claim,
        "withdraw",
        caller.actor(),
        Some(reason),
    )?;
    let name = name(tx.conn, &ended)?;
    let params = [("name", name.as_str()), ("reason", reason)];
    tell_publisher(tx, &project, caller.actor(), Kind::ClaimWithdrawn, &params)?;
    Ok(ended)
}

/// Takes a claim away, with a reason.
///
/// # Errors
/// `forbidden`, `own_claim`, `move_not_allowed`.
pub fn revoke(
    tx: &mut Tx<'_>,
    desk: &Desk,
    caller: &Caller,
    id: ClaimId,
    reason: &str,
) -> Result<ProjectClaim> {
    let (claim, project) = to_move(tx, caller, id, "revoke")?;
    if is_repeat(tx.conn, &claim, "revoke", caller)? {
        return Ok(claim);
    }
    let ended = end(
        tx,
        desk,
        &project,
        &claim,
        "revoke",
        caller.actor(),
        Some(reason),
    )?;
    tell_claimant(
        tx,
        &project,
        &ended,
        Kind::ClaimRevoked,
        &[("reason", reason)],
    )?;
    Ok(ended)
}

/// Ends a claim: its seat gets free, its crew goes, the first in line who is still eligible holds
/// the seat, the project follows; so it goes where the claimant waits for another one. All in this
/// transaction.
pub(super) fn end(
    tx: &mut Tx<'_>,
    desk: &Desk,
    project: &Project,
    claim: &ProjectClaim,
    verb: &str,
    by: Actor,
    reason: Option<&str>,
) -> Result<ProjectClaim> {
    let held = LIVE.contains(&claim.status);
    let (moved, crew) = end_alone(tx, project, claim, verb, by, reason)?;
    tell(tx, project, &crew, Kind::CrewDisbanded, &[])?;
    if held {
        promote(tx, desk, project.id)?;
        follow_claims(tx, project.id)?;
        promote_elsewhere(tx, desk, &moved)?;
    }
    Ok(moved)
}

/// The claim as it ended, and its crew, which is not told yet.
fn end_alone(
    tx: &mut Tx<'_>,
    project: &Project,
    claim: &ProjectClaim,
    verb: &str,
    by: Actor,
    reason: Option<&str>,
) -> Result<(ProjectClaim, Vec<AccountId>)> {
    let over = ProjectClaim {
        seat: None,
        lease_until: None,
        ended_at: Some(tx.now),
        ..claim.clone()
    };
    let moved = advance(tx, project, &over, verb, by, reason)?;
    let crew = crews::disband(tx, project, claim.id)?;
    Ok((moved, crew))
}

/// Ends every claim of a project that is cancelled. Claimants and crews are told why.
pub(in crate::projects) fn end_all(
    tx: &mut Tx<'_>,
    desk: &Desk,
    project: &Project,
    by: Actor,
    reason: &str,
) -> Result<()> {
    let open = store::open_ones(tx.conn, project.id)?;
    let mut concerned = Vec::new();
    for claim in &open {
        let (ended, crew) = end_alone(tx, project, claim, "revoke", by, Some(reason))?;
        concerned.extend(leaders(tx.conn, &ended)?);
        concerned.extend(crew);
    }
    concerned.sort_unstable();
    concerned.dedup();
    tell(
        tx,
        project,
        &concerned,
        Kind::ProjectCancelled,
        &[("reason", reason)],
    )?;
    for held in open.iter().filter(|claim| LIVE.contains(&claim.status)) {
        promote_elsewhere(tx, desk, held)?;
    }
    Ok(())
}

/// The claims that hold a seat, save those whose lease has run out and is about to be swept up.
fn leased(tx: &mut Tx<'_>, project: &Project) -> Result<Vec<ProjectClaim>> {
    let mut held = store::holders(tx.conn, project.id)?;
    held.retain(|claim| !has_run_out(claim, tx.now));
    Ok(held)
}

/// Those whom it concerns beside the holders of its claims that a project stops or goes on: its
/// crews, with who asked for a place or was asked, and who applied for a claim or waits in line.
fn bystanders(conn: &mut Conn, project: &Project) -> Result<Vec<AccountId>> {
    let (mut holders, mut others) = (Vec::new(), Vec::new());
    for claim in store::open_ones(conn, project.id)? {
        let claimant = leaders(conn, &claim)?;
        if LIVE.contains(&claim.status) {
            holders.extend(claimant);
            others.extend(crews::people(conn, claim.id)?);
        } else {
            others.extend(claimant);
        }
    }
    others.sort_unstable();
    others.dedup();
    others.retain(|who| !holders.contains(who));
    Ok(others)
}

/// Lets the leases of a suspended project stand still, save those that have run out by now.
pub(in crate::projects) fn pause(tx: &mut Tx<'_>, project: &Project, reason: &str) -> Result<()> {
    let why = [("reason", reason)];
    for claim in leased(tx, project)? {
        let still = ProjectClaim {
            lease_until: None,
            ..claim
        };
        if !store::save(tx.conn, &still)? {
            return Err(Code::VersionMismatch.into());
        }
        tell_claimant(tx, project, &still, Kind::ProjectSuspended, &why)?;
    }
    let others = bystanders(tx.conn, project)?;
    tell(tx, project, &others, Kind::ProjectOnHold, &why)
}

/// Lets the leases of a project that goes on begin anew.
pub(in crate::projects) fn unpause(tx: &mut Tx<'_>, desk: &Desk, project: &Project) -> Result<()> {
    for claim in leased(tx, project)? {
        if claim.status != ClaimStatus::Reported {
            let renewed = super::line::renewed(tx, desk, &claim)?;
            if !store::save(tx.conn, &renewed)? {
                return Err(Code::VersionMismatch.into());
            }
        }
        tell_claimant(tx, project, &claim, Kind::ProjectResumed, &[])?;
    }
    let others = bystanders(tx.conn, project)?;
    tell(tx, project, &others, Kind::ProjectGoesOn, &[])?;
    promote(tx, desk, project.id)
}
