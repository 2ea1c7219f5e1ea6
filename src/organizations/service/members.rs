//! Membership once it began, and out again.

use serde::Deserialize;
use utoipa::ToSchema;
use validator::Validate;

use super::super::model::{
    Member, MemberId, MemberRole, MemberStatus, Organization, OrganizationId,
};
use super::super::rules::{MEMBERSHIP, MembershipRelation};
use super::super::store;
use super::filing::follow_filing;
use super::{Desk, notice, of_manager, review, serialize, tell_managers};
use crate::error::{Code, Error, Result};
use crate::identity::{self, Caller, Role};
use crate::notifications::{Kind, notify};
use crate::platform::db::{Conn, Tx};
use crate::platform::journal::{Actor, Change};
use crate::platform::lifecycle;

/// Another role for a member.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct NewRole {
    /// What the person may do.
    pub role: MemberRole,
}

pub(super) fn granted(role: MemberRole) -> Role {
    match role {
        MemberRole::Manager => Role::OrganizationManager,
        MemberRole::Member => Role::OrganizationMember,
    }
}

/// How a caller stands to a membership. What it may do itself is said by its own row, which may have
/// changed since the request began.
pub fn membership_relation(caller: &Caller, member: &Member) -> MembershipRelation {
    let person = member.account_id == caller.account;
    let manager = match person {
        true => member.status == MemberStatus::Active && member.role == MemberRole::Manager,
        false => caller.holds(Role::OrganizationManager, member.organization_id.0),
    };
    MembershipRelation { person, manager }
}

pub(super) fn step(
    organization: &Organization,
    member: &Member,
    actor: Actor,
    verb: &str,
) -> Change {
    Change::new(actor, format!("membership.{verb}"), member.id.0).region(organization.region_id.0)
}

/// Makes one move of a membership. Repeating it answers as the first time.
pub(super) fn advance(
    tx: &mut Tx<'_>,
    organization: &Organization,
    seen: &Member,
    verb: &str,
    by: Actor,
    reason: Option<&str>,
) -> Result<Option<Member>> {
    let subject = ("membership", seen.id.0);
    if lifecycle::is_repeat(tx.conn, MEMBERSHIP, subject, seen.status, verb, by)? {
        return Ok(None);
    }
    let to = lifecycle::next(MEMBERSHIP, seen.status, verb);
    let to = to.ok_or_else(|| refusal(tx.conn, seen, by))?;
    if !store::advance_member(tx, seen, to)? {
        let now = store::member(tx.conn, seen.id)?;
        return Err(refusal(tx.conn, &now, by));
    }
    tx.journal(
        step(organization, seen, by, verb)
            .states(seen.status.into(), to.into())
            .reason(reason),
    )?;
    store::member(tx.conn, seen.id).map(Some)
}

/// The refusal of a move that the table does not have, with those that are the mover's.
fn refusal(conn: &mut Conn, member: &Member, by: Actor) -> Error {
    match Caller::of(conn, by) {
        Ok(Some(caller)) => {
            let stands = membership_relation(&caller, member);
            lifecycle::refusal(MEMBERSHIP, stands, member.status)
        }
        Ok(None) => lifecycle::refusal(MEMBERSHIP, lifecycle::Nobody, member.status),
        Err(error) => error,
    }
}

/// A membership for whoever it is to move.
pub(super) fn may_move(caller: &Caller, member: &Member, verb: &str) -> Result<()> {
    let relation = membership_relation(caller, member);
    Ok(lifecycle::may(MEMBERSHIP, relation, verb)?)
}

/// A membership for a manager of its organisation.
pub(super) fn managed(
    conn: &mut Conn,
    caller: &Caller,
    of: OrganizationId,
    id: MemberId,
) -> Result<(Organization, Member)> {
    let organization = of_manager(conn, caller, of)?;
    let member = store::member(conn, id)?;
    if member.organization_id == of {
        Ok((organization, member))
    } else {
        Err(Code::NotFound.into())
    }
}

/// Goes. The last manager cannot leave without a successor. Who has gone already is gone.
///
/// # Errors
/// `not_found`, `last_manager`, `move_not_allowed`.
pub fn leave(tx: &mut Tx<'_>, desk: &Desk, caller: &Caller, of: OrganizationId) -> Result<()> {
    serialize(tx, of)?;
    let Some(seen) = store::last_membership(tx.conn, of, caller.account)? else {
        return Err(Code::NotFound.into());
    };
    may_move(caller, &seen, "leave")?;
    let organization = store::organization(tx.conn, of)?;
    let by = caller.actor();
    if let Some(left) = end(tx, desk, &organization, &seen, "leave", by, None)? {
        let params = [("name", left.name)];
        tell_managers(tx, &organization, Kind::OrganizationLeft, &params)?;
    }
    Ok(())
}

/// Sends a member away, with a reason.
///
/// # Errors
/// `not_found`, `forbidden`, `last_manager`, `move_not_allowed`.
pub fn remove(
    tx: &mut Tx<'_>,
    desk: &Desk,
    caller: &Caller,
    of: OrganizationId,
    id: MemberId,
    reason: &str,
) -> Result<Member> {
    serialize(tx, of)?;
    let (organization, seen) = managed(tx.conn, caller, of, id)?;
    may_move(caller, &seen, "remove")?;
    let ended = end(
        tx,
        desk,
        &organization,
        &seen,
        "remove",
        caller.actor(),
        Some(reason),
    )?;
    let Some(member) = ended else {
        return Ok(seen);
    };
    let told = notice(&organization, member.account_id, Kind::OrganizationRemoved);
    notify(tx, &told.with("reason", reason))?;
    Ok(member)
}

fn end(
    tx: &mut Tx<'_>,
    desk: &Desk,
    organization: &Organization,
    seen: &Member,
    verb: &str,
    by: Actor,
    reason: Option<&str>,
) -> Result<Option<Member>> {
    if seen.status == MemberStatus::Active {
        keep_a_manager(tx.conn, seen)?;
    }
    let moved = advance(tx, organization, seen, verb, by, reason)?;
    if moved.is_some() {
        let scope = organization.id.0;
        identity::take_back(tx, by, seen.account_id, granted(seen.role), scope)?;
        follow_filing(tx, desk, organization.id)?;
    }
    Ok(moved)
}

fn keep_a_manager(conn: &mut Conn, leaving: &Member) -> Result<()> {
    let of = leaving.organization_id;
    let is_last = leaving.role == MemberRole::Manager
        && store::count_members(conn, of, Some(MemberRole::Manager))? <= 1;
    if is_last {
        Err(Code::LastManager.into())
    } else {
        Ok(())
    }
}

/// Gives a member another role.
///
/// # Errors
/// `not_found`, `forbidden`, `last_manager`; `move_not_allowed` for somebody who is no member.
pub fn change_role(
    tx: &mut Tx<'_>,
    caller: &Caller,
    of: OrganizationId,
    id: MemberId,
    role: MemberRole,
) -> Result<Member> {
    serialize(tx, of)?;
    let (organization, seen) = managed(tx.conn, caller, of, id)?;
    if seen.status != MemberStatus::Active {
        return Err(refusal(tx.conn, &seen, caller.actor()));
    }
    if seen.role == role {
        return Ok(seen);
    }
    keep_a_manager(tx.conn, &seen)?;
    store::set_role(tx.conn, id, role)?;
    let (who, scope) = (seen.account_id, of.0);
    identity::take_back(tx, caller.actor(), who, granted(seen.role), scope)?;
    identity::grant(tx, caller.actor(), who, granted(role), Some(scope))?;
    tx.journal(
        step(&organization, &seen, caller.actor(), "change_role")
            .payload(serde_json::json!({ "role": role })),
    )?;
    let (zh, en) = match role {
        MemberRole::Manager => ("负责人", "manager"),
        MemberRole::Member => ("成员", "member"),
    };
    let told = notice(&organization, who, Kind::OrganizationRoleChanged);
    notify(tx, &told.with("role_zh", zh).with("role_en", en))?;
    store::member(tx.conn, id)
}

/// Moves on what the clock has reached, up to `limit` of each kind; returns the largest number.
///
/// # Errors
/// Those of the database.
pub fn sweep(tx: &mut Tx<'_>, desk: &Desk, limit: i64) -> Result<usize> {
    let unanswered = store::unanswered(tx.conn, tx.now, limit)?;
    for seen in &unanswered {
        let organization = store::organization(tx.conn, seen.organization_id)?;
        let moved = advance(tx, &organization, seen, "expire", Actor::System, None);
        left_to_others(moved.map(|_| ()))?;
    }
    let without_venue = store::without_venue(tx.conn, tx.today(), limit)?;
    for id in &without_venue {
        serialize(tx, *id)?;
        left_to_others(follow_filing(tx, desk, *id))?;
    }
    let uncured = store::uncured(tx.conn, tx.now, limit)?;
    for id in &uncured {
        serialize(tx, *id)?;
        left_to_others(lapse(tx, desk, *id))?;
    }
    let most = unanswered.len().max(without_venue.len());
    Ok(most.max(uncured.len()))
}

/// Stops an organisation whose term is over, unless its filing is in order meanwhile.
fn lapse(tx: &mut Tx<'_>, desk: &Desk, id: OrganizationId) -> Result<()> {
    follow_filing(tx, desk, id)?;
    let organization = store::organization(tx.conn, id)?;
    match organization.curing_until {
        Some(until) if until <= tx.now => review::lapse(tx, &organization),
        _ => Ok(()),
    }
}

/// What somebody moves at the same moment is left to them.
fn left_to_others(outcome: Result<()>) -> Result<()> {
    match outcome {
        Err(Error::Problem(_)) => Ok(()),
        other => other,
    }
}
