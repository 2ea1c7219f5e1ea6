//! The best so far.

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
    /// Whether it goes before another one.
    #[inline(always)]
    fn is_before(&self, other: &Self) -> bool {
        self.score > other.score || (self.score == other.score && self.tie < other.tie)
    }
}

/// So many are looked through one after the other, which processors foresee, unlike halving.
const FEW: usize = 64;

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
    #[inline(always)]
    pub fn offer(&mut self, new: Found<T>, again: bool) {
        if self.k == 0 || (self.found.len() >= self.k && new.score < self.least()) {
            return;
        }
        if again && let Some(place) = self.found.iter().position(|old| old.key == new.key) {
            if !new.is_before(&self.found[place]) {
                return;
            }
            self.found.remove(place);
        }
        let is_before = |old: &Found<T>| old.is_before(&new);
        let place = if self.found.len() <= FEW {
            let before = self.found.iter().rposition(is_before);
            before.map_or(0, |last| last + 1)
        } else {
            self.found.partition_point(is_before)
        };
        if place < self.k {
            if self.found.len() == self.k {
                self.found.pop();
            }
            self.found.insert(place, new);
        }
    }

    pub fn into_vec(self) -> Vec<Found<T>> {
        self.found
    }
}
