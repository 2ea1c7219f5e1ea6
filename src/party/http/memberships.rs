//! One's own membership, and what the secretary of its branch does with it.

use actix_web::http::header;
use actix_web::web::{Data, Json, Path};
use actix_web::{HttpResponse, get, post};
use serde::Deserialize;
use utoipa::IntoParams;
use validator::Validate;

use crate::branches::BranchId;
use crate::error::Result;
use crate::identity::{Caller, Command, Made};
use crate::party::model::{
    Decision, Listed, MemberView, MembershipId, MembershipView, NewMembership,
};
use crate::party::service::{self, Verdict};
use crate::platform::Platform;
use crate::platform::http::page::DEFAULT_LIMIT;
use crate::platform::http::valid::{Nothing, Reason};
use crate::platform::http::{Body, Cursor, List, Page, Params, ProblemBody};

/// Declare one's Party membership
///
/// To a branch, whose secretary verifies it. Wants the separate consent `party_membership`.
#[utoipa::path(tag = "party", request_body = NewMembership, responses(
    (status = 201, description = "Declared", body = MembershipView),
    (status = 409, description = "Declared before, or without a volunteer profile", body = ProblemBody),
    (status = 422, description = "Without the consent, or not an active branch", body = ProblemBody)))]
#[post("/me/party-membership")]
pub(super) async fn declare(
    caller: Caller,
    body: Body<NewMembership>,
    platform: Data<Platform>,
) -> Result<HttpResponse> {
    // not a command: what is kept for an idempotency key would tell the standing
    let vault = platform.vault.clone();
    let view = platform
        .db
        .write(move |tx| service::declare(tx, &vault, &caller, &body.input))
        .await?;
    Ok(HttpResponse::Created()
        .insert_header((header::LOCATION, "/api/v1/me/party-membership"))
        .json(view))
}

/// Read one's Party membership
#[utoipa::path(tag = "party", responses(
    (status = 200, description = "The membership", body = MembershipView),
    (status = 404, description = "None, or the consent is withdrawn", body = ProblemBody)))]
#[get("/me/party-membership")]
pub(super) async fn read_own(
    caller: Caller,
    platform: Data<Platform>,
) -> Result<Json<MembershipView>> {
    let vault = platform.vault.clone();
    let view = platform
        .db
        .read(move |conn| service::read_own(conn, &vault, caller.account))
        .await?;
    Ok(Json(view))
}

/// End one's Party membership here
///
/// The standing is forgotten at once.
#[utoipa::path(tag = "party", request_body = Nothing, responses(
    (status = 204, description = "Ended; also when it was already"),
    (status = 404, description = "None, or the consent is withdrawn", body = ProblemBody),
    (status = 409, description = "It was rejected", body = ProblemBody)))]
#[post("/me/party-membership/end")]
pub(super) async fn end_own(command: Command<Nothing>) -> Result<HttpResponse> {
    command
        .run(|tx, caller, _| {
            service::end_own(tx, caller)?;
            Ok(Made::<()>::nothing())
        })
        .await
}

#[derive(Debug, Deserialize, IntoParams, Validate)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct OfBranch {
    /// Where they stand; those that wait when left out.
    #[param(inline)]
    status: Option<Listed>,
    /// Rows a page holds, 1 to 100.
    #[validate(range(min = 1, max = 100))]
    limit: Option<i64>,
    /// `next` of the page before.
    cursor: Option<String>,
}

/// List a branch's members for its secretary
///
/// Oldest first. Everybody who is shown finds this reading in `/me/data-access`. A page may hold
/// fewer rows than its limit and still have a next one.
#[utoipa::path(tag = "party", params(("id" = BranchId, Path, description = "The branch"), OfBranch), responses(
    (status = 200, description = "A page of members", body = Page<MemberView>),
    (status = 404, description = "Not a branch of the caller's", body = ProblemBody),
    (status = 422, description = "A parameter out of bounds", body = ProblemBody)))]
#[get("/party-branches/{id}/members")]
pub(super) async fn read_members(
    caller: Caller,
    platform: Data<Platform>,
    id: Path<BranchId>,
    query: Params<OfBranch>,
) -> Result<List<Page<MemberView>>> {
    let Params(query) = query;
    let after = Cursor::decode(query.cursor.as_deref())?;
    let limit = query.limit.unwrap_or(DEFAULT_LIMIT);
    let status = query.status.unwrap_or(Listed::Declared);
    let vault = platform.vault.clone();
    let page = platform
        .db
        .write(move |tx| service::read_members(tx, &vault, &caller, *id, status, after, limit))
        .await?;
    Ok(List(page))
}

/// Verify a Party membership
#[utoipa::path(tag = "party", request_body = Nothing, params(("id" = MembershipId, Path, description = "The membership")), responses(
    (status = 200, description = "Verified", body = Decision),
    (status = 403, description = "One's own", body = ProblemBody),
    (status = 404, description = "No such membership, or not of the caller's branch", body = ProblemBody),
    (status = 409, description = "Decided already", body = ProblemBody)))]
#[post("/party-memberships/{id}/verify")]
pub(super) async fn verify(
    command: Command<Nothing>,
    platform: Data<Platform>,
    id: Path<MembershipId>,
) -> Result<HttpResponse> {
    let vault = platform.vault.clone();
    command
        .run(move |tx, caller, _| {
            let decision = service::decide(tx, &vault, caller, *id, Verdict::Verify)?;
            Ok(Made::changed(decision))
        })
        .await
}

/// Reject a Party membership
#[utoipa::path(tag = "party", request_body = Reason, params(("id" = MembershipId, Path, description = "The membership")), responses(
    (status = 200, description = "Rejected", body = Decision),
    (status = 403, description = "One's own", body = ProblemBody),
    (status = 404, description = "No such membership, or not of the caller's branch", body = ProblemBody),
    (status = 409, description = "Decided already", body = ProblemBody),
    (status = 422, description = "Without a reason", body = ProblemBody)))]
#[post("/party-memberships/{id}/reject")]
pub(super) async fn reject(
    command: Command<Reason>,
    platform: Data<Platform>,
    id: Path<MembershipId>,
) -> Result<HttpResponse> {
    let vault = platform.vault.clone();
    command
        .run(move |tx, caller, input| {
            let verdict = Verdict::Reject(&input.reason);
            Ok(Made::changed(service::decide(
                tx, &vault, caller, *id, verdict,
            )?))
        })
        .await
}

/// End a Party membership
///
/// The standing is forgotten at once; the person reads the reason.
#[utoipa::path(tag = "party", request_body = Reason, params(("id" = MembershipId, Path, description = "The membership")), responses(
    (status = 200, description = "Ended", body = Decision),
    (status = 403, description = "One's own", body = ProblemBody),
    (status = 404, description = "No such membership, or not of the caller's branch", body = ProblemBody),
    (status = 409, description = "Rejected or ended already", body = ProblemBody),
    (status = 422, description = "Without a reason", body = ProblemBody)))]
#[post("/party-memberships/{id}/end")]
pub(super) async fn end(
    command: Command<Reason>,
    platform: Data<Platform>,
    id: Path<MembershipId>,
) -> Result<HttpResponse> {
    let vault = platform.vault.clone();
    command
        .run(move |tx, caller, input| {
            let verdict = Verdict::End(&input.reason);
            Ok(Made::changed(service::decide(
                tx, &vault, caller, *id, verdict,
            )?))
        })
        .await
}
