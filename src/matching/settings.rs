//! The room's numbers.

use serde::{Deserialize, Serialize};

use crate::regions::Level;

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
