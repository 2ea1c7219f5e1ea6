//! The roles of others.

use actix_web::web::{Data, Path};
use actix_web::{HttpResponse, delete, get, post};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use validator::Validate;

use super::{email, phone, wrong};
use crate::error::{Code, Result};
use crate::identity::grants::Grantee;
use crate::identity::model::{AccountId, Grant, GrantId, Role};
use crate::identity::rules::{valid_email, valid_phone};
use crate::identity::{Caller, Command, IdentityRules, Made, grants};
use crate::platform::Platform;
use crate::platform::http::page::DEFAULT_LIMIT;
use crate::platform::http::valid::Nothing;
use crate::platform::http::{Cursor, List, Page, Params, ProblemBody};

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
    (status = 403, description = "Not yours to list", body = ProblemBody),
    (status = 404, description = "No such scope, or not yours to see", body = ProblemBody),
    (status = 422, description = "A parameter out of bounds", body = ProblemBody)))]
#[get("/role-grants")]
pub(super) async fn list_grants(
    caller: Caller,
    platform: Data<Platform>,
    query: Params<ListGrants>,
) -> Result<List<Page<Grant>>> {
    let Params(query) = query;
    let after = Cursor::decode::<GrantId>(query.cursor.as_deref())?;
    let limit = query.limit.unwrap_or(DEFAULT_LIMIT);
    let rows = platform
        .db
        .read(move |conn| grants::list(conn, &caller, query.scope_id, after, limit))
        .await?;
    Ok(List(Page::of(rows, limit, |grant| grant.id)))
}

#[derive(Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(super) struct GrantRole {
    /// To whom: this, the phone or the address.
    account_id: Option<AccountId>,
    /// The phone of the person's account.
    #[validate(custom(function = "valid_phone"))]
    phone: Option<String>,
    /// The e-mail address of the person's account.
    #[validate(custom(function = "valid_email"))]
    email: Option<String>,
    /// What.
    role: Role,
    /// Where; none for a platform admin.
    scope_id: Option<Uuid>,
}

impl GrantRole {
    fn grantee(&self) -> Result<Grantee> {
        match (self.account_id, &self.phone, &self.email) {
            (Some(id), None, None) => Ok(Grantee::Account(id)),
            (None, Some(number), None) => Ok(Grantee::Phone(phone(number)?)),
            (None, None, Some(address)) => Ok(Grantee::Email(email(address)?)),
            _ => Err(wrong("/account_id", Code::ExactlyOne)),
        }
    }
}

/// Grant a role
///
/// To the person with this account, phone or e-mail address, never to oneself. Those who may not grant the role
/// there do not learn whether there is one.
#[utoipa::path(tag = "identity", request_body = GrantRole, responses(
    (status = 201, description = "Granted", body = Grant),
    (status = 403, description = "Not yours to grant", body = ProblemBody),
    (status = 422, description = "Wrong fields", body = ProblemBody),
    (status = 429, description = "Too many phones or addresses", body = ProblemBody)))]
#[post("/role-grants")]
pub(super) async fn grant_role(
    command: Command<GrantRole>,
    platform: Data<Platform>,
    rules: Data<IdentityRules>,
) -> Result<HttpResponse> {
    let to = command.input.grantee()?;
    if !matches!(to, Grantee::Account(_)) {
        let key = format!("look-ups:{}", command.caller.account);
        rules
            .look_ups_per_account
            .take(&platform.cache, &key)
            .await?;
    }
    command
        .run(move |tx, caller, input| {
            let grant = grants::grant_by(tx, caller, &to, input.role, input.scope_id)?;
            let location = format!("/api/v1/role-grants/{}", grant.id);
            Ok(Made::new(grant, location))
        })
        .await
}

/// Revoke a role
///
/// By those who may grant it, and by who holds it.
#[utoipa::path(tag = "identity", params(("id" = GrantId, Path, description = "The grant")), responses(
    (status = 204, description = "Revoked; also when it was already"),
    (status = 403, description = "In one's own region or branch, but not one's to revoke", body = ProblemBody),
    (status = 404, description = "No such grant, or not yours to see", body = ProblemBody),
    (status = 409, description = "The last platform admin", body = ProblemBody),
    (status = 422, description = "A role in an organisation: it ends with the membership", body = ProblemBody)))]
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
