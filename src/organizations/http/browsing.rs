//! Finding and reading organisations.

use actix_web::web::{Data, Path};
use actix_web::{HttpResponse, get};
use serde::{Deserialize, Serialize};
use strum::VariantArray;
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

use super::super::model::{Organization, OrganizationId, OrganizationKind, OrganizationStatus};
use super::super::service;
use super::super::store::{self, Query};
use super::{OrganizationView, view};
use crate::error::{Code, Result};
use crate::identity::{Caller, MaybeCaller, Role};
use crate::platform::Platform;
use crate::platform::clock::Instant;
use crate::platform::db::{Conn, Newest};
use crate::platform::http::page::DEFAULT_LIMIT;
use crate::platform::http::{Cursor, List, Page, Params, ProblemBody, etag};
use crate::platform::journal::{self, ActorKind};
use crate::regions::RegionId;

#[derive(Debug, Clone, Deserialize, IntoParams, Validate)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Browse {
    /// Only those in this region or below it.
    region_id: Option<RegionId>,
    /// Only those of this kind.
    kind: Option<OrganizationKind>,
    /// Only those that work in this field, a code of the taxonomy.
    field: Option<String>,
    /// Only those whose name or introduction holds this text, as it stands there but for upper
    /// and lower case. What is searched for by words is `GET /search`.
    #[validate(length(min = 1, max = 50))]
    text: Option<String>,
    /// Rows a page holds, 1 to 100.
    #[validate(range(min = 1, max = 100))]
    limit: Option<i64>,
    /// `next` of the page before.
    cursor: Option<String>,
}

fn page(conn: &mut Conn, caller: Option<&Caller>, query: &Query) -> Result<Page<OrganizationView>> {
    let rows = store::list(conn, query)?;
    let standing = |row: &Organization| query.order.standing(row.id, row.published_at);
    Page::of(rows, query.limit, standing).try_map(|row| show(conn, caller, row))
}

fn show(conn: &mut Conn, caller: Option<&Caller>, row: Organization) -> Result<OrganizationView> {
    let relation = service::relation(conn, caller, &row)?;
    view(conn, row, relation)
}

/// Browse the active organisations
///
/// What became active last comes first; a suspension changes nothing about that.
#[utoipa::path(tag = "organizations", params(Browse), security((), ("bearer" = [])), responses(
    (status = 200, description = "A page of organisations", body = Page<OrganizationView>),
    (status = 422, description = "A parameter out of bounds", body = ProblemBody)))]
#[get("/organizations")]
pub(super) async fn list(
    caller: MaybeCaller,
    platform: Data<Platform>,
    query: Params<Browse>,
) -> Result<List<Page<OrganizationView>>> {
    let Params(browse) = query;
    let query = Query {
        statuses: vec![OrganizationStatus::Active],
        kind: browse.kind,
        within: browse.region_id,
        field: browse.field,
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
    /// Rows a page holds, 1 to 100.
    #[validate(range(min = 1, max = 100))]
    limit: Option<i64>,
    /// `next` of the page before.
    cursor: Option<String>,
}

/// List the organisations one belongs to
#[utoipa::path(tag = "organizations", params(Mine), responses(
    (status = 200, description = "The newest first", body = Page<OrganizationView>),
    (status = 422, description = "A parameter out of bounds", body = ProblemBody)))]
#[get("/me/organizations")]
pub(super) async fn mine(
    caller: Caller,
    platform: Data<Platform>,
    query: Params<Mine>,
) -> Result<List<Page<OrganizationView>>> {
    let query = Query {
        statuses: OrganizationStatus::VARIANTS.to_vec(),
        member: Some(caller.account),
        order: Newest::Written(Cursor::decode(query.0.cursor.as_deref())?),
        limit: query.0.limit.unwrap_or(DEFAULT_LIMIT),
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
    /// Where they stand; those that wait for the review when left out. Drafts are not handed in: only
    /// those that the caller wrote down.
    status: Option<OrganizationStatus>,
    /// Only those of this kind.
    kind: Option<OrganizationKind>,
    /// Rows a page holds, 1 to 100.
    #[validate(range(min = 1, max = 100))]
    limit: Option<i64>,
    /// `next` of the page before.
    cursor: Option<String>,
}

/// List a region's organisations for its staff
#[utoipa::path(tag = "organizations", params(OfRegion), responses(
    (status = 200, description = "The newest first", body = Page<OrganizationView>),
    (status = 404, description = "Not a region of the caller's", body = ProblemBody),
    (status = 422, description = "A parameter out of bounds", body = ProblemBody)))]
#[get("/staff/organizations")]
pub(super) async fn to_review(
    caller: Caller,
    platform: Data<Platform>,
    query: Params<OfRegion>,
) -> Result<List<Page<OrganizationView>>> {
    let Params(asked) = query;
    let status = asked.status.unwrap_or(OrganizationStatus::Submitted);
    let query = Query {
        statuses: vec![status],
        founder: (status == OrganizationStatus::Draft).then_some(caller.account),
        kind: asked.kind,
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

/// Read an organisation
#[utoipa::path(tag = "organizations", security((), ("bearer" = [])),
    params(("id" = OrganizationId, Path, description = "The organisation")), responses(
    (status = 200, description = "The organisation", body = OrganizationView),
    (status = 404, description = "No such organisation, or not for the caller's eyes", body = ProblemBody)))]
#[get("/organizations/{id}")]
pub(super) async fn read(
    caller: MaybeCaller,
    platform: Data<Platform>,
    id: Path<OrganizationId>,
) -> Result<HttpResponse> {
    let found = platform.db.point(move |conn| {
        let (row, relation) = service::visible(conn, caller.0.as_ref(), *id)?;
        let version = row.version;
        Ok((view(conn, row, relation)?, version))
    });
    let (organization, version) = found.await?;
    Ok(HttpResponse::Ok()
        .insert_header(etag(version))
        .json(organization))
}

/// A step in the history of an organisation.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OrganizationStep)]
pub(super) struct StepView {
    /// When.
    at: Instant,
    /// What happened, as `noun.verb`.
    kind: String,
    /// The state before, for a move.
    from: Option<String>,
    /// The state after, for a move.
    to: Option<String>,
    /// Why.
    reason: Option<String>,
    /// Whether a person, a link or the clock did it.
    actor_kind: ActorKind,
}

/// Read the history of an organisation
///
/// For its members and the staff of its regions.
#[utoipa::path(tag = "organizations", params(("id" = OrganizationId, Path, description = "The organisation")), responses(
    (status = 200, description = "Every step, oldest first", body = Page<StepView>),
    (status = 403, description = "Neither member nor staff", body = ProblemBody),
    (status = 404, description = "No such organisation", body = ProblemBody)))]
#[get("/organizations/{id}/history")]
pub(super) async fn history(
    caller: Caller,
    platform: Data<Platform>,
    id: Path<OrganizationId>,
) -> Result<List<Page<StepView>>> {
    let steps = platform.db.read(move |conn| {
        let (_, relation) = service::visible(conn, Some(&caller), *id)?;
        if !relation.is_involved() {
            return Err(Code::Forbidden.into());
        }
        journal::of_subject(conn, "organization", id.0)
    });
    let items = steps
        .await?
        .into_iter()
        .map(|entry| StepView {
            at: entry.at,
            kind: entry.kind,
            from: entry.from_state,
            to: entry.to_state,
            reason: entry.reason,
            actor_kind: entry.actor_kind,
        })
        .collect();
    Ok(List(Page { items, next: None }))
}
