//! The directory of branches, for signed-in callers; their staff keep it.

use actix_web::web::{Data, Path};
use actix_web::{HttpResponse, get, patch, post};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

use crate::branches::{self, BranchId, BranchView, NewBranch};
use crate::error::Result;
use crate::identity::{Caller, Command, Made};
use crate::party::service;
use crate::platform::Platform;
use crate::platform::http::page::DEFAULT_LIMIT;
use crate::platform::http::valid::Reason;
use crate::platform::http::{Cursor, List, Page, Params, ProblemBody, etag};
use crate::regions::RegionId;

#[derive(Debug, Deserialize, IntoParams, Validate)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ListBranches {
    /// Only those in this region or below it.
    region_id: Option<RegionId>,
    /// Rows a page holds, 1 to 100.
    #[validate(range(min = 1, max = 100))]
    limit: Option<i64>,
    /// `next` of the page before.
    cursor: Option<String>,
}

/// List Party branches
///
/// The active ones, in order of their codes.
#[utoipa::path(tag = "party", params(ListBranches), responses(
    (status = 200, description = "A page of branches", body = Page<BranchView>),
    (status = 422, description = "A parameter out of bounds", body = ProblemBody)))]
#[get("/party-branches")]
pub(super) async fn list_branches(
    _caller: Caller,
    platform: Data<Platform>,
    query: Params<ListBranches>,
) -> Result<List<Page<BranchView>>> {
    let Params(query) = query;
    let after = Cursor::decode::<String>(query.cursor.as_deref())?;
    let limit = query.limit.unwrap_or(DEFAULT_LIMIT);
    let rows = platform
        .db
        .read(move |conn| branches::list(conn, query.region_id, after.clone(), limit))
        .await?;
    Ok(List(
        Page::of(rows, limit, |branch| branch.code.clone()).map(BranchView::from),
    ))
}

/// Read a Party branch
#[utoipa::path(tag = "party", params(("id" = BranchId, Path, description = "The branch")), responses(
    (status = 200, description = "The branch", body = BranchView),
    (status = 404, description = "No such branch", body = ProblemBody)))]
#[get("/party-branches/{id}")]
pub(super) async fn read_branch(
    _caller: Caller,
    platform: Data<Platform>,
    id: Path<BranchId>,
) -> Result<HttpResponse> {
    let branch = platform
        .db
        .point(move |conn| branches::by_id(conn, *id))
        .await?;
    Ok(HttpResponse::Ok()
        .insert_header(etag(branch.version))
        .json(BranchView::from(branch)))
}

/// Set a Party branch up
///
/// For admins of its region and of the platform. Its secretary is made so by a grant of the role
/// `branch_secretary`, by the same people.
#[utoipa::path(tag = "party", request_body = NewBranch, responses(
    (status = 201, description = "Set up", body = BranchView),
    (status = 403, description = "Not of the caller's region", body = ProblemBody),
    (status = 422, description = "Wrong fields", body = ProblemBody)))]
#[post("/party-branches")]
pub(super) async fn create_branch(command: Command<NewBranch>) -> Result<HttpResponse> {
    command
        .run(|tx, caller, input| {
            let branch = service::create_branch(tx, caller, input)?;
            let (location, version) = (
                format!("/api/v1/party-branches/{}", branch.id),
                branch.version,
            );
            Ok(Made::new(BranchView::from(branch), location).version(version))
        })
        .await
}

#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(as = EditPartyBranch)]
pub(super) struct EditBranch {
    /// Its name for people.
    #[validate(length(min = 2, max = 100))]
    name: String,
}

/// Rename a Party branch
#[utoipa::path(tag = "party", request_body = EditBranch,
    params(("id" = BranchId, Path, description = "The branch"), ("If-Match" = String, Header, description = "The ETag that was read")), responses(
    (status = 200, description = "Renamed", body = BranchView),
    (status = 403, description = "Not of the caller's region", body = ProblemBody),
    (status = 404, description = "No such branch", body = ProblemBody),
    (status = 412, description = "Changed since it was read", body = ProblemBody),
    (status = 422, description = "Wrong fields", body = ProblemBody),
    (status = 428, description = "Without If-Match", body = ProblemBody)))]
#[patch("/party-branches/{id}")]
pub(super) async fn rename_branch(
    command: Command<EditBranch>,
    id: Path<BranchId>,
) -> Result<HttpResponse> {
    let seen = command.if_match.clone();
    command
        .run(move |tx, caller, input| {
            let branch = service::rename_branch(tx, caller, *id, &seen, &input.name)?;
            let version = branch.version;
            Ok(Made::changed(BranchView::from(branch)).version(version))
        })
        .await
}

/// Dissolve a Party branch
///
/// Refused while branches stand below it or people belong to it.
#[utoipa::path(tag = "party", request_body = Reason, params(("id" = BranchId, Path, description = "The branch")), responses(
    (status = 200, description = "Dissolved", body = BranchView),
    (status = 403, description = "Not of the caller's region", body = ProblemBody),
    (status = 404, description = "No such branch", body = ProblemBody),
    (status = 409, description = "In use, or dissolved already", body = ProblemBody),
    (status = 422, description = "Without a reason", body = ProblemBody)))]
#[post("/party-branches/{id}/dissolve")]
pub(super) async fn dissolve_branch(
    command: Command<Reason>,
    id: Path<BranchId>,
) -> Result<HttpResponse> {
    command
        .run(move |tx, caller, input| {
            let branch = service::dissolve_branch(tx, caller, *id, &input.reason)?;
            let version = branch.version;
            Ok(Made::changed(BranchView::from(branch)).version(version))
        })
        .await
}
