//! Recruitments and invitations for those who look for people.

use actix_web::web::{Data, Json, Path};
use actix_web::{HttpResponse, get, post};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use validator::Validate;

use super::{InvitationView, RecruitmentView};
use crate::error::{Code, Result};
use crate::identity::{AccountId, Caller, Command, Made};
use crate::matching::http::moment;
use crate::matching::invitations::model::{
    InvitationId, InvitationStatus, RecruitmentId, RecruitmentStatus,
};
use crate::matching::invitations::service::{self, Desk, NewInvitation, NewRecruitment};
use crate::matching::invitations::store::{self, Query};
use crate::matching::model::{NeedId, NeedKind};
use crate::matching::score::{self, Side};
use crate::matching::service::{candidate, check_may_ask, open_need};
use crate::platform::Platform;
use crate::platform::http::page::DEFAULT_LIMIT;
use crate::platform::http::valid::Reason;
use crate::platform::http::{Cursor, List, Page, Params, ProblemBody};
use crate::projects::claims::ClaimId;

fn need_of(path: (NeedKind, Uuid)) -> NeedId {
    NeedId {
        kind: path.0,
        id: path.1,
    }
}

/// How a candidate is invited.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(as = NewCandidateInvitation)]
struct NewCandidateInvitation {
    /// Into which crew, for a role: the claim, one that the caller leads. None for a wish.
    claim_id: Option<ClaimId>,
    /// Hours in which it may be answered; as configured when left out.
    hours: Option<i32>,
    /// What there is to say.
    #[serde(default)]
    #[validate(length(max = 500))]
    note: String,
}

/// Invite a candidate
///
/// By the pseudonym of the list of candidates. The person decides, and is named once it accepts.
#[utoipa::path(tag = "matching", request_body = NewCandidateInvitation, params(
        ("kind" = NeedKind, Path, description = "What the need is"),
        ("id" = String, Path, format = Uuid, description = "The wish or role"),
        ("pseudonym" = String, Path, description = "What the candidate is called in the list")),
    responses(
        (status = 201, description = "Invited; also when it was by the same caller, and has not answered", body = InvitationView),
        (status = 403, description = "Not the caller's to ask, or not the leader of the crew", body = ProblemBody),
        (status = 404, description = "No such need, or not open; no such claim; or nobody is a candidate by that name any more", body = ProblemBody),
        (status = 409, description = "All places are taken, the crew closed, or the person was asked before or is not to be asked", body = ProblemBody),
        (status = 422, description = "Wrong fields", body = ProblemBody)))]
#[post("/needs/{kind}/{id}/candidates/{pseudonym}/invite")]
pub(super) async fn invite_candidate(
    command: Command<NewCandidateInvitation>,
    platform: Data<Platform>,
    desk: Data<Desk>,
    path: Path<(NeedKind, Uuid, String)>,
) -> Result<HttpResponse> {
    let (kind, id, called) = path.into_inner();
    desk.matching.until_current().await?;
    let moment = moment(&platform, &desk.matching);
    command
        .run(move |tx, caller, input| {
            let need = open_need(&desk.matching, kind, id)?;
            check_may_ask(tx.conn, caller, need.id)?;
            let who = candidate(&desk.matching, &need, &moment, &called).ok_or(Code::NotFound)?;
            let person = desk.matching.world().person(who).ok_or(Code::NotFound)?;
            let factors = score::factors(&person, &need, Side::People);
            let new = NewInvitation {
                claim: input.claim_id,
                note: &input.note,
                hours: input.hours,
                score: Some(score::score(&factors, &moment.terms.weights)),
            };
            let row = service::invite(tx, &desk, caller, need.id, who, &new)?;
            let view = InvitationView::of(tx.conn, &desk, row, caller)?;
            Ok(Made::new(
                view,
                format!("/api/v1/needs/{kind}/{id}/invitations"),
            ))
        })
        .await
}

/// Who is invited, by an account that is known.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(as = NewNeedInvitation)]
struct NewAccountInvitation {
    /// The account.
    account_id: AccountId,
    /// Into which crew, for a role: the claim, one that the caller leads. None for a wish.
    claim_id: Option<ClaimId>,
    /// Hours in which it may be answered; as configured when left out.
    hours: Option<i32>,
    /// What there is to say.
    #[serde(default)]
    #[validate(length(max = 500))]
    note: String,
}

/// Invite somebody
///
/// By an account that the caller knows of. Nothing is said of whether the person fits: the person finds
/// that out, and is named once it accepts.
#[utoipa::path(tag = "matching", request_body = NewAccountInvitation, params(
        ("kind" = NeedKind, Path, description = "What the need is"),
        ("id" = String, Path, format = Uuid, description = "The wish or role")),
    responses(
        (status = 201, description = "Invited; also when it was by the same caller, and has not answered", body = InvitationView),
        (status = 403, description = "Not the caller's to ask, or not the leader of the crew", body = ProblemBody),
        (status = 404, description = "No such need or claim", body = ProblemBody),
        (status = 409, description = "All places are taken, the crew closed, or the person was asked before or is not to be asked", body = ProblemBody),
        (status = 422, description = "Wrong fields", body = ProblemBody)))]
#[post("/needs/{kind}/{id}/invitations")]
pub(super) async fn invite_account(
    command: Command<NewAccountInvitation>,
    desk: Data<Desk>,
    path: Path<(NeedKind, Uuid)>,
) -> Result<HttpResponse> {
    let need = need_of(path.into_inner());
    command
        .run(move |tx, caller, input| {
            let new = NewInvitation {
                claim: input.claim_id,
                note: &input.note,
                hours: input.hours,
                score: None,
            };
            let row = service::invite(tx, &desk, caller, need, input.account_id, &new)?;
            let view = InvitationView::of(tx.conn, &desk, row, caller)?;
            let location = format!("/api/v1/needs/{}/{}/invitations", need.kind, need.id);
            Ok(Made::new(view, location))
        })
        .await
}

#[derive(Debug, Clone, Deserialize, IntoParams, Validate)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Which {
    /// Where they stand; all when left out.
    status: Option<InvitationStatus>,
    /// Rows a page holds, 1 to 100.
    #[validate(range(min = 1, max = 100))]
    limit: Option<i64>,
    /// `next` of the page before.
    cursor: Option<String>,
}

impl Which {
    fn query(&self) -> Result<Query> {
        Ok(Query {
            status: self.status,
            before: Cursor::decode(self.cursor.as_deref())?,
            limit: self.limit.unwrap_or(DEFAULT_LIMIT),
            ..Query::default()
        })
    }
}

/// List the invitations to a need
///
/// For those who may look for people for it. Who has not accepted is not named; who has, only to those
/// who invited.
#[utoipa::path(tag = "matching", params(
        ("kind" = NeedKind, Path, description = "What the need is"),
        ("id" = String, Path, format = Uuid, description = "The wish or role"), Which),
    responses(
        (status = 200, description = "The newest first", body = Page<InvitationView>),
        (status = 403, description = "Not the caller's to ask", body = ProblemBody),
        (status = 404, description = "No such need", body = ProblemBody),
        (status = 422, description = "A parameter out of bounds", body = ProblemBody)))]
#[get("/needs/{kind}/{id}/invitations")]
pub(super) async fn list_of_need(
    caller: Caller,
    platform: Data<Platform>,
    desk: Data<Desk>,
    path: Path<(NeedKind, Uuid)>,
    query: Params<Which>,
) -> Result<List<Page<InvitationView>>> {
    let need = need_of(path.into_inner());
    let query = Query {
        need: Some(need),
        ..query.0.query()?
    };
    // who withdrew the consent a moment ago is matched before nobody's eyes
    desk.matching.until_current().await?;
    let found = platform.db.read(move |conn| {
        check_may_ask(conn, &caller, need)?;
        let rows = store::list(conn, &query)?;
        Page::of(rows, query.limit, |row| row.id)
            .try_map(|row| InvitationView::of(conn, &desk, row, &caller))
    });
    Ok(List(found.await?))
}

/// Take an invitation back
///
/// The person reads why.
#[utoipa::path(tag = "matching", request_body = Reason,
    params(("id" = InvitationId, Path, description = "The invitation")), responses(
    (status = 200, description = "Taken back; also when it was before by the same caller", body = InvitationView),
    (status = 403, description = "Not the caller's move", body = ProblemBody),
    (status = 404, description = "No such invitation", body = ProblemBody),
    (status = 409, description = "Its state does not allow it", body = ProblemBody),
    (status = 422, description = "Without a reason", body = ProblemBody)))]
#[post("/invitations/{id}/cancel")]
pub(super) async fn cancel(
    command: Command<Reason>,
    desk: Data<Desk>,
    id: Path<InvitationId>,
) -> Result<HttpResponse> {
    command
        .run(move |tx, caller, input| {
            let row = service::cancel(tx, caller, *id, &input.reason)?;
            Ok(Made::changed(InvitationView::of(
                tx.conn, &desk, row, caller,
            )?))
        })
        .await
}

// ---- recruitments

/// Recruit people for a need
///
/// Invites the best candidates at once, and the next best as soon as so few may still say yes that the
/// places cannot be filled; until they are filled, nobody is left, the last wave is over, the need is not
/// open any more, or it is stopped. Nobody is asked twice for the same need.
#[utoipa::path(tag = "matching", request_body = NewRecruitment, params(
        ("kind" = NeedKind, Path, description = "What the need is"),
        ("id" = String, Path, format = Uuid, description = "The wish or role")),
    responses(
        (status = 201, description = "The first wave is out; or it has ended, since nobody fits", body = RecruitmentView),
        (status = 403, description = "Not the caller's to ask, or not the leader of the crew", body = ProblemBody),
        (status = 404, description = "No such need or claim", body = ProblemBody),
        (status = 409, description = "All places are taken, the crew closed, or one is running already", body = ProblemBody),
        (status = 422, description = "Wrong fields", body = ProblemBody)))]
#[post("/needs/{kind}/{id}/recruitments")]
pub(super) async fn start_recruitment(
    command: Command<NewRecruitment>,
    desk: Data<Desk>,
    path: Path<(NeedKind, Uuid)>,
) -> Result<HttpResponse> {
    let need = need_of(path.into_inner());
    desk.matching.until_current().await?;
    command
        .run(move |tx, caller, input| {
            let row = service::start(tx, &desk, caller, need, input)?;
            let location = format!("/api/v1/recruitments/{}", row.id);
            Ok(Made::new(
                RecruitmentView::of(tx.conn, row, caller)?,
                location,
            ))
        })
        .await
}

#[derive(Debug, Clone, Deserialize, IntoParams, Validate)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct WhichRecruitments {
    /// Where they stand; all when left out.
    status: Option<RecruitmentStatus>,
    /// Rows a page holds, 1 to 100.
    #[validate(range(min = 1, max = 100))]
    limit: Option<i64>,
    /// `next` of the page before.
    cursor: Option<String>,
}

/// List the recruitments for a need
#[utoipa::path(tag = "matching", params(
        ("kind" = NeedKind, Path, description = "What the need is"),
        ("id" = String, Path, format = Uuid, description = "The wish or role"), WhichRecruitments),
    responses(
        (status = 200, description = "The newest first", body = Page<RecruitmentView>),
        (status = 403, description = "Not the caller's to ask", body = ProblemBody),
        (status = 404, description = "No such need", body = ProblemBody),
        (status = 422, description = "A parameter out of bounds", body = ProblemBody)))]
#[get("/needs/{kind}/{id}/recruitments")]
pub(super) async fn list_recruitments(
    caller: Caller,
    platform: Data<Platform>,
    path: Path<(NeedKind, Uuid)>,
    query: Params<WhichRecruitments>,
) -> Result<List<Page<RecruitmentView>>> {
    let (need, Params(which)) = (need_of(path.into_inner()), query);
    let before = Cursor::decode(which.cursor.as_deref())?;
    let limit = which.limit.unwrap_or(DEFAULT_LIMIT);
    let found = platform.db.read(move |conn| {
        check_may_ask(conn, &caller, need)?;
        let rows = store::of_need(conn, need, which.status, before, limit)?;
        Page::of(rows, limit, |row| row.id).try_map(|row| RecruitmentView::of(conn, row, &caller))
    });
    Ok(List(found.await?))
}

/// Read a recruitment
#[utoipa::path(tag = "matching", params(("id" = RecruitmentId, Path, description = "The recruitment")), responses(
    (status = 200, description = "The recruitment", body = RecruitmentView),
    (status = 404, description = "No such recruitment", body = ProblemBody)))]
#[get("/recruitments/{id}")]
pub(super) async fn read_recruitment(
    caller: Caller,
    platform: Data<Platform>,
    id: Path<RecruitmentId>,
) -> Result<Json<RecruitmentView>> {
    let found = platform.db.read(move |conn| {
        let row = store::recruitment(conn, *id)?;
        RecruitmentView::of(conn, row, &caller)
    });
    Ok(Json(found.await?))
}

/// List the invitations of a recruitment
#[utoipa::path(tag = "matching", params(("id" = RecruitmentId, Path, description = "The recruitment"), Which), responses(
    (status = 200, description = "The newest first", body = Page<InvitationView>),
    (status = 404, description = "No such recruitment", body = ProblemBody),
    (status = 422, description = "A parameter out of bounds", body = ProblemBody)))]
#[get("/recruitments/{id}/invitations")]
pub(super) async fn list_of_recruitment(
    caller: Caller,
    platform: Data<Platform>,
    desk: Data<Desk>,
    id: Path<RecruitmentId>,
    query: Params<Which>,
) -> Result<List<Page<InvitationView>>> {
    let query = Query {
        recruitment: Some(*id),
        ..query.0.query()?
    };
    desk.matching.until_current().await?;
    let found = platform.db.read(move |conn| {
        let recruitment = store::recruitment(conn, *id)?;
        service::recruiter(conn, &caller, &recruitment)?;
        let rows = store::list(conn, &query)?;
        Page::of(rows, query.limit, |row| row.id)
            .try_map(|row| InvitationView::of(conn, &desk, row, &caller))
    });
    Ok(List(found.await?))
}

/// Stop a recruitment
///
/// No more waves go out. Who was asked may answer as long as it was told.
#[utoipa::path(tag = "matching", request_body = Reason,
    params(("id" = RecruitmentId, Path, description = "The recruitment")), responses(
    (status = 200, description = "Stopped; also when it was before by the same caller", body = RecruitmentView),
    (status = 403, description = "Not the caller's move", body = ProblemBody),
    (status = 404, description = "No such recruitment", body = ProblemBody),
    (status = 409, description = "Its state does not allow it", body = ProblemBody),
    (status = 422, description = "Without a reason", body = ProblemBody)))]
#[post("/recruitments/{id}/stop")]
pub(super) async fn stop_recruitment(
    command: Command<Reason>,
    id: Path<RecruitmentId>,
) -> Result<HttpResponse> {
    command
        .run(move |tx, caller, input| {
            let row = service::stop(tx, caller, *id, &input.reason)?;
            Ok(Made::changed(RecruitmentView::of(tx.conn, row, caller)?))
        })
        .await
}
