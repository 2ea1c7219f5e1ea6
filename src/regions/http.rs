//! Reading regions is public: who signs up must be able to say where.

use actix_web::get;
use actix_web::web::{Data, Json, Path};
use chrono::NaiveDate;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_actix_web::service_config::ServiceConfig;
use validator::Validate;

use super::model::{Level, RegionId, RegionView};
use super::store;
use crate::error::{Code, Result};
use crate::platform::Platform;
use crate::platform::http::page::DEFAULT_LIMIT;
use crate::platform::http::valid::finite;
use crate::platform::http::{Cursor, List, Page, Params, ProblemBody};

/// How far away a region's centre may be to be taken for the region of a place, in metres.
const REACH_M: f64 = 20_000.0;

/// The room's routes.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(locate).service(list).service(read);
}

#[derive(Debug, Deserialize, IntoParams, Validate)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListRegions {
    /// Those valid on this day; today when left out.
    on: Option<NaiveDate>,
    /// Only those directly in this region.
    parent_id: Option<RegionId>,
    /// Only those of this level.
    level: Option<Level>,
    /// Only the one that bears this code then.
    #[validate(length(min = 1, max = 40))]
    code: Option<String>,
    /// Only those whose name holds this text.
    #[validate(length(min = 1, max = 50))]
    name: Option<String>,
    /// Rows a page holds, 1 to 100.
    #[validate(range(min = 1, max = 100))]
    limit: Option<i64>,
    /// `next` of the page before.
    cursor: Option<String>,
}

/// List regions
///
/// In order of their codes; only those valid today, or on the day asked for. Codes change over the
/// years: a region that has ended is found by the days on which it was there.
#[utoipa::path(tag = "regions", params(ListRegions), security(()), responses(
    (status = 200, description = "A page of regions", body = Page<RegionView>),
    (status = 400, description = "A malformed parameter", body = ProblemBody),
    (status = 422, description = "A parameter out of bounds", body = ProblemBody)))]
#[get("/regions")]
async fn list(
    platform: Data<Platform>,
    query: Params<ListRegions>,
) -> Result<List<Page<RegionView>>> {
    let Params(query) = query;
    let after = Cursor::decode(query.cursor.as_deref())?;
    let limit = query.limit.unwrap_or(DEFAULT_LIMIT);
    let query = store::Query {
        on: query.on.unwrap_or_else(|| platform.today()),
        parent: query.parent_id,
        level: query.level,
        code: query.code,
        name: query.name,
        after,
        limit,
    };
    let rows = platform
        .db
        .read(move |conn| store::list(conn, &query))
        .await?;
    Ok(List(
        Page::of(rows, limit, |region| (region.code.clone(), region.id)).map(RegionView::from),
    ))
}

/// Read a region
///
/// Also one that has ended: what referred to it still does.
#[utoipa::path(tag = "regions", params(("id" = RegionId, Path, description = "The region")), security(()),
    responses(
    (status = 200, description = "The region", body = RegionView),
    (status = 400, description = "Not an id", body = ProblemBody),
    (status = 404, description = "No such region", body = ProblemBody)))]
#[get("/regions/{id}")]
async fn read(platform: Data<Platform>, id: Path<RegionId>) -> Result<Json<RegionView>> {
    let region = platform
        .db
        .point(move |conn| store::by_id(conn, *id))
        .await?;
    Ok(Json(region.into()))
}

#[derive(Debug, Deserialize, IntoParams, Validate)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Place {
    /// Degrees east, WGS 84.
    #[validate(range(min = -180.0, max = 180.0), custom(function = "finite"))]
    longitude: f64,
    /// Degrees north, WGS 84.
    #[validate(range(min = -90.0, max = 90.0), custom(function = "finite"))]
    latitude: f64,
}

/// Find the region of a place
///
/// Of the regions valid today: where outlines hold the point, the smallest of these. Where none does,
/// the region whose centre is nearest as the crow flies, whatever its level, up to 20 km away; of
/// several at the same distance that of the lowest level (a grid before its street), then by code. A
/// region without an outline and a centre is not found.
#[utoipa::path(tag = "regions", params(Place), security(()), responses(
    (status = 200, description = "The region", body = RegionView),
    (status = 400, description = "A malformed parameter", body = ProblemBody),
    (status = 404, description = "No region there or near", body = ProblemBody),
    (status = 422, description = "A parameter out of bounds", body = ProblemBody)))]
#[get("/regions/locate")]
async fn locate(platform: Data<Platform>, place: Params<Place>) -> Result<Json<RegionView>> {
    let Params(place) = place;
    let region = platform
        .db
        .read(move |conn| store::locate(conn, place.longitude, place.latitude, REACH_M))
        .await?
        .ok_or(Code::NotFound)?;
    Ok(Json(region.into()))
}
