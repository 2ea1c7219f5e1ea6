//! The plan of greatest total weight for a batch round, with a certificate of how good it is.
//!
//! An auction (Bertsekas): people who have places left bid for what is worth most to them at its
//! price; a seat goes to the higher bid, and whoever loses one bids again. Prices only rise, and at
//! the end everybody has what is best at them, but for a step `epsilon` of the bids. By duality of
//! linear programs prices prove a bound that no plan can exceed (`Plan::upper_bound`); anybody can
//! compute it again from them. The step is so small that the bound lies within one unit of weight
//! of the plan, so a finished auction is an optimum.
//!
//! ```text
//! max Σ w·x   with Σ x ≤ places of each person, Σ x ≤ seats of each need, x ∈ {0, 1}
//! ≤   Σ places·u + Σ seats·v + Σ max(0, w − u − v)   for any u, v ≥ 0
//! ```
//!
//! Where many weights are equal, small steps would climb for ever. An auction that takes too long is
//! held with coarse steps first, and again with finer ones from somewhat lower prices. A need whose
//! seats then are not all taken begins anew at no price.

use std::collections::VecDeque;

use crate::matching::engine::ahead;

/// What somebody may do, and what that is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pair {
    /// The need's number.
    pub need: u32,
    /// More than 0; a score in millionths, or any other unit.
    pub weight: i32,
}

/// A round: who may do what.
#[derive(Clone, Debug, Default)]
pub struct Round {
    /// How much each person may take.
    pub places: Vec<u32>,
    /// How many each need takes.
    pub seats: Vec<u32>,
    /// Where the pairs of each person begin, and the end of the last: one more than people.
    pub offsets: Vec<usize>,
    /// The pairs, person by person, each need at most once for a person.
    pub pairs: Vec<Pair>,
}

/// An assignment and its certificate.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// The numbers of the pairs that are in it, ascending.
    pub chosen: Vec<usize>,
    /// The sum of their weights.
    pub total: i64,
    /// No plan has a greater sum.
    pub upper_bound: f64,
    /// What a place of each person is worth.
    pub people: Vec<f64>,
    /// What a seat of each need is worth: its price.
    pub needs: Vec<f64>,
}

impl Plan {
    /// The share of the bound that the plan may fall short of: 0 is an optimum.
    pub fn gap(&self) -> f64 {
        if self.upper_bound > 0.0 {
            (self.upper_bound - self.total as f64) / self.upper_bound
        } else {
            0.0
        }
    }
}

/// How many of a person's best pairs are at hand without looking through all.
const NEAR: usize = 8;
/// Bids for each seat and person, after which an auction is held with coarser steps. Rounds in which
/// many are left without a place take 45 of them; coarser steps are no quicker there, and may end
/// short of an optimum.
const PATIENCE: usize = 64;
/// How many bidders before the turn of one what that one knows is asked for from memory.
const AHEAD: usize = 8;
/// From one step to the next finer one.
const FINER: i64 = 16;
/// How often needs that nobody wants at their price begin anew, at each step.
const RETRIES: usize = 8;
const NONE: u32 = u32::MAX;

impl Round {
    /// The pairs of a person, by their numbers.
    fn of(&self, person: usize) -> std::ops::Range<usize> {
        self.offsets[person]..self.offsets[person + 1]
    }

    /// The plan of greatest total weight.
    pub fn solve(&self) -> Plan {
        let scale = 1 + self.most_chosen() as i64;
        let (mut auction, is_over) = Auction::held(self, scale, 1, vec![0; self.seats.len()]);
        if !is_over {
            auction = self.in_steps(scale);
        }
        auction.plan()
    }

    /// How many pairs a plan can have.
    fn most_chosen(&self) -> usize {
        let sum = |all: &[u32]| all.iter().map(|n| *n as usize).sum::<usize>();
        sum(&self.places)
            .min(sum(&self.seats))
            .min(self.pairs.len())
    }

    /// The auction in ever finer steps.
    fn in_steps(&self, scale: i64) -> Auction<'_> {
        let heaviest = self.pairs.iter().map(|pair| pair.weight).max().unwrap_or(0);
        let mut step = (i64::from(heaviest) * scale / FINER).max(1);
        let mut prices = vec![0; self.seats.len()];
        loop {
            let mut tries = 0;
            let auction = loop {
                let (auction, _) = Auction::held(self, scale, step, prices.clone());
                let unwanted: Vec<_> = auction.unwanted().collect();
                if unwanted.is_empty() || tries == RETRIES {
                    break auction;
                }
                tries += 1;
                for need in unwanted {
                    prices[need] = 0;
                }
            };
            if step == 1 {
                return auction;
            }
            prices.clone_from(&auction.prices);
            for price in &mut prices {
                *price = (*price - 2 * step).max(0);
            }
            step = (step / FINER).max(1);
        }
    }

    /// The plan that takes the heaviest pair that still fits, again and again; what a round is
    /// compared with. Its bound and prices are left out.
    pub fn greedy(&self) -> Plan {
        let mut order: Vec<(usize, usize)> = (0..self.places.len())
            .flat_map(|person| self.of(person).map(move |pair| (person, pair)))
            .filter(|(_, pair)| self.pairs[*pair].weight > 0)
            .collect();
        order.sort_by_key(|(_, pair)| (std::cmp::Reverse(self.pairs[*pair].weight), *pair));
        let (mut places, mut seats) = (self.places.clone(), self.seats.clone());
        let mut plan = Plan::default();
        for (person, pair) in order {
            let Pair { need, weight } = self.pairs[pair];
            let need = need as usize;
            if places[person] > 0 && seats[need] > 0 {
                places[person] -= 1;
                seats[need] -= 1;
                plan.chosen.push(pair);
                plan.total += i64::from(weight);
            }
        }
        plan.chosen.sort_unstable();
        plan
    }
}

/// A pair at hand.
#[derive(Clone, Copy)]
struct Near {
    pair: u32,
    need: u32,
    weight: i32,
}

/// The best pairs of a person when all were last looked through. Prices rise, so what was worth
/// less than `rest` then is worth less now.
#[derive(Clone, Copy)]
struct Outlook {
    near: [Near; NEAR],
    rest: i64,
}

const UNSEEN: Outlook = Outlook {
    near: [Near {
        pair: NONE,
        need: 0,
        weight: 0,
    }; NEAR],
    rest: i64::MAX,
};

/// A seat that somebody has bid for.
#[derive(Clone, Copy, Default)]
struct Bid {
    amount: i64,
    person: u32,
    pair: u32,
}

struct Auction<'a> {
    round: &'a Round,
    scale: i64,
    step: i64,
    /// What a seat of each need costs: the lowest bid where all are taken.
    prices: Vec<i64>,
    /// The seats of all needs, those of each a heap with the lowest bid at its head.
    bids: Vec<Bid>,
    starts: Vec<usize>,
    taken: Vec<u32>,
    /// The pairs of each person that have a seat: as many places as the person has, `NONE` if free.
    held: Vec<u32>,
    holds: Vec<usize>,
    outlooks: Vec<Outlook>,
    /// People with places left who have not found out yet that nothing is worth its price.
    waiting: VecDeque<u32>,
    is_waiting: Vec<bool>,
}

fn starts(of: &[u32]) -> Vec<usize> {
    let mut next = 0;
    let mut starts: Vec<_> = of
        .iter()
        .map(|n| {
            next += *n as usize;
            next - *n as usize
        })
        .collect();
    starts.push(next);
    starts
}

impl<'a> Auction<'a> {
    /// An auction in steps of `step`, and whether it came to its end.
    fn held(round: &'a Round, scale: i64, step: i64, mut prices: Vec<i64>) -> (Self, bool) {
        for (price, seats) in prices.iter_mut().zip(&round.seats) {
            if *seats == 0 {
                *price = i64::from(i32::MAX) * scale; // more than anybody gives
            }
        }
        let (people, starts_, holds) = (
            round.places.len(),
            starts(&round.seats),
            starts(&round.places),
        );
        let mut auction = Self {
            scale,
            step,
            prices,
            bids: vec![Bid::default(); starts_[round.seats.len()]],
            starts: starts_,
            taken: vec![0; round.seats.len()],
            held: vec![NONE; holds[people]],
            holds,
            outlooks: vec![UNSEEN; people],
            waiting: (0..people as u32).collect(),
            is_waiting: vec![true; people],
            round,
        };
        let patience = PATIENCE * (auction.bids.len() + people) + 10_000;
        let mut best = Vec::with_capacity(NEAR);
        let mut values = Vec::new();
        let mut made = 0;
        while let Some(person) = auction.waiting.pop_front() {
            auction.is_waiting[person as usize] = false;
            auction.look_ahead();
            made += auction.bid(person as usize, &mut best, &mut values);
            if made > patience {
                return (auction, false);
            }
        }
        (auction, true)
    }

    /// Asks for what somebody who bids soon is going to read.
    fn look_ahead(&self) {
        if let Some(person) = self.waiting.get(AHEAD) {
            let person = *person as usize;
            ahead(&self.outlooks[person]);
            ahead(&self.holds[person]);
        }
        if let Some(person) = self.waiting.get(AHEAD / 2) {
            // who has no place at the end of all holds nothing
            if let Some(first) = self.held.get(self.holds[*person as usize]) {
                ahead(first);
            }
        }
    }

    fn value(&self, need: u32, weight: i32) -> i64 {
        i64::from(weight) * self.scale - self.prices[need as usize]
    }

    fn held_by(&self, person: usize) -> &[u32] {
        &self.held[self.holds[person]..self.holds[person + 1]]
    }

    /// The `k + 1` best of the pairs at hand that are worth their price and not held, best first.
    fn choose(&self, person: usize, k: usize, best: &mut Vec<(i64, Near)>) {
        best.clear();
        for near in &self.outlooks[person].near {
            let value = self.value(near.need, near.weight);
            let is_wanted = value > 0 && (best.len() <= k || value > best[k].0);
            if !is_wanted || near.pair == NONE || self.held_by(person).contains(&near.pair) {
                continue;
            }
            let at = best.partition_point(|(other, _)| *other >= value);
            best.insert(at, (value, *near));
            best.truncate(k + 1);
        }
    }

    /// Looks through all pairs of a person for those to have at hand.
    fn look(&mut self, person: usize, values: &mut Vec<(i64, u32)>) {
        let round = self.round;
        values.clear();
        values.extend(round.of(person).map(|pair| {
            let Pair { need, weight } = round.pairs[pair];
            (self.value(need, weight), pair as u32)
        }));
        let mut outlook = Outlook { rest: 0, ..UNSEEN };
        if values.len() > NEAR {
            let (_, next, _) = values.select_nth_unstable_by(NEAR, |a, b| b.0.cmp(&a.0));
            outlook.rest = next.0.max(0);
        }
        for (near, (_, pair)) in outlook.near.iter_mut().zip(values.iter()) {
            let Pair { need, weight } = round.pairs[*pair as usize];
            *near = Near {
                pair: *pair,
                need,
                weight,
            };
        }
        self.outlooks[person] = outlook;
    }

    /// A person bids for as much as it has places left; returns how many bids that were.
    fn bid(
        &mut self,
        person: usize,
        best: &mut Vec<(i64, Near)>,
        values: &mut Vec<(i64, u32)>,
    ) -> usize {
        let free = self.held_by(person).iter().filter(|pair| **pair == NONE);
        let free = free.count();
        if free == 0 {
            return 0;
        }
        // of the pairs at hand some may be held, so that more than those are looked at where
        // somebody has as many places
        let is_wide = self.round.places[person] as usize >= NEAR;
        self.choose(person, free, best);
        let next = best.get(free).map_or(0, |(value, _)| *value);
        if is_wide {
            self.choose_of_all(person, free, best);
        } else if next < self.outlooks[person].rest {
            self.look(person, values);
            self.choose(person, free, best);
        }
        let rest = if is_wide {
            0
        } else {
            self.outlooks[person].rest
        };
        let next = best.get(free).map_or(rest, |(value, _)| *value);
        let wanted = free.min(best.len());
        for (value, near) in best.iter().take(wanted) {
            // the pair at hand is worth this much more than what comes after
            let amount = self.prices[near.need as usize] + (value - next) + self.step;
            self.place(amount, person, *near);
        }
        wanted
    }

    /// As [`Self::choose`], of all pairs.
    fn choose_of_all(&self, person: usize, k: usize, best: &mut Vec<(i64, Near)>) {
        best.clear();
        best.extend(self.round.of(person).filter_map(|pair| {
            let Pair { need, weight } = self.round.pairs[pair];
            let (value, pair) = (self.value(need, weight), pair as u32);
            let near = Near { pair, need, weight };
            (value > 0 && !self.held_by(person).contains(&pair)).then_some((value, near))
        }));
        best.sort_unstable_by_key(|(value, near)| (std::cmp::Reverse(*value), near.pair));
        best.truncate(k + 1);
    }

    /// A bid takes a free seat, or that of the lowest bid.
    fn place(&mut self, amount: i64, person: usize, near: Near) {
        let need = near.need as usize;
        let heap = &mut self.bids[self.starts[need]..self.starts[need + 1]];
        let bid = Bid {
            amount,
            person: person as u32,
            pair: near.pair,
        };
        let taken = self.taken[need] as usize;
        if taken < heap.len() {
            heap[taken] = bid;
            rise(heap, taken);
            self.taken[need] += 1;
        } else {
            let lost = std::mem::replace(&mut heap[0], bid);
            sink(heap);
            self.swap(lost.person as usize, lost.pair, NONE);
            self.wait(lost.person as usize);
        }
        if self.taken[need] as usize == self.starts[need + 1] - self.starts[need] {
            self.prices[need] = self.bids[self.starts[need]].amount;
        }
        self.swap(person, NONE, near.pair);
    }

    /// Puts a pair in the place of another among those a person holds.
    fn swap(&mut self, person: usize, old: u32, new: u32) {
        let held = &mut self.held[self.holds[person]..self.holds[person + 1]];
        if let Some(place) = held.iter_mut().find(|pair| **pair == old) {
            *place = new;
        }
    }

    fn wait(&mut self, person: usize) {
        if !std::mem::replace(&mut self.is_waiting[person], true) {
            self.waiting.push_back(person as u32);
        }
    }

    /// Needs that have a price and seats left, which prices of a bound must not have.
    fn unwanted(&self) -> impl Iterator<Item = usize> + '_ {
        let needs = 0..self.prices.len();
        needs.filter(|need| self.prices[*need] > 0 && self.taken[*need] < self.round.seats[*need])
    }

    /// What was assigned, and what the prices prove.
    fn plan(&self) -> Plan {
        let round = self.round;
        let mut chosen: Vec<_> = self.held.iter().filter(|pair| **pair != NONE).collect();
        chosen.sort_unstable();
        let chosen: Vec<_> = chosen.into_iter().map(|pair| *pair as usize).collect();
        let weight = |pair: &usize| i64::from(round.pairs[*pair].weight);
        let total = chosen.iter().map(weight).sum();
        let unit = self.scale as f64;
        let worth = |(price, seats): (&i64, &u32)| i128::from(*price) * i128::from(*seats);
        let mut bound: i128 = self.prices.iter().zip(&round.seats).map(worth).sum();
        let mut people = Vec::with_capacity(round.places.len());
        let mut values = Vec::new();
        for (person, places) in round.places.iter().enumerate() {
            // at given prices the bound is least where a place is worth the best it does not hold
            values.clear();
            values.extend(round.of(person).filter_map(|pair| {
                let Pair { need, weight } = round.pairs[pair];
                let value = self.value(need, weight);
                (value > 0).then_some(value)
            }));
            values.sort_unstable_by(|a, b| b.cmp(a));
            let places = *places as usize;
            let worth = values.get(places).copied().unwrap_or(0);
            bound += values
                .iter()
                .take(places)
                .map(|v| i128::from(*v))
                .sum::<i128>();
            people.push(worth as f64 / unit);
        }
        Plan {
            chosen,
            total,
            upper_bound: bound as f64 / unit,
            people,
            needs: self
                .prices
                .iter()
                .map(|price| *price as f64 / unit)
                .collect(),
        }
    }
}

fn rise(heap: &mut [Bid], mut at: usize) {
    while at > 0 && heap[(at - 1) / 2].amount > heap[at].amount {
        heap.swap(at, (at - 1) / 2);
        at = (at - 1) / 2;
    }
}

fn sink(heap: &mut [Bid]) {
    let mut at = 0;
    loop {
        let mut child = 2 * at + 1;
        if child >= heap.len() {
            return;
        }
        if child + 1 < heap.len() && heap[child + 1].amount < heap[child].amount {
            child += 1;
        }
        if heap[child].amount >= heap[at].amount {
            return;
        }
        heap.swap(at, child);
        at = child;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn round(places: Vec<u32>, seats: Vec<u32>, weights: &[Vec<Option<i32>>]) -> Round {
        let (mut pairs, mut offsets) = (Vec::new(), vec![0]);
        for person in weights {
            for (need, weight) in person.iter().enumerate() {
                let need = need as u32;
                pairs.extend(weight.map(|weight| Pair { need, weight }));
            }
            offsets.push(pairs.len());
        }
        Round {
            places,
            seats,
            offsets,
            pairs,
        }
    }

    /// People, needs, and few different weights among many, so that there are ties.
    fn rounds() -> impl Strategy<Value = Round> {
        (1usize..12, 1usize..6).prop_flat_map(|(people, needs)| {
            let weight = prop_oneof![
                Just(None),
                (1..4i32).prop_map(|n| Some(n * 20_000_000)),
                (1..100_000_000i32).prop_map(Some),
            ];
            let weights = prop::collection::vec(prop::collection::vec(weight, needs), people);
            let places = prop::collection::vec(0u32..4, people);
            let seats = prop::collection::vec(0u32..5, needs);
            (places, seats, weights)
                .prop_map(|(places, seats, weights)| round(places, seats, &weights))
        })
    }

    /// The plan keeps to the round.
    fn is_feasible(round: &Round, plan: &Plan) -> bool {
        let mut seats = round.seats.clone();
        let mut total = 0;
        for (person, places) in round.places.iter().enumerate() {
            let own = round.of(person);
            let chosen: Vec<_> = plan
                .chosen
                .iter()
                .filter(|pair| own.contains(*pair))
                .collect();
            if chosen.len() > *places as usize {
                return false;
            }
            for pair in chosen {
                let Pair { need, weight } = round.pairs[*pair];
                let Some(left) = seats[need as usize].checked_sub(1) else {
                    return false;
                };
                seats[need as usize] = left;
                total += i64::from(weight);
            }
        }
        let is_once = plan.chosen.is_sorted_by(|a, b| a < b);
        is_once && total == plan.total
    }

    /// The bound as anybody computes it.
    fn bound(round: &Round, plan: &Plan) -> f64 {
        let people = round.places.iter().zip(&plan.people);
        let needs = round.seats.iter().zip(&plan.needs);
        let mut bound: f64 = people
            .chain(needs)
            .map(|(n, worth)| f64::from(*n) * worth)
            .sum();
        for person in 0..round.places.len() {
            for pair in &round.pairs[round.of(person)] {
                let paid = plan.people[person] + plan.needs[pair.need as usize];
                bound += (f64::from(pair.weight) - paid).max(0.0);
            }
        }
        bound
    }

    /// The greatest total, by trying everything.
    fn best(round: &Round, person: usize, seats: &mut Vec<u32>) -> i64 {
        fn choose(
            round: &Round,
            person: usize,
            pair: usize,
            left: u32,
            seats: &mut Vec<u32>,
        ) -> i64 {
            if left == 0 || pair == round.offsets[person + 1] {
                return best(round, person + 1, seats);
            }
            let without = choose(round, person, pair + 1, left, seats);
            let Pair { need, weight } = round.pairs[pair];
            if seats[need as usize] == 0 {
                return without;
            }
            seats[need as usize] -= 1;
            let with = i64::from(weight) + choose(round, person, pair + 1, left - 1, seats);
            seats[need as usize] += 1;
            with.max(without)
        }
        if person == round.places.len() {
            return 0;
        }
        choose(
            round,
            person,
            round.offsets[person],
            round.places[person],
            seats,
        )
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn every_plan_is_an_optimum_and_proves_it(round in rounds()) {
            let plan = round.solve();
            prop_assert!(is_feasible(&round, &plan));
            prop_assert!(plan.people.iter().chain(&plan.needs).all(|worth| *worth >= 0.0));
            prop_assert!((bound(&round, &plan) - plan.upper_bound).abs() < 1e-3);
            prop_assert!(plan.upper_bound < plan.total as f64 + 1.0, "{} < {}", plan.total, plan.upper_bound);
            let greedy = round.greedy();
            prop_assert!(is_feasible(&round, &greedy));
            prop_assert!(greedy.total <= plan.total);
        }

        #[test]
        fn no_assignment_is_better(round in rounds().prop_filter("small", |round| round.pairs.len() <= 16)) {
            let most = best(&round, 0, &mut round.seats.clone());
            prop_assert_eq!(round.solve().total, most);
        }
    }

    /// Steps of the least size would climb for hours where everybody is worth the same everywhere.
    #[test]
    fn ties_end() {
        let weights = vec![vec![Some(80_000_000); 20]; 600];
        let round = round(vec![2; 600], vec![30; 20], &weights);
        let plan = round.solve();
        assert_eq!(plan.chosen.len(), 600);
        assert!(plan.gap() < 1e-9, "{}", plan.gap());
    }

    #[test]
    fn nobody_and_nothing() {
        for round in [
            Round {
                offsets: vec![0],
                ..Round::default()
            },
            round(vec![1, 1], vec![1], &[vec![None], vec![None]]),
            round(vec![0], vec![0], &[vec![Some(5)]]),
        ] {
            let plan = round.solve();
            assert_eq!((plan.chosen.len(), plan.total), (0, 0));
            assert!(plan.upper_bound.abs() < f64::EPSILON);
            assert!(plan.gap().abs() < f64::EPSILON);
        }
    }
}
