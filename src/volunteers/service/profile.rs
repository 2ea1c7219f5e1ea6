//! A volunteer's profile, written whole.

use chrono::NaiveDate;

use super::super::model::{Profile, Volunteer};
use super::super::{rules, store};
use crate::error::{Code, Result, together};
use crate::identity::{AccountId, Caller};
use crate::platform::db::{Conn, Tx};
use crate::platform::http::{IfMatch, valid};
use crate::platform::journal::{Actor, Change};
use crate::regions;

/// A volunteer's profile and its version; none for somebody who is not a volunteer.
///
/// # Errors
/// Those of the database.
pub fn profile(conn: &mut Conn, id: AccountId) -> Result<Option<(Profile, i32)>> {
    let Some(volunteer) = store::volunteer(conn, id)? else {
        return Ok(None);
    };
    Ok(Some((store::profile(conn, &volunteer)?, volunteer.version)))
}

/// When a volunteer was born; none where nobody knows.
///
/// # Errors
/// Those of the database.
pub fn birth_date(conn: &mut Conn, id: AccountId) -> Result<Option<NaiveDate>> {
    Ok(store::volunteer(conn, id)?.and_then(|volunteer| volunteer.birth_date))
}

/// Writes one's profile whole. The first time makes one a volunteer.
///
/// # Errors
/// `invalid` with every wrong field; with a profile there already, `version_required` and
/// `version_mismatch`.
pub fn write_profile(
    tx: &mut Tx<'_>,
    caller: &Caller,
    seen: &IfMatch,
    profile: &Profile,
) -> Result<(Profile, i32)> {
    write(tx, caller.actor(), caller.account, Some(seen), profile)
}

/// Takes over a profile from somewhere else, whatever stood there.
///
/// # Errors
/// `invalid` with every wrong field.
pub fn import(
    tx: &mut Tx<'_>,
    actor: Actor,
    account: AccountId,
    profile: &Profile,
) -> Result<(Profile, i32)> {
    write(tx, actor, account, None, profile)
}

/// Looks at a profile that comes from somewhere else.
///
/// # Errors
/// `invalid` with every wrong field.
pub fn check(tx: &mut Tx<'_>, profile: &Profile) -> Result<()> {
    together([valid::check(profile, ""), fits(tx, profile, None)])
}

fn fits(tx: &mut Tx<'_>, profile: &Profile, known: Option<&Volunteer>) -> Result<()> {
    let mut wrong = rules::check(profile, tx.today());
    let home = known.map(|known| known.region_id);
    if let Err(code) = regions::current(tx.conn, profile.region_id, home, tx.today())? {
        wrong = wrong.field("/region_id", code);
    }
    if wrong.errors.is_empty() {
        Ok(())
    } else {
        Err(wrong.into())
    }
}

/// Lets writes about one volunteer wait for each other: the person writes the profile, staff the marks
/// beside its skills.
pub(super) fn hold(tx: &mut Tx<'_>, account: AccountId) -> Result<()> {
    tx.serialize_on(&format!("volunteer:{account}"))
}

fn write(
    tx: &mut Tx<'_>,
    actor: Actor,
    account: AccountId,
    seen: Option<&IfMatch>,
    profile: &Profile,
) -> Result<(Profile, i32)> {
    hold(tx, account)?;
    let known = store::volunteer(tx.conn, account)?;
    together([valid::check(profile, ""), fits(tx, profile, known.as_ref())])?;
    let verb = if known.is_some() {
        "volunteer.updated"
    } else {
        "volunteer.joined"
    };
    let row = Volunteer {
        account_id: account,
        region_id: profile.region_id,
        introduction: profile.introduction.clone(),
        birth_date: profile.birth_date,
        version: known.as_ref().map_or(1, |known| known.version),
        created_at: known.as_ref().map_or(tx.now, |known| known.created_at),
        updated_at: tx.now,
    };
    match known {
        None => store::insert(tx.conn, &row)?,
        Some(known) => {
            if let Some(seen) = seen {
                seen.expect(known.version)?;
            }
            if !store::update(tx.conn, &row)? {
                return Err(Code::VersionMismatch.into());
            }
        }
    }
    store::replace_parts(tx, account, profile)?;
    tx.journal(Change::new(actor, verb, account.0).region(profile.region_id.0))?;
    self::profile(tx.conn, account)?.ok_or_else(|| Code::NotFound.into())
}
