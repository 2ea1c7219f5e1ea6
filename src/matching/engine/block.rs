//! A block of people as bit slices: one bit a person, one slice a trait, hour or flag.

use super::field::{self, Place};
use super::slice::{
    NOBODY, ROOM, Slice, WORDS, add, and, and_not, at_least, count, equal, has, is_empty, lanes,
    number, or, set,
};
use super::sphere::{Origin, Reaches, Vector, distance_within};
use super::top::{Found, Top};
use super::{FLAGS, HOURS, INTERESTS, Judge, MOST_LOAD, SLACK, Shares, fairness, nearness};

/// With more people than these left after the filters, they are counted together, else one by one.
const CROWD: u32 = 24;
/// Planes of the largest count of hours.
const HOUR_PLANES: usize = 8;
/// Planes of the largest count of wanted traits that is counted together.
const TRAIT_PLANES: usize = 3;

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

/// What a search asks of each block, laid out for it.
#[derive(Debug)]
pub struct Plan {
    /// Slices in which a person must stand.
    pub must: Vec<usize>,
    /// Slices of the hours, and the share each has of all.
    pub hours: Vec<(usize, f64)>,
    /// The largest of these shares.
    pub most_hour: f64,
    /// The same of wanted traits.
    pub wanted: Vec<(usize, f64)>,
    pub most_wanted: f64,
    /// The slice of those who care for the interest.
    pub interest: Option<usize>,
    pub shares: Shares,
    /// From where, and how far; none for remote needs.
    pub from: Option<(Origin, Vector, f32)>,
    pub scale_m: f64,
    pub layout: Layout,
}

impl Plan {
    /// The least number of hours with which `rest` of the other factors reaches `least`; none when
    /// all of them would not do.
    #[inline(always)]
    fn hours_for(&self, rest: f64, least: f64) -> Option<usize> {
        let share = self.shares.0[2];
        let missing = least - rest;
        if self.hours.is_empty() {
            return (missing <= share).then_some(0);
        }
        if missing > share {
            return None;
        }
        if missing <= 0.0 {
            return Some(1);
        }
        let hours = (missing / (share * self.most_hour) - 1e-6).ceil();
        Some((hours as usize).clamp(1, self.hours.len()))
    }
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

    pub fn set_load(&mut self, lane: usize, load: u8) {
        let load = load.min(MOST_LOAD);
        for digit in 0..3 {
            self.set(self.layout.load(digit), lane, load >> digit & 1 == 1);
        }
    }

    /// Offers everybody who passes and may be good enough.
    #[inline(always)]
    pub fn search<J: Judge>(&self, plan: &Plan, top: &mut Top<J::Tie>, judge: &mut J) {
        let layout = plan.layout;
        let mut left = self.slices[layout.taken()];
        for slice in &plan.must {
            left = and(&left, &self.slices[*slice]);
        }
        if is_empty(&left) {
            return;
        }
        let mut near = [1.0; WORDS];
        if let Some((origin, _, own_m)) = &plan.from {
            let metres = self.reaches.at_least(origin, *own_m);
            for word in 0..WORDS {
                near[word] = nearness(f64::from(metres[word]), plan.scale_m);
                if metres[word] == f32::INFINITY {
                    left[word] = 0;
                }
            }
        }
        if !plan.hours.is_empty() {
            let mut any = NOBODY;
            for (slice, _) in &plan.hours {
                any = or(&any, &self.slices[*slice]);
            }
            left = and(&left, &any);
        }
        if is_empty(&left) {
            return;
        }
        let least = top.least() - SLACK;
        if least > f64::NEG_INFINITY && count(&left) > CROWD {
            let most = near.iter().fold(0.0_f64, |most, near| most.max(*near));
            left = self.promising(plan, &left, least - plan.shares.0[1] * most);
        }
        for lane in lanes(&left) {
            self.look_at(plan, lane, near[lane / 64], top, judge);
        }
    }

    /// Those whose factors other than distance may sum up to `least`, counted all together.
    #[inline(always)]
    fn promising(&self, plan: &Plan, among: &Slice, least: f64) -> Slice {
        let mut hours = [NOBODY; HOUR_PLANES];
        let digits = (usize::BITS - plan.hours.len().leading_zeros()) as usize;
        for (slice, _) in &plan.hours {
            add(&mut hours[..digits], &self.slices[*slice]);
        }
        let hours = &hours[..digits];
        let mut wanted = [NOBODY; TRAIT_PLANES];
        let few = plan.wanted.len() < 1 << TRAIT_PLANES;
        if few {
            for (slice, _) in &plan.wanted {
                add(&mut wanted, &self.slices[*slice]);
            }
        }
        let shares = &plan.shares.0;
        let mut promising = NOBODY;
        let most = if few { plan.wanted.len() } else { 0 };
        for number in 0..=most {
            let (so_many, skills) = if few && most > 0 {
                let skills = (number as f64 * plan.most_wanted).min(1.0);
                (equal(&wanted, number, among), shares[0] * skills)
            } else {
                (*among, shares[0])
            };
            for cares in [true, false] {
                let (those, interest) = match plan.interest {
                    Some(slice) if cares => (and(&so_many, &self.slices[slice]), shares[3]),
                    Some(slice) => (and_not(&so_many, &self.slices[slice]), 0.0),
                    None if cares => (so_many, shares[3]),
                    None => continue,
                };
                let rest = skills + interest;
                if plan.hours_for(rest + shares[4], least).is_none() || is_empty(&those) {
                    continue;
                }
                for load in 0..=MOST_LOAD {
                    let rest = rest + shares[4] * fairness(load);
                    let Some(enough) = plan.hours_for(rest, least) else {
                        break; // who has more to do does not reach it either
                    };
                    let loaded = equal(self.loads(), usize::from(load), &those);
                    promising = or(&promising, &at_least(hours, enough, &loaded));
                }
            }
        }
        promising
    }

    #[inline(always)]
    fn share(&self, of: &[(usize, f64)], lane: usize) -> f64 {
        if of.is_empty() {
            return 1.0;
        }
        let (word, bit) = (lane / 64, lane % 64);
        let had = of.iter().map(|(slice, share)| {
            let has = self.slices[*slice][word] >> bit & 1;
            share * has as f64
        });
        had.sum()
    }

    #[inline(always)]
    fn look_at<J: Judge>(
        &self,
        plan: &Plan,
        lane: usize,
        near: f64,
        top: &mut Top<J::Tie>,
        judge: &mut J,
    ) {
        let shares = &plan.shares.0;
        let cares = plan.interest.is_none_or(|slice| self.has(slice, lane));
        let rest = shares[0] * self.share(&plan.wanted, lane)
            + shares[2] * self.share(&plan.hours, lane)
            + if cares { shares[3] } else { 0.0 }
            + shares[4] * fairness(number(self.loads(), lane) as u8);
        let least = top.least() - SLACK;
        if rest + shares[1] * near < least {
            return;
        }
        let place = &self.places[lane];
        let mut score = rest + shares[1];
        if let Some((_, from, own_m)) = &plan.from {
            let most_m = own_m.min(place.radius_m);
            let Some(metres) = distance_within(from, &place.vector, most_m) else {
                return;
            };
            score = rest + shares[1] * nearness(metres, plan.scale_m);
            if score < least {
                return;
            }
        }
        let key = place.key;
        if let Some((score, tie)) = judge.judge(key, score) {
            let again = self.has(plan.layout.several(), lane);
            top.offer(Found { score, tie, key }, again);
        }
    }
}
