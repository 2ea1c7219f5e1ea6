//! Wishes that come from somewhere else.

use serde_json::json;

use super::writing::build;
use super::{Desk, NewWish, change};
use crate::error::{Code, Result};
use crate::identity::AccountId;
use crate::platform::db::Tx;
use crate::platform::journal::Actor;
use crate::wishes::model::{Wish, WishId, WishStatus};
use crate::wishes::store;

/// Takes over a wish that somebody posted for somebody else, or brings `known` up to date: as a
/// draft, or published at once, screened where it comes from. What is published here stays so.
///
/// # Errors
/// `invalid` with every wrong field; `changed_here` once the wish went on here.
pub fn import(
    tx: &mut Tx<'_>,
    desk: &Desk,
    (actor, author): (Actor, AccountId),
    known: Option<WishId>,
    new: &NewWish,
    status: WishStatus,
) -> Result<Wish> {
    let built = Wish {
        status,
        submitted_at: (status != WishStatus::Draft).then_some(tx.now),
        published_at: (status == WishStatus::Published).then_some(tx.now),
        ..build(tx, desk, author, new)?
    };
    let known = known.map(|id| store::wish(tx.conn, id)).transpose()?;
    let before = known
        .as_ref()
        .map_or(WishStatus::Draft, |known| known.status);
    let id = match known {
        None => {
            store::insert(tx.conn, &built)?;
            built.id
        }
        Some(known) => {
            if !matches!(known.status, WishStatus::Draft | WishStatus::Published) {
                return Err(Code::ChangedHere.into());
            }
            let wish = Wish {
                id: known.id,
                version: known.version,
                ..built.clone()
            };
            if !store::update(tx.conn, &wish)? {
                return Err(Code::VersionMismatch.into());
            }
            let now = store::wish(tx.conn, known.id)?;
            if known.status == WishStatus::Draft
                && status == WishStatus::Published
                && !store::advance(tx, &now, status, None)?
            {
                return Err(Code::VersionMismatch.into());
            }
            known.id
        }
    };
    let wish = store::wish(tx.conn, id)?;
    let mut journalled = change(&wish, actor, "import").payload(json!({
        "new": id == built.id, "consent": wish.consent_channel,
    }));
    if before != wish.status {
        journalled = journalled.states(before.into(), wish.status.into());
    }
    tx.journal(journalled)?;
    Ok(wish)
}
