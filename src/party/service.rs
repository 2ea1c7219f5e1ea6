use super::model::{
    Decision, Listed, MemberView, Membership, MembershipId, MembershipStatus, MembershipView,
    NewMembership, Standing,
};
use super::rules::{self, MOVES, PERSON, SECRETARY};
use super::store;
use std::collections::BTreeSet;

use crate::branches::{self, Branch, BranchId, BranchStatus, NewBranch};
use crate::error::{Code, Error, Problem, Result};
use crate::identity::{
    self, AccountId, Caller, ConsentEnd, DataUse, Purpose, Reader, Role, Sensitive,
};
use crate::notifications::{Kind, Notice, notify};
use crate::platform::db::{Conn, Tx};
use crate::platform::http::{IfMatch, Page};
use crate::platform::journal::{Actor, Change, Entry};
use crate::platform::lifecycle;
use crate::platform::token::Vault;
use crate::regions::RegionId;
use crate::volunteers;

/// Whether somebody is a verified Party member today, full or probationary, and agrees to that
/// being used. For the eligibility rule of internal Party activities, and for nothing that ranks.
///
/// # Errors
/// Those of the database.
pub fn is_party_member(conn: &mut Conn, vault: &Vault, account: AccountId) -> Result<bool> {
    let Some(row) = own(conn, account)? else {
        return Ok(false);
    };
    let is_verified = row.status == MembershipStatus::Verified;
    Ok(is_verified && standing(vault, &row)?.is_some_and(rules::counts_as_member))
}

/// Those of these accounts who are verified members; for many at once, as [`is_party_member`].
///
/// # Errors
/// Those of the database.
pub fn members_among(
    conn: &mut Conn,
    vault: &Vault,
    accounts: &[AccountId],
) -> Result<BTreeSet<AccountId>> {
    let mut members = BTreeSet::new();
    for account in store::verified_among(conn, accounts)? {
        if is_party_member(conn, vault, account)? {
            members.insert(account);
        }
    }
    Ok(members)
}

// ---- branches

/// Sets a branch up.
///
/// # Errors
/// `invalid` with every wrong field; `forbidden` outside of one's region.
pub fn create_branch(tx: &mut Tx<'_>, caller: &Caller, new: &NewBranch) -> Result<Branch> {
    may_keep(tx.conn, caller, new.region_id)?;
    branches::create(tx, caller.actor(), new)
}

/// Gives a branch another name.
///
/// # Errors
/// `not_found`, `forbidden` outside of one's region, `version_required`, `version_mismatch`,
/// `move_not_allowed` once it is dissolved.
pub fn rename_branch(
    tx: &mut Tx<'_>,
    caller: &Caller,
    id: BranchId,
    seen: &IfMatch,
    name: &str,
) -> Result<Branch> {
    let branch = branches::by_id(tx.conn, id)?;
    may_keep(tx.conn, caller, branch.region_id)?;
    branches::rename(tx, caller.actor(), branch, seen, name)
}

/// Dissolves a branch that nobody belongs to and nothing stands below.
///
/// # Errors
/// `not_found`, `forbidden` outside of one's region, `branch_in_use`, `move_not_allowed`.
pub fn dissolve_branch(
    tx: &mut Tx<'_>,
    caller: &Caller,
    id: BranchId,
    reason: &str,
) -> Result<Branch> {
    branches::hold(tx, id)?;
    let branch = branches::by_id(tx.conn, id)?;
    may_keep(tx.conn, caller, branch.region_id)?;
    let live = [MembershipStatus::Declared, MembershipStatus::Verified];
    if store::has_any(tx.conn, id, &live)? {
        return Err(Code::BranchInUse.into());
    }
    branches::dissolve(tx, caller.actor(), branch, reason)
}

fn may_keep(conn: &mut Conn, caller: &Caller, region: RegionId) -> Result<()> {
    let may =
        caller.is_platform_admin() || caller.holds_in_region(conn, &[Role::RegionAdmin], region)?;
    if may {
        Ok(())
    } else {
        Err(Code::Forbidden.into())
    }
}

// ---- one's own membership

/// A person's membership, if the consent it is kept under is in force.
fn own(conn: &mut Conn, account: AccountId) -> Result<Option<Membership>> {
    let row = store::of_account(conn, account)?;
    in_force(conn, row)
}

fn in_force(conn: &mut Conn, row: Option<Membership>) -> Result<Option<Membership>> {
    match row {
        Some(row) if identity::is_in_force(conn, row.consent_id)? => Ok(Some(row)),
        _ => Ok(None),
    }
}

/// One's own membership, opened.
///
/// # Errors
/// `not_found` without one.
pub fn read_own(conn: &mut Conn, vault: &Vault, account: AccountId) -> Result<MembershipView> {
    let row = own(conn, account)?.ok_or(Code::NotFound)?;
    view(conn, vault, row)
}

fn view(conn: &mut Conn, vault: &Vault, row: Membership) -> Result<MembershipView> {
    let reason = match &row.reason {
        Some(sealed) => Some(text(vault, sealed)?),
        None => None,
    };
    Ok(MembershipView {
        branch_name: branches::by_id(conn, row.branch_id)?.name,
        standing: standing(vault, &row)?,
        id: row.id,
        branch_id: row.branch_id,
        status: row.status,
        reason,
        decided_at: row.decided_at,
        declared_at: row.created_at,
    })
}

fn text(vault: &Vault, sealed: &[u8]) -> Result<String> {
    String::from_utf8(vault.open(sealed)?).map_err(Error::internal)
}

fn standing(vault: &Vault, row: &Membership) -> Result<Option<Standing>> {
    let Some(sealed) = &row.standing else {
        return Ok(None);
    };
    let opened = rules::unpadded(&text(vault, sealed)?);
    opened
        .map(Some)
        .ok_or_else(|| Error::internal("a sealed standing that is none"))
}

/// Declares one's membership to a branch. What was rejected or has ended before is forgotten; the
/// same declaration while it waits is answered again.
///
/// # Errors
/// `profile_required` for somebody who is not a volunteer; `consent_required` without the consent
/// to this use; `invalid` for a branch that is not active; `membership_exists`.
pub fn declare(
    tx: &mut Tx<'_>,
    vault: &Vault,
    caller: &Caller,
    new: &NewMembership,
) -> Result<MembershipView> {
    let person = caller.account;
    if volunteers::profile(tx.conn, person)?.is_none() {
        return Err(Code::ProfileRequired.into());
    }
    let Some(consent_id) = identity::hold_consent(tx, person, Purpose::PartyMembership)? else {
        let problem = Problem::new(Code::ConsentRequired).detail(
            "请先单独同意处理您的党员身份信息(party_membership)。",
            "First give your separate consent to the use of Party membership (party_membership).",
        );
        return Err(problem.into());
    };
    branches::hold(tx, new.branch_id)?;
    let branch = branches::by_id(tx.conn, new.branch_id)
        .ok()
        .filter(|branch| branch.status == BranchStatus::Active)
        .ok_or_else(|| Problem::new(Code::Invalid).field("/branch_id", Code::UnknownReference))?;
    if let Some(before) = store::of_account(tx.conn, person)? {
        if rules::is_live(before.status) && identity::is_in_force(tx.conn, before.consent_id)? {
            let is_same = before.status == MembershipStatus::Declared
                && before.branch_id == new.branch_id
                && standing(vault, &before)? == Some(new.standing);
            return if is_same {
                view(tx.conn, vault, before)
            } else {
                Err(Code::MembershipExists.into())
            };
        }
        store::delete(tx.conn, before.id)?;
    }
    let row = Membership {
        id: MembershipId::new(),
        account_id: person,
        branch_id: branch.id,
        consent_id,
        standing: Some(vault.seal(rules::padded(new.standing).as_bytes())?),
        status: MembershipStatus::Declared,
        reason: None,
        decided_by: None,
        decided_at: None,
        created_at: tx.now,
    };
    store::insert(tx.conn, &row)?;
    tx.journal(change(&row, &branch, caller.actor(), "declare"))?;
    view(tx.conn, vault, row)
}

/// Ends one's own membership; ending it twice changes nothing.
///
/// # Errors
/// `not_found` without one, `move_not_allowed` when it was rejected.
pub fn end_own(tx: &mut Tx<'_>, caller: &Caller) -> Result<()> {
    let seen = own(tx.conn, caller.account)?.ok_or(Code::NotFound)?;
    if seen.status == MembershipStatus::Ended {
        return Ok(());
    }
    let branch = branches::by_id(tx.conn, seen.branch_id)?;
    let to = Membership {
        status: lifecycle::step(MOVES, PERSON, seen.status, "end")?,
        standing: None,
        ..seen.clone()
    };
    advance(tx, &branch, (caller, PERSON), &seen, &to, "end")
}

/// Moves a membership and journals it: who, when, from where to where, in which region. Standing
/// and reason stay out of the journal, which is kept longer than they may be.
fn advance(
    tx: &mut Tx<'_>,
    branch: &Branch,
    (caller, stands): (&Caller, &'static str),
    seen: &Membership,
    to: &Membership,
    verb: &str,
) -> Result<()> {
    if !store::advance(tx, seen.status, to)? {
        let now = store::by_id(tx.conn, seen.id)?.ok_or(Code::NotFound)?;
        return Err(lifecycle::refusal(MOVES, stands, now.status));
    }
    let states = (seen.status.into(), to.status.into());
    tx.journal(change(to, branch, caller.actor(), verb).states(states.0, states.1))
}

fn change(row: &Membership, branch: &Branch, actor: Actor, verb: &str) -> Change {
    Change::new(actor, format!("party_membership.{verb}"), row.id.0).region(branch.region_id.0)
}

// ---- the secretary

/// What a secretary decides about a membership.
#[derive(Clone, Copy, Debug)]
pub enum Verdict<'a> {
    /// It is as declared.
    Verify,
    /// It is not, because.
    Reject(&'a str),
    /// It is no more, because.
    End(&'a str),
}

/// A page of a branch's list. Each person shown is told of it in `/me/data-access`.
///
/// # Errors
/// `not_found` for a branch that is not the caller's.
pub fn read_members(
    tx: &mut Tx<'_>,
    vault: &Vault,
    caller: &Caller,
    id: BranchId,
    listed: Listed,
    after: Option<MembershipId>,
    limit: i64,
) -> Result<Page<MemberView>> {
    if !caller.holds(Role::BranchSecretary, id.0) {
        return Err(Code::NotFound.into());
    }
    let rows = store::of_branch(tx.conn, id, listed.into(), after, limit)?;
    let page = Page::of(rows, limit, |row| row.id);
    let mut items = Vec::new();
    for row in page.items {
        // a consent withdrawn a moment ago hides its row before the row is deleted
        let Some(row) = in_force(tx.conn, Some(row))? else {
            continue;
        };
        let Some(standing) = standing(vault, &row)? else {
            continue;
        };
        let (what, why) = (Sensitive::PartyMembership, DataUse::Verification);
        identity::disclosed(
            tx,
            caller,
            row.account_id,
            what,
            Reader::BranchSecretary,
            why,
        )?;
        let account = identity::account(tx.conn, row.account_id);
        items.push(MemberView {
            name: account.map_or(String::new(), |account| account.display_name),
            standing,
            id: row.id,
            account_id: row.account_id,
            status: row.status,
            declared_at: row.created_at,
        });
    }
    Ok(Page {
        items,
        next: page.next,
    })
}

/// Decides about a membership of one's branch. The same decision by the same person is answered
/// again.
///
/// # Errors
/// `not_found` outside of one's branch, `own_membership`, `move_not_allowed`.
pub fn decide(
    tx: &mut Tx<'_>,
    vault: &Vault,
    caller: &Caller,
    id: MembershipId,
    verdict: Verdict<'_>,
) -> Result<Decision> {
    let row = store::by_id(tx.conn, id)?;
    let seen = in_force(tx.conn, row)?.ok_or(Code::NotFound)?;
    if !caller.holds(Role::BranchSecretary, seen.branch_id.0) {
        return Err(Code::NotFound.into());
    }
    if seen.account_id == caller.account {
        return Err(Code::OwnMembership.into());
    }
    let (verb, wanted, reason, kind) = match verdict {
        Verdict::Verify => (
            "verify",
            MembershipStatus::Verified,
            None,
            Kind::PartyMembershipVerified,
        ),
        Verdict::Reject(why) => (
            "reject",
            MembershipStatus::Rejected,
            Some(why),
            Kind::PartyMembershipRejected,
        ),
        Verdict::End(why) => (
            "end",
            MembershipStatus::Ended,
            Some(why),
            Kind::PartyMembershipEnded,
        ),
    };
    if seen.status == wanted && seen.decided_by == Some(caller.account) {
        return Ok(seen.into());
    }
    let status = lifecycle::step(MOVES, SECRETARY, seen.status, verb)?;
    let to = Membership {
        status,
        standing: match status {
            MembershipStatus::Ended => None,
            _ => seen.standing.clone(),
        },
        reason: match reason {
            Some(why) => Some(vault.seal(why.as_bytes())?),
            None => None,
        },
        decided_by: Some(caller.account),
        decided_at: Some(tx.now),
        ..seen.clone()
    };
    let branch = branches::by_id(tx.conn, seen.branch_id)?;
    advance(tx, &branch, (caller, SECRETARY), &seen, &to, verb)?;
    notify(
        tx,
        &Notice::titled(seen.account_id, kind, ("party_membership", id.0), ""),
    )?;
    Ok(to.into())
}

/// Whose membership is another since an entry of the journal: verified, ended, or without the consent that
/// it is kept under.
///
/// # Errors
/// Those of the database.
pub fn changed(conn: &mut Conn, entry: &Entry) -> Result<Option<AccountId>> {
    match entry.kind.as_str() {
        "party_membership.verify" | "party_membership.end" => {
            let row = store::by_id(conn, MembershipId(entry.subject_id.0))?;
            Ok(row.map(|row| row.account_id))
        }
        // whatever the consent was for: whoever asks looks at the membership itself
        "account.consent_withdrawn" => Ok(Some(AccountId(entry.subject_id.0))),
        _ => Ok(None),
    }
}

// ---- what follows from consents

/// Follows what becomes of consents: what was declared under a withdrawn one is deleted, what was
/// declared under one that gave way to a newer text is kept under the newer.
///
/// # Errors
/// Those of the database.
pub fn react(tx: &mut Tx<'_>, entry: &Entry) -> Result<()> {
    match ConsentEnd::of(entry) {
        Some(ConsentEnd::Withdrawn(consent)) => {
            store::delete_under(tx.conn, consent)?;
        }
        Some(ConsentEnd::Replaced(from, to)) => store::carry(tx.conn, from, to)?,
        None => {}
    }
    Ok(())
}
