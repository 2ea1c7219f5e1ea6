use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use proptest::prelude::*;

use super::outcome::PlannedPair;
use super::*;
use crate::error::Code;
use crate::identity::AccountId;
use crate::matching::model::{NeedId, NeedKind};
use crate::matching::rounds::model::{LockKind, NeedReason};
use crate::matching::samples::{self, TODAY};
use crate::matching::score;
use crate::matching::store::Bar;
use crate::matching::world::Terms;
use crate::matching::{Hours, Span};

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
