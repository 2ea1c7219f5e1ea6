//! A block of people as bit slices: one bit a person, one slice a trait, hour or flag.

use super::{Profile, all_or};
use crate::matching::engine::field;
use crate::matching::engine::slice::{NOBODY, ROOM, Slice, WORDS, has, number, set, set_number};
use crate::matching::engine::sphere::{Reach, Reaches, Vector};
use crate::matching::engine::tree::Summary;
use crate::matching::engine::{FLAGS, HOURS, INTERESTS, MOST_LOAD, Site};

/// Where the slices of a block stand.
#[derive(Clone, Copy, Debug)]
pub struct Layout {
    /// How many traits there are.
    pub traits: usize,
}

impl Layout {
    pub fn hour(self, hour: usize) -> usize {
        self.traits + hour
    }
    pub fn flag(self, flag: usize) -> usize {
        self.traits + HOURS + flag
    }
    pub fn interest(self, interest: usize) -> usize {
        self.traits + HOURS + FLAGS + interest
    }
    pub fn load(self, digit: usize) -> usize {
        self.traits + HOURS + FLAGS + INTERESTS + digit
    }
    /// Lanes that somebody stands in.
    pub fn taken(self) -> usize {
        self.load(3)
    }
    /// People who have a place.
    pub fn placed(self) -> usize {
        self.load(4)
    }
    /// People who stand in other lanes too, with other places.
    pub fn several(self) -> usize {
        self.load(5)
    }
    pub fn slices(self) -> usize {
        self.load(6)
    }
}

/// Where somebody is, and the key: what is read of a lane alone.
#[derive(Clone, Copy, Debug, Default)]
pub struct Place {
    pub vector: Vector,
    pub radius_m: f32,
    pub key: u32,
}

/// Up to [`ROOM`] people.
#[derive(Clone)]
pub struct Block {
    pub slices: Box<[Slice]>,
    /// Where those of each word are.
    pub reaches: Reaches<WORDS>,
    pub places: Box<[Place]>,
    layout: Layout,
}

impl field::Block for Block {
    fn taken(&self) -> &Slice {
        &self.slices[self.layout.taken()]
    }
}

impl Block {
    pub fn new(layout: Layout) -> Self {
        Self {
            slices: vec![NOBODY; layout.slices()].into(),
            reaches: Reaches::EMPTY,
            places: vec![Place::default(); ROOM].into(),
            layout,
        }
    }

    pub fn bytes(&self) -> usize {
        size_of::<Self>() + size_of_val(&*self.slices) + size_of_val(&*self.places)
    }

    #[inline(always)]
    pub fn set(&mut self, slice: usize, lane: usize, to: bool) {
        set(&mut self.slices[slice], lane, to);
    }

    #[inline(always)]
    pub fn has(&self, slice: usize, lane: usize) -> bool {
        has(&self.slices[slice], lane)
    }

    /// The digits of what everybody has taken on.
    #[inline(always)]
    pub fn loads(&self) -> &[Slice] {
        &self.slices[self.layout.load(0)..self.layout.load(3)]
    }

    /// What somebody has taken on.
    #[inline(always)]
    pub fn load(&self, lane: usize) -> usize {
        number(self.loads(), lane)
    }

    pub fn set_load(&mut self, lane: usize, load: u8) {
        let loads = self.layout.load(0)..self.layout.load(3);
        set_number(
            &mut self.slices[loads],
            lane,
            usize::from(load.min(MOST_LOAD)),
        );
    }

    /// Makes a lane blank.
    pub fn clear(&mut self, lane: usize) {
        let slices = self.slices.iter_mut();
        slices.for_each(|slice| set(slice, lane, false));
    }

    /// Puts a person into a blank lane, with one of the places, and tells what is known of it.
    pub fn stand(
        &mut self,
        lane: usize,
        key: u32,
        site: Option<Site>,
        profile: &Profile,
    ) -> Summary {
        let layout = self.layout;
        let mut sum = Summary::empty(layout.slices());
        let slices = &mut self.slices;
        let mut stand_in = |slice: usize| {
            set(&mut slices[slice], lane, true);
            sum.add(slice);
        };
        profile
            .traits
            .iter()
            .for_each(|t| stand_in(usize::from(*t)));
        for (n, word) in profile.hours.iter().enumerate() {
            let mut bits = *word;
            while bits != 0 {
                let hour = n * 64 + bits.trailing_zeros() as usize;
                bits &= bits - 1;
                if hour < HOURS {
                    stand_in(layout.hour(hour));
                }
            }
        }
        let bits = |bits: u8, count: usize| (0..count).filter(move |n| bits >> n & 1 == 1);
        bits(profile.flags, FLAGS).for_each(|flag| stand_in(layout.flag(flag)));
        let interests = all_or(profile.interests);
        bits(interests, INTERESTS).for_each(|kind| stand_in(layout.interest(kind)));
        stand_in(layout.taken());
        if site.is_some() {
            stand_in(layout.placed());
        }
        self.set(layout.several(), lane, profile.sites.len() > 1);
        self.set_load(lane, profile.load);
        self.places[lane] = Place {
            vector: site.map_or([0.0; 3], |site| site.point.vector()),
            radius_m: site.map_or(0.0, |site| site.radius_m),
            key,
        };
        sum.reach = Reach::of(site);
        self.reaches.join(lane / 64, &sum.reach);
        sum
    }
}
