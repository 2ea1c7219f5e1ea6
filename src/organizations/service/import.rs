//! Organisations that come from somewhere else.

use serde_json::json;

use super::super::model::{
    MemberRole, Organization, OrganizationId, OrganizationKind, OrganizationStatus,
};
use super::super::{rules, store};
use super::filing::follow_filing;
use super::invitations::{Invitee, offer};
use super::writing::{NewOrganization, check, draft};
use super::{Desk, change};
use crate::error::{Code, Error, Problem, Result, together};
use crate::identity::{self, AccountId};
use crate::platform::db::Tx;
use crate::platform::http::valid;
use crate::platform::journal::Actor;

/// How an organisation that comes from somewhere else stands here.
#[derive(Clone, Debug)]
pub struct Standing {
    /// Draft, or active at once: it was reviewed where it comes from.
    pub status: OrganizationStatus,
    /// Why a credit code whose check character is wrong is believed.
    pub credit_code_reason: Option<String>,
    /// Who is to run it, when that is known: a phone, and what the person is called.
    pub manager: Option<(String, String)>,
}

/// Takes over an organisation, or brings `known` up to date. One that is active here stays so;
/// where there is no manager yet the one named is invited: nobody runs one unasked. The filing of a
/// filed one that is active is looked through, as when a member leaves: where it is not in order, the
/// term to mend it begins.
///
/// # Errors
/// `invalid` with every wrong field; `changed_here` once the organisation went on here.
pub fn import(
    tx: &mut Tx<'_>,
    desk: &Desk,
    (actor, author): (Actor, AccountId),
    known: Option<OrganizationId>,
    new: &NewOrganization,
    standing: &Standing,
) -> Result<Organization> {
    let known = known
        .map(|id| store::organization(tx.conn, id))
        .transpose()?;
    let mut organization = Organization {
        status: standing.status,
        credit_code_reason: standing.credit_code_reason.clone(),
        ..draft(tx, author, new)
    };
    if let Some(known) = &known {
        if !matches!(
            known.status,
            OrganizationStatus::Draft | OrganizationStatus::Active
        ) {
            return Err(Code::ChangedHere.into());
        }
        let is_active = known.status == OrganizationStatus::Active;
        organization = Organization {
            id: known.id,
            registering_code: known.registering_code.clone(),
            responsible_id: known.responsible_id,
            responsible_number: known.responsible_number.clone(),
            curing_until: known
                .curing_until
                .filter(|_| organization.kind == OrganizationKind::Filed),
            founder_id: known.founder_id,
            version: known.version,
            created_at: known.created_at,
            published_at: known.published_at,
            status: if is_active {
                known.status
            } else {
                standing.status
            },
            ..organization
        };
        if organization.status == known.status {
            organization.status_since = known.status_since;
        }
    }
    let mut wrong = Problem::new(Code::Invalid);
    if organization.status == OrganizationStatus::Active {
        let code = organization.credit_code.as_deref();
        if organization.kind == OrganizationKind::Registered && code.is_none() {
            wrong = wrong.field("/credit_code", Code::Required);
        }
        if rules::is_doubtful(code) && organization.credit_code_reason.is_none() {
            wrong = wrong.field("/credit_code", Code::CreditCodeUnconfirmed);
        }
    }
    together([
        valid::check(new, ""),
        check(tx, &mut organization, known.as_ref(), wrong),
    ])?;
    let written = match &known {
        None => store::insert(tx.conn, &organization).map(|()| true),
        Some(_) => store::save(tx.conn, &organization),
    };
    match written {
        Ok(true) => {}
        Ok(false) => return Err(Code::VersionMismatch.into()),
        Err(error) if error.is_unique_violation() => {
            let taken = Problem::new(Code::Invalid).field("/credit_code", Code::CreditCodeTaken);
            return Err(Error::from(taken));
        }
        Err(error) => return Err(error),
    }
    if let Some((phone, name)) = &standing.manager
        && store::managers(tx.conn, organization.id)?.is_empty()
    {
        let account = identity::invite_account(tx, Some(phone), None, None)?.id;
        if store::membership(tx.conn, organization.id, account)?.is_none() {
            let to = Invitee {
                account,
                phone: Some(phone.clone()),
                name: name.clone(),
                role: MemberRole::Manager,
            };
            offer(tx, desk, &organization, (actor, author), to)?;
        }
    }
    let mut journalled =
        change(&organization, actor, "import").payload(json!({ "new": known.is_none() }));
    let before = known.map_or(OrganizationStatus::Draft, |known| known.status);
    if before != organization.status {
        journalled = journalled.states(before.into(), organization.status.into());
    }
    tx.journal(journalled)?;
    follow_filing(tx, desk, organization.id)?;
    store::organization(tx.conn, organization.id)
}
