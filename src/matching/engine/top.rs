//! The best so far.

use std::cmp::Ordering;

/// Something found, and what decides between equal scores.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Found<T> {
    /// 0 to 100.
    pub score: f64,
    /// The least goes first among equal scores.
    pub tie: T,
    /// Who or what it is, in the numbers of the index.
    pub key: u32,
}

impl<T: Ord> Found<T> {
    fn order(&self, other: &Self) -> Ordering {
        let by_score = other.score.total_cmp(&self.score);
        by_score.then_with(|| self.tie.cmp(&other.tie))
    }
}

/// The best `k` of what is offered.
pub struct Top<T> {
    k: usize,
    found: Vec<Found<T>>,
}

impl<T: Ord> Top<T> {
    pub fn new(k: usize) -> Self {
        Self {
            k,
            found: Vec::with_capacity(k.min(1024) + 1),
        }
    }

    /// What a newcomer must reach at least; an equal score may still win.
    #[inline(always)]
    pub fn least(&self) -> f64 {
        match self.found.last() {
            Some(last) if self.found.len() >= self.k => last.score,
            _ => f64::NEG_INFINITY,
        }
    }

    /// Takes a newcomer in if it is good enough. `again` says that the same key may have come before.
    pub fn offer(&mut self, new: Found<T>, again: bool) {
        if self.k == 0 || (self.found.len() >= self.k && new.score < self.least()) {
            return;
        }
        if again && let Some(place) = self.found.iter().position(|old| old.key == new.key) {
            if self.found[place].order(&new).is_le() {
                return;
            }
            self.found.remove(place);
        }
        let place = self.found.partition_point(|old| old.order(&new).is_lt());
        if place < self.k {
            self.found.insert(place, new);
            self.found.truncate(self.k);
        }
    }

    pub fn into_vec(self) -> Vec<Found<T>> {
        self.found
    }
}
