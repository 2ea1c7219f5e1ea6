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

use diesel::connection::{AnsiTransactionManager, SimpleConnection, TransactionManager};
use diesel::migration::MigrationSource;
use diesel::prelude::*;
use diesel::r2d2::{self, ManageConnection};
use diesel::result::{DatabaseErrorKind, Error as QueryError};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use tokio::sync::{Semaphore, mpsc, oneshot, watch};

use super::clock::{Clock, Instant};
use crate::error::{Error, Result};

/// The schema's steps for PostgreSQL.
pub const POSTGRES_MIGRATIONS: EmbeddedMigrations = embed_migrations!("migrations/postgres");
/// The schema's steps for SQLite, the same names step by step.
pub const SQLITE_MIGRATIONS: EmbeddedMigrations = embed_migrations!("migrations/sqlite");

pub use conn::{Conn, MultiBackend, MultiRawValue};

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
/// two-database enum cannot express (`on_conflict`, batch inserts).
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
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct DbConfig {
    /// `sqlite:PATH` or `postgres://…`.
    #[serde(serialize_with = "super::config::redact_url")]
    pub url: SecretString,
    /// Connections for reading (SQLite) or in all (PostgreSQL).
    pub pool_size: u32,
    /// How long a request waits for a connection before it is answered 503, in milliseconds.
    pub acquire_timeout_ms: u64,
    /// PostgreSQL: the longest a statement may run, in milliseconds.
    pub statement_timeout_ms: u32,
    /// PostgreSQL: the longest a statement may wait for a lock, in milliseconds.
    pub lock_timeout_ms: u32,
    /// SQLite: the most commands that share one commit.
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

/// What a writing closure works with: the connection inside its transaction, and the instant at
/// which the write happens.
pub struct Tx<'a> {
    /// The connection, inside the transaction.
    pub conn: &'a mut Conn,
    /// When this write happens. One write is one instant.
    pub now: Instant,
    /// The zone of wall-clock rules.
    pub zone: chrono_tz::Tz,
    /// Whether it has appended to the journal.
    pub(super) journalled: bool,
}

impl Tx<'_> {
    /// Makes writes about the same thing wait for each other until the end of the transaction:
    /// for limits over several rows ("two at a time"), which no single row can guard. On SQLite
    /// writes queue anyway.
    ///
    /// # Errors
    /// Those of the database, such as a lock that is not had in time.
    pub fn serialize_on(&mut self, what: &str) -> Result<()> {
        if let Conn::Postgres(conn) = self.conn {
            let key = super::token::digest(what.as_bytes());
            let key = i64::from_be_bytes([
                key[0], key[1], key[2], key[3], key[4], key[5], key[6], key[7],
            ]);
            diesel::sql_query("SELECT pg_advisory_xact_lock($1)")
                .bind::<diesel::sql_types::BigInt, _>(key)
                .execute(conn)?;
        }
        Ok(())
    }
}

/// The database: cheap to clone, shared by all threads.
#[derive(Clone)]
pub struct Db {
    pool: r2d2::Pool<Manager>,
    places: Arc<Semaphore>,
    acquire_timeout: Duration,
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
        let sqlite = config.sqlite_path();
        if let Some(folder) = sqlite.as_deref().and_then(Path::parent)
            && !folder.as_os_str().is_empty()
        {
            std::fs::create_dir_all(folder).map_err(Error::internal)?;
        }
        let writer = match &sqlite {
            Some(path) => Some(Writer::start(path, config.group_commit)?),
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
            .map_err(Error::internal)?;
        let (commits, _) = watch::channel(0);
        let places = Arc::new(Semaphore::new(config.pool_size as usize));
        Ok(Self {
            pool,
            places,
            acquire_timeout,
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
        self.with_connection(move |conn| guarded(|| f(conn))).await
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
            Some(writer) => writer.submit(attempt).await?,
            None => {
                self.with_connection(move |conn| {
                    let mut tries = 0;
                    loop {
                        match attempt(conn) {
                            Err(error) if tries < 4 && asks_for_retry(&error) => tries += 1,
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

    /// Brings the schema up to date, under a lock where several processes may start at once.
    ///
    /// # Errors
    /// When a step fails; on PostgreSQL the lock is released and nothing half-applied stays.
    pub async fn migrate(&self) -> Result<Vec<String>> {
        const LOCK: &str = "SELECT pg_advisory_lock(932178042)";
        const UNLOCK: &str = "SELECT pg_advisory_unlock(932178042)";
        let apply = |conn: &mut Conn| match conn {
            Conn::Postgres(conn) => {
                conn.batch_execute(LOCK)?;
                conn.batch_execute("SET statement_timeout = 0")?;
                let applied = conn.run_pending_migrations(POSTGRES_MIGRATIONS).map(names);
                conn.batch_execute(UNLOCK)?;
                applied.map_err(Error::internal)
            }
            Conn::Sqlite(conn) => conn
                .run_pending_migrations(SQLITE_MIGRATIONS)
                .map(names)
                .map_err(Error::internal),
        };
        match &self.writer {
            Some(writer) => writer.alone(apply).await,
            None => self.with_connection(apply).await,
        }
    }

    /// How many steps of the schema are not applied yet.
    ///
    /// # Errors
    /// When the database does not answer, or has no schema at all.
    pub async fn pending_migrations(&self) -> Result<usize> {
        #[derive(QueryableByName)]
        struct Applied {
            #[diesel(sql_type = diesel::sql_types::BigInt)]
            count: i64,
        }
        const APPLIED: &str = "SELECT count(*) AS count FROM __diesel_schema_migrations";
        let steps = MigrationSource::<diesel::pg::Pg>::migrations(&POSTGRES_MIGRATIONS)
            .map_err(Error::internal)?
            .len();
        let applied: Applied = self
            .read(|conn| Ok(each!(conn, c => diesel::sql_query(APPLIED).get_result(c))?))
            .await?;
        Ok(steps.saturating_sub(usize::try_from(applied.count).unwrap_or(0)))
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
            let mut slot = pool.get().map_err(|_| Error::overloaded())?;
            let result = f(&mut slot.conn);
            if let Err(error) = &result
                && is_lost_connection(error)
            {
                slot.broken = true;
            }
            result
        })
        .await
        .map_err(Error::internal)?
    }
}

fn names(versions: Vec<diesel::migration::MigrationVersion<'_>>) -> Vec<String> {
    versions.iter().map(ToString::to_string).collect()
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

fn is_lost_connection(error: &Error) -> bool {
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

// ---- the pool -------------------------------------------------------------------------------

struct Manager {
    config: DbConfig,
    sqlite: Option<PathBuf>,
}

struct Slot {
    conn: Conn,
    broken: bool,
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

fn open_sqlite(path: &Path, query_only: bool) -> Result<SqliteConnection> {
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

// ---- the one writer of SQLite ---------------------------------------------------------------

/// Runs a command and hands back how to answer it once the group's commit is known.
type Command = Box<dyn FnOnce(&mut Conn) -> Answer + Send>;
type Answer = Box<dyn FnOnce(std::result::Result<(), String>) + Send>;

enum Message {
    Grouped(Command),
    Alone(Box<dyn FnOnce(&mut Conn) + Send>),
}

#[derive(Clone)]
struct Writer(mpsc::Sender<Message>);

impl Writer {
    fn start(path: &Path, group: usize) -> Result<Self> {
        let conn = Conn::Sqlite(open_sqlite(path, false)?);
        // A full queue makes callers wait; the server's own limits bound how many those are.
        let (sender, receiver) = mpsc::channel(4 * group.max(1));
        std::thread::Builder::new()
            .name("sqlite-writer".into())
            .spawn(move || write_in_groups(conn, receiver, group.max(1)))
            .map_err(Error::internal)?;
        let path = path.to_owned();
        let alive = sender.downgrade();
        std::thread::Builder::new()
            .name("sqlite-checkpoint".into())
            .spawn(move || checkpoint_in_background(&path, &alive))
            .map_err(Error::internal)?;
        Ok(Self(sender))
    }

    async fn submit<T, F>(&self, f: F) -> Result<T>
    where
        T: Send + 'static,
        F: Fn(&mut Conn) -> Result<T> + Send + 'static,
    {
        let (sender, receiver) = oneshot::channel();
        let command: Command = Box::new(move |conn| {
            let result = f(conn);
            Box::new(move |committed| {
                let _ = sender.send(match committed {
                    Ok(()) => result,
                    Err(why) => result.and(Err(Error::internal(why))),
                });
            })
        });
        self.0
            .send(Message::Grouped(command))
            .await
            .map_err(|_| Error::overloaded())?;
        receiver.await.map_err(Error::internal)?
    }

    async fn alone<T, F>(&self, f: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&mut Conn) -> Result<T> + Send + 'static,
    {
        let (sender, receiver) = oneshot::channel();
        let task = Box::new(move |conn: &mut Conn| {
            let _ = sender.send(guarded(|| f(conn)));
        });
        self.0
            .send(Message::Alone(task))
            .await
            .map_err(|_| Error::overloaded())?;
        receiver.await.map_err(Error::internal)?
    }
}

fn write_in_groups(mut conn: Conn, mut receiver: mpsc::Receiver<Message>, group: usize) {
    let mut next = receiver.blocking_recv();
    while let Some(message) = next.take() {
        let first = match message {
            Message::Alone(task) => {
                task(&mut conn);
                next = receiver.blocking_recv();
                continue;
            }
            Message::Grouped(command) => command,
        };
        let mut answers = Vec::with_capacity(group);
        let begun = begin_immediate(&mut conn);
        let mut committed = begun.as_ref().map(|_| ()).map_err(ToString::to_string);
        if begun.is_ok() {
            answers.push(first(&mut conn));
            while answers.len() < group {
                match receiver.try_recv() {
                    Ok(Message::Grouped(command)) => answers.push(command(&mut conn)),
                    Ok(alone) => {
                        next = Some(alone);
                        break;
                    }
                    Err(_) => break,
                }
            }
            committed = commit(&mut conn).map_err(|error| error.to_string());
        } else {
            drop(first); // its caller is told that nothing was done
        }
        if let Err(why) = &committed {
            tracing::error!(error = %why, "a group of writes was not committed");
        }
        for answer in answers {
            answer(committed.clone());
        }
        if next.is_none() {
            next = receiver.blocking_recv();
        }
    }
}

fn begin_immediate(conn: &mut Conn) -> QueryResult<()> {
    match conn {
        Conn::Sqlite(conn) => {
            AnsiTransactionManager::begin_transaction_sql(conn, "BEGIN IMMEDIATE")
        }
        Conn::Postgres(conn) => AnsiTransactionManager::begin_transaction(conn),
    }
}

fn commit(conn: &mut Conn) -> QueryResult<()> {
    let committed = match conn {
        Conn::Sqlite(conn) => AnsiTransactionManager::commit_transaction(conn),
        Conn::Postgres(conn) => AnsiTransactionManager::commit_transaction(conn),
    };
    if committed.is_err()
        && let Conn::Sqlite(conn) = conn
    {
        // a failed COMMIT (disk full) may leave the transaction open
        let _ = AnsiTransactionManager::rollback_transaction(conn);
    }
    committed
}

/// Moves the log into the database file now and then, so that no commit has to do it.
fn checkpoint_in_background(path: &Path, alive: &mpsc::WeakSender<Message>) {
    let Ok(mut conn) = open_sqlite(path, false) else {
        return;
    };
    let mut pause = 0;
    loop {
        std::thread::sleep(Duration::from_millis(250));
        if alive.upgrade().is_none() {
            return;
        }
        pause += 1;
        if pause == 20 {
            pause = 0;
            if let Err(error) = conn.batch_execute("PRAGMA wal_checkpoint(PASSIVE)") {
                tracing::warn!(%error, "checkpoint");
            }
        }
    }
}
