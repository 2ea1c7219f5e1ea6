//! The steps of the schema, and applying them.

use diesel::connection::SimpleConnection;
use diesel::migration::{MigrationSource, MigrationVersion};
use diesel::prelude::*;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use super::{Conn, Db};
use crate::each;
use crate::error::{Error, Result};

/// The schema's steps for PostgreSQL.
pub const POSTGRES_MIGRATIONS: EmbeddedMigrations = embed_migrations!("migrations/postgres");
/// The schema's steps for SQLite, the same names step by step.
pub const SQLITE_MIGRATIONS: EmbeddedMigrations = embed_migrations!("migrations/sqlite");

/// Puts the journal's transactions before those to come. They are numbered by the server: one that a
/// backup was restored on may have counted less than the one it was made on, and who follows the journal
/// would wait for numbers that were given long ago. All places move by the same, so nothing is read
/// twice or not at all.
///
/// The newest entry is read first: whatever is committed by then is below the snapshot's end after it.
const REBASE: &str = "
DO $$
DECLARE
    newest bigint := (SELECT max(txid) FROM journal);
    next bigint;
    place text;
BEGIN
    next := pg_snapshot_xmax(pg_current_snapshot())::text::bigint;
    IF newest >= next THEN
        LOCK TABLE journal IN EXCLUSIVE MODE;
        FOR place IN SELECT table_name FROM information_schema.columns
                     WHERE table_schema = current_schema() AND column_name = 'txid' LOOP
            EXECUTE format('UPDATE %I SET txid = txid - $1', place) USING newest - next + 1;
        END LOOP;
        RAISE LOG 'journal: moved by % transactions, as restored from another server', newest - next + 1;
    END IF;
END $$";

impl Db {
    /// Brings the schema up to date, under a lock where several processes may start at once; on
    /// PostgreSQL also the journal of a backup that was made on another server.
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
                let rebased = conn.batch_execute(REBASE);
                conn.batch_execute(UNLOCK)?;
                let applied = applied.map_err(Error::internal)?;
                rebased?;
                Ok(applied)
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
}

fn names(versions: Vec<MigrationVersion<'_>>) -> Vec<String> {
    versions.iter().map(ToString::to_string).collect()
}
