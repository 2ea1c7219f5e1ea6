//! What a run leaves behind: why rows were refused, and the run itself.

use serde_json::json;

use super::model::{Import, ImportId, Report, RowError};
use super::service::{ERRORS_KEPT, Order};
use super::store;
use super::table::TableRow;
use crate::error::{Code, Error, FieldError, Problem, Result};
use crate::platform::clock::Instant;
use crate::platform::columns::{Json, Uid};
use crate::platform::db::Tx;
use crate::platform::journal::{Actor, Change};

/// Why a row was refused, field by field; an error that is not about the row goes on.
pub fn refusal(order: &Order, row: &TableRow, error: Error) -> Result<Vec<RowError>> {
    let problem = match error {
        Error::Problem(problem) => *problem,
        error if error.is_unique_violation() => Problem::new(Code::Repeated),
        error => return Err(error),
    };
    let plan = &order.plan;
    let named = |error: &FieldError| {
        let field = plan.target.field_at(&error.pointer);
        let (column, text) = plan.origin(&field, row);
        let mut detail = error.detail.clone();
        if plan.lacks(&field) {
            detail.zh += &format!("映射中没有 {field} 字段。");
            detail.en += &format!(" The mapping has no field {field}.");
        }
        RowError {
            line: row.line,
            column,
            field,
            code: error.code.as_str().to_owned(),
            detail: detail.get(order.lang).to_owned(),
            text: text.map(|text| text.chars().take(200).collect()),
        }
    };
    if problem.errors.is_empty() {
        return Ok(vec![named(&FieldError {
            pointer: String::new(),
            code: problem.code,
            detail: problem.detail,
        })]);
    }
    Ok(problem.errors.iter().map(named).collect())
}

/// A run as it is kept: without what stood in the cells.
pub fn record(order: &Order, report: &Report, started_at: Instant, ended_at: Instant) -> Import {
    let count = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    let errors = report.errors.iter().take(ERRORS_KEPT).cloned();
    Import {
        id: ImportId::new(),
        account_id: order.by,
        target: order.plan.target,
        source: order.plan.source.clone(),
        file_name: order.file_name.clone(),
        total: count(report.rows),
        created: count(report.created),
        updated: count(report.updated),
        unchanged: count(report.unchanged),
        failed: count(report.failed),
        errors: Json(
            errors
                .map(|error| RowError {
                    text: None,
                    ..error
                })
                .collect(),
        ),
        started_at,
        ended_at,
    }
}

/// Keeps a run.
pub fn keep(tx: &mut Tx<'_>, import: &Import) -> Result<()> {
    store::insert(tx.conn, import)?;
    let actor = import
        .account_id
        .map_or(Actor::System, |account| Actor::Account(Uid(account.0)));
    tx.journal(
        Change::new(actor, "import.run", import.id.0).payload(json!({
            "target": import.target, "source": import.source,
            "created": import.created, "updated": import.updated, "failed": import.failed,
        })),
    )
}
