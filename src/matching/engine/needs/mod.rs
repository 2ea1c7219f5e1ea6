//! Needs as bit slices, like people: one bit a need, one slice a trait it requires or wants.

mod block;
mod search;

use std::collections::HashMap;

use self::block::Block;
pub use self::search::Board;
use self::search::{PLACED, REMOTE};
use super::field::{Field, at_lane, lane_at};
use super::people::Query;
use super::tree::Summary;

/// A need in numbers: what it asks of people, and how many it has.
#[derive(Clone, Debug, PartialEq)]
pub struct Demand {
    /// What it asks of people.
    pub query: Query,
    /// Places already filled.
    pub filled: u8,
}

/// Every open need, with what it takes to change them.
#[derive(Clone, Default)]
pub struct Needs {
    board: Board,
    /// In which field and lane a key stands.
    home: HashMap<u32, (usize, u32)>,
    worn: usize,
}

impl Needs {
    /// All of them at once.
    pub fn build(all: impl Iterator<Item = (u32, Demand)> + Clone) -> Self {
        let mut this = Self::default();
        let mut ordered: [Vec<(u64, u32, Demand)>; 2] = Default::default();
        for (key, demand) in all {
            this.board.scale_m = this.board.scale_m.max(demand.query.scale_m);
            ordered[field_of(&demand)].push((along(&demand), key, demand));
        }
        for (number, mut demands) in ordered.into_iter().enumerate() {
            demands.sort_unstable_by_key(|(along, key, _)| (*along, *key));
            this.board.fields[number] = Field::over(
                &demands,
                0,
                |(along, _, _)| *along,
                |n, lanes| {
                    let (mut block, mut sum) = (Block::new(), Summary::empty(0));
                    for (lane, (_, key, demand)) in lanes {
                        sum.join(&block.stand(lane, *key, demand));
                        this.home.insert(*key, (number, lane_at(n, lane)));
                    }
                    (block, sum)
                },
            );
        }
        this
    }

    /// A snapshot to search in.
    pub fn board(&self) -> &Board {
        &self.board
    }

    /// How many needs there are.
    pub fn len(&self) -> usize {
        self.home.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.home.is_empty()
    }

    /// How much of it changed place since it was built, as a share: bounds have widened by then.
    pub fn wear(&self) -> f64 {
        self.worn as f64 / self.home.len().max(1) as f64
    }

    /// Puts a need in the place of what was there before under this key.
    pub fn put(&mut self, key: u32, demand: &Demand) {
        self.remove(key);
        self.board.scale_m = self.board.scale_m.max(demand.query.scale_m);
        let number = field_of(demand);
        let field = &mut self.board.fields[number];
        let (n, lane) = field.room(along(demand), Block::new);
        let new = field.block(n).stand(lane, key, demand);
        field.tree.widen(n, &new);
        self.home.insert(key, (number, lane_at(n, lane)));
        self.worn += 1;
    }

    /// Forgets a need.
    pub fn remove(&mut self, key: u32) {
        if let Some((number, at)) = self.home.remove(&key) {
            let (block, lane) = at_lane(at);
            let block = self.board.fields[number].block(block);
            block.remove(lane);
        }
    }
}

fn field_of(demand: &Demand) -> usize {
    match demand.query.site {
        Some(_) => PLACED,
        None => REMOTE,
    }
}

fn along(demand: &Demand) -> u64 {
    demand
        .query
        .site
        .map_or(u64::MAX, |site| site.point.along())
}
