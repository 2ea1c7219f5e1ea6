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

impl Db {
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
}

fn names(versions: Vec<MigrationVersion<'_>>) -> Vec<String> {
    versions.iter().map(ToString::to_string).collect()
}
