//! The marks that staff set beside declared skills.

use serde_json::json;

use super::super::model::{SkillLevel, SkillMark, Volunteer};
use super::super::store;
use super::profile::hold;
use crate::error::{Code, Result};
use crate::identity::{AccountId, Caller, Role};
use crate::notifications::{Kind, Notice, notify};
use crate::platform::db::{Conn, Tx};
use crate::platform::journal::Change;
use crate::taxonomies;

/// What a volunteer declares to be able to do, for the staff of the region and the person.
///
/// # Errors
/// `not_found` for anybody else.
pub fn skills(conn: &mut Conn, caller: &Caller, of: AccountId) -> Result<Vec<SkillLevel>> {
    known(conn, caller, of)?;
    let declared = store::marks(conn, of)?;
    Ok(declared.into_iter().map(SkillLevel::from).collect())
}

/// A volunteer whom the caller may know of.
fn known(conn: &mut Conn, caller: &Caller, of: AccountId) -> Result<Volunteer> {
    let volunteer = store::volunteer(conn, of)?.ok_or(Code::NotFound)?;
    let may = of == caller.account
        || caller.holds_in_region(conn, &[Role::RegionAdmin], volunteer.region_id)?;
    if may {
        Ok(volunteer)
    } else {
        Err(Code::NotFound.into())
    }
}

/// Verifies a declared skill, or takes that back; a mark that stands there already is left as it is.
/// `level` is the one that was seen, where the caller says so.
///
/// # Errors
/// `not_found` outside of one's region and for a skill that is not declared, `own_skill`;
/// `version_mismatch` when it is declared at another level.
pub fn mark(
    tx: &mut Tx<'_>,
    caller: &Caller,
    of: AccountId,
    skill: &str,
    level: Option<i32>,
    is_verified: bool,
) -> Result<SkillLevel> {
    hold(tx, of)?;
    let volunteer = known(tx.conn, caller, of)?;
    if of == caller.account {
        return Err(Code::OwnSkill.into());
    }
    let named = taxonomies::skill(skill).ok_or(Code::NotFound)?;
    let mut declared = store::marks(tx.conn, of)?.into_iter();
    let seen = declared
        .find(|mark| mark.skill == named.code)
        .ok_or(Code::NotFound)?;
    if level.is_some_and(|level| level != seen.level) {
        return Err(Code::VersionMismatch.into());
    }
    if seen.verified_at.is_some() == is_verified {
        return Ok(seen.into());
    }
    let set = SkillMark {
        verified_by: is_verified.then_some(caller.account),
        verified_at: is_verified.then_some(tx.now),
        ..seen
    };
    store::mark(tx.conn, of, &set)?;
    let (verb, kind) = match is_verified {
        true => ("volunteer.skill_verified", Kind::SkillVerified),
        false => ("volunteer.skill_unverified", Kind::SkillUnverified),
    };
    let change = Change::new(caller.actor(), verb, of.0)
        .region(volunteer.region_id.0)
        .payload(json!({ "skill": set.skill, "level": set.level }));
    tx.journal(change)?;
    notify(
        tx,
        &Notice::titled(of, kind, ("volunteer", of.0), &named.zh),
    )?;
    Ok(set.into())
}
