//! From people and needs to the solver's numbers and back. In memory, without I/O.
//!
//! Pairs are looked for by the engine in both directions: the best needs of each person and the best
//! people of each need, so that nobody and nothing is without those it fits best; what a lock, a
//! filter or the database forbids is no pair. A pair weighs its score in millionths. What is kept by
//! hand is taken out first, with the places it fills.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use super::model::{LockKind, NeedReason, PersonReason};
use super::rules::{collision, most_frequent, readable};
use super::solver::{Pair, Plan, Round};
use crate::error::Code;
use crate::identity::AccountId;
use crate::matching::model::{Need, NeedId, NeedKind, Person};
use crate::matching::score::{self, FILTERS, Side};
use crate::matching::store::Bar;
use crate::matching::world::{Hit, Register, Terms, Wanting, World};
use crate::platform::clock::Instant;

/// Units of weight in a point of the score.
pub const UNITS: f64 = 1_000_000.0;
/// How many codes say why nothing fits.
const CODES: usize = 3;

/// Who may not take what, as only the database knows.
#[derive(Debug, Default)]
pub struct Bars(HashMap<AccountId, Vec<(NeedId, bool, Code)>>);

impl Bars {
    /// Adds what was found about needs of one kind.
    pub fn add(&mut self, kind: NeedKind, found: Vec<Bar>) {
        for bar in found {
            let need = NeedId {
                id: bar.need.unwrap_or_default(),
                kind,
            };
            let of = self.0.entry(bar.person).or_default();
            of.push((need, bar.need.is_none(), bar.code));
        }
    }

    /// Why this person may not take this need.
    pub fn code(&self, person: AccountId, need: NeedId) -> Option<Code> {
        let of = self.0.get(&person)?;
        let stands_against = |(of, is_of_kind, _): &&(NeedId, bool, Code)| {
            *of == need || (*is_of_kind && of.kind == need.kind)
        };
        of.iter().find(stands_against).map(|(_, _, code)| *code)
    }
}

/// A pair that stood in the plan before.
#[derive(Clone, Debug)]
pub struct Former {
    pub title: String,
    pub score: f64,
    pub factors: [f64; 5],
}

/// Pairs by person and need.
pub type Formers = BTreeMap<(AccountId, NeedId), Former>;

/// A lock that is looked at.
#[derive(Clone, Copy, Debug)]
pub struct Held {
    pub kind: LockKind,
    pub person: Option<AccountId>,
    pub need: Option<NeedId>,
}

/// Everything that a plan is made of.
pub struct Material {
    pub people: Vec<Arc<Person>>,
    pub needs: Vec<Arc<Need>>,
    pub bars: Bars,
    pub locks: Vec<Held>,
    pub former: Formers,
    /// How much each person may take, and what some of them have already.
    pub places: u32,
    pub busy: HashMap<AccountId, u32>,
    /// Places of needs that are spoken for.
    pub reserved: HashMap<NeedId, u32>,
    /// Pairs that were sent before: nobody is asked twice.
    pub sent: HashSet<(AccountId, NeedId)>,
    /// Those of them that wait for an answer.
    pub open: HashSet<(AccountId, NeedId)>,
    pub terms: Terms,
    pub candidates_per_person: usize,
    pub candidates_per_need: usize,
}

/// A person of the plan.
pub struct PlannedPerson {
    pub id: AccountId,
    pub places: u32,
    pub assigned: u32,
    pub candidates: usize,
    pub reason: Option<PersonReason>,
    pub codes: Vec<Code>,
}

/// A need of the plan.
pub struct PlannedNeed {
    pub id: NeedId,
    pub title: String,
    pub places: u32,
    pub assigned: u32,
    pub candidates: usize,
    pub price: f64,
    pub reason: Option<NeedReason>,
    pub codes: Vec<Code>,
}

/// A pair of the plan, of the greedy one or of the one before.
pub struct PlannedPair {
    pub person: AccountId,
    pub need: NeedId,
    pub title: String,
    pub score: f64,
    pub factors: [f64; 5],
    pub in_plan: bool,
    pub in_greedy: bool,
    pub in_former: bool,
    pub is_kept: bool,
}

/// A plan, and all there is to say of it.
pub struct Outcome {
    pub people: Vec<PlannedPerson>,
    pub needs: Vec<PlannedNeed>,
    pub pairs: Vec<PlannedPair>,
    /// What was solved, without what is kept.
    pub problem: Round,
    /// The solver's plan of that.
    pub solved: Plan,
    /// Pairs kept by hand, and the sum of their weights.
    pub kept: (usize, i64),
    /// Pairs in the greedy plan with those kept, and the sum of their weights.
    pub greedy: (usize, i64),
    /// Seconds to solve.
    pub seconds: f64,
    /// Locks that could not be kept, by their place, and why.
    pub dropped: Vec<(usize, Code)>,
}

/// A pair's score in whole millionths; more than 0, so that a place is better than none.
fn weight(score: f64) -> i32 {
    ((score * UNITS).round() as i32).max(1)
}

/// What is looked up again and again.
struct Desk<'a> {
    material: &'a Material,
    forbidden: HashSet<(AccountId, NeedId)>,
    /// What people are asked for already, or are to be by hand.
    held: HashMap<AccountId, Vec<&'a Need>>,
}

impl<'a> Desk<'a> {
    fn may(&self, person: AccountId, need: &Need) -> bool {
        let pair = (person, need.id);
        !self.forbidden.contains(&pair)
            && !self.material.sent.contains(&pair)
            && self.material.bars.code(person, need.id).is_none()
            && self.collision(person, need).is_none()
    }

    fn hold(&mut self, person: AccountId, need: &'a Need) {
        self.held.entry(person).or_default().push(need);
    }

    /// Why a need cannot be taken on beside what is held.
    fn collision(&self, person: AccountId, need: &Need) -> Option<Code> {
        let held = self.held.get(&person)?;
        let today = self.material.terms.today;
        held.iter().find_map(|held| collision(held, need, today))
    }

    fn rate(&self, person: &Person, need: &Need) -> ([f64; 5], f64) {
        let factors = score::factors(person, need, Side::People);
        (
            factors,
            score::score(&factors, &self.material.terms.weights),
        )
    }

    /// Every code that stands between a person and a need.
    fn against(&self, person: &Person, need: &Need) -> impl Iterator<Item = Code> {
        let today = self.material.terms.today;
        let filters = FILTERS
            .iter()
            .filter_map(|filter| score::refusal(*filter, person, need, today));
        let bar = self.material.bars.code(person.id, need.id);
        let beside = self.collision(person.id, need);
        let pair = (person.id, need.id);
        let by_hand = self
            .forbidden
            .contains(&pair)
            .then_some(Code::LeftOutByHand);
        let sent = self
            .material
            .sent
            .contains(&pair)
            .then_some(Code::InRoundAlready);
        let all: Vec<_> = filters
            .chain(bar)
            .chain(beside)
            .chain(by_hand)
            .chain(sent)
            .map(readable)
            .collect();
        all.into_iter()
    }
}

/// The best `k` of what `found` gives that remain after `may`, however many it takes to look at.
fn best<T>(
    k: usize,
    mut found: impl FnMut(usize) -> Vec<Hit<T>>,
    may: impl Fn(&T) -> bool,
) -> Vec<Hit<T>> {
    let mut asked = k;
    loop {
        let mut hits = found(asked);
        let were_all = hits.len() < asked;
        hits.retain(|hit| may(&hit.what));
        if hits.len() >= k || were_all {
            hits.truncate(k);
            return hits;
        }
        asked = asked.saturating_mul(4);
    }
}

/// Makes the plan. `now` measures how long it takes to solve.
pub fn plan(material: &Material, now: impl Fn() -> Instant) -> Outcome {
    let of_kind = |kind| material.locks.iter().filter(move |lock| lock.kind == kind);
    let pair_of = |lock: &Held| lock.person.zip(lock.need);
    let mut desk = Desk {
        material,
        forbidden: of_kind(LockKind::Forbid).filter_map(pair_of).collect(),
        held: HashMap::new(),
    };
    let out_people: HashSet<_> = of_kind(LockKind::LeaveOutPerson)
        .filter_map(|lock| lock.person)
        .collect();
    let out_needs: HashSet<_> = of_kind(LockKind::LeaveOutNeed)
        .filter_map(|lock| lock.need)
        .collect();
    let person_at: HashMap<_, _> = (0u32..)
        .zip(&material.people)
        .map(|(n, p)| (p.id, n))
        .collect();
    let need_at: HashMap<_, _> = (0u32..)
        .zip(&material.needs)
        .map(|(n, d)| (d.id, n))
        .collect();
    for (person, need) in &material.open {
        if let Some(j) = need_at.get(need) {
            desk.hold(*person, &material.needs[*j as usize]);
        }
    }
    let mut places = vec![material.places; material.people.len()];
    for (left, person) in places.iter_mut().zip(&material.people) {
        let busy = material.busy.get(&person.id).copied().unwrap_or(0);
        *left = match out_people.contains(&person.id) {
            true => 0,
            false => left.saturating_sub(busy),
        };
    }
    let mut seats: Vec<u32> = material
        .needs
        .iter()
        .map(|need| match out_needs.contains(&need.id) {
            true => 0,
            false => {
                let reserved = material.reserved.get(&need.id).copied().unwrap_or(0);
                need.places
                    .saturating_sub(need.filled)
                    .saturating_sub(reserved)
            }
        })
        .collect();
    let (whole_places, whole_seats) = (places.clone(), seats.clone());

    // what is kept comes first
    let mut kept: BTreeSet<(u32, u32)> = BTreeSet::new();
    let mut dropped = Vec::new();
    for (n, lock) in material.locks.iter().enumerate() {
        let Some((person, need)) = pair_of(lock).filter(|_| lock.kind == LockKind::Keep) else {
            continue;
        };
        let found = person_at.get(&person).zip(need_at.get(&need));
        let Some((i, j)) = found.map(|(i, j)| (*i, *j)) else {
            dropped.push((n, Code::NotAvailable));
            continue;
        };
        if kept.contains(&(i, j)) {
            continue;
        }
        let (at, of) = (&material.people[i as usize], &material.needs[j as usize]);
        let against = desk.against(at, of).next();
        if let Some(code) = against {
            dropped.push((n, code));
        } else if places[i as usize] == 0 || seats[j as usize] == 0 {
            dropped.push((n, Code::CapacityFull));
        } else {
            kept.insert((i, j));
            desk.hold(person, of);
            places[i as usize] -= 1;
            seats[j as usize] -= 1;
        }
    }

    let candidates = candidates(&desk, &person_at, &need_at, (&places, &seats), &kept);
    let (mut offsets, mut pairs, mut scores) = (vec![0], Vec::new(), Vec::new());
    for (person, needs) in material.people.iter().zip(&candidates) {
        for need in needs {
            let (factors, score) = desk.rate(person, &material.needs[*need as usize]);
            pairs.push(Pair {
                need: *need,
                weight: weight(score),
            });
            scores.push((factors, score));
        }
        offsets.push(pairs.len());
    }
    let mut problem = Round {
        places,
        seats,
        offsets,
        pairs,
    };
    let began = now();
    let solved = loop {
        let solved = problem.solve();
        let colliding = colliding(material, &problem, &solved);
        if colliding.is_empty() {
            break solved;
        }
        // a pair that weighs nothing is none
        for pair in colliding {
            problem.pairs[pair].weight = 0;
        }
    };
    let seconds = (now() - began).as_seconds_f64();
    let greedy = problem.greedy();

    // back to people and needs
    let mut owner = Vec::with_capacity(problem.pairs.len());
    for (n, ends) in (0u32..).zip(problem.offsets.windows(2)) {
        owner.resize(ends[1], n);
    }
    let mut all: BTreeMap<(AccountId, NeedId), PlannedPair> = BTreeMap::new();
    let add = |all: &mut BTreeMap<_, _>, i: u32, j: u32, factors: [f64; 5], score: f64| {
        let (person, need) = (&material.people[i as usize], &material.needs[j as usize]);
        all.entry((person.id, need.id))
            .or_insert_with(|| PlannedPair {
                person: person.id,
                need: need.id,
                title: need.title.clone(),
                score,
                factors,
                in_plan: false,
                in_greedy: false,
                in_former: false,
                is_kept: false,
            });
        (person.id, need.id)
    };
    let (mut assigned, mut filled) = (whole_places.clone(), whole_seats.clone());
    assigned.fill(0);
    filled.fill(0);
    let mut kept_total = 0;
    for (i, j) in &kept {
        let (factors, score) =
            desk.rate(&material.people[*i as usize], &material.needs[*j as usize]);
        kept_total += i64::from(weight(score));
        let key = add(&mut all, *i, *j, factors, score);
        if let Some(pair) = all.get_mut(&key) {
            (pair.in_plan, pair.in_greedy, pair.is_kept) = (true, true, true);
        }
        assigned[*i as usize] += 1;
        filled[*j as usize] += 1;
    }
    for (chosen, is_greedy) in [(&solved.chosen, false), (&greedy.chosen, true)] {
        for n in chosen {
            let (i, j) = (owner[*n], problem.pairs[*n].need);
            let (factors, score) = scores[*n];
            let key = add(&mut all, i, j, factors, score);
            if let Some(pair) = all.get_mut(&key) {
                match is_greedy {
                    true => pair.in_greedy = true,
                    false => pair.in_plan = true,
                }
            }
            if !is_greedy {
                assigned[i as usize] += 1;
                filled[j as usize] += 1;
            }
        }
    }
    for (key, former) in &material.former {
        let pair = all.entry(*key).or_insert_with(|| PlannedPair {
            person: key.0,
            need: key.1,
            title: former.title.clone(),
            score: former.score,
            factors: former.factors,
            in_plan: false,
            in_greedy: false,
            in_former: false,
            is_kept: false,
        });
        pair.in_former = true;
    }

    let mut wanted = vec![0usize; material.needs.len()];
    let of_kept = kept.iter().map(|(_, need)| *need);
    for need in candidates.iter().flatten().copied().chain(of_kept) {
        wanted[need as usize] += 1;
    }
    let people = material.people.iter().enumerate().map(|(i, person)| {
        let of_kept = kept.range((i as u32, 0)..(i as u32 + 1, 0)).count();
        let count = candidates[i].len() + of_kept;
        let reason = match (assigned[i], count) {
            _ if out_people.contains(&person.id) => Some(PersonReason::LeftOut),
            (0, _) if whole_places[i] == 0 => Some(PersonReason::HasPlaces),
            (0, 0) => Some(PersonReason::NoEligibleNeed),
            (0, _) => Some(PersonReason::PlacesTaken),
            _ => None,
        };
        let codes = match reason {
            Some(PersonReason::NoEligibleNeed) => {
                let needs = material.needs.iter();
                let of = needs.filter(|need| !out_needs.contains(&need.id));
                tallied(of.flat_map(|need| desk.against(person, need)))
            }
            _ => Vec::new(),
        };
        PlannedPerson {
            id: person.id,
            places: whole_places[i],
            assigned: assigned[i],
            candidates: count,
            reason,
            codes,
        }
    });
    let people = people.collect();
    let needs = material.needs.iter().enumerate().map(|(j, need)| {
        let reason = match (filled[j] < whole_seats[j], wanted[j]) {
            _ if out_needs.contains(&need.id) => Some(NeedReason::LeftOut),
            (false, _) => None,
            (true, 0) => Some(NeedReason::NoCandidate),
            (true, _) => Some(NeedReason::CandidatesElsewhere),
        };
        let codes = match reason {
            Some(NeedReason::NoCandidate) => {
                let people = material.people.iter();
                let of = people.filter(|person| !out_people.contains(&person.id));
                tallied(of.flat_map(|person| desk.against(person, need)))
            }
            _ => Vec::new(),
        };
        PlannedNeed {
            id: need.id,
            title: need.title.clone(),
            places: whole_seats[j],
            assigned: filled[j],
            candidates: wanted[j],
            // a need without places costs more than anybody gives: that says nothing
            price: match problem.seats[j] {
                0 => 0.0,
                _ => solved.needs[j] / UNITS,
            },
            reason,
            codes,
        }
    });
    let needs = needs.collect();
    Outcome {
        people,
        needs,
        pairs: all.into_values().collect(),
        kept: (kept.len(), kept_total),
        greedy: (kept.len() + greedy.chosen.len(), kept_total + greedy.total),
        problem,
        solved,
        seconds,
        dropped,
    }
}

/// The pairs that are none any more, since their person cannot take them on beside a better pair of a
/// plan. The solver knows numbers of places alone; so it solves again without these, until there are
/// none: its certificate is that of the pairs that remain.
fn colliding(material: &Material, problem: &Round, solved: &Plan) -> Vec<usize> {
    let needs = |pair: usize| &material.needs[problem.pairs[pair].need as usize];
    let today = material.terms.today;
    let mut none_any_more = Vec::new();
    let mut chosen = solved.chosen.as_slice();
    for (places, ends) in problem.places.iter().zip(problem.offsets.windows(2)) {
        let (of_person, rest) = chosen.split_at(chosen.partition_point(|pair| *pair < ends[1]));
        chosen = rest;
        if *places < 2 || of_person.len() < 2 {
            continue;
        }
        let mut best_first = of_person.to_vec();
        best_first.sort_by_key(|pair| (Reverse(problem.pairs[*pair].weight), *pair));
        let mut stays: Vec<usize> = Vec::new();
        let mut is_any = false;
        for pair in best_first {
            let collides = |other: &usize| collision(needs(pair), needs(*other), today).is_some();
            match stays.iter().any(collides) {
                true => is_any = true,
                false => stays.push(pair),
            }
        }
        if is_any {
            let collides = |pair: usize| {
                let with = |other: &usize| collision(needs(pair), needs(*other), today).is_some();
                !stays.contains(&pair) && stays.iter().any(with)
            };
            let living = |pair: &usize| problem.pairs[*pair].weight > 0;
            none_any_more.extend(
                (ends[0]..ends[1])
                    .filter(living)
                    .filter(|pair| collides(*pair)),
            );
        }
    }
    none_any_more
}

/// The numbers of the needs that each person may be given, ascending.
fn candidates(
    desk: &Desk<'_>,
    person_at: &HashMap<AccountId, u32>,
    need_at: &HashMap<NeedId, u32>,
    (places, seats): (&[u32], &[u32]),
    kept: &BTreeSet<(u32, u32)>,
) -> Vec<Vec<u32>> {
    let material = desk.material;
    let placed = material.people.iter().zip(places).filter(|(_, n)| **n > 0);
    let open = material.needs.iter().zip(seats).filter(|(_, n)| **n > 0);
    let placed: Vec<_> = placed.map(|(person, _)| Arc::clone(person)).collect();
    let open: Vec<_> = open.map(|(need, _)| Arc::clone(need)).collect();
    let world: World = Register::of(
        placed.iter().map(|person| (**person).clone()).collect(),
        open.iter().map(|need| (**need).clone()).collect(),
    )
    .world();
    let mut found = vec![BTreeSet::new(); material.people.len()];
    let mut add = |person: AccountId, need: NeedId| {
        if let Some((i, j)) = person_at.get(&person).zip(need_at.get(&need))
            && !kept.contains(&(*i, *j))
        {
            found[*i as usize].insert(*j);
        }
    };
    let (wanting, terms) = (Wanting::default(), &material.terms);
    for person in &placed {
        let hits = best(
            material.candidates_per_person,
            |k| world.needs_for(person, &wanting, terms, k),
            |need| desk.may(person.id, need),
        );
        hits.iter().for_each(|hit| add(person.id, hit.what.id));
    }
    for need in &open {
        let hits = best(
            material.candidates_per_need,
            |k| world.people_for(need, terms, k),
            |person| desk.may(person.id, need),
        );
        hits.iter().for_each(|hit| add(hit.what.id, need.id));
    }
    let needs = found.into_iter();
    needs.map(|needs| needs.into_iter().collect()).collect()
}

fn tallied(codes: impl Iterator<Item = Code>) -> Vec<Code> {
    let mut counts: HashMap<Code, usize> = HashMap::new();
    codes.for_each(|code| *counts.entry(code).or_default() += 1);
    most_frequent(counts, CODES)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matching::samples::{self, TODAY};
    use crate::matching::{Hours, Span};
    use proptest::prelude::*;

    fn material(people: usize, needs: usize, seats: &[u32], skilled: &[bool]) -> Material {
        let person = |n: usize| {
            let mut person = samples::person(1 + n as u128);
            person.commitments = n as u32 % 5;
            if skilled[n % skilled.len()] {
                samples::learn(&mut person, "health.first_aid", 2);
            }
            Arc::new(person)
        };
        let need = |n: usize| {
            let mut need = samples::need(1_000 + n as u128);
            need.places = seats[n % seats.len()];
            if n % 2 == 1 {
                need.required.push(("health.first_aid".to_owned(), 1));
            }
            Arc::new(need)
        };
        Material {
            people: (0..people).map(person).collect(),
            needs: (0..needs).map(need).collect(),
            bars: Bars::default(),
            locks: Vec::new(),
            former: BTreeMap::new(),
            places: 1,
            busy: HashMap::new(),
            reserved: HashMap::new(),
            sent: HashSet::new(),
            open: HashSet::new(),
            terms: Terms {
                weights: samples::weights(),
                today: TODAY,
            },
            candidates_per_person: 50,
            candidates_per_need: 50,
        }
    }

    fn held(kind: LockKind, person: Option<AccountId>, need: Option<NeedId>) -> Held {
        Held { kind, person, need }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        /// However the locks are set, the plan keeps to capacities, filters, bars and locks, its total
        /// is the sum of the scores, it is no worse than the greedy one, and who and what is left has
        /// a reason.
        #[test]
        fn every_plan_keeps_to_its_terms(
            people in 1usize..14, needs in 1usize..7, places in 1u32..4,
            seats in prop::collection::vec(0u32..4, 1..4),
            skilled in prop::collection::vec(any::<bool>(), 1..5),
            locks in prop::collection::vec((0usize..4, 0usize..14, 0usize..7), 0..8),
            barred in prop::collection::vec((0usize..14, 0usize..7, any::<bool>()), 0..6),
            together in prop::collection::vec((0u8..4, 1i32..4), 1..7),
        ) {
            let mut m = material(people, needs, &seats, &skilled);
            m.places = places;
            for person in &mut m.people {
                let days = (1..=7).map(|day| Span::of_weekday(day, 0, 1_440));
                Arc::make_mut(person).free = Hours::weekly(days);
            }
            for (n, need) in m.needs.iter_mut().enumerate() {
                let need = Arc::make_mut(need);
                // some of one project, some at the same hours, some of neither
                need.id.kind = NeedKind::ProjectRole;
                need.project = Some(uuid::Uuid::from_u128(together[n % together.len()].0.into()));
                let day = together[n % together.len()].1;
                need.hours = Hours::weekly([Span::of_weekday(day, 540, 660)]);
                need.first_day = Some(TODAY);
            }
            for (kind, i, j) in locks {
                let (person, need) = (m.people[i % people].id, m.needs[j % needs].id);
                m.locks.push(match kind {
                    0 => held(LockKind::Keep, Some(person), Some(need)),
                    1 => held(LockKind::Forbid, Some(person), Some(need)),
                    2 => held(LockKind::LeaveOutPerson, Some(person), None),
                    _ => held(LockKind::LeaveOutNeed, None, Some(need)),
                });
            }
            for (i, j, is_of_kind) in barred {
                let need = (!is_of_kind).then_some(m.needs[j % needs].id.id);
                let bar = Bar { person: m.people[i % people].id, need, code: Code::TimeConflict };
                m.bars.add(NeedKind::ProjectRole, vec![bar]);
            }
            let out = plan(&m, Instant::default);
            let chosen: Vec<_> = out.pairs.iter().filter(|pair| pair.in_plan).collect();
            let total: i64 = chosen.iter().map(|pair| i64::from(weight(pair.score))).sum();
            prop_assert_eq!(total, out.solved.total + out.kept.1);
            prop_assert!(out.greedy.1 <= total);
            let greedy: i64 = out.pairs.iter().filter(|p| p.in_greedy).map(|p| i64::from(weight(p.score))).sum();
            prop_assert_eq!(greedy, out.greedy.1);
            for person in &out.people {
                let of = chosen.iter().filter(|pair| pair.person == person.id).count();
                prop_assert!(of as u32 == person.assigned && person.assigned <= person.places);
                prop_assert_eq!(person.reason.is_some(), of == 0);
            }
            for need in &out.needs {
                let of = chosen.iter().filter(|pair| pair.need == need.id).count();
                prop_assert!(of as u32 == need.assigned && need.assigned <= need.places);
                let is_out = need.reason == Some(NeedReason::LeftOut);
                prop_assert_eq!(need.reason.is_some(), is_out || need.assigned < need.places);
            }
            for (n, pair) in chosen.iter().enumerate() {
                let need_of = |pair: &PlannedPair| m.needs.iter().find(|need| need.id == pair.need).unwrap();
                for other in &chosen[n + 1..] {
                    let apart = pair.person != other.person
                        || collision(need_of(pair), need_of(other), TODAY).is_none();
                    prop_assert!(apart, "two that collide");
                }
                let person = m.people.iter().find(|person| person.id == pair.person).unwrap();
                let need = m.needs.iter().find(|need| need.id == pair.need).unwrap();
                prop_assert!(score::is_eligible(person, need, TODAY));
                prop_assert!(m.bars.code(pair.person, pair.need).is_none());
                for lock in &m.locks {
                    let is_hit = match lock.kind {
                        LockKind::Keep => false,
                        LockKind::Forbid => lock.person == Some(pair.person) && lock.need == Some(pair.need),
                        LockKind::LeaveOutPerson => lock.person == Some(pair.person),
                        LockKind::LeaveOutNeed => lock.need == Some(pair.need),
                    };
                    prop_assert!(!is_hit, "{lock:?}");
                }
            }
            for (n, lock) in m.locks.iter().enumerate() {
                if lock.kind == LockKind::Keep {
                    let is_in = chosen.iter().any(|pair| Some(pair.person) == lock.person && Some(pair.need) == lock.need);
                    let is_dropped = out.dropped.iter().any(|(at, _)| *at == n);
                    prop_assert!(is_in != is_dropped, "{lock:?}");
                }
            }
        }
    }

    /// The round that started it: six hundred people, twenty needs.
    #[test]
    fn six_hundred_people_are_planned_to_the_optimum() {
        let mut m = material(600, 20, &[20, 30, 25], &[true, false, true]);
        for (n, person) in m.people.iter_mut().enumerate() {
            let place = &mut Arc::make_mut(person).places[0];
            place.spot.longitude += 0.00013 * ((n * 7) % 300) as f64;
        }
        for (n, need) in m.needs.iter_mut().enumerate() {
            let need = Arc::make_mut(need);
            if let crate::matching::Whereabouts::At(site, _) = &mut need.whereabouts {
                site.spot.longitude += 0.002 * n as f64;
            }
        }
        let out = plan(&m, Instant::default);
        let seats: usize = m.needs.iter().map(|need| need.places as usize).sum();
        assert_eq!(out.solved.chosen.len(), seats);
        assert!(out.greedy.1 <= out.solved.total);
        assert!(out.solved.gap() < 1e-9, "{}", out.solved.gap());
        assert_eq!(out.people.iter().filter(|p| p.assigned > 0).count(), seats);
    }

    #[test]
    fn a_plan_says_what_changed_since_the_one_before() {
        let mut m = material(2, 1, &[1], &[true]);
        let before = plan(&m, Instant::default);
        let chosen = before.pairs.iter().find(|pair| pair.in_plan).unwrap();
        let former = Former {
            title: chosen.title.clone(),
            score: chosen.score,
            factors: chosen.factors,
        };
        m.former.insert((chosen.person, chosen.need), former);
        m.locks
            .push(held(LockKind::LeaveOutPerson, Some(chosen.person), None));
        let after = plan(&m, Instant::default);
        let changes: Vec<_> = after
            .pairs
            .iter()
            .map(|p| (p.in_plan, p.in_former))
            .collect();
        assert!(
            changes.contains(&(true, false)) && changes.contains(&(false, true)),
            "{changes:?}"
        );
    }
}
