//! Crews over HTTP.

use std::collections::HashMap;

use actix_web::web::{Data, Path};
use actix_web::{HttpResponse, get, post};
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;
use validator::Validate;

use super::model::{CrewMember, CrewMemberId, CrewStatus};
use super::people::lacks;
use super::rules::MOVES;
use super::service::{self, NewMember};
use super::store;
use crate::error::{Code, Result};
use crate::identity::{self, AccountId, Caller, Command, Made};
use crate::platform::Platform;
use crate::platform::clock::Instant;
use crate::platform::db::Conn;
use crate::platform::http::page::DEFAULT_LIMIT;
use crate::platform::http::valid::{Nothing, Reason};
use crate::platform::http::{Cursor, List, Page, Params, ProblemBody};
use crate::platform::lifecycle;
use crate::projects::claims::{self, ClaimId, ProjectClaim};
use crate::projects::model::{Project, ProjectId, ProjectRole, RoleId};
use crate::projects::service::Desk;
use crate::projects::store as projects;
use crate::volunteers::{self, Held};

/// The sub-room's routes.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(join_crew)
        .service(list_crew)
        .service(my_crews)
        .service(accept_member)
        .service(decline_member)
        .service(leave_crew)
        .service(remove_member);
}

/// A place in a crew.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CrewMember)]
pub struct CrewMemberView {
    /// Its id.
    pub id: CrewMemberId,
    /// In the crew of which claim.
    pub claim_id: ClaimId,
    /// Of which project.
    pub project_id: ProjectId,
    /// In which role.
    pub role_id: RoleId,
    /// Who.
    pub account_id: AccountId,
    /// What the person is called; empty for somebody who is gone.
    pub name: String,
    /// What the person had to say; only for the leader and the person.
    pub note: Option<String>,
    /// Where it stands.
    pub status: CrewStatus,
    /// Since when.
    pub status_since: Instant,
    /// Codes of what somebody who works there lacks by now of what the role asks for:
    /// `qualification_missing`, `vetting_missing`. Only for the leader and the person; empty for others.
    pub flags: Vec<String>,
    /// The moves that are the caller's now; a rule may still refuse one. `withdraw` is asked
    /// for as `leave`.
    pub moves: Vec<&'static str>,
    /// When it was asked.
    pub created_at: Instant,
}

/// What is said of some places beside their rows, asked for at once.
struct Beside {
    claims: HashMap<ClaimId, ProjectClaim>,
    projects: HashMap<ProjectId, Project>,
    roles: HashMap<RoleId, ProjectRole>,
    names: HashMap<AccountId, String>,
    held: Held,
}

impl Beside {
    fn of(conn: &mut Conn, rows: &[CrewMember]) -> Result<Self> {
        let people: Vec<_> = rows.iter().map(|row| row.account_id).collect();
        let of: Vec<_> = rows.iter().map(|row| row.claim_id).collect();
        let roles: Vec<_> = rows.iter().map(|row| row.role_id).collect();
        let claims = claims::claims_of(conn, &of)?;
        let of: Vec<_> = claims.values().map(|claim| claim.project_id).collect();
        Ok(Self {
            projects: projects::projects_of(conn, &of)?,
            roles: projects::roles_of(conn, &roles)?,
            names: identity::names(conn, &people)?,
            held: volunteers::held_by(conn, &people)?,
            claims,
        })
    }
}

impl CrewMemberView {
    /// Places as the caller sees them.
    ///
    /// # Errors
    /// Those of the database.
    pub fn all(
        conn: &mut Conn,
        rows: Vec<CrewMember>,
        by: &Caller,
        with: (&Desk, NaiveDate),
    ) -> Result<Vec<Self>> {
        let beside = Beside::of(conn, &rows)?;
        rows.into_iter()
            .map(|row| Self::view(row, &beside, by, with))
            .collect()
    }

    /// A place as the caller sees it.
    ///
    /// # Errors
    /// Those of the database.
    pub fn of(
        conn: &mut Conn,
        row: CrewMember,
        by: &Caller,
        with: (&Desk, NaiveDate),
    ) -> Result<Self> {
        let beside = Beside::of(conn, std::slice::from_ref(&row))?;
        Self::view(row, &beside, by, with)
    }

    fn view(
        row: CrewMember,
        beside: &Beside,
        by: &Caller,
        (desk, today): (&Desk, NaiveDate),
    ) -> Result<Self> {
        let claim = beside.claims.get(&row.claim_id).ok_or(Code::NotFound)?;
        let relation = service::relation(by, &row, claim);
        let mut flags = Vec::new();
        if relation.is_involved() && row.status == CrewStatus::Active {
            let project = beside.projects.get(&claim.project_id);
            let role = beside.roles.get(&row.role_id);
            let work = project.zip(role).ok_or(Code::NotFound)?;
            let missing = lacks(&beside.held, desk, work, row.account_id, today);
            flags.extend(missing.map(|(code, _)| code.as_str().to_owned()));
        }
        // somebody who is gone has no name any more
        let name = beside.names.get(&row.account_id).cloned();
        Ok(Self {
            project_id: claim.project_id,
            name: name.unwrap_or_default(),
            id: row.id,
            claim_id: row.claim_id,
            role_id: row.role_id,
            account_id: row.account_id,
            note: relation.is_involved().then_some(row.note),
            status: row.status,
            status_since: row.status_since,
            flags,
            moves: lifecycle::open_to(MOVES, relation, row.status),
            created_at: row.created_at,
        })
    }
}

/// Apply for a role
///
/// The leader decides. The other way round, the leader invites and the person decides: see
/// `/needs/project_role/{id}/invitations`. Nobody is assigned.
#[utoipa::path(tag = "projects", request_body = NewMember,
    params(("id" = ClaimId, Path, description = "The claim")), responses(
    (status = 201, description = "Applied", body = CrewMemberView),
    (status = 403, description = "The role is not for the caller", body = ProblemBody),
    (status = 404, description = "No such claim", body = ProblemBody),
    (status = 409, description = "The role is full, the crew closed, or the person in it", body = ProblemBody),
    (status = 422, description = "Wrong fields, or something the role asks for is missing", body = ProblemBody)))]
#[post("/project-claims/{id}/crew")]
async fn join_crew(
    command: Command<NewMember>,
    id: Path<ClaimId>,
    desk: Data<Desk>,
) -> Result<HttpResponse> {
    command
        .run(move |tx, caller, input| {
            let row = service::apply(tx, &desk, caller, *id, input)?;
            let location = format!("/api/v1/project-claims/{}/crew", row.claim_id);
            let with = (desk.as_ref(), tx.today());
            Ok(Made::new(
                CrewMemberView::of(tx.conn, row, caller, with)?,
                location,
            ))
        })
        .await
}

#[derive(Debug, Clone, Deserialize, IntoParams, Validate)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Which {
    /// Where they stand; those who work in it when left out.
    status: Option<CrewStatus>,
    /// Rows a page holds, 1 to 100.
    #[validate(range(min = 1, max = 100))]
    limit: Option<i64>,
    /// `next` of the page before.
    cursor: Option<String>,
}

/// List the crew of a claim
///
/// All of it for the claimant; those who work in it, and one's own places, for its members, the
/// claimant's and the publisher.
#[utoipa::path(tag = "projects", params(("id" = ClaimId, Path, description = "The claim"), Which), responses(
    (status = 200, description = "The oldest first", body = Page<CrewMemberView>),
    (status = 403, description = "Not of the caller's concern", body = ProblemBody),
    (status = 404, description = "No such claim", body = ProblemBody),
    (status = 422, description = "A parameter out of bounds", body = ProblemBody)))]
#[get("/project-claims/{id}/crew")]
async fn list_crew(
    caller: Caller,
    platform: Data<Platform>,
    desk: Data<Desk>,
    id: Path<ClaimId>,
    query: Params<Which>,
) -> Result<List<Page<CrewMemberView>>> {
    let Params(which) = query;
    let after = Cursor::decode(which.cursor.as_deref())?;
    let limit = which.limit.unwrap_or(DEFAULT_LIMIT);
    let status = which.status.unwrap_or(CrewStatus::Active);
    let today = platform.today();
    let found = platform.db.read(move |conn| {
        let with = (desk.as_ref(), today);
        let (_, _, relation) = claims::visible(conn, Some(&caller), *id)?;
        if !relation.is_involved() {
            return Err(Code::Forbidden.into());
        }
        let other = (!relation.claimant).then_some(caller.account);
        let rows = store::of_claim(conn, *id, status, other, after, limit)?;
        let page = Page::of(rows, limit, |row| row.id);
        Ok(Page {
            items: CrewMemberView::all(conn, page.items, &caller, with)?,
            next: page.next,
        })
    });
    Ok(List(found.await?))
}

#[derive(Debug, Clone, Deserialize, IntoParams, Validate)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Mine {
    /// Rows a page holds, 1 to 100.
    #[validate(range(min = 1, max = 100))]
    limit: Option<i64>,
    /// `next` of the page before.
    cursor: Option<String>,
}

/// List one's places in crews, with applications
#[utoipa::path(tag = "projects", params(Mine), responses(
    (status = 200, description = "The newest first", body = Page<CrewMemberView>),
    (status = 422, description = "A parameter out of bounds", body = ProblemBody)))]
#[get("/me/crews")]
async fn my_crews(
    caller: Caller,
    platform: Data<Platform>,
    desk: Data<Desk>,
    query: Params<Mine>,
) -> Result<List<Page<CrewMemberView>>> {
    let before = Cursor::decode(query.0.cursor.as_deref())?;
    let limit = query.0.limit.unwrap_or(DEFAULT_LIMIT);
    let today = platform.today();
    let found = platform.db.read(move |conn| {
        let with = (desk.as_ref(), today);
        let rows = store::of_person(conn, caller.account, before, limit)?;
        let page = Page::of(rows, limit, |row| row.id);
        Ok(Page {
            items: CrewMemberView::all(conn, page.items, &caller, with)?,
            next: page.next,
        })
    });
    Ok(List(found.await?))
}

macro_rules! moves {
    ($($(#[$doc:meta])* $name:ident $path:literal $body:ty, |$tx:ident, $desk:ident, $caller:ident, $id:ident, $input:ident| $do:expr);+ $(;)?) => { $(
        $(#[$doc])*
        #[utoipa::path(tag = "projects", request_body = $body,
            params(("id" = CrewMemberId, Path, description = "The place in the crew")), responses(
            (status = 200, description = "Moved; also when it was moved so before by the same caller", body = CrewMemberView),
            (status = 403, description = "Not the caller's move", body = ProblemBody),
            (status = 404, description = "No such place", body = ProblemBody),
            (status = 409, description = "Its state does not allow it, or the role is full", body = ProblemBody),
            (status = 422, description = "Something the role asks for is missing", body = ProblemBody)))]
        #[post($path)]
        async fn $name(command: Command<$body>, id: Path<CrewMemberId>, desk: Data<Desk>) -> Result<HttpResponse> {
            command
                .run(move |$tx, $caller, $input| {
                    let ($id, $desk) = (*id, desk.as_ref());
                    let row = $do?;
                    let with = ($desk, $tx.today());
                    Ok(Made::changed(CrewMemberView::of($tx.conn, row, $caller, with)?))
                })
                .await
        }
    )+ };
}

moves! {
    /// Say yes to an application
    accept_member "/crew-members/{id}/accept" Nothing, |tx, desk, caller, id, _input| service::accept(tx, desk, caller, id);
    /// Say no to an application
    decline_member "/crew-members/{id}/decline" Reason, |tx, desk, caller, id, input| service::decline(tx, caller, id, &input.reason);
    /// Leave a crew, or take one's application back
    leave_crew "/crew-members/{id}/leave" Nothing, |tx, desk, caller, id, _input| service::leave(tx, caller, id);
    /// Remove somebody from a crew
    remove_member "/crew-members/{id}/remove" Reason, |tx, desk, caller, id, input| service::remove(tx, caller, id, &input.reason);
}
