//! A block of people as bit slices: one bit a person, one slice a trait, hour or flag.

use super::sphere::{Vector, distance};
use super::top::{Found, Top};
use super::{FLAGS, HOURS, INTERESTS, Judge, MOST_LOAD, SLACK, Shares, fairness, nearness};

/// Words of a slice: 64 bytes, a line of the cache.
const WORDS: usize = 8;
/// People a block has room for.
pub const ROOM: usize = WORDS * 64;
/// With more people than these left after the filters, they are counted together, else one by one.
const CROWD: u32 = 24;
/// Planes of the largest count of hours.
const HOUR_PLANES: usize = 8;
/// Planes of the largest count of wanted traits that is counted together.
const TRAIT_PLANES: usize = 3;

/// One bit for each person.
pub type Slice = [u64; WORDS];

#[inline(always)]
fn and(a: &Slice, b: &Slice) -> Slice {
    let mut both = *a;
    for n in 0..WORDS {
        both[n] &= b[n];
    }
    both
}

#[inline(always)]
fn and_not(a: &Slice, b: &Slice) -> Slice {
    let mut only = *a;
    for n in 0..WORDS {
        only[n] &= !b[n];
    }
    only
}

#[inline(always)]
fn or(a: &Slice, b: &Slice) -> Slice {
    let mut any = *a;
    for n in 0..WORDS {
        any[n] |= b[n];
    }
    any
}

#[inline(always)]
fn is_empty(slice: &Slice) -> bool {
    slice.iter().fold(0, |all, word| all | word) == 0
}

#[inline(always)]
fn count(slice: &Slice) -> u32 {
    slice.iter().map(|word| word.count_ones()).sum()
}

/// Counts one more where the bit is set; a number stands upright, a plane a binary digit.
#[inline(always)]
fn add(planes: &mut [Slice], bit: &Slice) {
    let mut carry = *bit;
    for plane in planes {
        let next = and(plane, &carry);
        for n in 0..WORDS {
            plane[n] ^= carry[n];
        }
        carry = next;
    }
}

/// Those of `among` whose number is exactly this one.
#[inline(always)]
fn equal(planes: &[Slice], number: usize, among: &Slice) -> Slice {
    let mut left = *among;
    for (digit, plane) in planes.iter().enumerate() {
        left = if number >> digit & 1 == 1 {
            and(&left, plane)
        } else {
            and_not(&left, plane)
        };
    }
    left
}

/// Those of `among` whose number is this one or more.
#[inline(always)]
fn at_least(planes: &[Slice], number: usize, among: &Slice) -> Slice {
    let (mut more, mut same) = ([0; WORDS], *among);
    for (digit, plane) in planes.iter().enumerate().rev() {
        if number >> digit & 1 == 1 {
            same = and(&same, plane);
        } else {
            more = or(&more, &and(&same, plane));
            same = and_not(&same, plane);
        }
    }
    or(&more, &same)
}

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
    /// From where; none for remote needs.
    pub from: Option<(Vector, f32)>,
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
    pub vectors: Box<[Vector]>,
    pub radius_m: Box<[f32]>,
    pub keys: Box<[u32]>,
}

impl Block {
    pub fn new(layout: Layout) -> Self {
        Self {
            slices: vec![[0; WORDS]; layout.slices()].into(),
            vectors: vec![[0.0; 3]; ROOM].into(),
            radius_m: vec![0.0; ROOM].into(),
            keys: vec![0; ROOM].into(),
        }
    }

    pub fn bytes(&self) -> usize {
        size_of_val(&*self.slices)
            + size_of_val(&*self.vectors)
            + size_of_val(&*self.radius_m)
            + size_of_val(&*self.keys)
    }

    #[inline(always)]
    pub fn set(&mut self, slice: usize, lane: usize, to: bool) {
        let word = &mut self.slices[slice][lane / 64];
        *word = *word & !(1 << (lane % 64)) | u64::from(to) << (lane % 64);
    }

    #[inline(always)]
    pub fn has(&self, slice: usize, lane: usize) -> bool {
        self.slices[slice][lane / 64] >> (lane % 64) & 1 == 1
    }

    /// A lane nobody stands in.
    pub fn free_lane(&self, layout: Layout) -> Option<usize> {
        let taken = &self.slices[layout.taken()];
        let word = taken.iter().position(|word| *word != u64::MAX)?;
        Some(word * 64 + taken[word].trailing_ones() as usize)
    }

    pub fn load(&self, layout: Layout, lane: usize) -> u8 {
        (0..3)
            .map(|digit| u8::from(self.has(layout.load(digit), lane)) << digit)
            .sum()
    }

    pub fn set_load(&mut self, layout: Layout, lane: usize, load: u8) {
        let load = load.min(MOST_LOAD);
        for digit in 0..3 {
            self.set(layout.load(digit), lane, load >> digit & 1 == 1);
        }
    }

    /// Offers everybody who passes and may be good enough. `near` is the most that nearness counts
    /// for anybody here.
    #[inline(always)]
    pub fn search<J: Judge>(&self, plan: &Plan, near: f64, top: &mut Top<J::Tie>, judge: &mut J) {
        let layout = plan.layout;
        let mut left = self.slices[layout.taken()];
        for slice in &plan.must {
            left = and(&left, &self.slices[*slice]);
        }
        if !plan.hours.is_empty() {
            let mut any = [0; WORDS];
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
            left = self.promising(plan, &left, least - plan.shares.0[1] * near);
        }
        for (word, bits) in left.into_iter().enumerate() {
            let mut bits = bits;
            while bits != 0 {
                let lane = word * 64 + bits.trailing_zeros() as usize;
                bits &= bits - 1;
                self.look_at(plan, lane, near, top, judge);
            }
        }
    }

    /// Those whose factors other than distance may sum up to `least`, counted all together.
    #[inline(always)]
    fn promising(&self, plan: &Plan, among: &Slice, least: f64) -> Slice {
        let layout = plan.layout;
        let mut hours = [[0; WORDS]; HOUR_PLANES];
        let digits = (usize::BITS - plan.hours.len().leading_zeros()) as usize;
        for (slice, _) in &plan.hours {
            add(&mut hours[..digits], &self.slices[*slice]);
        }
        let hours = &hours[..digits];
        let mut wanted = [[0; WORDS]; TRAIT_PLANES];
        let few = plan.wanted.len() < 1 << TRAIT_PLANES;
        if few {
            for (slice, _) in &plan.wanted {
                add(&mut wanted, &self.slices[*slice]);
            }
        }
        let load = &self.slices[layout.load(0)..=layout.load(2)];
        let shares = &plan.shares.0;
        let mut promising = [0; WORDS];
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
                for number in 0..=MOST_LOAD {
                    let rest = rest + shares[4] * fairness(number);
                    let Some(enough) = plan.hours_for(rest, least) else {
                        break; // who has more to do does not reach it either
                    };
                    let loaded = equal(load, usize::from(number), &those);
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
            + shares[4] * fairness(self.load(plan.layout, lane));
        let least = top.least() - SLACK;
        if rest + shares[1] * near < least {
            return;
        }
        let mut score = rest + shares[1];
        if let Some((from, radius_m)) = &plan.from {
            let metres = distance(from, &self.vectors[lane]);
            if metres > f64::from(radius_m.min(self.radius_m[lane])) {
                return;
            }
            score = rest + shares[1] * nearness(metres, plan.scale_m);
            if score < least {
                return;
            }
        }
        let key = self.keys[lane];
        if let Some((score, tie)) = judge.judge(key, score) {
            let again = self.has(plan.layout.several(), lane);
            top.offer(Found { score, tie, key }, again);
        }
    }
}
