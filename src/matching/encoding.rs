//! People and needs in the engine's numbers.
//!
//! The engine never makes less of anybody than the score does: an hour counts as free when a minute
//! of it is, a qualification whether or not it has run out, a radius a little wider. What is good
//! enough by that is then judged by the score itself.

use std::collections::{BTreeMap, HashMap};
use std::sync::LazyLock;

use super::engine::Site as Circle;
use super::engine::{Demand, HOURS, MOST_LOAD, Point, Profile, Query, Week};
use super::hours::Hours;
use super::model::{Need, Person, Site, Spot, Whereabouts};
use crate::taxonomies::{LifeCycle, taxonomies};
use crate::volunteers::includes;

/// A skill is kept as one trait for each level up to the person's.
const LEVELS: u16 = 3;

/// Agrees to be matched; every need demands it.
const AGREES: u8 = 1;
/// A Party member.
const PARTY: u8 = 2;
/// Vetted for work with minors, once.
const VETTED: u8 = 4;

/// The numbers of traits: skills and their groups at each level, then qualifications.
struct Traits {
    skills: HashMap<&'static str, u16>,
    qualifications: HashMap<&'static str, u16>,
    /// What everybody has: it stands for codes of no taxonomy, about which only the score knows.
    anything: u16,
}

static TRAITS: LazyLock<Traits> = LazyLock::new(|| {
    let taxonomies = taxonomies();
    let codes = taxonomies.skill_groups.iter().flat_map(|group| {
        let skills = group.skills.iter().map(|skill| skill.code.as_str());
        std::iter::once(group.code.as_str()).chain(skills)
    });
    let skills: HashMap<_, _> = codes.zip((0..).step_by(usize::from(LEVELS))).collect();
    let first = skills.len() as u16 * LEVELS;
    let kinds = taxonomies.qualifications.iter();
    let qualifications: HashMap<_, _> = kinds.map(|kind| kind.code.as_str()).zip(first..).collect();
    Traits {
        anything: first + qualifications.len() as u16,
        skills,
        qualifications,
    }
});

/// How many traits there are.
pub fn traits() -> usize {
    usize::from(TRAITS.anything) + 1
}

/// The trait of a skill, or of a group, at a level.
fn skill_at(code: &str, level: i32) -> u16 {
    let first = TRAITS.skills.get(code);
    let level = u16::try_from(level.max(1))
        .ok()
        .filter(|level| *level <= LEVELS);
    match (first, level) {
        (Some(first), Some(level)) => first + level - 1,
        _ => TRAITS.anything,
    }
}

fn person_traits(person: &Person) -> Vec<u16> {
    let mut traits = vec![TRAITS.anything];
    for (code, level) in person.skills.iter() {
        let group = code.rsplit_once('.').map(|(group, _)| group);
        for code in std::iter::once(code).chain(group) {
            traits.extend((1..=level).map(|level| skill_at(code, level)));
        }
    }
    for (held, _) in &person.qualifications {
        let kinds = TRAITS.qualifications.iter();
        traits.extend(
            kinds
                .filter(|(kind, _)| includes(held, kind))
                .map(|(_, t)| *t),
        );
    }
    traits.sort_unstable();
    traits.dedup();
    traits
}

fn person_flags(person: &Person) -> u8 {
    let flag = |holds: bool, bit: u8| if holds { bit } else { 0 };
    flag(person.agrees, AGREES)
        | flag(person.is_party_member, PARTY)
        | flag(person.vetted_until.is_some(), VETTED)
}

fn interests(person: &Person) -> u8 {
    person
        .interests
        .iter()
        .fold(0, |all, goal| all | 1 << kind(*goal))
}

fn kind(goal: LifeCycle) -> u8 {
    goal as u8
}

fn point(spot: Spot) -> Point {
    Point {
        latitude: spot.latitude,
        longitude: spot.longitude,
    }
}

fn circle(site: Site) -> Circle {
    Circle {
        point: point(site.spot),
        radius_m: (site.radius_m * 1.000_001 + 0.1) as f32,
    }
}

/// The hours of the week that are touched, each with the minutes that count in it.
fn touched(hours: &Hours) -> BTreeMap<u8, f64> {
    let mut minutes = BTreeMap::new();
    for span in hours.spans() {
        for hour in span.from / 60..span.to.div_ceil(60).min(HOURS as u32) {
            let inside = span.to.min((hour + 1) * 60) - span.from.max(hour * 60);
            *minutes.entry(hour as u8).or_default() += f64::from(inside);
        }
    }
    minutes
}

fn week(hours: &Hours) -> Week {
    let mut week = [0; 3];
    for hour in touched(hours).keys() {
        week[usize::from(hour / 64)] |= 1 << (hour % 64);
    }
    week
}

/// A person to be found, or looking for needs.
pub fn profile(person: &Person) -> Profile {
    Profile {
        sites: person.places.iter().map(|site| circle(*site)).collect(),
        traits: person_traits(person),
        hours: week(&person.free),
        flags: person_flags(person),
        interests: interests(person),
        load: u8::try_from(person.commitments).unwrap_or(MOST_LOAD),
    }
}

/// What a need asks of people; none where nobody knows where it is, which nobody passes.
pub fn query(need: &Need) -> Option<Query> {
    let site = match need.whereabouts {
        Whereabouts::Remote => None,
        Whereabouts::At(site, _) => Some(circle(site)),
        Whereabouts::Unknown => return None,
    };
    let skills = need
        .required
        .iter()
        .map(|(code, level)| skill_at(code, *level));
    let kinds = need.qualifications.iter();
    let kinds = kinds.filter_map(|kind| TRAITS.qualifications.get(kind.as_str()).copied());
    // a level counts in proportion: each reached one its part
    let wanted = need.wanted.iter().flat_map(|wanted| {
        let full = wanted.level.unwrap_or(1).max(1);
        let part = wanted.weight / f64::from(full);
        (1..=full).map(move |level| (skill_at(&wanted.skill, level), part))
    });
    let flag = |holds: bool, bit: u8| if holds { bit } else { 0 };
    Some(Query {
        site,
        scale_m: need.scale_m,
        required: skills.chain(kinds).collect(),
        wanted: wanted.collect(),
        hours: touched(&need.hours).into_iter().collect(),
        flags: AGREES | flag(need.party_only, PARTY) | flag(need.minors, VETTED),
        interest: Some(kind(need.life_cycle)),
    })
}

/// A need to be found; none where nobody passes, see [`query`].
pub fn demand(need: &Need) -> Option<Demand> {
    Some(Demand {
        query: query(need)?,
        filled: u8::try_from(need.filled).unwrap_or(u8::MAX),
    })
}
