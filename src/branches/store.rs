//! All of the room's SQL.

use diesel::prelude::*;

use super::model::{Branch, BranchId, BranchStatus};
use crate::error::{Code, Result};
use crate::platform::db::Conn;
use crate::regions::{self, RegionId};
use crate::schema::party_branches;

/// A Party branch by its id, also a dissolved one.
///
/// # Errors
/// `not_found`.
pub fn by_id(conn: &mut Conn, id: BranchId) -> Result<Branch> {
    party_branches::table
        .find(id)
        .select(Branch::as_select())
        .first(conn)
        .optional()?
        .ok_or_else(|| Code::NotFound.into())
}

/// The active branches in order of their codes, `limit + 1` of them; of a region and everything
/// below it, where one is named.
///
/// # Errors
/// Those of the database.
pub fn list(
    conn: &mut Conn,
    region: Option<RegionId>,
    after: Option<String>,
    limit: i64,
) -> Result<Vec<Branch>> {
    let mut rows = party_branches::table
        .filter(party_branches::status.eq(BranchStatus::Active))
        .select(Branch::as_select())
        .into_boxed();
    if let Some(region) = region {
        rows = rows.filter(party_branches::region_id.eq_any(regions::within(region)));
    }
    if let Some(after) = after {
        rows = rows.filter(party_branches::code.gt(after));
    }
    Ok(rows
        .order(party_branches::code)
        .limit(limit + 1)
        .load(conn)?)
}

/// Whether a branch bears this code, or bore it.
pub fn is_taken(conn: &mut Conn, code: &str) -> Result<bool> {
    Ok(diesel::select(diesel::dsl::exists(
        party_branches::table.filter(party_branches::code.eq(code)),
    ))
    .get_result(conn)?)
}

/// Whether active branches stand below this one.
pub fn has_below(conn: &mut Conn, id: BranchId) -> Result<bool> {
    Ok(diesel::select(diesel::dsl::exists(
        party_branches::table
            .filter(party_branches::parent_id.eq(id))
            .filter(party_branches::status.eq(BranchStatus::Active)),
    ))
    .get_result(conn)?)
}

pub fn insert(conn: &mut Conn, branch: &Branch) -> Result<()> {
    diesel::insert_into(party_branches::table)
        .values(branch)
        .execute(conn)?;
    Ok(())
}

/// Writes name and status, if the version is still the one that was read.
pub fn update(conn: &mut Conn, branch: &Branch) -> Result<bool> {
    let same = party_branches::table
        .filter(party_branches::id.eq(branch.id))
        .filter(party_branches::version.eq(branch.version));
    let updated = diesel::update(same)
        .set((
            party_branches::name.eq(&branch.name),
            party_branches::status.eq(branch.status),
            party_branches::version.eq(branch.version + 1),
        ))
        .execute(conn)?;
    Ok(updated > 0)
}
