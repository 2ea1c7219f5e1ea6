//! A block of needs as bit slices, and a line of the cache for what is read of each alone.

use std::collections::{BTreeMap, HashMap};

use super::Demand;
use crate::matching::engine::field;
use crate::matching::engine::slice::{NOBODY, ROOM, Slice, WORDS, set, set_number};
use crate::matching::engine::sphere::{Reach, Reaches, Spots, Vector};
use crate::matching::engine::tree::Summary;
use crate::matching::engine::{FLAGS, INTERESTS, MOST_LOAD, Week};

/// Binary digits of how many traits a need requires, and wants.
pub const DIGITS: usize = 3;
/// As many traits are not counted together.
const TOO_MANY: usize = 1 << DIGITS;

// Where the slices of a block stand.
pub const TAKEN: usize = 0;
pub const FLAG: usize = TAKEN + 1;
/// The needs of each kind of interest, with those that everybody cares for.
pub const INTEREST: usize = FLAG + FLAGS;
pub const FILLED: usize = INTEREST + INTERESTS;
/// How many traits are required.
pub const REQUIRED: usize = FILLED + 3;
/// How many traits are wanted.
pub const WANTED: usize = REQUIRED + DIGITS;
/// Needs with more of either than is counted.
pub const MANY: usize = WANTED + DIGITS;
/// For each trait those who require it, and those who want it.
pub const TRAITS: usize = MANY + 1;

/// What is read of a need alone.
#[derive(Clone, Copy, Debug, Default)]
#[repr(align(64))]
pub struct Lane {
    pub vector: Vector,
    pub week: Week,
    pub radius_m: f32,
    pub scale_m: f32,
    pub key: u32,
    /// How many hours.
    pub hours: u8,
    /// Whether there is nothing [`More`] to know.
    pub is_plain: bool,
}

/// What bits do not tell of a need: where not all hours or traits count the same, or traits are many.
#[derive(Clone, Debug)]
pub struct More {
    /// Hours, and the share each has of all.
    pub hours: Vec<(u8, f64)>,
    /// The same of wanted traits.
    pub wanted: Vec<(u16, f64)>,
    pub required: Vec<u16>,
}

/// Turns weights into shares of their sum, each of what it is for once.
fn shared<T: Copy + Ord>(weights: &[(T, f64)]) -> Vec<(T, f64)> {
    let all: f64 = weights.iter().map(|(_, weight)| weight).sum();
    let mut shares: BTreeMap<T, f64> = BTreeMap::new();
    for (what, weight) in weights {
        *shares.entry(*what).or_default() += weight / all;
    }
    shares.into_iter().collect()
}

fn is_even<T>(shares: &[(T, f64)]) -> bool {
    shares.iter().all(|(_, share)| *share == shares[0].1)
}

/// Up to [`ROOM`] needs.
#[derive(Clone)]
pub struct Block {
    /// As far as the largest trait of any of them.
    pub slices: Vec<Slice>,
    /// Where those of each word are.
    pub reaches: Reaches<WORDS>,
    pub spots: Box<[Spots; WORDS]>,
    pub lanes: Box<[Lane]>,
    pub more: HashMap<usize, More>,
    /// The most that skills count where not all that is wanted is there.
    pub partly: f64,
}

impl field::Block for Block {
    fn taken(&self) -> &Slice {
        &self.slices[TAKEN]
    }
}

impl Block {
    pub fn new() -> Self {
        Self {
            slices: vec![NOBODY; TRAITS],
            reaches: Reaches::EMPTY,
            spots: Box::new([Spots::EMPTY; WORDS]),
            lanes: vec![Lane::default(); ROOM].into(),
            more: HashMap::new(),
            partly: 0.0,
        }
    }

    pub fn bytes(&self) -> usize {
        size_of::<Self>()
            + size_of_val(&*self.slices)
            + size_of_val(&*self.spots)
            + size_of_val(&*self.lanes)
    }

    /// Frees a lane.
    pub fn remove(&mut self, lane: usize) {
        set(&mut self.slices[TAKEN], lane, false);
    }

    /// Puts a need into a lane, and tells what is known of it.
    pub fn stand(&mut self, lane: usize, key: u32, demand: &Demand) -> Summary {
        let Demand { query, filled } = demand;
        for slice in &mut self.slices {
            set(slice, lane, false);
        }
        let mut more = More {
            hours: shared(&query.hours),
            wanted: shared(&query.wanted),
            required: query.required.clone(),
        };
        more.required.sort_unstable();
        more.required.dedup();
        let required = more.required.iter().map(|t| TRAITS + 2 * usize::from(*t));
        let wanted = more
            .wanted
            .iter()
            .map(|(t, _)| TRAITS + 2 * usize::from(*t) + 1);
        for slice in required.chain(wanted) {
            if slice >= self.slices.len() {
                self.slices.resize(slice + 1, NOBODY);
            }
            set(&mut self.slices[slice], lane, true);
        }
        set(&mut self.slices[TAKEN], lane, true);
        for flag in 0..FLAGS {
            set(
                &mut self.slices[FLAG + flag],
                lane,
                query.flags >> flag & 1 == 1,
            );
        }
        for kind in 0..INTERESTS {
            let is_of = query.interest.is_none_or(|own| usize::from(own) == kind);
            set(&mut self.slices[INTEREST + kind], lane, is_of);
        }
        let (required, wanted) = (more.required.len(), more.wanted.len());
        let filled = usize::from((*filled).min(MOST_LOAD));
        set_number(&mut self.slices[FILLED..REQUIRED], lane, filled);
        set_number(&mut self.slices[REQUIRED..WANTED], lane, required);
        set_number(&mut self.slices[WANTED..MANY], lane, wanted);
        let are_many = required.max(wanted) >= TOO_MANY;
        set(&mut self.slices[MANY], lane, are_many);

        let mut week: Week = [0; 3];
        for (hour, _) in &more.hours {
            week[usize::from(hour / 64)] |= 1 << (hour % 64);
        }
        let is_plain = is_even(&more.hours) && is_even(&more.wanted) && !are_many;
        let site = query.site;
        let vector = site.map_or([0.0; 3], |site| site.point.vector());
        self.lanes[lane] = Lane {
            vector,
            week,
            radius_m: site.map_or(0.0, |site| site.radius_m),
            scale_m: query.scale_m as f32,
            key,
            hours: more.hours.len() as u8,
            is_plain,
        };
        let shares = more.wanted.iter().map(|(_, share)| *share);
        self.partly = self.partly.max(1.0 - shares.fold(1.0, f64::min));
        self.more.remove(&lane);
        if !is_plain {
            self.more.insert(lane, more);
        }
        if let Some(site) = site {
            self.spots[lane / 64].set(lane % 64, &vector, site.radius_m);
        }
        let reach = Reach::of(site);
        self.reaches.join(lane / 64, &reach);
        Summary {
            reach,
            ..Summary::empty(0)
        }
    }
}
