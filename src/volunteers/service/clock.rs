//! What the clock does to certificates.

use chrono::Days;

use super::super::model::{Qualification, QualificationStatus};
use super::super::store;
use super::Desk;
use super::qualifications::{change, hash, number, title};
use crate::error::Result;
use crate::notifications::{Kind, Notice, notify};
use crate::platform::db::Tx;
use crate::platform::journal::Actor;

/// Tells holders that their certificates end, and that they have ended, each once; up to `limit`.
/// Returns how many there were to look at.
///
/// # Errors
/// Those of the database.
pub fn sweep(tx: &mut Tx<'_>, desk: &Desk, limit: i64) -> Result<usize> {
    let unhashed = store::unhashed(tx.conn, limit)?;
    for row in &unhashed {
        let hash = hash(&desk.vault, &row.kind, &number(&desk.vault, row)?);
        store::set_hash(tx.conn, row.id, &hash)?;
    }
    let ending = store::ending(tx.conn, tx.today(), limit)?;
    for seen in &ending {
        tell(tx, seen)?;
    }
    Ok(unhashed.len().max(ending.len()))
}

fn tell(tx: &mut Tx<'_>, seen: &Qualification) -> Result<()> {
    let Some(last) = seen.expires_on else {
        return Ok(());
    };
    let has_ended = last < tx.today();
    let next = match has_ended {
        true => None,
        false => last.checked_add_days(Days::new(1)),
    };
    if !store::put_off(tx.conn, seen, next)? {
        return Ok(()); // another worker, or somebody moved it
    }
    let (verb, kind) = match has_ended {
        true => ("expired", Kind::QualificationExpired),
        false => ("reminded", Kind::QualificationEnding),
    };
    let volunteer = store::volunteer(tx.conn, seen.account_id)?;
    if let Some(volunteer) = volunteer {
        tx.journal(change(seen, &volunteer, Actor::System, verb))?;
    }
    if is_followed(tx, seen)? {
        return Ok(());
    }
    let subject = ("qualification", seen.id.0);
    let notice = Notice::titled(seen.account_id, kind, subject, &title(seen));
    notify(tx, &notice.with("due", last.to_string()))
}

/// Whether the holder has a verified certificate of the same kind that counts for longer.
fn is_followed(tx: &mut Tx<'_>, seen: &Qualification) -> Result<bool> {
    let held = store::of_volunteer(tx.conn, seen.account_id)?;
    Ok(held.iter().any(|other| {
        other.kind == seen.kind
            && other.status == QualificationStatus::Verified
            && other
                .expires_on
                .is_none_or(|last| Some(last) > seen.expires_on)
    }))
}
