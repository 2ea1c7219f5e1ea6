//! What the filing of an organisation rests on, and the term to have it in order again.

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use super::super::model::{
    MemberStatus, Organization, OrganizationId, OrganizationKind, OrganizationStatus,
};
use super::super::rules::{self, Facts};
use super::super::store;
use super::{Desk, change, tell_managers};
use crate::error::{Code, Error, FieldError, Problem, Result};
use crate::identity::ResidentId;
use crate::notifications::Kind;
use crate::platform::clock::Instant;
use crate::platform::db::Tx;
use crate::platform::journal::Actor;
use crate::regions;

/// What the machine finds missing of an organisation, as it is or as it is to become.
pub(super) fn missing(
    tx: &mut Tx<'_>,
    desk: &Desk,
    organization: &Organization,
) -> Result<Vec<FieldError>> {
    let today = tx.today();
    let id = organization.id;
    let responsible = match organization.responsible_id {
        Some(who) => store::membership(tx.conn, id, who)?,
        None => None,
    };
    let is_adult = match &organization.responsible_number {
        None => None,
        Some(sealed) => {
            let number = String::from_utf8(desk.vault.open(sealed)?).map_err(Error::internal)?;
            let number = ResidentId::parse(&number).map_err(Error::from)?;
            Some(number.has_turned(desk.rules.responsible_age, today))
        }
    };
    let venue_in_street = match organization.venue_region_id {
        Some(venue) => regions::contains(tx.conn, organization.region_id, venue)?,
        None => false,
    };
    let facts = Facts {
        members: store::count_members(tx.conn, id, None)?,
        responsible_is_member: responsible.is_some_and(|m| m.status == MemberStatus::Active),
        responsible_is_adult: is_adult,
        documents: store::documents(tx.conn, id)?
            .into_iter()
            .map(|d| d.kind)
            .collect(),
        venue_in_street,
        today,
    };
    Ok(rules::misses(organization, &facts, &desk.rules))
}

/// Refuses what the machine finds missing.
pub(super) fn complete(tx: &mut Tx<'_>, desk: &Desk, organization: &Organization) -> Result<()> {
    let mut wrong = Problem::new(Code::Invalid);
    wrong.errors = missing(tx, desk, organization)?;
    if wrong.errors.is_empty() {
        Ok(())
    } else {
        Err(wrong.into())
    }
}

/// Opens or closes the term in which an active filed organisation must have its filing in order
/// again, by all that the filing rests on (domain §3). For after everything that may change any of
/// it; whoever calls has it to itself.
pub(super) fn follow_filing(tx: &mut Tx<'_>, desk: &Desk, id: OrganizationId) -> Result<()> {
    let organization = store::organization(tx.conn, id)?;
    let is_watched = organization.kind == OrganizationKind::Filed
        && organization.status == OrganizationStatus::Active;
    if !is_watched {
        return Ok(());
    }
    let is_in_order = missing(tx, desk, &organization)?.is_empty();
    let until = tx.now + TimeDelta::days(desk.rules.cure_days);
    let (curing_until, verb) = match (is_in_order, organization.curing_until) {
        (true, Some(_)) => (None, "end_cure"),
        (false, None) => (Some(until), "begin_cure"),
        _ => return Ok(()),
    };
    let followed = Organization {
        curing_until,
        ..organization
    };
    if !store::save(tx.conn, &followed)? {
        return Err(Code::VersionMismatch.into());
    }
    tx.journal(change(&followed, Actor::System, verb))?;
    if curing_until.is_some() {
        let params = [("due", until.on_the_wall(tx.zone))];
        tell_managers(tx, &followed, Kind::OrganizationCuring, &params)?;
        let at = until - TimeDelta::days(desk.rules.cure_reminder_days);
        if tx.now < at {
            let reminder = Reminder {
                organization: id,
                curing_until: until,
            };
            tx.enqueue("organization.remind", &reminder, at)?;
        }
    }
    Ok(())
}

/// An organisation whose managers are to be reminded, and of which term.
#[derive(Serialize, Deserialize)]
struct Reminder {
    organization: OrganizationId,
    curing_until: Instant,
}

/// Reminds the managers of a term that is about to end, if it still runs: a job.
///
/// # Errors
/// Those of the database.
pub fn remind(tx: &mut Tx<'_>, payload: &serde_json::Value) -> Result<()> {
    let reminder: Reminder = serde_json::from_value(payload.clone()).map_err(Error::internal)?;
    let organization = store::organization(tx.conn, reminder.organization)?;
    let runs = organization.status == OrganizationStatus::Active
        && organization.curing_until == Some(reminder.curing_until)
        && tx.now < reminder.curing_until;
    if runs {
        let params = [("due", reminder.curing_until.on_the_wall(tx.zone))];
        tell_managers(tx, &organization, Kind::OrganizationCureEnding, &params)?;
    }
    Ok(())
}
