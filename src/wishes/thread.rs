//! The thread of a wish: the claimant and those who speak for the beneficiary write to each other
//! without knowing numbers. Each claim has its own; it can be read on after the claim has ended.

use diesel::prelude::*;

use super::model::{ClaimId, WishId};
use super::{service, store};
use crate::error::{Code, Result};
use crate::id;
use crate::identity::{AccountId, Caller};
use crate::notifications::{Kind, Notice, notify};
use crate::platform::clock::Instant;
use crate::platform::db::{Conn, Tx};
use crate::schema::{accounts, wish_messages};

id! {
    /// Names a message.
    MessageId
}

/// A message.
#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = wish_messages)]
pub struct Message {
    pub id: MessageId,
    pub wish_id: WishId,
    pub claim_id: ClaimId,
    pub author_id: AccountId,
    pub body: String,
    pub created_at: Instant,
}

/// Writes a message and tells the other side.
pub fn write(tx: &mut Tx<'_>, caller: &Caller, id: WishId, body: &str) -> Result<Message> {
    let (wish, relation) = service::visible(tx.conn, Some(caller), id)?;
    if !relation.claimant && !relation.speaks_for_beneficiary() {
        return Err(Code::Forbidden.into());
    }
    let Some(claim) = store::live_claim(tx.conn, id)? else {
        return Err(Code::NobodyToWriteTo.into());
    };
    let message = Message {
        id: MessageId::new(),
        wish_id: id,
        claim_id: claim.id,
        author_id: caller.account,
        body: body.to_owned(),
        created_at: tx.now,
    };
    diesel::insert_into(wish_messages::table)
        .values(&message)
        .execute(tx.conn)?;
    let others = if relation.claimant {
        vec![Some(wish.author_id), wish.beneficiary_id]
    } else {
        service::claimants(tx.conn, &claim)?
            .into_iter()
            .map(Some)
            .collect()
    };
    let mut told = vec![caller.account];
    for to in others.into_iter().flatten() {
        if !told.contains(&to) {
            told.push(to);
            notify(
                tx,
                &Notice::titled(to, Kind::WishMessage, ("wish", id.0), &wish.title),
            )?;
        }
    }
    Ok(message)
}

/// The messages with their authors' names, oldest first: those of the caller's own claim, or all
/// for those who speak for the beneficiary.
pub fn read(
    conn: &mut Conn,
    caller: &Caller,
    id: WishId,
    after: Option<MessageId>,
    limit: i64,
) -> Result<Vec<(Message, String)>> {
    let (_, relation) = service::visible(conn, Some(caller), id)?;
    let mut rows = wish_messages::table
        .inner_join(accounts::table)
        .filter(wish_messages::wish_id.eq(id))
        .select((Message::as_select(), accounts::display_name))
        .into_boxed();
    if !relation.speaks_for_beneficiary() {
        match store::standing_claim(conn, id)? {
            Some(claim) if relation.claimant => {
                rows = rows.filter(wish_messages::claim_id.eq(claim.id))
            }
            _ => return Err(Code::Forbidden.into()),
        }
    }
    if let Some(after) = after {
        rows = rows.filter(wish_messages::id.gt(after));
    }
    Ok(rows.order(wish_messages::id).limit(limit + 1).load(conn)?)
}
