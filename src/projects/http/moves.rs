//! Writing projects, and the moves of their lives.

use actix_web::web::{Data, Path};
use actix_web::{HttpResponse, patch, post};

use super::super::model::ProjectId;
use super::super::service::{self, Desk, EditProject, NewProject};
use super::{ProjectView, moved, view};
use crate::error::Result;
use crate::identity::{Command, Made};
use crate::platform::http::ProblemBody;
use crate::platform::http::valid::{Nothing, Reason, Unchecked};

/// Write a project down
///
/// As a draft: for a region by its administrators, for an organisation by its managers.
#[utoipa::path(tag = "projects", request_body = NewProject, responses(
    (status = 201, description = "Written down", body = ProjectView),
    (status = 403, description = "Neither of the region's staff nor a manager of the organisation", body = ProblemBody),
    (status = 409, description = "The organisation may not act now", body = ProblemBody),
    (status = 422, description = "Wrong fields", body = ProblemBody)))]
#[post("/projects")]
pub(super) async fn create(command: Command<Unchecked<NewProject>>) -> Result<HttpResponse> {
    command
        .run(move |tx, caller, input| {
            let row = service::create(tx, caller, &input.0)?;
            let (location, version) = (format!("/api/v1/projects/{}", row.id), row.version);
            let relation = service::relation(tx.conn, Some(caller), &row)?;
            Ok(Made::new(view(tx.conn, row, relation)?, location).version(version))
        })
        .await
}

/// Change a draft
#[utoipa::path(tag = "projects", request_body = EditProject,
    params(("id" = ProjectId, Path, description = "The project"), ("If-Match" = String, Header, description = "The ETag that was read")), responses(
    (status = 200, description = "Changed", body = ProjectView),
    (status = 403, description = "Not its publisher", body = ProblemBody),
    (status = 404, description = "No such project", body = ProblemBody),
    (status = 409, description = "It was submitted, or the organisation may not act now", body = ProblemBody),
    (status = 412, description = "Changed since it was read", body = ProblemBody),
    (status = 422, description = "Wrong fields", body = ProblemBody),
    (status = 428, description = "Without If-Match", body = ProblemBody)))]
#[patch("/projects/{id}")]
pub(super) async fn edit(
    command: Command<Unchecked<EditProject>>,
    id: Path<ProjectId>,
) -> Result<HttpResponse> {
    let seen = command.if_match.clone();
    command
        .run(move |tx, caller, input| {
            let row = service::edit(tx, caller, *id, &seen, &input.0)?;
            moved(tx, caller, row)
        })
        .await
}

macro_rules! moves {
    ($($(#[$doc:meta])* $name:ident $path:literal $body:ty, |$tx:ident, $desk:ident, $caller:ident, $id:ident, $input:ident| $do:expr);+ $(;)?) => { $(
        $(#[$doc])*
        #[utoipa::path(tag = "projects", request_body = $body,
            params(("id" = ProjectId, Path, description = "The project")), responses(
            (status = 200, description = "Moved; also when it was moved so before by the same caller", body = ProjectView),
            (status = 403, description = "Not the caller's move", body = ProblemBody),
            (status = 404, description = "No such project", body = ProblemBody),
            (status = 409, description = "Its state does not allow it", body = ProblemBody),
            (status = 422, description = "Something is missing or wrong", body = ProblemBody)))]
        #[post($path)]
        pub(super) async fn $name(command: Command<$body>, id: Path<ProjectId>, desk: Data<Desk>) -> Result<HttpResponse> {
            command
                .run(move |$tx, $caller, $input| {
                    let ($id, $desk) = (*id, desk.as_ref());
                    let row = $do?;
                    moved($tx, $caller, row)
                })
                .await
        }
    )+ };
}

moves! {
    /// Submit a draft for the review
    ///
    /// What is missing is named, each miss on its own.
    submit "/projects/{id}/submit" Nothing, |tx, _desk, caller, id, _input| service::submit(tx, caller, id);
    /// Take a returned project back into a draft
    revise "/projects/{id}/revise" Nothing, |tx, _desk, caller, id, _input| service::revise(tx, caller, id);
    /// Open an approved project that is in no batch
    open "/projects/{id}/open" Nothing, |tx, _desk, caller, id, _input| service::open(tx, caller, id);
    /// Close the claiming of a project early
    ///
    /// It keeps the claim seats that are taken, and goes on with those. A seat that gets free later
    /// can be claimed again.
    close_claims "/projects/{id}/close-claims" Nothing, |tx, _desk, caller, id, _input| service::close_claims(tx, caller, id);
    /// Suspend a running project
    ///
    /// Its leases stand still. For its publisher and the staff of its region.
    suspend "/projects/{id}/suspend" Reason, |tx, _desk, caller, id, input| service::suspend(tx, caller, id, &input.reason);
    /// Let a suspended project go on
    ///
    /// Its leases begin anew. What the staff of its region suspended, they let go on.
    resume "/projects/{id}/resume" Nothing, |tx, desk, caller, id, _input| service::resume(tx, desk, caller, id);
    /// Cancel a project
    ///
    /// Its claims end. For its publisher and, once it was open, the staff of its region.
    cancel "/projects/{id}/cancel" Reason, |tx, desk, caller, id, input| service::cancel(tx, desk, caller, id, &input.reason);
    /// Put a completed project away
    archive "/projects/{id}/archive" Nothing, |tx, _desk, caller, id, _input| service::archive(tx, caller, id);
}

macro_rules! reviews {
    ($($(#[$doc:meta])* $name:ident $path:literal $body:ty, |$tx:ident, $caller:ident, $id:ident, $seen:ident, $input:ident| $do:expr);+ $(;)?) => { $(
        $(#[$doc])*
        #[utoipa::path(tag = "projects", request_body = $body,
            params(("id" = ProjectId, Path, description = "The project"), ("If-Match" = String, Header, description = "The ETag that was read")), responses(
            (status = 200, description = "Moved; also when it was moved so before by the same caller", body = ProjectView),
            (status = 403, description = "Not its reviewer, or one's own project", body = ProblemBody),
            (status = 404, description = "No such project", body = ProblemBody),
            (status = 409, description = "Its state does not allow it", body = ProblemBody),
            (status = 412, description = "Changed since it was read", body = ProblemBody),
            (status = 422, description = "Something is missing or wrong", body = ProblemBody),
            (status = 428, description = "Without If-Match", body = ProblemBody)))]
        #[post($path)]
        pub(super) async fn $name(command: Command<$body>, id: Path<ProjectId>) -> Result<HttpResponse> {
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
    /// Approve a submitted project
    ///
    /// In a batch that is published already it opens at once.
    approve "/projects/{id}/approve" Nothing, |tx, caller, id, seen, _input| service::approve(tx, caller, id, seen);
    /// Return a submitted project with a reason
    send_back "/projects/{id}/return" Reason, |tx, caller, id, seen, input| service::send_back(tx, caller, id, seen, &input.reason);
}
