//! All of the room's SQL.

use chrono::NaiveDate;
use diesel::prelude::*;

use super::model::{
    Place, PlaceId, Profile, Qualification, QualificationId, QualificationStatus, SkillLevel,
    Volunteer, Window,
};
use crate::error::{Code, Result};
use crate::identity::AccountId;
use crate::platform::db::{Conn, Tx};
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
    let skills: Vec<(String, i32)> = volunteer_skills::table
        .filter(volunteer_skills::account_id.eq(id))
        .order(volunteer_skills::skill)
        .select((volunteer_skills::skill, volunteer_skills::level))
        .load(conn)?;
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
        skills: skills
            .into_iter()
            .map(|(skill, level)| SkillLevel { skill, level })
            .collect(),
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

/// Puts the parts of a profile in the place of those before.
pub fn replace_parts(tx: &mut Tx<'_>, id: AccountId, profile: &Profile) -> Result<()> {
    let conn = &mut *tx.conn;
    diesel::delete(volunteer_skills::table.filter(volunteer_skills::account_id.eq(id)))
        .execute(conn)?;
    for declared in &profile.skills {
        diesel::insert_into(volunteer_skills::table)
            .values((
                volunteer_skills::account_id.eq(id),
                volunteer_skills::skill.eq(&declared.skill),
                volunteer_skills::level.eq(declared.level),
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

/// Moves a qualification by compare-and-set; false when somebody else did first.
pub fn review(
    tx: &mut Tx<'_>,
    seen: &Qualification,
    to: QualificationStatus,
    by: AccountId,
    expires_on: Option<NaiveDate>,
    reason: Option<&str>,
) -> Result<bool> {
    let same = qualifications::table
        .filter(qualifications::id.eq(seen.id))
        .filter(qualifications::status.eq(seen.status));
    let moved = diesel::update(same)
        .set((
            qualifications::status.eq(to),
            qualifications::reviewed_by.eq(Some(by)),
            qualifications::reviewed_at.eq(Some(tx.now)),
            qualifications::expires_on.eq(expires_on),
            qualifications::reason.eq(reason),
        ))
        .execute(tx.conn)?;
    Ok(moved > 0)
}
