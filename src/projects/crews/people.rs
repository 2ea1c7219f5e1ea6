//! Which people may do a project's work.

use chrono::NaiveDate;

use super::rules::Schedule;
use super::store;
use crate::error::{Code, Result};
use crate::identity::AccountId;
use crate::party;
use crate::platform::db::Tx;
use crate::projects::claims::ClaimId;
use crate::projects::model::{Project, ProjectId, ProjectRole};
use crate::projects::rules::{ADULT_AGE, day_of_work, least_age};
use crate::projects::service::Desk;
use crate::volunteers::{self, Held};

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
    let held = volunteers::held_by(tx.conn, &[who])?;
    if let Some((code, _)) = lacks_of_role(&held, project, role, who, tx.today()) {
        return Err(code.into());
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
    let held = volunteers::held_by(tx.conn, &[who])?;
    if let Some((code, _)) = lacks_of_project(&held, desk, project, who, tx.today()) {
        return Err(code.into());
    }
    let least = least_age(project.minors, project.dangerous);
    if age(tx, who)?.is_some_and(|age| age < least) {
        return Err(Code::Age.into());
    }
    Ok(())
}

/// Refuses whoever has a place in another crew of a project, or asked for one: one person has one
/// place in a project.
///
/// # Errors
/// `in_crew_already`.
pub(super) fn has_no_place_beside(
    tx: &mut Tx<'_>,
    (project, claim): (ProjectId, ClaimId),
    who: AccountId,
) -> Result<()> {
    let places = store::standings(tx.conn, &[who])?;
    let mut beside = places.iter().filter(|place| place.claim != claim);
    match beside.any(|place| place.project == project) {
        true => Err(Code::InCrewAlready.into()),
        false => Ok(()),
    }
}

fn age(tx: &mut Tx<'_>, who: AccountId) -> Result<Option<i32>> {
    let born = volunteers::birth_date(tx.conn, who)?;
    Ok(born.map(|born| volunteers::age(born, tx.today())))
}

/// A qualification that somebody lacks: what that is called, and a code of the taxonomy.
type Lack<'a> = Option<(Code, &'a str)>;

fn lacks_of_role<'a>(
    held: &Held,
    project: &Project,
    role: &'a ProjectRole,
    who: AccountId,
    today: NaiveDate,
) -> Lack<'a> {
    let kind = role.qualification.as_deref()?;
    let is_held = held.holds(who, kind, day_of_work(project.starts_on, today));
    (!is_held).then_some((Code::QualificationMissing, kind))
}

fn lacks_of_project<'a>(
    held: &Held,
    desk: &'a Desk,
    project: &Project,
    who: AccountId,
    today: NaiveDate,
) -> Lack<'a> {
    let is_missing = project.minors && !is_vetted(held, desk, project, who, today);
    is_missing.then_some((Code::VettingMissing, desk.rules.vetting.as_str()))
}

/// The qualifications that a person lacks for a role: that which the role asks for, and the vetting for
/// work with minors.
pub(super) fn lacks<'a>(
    held: &Held,
    desk: &'a Desk,
    (project, role): (&Project, &'a ProjectRole),
    who: AccountId,
    today: NaiveDate,
) -> impl Iterator<Item = (Code, &'a str)> {
    let of_role = lacks_of_role(held, project, role, who, today);
    let of_project = lacks_of_project(held, desk, project, who, today);
    of_role.into_iter().chain(of_project)
}

fn is_vetted(
    held: &Held,
    desk: &Desk,
    project: &Project,
    who: AccountId,
    today: NaiveDate,
) -> bool {
    let day = day_of_work(project.starts_on, today);
    held.holds(who, &desk.rules.vetting, day)
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
    let people = store::at_work(tx.conn, claim)?;
    let held = volunteers::held_by(tx.conn, &people)?;
    for who in people {
        let is_adult = age(tx, who)?.is_some_and(|age| age >= ADULT_AGE);
        if is_adult && is_vetted(&held, desk, project, who, tx.today()) {
            count += 1;
        }
    }
    Ok(count)
}
