//! What people do not want to be asked, and by whom.

use serde::Deserialize;
use utoipa::ToSchema;
use validator::Validate;

use super::about;
use crate::error::{Code, Problem, Result};
use crate::identity::AccountId;
use crate::matching::NeedId;
use crate::matching::invitations::model::{Block, BlockId};
use crate::matching::invitations::store;
use crate::organizations::{self, OrganizationId};
use crate::platform::db::Tx;
use crate::platform::journal::{Actor, Change};

/// From whom one wants no invitations: one account, one organisation, or, without both, anybody.
#[derive(Clone, Debug, Default, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct NewBlock {
    /// The organisation, whoever invites for it.
    pub organization_id: Option<OrganizationId>,
    /// The account, for whomever it invites: one that has invited the person before.
    pub account_id: Option<AccountId>,
}

/// Notes that a person is not interested in a need: it is neither recommended to it any more, nor is it
/// asked for it. Doing it twice is doing it once.
///
/// # Errors
/// `not_found` for a need that is unknown.
pub fn dismiss(tx: &mut Tx<'_>, who: AccountId, by: Actor, need: NeedId) -> Result<()> {
    about(tx.conn, need)?;
    tx.serialize_on(&format!("invitee:{who}"))?;
    if store::dismiss(tx, who, need)? {
        journal(
            tx,
            who,
            by,
            "dismiss_need",
            serde_json::json!({ "need_kind": need.kind, "need_id": need.id }),
        )?;
    }
    Ok(())
}

/// Takes that back. Doing it twice is doing it once.
///
/// # Errors
/// Those of the database.
pub fn undismiss(tx: &mut Tx<'_>, who: AccountId, by: Actor, need: NeedId) -> Result<()> {
    if store::undismiss(tx.conn, who, need)? {
        journal(
            tx,
            who,
            by,
            "undismiss_need",
            serde_json::json!({ "need_kind": need.kind, "need_id": need.id }),
        )?;
    }
    Ok(())
}

/// Blocks invitations. The same block is made once.
///
/// # Errors
/// `invalid` for an organisation that is unknown or an account that never invited the person, whom it
/// need not know, or where both are named.
pub fn block(tx: &mut Tx<'_>, who: AccountId, by: Actor, new: &NewBlock) -> Result<Block> {
    let wrong = |field, code| Problem::new(Code::Invalid).field(field, code);
    match (new.organization_id, new.account_id) {
        (Some(_), Some(_)) => return Err(wrong("/account_id", Code::OneOfTwo).into()),
        (Some(id), None) if organizations::organization(tx.conn, id).is_err() => {
            return Err(wrong("/organization_id", Code::UnknownReference).into());
        }
        (None, Some(id)) if !store::was_invited_by(tx.conn, who, id)? => {
            return Err(wrong("/account_id", Code::UnknownReference).into());
        }
        _ => {}
    }
    tx.serialize_on(&format!("invitee:{who}"))?;
    let wanted = Block {
        id: BlockId::new(),
        account_id: who,
        blocked_id: new.account_id,
        organization_id: new.organization_id,
        created_at: tx.now,
    };
    if let Some(same) = store::same_block(tx.conn, &wanted)? {
        return Ok(same);
    }
    store::insert_block(tx.conn, &wanted)?;
    journal(
        tx,
        who,
        by,
        "block_invitations",
        serde_json::json!({ "block_id": wanted.id }),
    )?;
    Ok(wanted)
}

/// Lifts a block.
///
/// # Errors
/// `not_found`.
pub fn lift_block(tx: &mut Tx<'_>, who: AccountId, by: Actor, id: BlockId) -> Result<()> {
    if !store::lift(tx.conn, who, id)? {
        return Err(Code::NotFound.into());
    }
    journal(
        tx,
        who,
        by,
        "unblock_invitations",
        serde_json::json!({ "block_id": id }),
    )
}

/// An entry about what a person wants. The noun is the invitee: what is matched does not change by it.
fn journal(
    tx: &mut Tx<'_>,
    who: AccountId,
    by: Actor,
    verb: &str,
    payload: serde_json::Value,
) -> Result<()> {
    tx.journal(Change::new(by, format!("invitee.{verb}"), who.0).payload(payload))
}
