//! Batch rounds over HTTP.

mod locks;
mod plans;

use actix_web::web::{Data, Path};
use actix_web::{HttpResponse, get, patch, post};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;
use validator::Validate;

use super::model::{BatchRound, BatchRoundId, RoundInvitation, RoundInvitationStatus, RoundStatus};
use super::rules::{MOVES, tally};
use super::sending::{self, Commitment};
use super::service::{self, EditBatchRound, NewBatchRound};
use super::store;
use crate::error::{Code, Result};
use crate::identity::{self, AccountId, Caller, Command, Made, Role};
use crate::matching::invitations::Desk;
use crate::matching::model::NeedKind;
use crate::matching::projection::Matching;
use crate::platform::Platform;
use crate::platform::clock::Instant;
use crate::platform::db::Conn;
use crate::platform::http::page::DEFAULT_LIMIT;
use crate::platform::http::valid::{Nothing, Reason};
use crate::platform::http::{Cursor, List, Page, Params, ProblemBody, etag};
use crate::platform::lifecycle;
use crate::projects::campaigns::BatchId;
use crate::regions::RegionId;

use plans::PlanView;

/// The routes of batch rounds.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(list_rounds)
        .service(create_round)
        .service(read_round)
        .service(edit_round)
        .service(plan_round)
        .service(commit_round)
        .service(close_round)
        .service(list_invitations)
        .service(cancel_round);
    plans::routes(config);
    locks::routes(config);
}

/// A batch round.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = BatchRound)]
pub struct RoundView {
    /// Its id.
    pub id: BatchRoundId,
    /// What it is called.
    pub title: String,
    /// The batch whose projects' roles it plans; null for one over a region.
    pub batch_id: Option<BatchId>,
    /// The region it is over; that of the batch's campaign.
    pub region_id: RegionId,
    /// The volunteers of this region are considered.
    pub people_region_id: RegionId,
    /// Whether wishes are planned, too.
    pub with_wishes: bool,
    /// Whether only internal Party activities are planned.
    pub party_only: bool,
    /// How much one person may take.
    pub places_per_person: i32,
    /// Who opened it.
    pub created_by: AccountId,
    /// Where it stands.
    pub status: RoundStatus,
    /// Since when.
    pub status_since: Instant,
    /// Whether terms or locks were changed since the plan was made.
    pub is_edited: bool,
    /// The code of why the last planning failed.
    pub failure: Option<String>,
    /// The plan that holds; null before the first.
    pub plan: Option<PlanView>,
    /// What became of the pairs that were sent.
    pub answers: Answers,
    /// Whether it goes on by itself once all are answered.
    pub is_automatic: bool,
    /// How often it still does.
    pub resolves_left: i32,
    /// The moves that are the caller's now; a rule may still refuse one.
    pub moves: Vec<&'static str>,
    /// Its version, as in the `ETag`.
    pub version: i32,
    /// When it was opened.
    pub created_at: Instant,
}

/// What became of the pairs that were sent, counted.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RoundAnswers)]
pub struct Answers {
    /// Invited, and not answered.
    pub open: i64,
    /// Took the need on.
    pub accepted: i64,
    /// Did not want to.
    pub declined: i64,
    /// Did not answer in time.
    pub expired: i64,
    /// Taken back, or others took the places.
    pub ended: i64,
    /// Not invited.
    pub not_sent: i64,
}

impl RoundView {
    fn of(conn: &mut Conn, caller: &Caller, row: BatchRound) -> Result<Self> {
        let relation = service::relation(conn, caller, &row)?;
        let plan = match store::plan(conn, row.id, row.plan_number)? {
            Some(plan) => Some(PlanView::of(conn, plan)?),
            None => None,
        };
        let counts = store::counts(conn, row.id)?;
        let of = |status| tally(&counts, &[status]);
        Ok(Self {
            answers: Answers {
                open: of(RoundInvitationStatus::Open),
                accepted: of(RoundInvitationStatus::Accepted),
                declined: of(RoundInvitationStatus::Declined),
                expired: of(RoundInvitationStatus::Expired),
                ended: of(RoundInvitationStatus::Ended),
                not_sent: of(RoundInvitationStatus::NotSent),
            },
            is_automatic: row.is_automatic,
            resolves_left: row.resolves_left,
            moves: lifecycle::open_to(MOVES, relation, row.status),
            plan,
            id: row.id,
            title: row.title,
            batch_id: row.batch_id,
            region_id: row.region_id,
            people_region_id: row.people_region_id,
            with_wishes: row.with_wishes,
            party_only: row.party_only,
            places_per_person: row.places_per_person,
            created_by: row.created_by,
            status: row.status,
            status_since: row.status_since,
            is_edited: row.is_edited,
            failure: row.failure,
            version: row.version,
            created_at: row.created_at,
        })
    }
}

fn made(conn: &mut Conn, caller: &Caller, row: BatchRound) -> Result<Made<RoundView>> {
    let version = row.version;
    Ok(Made::changed(RoundView::of(conn, caller, row)?).version(version))
}

#[derive(Debug, Clone, Deserialize, IntoParams, Validate)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Browse {
    /// Where they stand.
    status: Option<RoundStatus>,
    /// Over this batch.
    batch_id: Option<BatchId>,
    /// Over this region or one below it.
    region_id: Option<RegionId>,
    /// Rows a page holds, 1 to 100.
    #[validate(range(min = 1, max = 100))]
    limit: Option<i64>,
    /// `next` of the page before.
    cursor: Option<String>,
}

/// List the batch rounds that one coordinates
#[utoipa::path(tag = "matching", params(Browse), responses(
    (status = 200, description = "The newest first", body = Page<RoundView>),
    (status = 403, description = "Neither staff of a region nor an administrator of the platform", body = ProblemBody),
    (status = 422, description = "A parameter out of bounds", body = ProblemBody)))]
#[get("/rounds")]
async fn list_rounds(
    caller: Caller,
    platform: Data<Platform>,
    query: Params<Browse>,
) -> Result<List<Page<RoundView>>> {
    let Params(query) = query;
    let within = caller.regions(&[Role::RegionAdmin]);
    if within.is_empty() && !caller.is_platform_admin() {
        return Err(Code::Forbidden.into());
    }
    let limit = query.limit.unwrap_or(DEFAULT_LIMIT);
    let wanted = store::Query {
        within,
        of_batches: caller.is_platform_admin(),
        status: query.status,
        batch: query.batch_id,
        region: query.region_id,
        before: Cursor::decode(query.cursor.as_deref())?,
        limit,
    };
    let found = platform.db.read(move |conn| {
        let rows = store::list(conn, &wanted)?;
        Page::of(rows, limit, |row| row.id).try_map(|row| RoundView::of(conn, &caller, row))
    });
    Ok(List(found.await?))
}

/// Open a batch round
///
/// Over the open roles of a batch's projects, or over those of a region, with its wishes where that is
/// wanted. For staff whose region covers it, and for whoever publishes the batch.
#[utoipa::path(tag = "matching", request_body = NewBatchRound, responses(
    (status = 201, description = "Opened", body = RoundView),
    (status = 404, description = "No such batch or region, or a foreign one", body = ProblemBody),
    (status = 422, description = "Wrong fields", body = ProblemBody)))]
#[post("/rounds")]
async fn create_round(
    command: Command<NewBatchRound>,
    matching: Data<Matching>,
) -> Result<HttpResponse> {
    command
        .run(move |tx, caller, input| {
            let rules = &matching.setting().matching.rounds;
            let row = service::create(tx, rules, caller, input)?;
            let (location, version) = (format!("/api/v1/rounds/{}", row.id), row.version);
            let view = RoundView::of(tx.conn, caller, row)?;
            Ok(Made::new(view, location).version(version))
        })
        .await
}

/// Read a batch round
///
/// With the figures of the plan that holds, beside those of the greedy one.
#[utoipa::path(tag = "matching", params(("id" = BatchRoundId, Path, description = "The round")), responses(
    (status = 200, description = "The round", body = RoundView),
    (status = 404, description = "No such round", body = ProblemBody)))]
#[get("/rounds/{id}")]
async fn read_round(
    caller: Caller,
    platform: Data<Platform>,
    id: Path<BatchRoundId>,
) -> Result<HttpResponse> {
    let read = platform.db.read(move |conn| {
        let row = service::visible(conn, &caller, *id)?;
        Ok((row.version, RoundView::of(conn, &caller, row)?))
    });
    let (version, view) = read.await?;
    Ok(HttpResponse::Ok().insert_header(etag(version)).json(view))
}

/// Change the terms of a batch round
///
/// The plan is out of date then, until it is made again.
#[utoipa::path(tag = "matching", request_body = EditBatchRound,
    params(("id" = BatchRoundId, Path, description = "The round"), ("If-Match" = String, Header, description = "The ETag that was read")), responses(
    (status = 200, description = "Changed", body = RoundView),
    (status = 404, description = "No such round", body = ProblemBody),
    (status = 409, description = "It is being planned, or over", body = ProblemBody),
    (status = 412, description = "Changed since it was read", body = ProblemBody),
    (status = 422, description = "Wrong fields", body = ProblemBody),
    (status = 428, description = "Without If-Match", body = ProblemBody)))]
#[patch("/rounds/{id}")]
async fn edit_round(
    command: Command<EditBatchRound>,
    id: Path<BatchRoundId>,
    matching: Data<Matching>,
) -> Result<HttpResponse> {
    let seen = command.if_match.clone();
    command
        .run(move |tx, caller, input| {
            let rules = &matching.setting().matching.rounds;
            let row = service::edit(tx, rules, caller, *id, &seen, input)?;
            made(tx.conn, caller, row)
        })
        .await
}

/// Plan a batch round
///
/// The worker makes the plan; who opened the round is told when it is there. With other locks or
/// terms it is planned again.
#[utoipa::path(tag = "matching", request_body = Nothing, params(("id" = BatchRoundId, Path, description = "The round")), responses(
    (status = 200, description = "Being planned; also when it was before by the same caller", body = RoundView),
    (status = 404, description = "No such round", body = ProblemBody),
    (status = 409, description = "Its state does not allow it, or nothing or nobody is there to be planned", body = ProblemBody),
    (status = 422, description = "It is larger than a round may be", body = ProblemBody)))]
#[post("/rounds/{id}/plan")]
async fn plan_round(
    command: Command<Nothing>,
    id: Path<BatchRoundId>,
    matching: Data<Matching>,
) -> Result<HttpResponse> {
    matching.until_current().await?;
    command
        .run(move |tx, caller, _| {
            let row = service::plan(tx, &matching, caller, *id)?;
            made(tx.conn, caller, row)
        })
        .await
}

/// Give a batch round up
#[utoipa::path(tag = "matching", request_body = Reason, params(("id" = BatchRoundId, Path, description = "The round")), responses(
    (status = 200, description = "Given up; also when it was before by the same caller", body = RoundView),
    (status = 404, description = "No such round", body = ProblemBody),
    (status = 409, description = "Its state does not allow it", body = ProblemBody),
    (status = 422, description = "Wrong fields", body = ProblemBody)))]
#[post("/rounds/{id}/cancel")]
async fn cancel_round(command: Command<Reason>, id: Path<BatchRoundId>) -> Result<HttpResponse> {
    command
        .run(move |tx, caller, input| {
            let row = service::cancel(tx, caller, *id, &input.reason)?;
            made(tx.conn, caller, row)
        })
        .await
}

/// Send the invitations of a plan
///
/// Everybody in it is invited and decides; the worker sends. Who is not accepted, declined or left out
/// of time leaves a place, which is planned again by `plan`, or by itself where that is wanted.
#[utoipa::path(tag = "matching", request_body = Commitment, params(("id" = BatchRoundId, Path, description = "The round")), responses(
    (status = 200, description = "Being sent; also when it was before by the same caller", body = RoundView),
    (status = 404, description = "No such round", body = ProblemBody),
    (status = 409, description = "Its state does not allow it, the plan is out of date, or gives nobody a place", body = ProblemBody),
    (status = 422, description = "Wrong fields", body = ProblemBody)))]
#[post("/rounds/{id}/commit")]
async fn commit_round(
    command: Command<Commitment>,
    id: Path<BatchRoundId>,
    desk: Data<Desk>,
) -> Result<HttpResponse> {
    command
        .run(move |tx, caller, input| {
            let row = sending::commit(tx, &desk, caller, *id, input)?;
            made(tx.conn, caller, row)
        })
        .await
}

/// End a batch round
///
/// Who was invited may answer as long as they were told.
#[utoipa::path(tag = "matching", request_body = Nothing, params(("id" = BatchRoundId, Path, description = "The round")), responses(
    (status = 200, description = "Ended; also when it was before by the same caller", body = RoundView),
    (status = 404, description = "No such round", body = ProblemBody),
    (status = 409, description = "Its state does not allow it", body = ProblemBody)))]
#[post("/rounds/{id}/close")]
async fn close_round(command: Command<Nothing>, id: Path<BatchRoundId>) -> Result<HttpResponse> {
    command
        .run(move |tx, caller, _| {
            let row = sending::close(tx, caller, *id)?;
            made(tx.conn, caller, row)
        })
        .await
}

/// What became of a pair of a plan.
#[derive(Debug, Serialize, ToSchema)]
struct RoundInvitationView {
    /// What the person is called in this round.
    person: String,
    /// Who; null until the person accepts.
    account_id: Option<AccountId>,
    /// What the person is called; null until then, too.
    name: Option<String>,
    /// What the need is.
    need_kind: NeedKind,
    /// The wish or role.
    #[schema(value_type = String, format = Uuid)]
    need_id: Uuid,
    /// The need in a few words.
    title: String,
    /// 0 to 100, as it was planned.
    score: f64,
    /// By which of the round's plans.
    plan_number: i32,
    /// Where it stands.
    status: RoundInvitationStatus,
    /// Since when.
    status_since: Instant,
    /// The code of why nobody was invited.
    code: Option<String>,
}

#[derive(Debug, Clone, Deserialize, IntoParams, Validate)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Answered {
    /// Where they stand.
    status: Option<RoundInvitationStatus>,
    /// Rows a page holds, 1 to 100.
    #[validate(range(min = 1, max = 100))]
    limit: Option<i64>,
    /// `next` of the page before.
    cursor: Option<String>,
}

/// List what became of the invitations of a batch round
///
/// People are named once they accept.
#[utoipa::path(tag = "matching", params(("id" = BatchRoundId, Path, description = "The round"), Answered), responses(
    (status = 200, description = "Plan by plan", body = Page<RoundInvitationView>),
    (status = 404, description = "No such round", body = ProblemBody),
    (status = 422, description = "A parameter out of bounds", body = ProblemBody)))]
#[get("/rounds/{id}/invitations")]
async fn list_invitations(
    caller: Caller,
    platform: Data<Platform>,
    id: Path<BatchRoundId>,
    query: Params<Answered>,
) -> Result<List<Page<RoundInvitationView>>> {
    let Params(query) = query;
    let after = Cursor::decode(query.cursor.as_deref())?;
    let limit = query.limit.unwrap_or(DEFAULT_LIMIT);
    let vault = platform.vault.clone();
    let found = platform.db.read(move |conn| {
        let round = service::visible(conn, &caller, *id)?;
        let rows = store::page_of_invitations(conn, round.id, query.status, after, limit)?;
        let page = Page::of(rows, limit, |row| (row.plan_number, row.number));
        page.try_map(|row: RoundInvitation| {
            let is_named = row.status == RoundInvitationStatus::Accepted;
            // somebody who is gone has no name any more
            let name = is_named.then(|| identity::account(conn, row.account_id));
            let name = name.map(|found| found.map(|account| account.display_name));
            let code = row.code;
            Ok(RoundInvitationView {
                person: service::pseudonym(&vault, round.id, row.account_id),
                account_id: is_named.then_some(row.account_id),
                name: name.map(Result::unwrap_or_default),
                need_kind: row.need_kind,
                need_id: row.need_id.0,
                title: row.title,
                score: row.score,
                plan_number: row.plan_number,
                status: row.status,
                status_since: row.status_since,
                code,
            })
        })
    });
    Ok(List(found.await?))
}
