//! People and open needs in memory, and the exact best of them.
//!
//! The engine looks for who and what may be good enough; the score itself decides.

mod change;

use std::collections::BinaryHeap;
use std::fmt;
use std::hash::Hash;
use std::sync::Arc;

use chrono::NaiveDate;

use self::change::Change;
use super::encoding;
use super::engine::{Board, Crowd, Found, Judge, Needs, People, Shares};
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
                .is_none_or(|region| need.public_regions.contains(&region))
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

fn hits<'a, T: 'a, K>(found: Vec<Found<K>>, at: impl Fn(u32) -> Option<&'a Arc<T>>) -> Vec<Hit<T>> {
    let hit = |found: Found<K>| {
        at(found.key).map(|what| Hit {
            what: Arc::clone(what),
            score: found.score,
        })
    };
    found.into_iter().filter_map(hit).collect()
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

/// Things by id and by the number that the engine knows them by. A clone shares all that is not
/// changed afterwards.
#[derive(Clone, Debug)]
struct Numbered<I, T> {
    keys: imbl::HashMap<I, u32>,
    things: imbl::Vector<Option<Arc<T>>>,
    free: imbl::Vector<u32>,
}

impl<I, T> Default for Numbered<I, T> {
    fn default() -> Self {
        Self {
            keys: imbl::HashMap::new(),
            things: imbl::Vector::new(),
            free: imbl::Vector::new(),
        }
    }
}

impl<I: Copy + Eq + Hash, T> Numbered<I, T> {
    fn get(&self, id: I) -> Option<&Arc<T>> {
        self.keys.get(&id).and_then(|key| self.at(*key))
    }

    fn at(&self, key: u32) -> Option<&Arc<T>> {
        self.things.get(key as usize)?.as_ref()
    }

    fn all(&self) -> impl Iterator<Item = &Arc<T>> {
        self.things.iter().flatten()
    }

    fn put(&mut self, id: I, thing: T) -> u32 {
        let known = self.keys.get(&id).copied();
        let key = known.or_else(|| self.free.pop_back()).unwrap_or_else(|| {
            self.things.push_back(None);
            self.things.len() as u32 - 1
        });
        self.keys.insert(id, key);
        self.things.set(key as usize, Some(Arc::new(thing)));
        key
    }

    fn remove(&mut self, id: I) -> Option<u32> {
        let key = self.keys.remove(&id)?;
        self.things.set(key as usize, None);
        self.free.push_back(key);
        Some(key)
    }
}

/// How much may change place before everything is ordered anew, as a share.
const WORN: f64 = 0.5;

/// Everybody and everything that can be matched, as one snapshot. Cheap to clone.
#[derive(Clone)]
pub struct World {
    people: Numbered<AccountId, Person>,
    needs: Numbered<NeedId, Need>,
    crowd: Crowd,
    board: Board,
}

/// The same, with what it takes to change it.
#[derive(Clone)]
pub struct Register {
    people: Numbered<AccountId, Person>,
    needs: Numbered<NeedId, Need>,
    crowd: People,
    board: Needs,
}

impl Default for Register {
    fn default() -> Self {
        Self {
            people: Numbered::default(),
            needs: Numbered::default(),
            crowd: People::new(encoding::traits()),
            board: Needs::default(),
        }
    }
}

impl Default for World {
    fn default() -> Self {
        Register::default().world()
    }
}

/// The same people and needs, however they are numbered.
impl PartialEq for World {
    fn eq(&self, other: &Self) -> bool {
        self.counts() == other.counts()
            && self.people.all().all(|p| other.people.get(p.id) == Some(p))
            && self.needs.all().all(|n| other.needs.get(n.id) == Some(n))
    }
}

impl fmt::Debug for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("World")
            .field("people", &self.people.things)
            .field("needs", &self.needs.things)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Register {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.world().fmt(f)
    }
}

/// Judges people for a need by the score itself.
struct ForNeed<'a> {
    world: &'a World,
    need: &'a Need,
    terms: &'a Terms,
}

impl Judge for ForNeed<'_> {
    type Tie = AccountId;

    fn judge(&mut self, key: u32, _: f64) -> Option<(f64, AccountId)> {
        let person = self.world.people.at(key)?;
        if !score::is_eligible(person, self.need, self.terms.today) {
            return None;
        }
        let factors = score::factors(person, self.need, Side::People);
        Some((score::score(&factors, &self.terms.weights), person.id))
    }
}

/// Judges needs for a person by the score itself.
struct ForPerson<'a> {
    world: &'a World,
    person: &'a Person,
    wanting: &'a Wanting,
    terms: &'a Terms,
}

impl Judge for ForPerson<'_> {
    type Tie = Place;

    fn judge(&mut self, key: u32, _: f64) -> Option<(f64, Place)> {
        let need = self.world.needs.at(key)?;
        if !self.wanting.takes(need) || !score::is_eligible(self.person, need, self.terms.today) {
            return None;
        }
        let factors = score::factors(self.person, need, Side::Needs);
        Some((score::score(&factors, &self.terms.weights), place(need)))
    }
}

fn shares(weights: &Weights) -> Shares {
    Shares::of([
        weights.skills,
        weights.distance,
        weights.availability,
        weights.interest,
        weights.fairness,
    ])
}

impl Register {
    /// All of them at once.
    pub fn of(people: Vec<Person>, needs: Vec<Need>) -> Self {
        let mut register = Self::default();
        for person in people {
            register.people.put(person.id, person);
        }
        for need in needs {
            register.needs.put(need.id, need);
        }
        register.ordered_anew()
    }

    /// The same, its people and needs ordered anew by where they are.
    pub fn ordered_anew(&self) -> Self {
        let (people, needs) = (self.people.clone(), self.needs.clone());
        let keys = people.things.len() as u32;
        let crowd = People::build(encoding::traits(), keys, |key, blank| {
            people
                .at(key)
                .map(|person| *blank = encoding::profile(person))
                .is_some()
        });
        let listed = (0..needs.things.len() as u32).filter_map(|key| {
            let demand = encoding::demand(needs.at(key)?)?;
            Some((key, demand))
        });
        let board = Needs::build(listed);
        Self {
            people,
            needs,
            crowd,
            board,
        }
    }

    /// Whether so much changed that it is worth being ordered anew.
    pub fn is_worn(&self) -> bool {
        self.crowd.wear() > WORN || self.board.wear() > WORN
    }

    /// Puts a person in the place of who was there before under this id. Most often only what is taken
    /// on changed, or only the place, which need not be put anew.
    pub fn put_person(&mut self, person: Person) {
        let profile = encoding::profile(&person);
        let before = self.people.get(person.id);
        let before = before.map(|person| encoding::profile(person));
        let key = self.people.put(person.id, person);
        match before.map(|before| Change::of(&before, &profile)) {
            Some(Change::Nothing) => {}
            Some(Change::Load) => self.crowd.set_load(key, profile.load),
            Some(Change::Place(point)) => self.crowd.move_to(key, point),
            Some(Change::Much) | None => self.crowd.put(key, &profile),
        }
    }

    /// Forgets a person.
    pub fn remove_person(&mut self, id: AccountId) {
        if let Some(key) = self.people.remove(id) {
            self.crowd.remove(key);
        }
    }

    /// Puts a need in the place of what was there before under this id.
    pub fn put_need(&mut self, need: Need) {
        let demand = encoding::demand(&need);
        let key = self.needs.put(need.id, need);
        match demand {
            Some(demand) => self.board.put(key, &demand),
            None => self.board.remove(key),
        }
    }

    /// Forgets a need.
    pub fn remove_need(&mut self, id: NeedId) {
        if let Some(key) = self.needs.remove(id) {
            self.board.remove(key);
        }
    }

    /// Everything as it is now.
    pub fn world(&self) -> World {
        World {
            people: self.people.clone(),
            needs: self.needs.clone(),
            crowd: self.crowd.crowd().clone(),
            board: self.board.board().clone(),
        }
    }
}

impl World {
    /// The person with this id.
    pub fn person(&self, id: AccountId) -> Option<Arc<Person>> {
        self.people.get(id).cloned()
    }

    /// The need with this id.
    pub fn need(&self, id: NeedId) -> Option<Arc<Need>> {
        self.needs.get(id).cloned()
    }

    /// Everybody, in no order.
    pub fn people(&self) -> impl Iterator<Item = &Arc<Person>> {
        self.people.all()
    }

    /// All needs, in no order.
    pub fn needs(&self) -> impl Iterator<Item = &Arc<Need>> {
        self.needs.all()
    }

    /// How many people and needs there are.
    pub fn counts(&self) -> (usize, usize) {
        (self.people.keys.len(), self.needs.keys.len())
    }

    /// The best `k` people for a need: by score, then by id.
    pub fn people_for(&self, need: &Need, terms: &Terms, k: usize) -> Vec<Hit<Person>> {
        let Some(query) = encoding::query(need) else {
            return Vec::new();
        };
        let mut judge = ForNeed {
            world: self,
            need,
            terms,
        };
        let found = self
            .crowd
            .search(&query, shares(&terms.weights), k, &mut judge);
        hits(found, |key| self.people.at(key))
    }

    /// The best `k` needs for a person: by score, then by start time, then by id.
    pub fn needs_for(
        &self,
        person: &Person,
        wanting: &Wanting,
        terms: &Terms,
        k: usize,
    ) -> Vec<Hit<Need>> {
        let seeker = encoding::profile(person);
        let mut judge = ForPerson {
            world: self,
            person,
            wanting,
            terms,
        };
        let found = self
            .board
            .search(&seeker, shares(&terms.weights), k, &mut judge);
        hits(found, |key| self.needs.at(key))
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
            .all()
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
