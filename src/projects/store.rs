//! The SQL of projects and their roles; claims and crews have their own.

use std::collections::{HashMap, HashSet};

use chrono::NaiveDate;
use diesel::prelude::*;

use super::campaigns::BatchId;
use super::claims::{self, ClaimStatus};
use super::model::{Project, ProjectId, ProjectRole, ProjectStatus, RoleId};
use super::rules::PUBLIC;
use crate::error::{Code, Result};
use crate::identity::AccountId;
use crate::newest_first;
use crate::organizations::OrganizationId;
use crate::platform::clock::Instant;
use crate::platform::columns::{like, lower};
use crate::platform::db::{Conn, Newest};
use crate::regions::{self, RegionId};
use crate::schema::{batches, project_claims, project_roles, projects};
use crate::taxonomies::LifeCycle;

/// A project.
///
/// # Errors
/// `not_found`.
pub fn project(conn: &mut Conn, id: ProjectId) -> Result<Project> {
    projects::table
        .find(id)
        .select(Project::as_select())
        .first(conn)
        .optional()?
        .ok_or_else(|| Code::NotFound.into())
}

/// Several projects, by their ids.
pub fn projects_of(conn: &mut Conn, ids: &[ProjectId]) -> Result<HashMap<ProjectId, Project>> {
    let rows: Vec<Project> = projects::table
        .filter(projects::id.eq_any(ids.to_vec()))
        .select(Project::as_select())
        .load(conn)?;
    Ok(rows.into_iter().map(|row| (row.id, row)).collect())
}

/// Those of some projects that are suspended.
///
/// # Errors
/// Those of the database.
pub fn suspended_among(conn: &mut Conn, ids: &[ProjectId]) -> Result<HashSet<ProjectId>> {
    let found: Vec<ProjectId> = projects::table
        .filter(projects::id.eq_any(ids.to_vec()))
        .filter(projects::status.eq(ProjectStatus::Suspended))
        .select(projects::id)
        .load(conn)?;
    Ok(found.into_iter().collect())
}

/// Several roles, by their ids.
pub fn roles_of(conn: &mut Conn, ids: &[RoleId]) -> Result<HashMap<RoleId, ProjectRole>> {
    let rows: Vec<ProjectRole> = project_roles::table
        .filter(project_roles::id.eq_any(ids.to_vec()))
        .select(ProjectRole::as_select())
        .load(conn)?;
    Ok(rows.into_iter().map(|row| (row.id, row)).collect())
}

/// When the public found it first: now, if it finds it now and did not before.
fn published_at(project: &Project) -> Option<Instant> {
    let is_public = PUBLIC.contains(&project.status);
    let now = is_public.then_some(project.status_since);
    project.published_at.or(now)
}

pub fn insert(conn: &mut Conn, project: &Project) -> Result<()> {
    let project = Project {
        published_at: published_at(project),
        ..project.clone()
    };
    diesel::insert_into(projects::table)
        .values(&project)
        .execute(conn)?;
    Ok(())
}

/// Writes the row and counts its version up, if it is still the version that was read.
pub fn save(conn: &mut Conn, changed: &Project) -> Result<bool> {
    let next = Project {
        version: changed.version + 1,
        published_at: published_at(changed),
        ..changed.clone()
    };
    let same = projects::table
        .filter(projects::id.eq(changed.id))
        .filter(projects::version.eq(changed.version));
    Ok(diesel::update(same).set(&next).execute(conn)? > 0)
}

/// The roles of a project, in their order.
///
/// # Errors
/// Those of the database.
pub fn roles(conn: &mut Conn, of: ProjectId) -> Result<Vec<ProjectRole>> {
    Ok(project_roles::table
        .filter(project_roles::project_id.eq(of))
        .order(project_roles::place)
        .select(ProjectRole::as_select())
        .load(conn)?)
}

pub fn role(conn: &mut Conn, id: RoleId) -> Result<ProjectRole> {
    project_roles::table
        .find(id)
        .select(ProjectRole::as_select())
        .first(conn)
        .optional()?
        .ok_or_else(|| Code::NotFound.into())
}

pub fn replace_roles(conn: &mut Conn, of: ProjectId, roles: &[ProjectRole]) -> Result<()> {
    diesel::delete(project_roles::table.filter(project_roles::project_id.eq(of))).execute(conn)?;
    for role in roles {
        diesel::insert_into(project_roles::table)
            .values(role)
            .execute(conn)?;
    }
    Ok(())
}

/// Writes a role anew, in its place.
pub fn update_role(conn: &mut Conn, role: &ProjectRole) -> Result<()> {
    diesel::update(project_roles::table.find(role.id))
        .set((
            project_roles::name.eq(&role.name),
            project_roles::seats.eq(role.seats),
            project_roles::qualification.eq(&role.qualification),
            project_roles::skills.eq(&role.skills),
        ))
        .execute(conn)?;
    Ok(())
}

/// What a list of projects asks for.
#[derive(Clone, Debug, Default)]
pub struct Query {
    /// Only those that stand in one of these.
    pub statuses: Vec<ProjectStatus>,
    /// Only those of this batch.
    pub batch: Option<BatchId>,
    /// Only those in this region or below it.
    pub within: Option<RegionId>,
    /// Only those in this field.
    pub field: Option<String>,
    /// Only those that serve this goal.
    pub life_cycle: Option<LifeCycle>,
    /// Only those whose title or summary holds this text.
    pub text: Option<String>,
    /// Only those written by this account.
    pub author: Option<AccountId>,
    /// Only those published by this organisation.
    pub organization: Option<OrganizationId>,
    /// Only those whose last day is not before this one.
    pub not_over_on: Option<NaiveDate>,
    /// In which order.
    pub order: Newest<ProjectId>,
    /// Rows a page holds; one more is answered where there is one.
    pub limit: i64,
}

/// The newest first.
///
/// # Errors
/// Those of the database.
pub fn list(conn: &mut Conn, query: &Query) -> Result<Vec<Project>> {
    let mut rows = projects::table
        .filter(projects::status.eq_any(query.statuses.clone()))
        .select(Project::as_select())
        .into_boxed();
    if let Some(batch) = query.batch {
        rows = rows.filter(projects::batch_id.eq(batch));
    }
    if let Some(region) = query.within {
        rows = rows.filter(projects::region_id.eq_any(regions::within(region)));
    }
    if let Some(field) = &query.field {
        rows = rows.filter(projects::field.eq(field.clone()));
    }
    if let Some(life_cycle) = query.life_cycle {
        rows = rows.filter(projects::life_cycle.eq(life_cycle));
    }
    if let Some(text) = &query.text {
        let like = like(text);
        let title = lower(projects::title).like(like.clone()).escape('\\');
        rows = rows.filter(title.or(lower(projects::summary).like(like).escape('\\')));
    }
    if let Some(author) = query.author {
        rows = rows.filter(projects::author_id.eq(author));
    }
    if let Some(organization) = query.organization {
        rows = rows.filter(projects::organization_id.eq(organization));
    }
    if let Some(day) = query.not_over_on {
        rows = rows.filter(projects::ends_on.ge(day));
    }
    let rows = newest_first!(rows, projects, query.order);
    Ok(rows.limit(query.limit + 1).load(conn)?)
}

/// Open projects that nobody can claim any more, by their last day or their batch's window, and of
/// which a claim seat is taken.
pub fn closed_and_claimed(
    conn: &mut Conn,
    today: NaiveDate,
    now: Instant,
    limit: i64,
) -> Result<Vec<ProjectId>> {
    let mut seated = claims::rules::LIVE.to_vec();
    seated.push(ClaimStatus::Fulfilled);
    let claimed = project_claims::table
        .filter(project_claims::status.eq_any(seated))
        .select(project_claims::project_id);
    let shut = batches::table
        .filter(batches::closes_at.le(now))
        .select(batches::id.nullable());
    let is_shut = projects::batch_id.eq_any(shut).assume_not_null();
    Ok(projects::table
        .filter(projects::status.eq(ProjectStatus::Open))
        .filter(projects::ends_on.lt(today).or(is_shut))
        .filter(projects::id.eq_any(claimed))
        .order(projects::id)
        .limit(limit)
        .select(projects::id)
        .load(conn)?)
}

/// Projects whose last day is over, for which somebody waits while nobody holds a claim seat.
pub fn over_and_waited_for(
    conn: &mut Conn,
    today: NaiveDate,
    limit: i64,
) -> Result<Vec<ProjectId>> {
    let with = |states: &[ClaimStatus]| {
        project_claims::table
            .filter(project_claims::status.eq_any(states.to_vec()))
            .select(project_claims::project_id)
    };
    Ok(projects::table
        .filter(projects::ends_on.lt(today))
        .filter(projects::id.eq_any(with(claims::rules::WAITING)))
        .filter(projects::id.ne_all(with(claims::rules::LIVE)))
        .order(projects::id)
        .limit(limit)
        .select(projects::id)
        .load(conn)?)
}

/// How many projects that live on a day serve each goal, in a region and below it.
pub fn coverage(
    conn: &mut Conn,
    within: RegionId,
    statuses: &[ProjectStatus],
    today: NaiveDate,
) -> Result<Vec<(LifeCycle, i64)>> {
    Ok(projects::table
        .filter(projects::region_id.eq_any(regions::within(within)))
        .filter(projects::status.eq_any(statuses.to_vec()))
        .filter(projects::ends_on.ge(today))
        .group_by(projects::life_cycle)
        .select((projects::life_cycle, diesel::dsl::count_star()))
        .load(conn)?)
}
