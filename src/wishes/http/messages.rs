//! The thread between claimant and beneficiary.

use actix_web::web::{Data, Path};
use actix_web::{HttpResponse, get, post};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

use crate::error::Result;
use crate::identity::{AccountId, Caller, Command, Made};
use crate::platform::Platform;
use crate::platform::clock::Instant;
use crate::platform::http::page::DEFAULT_LIMIT;
use crate::platform::http::{Cursor, List, Page, Params, ProblemBody};
use crate::wishes::model::WishId;
use crate::wishes::service::{Desk, Mover};
use crate::wishes::thread::{self, Message, MessageId};

#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(super) struct NewMessage {
    /// The message.
    #[validate(length(min = 1, max = 1000))]
    pub(super) body: String,
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

impl MessageView {
    /// A message with its author's name, as its reader sees it; none reads by link.
    pub(super) fn of((message, author): (Message, String), reader: Option<AccountId>) -> Self {
        Self {
            id: message.id,
            body: message.body,
            author,
            by_me: message.author_id == reader,
            created_at: message.created_at,
        }
    }
}

/// Write to the other side of a claim
///
/// Nobody learns a number by it.
#[utoipa::path(tag = "wishes", request_body = NewMessage, params(("id" = WishId, Path, description = "The wish")), responses(
    (status = 201, description = "Written", body = MessageView),
    (status = 403, description = "Neither side", body = ProblemBody),
    (status = 404, description = "No such wish", body = ProblemBody),
    (status = 409, description = "Nobody holds the wish", body = ProblemBody),
    (status = 422, description = "Wrong fields", body = ProblemBody),
    (status = 429, description = "Too many messages", body = ProblemBody)))]
#[post("/wishes/{id}/messages")]
pub(super) async fn write_message(
    command: Command<NewMessage>,
    id: Path<WishId>,
    desk: Data<Desk>,
    platform: Data<Platform>,
) -> Result<HttpResponse> {
    let key = format!("wish-messages:{}:{}", command.caller.account, *id);
    desk.rules
        .messages_per_wish
        .take(&platform.cache, &key)
        .await?;
    command
        .run(move |tx, caller, input| {
            let by = Mover::Caller(caller);
            let message = thread::write(tx, &desk, by, *id, &input.body)?;
            let author = crate::identity::account(tx.conn, caller.account)?.display_name;
            let location = format!("/api/v1/wishes/{}/messages", *id);
            let view = MessageView::of((message, author), Some(caller.account));
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
    pub(super) limit: Option<i64>,
    /// `next` of the page before.
    pub(super) cursor: Option<String>,
}

/// Read the messages of a wish
///
/// Oldest first.
#[utoipa::path(tag = "wishes", params(("id" = WishId, Path, description = "The wish"), Paging), responses(
    (status = 200, description = "A page of messages", body = Page<MessageView>),
    (status = 403, description = "Neither side", body = ProblemBody),
    (status = 404, description = "No such wish", body = ProblemBody),
    (status = 422, description = "A page too large, or none", body = ProblemBody)))]
#[get("/wishes/{id}/messages")]
pub(super) async fn list_messages(
    caller: Caller,
    platform: Data<Platform>,
    id: Path<WishId>,
    paging: Params<Paging>,
) -> Result<List<Page<MessageView>>> {
    let limit = paging.0.limit.unwrap_or(DEFAULT_LIMIT);
    let after = Cursor::decode::<MessageId>(paging.0.cursor.as_deref())?;
    let me = caller.account;
    let rows = platform
        .db
        .read(move |conn| thread::read(conn, Mover::Caller(&caller), *id, after, limit));
    Ok(List(page(rows.await?, limit, Some(me))))
}

/// A page of messages, as its reader sees them.
pub(super) fn page(
    rows: Vec<(Message, String)>,
    limit: i64,
    reader: Option<AccountId>,
) -> Page<MessageView> {
    Page::of(rows, limit, |(message, _)| message.id).map(|row| MessageView::of(row, reader))
}
