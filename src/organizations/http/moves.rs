//! Writing organisations, and the moves of their lives.

use actix_web::web::{Data, Path};
use actix_web::{HttpResponse, patch, post};

use super::super::model::OrganizationId;
use super::super::service::{
    self, Approval, Desk, EditOrganization, NewOrganization, Registration,
};
use super::{OrganizationView, Relation, moved, view};
use crate::error::Result;
use crate::identity::{Command, Made};
use crate::platform::http::ProblemBody;
use crate::platform::http::valid::{Nothing, Reason, Unchecked};

/// Write an organisation down
///
/// As a draft; the caller is its first manager.
#[utoipa::path(tag = "organizations", request_body = NewOrganization, responses(
    (status = 201, description = "Written down", body = OrganizationView),
    (status = 409, description = "As many drafts as one may have", body = ProblemBody),
    (status = 422, description = "Wrong fields", body = ProblemBody)))]
#[post("/organizations")]
pub(super) async fn create(
    command: Command<Unchecked<NewOrganization>>,
    desk: Data<Desk>,
) -> Result<HttpResponse> {
    command
        .run(move |tx, caller, input| {
            let row = service::create(tx, &desk, caller, &input.0)?;
            let (location, version) = (format!("/api/v1/organizations/{}", row.id), row.version);
            let relation = Relation {
                founder: true,
                manager: true,
                member: true,
                ..Default::default()
            };
            Ok(Made::new(view(tx.conn, row, relation)?, location).version(version))
        })
        .await
}

macro_rules! moves {
    ($($(#[$doc:meta])* $name:ident $path:literal $body:ty, |$tx:ident, $desk:ident, $caller:ident, $id:ident, $input:ident| $do:expr);+ $(;)?) => { $(
        $(#[$doc])*
        #[utoipa::path(tag = "organizations", request_body = $body,
            params(("id" = OrganizationId, Path, description = "The organisation")), responses(
            (status = 200, description = "Moved; also when it was moved so before by the same caller", body = OrganizationView),
            (status = 403, description = "Not one of its managers", body = ProblemBody),
            (status = 404, description = "No such organisation", body = ProblemBody),
            (status = 409, description = "Its state does not allow it", body = ProblemBody),
            (status = 422, description = "Something is missing or wrong", body = ProblemBody)))]
        #[post($path)]
        pub(super) async fn $name(command: Command<$body>, id: Path<OrganizationId>, desk: Data<Desk>) -> Result<HttpResponse> {
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
    /// What the machine finds missing is named, each miss on its own.
    submit "/organizations/{id}/submit" Nothing, |tx, desk, caller, id, _input| service::submit(tx, desk, caller, id);
    /// Take a returned organisation back into a draft
    revise "/organizations/{id}/revise" Nothing, |tx, _desk, caller, id, _input| service::revise(tx, caller, id);
    /// Dissolve an organisation
    dissolve "/organizations/{id}/dissolve" Reason, |tx, _desk, caller, id, input| service::dissolve(tx, caller, id, &input.reason);
    /// Ask that a filed organisation counts as registered
    register "/organizations/{id}/registration" Registration, |tx, _desk, caller, id, input| service::register(tx, caller, id, input);
}

macro_rules! reviews {
    ($($(#[$doc:meta])* $name:ident $path:literal $body:ty, |$tx:ident, $desk:ident, $caller:ident, $id:ident, $seen:ident, $input:ident| $do:expr);+ $(;)?) => { $(
        $(#[$doc])*
        #[utoipa::path(tag = "organizations", request_body = $body,
            params(("id" = OrganizationId, Path, description = "The organisation"), ("If-Match" = String, Header, description = "The ETag that was read")), responses(
            (status = 200, description = "Moved; also when it was moved so before by the same caller", body = OrganizationView),
            (status = 403, description = "Not its reviewer, or one's own organisation", body = ProblemBody),
            (status = 404, description = "No such organisation", body = ProblemBody),
            (status = 409, description = "Its state does not allow it", body = ProblemBody),
            (status = 412, description = "Changed since it was read", body = ProblemBody),
            (status = 422, description = "Something is missing or wrong", body = ProblemBody),
            (status = 428, description = "Without If-Match", body = ProblemBody)))]
        #[post($path)]
        pub(super) async fn $name(command: Command<$body>, id: Path<OrganizationId>, desk: Data<Desk>) -> Result<HttpResponse> {
            let seen = command.if_match.clone();
            command
                .run(move |$tx, $caller, $input| {
                    let ($id, $desk, $seen) = (*id, desk.as_ref(), &seen);
                    let row = $do?;
                    moved($tx, $caller, row)
                })
                .await
        }
    )+ };
}

reviews! {
    /// Approve a submitted organisation
    ///
    /// A filed one by the staff of its street alone. A credit code with a wrong check character
    /// needs a reason.
    approve "/organizations/{id}/approve" Approval, |tx, desk, caller, id, seen, input| service::approve(tx, desk, caller, id, seen, input);
    /// Return a submitted organisation with a reason
    send_back "/organizations/{id}/return" Reason, |tx, _desk, caller, id, seen, input| service::send_back(tx, caller, id, seen, &input.reason);
    /// Suspend an organisation
    ///
    /// Its claims end.
    suspend "/organizations/{id}/suspend" Reason, |tx, _desk, caller, id, seen, input| service::suspend(tx, caller, id, seen, &input.reason);
    /// Let a suspended organisation act again
    reinstate "/organizations/{id}/reinstate" Nothing, |tx, desk, caller, id, seen, _input| service::reinstate(tx, desk, caller, id, seen);
    /// Revoke an organisation
    revoke "/organizations/{id}/revoke" Reason, |tx, _desk, caller, id, seen, input| service::revoke(tx, caller, id, seen, &input.reason);
    /// Let a filed organisation count as registered
    ///
    /// It keeps its id and its history.
    approve_registration "/organizations/{id}/registration/approve" Approval, |tx, _desk, caller, id, seen, input| service::approve_registration(tx, caller, id, seen, input);
    /// Refuse to count a filed organisation as registered
    refuse_registration "/organizations/{id}/registration/refuse" Reason, |tx, _desk, caller, id, seen, input| service::refuse_registration(tx, caller, id, seen, &input.reason);
}

/// Change an organisation
///
/// What a review settles changes in a draft only. A filed organisation keeps what its filing rests on;
/// it may replace its responsible person, with the new one's number.
#[utoipa::path(tag = "organizations", request_body = EditOrganization,
    params(("id" = OrganizationId, Path, description = "The organisation"), ("If-Match" = String, Header, description = "The ETag that was read")),
    responses(
    (status = 200, description = "Changed", body = OrganizationView),
    (status = 403, description = "Not one of its managers", body = ProblemBody),
    (status = 404, description = "No such organisation", body = ProblemBody),
    (status = 412, description = "Changed since it was read", body = ProblemBody),
    (status = 422, description = "Wrong fields", body = ProblemBody),
    (status = 428, description = "Without If-Match", body = ProblemBody)))]
#[patch("/organizations/{id}")]
pub(super) async fn edit(
    command: Command<Unchecked<EditOrganization>>,
    id: Path<OrganizationId>,
    desk: Data<Desk>,
) -> Result<HttpResponse> {
    let seen = command.if_match.clone();
    command
        .run(move |tx, caller, input| {
            let row = service::edit(tx, &desk, caller, *id, &seen, &input.0)?;
            moved(tx, caller, row)
        })
        .await
}
