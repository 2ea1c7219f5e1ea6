use std::fmt;

use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use super::targets::Target;
use crate::id;
use crate::identity::AccountId;
use crate::platform::clock::Instant;
use crate::platform::columns::{Json, Uid};
use crate::schema::{import_links, imports};

/// The room's numbers; `config/default.toml` says what each means.
#[derive(Clone, Debug, Deserialize, Serialize, Validate)]
#[serde(deny_unknown_fields)]
pub struct ImportRules {
    /// Rows that one import through HTTP may keep whole or not at all.
    #[validate(range(min = 1))]
    pub all_or_nothing_rows: usize,
}

id! {
    /// Names an import that was run.
    ImportId
}
id! {
    /// Names what ties a row of a source to the row made of it.
    LinkId
}

/// An import that was run.
#[derive(Clone, Debug, Queryable, Selectable, Identifiable, Insertable)]
#[diesel(table_name = imports)]
pub struct Import {
    /// Its id.
    pub id: ImportId,
    /// Who ran it; none for the command line.
    pub account_id: Option<AccountId>,
    /// What was imported.
    pub target: Target,
    /// Where the data came from.
    pub source: String,
    /// What the file was called.
    pub file_name: String,
    /// Rows of the file.
    pub total: i64,
    /// Rows that became something new.
    pub created: i64,
    /// Rows that changed something.
    pub updated: i64,
    /// Rows that said the same as the last time.
    pub unchanged: i64,
    /// Rows that were refused.
    pub failed: i64,
    /// What was wrong with those, without what stood in the cells.
    pub errors: Json<Vec<RowError>>,
    /// Since when.
    pub started_at: Instant,
    /// Until when.
    pub ended_at: Instant,
}

/// What ties a row of a source to the row made of it.
#[derive(Clone, Debug, Queryable, Selectable, Identifiable, Insertable)]
#[diesel(table_name = import_links)]
pub struct Link {
    /// Its id.
    pub id: LinkId,
    /// What it is.
    pub target: Target,
    /// Where it comes from.
    pub source: String,
    /// What the source calls it.
    pub external_key: String,
    /// The row here.
    pub subject_id: Uid,
    /// Of the values last taken over.
    pub digest: Vec<u8>,
    /// When they were.
    pub updated_at: Instant,
    /// The version of the row here that the import left: with another one it was changed here
    /// since. None for regions, which have no other writer.
    pub subject_version: Option<i32>,
}

/// What is wrong with a row.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, ToSchema)]
#[schema(as = ImportError)]
pub struct RowError {
    /// The line of the file at which the row begins.
    pub line: u64,
    /// The column, or several with ` + ` between them; null for a field that has none.
    pub column: Option<String>,
    /// The field it was to become.
    pub field: String,
    /// What is wrong, one of the catalogue of codes.
    pub code: String,
    /// The same as a sentence.
    pub detail: String,
    /// What stood there, cut to 200 characters. Not kept: it can be personal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

/// How an import went.
#[derive(Clone, Debug, Default, PartialEq, Serialize, ToSchema)]
#[schema(as = ImportReport)]
pub struct Report {
    /// Its id; null for a dry run, which leaves no trace.
    pub id: Option<ImportId>,
    /// Whether nothing was kept, on purpose.
    pub dry_run: bool,
    /// Rows of the file.
    pub rows: u64,
    /// Rows that became something new.
    pub created: u64,
    /// Rows that changed something.
    pub updated: u64,
    /// Rows that said the same as the last time.
    pub unchanged: u64,
    /// Rows that were refused.
    pub failed: u64,
    /// How many errors those rows have together.
    pub errors_total: u64,
    /// What was wrong, in the order of the file.
    pub errors: Vec<RowError>,
}

impl Report {
    /// How the command line ends: 0 without bad rows, 2 when some were refused, 1 when nothing
    /// landed.
    pub fn exit_code(&self) -> u8 {
        match self.created + self.updated + self.unchanged {
            _ if self.failed == 0 => 0,
            0 => 1,
            _ => 2,
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for error in &self.errors {
            let column = error.column.as_deref().unwrap_or("-");
            let text = error.text.as_deref().unwrap_or_default();
            writeln!(
                f,
                "line {}, column {column} ({}): {} {text:?}: {}",
                error.line, error.field, error.code, error.detail
            )?;
        }
        if self.dry_run {
            writeln!(f, "dry run: nothing was kept")?;
        }
        writeln!(
            f,
            "{} rows: {} created, {} updated, {} unchanged, {} failed",
            self.rows, self.created, self.updated, self.unchanged, self.failed
        )
    }
}
