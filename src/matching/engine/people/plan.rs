//! What a need asks of people, laid out for a search over blocks.

use super::block::{Block, Layout};
use crate::matching::engine::slice::{
    NOBODY, Slice, ahead, and, and_not, at_least, counted, equal, is_empty, number, or,
};
use crate::matching::engine::sphere::{Origin, Vector};
use crate::matching::engine::tree::{Group, ROUNDING, WIDTH};
use crate::matching::engine::{FLAGS, LOADS, Shares, Site, fairness};

/// What a need asks of people.
#[derive(Clone, Debug, PartialEq)]
pub struct Query {
    /// Where, and from how far people are taken; none for a remote need.
    pub site: Option<Site>,
    /// The distance at which nearness counts one half, in metres.
    pub scale_m: f64,
    /// Traits that a person must have.
    pub required: Vec<u16>,
    /// Traits that help, and how much each counts beside the others.
    pub wanted: Vec<(u16, f64)>,
    /// Hours, and how much each counts beside the others; one of them must be free. None: any time.
    pub hours: Vec<(u8, f64)>,
    /// Flags that a person must have.
    pub flags: u8,
    /// The interest it serves; none: everybody cares.
    pub interest: Option<u8>,
}

/// Hours or traits of which the more the better.
pub struct Helpful {
    /// The slice of each, and what it adds to a score.
    pub worth: Vec<(usize, f64)>,
    /// The most that one of them adds.
    most: f64,
    /// What all of them add.
    all: f64,
    /// Whether all add the same, so that it is enough to count them.
    is_even: bool,
}

impl Helpful {
    /// Those with these weights, which add `all` together. None at all: everybody has `all`.
    fn of<T: Copy>(weights: &[(T, f64)], all: f64, slice: impl Fn(T) -> usize) -> Self {
        let sum: f64 = weights.iter().map(|(_, weight)| weight).sum();
        let worth = |(what, weight): &(T, f64)| (slice(*what), all * weight / sum);
        let worth: Vec<_> = weights.iter().map(worth).collect();
        let values = worth.iter().map(|(_, worth)| *worth);
        Self {
            most: values.clone().fold(0.0, f64::max),
            is_even: weights.iter().all(|(_, weight)| *weight == weights[0].1),
            all,
            worth,
        }
    }

    /// How many of them each lane of a block has; nothing where that takes more binary digits.
    #[inline(always)]
    pub fn counted<const DIGITS: usize>(&self, block: &Block) -> [Slice; DIGITS] {
        if self.worth.len() >= 1 << DIGITS {
            return [NOBODY; DIGITS];
        }
        counted(self.worth.iter().map(|(slice, _)| &block.slices[*slice]))
    }

    /// What they add for somebody.
    #[inline(always)]
    pub fn worth_to<const DIGITS: usize>(
        &self,
        counted: &[Slice; DIGITS],
        block: &Block,
        lane: usize,
    ) -> f64 {
        if self.worth.is_empty() {
            self.all
        } else if self.is_even && self.worth.len() < 1 << DIGITS {
            number(counted, lane) as f64 * self.most
        } else {
            let (word, bit) = (lane / 64, lane % 64);
            let had = self.worth.iter().map(|(slice, worth)| {
                let has = block.slices[*slice][word] >> bit & 1;
                worth * has as f64
            });
            had.sum()
        }
    }
}

/// Binary digits of wanted traits that are counted together.
pub const TRAIT_DIGITS: usize = 3;

/// What a search asks of each block, laid out for it.
pub struct Plan {
    /// Slices in which a person must stand.
    pub must: Vec<usize>,
    /// One of them at least, if there are any.
    pub hours: Helpful,
    pub wanted: Helpful,
    /// The slice of those who care for the interest.
    pub interest: Option<usize>,
    /// What that adds to a score.
    pub cares: f64,
    /// What each load adds.
    pub fairness: [f64; LOADS],
    /// What being there adds.
    pub near: f64,
    /// From where, and how far; none for remote needs.
    pub from: Option<(Origin, Vector, f32)>,
    pub scale_m: f64,
    pub layout: Layout,
}

impl Plan {
    pub fn of(query: &Query, Shares(shares): Shares, layout: Layout) -> Self {
        let mut must = Vec::with_capacity(query.required.len() + FLAGS + 1);
        must.extend(query.required.iter().map(|t| usize::from(*t)));
        let flags = (0..FLAGS).filter(|flag| query.flags >> flag & 1 == 1);
        must.extend(flags.map(|flag| layout.flag(flag)));
        if query.site.is_some() {
            must.push(layout.placed());
        }
        let from = |site: Site| (Origin::from(site.point), site.point.vector(), site.radius_m);
        Self {
            must,
            hours: Helpful::of(&query.hours, shares[2], |hour| {
                layout.hour(usize::from(hour))
            }),
            wanted: Helpful::of(&query.wanted, shares[0], usize::from),
            interest: query
                .interest
                .map(|kind| layout.interest(usize::from(kind))),
            cares: shares[3],
            fairness: std::array::from_fn(|load| shares[4] * fairness(load as u8)),
            near: shares[1],
            from: query.site.map(from),
            scale_m: query.scale_m,
            layout,
        }
    }

    /// The children of a group below which somebody may pass, and the most that anybody there reaches.
    #[inline(always)]
    pub fn reach(&self, group: &Group) -> (u16, [f32; WIDTH]) {
        let mut children = group.all();
        for slice in &self.must {
            children &= group.slices[*slice];
        }
        if !self.hours.worth.is_empty() {
            let hours = self.hours.worth.iter().map(|(hour, _)| group.slices[*hour]);
            children &= hours.fold(0, |any, hour| any | hour);
        }
        let same = self.hours.all + self.cares + self.fairness[0];
        let mut scores = [ROUNDING + same as f32; WIDTH];
        if self.wanted.worth.is_empty() {
            scores = scores.map(|score| score + self.wanted.all as f32);
        }
        for (slice, worth) in &self.wanted.worth {
            let (having, worth) = (group.slices[*slice], *worth as f32);
            for (child, score) in scores.iter_mut().enumerate() {
                *score += if having >> child & 1 == 1 { worth } else { 0.0 };
            }
        }
        let near = self.near as f32;
        match &self.from {
            None => scores = scores.map(|score| score + near),
            Some((origin, _, own_m)) => {
                let metres = group.reaches.at_least(origin, *own_m);
                let scale_m = self.scale_m as f32;
                for child in 0..WIDTH {
                    scores[child] += near * (scale_m / (scale_m + metres[child]));
                    children &= !(u16::from(metres[child] == f32::INFINITY) << child);
                }
            }
        }
        (children, scores)
    }

    /// Asks for what is read of a block.
    #[inline(always)]
    pub fn ahead(&self, block: &Block) {
        let slices = &block.slices;
        slices[self.layout.load(0)..].iter().for_each(ahead);
        self.must.iter().for_each(|slice| ahead(&slices[*slice]));
        let helpful = self.hours.worth.iter().chain(&self.wanted.worth);
        helpful.for_each(|(slice, _)| ahead(&slices[*slice]));
        if let Some(slice) = self.interest {
            ahead(&slices[slice]);
        }
    }

    /// The least number of hours with which `rest` of the other factors reaches `least`; none when
    /// all of them would not do.
    #[inline(always)]
    fn hours_for(&self, rest: f64, least: f64) -> Option<usize> {
        let missing = least - rest;
        let hours = &self.hours;
        if hours.worth.is_empty() {
            return (missing <= hours.all).then_some(0);
        }
        if missing > hours.all {
            return None;
        }
        if missing <= 0.0 {
            return Some(1);
        }
        let enough = (missing / hours.most - 1e-6).ceil();
        Some((enough as usize).clamp(1, hours.worth.len()))
    }

    /// Those whose factors other than distance may sum up to `least`, all together.
    #[inline(always)]
    pub fn promising<const HOUR_DIGITS: usize>(
        &self,
        block: &Block,
        among: &Slice,
        hours: &[Slice; HOUR_DIGITS],
        wanted: &[Slice; TRAIT_DIGITS],
        least: f64,
    ) -> Slice {
        let mut promising = NOBODY;
        let most = match self.wanted.worth.len() {
            few if few < 1 << TRAIT_DIGITS => few,
            _ => 0,
        };
        for number in 0..=most {
            let (so_many, skills) = if most > 0 {
                let skills = (number as f64 * self.wanted.most).min(self.wanted.all);
                (equal(wanted, number, among), skills)
            } else {
                (*among, self.wanted.all)
            };
            for cares in [true, false] {
                let (those, interest) = match self.interest {
                    Some(slice) if cares => (and(&so_many, &block.slices[slice]), self.cares),
                    Some(slice) => (and_not(&so_many, &block.slices[slice]), 0.0),
                    None if cares => (so_many, self.cares),
                    None => continue,
                };
                let rest = skills + interest;
                if self.hours_for(rest + self.fairness[0], least).is_none() || is_empty(&those) {
                    continue;
                }
                for (load, fairness) in self.fairness.iter().enumerate() {
                    let Some(enough) = self.hours_for(rest + fairness, least) else {
                        break; // who has more to do does not reach it either
                    };
                    let loaded = equal(block.loads(), load, &those);
                    promising = or(&promising, &at_least(hours, enough, &loaded));
                }
            }
        }
        promising
    }
}
