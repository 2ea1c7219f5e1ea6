//! What is set by hand.

use diesel::prelude::*;

use crate::error::{Code, Result};
use crate::matching::rounds::model::{BatchRoundId, Lock, LockId, LockKind, RoundStatus};
use crate::platform::clock::Instant;
use crate::platform::db::Conn;
use crate::schema::{round_locks, rounds};

pub fn insert_lock(conn: &mut Conn, lock: &Lock) -> Result<()> {
    diesel::insert_into(round_locks::table)
        .values(lock)
        .execute(conn)?;
    Ok(())
}

/// A lock of a round.
pub fn lock(conn: &mut Conn, of: BatchRoundId, id: LockId) -> Result<Lock> {
    round_locks::table
        .filter(round_locks::round_id.eq(of))
        .filter(round_locks::id.eq(id))
        .select(Lock::as_select())
        .first(conn)
        .optional()?
        .ok_or_else(|| Code::NotFound.into())
}

/// All locks of a round, the oldest first.
pub fn locks(conn: &mut Conn, of: BatchRoundId) -> Result<Vec<Lock>> {
    Ok(round_locks::table
        .filter(round_locks::round_id.eq(of))
        .order(round_locks::id)
        .select(Lock::as_select())
        .load(conn)?)
}

/// A page of them.
pub fn page_of_locks(
    conn: &mut Conn,
    of: BatchRoundId,
    kind: Option<LockKind>,
    after: Option<LockId>,
    limit: i64,
) -> Result<Vec<Lock>> {
    let mut rows = round_locks::table
        .filter(round_locks::round_id.eq(of))
        .order(round_locks::id)
        .limit(limit + 1)
        .select(Lock::as_select())
        .into_boxed();
    if let Some(kind) = kind {
        rows = rows.filter(round_locks::kind.eq(kind));
    }
    if let Some(after) = after {
        rows = rows.filter(round_locks::id.gt(after));
    }
    Ok(rows.load(conn)?)
}

pub fn remove_lock(conn: &mut Conn, id: LockId) -> Result<bool> {
    Ok(diesel::delete(round_locks::table.find(id)).execute(conn)? > 0)
}

/// Notes which locks the plan could not keep, and forgets what was noted before.
pub fn note_refusals(
    conn: &mut Conn,
    of: BatchRoundId,
    refusals: &[(LockId, &'static str)],
) -> Result<()> {
    diesel::update(round_locks::table.filter(round_locks::round_id.eq(of)))
        .set(round_locks::refusal.eq(None::<String>))
        .execute(conn)?;
    for (id, code) in refusals {
        diesel::update(round_locks::table.find(*id))
            .set(round_locks::refusal.eq(Some(*code)))
            .execute(conn)?;
    }
    Ok(())
}

/// Forgets the locks that name people of rounds that were over before an instant; returns how many.
pub fn forget_locks(conn: &mut Conn, over: Instant) -> Result<usize> {
    let ended = rounds::table
        .filter(rounds::status.eq_any([RoundStatus::Closed, RoundStatus::Cancelled]))
        .filter(rounds::status_since.lt(over))
        .select(rounds::id);
    let named = round_locks::table
        .filter(round_locks::round_id.eq_any(ended))
        .filter(round_locks::account_id.is_not_null());
    Ok(diesel::delete(named).execute(conn)?)
}
