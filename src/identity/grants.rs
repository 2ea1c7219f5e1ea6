//! Roles: what an account may do, and where.

use diesel::prelude::*;
use serde_json::json;
use uuid::Uuid;

use super::model::{AccountId, AccountStatus, Grant, GrantId, Role, ScopeKind};
use super::{Caller, rules, store};
use crate::branches::{self, BranchId, BranchStatus};
use crate::each;
use crate::error::{Code, Problem, Result};
use crate::platform::clock::Instant;
use crate::platform::columns::Uid;
use crate::platform::db::{Conn, Tx};
use crate::platform::journal::{Actor, Change};
use crate::regions::{self, RegionId};
use crate::schema::role_grants;

/// The grants in force of an account.
pub(super) fn of_account(conn: &mut Conn, account: AccountId) -> Result<Vec<Grant>> {
    let grants = each!(conn, c => role_grants::table
        .filter(role_grants::account_id.eq(account))
        .filter(role_grants::revoked_at.is_null())
        .order(role_grants::id)
        .select(Grant::as_select())
        .load(c));
    Ok(grants?)
}

/// The accounts that hold a role in exactly this scope.
///
/// # Errors
/// Those of the database.
pub fn holders(conn: &mut Conn, role: Role, scope: Uuid) -> Result<Vec<AccountId>> {
    Ok(role_grants::table
        .filter(role_grants::scope_id.eq(Uid(scope)))
        .filter(role_grants::role.eq(role))
        .filter(role_grants::revoked_at.is_null())
        .select(role_grants::account_id)
        .load(conn)?)
}

/// Grants a role without asking who asks: for the command line, for rooms whose own rules decide
/// (an organisation's founder is its manager). Granting what is held already changes nothing.
///
/// # Errors
/// Those of the database.
pub fn grant(
    tx: &mut Tx<'_>,
    actor: Actor,
    account: AccountId,
    role: Role,
    scope: Option<Uuid>,
) -> Result<Grant> {
    let held = of_account(tx.conn, account)?;
    if let Some(held) = held
        .into_iter()
        .find(|g| g.role == role && g.scope_id.map(|s| s.0) == scope)
    {
        return Ok(held);
    }
    let grant = Grant {
        id: GrantId::new(),
        account_id: account,
        role,
        scope_kind: rules::scope_of(role),
        scope_id: scope.map(Uid),
        granted_at: tx.now,
    };
    let by = match actor {
        Actor::Account(id) => Some(AccountId(id.0)),
        Actor::Link | Actor::System => None,
    };
    diesel::insert_into(role_grants::table)
        .values((
            role_grants::id.eq(grant.id),
            role_grants::account_id.eq(account),
            role_grants::role.eq(role),
            role_grants::scope_kind.eq(grant.scope_kind),
            role_grants::scope_id.eq(grant.scope_id),
            role_grants::granted_by.eq(by),
            role_grants::granted_at.eq(tx.now),
        ))
        .execute(tx.conn)?;
    let what = json!({ "role": role, "scope_id": scope });
    tx.journal(Change::new(actor, "account.role_granted", account.0).payload(what))?;
    Ok(grant)
}

/// Whom a role is granted to, as those who grant it know the person.
pub(super) enum Grantee {
    Account(AccountId),
    Phone(String),
    Email(String),
}

impl Grantee {
    /// The person's account in use.
    fn account(&self, conn: &mut Conn) -> Result<AccountId> {
        let (field, found) = match self {
            Self::Account(id) => ("/account_id", store::account(conn, *id).ok()),
            Self::Phone(phone) => ("/phone", store::by_phone(conn, phone)?),
            Self::Email(email) => ("/email", store::by_email(conn, email)?),
        };
        match found {
            Some(account) if account.status == AccountStatus::Active => Ok(account.id),
            _ => Err(Problem::new(Code::Invalid)
                .field(field, Code::UnknownReference)
                .into()),
        }
    }
}

/// Grants a role as somebody who may: a platform admin anything, a region admin roles of its
/// region's staff below it and the secretaries of its branches.
pub(super) fn grant_by(
    tx: &mut Tx<'_>,
    caller: &Caller,
    to: &Grantee,
    role: Role,
    scope: Option<Uuid>,
) -> Result<Grant> {
    let wrong = |field: &str, code| Problem::new(Code::Invalid).field(field, code);
    match (rules::scope_of(role), scope) {
        (ScopeKind::All, None) => {}
        (ScopeKind::All, Some(_)) => return Err(wrong("/scope_id", Code::Format).into()),
        (_, None) => return Err(wrong("/scope_id", Code::Required).into()),
        (ScopeKind::Region, Some(region)) => {
            let region = regions::current(tx.conn, RegionId(region), None, tx.today())?
                .map_err(|code| wrong("/scope_id", code))?;
            if !rules::is_held_in(role, region.level) {
                return Err(wrong("/scope_id", Code::RoleLevel).into());
            }
        }
        // organisations hand out their roles by invitation
        (ScopeKind::Organization, Some(_)) => {
            return Err(wrong("/role", Code::RoleByInvitation).into());
        }
        (ScopeKind::Branch, Some(branch)) => {
            branches::by_id(tx.conn, BranchId(branch))
                .ok()
                .filter(|branch| branch.status == BranchStatus::Active)
                .ok_or_else(|| wrong("/scope_id", Code::UnknownReference))?;
        }
    }
    // regions and branches are known to everybody: to grant there is forbidden, not hidden. Whom the
    // caller named is not looked up before
    if !entitled(tx.conn, caller, role, scope)? {
        return Err(Code::Forbidden.into());
    }
    let account = to.account(tx.conn)?;
    if account == caller.account {
        return Err(Code::OwnRole.into());
    }
    grant(tx, caller.actor(), account, role, scope)
}

/// Takes a role away without asking who asks, as [`grant`]. Taking what is not held changes nothing.
///
/// # Errors
/// Those of the database.
pub fn take_back(
    tx: &mut Tx<'_>,
    actor: Actor,
    account: AccountId,
    role: Role,
    scope: Uuid,
) -> Result<()> {
    let by = match actor {
        Actor::Account(id) => Some(AccountId(id.0)),
        Actor::Link | Actor::System => None,
    };
    let held = role_grants::table
        .filter(role_grants::account_id.eq(account))
        .filter(role_grants::role.eq(role))
        .filter(role_grants::scope_id.eq(Uid(scope)))
        .filter(role_grants::revoked_at.is_null());
    let taken = diesel::update(held)
        .set((
            role_grants::revoked_at.eq(Some(tx.now)),
            role_grants::revoked_by.eq(by),
        ))
        .execute(tx.conn)?;
    if taken == 0 {
        return Ok(());
    }
    let what = json!({ "role": role, "scope_id": scope });
    tx.journal(Change::new(actor, "account.role_revoked", account.0).payload(what))
}

/// Takes a role away. Taking it twice answers as the first time.
pub(super) fn revoke(tx: &mut Tx<'_>, caller: &Caller, id: GrantId) -> Result<()> {
    tx.serialize_on("role grants")?; // the last platform admin spans several rows
    let row = role_grants::table
        .find(id)
        .select((Grant::as_select(), role_grants::revoked_at))
        .first::<(Grant, Option<Instant>)>(tx.conn)
        .optional()?;
    let Some((grant, revoked_at)) = row else {
        return Err(Code::NotFound.into());
    };
    let is_organizations = grant.scope_kind == ScopeKind::Organization;
    let is_inside = caller
        .grants
        .iter()
        .any(|held| held.scope_id == grant.scope_id);
    let may = grant.account_id == caller.account
        || entitled(tx.conn, caller, grant.role, grant.scope_id.map(|s| s.0))?;
    if !may && !is_inside {
        return Err(Code::NotFound.into());
    }
    // organisations take their roles back as members go, and keep a manager
    if is_organizations {
        return Err(Code::RoleByInvitation.into());
    }
    if !may {
        return Err(Code::Forbidden.into());
    }
    if revoked_at.is_some() {
        return Ok(());
    }
    if grant.role == Role::PlatformAdmin {
        let admins: i64 = role_grants::table
            .filter(role_grants::role.eq(Role::PlatformAdmin))
            .filter(role_grants::revoked_at.is_null())
            .count()
            .get_result(tx.conn)?;
        if admins <= 1 {
            return Err(Code::LastAdmin.into());
        }
    }
    let by = Some(caller.account);
    diesel::update(
        role_grants::table
            .find(id)
            .filter(role_grants::revoked_at.is_null()),
    )
    .set((
        role_grants::revoked_at.eq(Some(tx.now)),
        role_grants::revoked_by.eq(by),
    ))
    .execute(tx.conn)?;
    let what = json!({ "role": grant.role, "scope_id": grant.scope_id });
    tx.journal(
        Change::new(caller.actor(), "account.role_revoked", grant.account_id.0).payload(what),
    )
}

/// The region whose admins look after a scope: the region itself, that of a branch.
fn region_of(conn: &mut Conn, kind: ScopeKind, scope: Uuid) -> Result<Option<RegionId>> {
    Ok(match kind {
        ScopeKind::Region => Some(RegionId(scope)),
        ScopeKind::Branch => Some(branches::by_id(conn, BranchId(scope))?.region_id),
        ScopeKind::Organization | ScopeKind::All => None,
    })
}

fn entitled(conn: &mut Conn, caller: &Caller, role: Role, scope: Option<Uuid>) -> Result<bool> {
    for held in &caller.grants {
        if !rules::may_grant(held, role) {
            continue;
        }
        let holds = match (held.scope_kind, held.scope_id, scope) {
            (ScopeKind::All, _, _) => true,
            (ScopeKind::Region, Some(mine), Some(theirs)) => {
                match region_of(conn, rules::scope_of(role), theirs)? {
                    // who administers a region is named from above it
                    Some(theirs) if role == Role::RegionAdmin && theirs.0 == mine.0 => false,
                    Some(theirs) => regions::contains(conn, RegionId(mine.0), theirs)?,
                    None => false,
                }
            }
            _ => false,
        };
        if holds {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The grants in force that the caller may see: all of a scope it administers. Who works in one that
/// it has no part in is not for its eyes.
pub(super) fn list(
    conn: &mut Conn,
    caller: &Caller,
    scope: Option<Uuid>,
    after: Option<GrantId>,
    limit: i64,
) -> Result<Vec<Grant>> {
    let allowed = match scope {
        None => caller.is_platform_admin(),
        Some(scope) => {
            let region = branches::by_id(conn, BranchId(scope))
                .map_or(RegionId(scope), |branch| branch.region_id);
            caller.is_platform_admin()
                || caller.holds_in_region(conn, &[Role::RegionAdmin], region)?
                || caller.holds(Role::OrganizationManager, scope)
        }
    };
    if !allowed {
        let is_inside = scope.is_none_or(|scope| {
            let mut scopes = caller.grants.iter().map(|held| held.scope_id);
            scopes.any(|held| held == Some(Uid(scope)))
        });
        return Err(if is_inside {
            Code::Forbidden
        } else {
            Code::NotFound
        }
        .into());
    }
    let mut rows = role_grants::table
        .filter(role_grants::revoked_at.is_null())
        .select(Grant::as_select())
        .into_boxed();
    if let Some(scope) = scope {
        rows = rows.filter(role_grants::scope_id.eq(Uid(scope)));
    }
    if let Some(after) = after {
        rows = rows.filter(role_grants::id.gt(after));
    }
    Ok(rows.order(role_grants::id).limit(limit + 1).load(conn)?)
}
