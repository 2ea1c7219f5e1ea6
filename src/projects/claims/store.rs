//! The SQL of claims.

use std::collections::HashMap;

use diesel::prelude::*;

use super::model::{ClaimId, ClaimStatus, Photo, PhotoId, Progress, ProgressId, ProjectClaim};
use super::rules::LIVE;
use crate::error::{Code, Result};
use crate::identity::AccountId;
use crate::organizations::OrganizationId;
use crate::platform::clock::Instant;
use crate::platform::db::Conn;
use crate::projects::model::{ProjectId, ProjectStatus};
use crate::schema::{claim_photos, claim_progress, project_claims, projects};

/// A claim.
///
/// # Errors
/// `not_found`.
pub fn claim(conn: &mut Conn, id: ClaimId) -> Result<ProjectClaim> {
    project_claims::table
        .find(id)
        .select(ProjectClaim::as_select())
        .first(conn)
        .optional()?
        .ok_or_else(|| Code::NotFound.into())
}

/// Several claims, by their ids.
///
/// # Errors
/// Those of the database.
pub fn claims_of(conn: &mut Conn, ids: &[ClaimId]) -> Result<HashMap<ClaimId, ProjectClaim>> {
    let rows: Vec<ProjectClaim> = project_claims::table
        .filter(project_claims::id.eq_any(ids.to_vec()))
        .select(ProjectClaim::as_select())
        .load(conn)?;
    Ok(rows.into_iter().map(|row| (row.id, row)).collect())
}

pub fn insert(conn: &mut Conn, claim: &ProjectClaim) -> Result<()> {
    diesel::insert_into(project_claims::table)
        .values(claim)
        .execute(conn)?;
    Ok(())
}

/// Writes the row and counts its version up, if it is still the version that was read.
pub fn save(conn: &mut Conn, changed: &ProjectClaim) -> Result<bool> {
    let next = ProjectClaim {
        version: changed.version + 1,
        ..changed.clone()
    };
    let same = project_claims::table
        .filter(project_claims::id.eq(changed.id))
        .filter(project_claims::version.eq(changed.version));
    Ok(diesel::update(same).set(&next).execute(conn)? > 0)
}

/// The claims that hold a seat of a project.
///
/// # Errors
/// Those of the database.
pub fn holders(conn: &mut Conn, of: ProjectId) -> Result<Vec<ProjectClaim>> {
    in_states(conn, of, LIVE)
}

/// The claims that hold a seat of one of these projects.
///
/// # Errors
/// Those of the database.
pub fn holders_of(conn: &mut Conn, of: &[ProjectId]) -> Result<Vec<ProjectClaim>> {
    Ok(project_claims::table
        .filter(project_claims::project_id.eq_any(of.to_vec()))
        .filter(project_claims::status.eq_any(LIVE.to_vec()))
        .order((project_claims::created_at, project_claims::id))
        .select(ProjectClaim::as_select())
        .load(conn)?)
}

/// The claims of a project in some states, in the order of their line.
pub fn in_states(
    conn: &mut Conn,
    of: ProjectId,
    states: &[ClaimStatus],
) -> Result<Vec<ProjectClaim>> {
    Ok(project_claims::table
        .filter(project_claims::project_id.eq(of))
        .filter(project_claims::status.eq_any(states.to_vec()))
        .order((project_claims::created_at, project_claims::id))
        .select(ProjectClaim::as_select())
        .load(conn)?)
}

/// Every claim of a project, in the order of their line.
pub fn of_project(conn: &mut Conn, of: ProjectId) -> Result<Vec<ProjectClaim>> {
    use strum::VariantArray;
    in_states(conn, of, ClaimStatus::VARIANTS)
}

/// Whether a person, or one of some organisations, has or had a claim of a project.
pub fn is_claimant(
    conn: &mut Conn,
    of: ProjectId,
    person: AccountId,
    organizations: &[OrganizationId],
) -> Result<bool> {
    let is_person = project_claims::person_id.eq(person).assume_not_null();
    let theirs = project_claims::organization_id
        .eq_any(organizations.to_vec())
        .assume_not_null();
    let claims = project_claims::table
        .filter(project_claims::project_id.eq(of))
        .filter(is_person.or(theirs));
    Ok(claims.count().get_result::<i64>(conn)? > 0)
}

/// The claims of a project that are not over, in the order of their line.
pub fn open_ones(conn: &mut Conn, of: ProjectId) -> Result<Vec<ProjectClaim>> {
    Ok(project_claims::table
        .filter(project_claims::project_id.eq(of))
        .filter(project_claims::ended_at.is_null())
        .order((project_claims::created_at, project_claims::id))
        .select(ProjectClaim::as_select())
        .load(conn)?)
}

/// How many claims of a project there are in each state.
pub fn counts(conn: &mut Conn, of: ProjectId) -> Result<Vec<(ClaimStatus, i64)>> {
    Ok(project_claims::table
        .filter(project_claims::project_id.eq(of))
        .group_by(project_claims::status)
        .select((project_claims::status, diesel::dsl::count_star()))
        .load(conn)?)
}

/// The claim of a claimant for a project that is not over.
pub fn standing(
    conn: &mut Conn,
    of: ProjectId,
    organization: Option<OrganizationId>,
    person: Option<AccountId>,
) -> Result<Option<ProjectClaim>> {
    let mut rows = project_claims::table
        .filter(project_claims::project_id.eq(of))
        .filter(project_claims::ended_at.is_null())
        .select(ProjectClaim::as_select())
        .into_boxed();
    rows = match (organization, person) {
        (Some(organization), _) => rows.filter(project_claims::organization_id.eq(organization)),
        (None, person) => rows.filter(project_claims::person_id.eq(person)),
    };
    Ok(rows.first(conn).optional()?)
}

/// When a claimant last lost a claim of a project: it expired or was revoked.
pub fn last_lost(
    conn: &mut Conn,
    of: ProjectId,
    organization: Option<OrganizationId>,
    person: Option<AccountId>,
) -> Result<Option<Instant>> {
    let mut rows = project_claims::table
        .filter(project_claims::project_id.eq(of))
        .filter(project_claims::status.eq_any([ClaimStatus::Expired, ClaimStatus::Revoked]))
        .select(project_claims::ended_at)
        .into_boxed();
    rows = match (organization, person) {
        (Some(organization), _) => rows.filter(project_claims::organization_id.eq(organization)),
        (None, person) => rows.filter(project_claims::person_id.eq(person)),
    };
    let last: Option<Option<Instant>> = rows
        .order(project_claims::ended_at.desc())
        .first(conn)
        .optional()?;
    Ok(last.flatten())
}

/// How many claims of a claimant hold a seat.
pub fn count_live(
    conn: &mut Conn,
    organization: Option<OrganizationId>,
    person: Option<AccountId>,
) -> Result<i64> {
    let mut rows = project_claims::table
        .filter(project_claims::status.eq_any(LIVE.to_vec()))
        .into_boxed();
    rows = match (organization, person) {
        (Some(organization), _) => rows.filter(project_claims::organization_id.eq(organization)),
        (None, person) => rows.filter(project_claims::person_id.eq(person)),
    };
    Ok(rows.count().get_result(conn)?)
}

/// The projects in whose lines a claimant stands.
pub fn waits_for(
    conn: &mut Conn,
    organization: Option<OrganizationId>,
    person: Option<AccountId>,
) -> Result<Vec<ProjectId>> {
    let mut rows = project_claims::table
        .filter(project_claims::status.eq(ClaimStatus::Waitlisted))
        .select(project_claims::project_id)
        .into_boxed();
    rows = match (organization, person) {
        (Some(organization), _) => rows.filter(project_claims::organization_id.eq(organization)),
        (None, person) => rows.filter(project_claims::person_id.eq(person)),
    };
    Ok(rows.order(project_claims::project_id).load(conn)?)
}

/// The claims of an organisation that are not over, by project.
pub fn of_organization(conn: &mut Conn, of: OrganizationId) -> Result<Vec<ProjectClaim>> {
    Ok(project_claims::table
        .filter(project_claims::organization_id.eq(of))
        .filter(project_claims::ended_at.is_null())
        .order(project_claims::project_id)
        .select(ProjectClaim::as_select())
        .load(conn)?)
}

/// The claims of a person and of some organisations, the newest first.
pub fn of_claimants(
    conn: &mut Conn,
    person: AccountId,
    organizations: &[OrganizationId],
    before: Option<ClaimId>,
    limit: i64,
) -> Result<Vec<ProjectClaim>> {
    let is_person = project_claims::person_id.eq(person).assume_not_null();
    let theirs = project_claims::organization_id
        .eq_any(organizations.to_vec())
        .assume_not_null();
    let mut rows = project_claims::table
        .filter(is_person.or(theirs))
        .select(ProjectClaim::as_select())
        .into_boxed();
    if let Some(before) = before {
        rows = rows.filter(project_claims::id.lt(before));
    }
    Ok(rows
        .order(project_claims::id.desc())
        .limit(limit + 1)
        .load(conn)?)
}

/// The claims whose lease has run out. Under a suspended project none ends.
pub fn overdue(conn: &mut Conn, now: Instant, limit: i64) -> Result<Vec<ProjectClaim>> {
    Ok(project_claims::table
        .inner_join(projects::table)
        .filter(project_claims::lease_until.le(now))
        .filter(projects::status.ne(ProjectStatus::Suspended))
        .order(project_claims::lease_until)
        .limit(limit)
        .select(ProjectClaim::as_select())
        .load(conn)?)
}

// ---- progress and photos

/// Whether a photo of a claim, or its thumbnail, is kept in this file.
///
/// # Errors
/// Those of the database.
pub fn keeps_file(conn: &mut Conn, file: &str) -> Result<bool> {
    let photos = claim_photos::table.filter(
        claim_photos::photo
            .eq(file)
            .or(claim_photos::thumbnail.eq(file)),
    );
    Ok(diesel::select(diesel::dsl::exists(photos)).get_result(conn)?)
}

pub fn insert_progress(conn: &mut Conn, progress: &Progress) -> Result<()> {
    diesel::insert_into(claim_progress::table)
        .values(progress)
        .execute(conn)?;
    Ok(())
}

/// The oldest first.
pub fn progress(conn: &mut Conn, of: ClaimId) -> Result<Vec<Progress>> {
    Ok(claim_progress::table
        .filter(claim_progress::claim_id.eq(of))
        .order(claim_progress::id)
        .select(Progress::as_select())
        .load(conn)?)
}

pub fn insert_photo(conn: &mut Conn, photo: &Photo) -> Result<()> {
    diesel::insert_into(claim_photos::table)
        .values(photo)
        .execute(conn)?;
    Ok(())
}

/// The oldest first.
pub fn photos(conn: &mut Conn, of: ClaimId) -> Result<Vec<Photo>> {
    Ok(claim_photos::table
        .filter(claim_photos::claim_id.eq(of))
        .order(claim_photos::id)
        .select(Photo::as_select())
        .load(conn)?)
}

pub fn photo(conn: &mut Conn, of: ClaimId, id: PhotoId) -> Result<Photo> {
    claim_photos::table
        .find(id)
        .filter(claim_photos::claim_id.eq(of))
        .select(Photo::as_select())
        .first(conn)
        .optional()?
        .ok_or_else(|| Code::NotFound.into())
}

/// Puts photos into an entry of progress; returns how many were of this claim and in none yet.
pub fn put_into_progress(
    conn: &mut Conn,
    of: ClaimId,
    photos: &[PhotoId],
    entry: ProgressId,
) -> Result<usize> {
    let unused = claim_photos::table
        .filter(claim_photos::claim_id.eq(of))
        .filter(claim_photos::id.eq_any(photos.to_vec()))
        .filter(claim_photos::progress_id.is_null())
        .filter(claim_photos::in_report.eq(false));
    Ok(diesel::update(unused)
        .set(claim_photos::progress_id.eq(Some(entry)))
        .execute(conn)?)
}

/// Puts photos into the completion report; returns how many were of this claim.
pub fn put_into_report(conn: &mut Conn, of: ClaimId, photos: &[PhotoId]) -> Result<usize> {
    let theirs = claim_photos::table
        .filter(claim_photos::claim_id.eq(of))
        .filter(claim_photos::id.eq_any(photos.to_vec()));
    Ok(diesel::update(theirs)
        .set(claim_photos::in_report.eq(true))
        .execute(conn)?)
}
