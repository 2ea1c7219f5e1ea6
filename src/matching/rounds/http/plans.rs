//! What a plan says: its figures, who does what, who and what is left, and the proof.

use actix_web::http::header;
use actix_web::web::{Data, Path};
use actix_web::{HttpResponse, get};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;
use validator::Validate;

use super::super::columns;
use super::super::model::{
    Assignment, BatchRoundId, NeedReason, NeedRow, PersonReason, PersonRow, RoundPlan,
};
use super::super::planner::UNITS;
use super::super::service;
use super::super::store::{self, Which};
use crate::error::{Error, Result};
use crate::identity::Caller;
use crate::matching::model::NeedKind;
use crate::matching::score::{self, FACTORS, Factor};
use crate::platform::Platform;
use crate::platform::clock::Instant;
use crate::platform::db::Conn;
use crate::platform::http::page::DEFAULT_LIMIT;
use crate::platform::http::{Cursor, List, Page, Params, ProblemBody};
use crate::text_enum;

pub(super) fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(list_plans)
        .service(list_assignments)
        .service(list_people)
        .service(list_needs)
        .service(read_duals)
        .service(read_problem);
}

/// The figures of a plan. Totals and bound are sums of scores, of 0 to 100 each.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RoundPlan)]
pub struct PlanView {
    /// Counts the round's plans.
    number: i32,
    /// People who were considered.
    people: i32,
    /// Needs that were considered.
    needs: i32,
    /// Pairs that the solver chose from.
    pairs: i64,
    /// Pairs in it.
    assigned: i32,
    /// Of those, kept by hand.
    kept: i32,
    /// The sum of the scores.
    total: f64,
    /// What those kept by hand are of it; the bound and the greedy total hold it, too.
    kept_total: f64,
    /// No plan with the same locks and pairs has a greater sum. The duals prove it.
    upper_bound: f64,
    /// The share of the bound that the total may fall short of: 0 is an optimum.
    gap: f64,
    /// Seconds it took to solve.
    seconds: f64,
    /// Pairs in the plan that takes the best pair that still fits, again and again.
    greedy_assigned: i32,
    /// The sum of that one.
    greedy_total: f64,
    /// How much better the plan is.
    difference: f64,
    /// People without a place.
    without_place: i32,
    /// Places that nobody has.
    free_places: i64,
    /// Pairs that the plan before had not.
    added: i64,
    /// Pairs that only the plan before had.
    removed: i64,
    /// The version of the weights it was made by.
    weights_version: i32,
    /// When it was made.
    created_at: Instant,
}

impl PlanView {
    pub(super) fn of(conn: &mut Conn, row: RoundPlan) -> Result<Self> {
        let (added, removed) = store::changes(conn, row.id)?;
        let points = |units: i64| units as f64 / UNITS;
        Ok(Self {
            gap: row.gap(),
            number: row.number.unwrap_or_default(),
            people: row.people,
            needs: row.needs,
            pairs: row.pairs,
            assigned: row.assigned,
            kept: row.kept,
            total: points(row.total),
            kept_total: points(row.kept_total),
            upper_bound: row.upper_bound / UNITS,
            seconds: row.seconds,
            greedy_assigned: row.greedy_assigned,
            greedy_total: points(row.greedy_total),
            difference: points(row.total - row.greedy_total),
            without_place: row.without_place,
            free_places: row.free_places,
            added,
            removed,
            weights_version: row.weights_version,
            created_at: row.created_at,
        })
    }
}

#[derive(Debug, Clone, Deserialize, IntoParams, Validate)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Plans {
    /// Rows a page holds, 1 to 100.
    #[validate(range(min = 1, max = 100))]
    limit: Option<i64>,
    /// `next` of the page before.
    cursor: Option<String>,
}

/// List the plans of a batch round
///
/// Their figures. Who does what is kept of the last one; `added` and `removed` of earlier ones are 0.
#[utoipa::path(tag = "matching", params(("id" = BatchRoundId, Path, description = "The round"), Plans), responses(
    (status = 200, description = "The newest first", body = Page<PlanView>),
    (status = 404, description = "No such round", body = ProblemBody),
    (status = 422, description = "A parameter out of bounds", body = ProblemBody)))]
#[get("/rounds/{id}/plans")]
async fn list_plans(
    caller: Caller,
    platform: Data<Platform>,
    id: Path<BatchRoundId>,
    query: Params<Plans>,
) -> Result<List<Page<PlanView>>> {
    let before = Cursor::decode(query.0.cursor.as_deref())?;
    let limit = query.0.limit.unwrap_or(DEFAULT_LIMIT);
    let found = platform.db.read(move |conn| {
        let round = service::visible(conn, &caller, *id)?;
        let rows = store::plans(conn, round.id, before, limit)?;
        Page::of(rows, limit, |row| row.number).try_map(|row| PlanView::of(conn, row))
    });
    Ok(List(found.await?))
}

text_enum! {
    /// Which assignments are asked for.
    AssignmentSet {
        /// Those of the plan.
        Plan,
        /// Those of the greedy one.
        Greedy,
        /// Those that the plan before had not.
        Added,
        /// Those that only the plan before had.
        Removed,
    }
}

impl From<AssignmentSet> for Which {
    fn from(set: AssignmentSet) -> Self {
        match set {
            AssignmentSet::Plan => Self::Plan,
            AssignmentSet::Greedy => Self::Greedy,
            AssignmentSet::Added => Self::Added,
            AssignmentSet::Removed => Self::Removed,
        }
    }
}

/// A factor of a score, as it was when the plan was made.
#[derive(Debug, Serialize, ToSchema)]
struct PlannedFactor {
    /// Which one.
    factor: Factor,
    /// 0 to 1.
    value: f64,
    /// What it counts beside the others.
    weight: f64,
    /// Its part of the score; the parts sum to it.
    contribution: f64,
}

/// A person and a need.
#[derive(Debug, Serialize, ToSchema)]
struct RoundAssignment {
    /// What the person is called in this round.
    person: String,
    /// What the need is.
    need_kind: NeedKind,
    /// The wish or role.
    #[schema(value_type = String, format = Uuid)]
    need_id: Uuid,
    /// The need in a few words.
    title: String,
    /// 0 to 100.
    score: f64,
    /// What the score is made of.
    factors: Vec<PlannedFactor>,
    /// Whether it is in the plan.
    in_plan: bool,
    /// Whether it is in the greedy one.
    in_greedy: bool,
    /// Whether it was in the plan before.
    in_former: bool,
    /// Whether it is kept by hand.
    is_kept: bool,
}

#[derive(Debug, Clone, Deserialize, IntoParams, Validate)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Assignments {
    /// Which; those of the plan when left out.
    #[param(inline)]
    set: Option<AssignmentSet>,
    /// Only those of this need.
    need_id: Option<Uuid>,
    /// Rows a page holds, 1 to 100.
    #[validate(range(min = 1, max = 100))]
    limit: Option<i64>,
    /// `next` of the page before.
    cursor: Option<String>,
}

/// List who does what
///
/// In the plan, in the greedy one, or what changed since the plan before. Nobody is named.
#[utoipa::path(tag = "matching", params(("id" = BatchRoundId, Path, description = "The round"), Assignments), responses(
    (status = 200, description = "By need, the best first", body = Page<RoundAssignment>),
    (status = 404, description = "No such round", body = ProblemBody),
    (status = 409, description = "It was not planned yet", body = ProblemBody),
    (status = 422, description = "A parameter out of bounds", body = ProblemBody)))]
#[get("/rounds/{id}/assignments")]
async fn list_assignments(
    caller: Caller,
    platform: Data<Platform>,
    id: Path<BatchRoundId>,
    query: Params<Assignments>,
) -> Result<List<Page<RoundAssignment>>> {
    let Params(query) = query;
    let after = Cursor::decode(query.cursor.as_deref())?;
    let limit = query.limit.unwrap_or(DEFAULT_LIMIT);
    let which = query.set.unwrap_or(AssignmentSet::Plan).into();
    let vault = platform.vault.clone();
    let found = platform.db.read(move |conn| {
        let plan = service::visible_plan(conn, &caller, *id)?;
        let rows = store::assignments(conn, plan.id, which, query.need_id, after, limit)?;
        let view = |row: Assignment| {
            let parts = score::contributions(&row.factors.0, &plan.weights.0);
            let factors = FACTORS.iter().zip(row.factors.0).zip(parts);
            RoundAssignment {
                person: service::pseudonym(&vault, *id, row.account_id),
                need_kind: row.need_kind,
                need_id: row.need_id.0,
                title: row.title,
                score: row.score,
                factors: factors
                    .map(|((factor, value), (weight, contribution))| PlannedFactor {
                        factor: *factor,
                        value,
                        weight,
                        contribution,
                    })
                    .collect(),
                in_plan: row.in_plan,
                in_greedy: row.in_greedy,
                in_former: row.in_former,
                is_kept: row.is_kept,
            }
        };
        Ok(Page::of(rows, limit, |row| row.number).map(view))
    });
    Ok(List(found.await?))
}

/// A person who was considered.
#[derive(Debug, Serialize, ToSchema)]
struct RoundPerson {
    /// What the person is called in this round.
    person: String,
    /// Its number in the duals.
    number: i32,
    /// How much it may take.
    places: i32,
    /// How much the plan gives it.
    assigned: i32,
    /// Needs it may take, as far as they were considered.
    candidates: i32,
    /// Why it has no place; null where it has one.
    reason: Option<PersonReason>,
    /// Where no need is for this person: the codes of what stands in the way most often.
    codes: Vec<String>,
}

impl From<PersonRow> for RoundPerson {
    fn from(row: PersonRow) -> Self {
        Self {
            person: row.pseudonym,
            number: row.number,
            places: row.places,
            assigned: row.assigned,
            candidates: row.candidates,
            reason: row.reason,
            codes: row.codes.0,
        }
    }
}

#[derive(Debug, Clone, Deserialize, IntoParams, Validate)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct People {
    /// Only those with a place, or without one.
    has_place: Option<bool>,
    /// Only those without a place for this reason.
    reason: Option<PersonReason>,
    /// Rows a page holds, 1 to 100.
    #[validate(range(min = 1, max = 100))]
    limit: Option<i64>,
    /// `next` of the page before.
    cursor: Option<String>,
}

/// List the people of a plan
///
/// With the reason why somebody has no place. Nobody is named.
#[utoipa::path(tag = "matching", params(("id" = BatchRoundId, Path, description = "The round"), People), responses(
    (status = 200, description = "In the order of the duals", body = Page<RoundPerson>),
    (status = 404, description = "No such round", body = ProblemBody),
    (status = 409, description = "It was not planned yet", body = ProblemBody),
    (status = 422, description = "A parameter out of bounds", body = ProblemBody)))]
#[get("/rounds/{id}/people")]
async fn list_people(
    caller: Caller,
    platform: Data<Platform>,
    id: Path<BatchRoundId>,
    query: Params<People>,
) -> Result<List<Page<RoundPerson>>> {
    let Params(query) = query;
    let after = Cursor::decode(query.cursor.as_deref())?;
    let limit = query.limit.unwrap_or(DEFAULT_LIMIT);
    let found = platform.db.read(move |conn| {
        let plan = service::visible_plan(conn, &caller, *id)?;
        let (has_place, reason) = (query.has_place, query.reason);
        store::people(conn, plan.id, has_place, reason, after, limit)
    });
    let page = Page::of(found.await?, limit, |row| row.number);
    Ok(List(page.map(RoundPerson::from)))
}

/// A need that was considered.
#[derive(Debug, Serialize, ToSchema)]
struct RoundNeed {
    /// What it is.
    kind: NeedKind,
    /// The wish or role.
    #[schema(value_type = String, format = Uuid)]
    id: Uuid,
    /// In a few words.
    title: String,
    /// Its number in the duals.
    number: i32,
    /// Places that were free.
    places: i32,
    /// How many of them the plan fills.
    assigned: i32,
    /// People who may take it, as far as they were considered.
    candidates: i32,
    /// What one more place would add to the total.
    price: f64,
    /// Why places are left; null where none is.
    reason: Option<NeedReason>,
    /// Where nobody fits: the codes of what stands in the way most often.
    codes: Vec<String>,
}

impl From<NeedRow> for RoundNeed {
    fn from(row: NeedRow) -> Self {
        Self {
            kind: row.need_kind,
            id: row.need_id.0,
            title: row.title,
            number: row.number,
            places: row.places,
            assigned: row.assigned,
            candidates: row.candidates,
            price: row.price,
            reason: row.reason,
            codes: row.codes.0,
        }
    }
}

#[derive(Debug, Clone, Deserialize, IntoParams, Validate)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Needs {
    /// Only those with places left, or without.
    has_free: Option<bool>,
    /// Only those with places left for this reason.
    reason: Option<NeedReason>,
    /// Rows a page holds, 1 to 100.
    #[validate(range(min = 1, max = 100))]
    limit: Option<i64>,
    /// `next` of the page before.
    cursor: Option<String>,
}

/// List the needs of a plan
///
/// With the reason why places are left.
#[utoipa::path(tag = "matching", params(("id" = BatchRoundId, Path, description = "The round"), Needs), responses(
    (status = 200, description = "In the order of the duals", body = Page<RoundNeed>),
    (status = 404, description = "No such round", body = ProblemBody),
    (status = 409, description = "It was not planned yet", body = ProblemBody),
    (status = 422, description = "A parameter out of bounds", body = ProblemBody)))]
#[get("/rounds/{id}/needs")]
async fn list_needs(
    caller: Caller,
    platform: Data<Platform>,
    id: Path<BatchRoundId>,
    query: Params<Needs>,
) -> Result<List<Page<RoundNeed>>> {
    let Params(query) = query;
    let after = Cursor::decode(query.cursor.as_deref())?;
    let limit = query.limit.unwrap_or(DEFAULT_LIMIT);
    let found = platform.db.read(move |conn| {
        let plan = service::visible_plan(conn, &caller, *id)?;
        let (has_free, reason) = (query.has_free, query.reason);
        store::needs(conn, plan.id, has_free, reason, after, limit)
    });
    let page = Page::of(found.await?, limit, |row| row.number);
    Ok(List(page.map(RoundNeed::from)))
}

const DUALS: [&str; 2] = ["u", "v"];
const PROBLEM: [&str; 5] = ["cap_v", "cap_p", "off", "prj", "w"];

/// Some columns of the plan that holds, as lines of text; written on a thread that may take its time.
async fn lines(
    caller: Caller,
    platform: &Platform,
    id: BatchRoundId,
    names: &'static [&'static str],
    write: impl FnOnce(&std::collections::HashMap<String, Vec<u8>>) -> Result<String> + Send + 'static,
) -> Result<HttpResponse> {
    let read = platform.db.read(move |conn| {
        let plan = service::visible_plan(conn, &caller, id)?;
        store::columns(conn, plan.id, names)
    });
    let columns = read.await?;
    let text = tokio::task::spawn_blocking(move || write(&columns));
    let text = text.await.map_err(Error::internal)??;
    Ok(HttpResponse::Ok()
        .insert_header((header::CONTENT_DISPOSITION, "attachment"))
        .content_type("text/plain; charset=utf-8")
        .body(text))
}

/// Read the duals of a plan
///
/// Lines `u PERSON VALUE` and `v NEED VALUE`, with the numbers of the lists of people and needs, as
/// `yiqilai bench round --duals` writes them. With the problem they prove the bound, in millionths of
/// a point: Σ places·u + Σ places·v + Σ over pairs max(0, weight − u − v), and what is kept by hand.
#[utoipa::path(tag = "matching", params(("id" = BatchRoundId, Path, description = "The round")), responses(
    (status = 200, description = "The duals", body = String, content_type = "text/plain"),
    (status = 404, description = "No such round", body = ProblemBody),
    (status = 409, description = "It was not planned yet", body = ProblemBody)))]
#[get("/rounds/{id}/duals")]
async fn read_duals(
    caller: Caller,
    platform: Data<Platform>,
    id: Path<BatchRoundId>,
) -> Result<HttpResponse> {
    lines(caller, &platform, *id, &DUALS, |columns| {
        let (people, needs) = columns::prices(columns)?;
        Ok(columns::duals(&people, &needs))
    })
    .await
}

/// Read what the solver solved
///
/// Lines `a PERSON PLACES`, `b NEED PLACES` and `w PERSON NEED WEIGHT`, weights in millionths of a
/// point, without the pairs kept by hand and the places they fill.
#[utoipa::path(tag = "matching", params(("id" = BatchRoundId, Path, description = "The round")), responses(
    (status = 200, description = "The problem", body = String, content_type = "text/plain"),
    (status = 404, description = "No such round", body = ProblemBody),
    (status = 409, description = "It was not planned yet", body = ProblemBody)))]
#[get("/rounds/{id}/problem")]
async fn read_problem(
    caller: Caller,
    platform: Data<Platform>,
    id: Path<BatchRoundId>,
) -> Result<HttpResponse> {
    lines(caller, &platform, *id, &PROBLEM, |columns| {
        Ok(columns::problem(&columns::round(columns)?))
    })
    .await
}
