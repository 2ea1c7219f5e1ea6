//! Finding and following projects.

use actix_web::web::{Data, Json, Path};
use actix_web::{HttpResponse, get};
use serde::{Deserialize, Serialize};
use strum::VariantArray;
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

use super::super::campaigns::BatchId;
use super::super::model::{Project, ProjectId, ProjectStatus};
use super::super::rules::PUBLIC;
use super::super::store::{self, Query};
use super::super::{claims, service};
use super::{ProjectView, view};
use crate::error::{Code, Result};
use crate::identity::{Caller, MaybeCaller, Role};
use crate::organizations::OrganizationId;
use crate::platform::Platform;
use crate::platform::clock::Instant;
use crate::platform::db::{Conn, Newest};
use crate::platform::http::page::DEFAULT_LIMIT;
use crate::platform::http::{Cursor, List, Page, Params, ProblemBody, etag};
use crate::platform::journal::{self, ActorKind};
use crate::regions::{self, RegionId};
use crate::taxonomies::LifeCycle;

/// The states in which a project counts as live work.
const LIVE: &[ProjectStatus] = &[
    ProjectStatus::Open,
    ProjectStatus::Claimed,
    ProjectStatus::Running,
    ProjectStatus::Suspended,
    ProjectStatus::Completing,
];

#[derive(Debug, Clone, Deserialize, IntoParams, Validate)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Browse {
    /// Only those of this batch.
    batch_id: Option<BatchId>,
    /// Only those in this region or below it.
    region_id: Option<RegionId>,
    /// Only those published by this organisation.
    organization_id: Option<OrganizationId>,
    /// Only those in this field, a code of the taxonomy.
    field: Option<String>,
    /// Only those that serve this goal.
    life_cycle: Option<LifeCycle>,
    /// Only those that stand here; live ones when left out. Of the open ones, those whose last day
    /// is over are left out: nobody can claim them.
    status: Option<ProjectStatus>,
    /// Only those whose title or summary holds this text, as it stands there but for upper
    /// and lower case. What is searched for by words is `GET /search`.
    #[validate(length(min = 1, max = 50))]
    text: Option<String>,
    /// Rows a page holds, 1 to 100.
    #[validate(range(min = 1, max = 100))]
    limit: Option<i64>,
    /// `next` of the page before.
    cursor: Option<String>,
}

fn page(conn: &mut Conn, caller: Option<&Caller>, query: &Query) -> Result<Page<ProjectView>> {
    let rows = store::list(conn, query)?;
    let standing = |row: &Project| query.order.standing(row.id, row.published_at);
    Page::of(rows, query.limit, standing).try_map(|row| {
        let relation = service::relation(conn, caller, &row)?;
        view(conn, row, relation)
    })
}

/// Browse the published projects
///
/// What was published last comes first.
#[utoipa::path(tag = "projects", params(Browse), security((), ("bearer" = [])), responses(
    (status = 200, description = "A page of projects", body = Page<ProjectView>),
    (status = 422, description = "A parameter out of bounds", body = ProblemBody)))]
#[get("/projects")]
pub(super) async fn list(
    caller: MaybeCaller,
    platform: Data<Platform>,
    query: Params<Browse>,
) -> Result<List<Page<ProjectView>>> {
    let Params(browse) = query;
    let statuses = match browse.status {
        None => LIVE.to_vec(),
        Some(status) => PUBLIC
            .iter()
            .copied()
            .filter(|public| *public == status)
            .collect(),
    };
    let today = platform
        .clock
        .now()
        .with_timezone(&platform.zone)
        .date_naive();
    let query = Query {
        statuses,
        not_over_on: (browse.status == Some(ProjectStatus::Open)).then_some(today),
        batch: browse.batch_id,
        within: browse.region_id,
        organization: browse.organization_id,
        field: browse.field,
        life_cycle: browse.life_cycle,
        text: browse.text,
        order: Newest::Published(Cursor::decode(browse.cursor.as_deref())?),
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
    /// Those published by this organisation of one's own; those one wrote when left out.
    organization_id: Option<OrganizationId>,
    /// Only those that stand here.
    status: Option<ProjectStatus>,
    /// Rows a page holds, 1 to 100.
    #[validate(range(min = 1, max = 100))]
    limit: Option<i64>,
    /// `next` of the page before.
    cursor: Option<String>,
}

/// List the projects one wrote, or one's organisation published
#[utoipa::path(tag = "projects", params(Mine), responses(
    (status = 200, description = "The newest first, drafts included", body = Page<ProjectView>),
    (status = 404, description = "Not an organisation of the caller's", body = ProblemBody),
    (status = 422, description = "A parameter out of bounds", body = ProblemBody)))]
#[get("/me/projects")]
pub(super) async fn mine(
    caller: Caller,
    platform: Data<Platform>,
    query: Params<Mine>,
) -> Result<List<Page<ProjectView>>> {
    let Params(mine) = query;
    if mine
        .organization_id
        .is_some_and(|id| !caller.holds(Role::OrganizationManager, id.0))
    {
        return Err(Code::NotFound.into());
    }
    let query = Query {
        statuses: mine
            .status
            .map_or(ProjectStatus::VARIANTS.to_vec(), |status| vec![status]),
        organization: mine.organization_id,
        author: mine.organization_id.is_none().then_some(caller.account),
        order: Newest::Written(Cursor::decode(mine.cursor.as_deref())?),
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
    status: Option<ProjectStatus>,
    /// Rows a page holds, 1 to 100.
    #[validate(range(min = 1, max = 100))]
    limit: Option<i64>,
    /// `next` of the page before.
    cursor: Option<String>,
}

/// List a region's projects for its staff
#[utoipa::path(tag = "projects", params(OfRegion), responses(
    (status = 200, description = "The newest first", body = Page<ProjectView>),
    (status = 404, description = "Not a region of the caller's", body = ProblemBody),
    (status = 422, description = "A parameter out of bounds", body = ProblemBody)))]
#[get("/staff/projects")]
pub(super) async fn to_review(
    caller: Caller,
    platform: Data<Platform>,
    query: Params<OfRegion>,
) -> Result<List<Page<ProjectView>>> {
    let Params(asked) = query;
    let query = Query {
        statuses: vec![asked.status.unwrap_or(ProjectStatus::Submitted)],
        within: Some(asked.region_id),
        order: Newest::Written(Cursor::decode(asked.cursor.as_deref())?),
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

/// Read a project
#[utoipa::path(tag = "projects", security((), ("bearer" = [])),
    params(("id" = ProjectId, Path, description = "The project")), responses(
    (status = 200, description = "The project", body = ProjectView),
    (status = 404, description = "No such project, or not for the caller's eyes", body = ProblemBody)))]
#[get("/projects/{id}")]
pub(super) async fn read(
    caller: MaybeCaller,
    platform: Data<Platform>,
    id: Path<ProjectId>,
) -> Result<HttpResponse> {
    let found = platform.db.point(move |conn| {
        let (row, relation) = service::visible(conn, caller.0.as_ref(), *id)?;
        view(conn, row, relation)
    });
    let project = found.await?;
    Ok(HttpResponse::Ok()
        .insert_header(etag(project.version))
        .json(project))
}

/// A step in the life of a project or of a claim of it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ProjectStep)]
pub(super) struct StepView {
    /// When.
    at: Instant,
    /// What happened, as `noun.verb`.
    kind: String,
    /// The project or the claim that it happened to.
    #[schema(value_type = String, format = Uuid)]
    subject_id: uuid::Uuid,
    /// The state before, for a move.
    from: Option<String>,
    /// The state after, for a move.
    to: Option<String>,
    /// Why; only for those who publish or review it, and of a suspension or the cancellation for
    /// those who took part.
    reason: Option<String>,
    /// Whether a person, a link or the clock did it.
    actor_kind: ActorKind,
}

/// Follow a project
///
/// Every step of the project and of the claims that hold or held a seat, for everybody who may see
/// it.
#[utoipa::path(tag = "projects", security((), ("bearer" = [])),
    params(("id" = ProjectId, Path, description = "The project")), responses(
    (status = 200, description = "Its story, oldest first", body = Page<StepView>),
    (status = 404, description = "No such project, or not for the caller's eyes", body = ProblemBody)))]
#[get("/projects/{id}/timeline")]
pub(super) async fn timeline(
    caller: MaybeCaller,
    platform: Data<Platform>,
    id: Path<ProjectId>,
) -> Result<List<Page<StepView>>> {
    let found = platform.db.read(move |conn| {
        let caller = caller.0.as_ref();
        let (project, relation) = service::visible(conn, caller, *id)?;
        let took_part = match caller {
            Some(caller) => claims::took_part(conn, caller, *id)?,
            None => false,
        };
        let mut entries = journal::of_subject(conn, "project", id.0)?;
        entries.extend(claims::steps(conn, project.id)?);
        entries.sort_by_key(|entry| (entry.at, entry.seq));
        Ok((entries, relation, took_part))
    });
    let (entries, relation, took_part) = found.await?;
    let items = entries
        .into_iter()
        .map(|entry| StepView {
            at: entry.at,
            reason: entry
                .reason
                .filter(|_| relation.may_know_why(took_part, &entry.kind)),
            kind: entry.kind,
            subject_id: entry.subject_id.0,
            from: entry.from_state,
            to: entry.to_state,
            actor_kind: entry.actor_kind,
        })
        .collect();
    Ok(List(Page { items, next: None }))
}

#[derive(Debug, Clone, Deserialize, IntoParams, Validate)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Where {
    /// In this region and below it.
    region_id: RegionId,
}

/// How many live projects serve a goal.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = GoalCoverage)]
pub(super) struct GoalView {
    /// The livelihood goal.
    life_cycle: LifeCycle,
    /// How many live projects serve it first.
    projects: i64,
}

/// Which livelihood goals a region's live projects serve.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Coverage)]
pub(super) struct CoverageView {
    /// Each of the seven goals.
    goals: Vec<GoalView>,
    /// Those without a live project.
    uncovered: Vec<LifeCycle>,
}

/// See which livelihood goals are served
///
/// Live projects of a region and below it, by the goal they serve first; a project is live from
/// its opening until it is completed or its last day is over.
#[utoipa::path(tag = "projects", params(Where), security(()), responses(
    (status = 200, description = "The coverage", body = CoverageView),
    (status = 404, description = "No such region", body = ProblemBody)))]
#[get("/projects/coverage")]
pub(super) async fn coverage(
    platform: Data<Platform>,
    query: Params<Where>,
) -> Result<Json<CoverageView>> {
    let today = platform
        .clock
        .now()
        .with_timezone(&platform.zone)
        .date_naive();
    let counted = platform.db.read(move |conn| {
        regions::by_id(conn, query.0.region_id)?;
        store::coverage(conn, query.0.region_id, LIVE, today)
    });
    let counted = counted.await?;
    let count = |goal| {
        counted
            .iter()
            .find(|(of, _)| *of == goal)
            .map_or(0, |(_, count)| *count)
    };
    let goals: Vec<_> = LifeCycle::VARIANTS
        .iter()
        .map(|goal| GoalView {
            life_cycle: *goal,
            projects: count(*goal),
        })
        .collect();
    let uncovered = goals
        .iter()
        .filter(|g| g.projects == 0)
        .map(|g| g.life_cycle)
        .collect();
    Ok(Json(CoverageView { goals, uncovered }))
}
