//! What can be done with organisations: writing, reviewing, membership.

mod documents;
mod filing;
mod import;
mod invitations;
mod members;
mod review;
mod writing;

use crate::error::{Code, Error, Result};
use crate::identity::{AccountId, Caller, Role};
use crate::notifications::{Kind, Notice, notify};
use crate::platform::db::{Conn, Tx};
use crate::platform::journal::{Actor, Change, Entry};
use crate::platform::lifecycle::{self, ActsAs};
use crate::platform::token::Vault;
use crate::regions::{self, RegionId};

use super::model::{Organization, OrganizationId, OrganizationKind, OrganizationStatus};
use super::rules::{By, MOVES, OrganizationRules, Relation};
use super::store;

pub use documents::{add_document, delete_document, may_add_document};
pub use filing::remind;
pub use import::{Standing, import};
pub use invitations::{INVITATION_SMS, Invitation, accept, cancel, decline, invite};
pub use members::{NewRole, change_role, leave, membership_relation, remove, sweep};
pub use review::{
    Approval, approve, approve_registration, dissolve, refuse_registration, reinstate, revise,
    revoke, send_back, submit, suspend,
};
pub use writing::{EditOrganization, NewOrganization, Registration, create, edit, register};

/// What every write of this room needs beside its transaction.
#[derive(Clone)]
pub struct Desk {
    /// The room's numbers.
    pub rules: OrganizationRules,
    /// Seals numbers of identity cards.
    pub vault: Vault,
}

/// How a caller stands to an organisation.
///
/// # Errors
/// Those of the database.
pub fn relation(
    conn: &mut Conn,
    caller: Option<&Caller>,
    organization: &Organization,
) -> Result<Relation> {
    let Some(caller) = caller else {
        return Ok(Relation::default());
    };
    let manager = caller.holds(Role::OrganizationManager, organization.id.0);
    let member = manager || caller.holds(Role::OrganizationMember, organization.id.0);
    let invited = !member && store::membership(conn, organization.id, caller.account)?.is_some();
    let staff = caller.holds_in_region(conn, &[Role::RegionAdmin], organization.region_id)?;
    let reviewer = match organization.kind {
        OrganizationKind::Filed => caller.holds(Role::RegionAdmin, organization.region_id.0),
        _ => staff,
    };
    Ok(Relation {
        founder: organization.founder_id == caller.account,
        manager,
        member,
        invited,
        staff,
        reviewer,
    })
}

/// An organisation and how the caller stands to it; nothing of one the caller may not see.
///
/// # Errors
/// `not_found`.
pub fn visible(
    conn: &mut Conn,
    caller: Option<&Caller>,
    id: OrganizationId,
) -> Result<(Organization, Relation)> {
    let organization = store::organization(conn, id)?;
    let relation = relation(conn, caller, &organization)?;
    if relation.may_see(organization.status) {
        Ok((organization, relation))
    } else {
        Err(Code::NotFound.into())
    }
}

/// An organisation for a caller whose move it is.
fn to_move(
    conn: &mut Conn,
    caller: &Caller,
    id: OrganizationId,
    verb: &str,
) -> Result<Organization> {
    let (organization, relation) = visible(conn, Some(caller), id)?;
    lifecycle::may(MOVES, relation, verb)?;
    Ok(organization)
}

/// An organisation for one of its managers.
fn of_manager(conn: &mut Conn, caller: &Caller, id: OrganizationId) -> Result<Organization> {
    let (organization, relation) = visible(conn, Some(caller), id)?;
    relation.acts_as(By::Manager)?;
    Ok(organization)
}

/// An organisation for a reviewer, who must not belong to it.
fn of_reviewer(conn: &mut Conn, caller: &Caller, id: OrganizationId) -> Result<Organization> {
    let (organization, relation) = visible(conn, Some(caller), id)?;
    relation.acts_as(By::Reviewer)?;
    Ok(organization)
}

/// Everything that several rows of an organisation decide together waits here for each other: the
/// number of its members, the last manager, what its filing rests on.
fn serialize(tx: &mut Tx<'_>, id: OrganizationId) -> Result<()> {
    tx.serialize_on(&format!("organization:{id}"))
}

/// Whether an organisation has ended for good.
fn has_ended(organization: &Organization) -> bool {
    matches!(
        organization.status,
        OrganizationStatus::Dissolved | OrganizationStatus::Revoked
    )
}

/// Whether an organisation may act in a region: it is active, and a filed one stays inside its
/// street (domain §3).
///
/// # Errors
/// `organization_not_active`, `outside_its_street`.
pub fn may_act(conn: &mut Conn, organization: &Organization, region: RegionId) -> Result<()> {
    if organization.status != OrganizationStatus::Active {
        return Err(Code::OrganizationNotActive.into());
    }
    let is_inside = organization.kind != OrganizationKind::Filed
        || regions::contains(conn, organization.region_id, region)?;
    if is_inside {
        Ok(())
    } else {
        Err(Code::OutsideItsStreet.into())
    }
}

/// The organisation that may not act any more by what a journal entry says, and may not to this
/// hour: rooms that hold its claims react to it. One that was reinstated before anybody came to react
/// keeps what it has.
///
/// # Errors
/// Those of the database.
pub fn stopped(conn: &mut Conn, entry: &Entry) -> Result<Option<OrganizationId>> {
    let stops = matches!(
        entry.kind.as_str(),
        "organization.suspend"
            | "organization.lapse"
            | "organization.revoke"
            | "organization.dissolve"
    );
    if !stops {
        return Ok(None);
    }
    let organization = store::organization(conn, OrganizationId(entry.subject_id.0))?;
    let is_active = organization.status == OrganizationStatus::Active;
    Ok((!is_active).then_some(organization.id))
}

fn change(organization: &Organization, actor: Actor, verb: &str) -> Change {
    Change::new(actor, format!("organization.{verb}"), organization.id.0)
        .region(organization.region_id.0)
}

/// Makes one move: by the table, by compare-and-set, into the journal. What else changed in
/// `wanted` is written with it.
fn advance(
    tx: &mut Tx<'_>,
    wanted: &Organization,
    verb: &str,
    by: Actor,
    reason: Option<&str>,
) -> Result<Organization> {
    let to = step(tx.conn, wanted, verb, by)?;
    let mut moved = Organization {
        status: to,
        status_since: tx.now,
        ..wanted.clone()
    };
    if has_ended(&moved) {
        moved.registering_code = None; // what it still asked for ends with it
    }
    if !store::save(tx.conn, &moved)? {
        // somebody was faster: say where it stands now
        let now = store::organization(tx.conn, wanted.id)?;
        return Err(refusal(tx.conn, &now, by));
    }
    tx.journal(
        change(wanted, by, verb)
            .states(wanted.status.into(), to.into())
            .reason(reason),
    )?;
    store::organization(tx.conn, wanted.id)
}

/// The state that a move leads to.
fn step(
    conn: &mut Conn,
    organization: &Organization,
    verb: &str,
    by: Actor,
) -> Result<OrganizationStatus> {
    let to = lifecycle::next(MOVES, organization.status, verb);
    to.ok_or_else(|| refusal(conn, organization, by))
}

/// The refusal of a move that the table does not have, with those that are the mover's.
fn refusal(conn: &mut Conn, organization: &Organization, by: Actor) -> Error {
    let caller = Caller::of(conn, by);
    let stands = caller.and_then(|caller| relation(conn, caller.as_ref(), organization));
    match stands {
        Ok(stands) => lifecycle::refusal(MOVES, stands, organization.status),
        Err(error) => error,
    }
}

fn is_repeat(
    conn: &mut Conn,
    organization: &Organization,
    verb: &str,
    caller: &Caller,
) -> Result<bool> {
    let subject = ("organization", organization.id.0);
    lifecycle::is_repeat(
        conn,
        MOVES,
        subject,
        organization.status,
        verb,
        caller.actor(),
    )
}

fn notice(organization: &Organization, to: AccountId, kind: Kind) -> Notice {
    Notice::titled(
        to,
        kind,
        ("organization", organization.id.0),
        &organization.name,
    )
}

fn tell_managers(
    tx: &mut Tx<'_>,
    organization: &Organization,
    kind: Kind,
    params: &[(&'static str, String)],
) -> Result<()> {
    let managers = store::managers(tx.conn, organization.id)?;
    tell_each(tx, organization, &managers, kind, params)
}

/// Tells everybody who belongs to it, its managers too.
fn tell_everybody(
    tx: &mut Tx<'_>,
    organization: &Organization,
    kind: Kind,
    params: &[(&'static str, String)],
) -> Result<()> {
    let everybody = store::everybody(tx.conn, organization.id)?;
    tell_each(tx, organization, &everybody, kind, params)
}

fn tell_each(
    tx: &mut Tx<'_>,
    organization: &Organization,
    people: &[AccountId],
    kind: Kind,
    params: &[(&'static str, String)],
) -> Result<()> {
    for to in people {
        notify(tx, &notice(organization, *to, kind).with_all(params))?;
    }
    Ok(())
}
