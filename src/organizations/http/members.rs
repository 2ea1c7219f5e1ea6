//! Members and invitations.

use actix_web::web::{Data, Path};
use actix_web::{HttpResponse, get, post};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

use super::super::model::{
    Member, MemberId, MemberRole, MemberStatus, OrganizationId, OrganizationKind,
};
use super::super::rules::MEMBERSHIP;
use super::super::service::{self, Desk, Invitation, NewRole};
use super::super::store;
use crate::error::{Code, Result};
use crate::identity::{AccountId, Caller, Command, Made};
use crate::platform::Platform;
use crate::platform::clock::Instant;
use crate::platform::http::page::DEFAULT_LIMIT;
use crate::platform::http::valid::{Nothing, Reason};
use crate::platform::http::{Cursor, List, Page, Params, ProblemBody};
use crate::platform::lifecycle;

/// A membership, from the invitation on.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Membership)]
pub struct MemberView {
    /// Its id.
    pub id: MemberId,
    /// In which organisation.
    pub organization_id: OrganizationId,
    /// Who; unknown until the person has accepted.
    pub account_id: Option<AccountId>,
    /// What the organisation calls the person.
    pub name: String,
    /// What it may do.
    pub role: MemberRole,
    /// Where it stands.
    pub status: MemberStatus,
    /// The moves that are the caller's now; a rule may still refuse one.
    pub moves: Vec<&'static str>,
    /// When the person was invited.
    pub invited_at: Instant,
    /// Until when the invitation may be answered.
    pub expires_at: Instant,
    /// When the person accepted.
    pub joined_at: Option<Instant>,
    /// When it ended.
    pub ended_at: Option<Instant>,
}

impl MemberView {
    /// A membership as the caller sees it.
    fn of(row: Member, caller: &Caller) -> Self {
        Self {
            moves: moves_of(&row, caller),
            id: row.id,
            organization_id: row.organization_id,
            account_id: row.joined_at.map(|_| row.account_id),
            name: row.name,
            role: row.role,
            status: row.status,
            invited_at: row.invited_at,
            expires_at: row.expires_at,
            joined_at: row.joined_at,
            ended_at: row.ended_at,
        }
    }
}

fn moves_of(row: &Member, caller: &Caller) -> Vec<&'static str> {
    let relation = service::membership_relation(caller, row);
    lifecycle::open_to(MEMBERSHIP, relation, row.status)
}

#[derive(Debug, Clone, Deserialize, IntoParams, Validate)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Which {
    /// Where they stand; those who belong to it when left out.
    status: Option<MemberStatus>,
    /// Rows a page holds, 1 to 100.
    #[validate(range(min = 1, max = 100))]
    limit: Option<i64>,
    /// `next` of the page before.
    cursor: Option<String>,
}

/// List the members of an organisation
///
/// For its members and the staff of its regions.
#[utoipa::path(tag = "organizations", params(("id" = OrganizationId, Path, description = "The organisation"), Which), responses(
    (status = 200, description = "The oldest first", body = Page<MemberView>),
    (status = 403, description = "Neither member nor staff", body = ProblemBody),
    (status = 404, description = "No such organisation", body = ProblemBody),
    (status = 422, description = "A parameter out of bounds", body = ProblemBody)))]
#[get("/organizations/{id}/members")]
pub(super) async fn list_members(
    caller: Caller,
    platform: Data<Platform>,
    id: Path<OrganizationId>,
    query: Params<Which>,
) -> Result<List<Page<MemberView>>> {
    let Params(which) = query;
    let after = Cursor::decode(which.cursor.as_deref())?;
    let limit = which.limit.unwrap_or(DEFAULT_LIMIT);
    let status = which.status.unwrap_or(MemberStatus::Active);
    let page = platform.db.read(move |conn| {
        let (_, relation) = service::visible(conn, Some(&caller), *id)?;
        if !relation.is_involved() {
            return Err(Code::Forbidden.into());
        }
        let rows = store::members(conn, *id, status, after, limit)?;
        Ok(Page::of(rows, limit, |row| row.id).map(|row| MemberView::of(row, &caller)))
    });
    Ok(List(page.await?))
}

/// Invite somebody into an organisation
///
/// By phone or by e-mail; the answer does not tell whether the person has an account.
#[utoipa::path(tag = "organizations", request_body = Invitation, params(("id" = OrganizationId, Path, description = "The organisation")), responses(
    (status = 201, description = "Invited", body = MemberView),
    (status = 403, description = "Not one of its managers", body = ProblemBody),
    (status = 404, description = "No such organisation", body = ProblemBody),
    (status = 409, description = "A member already, or the organisation has ended", body = ProblemBody),
    (status = 429, description = "Too many invitations within a day", body = ProblemBody),
    (status = 422, description = "Wrong fields", body = ProblemBody)))]
#[post("/organizations/{id}/invitations")]
pub(super) async fn invite(
    command: Command<Invitation>,
    id: Path<OrganizationId>,
    desk: Data<Desk>,
) -> Result<HttpResponse> {
    command
        .run(move |tx, caller, input| {
            let row = service::invite(tx, &desk, caller, *id, input)?;
            let location = format!(
                "/api/v1/organizations/{}/members?status=invited",
                row.organization_id
            );
            Ok(Made::new(MemberView::of(row, caller), location))
        })
        .await
}

macro_rules! moves {
    ($($(#[$doc:meta])* $name:ident $path:literal $body:ty, |$tx:ident, $desk:ident, $caller:ident, $of:ident, $id:ident, $input:ident| $do:expr);+ $(;)?) => { $(
        $(#[$doc])*
        #[utoipa::path(tag = "organizations", request_body = $body, params(("id" = OrganizationId, Path, description = "The organisation"),
            ("member_id" = MemberId, Path, description = "The membership")), responses(
            (status = 200, description = "Done; also when it was done so before by the same caller", body = MemberView),
            (status = 403, description = "Not one of its managers", body = ProblemBody),
            (status = 404, description = "No such membership", body = ProblemBody),
            (status = 409, description = "Its state does not allow it, or the last manager", body = ProblemBody),
            (status = 422, description = "Wrong fields", body = ProblemBody)))]
        #[post($path)]
        pub(super) async fn $name(command: Command<$body>, path: Path<(OrganizationId, MemberId)>, desk: Data<Desk>) -> Result<HttpResponse> {
            let ($of, $id) = path.into_inner();
            command
                .run(move |$tx, $caller, $input| {
                    let $desk = desk.as_ref();
                    Ok(Made::changed(MemberView::of($do?, $caller)))
                })
                .await
        }
    )+ };
}

moves! {
    /// Take an invitation back
    cancel "/organizations/{id}/members/{member_id}/cancel" Nothing, |tx, _desk, caller, of, id, _input| service::cancel(tx, caller, of, id);
    /// Give a member another role
    change_role "/organizations/{id}/members/{member_id}/role" NewRole, |tx, _desk, caller, of, id, input| service::change_role(tx, caller, of, id, input.role);
    /// Remove a member
    remove "/organizations/{id}/members/{member_id}/remove" Reason, |tx, desk, caller, of, id, input| service::remove(tx, desk, caller, of, id, &input.reason);
}

/// Leave an organisation
///
/// The last manager cannot, without a successor.
#[utoipa::path(tag = "organizations", request_body = Nothing, params(("id" = OrganizationId, Path, description = "The organisation")), responses(
    (status = 204, description = "Left"),
    (status = 404, description = "Not a member", body = ProblemBody),
    (status = 409, description = "The last manager", body = ProblemBody)))]
#[post("/organizations/{id}/leave")]
pub(super) async fn leave(
    command: Command<Nothing>,
    id: Path<OrganizationId>,
    desk: Data<Desk>,
) -> Result<HttpResponse> {
    command
        .run(move |tx, caller, _| {
            service::leave(tx, &desk, caller, *id)?;
            Ok(Made::<()>::nothing())
        })
        .await
}

/// An invitation as the invited person sees it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Invited)]
pub struct InvitedView {
    /// Names it, to accept or decline.
    pub id: MemberId,
    /// Into which organisation.
    pub organization_id: OrganizationId,
    /// Its name.
    pub organization_name: String,
    /// What kind of body it is.
    pub organization_kind: OrganizationKind,
    /// As what.
    pub role: MemberRole,
    /// The moves that are the caller's now; a rule may still refuse one.
    pub moves: Vec<&'static str>,
    /// Until when it may be answered.
    pub expires_at: Instant,
}

/// List the invitations one has not answered
#[utoipa::path(tag = "organizations", responses((status = 200, description = "The oldest first", body = Page<InvitedView>)))]
#[get("/me/invitations")]
pub(super) async fn my_invitations(
    caller: Caller,
    platform: Data<Platform>,
) -> Result<List<Page<InvitedView>>> {
    let now = platform.clock.now();
    let items = platform.db.read(move |conn| {
        let mut items = Vec::new();
        for row in store::invitations(conn, caller.account, now)? {
            let organization = store::organization(conn, row.organization_id)?;
            items.push(InvitedView {
                moves: moves_of(&row, &caller),
                id: row.id,
                organization_id: organization.id,
                organization_name: organization.name,
                organization_kind: organization.kind,
                role: row.role,
                expires_at: row.expires_at,
            });
        }
        Ok(items)
    });
    Ok(List(Page {
        items: items.await?,
        next: None,
    }))
}

macro_rules! answers {
    ($($(#[$doc:meta])* $name:ident $path:literal, |$tx:ident, $desk:ident, $caller:ident, $id:ident| $do:expr);+ $(;)?) => { $(
        $(#[$doc])*
        #[utoipa::path(tag = "organizations", request_body = Nothing, params(("id" = MemberId, Path, description = "The invitation")), responses(
            (status = 200, description = "Answered; also when it was answered so before", body = MemberView),
            (status = 404, description = "Not one's own invitation", body = ProblemBody),
            (status = 409, description = "Answered otherwise, taken back or over, or the organisation has ended", body = ProblemBody)))]
        #[post($path)]
        pub(super) async fn $name(command: Command<Nothing>, id: Path<MemberId>, desk: Data<Desk>) -> Result<HttpResponse> {
            command
                .run(move |$tx, $caller, _| {
                    let ($id, $desk) = (*id, desk.as_ref());
                    Ok(Made::changed(MemberView::of($do?, $caller)))
                })
                .await
        }
    )+ };
}

answers! {
    /// Accept an invitation
    accept "/me/invitations/{id}/accept", |tx, desk, caller, id| service::accept(tx, desk, caller, id);
    /// Decline an invitation
    decline "/me/invitations/{id}/decline", |tx, _desk, caller, id| service::decline(tx, caller, id);
}
