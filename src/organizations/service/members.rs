//! Membership once it began, and out again.

use chrono::TimeDelta;
use serde::Deserialize;
use utoipa::ToSchema;
use validator::Validate;

use super::super::model::{
    Member, MemberId, MemberRole, MemberStatus, Organization, OrganizationId, OrganizationKind,
    OrganizationStatus,
};
use super::super::rules::MEMBERSHIP;
use super::super::store;
use super::{Desk, change, notice, of_manager, review, tell_managers};
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

/// Everything about an organisation's members waits here for each other: their number and the last
/// manager span several rows.
pub(super) fn serialize(tx: &mut Tx<'_>, id: OrganizationId) -> Result<()> {
    tx.serialize_on(&format!("organization:{id}"))
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
    let to = lifecycle::step(MEMBERSHIP, seen.status, verb)?;
    if !store::advance_member(tx, seen, to)? {
        let now = store::member(tx.conn, seen.id)?;
        return Err(lifecycle::refusal(MEMBERSHIP, now.status));
    }
    tx.journal(
        step(organization, seen, by, verb)
            .states(seen.status.into(), to.into())
            .reason(reason),
    )?;
    store::member(tx.conn, seen.id).map(Some)
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

/// Goes. The last manager cannot leave without a successor.
///
/// # Errors
/// `not_found`, `last_manager`, `move_not_allowed`.
pub fn leave(tx: &mut Tx<'_>, desk: &Desk, caller: &Caller, of: OrganizationId) -> Result<()> {
    serialize(tx, of)?;
    let Some(seen) = store::membership(tx.conn, of, caller.account)? else {
        return Err(Code::NotFound.into());
    };
    if seen.status != MemberStatus::Active {
        return Err(lifecycle::refusal(MEMBERSHIP, seen.status));
    }
    let organization = store::organization(tx.conn, of)?;
    end(
        tx,
        desk,
        &organization,
        &seen,
        "leave",
        caller.actor(),
        None,
    )
    .map(|_| ())
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
        recount(tx, desk, organization.id)?;
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
        return Err(lifecycle::refusal(MEMBERSHIP, seen.status));
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

/// Opens or closes the term in which a filed organisation must have enough members again
/// (domain §3: falling below the number opens a cure period).
pub(super) fn recount(tx: &mut Tx<'_>, desk: &Desk, id: OrganizationId) -> Result<()> {
    let organization = store::organization(tx.conn, id)?;
    let is_watched = organization.kind == OrganizationKind::Filed
        && organization.status == OrganizationStatus::Active;
    if !is_watched {
        return Ok(());
    }
    let is_enough = store::count_members(tx.conn, id, None)? >= desk.rules.filing_members;
    let until = tx.now + TimeDelta::days(desk.rules.cure_days);
    let (curing_until, verb) = match (is_enough, organization.curing_until) {
        (true, Some(_)) => (None, "end_cure"),
        (false, None) => (Some(until), "begin_cure"),
        _ => return Ok(()),
    };
    let counted = Organization {
        curing_until,
        ..organization
    };
    if !store::save(tx.conn, &counted)? {
        return Err(Code::VersionMismatch.into());
    }
    tx.journal(change(&counted, Actor::System, verb))?;
    if curing_until.is_some() {
        let params = [("due", until.on_the_wall(tx.zone))];
        tell_managers(tx, &counted, Kind::OrganizationCuring, &params)?;
    }
    Ok(())
}

/// Moves on what the clock has reached, up to `limit` of each kind; returns the larger number.
///
/// # Errors
/// Those of the database.
pub fn sweep(tx: &mut Tx<'_>, limit: i64) -> Result<usize> {
    let unanswered = store::unanswered(tx.conn, tx.now, limit)?;
    for seen in &unanswered {
        let organization = store::organization(tx.conn, seen.organization_id)?;
        let moved = advance(tx, &organization, seen, "expire", Actor::System, None);
        left_to_others(moved.map(|_| ()))?;
    }
    let uncured = store::uncured(tx.conn, tx.now, limit)?;
    for organization in &uncured {
        left_to_others(review::lapse(tx, organization))?;
    }
    Ok(unanswered.len().max(uncured.len()))
}

/// What somebody moves at the same moment is left to them.
fn left_to_others(outcome: Result<()>) -> Result<()> {
    match outcome {
        Err(Error::Problem(_)) => Ok(()),
        other => other,
    }
}
