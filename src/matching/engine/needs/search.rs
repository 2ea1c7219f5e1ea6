//! The search for the best needs for a person.

use pulp::{Arch, NullaryFnOnce};

use super::block::{
    Block, DIGITS, FILLED, FLAG, INTEREST, Lane, MANY, REQUIRED, TAKEN, TRAITS, WANTED,
};
use crate::matching::engine::field::Field;
use crate::matching::engine::people::{Profile, all_or};
use crate::matching::engine::slice::{
    NOBODY, Slice, WORDS, add, ahead, and, and_not, at_least, each_lane, has, is_empty, number, or,
    same, words,
};
use crate::matching::engine::sphere::{Origin, Reaches, Vector, distance_within};
use crate::matching::engine::top::{Found, Top};
use crate::matching::engine::tree::{Group, ROUNDING, WIDTH};
use crate::matching::engine::{
    FLAGS, INTERESTS, Judge, LOADS, SLACK, Shares, Site, fairness, nearness,
};

/// Where needs that have a place stand, and those that have none.
pub const PLACED: usize = 0;
pub const REMOTE: usize = 1;

/// Every open need, as one snapshot. Cheap to clone.
#[derive(Clone, Default)]
pub struct Board {
    pub(super) fields: [Field<Block>; 2],
    /// The largest scale that a need ever had.
    pub(super) scale_m: f64,
}

impl Board {
    /// The best `k` needs for a person: by score, then by the judge's tie-breaker.
    pub fn search<J: Judge>(
        &self,
        seeker: &Profile,
        shares: Shares,
        k: usize,
        judge: &mut J,
    ) -> Vec<Found<J::Tie>> {
        let mut top = Top::new(k);
        if k > 0 {
            Arch::new().dispatch(Search {
                fields: &self.fields,
                looking: Looking::of(seeker, shares, self.scale_m),
                candidates: Vec::with_capacity(64),
                top: &mut top,
                judge,
            });
        }
        top.into_vec()
    }

    /// How many bytes it holds.
    pub fn bytes(&self) -> usize {
        let fields = self.fields.iter().map(|field| {
            let blocks = field.blocks.iter().map(|block| block.bytes());
            field.bytes() + blocks.sum::<usize>()
        });
        fields.sum()
    }
}

/// A person laid out for a search.
struct Looking<'a> {
    seeker: &'a Profile,
    /// The flags that the person lacks, as bits.
    lacks: u8,
    /// The interests that the person cares for, as bits.
    interests: u8,
    from: Vec<(Origin, Vector, f32)>,
    shares: [f64; 5],
    /// What so many places filled add to a score.
    fairness: [f64; LOADS],
    scale_m: f64,
}

/// The numbers of the bits that are set below `count`.
#[inline(always)]
fn bits(bits: u8, count: usize) -> impl Iterator<Item = usize> {
    (0..count).filter(move |n| bits >> n & 1 == 1)
}

impl<'a> Looking<'a> {
    fn of(seeker: &'a Profile, Shares(shares): Shares, scale_m: f64) -> Self {
        let from = |site: &Site| (Origin::from(site.point), site.point.vector(), site.radius_m);
        Self {
            seeker,
            lacks: !seeker.flags,
            interests: all_or(seeker.interests),
            from: seeker.sites.iter().map(from).collect(),
            shares,
            fairness: std::array::from_fn(|filled| shares[4] * fairness(filled as u8)),
            scale_m,
        }
    }

    /// The least distances of several reaches from all places of the person; infinite out of reach.
    #[inline(always)]
    fn at_least<const N: usize>(&self, reaches: &Reaches<N>) -> [f32; N] {
        let mut nearest = [f32::INFINITY; N];
        for (origin, _, own_m) in &self.from {
            let metres = reaches.at_least(origin, *own_m);
            for n in 0..N {
                nearest[n] = nearest[n].min(metres[n]);
            }
        }
        nearest
    }

    /// The children of a group where needs may be in reach, and the most that any of them is worth.
    #[inline(always)]
    fn reach(&self, group: &Group) -> (u16, [f32; WIDTH]) {
        let shares = self.shares.map(|share| share as f32);
        let scale_m = self.scale_m as f32;
        let metres = self.at_least(&group.reaches);
        let mut children = group.all();
        let mut scores = [ROUNDING + shares[0] + shares[2] + shares[3] + shares[4]; WIDTH];
        for child in 0..WIDTH {
            scores[child] += shares[1] * (scale_m / (scale_m + metres[child]));
            children &= !(u16::from(metres[child] == f32::INFINITY) << child);
        }
        (children, scores)
    }

    /// Asks for what is read of a block.
    #[inline(always)]
    fn ahead(&self, block: &Block) {
        block.slices[..TRAITS].iter().for_each(ahead);
        for t in &self.seeker.traits {
            let slice = TRAITS + 2 * usize::from(*t);
            let both = block.slices.get(slice..slice + 2);
            both.into_iter().flatten().for_each(ahead);
        }
    }

    /// How many of the traits that each need requires and wants the person has.
    #[inline(always)]
    fn having(&self, block: &Block) -> [[Slice; DIGITS]; 2] {
        let mut having = [[NOBODY; DIGITS]; 2];
        for t in &self.seeker.traits {
            let slice = TRAITS + 2 * usize::from(*t);
            for (n, digits) in having.iter_mut().enumerate() {
                if let Some(those) = block.slices.get(slice + n) {
                    add(digits, those);
                }
            }
        }
        having
    }

    /// Finds every need of a block that the person passes, as far as bits tell, and that may reach
    /// `least`. `having` is what the person has of what is wanted.
    #[inline(always)]
    fn look_over(
        &self,
        block: &Block,
        is_remote: bool,
        [required, wanted]: &[[Slice; DIGITS]; 2],
        least: f64,
        candidates: &mut Vec<Candidate>,
    ) {
        candidates.clear();
        let slices = &block.slices;
        let mut left = slices[TAKEN];
        let mut near = [1.0; WORDS];
        if !is_remote {
            let metres = self.at_least(&block.reaches);
            near = metres.map(|metres| nearness(f64::from(metres), self.scale_m));
            left = and(&left, &words(|word| metres[word] < f32::INFINITY));
        }
        for flag in bits(self.lacks, FLAGS) {
            left = and_not(&left, &slices[FLAG + flag]);
        }
        let able = same(required, &slices[REQUIRED..WANTED], &left);
        let mut left = or(&able, &and(&left, &slices[MANY]));
        if !is_remote {
            for (word, bits) in left.iter_mut().enumerate().filter(|(_, bits)| **bits != 0) {
                let spots = &block.spots[word];
                let mut near = 0;
                for (_, from, own_m) in &self.from {
                    near |= spots.within(from, *own_m);
                }
                *bits &= near;
            }
        }
        if is_empty(&left) {
            return;
        }
        let skilled = and_not(&same(wanted, &slices[WANTED..MANY], &left), &slices[MANY]);
        let kinds = bits(self.interests, INTERESTS);
        let cared = kinds.fold(NOBODY, |any, kind| or(&any, &slices[INTEREST + kind]));
        let filled = &slices[FILLED..REQUIRED];
        let partly = self.shares[0] * block.partly;
        if least > f64::NEG_INFINITY {
            let nearest = near.iter().fold(0.0_f64, |most, near| most.max(*near));
            let mut promising = NOBODY;
            for (is_skilled, cares) in [(true, true), (true, false), (false, true), (false, false)]
            {
                let skills = if is_skilled { self.shares[0] } else { partly };
                let interest = if cares { self.shares[3] } else { 0.0 };
                let same = skills + interest + self.shares[2] + self.shares[1] * nearest;
                let enough = |filled: &&f64| same + **filled >= least;
                let few = self.fairness.iter().take_while(enough).count();
                if few == 0 {
                    continue;
                }
                let those = if is_skilled {
                    and(&left, &skilled)
                } else {
                    and_not(&left, &skilled)
                };
                let those = if cares {
                    and(&those, &cared)
                } else {
                    and_not(&those, &cared)
                };
                let more = match few {
                    LOADS => NOBODY,
                    _ => at_least(filled, few, &those),
                };
                promising = or(&promising, &and_not(&those, &more));
            }
            left = promising;
        }
        each_lane(
            &left,
            #[inline(always)]
            |lane| {
                let is_skilled = has(&skilled, lane);
                let interest = if has(&cared, lane) {
                    self.shares[3]
                } else {
                    0.0
                };
                let known = interest + self.fairness[number(filled, lane)];
                let skills = if is_skilled { self.shares[0] } else { partly };
                let most = known + skills + self.shares[2] + self.shares[1] * near[lane / 64];
                if most >= least {
                    ahead(&block.lanes[lane]);
                    candidates.push(Candidate {
                        lane,
                        is_skilled,
                        known,
                        most,
                    });
                }
            },
        );
    }

    /// What a need is worth but for nearness; none where the person does not pass.
    #[inline(always)]
    fn rest(
        &self,
        block: &Block,
        lane: &Lane,
        wanted: &[Slice],
        candidate: &Candidate,
    ) -> Option<f64> {
        let n = candidate.lane;
        let free = |hour: u8| self.seeker.hours[usize::from(hour / 64)] >> (hour % 64) & 1 == 1;
        let words = lane.week.iter().zip(&self.seeker.hours);
        let common: u32 = words.map(|(a, b)| (a & b).count_ones()).sum();
        if common == 0 && lane.hours > 0 {
            return None;
        }
        let more = match lane.is_plain {
            true => None,
            false => block.more.get(&n),
        };
        let availability = match more {
            _ if lane.hours == 0 => 1.0,
            None => f64::from(common) / f64::from(lane.hours),
            Some(more) => more
                .hours
                .iter()
                .filter(|(hour, _)| free(*hour))
                .map(|(_, share)| share)
                .sum(),
        };
        let knows = |t: u16| self.seeker.traits.contains(&t);
        let skills = match more {
            _ if candidate.is_skilled => 1.0,
            None => {
                let all = number(&block.slices[WANTED..MANY], n);
                number(wanted, n) as f64 / all as f64
            }
            Some(more) if more.wanted.is_empty() => 1.0,
            Some(more) => more
                .wanted
                .iter()
                .filter(|(t, _)| knows(*t))
                .map(|(_, share)| share)
                .sum(),
        };
        if let Some(more) = more
            && has(&block.slices[MANY], n)
            && !more.required.iter().all(|t| knows(*t))
        {
            return None;
        }
        Some(candidate.known + self.shares[2] * availability + self.shares[0] * skills)
    }
}

/// A need that the person passes as far as bits tell.
struct Candidate {
    lane: usize,
    /// Whether all wanted skills are there.
    is_skilled: bool,
    /// What interest and fairness add.
    known: f64,
    /// The most that it is worth.
    most: f64,
}

/// A search under way. A closure would be compiled apart, for the least of all processors.
struct Search<'a, J: Judge> {
    fields: &'a [Field<Block>; 2],
    looking: Looking<'a>,
    /// Those of the block that is looked into.
    candidates: Vec<Candidate>,
    top: &'a mut Top<J::Tie>,
    judge: &'a mut J,
}

impl<J: Judge> NullaryFnOnce for Search<'_, J> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let Self {
            fields,
            looking,
            mut candidates,
            top,
            judge,
        } = self;
        let Field { tree, blocks, .. } = &fields[PLACED];
        tree.visit(
            #[inline(always)]
            |group| looking.reach(group),
            #[inline(always)]
            |n| ahead(&*blocks[n]),
            #[inline(always)]
            |n, next| {
                if let Some(next) = next {
                    looking.ahead(&blocks[next]);
                }
                look_into(&looking, &blocks[n], false, &mut candidates, top, judge);
                top.least() - SLACK
            },
        );
        for block in &fields[REMOTE].blocks {
            look_into(&looking, block, true, &mut candidates, top, judge);
        }
    }
}

/// Offers every need of a block that the person passes and that may be good enough.
#[inline(always)]
fn look_into<J: Judge>(
    looking: &Looking,
    block: &Block,
    is_remote: bool,
    candidates: &mut Vec<Candidate>,
    top: &mut Top<J::Tie>,
    judge: &mut J,
) {
    let having = looking.having(block);
    let least = top.least() - SLACK;
    looking.look_over(block, is_remote, &having, least, candidates);
    for candidate in candidates.iter() {
        offer(looking, block, is_remote, &having[1], candidate, top, judge);
    }
}

/// Offers a need that is good enough and in reach.
#[inline(always)]
fn offer<J: Judge>(
    looking: &Looking,
    block: &Block,
    is_remote: bool,
    wanted: &[Slice],
    candidate: &Candidate,
    top: &mut Top<J::Tie>,
    judge: &mut J,
) {
    let least = top.least() - SLACK;
    if candidate.most < least {
        return;
    }
    let lane = &block.lanes[candidate.lane];
    let Some(rest) = looking.rest(block, lane, wanted, candidate) else {
        return;
    };
    let mut score = rest + looking.shares[1];
    if score < least {
        return;
    }
    if !is_remote {
        let mut nearest = f64::INFINITY;
        for (_, from, own_m) in &looking.from {
            let most_m = own_m.min(lane.radius_m);
            if let Some(metres) = distance_within(from, &lane.vector, most_m) {
                nearest = nearest.min(metres);
            }
        }
        if nearest == f64::INFINITY {
            return;
        }
        let metres = nearest;
        score = rest + looking.shares[1] * nearness(metres, f64::from(lane.scale_m));
    }
    let key = lane.key;
    if score >= least
        && let Some((score, tie)) = judge.judge(key, score)
    {
        top.offer(Found { score, tie, key }, false);
    }
}
