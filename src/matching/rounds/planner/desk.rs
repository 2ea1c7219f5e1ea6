//! What may be, and what is taken already.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use super::material::{Held, Material};
use crate::error::Code;
use crate::identity::AccountId;
use crate::matching::model::{Need, NeedId, Person};
use crate::matching::rounds::model::LockKind;
use crate::matching::rounds::rules::{collision, readable};
use crate::matching::score::{self, FILTERS, Side};
use crate::matching::world::{Hit, Register, Wanting, World};

/// A person and a need, by their numbers in the material.
pub type Numbers = (u32, u32);

/// What is looked up again and again.
pub struct Desk<'a> {
    pub material: &'a Material,
    forbidden: HashSet<(AccountId, NeedId)>,
    /// People and needs that are left out by hand.
    pub out_people: HashSet<AccountId>,
    pub out_needs: HashSet<NeedId>,
    person_at: HashMap<AccountId, u32>,
    need_at: HashMap<NeedId, u32>,
    /// What people are asked for already, or are to be by hand.
    held: HashMap<AccountId, Vec<&'a Need>>,
    /// How much each person may take, and the places of each need, as far as they are not kept.
    pub places: Vec<u32>,
    pub seats: Vec<u32>,
    /// What is kept by hand.
    pub kept: BTreeSet<Numbers>,
}

impl<'a> Desk<'a> {
    /// Before anything is kept.
    pub fn of(material: &'a Material) -> Self {
        let of_kind = |kind| material.locks.iter().filter(move |lock| lock.kind == kind);
        let out_people: HashSet<_> = of_kind(LockKind::LeaveOutPerson)
            .filter_map(|lock| lock.person)
            .collect();
        let out_needs: HashSet<_> = of_kind(LockKind::LeaveOutNeed)
            .filter_map(|lock| lock.need)
            .collect();
        let places = |person: &Arc<Person>| match out_people.contains(&person.id) {
            true => 0,
            false => {
                let busy = material.busy.get(&person.id).copied().unwrap_or(0);
                material.places.saturating_sub(busy)
            }
        };
        let seats = |need: &Arc<Need>| match out_needs.contains(&need.id) {
            true => 0,
            false => {
                let reserved = material.reserved.get(&need.id).copied().unwrap_or(0);
                need.places
                    .saturating_sub(need.filled)
                    .saturating_sub(reserved)
            }
        };
        let mut desk = Self {
            forbidden: of_kind(LockKind::Forbid).filter_map(pair_of).collect(),
            person_at: (0..)
                .zip(&material.people)
                .map(|(n, p)| (p.id, n))
                .collect(),
            need_at: (0..).zip(&material.needs).map(|(n, d)| (d.id, n)).collect(),
            held: HashMap::new(),
            places: material.people.iter().map(places).collect(),
            seats: material.needs.iter().map(seats).collect(),
            kept: BTreeSet::new(),
            material,
            out_people,
            out_needs,
        };
        for (person, need) in &material.open {
            if let Some(j) = desk.need_at.get(need).copied() {
                desk.hold(*person, &material.needs[j as usize]);
            }
        }
        desk
    }

    /// Keeps what is to be kept by hand; locks that cannot be, by their place, and why.
    pub fn keep(&mut self) -> Vec<(usize, Code)> {
        let (material, mut dropped) = (self.material, Vec::new());
        for (n, lock) in material.locks.iter().enumerate() {
            let Some((person, need)) = pair_of(lock).filter(|_| lock.kind == LockKind::Keep) else {
                continue;
            };
            let Some((i, j)) = self.numbers(person, need) else {
                dropped.push((n, Code::NotAvailable));
                continue;
            };
            if self.kept.contains(&(i, j)) {
                continue;
            }
            let (at, of) = (&material.people[i as usize], &material.needs[j as usize]);
            let against = self.against(at, of).next();
            if let Some(code) = against {
                dropped.push((n, code));
            } else if self.places[i as usize] == 0 || self.seats[j as usize] == 0 {
                dropped.push((n, Code::CapacityFull));
            } else {
                self.kept.insert((i, j));
                self.hold(person, of);
                self.places[i as usize] -= 1;
                self.seats[j as usize] -= 1;
            }
        }
        dropped
    }

    fn numbers(&self, person: AccountId, need: NeedId) -> Option<Numbers> {
        let found = self.person_at.get(&person).zip(self.need_at.get(&need));
        found.map(|(i, j)| (*i, *j))
    }

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

    /// The factors and the score of a pair.
    pub fn rate(&self, (i, j): Numbers) -> ([f64; 5], f64) {
        let person = &self.material.people[i as usize];
        let need = &self.material.needs[j as usize];
        let factors = score::factors(person, need, Side::People);
        (
            factors,
            score::score(&factors, &self.material.terms.weights),
        )
    }

    /// Every code that stands between a person and a need.
    pub fn against(&self, person: &Person, need: &Need) -> impl Iterator<Item = Code> {
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

    /// The numbers of the needs that each person may be given, ascending.
    pub fn candidates(&self) -> Vec<Vec<u32>> {
        let material = self.material;
        let placed = material.people.iter().zip(&self.places);
        let placed = placed.filter(|(_, n)| **n > 0);
        let open = material.needs.iter().zip(&self.seats);
        let open = open.filter(|(_, n)| **n > 0);
        let placed: Vec<_> = placed.map(|(person, _)| Arc::clone(person)).collect();
        let open: Vec<_> = open.map(|(need, _)| Arc::clone(need)).collect();
        let world: World = Register::of(
            placed.iter().map(|person| (**person).clone()).collect(),
            open.iter().map(|need| (**need).clone()).collect(),
        )
        .world();
        let mut found = vec![BTreeSet::new(); material.people.len()];
        let mut add = |person: AccountId, need: NeedId| {
            if let Some((i, j)) = self.numbers(person, need)
                && !self.kept.contains(&(i, j))
            {
                found[i as usize].insert(j);
            }
        };
        let (wanting, terms) = (Wanting::default(), &material.terms);
        for person in &placed {
            let hits = best(
                material.candidates_per_person,
                |k| world.needs_for(person, &wanting, terms, k),
                |need| self.may(person.id, need),
            );
            hits.iter().for_each(|hit| add(person.id, hit.what.id));
        }
        for need in &open {
            let hits = best(
                material.candidates_per_need,
                |k| world.people_for(need, terms, k),
                |person| self.may(person.id, need),
            );
            hits.iter().for_each(|hit| add(hit.what.id, need.id));
        }
        let needs = found.into_iter();
        needs.map(|needs| needs.into_iter().collect()).collect()
    }
}

fn pair_of(lock: &Held) -> Option<(AccountId, NeedId)> {
    lock.person.zip(lock.need)
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
