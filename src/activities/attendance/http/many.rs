//! What is said of several people at once, and by phones that were offline, over HTTP.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use actix_web::web::{Data, Path};
use actix_web::{HttpResponse, get, post};
use serde::Serialize;
use utoipa::ToSchema;

use super::super::model::Attendance;
use super::super::service::{self, Entries, Ticket, Ticks};
use super::AttendanceView;
use super::moves::{is_wrong, tried};
use crate::activities::enrolments::EnrolmentId;
use crate::activities::model::ActivityId;
use crate::activities::service::Desk;
use crate::error::Result;
use crate::identity::{Caller, Command, Made};
use crate::platform::Platform;
use crate::platform::db::Conn;
use crate::platform::http::{Lang, ProblemBody};

/// What became of one of several things that were said at once.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AttendanceAnswer)]
struct AnswerView {
    /// The attendance as it stands, where it was taken.
    attendance: Option<AttendanceView>,
    /// Why it was not.
    code: Option<&'static str>,
    /// The same as a sentence.
    detail: Option<String>,
}

/// The answers, in the order in which the things were said.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AttendanceAnswers)]
struct AnswersView {
    /// The answers.
    items: Vec<AnswerView>,
    /// How many were taken.
    taken: usize,
}

impl AnswersView {
    fn of(
        conn: &mut Conn,
        answers: Vec<Result<Attendance>>,
        (caller, lang): (&Caller, Lang),
    ) -> Result<Self> {
        let items = answers.into_iter().map(|answer| match answer {
            Ok(row) => Ok(AnswerView {
                attendance: Some(AttendanceView::of(conn, row, caller)?),
                code: None,
                detail: None,
            }),
            Err(error) => {
                let (zh, en) = error.code().title();
                Ok(AnswerView {
                    attendance: None,
                    code: Some(error.code().as_str()),
                    detail: Some(lang.pick(zh, en).to_owned()),
                })
            }
        });
        let items = items.collect::<Result<Vec<_>>>()?;
        let taken = items.iter().filter(|one| one.code.is_none()).count();
        Ok(Self { items, taken })
    }
}

/// Tick the list
///
/// Several people at once, in and out, now or at an instant of before; each is answered on its own. For those
/// who organise the activity.
#[utoipa::path(tag = "activities", request_body = Ticks,
    params(("id" = ActivityId, Path, description = "The activity")), responses(
    (status = 200, description = "What became of each, in the same order", body = AnswersView),
    (status = 403, description = "Not its organiser", body = ProblemBody),
    (status = 404, description = "No such activity", body = ProblemBody)))]
#[post("/activities/{id}/attendance")]
pub(super) async fn tick_attendance(
    command: Command<Ticks>,
    lang: Lang,
    desk: Data<Desk>,
    id: Path<ActivityId>,
) -> Result<HttpResponse> {
    command
        .run(move |tx, caller, input| {
            let answers = service::tick_all(tx, &desk, caller, *id, &input.ticks)?;
            Ok(Made::changed(AnswersView::of(
                tx.conn,
                answers,
                (caller, lang),
            )?))
        })
        .await
}

/// Read the key to check in and out with while offline
///
/// For the person, to be fetched while there is a network. It signs what the phone notes on site and sends
/// later.
#[utoipa::path(tag = "activities", params(("id" = EnrolmentId, Path, description = "The enrolment")), responses(
    (status = 200, description = "The ticket", body = Ticket),
    (status = 403, description = "Not the person", body = ProblemBody),
    (status = 404, description = "No such enrolment", body = ProblemBody),
    (status = 409, description = "The enrolment holds no place", body = ProblemBody)))]
#[get("/enrolments/{id}/offline-ticket")]
pub(super) async fn offline_ticket(
    caller: Caller,
    platform: Data<Platform>,
    desk: Data<Desk>,
    id: Path<EnrolmentId>,
) -> Result<HttpResponse> {
    let (vault, now) = (platform.vault.clone(), platform.clock.now());
    let read = platform
        .db
        .read(move |conn| service::ticket(conn, &desk, &vault, (&caller, now), *id));
    Ok(HttpResponse::Ok()
        .insert_header(("cache-control", "no-store"))
        .json(read.await?))
}

/// Send what was noted while offline
///
/// Each entry is answered on its own, and marked as sent late. The phone's clock is set right by what it shows
/// as it sends. The same entry again is answered as the first time.
#[utoipa::path(tag = "activities", request_body = Entries, responses(
    (status = 200, description = "What became of each, in the same order", body = AnswersView),
    (status = 429, description = "Too many wrong codes", body = ProblemBody)))]
#[post("/me/attendance/entries")]
pub(super) async fn send_entries(
    command: Command<Entries>,
    lang: Lang,
    platform: Data<Platform>,
    desk: Data<Desk>,
) -> Result<HttpResponse> {
    let (who, vault) = (command.caller.account, platform.vault.clone());
    let (numbers, wrong) = (desk.clone(), Arc::new(AtomicBool::new(false)));
    let found = wrong.clone();
    let made = command.run(move |tx, caller, input| {
        let answers = service::enter(tx, &desk, &vault, caller, input)?;
        let mut codes = answers.iter().filter_map(|one| one.as_ref().err());
        found.store(codes.any(|error| is_wrong(error.code())), Ordering::SeqCst);
        Ok(Made::changed(AnswersView::of(
            tx.conn,
            answers,
            (caller, lang),
        )?))
    });
    let failed = |_: &Result<HttpResponse>| wrong.load(Ordering::SeqCst);
    tried(&platform, &numbers, who, made, failed).await
}
