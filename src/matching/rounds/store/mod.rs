//! The SQL of batch rounds: the round and what it is over; its plans, its locks and what became of its
//! invitations have their own.

mod invitations;
mod locks;
mod plans;

use diesel::prelude::*;
use uuid::Uuid;

use super::model::{BatchRound, BatchRoundId, RoundStatus};
use crate::error::{Code, Result};
use crate::identity::AccountId;
use crate::platform::db::Conn;
use crate::projects::campaigns::BatchId;
use crate::projects::claims::{self, ProjectClaim};
use crate::projects::{ProjectId, RoleId};
use crate::regions::{self, RegionId};
use crate::schema::{project_claims, project_roles, projects, rounds, volunteers};

pub use invitations::*;
pub use locks::*;
pub use plans::*;

pub fn insert(conn: &mut Conn, round: &BatchRound) -> Result<()> {
    diesel::insert_into(rounds::table)
        .values(round)
        .execute(conn)?;
    Ok(())
}

pub fn round(conn: &mut Conn, id: BatchRoundId) -> Result<BatchRound> {
    rounds::table
        .find(id)
        .select(BatchRound::as_select())
        .first(conn)
        .optional()?
        .ok_or_else(|| Code::NotFound.into())
}

/// Writes the row and counts its version up, if it is still the version that was read.
pub fn save(conn: &mut Conn, changed: &BatchRound) -> Result<bool> {
    let same = rounds::table
        .filter(rounds::id.eq(changed.id))
        .filter(rounds::version.eq(changed.version));
    let saved = diesel::update(same)
        .set((
            rounds::title.eq(&changed.title),
            rounds::people_region_id.eq(changed.people_region_id),
            rounds::with_wishes.eq(changed.with_wishes),
            rounds::party_only.eq(changed.party_only),
            rounds::places_per_person.eq(changed.places_per_person),
            rounds::status.eq(changed.status),
            rounds::status_since.eq(changed.status_since),
            rounds::plan_number.eq(changed.plan_number),
            rounds::is_edited.eq(changed.is_edited),
            rounds::failure.eq(&changed.failure),
            rounds::committed_by.eq(changed.committed_by),
            rounds::answer_hours.eq(changed.answer_hours),
            rounds::is_automatic.eq(changed.is_automatic),
            rounds::resolves_left.eq(changed.resolves_left),
            rounds::goes_on.eq(changed.goes_on),
            rounds::note.eq(&changed.note),
            rounds::version.eq(changed.version + 1),
        ))
        .execute(conn)?;
    Ok(saved > 0)
}

/// Which rounds are asked for.
pub struct Query {
    /// In one of these regions or below them.
    pub within: Vec<RegionId>,
    /// Also those over any batch.
    pub of_batches: bool,
    pub status: Option<RoundStatus>,
    pub batch: Option<BatchId>,
    pub region: Option<RegionId>,
    pub before: Option<BatchRoundId>,
    pub limit: i64,
}

/// The newest first.
pub fn list(conn: &mut Conn, query: &Query) -> Result<Vec<BatchRound>> {
    let within = rounds::region_id.eq_any(regions::within_any(query.within.clone()));
    let mut rows = rounds::table.select(BatchRound::as_select()).into_boxed();
    rows = match query.of_batches {
        true => rows.filter(within.or(rounds::batch_id.is_not_null())),
        false => rows.filter(within),
    };
    if let Some(status) = query.status {
        rows = rows.filter(rounds::status.eq(status));
    }
    if let Some(batch) = query.batch {
        rows = rows.filter(rounds::batch_id.eq(batch));
    }
    if let Some(region) = query.region {
        rows = rows.filter(rounds::region_id.eq_any(regions::within(region)));
    }
    if let Some(before) = query.before {
        rows = rows.filter(rounds::id.lt(before));
    }
    Ok(rows
        .order(rounds::id.desc())
        .limit(query.limit + 1)
        .load(conn)?)
}

// ---- what a round is over

/// The ids of the roles of a batch's projects.
pub fn roles_of(conn: &mut Conn, batch: BatchId) -> Result<Vec<Uuid>> {
    let of: Vec<ProjectId> = projects::table
        .filter(projects::batch_id.eq(batch))
        .select(projects::id)
        .load(conn)?;
    let ids: Vec<RoleId> = project_roles::table
        .filter(project_roles::project_id.eq_any(of))
        .select(project_roles::id)
        .load(conn)?;
    Ok(ids.into_iter().map(|id| id.0).collect())
}

/// The volunteers of a region.
pub fn volunteers_of(conn: &mut Conn, region: RegionId) -> Result<Vec<AccountId>> {
    Ok(volunteers::table
        .filter(volunteers::region_id.eq_any(regions::within(region)))
        .order(volunteers::account_id)
        .select(volunteers::account_id)
        .load(conn)?)
}

/// How many there are.
pub fn count_volunteers(conn: &mut Conn, region: RegionId) -> Result<i64> {
    Ok(volunteers::table
        .filter(volunteers::region_id.eq_any(regions::within(region)))
        .count()
        .get_result(conn)?)
}

/// The live claims of a role's project, each of which has a crew.
pub fn crews_of(conn: &mut Conn, role: RoleId) -> Result<Vec<ProjectClaim>> {
    let project = project_roles::table
        .filter(project_roles::id.eq(role))
        .select(project_roles::project_id);
    Ok(project_claims::table
        .filter(project_claims::project_id.eq_any(project))
        .filter(project_claims::status.eq_any(claims::rules::LIVE.to_vec()))
        .order(project_claims::id)
        .select(ProjectClaim::as_select())
        .load(conn)?)
}
