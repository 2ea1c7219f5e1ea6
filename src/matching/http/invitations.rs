//! From a candidate without a name to an invitation.

use actix_web::web::{Data, Path};
use actix_web::{HttpResponse, post};
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;
use validator::Validate;

use super::moment;
use crate::error::{Code, Result};
use crate::identity::{Command, Made};
use crate::matching::model::NeedKind;
use crate::matching::projection::Matching;
use crate::matching::service;
use crate::platform::Platform;
use crate::platform::http::ProblemBody;
use crate::projects::claims::ClaimId;
use crate::projects::crews::{self, CrewMemberView, NewMember};
use crate::projects::{Desk, RoleId};

/// Into which crew a candidate is invited.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(as = NewCandidateInvitation)]
struct NewInvitation {
    /// The claim whose crew it is; one that the caller leads.
    claim_id: ClaimId,
    /// What there is to say.
    #[serde(default)]
    #[validate(length(max = 500))]
    note: String,
}

/// Invite a candidate for a role
///
/// By the pseudonym of the list of candidates. The person decides, and is named once it accepts.
#[utoipa::path(tag = "matching", request_body = NewInvitation, params(
        ("id" = String, Path, format = Uuid, description = "The role"),
        ("pseudonym" = String, Path, description = "What the candidate is called in the list")),
    responses(
        (status = 201, description = "Invited", body = CrewMemberView),
        (status = 403, description = "Not the caller's to ask, or not the leader of the crew", body = ProblemBody),
        (status = 404, description = "No such role, or not open; no such claim; or nobody is a candidate by that name any more", body = ProblemBody),
        (status = 409, description = "The role is full, the crew closed, or the person in it", body = ProblemBody),
        (status = 422, description = "Wrong fields", body = ProblemBody)))]
#[post("/needs/project_role/{id}/candidates/{pseudonym}/invite")]
pub(super) async fn invite(
    command: Command<NewInvitation>,
    platform: Data<Platform>,
    matching: Data<Matching>,
    desk: Data<Desk>,
    path: Path<(Uuid, String)>,
) -> Result<HttpResponse> {
    let (id, called) = path.into_inner();
    matching.until_current().await?;
    let moment = moment(&platform, &matching);
    command
        .run(move |tx, caller, input| {
            let need = service::open_need(&matching, NeedKind::ProjectRole, id)?;
            service::check_may_ask(tx.conn, caller, &need)?;
            let who =
                service::candidate(&matching, &need, &moment, &called).ok_or(Code::NotFound)?;
            let new = NewMember {
                role_id: RoleId(id),
                account_id: Some(who),
                note: input.note.clone(),
            };
            let row = crews::invite(tx, &desk, caller, input.claim_id, who, &new)?;
            let location = format!("/api/v1/project-claims/{}/crew", row.claim_id);
            let view = CrewMemberView::of(tx.conn, &desk.vault, row, caller)?;
            Ok(Made::new(view, location))
        })
        .await
}
