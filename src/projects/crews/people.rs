//! Which people may do a project's work.

use super::rules::Schedule;
use super::store;
use crate::error::{Code, Result};
use crate::identity::AccountId;
use crate::party;
use crate::platform::db::Tx;
use crate::projects::claims::ClaimId;
use crate::projects::model::{Project, ProjectRole};
use crate::projects::rules::{ADULT_AGE, day_of_work, least_age};
use crate::projects::service::Desk;
use crate::volunteers;

/// Whether a person may work in a role: what the project's work asks for, and the qualification
/// of the role, and no other work at the same hours. Skills are matching's; an organisation may take
/// somebody who still learns.
///
/// # Errors
/// `profile_required`, `qualification_missing`, `time_conflict`, and those of [`suits`].
pub(super) fn may_work(
    tx: &mut Tx<'_>,
    desk: &Desk,
    project: &Project,
    role: &ProjectRole,
    who: AccountId,
) -> Result<()> {
    if volunteers::profile(tx.conn, who)?.is_none() {
        return Err(Code::ProfileRequired.into());
    }
    let day = day_of_work(project.starts_on, tx.today());
    if let Some(kind) = &role.qualification
        && !volunteers::holds_qualification(tx.conn, who, kind, day)?
    {
        return Err(Code::QualificationMissing.into());
    }
    suits(tx, desk, project, who)?;
    // two crews that take the same person on wait for each other
    tx.serialize_on(&format!("crew member:{who}"))?;
    let wanted = Schedule::of(project, role);
    let taken = store::standings(tx.conn, &[who])?;
    let mut taken = taken.iter().filter(|place| place.is_active);
    if taken.any(|place| place.schedule.collides(&wanted, tx.today())) {
        return Err(Code::TimeConflict.into());
    }
    Ok(())
}

/// Whether a project's work is for a person, as the one who claims it or in a crew: Party
/// membership for an internal Party activity, vetting for work with minors, and age where the date
/// of birth is known.
///
/// # Errors
/// `party_only`, `vetting_missing`, `age`.
pub fn suits(tx: &mut Tx<'_>, desk: &Desk, project: &Project, who: AccountId) -> Result<()> {
    if project.party_only && !party::is_party_member(tx.conn, &desk.vault, who)? {
        return Err(Code::PartyOnly.into());
    }
    if project.minors && !is_vetted(tx, desk, project, who)? {
        return Err(Code::VettingMissing.into());
    }
    let least = least_age(project.minors, project.dangerous);
    if age(tx, who)?.is_some_and(|age| age < least) {
        return Err(Code::Age.into());
    }
    Ok(())
}

fn age(tx: &mut Tx<'_>, who: AccountId) -> Result<Option<i32>> {
    let born = volunteers::birth_date(tx.conn, who)?;
    Ok(born.map(|born| volunteers::age(born, tx.today())))
}

fn is_vetted(tx: &mut Tx<'_>, desk: &Desk, project: &Project, who: AccountId) -> Result<bool> {
    let day = day_of_work(project.starts_on, tx.today());
    volunteers::holds_qualification(tx.conn, who, &desk.rules.vetting, day)
}

/// How many in a crew are adult by their date of birth, and vetted.
///
/// # Errors
/// Those of the database.
pub fn vetted_adults(
    tx: &mut Tx<'_>,
    desk: &Desk,
    project: &Project,
    claim: ClaimId,
) -> Result<i64> {
    let mut count = 0;
    for who in store::at_work(tx.conn, claim)? {
        let is_adult = age(tx, who)?.is_some_and(|age| age >= ADULT_AGE);
        if is_adult && is_vetted(tx, desk, project, who)? {
            count += 1;
        }
    }
    Ok(count)
}
