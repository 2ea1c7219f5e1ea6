//! Finding activities.

use actix_web::web::{Data, Path};
use actix_web::{HttpResponse, get};
use serde::Deserialize;
use strum::VariantArray;
use utoipa::IntoParams;
use validator::Validate;

use super::super::enrolments;
use super::super::model::{ActivityId, ActivityStatus};
use super::super::rules::{AHEAD, LIVE, PUBLIC};
use super::super::service::{self, Desk};
use super::super::store::{self, Query};
use super::{ActivityView, view, views};
use crate::error::{Code, Problem, Result};
use crate::identity::{Caller, MaybeCaller, Role};
use crate::organizations::OrganizationId;
use crate::platform::Platform;
use crate::platform::clock::Instant;
use crate::platform::db::Conn;
use crate::platform::http::page::DEFAULT_LIMIT;
use crate::platform::http::valid::finite;
use crate::platform::http::{Cursor, List, Page, Params, ProblemBody, etag};
use crate::projects::ProjectId;
use crate::regions::{self, RegionId};
use crate::taxonomies::LifeCycle;

#[derive(Debug, Clone, Deserialize, IntoParams, Validate)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Browse {
    /// Only those in this region or below it.
    region_id: Option<RegionId>,
    /// Only those of this project.
    project_id: Option<ProjectId>,
    /// Only those of this organisation.
    organization_id: Option<OrganizationId>,
    /// Only those that serve this goal.
    life_cycle: Option<LifeCycle>,
    /// Only those that stand here; those that have not begun when left out.
    status: Option<ActivityStatus>,
    /// Only those that end after this instant.
    from: Option<Instant>,
    /// Only those that begin before this instant.
    until: Option<Instant>,
    /// Only those around here: degrees east.
    #[validate(range(min = -180.0, max = 180.0), custom(function = "finite"))]
    longitude: Option<f64>,
    /// Only those around here: degrees north.
    #[validate(range(min = -85.0, max = 85.0), custom(function = "finite"))]
    latitude: Option<f64>,
    /// How far to each side of there, in metres; 5,000 when left out.
    #[validate(range(min = 1.0, max = 100_000.0), custom(function = "finite"))]
    radius_m: Option<f64>,
    /// Only those with a free seat.
    with_seats: Option<bool>,
    /// Only those whose title, summary or place holds this text.
    #[validate(length(min = 1, max = 50))]
    text: Option<String>,
    /// Rows a page holds, 1 to 100.
    #[validate(range(min = 1, max = 100))]
    limit: Option<i64>,
    /// `next` of the page before.
    cursor: Option<String>,
}

fn page(conn: &mut Conn, caller: Option<&Caller>, query: &Query) -> Result<Page<ActivityView>> {
    let rows = store::list(conn, query)?;
    let page = Page::of(rows, query.limit, |row| (row.starts_at, row.id));
    Ok(Page {
        items: views(conn, caller, page.items)?,
        next: page.next,
    })
}

/// Browse the published activities
///
/// The soonest first.
#[utoipa::path(tag = "activities", params(Browse), security((), ("bearer" = [])), responses(
    (status = 200, description = "A page of activities", body = Page<ActivityView>),
    (status = 422, description = "A parameter out of bounds", body = ProblemBody)))]
#[get("/activities")]
pub(super) async fn list(
    caller: MaybeCaller,
    platform: Data<Platform>,
    query: Params<Browse>,
) -> Result<List<Page<ActivityView>>> {
    let Params(browse) = query;
    let public = |status: &ActivityStatus| PUBLIC.contains(status);
    let inside = match (browse.longitude, browse.latitude) {
        (Some(longitude), Some(latitude)) => {
            let radius_m = browse.radius_m.unwrap_or(5_000.0);
            Some(regions::around((longitude, latitude), radius_m))
        }
        (None, None) => None,
        _ => {
            let half = Problem::new(Code::Invalid).field("/longitude", Code::Required);
            return Err(half.into());
        }
    };
    let query = Query {
        statuses: match browse.status {
            None => AHEAD.to_vec(),
            Some(status) => Some(status).filter(public).into_iter().collect(),
        },
        within: browse.region_id,
        project: browse.project_id,
        organization: browse.organization_id,
        life_cycle: browse.life_cycle,
        text: browse.text,
        from: browse.from,
        until: browse.until,
        inside,
        with_seats: browse.with_seats.unwrap_or(false),
        after: Cursor::decode(browse.cursor.as_deref())?,
        limit: browse.limit.unwrap_or(DEFAULT_LIMIT),
        ..Query::default()
    };
    let found = platform
        .db
        .read(move |conn| page(conn, caller.0.as_ref(), &query));
    Ok(List(found.await?))
}

#[derive(Debug, Clone, Deserialize, IntoParams, Validate)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Mine {
    /// Only those of this organisation of one's own.
    organization_id: Option<OrganizationId>,
    /// Only those of this project.
    project_id: Option<ProjectId>,
    /// Only those that stand here.
    status: Option<ActivityStatus>,
    /// Only those that end after this instant.
    from: Option<Instant>,
    /// Only those that begin before this instant.
    until: Option<Instant>,
    /// Rows a page holds, 1 to 100.
    #[validate(range(min = 1, max = 100))]
    limit: Option<i64>,
    /// `next` of the page before.
    cursor: Option<String>,
}

fn of_status(status: Option<ActivityStatus>) -> Vec<ActivityStatus> {
    status.map_or(ActivityStatus::VARIANTS.to_vec(), |status| vec![status])
}

/// List the activities one organises
///
/// Those of the organisations one runs, and of the projects one has claimed.
#[utoipa::path(tag = "activities", params(Mine), responses(
    (status = 200, description = "The soonest first, drafts included", body = Page<ActivityView>),
    (status = 404, description = "Not an organisation of the caller's", body = ProblemBody),
    (status = 422, description = "A parameter out of bounds", body = ProblemBody)))]
#[get("/me/activities")]
pub(super) async fn mine(
    caller: Caller,
    platform: Data<Platform>,
    query: Params<Mine>,
) -> Result<List<Page<ActivityView>>> {
    let Params(mine) = query;
    let run = caller.organizations(Role::OrganizationManager);
    let run: Vec<_> = run.into_iter().map(OrganizationId).collect();
    if mine.organization_id.is_some_and(|id| !run.contains(&id)) {
        return Err(Code::NotFound.into());
    }
    let query = Query {
        statuses: of_status(mine.status),
        organization: mine.organization_id,
        organizers: Some((caller.account, run)),
        project: mine.project_id,
        from: mine.from,
        until: mine.until,
        after: Cursor::decode(mine.cursor.as_deref())?,
        limit: mine.limit.unwrap_or(DEFAULT_LIMIT),
        ..Query::default()
    };
    let found = platform
        .db
        .read(move |conn| page(conn, Some(&caller), &query));
    Ok(List(found.await?))
}

#[derive(Debug, Clone, Deserialize, IntoParams, Validate)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct OfRegion {
    /// Those in this region or below it.
    region_id: RegionId,
    /// Where they stand; those that wait for the review when left out.
    status: Option<ActivityStatus>,
    /// Only those of this organisation.
    organization_id: Option<OrganizationId>,
    /// Only those of this project.
    project_id: Option<ProjectId>,
    /// Only those that end after this instant.
    from: Option<Instant>,
    /// Only those that begin before this instant.
    until: Option<Instant>,
    /// Rows a page holds, 1 to 100.
    #[validate(range(min = 1, max = 100))]
    limit: Option<i64>,
    /// `next` of the page before.
    cursor: Option<String>,
}

/// List a region's activities for its staff
#[utoipa::path(tag = "activities", params(OfRegion), responses(
    (status = 200, description = "The soonest first", body = Page<ActivityView>),
    (status = 404, description = "Not a region of the caller's", body = ProblemBody),
    (status = 422, description = "A parameter out of bounds", body = ProblemBody)))]
#[get("/staff/activities")]
pub(super) async fn to_review(
    caller: Caller,
    platform: Data<Platform>,
    query: Params<OfRegion>,
) -> Result<List<Page<ActivityView>>> {
    let Params(asked) = query;
    let query = Query {
        statuses: of_status(Some(asked.status.unwrap_or(ActivityStatus::Submitted))),
        within: Some(asked.region_id),
        organization: asked.organization_id,
        project: asked.project_id,
        from: asked.from,
        until: asked.until,
        after: Cursor::decode(asked.cursor.as_deref())?,
        limit: asked.limit.unwrap_or(DEFAULT_LIMIT),
        ..Query::default()
    };
    let found = platform.db.read(move |conn| {
        if !caller.holds_in_region(conn, &[Role::RegionAdmin], asked.region_id)? {
            return Err(Code::NotFound.into());
        }
        page(conn, Some(&caller), &query)
    });
    Ok(List(found.await?))
}

/// Read an activity
#[utoipa::path(tag = "activities", security((), ("bearer" = [])),
    params(("id" = ActivityId, Path, description = "The activity")), responses(
    (status = 200, description = "The activity", body = ActivityView),
    (status = 404, description = "No such activity, or not for the caller's eyes", body = ProblemBody)))]
#[get("/activities/{id}")]
pub(super) async fn read(
    caller: MaybeCaller,
    platform: Data<Platform>,
    desk: Data<Desk>,
    id: Path<ActivityId>,
) -> Result<HttpResponse> {
    let zone = platform.zone;
    let found = platform.db.point(move |conn| {
        let (row, relation) = service::visible(conn, caller.0.as_ref(), *id)?;
        let warns = row.minors && relation.organizer && LIVE.contains(&row.status);
        let mut shown = view(conn, row, relation)?;
        if warns {
            let shifts = store::shifts(conn, *id)?;
            for (shown, shift) in shown.shifts.iter_mut().zip(&shifts) {
                let session = enrolments::session(conn, &desk, shift, zone)?;
                shown.adults_missing = Some(session.lacks());
            }
        }
        Ok(shown)
    });
    let activity = found.await?;
    Ok(HttpResponse::Ok()
        .insert_header(etag(activity.version))
        .json(activity))
}
