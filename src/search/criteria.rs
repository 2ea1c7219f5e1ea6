//! What is searched for: words and filters, as they come in a query and as they are saved.

use std::str::FromStr;

use chrono::NaiveDate;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use utoipa::{IntoParams, ToSchema};
use validator::{Validate, ValidationError};

use super::model::{Document, RegionFacts, SearchKind, SearchState};
use super::shelf::distance;
use super::terms::Terms;
use crate::platform::http::valid::finite;
use crate::regions::RegionId;
use crate::taxonomies::{BeneficiaryGroup, LifeCycle};
use crate::text_enum;

/// How far a search reaches around a place that is given without a radius, in metres; the same as in
/// the list of wishes.
const RADIUS_M: f64 = 20_000.0;

text_enum! {
    /// In which order things are found. Among equals the newest comes first.
    SearchOrder {
        /// What fits the words best first.
        Relevance,
        /// The nearest first.
        Distance,
        /// The newest first, by when it was published first.
        Newest,
    }
}

/// A point: `longitude,latitude` in degrees (WGS 84).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// Degrees east.
    pub longitude: f64,
    /// Degrees north.
    pub latitude: f64,
}

impl FromStr for Point {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = "longitude and latitude in degrees, with a comma between";
        let (longitude, latitude) = text.split_once(',').ok_or(wrong)?;
        let degrees = |text: &str, most: f64| {
            let number: f64 = text.trim().parse().map_err(|_| wrong)?;
            // also false for what is no number
            let is_sound = number.abs() <= most;
            is_sound.then_some(number).ok_or(wrong)
        };
        Ok(Self {
            longitude: degrees(longitude, 180.0)?,
            latitude: degrees(latitude, 90.0)?,
        })
    }
}

impl<'de> Deserialize<'de> for Point {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl Serialize for Point {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&format!("{},{}", self.longitude, self.latitude))
    }
}

/// What is searched for.
#[derive(
    Clone, Debug, Default, PartialEq, Serialize, Deserialize, IntoParams, ToSchema, Validate,
)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
#[schema(as = SearchCriteria)]
pub struct Criteria {
    /// Words, all of which are wanted, in any order; no query language. A word in letters may have one
    /// slip, the last one may be unfinished. Empty or left out: whatever the filters let pass.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[validate(length(max = 200), custom(function = "searchable"))]
    #[param(example = "心理 关怀")]
    pub q: Option<String>,
    /// Only things of this kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<SearchKind>,
    /// Only what is in this region or below it. Wishes are found by their streets, not in anything smaller.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<RegionId>,
    /// Only what is in this field, a code of the taxonomy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[validate(length(min = 1, max = 60))]
    pub field: Option<String>,
    /// Only what serves this goal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub life_cycle: Option<LifeCycle>,
    /// Only what is for this beneficiary group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<BeneficiaryGroup>,
    /// Only what stands here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<SearchState>,
    /// Only what is around this point: `longitude,latitude` in degrees. What has no place of its own lies at
    /// the centre of its region, a wish at that of its street.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<String>, example = "121.831,29.915")]
    #[schema(value_type = Option<String>)]
    pub near: Option<Point>,
    /// How far from there, in metres; 20,000 when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[validate(range(min = 1.0, max = 100_000.0), custom(function = "finite"))]
    pub radius: Option<f64>,
}

/// A field rule: a query that is not blank has a letter, a digit or an ideograph to look for.
fn searchable(query: &str) -> Result<(), ValidationError> {
    if query.trim().is_empty() || !Terms::of(query).is_empty() {
        Ok(())
    } else {
        Err(ValidationError::new("searchable"))
    }
}

/// Which filters a thing does not pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failed(u8);

impl Failed {
    /// None of them.
    pub fn none(self) -> bool {
        self.0 == 0
    }

    /// None but perhaps this one.
    pub fn all_but(self, filter: u8) -> bool {
        self.0 & !filter == 0
    }
}

impl Criteria {
    /// The filter by kind.
    pub const KIND: u8 = 1;
    /// The filter by field.
    pub const FIELD: u8 = 2;
    /// The filter by goal.
    pub const LIFE_CYCLE: u8 = 4;
    /// The filter by beneficiary group.
    pub const GROUP: u8 = 8;
    /// The filter by state.
    pub const STATE: u8 = 16;

    /// The words that are wanted.
    pub fn terms(&self) -> Terms {
        self.q.as_deref().map(Terms::of).unwrap_or_default()
    }

    /// The order where none is asked for: by the words, else by the place, else the newest first.
    pub fn usual_order(&self) -> SearchOrder {
        if !self.terms().is_empty() {
            SearchOrder::Relevance
        } else if self.near.is_some() {
            SearchOrder::Distance
        } else {
            SearchOrder::Newest
        }
    }

    /// Whether a thing is found at all on a day, in the region and around the point; then how far it
    /// is, in metres, rounded up to a hundred, where that was asked for.
    pub fn base(
        &self,
        document: &Document,
        facts: &RegionFacts,
        today: NaiveDate,
    ) -> Option<Option<i64>> {
        let is_in = |region| facts.with_ancestors.contains(&region);
        if !document.is_found_on(today) || !self.region.is_none_or(is_in) {
            return None;
        }
        let Some(near) = self.near else {
            return Some(None);
        };
        let distance = distance(document, facts, (near.longitude, near.latitude))?;
        let is_near = distance <= self.radius.unwrap_or(RADIUS_M);
        is_near.then(|| Some((distance / 100.0).ceil() as i64 * 100))
    }

    /// Which of the other filters a thing does not pass.
    pub fn failed(&self, document: &Document) -> Failed {
        fn fails<T: PartialEq>(wanted: Option<&T>, has: Option<&T>, filter: u8) -> u8 {
            match wanted {
                Some(wanted) if has != Some(wanted) => filter,
                _ => 0,
            }
        }
        let (life_cycle, group) = (document.life_cycle.as_ref(), document.group.as_ref());
        Failed(
            fails(self.kind.as_ref(), Some(&document.kind), Self::KIND)
                | fails(self.field.as_ref(), document.field.as_ref(), Self::FIELD)
                | fails(self.life_cycle.as_ref(), life_cycle, Self::LIFE_CYCLE)
                | fails(self.group.as_ref(), group, Self::GROUP)
                | fails(self.state.as_ref(), Some(&document.state), Self::STATE),
        )
    }
}
