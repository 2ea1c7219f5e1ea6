//! Series over HTTP.

use actix_web::web::{Data, Path};
use actix_web::{HttpResponse, get, post};
use chrono::NaiveDate;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::model::{Series, SeriesId};
use super::service::{self, NewSeries};
use crate::activities::model::{Activity, ActivityId, ActivityStatus};
use crate::activities::service::Desk;
use crate::error::Result;
use crate::identity::{Caller, Command, Made, MaybeCaller};
use crate::platform::Platform;
use crate::platform::clock::Instant;
use crate::platform::db::Conn;
use crate::platform::http::valid::{Nothing, Reason};
use crate::platform::http::{ProblemBody, etag};

/// The sub-room's routes.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(repeat_activity)
        .service(read_series)
        .service(publish_series)
        .service(approve_series)
        .service(return_series)
        .service(cancel_series);
}

/// An activity of a series.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ActivityOccurrence)]
struct OccurrenceView {
    /// Its id.
    id: ActivityId,
    /// The instant that the rule gives it (`RECURRENCE-ID`).
    recurs_at: Option<Instant>,
    /// When it begins, wherever it was moved to.
    starts_at: Instant,
    /// When it ends; not included.
    ends_at: Instant,
    /// Where it stands.
    status: ActivityStatus,
}

impl From<Activity> for OccurrenceView {
    fn from(activity: Activity) -> Self {
        Self {
            id: activity.id,
            recurs_at: activity.recurs_at,
            starts_at: activity.starts_at,
            ends_at: activity.ends_at,
            status: activity.status,
        }
    }
}

/// A series of activities, with those that the caller sees.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ActivitySeries)]
struct SeriesView {
    /// Its id.
    id: SeriesId,
    /// The value of `RRULE` (RFC 5545).
    rule: String,
    /// Days of the rule on which it does not come (`EXDATE`).
    exdates: Vec<NaiveDate>,
    /// Further days on which it comes (`RDATE`).
    rdates: Vec<NaiveDate>,
    /// Its activities, in the order of the rule.
    activities: Vec<OccurrenceView>,
    /// Its version, as in the `ETag`: counts the changes of its activities.
    version: i32,
    /// When it was written down.
    created_at: Instant,
}

fn view(conn: &mut Conn, caller: Option<&Caller>, id: SeriesId) -> Result<SeriesView> {
    let (series, activities) = service::visible(conn, caller, id)?;
    Ok(SeriesView {
        id: series.id,
        rule: series.rule,
        exdates: series.exdates.0,
        rdates: series.rdates.0,
        activities: activities.into_iter().map(OccurrenceView::from).collect(),
        version: series.version,
        created_at: series.created_at,
    })
}

/// Make a series out of a draft
///
/// The draft becomes the first of as many drafts as the rule gives, each one of its own.
#[utoipa::path(tag = "activities", request_body = NewSeries,
    params(("id" = ActivityId, Path, description = "The draft")), responses(
    (status = 201, description = "The series", body = SeriesView),
    (status = 403, description = "Not its organiser", body = ProblemBody),
    (status = 404, description = "No such activity", body = ProblemBody),
    (status = 409, description = "It is no draft any more, or in a series already", body = ProblemBody),
    (status = 422, description = "A rule that cannot be followed", body = ProblemBody)))]
#[post("/activities/{id}/repeat")]
async fn repeat_activity(
    command: Command<NewSeries>,
    id: Path<ActivityId>,
    desk: Data<Desk>,
) -> Result<HttpResponse> {
    command
        .run(move |tx, caller, input| {
            let series = service::repeat(tx, &desk, caller, *id, input)?;
            let location = format!("/api/v1/activity-series/{}", series.id);
            let shown = view(tx.conn, Some(caller), series.id)?;
            let version = shown.version;
            Ok(Made::new(shown, location).version(version))
        })
        .await
}

/// Read a series
#[utoipa::path(tag = "activities", security((), ("bearer" = [])),
    params(("id" = SeriesId, Path, description = "The series")), responses(
    (status = 200, description = "The series, with the activities that the caller sees", body = SeriesView),
    (status = 404, description = "No such series, or nothing of it for the caller's eyes", body = ProblemBody)))]
#[get("/activity-series/{id}")]
async fn read_series(
    caller: MaybeCaller,
    platform: Data<Platform>,
    id: Path<SeriesId>,
) -> Result<HttpResponse> {
    let read = platform
        .db
        .read(move |conn| view(conn, caller.0.as_ref(), *id));
    let series = read.await?;
    Ok(HttpResponse::Ok()
        .insert_header(etag(series.version))
        .json(series))
}

fn moved(conn: &mut Conn, caller: &Caller, series: &Series) -> Result<Made<SeriesView>> {
    let shown = view(conn, Some(caller), series.id)?;
    Ok(Made::changed(shown).version(series.version))
}

macro_rules! moves {
    ($($(#[$doc:meta])* $name:ident $path:literal $body:ty, |$tx:ident, $caller:ident, $id:ident, $input:ident| $do:expr);+ $(;)?) => { $(
        $(#[$doc])*
        #[utoipa::path(tag = "activities", request_body = $body,
            params(("id" = SeriesId, Path, description = "The series")), responses(
            (status = 200, description = "Moved", body = SeriesView),
            (status = 403, description = "Not the caller's move", body = ProblemBody),
            (status = 404, description = "No such series", body = ProblemBody),
            (status = 409, description = "The state of none of its activities allows it", body = ProblemBody),
            (status = 422, description = "Something is missing or wrong", body = ProblemBody)))]
        #[post($path)]
        async fn $name(command: Command<$body>, id: Path<SeriesId>) -> Result<HttpResponse> {
            command
                .run(move |$tx, $caller, $input| {
                    let $id = *id;
                    let series = $do?;
                    moved($tx.conn, $caller, &series)
                })
                .await
        }
    )+ };
}

moves! {
    /// Publish the drafts of a series
    ///
    /// Or hand them in, where their region demands a review. What is missing in one of them keeps all.
    publish_series "/activity-series/{id}/publish" Nothing, |tx, caller, id, _input| service::publish(tx, caller, id);
    /// Cancel what is left of a series
    cancel_series "/activity-series/{id}/cancel" Reason, |tx, caller, id, input| service::cancel(tx, caller, id, &input.reason);
}

macro_rules! reviews {
    ($($(#[$doc:meta])* $name:ident $path:literal $body:ty, |$tx:ident, $caller:ident, $id:ident, $seen:ident, $input:ident| $do:expr);+ $(;)?) => { $(
        $(#[$doc])*
        #[utoipa::path(tag = "activities", request_body = $body,
            params(("id" = SeriesId, Path, description = "The series"), ("If-Match" = String, Header, description = "The ETag that was read")), responses(
            (status = 200, description = "Moved", body = SeriesView),
            (status = 403, description = "Not its reviewer, or one's own activities", body = ProblemBody),
            (status = 404, description = "No such series", body = ProblemBody),
            (status = 409, description = "None of its activities waits for the review", body = ProblemBody),
            (status = 412, description = "Changed since it was read", body = ProblemBody),
            (status = 422, description = "Something is missing or wrong", body = ProblemBody),
            (status = 428, description = "Without If-Match", body = ProblemBody)))]
        #[post($path)]
        async fn $name(command: Command<$body>, id: Path<SeriesId>) -> Result<HttpResponse> {
            let seen = command.if_match.clone();
            command
                .run(move |$tx, $caller, $input| {
                    let ($id, $seen) = (*id, &seen);
                    let series = $do?;
                    moved($tx.conn, $caller, &series)
                })
                .await
        }
    )+ };
}

reviews! {
    /// Approve those of a series that wait for the review
    approve_series "/activity-series/{id}/approve" Nothing, |tx, caller, id, seen, _input| service::approve(tx, caller, id, seen);
    /// Return those of a series that wait for the review
    return_series "/activity-series/{id}/return" Reason, |tx, caller, id, seen, input| service::send_back(tx, caller, id, seen, &input.reason);
}
