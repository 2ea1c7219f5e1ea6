//! The SQL of crews.

use chrono::NaiveDate;
use diesel::prelude::*;

use super::model::{CrewMember, CrewMemberId, CrewStatus};
use super::rules::Schedule;
use crate::each;
use crate::error::{Code, Result};
use crate::identity::AccountId;
use crate::platform::columns::Json;
use crate::platform::db::{Conn, Prepared, Tx};
use crate::projects::claims::{self, ClaimId};
use crate::projects::model::{ProjectId, RoleId};
use crate::schema::{crew_members, project_claims, project_roles, projects};
use crate::volunteers::Window;

pub fn member(conn: &mut Conn, id: CrewMemberId) -> Result<CrewMember> {
    crew_members::table
        .find(id)
        .select(CrewMember::as_select())
        .first(conn)
        .optional()?
        .ok_or_else(|| Code::NotFound.into())
}

pub fn insert(conn: &mut Conn, member: &CrewMember) -> Result<()> {
    diesel::insert_into(crew_members::table)
        .values(member)
        .execute(conn)?;
    Ok(())
}

/// Moves by compare-and-set; false when somebody else was faster.
pub fn advance(tx: &mut Tx<'_>, seen: &CrewMember, to: CrewStatus) -> Result<bool> {
    let ended = (to != CrewStatus::Active).then_some(tx.now);
    let same = crew_members::table
        .filter(crew_members::id.eq(seen.id))
        .filter(crew_members::status.eq(seen.status));
    let moved = diesel::update(same)
        .set((
            crew_members::status.eq(to),
            crew_members::status_since.eq(tx.now),
            crew_members::ended_at.eq(ended),
        ))
        .execute(tx.conn)?;
    Ok(moved > 0)
}

/// The place of a person in a crew that is not over.
pub fn standing(conn: &mut Conn, claim: ClaimId, who: AccountId) -> Result<Option<CrewMember>> {
    Ok(crew_members::table
        .filter(crew_members::claim_id.eq(claim))
        .filter(crew_members::account_id.eq(who))
        .filter(crew_members::ended_at.is_null())
        .select(CrewMember::as_select())
        .first(conn)
        .optional()?)
}

/// Whether a person works in a crew.
///
/// # Errors
/// Those of the database.
pub fn is_in(conn: &mut Conn, claim: ClaimId, who: AccountId) -> Result<bool> {
    let place = standing(conn, claim, who)?;
    Ok(place.is_some_and(|place| place.status == CrewStatus::Active))
}

/// Whether a person has or had a place in a crew of a project, or asked for one.
///
/// # Errors
/// Those of the database.
pub fn ever_in_project(conn: &mut Conn, project: ProjectId, who: AccountId) -> Result<bool> {
    let places = crew_members::table
        .inner_join(project_claims::table)
        .filter(crew_members::account_id.eq(who))
        .filter(project_claims::project_id.eq(project));
    Ok(places.count().get_result::<i64>(conn)? > 0)
}

/// Whether a person has or had a place in a crew, or asked for one.
///
/// # Errors
/// Those of the database.
pub fn ever_in(conn: &mut Conn, claim: ClaimId, who: AccountId) -> Result<bool> {
    let places = crew_members::table
        .filter(crew_members::claim_id.eq(claim))
        .filter(crew_members::account_id.eq(who));
    Ok(places.count().get_result::<i64>(conn)? > 0)
}

/// A place that somebody has, or asked for, in a crew whose claim lives.
pub struct Standing {
    /// Who.
    pub account: AccountId,
    /// In the crew of which claim.
    pub claim: ClaimId,
    /// Of which project.
    pub project: ProjectId,
    /// Whether the person works there.
    pub is_active: bool,
    /// When the work is.
    pub schedule: Schedule,
}

/// Where these people stand in crews.
///
/// # Errors
/// Those of the database.
pub fn standings(conn: &mut Conn, people: &[AccountId]) -> Result<Vec<Standing>> {
    type Row = (
        AccountId,
        ClaimId,
        ProjectId,
        CrewStatus,
        Json<Vec<Window>>,
        NaiveDate,
        NaiveDate,
    );
    let query = crew_members::table
        .inner_join(project_claims::table)
        .inner_join(project_roles::table.inner_join(projects::table))
        .filter(crew_members::account_id.eq_any(people.to_vec()))
        .filter(crew_members::ended_at.is_null())
        .filter(project_claims::status.eq_any(claims::rules::LIVE.to_vec()))
        .select((
            crew_members::account_id,
            crew_members::claim_id,
            projects::id,
            crew_members::status,
            project_roles::hours,
            projects::starts_on,
            projects::ends_on,
        ));
    let rows: Vec<Row> = each!(conn, c => Prepared::listing(query, people.len()).load(c))?;
    let standing = |(account, claim, project, status, hours, first, last): Row| Standing {
        account,
        claim,
        project,
        is_active: status == CrewStatus::Active,
        schedule: Schedule {
            hours: hours.0,
            first,
            last,
        },
    };
    Ok(rows.into_iter().map(standing).collect())
}

/// Those who work in a crew or asked for a place in it.
///
/// # Errors
/// Those of the database.
pub fn people(conn: &mut Conn, claim: ClaimId) -> Result<Vec<AccountId>> {
    Ok(crew_members::table
        .filter(crew_members::claim_id.eq(claim))
        .filter(crew_members::ended_at.is_null())
        .select(crew_members::account_id)
        .load(conn)?)
}

/// Those who work in a crew.
pub fn at_work(conn: &mut Conn, claim: ClaimId) -> Result<Vec<AccountId>> {
    Ok(crew_members::table
        .filter(crew_members::claim_id.eq(claim))
        .filter(crew_members::status.eq(CrewStatus::Active))
        .select(crew_members::account_id)
        .load(conn)?)
}

/// The places at which a person works.
///
/// # Errors
/// Those of the database.
pub fn at_work_of(conn: &mut Conn, who: AccountId) -> Result<Vec<CrewMember>> {
    Ok(crew_members::table
        .filter(crew_members::account_id.eq(who))
        .filter(crew_members::status.eq(CrewStatus::Active))
        .order(crew_members::id)
        .select(CrewMember::as_select())
        .load(conn)?)
}

/// How many places of each role of a claim are filled.
///
/// # Errors
/// Those of the database.
pub fn filled(conn: &mut Conn, claim: ClaimId) -> Result<Vec<(RoleId, i64)>> {
    Ok(crew_members::table
        .filter(crew_members::claim_id.eq(claim))
        .filter(crew_members::status.eq(CrewStatus::Active))
        .group_by(crew_members::role_id)
        .select((crew_members::role_id, diesel::dsl::count_star()))
        .load(conn)?)
}

/// The places of a crew that stand somewhere, the oldest first; for a `reader` who does not lead
/// it, beside the reader's own only those at work.
pub fn of_claim(
    conn: &mut Conn,
    claim: ClaimId,
    status: CrewStatus,
    reader: Option<AccountId>,
    after: Option<CrewMemberId>,
    limit: i64,
) -> Result<Vec<CrewMember>> {
    let mut rows = crew_members::table
        .filter(crew_members::claim_id.eq(claim))
        .filter(crew_members::status.eq(status))
        .select(CrewMember::as_select())
        .into_boxed();
    if let Some(reader) = reader {
        let at_work = crew_members::status.eq(CrewStatus::Active);
        rows = rows.filter(at_work.or(crew_members::account_id.eq(reader)));
    }
    if let Some(after) = after {
        rows = rows.filter(crew_members::id.gt(after));
    }
    Ok(rows.order(crew_members::id).limit(limit + 1).load(conn)?)
}

/// The places of a crew that are not over.
pub fn open_ones(conn: &mut Conn, claim: ClaimId) -> Result<Vec<CrewMember>> {
    Ok(crew_members::table
        .filter(crew_members::claim_id.eq(claim))
        .filter(crew_members::ended_at.is_null())
        .order(crew_members::id)
        .select(CrewMember::as_select())
        .load(conn)?)
}

/// The places of a person, the newest first.
pub fn of_person(
    conn: &mut Conn,
    who: AccountId,
    before: Option<CrewMemberId>,
    limit: i64,
) -> Result<Vec<CrewMember>> {
    let mut rows = crew_members::table
        .filter(crew_members::account_id.eq(who))
        .select(CrewMember::as_select())
        .into_boxed();
    if let Some(before) = before {
        rows = rows.filter(crew_members::id.lt(before));
    }
    Ok(rows
        .order(crew_members::id.desc())
        .limit(limit + 1)
        .load(conn)?)
}
