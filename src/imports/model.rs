use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use super::targets::Target;
use crate::id;
use crate::identity::AccountId;
use crate::platform::clock::Instant;
use crate::platform::columns::{Json, Uid};
use crate::platform::lang::Lang;
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
    /// Rows of which something new was made.
    pub created: i64,
    /// Rows that brought something up to date.
    pub updated: i64,
    /// Rows that said nothing new.
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

impl Import {
    /// Good rows of which nothing was kept: those that are counted nowhere else.
    pub fn held_back(&self) -> i64 {
        self.total - self.created - self.updated - self.unchanged - self.failed
    }
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
    /// Rows of which something new was made.
    pub created: u64,
    /// Rows that brought something up to date.
    pub updated: u64,
    /// Rows that said nothing new.
    pub unchanged: u64,
    /// Good rows of which nothing was kept, since all or nothing was asked for and others were refused.
    pub held_back: u64,
    /// Rows that were refused. All five together are the rows of the file.
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

    /// What the command line says: a line for every error, and the counts.
    pub fn text(&self, lang: Lang) -> String {
        let mut said = String::new();
        let mut say = |zh: String, en: String| {
            said.push_str(lang.pick(&zh, &en));
            said.push('\n');
        };
        for error in &self.errors {
            let RowError {
                line,
                field,
                code,
                detail,
                ..
            } = error;
            let column = error.column.as_deref().unwrap_or("-");
            let text = error.text.as_deref().unwrap_or_default();
            say(
                format!("第 {line} 行，{column} 列（{field}）：{code} {text:?}：{detail}"),
                format!("line {line}, column {column} ({field}): {code} {text:?}: {detail}"),
            );
        }
        let Self {
            rows,
            created,
            updated,
            unchanged,
            held_back,
            failed,
            ..
        } = self;
        if self.dry_run {
            say(
                "试运行：未保留任何内容".to_owned(),
                "dry run: nothing was kept".to_owned(),
            );
        }
        if *held_back > 0 {
            say(
                "要么全部导入、要么全不导入：有行被拒绝，因此未保留任何内容".to_owned(),
                "all or nothing: nothing was kept, since rows were refused".to_owned(),
            );
        }
        let mut zh = format!(
            "共 {rows} 行：新建 {created}，更新 {updated}，无变化 {unchanged}，拒绝 {failed}"
        );
        let mut en = format!(
            "{rows} rows: {created} created, {updated} updated, {unchanged} unchanged, {failed} failed"
        );
        if *held_back > 0 {
            zh.push_str(&format!("，搁置 {held_back}"));
            en.push_str(&format!(", {held_back} held back"));
        }
        say(zh, en);
        said
    }
}
