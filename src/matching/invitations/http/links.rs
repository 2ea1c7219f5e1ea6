//! The link in the mail: reading an invitation and answering it without signing in.

use actix_web::web::{Data, Json, Path};
use actix_web::{get, post};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use super::organizer_name;
use super::person::refused;
use crate::error::{Code, Result};
use crate::identity;
use crate::matching::invitations::model::{Answer, Invitation, InvitationId, InvitationStatus};
use crate::matching::invitations::service::{self, Answering, Desk, LINK};
use crate::matching::invitations::store;
use crate::matching::model::NeedKind;
use crate::platform::Platform;
use crate::platform::clock::Instant;
use crate::platform::db::Conn;
use crate::platform::http::{Body, ProblemBody};

/// An invitation as the link in its mail shows it.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct LinkedInvitation {
    /// What the need is.
    pub need_kind: NeedKind,
    /// The need in a few words.
    pub title: String,
    /// The name of its street; null once it is not open any more.
    pub street: Option<String>,
    /// Who asks: the organisation, else what the person is called.
    pub organizer: String,
    /// What they have to say.
    pub note: String,
    /// Where it stands.
    pub status: InvitationStatus,
    /// Until when it can be answered.
    pub expires_at: Instant,
    /// What can be answered now.
    pub answers: Vec<Answer>,
}

/// What somebody answers by a link.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(super) struct LinkAnswer {
    /// The answer.
    pub answer: Answer,
    /// Why not, if there is anything to say.
    #[validate(length(min = 1, max = 1000))]
    pub reason: Option<String>,
}

/// The invitation that a token was made for.
pub(super) fn linked(desk: &Desk, platform: &Platform, token: &str) -> Result<InvitationId> {
    let vault = &desk.matching.setting().vault;
    let id = vault.open_link(LINK, token, platform.clock.now());
    id.ok_or_else(|| Code::LinkInvalid.into())
}

/// What a link shows; nothing of an invitation of somebody who is gone.
pub(super) fn shown(
    conn: &mut Conn,
    desk: &Desk,
    id: InvitationId,
    now: Instant,
) -> Result<LinkedInvitation> {
    let row = store::invitation(conn, id).map_err(|_| Code::LinkInvalid)?;
    if identity::account(conn, row.account_id).is_err() {
        return Err(Code::LinkInvalid.into());
    }
    view(conn, desk, row, now)
}

fn view(conn: &mut Conn, desk: &Desk, row: Invitation, now: Instant) -> Result<LinkedInvitation> {
    let need = desk.matching.world().need(row.need());
    let is_open = row.status == InvitationStatus::Open && now < row.expires_at;
    let answers = match is_open {
        true => vec![
            Answer::Accept,
            Answer::Decline,
            Answer::Dismiss,
            Answer::Block,
        ],
        false => Vec::new(),
    };
    Ok(LinkedInvitation {
        title: service::about(conn, row.need())?.title,
        street: need.and_then(|need| need.street.as_deref().map(str::to_owned)),
        organizer: organizer_name(conn, &row)?,
        status: match row.status {
            InvitationStatus::Open if !is_open => InvitationStatus::Expired,
            status => status,
        },
        need_kind: row.need_kind,
        note: row.note,
        expires_at: row.expires_at,
        answers,
    })
}

/// Answers by a link.
pub(super) async fn perform(
    platform: &Platform,
    desk: &Data<Desk>,
    token: &str,
    given: LinkAnswer,
) -> Result<LinkedInvitation> {
    let id = linked(desk, platform, token)?;
    let hands = desk.clone();
    let answered = platform
        .db
        .write(move |tx| {
            shown(tx.conn, &hands, id, tx.now)?;
            let reason = given.reason.as_deref();
            let row = service::answer(tx, &hands, Answering::Link, id, given.answer, reason)?;
            view(tx.conn, &hands, row, tx.now)
        })
        .await;
    match answered {
        Err(error) if is_open(platform, id).await? => Err(refused(platform, id, error).await?),
        answered => answered,
    }
}

async fn is_open(platform: &Platform, id: InvitationId) -> Result<bool> {
    let found = platform.db.read(move |conn| {
        Ok(store::invitation(conn, id).is_ok_and(|row| row.status == InvitationStatus::Open))
    });
    found.await
}

/// Read an invitation by the link in its mail
///
/// Reading answers nothing, whoever or whatever opens the link.
#[utoipa::path(tag = "matching", params(("token" = String, Path, description = "From the mail")), security(()), responses(
    (status = 200, description = "The invitation", body = LinkedInvitation),
    (status = 404, description = "Not valid, or no longer", body = ProblemBody)))]
#[get("/invitation-links/{token}")]
pub(super) async fn read_by_link(
    platform: Data<Platform>,
    desk: Data<Desk>,
    token: Path<String>,
) -> Result<Json<LinkedInvitation>> {
    let id = linked(&desk, &platform, &token)?;
    let now = platform.clock.now();
    let found = platform.db.read(move |conn| shown(conn, &desk, id, now));
    Ok(Json(found.await?))
}

/// Answer an invitation by the link in its mail
///
/// Once: a second answer is refused, whatever it says.
#[utoipa::path(tag = "matching", request_body = LinkAnswer, params(("token" = String, Path, description = "From the mail")), security(()), responses(
    (status = 200, description = "Answered", body = LinkedInvitation),
    (status = 403, description = "It is not for the person", body = ProblemBody),
    (status = 404, description = "Not valid, or no longer", body = ProblemBody),
    (status = 409, description = "Answered before, over, full, or something keeps the person from it", body = ProblemBody),
    (status = 422, description = "Wrong fields", body = ProblemBody)))]
#[post("/invitation-links/{token}")]
pub(super) async fn answer_by_link(
    platform: Data<Platform>,
    desk: Data<Desk>,
    token: Path<String>,
    body: Body<LinkAnswer>,
) -> Result<Json<LinkedInvitation>> {
    Ok(Json(perform(&platform, &desk, &token, body.input).await?))
}
