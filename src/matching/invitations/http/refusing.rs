//! What one does not want to be asked, and by whom.

use actix_web::web::{Data, Path};
use actix_web::{HttpResponse, delete, get, post, put};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use validator::Validate;

use crate::error::Result;
use crate::identity::{self, AccountId, Caller, Command, Made};
use crate::matching::invitations::model::{Block, BlockId};
use crate::matching::invitations::service::{self, NewBlock};
use crate::matching::invitations::store;
use crate::matching::model::{NeedId, NeedKind};
use crate::organizations::{self, OrganizationId};
use crate::platform::Platform;
use crate::platform::clock::Instant;
use crate::platform::db::Conn;
use crate::platform::http::page::DEFAULT_LIMIT;
use crate::platform::http::valid::Nothing;
use crate::platform::http::{Cursor, List, Page, Params, ProblemBody};

#[derive(Debug, Clone, Deserialize, IntoParams, Validate)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Paging {
    /// Rows a page holds, 1 to 100.
    #[validate(range(min = 1, max = 100))]
    limit: Option<i64>,
    /// `next` of the page before.
    cursor: Option<String>,
}

/// A need that one does not want to hear of.
#[derive(Debug, Serialize, ToSchema)]
struct DismissedNeed {
    /// What it is.
    need_kind: NeedKind,
    /// The wish or role.
    #[schema(value_type = String, format = Uuid)]
    need_id: Uuid,
    /// In a few words.
    title: String,
    /// Since when.
    created_at: Instant,
}

/// List the needs one dismissed
#[utoipa::path(tag = "matching", params(Paging), responses(
    (status = 200, description = "The newest first", body = Page<DismissedNeed>),
    (status = 422, description = "A parameter out of bounds", body = ProblemBody)))]
#[get("/me/dismissed-needs")]
pub(super) async fn list_dismissed(
    caller: Caller,
    platform: Data<Platform>,
    query: Params<Paging>,
) -> Result<List<Page<DismissedNeed>>> {
    let before = Cursor::decode::<(Instant, Uuid)>(query.0.cursor.as_deref())?;
    let limit = query.0.limit.unwrap_or(DEFAULT_LIMIT);
    let found = platform.db.read(move |conn| {
        let rows = store::dismissals(conn, caller.account, before, limit)?;
        Page::of(rows, limit, |row| (row.created_at, row.need_id.0)).try_map(|row| {
            let need = NeedId {
                kind: row.need_kind,
                id: row.need_id.0,
            };
            Ok(DismissedNeed {
                need_kind: need.kind,
                need_id: need.id,
                title: service::about(conn, need)?.title,
                created_at: row.created_at,
            })
        })
    });
    Ok(List(found.await?))
}

/// Dismiss a need
///
/// Not interested: it is neither recommended to the caller any more, nor is the caller asked for it.
#[utoipa::path(tag = "matching", request_body = Nothing, params(
        ("kind" = NeedKind, Path, description = "What the need is"),
        ("id" = String, Path, format = Uuid, description = "The wish or role")), responses(
    (status = 204, description = "Dismissed; also when it was"),
    (status = 404, description = "No such need", body = ProblemBody)))]
#[put("/me/dismissed-needs/{kind}/{id}")]
pub(super) async fn dismiss_need(
    command: Command<Nothing>,
    path: Path<(NeedKind, Uuid)>,
) -> Result<HttpResponse> {
    let (kind, id) = path.into_inner();
    command
        .run(move |tx, caller, _| {
            service::dismiss(tx, caller.account, caller.actor(), NeedId { id, kind })?;
            Ok(Made::<()>::nothing())
        })
        .await
}

/// Take a dismissal back
#[utoipa::path(tag = "matching", params(
        ("kind" = NeedKind, Path, description = "What the need is"),
        ("id" = String, Path, format = Uuid, description = "The wish or role")), responses(
    (status = 204, description = "Taken back; also when there was none")))]
#[delete("/me/dismissed-needs/{kind}/{id}")]
pub(super) async fn take_back(
    command: Command<Nothing>,
    path: Path<(NeedKind, Uuid)>,
) -> Result<HttpResponse> {
    let (kind, id) = path.into_inner();
    command
        .run(move |tx, caller, _| {
            service::undismiss(tx, caller.account, caller.actor(), NeedId { id, kind })?;
            Ok(Made::<()>::nothing())
        })
        .await
}

/// From whom one takes no invitations.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = InvitationBlock)]
struct BlockView {
    /// Its id.
    id: BlockId,
    /// The organisation.
    organization_id: Option<OrganizationId>,
    /// The account; null with an organisation, and where nobody at all may invite.
    account_id: Option<AccountId>,
    /// What either is called; null where nobody at all may invite.
    name: Option<String>,
    /// Since when.
    created_at: Instant,
}

impl BlockView {
    fn of(conn: &mut Conn, row: Block) -> Result<Self> {
        let name = match (row.organization_id, row.blocked_id) {
            (Some(id), _) => Some(organizations::organization(conn, id)?.name),
            (None, Some(id)) => identity::account(conn, id).ok().map(|a| a.display_name),
            (None, None) => None,
        };
        Ok(Self {
            id: row.id,
            organization_id: row.organization_id,
            account_id: row.blocked_id,
            name,
            created_at: row.created_at,
        })
    }
}

/// List from whom one takes no invitations
#[utoipa::path(tag = "matching", params(Paging), responses(
    (status = 200, description = "The newest first", body = Page<BlockView>),
    (status = 422, description = "A parameter out of bounds", body = ProblemBody)))]
#[get("/me/invitation-blocks")]
pub(super) async fn list_blocks(
    caller: Caller,
    platform: Data<Platform>,
    query: Params<Paging>,
) -> Result<List<Page<BlockView>>> {
    let before = Cursor::decode(query.0.cursor.as_deref())?;
    let limit = query.0.limit.unwrap_or(DEFAULT_LIMIT);
    let found = platform.db.read(move |conn| {
        let rows = store::blocks(conn, caller.account, before, limit)?;
        Page::of(rows, limit, |row| row.id).try_map(|row| BlockView::of(conn, row))
    });
    Ok(List(found.await?))
}

/// Take no invitations from somebody
///
/// From an organisation, an account or, with neither, from anybody. Who is blocked is not told.
#[utoipa::path(tag = "matching", request_body = NewBlock, responses(
    (status = 201, description = "Blocked; also when it was", body = BlockView),
    (status = 422, description = "Wrong fields", body = ProblemBody)))]
#[post("/me/invitation-blocks")]
pub(super) async fn add_block(command: Command<NewBlock>) -> Result<HttpResponse> {
    command
        .run(move |tx, caller, input| {
            let row = service::block(tx, caller.account, caller.actor(), input)?;
            let location = "/api/v1/me/invitation-blocks".to_owned();
            Ok(Made::new(BlockView::of(tx.conn, row)?, location))
        })
        .await
}

/// Lift a block
#[utoipa::path(tag = "matching", params(("id" = BlockId, Path, description = "The block")), responses(
    (status = 204, description = "Lifted"),
    (status = 404, description = "No such block of one's own", body = ProblemBody)))]
#[delete("/me/invitation-blocks/{id}")]
pub(super) async fn lift_block(
    command: Command<Nothing>,
    id: Path<BlockId>,
) -> Result<HttpResponse> {
    command
        .run(move |tx, caller, _| {
            service::lift_block(tx, caller.account, caller.actor(), *id)?;
            Ok(Made::<()>::nothing())
        })
        .await
}
