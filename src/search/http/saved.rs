//! One's saved searches.

use actix_web::web::{Data, Path};
use actix_web::{HttpResponse, delete, get, patch, post};
use serde::Serialize;
use utoipa::ToSchema;

use crate::error::Result;
use crate::identity::{Caller, Command, Made};
use crate::platform::Platform;
use crate::platform::clock::Instant;
use crate::platform::http::valid::Nothing;
use crate::platform::http::{List, Page, ProblemBody, etag};
use crate::search::criteria::Criteria;
use crate::search::model::{SavedSearch, SavedSearchId};
use crate::search::saved::{self, Desk, EditSavedSearch, NewSavedSearch};
use crate::search::store::saved as store;

/// A saved search.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SavedSearch)]
struct SavedSearchView {
    /// Its id.
    id: SavedSearchId,
    /// What its owner calls it.
    name: String,
    /// What is searched for.
    criteria: Criteria,
    /// When its owner was last told that something new fits one of the saved searches.
    told_at: Option<Instant>,
    /// When it was saved.
    created_at: Instant,
}

impl From<SavedSearch> for SavedSearchView {
    fn from(row: SavedSearch) -> Self {
        Self {
            id: row.id,
            name: row.name,
            criteria: row.criteria.0,
            told_at: row.told_at,
            created_at: row.created_at,
        }
    }
}

/// List one's saved searches
///
/// All of them, the oldest first.
#[utoipa::path(tag = "search", responses(
    (status = 200, description = "One's saved searches", body = Page<SavedSearchView>)))]
#[get("/me/saved-searches")]
pub(super) async fn list(
    caller: Caller,
    platform: Data<Platform>,
) -> Result<List<Page<SavedSearchView>>> {
    let rows = platform
        .db
        .read(move |conn| store::of_account(conn, caller.account));
    let items = rows.await?.into_iter().map(Into::into).collect();
    Ok(List(Page { items, next: None }))
}

/// Save a search
///
/// Its owner is told when something becomes public that fits: in the inbox and, unless switched off,
/// by mail; one message about all saved searches, at most once a day.
#[utoipa::path(tag = "search", request_body = NewSavedSearch, responses(
    (status = 201, description = "Saved", body = SavedSearchView),
    (status = 409, description = "As many as one may have", body = ProblemBody),
    (status = 422, description = "Wrong fields", body = ProblemBody)))]
#[post("/me/saved-searches")]
pub(super) async fn save(
    command: Command<NewSavedSearch>,
    desk: Data<Desk>,
) -> Result<HttpResponse> {
    command
        .run(move |tx, caller, input| {
            let row = saved::save(tx, &desk, caller, input)?;
            let location = format!("/api/v1/me/saved-searches/{}", row.id);
            let version = row.version;
            Ok(Made::new(SavedSearchView::from(row), location).version(version))
        })
        .await
}

/// Read a saved search
#[utoipa::path(tag = "search", params(("id" = SavedSearchId, Path, description = "The saved search")), responses(
    (status = 200, description = "It", body = SavedSearchView),
    (status = 404, description = "Not one of the caller's", body = ProblemBody)))]
#[get("/me/saved-searches/{id}")]
pub(super) async fn read(
    caller: Caller,
    platform: Data<Platform>,
    id: Path<SavedSearchId>,
) -> Result<HttpResponse> {
    let row = platform
        .db
        .point(move |conn| store::one(conn, caller.account, *id))
        .await?;
    Ok(HttpResponse::Ok()
        .insert_header(etag(row.version))
        .json(SavedSearchView::from(row)))
}

/// Change a saved search
///
/// With other criteria, what became public before is not told of any more.
#[utoipa::path(tag = "search", request_body = EditSavedSearch,
    params(("id" = SavedSearchId, Path, description = "The saved search"), ("If-Match" = String, Header, description = "The ETag that was read")), responses(
    (status = 200, description = "Changed", body = SavedSearchView),
    (status = 404, description = "Not one of the caller's", body = ProblemBody),
    (status = 412, description = "Changed since it was read", body = ProblemBody),
    (status = 422, description = "Wrong fields", body = ProblemBody),
    (status = 428, description = "Without If-Match", body = ProblemBody)))]
#[patch("/me/saved-searches/{id}")]
pub(super) async fn edit(
    command: Command<EditSavedSearch>,
    id: Path<SavedSearchId>,
) -> Result<HttpResponse> {
    let seen = command.if_match.clone();
    command
        .run(move |tx, caller, input| {
            let row = saved::edit(tx, caller, *id, &seen, input)?;
            let version = row.version;
            Ok(Made::changed(SavedSearchView::from(row)).version(version))
        })
        .await
}

/// Delete a saved search
#[utoipa::path(tag = "search", params(("id" = SavedSearchId, Path, description = "The saved search")), responses(
    (status = 204, description = "Gone"),
    (status = 404, description = "Not one of the caller's", body = ProblemBody)))]
#[delete("/me/saved-searches/{id}")]
pub(super) async fn delete(
    command: Command<Nothing>,
    id: Path<SavedSearchId>,
) -> Result<HttpResponse> {
    command
        .run(move |tx, caller, _| {
            saved::delete(tx, caller, *id)?;
            Ok(Made::<()>::nothing())
        })
        .await
}
