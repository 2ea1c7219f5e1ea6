//! What people are told of their accounts. The room that keeps accounts comes before this one and
//! hands over no notices; so they are read from its journal.

use std::collections::BTreeMap;

use serde::Deserialize;
use uuid::Uuid;

use super::{Kind, Notice, notify};
use crate::error::{Error, Result};
use crate::identity::{AccountId, Role};
use crate::platform::db::{Conn, Tx};
use crate::platform::http::Lang;
use crate::platform::journal::Entry;
use crate::regions::{self, RegionId};

/// What the journal keeps of a role that was granted or revoked.
#[derive(Deserialize)]
struct Held {
    role: Role,
    scope_id: Option<Uuid>,
}

/// What the journal keeps of a refresh token that came back.
#[derive(Deserialize)]
struct Whose {
    account_id: AccountId,
}

/// Tells people what happened to their accounts.
///
/// # Errors
/// Those of the database.
pub fn react(tx: &mut Tx<'_>, entry: &Entry) -> Result<()> {
    let payload = &entry.payload.0;
    let subject = AccountId(entry.subject_id.0);
    let (to, kind, params) = match entry.kind.as_str() {
        "account.password_changed" => (subject, Kind::PasswordChanged, BTreeMap::new()),
        "account.contact_changed" => (subject, Kind::ContactChanged, BTreeMap::new()),
        "session.token_reused" => {
            let whose = Whose::deserialize(payload).map_err(Error::internal)?;
            (whose.account_id, Kind::SessionEnded, BTreeMap::new())
        }
        "account.role_granted" | "account.role_revoked" => {
            let held = Held::deserialize(payload).map_err(Error::internal)?;
            let Some(params) = described(tx.conn, &held)? else {
                return Ok(());
            };
            let kind = match entry.kind.as_str() {
                "account.role_granted" => Kind::RoleGranted,
                _ => Kind::RoleRevoked,
            };
            (subject, kind, params)
        }
        _ => return Ok(()),
    };
    let subject = ("account", to.0);
    let notice = Notice {
        to,
        kind,
        subject,
        params,
        mail_pause: None,
        alike: Vec::new(),
        until: None,
        link: None,
        mailed: true,
    };
    notify(tx, &notice)
}

/// A role and its place in words; nothing for those of organisations, which tell of them themselves.
fn described(conn: &mut Conn, held: &Held) -> Result<Option<BTreeMap<&'static str, String>>> {
    let both = |zh: &str, en: &str| {
        let gaps = [("role_zh", zh.to_owned()), ("role_en", en.to_owned())];
        Some(BTreeMap::from(gaps))
    };
    Ok(match (held.role, held.scope_id) {
        (Role::OrganizationManager | Role::OrganizationMember, _) => None,
        // a mail is no sealed place: it does not tell who belongs to the Party
        (Role::BranchSecretary, _) => both("请登录查看", "sign in to see which"),
        (role, scope) => {
            let (mut zh, mut en) = (name(role, Lang::Zh), name(role, Lang::En));
            let region = scope.and_then(|scope| regions::by_id(conn, RegionId(scope)).ok());
            if let Some(region) = region {
                zh = format!("{}{zh}", region.name);
                en = format!("{en} of {}", region.name);
            }
            both(&zh, &en)
        }
    })
}

fn name(role: Role, lang: Lang) -> String {
    let name = match role {
        Role::PlatformAdmin => lang.pick("平台管理员", "platform administrator"),
        Role::RegionAdmin => lang.pick("区域管理员", "administrator"),
        Role::GridLeader => lang.pick("网格长", "grid leader"),
        Role::GridWorker => lang.pick("网格员", "grid worker"),
        Role::OrganizationManager => lang.pick("组织负责人", "manager"),
        Role::OrganizationMember => lang.pick("组织成员", "member"),
        Role::BranchSecretary => lang.pick("党支部书记", "branch secretary"),
        Role::CaseOfficer => lang.pick("专管员", "case officer"),
        Role::Auditor => lang.pick("审计员", "auditor"),
    };
    name.to_owned()
}
