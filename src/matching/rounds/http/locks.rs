//! What coordinators set by hand.

use actix_web::web::{Data, Path};
use actix_web::{HttpResponse, delete, get, post};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;
use validator::Validate;

use super::super::model::{BatchRoundId, Lock, LockId, LockKind};
use super::super::service::{self, NewLock};
use super::super::store;
use crate::error::Result;
use crate::identity::{Caller, Command, Made};
use crate::matching::http::moment;
use crate::matching::model::NeedKind;
use crate::matching::projection::Matching;
use crate::platform::Platform;
use crate::platform::clock::Instant;
use crate::platform::http::page::DEFAULT_LIMIT;
use crate::platform::http::valid::Nothing;
use crate::platform::http::{Cursor, List, Page, Params, ProblemBody};

pub(super) fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(list_locks)
        .service(set_lock)
        .service(lift_lock);
}

/// Something set by hand.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RoundLock)]
struct LockView {
    /// Its id.
    id: LockId,
    /// What it says.
    kind: LockKind,
    /// What the person is called in the round.
    person: Option<String>,
    /// What the need is.
    need_kind: Option<NeedKind>,
    /// The wish or role.
    #[schema(value_type = Option<String>, format = Uuid)]
    need_id: Option<Uuid>,
    /// The need in a few words.
    title: Option<String>,
    /// The code of why the last plan could not keep it.
    refusal: Option<String>,
    /// When it was set.
    created_at: Instant,
}

impl From<Lock> for LockView {
    fn from(row: Lock) -> Self {
        Self {
            id: row.id,
            kind: row.kind,
            person: row.pseudonym,
            need_kind: row.need_kind,
            need_id: row.need_id.map(|id| id.0),
            title: row.title,
            refusal: row.refusal,
            created_at: row.created_at,
        }
    }
}

#[derive(Debug, Clone, Deserialize, IntoParams, Validate)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Browse {
    /// Only those that say this.
    kind: Option<LockKind>,
    /// Rows a page holds, 1 to 100.
    #[validate(range(min = 1, max = 100))]
    limit: Option<i64>,
    /// `next` of the page before.
    cursor: Option<String>,
}

/// List what is set by hand
#[utoipa::path(tag = "matching", params(("id" = BatchRoundId, Path, description = "The round"), Browse), responses(
    (status = 200, description = "The oldest first", body = Page<LockView>),
    (status = 404, description = "No such round", body = ProblemBody),
    (status = 422, description = "A parameter out of bounds", body = ProblemBody)))]
#[get("/rounds/{id}/locks")]
async fn list_locks(
    caller: Caller,
    platform: Data<Platform>,
    id: Path<BatchRoundId>,
    query: Params<Browse>,
) -> Result<List<Page<LockView>>> {
    let Params(query) = query;
    let after = Cursor::decode(query.cursor.as_deref())?;
    let limit = query.limit.unwrap_or(DEFAULT_LIMIT);
    let found = platform.db.read(move |conn| {
        let round = service::visible(conn, &caller, *id)?;
        store::page_of_locks(conn, round.id, query.kind, after, limit)
    });
    let page = Page::of(found.await?, limit, |row| row.id);
    Ok(List(page.map(LockView::from)))
}

/// Set something by hand
///
/// Keep a person at a need, forbid the two, or leave a person or a need out; the next plan keeps to
/// it. Who cannot be kept is refused with everything that stands in the way.
#[utoipa::path(tag = "matching", request_body = NewLock, params(("id" = BatchRoundId, Path, description = "The round")), responses(
    (status = 201, description = "Set; also when it was before", body = LockView),
    (status = 404, description = "No such round", body = ProblemBody),
    (status = 409, description = "It was not planned yet, is being planned or over, or the lock contradicts another", body = ProblemBody),
    (status = 422, description = "Wrong fields, or the person cannot be kept there", body = ProblemBody)))]
#[post("/rounds/{id}/locks")]
async fn set_lock(
    command: Command<NewLock>,
    id: Path<BatchRoundId>,
    platform: Data<Platform>,
    matching: Data<Matching>,
) -> Result<HttpResponse> {
    matching.until_current().await?;
    let moment = moment(&platform, &matching);
    command
        .run(move |tx, caller, input| {
            let row = service::set_lock(tx, &matching, &moment, caller, *id, input)?;
            let location = format!("/api/v1/rounds/{}/locks", *id);
            Ok(Made::new(LockView::from(row), location))
        })
        .await
}

/// Take back what is set by hand
#[utoipa::path(tag = "matching", params(
        ("id" = BatchRoundId, Path, description = "The round"),
        ("lock" = LockId, Path, description = "The lock")), responses(
    (status = 204, description = "Taken back"),
    (status = 404, description = "No such round or lock", body = ProblemBody),
    (status = 409, description = "It is being planned, or over", body = ProblemBody)))]
#[delete("/rounds/{id}/locks/{lock}")]
async fn lift_lock(
    command: Command<Nothing>,
    path: Path<(BatchRoundId, LockId)>,
) -> Result<HttpResponse> {
    command
        .run(move |tx, caller, _| {
            let (id, lock) = *path;
            service::lift_lock(tx, caller, id, lock)?;
            Ok(Made::<()>::nothing())
        })
        .await
}
