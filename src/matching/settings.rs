//! The room's numbers.

use serde::{Deserialize, Serialize};
use validator::Validate;

use super::invitations::InvitationRules;
use super::rounds::RoundRules;
use crate::platform::http::valid::finite;
use crate::regions::Level;

/// What each factor counts.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, Validate)]
#[serde(deny_unknown_fields)]
pub struct Weights {
    /// Wanted skills that the person has.
    #[validate(range(min = 0.0), custom(function = "finite"))]
    pub skills: f64,
    /// How near it is.
    #[validate(range(min = 0.0), custom(function = "finite"))]
    pub distance: f64,
    /// How much of its hours fits.
    #[validate(range(min = 0.0), custom(function = "finite"))]
    pub availability: f64,
    /// Whether the person cares for its goal.
    #[validate(range(min = 0.0), custom(function = "finite"))]
    pub interest: f64,
    /// Whether the person is free, or the need empty.
    #[validate(range(min = 0.0), custom(function = "finite"))]
    pub fairness: f64,
}

impl Weights {
    /// Whether they tell needs apart at all.
    pub fn tell_apart(&self) -> bool {
        self.skills + self.distance + self.availability + self.interest + self.fairness > 0.0
    }
}

/// How far things reach in a kind of region, in metres.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, Validate)]
#[serde(deny_unknown_fields)]
pub struct Reach {
    /// The distance at which the factor is one half (`L`).
    #[validate(range(exclusive_min = 0.0), custom(function = "finite"))]
    pub scale_m: f64,
    /// The radius of a need that names none.
    #[validate(range(exclusive_min = 0.0), custom(function = "finite"))]
    pub radius_m: f64,
}

/// [`Reach`] by kind of region.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, Validate)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs)] // the levels of a region
pub struct Reaches {
    #[validate(nested)]
    pub district: Reach,
    #[validate(nested)]
    pub street: Reach,
    #[validate(nested)]
    pub area: Reach,
    #[validate(nested)]
    pub community: Reach,
    #[validate(nested)]
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
#[derive(Clone, Debug, Deserialize, Serialize, Validate)]
#[serde(deny_unknown_fields)]
pub struct MatchingRules {
    /// Names the weights; every answer says by which it was ranked.
    pub weights_version: u32,
    /// What each factor counts.
    #[validate(nested)]
    pub weights: Weights,
    /// How far things reach, by kind of region.
    #[validate(nested)]
    pub regions: Reaches,
    /// How often to look for changes when nothing wakes us, in milliseconds.
    #[validate(range(min = 1, max = 3_600_000))]
    pub poll_ms: u64,
    /// Bounds of batch rounds.
    #[validate(nested)]
    pub rounds: RoundRules,
    /// Invitations and waves.
    #[validate(nested)]
    pub invitations: InvitationRules,
}
