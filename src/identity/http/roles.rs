//! The roles of others.

use actix_web::web::{Data, Json, Path};
use actix_web::{HttpResponse, delete, get, post};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use validator::Validate;

use crate::error::Result;
use crate::identity::model::{AccountId, Grant, GrantId, Role};
use crate::identity::{Caller, Command, Made, grants};
use crate::platform::Platform;
use crate::platform::http::page::DEFAULT_LIMIT;
use crate::platform::http::valid::Nothing;
use crate::platform::http::{Cursor, Page, Params, ProblemBody};

#[derive(Deserialize, IntoParams, Validate)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ListGrants {
    /// Only those in exactly this region, organisation or branch.
    scope_id: Option<Uuid>,
    /// Rows a page holds, 1 to 100.
    #[validate(range(min = 1, max = 100))]
    limit: Option<i64>,
    /// `next` of the page before.
    cursor: Option<String>,
}

/// List role grants
///
/// Of a scope one administers; a platform admin may leave the scope out.
#[utoipa::path(tag = "identity", params(ListGrants), responses(
    (status = 200, description = "Grants in force", body = Page<Grant>),
    (status = 403, description = "Not of this scope", body = ProblemBody),
    (status = 422, description = "A parameter out of bounds", body = ProblemBody)))]
#[get("/role-grants")]
pub(super) async fn list_grants(
    caller: Caller,
    platform: Data<Platform>,
    query: Params<ListGrants>,
) -> Result<Json<Page<Grant>>> {
    let Params(query) = query;
    let after = Cursor::decode::<GrantId>(query.cursor.as_deref())?;
    let limit = query.limit.unwrap_or(DEFAULT_LIMIT);
    let rows = platform
        .db
        .read(move |conn| grants::list(conn, &caller, query.scope_id, after, limit))
        .await?;
    Ok(Json(Page::of(rows, limit, |grant| grant.id)))
}

#[derive(Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(super) struct GrantRole {
    /// To whom.
    account_id: AccountId,
    /// What.
    role: Role,
    /// Where; none for a platform admin.
    scope_id: Option<Uuid>,
}

/// Grant a role
#[utoipa::path(tag = "identity", request_body = GrantRole, responses(
    (status = 201, description = "Granted", body = Grant),
    (status = 403, description = "Not yours to grant", body = ProblemBody),
    (status = 422, description = "Wrong fields", body = ProblemBody)))]
#[post("/role-grants")]
pub(super) async fn grant_role(command: Command<GrantRole>) -> Result<HttpResponse> {
    command
        .run(|tx, caller, input| {
            let grant = grants::grant_by(tx, caller, input.account_id, input.role, input.scope_id)?;
            let location = format!("/api/v1/role-grants/{}", grant.id);
            Ok(Made::new(grant, location))
        })
        .await
}

/// Revoke a role
#[utoipa::path(tag = "identity", params(("id" = GrantId, Path, description = "The grant")), responses(
    (status = 204, description = "Revoked; also when it was already"),
    (status = 404, description = "No such grant, or not yours to see", body = ProblemBody),
    (status = 409, description = "The last platform admin", body = ProblemBody)))]
#[delete("/role-grants/{id}")]
pub(super) async fn revoke_role(
    command: Command<Nothing>,
    id: Path<GrantId>,
) -> Result<HttpResponse> {
    command
        .run(move |tx, caller, _| {
            grants::revoke(tx, caller, *id)?;
            Ok(Made::<()>::nothing())
        })
        .await
}
