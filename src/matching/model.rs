//! People and needs as matching sees them.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::hours::Hours;
use crate::error::Code;
use crate::identity::AccountId;
use crate::platform::clock::Instant;
use crate::projects::day_of_work;
use crate::regions::RegionId;
use crate::taxonomies::{self, LifeCycle};
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

/// Codes of skills and how well each is mastered, 1 to 3, in the order of the codes. Those of the
/// taxonomy are its own text: a million people do not keep a million copies of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Skills(Box<[(Cow<'static, str>, i32)]>);

impl Skills {
    /// How well this very one is mastered; none where it is not known to be.
    pub fn level(&self, code: &str) -> Option<i32> {
        let place = self.0.binary_search_by(|(skill, _)| (**skill).cmp(code));
        place.ok().map(|place| self.0[place].1)
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = (&str, i32)> {
        self.0.iter().map(|(code, level)| (&**code, *level))
    }
}

impl FromIterator<(String, i32)> for Skills {
    fn from_iter<T: IntoIterator<Item = (String, i32)>>(skills: T) -> Self {
        let by_code: BTreeMap<String, i32> = skills.into_iter().collect();
        let shared = |(code, level): (String, i32)| match taxonomies::skill(&code) {
            Some(known) => (Cow::Borrowed(known.code.as_str()), level),
            None => (Cow::Owned(code), level),
        };
        Self(by_code.into_iter().map(shared).collect())
    }
}

/// A volunteer.
#[derive(Clone, Debug, PartialEq)]
pub struct Person {
    /// Whose profile it is.
    pub id: AccountId,
    /// What the person can do.
    pub skills: Skills,
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
    /// The last day on which a vetting for work with minors counts; none without one.
    pub vetted_until: Option<NaiveDate>,
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
    /// The project that a role belongs to; none for a wish.
    pub project: Option<Uuid>,
    /// In a few words.
    pub title: String,
    /// Where it belongs.
    pub region: RegionId,
    /// The region and all it lies in.
    pub regions: Arc<[RegionId]>,
    /// Those of them that the public knows of: of a wish its street and above.
    pub public_regions: Arc<[RegionId]>,
    /// The name of its street, which is as much as the public learns of where it is.
    pub street: Option<Arc<str>>,
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
    /// The first day of its work, where qualifications are to hold.
    pub first_day: Option<NaiveDate>,
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
    /// The last day of its work; nobody is wanted after it.
    pub last_day: Option<NaiveDate>,
    /// The least age in years.
    pub min_age: Option<u32>,
    /// The least age in years of those whose date of birth is known.
    pub least_known_age: Option<i32>,
    /// How many people are wanted.
    pub places: u32,
    /// How many of them are there.
    pub filled: u32,
    /// Whose it is: they cannot take it themselves.
    pub owners: Vec<AccountId>,
}

impl Need {
    /// The day on which qualifications for it are looked at.
    pub fn day(&self, today: NaiveDate) -> NaiveDate {
        self.first_day
            .map_or(today, |first| day_of_work(first, today))
    }
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
            Code::ConsentMissing
                | Code::Sanctioned
                | Code::DailyCap
                | Code::Blocked
                | Code::NotInterested
        );
        if is_private && self == Self::Other {
            Code::NotAvailable
        } else {
            code
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_are_not_to_know_is_not_available() {
        for code in [
            Code::ConsentMissing,
            Code::Sanctioned,
            Code::DailyCap,
            Code::Blocked,
            Code::NotInterested,
        ] {
            assert_eq!(Viewer::Other.reads(code), Code::NotAvailable);
            assert_eq!(Viewer::Oneself.reads(code), code);
            assert_eq!(Viewer::Staff.reads(code), code);
        }
        assert_eq!(Viewer::Other.reads(Code::SkillMissing), Code::SkillMissing);
    }
}
