//! One's volunteer profile.

use actix_web::web::Data;
use actix_web::{HttpResponse, get, put};

use super::super::model::Profile;
use super::super::service;
use crate::error::{Code, Result};
use crate::identity::{Caller, Command, Made};
use crate::platform::Platform;
use crate::platform::http::valid::Unchecked;
use crate::platform::http::{ProblemBody, etag};

/// Read one's volunteer profile
#[utoipa::path(tag = "volunteers", responses(
    (status = 200, description = "The profile", body = Profile),
    (status = 404, description = "Not a volunteer yet", body = ProblemBody)))]
#[get("/me/volunteer")]
pub(super) async fn read_profile(caller: Caller, platform: Data<Platform>) -> Result<HttpResponse> {
    let found = platform
        .db
        .read(move |conn| service::profile(conn, caller.account))
        .await?;
    let (profile, version) = found.ok_or(Code::NotFound)?;
    Ok(HttpResponse::Ok()
        .insert_header(etag(version))
        .json(profile))
}

/// Write one's volunteer profile
///
/// Whole: what is left out is gone. The first time makes one a volunteer; later the version that
/// was read goes into `If-Match`.
#[utoipa::path(tag = "volunteers", request_body = Profile,
    params(("If-Match" = Option<String>, Header, description = "The ETag that was read; none the first time")), responses(
    (status = 200, description = "Written", body = Profile),
    (status = 412, description = "Changed since it was read", body = ProblemBody),
    (status = 422, description = "Wrong fields", body = ProblemBody),
    (status = 428, description = "Without If-Match", body = ProblemBody)))]
#[put("/me/volunteer")]
pub(super) async fn write_profile(command: Command<Unchecked<Profile>>) -> Result<HttpResponse> {
    let seen = command.if_match.clone();
    command
        .run(move |tx, caller, input| {
            let (profile, version) = service::write_profile(tx, caller, &seen, &input.0)?;
            Ok(Made::changed(profile).version(version))
        })
        .await
}
