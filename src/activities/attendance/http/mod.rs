//! Attendance over HTTP.

mod many;
mod moves;

use std::collections::HashMap;

use actix_web::web::{Data, Json, Path};
use actix_web::{HttpResponse, get};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;
use validator::Validate;

use super::model::{Attendance, AttendanceId, AttendanceStatus, Means};
use super::rules;
use super::service;
use super::store::{self, Asked};
use crate::activities::enrolments::{Enrolment, EnrolmentId};
use crate::activities::model::{Activity, ActivityId, Shift, ShiftId};
use crate::activities::rules::By;
use crate::activities::service as activities;
use crate::activities::store as activity_store;
use crate::error::{Code, Result};
use crate::identity::{self, AccountId, Caller};
use crate::platform::Platform;
use crate::platform::clock::Instant;
use crate::platform::db::Conn;
use crate::platform::http::page::DEFAULT_LIMIT;
use crate::platform::http::{Cursor, List, Page, Params, ProblemBody};
use crate::platform::lifecycle::ActsAs;

/// The sub-room's routes.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(check_in_code)
        .service(list_attendance)
        .service(count_attendance)
        .service(many::tick_attendance)
        .service(my_attendance)
        .service(read_attendance);
    config
        .service(moves::check_in)
        .service(moves::check_out)
        .service(moves::ask_excuse)
        .service(moves::excuse)
        .service(moves::refuse_excuse)
        .service(moves::correct);
    config
        .service(many::offline_ticket)
        .service(many::send_entries);
}

/// Whether somebody who holds a place in a shift was there, and from when to when.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Attendance)]
struct AttendanceView {
    /// Its id: that of its enrolment.
    id: AttendanceId,
    /// In which activity.
    activity_id: ActivityId,
    /// What the activity is called.
    title: String,
    /// In which of its shifts.
    shift_id: ShiftId,
    /// What one is there.
    role: String,
    /// Who.
    account_id: AccountId,
    /// What the person is called; empty for somebody who is gone.
    name: String,
    /// When the shift begins.
    starts_at: Instant,
    /// When the shift ends; not included.
    ends_at: Instant,
    /// Where it stands.
    status: AttendanceStatus,
    /// Since when.
    status_since: Instant,
    /// When the person came.
    checked_in_at: Option<Instant>,
    /// When the person went.
    checked_out_at: Option<Instant>,
    /// How it was shown that they came.
    check_in_by: Option<Means>,
    /// How it was shown that they went.
    check_out_by: Option<Means>,
    /// Who ticked them in by the list, or by a code that they show themselves.
    recorded_in_by: Option<AccountId>,
    /// Who ticked them out, in the same way.
    recorded_out_by: Option<AccountId>,
    /// Whether the person ticked themself: as the only one who organises the activity, or with a code that they
    /// show themselves.
    is_self_recorded: bool,
    /// Whether a phone that was offline said afterwards that they came.
    is_late_sent_in: bool,
    /// Whether a phone that was offline said afterwards that they went.
    is_late_sent_out: bool,
    /// Why the person was not there. Only for them and who organises the activity.
    excuse: Option<String>,
    /// When that was not accepted. Only for the same.
    excuse_refused_at: Option<Instant>,
    /// The moves that are the caller's now; a rule may still refuse one.
    moves: Vec<&'static str>,
}

type Row = (Enrolment, Attendance);

/// What is said of some attendances beside their rows, asked for at once.
struct Beside {
    activities: HashMap<ActivityId, Activity>,
    shifts: HashMap<ShiftId, Shift>,
    names: HashMap<AccountId, String>,
}

impl AttendanceView {
    fn all(conn: &mut Conn, rows: Vec<Row>, caller: &Caller) -> Result<Vec<Self>> {
        let activities: Vec<_> = rows.iter().map(|(of, _)| of.activity_id).collect();
        let shifts: Vec<_> = rows.iter().map(|(of, _)| of.shift_id).collect();
        let people: Vec<_> = rows.iter().map(|(of, _)| of.account_id).collect();
        let beside = Beside {
            activities: activity_store::activities_of(conn, &activities)?,
            shifts: activity_store::shifts_named(conn, &shifts)?,
            names: identity::names(conn, &people)?,
        };
        let views = rows
            .into_iter()
            .map(|row| Self::view(conn, row, &beside, caller));
        views.collect()
    }

    fn of(conn: &mut Conn, row: Attendance, caller: &Caller) -> Result<Self> {
        let enrolment = crate::activities::enrolments::enrolment(conn, row.enrolment_id)?;
        let mut views = Self::all(conn, vec![(enrolment, row)], caller)?;
        views.pop().ok_or_else(|| Code::NotFound.into())
    }

    fn view(conn: &mut Conn, (of, row): Row, beside: &Beside, caller: &Caller) -> Result<Self> {
        let activity = beside.activities.get(&of.activity_id);
        let activity = activity.ok_or(Code::NotFound)?;
        let shift = beside.shifts.get(&of.shift_id).ok_or(Code::NotFound)?;
        let relation = service::relation(conn, caller, &row, activity)?;
        let is_theirs = relation.person || relation.organizer;
        let themself = Some(row.account_id);
        Ok(Self {
            moves: rules::moves(row.status, relation),
            name: beside
                .names
                .get(&of.account_id)
                .cloned()
                .unwrap_or_default(),
            id: row.id,
            activity_id: of.activity_id,
            title: activity.title.clone(),
            shift_id: shift.id,
            role: shift.name.clone(),
            account_id: of.account_id,
            starts_at: shift.starts_at,
            ends_at: shift.ends_at,
            status: row.status,
            status_since: row.status_since,
            checked_in_at: row.checked_in_at,
            checked_out_at: row.checked_out_at,
            check_in_by: row.check_in_by,
            check_out_by: row.check_out_by,
            recorded_in_by: row.recorded_in_by,
            recorded_out_by: row.recorded_out_by,
            is_self_recorded: [row.recorded_in_by, row.recorded_out_by].contains(&themself),
            is_late_sent_in: row.is_late_sent_in,
            is_late_sent_out: row.is_late_sent_out,
            excuse: row.excuse.filter(|_| is_theirs),
            excuse_refused_at: row.excuse_refused_at.filter(|_| is_theirs),
        })
    }
}

/// The code that shows that one is on site.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CheckInCode)]
struct CodeView {
    /// Eight digits, to be read out or typed.
    code: String,
    /// What a QR code of it holds.
    payload: String,
    /// When the next one is shown; this one is good for as long again.
    expires_at: Instant,
}

/// Read the code to check in and out with
///
/// For those who organise the activity, to be shown on site. There is another one every thirty seconds; the one
/// before is still good, so a photo of it is useless after a minute.
#[utoipa::path(tag = "activities", params(("id" = ActivityId, Path, description = "The activity")), responses(
    (status = 200, description = "The code of now", body = CodeView),
    (status = 403, description = "Not its organiser", body = ProblemBody),
    (status = 404, description = "No such activity", body = ProblemBody)))]
#[get("/activities/{id}/check-in-code")]
async fn check_in_code(
    caller: Caller,
    platform: Data<Platform>,
    id: Path<ActivityId>,
) -> Result<HttpResponse> {
    let id = *id;
    let read = platform.db.point(move |conn| {
        let (_, relation) = activities::visible(conn, Some(&caller), id)?;
        Ok(relation.acts_as(By::Organizer)?)
    });
    read.await?;
    let (code, expires_at) = rules::code_at(&platform.vault, id, platform.clock.now());
    let payload = format!("yiqilai:{id}:{code}");
    let shown = CodeView {
        code,
        payload,
        expires_at,
    };
    Ok(HttpResponse::Ok()
        .insert_header(("cache-control", "no-store"))
        .json(shown))
}

#[derive(Debug, Clone, Deserialize, IntoParams, Validate)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Which {
    /// Only those in this shift.
    shift_id: Option<ShiftId>,
    /// Only those that stand here.
    status: Option<AttendanceStatus>,
    /// Rows a page holds, 1 to 100.
    #[validate(range(min = 1, max = 100))]
    limit: Option<i64>,
    /// `next` of the page before.
    cursor: Option<String>,
}

/// List who was there
///
/// Everybody who holds a place in the activity, also before anything is known of them. For those who organise
/// it, and staff of its region.
#[utoipa::path(tag = "activities", params(("id" = ActivityId, Path, description = "The activity"), Which), responses(
    (status = 200, description = "The oldest enrolment first", body = Page<AttendanceView>),
    (status = 403, description = "Neither its organiser nor staff of its region", body = ProblemBody),
    (status = 404, description = "No such activity", body = ProblemBody),
    (status = 422, description = "A parameter out of bounds", body = ProblemBody)))]
#[get("/activities/{id}/attendance")]
async fn list_attendance(
    caller: Caller,
    platform: Data<Platform>,
    id: Path<ActivityId>,
    query: Params<Which>,
) -> Result<List<Page<AttendanceView>>> {
    let Params(which) = query;
    let asked = Asked {
        shift: which.shift_id,
        status: which.status,
        after: Cursor::decode(which.cursor.as_deref())?,
    };
    let limit = which.limit.unwrap_or(DEFAULT_LIMIT);
    let now = platform.clock.now();
    let found = platform.db.read(move |conn| {
        may_list(conn, &caller, *id)?;
        let rows = store::listed(conn, *id, asked, limit)?;
        let page = Page::of(rows, limit, |(enrolment, _)| enrolment.id);
        let rows = page.items.into_iter().map(|(enrolment, row)| {
            let row = row.unwrap_or_else(|| Attendance::expected(&enrolment, now));
            (enrolment, row)
        });
        Ok(Page {
            items: AttendanceView::all(conn, rows.collect(), &caller)?,
            next: page.next,
        })
    });
    Ok(List(found.await?))
}

/// # Errors
/// `not_found`, `forbidden`.
fn may_list(conn: &mut Conn, caller: &Caller, id: ActivityId) -> Result<()> {
    let (_, relation) = activities::visible(conn, Some(caller), id)?;
    if relation.organizer || relation.reviewer {
        Ok(())
    } else {
        Err(Code::Forbidden.into())
    }
}

/// How many stand where.
#[derive(Debug, Default, Serialize, ToSchema)]
#[schema(as = AttendanceCounts)]
struct CountsView {
    /// Nothing is known yet.
    expected: i64,
    /// Came, and did not go yet, or did not say so.
    checked_in: i64,
    /// Came, and went.
    checked_out: i64,
    /// Neither came nor said why not.
    no_show: i64,
    /// Did not come, for an accepted reason.
    excused: i64,
}

/// Count who was there
///
/// For those who organise the activity, and staff of its region.
#[utoipa::path(tag = "activities", params(("id" = ActivityId, Path, description = "The activity")), responses(
    (status = 200, description = "How many of those who hold a place stand where", body = CountsView),
    (status = 403, description = "Neither its organiser nor staff of its region", body = ProblemBody),
    (status = 404, description = "No such activity", body = ProblemBody)))]
#[get("/activities/{id}/attendance-counts")]
async fn count_attendance(
    caller: Caller,
    platform: Data<Platform>,
    id: Path<ActivityId>,
) -> Result<Json<CountsView>> {
    let counted = platform.db.read(move |conn| {
        may_list(conn, &caller, *id)?;
        store::counted(conn, *id)
    });
    let (all, written) = counted.await?;
    let mut counts = CountsView::default();
    for (status, many) in written {
        match status {
            AttendanceStatus::Expected => {}
            AttendanceStatus::CheckedIn => counts.checked_in = many,
            AttendanceStatus::CheckedOut => counts.checked_out = many,
            AttendanceStatus::NoShow => counts.no_show = many,
            AttendanceStatus::Excused => counts.excused = many,
        }
    }
    // nothing needs to be written down of those
    let known = counts.checked_in + counts.checked_out + counts.no_show + counts.excused;
    counts.expected = all - known;
    Ok(Json(counts))
}

#[derive(Debug, Clone, Deserialize, IntoParams, Validate)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Mine {
    /// Only those that stand here.
    status: Option<AttendanceStatus>,
    /// Rows a page holds, 1 to 100.
    #[validate(range(min = 1, max = 100))]
    limit: Option<i64>,
    /// `next` of the page before.
    cursor: Option<String>,
}

/// List where one was
///
/// What is known so far: an enrolment of which nothing was said yet is not among them.
#[utoipa::path(tag = "activities", params(Mine), responses(
    (status = 200, description = "The latest enrolment first", body = Page<AttendanceView>),
    (status = 422, description = "A parameter out of bounds", body = ProblemBody)))]
#[get("/me/attendance")]
async fn my_attendance(
    caller: Caller,
    platform: Data<Platform>,
    query: Params<Mine>,
) -> Result<List<Page<AttendanceView>>> {
    let Params(mine) = query;
    let before = Cursor::decode(mine.cursor.as_deref())?;
    let limit = mine.limit.unwrap_or(DEFAULT_LIMIT);
    let found = platform.db.read(move |conn| {
        let rows = store::of_person(conn, caller.account, mine.status, before, limit)?;
        let page = Page::of(rows, limit, |(_, row)| row.id);
        Ok(Page {
            items: AttendanceView::all(conn, page.items, &caller)?,
            next: page.next,
        })
    });
    Ok(List(found.await?))
}

/// Read the attendance of an enrolment
///
/// For the person, who organises the activity, and staff of its region.
#[utoipa::path(tag = "activities", params(("id" = EnrolmentId, Path, description = "The enrolment")), responses(
    (status = 200, description = "The attendance; expected as long as nothing is known", body = AttendanceView),
    (status = 404, description = "No such enrolment, or not for the caller's eyes", body = ProblemBody)))]
#[get("/enrolments/{id}/attendance")]
async fn read_attendance(
    caller: Caller,
    platform: Data<Platform>,
    id: Path<EnrolmentId>,
) -> Result<Json<AttendanceView>> {
    let now = platform.clock.now();
    let read = platform.db.read(move |conn| {
        let seen = service::visible(conn, &caller, *id, now)?;
        AttendanceView::of(conn, seen.attendance, &caller)
    });
    Ok(Json(read.await?))
}
