//! What people do not want to be asked, and by whom.

use diesel::prelude::*;
use uuid::Uuid;

use crate::error::Result;
use crate::identity::AccountId;
use crate::matching::NeedId;
use crate::matching::invitations::model::{Block, BlockId, Dismissal};
use crate::platform::clock::Instant;
use crate::platform::columns::Uid;
use crate::platform::db::{Conn, Tx};
use crate::schema::{dismissed_needs, invitation_blocks, invitations};

/// Notes that a person does not want to hear of a need; false when it is noted already.
pub fn dismiss(tx: &mut Tx<'_>, who: AccountId, need: NeedId) -> Result<bool> {
    let known = dismissed_needs::table.find((who, Uid(need.id)));
    if known.count().get_result::<i64>(tx.conn)? > 0 {
        return Ok(false);
    }
    let row = Dismissal {
        account_id: who,
        need_kind: need.kind,
        need_id: Uid(need.id),
        created_at: tx.now,
    };
    diesel::insert_into(dismissed_needs::table)
        .values(row)
        .execute(tx.conn)?;
    Ok(true)
}

/// Takes that back; false when there was nothing to take back.
pub fn undismiss(conn: &mut Conn, who: AccountId, need: NeedId) -> Result<bool> {
    let known = dismissed_needs::table.find((who, Uid(need.id)));
    Ok(diesel::delete(known).execute(conn)? > 0)
}

/// What a person does not want to hear of, the newest first; `before` is the last one seen.
pub fn dismissals(
    conn: &mut Conn,
    who: AccountId,
    before: Option<(Instant, Uuid)>,
    limit: i64,
) -> Result<Vec<Dismissal>> {
    let mut rows = dismissed_needs::table
        .filter(dismissed_needs::account_id.eq(who))
        .select(Dismissal::as_select())
        .into_boxed();
    if let Some((at, need)) = before {
        rows = rows.filter(
            dismissed_needs::created_at
                .lt(at)
                .or(dismissed_needs::created_at
                    .eq(at)
                    .and(dismissed_needs::need_id.lt(Uid(need)))),
        );
    }
    Ok(rows
        .order((
            dismissed_needs::created_at.desc(),
            dismissed_needs::need_id.desc(),
        ))
        .limit(limit + 1)
        .load(conn)?)
}

/// A person's blocks, the newest first.
pub fn blocks(
    conn: &mut Conn,
    who: AccountId,
    before: Option<BlockId>,
    limit: i64,
) -> Result<Vec<Block>> {
    let mut rows = invitation_blocks::table
        .filter(invitation_blocks::account_id.eq(who))
        .select(Block::as_select())
        .into_boxed();
    if let Some(before) = before {
        rows = rows.filter(invitation_blocks::id.lt(before));
    }
    Ok(rows
        .order(invitation_blocks::id.desc())
        .limit(limit + 1)
        .load(conn)?)
}

/// The same block, where there is one.
pub fn same_block(conn: &mut Conn, wanted: &Block) -> Result<Option<Block>> {
    let rows = invitation_blocks::table
        .filter(invitation_blocks::account_id.eq(wanted.account_id))
        .select(Block::as_select())
        .into_boxed();
    let rows = match wanted.blocked_id {
        Some(id) => rows.filter(invitation_blocks::blocked_id.eq(id)),
        None => rows.filter(invitation_blocks::blocked_id.is_null()),
    };
    let rows = match wanted.organization_id {
        Some(id) => rows.filter(invitation_blocks::organization_id.eq(id)),
        None => rows.filter(invitation_blocks::organization_id.is_null()),
    };
    Ok(rows.first(conn).optional()?)
}

pub fn insert_block(conn: &mut Conn, block: &Block) -> Result<()> {
    diesel::insert_into(invitation_blocks::table)
        .values(block)
        .execute(conn)?;
    Ok(())
}

/// Lifts a person's block; false when it has none by that name.
pub fn lift(conn: &mut Conn, who: AccountId, id: BlockId) -> Result<bool> {
    let theirs = invitation_blocks::table
        .filter(invitation_blocks::id.eq(id))
        .filter(invitation_blocks::account_id.eq(who));
    Ok(diesel::delete(theirs).execute(conn)? > 0)
}

/// Forgets what a person does not want, and who does not want to hear of it.
pub fn forget(conn: &mut Conn, who: AccountId) -> Result<()> {
    let theirs = dismissed_needs::table.filter(dismissed_needs::account_id.eq(who));
    diesel::delete(theirs).execute(conn)?;
    let blocks = invitation_blocks::table.filter(
        invitation_blocks::account_id
            .eq(who)
            .or(invitation_blocks::blocked_id.eq(who).assume_not_null()),
    );
    diesel::delete(blocks).execute(conn)?;
    // answers stay without what was written in them
    let answered = invitations::table.filter(invitations::account_id.eq(who));
    diesel::update(answered)
        .set(invitations::reason.eq(None::<String>))
        .execute(conn)?;
    Ok(())
}
