//! The thread between claimant and beneficiary.

use actix_web::web::{Data, Json, Path};
use actix_web::{HttpResponse, get, post};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

use crate::error::Result;
use crate::identity::{Caller, Command, Made};
use crate::platform::Platform;
use crate::platform::clock::Instant;
use crate::platform::http::page::DEFAULT_LIMIT;
use crate::platform::http::{Cursor, Page, Params, ProblemBody};
use crate::wishes::model::WishId;
use crate::wishes::thread::{self, MessageId};

#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(super) struct NewMessage {
    /// The message.
    #[validate(length(min = 1, max = 1000))]
    body: String,
}

/// A message.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WishMessage)]
pub struct MessageView {
    /// Its id.
    pub id: MessageId,
    /// Its text.
    pub body: String,
    /// Who wrote it.
    pub author: String,
    /// Whether that was the caller.
    pub by_me: bool,
    /// When.
    pub created_at: Instant,
}

/// Write to the other side of a claim
///
/// Nobody learns a number by it.
#[utoipa::path(tag = "wishes", request_body = NewMessage, params(("id" = WishId, Path, description = "The wish")), responses(
    (status = 201, description = "Written", body = MessageView),
    (status = 403, description = "Neither side", body = ProblemBody),
    (status = 404, description = "No such wish", body = ProblemBody),
    (status = 409, description = "Nobody holds the wish", body = ProblemBody),
    (status = 422, description = "Wrong fields", body = ProblemBody)))]
#[post("/wishes/{id}/messages")]
pub(super) async fn write_message(
    command: Command<NewMessage>,
    id: Path<WishId>,
) -> Result<HttpResponse> {
    command
        .run(move |tx, caller, input| {
            let message = thread::write(tx, caller, *id, &input.body)?;
            let author = crate::identity::account(tx.conn, caller.account)?.display_name;
            let location = format!("/api/v1/wishes/{}/messages", *id);
            let view = MessageView {
                id: message.id,
                body: message.body,
                author,
                by_me: true,
                created_at: message.created_at,
            };
            Ok(Made::new(view, location))
        })
        .await
}

#[derive(Debug, Clone, Deserialize, IntoParams, Validate)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Paging {
    /// Rows a page holds, 1 to 100.
    #[validate(range(min = 1, max = 100))]
    limit: Option<i64>,
    /// `next` of the page before.
    cursor: Option<String>,
}

/// Read the messages of a wish
///
/// Oldest first.
#[utoipa::path(tag = "wishes", params(("id" = WishId, Path, description = "The wish"), Paging), responses(
    (status = 200, description = "A page of messages", body = Page<MessageView>),
    (status = 403, description = "Neither side", body = ProblemBody),
    (status = 404, description = "No such wish", body = ProblemBody)))]
#[get("/wishes/{id}/messages")]
pub(super) async fn list_messages(
    caller: Caller,
    platform: Data<Platform>,
    id: Path<WishId>,
    paging: Params<Paging>,
) -> Result<Json<Page<MessageView>>> {
    let limit = paging.0.limit.unwrap_or(DEFAULT_LIMIT);
    let after = Cursor::decode::<MessageId>(paging.0.cursor.as_deref())?;
    let me = caller.account;
    let rows = platform
        .db
        .read(move |conn| thread::read(conn, &caller, *id, after, limit))
        .await?;
    let page =
        Page::of(rows, limit, |(message, _)| message.id).map(|(message, author)| MessageView {
            id: message.id,
            body: message.body,
            author,
            by_me: message.author_id == me,
            created_at: message.created_at,
        });
    Ok(Json(page))
}
