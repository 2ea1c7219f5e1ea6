//! Column types that are stored natively by both databases.
//!
//! | SQL type here | PostgreSQL | SQLite (STRICT) | Rust |
//! |---|---|---|---|
//! | [`sql::Id`] | `uuid` | `BLOB`, 16 bytes | a newtype made with [`id!`](crate::id) |
//! | [`sql::Instant`] | `timestamptz` | `INTEGER`, microseconds since 1970 | [`Instant`] |
//! | [`sql::Json`] | `jsonb` | `TEXT` | [`Json`] |
//! | `Text` | `text` | `TEXT` | an enum made with [`text_enum!`](crate::text_enum) |

use diesel::deserialize::{self, FromSql};
use diesel::expression::AsExpression;
use diesel::pg::{Pg, PgValue};
use diesel::serialize::{self, IsNull, Output, ToSql};
use diesel::sqlite::{Sqlite, SqliteValue};
use diesel::{deserialize::FromSqlRow, sql_types};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use uuid::Uuid;

use super::clock::Instant;
use super::db::{MultiBackend, MultiRawValue};

/// The SQL types themselves, as `schema.rs` names them.
pub mod sql {
    use diesel::query_builder::QueryId;
    use diesel::sql_types::SqlType;

    /// A UUID: `uuid` on PostgreSQL, a 16-byte blob on SQLite.
    #[derive(Clone, Copy, Debug, Default, SqlType, QueryId)]
    #[diesel(
        postgres_type(oid = 2950, array_oid = 2951),
        sqlite_type(name = "Binary")
    )]
    pub struct Id;

    /// An instant: `timestamptz` on PostgreSQL, integer microseconds on SQLite.
    #[derive(Clone, Copy, Debug, Default, SqlType, QueryId)]
    #[diesel(
        postgres_type(oid = 1184, array_oid = 1185),
        sqlite_type(name = "Long")
    )]
    pub struct Instant;

    /// A JSON document: `jsonb` on PostgreSQL, text on SQLite.
    #[derive(Clone, Copy, Debug, Default, SqlType, QueryId)]
    #[diesel(
        postgres_type(oid = 3802, array_oid = 3807),
        sqlite_type(name = "Text")
    )]
    pub struct Json;

    /// A calendar date: `date` on PostgreSQL, ISO 8601 text on SQLite.
    pub use diesel::sql_types::Date;
}

macro_rules! known_to_both {
    ($($sql:ty),*) => { $(
        impl sql_types::HasSqlType<$sql> for MultiBackend {
            fn metadata(lookup: &mut Self::MetadataLookup) -> Self::TypeMetadata {
                Self::lookup_sql_type::<$sql>(lookup)
            }
        }
    )* };
}
known_to_both!(sql::Id, sql::Instant, sql::Json);

// An id travels as a bare UUID; the newtypes of `id!` delegate to these.

impl ToSql<sql::Id, Pg> for IdColumn {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        ToSql::<sql_types::Uuid, Pg>::to_sql(&self.0, out)
    }
}
impl FromSql<sql::Id, Pg> for IdColumn {
    fn from_sql(bytes: PgValue<'_>) -> deserialize::Result<Self> {
        FromSql::<sql_types::Uuid, Pg>::from_sql(bytes).map(Self)
    }
}
impl ToSql<sql::Id, Sqlite> for IdColumn {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        out.set_value(self.0.as_bytes().as_slice());
        Ok(IsNull::No)
    }
}
impl FromSql<sql::Id, Sqlite> for IdColumn {
    fn from_sql(bytes: SqliteValue<'_, '_, '_>) -> deserialize::Result<Self> {
        let bytes = <Vec<u8> as FromSql<sql_types::Binary, Sqlite>>::from_sql(bytes)?;
        Ok(Self(Uuid::from_slice(&bytes)?))
    }
}

/// What the newtypes of [`id!`](crate::id) are to the databases.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
#[repr(transparent)]
pub struct IdColumn(pub Uuid);

/// Makes an identifier: a UUIDv7 newtype that is its own type in Rust, JSON and both databases.
#[macro_export]
macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash,
            serde::Serialize, serde::Deserialize, utoipa::ToSchema,
            diesel::expression::AsExpression, diesel::deserialize::FromSqlRow,
        )]
        #[diesel(sql_type = $crate::platform::columns::sql::Id)]
        #[serde(transparent)]
        #[schema(value_type = String, format = Uuid)]
        pub struct $name(pub uuid::Uuid);

        impl $name {
            /// A new identifier, later than those made before (UUIDv7).
            #[allow(clippy::new_without_default)]
            pub fn new() -> Self {
                Self(uuid::Uuid::now_v7())
            }
        }
        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }
        impl std::str::FromStr for $name {
            type Err = uuid::Error;
            fn from_str(s: &str) -> Result<Self, Self::Err> {
                uuid::Uuid::parse_str(s).map(Self)
            }
        }
        $crate::column_by!($name, $crate::platform::columns::sql::Id,
            $crate::platform::columns::IdColumn,
            |v: &$name| $crate::platform::columns::IdColumn(v.0), |c: $crate::platform::columns::IdColumn| Ok($name(c.0)));
    };
}

/// Gives a type its column on both databases by way of another that has one.
#[doc(hidden)]
#[macro_export]
macro_rules! column_by {
    ($name:ty, $sql:ty, $via:ty, $out:expr, $back:expr) => {
        impl diesel::serialize::ToSql<$sql, diesel::pg::Pg> for $name {
            fn to_sql<'b>(
                &'b self,
                out: &mut diesel::serialize::Output<'b, '_, diesel::pg::Pg>,
            ) -> diesel::serialize::Result {
                let via: $via = ($out)(self);
                diesel::serialize::ToSql::<$sql, diesel::pg::Pg>::to_sql(&via, &mut out.reborrow())
            }
        }
        impl diesel::serialize::ToSql<$sql, diesel::sqlite::Sqlite> for $name {
            fn to_sql<'b>(
                &'b self,
                out: &mut diesel::serialize::Output<'b, '_, diesel::sqlite::Sqlite>,
            ) -> diesel::serialize::Result {
                let via: $via = ($out)(self);
                $crate::platform::columns::SqliteColumn::put(via, out);
                Ok(diesel::serialize::IsNull::No)
            }
        }
        impl diesel::deserialize::FromSql<$sql, diesel::pg::Pg> for $name {
            fn from_sql(bytes: diesel::pg::PgValue<'_>) -> diesel::deserialize::Result<Self> {
                let via =
                    <$via as diesel::deserialize::FromSql<$sql, diesel::pg::Pg>>::from_sql(bytes)?;
                ($back)(via)
            }
        }
        impl diesel::deserialize::FromSql<$sql, diesel::sqlite::Sqlite> for $name {
            fn from_sql(
                bytes: diesel::sqlite::SqliteValue<'_, '_, '_>,
            ) -> diesel::deserialize::Result<Self> {
                let via =
                    <$via as diesel::deserialize::FromSql<$sql, diesel::sqlite::Sqlite>>::from_sql(
                        bytes,
                    )?;
                ($back)(via)
            }
        }
        $crate::column_of_both!($name, $sql);
    };
}

/// The part of a column type that is the same for every type: through the two-database enum.
#[doc(hidden)]
#[macro_export]
macro_rules! column_of_both {
    ($name:ty, $sql:ty) => {
        impl diesel::serialize::ToSql<$sql, $crate::platform::db::MultiBackend> for $name {
            fn to_sql<'b>(
                &'b self,
                out: &mut diesel::serialize::Output<'b, '_, $crate::platform::db::MultiBackend>,
            ) -> diesel::serialize::Result {
                out.set_value((<$sql>::default(), self));
                Ok(diesel::serialize::IsNull::No)
            }
        }
        impl diesel::deserialize::FromSql<$sql, $crate::platform::db::MultiBackend> for $name {
            fn from_sql(
                bytes: $crate::platform::db::MultiRawValue<'_>,
            ) -> diesel::deserialize::Result<Self> {
                bytes.from_sql::<Self, $sql>()
            }
        }
    };
}

/// How a value is handed to SQLite when it is made on the fly and cannot be borrowed.
#[doc(hidden)]
pub trait SqliteColumn {
    /// Puts the value.
    fn put(self, out: &mut Output<'_, '_, Sqlite>);
}
impl SqliteColumn for IdColumn {
    fn put(self, out: &mut Output<'_, '_, Sqlite>) {
        out.set_value(self.0.as_bytes().to_vec());
    }
}

/// A `LIKE` pattern (escaped with `\\`) for texts that hold this one, in lower case: SQLite ignores
/// case in `LIKE` and PostgreSQL does not, so both sides are lowered.
pub fn like(text: &str) -> String {
    let text = text
        .to_lowercase()
        .replace('\\', "\\\\")
        .replace('%', "\\%")
        .replace('_', "\\_");
    format!("%{text}%")
}

diesel::define_sql_function! {
    /// Lower case, the same on both databases for Latin letters.
    fn lower(text: sql_types::Text) -> sql_types::Text;
}

// ---- instants -------------------------------------------------------------------------------

impl ToSql<sql::Instant, Pg> for Instant {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        let at: chrono::DateTime<chrono::Utc> = **self;
        ToSql::<sql_types::Timestamptz, Pg>::to_sql(&at, &mut out.reborrow())
    }
}
impl FromSql<sql::Instant, Pg> for Instant {
    fn from_sql(bytes: PgValue<'_>) -> deserialize::Result<Self> {
        let at: chrono::DateTime<chrono::Utc> =
            FromSql::<sql_types::Timestamptz, Pg>::from_sql(bytes)?;
        Ok(at.into())
    }
}
impl ToSql<sql::Instant, Sqlite> for Instant {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        out.set_value(self.timestamp_micros());
        Ok(IsNull::No)
    }
}
impl FromSql<sql::Instant, Sqlite> for Instant {
    fn from_sql(bytes: SqliteValue<'_, '_, '_>) -> deserialize::Result<Self> {
        let micros = <i64 as FromSql<sql_types::BigInt, Sqlite>>::from_sql(bytes)?;
        Instant::from_micros(micros).ok_or_else(|| "instant out of range".into())
    }
}
column_of_both!(Instant, sql::Instant);

// ---- JSON -----------------------------------------------------------------------------------

/// A typed document in a JSON column.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, AsExpression, FromSqlRow)]
#[diesel(sql_type = sql::Json)]
#[serde(transparent)]
pub struct Json<T>(pub T)
where
    T: std::fmt::Debug;

impl<T: std::fmt::Debug + Serialize> ToSql<sql::Json, Pg> for Json<T> {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        let value = serde_json::to_value(&self.0)?;
        ToSql::<sql_types::Jsonb, Pg>::to_sql(&value, &mut out.reborrow())
    }
}
impl<T: std::fmt::Debug + DeserializeOwned> FromSql<sql::Json, Pg> for Json<T> {
    fn from_sql(bytes: PgValue<'_>) -> deserialize::Result<Self> {
        let value = <serde_json::Value as FromSql<sql_types::Jsonb, Pg>>::from_sql(bytes)?;
        Ok(Self(serde_json::from_value(value)?))
    }
}
impl<T: std::fmt::Debug + Serialize> ToSql<sql::Json, Sqlite> for Json<T> {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        out.set_value(serde_json::to_string(&self.0)?);
        Ok(IsNull::No)
    }
}
impl<T: std::fmt::Debug + DeserializeOwned> FromSql<sql::Json, Sqlite> for Json<T> {
    fn from_sql(bytes: SqliteValue<'_, '_, '_>) -> deserialize::Result<Self> {
        let text = <String as FromSql<sql_types::Text, Sqlite>>::from_sql(bytes)?;
        Ok(Self(serde_json::from_str(&text)?))
    }
}
impl<T> ToSql<sql::Json, MultiBackend> for Json<T>
where
    T: std::fmt::Debug + Serialize + Send + Sync + 'static,
{
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, MultiBackend>) -> serialize::Result {
        out.set_value((sql::Json, self));
        Ok(IsNull::No)
    }
}
impl<T: std::fmt::Debug + DeserializeOwned> FromSql<sql::Json, MultiBackend> for Json<T> {
    fn from_sql(bytes: MultiRawValue<'_>) -> deserialize::Result<Self> {
        bytes.from_sql::<Self, sql::Json>()
    }
}

// ---- closed choices -------------------------------------------------------------------------

/// Makes a closed choice that is the same snake_case text in JSON, in the specification and in
/// both databases.
#[macro_export]
macro_rules! text_enum {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash,
            serde::Serialize, serde::Deserialize, utoipa::ToSchema,
            strum::IntoStaticStr, strum::EnumString, strum::VariantArray,
            diesel::expression::AsExpression, diesel::deserialize::FromSqlRow,
        )]
        #[diesel(sql_type = diesel::sql_types::Text)]
        #[serde(rename_all = "snake_case")]
        #[strum(serialize_all = "snake_case")]
        #[allow(missing_docs)] // where a variant says all
        pub enum $name { $($(#[$vdoc])* $variant),+ }

        impl $name {
            /// The text that stands for the choice in JSON and in the databases.
            pub fn as_str(self) -> &'static str {
                self.into()
            }
        }
        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
        impl diesel::serialize::ToSql<diesel::sql_types::Text, diesel::pg::Pg> for $name {
            fn to_sql<'b>(
                &'b self,
                out: &mut diesel::serialize::Output<'b, '_, diesel::pg::Pg>,
            ) -> diesel::serialize::Result {
                diesel::serialize::ToSql::<diesel::sql_types::Text, diesel::pg::Pg>::to_sql(self.as_str(), out)
            }
        }
        impl diesel::serialize::ToSql<diesel::sql_types::Text, diesel::sqlite::Sqlite> for $name {
            fn to_sql<'b>(
                &'b self,
                out: &mut diesel::serialize::Output<'b, '_, diesel::sqlite::Sqlite>,
            ) -> diesel::serialize::Result {
                out.set_value(self.as_str());
                Ok(diesel::serialize::IsNull::No)
            }
        }
        impl<DB> diesel::deserialize::FromSql<diesel::sql_types::Text, DB> for $name
        where
            DB: diesel::backend::Backend,
            String: diesel::deserialize::FromSql<diesel::sql_types::Text, DB>,
        {
            fn from_sql(bytes: DB::RawValue<'_>) -> diesel::deserialize::Result<Self> {
                let text = <String as diesel::deserialize::FromSql<diesel::sql_types::Text, DB>>::from_sql(bytes)?;
                text.parse().map_err(|_| format!("unknown {}: {text}", stringify!($name)).into())
            }
        }
        impl diesel::serialize::ToSql<diesel::sql_types::Text, $crate::platform::db::MultiBackend> for $name {
            fn to_sql<'b>(
                &'b self,
                out: &mut diesel::serialize::Output<'b, '_, $crate::platform::db::MultiBackend>,
            ) -> diesel::serialize::Result {
                out.set_value((diesel::sql_types::Text, self));
                Ok(diesel::serialize::IsNull::No)
            }
        }
    };
}

crate::id! {
    /// An identifier whose room is not known here: the journal's subjects, a key's owner.
    Uid
}
