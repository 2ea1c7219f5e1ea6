//! The search for the best people for a need.

use pulp::{Arch, NullaryFnOnce};

use super::block::{Block, Layout};
use super::plan::{Plan, Query, TRAIT_DIGITS};
use crate::matching::engine::field::Field;
use crate::matching::engine::slice::{WORDS, ahead, and, any, count, each_lane, is_empty, words};
use crate::matching::engine::sphere::distance_within;
use crate::matching::engine::top::{Found, Top};
use crate::matching::engine::{Judge, SLACK, Shares, nearness};

/// Binary digits that count the hours of most needs, and all of a week.
const FEW_HOURS: usize = 4;
const ALL_HOURS: usize = 8;

/// Everybody, as one snapshot. Cheap to clone.
#[derive(Clone)]
pub struct Crowd {
    pub(super) layout: Layout,
    pub(super) field: Field<Block>,
}

impl Crowd {
    /// The best `k` people for a need: by score, then by the judge's tie-breaker.
    pub fn search<J: Judge>(
        &self,
        query: &Query,
        shares: Shares,
        k: usize,
        judge: &mut J,
    ) -> Vec<Found<J::Tie>> {
        let mut top = Top::new(k);
        if k > 0 && query.hours.len() < 1 << FEW_HOURS {
            self.search_into::<_, FEW_HOURS>(query, shares, &mut top, judge);
        } else if k > 0 {
            self.search_into::<_, ALL_HOURS>(query, shares, &mut top, judge);
        }
        top.into_vec()
    }

    fn search_into<J: Judge, const HOUR_DIGITS: usize>(
        &self,
        query: &Query,
        shares: Shares,
        top: &mut Top<J::Tie>,
        judge: &mut J,
    ) {
        Arch::new().dispatch(Search::<J, HOUR_DIGITS> {
            field: &self.field,
            plan: Plan::of(query, shares, self.layout),
            candidates: Vec::with_capacity(64),
            top,
            judge,
        });
    }

    pub(super) fn bytes(&self) -> usize {
        let blocks = self.field.blocks.iter().map(|block| block.bytes());
        blocks.sum::<usize>() + self.field.bytes()
    }
}

/// Somebody who passes but for the distance.
struct Candidate {
    lane: usize,
    /// What all but distance sum up to.
    rest: f64,
    /// The most that it is worth.
    most: f64,
}

/// With more people than these left after the filters, the promising ones are told apart together.
const CROWD: u32 = 6;

/// A search under way. A closure would be compiled apart, for the least of all processors.
struct Search<'a, J: Judge, const HOUR_DIGITS: usize> {
    field: &'a Field<Block>,
    plan: Plan,
    /// Those of the block that is looked into.
    candidates: Vec<Candidate>,
    top: &'a mut Top<J::Tie>,
    judge: &'a mut J,
}

impl<J: Judge, const HOUR_DIGITS: usize> NullaryFnOnce for Search<'_, J, HOUR_DIGITS> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let Self {
            field,
            plan,
            mut candidates,
            top,
            judge,
        } = self;
        let Field { tree, blocks, .. } = field;
        tree.visit(
            #[inline(always)]
            |group| plan.reach(group),
            #[inline(always)]
            |n| ahead(&*blocks[n]),
            #[inline(always)]
            |n, next| {
                if let Some(next) = next {
                    plan.ahead(&blocks[next]);
                }
                let block = &*blocks[n];
                look_over::<HOUR_DIGITS>(&plan, block, top.least() - SLACK, &mut candidates);
                for candidate in &candidates {
                    offer(&plan, block, candidate, top, judge);
                }
                top.least() - SLACK
            },
        );
    }
}

/// Finds everybody in a block who passes but for the distance and may reach `least`.
#[inline(always)]
fn look_over<const HOUR_DIGITS: usize>(
    plan: &Plan,
    block: &Block,
    least: f64,
    candidates: &mut Vec<Candidate>,
) {
    candidates.clear();
    let layout = plan.layout;
    let mut left = block.slices[layout.taken()];
    for slice in &plan.must {
        left = and(&left, &block.slices[*slice]);
    }
    // what nearness adds at most, for the lanes of each word
    let mut near = [plan.near; WORDS];
    if let Some((origin, _, own_m)) = &plan.from {
        let metres = block.reaches.at_least(origin, *own_m);
        near = metres.map(|metres| plan.near * nearness(f64::from(metres), plan.scale_m));
        left = and(&left, &words(|word| metres[word] < f32::INFINITY));
    }
    if is_empty(&left) {
        return;
    }
    let hours = plan.hours.counted::<HOUR_DIGITS>(block);
    if !plan.hours.worth.is_empty() {
        left = and(&left, &any(&hours));
    }
    let wanted = plan.wanted.counted::<TRAIT_DIGITS>(block);
    if least > f64::NEG_INFINITY && count(&left) > CROWD {
        let most = near.iter().fold(0.0_f64, |most, near| most.max(*near));
        left = plan.promising(block, &left, &hours, &wanted, least - most);
    }
    each_lane(
        &left,
        #[inline(always)]
        |lane| {
            let cares = plan.interest.is_none_or(|slice| block.has(slice, lane));
            let rest = plan.wanted.worth_to(&wanted, block, lane)
                + plan.hours.worth_to(&hours, block, lane)
                + if cares { plan.cares } else { 0.0 }
                + plan.fairness[block.load(lane)];
            let most = rest + near[lane / 64];
            if most >= least {
                ahead(&block.places[lane]);
                candidates.push(Candidate { lane, rest, most });
            }
        },
    );
}

/// Offers somebody who is near enough.
#[inline(always)]
fn offer<J: Judge>(
    plan: &Plan,
    block: &Block,
    candidate: &Candidate,
    top: &mut Top<J::Tie>,
    judge: &mut J,
) {
    let Candidate { lane, rest, most } = *candidate;
    let least = top.least() - SLACK;
    if most < least {
        return;
    }
    let place = &block.places[lane];
    let mut score = rest + plan.near;
    if let Some((_, from, own_m)) = &plan.from {
        let most_m = own_m.min(place.radius_m);
        let Some(metres) = distance_within(from, &place.vector, most_m) else {
            return;
        };
        score = rest + plan.near * nearness(metres, plan.scale_m);
        if score < least {
            return;
        }
    }
    let key = place.key;
    if let Some((score, tie)) = judge.judge(key, score) {
        let again = block.has(plan.layout.several(), lane);
        top.offer(Found { score, tie, key }, again);
    }
}
