//! What can be done with claims.

mod clock;
mod eligible;
mod lease;
mod line;
mod work;

use std::collections::HashSet;

use crate::error::{Code, Error, Result};
use crate::identity::{AccountId, Caller, Role};
use crate::notifications::Kind;
use crate::organizations::{self, OrganizationId};
use crate::platform::db::{Conn, Tx};
use crate::platform::journal::{self, Actor, Change, Entry};
use crate::platform::lifecycle::{self, ActsAs};
use crate::projects::crews;
use crate::projects::model::{Project, ProjectId};
use crate::projects::rules::{Tally, claims_go_on};
use crate::projects::service::{tell, tell_publisher};

use super::model::{ClaimId, ClaimStatus, ProjectClaim};
pub use super::rules::Relation;
use super::rules::{By, LIVE, MOVES};
use super::store;

pub use clock::{react, remind, sweep};
pub use lease::{Application, apply, approve, reject, revoke, withdraw};
pub(in crate::projects) use lease::{end_all, line_up, pause, unpause};
pub(in crate::projects) use line::{Over, complete, dissolve_line};
pub use work::{
    NewProgress, Plan, Report, accept, add_photo, add_progress, may_add_photo, plan, report,
    send_back, start, story,
};

/// How a caller stands to a claim.
///
/// # Errors
/// Those of the database.
pub fn relation(
    conn: &mut Conn,
    caller: Option<&Caller>,
    project: &Project,
    claim: &ProjectClaim,
) -> Result<Relation> {
    let Some(caller) = caller else {
        return Ok(Relation::default());
    };
    let of_project = crate::projects::service::relation(conn, Some(caller), project)?;
    let organization = claim.organization_id;
    Ok(Relation {
        claimant: is_claimant(caller, claim),
        member: organization.is_some_and(|id| caller.holds(Role::OrganizationMember, id.0)),
        publisher: of_project.publisher,
        barred: of_project.barred,
        reviewer: of_project.reviewer,
        crew: crews::is_in(conn, claim.id, caller.account)?,
    })
}

/// Whether the caller is the claimant, or runs the organisation that is.
pub(in crate::projects) fn is_claimant(caller: &Caller, claim: &ProjectClaim) -> bool {
    match claim.organization_id {
        Some(organization) => caller.holds(Role::OrganizationManager, organization.0),
        None => claim.person_id == Some(caller.account),
    }
}

/// Whether the caller has or had to do with a claim of a project: as claimant, as a member of the
/// organisation, or by a place in a crew.
pub(in crate::projects) fn took_part(
    conn: &mut Conn,
    caller: &Caller,
    of: ProjectId,
) -> Result<bool> {
    let mut theirs = caller.organizations(Role::OrganizationManager);
    theirs.extend(caller.organizations(Role::OrganizationMember));
    let theirs: Vec<_> = theirs.into_iter().map(OrganizationId).collect();
    Ok(store::is_claimant(conn, of, caller.account, &theirs)?
        || crews::ever_in_project(conn, of, caller.account)?)
}

/// Why a claim was last rejected, revoked, withdrawn or sent back; none where it was not.
///
/// # Errors
/// Those of the database.
pub fn last_reason(conn: &mut Conn, claim: &ProjectClaim) -> Result<Option<String>> {
    let verbs = ["reject", "revoke", "withdraw", "send_back"];
    let last = journal::last_of(conn, "project_claim", claim.id.0, &verbs)?;
    Ok(last.and_then(|entry| entry.reason))
}

/// The steps of the claims of a project that hold a seat or held one.
///
/// # Errors
/// Those of the database.
pub(in crate::projects) fn steps(conn: &mut Conn, of: ProjectId) -> Result<Vec<Entry>> {
    let claims: Vec<_> = store::of_project(conn, of)?
        .into_iter()
        .map(|claim| claim.id.0)
        .collect();
    let mut entries = journal::of_subjects(conn, "project_claim", &claims)?;
    let approved: &'static str = ClaimStatus::Approved.into();
    let seated: HashSet<_> = entries
        .iter()
        .filter(|entry| entry.to_state.as_deref() == Some(approved))
        .map(|entry| entry.subject_id.0)
        .collect();
    entries.retain(|entry| seated.contains(&entry.subject_id.0));
    Ok(entries)
}

/// A claim with its project and how the caller stands to it; nothing of one the caller may not
/// see. Everybody sees those that hold or held a seat to the end; who has or had a place in its
/// crew sees it as everybody did.
///
/// # Errors
/// `not_found`.
pub fn visible(
    conn: &mut Conn,
    caller: Option<&Caller>,
    id: ClaimId,
) -> Result<(ProjectClaim, Project, Relation)> {
    let claim = store::claim(conn, id)?;
    let (project, _) = crate::projects::service::visible(conn, caller, claim.project_id)?;
    let relation = relation(conn, caller, &project, &claim)?;
    let is_public = LIVE.contains(&claim.status) || claim.status == ClaimStatus::Fulfilled;
    let was_in_crew = |conn: &mut Conn| match caller {
        Some(caller) => crews::ever_in(conn, id, caller.account),
        None => Ok(false),
    };
    if is_public || relation.is_involved() || was_in_crew(conn)? {
        Ok((claim, project, relation))
    } else {
        Err(Code::NotFound.into())
    }
}

/// A claim, its project and how the caller stands to it, as they are [`visible`], once nobody else is
/// about to change who holds the project.
pub(in crate::projects) fn alone(
    tx: &mut Tx<'_>,
    caller: &Caller,
    id: ClaimId,
) -> Result<(ProjectClaim, Project, Relation)> {
    let (seen, ..) = visible(tx.conn, Some(caller), id)?;
    serialize(tx, seen.project_id)?;
    visible(tx.conn, Some(caller), id)
}

/// A claim for a caller whose move it is, with its project.
fn to_move(
    tx: &mut Tx<'_>,
    caller: &Caller,
    id: ClaimId,
    verb: &str,
) -> Result<(ProjectClaim, Project)> {
    let (claim, project, relation) = alone(tx, caller, id)?;
    lifecycle::may(MOVES, relation, verb)?;
    Ok((claim, project))
}

/// A claim for its claimant.
fn of_claimant(tx: &mut Tx<'_>, caller: &Caller, id: ClaimId) -> Result<(ProjectClaim, Project)> {
    let (claim, project, relation) = alone(tx, caller, id)?;
    relation.acts_as(By::Claimant)?;
    Ok((claim, project))
}

/// Everything about who holds a project waits here for each other.
pub(in crate::projects) fn serialize(tx: &mut Tx<'_>, id: ProjectId) -> Result<()> {
    tx.serialize_on(&format!("project:{id}"))
}

/// How the claims of a project stand.
pub(in crate::projects) fn tally(conn: &mut Conn, of: ProjectId) -> Result<Tally> {
    let mut tally = Tally::default();
    for (status, count) in store::counts(conn, of)? {
        if LIVE.contains(&status) {
            tally.live += count;
        }
        if matches!(status, ClaimStatus::Executing | ClaimStatus::Reported) {
            tally.begun += count;
        }
        match status {
            ClaimStatus::Reported => tally.reported += count,
            ClaimStatus::Fulfilled => tally.fulfilled += count,
            _ => {}
        }
    }
    Ok(tally)
}

fn change(project: &Project, claim: &ProjectClaim, actor: Actor, verb: &str) -> Change {
    Change::new(actor, format!("project_claim.{verb}"), claim.id.0).region(project.region_id.0)
}

/// Makes one move: by the table, by compare-and-set, into the journal. What else changed in
/// `wanted` is written with it.
fn advance(
    tx: &mut Tx<'_>,
    project: &Project,
    wanted: &ProjectClaim,
    verb: &str,
    by: Actor,
    reason: Option<&str>,
) -> Result<ProjectClaim> {
    let to = step(tx.conn, project, wanted, verb, by)?;
    let stays = to == wanted.status;
    let moved = ProjectClaim {
        status: to,
        status_since: if stays { wanted.status_since } else { tx.now },
        ..wanted.clone()
    };
    if !store::save(tx.conn, &moved)? {
        // somebody was faster: say where it stands now
        let now = store::claim(tx.conn, wanted.id)?;
        return Err(refusal(tx.conn, project, &now, by));
    }
    tx.journal(
        change(project, wanted, by, verb)
            .states(wanted.status.into(), to.into())
            .reason(reason)
            .payload(serde_json::json!({ "project_id": project.id })),
    )?;
    store::claim(tx.conn, wanted.id)
}

/// The state that a move leads to.
fn step(
    conn: &mut Conn,
    project: &Project,
    claim: &ProjectClaim,
    verb: &str,
    by: Actor,
) -> Result<ClaimStatus> {
    let to = lifecycle::next(MOVES, claim.status, verb);
    to.ok_or_else(|| refusal(conn, project, claim, by))
}

/// Refuses what gives somebody a seat or a lease where the project does not go on.
fn goes_on(conn: &mut Conn, project: &Project, by: Actor) -> Result<()> {
    match claims_go_on(project.status) {
        Err(Code::MoveNotAllowed) => Err(crate::projects::service::refusal(conn, project, by)),
        goes_on => Ok(goes_on?),
    }
}

/// The refusal of a move that the table does not have, with those that are the mover's.
fn refusal(conn: &mut Conn, project: &Project, claim: &ProjectClaim, by: Actor) -> Error {
    let caller = Caller::of(conn, by);
    let stands = caller.and_then(|caller| relation(conn, caller.as_ref(), project, claim));
    match stands {
        Ok(stands) => lifecycle::refusal(MOVES, stands, claim.status),
        Err(error) => error,
    }
}

fn is_repeat(conn: &mut Conn, claim: &ProjectClaim, verb: &str, caller: &Caller) -> Result<bool> {
    let subject = ("project_claim", claim.id.0);
    lifecycle::is_repeat(conn, MOVES, subject, claim.status, verb, caller.actor())
}

/// Those who act for a claimant.
pub(in crate::projects) fn leaders(
    conn: &mut Conn,
    claim: &ProjectClaim,
) -> Result<Vec<AccountId>> {
    match (claim.organization_id, claim.person_id) {
        (Some(organization), _) => organizations::managers(conn, organization),
        (None, person) => Ok(person.into_iter().collect()),
    }
}

fn tell_claimant(
    tx: &mut Tx<'_>,
    project: &Project,
    claim: &ProjectClaim,
    kind: Kind,
    params: &[(&'static str, &str)],
) -> Result<()> {
    let to = leaders(tx.conn, claim)?;
    tell(tx, project, &to, kind, params)
}

/// What the claimant is called: an organisation's name, or what the person is called.
fn name(conn: &mut Conn, claim: &ProjectClaim) -> Result<String> {
    match (claim.organization_id, claim.person_id) {
        (Some(id), _) => Ok(organizations::organization(conn, id)?.name),
        (None, Some(id)) => Ok(crate::identity::account(conn, id)?.display_name),
        (None, None) => Ok(String::new()),
    }
}
