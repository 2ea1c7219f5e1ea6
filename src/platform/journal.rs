//! The journal: every change of state, in the order in which it became visible.
//!
//! Timelines, the audit trail, reactions, live updates and the in-memory projections are all read
//! from it. A reader keeps a [`Position`] and never skips an entry that commits late: on
//! PostgreSQL entries carry the number of their transaction, are read in its order, and only those
//! are shown whose transaction lies behind every one still running.

use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::clock::Instant;
use super::columns::{Json, Uid};
use super::db::{Conn, Tx};
use crate::error::Result;
use crate::schema::{journal, journal_cursors};
use crate::text_enum;

text_enum! {
    /// Who made a change.
    ActorKind {
        /// An account, signed in.
        Account,
        /// A person without an account, by a signed link.
        Link,
        /// The clock, or a reaction to another change.
        System,
    }
}

/// Who makes a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Actor {
    /// An account, signed in.
    Account(Uid),
    /// A person without an account, by a signed link.
    Link,
    /// The clock, or a reaction to another change.
    System,
}

impl Actor {
    fn columns(self) -> (ActorKind, Option<Uid>) {
        match self {
            Self::Account(id) => (ActorKind::Account, Some(id)),
            Self::Link => (ActorKind::Link, None),
            Self::System => (ActorKind::System, None),
        }
    }
}

/// One change of state.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = journal)]
pub struct Entry {
    /// The writing transaction's number; 0 on SQLite, where commits come in order of `seq`.
    pub txid: i64,
    /// Ascending number, unique in the database.
    pub seq: i64,
    /// When.
    pub at: Instant,
    /// What kind of actor.
    pub actor_kind: ActorKind,
    /// Which account, where it was one.
    pub actor_id: Option<Uid>,
    /// What happened, as `noun.verb`.
    pub kind: String,
    /// The noun of the thing that changed.
    pub subject_kind: String,
    /// The thing that changed.
    pub subject_id: Uid,
    /// The region it belongs to, for those who watch a region.
    pub region_id: Option<Uid>,
    /// The state before, for a move.
    pub from_state: Option<String>,
    /// The state after, for a move.
    pub to_state: Option<String>,
    /// Why, in the actor's words.
    pub reason: Option<String>,
    /// What else is needed to understand the change. Never personal data.
    pub payload: Json<Value>,
}

/// A change about to be journalled.
#[derive(Clone, Debug)]
pub struct Change {
    actor: Actor,
    kind: String,
    subject: Uid,
    region: Option<Uid>,
    states: Option<(&'static str, &'static str)>,
    reason: Option<String>,
    payload: Value,
}

impl Change {
    /// `kind` is `noun.verb`; its noun is the kind of the subject.
    pub fn new(actor: Actor, kind: impl Into<String>, subject: uuid::Uuid) -> Self {
        Self {
            actor,
            kind: kind.into(),
            subject: Uid(subject),
            region: None,
            states: None,
            reason: None,
            payload: Value::Null,
        }
    }

    /// The region the subject belongs to.
    #[must_use]
    pub fn region(mut self, region: uuid::Uuid) -> Self {
        self.region = Some(Uid(region));
        self
    }

    /// The state before and after.
    #[must_use]
    pub fn states(mut self, from: &'static str, to: &'static str) -> Self {
        self.states = Some((from, to));
        self
    }

    /// Why, in the actor's words.
    #[must_use]
    pub fn reason(mut self, reason: Option<&str>) -> Self {
        self.reason = reason.map(str::to_owned);
        self
    }

    /// What else is needed to understand the change. Never personal data.
    #[must_use]
    pub fn payload(mut self, payload: Value) -> Self {
        self.payload = payload;
        self
    }
}

impl Tx<'_> {
    /// Appends to the journal, in this transaction.
    ///
    /// # Errors
    /// Those of the database.
    pub fn journal(&mut self, change: Change) -> Result<()> {
        let (actor_kind, actor_id) = change.actor.columns();
        let noun = change.kind.split('.').next().unwrap_or_default();
        diesel::insert_into(journal::table)
            .values((
                journal::at.eq(self.now),
                journal::actor_kind.eq(actor_kind),
                journal::actor_id.eq(actor_id),
                journal::kind.eq(&change.kind),
                journal::subject_kind.eq(noun),
                journal::subject_id.eq(change.subject),
                journal::region_id.eq(change.region),
                journal::from_state.eq(change.states.map(|s| s.0)),
                journal::to_state.eq(change.states.map(|s| s.1)),
                journal::reason.eq(change.reason),
                journal::payload.eq(Json(change.payload)),
            ))
            .execute(self.conn)?;
        self.journalled = true;
        Ok(())
    }
}

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

/// Transactions below this number have ended.
fn horizon(conn: &mut Conn) -> Result<i64> {
    #[derive(QueryableByName)]
    struct Horizon {
        #[diesel(sql_type = diesel::sql_types::BigInt)]
        xmin: i64,
    }
    match conn {
        Conn::Sqlite(_) => Ok(i64::MAX),
        Conn::Postgres(conn) => {
            let row: Horizon = diesel::sql_query(
                "SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS xmin",
            )
            .get_result(conn)?;
            Ok(row.xmin)
        }
    }
}

/// The story of one thing, oldest first.
///
/// # Errors
/// Those of the database.
pub fn of_subject(conn: &mut Conn, noun: &str, subject: uuid::Uuid) -> Result<Vec<Entry>> {
    Ok(journal::table
        .filter(journal::subject_kind.eq(noun))
        .filter(journal::subject_id.eq(Uid(subject)))
        .order((journal::at, journal::seq))
        .select(Entry::as_select())
        .load(conn)?)
}

/// The entries of one kind about one thing, the newest first, `limit + 1` of them; `before` is the
/// number of the last one seen.
///
/// # Errors
/// Those of the database.
pub fn of_kind(
    conn: &mut Conn,
    kind: &str,
    subject: uuid::Uuid,
    before: Option<i64>,
    limit: i64,
) -> Result<Vec<Entry>> {
    let noun = kind.split('.').next().unwrap_or_default();
    let mut rows = journal::table
        .filter(journal::subject_kind.eq(noun))
        .filter(journal::subject_id.eq(Uid(subject)))
        .filter(journal::kind.eq(kind))
        .select(Entry::as_select())
        .into_boxed();
    if let Some(before) = before {
        rows = rows.filter(journal::seq.lt(before));
    }
    Ok(rows
        .order(journal::seq.desc())
        .limit(limit + 1)
        .load(conn)?)
}

/// The stories of several things of one kind, each oldest first.
///
/// # Errors
/// Those of the database.
pub fn of_subjects(conn: &mut Conn, noun: &str, subjects: &[uuid::Uuid]) -> Result<Vec<Entry>> {
    let subjects: Vec<_> = subjects.iter().map(|id| Uid(*id)).collect();
    Ok(journal::table
        .filter(journal::subject_kind.eq(noun))
        .filter(journal::subject_id.eq_any(subjects))
        .order((journal::at, journal::seq))
        .select(Entry::as_select())
        .load(conn)?)
}

/// Whether an account did one of these to a thing.
///
/// # Errors
/// Those of the database.
pub fn has_done(
    conn: &mut Conn,
    account: uuid::Uuid,
    noun: &str,
    subject: uuid::Uuid,
    verbs: &[&str],
) -> Result<bool> {
    let kinds: Vec<_> = verbs.iter().map(|verb| format!("{noun}.{verb}")).collect();
    let entries = journal::table
        .filter(journal::subject_kind.eq(noun))
        .filter(journal::subject_id.eq(Uid(subject)))
        .filter(journal::actor_id.eq(Uid(account)))
        .filter(journal::kind.eq_any(kinds));
    Ok(entries.count().get_result::<i64>(conn)? > 0)
}

/// The last of some changes of a thing.
///
/// # Errors
/// Those of the database.
pub fn last_of(
    conn: &mut Conn,
    noun: &str,
    subject: uuid::Uuid,
    verbs: &[&str],
) -> Result<Option<Entry>> {
    let kinds: Vec<_> = verbs.iter().map(|verb| format!("{noun}.{verb}")).collect();
    Ok(journal::table
        .filter(journal::subject_kind.eq(noun))
        .filter(journal::subject_id.eq(Uid(subject)))
        .filter(journal::kind.eq_any(kinds))
        .order((journal::at.desc(), journal::seq.desc()))
        .select(Entry::as_select())
        .first(conn)
        .optional()?)
}

/// The last move of a thing: what it was called, and who made it.
///
/// # Errors
/// Those of the database.
pub fn last_move(
    conn: &mut Conn,
    noun: &str,
    subject: uuid::Uuid,
) -> Result<Option<(String, Option<Uid>)>> {
    Ok(journal::table
        .filter(journal::subject_kind.eq(noun))
        .filter(journal::subject_id.eq(Uid(subject)))
        .filter(journal::to_state.is_not_null())
        .order((journal::at.desc(), journal::seq.desc()))
        .select((journal::kind, journal::actor_id))
        .first(conn)
        .optional()?)
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
    let place = journal_cursors::table
        .filter(journal_cursors::reader.eq(reader))
        .select((journal_cursors::txid, journal_cursors::seq))
        .first::<(i64, i64)>(tx.conn)
        .optional()?;
    let from = place.map_or(Position::default(), |(txid, seq)| Position { txid, seq });
    let entries = after(tx.conn, from, limit)?;
    let Some(last) = entries.last() else {
        return Ok(0);
    };
    let to = last.position();
    let moved = match place {
        Some(_) => diesel::update(
            journal_cursors::table
                .filter(journal_cursors::reader.eq(reader))
                .filter(journal_cursors::txid.eq(from.txid))
                .filter(journal_cursors::seq.eq(from.seq)),
        )
        .set((
            journal_cursors::txid.eq(to.txid),
            journal_cursors::seq.eq(to.seq),
        ))
        .execute(tx.conn)?,
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
