//! One's own invitations, and what one answers.

use actix_web::web::{Data, Json, Path};
use actix_web::{HttpResponse, get, post};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

use super::OwnInvitationView;
use crate::error::{Code, Error, Result};
use crate::identity::{Caller, Command, Made};
use crate::matching::invitations::model::{Answer, InvitationId, InvitationStatus};
use crate::matching::invitations::service::{self, Answering, Desk};
use crate::matching::invitations::store::{self, Query};
use crate::platform::Platform;
use crate::platform::http::page::DEFAULT_LIMIT;
use crate::platform::http::valid::Nothing;
use crate::platform::http::{Cursor, List, Page, Params, ProblemBody};

#[derive(Debug, Clone, Deserialize, IntoParams, Validate)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Mine {
    /// Where they stand; all when left out.
    status: Option<InvitationStatus>,
    /// Rows a page holds, 1 to 100.
    #[validate(range(min = 1, max = 100))]
    limit: Option<i64>,
    /// `next` of the page before.
    cursor: Option<String>,
}

/// List one's invitations to needs
#[utoipa::path(tag = "matching", params(Mine), responses(
    (status = 200, description = "The newest first", body = Page<OwnInvitationView>),
    (status = 422, description = "A parameter out of bounds", body = ProblemBody)))]
#[get("/me/need-invitations")]
pub(super) async fn mine(
    caller: Caller,
    platform: Data<Platform>,
    desk: Data<Desk>,
    query: Params<Mine>,
) -> Result<List<Page<OwnInvitationView>>> {
    let Params(which) = query;
    let query = Query {
        person: Some(caller.account),
        status: which.status,
        before: Cursor::decode(which.cursor.as_deref())?,
        limit: which.limit.unwrap_or(DEFAULT_LIMIT),
        ..Query::default()
    };
    let now = platform.clock.now();
    let found = platform.db.read(move |conn| {
        let rows = store::list(conn, &query)?;
        Page::of(rows, query.limit, |row| row.id)
            .try_map(|row| OwnInvitationView::of(conn, &desk, row, now, caller.lang))
    });
    Ok(List(found.await?))
}

/// Read one of one's invitations to needs
#[utoipa::path(tag = "matching", params(("id" = InvitationId, Path, description = "The invitation")), responses(
    (status = 200, description = "The invitation", body = OwnInvitationView),
    (status = 404, description = "Not one's own", body = ProblemBody)))]
#[get("/me/need-invitations/{id}")]
pub(super) async fn read_mine(
    caller: Caller,
    platform: Data<Platform>,
    desk: Data<Desk>,
    id: Path<InvitationId>,
) -> Result<Json<OwnInvitationView>> {
    let now = platform.clock.now();
    let found = platform.db.read(move |conn| {
        let row = store::invitation(conn, *id)?;
        if row.account_id != caller.account {
            return Err(Code::NotFound.into());
        }
        OwnInvitationView::of(conn, &desk, row, now, caller.lang)
    });
    Ok(Json(found.await?))
}

/// Why somebody says no, if there is anything to say.
#[derive(Debug, Default, Deserialize, Serialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(super) struct MayReason {
    /// In words that who invited reads.
    #[validate(length(min = 1, max = 1000))]
    pub reason: Option<String>,
}

/// What a yes that was refused is answered: where there is no room any more, so, and the invitation is
/// over; else what keeps the person from it.
pub(super) async fn refused(platform: &Platform, id: InvitationId, error: Error) -> Result<Error> {
    if !matches!(error, Error::Problem(_)) {
        return Ok(error);
    }
    let settled = platform.db.write(move |tx| service::settle(tx, id)).await;
    Ok(match settled {
        Ok(Some(code)) => code.into(),
        Ok(None) => error,
        // somebody else's, or none at all
        Err(Error::Problem(_)) => error,
        Err(other) => other,
    })
}

/// Accept an invitation to a need
///
/// Claims the wish, or takes the place in the crew, by the same rules as without an invitation.
#[utoipa::path(tag = "matching", request_body = Nothing,
    params(("id" = InvitationId, Path, description = "The invitation")), responses(
    (status = 200, description = "Accepted; also when it was before", body = OwnInvitationView),
    (status = 403, description = "It is not for the caller", body = ProblemBody),
    (status = 404, description = "Not one's own", body = ProblemBody),
    (status = 409, description = "It is over, all places are taken, or something keeps the caller from it", body = ProblemBody),
    (status = 422, description = "Wrong fields", body = ProblemBody)))]
#[post("/me/need-invitations/{id}/accept")]
pub(super) async fn accept(
    command: Command<Nothing>,
    platform: Data<Platform>,
    desk: Data<Desk>,
    id: Path<InvitationId>,
) -> Result<HttpResponse> {
    let (id, who) = (*id, command.caller.account);
    let accepted = command
        .run(move |tx, caller, _| {
            let by = Answering::Person(caller);
            let row = service::answer(tx, &desk, by, id, Answer::Accept, None)?;
            let view = OwnInvitationView::of(tx.conn, &desk, row, tx.now, caller.lang)?;
            Ok(Made::changed(view))
        })
        .await;
    match accepted {
        Err(error) if is_own(&platform, id, who).await? => {
            Err(refused(&platform, id, error).await?)
        }
        accepted => accepted,
    }
}

async fn is_own(
    platform: &Platform,
    id: InvitationId,
    who: crate::identity::AccountId,
) -> Result<bool> {
    let found = platform.db.read(move |conn| {
        Ok(store::invitation(conn, id)
            .is_ok_and(|row| row.account_id == who && row.status == InvitationStatus::Open))
    });
    found.await
}

macro_rules! answers {
    ($($(#[$doc:meta])* $name:ident $path:literal $answer:expr);+ $(;)?) => { $(
        $(#[$doc])*
        #[utoipa::path(tag = "matching", request_body = MayReason,
            params(("id" = InvitationId, Path, description = "The invitation")), responses(
            (status = 200, description = "Answered; also when it was so before", body = OwnInvitationView),
            (status = 404, description = "Not one's own", body = ProblemBody),
            (status = 409, description = "It is over, or was answered otherwise", body = ProblemBody),
            (status = 422, description = "Wrong fields", body = ProblemBody)))]
        #[post($path)]
        pub(super) async fn $name(
            command: Command<MayReason>,
            desk: Data<Desk>,
            id: Path<InvitationId>,
        ) -> Result<HttpResponse> {
            command
                .run(move |tx, caller, input| {
                    let (by, reason) = (Answering::Person(caller), input.reason.as_deref());
                    let row = service::answer(tx, &desk, by, *id, $answer, reason)?;
                    let view = OwnInvitationView::of(tx.conn, &desk, row, tx.now, caller.lang)?;
                    Ok(Made::changed(view))
                })
                .await
        }
    )+ };
}

answers! {
    /// Decline an invitation to a need
    decline "/me/need-invitations/{id}/decline" Answer::Decline;
    /// Decline an invitation, and hear no more of the need
    ///
    /// Not interested: the need is neither recommended to the caller any more, nor is the caller asked
    /// for it again. See `/me/dismissed-needs`.
    dismiss "/me/need-invitations/{id}/dismiss" Answer::Dismiss;
    /// Decline an invitation, and get no more from who sent it
    ///
    /// Blocks the organisation for which it was sent, else the account that sent it. See
    /// `/me/invitation-blocks`.
    block "/me/need-invitations/{id}/block" Answer::Block;
}
