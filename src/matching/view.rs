//! What callers see: needs, factors and filters, with a sentence for each.

use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::model::{Located, Need, NeedKind, Person, Viewer, Whereabouts};
use super::remedy::remedy;
use super::score::{
    self, Distance, FACTORS, FILTERS, Factor, Filter, Side, common_minutes, distance,
    missing_qualifications, missing_skills,
};
use super::settings::Weights;
use super::world::Terms;
use crate::error::Code;
use crate::platform::clock::Instant;
use crate::platform::lang::Lang;
use crate::taxonomies::LifeCycle;

/// A need in short.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = NeedSummary)]
pub struct NeedView {
    /// What it is.
    pub kind: NeedKind,
    /// The id of the wish or role.
    #[schema(value_type = String, format = Uuid)]
    pub id: Uuid,
    /// The project that a role belongs to; its claims have the crews to join.
    #[schema(value_type = Option<String>, format = Uuid)]
    pub project_id: Option<Uuid>,
    /// In a few words.
    pub title: String,
    /// The livelihood goal it serves.
    pub life_cycle: LifeCycle,
    /// The name of the street it belongs to; more the public does not learn of where it is.
    pub street: Option<String>,
    /// When it begins.
    pub starts_at: Option<Instant>,
    /// How many people are wanted.
    pub places: u32,
    /// How many of them are there.
    pub filled: u32,
    /// Whether it can be done from anywhere.
    pub is_remote: bool,
    /// Where its place comes from; null when it has none.
    pub located: Option<Located>,
}

impl From<&Need> for NeedView {
    fn from(need: &Need) -> Self {
        Self {
            kind: need.id.kind,
            id: need.id.id,
            project_id: need.project,
            title: need.title.clone(),
            life_cycle: need.life_cycle,
            street: need.street.as_deref().map(str::to_owned),
            starts_at: need.starts_at,
            places: need.places,
            filled: need.filled,
            is_remote: need.whereabouts == Whereabouts::Remote,
            located: match need.whereabouts {
                Whereabouts::At(_, located) => Some(located),
                Whereabouts::Remote | Whereabouts::Unknown => None,
            },
        }
    }
}

/// A factor of a score.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = MatchingFactor)]
pub struct FactorView {
    /// Which one.
    pub factor: Factor,
    /// 0 to 1.
    pub value: f64,
    /// What it counts beside the others.
    pub weight: f64,
    /// Its part of the score; the parts sum to it.
    pub contribution: f64,
    /// The same in words.
    pub sentence: String,
}

/// A hard filter and what it says.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = MatchingFilter)]
pub struct FilterView {
    /// Which one.
    pub filter: Filter,
    /// Whether it lets pass.
    pub passed: bool,
    /// Why not.
    pub code: Option<String>,
    /// What was looked at, such as the skills that are missing or the metres between.
    pub value: String,
    /// Why not, in words.
    pub sentence: Option<String>,
    /// What would change it, in words, for the person; null where it can do nothing.
    pub remedy: Option<String>,
}

/// Metres to the next hundred: as much as is told of where somebody or something is.
pub(super) fn hundreds(metres: f64) -> i64 {
    ((metres / 100.0).ceil() * 100.0) as i64
}

/// The factors of one pair.
pub fn factor_views(
    person: &Person,
    need: &Need,
    side: Side,
    weights: &Weights,
    lang: Lang,
) -> Vec<FactorView> {
    let values = score::factors(person, need, side);
    let parts = score::contributions(&values, weights);
    let views = FACTORS.iter().zip(values).zip(parts);
    views
        .map(|((factor, value), (weight, contribution))| FactorView {
            factor: *factor,
            value,
            weight,
            contribution,
            sentence: factor_sentence(*factor, value, person, need, side, lang),
        })
        .collect()
}

fn factor_sentence(
    factor: Factor,
    value: f64,
    person: &Person,
    need: &Need,
    side: Side,
    lang: Lang,
) -> String {
    let percent = (value * 100.0).round();
    match factor {
        Factor::Skills if need.wanted.is_empty() => lang
            .pick("没有特别希望的技能。", "No particular skills are wanted.")
            .to_owned(),
        Factor::Skills => match lang {
            Lang::Zh => format!("具备所希望技能的 {percent}%。"),
            Lang::En => format!("Covers {percent} % of the skills that are wanted."),
        },
        Factor::Distance => match (distance(person, need), lang) {
            (Distance::Anywhere, Lang::Zh) => "可以远程完成。".to_owned(),
            (Distance::Anywhere, Lang::En) => "It can be done from anywhere.".to_owned(),
            (Distance::Within(d) | Distance::TooFar(d), Lang::Zh) => {
                format!("相距约 {} 米。", hundreds(d))
            }
            (Distance::Within(d) | Distance::TooFar(d), Lang::En) => {
                format!("About {} metres away.", hundreds(d))
            }
            (Distance::Unknown, Lang::Zh) => "没有位置信息。".to_owned(),
            (Distance::Unknown, Lang::En) => "There is no place to measure from.".to_owned(),
        },
        Factor::Availability if need.hours.minutes() == 0 => lang
            .pick("时间不限。", "There are no fixed hours.")
            .to_owned(),
        Factor::Availability => match lang {
            Lang::Zh => format!("所需时间的 {percent}% 在空闲时段内。"),
            Lang::En => format!("{percent} % of its hours lie in free time."),
        },
        Factor::Interest => {
            let sentence = if person.interests.is_empty() {
                ("关注所有领域。", "Every goal is of interest.")
            } else if value > 0.0 {
                ("属于关注的领域。", "It serves a goal of interest.")
            } else {
                (
                    "不在关注的领域内。",
                    "It serves another goal than those of interest.",
                )
            };
            lang.pick(sentence.0, sentence.1).to_owned()
        }
        Factor::Fairness => match (side, lang) {
            (Side::People, Lang::Zh) => format!("目前有 {} 项在进行。", person.commitments),
            (Side::People, Lang::En) => format!("Open commitments: {}.", person.commitments),
            (Side::Needs, Lang::Zh) => format!("已有 {} 人参加。", need.filled),
            (Side::Needs, Lang::En) => format!("People there already: {}.", need.filled),
        },
    }
}

/// Every filter of one pair, with the code as the viewer may read it. `standing` is all that the
/// database said: each has a row of its own, and there is one that passed where there is nothing.
pub fn filter_views(
    person: &Person,
    need: &Need,
    terms: &Terms,
    standing: &[Code],
    (viewer, lang): (Viewer, Lang),
) -> Vec<FilterView> {
    let decided = FILTERS
        .iter()
        .map(|filter| (*filter, score::refusal(*filter, person, need, terms.today)));
    let stands: Vec<_> = match standing {
        [] => vec![None],
        codes => codes.iter().copied().map(Some).collect(),
    };
    let all = decided.chain(stands.into_iter().map(|code| (Filter::Standing, code)));
    all.map(|(filter, refusal)| {
        let code = refusal.map(|code| viewer.reads(code));
        FilterView {
            filter,
            passed: code.is_none(),
            code: code.map(|code| code.as_str().to_owned()),
            value: filter_value(filter, person, need, terms),
            sentence: code.map(|code| {
                let (zh, en) = code.title();
                lang.pick(zh, en).to_owned()
            }),
            remedy: refusal
                .filter(|_| viewer == Viewer::Oneself)
                .and_then(|code| remedy(filter, code, person, need, terms, lang)),
        }
    })
    .collect()
}

pub(super) fn least_age(need: &Need) -> Option<i64> {
    let known = need.least_known_age.map(i64::from);
    need.min_age.map(i64::from).max(known)
}

fn filter_value(filter: Filter, person: &Person, need: &Need, terms: &Terms) -> String {
    let truth = |holds: bool| (if holds { "yes" } else { "no" }).to_owned();
    match filter {
        Filter::Skills => {
            let missing: Vec<_> = missing_skills(person, need)
                .map(|(skill, level)| format!("{skill}:{level}"))
                .collect();
            missing.join(" ")
        }
        Filter::Qualifications => {
            let missing: Vec<_> = missing_qualifications(person, need, terms.today)
                .cloned()
                .collect();
            missing.join(" ")
        }
        Filter::Distance => match distance(person, need) {
            Distance::Anywhere => "anywhere".to_owned(),
            Distance::Within(d) | Distance::TooFar(d) => hundreds(d).to_string(),
            Distance::Unknown => String::new(),
        },
        Filter::Hours => common_minutes(person, need).to_string(),
        Filter::Party => truth(need.party_only),
        Filter::Vetting => match (need.minors, person.vetted_until) {
            (false, _) => "not_needed".to_owned(),
            (true, Some(until)) => until.to_string(),
            (true, None) => String::new(),
        },
        Filter::Age => least_age(need)
            .map(|age| age.to_string())
            .unwrap_or_default(),
        Filter::Dates => need.last_day.map(|day| day.to_string()).unwrap_or_default(),
        Filter::Capacity => format!("{}/{}", need.filled, need.places),
        Filter::Ownership => truth(need.owners.contains(&person.id)),
        Filter::Consent => truth(person.agrees),
        Filter::Standing => String::new(),
    }
}
