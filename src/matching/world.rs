//! People and open needs in memory, and the exact best of them by full scan.
//!
//! Everything that answers goes through [`World::people_for`], [`World::needs_for`] and
//! [`World::listed`]; an engine that is faster takes their place and answers the same.

use std::cmp::Ordering;
use std::collections::{BinaryHeap, HashMap};
use std::sync::Arc;

use chrono::NaiveDate;

use super::model::{Need, NeedId, NeedKind, Person};
use super::score::{self, Side};
use super::settings::Weights;
use crate::identity::AccountId;
use crate::platform::clock::Instant;
use crate::regions::RegionId;

/// By what is ranked.
#[derive(Clone, Copy, Debug)]
pub struct Terms {
    /// What each factor counts.
    pub weights: Weights,
    /// The day on which qualifications and ages are looked at.
    pub today: NaiveDate,
}

/// Which needs are asked for.
#[derive(Clone, Debug, Default)]
pub struct Wanting {
    /// Only of this kind.
    pub kind: Option<NeedKind>,
    /// None of these kinds.
    pub except: Vec<NeedKind>,
    /// Only in this region or below it.
    pub region: Option<RegionId>,
}

impl Wanting {
    fn takes(&self, need: &Need) -> bool {
        self.kind.is_none_or(|kind| kind == need.id.kind)
            && !self.except.contains(&need.id.kind)
            && self
                .region
                .is_none_or(|region| need.regions.contains(&region))
    }
}

/// Something that fits, with its score.
#[derive(Clone, Debug, PartialEq)]
pub struct Hit<T> {
    /// What fits.
    pub what: Arc<T>,
    /// 0 to 100.
    pub score: f64,
}

/// Where a need stands in a list by start time: those without one come last.
pub type Place = (bool, Option<Instant>, NeedId);

/// The place of a need in such a list.
pub fn place(need: &Need) -> Place {
    (need.starts_at.is_none(), need.starts_at, need.id)
}

/// Where a hit stands: the highest score first, then by `T`.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Rank<T>(f64, T);

impl<T: PartialEq> Eq for Rank<T> {}

impl<T: Ord> Ord for Rank<T> {
    fn cmp(&self, other: &Self) -> Ordering {
        let by_score = other.0.total_cmp(&self.0);
        by_score.then_with(|| self.1.cmp(&other.1))
    }
}

impl<T: Ord> PartialOrd for Rank<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// The first `k` in ascending order, without keeping more than that.
fn first<T: Ord>(all: impl Iterator<Item = T>, k: usize) -> Vec<T> {
    let mut kept = BinaryHeap::with_capacity(k.saturating_add(1).min(1024));
    for one in all {
        if kept.len() < k {
            kept.push(one);
        } else if kept.peek().is_some_and(|last| one < *last) {
            kept.pop();
            kept.push(one);
        }
    }
    kept.into_sorted_vec()
}

/// Everybody and everything that can be matched.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct World {
    people: HashMap<AccountId, Arc<Person>>,
    needs: HashMap<NeedId, Arc<Need>>,
}

impl World {
    /// Puts a person in the place of who was there before under this id.
    pub fn put_person(&mut self, person: Person) {
        self.people.insert(person.id, Arc::new(person));
    }

    /// Forgets a person.
    pub fn remove_person(&mut self, id: AccountId) {
        self.people.remove(&id);
    }

    /// Puts a need in the place of what was there before under this id.
    pub fn put_need(&mut self, need: Need) {
        self.needs.insert(need.id, Arc::new(need));
    }

    /// Forgets a need.
    pub fn remove_need(&mut self, id: NeedId) {
        self.needs.remove(&id);
    }

    /// The person with this id.
    pub fn person(&self, id: AccountId) -> Option<Arc<Person>> {
        self.people.get(&id).cloned()
    }

    /// The need with this id.
    pub fn need(&self, id: NeedId) -> Option<Arc<Need>> {
        self.needs.get(&id).cloned()
    }

    /// How many people and needs there are.
    pub fn counts(&self) -> (usize, usize) {
        (self.people.len(), self.needs.len())
    }

    /// The best `k` people for a need: by score, then by id.
    pub fn people_for(&self, need: &Need, terms: &Terms, k: usize) -> Vec<Hit<Person>> {
        let fitting = self
            .people
            .values()
            .filter(|person| score::is_eligible(person, need, terms.today))
            .map(|person| {
                let factors = score::factors(person, need, Side::People);
                Rank(score::score(&factors, &terms.weights), person.id)
            });
        let found = first(fitting, k).into_iter();
        found
            .filter_map(|Rank(score, id)| self.person(id).map(|what| Hit { what, score }))
            .collect()
    }

    /// The best `k` needs for a person: by score, then by start time, then by id.
    pub fn needs_for(
        &self,
        person: &Person,
        wanting: &Wanting,
        terms: &Terms,
        k: usize,
    ) -> Vec<Hit<Need>> {
        let fitting = self
            .needs
            .values()
            .filter(|need| wanting.takes(need) && score::is_eligible(person, need, terms.today))
            .map(|need| {
                let factors = score::factors(person, need, Side::Needs);
                Rank(score::score(&factors, &terms.weights), place(need))
            });
        let found = first(fitting, k).into_iter();
        found
            .filter_map(|Rank(score, (_, _, id))| self.need(id).map(|what| Hit { what, score }))
            .collect()
    }

    /// `k` needs with places left that are not over on a day, by start time and id, after a place in
    /// that order.
    pub fn listed(
        &self,
        wanting: &Wanting,
        today: NaiveDate,
        after: Option<Place>,
        k: usize,
    ) -> Vec<Arc<Need>> {
        let fitting = self
            .needs
            .values()
            .filter(|need| wanting.takes(need) && need.filled < need.places)
            .filter(|need| !score::is_over(need, today))
            .map(|need| place(need))
            .filter(|place| after.is_none_or(|after| *place > after));
        let found = first(fitting, k).into_iter();
        found.filter_map(|(_, _, id)| self.need(id)).collect()
    }
}

#[cfg(test)]
mod tests;
