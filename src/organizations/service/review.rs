//! The moves of an organisation's life.

use serde::Deserialize;
use utoipa::ToSchema;
use validator::Validate;

use super::super::model::{Organization, OrganizationId, OrganizationKind, OrganizationStatus};
use super::super::{rules, store};
use super::filing::complete;
use super::invitations::cancel_all;
use super::{
    Desk, advance, change, has_ended, is_repeat, notice, of_reviewer, serialize, step, tell_each,
    tell_everybody, tell_managers, to_move,
};
use crate::error::{Code, Problem, Result};
use crate::identity::Caller;
use crate::notifications::{self, Kind, notify};
use crate::platform::columns::Uid;
use crate::platform::db::Tx;
use crate::platform::http::IfMatch;
use crate::platform::journal::{self, Actor};

/// A reviewer's approval.
#[derive(Clone, Debug, Default, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct Approval {
    /// Why a credit code with a wrong check character is believed; only and always for such a one.
    #[validate(length(min = 2, max = 500))]
    pub credit_code_reason: Option<String>,
}

/// Hands a draft in for the review, once the machine finds nothing missing.
///
/// # Errors
/// `invalid` with every miss; `credit_code_taken`.
pub fn submit(
    tx: &mut Tx<'_>,
    desk: &Desk,
    caller: &Caller,
    id: OrganizationId,
) -> Result<Organization> {
    serialize(tx, id)?;
    let organization = to_move(tx.conn, caller, id, "submit")?;
    if is_repeat(tx.conn, &organization, "submit", caller)? {
        return Ok(organization);
    }
    step(tx.conn, &organization, "submit", caller.actor())?;
    complete(tx, desk, &organization)?;
    let moved = taken_once(tx, |tx| {
        advance(tx, &organization, "submit", caller.actor(), None)
    })?;
    for to in notifications::staff_of(tx.conn, moved.region_id)? {
        notify(tx, &notice(&moved, to, Kind::OrganizationSubmitted))?;
    }
    Ok(moved)
}

/// Does something that may take a credit code another organisation has.
fn taken_once<T>(tx: &mut Tx<'_>, f: impl FnOnce(&mut Tx<'_>) -> Result<T>) -> Result<T> {
    tx.savepoint(f).map_err(|error| {
        if error.is_unique_violation() {
            Problem::new(Code::Invalid)
                .field("/credit_code", Code::CreditCodeTaken)
                .into()
        } else {
            error
        }
    })
}

/// Approves a submitted organisation.
///
/// # Errors
/// `forbidden` for anybody but the right reviewer, `own_organization`, `credit_code_unconfirmed`,
/// and every miss that appeared since the submission.
pub fn approve(
    tx: &mut Tx<'_>,
    desk: &Desk,
    caller: &Caller,
    id: OrganizationId,
    seen: &IfMatch,
    approval: &Approval,
) -> Result<Organization> {
    serialize(tx, id)?;
    let mut organization = to_move(tx.conn, caller, id, "approve")?;
    if is_repeat(tx.conn, &organization, "approve", caller)? {
        return Ok(organization);
    }
    seen.expect(organization.version)?;
    step(tx.conn, &organization, "approve", caller.actor())?;
    organization.credit_code_reason = believed(organization.credit_code.as_deref(), approval)?;
    complete(tx, desk, &organization)?;
    let reason = organization.credit_code_reason.clone();
    let moved = advance(
        tx,
        &organization,
        "approve",
        caller.actor(),
        reason.as_deref(),
    )?;
    tell_managers(tx, &moved, Kind::OrganizationApproved, &[])?;
    Ok(moved)
}

/// The reason with which a doubtful code is believed; none for a sound one.
fn believed(code: Option<&str>, approval: &Approval) -> Result<Option<String>> {
    if !rules::is_doubtful(code) {
        return Ok(None);
    }
    match &approval.credit_code_reason {
        Some(reason) => Ok(Some(reason.clone())),
        None => Err(Problem::new(Code::Invalid)
            .field("/credit_code_reason", Code::CreditCodeUnconfirmed)
            .into()),
    }
}

macro_rules! reviewer_moves {
    ($($(#[$doc:meta])* $name:ident $verb:literal $kind:ident $tell:ident);+ $(;)?) => { $(
        $(#[$doc])*
        ///
        /// # Errors
        /// `forbidden` for anybody but the right reviewer, `own_organization`, `move_not_allowed`.
        pub fn $name(
            tx: &mut Tx<'_>,
            caller: &Caller,
            id: OrganizationId,
            seen: &IfMatch,
            reason: &str,
        ) -> Result<Organization> {
            serialize(tx, id)?;
            let organization = to_move(tx.conn, caller, id, $verb)?;
            if is_repeat(tx.conn, &organization, $verb, caller)? {
                return Ok(organization);
            }
            seen.expect(organization.version)?;
            let moved = advance(tx, &organization, $verb, caller.actor(), Some(reason))?;
            if has_ended(&moved) {
                cancel_all(tx, &organization, caller.actor())?;
            }
            $tell(tx, &moved, Kind::$kind, &[("reason", reason.to_owned())])?;
            Ok(moved)
        }
    )+ };
}

reviewer_moves! {
    /// Sends a submitted organisation back with a reason.
    send_back "return" OrganizationReturned tell_managers;
    /// Stops an organisation for a while. Its claims end: a reaction of the rooms that hold them.
    suspend "suspend" OrganizationSuspended tell_everybody;
    /// Ends an organisation for good, and its open invitations with it.
    revoke "revoke" OrganizationRevoked tell_everybody;
}

/// Lets a suspended organisation act again, once the machine finds nothing missing.
///
/// # Errors
/// As for the approval.
pub fn reinstate(
    tx: &mut Tx<'_>,
    desk: &Desk,
    caller: &Caller,
    id: OrganizationId,
    seen: &IfMatch,
) -> Result<Organization> {
    serialize(tx, id)?;
    let organization = to_move(tx.conn, caller, id, "reinstate")?;
    if is_repeat(tx.conn, &organization, "reinstate", caller)? {
        return Ok(organization);
    }
    seen.expect(organization.version)?;
    step(tx.conn, &organization, "reinstate", caller.actor())?;
    complete(tx, desk, &organization)?;
    let sound = Organization {
        curing_until: None,
        ..organization
    };
    let moved = advance(tx, &sound, "reinstate", caller.actor(), None)?;
    tell_everybody(tx, &moved, Kind::OrganizationReinstated, &[])?;
    Ok(moved)
}

/// Takes a returned organisation back into a draft.
///
/// # Errors
/// `forbidden`, `move_not_allowed`.
pub fn revise(tx: &mut Tx<'_>, caller: &Caller, id: OrganizationId) -> Result<Organization> {
    let organization = to_move(tx.conn, caller, id, "revise")?;
    if is_repeat(tx.conn, &organization, "revise", caller)? {
        return Ok(organization);
    }
    advance(tx, &organization, "revise", caller.actor(), None)
}

/// Ends an organisation by its own will, and its open invitations with it.
///
/// # Errors
/// `forbidden`, `move_not_allowed`.
pub fn dissolve(
    tx: &mut Tx<'_>,
    caller: &Caller,
    id: OrganizationId,
    reason: &str,
) -> Result<Organization> {
    serialize(tx, id)?;
    let organization = to_move(tx.conn, caller, id, "dissolve")?;
    if is_repeat(tx.conn, &organization, "dissolve", caller)? {
        return Ok(organization);
    }
    let moved = advance(tx, &organization, "dissolve", caller.actor(), Some(reason))?;
    cancel_all(tx, &organization, caller.actor())?;
    let mut others = store::everybody(tx.conn, id)?;
    others.retain(|who| *who != caller.account);
    let params = [("reason", reason.to_owned())];
    tell_each(tx, &moved, &others, Kind::OrganizationDissolved, &params)?;
    Ok(moved)
}

/// An organisation that asks to count as registered, for a reviewer who answers it. It asks for nothing
/// where the same reviewer gave the same answer before.
fn asking(
    tx: &mut Tx<'_>,
    caller: &Caller,
    id: OrganizationId,
    seen: &IfMatch,
    verb: &str,
) -> Result<Organization> {
    serialize(tx, id)?;
    let organization = of_reviewer(tx.conn, caller, id)?;
    if organization.registering_code.is_none() {
        let steps = ["ask_registration", "register", "refuse_registration"];
        let last = journal::last_of(tx.conn, "organization", id.0, &steps)?;
        let answer = (format!("organization.{verb}"), Some(Uid(caller.account.0)));
        if last.is_some_and(|last| (last.kind, last.actor_id) == answer) {
            return Ok(organization);
        }
        return Err(match organization.status {
            OrganizationStatus::Active => Code::NothingAsked.into(),
            _ => Code::OrganizationNotActive.into(),
        });
    }
    seen.expect(organization.version)?;
    if organization.status != OrganizationStatus::Active {
        return Err(Code::OrganizationNotActive.into());
    }
    Ok(organization)
}

/// Lets a filed organisation count as registered: same id, same history, now with a code.
///
/// # Errors
/// `nothing_asked`, `organization_not_active`, `credit_code_unconfirmed`, `credit_code_taken`.
pub fn approve_registration(
    tx: &mut Tx<'_>,
    caller: &Caller,
    id: OrganizationId,
    seen: &IfMatch,
    approval: &Approval,
) -> Result<Organization> {
    let organization = asking(tx, caller, id, seen, "register")?;
    let Some(code) = organization.registering_code.clone() else {
        return Ok(organization);
    };
    let registered = Organization {
        kind: OrganizationKind::Registered,
        credit_code_reason: believed(Some(&code), approval)?,
        credit_code: Some(code),
        registering_code: None,
        curing_until: None,
        ..organization
    };
    let is_saved = taken_once(tx, |tx| store::save(tx.conn, &registered))?;
    if !is_saved {
        return Err(Code::VersionMismatch.into());
    }
    tx.journal(
        change(&registered, caller.actor(), "register")
            .reason(registered.credit_code_reason.as_deref()),
    )?;
    tell_managers(tx, &registered, Kind::RegistrationApproved, &[])?;
    store::organization(tx.conn, id)
}

/// Leaves a filed organisation filed, with a reason.
///
/// # Errors
/// `nothing_asked`, `organization_not_active`.
pub fn refuse_registration(
    tx: &mut Tx<'_>,
    caller: &Caller,
    id: OrganizationId,
    seen: &IfMatch,
    reason: &str,
) -> Result<Organization> {
    let organization = asking(tx, caller, id, seen, "refuse_registration")?;
    if organization.registering_code.is_none() {
        return Ok(organization);
    }
    let still_filed = Organization {
        registering_code: None,
        ..organization
    };
    if !store::save(tx.conn, &still_filed)? {
        return Err(Code::VersionMismatch.into());
    }
    tx.journal(change(&still_filed, caller.actor(), "refuse_registration").reason(Some(reason)))?;
    let params = [("reason", reason.to_owned())];
    tell_managers(tx, &still_filed, Kind::RegistrationRefused, &params)?;
    store::organization(tx.conn, id)
}

/// Why the clock stops an organisation, as the journal keeps it: for readers of both languages.
const LAPSED: &str = "备案组织不再符合备案条件，且未在整改期内补正 / The filing was not put in order again within its term";

/// Stops an organisation whose term to have its filing in order again is over: the clock's move.
pub(super) fn lapse(tx: &mut Tx<'_>, organization: &Organization) -> Result<()> {
    let moved = advance(tx, organization, "lapse", Actor::System, Some(LAPSED))?;
    tell_everybody(tx, &moved, Kind::OrganizationLapsed, &[])
}
