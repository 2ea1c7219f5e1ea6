//! Following the journal: readers that keep their place, and reactions.

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::BigInt;
use serde::{Deserialize, Serialize};

use super::Entry;
use crate::each;
use crate::error::Result;
use crate::platform::clock::Instant;
use crate::platform::columns::Uid;
use crate::platform::db::{Conn, Prepared, Tx};
use crate::schema::{journal, journal_cursors};

/// How far a reader has read.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Position {
    /// The transaction's number.
    pub txid: i64,
    /// The entry's number.
    pub seq: i64,
}

impl Entry {
    /// Where the entry stands.
    pub fn position(&self) -> Position {
        Position {
            txid: self.txid,
            seq: self.seq,
        }
    }
}

/// The entries after `position` that no running transaction can still precede, oldest first.
///
/// # Errors
/// Those of the database.
pub fn after(conn: &mut Conn, position: Position, limit: i64) -> Result<Vec<Entry>> {
    let horizon = horizon(conn)?;
    Ok(journal::table
        .filter(journal::txid.lt(horizon))
        .filter(
            journal::txid.gt(position.txid).or(journal::txid
                .eq(position.txid)
                .and(journal::seq.gt(position.seq))),
        )
        .order((journal::txid, journal::seq))
        .limit(limit)
        .select(Entry::as_select())
        .load(conn)?)
}

/// A thing that changed, as [`touched`] finds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Touched {
    /// Where the entry stands.
    pub position: Position,
    /// Whether no entry can come in before it any more.
    pub is_settled: bool,
    /// The noun of the thing.
    pub noun: String,
    /// The thing.
    pub subject: Uid,
}

/// What changed after `position` as far as it is committed, oldest first: also what [`after`] does
/// not show yet because an older transaction is open. For readers that look up the present state of
/// what changed and so may do it early; their place moves by the settled ones alone.
///
/// # Errors
/// Those of the database.
pub fn touched(conn: &mut Conn, position: Position, limit: i64) -> Result<Vec<Touched>> {
    // before the entries: what it says has ended is then visible among them
    let horizon = horizon(conn)?;
    let rows: Vec<(i64, i64, String, Uid)> = journal::table
        .filter(
            journal::txid.gt(position.txid).or(journal::txid
                .eq(position.txid)
                .and(journal::seq.gt(position.seq))),
        )
        .order((journal::txid, journal::seq))
        .limit(limit)
        .select((
            journal::txid,
            journal::seq,
            journal::subject_kind,
            journal::subject_id,
        ))
        .load(conn)?;
    let found = rows.into_iter().map(|(txid, seq, noun, subject)| Touched {
        position: Position { txid, seq },
        is_settled: txid < horizon,
        noun,
        subject,
    });
    Ok(found.collect())
}

/// The newest position that is safe to start from: everything before it is visible now.
///
/// # Errors
/// Those of the database.
pub fn head(conn: &mut Conn) -> Result<Position> {
    let horizon = horizon(conn)?;
    let last = journal::table
        .filter(journal::txid.lt(horizon))
        .order((journal::txid.desc(), journal::seq.desc()))
        .select((journal::txid, journal::seq))
        .first::<(i64, i64)>(conn)
        .optional()?;
    Ok(last.map_or(Position::default(), |(txid, seq)| Position { txid, seq }))
}

/// When the oldest entry after `position` was written, whether it is settled or not; none when there
/// is nothing after it.
///
/// # Errors
/// Those of the database.
pub fn unread_since(conn: &mut Conn, position: Position) -> Result<Option<Instant>> {
    Ok(journal::table
        .filter(journal::txid.ge(position.txid)) // where PostgreSQL begins to read its index
        .filter(
            journal::txid.gt(position.txid).or(journal::txid
                .eq(position.txid)
                .and(journal::seq.gt(position.seq))),
        )
        .order((journal::txid, journal::seq))
        .select(journal::at)
        .first(conn)
        .optional()?)
}

/// How far a named reader has read; the beginning for one that never did.
///
/// # Errors
/// Those of the database.
pub fn place_of(conn: &mut Conn, reader: &str) -> Result<Position> {
    Ok(place(conn, reader)?.unwrap_or_default())
}

fn place(conn: &mut Conn, reader: &str) -> Result<Option<Position>> {
    let place = journal_cursors::table
        .filter(journal_cursors::reader.eq(reader))
        .select((journal_cursors::txid, journal_cursors::seq))
        .first::<(i64, i64)>(conn)
        .optional()?;
    Ok(place.map(|(txid, seq)| Position { txid, seq }))
}

/// Transactions below this number have ended.
fn horizon(conn: &mut Conn) -> Result<i64> {
    match conn {
        Conn::Sqlite(_) => Ok(i64::MAX),
        Conn::Postgres(conn) => {
            let xmin = sql::<BigInt>("pg_snapshot_xmin(pg_current_snapshot())::text::bigint");
            Ok(Prepared::new(diesel::select(xmin)).get_result(conn)?)
        }
    }
}

/// Reads on for a named reader, hands the entries to `react` and moves the reader's place, all in
/// this transaction: each entry is handled exactly once. Returns how many there were.
///
/// # Errors
/// Those of the database and of `react`; nothing is moved then.
pub fn react(
    tx: &mut Tx<'_>,
    reader: &str,
    limit: i64,
    react: impl Fn(&mut Tx<'_>, &Entry) -> Result<()>,
) -> Result<usize> {
    let place = place(tx.conn, reader)?;
    let from = place.unwrap_or_default();
    let entries = after(tx.conn, from, limit)?;
    let Some(last) = entries.last() else {
        return Ok(0);
    };
    let to = last.position();
    let moved = match place {
        Some(_) => {
            let here = journal_cursors::table
                .filter(journal_cursors::reader.eq(reader))
                .filter(journal_cursors::txid.eq(from.txid))
                .filter(journal_cursors::seq.eq(from.seq));
            let update = diesel::update(here).set((
                journal_cursors::txid.eq(to.txid),
                journal_cursors::seq.eq(to.seq),
            ));
            each!(&mut *tx.conn, c => Prepared::new(update).execute(c))?
        }
        None => diesel::insert_into(journal_cursors::table)
            .values((
                journal_cursors::reader.eq(reader),
                journal_cursors::txid.eq(to.txid),
                journal_cursors::seq.eq(to.seq),
            ))
            .execute(tx.conn)?,
    };
    if moved == 0 {
        return Ok(0); // another process is at it
    }
    for entry in &entries {
        react(tx, entry)?;
    }
    Ok(entries.len())
}
