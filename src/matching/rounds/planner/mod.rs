//! From people and needs to the solver's numbers and back. In memory, without I/O.
//!
//! Pairs are looked for by the engine in both directions: the best needs of each person and the best
//! people of each need, so that nobody and nothing is without those it fits best; what a lock, a
//! filter or the database forbids is no pair. A pair weighs its score in millionths. What is kept by
//! hand is taken out first, with the places it fills.

mod desk;
mod material;
mod outcome;

use std::cmp::Reverse;

use desk::Desk;
pub use material::{Bars, Former, Formers, Held, Material};
pub use outcome::Outcome;
use outcome::Pairs;

use super::rules::collision;
use super::solver::{Pair, Plan, Round};
use crate::platform::clock::Instant;

/// Units of weight in a point of the score.
pub const UNITS: f64 = 1_000_000.0;

/// A pair's score in whole millionths; more than 0, so that a place is better than none.
fn weight(score: f64) -> i32 {
    ((score * UNITS).round() as i32).max(1)
}

/// Makes the plan. `now` measures how long it takes to solve.
pub fn plan(material: &Material, now: impl Fn() -> Instant) -> Outcome {
    let mut desk = Desk::of(material);
    let (places, seats) = (desk.places.clone(), desk.seats.clone());
    let dropped = desk.keep();
    let candidates = desk.candidates();
    let mut problem = problem(&desk, &candidates);
    let began = now();
    let solved = solve(material, &mut problem);
    let seconds = (now() - began).as_seconds_f64();
    let greedy = problem.greedy();
    let pairs = Pairs::of(&desk, &problem, &solved, &greedy);
    let prices = (problem.seats.as_slice(), solved.needs.as_slice());
    Outcome {
        people: pairs.people(&desk, &places, &candidates),
        needs: pairs.needs(&desk, &seats, &candidates, prices),
        kept: (desk.kept.len(), pairs.kept_total),
        greedy: (
            desk.kept.len() + greedy.chosen.len(),
            pairs.kept_total + greedy.total,
        ),
        pairs: pairs.into_values(),
        problem,
        solved,
        seconds,
        dropped,
    }
}

/// What is left to be solved.
fn problem(desk: &Desk<'_>, candidates: &[Vec<u32>]) -> Round {
    let (mut offsets, mut pairs) = (vec![0], Vec::new());
    for (i, needs) in (0..).zip(candidates) {
        pairs.extend(needs.iter().map(|j| Pair {
            need: *j,
            weight: weight(desk.rate((i, *j)).1),
        }));
        offsets.push(pairs.len());
    }
    Round {
        places: desk.places.clone(),
        seats: desk.seats.clone(),
        offsets,
        pairs,
    }
}

/// The plan of greatest total in which nobody has two needs that collide. The solver knows numbers of
/// places alone; so it solves again without the pairs that collide with better ones of a plan, until there
/// are none: its certificate is that of the pairs that remain.
fn solve(material: &Material, problem: &mut Round) -> Plan {
    loop {
        let solved = problem.solve();
        let colliding = colliding(material, problem, &solved);
        if colliding.is_empty() {
            return solved;
        }
        // a pair that weighs nothing is none
        for pair in colliding {
            problem.pairs[pair].weight = 0;
        }
    }
}

/// The pairs that are none any more, since their person cannot take them on beside a better pair of a
/// plan.
fn colliding(material: &Material, problem: &Round, solved: &Plan) -> Vec<usize> {
    let need = |pair: usize| &material.needs[problem.pairs[pair].need as usize];
    let collides_with = |pair: usize, others: &[usize]| {
        let today = material.terms.today;
        let mut others = others.iter();
        others.any(|other| collision(need(pair), need(*other), today).is_some())
    };
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
        for pair in best_first {
            if !collides_with(pair, &stays) {
                stays.push(pair);
            }
        }
        if stays.len() < of_person.len() {
            none_any_more.extend((ends[0]..ends[1]).filter(|pair| {
                let is_living = problem.pairs[*pair].weight > 0;
                is_living && !stays.contains(pair) && collides_with(*pair, &stays)
            }));
        }
    }
    none_any_more
}

#[cfg(test)]
mod tests;
