//! One function per write. Who may is asked by the room `party`.

use serde_json::json;

use super::model::{Branch, BranchId, BranchStatus, NewBranch};
use super::rules::{MOVES, STAFF};
use super::store;
use crate::error::{Code, Problem, Result};
use crate::platform::db::Tx;
use crate::platform::http::IfMatch;
use crate::platform::journal::{Actor, Change};
use crate::platform::lifecycle;
use crate::regions;

/// What the journal calls a branch.
const NOUN: &str = "party_branch";

/// Sets a branch up.
///
/// # Errors
/// `invalid` with every wrong field: a code that is taken, an unknown region, a branch above that
/// is not active or whose region does not hold this one's.
pub fn create(tx: &mut Tx<'_>, actor: Actor, new: &NewBranch) -> Result<Branch> {
    tx.serialize_on("party_branch_codes")?;
    let mut wrong = Problem::new(Code::Invalid);
    if store::is_taken(tx.conn, &new.code)? {
        wrong = wrong.field("/code", Code::BranchCodeTaken);
    }
    if let Err(code) = regions::current(tx.conn, new.region_id, None, tx.today())? {
        wrong = wrong.field("/region_id", code);
    }
    if let Some(parent) = new.parent_id {
        hold(tx, parent)?;
        match store::by_id(tx.conn, parent) {
            Ok(above) => {
                let fits = above.status == BranchStatus::Active
                    && regions::contains(tx.conn, above.region_id, new.region_id)?;
                if !fits {
                    wrong = wrong.field("/parent_id", Code::BranchAbove);
                }
            }
            Err(_) => wrong = wrong.field("/parent_id", Code::UnknownReference),
        }
    }
    if !wrong.errors.is_empty() {
        return Err(wrong.into());
    }
    let branch = Branch {
        id: BranchId::new(),
        code: new.code.clone(),
        name: new.name.clone(),
        region_id: new.region_id,
        parent_id: new.parent_id,
        status: BranchStatus::Active,
        version: 1,
        created_at: tx.now,
    };
    store::insert(tx.conn, &branch)?;
    tx.journal(change(&branch, actor, "create").payload(json!({ "code": branch.code })))?;
    Ok(branch)
}

/// Gives an active branch another name.
///
/// # Errors
/// `version_required`, `version_mismatch`, `move_not_allowed` once it is dissolved.
pub fn rename(
    tx: &mut Tx<'_>,
    actor: Actor,
    mut branch: Branch,
    seen: &IfMatch,
    name: &str,
) -> Result<Branch> {
    seen.expect(branch.version)?;
    if branch.status != BranchStatus::Active {
        return Err(lifecycle::refusal(MOVES, STAFF, branch.status));
    }
    name.clone_into(&mut branch.name);
    if !store::update(tx.conn, &branch)? {
        return Err(Code::VersionMismatch.into());
    }
    tx.journal(change(&branch, actor, "rename"))?;
    store::by_id(tx.conn, branch.id)
}

/// Dissolves a branch that nothing stands below. Dissolving it again is answered as the first time.
///
/// # Errors
/// `branch_in_use`, `move_not_allowed` once it is dissolved.
pub fn dissolve(tx: &mut Tx<'_>, actor: Actor, branch: Branch, reason: &str) -> Result<Branch> {
    let subject = (NOUN, branch.id.0);
    if lifecycle::is_repeat(tx.conn, MOVES, subject, branch.status, "dissolve", actor)? {
        return Ok(branch);
    }
    let to = lifecycle::step(MOVES, STAFF, branch.status, "dissolve")?;
    if store::has_below(tx.conn, branch.id)? {
        return Err(Code::BranchInUse.into());
    }
    let from = branch.status;
    let moved = Branch {
        status: to,
        ..branch
    };
    if !store::update(tx.conn, &moved)? {
        let now = store::by_id(tx.conn, moved.id)?;
        return Err(lifecycle::refusal(MOVES, STAFF, now.status));
    }
    tx.journal(
        change(&moved, actor, "dissolve")
            .states(from.into(), to.into())
            .reason(Some(reason)),
    )?;
    store::by_id(tx.conn, moved.id)
}

/// Makes whoever puts something into a branch and whoever dissolves it wait for each other, until
/// the end of the transaction.
///
/// # Errors
/// Those of the database.
pub fn hold(tx: &mut Tx<'_>, id: BranchId) -> Result<()> {
    tx.serialize_on(&format!("party_branch:{id}"))
}

fn change(branch: &Branch, actor: Actor, verb: &str) -> Change {
    Change::new(actor, format!("{NOUN}.{verb}"), branch.id.0).region(branch.region_id.0)
}
