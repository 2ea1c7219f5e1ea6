//! Imports by the administrators of the platform, and by the staff of regions for these.

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
use crate::identity::{AccountId, Caller, Role};
use crate::platform::Platform;
use crate::platform::clock::Instant;
use crate::platform::http::page::DEFAULT_LIMIT;
use crate::platform::http::{Cursor, List, Page, Params, ProblemBody};
use crate::regions::RegionId;

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
    /// Rows of which something new was made.
    pub created: i64,
    /// Rows that brought something up to date.
    pub updated: i64,
    /// Rows that said nothing new.
    pub unchanged: i64,
    /// Good rows of which nothing was kept, since all or nothing was asked for and others were refused.
    pub held_back: i64,
    /// Rows that were refused. All five together are the rows of the file.
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
            held_back: import.held_back(),
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
#[multipart(deny_unknown_fields)]
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

/// Whose imports a caller sees, and for which regions it runs them.
enum Entitled {
    /// An administrator of the platform: all, everywhere.
    Everywhere,
    /// Staff: its own, for these regions and all below them.
    Within(Vec<RegionId>),
}

fn entitled(caller: &Caller) -> Result<Entitled> {
    if caller.is_platform_admin() {
        return Ok(Entitled::Everywhere);
    }
    let regions = caller.regions(&[Role::RegionAdmin]);
    if regions.is_empty() {
        return Err(Code::Forbidden.into());
    }
    Ok(Entitled::Within(regions))
}

/// Import foreign data
///
/// For administrators of the platform, and for the staff of a region: these import organisations,
/// volunteers, projects and wishes of their regions, as drafts that wait for their review, and
/// update what lies there. A bad row is reported and holds up no other one, unless all
/// or nothing is asked for, which has a bound of rows here. The report holds the first thousand errors. The same file again
/// changes nothing: rows are known by their external ids.
#[utoipa::path(tag = "imports", params(RunImport),
    request_body(content = ImportForm, content_type = "multipart/form-data"), responses(
    (status = 200, description = "What would happen, for a dry run", body = Report),
    (status = 201, description = "How it went; `Location` holds the address of the import", body = Report,
        headers(("Location", description = "The address of the import"))),
    (status = 403, description = "Neither an administrator of the platform nor staff of a region", body = ProblemBody),
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
    let within = match entitled(&caller)? {
        Entitled::Everywhere => None,
        Entitled::Within(_) if query.0.target == Target::Regions => {
            return Err(Code::Forbidden.into());
        }
        Entitled::Within(regions) => Some(regions),
    };
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
        within,
        lang: caller.lang,
        dry_run: query.dry_run,
        all_or_nothing: query.all_or_nothing,
        ..order
    };
    let is_whole = query.all_or_nothing && !query.dry_run;
    if is_whole && order.table.rows.len() > desk.rules.all_or_nothing_rows {
        return Err(Code::TooManyRows.into());
    }
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
/// The newest first: administrators of the platform see all, the staff of regions their own.
#[utoipa::path(tag = "imports", params(ListImports), responses(
    (status = 200, description = "A page of imports", body = Page<ImportView>),
    (status = 403, description = "Neither an administrator of the platform nor staff of a region", body = ProblemBody),
    (status = 422, description = "A parameter out of bounds", body = ProblemBody)))]
#[get("/imports")]
async fn list(
    caller: Caller,
    platform: Data<Platform>,
    query: Params<ListImports>,
) -> Result<List<Page<ImportView>>> {
    let by = match entitled(&caller)? {
        Entitled::Everywhere => None,
        Entitled::Within(_) => Some(caller.account),
    };
    let Params(query) = query;
    let before = Cursor::decode::<ImportId>(query.cursor.as_deref())?;
    let limit = query.limit.unwrap_or(DEFAULT_LIMIT);
    let rows = platform
        .db
        .read(move |conn| store::list(conn, by, before, limit))
        .await?;
    Ok(List(
        Page::of(rows, limit, |row| row.id).map(ImportView::from),
    ))
}

/// Look at an import
///
/// For administrators of the platform, and for whoever ran it.
#[utoipa::path(tag = "imports", params(("id" = ImportId, Path, description = "The import")), responses(
    (status = 200, description = "The import", body = ImportView),
    (status = 403, description = "Neither an administrator of the platform nor staff of a region", body = ProblemBody),
    (status = 404, description = "No such import", body = ProblemBody)))]
#[get("/imports/{id}")]
async fn show(
    caller: Caller,
    platform: Data<Platform>,
    id: Path<ImportId>,
) -> Result<Json<ImportView>> {
    let entitled = entitled(&caller)?;
    let id = id.into_inner();
    let import = platform
        .db
        .read(move |conn| store::import(conn, id))
        .await?;
    match entitled {
        Entitled::Within(_) if import.account_id != Some(caller.account) => {
            Err(Code::NotFound.into())
        }
        _ => Ok(Json(import.into())),
    }
}
