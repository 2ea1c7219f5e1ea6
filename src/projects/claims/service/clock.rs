//! What the clock does to claims, and what other rooms' changes do.

use super::super::model::ProjectClaim;
use super::super::rules::{LEASED, has_run_out};
use super::super::store;
use super::lease::end;
use super::line::Reminder;
use super::{name, serialize, tell_claimant, tell_publisher};
use crate::error::{Error, Result};
use crate::notifications::Kind;
use crate::organizations;
use crate::platform::db::Tx;
use crate::platform::journal::{Actor, Entry};
use crate::projects::model::ProjectStatus;
use crate::projects::service::Desk;

/// Reminds a claimant whose lease is about to end, if it still does: a job. Of several that are due
/// at once, after a standstill, the last one tells.
///
/// # Errors
/// Those of the database.
pub fn remind(tx: &mut Tx<'_>, payload: &serde_json::Value) -> Result<()> {
    let reminder: Reminder = serde_json::from_value(payload.clone()).map_err(Error::internal)?;
    let claim = store::claim(tx.conn, reminder.claim)?;
    let is_over = claim.lease_until != Some(reminder.lease_until) || has_run_out(&claim, tx.now);
    let is_late = reminder.next.is_some_and(|next| next <= tx.now);
    if is_over || is_late {
        return Ok(()); // renewed or ended; or the next one, which is due too, tells
    }
    let project = crate::projects::store::project(tx.conn, claim.project_id)?;
    let due = reminder.lease_until.on_the_wall(tx.zone);
    tell_claimant(
        tx,
        &project,
        &claim,
        Kind::ClaimLeaseEnding,
        &[("due", &due)],
    )
}

/// Ends the claims whose lease has run out, up to `limit`; returns how many it looked at. One that is
/// renewed at the same moment is left to its claimant; under a suspended project all stand still.
///
/// # Errors
/// Those of the database.
pub fn sweep(tx: &mut Tx<'_>, desk: &Desk, limit: i64) -> Result<usize> {
    let due = store::overdue(tx.conn, tx.now, limit)?;
    let mut done = 0;
    for seen in &due {
        done += usize::from(tx.one_of_many(|tx| expire(tx, desk, seen))?);
    }
    Ok(done)
}

fn expire(tx: &mut Tx<'_>, desk: &Desk, seen: &ProjectClaim) -> Result<()> {
    serialize(tx, seen.project_id)?;
    let claim = store::claim(tx.conn, seen.id)?;
    let project = crate::projects::store::project(tx.conn, claim.project_id)?;
    let stands_still = project.status == ProjectStatus::Suspended;
    if !has_run_out(&claim, tx.now) || stands_still || !LEASED.contains(&claim.status) {
        return Ok(());
    }
    let ended = end(tx, desk, &project, &claim, "expire", Actor::System, None)?;
    tell_claimant(tx, &project, &ended, Kind::ClaimExpired, &[])?;
    let name = name(tx.conn, &ended)?;
    tell_publisher(
        tx,
        &project,
        Actor::System,
        Kind::ClaimExpiredOf,
        &[("name", &name)],
    )
}

/// A reaction: an organisation that may not act any more, and was not reinstated since, loses its
/// claims (domain §3). What it finds ended stays as it is, so reacting twice is reacting once.
///
/// # Errors
/// Those of the database.
pub fn react(tx: &mut Tx<'_>, desk: &Desk, entry: &Entry) -> Result<()> {
    let Some(organization) = organizations::stopped(tx.conn, entry)? else {
        return Ok(());
    };
    let reason = entry.reason.clone().unwrap_or_default();
    for seen in store::of_organization(tx.conn, organization)? {
        serialize(tx, seen.project_id)?;
        let claim = store::claim(tx.conn, seen.id)?;
        if claim.ended_at.is_some() {
            continue;
        }
        let project = crate::projects::store::project(tx.conn, claim.project_id)?;
        let ended = end(
            tx,
            desk,
            &project,
            &claim,
            "revoke",
            Actor::System,
            Some(&reason),
        )?;
        tell_claimant(
            tx,
            &project,
            &ended,
            Kind::ClaimRevoked,
            &[("reason", &reason)],
        )?;
    }
    Ok(())
}
