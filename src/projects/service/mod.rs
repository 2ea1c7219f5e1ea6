//! What can be done with projects: writing them down, and the moves of their lives.

mod editing;
mod moves;
mod writing;

use super::model::{Project, ProjectId, ProjectStatus};
use super::rules::{self, By, MOVES, ProjectRules, Relation};
use super::store;
use super::{campaigns, claims};
use crate::error::{Code, Error, Result};
use crate::identity::{AccountId, Caller, Role};
use crate::notifications::{self, Kind, Notice, notify};
use crate::organizations;
use crate::platform::columns::Uid;
use crate::platform::db::{Conn, Tx};
use crate::platform::journal::{self, Actor, Change};
use crate::platform::lifecycle::{self, ActsAs};
use crate::platform::token::Vault;

pub use editing::{EditProject, edit};
pub(in crate::projects) use moves::open_batch;
pub use moves::{
    approve, archive, cancel, close_claims, open, resume, revise, send_back, submit, suspend, sweep,
};
pub use writing::{NewProject, NewRole, create};
pub(in crate::projects) use writing::{check, draft, write_roles};

/// What every write of this room needs beside its transaction.
#[derive(Clone)]
pub struct Desk {
    /// The room's numbers.
    pub rules: ProjectRules,
    /// Opens what is sealed of a Party membership.
    pub vault: Vault,
}

/// How a caller stands to a project.
///
/// # Errors
/// Those of the database.
pub fn relation(conn: &mut Conn, caller: Option<&Caller>, project: &Project) -> Result<Relation> {
    let Some(caller) = caller else {
        return Ok(Relation::default());
    };
    let reviewer = caller.holds_in_region(conn, &[Role::RegionAdmin], project.region_id)?;
    let author = project.author_id == caller.account;
    let belongs = |role| {
        let organization = project.organization_id;
        organization.is_some_and(|id| caller.holds(role, id.0))
    };
    let manages = belongs(Role::OrganizationManager);
    let member = belongs(Role::OrganizationMember);
    let barred = match manages || reviewer {
        true => barred(conn, project)?,
        false => None,
    };
    Ok(Relation {
        author,
        publisher: match project.organization_id {
            Some(_) => manages || (barred.is_some() && reviewer && !member),
            None => reviewer,
        },
        barred: barred.filter(|_| manages),
        reviewer,
        reviews_own: reviewer && (author || manages || member || wrote(conn, caller, project)?),
    })
}

/// What keeps the organisation that published a project from acting, if there is one and anything
/// does: then the staff of the project's region act in its place, and it takes no new claims.
///
/// # Errors
/// Those of the database.
pub(in crate::projects) fn barred(conn: &mut Conn, project: &Project) -> Result<Option<Code>> {
    let Some(id) = project.organization_id else {
        return Ok(None);
    };
    let publisher = organizations::organization(conn, id)?;
    match organizations::may_act(conn, &publisher, project.region_id) {
        Ok(()) => Ok(None),
        Err(Error::Problem(why)) => Ok(Some(why.code)),
        Err(error) => Err(error),
    }
}

/// A project and how the caller stands to it; nothing of one the caller may not see. Those who
/// have or had a claim or a place in a crew keep seeing it, also once it is cancelled.
///
/// # Errors
/// `not_found`.
pub fn visible(
    conn: &mut Conn,
    caller: Option<&Caller>,
    id: ProjectId,
) -> Result<(Project, Relation)> {
    let project = store::project(conn, id)?;
    let relation = relation(conn, caller, &project)?;
    let took_part = |conn: &mut Conn| match caller {
        Some(caller) => claims::took_part(conn, caller, id),
        None => Ok(false),
    };
    if relation.may_see(project.status) || took_part(conn)? {
        Ok((project, relation))
    } else {
        Err(Code::NotFound.into())
    }
}

/// A project for a caller whose move it is, once nobody else is about to move it or to change who
/// holds it.
fn to_move(tx: &mut Tx<'_>, caller: &Caller, id: ProjectId, verb: &str) -> Result<Project> {
    claims::serialize(tx, id)?;
    let (project, relation) = visible(tx.conn, Some(caller), id)?;
    lifecycle::may(MOVES, relation, verb)?;
    if verb == "cancel" {
        rules::cancels(&project, relation)?;
    }
    Ok(project)
}

/// A project for those who act for its publisher.
fn of_publisher(conn: &mut Conn, caller: &Caller, id: ProjectId) -> Result<Project> {
    let (project, relation) = visible(conn, Some(caller), id)?;
    relation.acts_as(By::Publisher)?;
    Ok(project)
}

/// Whether somebody moves what an organisation published for the region: its managers are told.
fn is_for_region(caller: &Caller, project: &Project) -> bool {
    let publisher = project.organization_id;
    publisher.is_some_and(|id| !caller.holds(Role::OrganizationManager, id.0))
}

/// Whether the caller wrote, changed or handed a project in, or approved it, by what the journal
/// says.
///
/// # Errors
/// Those of the database.
pub(in crate::projects) fn had_a_hand_in(
    conn: &mut Conn,
    caller: &Caller,
    project: &Project,
) -> Result<bool> {
    Ok(wrote(conn, caller, project)?
        || journal::has_done(
            conn,
            caller.account.0,
            "project",
            project.id.0,
            &["approve"],
        )?)
}

fn wrote(conn: &mut Conn, caller: &Caller, project: &Project) -> Result<bool> {
    let verbs = ["create", "edit", "submit", "import"];
    journal::has_done(conn, caller.account.0, "project", project.id.0, &verbs)
}

pub(in crate::projects) fn change(project: &Project, actor: Actor, verb: &str) -> Change {
    Change::new(actor, format!("project.{verb}"), project.id.0).region(project.region_id.0)
}

/// Makes one move: by the table, by compare-and-set, into the journal.
fn advance(
    tx: &mut Tx<'_>,
    project: &Project,
    verb: &str,
    by: Actor,
    reason: Option<&str>,
) -> Result<Project> {
    let to = step(tx.conn, project, verb, by)?;
    let moved = Project {
        status: to,
        status_since: tx.now,
        ..project.clone()
    };
    if !store::save(tx.conn, &moved)? {
        // somebody was faster: say where it stands now
        let now = store::project(tx.conn, project.id)?;
        return Err(refusal(tx.conn, &now, by));
    }
    tx.journal(
        change(project, by, verb)
            .states(project.status.into(), to.into())
            .reason(reason),
    )?;
    store::project(tx.conn, project.id)
}

/// The state that a move leads to.
fn step(conn: &mut Conn, project: &Project, verb: &str, by: Actor) -> Result<ProjectStatus> {
    let to = lifecycle::next(MOVES, project.status, verb);
    to.ok_or_else(|| refusal(conn, project, by))
}

/// The refusal of a move that the table does not have, with those that are the mover's.
pub(in crate::projects) fn refusal(conn: &mut Conn, project: &Project, by: Actor) -> Error {
    let caller = Caller::of(conn, by);
    let stands = caller.and_then(|caller| relation(conn, caller.as_ref(), project));
    match stands {
        Ok(stands) => rules::refusal(project, stands),
        Err(error) => error,
    }
}

fn is_repeat(conn: &mut Conn, project: &Project, verb: &str, caller: &Caller) -> Result<bool> {
    let subject = ("project", project.id.0);
    lifecycle::is_repeat(conn, MOVES, subject, project.status, verb, caller.actor())
}

pub(in crate::projects) fn notice(project: &Project, to: AccountId, kind: Kind) -> Notice {
    Notice::titled(to, kind, ("project", project.id.0), &project.title)
}

/// Tells those who act for the publisher, the organisation's managers or the region's staff, who do
/// so too while the organisation may not act, and the author; not the one who did it.
pub(in crate::projects) fn tell_publisher(
    tx: &mut Tx<'_>,
    project: &Project,
    by: Actor,
    kind: Kind,
    params: &[(&'static str, &str)],
) -> Result<()> {
    let mut to = vec![project.author_id];
    if let Some(organization) = project.organization_id {
        to.extend(organizations::managers(tx.conn, organization)?);
    }
    if project.organization_id.is_none() || barred(tx.conn, project)?.is_some() {
        to.extend(notifications::staff_of(tx.conn, project.region_id)?);
    }
    to.sort_unstable();
    to.dedup();
    to.retain(|account| by != Actor::Account(Uid(account.0)));
    tell(tx, project, &to, kind, params)
}

/// Tells people about a project.
pub(in crate::projects) fn tell(
    tx: &mut Tx<'_>,
    project: &Project,
    to: &[AccountId],
    kind: Kind,
    params: &[(&'static str, &str)],
) -> Result<()> {
    for to in to {
        notify(tx, &notice(project, *to, kind).with_all(params))?;
    }
    Ok(())
}

/// Whether nobody can claim a project any more, because it is over or its batch's window has closed.
fn claiming_is_closed(tx: &mut Tx<'_>, project: &Project) -> Result<bool> {
    if rules::is_over(project, tx.today()) {
        return Ok(true);
    }
    match project.batch_id {
        Some(batch) => Ok(campaigns::batch(tx.conn, batch)?.0.closes_at <= tx.now),
        None => Ok(false),
    }
}

/// Moves a project on to where its claims have brought it.
pub(in crate::projects) fn follow_claims(tx: &mut Tx<'_>, id: ProjectId) -> Result<Project> {
    let tally = claims::tally(tx.conn, id)?;
    let mut project = store::project(tx.conn, id)?;
    let closed = claiming_is_closed(tx, &project)?;
    while let Some(verb) = rules::follow(project.status, project.claim_seats, closed, tally) {
        project = advance(tx, &project, verb, Actor::System, None)?;
        if project.status == ProjectStatus::Completed {
            claims::complete(tx, &project)?;
        }
    }
    Ok(project)
}
