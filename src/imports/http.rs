//! Imports by the administrators of the platform.

use std::sync::Arc;

use actix_multipart::form::MultipartForm;
use actix_multipart::form::bytes::Bytes as Part;
use actix_web::http::header;
use actix_web::web::{Data, Json, Path};
use actix_web::{HttpResponse, get, post};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;
use validator::Validate;

use super::model::{Import, ImportId, Report, RowError};
use super::service::{self, Desk, ERRORS_KEPT, Order};
use super::store;
use super::table::tidy;
use super::targets::Target;
use crate::error::{Code, Error, Result};
use crate::identity::{AccountId, Caller};
use crate::platform::Platform;
use crate::platform::clock::Instant;
use crate::platform::http::page::DEFAULT_LIMIT;
use crate::platform::http::{Cursor, Page, Params, ProblemBody};

/// The room's routes.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(run).service(list).service(show);
}

/// An import that was run.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Import)]
pub struct ImportView {
    /// Its id.
    pub id: ImportId,
    /// Who ran it; null for the command line.
    pub account_id: Option<AccountId>,
    /// What was imported.
    pub target: Target,
    /// Where the data came from.
    pub source: String,
    /// What the file was called.
    pub file_name: String,
    /// Rows of the file.
    pub rows: i64,
    /// Rows that became something new.
    pub created: i64,
    /// Rows that changed something.
    pub updated: i64,
    /// Rows that said the same as the last time.
    pub unchanged: i64,
    /// Rows that were refused.
    pub failed: i64,
    /// What was wrong with those, the first thousand, without what stood in the cells.
    pub errors: Vec<RowError>,
    /// Since when.
    pub started_at: Instant,
    /// Until when.
    pub ended_at: Instant,
}

impl From<Import> for ImportView {
    fn from(import: Import) -> Self {
        Self {
            id: import.id,
            account_id: import.account_id,
            target: import.target,
            source: import.source,
            file_name: import.file_name,
            rows: import.total,
            created: import.created,
            updated: import.updated,
            unchanged: import.unchanged,
            failed: import.failed,
            errors: import.errors.0,
            started_at: import.started_at,
            ended_at: import.ended_at,
        }
    }
}

/// Data and their mapping.
#[derive(MultipartForm, ToSchema)]
struct ImportForm {
    /// A CSV, XLSX or GeoJSON file.
    #[schema(value_type = String, format = Binary, content_media_type = "application/octet-stream")]
    file: Option<Part>,
    /// The mapping file (TOML).
    #[schema(value_type = String, format = Binary, content_media_type = "application/octet-stream")]
    mapping: Option<Part>,
}

#[derive(Debug, Deserialize, IntoParams, Validate)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct RunImport {
    /// What to import.
    target: Target,
    /// Keep nothing, and say what would happen.
    #[serde(default)]
    dry_run: bool,
    /// Keep nothing when any row is bad.
    #[serde(default)]
    all_or_nothing: bool,
}

fn admin(caller: &Caller) -> Result<()> {
    if caller.is_platform_admin() {
        Ok(())
    } else {
        Err(Code::Forbidden.into())
    }
}

/// Import foreign data
///
/// For administrators of the platform. A bad row is reported and holds up no other one, unless all
/// or nothing is asked for. The report holds the first thousand errors. The same file again
/// changes nothing: rows are known by their external ids.
#[utoipa::path(tag = "imports", params(RunImport),
    request_body(content = ImportForm, content_type = "multipart/form-data"), responses(
    (status = 200, description = "What would happen, for a dry run", body = Report),
    (status = 201, description = "How it went; `Location` holds the address of the import", body = Report,
        headers(("Location", description = "The address of the import"))),
    (status = 403, description = "Not an administrator of the platform", body = ProblemBody),
    (status = 413, description = "The file has too many bytes, rows or columns", body = ProblemBody),
    (status = 422, description = "The file or its mapping is wrong, with every mistake", body = ProblemBody)))]
#[post("/imports")]
async fn run(
    caller: Caller,
    platform: Data<Platform>,
    desk: Data<Desk>,
    query: Params<RunImport>,
    form: MultipartForm<ImportForm>,
) -> Result<HttpResponse> {
    admin(&caller)?;
    let (Params(query), form) = (query, form.into_inner());
    let (Some(file), Some(map)) = (form.file, form.mapping) else {
        return Err(Code::ImportPartMissing.into());
    };
    let map = String::from_utf8(map.data.to_vec()).map_err(|_| Code::MappingUnreadable)?;
    let name = file.file_name.unwrap_or_default();
    let bytes = file.data;
    let order = actix_web::web::block(move || service::order(&bytes, &map, query.target))
        .await
        .map_err(Error::internal)??;
    let order = Order {
        file_name: tidy(&name).chars().take(200).collect(),
        by: Some(caller.account),
        lang: caller.lang,
        dry_run: query.dry_run,
        all_or_nothing: query.all_or_nothing,
        ..order
    };
    let mut report = service::run(&platform.db, &desk, order, Arc::new(|_, _| ())).await?;
    report.errors.truncate(ERRORS_KEPT);
    Ok(match report.id {
        None => HttpResponse::Ok().json(report),
        Some(id) => HttpResponse::Created()
            .insert_header((header::LOCATION, format!("/api/v1/imports/{id}")))
            .json(report),
    })
}

#[derive(Debug, Deserialize, IntoParams, Validate)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListImports {
    /// Rows a page holds, 1 to 100.
    #[validate(range(min = 1, max = 100))]
    limit: Option<i64>,
    /// `next` of the page before.
    cursor: Option<String>,
}

/// List imports
///
/// For administrators of the platform. The newest first.
#[utoipa::path(tag = "imports", params(ListImports), responses(
    (status = 200, description = "A page of imports", body = Page<ImportView>),
    (status = 403, description = "Not an administrator of the platform", body = ProblemBody),
    (status = 422, description = "A parameter out of bounds", body = ProblemBody)))]
#[get("/imports")]
async fn list(
    caller: Caller,
    platform: Data<Platform>,
    query: Params<ListImports>,
) -> Result<Json<Page<ImportView>>> {
    admin(&caller)?;
    let Params(query) = query;
    let before = Cursor::decode::<ImportId>(query.cursor.as_deref())?;
    let limit = query.limit.unwrap_or(DEFAULT_LIMIT);
    let rows = platform
        .db
        .read(move |conn| store::list(conn, before, limit))
        .await?;
    Ok(Json(
        Page::of(rows, limit, |row| row.id).map(ImportView::from),
    ))
}

/// Look at an import
///
/// For administrators of the platform.
#[utoipa::path(tag = "imports", params(("id" = ImportId, Path, description = "The import")), responses(
    (status = 200, description = "The import", body = ImportView),
    (status = 403, description = "Not an administrator of the platform", body = ProblemBody),
    (status = 404, description = "No such import", body = ProblemBody)))]
#[get("/imports/{id}")]
async fn show(
    caller: Caller,
    platform: Data<Platform>,
    id: Path<ImportId>,
) -> Result<Json<ImportView>> {
    admin(&caller)?;
    let id = id.into_inner();
    let import = platform
        .db
        .read(move |conn| store::import(conn, id))
        .await?;
    Ok(Json(import.into()))
}
