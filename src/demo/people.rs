//! Sample people: accounts to sign in with, and six hundred volunteers.

use chrono::NaiveDate;
use serde::Deserialize;
use strum::VariantArray;

use super::RegionRow;
use crate::error::Result;
use crate::identity::{self, AccountId, Caller, Purpose};
use crate::platform::db::Tx;
use crate::platform::http::IfMatch;
use crate::regions;
use crate::taxonomies::LifeCycle;
use crate::volunteers::{self, Place, Profile, SkillLevel, Window};

/// How many sample volunteers there are.
pub(super) const VOLUNTEERS: usize = 600;

/// Names to be put together at random.
#[derive(Clone, Deserialize)]
pub(super) struct Names {
    prefix: String,
    surnames: Vec<String>,
    given: Vec<String>,
}

impl Names {
    /// The `n`th name.
    pub fn nth(&self, n: usize) -> String {
        let surname = &self.surnames[n * 7 % self.surnames.len()];
        let given = &self.given[n * 13 % self.given.len()];
        format!("{}{surname}{given}", self.prefix)
    }
}

/// The account of a sample address.
pub(super) fn by_email(tx: &mut Tx<'_>, email: &str) -> Result<AccountId> {
    identity::create_account(tx, None, Some(email), None, "示例").map(|account| account.id)
}

/// An account that acts.
pub(super) fn acting(tx: &mut Tx<'_>, account: AccountId) -> Result<Caller> {
    Caller::acting(tx.conn, account)
}

/// The person with this number, who acts.
pub(super) fn person(tx: &mut Tx<'_>, phone: &str, name: &str) -> Result<Caller> {
    let account = identity::create_account(tx, Some(phone), None, None, name)?;
    acting(tx, account.id)
}

/// The number of the `n`th volunteer. Numbers that begin with 101 belong to nobody.
pub(super) fn phone(n: usize) -> String {
    format!("+86101{n:08}")
}

/// The `n`th volunteer, who acts.
pub(super) fn volunteer(tx: &mut Tx<'_>, names: &Names, n: usize) -> Result<Caller> {
    person(tx, &phone(n), &names.nth(n))
}

/// Writes a volunteer's profile: some of `skills`, around one of `homes`.
pub(super) fn write_profile(
    tx: &mut Tx<'_>,
    who: &Caller,
    n: usize,
    skills: &[String],
    homes: &[RegionRow],
) -> Result<()> {
    let home = &homes[n * 37 % homes.len()];
    let mut known: Vec<&String> = [n * 7, n * 13 + 5, n * 29 + 11]
        .iter()
        .map(|pick| &skills[pick % skills.len()])
        .collect();
    known.sort();
    known.dedup();
    let levels = known.into_iter().zip(n..).map(|(skill, n)| SkillLevel {
        skill: skill.clone(),
        level: if n.is_multiple_of(5) { 3 } else { 2 },
        verified: false,
    });
    let interests = if n.is_multiple_of(3) {
        Vec::new()
    } else {
        let goals = LifeCycle::VARIANTS;
        let mut some = vec![goals[n % goals.len()], goals[(n + 2) % goals.len()]];
        some.sort_unstable();
        some
    };
    let evening = i32::try_from(1 + n % 5).unwrap_or(1);
    let mut availability = vec![window(evening, 18 * 60 + 30, 20 * 60 + 30)];
    if n % 4 != 3 {
        availability.push(window(6, 9 * 60, 11 * 60 + 30));
    }
    if n.is_multiple_of(3) {
        availability.push(window(7, 14 * 60, 17 * 60));
    }
    let aside = |by: usize| ((n * by) % 100) as f64 / 10_000.0 - 0.005;
    let places = home
        .longitude
        .zip(home.latitude)
        .map(|(longitude, latitude)| Place {
            label: "家".to_owned(),
            longitude: longitude + aside(17),
            latitude: latitude + aside(31),
            radius_m: [2000, 3000, 5000, 8000][n % 4],
        });
    let region = regions::by_code(tx.conn, &home.code)?;
    let Some(region) = region else { return Ok(()) };
    let year = 1955 + i32::try_from(n % 50).unwrap_or(0);
    let profile = Profile {
        region_id: region.id,
        introduction: "示例志愿者，热心公益。".to_owned(),
        birth_date: NaiveDate::from_ymd_opt(year, 1 + (n % 12) as u32, 1 + (n % 28) as u32),
        skills: levels.collect(),
        interests,
        availability,
        places: places.into_iter().collect(),
    };
    volunteers::write_profile(tx, who, &IfMatch::read(1), &profile)?;
    identity::give_consent(tx, who, Purpose::Personalization, "1")?;
    Ok(())
}

fn window(weekday: i32, from_minute: i32, to_minute: i32) -> Window {
    Window {
        weekday,
        from_minute,
        to_minute,
    }
}
