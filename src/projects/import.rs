use serde_json::json;

use super::model::{Project, ProjectId, ProjectStatus};
use super::rules;
use super::service::{NewProject, change, check, draft, write_roles};
use super::store;
use crate::error::{Code, Problem, Result, together};
use crate::identity::AccountId;
use crate::platform::columns::Json;
use crate::platform::db::Tx;
use crate::platform::http::valid;
use crate::platform::journal::Actor;

/// Takes over a project from somewhere else, or brings `known` up to date: as a draft, or open at
/// once, reviewed where it comes from; then it must be complete as for a submission. What is open
/// here stays so. An update leaves the roles alone when there are several.
///
/// # Errors
/// `invalid` with every wrong field; `changed_here` once the project went on here.
pub fn import(
    tx: &mut Tx<'_>,
    actor: Actor,
    author: AccountId,
    known: Option<ProjectId>,
    new: &NewProject,
    status: ProjectStatus,
) -> Result<Project> {
    let known = known.map(|id| store::project(tx.conn, id)).transpose()?;
    let mut project = Project {
        status,
        ..draft(tx, author, new)
    };
    if let Some(known) = &known {
        if !matches!(known.status, ProjectStatus::Draft | ProjectStatus::Open) {
            return Err(Code::ChangedHere.into());
        }
        project = Project {
            id: known.id,
            batch_id: known.batch_id,
            author_id: known.author_id,
            party_only: known.party_only,
            created_at: known.created_at,
            published_at: known.published_at,
            version: known.version,
            status: if known.status == ProjectStatus::Open {
                ProjectStatus::Open
            } else {
                status
            },
            ..project
        };
        if project.status == known.status {
            project.status_since = known.status_since;
        }
    }
    let kept = match &known {
        Some(known) => store::roles(tx.conn, known.id)?,
        None => Vec::new(),
    };
    let mut missing = Problem::new(Code::Invalid);
    if project.status == ProjectStatus::Open {
        let seats: Vec<_> = if kept.len() > 1 {
            kept.iter().map(|role| role.seats).collect()
        } else {
            new.roles.iter().map(|role| role.seats).collect()
        };
        missing.errors = rules::misses(&project, &seats, tx.today());
    }
    let region = known.as_ref().map(|known| known.region_id);
    together([
        valid::check(new, ""),
        check(tx, &project, region, &new.roles),
        Err(missing.into()),
    ])?;
    match &known {
        None => {
            store::insert(tx.conn, &project)?;
            write_roles(tx.conn, project.id, &new.roles)?;
        }
        Some(_) => {
            if !store::save(tx.conn, &project)? {
                return Err(Code::VersionMismatch.into());
            }
            // a role keeps its id: people may stand in it
            if let ([role], [wanted]) = (kept.as_slice(), new.roles.as_slice()) {
                let mut role = role.clone();
                role.name.clone_from(&wanted.name);
                role.seats = wanted.seats;
                role.qualification.clone_from(&wanted.qualification);
                role.skills = Json(wanted.skills.clone());
                store::update_role(tx.conn, &role)?;
            }
        }
    }
    let mut change = change(&project, actor, "import").payload(json!({ "new": known.is_none() }));
    let before = known.map_or(ProjectStatus::Draft, |known| known.status);
    if before != project.status {
        change = change.states(before.into(), project.status.into());
    }
    tx.journal(change)?;
    store::project(tx.conn, project.id)
}
