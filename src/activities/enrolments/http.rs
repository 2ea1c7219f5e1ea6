//! Enrolments over HTTP.

use std::collections::HashMap;

use actix_web::web::{Data, Json, Path};
use actix_web::{HttpResponse, get, post};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;
use validator::Validate;

use super::model::{Enrolment, EnrolmentId, EnrolmentStatus};
use super::rules::{self, Relation};
use super::service::{self, NewEnrolment};
use super::store;
use crate::activities::model::{Activity, ActivityId, ActivityStatus, Shift, ShiftId};
use crate::activities::service::{self as activities, Desk};
use crate::activities::store as activity_store;
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
        .service(remove_enrolment)
        .service(reconfirm_enrolment);
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
    /// Why it ended, in the words of who ended it. Only for the person and who organises the activity.
    pub reason: Option<String>,
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
    /// When the person said again that they come, as a reminder asks.
    pub reconfirmed_at: Option<Instant>,
    /// When it was made.
    pub created_at: Instant,
}

/// What is said of some enrolments beside their rows, asked for at once.
struct Beside {
    activities: HashMap<ActivityId, Activity>,
    shifts: HashMap<ShiftId, Shift>,
    names: HashMap<AccountId, String>,
    ahead: HashMap<EnrolmentId, i64>,
}

impl Beside {
    fn of(conn: &mut Conn, rows: &[Enrolment]) -> Result<Self> {
        let activities: Vec<_> = rows.iter().map(|row| row.activity_id).collect();
        let shifts: Vec<_> = rows.iter().map(|row| row.shift_id).collect();
        let people: Vec<_> = rows.iter().map(|row| row.account_id).collect();
        let waits = |row: &&Enrolment| row.status == EnrolmentStatus::Waitlisted;
        let waiting: Vec<_> = rows.iter().filter(waits).map(|row| row.id).collect();
        Ok(Self {
            activities: activity_store::activities_of(conn, &activities)?,
            shifts: activity_store::shifts_named(conn, &shifts)?,
            names: identity::names(conn, &people)?,
            ahead: match waiting.is_empty() {
                true => HashMap::new(),
                false => store::before_in_line(conn, waiting)?,
            },
        })
    }
}

impl EnrolmentView {
    /// Enrolments as the caller sees them, who has to do with each of them.
    ///
    /// # Errors
    /// Those of the database.
    pub fn all(
        conn: &mut Conn,
        rows: Vec<Enrolment>,
        caller: &Caller,
        with: (&Desk, Instant),
    ) -> Result<Vec<Self>> {
        let beside = Beside::of(conn, &rows)?;
        rows.into_iter()
            .map(|row| Self::view(row, &beside, caller, with))
            .collect()
    }

    /// One of them.
    ///
    /// # Errors
    /// Those of the database.
    pub fn of(
        conn: &mut Conn,
        row: Enrolment,
        caller: &Caller,
        with: (&Desk, Instant),
    ) -> Result<Self> {
        let beside = Beside::of(conn, std::slice::from_ref(&row))?;
        Self::view(row, &beside, caller, with)
    }

    fn view(
        row: Enrolment,
        beside: &Beside,
        caller: &Caller,
        (desk, now): (&Desk, Instant),
    ) -> Result<Self> {
        let activity = beside
            .activities
            .get(&row.activity_id)
            .ok_or(Code::NotFound)?;
        let shift = beside.shifts.get(&row.shift_id).ok_or(Code::NotFound)?;
        let relation = Relation {
            person: row.account_id == caller.account,
            organizer: activities::organizes(caller, activity),
            inviter: row.invited_by == Some(caller.account),
        };
        // somebody who is gone has no name any more
        let name = beside.names.get(&row.account_id).cloned();
        let is_waiting = row.status == EnrolmentStatus::Waitlisted;
        let ahead = beside.ahead.get(&row.id).copied().unwrap_or_default();
        Ok(Self {
            moves: rules::moves(&row, relation, (activity, shift), &desk.rules, now),
            name: name.unwrap_or_default(),
            ahead: is_waiting.then_some(ahead),
            id: row.id,
            activity_id: activity.id,
            title: activity.title.clone(),
            activity_status: activity.status,
            shift_id: shift.id,
            role: shift.name.clone(),
            account_id: row.account_id,
            invited_by: row.invited_by,
            status: row.status,
            status_since: row.status_since,
            reason: row.reason.filter(|_| relation.person || relation.organizer),
            holds_seat: row.holds_seat,
            starts_at: row.starts_at,
            ends_at: row.ends_at,
            accept_by: row.accept_by,
            reconfirmed_at: row.reconfirmed_at,
            created_at: row.created_at,
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
        let shift = activity_store::shift(conn, *id)?;
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
                EnrolmentView::of(tx.conn, row, caller, with)?,
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
    /// Only those who come and have, or have not, said so again.
    reconfirmed: Option<bool>,
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
        let only = store::Which {
            shift: which.shift_id,
            status: which.status,
            reconfirmed: which.reconfirmed,
        };
        let rows = store::of_activity(conn, *id, only, after, limit)?;
        let page = Page::of(rows, limit, |row| row.id);
        Ok(Page {
            items: EnrolmentView::all(conn, page.items, &caller, (desk.as_ref(), now))?,
            next: page.next,
        })
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
        let page = Page::of(rows, limit, |row| (row.starts_at, row.id));
        Ok(Page {
            items: EnrolmentView::all(conn, page.items, &caller, (desk.as_ref(), now))?,
            next: page.next,
        })
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
    let read = platform.db.point(move |conn| {
        let seen = service::visible(conn, &caller, *id)?;
        EnrolmentView::of(conn, seen.enrolment, &caller, (desk.as_ref(), now))
    });
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
                    Ok(Made::changed(EnrolmentView::of($tx.conn, row, $caller, with)?))
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
    /// Say again that one comes
    ///
    /// As a reminder asks some days before. Whoever enrols after that has said it.
    reconfirm_enrolment "/enrolments/{id}/reconfirm" Nothing, |tx, desk, caller, id, _input| service::reconfirm(tx, desk, caller, id);
    /// Remove somebody from a shift
    remove_enrolment "/enrolments/{id}/remove" Reason, |tx, desk, caller, id, input| service::remove(tx, desk, caller, id, &input.reason);
}
