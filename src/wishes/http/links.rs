//! The beneficiary's link: following and confirming without an account.

use std::sync::Arc;

use actix_web::web::{Data, Json, Path};
use actix_web::{HttpResponse, get, post};
use serde::Serialize;
use utoipa::ToSchema;

use super::browsing::{StepView, story};
use super::evidence::{Size, shown};
use super::messages::{MessageView, NewMessage, Paging, page};
use super::{WishView, view};
use crate::error::{Code, Result};
use crate::platform::Platform;
use crate::platform::db::Conn;
use crate::platform::http::page::DEFAULT_LIMIT;
use crate::platform::http::valid::{Nothing, Reason};
use crate::platform::http::{Body, Cursor, List, Page, Params, ProblemBody};
use crate::wishes::model::{EvidenceId, WishId};
use crate::wishes::rules::Relation;
use crate::wishes::service::{self, Desk, LINK, Mover};
use crate::wishes::store;
use crate::wishes::thread::{self, MessageId};

/// A wish and its story, as its beneficiary's link shows them.
#[derive(Debug, Serialize, ToSchema)]
pub struct FollowedWish {
    /// The wish; its photos at addresses that work as long as the link does.
    pub wish: WishView,
    /// Every step, oldest first.
    pub timeline: Vec<StepView>,
}

pub(super) async fn linked(desk: &Desk, platform: &Platform, token: &str) -> Result<WishId> {
    let now = platform.clock.now();
    let Some(id) = desk.vault.open_link(LINK, token, now) else {
        return Err(Code::LinkInvalid.into());
    };
    let rules = desk.rules.clone();
    let lives = platform
        .db
        .read(move |conn| service::link_lives(conn, &rules, id, now));
    lives.await.map(|()| id)
}

pub(super) fn followed(conn: &mut Conn, token: &str, id: WishId) -> Result<FollowedWish> {
    let wish = store::wish(conn, id)?;
    let mut wish = view(conn, wish, Relation::LINK)?;
    if let Some(involved) = &mut wish.involved {
        involved.may_read_contact = false; // for that one signs in
        for photo in &mut involved.evidence {
            photo.photo_url = format!("/api/v1/wish-links/{token}/evidence/{}", photo.id);
        }
    }
    Ok(FollowedWish {
        wish,
        timeline: story(conn, None, id)?.items,
    })
}

/// Follow a wish by the link sent to its beneficiary
#[utoipa::path(tag = "wishes", params(("token" = String, Path, description = "From the SMS")), security(()), responses(
    (status = 200, description = "The wish and its story", body = FollowedWish),
    (status = 404, description = "Not valid, or no longer", body = ProblemBody)))]
#[get("/wish-links/{token}")]
pub(super) async fn follow_link(
    platform: Data<Platform>,
    desk: Data<Desk>,
    token: Path<String>,
) -> Result<Json<FollowedWish>> {
    let id = linked(&desk, &platform, &token).await?;
    let found = platform.db.read(move |conn| followed(conn, &token, id));
    Ok(Json(found.await?))
}

/// Show a photo of a delivery by the link sent to the beneficiary
#[utoipa::path(tag = "wishes", params(("token" = String, Path, description = "From the SMS"),
    ("evidence_id" = EvidenceId, Path, description = "The photo"), Size), security(()), responses(
    (status = 200, description = "The photo", body = Vec<u8>, content_type = "image/jpeg"),
    (status = 404, description = "The link is not valid, or no longer, or no such photo of its wish", body = ProblemBody)))]
#[get("/wish-links/{token}/evidence/{evidence_id}")]
pub(super) async fn show_evidence_by_link(
    platform: Data<Platform>,
    desk: Data<Desk>,
    path: Path<(String, EvidenceId)>,
    size: Params<Size>,
) -> Result<HttpResponse> {
    let (token, evidence_id) = path.into_inner();
    let id = linked(&desk, &platform, &token).await?;
    let found = platform
        .db
        .read(move |conn| store::one_evidence(conn, id, evidence_id));
    shown(&platform, found.await?, &size.0).await
}

/// Confirm by the link sent to the beneficiary
#[utoipa::path(tag = "wishes", request_body = Nothing, params(("token" = String, Path, description = "From the SMS")), security(()), responses(
    (status = 200, description = "Confirmed; also when it was", body = FollowedWish),
    (status = 404, description = "Not valid, or no longer", body = ProblemBody),
    (status = 409, description = "Its state does not allow it", body = ProblemBody)))]
#[post("/wish-links/{token}/confirm")]
pub(super) async fn confirm_by_link(
    platform: Data<Platform>,
    desk: Data<Desk>,
    token: Path<String>,
    _body: Body<Nothing>,
) -> Result<Json<FollowedWish>> {
    let id = linked(&desk, &platform, &token).await?;
    let done = platform.db.write(move |tx| {
        service::confirm(tx, &desk, Mover::Link, id)?;
        followed(tx.conn, &token, id)
    });
    Ok(Json(done.await?))
}

/// Dispute by the link sent to the beneficiary
#[utoipa::path(tag = "wishes", request_body = Reason, params(("token" = String, Path, description = "From the SMS")), security(()), responses(
    (status = 200, description = "Disputed", body = FollowedWish),
    (status = 404, description = "Not valid, or no longer", body = ProblemBody),
    (status = 409, description = "Its state does not allow it", body = ProblemBody),
    (status = 422, description = "Without a reason", body = ProblemBody)))]
#[post("/wish-links/{token}/dispute")]
pub(super) async fn dispute_by_link(
    platform: Data<Platform>,
    desk: Data<Desk>,
    token: Path<String>,
    body: Body<Reason>,
) -> Result<Json<FollowedWish>> {
    let id = linked(&desk, &platform, &token).await?;
    let reason = Arc::new(body.input.reason);
    let done = platform.db.write(move |tx| {
        service::dispute(tx, Mover::Link, id, &reason)?;
        followed(tx.conn, &token, id)
    });
    Ok(Json(done.await?))
}

/// Withdraw by the link sent to the beneficiary
#[utoipa::path(tag = "wishes", request_body = Reason, params(("token" = String, Path, description = "From the SMS")), security(()), responses(
    (status = 200, description = "Withdrawn; also when it was", body = FollowedWish),
    (status = 404, description = "Not valid, or no longer", body = ProblemBody),
    (status = 409, description = "Its state does not allow it", body = ProblemBody),
    (status = 422, description = "Without a reason", body = ProblemBody)))]
#[post("/wish-links/{token}/withdraw")]
pub(super) async fn withdraw_by_link(
    platform: Data<Platform>,
    desk: Data<Desk>,
    token: Path<String>,
    body: Body<Reason>,
) -> Result<Json<FollowedWish>> {
    let id = linked(&desk, &platform, &token).await?;
    let reason = Arc::new(body.input.reason);
    let done = platform.db.write(move |tx| {
        service::withdraw(tx, Mover::Link, id, &reason)?;
        followed(tx.conn, &token, id)
    });
    Ok(Json(done.await?))
}

/// Write to the claimant by the link sent to the beneficiary
#[utoipa::path(tag = "wishes", request_body = NewMessage, params(("token" = String, Path, description = "From the SMS")), security(()), responses(
    (status = 201, description = "Written", body = MessageView),
    (status = 404, description = "Not valid, or no longer", body = ProblemBody),
    (status = 409, description = "Nobody holds the wish", body = ProblemBody),
    (status = 422, description = "Wrong fields", body = ProblemBody),
    (status = 429, description = "Too many messages", body = ProblemBody)))]
#[post("/wish-links/{token}/messages")]
pub(super) async fn write_by_link(
    platform: Data<Platform>,
    desk: Data<Desk>,
    token: Path<String>,
    body: Body<NewMessage>,
) -> Result<HttpResponse> {
    let id = linked(&desk, &platform, &token).await?;
    let location = format!("/api/v1/wish-links/{token}/messages");
    let view = write(&platform, desk, id, body.input.body).await?;
    Ok(HttpResponse::Created()
        .insert_header(("location", location))
        .json(view))
}

pub(super) async fn write(
    platform: &Platform,
    desk: Data<Desk>,
    id: WishId,
    body: String,
) -> Result<MessageView> {
    let key = format!("wish-messages:link:{id}");
    let limit = desk.rules.messages_per_wish;
    limit.take(&platform.cache, &key).await?;
    let written = platform.db.write(move |tx| {
        let message = thread::write(tx, &desk, Mover::Link, id, &body)?;
        let alias = store::wish(tx.conn, id)?.alias;
        Ok(MessageView::of((message, alias), None))
    });
    written.await
}

/// Read the messages of a wish by the link sent to its beneficiary
///
/// Oldest first.
#[utoipa::path(tag = "wishes", params(("token" = String, Path, description = "From the SMS"), Paging), security(()), responses(
    (status = 200, description = "A page of messages", body = Page<MessageView>),
    (status = 404, description = "Not valid, or no longer", body = ProblemBody),
    (status = 422, description = "A page too large, or none", body = ProblemBody)))]
#[get("/wish-links/{token}/messages")]
pub(super) async fn read_by_link(
    platform: Data<Platform>,
    desk: Data<Desk>,
    token: Path<String>,
    paging: Params<Paging>,
) -> Result<List<Page<MessageView>>> {
    let id = linked(&desk, &platform, &token).await?;
    let limit = paging.0.limit.unwrap_or(DEFAULT_LIMIT);
    let after = Cursor::decode::<MessageId>(paging.0.cursor.as_deref())?;
    let rows = platform
        .db
        .read(move |conn| thread::read(conn, Mover::Link, id, after, limit));
    Ok(List(page(rows.await?, limit, None)))
}
