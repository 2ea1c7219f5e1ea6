//! All of the room's SQL.

use std::collections::HashMap;

use chrono::NaiveDate;
use diesel::prelude::*;

use super::model::{
    Basics, Place, PlaceId, Profile, Qualification, QualificationId, QualificationStatus,
    SkillLevel, SkillMark, Volunteer, Window,
};
use crate::each;
use crate::error::{Code, Result};
use crate::identity::AccountId;
use crate::platform::db::{Conn, Prepared, Tx};
use crate::regions::{self, RegionId};
use crate::schema::{
    qualifications, volunteer_interests, volunteer_places, volunteer_skills, volunteer_windows,
    volunteers,
};
use crate::taxonomies::LifeCycle;

pub fn volunteer(conn: &mut Conn, id: AccountId) -> Result<Option<Volunteer>> {
    Ok(volunteers::table
        .find(id)
        .select(Volunteer::as_select())
        .first(conn)
        .optional()?)
}

/// The parts of a profile that stand in tables of their own.
pub fn profile(conn: &mut Conn, volunteer: &Volunteer) -> Result<Profile> {
    let id = volunteer.account_id;
    let skills = marks(conn, id)?;
    let interests: Vec<LifeCycle> = volunteer_interests::table
        .filter(volunteer_interests::account_id.eq(id))
        .order(volunteer_interests::life_cycle)
        .select(volunteer_interests::life_cycle)
        .load(conn)?;
    let windows: Vec<(i32, i32, i32)> = volunteer_windows::table
        .filter(volunteer_windows::account_id.eq(id))
        .order((volunteer_windows::weekday, volunteer_windows::from_minute))
        .select((
            volunteer_windows::weekday,
            volunteer_windows::from_minute,
            volunteer_windows::to_minute,
        ))
        .load(conn)?;
    let places: Vec<(String, f64, f64, i32)> = volunteer_places::table
        .filter(volunteer_places::account_id.eq(id))
        .order(volunteer_places::id)
        .select((
            volunteer_places::label,
            volunteer_places::longitude,
            volunteer_places::latitude,
            volunteer_places::radius_m,
        ))
        .load(conn)?;
    Ok(Profile {
        region_id: volunteer.region_id,
        introduction: volunteer.introduction.clone(),
        birth_date: volunteer.birth_date,
        skills: skills.into_iter().map(SkillLevel::from).collect(),
        interests,
        availability: windows
            .into_iter()
            .map(|(weekday, from_minute, to_minute)| Window {
                weekday,
                from_minute,
                to_minute,
            })
            .collect(),
        places: places
            .into_iter()
            .map(|(label, longitude, latitude, radius_m)| Place {
                label,
                longitude,
                latitude,
                radius_m,
            })
            .collect(),
    })
}

pub fn insert(conn: &mut Conn, volunteer: &Volunteer) -> Result<()> {
    diesel::insert_into(volunteers::table)
        .values(volunteer)
        .execute(conn)?;
    Ok(())
}

/// Writes the row, if its version is still the one that was read.
pub fn update(conn: &mut Conn, volunteer: &Volunteer) -> Result<bool> {
    let same = volunteers::table
        .filter(volunteers::account_id.eq(volunteer.account_id))
        .filter(volunteers::version.eq(volunteer.version));
    let updated = diesel::update(same)
        .set((
            volunteers::region_id.eq(volunteer.region_id),
            volunteers::introduction.eq(&volunteer.introduction),
            volunteers::birth_date.eq(volunteer.birth_date),
            volunteers::version.eq(volunteer.version + 1),
            volunteers::updated_at.eq(volunteer.updated_at),
        ))
        .execute(conn)?;
    Ok(updated > 0)
}

/// Puts the parts of a profile in the place of those before. A skill that stays at its level stays
/// verified, whatever the profile says of that.
pub fn replace_parts(tx: &mut Tx<'_>, id: AccountId, profile: &Profile) -> Result<()> {
    let conn = &mut *tx.conn;
    let known = marks(conn, id)?;
    diesel::delete(volunteer_skills::table.filter(volunteer_skills::account_id.eq(id)))
        .execute(conn)?;
    for declared in &profile.skills {
        let mut known = known.iter();
        let kept =
            known.find(|mark| (&mark.skill, mark.level) == (&declared.skill, declared.level));
        diesel::insert_into(volunteer_skills::table)
            .values((
                volunteer_skills::account_id.eq(id),
                volunteer_skills::skill.eq(&declared.skill),
                volunteer_skills::level.eq(declared.level),
                volunteer_skills::verified_by.eq(kept.and_then(|mark| mark.verified_by)),
                volunteer_skills::verified_at.eq(kept.and_then(|mark| mark.verified_at)),
            ))
            .execute(conn)?;
    }
    diesel::delete(volunteer_interests::table.filter(volunteer_interests::account_id.eq(id)))
        .execute(conn)?;
    for goal in &profile.interests {
        diesel::insert_into(volunteer_interests::table)
            .values((
                volunteer_interests::account_id.eq(id),
                volunteer_interests::life_cycle.eq(goal),
            ))
            .execute(conn)?;
    }
    diesel::delete(volunteer_windows::table.filter(volunteer_windows::account_id.eq(id)))
        .execute(conn)?;
    for window in &profile.availability {
        diesel::insert_into(volunteer_windows::table)
            .values((
                volunteer_windows::account_id.eq(id),
                volunteer_windows::weekday.eq(window.weekday),
                volunteer_windows::from_minute.eq(window.from_minute),
                volunteer_windows::to_minute.eq(window.to_minute),
            ))
            .execute(conn)?;
    }
    diesel::delete(volunteer_places::table.filter(volunteer_places::account_id.eq(id)))
        .execute(conn)?;
    for place in &profile.places {
        diesel::insert_into(volunteer_places::table)
            .values((
                volunteer_places::id.eq(PlaceId::new()),
                volunteer_places::account_id.eq(id),
                volunteer_places::label.eq(&place.label),
                volunteer_places::longitude.eq(place.longitude),
                volunteer_places::latitude.eq(place.latitude),
                volunteer_places::radius_m.eq(place.radius_m),
            ))
            .execute(conn)?;
    }
    Ok(())
}

// ---- skills

/// What a volunteer declares to be able to do, by its code, with the marks of staff.
pub fn marks(conn: &mut Conn, id: AccountId) -> Result<Vec<SkillMark>> {
    Ok(volunteer_skills::table
        .filter(volunteer_skills::account_id.eq(id))
        .order(volunteer_skills::skill)
        .select(SkillMark::as_select())
        .load(conn)?)
}

/// Sets the mark of a declared skill.
pub fn mark(conn: &mut Conn, id: AccountId, mark: &SkillMark) -> Result<()> {
    diesel::update(volunteer_skills::table.find((id, &mark.skill)))
        .set((
            volunteer_skills::verified_by.eq(mark.verified_by),
            volunteer_skills::verified_at.eq(mark.verified_at),
        ))
        .execute(conn)?;
    Ok(())
}

// ---- qualifications

pub fn insert_qualification(conn: &mut Conn, qualification: &Qualification) -> Result<()> {
    diesel::insert_into(qualifications::table)
        .values(qualification)
        .execute(conn)?;
    Ok(())
}

pub fn qualification(conn: &mut Conn, id: QualificationId) -> Result<Qualification> {
    qualifications::table
        .find(id)
        .select(Qualification::as_select())
        .first(conn)
        .optional()?
        .ok_or_else(|| Code::NotFound.into())
}

pub fn of_volunteer(conn: &mut Conn, id: AccountId) -> Result<Vec<Qualification>> {
    Ok(qualifications::table
        .filter(qualifications::account_id.eq(id))
        .order(qualifications::id)
        .select(Qualification::as_select())
        .load(conn)?)
}

/// What is known first of several people: those of them who are volunteers.
///
/// # Errors
/// Those of the database.
pub fn basics(conn: &mut Conn, people: &[AccountId]) -> Result<HashMap<AccountId, Basics>> {
    let query = volunteers::table
        .filter(volunteers::account_id.eq_any(people.to_vec()))
        .select((
            volunteers::account_id,
            volunteers::region_id,
            volunteers::birth_date,
        ));
    let rows: Vec<(AccountId, RegionId, Option<NaiveDate>)> =
        each!(conn, c => Prepared::listing(query, people.len()).load(c))?;
    let basics = rows.into_iter().map(|(id, region_id, birth_date)| {
        let basics = Basics {
            region_id,
            birth_date,
        };
        (id, basics)
    });
    Ok(basics.collect())
}

/// The qualifications of several volunteers.
pub fn of_volunteers(conn: &mut Conn, ids: &[AccountId]) -> Result<Vec<Qualification>> {
    Ok(qualifications::table
        .filter(qualifications::account_id.eq_any(ids.to_vec()))
        .select(Qualification::as_select())
        .load(conn)?)
}

/// The qualifications of a region's volunteers in one state, oldest first.
pub fn in_region(
    conn: &mut Conn,
    region: RegionId,
    status: QualificationStatus,
    after: Option<QualificationId>,
    limit: i64,
) -> Result<Vec<Qualification>> {
    let mut rows = qualifications::table
        .inner_join(volunteers::table)
        .filter(volunteers::region_id.eq_any(regions::within(region)))
        .filter(qualifications::status.eq(status))
        .select(Qualification::as_select())
        .into_boxed();
    if let Some(after) = after {
        rows = rows.filter(qualifications::id.gt(after));
    }
    Ok(rows.order(qualifications::id).limit(limit + 1).load(conn)?)
}

/// The certificates of a volunteer with this kind and number.
pub fn of_number(conn: &mut Conn, id: AccountId, hash: &[u8]) -> Result<Vec<Qualification>> {
    Ok(qualifications::table
        .filter(qualifications::number_hash.eq(hash))
        .filter(qualifications::account_id.eq(id))
        .select(Qualification::as_select())
        .load(conn)?)
}

/// Who handed in certificates with one of these kinds and numbers.
pub fn holders_of(conn: &mut Conn, hashes: Vec<Vec<u8>>) -> Result<Vec<(Vec<u8>, AccountId)>> {
    let rows: Vec<(Option<Vec<u8>>, AccountId)> = qualifications::table
        .filter(qualifications::number_hash.eq_any(hashes))
        .select((qualifications::number_hash, qualifications::account_id))
        .load(conn)?;
    let known = rows
        .into_iter()
        .filter_map(|(hash, holder)| Some((hash?, holder)));
    Ok(known.collect())
}

/// Certificates from before there were hashes of their numbers.
pub fn unhashed(conn: &mut Conn, limit: i64) -> Result<Vec<Qualification>> {
    Ok(qualifications::table
        .filter(qualifications::number_hash.is_null())
        .order(qualifications::id)
        .limit(limit)
        .select(Qualification::as_select())
        .load(conn)?)
}

pub fn set_hash(conn: &mut Conn, id: QualificationId, hash: &[u8]) -> Result<()> {
    diesel::update(qualifications::table.find(id))
        .set(qualifications::number_hash.eq(hash))
        .execute(conn)?;
    Ok(())
}

/// The certificates whose holders are to be told of their end by now.
pub fn ending(conn: &mut Conn, today: NaiveDate, limit: i64) -> Result<Vec<Qualification>> {
    Ok(qualifications::table
        .filter(qualifications::notice_on.le(today))
        .order((qualifications::notice_on, qualifications::id))
        .limit(limit)
        .select(Qualification::as_select())
        .load(conn)?)
}

/// Puts off when the holder is told next; false when somebody else did, or moved it.
pub fn put_off(
    conn: &mut Conn,
    seen: &Qualification,
    notice_on: Option<NaiveDate>,
) -> Result<bool> {
    let same = qualifications::table
        .filter(qualifications::id.eq(seen.id))
        .filter(qualifications::notice_on.eq(seen.notice_on));
    let moved = diesel::update(same)
        .set(qualifications::notice_on.eq(notice_on))
        .execute(conn)?;
    Ok(moved > 0)
}

/// Moves a qualification by compare-and-set to what `to` says; false when somebody else did first.
pub fn advance(conn: &mut Conn, seen: QualificationStatus, to: &Qualification) -> Result<bool> {
    let same = qualifications::table
        .filter(qualifications::id.eq(to.id))
        .filter(qualifications::status.eq(seen));
    let moved = diesel::update(same)
        .set((
            qualifications::status.eq(to.status),
            qualifications::reviewed_by.eq(to.reviewed_by),
            qualifications::reviewed_at.eq(to.reviewed_at),
            qualifications::expires_on.eq(to.expires_on),
            qualifications::reason.eq(&to.reason),
            qualifications::notice_on.eq(to.notice_on),
        ))
        .execute(conn)?;
    Ok(moved > 0)
}

/// Whether the document of a certificate is kept in this file.
///
/// # Errors
/// Those of the database.
pub fn keeps_file(conn: &mut Conn, file: &str) -> Result<bool> {
    let papers = qualifications::table.filter(qualifications::document.eq(file));
    Ok(diesel::select(diesel::dsl::exists(papers)).get_result(conn)?)
}

/// Notes the document of a certificate that still waits; false when it does not any more.
pub fn set_document(conn: &mut Conn, id: QualificationId, key: &str) -> Result<bool> {
    let waiting = qualifications::table
        .filter(qualifications::id.eq(id))
        .filter(qualifications::status.eq(QualificationStatus::Submitted));
    let set = diesel::update(waiting)
        .set(qualifications::document.eq(key))
        .execute(conn)?;
    Ok(set > 0)
}
