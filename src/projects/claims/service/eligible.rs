//! Who may claim a project, and who may hold one more.

use chrono::TimeDelta;

use super::super::model::ProjectClaim;
use super::super::store;
use crate::error::{Code, Error, Problem, Result};
use crate::identity::{Caller, Role};
use crate::organizations::{self, OrganizationId};
use crate::platform::db::Tx;
use crate::projects::campaigns;
use crate::projects::crews;
use crate::projects::model::Project;
use crate::projects::rules::is_over;
use crate::projects::service::{Desk, had_a_hand_in, relation};

/// Whether the caller may claim for this claimant at all. Nobody claims as a person what it
/// publishes, wrote or approved.
///
/// # Errors
/// `forbidden`, `own_project`, `no_persons`, and what keeps the organisation or the person from
/// the work.
pub(super) fn entitled(
    tx: &mut Tx<'_>,
    desk: &Desk,
    caller: &Caller,
    project: &Project,
    organization: Option<OrganizationId>,
) -> Result<()> {
    let Some(id) = organization else {
        if !project.allows_person {
            return Err(Code::NoPersons.into());
        }
        let stands = relation(tx.conn, Some(caller), project)?;
        if stands.author || stands.publisher || had_a_hand_in(tx.conn, caller, project)? {
            return Err(Code::OwnProject.into());
        }
        return crews::suits(tx, desk, project, caller.account);
    };
    if !caller.holds(Role::OrganizationManager, id.0) {
        return Err(Code::Forbidden.into());
    }
    if project.organization_id == Some(id) {
        return Err(Code::OwnProject.into());
    }
    let organization = organizations::organization(tx.conn, id)?;
    organizations::may_act(tx.conn, &organization, project.region_id)
}

/// Whether a project can be claimed today: it is not over, and its batch's window is open.
///
/// # Errors
/// `project_over`, `outside_claim_window`.
pub(super) fn in_window(tx: &mut Tx<'_>, project: &Project) -> Result<()> {
    if is_over(project, tx.today()) {
        return Err(Code::ProjectOver.into());
    }
    let Some(batch) = project.batch_id else {
        return Ok(());
    };
    let (batch, _) = campaigns::batch(tx.conn, batch)?;
    if batch.opens_at <= tx.now && tx.now < batch.closes_at {
        Ok(())
    } else {
        Err(Code::OutsideClaimWindow.into())
    }
}

/// Whether a claimant may have a claim of a project again: none of its own expired or was revoked
/// lately.
///
/// # Errors
/// `claiming_paused`, with the end of the pause.
pub(super) fn not_paused(
    tx: &mut Tx<'_>,
    desk: &Desk,
    project: &Project,
    claim: &ProjectClaim,
) -> Result<()> {
    let by = (claim.organization_id, claim.person_id);
    let lost = store::last_lost(tx.conn, project.id, by.0, by.1)?;
    let until = lost.map(|at| at + TimeDelta::days(desk.rules.reclaim_days));
    match until {
        Some(until) if tx.now < until => {
            let at = until.on_the_wall(tx.zone);
            let paused = Problem::new(Code::ClaimingPaused).detail(
                format!("您对该项目的认领曾到期或被收回，{at} 起可再次认领。"),
                format!("A claim of yours to this project expired or was revoked. Claim it again from {at}."),
            );
            Err(paused.into())
        }
        _ => Ok(()),
    }
}

/// Whether a claimant may hold one more seat: the project is not over, the claimant may act there,
/// is not at its limit, and did not lose a claim of the project lately.
///
/// # Errors
/// `project_over`, `claiming_paused`, `claim_limit_reached`, what keeps the organisation from acting, and
/// `not_available` for a person whom the work does not suit.
pub(super) fn may_hold(
    tx: &mut Tx<'_>,
    desk: &Desk,
    project: &Project,
    claim: &ProjectClaim,
) -> Result<()> {
    if is_over(project, tx.today()) {
        return Err(Code::ProjectOver.into());
    }
    if let Some(id) = claim.organization_id {
        let organization = organizations::organization(tx.conn, id)?;
        organizations::may_act(tx.conn, &organization, project.region_id)?;
    }
    if let Some(person) = claim.person_id {
        // whoever decides on the claim is not told what its person lacks
        crews::suits(tx, desk, project, person).map_err(|error| match error {
            Error::Problem(_) => Code::NotAvailable.into(),
            error => error,
        })?;
    }
    not_paused(tx, desk, project, claim)?;
    // the limit spans several projects: two claims of one claimant wait for each other
    let who = claim
        .organization_id
        .map(|id| id.0)
        .or(claim.person_id.map(|id| id.0));
    tx.serialize_on(&format!("project claimant:{who:?}"))?;
    let live = store::count_live(tx.conn, claim.organization_id, claim.person_id)?;
    if live < desk.rules.live_claims {
        Ok(())
    } else {
        Err(Code::ClaimLimitReached.into())
    }
}
