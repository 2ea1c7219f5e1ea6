//! Calendars over HTTP.

use std::time::SystemTime;

use actix_web::http::header::{
    self, ETag, EntityTag, Header, HttpDate, IfModifiedSince, IfNoneMatch, LastModified,
};
use actix_web::web::{Data, Json, Path};
use actix_web::{HttpRequest, HttpResponse, delete, get, post};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;
use validator::Validate;

use super::model::Owner;
use super::rules::Words;
use super::service::{self, Feed};
use super::store;
use crate::activities::model::{ActivityId, ShiftId};
use crate::activities::service::Desk;
use crate::error::Result;
use crate::identity::{Caller, Command, Made, MaybeCaller};
use crate::organizations::OrganizationId;
use crate::platform::Platform;
use crate::platform::clock::Instant;
use crate::platform::http::valid::Nothing;
use crate::platform::http::{Body, Lang, Params, ProblemBody};
use crate::platform::token;

const CALENDAR: &str = "text/calendar; charset=utf-8";

/// The sub-room's routes.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(read_calendar)
        .service(renew_calendar)
        .service(end_calendar)
        .service(read_organization_calendar)
        .service(renew_organization_calendar)
        .service(end_organization_calendar)
        .service(fetch_calendar)
        .service(add_to_calendar);
}

/// Whether a calendar is fetched at a secret address.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CalendarState)]
struct StateView {
    /// Since when the address of today works; none where there is none.
    made_at: Option<Instant>,
}

/// The secret address of a calendar. It is shown once.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CalendarAddress)]
struct AddressView {
    /// Where a calendar program fetches it. Who has it needs no account.
    url: String,
    /// When it was made.
    made_at: Instant,
}

async fn state(platform: &Platform, caller: Caller, owner: Owner) -> Result<Json<StateView>> {
    let found = platform.db.read(move |conn| {
        service::may_manage(&caller, owner)?;
        store::of_owner(conn, owner)
    });
    let made_at = found.await?.map(|calendar| calendar.made_at);
    Ok(Json(StateView { made_at }))
}

async fn renew(platform: &Platform, caller: Caller, owner: Owner) -> Result<HttpResponse> {
    let made = platform
        .db
        .write(move |tx| service::renew(tx, &caller, owner));
    let (calendar, secret) = made.await?;
    let url = format!("{}/api/v1/calendars/{secret}.ics", platform.public_url);
    Ok(HttpResponse::Created()
        .insert_header((header::LOCATION, url.clone()))
        .json(AddressView {
            url,
            made_at: calendar.made_at,
        }))
}

/// See whether one's calendar is fetched at a secret address
#[utoipa::path(tag = "activities", responses(
    (status = 200, description = "Since when, if it is", body = StateView)))]
#[get("/me/calendar")]
async fn read_calendar(caller: Caller, platform: Data<Platform>) -> Result<Json<StateView>> {
    let owner = Owner::Person(caller.account);
    state(&platform, caller, owner).await
}

/// Make a secret address for one's calendar
///
/// It holds one's places in activities, for a calendar program that fetches it again and again. One made
/// before ends.
#[utoipa::path(tag = "activities", request_body = Nothing, responses(
    (status = 201, description = "Made; the address is shown this once", body = AddressView)))]
#[post("/me/calendar")]
async fn renew_calendar(
    caller: Caller,
    platform: Data<Platform>,
    _body: Body<Nothing>,
) -> Result<HttpResponse> {
    let owner = Owner::Person(caller.account);
    renew(&platform, caller, owner).await
}

/// End the secret address of one's calendar
#[utoipa::path(tag = "activities", responses(
    (status = 204, description = "Ended; also when there was none")))]
#[delete("/me/calendar")]
async fn end_calendar(command: Command<Nothing>) -> Result<HttpResponse> {
    command
        .run(move |tx, caller, _| {
            service::end(tx, caller, Owner::Person(caller.account))?;
            Ok(Made::<()>::nothing())
        })
        .await
}

/// See whether an organisation's calendar is fetched at a secret address
///
/// For its managers.
#[utoipa::path(tag = "activities", params(("id" = OrganizationId, Path, description = "The organisation")), responses(
    (status = 200, description = "Since when, if it is", body = StateView),
    (status = 403, description = "A member, and not a manager", body = ProblemBody),
    (status = 404, description = "Not an organisation of the caller's", body = ProblemBody)))]
#[get("/organization-calendars/{id}")]
async fn read_organization_calendar(
    caller: Caller,
    platform: Data<Platform>,
    id: Path<OrganizationId>,
) -> Result<Json<StateView>> {
    state(&platform, caller, Owner::Organization(*id)).await
}

/// Make a secret address for an organisation's calendar
///
/// It holds what the organisation has published. Its managers hand it to the members. One made before ends.
#[utoipa::path(tag = "activities", request_body = Nothing,
    params(("id" = OrganizationId, Path, description = "The organisation")), responses(
    (status = 201, description = "Made; the address is shown this once", body = AddressView),
    (status = 403, description = "A member, and not a manager", body = ProblemBody),
    (status = 404, description = "Not an organisation of the caller's", body = ProblemBody)))]
#[post("/organization-calendars/{id}")]
async fn renew_organization_calendar(
    caller: Caller,
    platform: Data<Platform>,
    id: Path<OrganizationId>,
    _body: Body<Nothing>,
) -> Result<HttpResponse> {
    renew(&platform, caller, Owner::Organization(*id)).await
}

/// End the secret address of an organisation's calendar
#[utoipa::path(tag = "activities", params(("id" = OrganizationId, Path, description = "The organisation")), responses(
    (status = 204, description = "Ended; also when there was none"),
    (status = 403, description = "A member, and not a manager", body = ProblemBody),
    (status = 404, description = "Not an organisation of the caller's", body = ProblemBody)))]
#[delete("/organization-calendars/{id}")]
async fn end_organization_calendar(
    command: Command<Nothing>,
    id: Path<OrganizationId>,
) -> Result<HttpResponse> {
    command
        .run(move |tx, caller, _| {
            service::end(tx, caller, Owner::Organization(*id))?;
            Ok(Made::<()>::nothing())
        })
        .await
}

/// Fetch a calendar at its secret address
///
/// As iCalendar (RFC 5545). What was cancelled stays for a while, and says so.
#[utoipa::path(tag = "activities", security(()),
    params(("secret" = String, Path, description = "From the address that was made")), responses(
    (status = 200, description = "The calendar", body = String, content_type = "text/calendar"),
    (status = 304, description = "As it was fetched before"),
    (status = 404, description = "No such calendar, or no longer", body = ProblemBody)))]
#[get("/calendars/{secret}.ics")]
async fn fetch_calendar(
    request: HttpRequest,
    lang: Lang,
    platform: Data<Platform>,
    desk: Data<Desk>,
    secret: Path<String>,
) -> Result<HttpResponse> {
    let now = platform.clock.now();
    let public_url = platform.public_url.clone();
    let fetched = platform.db.read(move |conn| {
        let words = Words {
            lang,
            public_url: &public_url,
        };
        service::fetch(conn, &desk.rules, &secret, (words, now))
    });
    Ok(answer(&request, fetched.await?))
}

/// The calendar, or only that it is as it was. What it holds is the owner's alone: no cache between keeps it.
fn answer(request: &HttpRequest, feed: Feed) -> HttpResponse {
    let digest = token::digest(feed.body.as_bytes());
    let tag = EntityTag::new_strong(URL_SAFE_NO_PAD.encode(&digest[..16]));
    // dates on the wire have whole seconds
    let modified_at = feed.modified_at.timestamp();
    let date = DateTime::<Utc>::from_timestamp(modified_at, 0).unwrap_or_default();
    let date = HttpDate::from(SystemTime::from(date));
    let is_known = is_known(request, &tag, date);
    let mut response = match is_known {
        true => HttpResponse::NotModified(),
        false => HttpResponse::Ok(),
    };
    response
        .insert_header(ETag(tag.clone()))
        .insert_header(LastModified(date))
        .insert_header((header::CACHE_CONTROL, "private, no-cache"));
    match is_known {
        true => response.finish(),
        false => response.content_type(CALENDAR).body(feed.body),
    }
}

/// Whether the program has it as it is (RFC 9110, section 13.2.2): by the tag, and by the date only without.
fn is_known(request: &HttpRequest, tag: &EntityTag, date: HttpDate) -> bool {
    if request.headers().contains_key(header::IF_NONE_MATCH) {
        return match IfNoneMatch::parse(request) {
            Ok(IfNoneMatch::Any) => true,
            Ok(IfNoneMatch::Items(known)) => known.iter().any(|known| known.weak_eq(tag)),
            Err(_) => false,
        };
    }
    match IfModifiedSince::parse(request) {
        Ok(IfModifiedSince(since)) => SystemTime::from(date) <= SystemTime::from(since),
        Err(_) => false,
    }
}

#[derive(Debug, Clone, Deserialize, IntoParams, Validate)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Which {
    /// Only this of its shifts; the activity as a whole when left out.
    shift_id: Option<ShiftId>,
}

/// Add an activity to a calendar
///
/// As a file in iCalendar (RFC 5545) with one event.
#[utoipa::path(tag = "activities", security((), ("bearer" = [])),
    params(("id" = ActivityId, Path, description = "The activity"), Which), responses(
    (status = 200, description = "The file", body = String, content_type = "text/calendar"),
    (status = 404, description = "No such activity, or shift of it, or not for the caller's eyes", body = ProblemBody)))]
#[get("/activities/{id}/calendar.ics")]
async fn add_to_calendar(
    caller: MaybeCaller,
    lang: Lang,
    platform: Data<Platform>,
    id: Path<ActivityId>,
    query: Params<Which>,
) -> Result<HttpResponse> {
    let Params(which) = query;
    let public_url = platform.public_url.clone();
    let file = platform.db.read(move |conn| {
        let words = Words {
            lang,
            public_url: &public_url,
        };
        service::file(conn, caller.0.as_ref(), (*id, which.shift_id), words)
    });
    Ok(HttpResponse::Ok()
        .content_type(CALENDAR)
        .insert_header((
            header::CONTENT_DISPOSITION,
            "attachment; filename=\"yiqilai.ics\"",
        ))
        .body(file.await?))
}
