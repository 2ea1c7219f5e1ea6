//! Whether a region demands a review of activities, over HTTP.

use actix_web::web::{Data, Json, Path};
use actix_web::{HttpResponse, get, put};
use serde::Serialize;
use utoipa::ToSchema;

use super::super::service::{self, SetPolicy};
use super::super::store;
use crate::error::Result;
use crate::identity::{Caller, Command, Made};
use crate::platform::Platform;
use crate::platform::db::Conn;
use crate::platform::http::ProblemBody;
use crate::regions::RegionId;

/// What holds for activities in a region.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ActivityPolicy)]
pub(super) struct PolicyView {
    /// The region.
    region_id: RegionId,
    /// Whether activities in it are published after a review.
    review: bool,
    /// Whether the region says so itself; else the nearest does that it lies in, or nobody.
    is_own: bool,
}

fn view(conn: &mut Conn, region_id: RegionId) -> Result<PolicyView> {
    Ok(PolicyView {
        region_id,
        review: store::demands_review(conn, region_id)?,
        is_own: store::policy(conn, region_id)?.is_some(),
    })
}

/// Read whether a region demands a review of activities
#[utoipa::path(tag = "activities", params(("region_id" = RegionId, Path, description = "The region")), responses(
    (status = 200, description = "What holds there", body = PolicyView),
    (status = 404, description = "No such region", body = ProblemBody)))]
#[get("/activity-policies/{region_id}")]
pub(super) async fn read_policy(
    _caller: Caller,
    platform: Data<Platform>,
    region: Path<RegionId>,
) -> Result<Json<PolicyView>> {
    let read = platform.db.read(move |conn| {
        crate::regions::by_id(conn, *region)?;
        view(conn, *region)
    });
    Ok(Json(read.await?))
}

/// Say whether a region demands a review of activities
///
/// For its administrators; it holds below it, too, where nobody says otherwise. What is published stays so.
#[utoipa::path(tag = "activities", request_body = SetPolicy,
    params(("region_id" = RegionId, Path, description = "The region")), responses(
    (status = 200, description = "What holds there now", body = PolicyView),
    (status = 403, description = "Not an administrator of the region", body = ProblemBody),
    (status = 404, description = "No such region", body = ProblemBody)))]
#[put("/activity-policies/{region_id}")]
pub(super) async fn set_policy(
    command: Command<SetPolicy>,
    region: Path<RegionId>,
) -> Result<HttpResponse> {
    command
        .run(move |tx, caller, input| {
            service::set_policy(tx, caller, *region, input)?;
            Ok(Made::changed(view(tx.conn, *region)?))
        })
        .await
}
