//! Campaigns and batches over HTTP.

use actix_web::web::{Data, Json, Path};
use actix_web::{HttpResponse, get, patch, post};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;
use validator::Validate;

use super::model::{Batch, BatchId, BatchStatus, Campaign, CampaignId};
use super::service::{self, EditBatch, NewBatch, NewCampaign};
use super::store;
use crate::error::Result;
use crate::identity::{Command, Made, MaybeCaller};
use crate::platform::Platform;
use crate::platform::clock::Instant;
use crate::platform::http::page::DEFAULT_LIMIT;
use crate::platform::http::valid::Nothing;
use crate::platform::http::{Cursor, List, Page, Params, ProblemBody, etag};
use crate::regions::RegionId;

/// The sub-room's routes.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(list_campaigns)
        .service(create_campaign)
        .service(read_campaign)
        .service(list_batches)
        .service(create_batch)
        .service(read_batch)
        .service(edit_batch)
        .service(publish_batch);
}

/// A campaign.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Campaign)]
pub struct CampaignView {
    /// Its id.
    pub id: CampaignId,
    /// The region it is for.
    pub region_id: RegionId,
    /// Its name.
    pub name: String,
    /// A few words about it.
    pub introduction: String,
    /// When it was made.
    pub created_at: Instant,
}

impl From<Campaign> for CampaignView {
    fn from(row: Campaign) -> Self {
        Self {
            id: row.id,
            region_id: row.region_id,
            name: row.name,
            introduction: row.introduction,
            created_at: row.created_at,
        }
    }
}

/// A batch of projects that are published together.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Batch)]
pub struct BatchView {
    /// Its id.
    pub id: BatchId,
    /// Of which campaign.
    pub campaign_id: CampaignId,
    /// Its name.
    pub name: String,
    /// From when its projects may be claimed.
    pub opens_at: Instant,
    /// Until when, not included.
    pub closes_at: Instant,
    /// Where it stands.
    pub status: BatchStatus,
    /// Its version, as in the `ETag`.
    pub version: i32,
    /// When it was made.
    pub created_at: Instant,
}

impl From<Batch> for BatchView {
    fn from(row: Batch) -> Self {
        Self {
            id: row.id,
            campaign_id: row.campaign_id,
            name: row.name,
            opens_at: row.opens_at,
            closes_at: row.closes_at,
            status: row.status,
            version: row.version,
            created_at: row.created_at,
        }
    }
}

#[derive(Debug, Clone, Deserialize, IntoParams, Validate)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Browse {
    /// Rows a page holds, 1 to 100.
    #[validate(range(min = 1, max = 100))]
    limit: Option<i64>,
    /// `next` of the page before.
    cursor: Option<String>,
}

/// List the campaigns
#[utoipa::path(tag = "projects", params(Browse), security(()), responses(
    (status = 200, description = "The newest first", body = Page<CampaignView>),
    (status = 422, description = "A parameter out of bounds", body = ProblemBody)))]
#[get("/campaigns")]
async fn list_campaigns(
    platform: Data<Platform>,
    query: Params<Browse>,
) -> Result<List<Page<CampaignView>>> {
    let before = Cursor::decode(query.0.cursor.as_deref())?;
    let limit = query.0.limit.unwrap_or(DEFAULT_LIMIT);
    let rows = platform
        .db
        .read(move |conn| store::campaigns(conn, before, limit))
        .await?;
    Ok(List(Page::of(rows, limit, |row| row.id).map(Into::into)))
}

/// Make a campaign
#[utoipa::path(tag = "projects", request_body = NewCampaign, responses(
    (status = 201, description = "Made", body = CampaignView),
    (status = 403, description = "Not of the caller's region", body = ProblemBody),
    (status = 422, description = "Wrong fields", body = ProblemBody)))]
#[post("/campaigns")]
async fn create_campaign(command: Command<NewCampaign>) -> Result<HttpResponse> {
    command
        .run(move |tx, caller, input| {
            let row = service::create(tx, caller, input)?;
            let location = format!("/api/v1/campaigns/{}", row.id);
            Ok(Made::new(CampaignView::from(row), location))
        })
        .await
}

/// Read a campaign
#[utoipa::path(tag = "projects", security(()), params(("id" = CampaignId, Path, description = "The campaign")), responses(
    (status = 200, description = "The campaign", body = CampaignView),
    (status = 404, description = "No such campaign", body = ProblemBody)))]
#[get("/campaigns/{id}")]
async fn read_campaign(
    platform: Data<Platform>,
    id: Path<CampaignId>,
) -> Result<Json<CampaignView>> {
    let row = platform
        .db
        .point(move |conn| store::campaign(conn, *id))
        .await?;
    Ok(Json(row.into()))
}

/// List the batches of a campaign
///
/// Drafts only for those who may change them.
#[utoipa::path(tag = "projects", security((), ("bearer" = [])), params(("id" = CampaignId, Path, description = "The campaign")), responses(
    (status = 200, description = "The oldest first", body = Page<BatchView>),
    (status = 404, description = "No such campaign", body = ProblemBody)))]
#[get("/campaigns/{id}/batches")]
async fn list_batches(
    caller: MaybeCaller,
    platform: Data<Platform>,
    id: Path<CampaignId>,
) -> Result<List<Page<BatchView>>> {
    let rows = platform
        .db
        .read(move |conn| service::batches(conn, caller.0.as_ref(), *id));
    let items = rows.await?.into_iter().map(Into::into).collect();
    Ok(List(Page { items, next: None }))
}

/// Make a batch
#[utoipa::path(tag = "projects", request_body = NewBatch, params(("id" = CampaignId, Path, description = "The campaign")), responses(
    (status = 201, description = "Made, as a draft", body = BatchView),
    (status = 403, description = "Not of the caller's region", body = ProblemBody),
    (status = 404, description = "No such campaign", body = ProblemBody),
    (status = 422, description = "Wrong fields", body = ProblemBody)))]
#[post("/campaigns/{id}/batches")]
async fn create_batch(command: Command<NewBatch>, id: Path<CampaignId>) -> Result<HttpResponse> {
    command
        .run(move |tx, caller, input| {
            let row = service::create_batch(tx, caller, *id, input)?;
            let (location, version) = (format!("/api/v1/batches/{}", row.id), row.version);
            Ok(Made::new(BatchView::from(row), location).version(version))
        })
        .await
}

/// Read a batch
///
/// A draft only those who may change it, or who write projects for it.
#[utoipa::path(tag = "projects", security((), ("bearer" = [])), params(("id" = BatchId, Path, description = "The batch")), responses(
    (status = 200, description = "The batch", body = BatchView),
    (status = 404, description = "No such batch", body = ProblemBody)))]
#[get("/batches/{id}")]
async fn read_batch(
    caller: MaybeCaller,
    platform: Data<Platform>,
    id: Path<BatchId>,
) -> Result<HttpResponse> {
    let row = platform
        .db
        .point(move |conn| service::batch(conn, caller.0.as_ref(), *id))
        .await?;
    Ok(HttpResponse::Ok()
        .insert_header(etag(row.version))
        .json(BatchView::from(row)))
}

/// Change a batch
///
/// Its window also once it is published.
#[utoipa::path(tag = "projects", request_body = EditBatch,
    params(("id" = BatchId, Path, description = "The batch"), ("If-Match" = String, Header, description = "The ETag that was read")), responses(
    (status = 200, description = "Changed", body = BatchView),
    (status = 403, description = "Not of the caller's region", body = ProblemBody),
    (status = 404, description = "No such batch", body = ProblemBody),
    (status = 412, description = "Changed since it was read", body = ProblemBody),
    (status = 422, description = "Wrong fields", body = ProblemBody),
    (status = 428, description = "Without If-Match", body = ProblemBody)))]
#[patch("/batches/{id}")]
async fn edit_batch(command: Command<EditBatch>, id: Path<BatchId>) -> Result<HttpResponse> {
    let seen = command.if_match.clone();
    command
        .run(move |tx, caller, input| {
            let row = service::edit_batch(tx, caller, *id, &seen, input)?;
            let version = row.version;
            Ok(Made::changed(BatchView::from(row)).version(version))
        })
        .await
}

/// Publish a batch
///
/// Its approved projects open; those approved later open at once. Again, it opens what is approved
/// and not open yet.
#[utoipa::path(tag = "projects", request_body = Nothing, params(("id" = BatchId, Path, description = "The batch")), responses(
    (status = 200, description = "Published; also when it was before", body = BatchView),
    (status = 403, description = "Not of the caller's region", body = ProblemBody),
    (status = 404, description = "No such batch", body = ProblemBody),
    (status = 409, description = "No project of it is approved", body = ProblemBody)))]
#[post("/batches/{id}/publish")]
async fn publish_batch(command: Command<Nothing>, id: Path<BatchId>) -> Result<HttpResponse> {
    command
        .run(move |tx, caller, _| {
            let row = service::publish(tx, caller, *id)?;
            let version = row.version;
            Ok(Made::changed(BatchView::from(row)).version(version))
        })
        .await
}
