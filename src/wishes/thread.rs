//! The thread of a wish: the claimant and those who speak for the beneficiary write to each other
//! without knowing numbers. Each claim has its own; it can be read on after the claim has ended.

use chrono::TimeDelta;
use diesel::prelude::*;

use super::model::{ClaimId, Wish, WishId};
use super::rules::{By, Relation};
use super::service::{self, Desk, Mover};
use super::store;
use crate::error::{Code, Result};
use crate::id;
use crate::identity::AccountId;
use crate::notifications::{Kind, Notice, notify};
use crate::platform::clock::Instant;
use crate::platform::db::{Conn, Tx};
use crate::platform::lifecycle::ActsAs;
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
    /// None: the beneficiary wrote it, by link.
    pub author_id: Option<AccountId>,
    pub body: String,
    pub created_at: Instant,
}

/// Writes a message and tells the other side: by mail too, unless they have not read yet what they
/// were told a moment ago.
pub fn write(
    tx: &mut Tx<'_>,
    desk: &Desk,
    by: Mover<'_>,
    id: WishId,
    body: &str,
) -> Result<Message> {
    let (wish, relation) = side(tx.conn, by, id)?;
    if !relation.speaks_for_beneficiary() {
        relation.acts_as(By::Claimant)?;
    }
    let Some(claim) = store::live_claim(tx.conn, id)? else {
        return Err(Code::NobodyToWriteTo.into());
    };
    let message = Message {
        id: MessageId::new(),
        wish_id: id,
        claim_id: claim.id,
        author_id: by.account(),
        body: body.to_owned(),
        created_at: tx.now,
    };
    diesel::insert_into(wish_messages::table)
        .values(&message)
        .execute(tx.conn)?;
    let others = if relation.claimant {
        service::owners(tx.conn, &wish)?
    } else {
        service::claimants(tx.conn, &claim)?
    };
    let pause = TimeDelta::minutes(desk.rules.message_mail_minutes);
    for to in others {
        if by.account() != Some(to) {
            let notice = Notice::titled(to, Kind::WishMessage, ("wish", id.0), &wish.title);
            notify(tx, &notice.mailed_once_in(pause))?;
        }
    }
    Ok(message)
}

/// How one stands to a wish: a caller, or the beneficiary by its link.
fn side(conn: &mut Conn, by: Mover<'_>, id: WishId) -> Result<(Wish, Relation)> {
    match by {
        Mover::Caller(caller) => service::visible(conn, Some(caller), id),
        Mover::Link | Mover::Clock => Ok((store::wish(conn, id)?, Relation::LINK)),
    }
}

/// The messages with their authors' names, oldest first: those of the caller's own claim, or all
/// for those who speak for the beneficiary. What came by link is the beneficiary's, by its alias.
pub fn read(
    conn: &mut Conn,
    by: Mover<'_>,
    id: WishId,
    after: Option<MessageId>,
    limit: i64,
) -> Result<Vec<(Message, String)>> {
    let (wish, relation) = side(conn, by, id)?;
    let mut rows = wish_messages::table
        .left_join(accounts::table)
        .filter(wish_messages::wish_id.eq(id))
        .select((Message::as_select(), accounts::display_name.nullable()))
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
    let rows: Vec<(Message, Option<String>)> =
        rows.order(wish_messages::id).limit(limit + 1).load(conn)?;
    let named = |(message, name): (Message, Option<String>)| {
        (message, name.unwrap_or_else(|| wish.alias.clone()))
    };
    Ok(rows.into_iter().map(named).collect())
}
