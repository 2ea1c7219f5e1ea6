//! The arithmetic: pure, the same for both directions, without I/O or a clock.

use chrono::NaiveDate;

use super::model::{Need, Person, Spot, Whereabouts};
use super::settings::Weights;
use crate::error::Code;
use crate::regions;
use crate::text_enum;
use crate::volunteers::{age, includes};

text_enum! {
    /// What must hold before anything is ranked.
    Filter {
        /// Every required skill, at its level.
        Skills,
        /// Every required qualification, verified and in force.
        Qualifications,
        /// Within both radii.
        Distance,
        /// At least one hour in common.
        Hours,
        /// For Party members only, where the need says so.
        Party,
        /// Vetted, for work with minors.
        Vetting,
        /// Old enough.
        Age,
        /// Its last day is not behind it.
        Dates,
        /// A place is left.
        Capacity,
        /// Not one's own.
        Ownership,
        /// The person agrees to be matched.
        Consent,
        /// What only the database knows: caps and pauses.
        Standing,
    }
}

text_enum! {
    /// What the score is made of.
    Factor {
        /// The share of the wanted skills that the person has.
        Skills,
        /// How near it is.
        Distance,
        /// The share of the need's hours that fit.
        Availability,
        /// Whether the person cares for its goal.
        Interest,
        /// Whether the person has few commitments, or the need few people.
        Fairness,
    }
}

/// The filters that are decided here, the ones that refuse most first.
pub const FILTERS: [Filter; 11] = [
    Filter::Consent,
    Filter::Dates,
    Filter::Capacity,
    Filter::Distance,
    Filter::Skills,
    Filter::Qualifications,
    Filter::Hours,
    Filter::Party,
    Filter::Vetting,
    Filter::Age,
    Filter::Ownership,
];

/// The factors in the order of [`factors`].
pub const FACTORS: [Factor; 5] = [
    Factor::Skills,
    Factor::Distance,
    Factor::Availability,
    Factor::Interest,
    Factor::Fairness,
];

/// Commitments beyond these count as these.
const MOST_COMMITMENTS: u32 = 7;
/// What counts as an hour in common, in minutes; a shorter need must fit whole.
const COMMON_MINUTES: u32 = 60;

/// Which way it is matched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// People for a need.
    People,
    /// Needs for a person.
    Needs,
}

/// Great-circle distance in metres (haversine, R = 6 371 008.8 m).
pub fn distance_m(from: Spot, to: Spot) -> f64 {
    regions::distance_m((from.longitude, from.latitude), (to.longitude, to.latitude))
}

/// How a need lies to a person.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Distance {
    /// Distance does not count.
    Anywhere,
    /// So many metres from the best of the person's places, within both radii.
    Within(f64),
    /// So many metres from the nearest place, which is too far.
    TooFar(f64),
    /// One of them has no place.
    Unknown,
}

/// How the need lies to the best of the person's places: the nearest one that is within both radii.
pub fn distance(person: &Person, need: &Need) -> Distance {
    let site = match need.whereabouts {
        Whereabouts::Remote => return Distance::Anywhere,
        Whereabouts::Unknown => return Distance::Unknown,
        Whereabouts::At(site, _) => site,
    };
    let mut best: Option<f64> = None;
    let mut nearest: Option<f64> = None;
    for place in &person.places {
        let d = distance_m(place.spot, site.spot);
        if d <= place.radius_m && d <= site.radius_m {
            best = Some(best.map_or(d, |b| b.min(d)));
        }
        nearest = Some(nearest.map_or(d, |n| n.min(d)));
    }
    match (best, nearest) {
        (Some(d), _) => Distance::Within(d),
        (None, Some(d)) => Distance::TooFar(d),
        (None, None) => Distance::Unknown,
    }
}

/// How well the person masters a skill; of a group, the best of its skills. 0: not at all.
pub fn level_of(person: &Person, code: &str) -> i32 {
    if let Some(level) = person.skills.level(code) {
        return level;
    }
    let children = person.skills.iter().filter(|(skill, _)| {
        skill
            .strip_prefix(code)
            .is_some_and(|rest| rest.starts_with('.'))
    });
    children.map(|(_, level)| level).max().unwrap_or(0)
}

/// The required skills, with their level, that the person lacks.
pub fn missing_skills<'a>(
    person: &'a Person,
    need: &'a Need,
) -> impl Iterator<Item = &'a (String, i32)> {
    need.required
        .iter()
        .filter(|(skill, level)| level_of(person, skill) < (*level).max(1))
}

/// The required qualifications that the person does not hold on the need's day.
pub fn missing_qualifications<'a>(
    person: &'a Person,
    need: &'a Need,
    today: NaiveDate,
) -> impl Iterator<Item = &'a String> {
    let day = need.day(today);
    need.qualifications.iter().filter(move |wanted| {
        !person
            .qualifications
            .iter()
            .any(|(held, last)| last.is_none_or(|last| day <= last) && includes(held, wanted))
    })
}

/// Minutes of the need inside the person's windows.
pub fn common_minutes(person: &Person, need: &Need) -> u32 {
    need.hours.minutes_inside(&person.free)
}

/// Whether the need's last day is behind it.
pub fn is_over(need: &Need, today: NaiveDate) -> bool {
    need.last_day.is_some_and(|last| last < today)
}

/// Why this filter refuses; none when it lets pass.
pub fn refusal(filter: Filter, person: &Person, need: &Need, today: NaiveDate) -> Option<Code> {
    let unless = |holds: bool, code: Code| (!holds).then_some(code);
    match filter {
        Filter::Skills => unless(
            missing_skills(person, need).next().is_none(),
            Code::SkillMissing,
        ),
        Filter::Qualifications => unless(
            missing_qualifications(person, need, today).next().is_none(),
            Code::QualificationMissing,
        ),
        Filter::Distance => match distance(person, need) {
            Distance::Anywhere | Distance::Within(_) => None,
            Distance::TooFar(_) => Some(Code::DistanceOverLimit),
            Distance::Unknown => Some(Code::LocationMissing),
        },
        Filter::Hours => {
            let wanted = need.hours.minutes().min(COMMON_MINUTES);
            unless(common_minutes(person, need) >= wanted, Code::NoCommonHours)
        }
        Filter::Party => unless(!need.party_only || person.is_party_member, Code::PartyOnly),
        Filter::Vetting => {
            let day = need.day(today);
            let is_vetted = person.vetted_until.is_some_and(|last| day <= last);
            unless(!need.minors || is_vetted, Code::VettingMissing)
        }
        Filter::Age => {
            let old_enough = need.min_age.is_none_or(|least| {
                person
                    .birth_date
                    .is_some_and(|birth| i64::from(age(birth, today)) >= i64::from(least))
            });
            let is_known_younger = need.least_known_age.is_some_and(|least| {
                let born = person.birth_date;
                born.is_some_and(|birth| age(birth, today) < least)
            });
            unless(old_enough && !is_known_younger, Code::Age)
        }
        Filter::Dates => unless(!is_over(need, today), Code::ProjectOver),
        Filter::Capacity => unless(need.filled < need.places, Code::CapacityFull),
        Filter::Ownership => unless(!need.owners.contains(&person.id), Code::OwnNeed),
        Filter::Consent => unless(person.agrees, Code::ConsentMissing),
        // asked of the database, see `store`
        Filter::Standing => None,
    }
}

/// Whether every filter that is decided here lets pass.
pub fn is_eligible(person: &Person, need: &Need, today: NaiveDate) -> bool {
    FILTERS
        .iter()
        .all(|filter| refusal(*filter, person, need, today).is_none())
}

/// Each factor, 0 to 1, in the order of [`FACTORS`]. A distance that is too far or unknown is 0.
pub fn factors(person: &Person, need: &Need, side: Side) -> [f64; 5] {
    let all: f64 = need.wanted.iter().map(|wanted| wanted.weight).sum();
    let skills = if all > 0.0 {
        let had = need.wanted.iter().map(|wanted| {
            let level = level_of(person, &wanted.skill);
            let credit = match wanted.level {
                Some(full) => (f64::from(level) / f64::from(full.max(1))).min(1.0),
                None => f64::from(level.min(1)),
            };
            wanted.weight * credit
        });
        had.sum::<f64>() / all
    } else {
        1.0
    };
    let nearness = match distance(person, need) {
        Distance::Anywhere => 1.0,
        Distance::Within(d) => 1.0 / (1.0 + d / need.scale_m),
        Distance::TooFar(_) | Distance::Unknown => 0.0,
    };
    let minutes = need.hours.minutes();
    let availability = if minutes == 0 {
        1.0
    } else {
        f64::from(common_minutes(person, need)) / f64::from(minutes)
    };
    let cares = person.interests.is_empty() || person.interests.contains(&need.life_cycle);
    let taken = match side {
        Side::People => person.commitments.min(MOST_COMMITMENTS),
        Side::Needs => need.filled,
    };
    let fairness = 1.0 / (1.0 + f64::from(taken));
    [
        skills,
        nearness,
        availability,
        if cares { 1.0 } else { 0.0 },
        fairness,
    ]
}

fn in_order(weights: &Weights) -> [f64; 5] {
    [
        weights.skills,
        weights.distance,
        weights.availability,
        weights.interest,
        weights.fairness,
    ]
}

/// `100 · Σ wᵢ·fᵢ / Σ wᵢ`.
pub fn score(factors: &[f64; 5], weights: &Weights) -> f64 {
    let weights = in_order(weights);
    let weighed: f64 = weights.iter().zip(factors).map(|(w, f)| w * f).sum();
    100.0 * weighed / weights.iter().sum::<f64>()
}

/// Each factor's weight and its part of the score; the parts sum to it.
pub fn contributions(factors: &[f64; 5], weights: &Weights) -> [(f64, f64); 5] {
    let weights = in_order(weights);
    let all: f64 = weights.iter().sum();
    std::array::from_fn(|n| (weights[n], 100.0 * weights[n] * factors[n] / all))
}

#[cfg(test)]
mod tests;
