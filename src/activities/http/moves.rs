//! Writing activities, and the moves of their lives.

use actix_web::web::{Data, Path};
use actix_web::{HttpResponse, patch, post};

use super::super::model::ActivityId;
use super::super::service::{self, Copied, Desk, EditActivity, NewActivity};
use super::{ActivityView, made, moved};
use crate::error::Result;
use crate::identity::Command;
use crate::platform::http::ProblemBody;
use crate::platform::http::valid::{Nothing, Reason};

/// Write an activity down
///
/// As a draft: for a claimed project by who claims it, for an organisation's own work by its managers.
#[utoipa::path(tag = "activities", request_body = NewActivity, responses(
    (status = 201, description = "Written down", body = ActivityView),
    (status = 403, description = "Neither who claims the project nor a manager of the organisation", body = ProblemBody),
    (status = 409, description = "The organisation may not act now, or the claim is over", body = ProblemBody),
    (status = 422, description = "Wrong fields", body = ProblemBody)))]
#[post("/activities")]
pub(super) async fn create(
    command: Command<NewActivity>,
    desk: Data<Desk>,
) -> Result<HttpResponse> {
    command
        .run(move |tx, caller, input| {
            let row = service::create(tx, &desk, caller, input)?;
            made(tx, caller, row)
        })
        .await
}

/// Write an activity down anew
///
/// As a draft like it that begins at another time; nobody stands in it.
#[utoipa::path(tag = "activities", request_body = Copied,
    params(("id" = ActivityId, Path, description = "The activity to be like")), responses(
    (status = 201, description = "Written down", body = ActivityView),
    (status = 403, description = "Not its organiser", body = ProblemBody),
    (status = 404, description = "No such activity", body = ProblemBody),
    (status = 409, description = "The organisation may not act now, or the claim is over", body = ProblemBody),
    (status = 422, description = "It cannot be then", body = ProblemBody)))]
#[post("/activities/{id}/copy")]
pub(super) async fn copy(
    command: Command<Copied>,
    id: Path<ActivityId>,
    desk: Data<Desk>,
) -> Result<HttpResponse> {
    command
        .run(move |tx, caller, input| {
            let row = service::copy(tx, &desk, caller, *id, input)?;
            made(tx, caller, row)
        })
        .await
}

/// Change an activity
///
/// A draft in all of it. Of one that is published, place, times, notices, insurance and shifts: when the time
/// or the place is another, everybody who stands in it is told, and may withdraw for a while without its being
/// late.
#[utoipa::path(tag = "activities", request_body = EditActivity,
    params(("id" = ActivityId, Path, description = "The activity"), ("If-Match" = String, Header, description = "The ETag that was read")), responses(
    (status = 200, description = "Changed", body = ActivityView),
    (status = 403, description = "Not its organiser", body = ProblemBody),
    (status = 404, description = "No such activity", body = ProblemBody),
    (status = 409, description = "It waits for the review or has begun, or somebody stands in a shift that would go", body = ProblemBody),
    (status = 412, description = "Changed since it was read", body = ProblemBody),
    (status = 422, description = "Wrong fields", body = ProblemBody),
    (status = 428, description = "Without If-Match", body = ProblemBody)))]
#[patch("/activities/{id}")]
pub(super) async fn edit(
    command: Command<EditActivity>,
    id: Path<ActivityId>,
    desk: Data<Desk>,
) -> Result<HttpResponse> {
    let seen = command.if_match.clone();
    command
        .run(move |tx, caller, input| {
            let row = service::edit(tx, &desk, caller, *id, &seen, input)?;
            moved(tx, caller, row)
        })
        .await
}

macro_rules! moves {
    ($($(#[$doc:meta])* $name:ident $path:literal $body:ty, |$tx:ident, $caller:ident, $id:ident, $input:ident| $do:expr);+ $(;)?) => { $(
        $(#[$doc])*
        #[utoipa::path(tag = "activities", request_body = $body,
            params(("id" = ActivityId, Path, description = "The activity")), responses(
            (status = 200, description = "Moved; also when it was moved so before by the same caller", body = ActivityView),
            (status = 403, description = "Not the caller's move", body = ProblemBody),
            (status = 404, description = "No such activity", body = ProblemBody),
            (status = 409, description = "Its state does not allow it", body = ProblemBody),
            (status = 422, description = "Something is missing or wrong", body = ProblemBody)))]
        #[post($path)]
        pub(super) async fn $name(command: Command<$body>, id: Path<ActivityId>) -> Result<HttpResponse> {
            command
                .run(move |$tx, $caller, $input| {
                    let $id = *id;
                    let row = $do?;
                    moved($tx, $caller, row)
                })
                .await
        }
    )+ };
}

moves! {
    /// Publish a draft
    ///
    /// Or hand it in, where its region demands a review. What is missing is named, each miss on its own.
    publish "/activities/{id}/publish" Nothing, |tx, caller, id, _input| service::publish(tx, caller, id);
    /// Take a returned activity back into a draft
    revise "/activities/{id}/revise" Nothing, |tx, caller, id, _input| service::revise(tx, caller, id);
    /// End the enrolment before its time
    ///
    /// Who waits in line still moves up.
    close_enrolment "/activities/{id}/close-enrolment" Nothing, |tx, caller, id, _input| service::close_enrolment(tx, caller, id);
    /// Let people enrol again while there is time
    reopen_enrolment "/activities/{id}/reopen-enrolment" Nothing, |tx, caller, id, _input| service::reopen_enrolment(tx, caller, id);
    /// Say that what was done in a finished activity is settled
    settle "/activities/{id}/settle" Nothing, |tx, caller, id, _input| service::settle(tx, caller, id);
    /// Cancel an activity
    ///
    /// Everybody who stands in it is told why. For its organiser and, once it is published, the staff of its
    /// region.
    cancel "/activities/{id}/cancel" Reason, |tx, caller, id, input| service::cancel(tx, caller, id, &input.reason);
}

macro_rules! reviews {
    ($($(#[$doc:meta])* $name:ident $path:literal $body:ty, |$tx:ident, $caller:ident, $id:ident, $seen:ident, $input:ident| $do:expr);+ $(;)?) => { $(
        $(#[$doc])*
        #[utoipa::path(tag = "activities", request_body = $body,
            params(("id" = ActivityId, Path, description = "The activity"), ("If-Match" = String, Header, description = "The ETag that was read")), responses(
            (status = 200, description = "Moved; also when it was moved so before by the same caller", body = ActivityView),
            (status = 403, description = "Not its reviewer, or one's own activity", body = ProblemBody),
            (status = 404, description = "No such activity", body = ProblemBody),
            (status = 409, description = "Its state does not allow it", body = ProblemBody),
            (status = 412, description = "Changed since it was read", body = ProblemBody),
            (status = 422, description = "Something is missing or wrong", body = ProblemBody),
            (status = 428, description = "Without If-Match", body = ProblemBody)))]
        #[post($path)]
        pub(super) async fn $name(command: Command<$body>, id: Path<ActivityId>) -> Result<HttpResponse> {
            let seen = command.if_match.clone();
            command
                .run(move |$tx, $caller, $input| {
                    let ($id, $seen) = (*id, &seen);
                    let row = $do?;
                    moved($tx, $caller, row)
                })
                .await
        }
    )+ };
}

reviews! {
    /// Approve a submitted activity
    ///
    /// Which publishes it.
    approve "/activities/{id}/approve" Nothing, |tx, caller, id, seen, _input| service::approve(tx, caller, id, seen);
    /// Return a submitted activity with a reason
    send_back "/activities/{id}/return" Reason, |tx, caller, id, seen, input| service::send_back(tx, caller, id, seen, &input.reason);
}
