//! The schema itself: `schema.rs` against what the database reports, and what every table owes.

use std::collections::{BTreeMap, BTreeSet};

use diesel::connection::SimpleConnection;
use diesel::migration::{Migration, MigrationSource};
use diesel::prelude::*;
use diesel::sql_types::{Bool, Text};
use diesel_migrations::MigrationHarness;
use yiqilai::platform::db::{Conn, POSTGRES_MIGRATIONS, SQLITE_MIGRATIONS};

use crate::harness::{Backend, Server, backend, fresh_postgres};

#[derive(QueryableByName, Debug)]
struct Column {
    #[diesel(sql_type = Text)]
    tbl: String,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = Bool)]
    nullable: bool,
}

#[derive(QueryableByName, Debug)]
struct Key {
    #[diesel(sql_type = Text)]
    tbl: String,
    #[diesel(sql_type = Text)]
    name: String,
}

const SQLITE_COLUMNS: &str = "SELECT m.name AS tbl, p.name AS name, lower(p.type) AS kind, p.\"notnull\" = 0 AS nullable \
     FROM sqlite_master m JOIN pragma_table_info(m.name) p \
     WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' AND m.name NOT LIKE '\\_\\_diesel%' ESCAPE '\\'";
const POSTGRES_COLUMNS: &str = "SELECT table_name::text AS tbl, column_name::text AS name, data_type::text AS kind, \
     is_nullable = 'YES' AS nullable FROM information_schema.columns \
     WHERE table_schema = 'public' AND table_name NOT LIKE '\\_\\_diesel%'";
const SQLITE_KEYS: &str = "SELECT m.name AS tbl, f.\"from\" AS name FROM sqlite_master m JOIN pragma_foreign_key_list(m.name) f \
     WHERE m.type = 'table'";
const POSTGRES_KEYS: &str = "SELECT conrelid::regclass::text AS tbl, a.attname::text AS name FROM pg_constraint c \
     JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1] WHERE c.contype = 'f'";
const SQLITE_INDEXES: &str = "SELECT m.name AS tbl, i.name AS name FROM sqlite_master m JOIN pragma_index_list(m.name) l \
     JOIN pragma_index_info(l.name) i ON i.seqno = 0 WHERE m.type = 'table'";
const POSTGRES_INDEXES: &str = "SELECT indrelid::regclass::text AS tbl, a.attname::text AS name FROM pg_index x \
     JOIN pg_attribute a ON a.attrelid = x.indrelid AND a.attnum = x.indkey[0]";

fn rows<T: QueryableByName<diesel::pg::Pg> + QueryableByName<diesel::sqlite::Sqlite> + 'static>(
    conn: &mut Conn,
    sqlite: &str,
    postgres: &str,
) -> Vec<T> {
    match conn {
        Conn::Sqlite(conn) => diesel::sql_query(sqlite).load(conn).unwrap(),
        Conn::Postgres(conn) => diesel::sql_query(postgres).load(conn).unwrap(),
    }
}

/// What `schema.rs` calls a type → what each database calls it.
fn stored_as(kind: &str) -> &'static str {
    match (backend(), kind) {
        (Backend::Sqlite, "Id" | "Binary") => "blob",
        (Backend::Sqlite, "Instant" | "BigInt" | "Integer" | "Bool") => "integer",
        (Backend::Sqlite, "Double") => "real",
        (Backend::Sqlite, "Text" | "Json" | "Date") => "text",
        (Backend::Postgres, "Id") => "uuid",
        (Backend::Postgres, "Instant") => "timestamp with time zone",
        (Backend::Postgres, "Json") => "jsonb",
        (Backend::Postgres, "Binary") => "bytea",
        (Backend::Postgres, "BigInt") => "bigint",
        (Backend::Postgres, "Integer") => "integer",
        (Backend::Postgres, "Bool") => "boolean",
        (Backend::Postgres, "Double") => "double precision",
        (Backend::Postgres, "Text") => "text",
        (Backend::Postgres, "Date") => "date",
        (_, other) => panic!("schema.rs uses a type this test does not know: {other}"),
    }
}

type Tables = BTreeMap<String, BTreeMap<String, (String, bool)>>;

fn declared() -> Tables {
    let text = std::fs::read_to_string("src/schema.rs").unwrap();
    let mut tables = Tables::new();
    let mut table = None;
    for line in text.lines().map(str::trim) {
        if let Some((name, _)) = line
            .strip_suffix("{")
            .and_then(|l| l.trim().split_once(" ("))
        {
            table = Some(name.to_owned());
        } else if let Some((column, kind)) =
            line.strip_suffix(',').and_then(|l| l.split_once(" -> "))
            && let Some(table) = &table
        {
            let (kind, nullable) = match kind
                .strip_prefix("Nullable<")
                .and_then(|k| k.strip_suffix('>'))
            {
                Some(kind) => (kind, true),
                None => (kind, false),
            };
            tables
                .entry(table.clone())
                .or_default()
                .insert(column.to_owned(), (stored_as(kind).to_owned(), nullable));
        }
    }
    tables
}

#[actix_web::test]
async fn schema_rs_is_what_the_database_reports() {
    let server = Server::start().await;
    let columns = server
        .app
        .platform
        .db
        .read(|conn| Ok(rows::<Column>(conn, SQLITE_COLUMNS, POSTGRES_COLUMNS)))
        .await
        .unwrap();
    let mut reported = Tables::new();
    for column in columns {
        reported
            .entry(column.tbl)
            .or_default()
            .insert(column.name, (column.kind, column.nullable));
    }
    // SQLite calls an integer primary key nullable although it never is
    if let Some(seq) = reported
        .get_mut("journal")
        .and_then(|table| table.get_mut("seq"))
    {
        seq.1 = false;
    }
    assert_eq!(declared(), reported);
}

#[actix_web::test]
async fn every_reference_is_a_foreign_key_with_an_index() {
    let server = Server::start().await;
    let (keys, indexes) = server
        .app
        .platform
        .db
        .read(|conn| {
            Ok((
                rows::<Key>(conn, SQLITE_KEYS, POSTGRES_KEYS),
                rows::<Key>(conn, SQLITE_INDEXES, POSTGRES_INDEXES),
            ))
        })
        .await
        .unwrap();
    let set = |keys: Vec<Key>| {
        keys.into_iter()
            .map(|k| (k.tbl, k.name))
            .collect::<BTreeSet<_>>()
    };
    let (keys, indexes) = (set(keys), set(indexes));
    // these name things of several tables, or things that may be gone
    let free = ["journal", "idempotency_keys", "jobs"];
    for (table, columns) in declared() {
        for column in columns.keys().filter(|c| c.ends_with("_id")) {
            let reference = (table.clone(), column.clone());
            if !free.contains(&table.as_str())
                && !FREE_COLUMNS.contains(&(table.as_str(), column.as_str()))
            {
                assert!(
                    keys.contains(&reference),
                    "{table}.{column} is not a foreign key"
                );
            }
        }
    }
    for (table, column) in &keys {
        assert!(
            indexes.contains(&(table.clone(), column.clone())),
            "{table}.{column} has no index"
        );
    }
}

/// Columns that end in `_id` and refer to one of several tables.
const FREE_COLUMNS: &[(&str, &str)] = &[
    ("role_grants", "scope_id"),
    ("notifications", "subject_id"),
    ("import_links", "subject_id"),
    ("round_needs", "need_id"),
    ("round_assignments", "need_id"),
    ("round_locks", "need_id"),
    ("round_invitations", "need_id"),
    ("round_invitations", "invitation_id"),
    ("recruitments", "need_id"),
    ("invitations", "need_id"),
    ("dismissed_needs", "need_id"),
    ("saved_search_finds", "subject_id"),
    ("search_news", "subject_id"),
    ("hour_sums", "scope_id"),
];

#[test]
fn both_databases_have_the_same_steps() {
    let names = |source: Vec<Box<dyn Migration<diesel::pg::Pg>>>| -> Vec<String> {
        source.iter().map(|m| m.name().to_string()).collect()
    };
    let postgres =
        names(MigrationSource::<diesel::pg::Pg>::migrations(&POSTGRES_MIGRATIONS).unwrap());
    let sqlite = names(MigrationSource::<diesel::pg::Pg>::migrations(&SQLITE_MIGRATIONS).unwrap());
    assert_eq!(postgres, sqlite);
}

#[actix_web::test]
async fn steps_apply_revert_and_apply_again() {
    match backend() {
        Backend::Sqlite => {
            let mut conn = SqliteConnection::establish(":memory:").unwrap();
            conn.run_pending_migrations(SQLITE_MIGRATIONS).unwrap();
            conn.revert_all_migrations(SQLITE_MIGRATIONS).unwrap();
            let left: Vec<Column> = diesel::sql_query(SQLITE_COLUMNS).load(&mut conn).unwrap();
            assert!(left.is_empty(), "{left:?}");
            conn.run_pending_migrations(SQLITE_MIGRATIONS).unwrap();
            conn.batch_execute("PRAGMA foreign_key_check").unwrap();
        }
        Backend::Postgres => {
            let url = fresh_postgres().await;
            tokio::task::spawn_blocking(move || {
                let mut conn = PgConnection::establish(&url).unwrap();
                conn.run_pending_migrations(POSTGRES_MIGRATIONS).unwrap();
                conn.revert_all_migrations(POSTGRES_MIGRATIONS).unwrap();
                let left: Vec<Column> =
                    diesel::sql_query(POSTGRES_COLUMNS).load(&mut conn).unwrap();
                assert!(left.is_empty(), "{left:?}");
                conn.run_pending_migrations(POSTGRES_MIGRATIONS).unwrap();
            })
            .await
            .unwrap();
        }
    }
}
