//! All of the room's SQL.

use diesel::prelude::*;

use super::model::{Membership, MembershipId, MembershipStatus};
use crate::branches::BranchId;
use crate::error::Result;
use crate::identity::{AccountId, ConsentId};
use crate::platform::db::{Conn, Tx};
use crate::schema::party_memberships;

/// A membership, whether or not its consent is in force.
pub fn by_id(conn: &mut Conn, id: MembershipId) -> Result<Option<Membership>> {
    Ok(party_memberships::table
        .find(id)
        .select(Membership::as_select())
        .first(conn)
        .optional()?)
}

/// A person's membership, whether or not its consent is in force.
pub fn of_account(conn: &mut Conn, account: AccountId) -> Result<Option<Membership>> {
    Ok(party_memberships::table
        .filter(party_memberships::account_id.eq(account))
        .select(Membership::as_select())
        .first(conn)
        .optional()?)
}

/// Those of these accounts with a verified membership, whether or not its consent is in force.
pub fn verified_among(conn: &mut Conn, accounts: &[AccountId]) -> Result<Vec<AccountId>> {
    Ok(party_memberships::table
        .filter(party_memberships::account_id.eq_any(accounts.to_vec()))
        .filter(party_memberships::status.eq(MembershipStatus::Verified))
        .select(party_memberships::account_id)
        .load(conn)?)
}

/// Whose these memberships are.
///
/// # Errors
/// Those of the database.
pub fn accounts_of(conn: &mut Conn, memberships: &[uuid::Uuid]) -> Result<Vec<AccountId>> {
    let ids: Vec<_> = memberships.iter().map(|id| MembershipId(*id)).collect();
    Ok(party_memberships::table
        .filter(party_memberships::id.eq_any(ids))
        .select(party_memberships::account_id)
        .load(conn)?)
}

/// The memberships of a branch in one state, oldest first, `limit + 1` of them, whether or not
/// their consents are in force.
pub fn of_branch(
    conn: &mut Conn,
    branch: BranchId,
    status: MembershipStatus,
    after: Option<MembershipId>,
    limit: i64,
) -> Result<Vec<Membership>> {
    let mut rows = party_memberships::table
        .filter(party_memberships::branch_id.eq(branch))
        .filter(party_memberships::status.eq(status))
        .select(Membership::as_select())
        .into_boxed();
    if let Some(after) = after {
        rows = rows.filter(party_memberships::id.gt(after));
    }
    Ok(rows
        .order(party_memberships::id)
        .limit(limit + 1)
        .load(conn)?)
}

/// Whether a branch has memberships in one of some states.
pub fn has_any(conn: &mut Conn, branch: BranchId, in_state: &[MembershipStatus]) -> Result<bool> {
    Ok(diesel::select(diesel::dsl::exists(
        party_memberships::table
            .filter(party_memberships::branch_id.eq(branch))
            .filter(party_memberships::status.eq_any(in_state.to_vec())),
    ))
    .get_result(conn)?)
}

pub fn insert(conn: &mut Conn, membership: &Membership) -> Result<()> {
    diesel::insert_into(party_memberships::table)
        .values(membership)
        .execute(conn)?;
    Ok(())
}

pub fn delete(conn: &mut Conn, id: MembershipId) -> Result<()> {
    diesel::delete(party_memberships::table.find(id)).execute(conn)?;
    Ok(())
}

/// Deletes what was declared under a consent; returns how many.
pub fn delete_under(conn: &mut Conn, consent: ConsentId) -> Result<usize> {
    let theirs = party_memberships::table.filter(party_memberships::consent_id.eq(consent));
    Ok(diesel::delete(theirs).execute(conn)?)
}

/// Keeps under one consent what was declared under another.
pub fn carry(conn: &mut Conn, from: ConsentId, to: ConsentId) -> Result<()> {
    diesel::update(party_memberships::table.filter(party_memberships::consent_id.eq(from)))
        .set(party_memberships::consent_id.eq(to))
        .execute(conn)?;
    Ok(())
}

/// Moves a membership by compare-and-set to what `to` says; false when somebody else did first.
pub fn advance(tx: &mut Tx<'_>, seen: MembershipStatus, to: &Membership) -> Result<bool> {
    let same = party_memberships::table
        .filter(party_memberships::id.eq(to.id))
        .filter(party_memberships::status.eq(seen));
    let moved = diesel::update(same)
        .set((
            party_memberships::status.eq(to.status),
            party_memberships::standing.eq(&to.standing),
            party_memberships::reason.eq(&to.reason),
            party_memberships::decided_by.eq(to.decided_by),
            party_memberships::decided_at.eq(to.decided_at),
        ))
        .execute(tx.conn)?;
    Ok(moved > 0)
}
