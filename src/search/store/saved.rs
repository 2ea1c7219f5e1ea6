//! What people saved, what became public since, and what they were told of.

use diesel::prelude::*;

use crate::error::{Code, Result};
use crate::identity::AccountId;
use crate::platform::clock::Instant;
use crate::platform::columns::Uid;
use crate::platform::db::{Conn, Tx};
use crate::platform::journal::Position;
use crate::schema::{saved_search_finds, saved_searches, search_news};
use crate::search::model::{SavedSearch, SavedSearchId, SearchKind};

/// Something that became public.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct News {
    /// Where the journal says so.
    pub position: Position,
    pub kind: SearchKind,
    pub id: uuid::Uuid,
    /// Whether it was public before, and only stands elsewhere now.
    pub moved_on: bool,
}

/// Whether something of one of these two columns stands after a position.
macro_rules! after {
    ($table:ident, $position:expr) => {
        $table::txid.gt($position.txid).or($table::txid
            .eq($position.txid)
            .and($table::seq.gt($position.seq)))
    };
}

pub fn insert(conn: &mut Conn, row: &SavedSearch) -> Result<()> {
    diesel::insert_into(saved_searches::table)
        .values(row)
        .execute(conn)?;
    Ok(())
}

/// One of an account's own.
///
/// # Errors
/// `not_found`, also for somebody else's.
pub fn one(conn: &mut Conn, account: AccountId, id: SavedSearchId) -> Result<SavedSearch> {
    saved_searches::table
        .filter(saved_searches::id.eq(id))
        .filter(saved_searches::account_id.eq(account))
        .select(SavedSearch::as_select())
        .first(conn)
        .optional()?
        .ok_or_else(|| Code::NotFound.into())
}

/// All of an account's, the oldest first.
pub fn of_account(conn: &mut Conn, account: AccountId) -> Result<Vec<SavedSearch>> {
    Ok(saved_searches::table
        .filter(saved_searches::account_id.eq(account))
        .order(saved_searches::id)
        .select(SavedSearch::as_select())
        .load(conn)?)
}

/// Writes name and criteria anew; what is new is new from here on. False when the version is
/// another one by now.
pub fn update(conn: &mut Conn, row: &SavedSearch) -> Result<bool> {
    let same = saved_searches::table
        .filter(saved_searches::id.eq(row.id))
        .filter(saved_searches::version.eq(row.version));
    let updated = diesel::update(same)
        .set((
            saved_searches::name.eq(&row.name),
            saved_searches::criteria.eq(&row.criteria),
            saved_searches::txid.eq(row.txid),
            saved_searches::seq.eq(row.seq),
            saved_searches::version.eq(row.version + 1),
        ))
        .execute(conn)?;
    Ok(updated > 0)
}

pub fn delete(conn: &mut Conn, id: SavedSearchId) -> Result<()> {
    diesel::delete(saved_search_finds::table.filter(saved_search_finds::saved_search_id.eq(id)))
        .execute(conn)?;
    diesel::delete(saved_searches::table.find(id)).execute(conn)?;
    Ok(())
}

/// Notes that something became public, or moved on since.
pub fn note(tx: &mut Tx<'_>, news: News) -> Result<()> {
    diesel::insert_into(search_news::table)
        .values((
            search_news::txid.eq(news.position.txid),
            search_news::seq.eq(news.position.seq),
            search_news::subject_kind.eq(news.kind),
            search_news::subject_id.eq(Uid(news.id)),
            search_news::noted_at.eq(tx.now),
            search_news::moved_on.eq(news.moved_on),
        ))
        .execute(tx.conn)?;
    Ok(())
}

/// Forgets what became public long ago.
pub fn forget(tx: &mut Tx<'_>, before: Instant) -> Result<()> {
    diesel::delete(search_news::table.filter(search_news::noted_at.lt(before))).execute(tx.conn)?;
    Ok(())
}

/// Where the last thing that became public stands; the beginning where there is none.
pub fn latest(conn: &mut Conn) -> Result<Position> {
    let last = search_news::table
        .order((search_news::txid.desc(), search_news::seq.desc()))
        .select((search_news::txid, search_news::seq))
        .first::<(i64, i64)>(conn)
        .optional()?;
    Ok(last.map_or(Position::default(), |(txid, seq)| Position { txid, seq }))
}

/// What became public after a position, the oldest first.
pub fn news(conn: &mut Conn, after: Position, limit: i64) -> Result<Vec<News>> {
    let rows: Vec<(i64, i64, SearchKind, Uid, bool)> = search_news::table
        .filter(after!(search_news, after))
        .order((search_news::txid, search_news::seq))
        .limit(limit)
        .select((
            search_news::txid,
            search_news::seq,
            search_news::subject_kind,
            search_news::subject_id,
            search_news::moved_on,
        ))
        .load(conn)?;
    let news = |(txid, seq, kind, id, moved_on): (i64, i64, SearchKind, Uid, bool)| News {
        position: Position { txid, seq },
        kind,
        id: id.0,
        moved_on,
    };
    Ok(rows.into_iter().map(news).collect())
}

/// Accounts with a search that has not been held against all that became public, and who were not
/// told anything since an instant.
pub fn waiting(
    conn: &mut Conn,
    latest: Position,
    since: Instant,
    limit: i64,
) -> Result<Vec<AccountId>> {
    let behind = saved_searches::txid.lt(latest.txid).or(saved_searches::txid
        .eq(latest.txid)
        .and(saved_searches::seq.lt(latest.seq)));
    let lately = saved_searches::told_at.gt(since).assume_not_null();
    Ok(saved_searches::table
        .filter(behind)
        .filter(
            saved_searches::told_at
                .is_null()
                .or(diesel::dsl::not(lately)),
        )
        .select(saved_searches::account_id)
        .distinct()
        .order(saved_searches::account_id)
        .limit(limit)
        .load(conn)?)
}

/// Moves on what a search was held against; false when somebody else did, or changed it.
pub fn advance(conn: &mut Conn, seen: &SavedSearch, to: Position) -> Result<bool> {
    let same = saved_searches::table
        .filter(saved_searches::id.eq(seen.id))
        .filter(saved_searches::txid.eq(seen.txid))
        .filter(saved_searches::seq.eq(seen.seq))
        .filter(saved_searches::version.eq(seen.version));
    let moved = diesel::update(same)
        .set((
            saved_searches::txid.eq(to.txid),
            saved_searches::seq.eq(to.seq),
        ))
        .execute(conn)?;
    Ok(moved > 0)
}

/// What of a kind the owner of a search was told of by it before.
pub fn told(
    conn: &mut Conn,
    search: SavedSearchId,
    kind: SearchKind,
    ids: &[uuid::Uuid],
) -> Result<Vec<uuid::Uuid>> {
    let ids: Vec<_> = ids.iter().map(|id| Uid(*id)).collect();
    let found: Vec<Uid> = saved_search_finds::table
        .filter(saved_search_finds::saved_search_id.eq(search))
        .filter(saved_search_finds::subject_kind.eq(kind))
        .filter(saved_search_finds::subject_id.eq_any(ids))
        .select(saved_search_finds::subject_id)
        .load(conn)?;
    Ok(found.into_iter().map(|id| id.0).collect())
}

/// Remembers what the owner is told of.
pub fn tell(
    tx: &mut Tx<'_>,
    search: SavedSearchId,
    kind: SearchKind,
    id: uuid::Uuid,
) -> Result<()> {
    diesel::insert_into(saved_search_finds::table)
        .values((
            saved_search_finds::saved_search_id.eq(search),
            saved_search_finds::subject_kind.eq(kind),
            saved_search_finds::subject_id.eq(Uid(id)),
            saved_search_finds::told_at.eq(tx.now),
        ))
        .execute(tx.conn)?;
    Ok(())
}

/// Remembers when somebody was told something.
pub fn set_told(tx: &mut Tx<'_>, account: AccountId) -> Result<()> {
    diesel::update(saved_searches::table.filter(saved_searches::account_id.eq(account)))
        .set(saved_searches::told_at.eq(Some(tx.now)))
        .execute(tx.conn)?;
    Ok(())
}
