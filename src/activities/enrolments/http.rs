//! Enrolments over HTTP.

use actix_web::web::{Data, Json, Path};
use actix_web::{HttpResponse, get, post};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;
use validator::Validate;

use super::model::{EnrolmentId, EnrolmentStatus};
use super::rules;
use super::service::{self, NewEnrolment, Seen};
use super::store;
use crate::activities::model::{ActivityId, ActivityStatus, ShiftId};
use crate::activities::service::{self as activities, Desk};
use crate::activities::store as shifts;
use crate::error::{Code, Result};
use crate::identity::{self, AccountId, Caller, Command, Made};
use crate::platform::Platform;
use crate::platform::clock::Instant;
use crate::platform::db::Conn;
use crate::platform::http::page::DEFAULT_LIMIT;
use crate::platform::http::valid::{Nothing, Reason};
use crate::platform::http::{Cursor, Lang, List, Page, Params, ProblemBody};
use crate::platform::lifecycle::ActsAs;
use crate::text_enum;

/// The sub-room's routes.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(read_verdict)
        .service(enrol)
        .service(list_enrolments)
        .service(my_enrolments)
        .service(read_enrolment)
        .service(accept_enrolment)
        .service(decline_enrolment)
        .service(withdraw_enrolment)
        .service(remove_enrolment);
}

/// Somebody's place in a shift.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Enrolment)]
pub struct EnrolmentView {
    /// Its id.
    pub id: EnrolmentId,
    /// In which activity.
    pub activity_id: ActivityId,
    /// What the activity is called.
    pub title: String,
    /// Where the activity stands.
    pub activity_status: ActivityStatus,
    /// In which of its shifts.
    pub shift_id: ShiftId,
    /// What one is there.
    pub role: String,
    /// Who.
    pub account_id: AccountId,
    /// What the person is called; empty for somebody who is gone.
    pub name: String,
    /// Who asked them, unless they came by themselves.
    pub invited_by: Option<AccountId>,
    /// Where it stands.
    pub status: EnrolmentStatus,
    /// Since when.
    pub status_since: Instant,
    /// Whether a seat is held for it.
    pub holds_seat: bool,
    /// How many stand in the line before it; only while it waits there.
    pub ahead: Option<i64>,
    /// When its shift begins.
    pub starts_at: Instant,
    /// When its shift ends; not included.
    pub ends_at: Instant,
    /// Until when it may be accepted.
    pub accept_by: Option<Instant>,
    /// The moves that are the caller's now; a rule may still refuse one. `withdraw_late` is asked for as
    /// `withdraw`.
    pub moves: Vec<&'static str>,
    /// When it was made.
    pub created_at: Instant,
}

impl EnrolmentView {
    /// An enrolment as the caller sees it.
    ///
    /// # Errors
    /// `not_found`.
    pub fn of(
        conn: &mut Conn,
        caller: &Caller,
        id: EnrolmentId,
        (desk, now): (&Desk, Instant),
    ) -> Result<Self> {
        let Seen {
            enrolment,
            activity,
            shift,
            relation,
        } = service::visible(conn, caller, id)?;
        let is_waiting = enrolment.status == EnrolmentStatus::Waitlisted;
        let ahead = match is_waiting {
            true => Some(store::before_in_line(conn, &enrolment)?),
            false => None,
        };
        let account = identity::account(conn, enrolment.account_id);
        Ok(Self {
            moves: rules::moves(&enrolment, relation, &activity, &desk.rules, now),
            name: account
                .map(|account| account.display_name)
                .unwrap_or_default(),
            ahead,
            id: enrolment.id,
            activity_id: activity.id,
            title: activity.title,
            activity_status: activity.status,
            shift_id: shift.id,
            role: shift.name,
            account_id: enrolment.account_id,
            invited_by: enrolment.invited_by,
            status: enrolment.status,
            status_since: enrolment.status_since,
            holds_seat: enrolment.holds_seat,
            starts_at: enrolment.starts_at,
            ends_at: enrolment.ends_at,
            accept_by: enrolment.accept_by,
            created_at: enrolment.created_at,
        })
    }
}

/// A reason why somebody may not enrol.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = EnrolmentObstacle)]
struct ObstacleView {
    /// Its code.
    code: &'static str,
    /// The same as a sentence.
    detail: String,
}

text_enum! {
    /// What enrolling would come to.
    Outcome {
        /// A seat is free.
        Confirmed,
        /// The shift is full: a place in its line.
        Waitlisted,
        /// Something is in the way.
        Refused,
    }
}

/// Whether the caller may enrol in a shift.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = EnrolmentVerdict)]
struct VerdictView {
    /// What enrolling would come to now.
    outcome: Outcome,
    /// Each reason that is in the way, the weightiest first; that the shift is full is none, but stands here.
    codes: Vec<ObstacleView>,
}

/// See whether one may enrol in a shift
///
/// The same that enrolling asks; somebody else may be faster.
#[utoipa::path(tag = "activities", params(("id" = ShiftId, Path, description = "The shift")), responses(
    (status = 200, description = "The verdict", body = VerdictView),
    (status = 404, description = "No such shift", body = ProblemBody)))]
#[get("/shifts/{id}/verdict")]
async fn read_verdict(
    caller: Caller,
    lang: Lang,
    platform: Data<Platform>,
    desk: Data<Desk>,
    id: Path<ShiftId>,
) -> Result<Json<VerdictView>> {
    let at = (platform.clock.now(), platform.zone);
    let found = platform.db.read(move |conn| {
        let shift = shifts::shift(conn, *id)?;
        let (activity, _) = activities::visible(conn, Some(&caller), shift.activity_id)?;
        let codes = service::verdict(conn, &desk, (&activity, &shift), caller.account, at)?;
        Ok((codes, shift.taken >= shift.seats))
    });
    let (mut codes, is_full) = found.await?;
    let outcome = match (codes.is_empty(), is_full) {
        (true, false) => Outcome::Confirmed,
        (true, true) => Outcome::Waitlisted,
        (false, _) => Outcome::Refused,
    };
    if is_full {
        codes.push(Code::CapacityFull);
    }
    let shown = codes.into_iter().map(|code| {
        let (zh, en) = code.title();
        ObstacleView {
            code: code.as_str(),
            detail: lang.pick(zh, en).to_owned(),
        }
    });
    Ok(Json(VerdictView {
        outcome,
        codes: shown.collect(),
    }))
}

/// Enrol in a shift
///
/// At once, or into its line where it is full. Who leads a team may name somebody of it: that person is asked,
/// and no seat is held until they say yes.
#[utoipa::path(tag = "activities", request_body = NewEnrolment,
    params(("id" = ShiftId, Path, description = "The shift")), responses(
    (status = 201, description = "Enrolled, in line, or asked", body = EnrolmentView),
    (status = 403, description = "The shift is not for the caller, or the person in no team of theirs", body = ProblemBody),
    (status = 404, description = "No such shift", body = ProblemBody),
    (status = 409, description = "It is too early or too late, something the shift asks for is missing, or something is in the way: every reason in `errors`", body = ProblemBody)))]
#[post("/shifts/{id}/enrolments")]
async fn enrol(
    command: Command<NewEnrolment>,
    id: Path<ShiftId>,
    desk: Data<Desk>,
) -> Result<HttpResponse> {
    command
        .run(move |tx, caller, input| {
            let row = service::enrol(tx, &desk, caller, *id, input)?;
            let location = format!("/api/v1/enrolments/{}", row.id);
            let with = (desk.as_ref(), tx.now);
            Ok(Made::new(
                EnrolmentView::of(tx.conn, caller, row.id, with)?,
                location,
            ))
        })
        .await
}

#[derive(Debug, Clone, Deserialize, IntoParams, Validate)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Which {
    /// Only those in this shift.
    shift_id: Option<ShiftId>,
    /// Only those that stand here.
    status: Option<EnrolmentStatus>,
    /// Rows a page holds, 1 to 100.
    #[validate(range(min = 1, max = 100))]
    limit: Option<i64>,
    /// `next` of the page before.
    cursor: Option<String>,
}

/// List who is enrolled in an activity
///
/// For those who organise it.
#[utoipa::path(tag = "activities", params(("id" = ActivityId, Path, description = "The activity"), Which), responses(
    (status = 200, description = "The oldest first", body = Page<EnrolmentView>),
    (status = 403, description = "Not its organiser", body = ProblemBody),
    (status = 404, description = "No such activity", body = ProblemBody),
    (status = 422, description = "A parameter out of bounds", body = ProblemBody)))]
#[get("/activities/{id}/enrolments")]
async fn list_enrolments(
    caller: Caller,
    platform: Data<Platform>,
    desk: Data<Desk>,
    id: Path<ActivityId>,
    query: Params<Which>,
) -> Result<List<Page<EnrolmentView>>> {
    let Params(which) = query;
    let after = Cursor::decode(which.cursor.as_deref())?;
    let limit = which.limit.unwrap_or(DEFAULT_LIMIT);
    let now = platform.clock.now();
    let found = platform.db.read(move |conn| {
        let (_, relation) = activities::visible(conn, Some(&caller), *id)?;
        relation.acts_as(crate::activities::rules::By::Organizer)?;
        let rows = store::of_activity(conn, *id, which.shift_id, which.status, after, limit)?;
        Page::of(rows, limit, |row| row.id)
            .try_map(|row| EnrolmentView::of(conn, &caller, row.id, (desk.as_ref(), now)))
    });
    Ok(List(found.await?))
}

#[derive(Debug, Clone, Deserialize, IntoParams, Validate)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Mine {
    /// Only those that stand here.
    status: Option<EnrolmentStatus>,
    /// Rows a page holds, 1 to 100.
    #[validate(range(min = 1, max = 100))]
    limit: Option<i64>,
    /// `next` of the page before.
    cursor: Option<String>,
}

/// List one's enrolments
#[utoipa::path(tag = "activities", params(Mine), responses(
    (status = 200, description = "The latest shift first", body = Page<EnrolmentView>),
    (status = 422, description = "A parameter out of bounds", body = ProblemBody)))]
#[get("/me/enrolments")]
async fn my_enrolments(
    caller: Caller,
    platform: Data<Platform>,
    desk: Data<Desk>,
    query: Params<Mine>,
) -> Result<List<Page<EnrolmentView>>> {
    let Params(mine) = query;
    let before = Cursor::decode(mine.cursor.as_deref())?;
    let limit = mine.limit.unwrap_or(DEFAULT_LIMIT);
    let now = platform.clock.now();
    let found = platform.db.read(move |conn| {
        let rows = store::of_person(conn, caller.account, mine.status, before, limit)?;
        Page::of(rows, limit, |row| (row.starts_at, row.id))
            .try_map(|row| EnrolmentView::of(conn, &caller, row.id, (desk.as_ref(), now)))
    });
    Ok(List(found.await?))
}

/// Read an enrolment
///
/// For the person, who asked them, and who organises the activity.
#[utoipa::path(tag = "activities", params(("id" = EnrolmentId, Path, description = "The enrolment")), responses(
    (status = 200, description = "The enrolment", body = EnrolmentView),
    (status = 404, description = "No such enrolment, or not for the caller's eyes", body = ProblemBody)))]
#[get("/enrolments/{id}")]
async fn read_enrolment(
    caller: Caller,
    platform: Data<Platform>,
    desk: Data<Desk>,
    id: Path<EnrolmentId>,
) -> Result<Json<EnrolmentView>> {
    let now = platform.clock.now();
    let read = platform
        .db
        .point(move |conn| EnrolmentView::of(conn, &caller, *id, (desk.as_ref(), now)));
    Ok(Json(read.await?))
}

macro_rules! moves {
    ($($(#[$doc:meta])* $name:ident $path:literal $body:ty, |$tx:ident, $desk:ident, $caller:ident, $id:ident, $input:ident| $do:expr);+ $(;)?) => { $(
        $(#[$doc])*
        #[utoipa::path(tag = "activities", request_body = $body,
            params(("id" = EnrolmentId, Path, description = "The enrolment")), responses(
            (status = 200, description = "Moved; also when it was moved so before by the same caller", body = EnrolmentView),
            (status = 403, description = "Not the caller's move, or the shift is not for the person", body = ProblemBody),
            (status = 404, description = "No such enrolment", body = ProblemBody),
            (status = 409, description = "Its state or the time does not allow it, or something is in the way", body = ProblemBody)))]
        #[post($path)]
        async fn $name(command: Command<$body>, id: Path<EnrolmentId>, desk: Data<Desk>) -> Result<HttpResponse> {
            command
                .run(move |$tx, $caller, $input| {
                    let ($id, $desk) = (*id, desk.as_ref());
                    let row = $do?;
                    let with = ($desk, $tx.now);
                    Ok(Made::changed(EnrolmentView::of($tx.conn, $caller, row.id, with)?))
                })
                .await
        }
    )+ };
}

moves! {
    /// Say yes to a seat that is held, or to an invitation
    ///
    /// An invitation takes a place in the line where the shift is full.
    accept_enrolment "/enrolments/{id}/accept" Nothing, |tx, desk, caller, id, _input| service::accept(tx, desk, caller, id);
    /// Say no to a seat that is held, or to an invitation
    decline_enrolment "/enrolments/{id}/decline" Nothing, |tx, desk, caller, id, _input| service::decline(tx, desk, caller, id);
    /// Withdraw from a shift
    ///
    /// Late from the organiser's deadline on, unless time or place were changed a short while ago.
    withdraw_enrolment "/enrolments/{id}/withdraw" Nothing, |tx, desk, caller, id, _input| service::withdraw(tx, desk, caller, id);
    /// Remove somebody from a shift
    remove_enrolment "/enrolments/{id}/remove" Reason, |tx, desk, caller, id, input| service::remove(tx, desk, caller, id, &input.reason);
}
