//! Who read one's sensitive data.

use actix_web::get;
use actix_web::web::Data;
use serde::Deserialize;
use utoipa::IntoParams;
use validator::Validate;

use crate::error::Result;
use crate::identity::Caller;
use crate::identity::disclosures::{self, DataAccess};
use crate::platform::Platform;
use crate::platform::http::page::DEFAULT_LIMIT;
use crate::platform::http::{Cursor, List, Page, Params, ProblemBody};

#[derive(Deserialize, IntoParams, Validate)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ListAccesses {
    /// Rows a page holds, 1 to 100.
    #[validate(range(min = 1, max = 100))]
    limit: Option<i64>,
    /// `next` of the page before.
    cursor: Option<String>,
}

/// List who read one's sensitive data
///
/// The newest first: what was read, when, for what, and which part the reader played.
#[utoipa::path(tag = "identity", operation_id = "list_data_access", params(ListAccesses), responses(
    (status = 200, description = "A page of readings", body = Page<DataAccess>),
    (status = 422, description = "A parameter out of bounds", body = ProblemBody)))]
#[get("/me/data-access")]
pub(super) async fn list(
    caller: Caller,
    platform: Data<Platform>,
    query: Params<ListAccesses>,
) -> Result<List<Page<DataAccess>>> {
    let Params(query) = query;
    let before = Cursor::decode::<i64>(query.cursor.as_deref())?;
    let limit = query.limit.unwrap_or(DEFAULT_LIMIT);
    let rows = platform
        .db
        .read(move |conn| disclosures::of_account(conn, caller.account, before, limit))
        .await?;
    Ok(List(
        Page::of(rows, limit, |entry| entry.seq).try_map(disclosures::view)?,
    ))
}
