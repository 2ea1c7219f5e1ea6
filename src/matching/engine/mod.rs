//! The engine: who fits a need best, and which needs fit a person best, exactly and in microseconds.
//!
//! It knows people, needs and numbers; no database, no HTTP. People ([`People`]) stand in blocks of
//! some five hundred that are near each other. Each block keeps one bit slice per trait, per hour of
//! the week and per flag, so filters and counts run over a whole block at once. Above the blocks a
//! tree holds what anybody below could reach at best; a search takes the most promising first and ends
//! when the rest cannot reach the last of those found. Bounds are never below what they bound, so what
//! is found is what a scan over everybody would find. Needs ([`Needs`]) stand in blocks likewise: how
//! many of the traits they require or want a person has is counted over a whole block at once.
//!
//! What the engine cannot express exactly (parts of hours, dates, who owns what) the caller decides in
//! its [`Judge`], which sees only what is good enough so far and may lower a score, never raise it.
//!
//! Both indexes are cheap to clone and share what did not change, so readers keep a snapshot while
//! one writer goes on.

mod field;
mod needs;
mod people;
mod slice;
mod sphere;
#[cfg(test)]
mod tests;
mod top;
mod tree;

pub use needs::{Board, Demand, Needs};
pub use people::{Crowd, People, Profile, Query};
pub use slice::ahead;
pub use sphere::{Point, RADIUS_M, distance};
pub use top::Found;

/// Hours of a week; hour 0 begins on Monday at midnight.
pub const HOURS: usize = 168;
/// Commitments beyond these count as these.
pub const MOST_LOAD: u8 = 7;
/// Different loads.
const LOADS: usize = 1 + MOST_LOAD as usize;
/// Kinds of interest.
pub const INTERESTS: usize = 7;
/// Flags that a need may demand of people.
pub const FLAGS: usize = 4;

/// Hours of a week as bits.
pub type Week = [u64; 3];

/// A place and how far one goes from it, in metres.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Site {
    /// Where.
    pub point: Point,
    /// Metres.
    pub radius_m: f32,
}

/// What each factor counts of a full score of 100, in the order of the score: skills, distance,
/// availability, interest, fairness.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Shares([f64; 5]);

impl Shares {
    /// Shares in proportion to weights.
    pub fn of(weights: [f64; 5]) -> Self {
        let all: f64 = weights.iter().sum();
        Self(weights.map(|weight| 100.0 * weight / all))
    }
}

/// Decides what the engine cannot: a last look at somebody or something good enough so far.
pub trait Judge {
    /// What decides between equal scores: the least goes first.
    type Tie: Ord;

    /// The exact score, at most the one given, and the tie-breaker; none to refuse.
    fn judge(&mut self, key: u32, score: f64) -> Option<(f64, Self::Tie)>;
}

/// Takes the engine's scores as they are, and keys as tie-breakers.
pub struct AsIs;

impl Judge for AsIs {
    type Tie = u32;

    #[inline(always)]
    fn judge(&mut self, key: u32, score: f64) -> Option<(f64, u32)> {
        Some((score, key))
    }
}

/// Floating-point sums of the same terms in another order differ by less: bounds are raised by it.
const SLACK: f64 = 1e-9;

/// 1 / (1 + load).
#[inline(always)]
fn fairness(load: u8) -> f64 {
    1.0 / (1.0 + f64::from(load.min(MOST_LOAD)))
}

/// How much nearness counts at a distance.
#[inline(always)]
fn nearness(distance_m: f64, scale_m: f64) -> f64 {
    1.0 / (1.0 + distance_m / scale_m)
}
