//! What a writing closure works with.

use chrono::NaiveDate;
use diesel::prelude::*;

use super::Conn;
use crate::error::{Error, Result};
use crate::platform::clock::Instant;
use crate::platform::token;

/// What a writing closure works with: the connection inside its transaction, the instant at which
/// the write happens, and whether it has appended to the journal.
pub struct Tx<'a> {
    /// The connection, inside the transaction.
    pub conn: &'a mut Conn,
    /// When this write happens. One write is one instant.
    pub now: Instant,
    /// The zone of wall-clock rules.
    pub zone: chrono_tz::Tz,
    /// Whether it has appended to the journal.
    pub(in crate::platform) journalled: bool,
}

impl Tx<'_> {
    /// The day it is on the wall.
    pub fn today(&self) -> NaiveDate {
        self.now.with_timezone(&self.zone).date_naive()
    }

    /// Makes writes about the same thing wait for each other until the end of the transaction:
    /// for limits over several rows ("two at a time"), which no single row can guard. On SQLite
    /// writes queue anyway.
    ///
    /// # Errors
    /// Those of the database, such as a lock that is not had in time.
    pub fn serialize_on(&mut self, what: &str) -> Result<()> {
        if let Conn::Postgres(conn) = self.conn {
            diesel::select(pg_advisory_xact_lock(key(what))).execute(conn)?;
        }
        Ok(())
    }

    /// Lets this write go on beside others that share the same thing, and makes those wait for it, and it
    /// for them, that [serialize on it](Self::serialize_on): for the many writes about one thing that rows of
    /// their own guard. Whoever shares does not serialize on the same afterwards: two would wait for each
    /// other.
    ///
    /// # Errors
    /// Those of the database, such as a lock that is not had in time.
    pub fn share(&mut self, what: &str) -> Result<()> {
        if let Conn::Postgres(conn) = self.conn {
            diesel::select(pg_advisory_xact_lock_shared(key(what))).execute(conn)?;
        }
        Ok(())
    }

    /// Does something whose failure leaves this transaction as it was: for a write that may hit a
    /// unique index, which would poison a PostgreSQL transaction.
    ///
    /// # Errors
    /// Those of `f`, after its writes are undone.
    pub fn savepoint<T>(&mut self, f: impl FnOnce(&mut Tx<'_>) -> Result<T>) -> Result<T> {
        let (now, zone) = (self.now, self.zone);
        let (value, journalled) = self.conn.transaction(|conn| {
            let mut inner = Tx {
                conn,
                now,
                zone,
                journalled: false,
            };
            let value = f(&mut inner)?;
            Ok::<_, Error>((value, inner.journalled))
        })?;
        self.journalled |= journalled;
        Ok(value)
    }

    /// Does one of the things of a sweep. One that a rule keeps as it is, or that has a fault of its own, is
    /// left as it was, a fault with a line in the log, and the others go on; whether it was done.
    ///
    /// # Errors
    /// Those of the database that are not about this thing.
    pub fn one_of_many(&mut self, f: impl FnOnce(&mut Tx<'_>) -> Result<()>) -> Result<bool> {
        match self.savepoint(f) {
            Ok(()) => Ok(true),
            Err(Error::Problem(_)) => Ok(false),
            Err(error) if error.is_of_one_row() => {
                tracing::error!(%error, "a sweep left something as it was");
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }
}

/// The number of a lock by what it is about.
fn key(what: &str) -> i64 {
    let key = token::digest(what.as_bytes());
    i64::from_be_bytes([
        key[0], key[1], key[2], key[3], key[4], key[5], key[6], key[7],
    ])
}

diesel::define_sql_function! {
    /// Waits for a lock that the end of the transaction releases; what it returns is nothing.
    fn pg_advisory_xact_lock(key: diesel::sql_types::BigInt) -> diesel::sql_types::Bool;
}
diesel::define_sql_function! {
    /// The same for one that others may have at the same time.
    fn pg_advisory_xact_lock_shared(key: diesel::sql_types::BigInt) -> diesel::sql_types::Bool;
}
