//! People and needs as matching sees them, and the room's numbers.

use std::collections::BTreeMap;

use chrono::{DateTime, Datelike, NaiveDate, NaiveTime, TimeDelta, Timelike, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::error::Code;
use crate::identity::AccountId;
use crate::platform::clock::Instant;
use crate::regions::{Level, RegionId};
use crate::taxonomies::LifeCycle;
use crate::text_enum;

text_enum! {
    /// What kind of need it is.
    NeedKind {
        /// 微心愿: a published wish.
        Wish,
        /// 项目岗位: a role in a project's crew.
        ProjectRole,
    }
}

/// Names a need. Ordered by its id, which is unique over all kinds.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
)]
pub struct NeedId {
    /// The id of the wish or role.
    pub id: Uuid,
    /// What it is.
    pub kind: NeedKind,
}

/// A point on the Earth, degrees (WGS 84).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spot {
    /// Degrees east.
    pub longitude: f64,
    /// Degrees north.
    pub latitude: f64,
}

/// A point and how far one goes from it, or is taken from, in metres.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Site {
    /// The point.
    pub spot: Spot,
    /// Metres around it.
    pub radius_m: f64,
}

text_enum! {
    /// Where the place of a need comes from.
    Located {
        /// It has one of its own.
        Own,
        /// The centre of its region stands in.
        RegionCentre,
    }
}

/// Where a need is to be met.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Whereabouts {
    /// Anywhere: no distance counts.
    Remote,
    /// Around here.
    At(Site, Located),
    /// Nobody knows: it cannot be matched.
    Unknown,
}

/// Minutes of a week, half-open: 0 is Monday's midnight, 10 080 the end of Sunday.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    /// Included.
    pub from: u32,
    /// Not included.
    pub to: u32,
}

const DAY: u32 = 24 * 60;

impl Span {
    /// A window of one weekday (1 Monday to 7 Sunday), minutes after midnight.
    pub fn of_weekday(weekday: i32, from_minute: i32, to_minute: i32) -> Self {
        let minute = |minute: i32| {
            let day = u32::try_from(weekday - 1).unwrap_or(0).min(6);
            day * DAY + u32::try_from(minute).unwrap_or(0).min(DAY)
        };
        Self {
            from: minute(from_minute),
            to: minute(to_minute),
        }
    }

    /// How many minutes it lasts.
    pub fn minutes(self) -> u32 {
        self.to.saturating_sub(self.from)
    }

    /// How many minutes two share.
    pub fn shared(self, other: Self) -> u32 {
        self.to
            .min(other.to)
            .saturating_sub(self.from.max(other.from))
    }
}

/// When hands are wanted: the minutes of the week that are laid beside people's free ones. A date
/// that comes again counts again. Empty: at any time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hours(Vec<Span>);

impl Hours {
    /// The same every week; windows that overlap are taken together.
    pub fn weekly(windows: impl IntoIterator<Item = Span>) -> Self {
        let mut windows: Vec<_> = windows.into_iter().filter(|w| w.from < w.to).collect();
        windows.sort_unstable();
        let mut merged: Vec<Span> = Vec::with_capacity(windows.len());
        for window in windows {
            match merged.last_mut() {
                Some(last) if window.from <= last.to => last.to = last.to.max(window.to),
                _ => merged.push(window),
            }
        }
        Self(merged)
    }

    /// From instant to instant, on the clocks of `zone`. One that goes over midnight is two.
    pub fn dated(intervals: impl IntoIterator<Item = (Instant, Instant)>, zone: Tz) -> Self {
        let mut spans = Vec::new();
        for (from, to) in intervals {
            let local = |at: Instant| DateTime::<Utc>::from(at).with_timezone(&zone).naive_local();
            let (mut at, to) = (local(from), local(to));
            while at < to {
                let midnight = (at.date() + TimeDelta::days(1)).and_time(NaiveTime::MIN);
                let until = midnight.min(to);
                let day = at.weekday().num_days_from_monday() * DAY;
                let minute = |t: NaiveTime| t.hour() * 60 + t.minute();
                let end = if until == midnight {
                    DAY
                } else {
                    minute(until.time())
                };
                spans.push(Span {
                    from: day + minute(at.time()),
                    to: day + end,
                });
                at = until;
            }
        }
        spans.retain(|span| span.from < span.to);
        Self(spans)
    }

    /// The spans, as they count.
    pub fn spans(&self) -> &[Span] {
        &self.0
    }

    /// Minutes in all.
    pub fn minutes(&self) -> u32 {
        self.0.iter().map(|span| span.minutes()).sum()
    }

    /// Minutes that lie inside windows that do not overlap.
    pub fn minutes_inside(&self, windows: &Self) -> u32 {
        let pairs = self
            .0
            .iter()
            .flat_map(|ours| windows.0.iter().map(move |theirs| ours.shared(*theirs)));
        pairs.sum()
    }
}

/// A volunteer.
#[derive(Clone, Debug, PartialEq)]
pub struct Person {
    /// Whose profile it is.
    pub id: AccountId,
    /// Codes of skills and how well each is mastered, 1 to 3.
    pub skills: BTreeMap<String, i32>,
    /// Codes of verified qualifications and the last day each counts.
    pub qualifications: Vec<(String, Option<NaiveDate>)>,
    /// The livelihood goals the person cares for; empty means all.
    pub interests: Vec<LifeCycle>,
    /// When the person has time in a week.
    pub free: Hours,
    /// From where the person sets out.
    pub places: Vec<Site>,
    /// For age limits.
    pub birth_date: Option<NaiveDate>,
    /// Whether Party membership is verified. Read by the `party` filter alone.
    pub is_party_member: bool,
    /// Whether the person is vetted for work with minors.
    pub is_vetted: bool,
    /// Whether the person agrees to be matched by profile (PIPL Art. 24).
    pub agrees: bool,
    /// What the person has taken on and not finished.
    pub commitments: u32,
}

/// A skill that would help.
#[derive(Clone, Debug, PartialEq)]
pub struct Wanted {
    /// A code of the taxonomy: a skill, or a group that any skill of it fulfils.
    pub skill: String,
    /// How much it counts beside the others, above 0.
    pub weight: f64,
    /// From which level it counts in full; below, in proportion. Without one, any level does.
    pub level: Option<i32>,
}

/// Something people are wanted for.
#[derive(Clone, Debug, PartialEq)]
pub struct Need {
    /// Its name.
    pub id: NeedId,
    /// In a few words.
    pub title: String,
    /// Where it belongs.
    pub region: RegionId,
    /// The region and all it lies in.
    pub regions: Vec<RegionId>,
    /// The name of its street, which is as much as the public learns of where it is.
    pub street: Option<String>,
    /// The livelihood goal it serves.
    pub life_cycle: LifeCycle,
    /// Where it is to be met.
    pub whereabouts: Whereabouts,
    /// The distance at which its factor is one half (`L`), in metres.
    pub scale_m: f64,
    /// When hands are wanted.
    pub hours: Hours,
    /// When it begins.
    pub starts_at: Option<Instant>,
    /// Codes of skills or groups, and the least level.
    pub required: Vec<(String, i32)>,
    /// Skills that would help.
    pub wanted: Vec<Wanted>,
    /// Codes of qualifications that must be verified.
    pub qualifications: Vec<String>,
    /// For Party members only (internal Party activity).
    pub party_only: bool,
    /// With minors: for vetted people only.
    pub minors: bool,
    /// The least age in years.
    pub min_age: Option<u32>,
    /// How many people are wanted.
    pub places: u32,
    /// How many of them are there.
    pub filled: u32,
    /// Whose it is: they cannot take it themselves.
    pub owners: Vec<AccountId>,
}

/// Who reads why somebody does not fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Viewer {
    /// The person itself.
    Oneself,
    /// Staff of the region.
    Staff,
    /// Anybody else.
    Other,
}

impl Viewer {
    /// The code as this reader may see it: what others are not to know is `not_available`.
    pub fn reads(self, code: Code) -> Code {
        let is_private = matches!(
            code,
            Code::ConsentMissing | Code::Sanctioned | Code::DailyCap
        );
        if is_private && self == Self::Other {
            Code::NotAvailable
        } else {
            code
        }
    }
}

/// What each factor counts.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Weights {
    /// Wanted skills that the person has.
    pub skills: f64,
    /// How near it is.
    pub distance: f64,
    /// How much of its hours fits.
    pub availability: f64,
    /// Whether the person cares for its goal.
    pub interest: f64,
    /// Whether the person is free, or the need empty.
    pub fairness: f64,
}

/// How far things reach in a kind of region, in metres.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Reach {
    /// The distance at which the factor is one half (`L`).
    pub scale_m: f64,
    /// The radius of a need that names none.
    pub radius_m: f64,
}

/// [`Reach`] by kind of region.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs)] // the levels of a region
pub struct Reaches {
    pub district: Reach,
    pub street: Reach,
    pub area: Reach,
    pub community: Reach,
    pub grid: Reach,
}

impl Reaches {
    /// That of a need in a region of this kind.
    pub fn of(&self, level: Level) -> Reach {
        match level {
            Level::District => self.district,
            Level::Street => self.street,
            Level::Area => self.area,
            Level::Community => self.community,
            Level::Grid => self.grid,
        }
    }
}

/// The room's numbers; `config/default.toml` says what each means.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct MatchingRules {
    /// Names the weights; every answer says by which it was ranked.
    pub weights_version: u32,
    /// What each factor counts.
    pub weights: Weights,
    /// How far things reach, by kind of region.
    pub regions: Reaches,
    /// How often to look for changes when nothing wakes us, in milliseconds.
    pub poll_ms: u64,
}

impl MatchingRules {
    /// Whether a score can be made of these numbers.
    pub fn are_sound(&self) -> bool {
        let w = &self.weights;
        let weights = [w.skills, w.distance, w.availability, w.interest, w.fairness];
        let r = &self.regions;
        let reaches = [r.district, r.street, r.area, r.community, r.grid];
        weights.iter().all(|w| w.is_finite() && *w >= 0.0)
            && weights.iter().sum::<f64>() > 0.0
            && reaches
                .iter()
                .all(|r| r.scale_m > 0.0 && r.radius_m > 0.0 && r.scale_m.is_finite())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Instant {
        text.parse::<DateTime<Utc>>().unwrap().into()
    }

    #[test]
    fn instants_become_minutes_of_the_local_week() {
        let zone = chrono_tz::Asia::Shanghai;
        // Monday 23:00 to Tuesday 01:30 in Ningbo
        let night = Hours::dated(
            [(at("2026-11-23T15:00:00Z"), at("2026-11-23T17:30:00Z"))],
            zone,
        );
        let expected = [
            Span {
                from: 23 * 60,
                to: 24 * 60,
            },
            Span {
                from: 24 * 60,
                to: 25 * 60 + 30,
            },
        ];
        assert_eq!(night.spans(), expected);
        // Sunday over midnight begins the week anew
        let turn = Hours::dated(
            [(at("2026-11-29T15:00:00Z"), at("2026-11-29T17:00:00Z"))],
            zone,
        );
        assert_eq!(
            turn.spans()[1],
            Span { from: 0, to: 60 },
            "no negative hours"
        );
        let twice = [(at("2026-11-23T01:00:00Z"), at("2026-11-23T02:00:00Z")); 2];
        assert_eq!(Hours::dated(twice, zone).minutes(), 120, "each date counts");
        let backwards = [(at("2026-11-23T02:00:00Z"), at("2026-11-23T01:00:00Z"))];
        assert_eq!(Hours::dated(backwards, zone), Hours::default());
    }

    #[test]
    fn windows_that_overlap_are_taken_together() {
        let hours = Hours::weekly([
            Span { from: 60, to: 120 },
            Span { from: 100, to: 180 },
            Span { from: 0, to: 60 },
            Span { from: 300, to: 300 },
        ]);
        assert_eq!(hours.spans(), [Span { from: 0, to: 180 }]);
        assert_eq!(Span::of_weekday(7, 0, 1440).to, 7 * DAY);
    }

    #[test]
    fn what_others_are_not_to_know_is_not_available() {
        for code in [Code::ConsentMissing, Code::Sanctioned, Code::DailyCap] {
            assert_eq!(Viewer::Other.reads(code), Code::NotAvailable);
            assert_eq!(Viewer::Oneself.reads(code), code);
            assert_eq!(Viewer::Staff.reads(code), code);
        }
        assert_eq!(Viewer::Other.reads(Code::SkillMissing), Code::SkillMissing);
    }
}
