//! The beneficiary's link: following and confirming without an account.

use std::sync::Arc;

use actix_web::web::{Data, Json, Path};
use actix_web::{get, post};
use serde::Serialize;
use utoipa::ToSchema;

use super::browsing::{StepView, story};
use super::{WishView, view};
use crate::error::{Code, Result};
use crate::platform::Platform;
use crate::platform::db::Conn;
use crate::platform::http::valid::{Nothing, Reason};
use crate::platform::http::{Body, ProblemBody};
use crate::wishes::model::WishId;
use crate::wishes::rules::Relation;
use crate::wishes::service::{self, Desk, LINK, Mover};
use crate::wishes::store;

/// A wish and its story, as its beneficiary's link shows them.
#[derive(Debug, Serialize, ToSchema)]
pub struct FollowedWish {
    /// The wish.
    pub wish: WishView,
    /// Every step, oldest first.
    pub timeline: Vec<StepView>,
}

fn linked(desk: &Desk, platform: &Platform, token: &str) -> Result<WishId> {
    let id = desk.vault.open_link(LINK, token, platform.clock.now());
    id.ok_or_else(|| Code::LinkInvalid.into())
}

fn followed(conn: &mut Conn, id: WishId) -> Result<FollowedWish> {
    let wish = store::wish(conn, id)?;
    let relation = Relation {
        beneficiary: true,
        ..Relation::default()
    };
    Ok(FollowedWish {
        wish: view(conn, wish, relation)?,
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
    let id = linked(&desk, &platform, &token)?;
    Ok(Json(
        platform.db.read(move |conn| followed(conn, id)).await?,
    ))
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
    let id = linked(&desk, &platform, &token)?;
    let done = platform.db.write(move |tx| {
        service::confirm(tx, &desk, Mover::Link, id)?;
        followed(tx.conn, id)
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
    let id = linked(&desk, &platform, &token)?;
    let reason = Arc::new(body.input.reason);
    let done = platform.db.write(move |tx| {
        service::dispute(tx, Mover::Link, id, &reason)?;
        followed(tx.conn, id)
    });
    Ok(Json(done.await?))
}
