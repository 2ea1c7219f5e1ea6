//! Sums of hours.

use actix_web::get;
use actix_web::web::{Data, Json, Path};
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;
use validator::Validate;

use super::super::model::{Scope, Track};
use super::super::{rules, store};
use crate::error::{Code, Problem, Result};
use crate::identity::{Caller, Role};
use crate::organizations::{self, OrganizationId};
use crate::platform::Platform;
use crate::platform::db::Conn;
use crate::platform::http::{Params, ProblemBody};
use crate::projects::{self, ProjectId};
use crate::regions::{self, RegionId};

pub(super) fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(my_hours)
        .service(hours_of_organization)
        .service(hours_of_project)
        .service(hours_of_region);
}

#[derive(Debug, Clone, Deserialize, IntoParams, Validate)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Period {
    /// The first day on the wall.
    #[param(value_type = String, format = Date)]
    from: NaiveDate,
    /// The last day on the wall.
    #[param(value_type = String, format = Date)]
    to: NaiveDate,
}

/// The hours of one track.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TrackHours)]
struct TrackView {
    /// By their own will, or under an order: the two are never added up.
    track: Track,
    /// Confirmed minutes.
    minutes: i64,
    /// The same in hours with one decimal.
    hours: f64,
}

/// Confirmed hours of a period.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Hours)]
struct HoursView {
    /// The first day on the wall.
    #[schema(value_type = String, format = Date)]
    from: NaiveDate,
    /// The last day on the wall.
    #[schema(value_type = String, format = Date)]
    to: NaiveDate,
    /// Each track, also where nothing stands in it.
    tracks: Vec<TrackView>,
}

async fn summed(
    platform: &Platform,
    Params(period): Params<Period>,
    of: (Scope, uuid::Uuid),
    may: impl FnOnce(&mut Conn) -> Result<()> + Send + 'static,
) -> Result<Json<HoursView>> {
    let Period { from, to } = period;
    if to < from {
        let wrong = Problem::new(Code::Invalid).field("/to", Code::EndsBeforeItBegins);
        return Err(wrong.into());
    }
    let sums = platform.db.read(move |conn| {
        may(conn)?;
        store::sum(conn, of, (from, to))
    });
    let sums = sums.await?;
    let track = |track| {
        let minutes = sums.get(&track).copied().unwrap_or_default();
        TrackView {
            track,
            minutes,
            hours: rules::hours(minutes),
        }
    };
    Ok(Json(HoursView {
        from,
        to,
        tracks: vec![track(Track::Voluntary), track(Track::Mandated)],
    }))
}

/// See one's confirmed hours
#[utoipa::path(tag = "records", params(Period), responses(
    (status = 200, description = "The hours", body = HoursView),
    (status = 422, description = "The period ends before it begins", body = ProblemBody)))]
#[get("/me/hours")]
async fn my_hours(
    caller: Caller,
    platform: Data<Platform>,
    query: Params<Period>,
) -> Result<Json<HoursView>> {
    let of = (Scope::Account, caller.account.0);
    summed(&platform, query, of, |_| Ok(())).await
}

/// See the confirmed hours that an organisation recorded
///
/// For its members, and the staff of its region.
#[utoipa::path(tag = "records", params(("id" = OrganizationId, Path, description = "The organisation"), Period), responses(
    (status = 200, description = "The hours", body = HoursView),
    (status = 403, description = "Neither a member nor the region's staff", body = ProblemBody),
    (status = 404, description = "No such organisation", body = ProblemBody),
    (status = 422, description = "The period ends before it begins", body = ProblemBody)))]
#[get("/hours/organizations/{id}")]
async fn hours_of_organization(
    caller: Caller,
    platform: Data<Platform>,
    id: Path<OrganizationId>,
    query: Params<Period>,
) -> Result<Json<HoursView>> {
    let id = *id;
    let of = (Scope::Organization, id.0);
    summed(&platform, query, of, move |conn| {
        let organization = organizations::organization(conn, id)?;
        let belongs = [Role::OrganizationManager, Role::OrganizationMember];
        let belongs = belongs.iter().any(|role| caller.holds(*role, id.0));
        let region = organization.region_id;
        if belongs || caller.holds_in_region(conn, &[Role::RegionAdmin], region)? {
            return Ok(());
        }
        // what nobody sees is not there
        match organization.status {
            organizations::OrganizationStatus::Active => Err(Code::Forbidden.into()),
            _ => Err(Code::NotFound.into()),
        }
    })
    .await
}

/// See the confirmed hours of a project
///
/// For the organisation that published it, and the staff of its region.
#[utoipa::path(tag = "records", params(("id" = ProjectId, Path, description = "The project"), Period), responses(
    (status = 200, description = "The hours", body = HoursView),
    (status = 404, description = "No such project, or not for the caller's eyes", body = ProblemBody),
    (status = 422, description = "The period ends before it begins", body = ProblemBody)))]
#[get("/hours/projects/{id}")]
async fn hours_of_project(
    caller: Caller,
    platform: Data<Platform>,
    id: Path<ProjectId>,
    query: Params<Period>,
) -> Result<Json<HoursView>> {
    let id = *id;
    let of = (Scope::Project, id.0);
    summed(&platform, query, of, move |conn| {
        let project = projects::project(conn, id)?;
        let publisher = project.organization_id;
        let runs = publisher.is_some_and(|id| caller.holds(Role::OrganizationManager, id.0));
        if runs || caller.holds_in_region(conn, &[Role::RegionAdmin], project.region_id)? {
            return Ok(());
        }
        Err(Code::NotFound.into())
    })
    .await
}

/// See the confirmed hours of a region and all below it
///
/// For its staff, and those of a region that holds it.
#[utoipa::path(tag = "records", params(("id" = RegionId, Path, description = "The region"), Period), responses(
    (status = 200, description = "The hours", body = HoursView),
    (status = 403, description = "Not its staff", body = ProblemBody),
    (status = 404, description = "No such region", body = ProblemBody),
    (status = 422, description = "The period ends before it begins", body = ProblemBody)))]
#[get("/hours/regions/{id}")]
async fn hours_of_region(
    caller: Caller,
    platform: Data<Platform>,
    id: Path<RegionId>,
    query: Params<Period>,
) -> Result<Json<HoursView>> {
    let id = *id;
    let of = (Scope::Region, id.0);
    summed(&platform, query, of, move |conn| {
        regions::by_id(conn, id)?;
        match caller.holds_in_region(conn, &[Role::RegionAdmin], id)? {
            true => Ok(()),
            false => Err(Code::Forbidden.into()),
        }
    })
    .await
}
