//! The pool of connections: for reading on SQLite, for everything on PostgreSQL.

use std::path::{Path, PathBuf};

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::r2d2::{self, ManageConnection};
use diesel::result::{DatabaseErrorKind, Error as QueryError};
use secrecy::ExposeSecret;

use super::{Conn, DbConfig};
use crate::error::{Error, Result};

pub(super) struct Manager {
    pub config: DbConfig,
    pub sqlite: Option<PathBuf>,
}

pub(super) struct Slot {
    pub conn: Conn,
    pub broken: bool,
}

impl ManageConnection for Manager {
    type Connection = Slot;
    type Error = r2d2::Error;

    fn connect(&self) -> std::result::Result<Slot, r2d2::Error> {
        let conn = match &self.sqlite {
            Some(path) => Conn::Sqlite(open_sqlite(path, true).map_err(into_r2d2)?),
            None => {
                let mut conn = PgConnection::establish(self.config.url.expose_secret())
                    .map_err(r2d2::Error::ConnectionError)?;
                conn.batch_execute(&format!(
                    "SET statement_timeout = {}; SET lock_timeout = {}; \
                     SET idle_in_transaction_session_timeout = 60000; SET timezone = 'UTC'",
                    self.config.statement_timeout_ms, self.config.lock_timeout_ms
                ))
                .map_err(r2d2::Error::QueryError)?;
                Conn::Postgres(conn)
            }
        };
        Ok(Slot {
            conn,
            broken: false,
        })
    }

    fn is_valid(&self, slot: &mut Slot) -> std::result::Result<(), r2d2::Error> {
        slot.conn
            .batch_execute("SELECT 1")
            .map_err(r2d2::Error::QueryError)
    }

    fn has_broken(&self, slot: &mut Slot) -> bool {
        slot.broken
    }
}

fn into_r2d2(error: Error) -> r2d2::Error {
    r2d2::Error::ConnectionError(diesel::ConnectionError::BadConnection(error.to_string()))
}

pub(super) fn open_sqlite(path: &Path, query_only: bool) -> Result<SqliteConnection> {
    let mut conn = SqliteConnection::establish(&path.to_string_lossy()).map_err(Error::internal)?;
    // busy_timeout first: the other pragmas may meet a checkpoint
    conn.batch_execute(
        "PRAGMA busy_timeout = 10000; PRAGMA journal_mode = WAL; PRAGMA foreign_keys = ON; \
         PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 20000; PRAGMA temp_store = MEMORY; \
         PRAGMA cache_size = -8000; PRAGMA mmap_size = 268435456;",
    )?;
    if query_only {
        conn.batch_execute("PRAGMA query_only = ON")?;
    }
    Ok(conn)
}

/// Whether there is no room left for what was to be written (SQLite).
pub(super) fn is_full(error: &Error) -> bool {
    let text = match error {
        Error::Database(QueryError::DatabaseError(_, info)) => info.message().to_owned(),
        Error::Internal(cause) => cause.to_string(),
        _ => return false,
    };
    text.contains("database or disk is full")
}

/// Whether somebody else held a lock for longer than `database.lock_timeout_ms` (PostgreSQL).
pub(super) fn is_lock_timeout(error: &Error) -> bool {
    matches!(error, Error::Database(QueryError::DatabaseError(DatabaseErrorKind::Unknown, info))
        if info.message().contains("due to lock timeout"))
}

pub(super) fn is_lost_connection(error: &Error) -> bool {
    match error {
        Error::Database(QueryError::DatabaseError(DatabaseErrorKind::ClosedConnection, _))
        | Error::Database(QueryError::BrokenTransactionManager) => true,
        Error::Database(QueryError::DatabaseError(DatabaseErrorKind::Unknown, info)) => {
            let message = info.message();
            message.contains("server closed the connection")
                || message.contains("terminating connection")
                || message.contains("no connection to the server")
        }
        _ => false,
    }
}
