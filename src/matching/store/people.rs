//! Volunteers as people to be matched.

use std::collections::HashMap;

use chrono::NaiveDate;
use diesel::prelude::*;
use uuid::Uuid;

use super::{SOURCES, Setting};
use crate::error::Result;
use crate::identity::{AccountId, AccountStatus, Purpose};
use crate::matching::{Hours, Person, Site, Span, Spot};
use crate::party;
use crate::platform::columns::Uid;
use crate::platform::db::Conn;
use crate::schema::{
    accounts, consents, qualifications, volunteer_interests, volunteer_places, volunteer_skills,
    volunteer_windows, volunteers,
};
use crate::taxonomies::LifeCycle;
use crate::volunteers::{QualificationStatus, includes};

/// The people that may be other ones since these subjects of a noun changed.
pub fn touched(conn: &mut Conn, noun: &str, subjects: &[Uuid]) -> Result<Vec<AccountId>> {
    match noun {
        "volunteer" | "account" => Ok(subjects.iter().map(|id| AccountId(*id)).collect()),
        "party_membership" => party::accounts_of(conn, subjects),
        "qualification" => {
            let ids: Vec<Uid> = subjects.iter().map(|id| Uid(*id)).collect();
            Ok(qualifications::table
                .filter(qualifications::id.eq_any(ids))
                .select(qualifications::account_id)
                .load(conn)?)
        }
        _ => Ok(Vec::new()),
    }
}

/// The accounts of all volunteers, ascending.
pub fn ids(conn: &mut Conn) -> Result<Vec<AccountId>> {
    Ok(volunteers::table
        .order(volunteers::account_id)
        .select(volunteers::account_id)
        .load(conn)?)
}

/// Those of these accounts that are volunteers, and not gone.
pub fn load(conn: &mut Conn, setting: &Setting, ids: &[AccountId]) -> Result<Vec<Person>> {
    let rows: Vec<(AccountId, Option<NaiveDate>)> = volunteers::table
        .inner_join(accounts::table)
        .filter(volunteers::account_id.eq_any(ids.to_vec()))
        .filter(accounts::status.ne(AccountStatus::Deleted))
        .order(volunteers::account_id)
        .select((volunteers::account_id, volunteers::birth_date))
        .load(conn)?;
    let mut commitments: HashMap<AccountId, u32> = HashMap::new();
    for source in SOURCES {
        for (person, count) in (source.commitments)(conn, ids)? {
            *commitments.entry(person).or_default() += count;
        }
    }
    let mut skills = skills(conn, ids)?;
    let mut held = held(conn, ids)?;
    let mut interests = interests(conn, ids)?;
    let mut windows = windows(conn, ids)?;
    let mut places = places(conn, ids)?;
    let agreeing = agreeing(conn, ids)?;
    let members = party::members_among(conn, &setting.vault, ids)?;
    let person = |(id, birth_date)| {
        let qualifications = held.remove(&id).unwrap_or_default();
        Person {
            id,
            skills: skills.remove(&id).unwrap_or_default().into_iter().collect(),
            vetted_until: vetted_until(&qualifications, &setting.vetting),
            qualifications,
            interests: exact(interests.remove(&id)),
            free: Hours::weekly(windows.remove(&id).unwrap_or_default()),
            places: exact(places.remove(&id)),
            birth_date,
            is_party_member: members.contains(&id),
            agrees: agreeing.contains_key(&id),
            commitments: commitments.get(&id).copied().unwrap_or(0),
        }
    };
    Ok(rows.into_iter().map(person).collect())
}

/// Without room for more: a million people are kept.
fn exact<T>(all: Option<Vec<T>>) -> Vec<T> {
    let mut all = all.unwrap_or_default();
    all.shrink_to_fit();
    all
}

/// The last day on which a vetting for work with minors counts.
fn vetted_until(held: &[(String, Option<NaiveDate>)], vetting: &str) -> Option<NaiveDate> {
    held.iter()
        .filter(|(kind, _)| includes(kind, vetting))
        .map(|(_, last)| last.unwrap_or(NaiveDate::MAX))
        .max()
}

type Of<T> = HashMap<AccountId, Vec<T>>;

fn grouped<T>(rows: impl IntoIterator<Item = (AccountId, T)>) -> Of<T> {
    let mut groups = Of::new();
    for (id, row) in rows {
        groups.entry(id).or_insert_with(Vec::new).push(row);
    }
    groups
}

fn skills(conn: &mut Conn, ids: &[AccountId]) -> Result<Of<(String, i32)>> {
    let rows: Vec<(AccountId, (String, i32))> = volunteer_skills::table
        .filter(volunteer_skills::account_id.eq_any(ids.to_vec()))
        .select((
            volunteer_skills::account_id,
            (volunteer_skills::skill, volunteer_skills::level),
        ))
        .load(conn)?;
    Ok(grouped(rows))
}

fn held(conn: &mut Conn, ids: &[AccountId]) -> Result<Of<(String, Option<NaiveDate>)>> {
    let rows: Vec<(AccountId, (String, Option<NaiveDate>))> = qualifications::table
        .filter(qualifications::account_id.eq_any(ids.to_vec()))
        .filter(qualifications::status.eq(QualificationStatus::Verified))
        .order(qualifications::id)
        .select((
            qualifications::account_id,
            (qualifications::kind, qualifications::expires_on),
        ))
        .load(conn)?;
    Ok(grouped(rows))
}

fn interests(conn: &mut Conn, ids: &[AccountId]) -> Result<Of<LifeCycle>> {
    let rows: Vec<(AccountId, LifeCycle)> = volunteer_interests::table
        .filter(volunteer_interests::account_id.eq_any(ids.to_vec()))
        .order(volunteer_interests::life_cycle)
        .select((
            volunteer_interests::account_id,
            volunteer_interests::life_cycle,
        ))
        .load(conn)?;
    Ok(grouped(rows))
}

fn windows(conn: &mut Conn, ids: &[AccountId]) -> Result<Of<Span>> {
    let rows: Vec<(AccountId, i32, i32, i32)> = volunteer_windows::table
        .filter(volunteer_windows::account_id.eq_any(ids.to_vec()))
        .select((
            volunteer_windows::account_id,
            volunteer_windows::weekday,
            volunteer_windows::from_minute,
            volunteer_windows::to_minute,
        ))
        .load(conn)?;
    let spans = rows
        .into_iter()
        .map(|(id, weekday, from, to)| (id, Span::of_weekday(weekday, from, to)));
    Ok(grouped(spans))
}

fn places(conn: &mut Conn, ids: &[AccountId]) -> Result<Of<Site>> {
    let rows: Vec<(AccountId, f64, f64, i32)> = volunteer_places::table
        .filter(volunteer_places::account_id.eq_any(ids.to_vec()))
        .order(volunteer_places::id)
        .select((
            volunteer_places::account_id,
            volunteer_places::longitude,
            volunteer_places::latitude,
            volunteer_places::radius_m,
        ))
        .load(conn)?;
    let sites = rows.into_iter().map(|(id, longitude, latitude, radius)| {
        let spot = Spot {
            longitude: coarse(longitude),
            latitude: coarse(latitude),
        };
        let radius_m = f64::from(radius);
        (id, Site { spot, radius_m })
    });
    Ok(grouped(sites))
}

/// To the thousandth of a degree, about a hundred metres: organisers read the scores of people who
/// are not named to them, and could compute from the exact ones of several needs where somebody lives.
fn coarse(degrees: f64) -> f64 {
    (degrees * 1000.0).round() / 1000.0
}

/// Who agrees to be matched by profile today.
fn agreeing(conn: &mut Conn, ids: &[AccountId]) -> Result<Of<()>> {
    let rows: Vec<AccountId> = consents::table
        .filter(consents::account_id.eq_any(ids.to_vec()))
        .filter(consents::purpose.eq(Purpose::Personalization))
        .filter(consents::withdrawn_at.is_null())
        .select(consents::account_id)
        .load(conn)?;
    Ok(grouped(rows.into_iter().map(|id| (id, ()))))
}
