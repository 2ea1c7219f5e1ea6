//! What the clock does to wishes.

use super::moves::fulfil;
use super::telling::{
    EXPIRED_SMS, OPEN_AGAIN_SMS, Reminder, send_link, tell_authors, tell_claimant, tell_owners,
    tell_staff,
};
use super::{Desk, Mover, advance, change};
use crate::error::{Error, Result};
use crate::notifications::Kind;
use crate::organizations;
use crate::platform::db::Tx;
use crate::platform::journal::{Actor, Entry};
use crate::wishes::model::{ClaimOutcome, FulfilledBy, Wish, WishStatus};
use crate::wishes::store;

/// Reminds a claimant whose lease is about to end, if it still does: a job.
///
/// # Errors
/// Those of the database.
pub fn remind(tx: &mut Tx<'_>, payload: &serde_json::Value) -> Result<()> {
    let reminder: Reminder = serde_json::from_value(payload.clone()).map_err(Error::internal)?;
    let wish = store::wish(tx.conn, reminder.wish)?;
    let claim = store::live_claim(tx.conn, wish.id)?;
    let same = claim
        .filter(|claim| claim.id == reminder.claim && claim.lease_until == reminder.lease_until)
        .filter(|claim| claim.lease_until > tx.now);
    if let Some(claim) = same
        && wish.status == WishStatus::Claimed
    {
        let due = claim.lease_until.on_the_wall(tx.zone);
        tell_claimant(tx, &wish, &claim, Kind::WishLeaseEnding, &[("due", due)])?;
    }
    Ok(())
}

/// Moves on what the clock has reached, up to `limit` wishes; returns how many it moved. A wish
/// that somebody moves at the same moment is left to them.
///
/// # Errors
/// Those of the database.
pub fn sweep(tx: &mut Tx<'_>, desk: &Desk, limit: i64) -> Result<usize> {
    let due = store::due(tx.conn, tx.now, tx.today(), limit)?;
    let mut moved = 0;
    for wish in due {
        moved += usize::from(tx.one_of_many(|tx| sweep_one(tx, desk, &wish))?);
    }
    Ok(moved)
}

fn sweep_one(tx: &mut Tx<'_>, desk: &Desk, wish: &Wish) -> Result<()> {
    match wish.status {
        WishStatus::Submitted => {
            if store::clear_due(tx.conn, wish.id)? {
                tx.journal(change(wish, Actor::System, "screening_overdue"))?;
                tell_staff(tx, wish, Kind::WishScreeningOverdue, &[])?;
            }
        }
        WishStatus::Claimed => {
            if let Some(moved) = advance(tx, wish, "lapse", Mover::Clock, None, None)? {
                tell_owners(tx, &moved, Kind::WishLapsed, &[])?;
                send_link(tx, desk, &moved, OPEN_AGAIN_SMS)?;
                if let Some(claim) = store::live_claim(tx.conn, wish.id)? {
                    store::end_claim(tx, claim.id, ClaimOutcome::Lapsed)?;
                    tell_claimant(tx, &moved, &claim, Kind::WishLapsed, &[])?;
                }
            }
        }
        WishStatus::Delivered => {
            fulfil(
                tx,
                desk,
                wish,
                "time_out",
                Mover::Clock,
                FulfilledBy::Timeout,
            )?;
        }
        WishStatus::Fulfilled => {
            advance(tx, wish, "close", Mover::Clock, None, None)?;
        }
        WishStatus::Published => {
            if let Some(moved) = advance(tx, wish, "expire", Mover::Clock, None, None)? {
                tell_authors(tx, &moved, Kind::WishExpired, &[])?;
                send_link(tx, desk, &moved, EXPIRED_SMS)?;
            }
        }
        _ => {
            store::clear_due(tx.conn, wish.id)?;
        }
    }
    Ok(())
}

/// A reaction: an organisation that may not act any more, and was not reinstated since, gives up what it has claimed and not yet
/// delivered (domain §3). What is delivered is the beneficiary's to confirm; what is disputed the
/// region's to free, since nobody is there to deliver again. What it finds ended stays as it is, so
/// reacting twice is reacting once.
///
/// # Errors
/// Those of the database.
pub fn react(tx: &mut Tx<'_>, desk: &Desk, entry: &Entry) -> Result<()> {
    let Some(organization) = organizations::stopped(tx.conn, entry)? else {
        return Ok(());
    };
    let reason = entry.reason.as_deref().unwrap_or_default();
    for claim in store::of_organization(tx.conn, organization)? {
        let wish = store::wish(tx.conn, claim.wish_id)?;
        if wish.status != WishStatus::Claimed {
            continue;
        }
        if let Some(moved) = advance(tx, &wish, "release", Mover::Clock, Some(reason), None)? {
            store::end_claim(tx, claim.id, ClaimOutcome::Released)?;
            let params = [("reason", reason.to_owned())];
            tell_owners(tx, &moved, Kind::WishReleased, &params)?;
            send_link(tx, desk, &moved, OPEN_AGAIN_SMS)?;
            tell_claimant(tx, &moved, &claim, Kind::WishClaimStopped, &params)?;
        }
    }
    Ok(())
}
