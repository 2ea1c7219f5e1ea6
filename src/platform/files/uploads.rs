//! Files on their way into the store and out of it, written down.
//!
//! As the same content has the same key, many rows may refer to a file, and it may be brought again
//! at the moment at which the last of them goes. So an upload stands here from before its files are
//! stored until a row refers to them, or none will; and a removal from when nothing refers to a file
//! until it is gone. No file is removed while it is uploaded, nor uploaded while it is removed.

use chrono::TimeDelta;
use diesel::prelude::*;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::id;
use crate::platform::db::{Conn, Tx};
use crate::schema::{file_removals, file_uploads};

id! {
    /// Names an upload.
    UploadId
}

/// The job that removes a file unless something refers to it.
pub const REMOVAL: &str = "file.remove";

/// How long an upload or a removal may take. What is older was left by a process that died.
const TERM: TimeDelta = TimeDelta::days(1);

/// Says whether rows of a room refer to a file.
pub type Keeper = fn(&mut Conn, &str) -> Result<bool>;

/// What a job of the kind [`REMOVAL`] is about.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Removal {
    /// The key of the file.
    pub file: String,
}

/// Uploads and removals of a file wait here for each other.
fn serialize(tx: &mut Tx<'_>, file: &str) -> Result<()> {
    tx.serialize_on(&format!("file:{file}"))
}

/// Begins an upload of these files, which stay from now on.
///
/// # Errors
/// `overloaded` while one of them is being removed.
pub fn begin(tx: &mut Tx<'_>, files: &[String]) -> Result<UploadId> {
    let id = UploadId::new();
    for file in files {
        serialize(tx, file)?;
        if is_going(tx.conn, file)? {
            return Err(Error::overloaded());
        }
        diesel::insert_into(file_uploads::table)
            .values((
                file_uploads::id.eq(id),
                file_uploads::file.eq(file),
                file_uploads::began_at.eq(tx.now),
            ))
            .execute(tx.conn)?;
    }
    Ok(id)
}

/// Ends an upload in the transaction whose rows refer to its files.
///
/// # Errors
/// `overloaded` when it took so long that it was given up.
pub fn settle(tx: &mut Tx<'_>, upload: UploadId) -> Result<()> {
    let ended = diesel::delete(file_uploads::table.filter(file_uploads::id.eq(upload)));
    match ended.execute(tx.conn)? {
        0 => Err(Error::overloaded()),
        _ => Ok(()),
    }
}

/// Ends an upload to whose files it brought no row: those that no other row refers to go.
///
/// # Errors
/// Those of the database.
pub fn give_up(tx: &mut Tx<'_>, upload: UploadId) -> Result<()> {
    let mine = file_uploads::table.filter(file_uploads::id.eq(upload));
    let files: Vec<String> = mine
        .select(file_uploads::file)
        .order(file_uploads::file)
        .load(tx.conn)?;
    diesel::delete(mine).execute(tx.conn)?;
    files.iter().try_for_each(|file| remove_later(tx, file))
}

/// Lets a file go after this transaction, unless something still refers to it then.
///
/// # Errors
/// Those of the database.
pub fn remove_later(tx: &mut Tx<'_>, file: &str) -> Result<()> {
    let file = file.to_owned();
    tx.enqueue(REMOVAL, &Removal { file }, tx.now).map(|_| ())
}

/// Begins the removal of a file: whether it may be taken out of the store now. Beginning again goes
/// on with what was begun; a worker is at it for seconds, and has minutes.
///
/// # Errors
/// Those of the database.
pub fn begin_removal(tx: &mut Tx<'_>, file: &str, keepers: &[Keeper]) -> Result<bool> {
    serialize(tx, file)?;
    // in this order: the rows of an upload that has just ended are there to be seen
    if is_coming(tx.conn, file)? {
        return Ok(false);
    }
    for is_kept in keepers {
        if is_kept(tx.conn, file)? {
            return Ok(false);
        }
    }
    if !is_going(tx.conn, file)? {
        diesel::insert_into(file_removals::table)
            .values((
                file_removals::file.eq(file),
                file_removals::began_at.eq(tx.now),
            ))
            .execute(tx.conn)?;
    }
    Ok(true)
}

/// Ends the removal of a file, which is gone.
///
/// # Errors
/// Those of the database.
pub fn end_removal(tx: &mut Tx<'_>, file: &str) -> Result<()> {
    diesel::delete(file_removals::table.find(file)).execute(tx.conn)?;
    Ok(())
}

/// Gives up the uploads, and begins anew the removals, that were left by a process that died, up to
/// `limit` of each; returns the larger number.
///
/// # Errors
/// Those of the database.
pub fn sweep(tx: &mut Tx<'_>, limit: i64) -> Result<usize> {
    let before = tx.now - TERM;
    let uploads: Vec<UploadId> = file_uploads::table
        .filter(file_uploads::began_at.lt(before))
        .select(file_uploads::id)
        .distinct()
        .limit(limit)
        .load(tx.conn)?;
    for upload in &uploads {
        give_up(tx, *upload)?;
    }
    let removals: Vec<String> = file_removals::table
        .filter(file_removals::began_at.lt(before))
        .select(file_removals::file)
        .limit(limit)
        .load(tx.conn)?;
    for file in &removals {
        end_removal(tx, file)?;
        remove_later(tx, file)?;
    }
    Ok(uploads.len().max(removals.len()))
}

fn is_coming(conn: &mut Conn, file: &str) -> Result<bool> {
    let uploads = file_uploads::table.filter(file_uploads::file.eq(file));
    Ok(diesel::select(diesel::dsl::exists(uploads)).get_result(conn)?)
}

fn is_going(conn: &mut Conn, file: &str) -> Result<bool> {
    let removals = file_removals::table.find(file);
    Ok(diesel::select(diesel::dsl::exists(removals)).get_result(conn)?)
}
