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
            let key = token::digest(what.as_bytes());
            let key = i64::from_be_bytes([
                key[0], key[1], key[2], key[3], key[4], key[5], key[6], key[7],
            ]);
            diesel::select(pg_advisory_xact_lock(key)).execute(conn)?;
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
}

diesel::define_sql_function! {
    /// Waits for a lock that the end of the transaction releases; what it returns is nothing.
    fn pg_advisory_xact_lock(key: diesel::sql_types::BigInt) -> diesel::sql_types::Bool;
}
