//! What the journal says of a thing.

use std::collections::{HashMap, HashSet};

use diesel::prelude::*;

use super::{Actor, ActorKind, Entry};
use crate::error::Result;
use crate::platform::clock::Instant;
use crate::platform::columns::Uid;
use crate::platform::db::Conn;
use crate::schema::journal;

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

/// When each of several things of one kind last changed.
///
/// # Errors
/// Those of the database.
pub fn last_changes(
    conn: &mut Conn,
    noun: &str,
    subjects: &[uuid::Uuid],
) -> Result<HashMap<uuid::Uuid, Instant>> {
    let subjects: Vec<_> = subjects.iter().map(|id| Uid(*id)).collect();
    let changes: Vec<(Uid, Instant)> = journal::table
        .filter(journal::subject_kind.eq(noun))
        .filter(journal::subject_id.eq_any(subjects))
        .order((journal::subject_id, journal::at))
        .select((journal::subject_id, journal::at))
        .load(conn)?;
    // the later has the last word
    Ok(changes.into_iter().map(|(id, at)| (id.0, at)).collect())
}

/// Those of several things of one kind to which one of these was ever done.
///
/// # Errors
/// Those of the database.
pub fn ever_done(
    conn: &mut Conn,
    noun: &str,
    subjects: &[uuid::Uuid],
    verbs: &[&str],
) -> Result<HashSet<uuid::Uuid>> {
    let subjects: Vec<_> = subjects.iter().map(|id| Uid(*id)).collect();
    let kinds: Vec<_> = verbs.iter().map(|verb| format!("{noun}.{verb}")).collect();
    let done: Vec<Uid> = journal::table
        .filter(journal::subject_kind.eq(noun))
        .filter(journal::subject_id.eq_any(subjects))
        .filter(journal::kind.eq_any(kinds))
        .select(journal::subject_id)
        .distinct()
        .load(conn)?;
    Ok(done.into_iter().map(|id| id.0).collect())
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
) -> Result<Option<(String, Actor)>> {
    let last = journal::table
        .filter(journal::subject_kind.eq(noun))
        .filter(journal::subject_id.eq(Uid(subject)))
        .filter(journal::to_state.is_not_null())
        .order((journal::at.desc(), journal::seq.desc()))
        .select((journal::kind, journal::actor_kind, journal::actor_id))
        .first::<(String, ActorKind, Option<Uid>)>(conn)
        .optional()?;
    Ok(last.map(|(kind, actor, id)| (kind, Actor::of_columns(actor, id))))
}
