//! All of the room's SQL.

use diesel::prelude::*;

use super::model::{Import, ImportId, Link};
use super::targets::Target;
use crate::error::{Code, Result};
use crate::identity::AccountId;
use crate::platform::db::{Conn, Tx};
use crate::schema::{import_links, imports};

pub fn insert(conn: &mut Conn, import: &Import) -> Result<()> {
    diesel::insert_into(imports::table)
        .values(import)
        .execute(conn)?;
    Ok(())
}

pub fn import(conn: &mut Conn, id: ImportId) -> Result<Import> {
    imports::table
        .find(id)
        .select(Import::as_select())
        .first(conn)
        .optional()?
        .ok_or_else(|| Code::NotFound.into())
}

/// The newest first: everybody's, or those that one account ran.
pub fn list(
    conn: &mut Conn,
    by: Option<AccountId>,
    before: Option<ImportId>,
    limit: i64,
) -> Result<Vec<Import>> {
    let mut rows = imports::table.select(Import::as_select()).into_boxed();
    if let Some(by) = by {
        rows = rows.filter(imports::account_id.eq(by));
    }
    if let Some(before) = before {
        rows = rows.filter(imports::id.lt(before));
    }
    Ok(rows.order(imports::id.desc()).limit(limit + 1).load(conn)?)
}

/// What a row of a source has become.
pub fn link(conn: &mut Conn, target: Target, source: &str, key: &str) -> Result<Option<Link>> {
    Ok(import_links::table
        .filter(import_links::target.eq(target))
        .filter(import_links::source.eq(source))
        .filter(import_links::external_key.eq(key))
        .select(Link::as_select())
        .first(conn)
        .optional()?)
}

pub fn insert_link(tx: &mut Tx<'_>, link: &Link) -> Result<()> {
    diesel::insert_into(import_links::table)
        .values(link)
        .execute(tx.conn)?;
    Ok(())
}

/// Notes what a row has become now.
pub fn update_link(tx: &mut Tx<'_>, link: &Link) -> Result<()> {
    diesel::update(import_links::table.find(link.id))
        .set((
            import_links::subject_id.eq(link.subject_id),
            import_links::digest.eq(&link.digest),
            import_links::updated_at.eq(link.updated_at),
            import_links::subject_version.eq(link.subject_version),
        ))
        .execute(tx.conn)?;
    Ok(())
}
