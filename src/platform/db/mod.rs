//! One door to either database.
//!
//! Queries are written once, against [`Conn`]. Reads run on a pool of connections; writes run in
//! one transaction each. On PostgreSQL a write takes a pooled connection and is retried when the
//! database asks for it. On SQLite all writes queue for one thread that commits them in groups:
//! each runs in its own savepoint and one `COMMIT` answers them all, which is several times faster
//! than a commit each and never meets "database is locked".
//!
//! A panic inside a closure rolls its work back and becomes an internal error; it never ends the
//! writer or leaves a transaction open.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::r2d2;
use diesel::result::{DatabaseErrorKind, Error as QueryError};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use tokio::sync::{Semaphore, watch};
use validator::Validate;

use super::clock::Clock;
use crate::error::{Error, Result};
use crate::platform::storage::private_folder;

mod lock;
mod migrations;
mod newest;
mod pool;
mod prepared;
mod tx;
mod writer;

pub use conn::{Conn, MultiBackend, MultiRawValue};
pub use lock::Alone;
pub use migrations::{POSTGRES_MIGRATIONS, SQLITE_MIGRATIONS};
pub use newest::{Newest, Standing};
use pool::{Manager, is_full, is_lock_timeout, is_lost_connection};
pub use prepared::Prepared;
pub use tx::Tx;
use writer::Writer;

mod conn {
    #![allow(missing_docs)] // the derive macro's own items

    use diesel::prelude::*;

    /// A connection to whichever database is configured.
    #[derive(diesel::MultiConnection)]
    pub enum Conn {
        /// PostgreSQL.
        Postgres(PgConnection),
        /// SQLite.
        Sqlite(SqliteConnection),
    }
}

/// Runs the same expression on the concrete connection, for the few queries that the
/// two-database enum cannot express (`on_conflict`, batch inserts), and for those that nearly every
/// request makes: through the enum, a query's text is written anew each time to find the statement
/// that was prepared for it.
#[macro_export]
macro_rules! each {
    ($conn:expr, $c:ident => $expression:expr) => {
        match $conn {
            $crate::platform::db::Conn::Postgres($c) => $expression,
            $crate::platform::db::Conn::Sqlite($c) => $expression,
        }
    };
}

/// Where the records live and how the database is spoken to.
#[derive(Clone, Debug, Deserialize, Serialize, Validate)]
#[serde(deny_unknown_fields)]
pub struct DbConfig {
    /// `sqlite:PATH` or `postgres://…`.
    #[serde(serialize_with = "super::config::redact_url")]
    pub url: SecretString,
    /// Connections for reading (SQLite) or in all (PostgreSQL).
    #[validate(range(min = 1, max = 10_000))]
    pub pool_size: u32,
    /// How long a request waits for a connection before it is answered 503, in milliseconds.
    #[validate(range(min = 1, max = 3_600_000))]
    pub acquire_timeout_ms: u64,
    /// PostgreSQL: the longest a statement may run, in milliseconds.
    #[validate(range(min = 1, max = 3_600_000))]
    pub statement_timeout_ms: u32,
    /// PostgreSQL: the longest a statement may wait for a lock, in milliseconds.
    #[validate(range(min = 1, max = 3_600_000))]
    pub lock_timeout_ms: u32,
    /// SQLite: the most commands that share one commit.
    #[validate(range(min = 1, max = 10_000))]
    pub group_commit: usize,
}

impl DbConfig {
    /// The SQLite file, when the records live in one.
    pub fn sqlite_path(&self) -> Option<PathBuf> {
        let url = self.url.expose_secret();
        let path = url.strip_prefix("sqlite:")?;
        Some(PathBuf::from(path.strip_prefix("//").unwrap_or(path)))
    }
}

/// An import is many statements in one transaction; what takes as long as so many that are at their
/// limit is not answered at all.
const STATEMENTS: u32 = 10;

/// The database: cheap to clone, shared by all threads.
#[derive(Clone)]
pub struct Db {
    pool: r2d2::Pool<Manager>,
    places: Arc<Semaphore>,
    acquire_timeout: Duration,
    /// The longest that anything may take, several statements together.
    patience: Duration,
    writer: Option<Writer>,
    clock: Clock,
    zone: chrono_tz::Tz,
    commits: watch::Sender<u64>,
}

impl Db {
    /// Opens the database. Does not apply migrations; see [`Db::migrate`].
    ///
    /// # Errors
    /// When the database cannot be reached or the file cannot be opened.
    pub fn open(config: &DbConfig, clock: Clock, zone: chrono_tz::Tz) -> Result<Self> {
        // PostgreSQL says it in several lines
        let wrong = |why: String| {
            let words: Vec<_> = why.split_whitespace().collect();
            Error::internal(format!("database.url: {}", words.join(" ")))
        };
        let sqlite = config.sqlite_path();
        if let Some(folder) = sqlite.as_deref().and_then(Path::parent)
            && !folder.as_os_str().is_empty()
        {
            private_folder(folder).map_err(|why| wrong(format!("{}: {why}", folder.display())))?;
        }
        let writer = match &sqlite {
            Some(path) => {
                let started = Writer::start(path, config.group_commit);
                Some(started.map_err(|why| wrong(format!("{}: {why}", path.display())))?)
            }
            None => None,
        };
        let manager = Manager {
            config: config.clone(),
            sqlite,
        };
        let acquire_timeout = Duration::from_millis(config.acquire_timeout_ms);
        let pool = r2d2::Pool::builder()
            .max_size(config.pool_size)
            .min_idle(Some(1))
            .test_on_check_out(false)
            .connection_timeout(acquire_timeout.max(Duration::from_secs(5)))
            .build(manager)
            .map_err(|why| wrong(why.to_string()))?;
        let (commits, _) = watch::channel(0);
        let places = Arc::new(Semaphore::new(config.pool_size as usize));
        Ok(Self {
            pool,
            places,
            acquire_timeout,
            patience: acquire_timeout
                + STATEMENTS * Duration::from_millis(config.statement_timeout_ms.into()),
            writer,
            clock,
            zone,
            commits,
        })
    }

    /// Whether the records live in a SQLite file.
    pub fn is_sqlite(&self) -> bool {
        self.writer.is_some()
    }

    /// The instants of this database's writes come from this clock.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Counts the commits of this process that are in the journal. A write is counted before it is
    /// answered: once a reader of the journal has handled the count of a moment, it has handled all
    /// that was answered until that moment.
    pub fn commits(&self) -> watch::Receiver<u64> {
        self.commits.subscribe()
    }

    /// Runs reading queries on a blocking thread.
    ///
    /// # Errors
    /// `overloaded` when no connection is free in time; whatever the closure returns.
    pub async fn read<T, F>(&self, f: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&mut Conn) -> Result<T> + Send + 'static,
    {
        self.in_time(move |conn| guarded(|| f(conn))).await
    }

    /// Whether the database answers.
    ///
    /// # Errors
    /// When it does not.
    pub async fn ping(&self) -> Result<()> {
        self.read(|conn| Ok(conn.batch_execute("SELECT 1")?)).await
    }

    /// Whether something can be written: on SQLite, where the disk is this machine's, by writing
    /// the page that is always there. PostgreSQL looks after its disk itself.
    ///
    /// # Errors
    /// When it cannot.
    pub async fn check_writing(&self) -> Result<()> {
        if !self.is_sqlite() {
            return Ok(());
        }
        // a number that SQLite keeps for programs, and that this one does not use
        self.write(|tx| Ok(tx.conn.batch_execute("PRAGMA user_version = 0")?))
            .await
    }

    /// Moves what stands in SQLite's log into the file itself, which is then whole without it; PostgreSQL sees
    /// to that by itself. For the end of a process, when nobody else reads or writes.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn fold_log(&self) -> Result<()> {
        let fold = |conn: &mut Conn| Ok(conn.batch_execute("PRAGMA wal_checkpoint(TRUNCATE)")?);
        match &self.writer {
            Some(writer) => writer.alone(fold).await,
            None => Ok(()),
        }
    }

    /// Runs a read by key: a few rows found by an index. SQLite answers one from its page cache in
    /// less time than a thread takes to wake, so there it runs right here; anything longer belongs
    /// in [`Db::read`]. On PostgreSQL the two are the same.
    ///
    /// # Errors
    /// As [`Db::read`].
    pub async fn point<T, F>(&self, f: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&mut Conn) -> Result<T> + Send + 'static,
    {
        if self.is_sqlite()
            && let Ok(_place) = self.places.try_acquire()
            && let Some(mut slot) = self.pool.try_get()
        {
            return guarded(|| f(&mut slot.conn));
        }
        self.read(f).await
    }

    /// Runs one transaction. The closure may run more than once (PostgreSQL asks for that on a
    /// deadlock), so it has no effects outside the database.
    ///
    /// # Errors
    /// Whatever the closure returns, after its work was rolled back; `overloaded` when no
    /// connection is free in time.
    pub async fn write<T, F>(&self, f: F) -> Result<T>
    where
        T: Send + 'static,
        F: Fn(&mut Tx<'_>) -> Result<T> + Send + 'static,
    {
        let (clock, zone) = (self.clock.clone(), self.zone);
        let attempt = move |conn: &mut Conn| {
            let mut journalled = false;
            let now = clock.now();
            let value = conn.transaction(|conn| {
                let mut tx = Tx {
                    conn,
                    now,
                    zone,
                    journalled: false,
                };
                let value = guarded(|| f(&mut tx))?;
                journalled = tx.journalled;
                Ok::<_, Error>(value)
            })?;
            Ok((value, journalled))
        };
        let (value, journalled) = match &self.writer {
            Some(writer) => writer.submit(attempt).await.map_err(|error| {
                if is_full(&error) {
                    tracing::error!(%error, "nothing can be written");
                    return Error::overloaded();
                }
                error
            })?,
            None => {
                self.in_time(move |conn| {
                    let mut tries = 0;
                    loop {
                        match attempt(conn) {
                            Err(error) if tries < 4 && asks_for_retry(&error) => tries += 1,
                            Err(error) if is_lock_timeout(&error) => {
                                tracing::warn!(%error, "a write waited too long for another");
                                return Err(Error::overloaded());
                            }
                            result => return result,
                        }
                    }
                })
                .await?
            }
        };
        if journalled {
            self.commits.send_modify(|count| *count += 1);
        }
        Ok(value)
    }

    /// As [`Self::with_connection`]; where the database does not answer at all, the caller is told
    /// so, and its connection is left to its fate.
    async fn in_time<T, F>(&self, f: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&mut Conn) -> Result<T> + Send + 'static,
    {
        tokio::time::timeout(self.patience, self.with_connection(f))
            .await
            .map_err(|_| {
                tracing::error!("the database does not answer");
                Error::overloaded()
            })?
    }

    async fn with_connection<T, F>(&self, f: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&mut Conn) -> Result<T> + Send + 'static,
    {
        let place = match self.places.clone().try_acquire_owned() {
            Ok(place) => place,
            Err(_) => {
                tokio::time::timeout(self.acquire_timeout, self.places.clone().acquire_owned())
                    .await
                    .map_err(|_| Error::overloaded())?
                    .map_err(Error::internal)?
            }
        };
        let pool = self.pool.clone();
        tokio::task::spawn_blocking(move || {
            let _place = place;
            let mut slot = pool.get().map_err(|why| {
                tracing::error!(%why, "no connection to the database");
                Error::overloaded()
            })?;
            let result = f(&mut slot.conn);
            match result {
                Err(error) if is_lost_connection(&error) => {
                    slot.broken = true;
                    tracing::error!(%error, "the database does not answer");
                    Err(Error::overloaded())
                }
                result => result,
            }
        })
        .await
        .map_err(Error::internal)?
    }
}

/// Turns a panic into an error, so that the caller's transaction rolls back.
fn guarded<T>(f: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(f)).unwrap_or_else(|panic| {
        let text = panic
            .downcast_ref::<String>()
            .map(String::as_str)
            .or_else(|| panic.downcast_ref::<&str>().copied())
            .unwrap_or("panic");
        Err(Error::internal(format!(
            "panic in a database closure: {text}"
        )))
    })
}

/// Whether PostgreSQL gave up a transaction that would succeed when it is run again.
fn asks_for_retry(error: &Error) -> bool {
    match error {
        Error::Database(QueryError::DatabaseError(DatabaseErrorKind::SerializationFailure, _)) => {
            true
        }
        // diesel has no kind for a deadlock
        Error::Database(QueryError::DatabaseError(DatabaseErrorKind::Unknown, info)) => {
            info.message().contains("deadlock detected")
        }
        _ => false,
    }
}
