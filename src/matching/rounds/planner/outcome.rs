//! What came out, back from the solver's numbers to people and needs.

use std::collections::{BTreeMap, HashMap};

use super::desk::{Desk, Numbers};
use super::{UNITS, weight};
use crate::error::Code;
use crate::identity::AccountId;
use crate::matching::model::NeedId;
use crate::matching::rounds::model::{NeedReason, PersonReason};
use crate::matching::rounds::rules::most_frequent;
use crate::matching::rounds::solver::{Plan, Round};

/// How many codes say why nothing fits.
const CODES: usize = 3;

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

/// All pairs there is something to say of, and how much of it each person and each need has.
pub struct Pairs {
    all: BTreeMap<(AccountId, NeedId), PlannedPair>,
    assigned: Vec<u32>,
    filled: Vec<u32>,
    /// The sum of the weights of what is kept.
    pub kept_total: i64,
}

impl Pairs {
    /// Those of a plan and of the greedy one, with what is kept in both, and those of the plan before.
    pub fn of(desk: &Desk<'_>, problem: &Round, solved: &Plan, greedy: &Plan) -> Self {
        let material = desk.material;
        let mut pairs = Self {
            all: BTreeMap::new(),
            assigned: vec![0; material.people.len()],
            filled: vec![0; material.needs.len()],
            kept_total: 0,
        };
        for numbers in &desk.kept {
            let pair = pairs.add(desk, *numbers);
            (pair.in_plan, pair.in_greedy, pair.is_kept) = (true, true, true);
            let weighs = i64::from(weight(pair.score));
            pairs.kept_total += weighs;
            pairs.count(*numbers);
        }
        let mut owner = Vec::with_capacity(problem.pairs.len());
        for (n, ends) in (0u32..).zip(problem.offsets.windows(2)) {
            owner.resize(ends[1], n);
        }
        let numbers = |n: usize| (owner[n], problem.pairs[n].need);
        for n in &solved.chosen {
            pairs.add(desk, numbers(*n)).in_plan = true;
            pairs.count(numbers(*n));
        }
        for n in &greedy.chosen {
            pairs.add(desk, numbers(*n)).in_greedy = true;
        }
        for (key, former) in &material.former {
            let pair = pairs.all.entry(*key).or_insert_with(|| PlannedPair {
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
        pairs
    }

    fn add(&mut self, desk: &Desk<'_>, (i, j): Numbers) -> &mut PlannedPair {
        let person = &desk.material.people[i as usize];
        let need = &desk.material.needs[j as usize];
        self.all.entry((person.id, need.id)).or_insert_with(|| {
            let (factors, score) = desk.rate((i, j));
            PlannedPair {
                person: person.id,
                need: need.id,
                title: need.title.clone(),
                score,
                factors,
                in_plan: false,
                in_greedy: false,
                in_former: false,
                is_kept: false,
            }
        })
    }

    fn count(&mut self, (i, j): Numbers) {
        self.assigned[i as usize] += 1;
        self.filled[j as usize] += 1;
    }

    /// The people, who could take so much and so many needs, and why those have nothing who have nothing.
    pub fn people(
        &self,
        desk: &Desk<'_>,
        places: &[u32],
        candidates: &[Vec<u32>],
    ) -> Vec<PlannedPerson> {
        let people = desk.material.people.iter().enumerate();
        let planned = people.map(|(i, person)| {
            let of_kept = desk.kept.range((i as u32, 0)..(i as u32 + 1, 0)).count();
            let count = candidates[i].len() + of_kept;
            let reason = match (self.assigned[i], count) {
                _ if desk.out_people.contains(&person.id) => Some(PersonReason::LeftOut),
                (0, _) if places[i] == 0 => Some(PersonReason::HasPlaces),
                (0, 0) => Some(PersonReason::NoEligibleNeed),
                (0, _) => Some(PersonReason::PlacesTaken),
                _ => None,
            };
            let codes = match reason {
                Some(PersonReason::NoEligibleNeed) => {
                    let needs = desk.material.needs.iter();
                    let of = needs.filter(|need| !desk.out_needs.contains(&need.id));
                    tallied(of.flat_map(|need| desk.against(person, need)))
                }
                _ => Vec::new(),
            };
            PlannedPerson {
                id: person.id,
                places: places[i],
                assigned: self.assigned[i],
                candidates: count,
                reason,
                codes,
            }
        });
        planned.collect()
    }

    /// The needs with so many seats, and why those have some left that have. `free` are the seats that the
    /// solver gave, and `prices` what one more of each would be worth to it.
    pub fn needs(
        &self,
        desk: &Desk<'_>,
        seats: &[u32],
        candidates: &[Vec<u32>],
        (free, prices): (&[u32], &[f64]),
    ) -> Vec<PlannedNeed> {
        let mut wanted = vec![0usize; desk.material.needs.len()];
        let of_kept = desk.kept.iter().map(|(_, need)| *need);
        for need in candidates.iter().flatten().copied().chain(of_kept) {
            wanted[need as usize] += 1;
        }
        let needs = desk.material.needs.iter().enumerate();
        let planned = needs.map(|(j, need)| {
            let reason = match (self.filled[j] < seats[j], wanted[j]) {
                _ if desk.out_needs.contains(&need.id) => Some(NeedReason::LeftOut),
                (false, _) => None,
                (true, 0) => Some(NeedReason::NoCandidate),
                (true, _) => Some(NeedReason::CandidatesElsewhere),
            };
            let codes = match reason {
                Some(NeedReason::NoCandidate) => {
                    let people = desk.material.people.iter();
                    let of = people.filter(|person| !desk.out_people.contains(&person.id));
                    tallied(of.flat_map(|person| desk.against(person, need)))
                }
                _ => Vec::new(),
            };
            PlannedNeed {
                id: need.id,
                title: need.title.clone(),
                places: seats[j],
                assigned: self.filled[j],
                candidates: wanted[j],
                // a need without places costs more than anybody gives: that says nothing
                price: match free[j] {
                    0 => 0.0,
                    _ => prices[j] / UNITS,
                },
                reason,
                codes,
            }
        });
        planned.collect()
    }

    /// The pairs, by person and need.
    pub fn into_values(self) -> Vec<PlannedPair> {
        self.all.into_values().collect()
    }
}

fn tallied(codes: impl Iterator<Item = Code>) -> Vec<Code> {
    let mut counts: HashMap<Code, usize> = HashMap::new();
    codes.for_each(|code| *counts.entry(code).or_default() += 1);
    most_frequent(counts, CODES)
}
