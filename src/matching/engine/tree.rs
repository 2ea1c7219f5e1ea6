//! What anybody below could reach at best: blocks summed up in groups of sixteen, those again.

use std::collections::BinaryHeap;
use std::sync::Arc;

use super::slice::ahead;
use super::sphere::{Reach, Reaches};

/// Children of a node.
pub const WIDTH: usize = 16;

/// Bounds are summed up in single precision: they are raised by more than that errs.
pub const ROUNDING: f32 = 1e-4;

/// What is known of everybody in a block: no bound is below what it bounds.
#[derive(Clone, Debug)]
pub struct Summary {
    /// Where they are, and from how far away they come or take people.
    pub reach: Reach,
    /// The slices that somebody stands in, as bits.
    pub slices: Box<[u64]>,
}

impl Summary {
    /// Of nobody, with so many slices.
    pub fn empty(slices: usize) -> Self {
        Self {
            reach: Reach::EMPTY,
            slices: vec![0; slices.div_ceil(64)].into(),
        }
    }

    /// Notes that somebody stands in a slice.
    pub fn add(&mut self, slice: usize) {
        self.slices[slice / 64] |= 1 << (slice % 64);
    }

    /// Sums up both.
    pub fn join(&mut self, other: &Self) {
        self.reach.join(&other.reach);
        for (mine, theirs) in self.slices.iter_mut().zip(&other.slices) {
            *mine |= theirs;
        }
    }
}

/// Sixteen children side by side, so that all are looked at together.
#[derive(Clone)]
pub struct Group {
    pub reaches: Reaches<WIDTH>,
    /// For each slice, the children below which somebody stands in it.
    pub slices: Box<[u16]>,
    count: usize,
}

impl Group {
    fn new(slices: usize) -> Self {
        Self {
            reaches: Reaches::EMPTY,
            slices: vec![0; slices].into(),
            count: 0,
        }
    }

    /// All children.
    pub fn all(&self) -> u16 {
        ((1_u32 << self.count) - 1) as u16
    }

    fn push(&mut self, child: &Summary) {
        self.count += 1;
        self.join(self.count - 1, child);
    }

    fn join(&mut self, n: usize, by: &Summary) {
        self.reaches.join(n, &by.reach);
        for (slice, children) in self.slices.iter_mut().enumerate() {
            *children |= ((by.slices[slice / 64] >> (slice % 64) & 1) as u16) << n;
        }
    }

    fn sum(&self) -> Summary {
        let mut sum = Summary::empty(self.slices.len());
        (0..self.count).for_each(|n| sum.reach.join(&self.reaches.get(n)));
        let slices = self.slices.iter().enumerate();
        let stood_in = slices.filter(|(_, children)| **children != 0);
        stood_in.for_each(|(slice, _)| sum.add(slice));
        sum
    }
}

/// A part of a tree that may hold something, and the most that anything in it reaches: the score
/// in the upper half, so that promises are in the order of what they promise, then level and number.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Promise(u64);

impl Promise {
    fn new(score: f32, level: usize, n: usize) -> Self {
        Self(u64::from(score.to_bits()) << 32 | (level as u64) << 28 | n as u64)
    }

    fn score(self) -> f64 {
        f64::from(f32::from_bits((self.0 >> 32) as u32))
    }

    fn level(self) -> usize {
        (self.0 >> 28 & 15) as usize
    }

    fn n(self) -> usize {
        (self.0 & ((1 << 28) - 1)) as usize
    }
}

/// Groups over blocks, groups over those, until one is enough.
#[derive(Clone, Default)]
pub struct Tree {
    /// The lowest first.
    levels: Vec<Vec<Arc<Group>>>,
    slices: usize,
}

impl Tree {
    /// A tree over blocks, which are numbered in this order.
    pub fn over(blocks: Vec<Summary>, slices: usize) -> Self {
        let mut levels: Vec<Vec<Arc<Group>>> = Vec::new();
        let mut below = blocks;
        while !below.is_empty() {
            let groups = below.chunks(WIDTH).map(|children| {
                let mut group = Group::new(slices);
                children.iter().for_each(|child| group.push(child));
                Arc::new(group)
            });
            let groups: Vec<_> = groups.collect();
            below = if groups.len() > 1 {
                groups.iter().map(|group| group.sum()).collect()
            } else {
                Vec::new()
            };
            levels.push(groups);
        }
        Self { levels, slices }
    }

    /// Visits blocks, the most promising first. `reach` tells which children of a group may hold
    /// something, and the most it reaches, 0 or more. `open` is told of each block that may be visited.
    /// `visit` looks into a block, is told which one is likely next, and tells what is to be reached at
    /// least from then on.
    #[inline(always)]
    pub fn visit(
        &self,
        reach: impl Fn(&Group) -> (u16, [f32; WIDTH]),
        open: impl Fn(usize),
        mut visit: impl FnMut(usize, Option<usize>) -> f64,
    ) {
        let mut promises = BinaryHeap::with_capacity(128);
        if !self.levels.is_empty() {
            promises.push(Promise::new(f32::INFINITY, self.levels.len(), 0));
        }
        let mut least = f64::NEG_INFINITY;
        while let Some(best) = promises.pop() {
            if best.score() < least {
                break;
            }
            let (level, n) = (best.level(), best.n());
            if level == 0 {
                let next = promises.peek().filter(|next| next.level() == 0);
                least = visit(n, next.map(|next| next.n()));
                continue;
            }
            let (mut children, scores) = reach(&self.levels[level - 1][n]);
            while children != 0 {
                let child = children.trailing_zeros() as usize;
                children &= children - 1;
                if f64::from(scores[child]) >= least {
                    let child_n = n * WIDTH + child;
                    match level.checked_sub(2) {
                        Some(below) => ahead(&*self.levels[below][child_n]),
                        None => open(child_n),
                    }
                    promises.push(Promise::new(scores[child], level - 1, child_n));
                }
            }
        }
    }

    /// Widens what is known of a block, and of all above it, by something new in it.
    pub fn widen(&mut self, block: usize, by: &Summary) {
        let mut n = block;
        for level in &mut self.levels {
            Arc::make_mut(&mut level[n / WIDTH]).join(n % WIDTH, by);
            n /= WIDTH;
        }
    }

    /// Adds a block of nobody behind the last one.
    pub fn push(&mut self) {
        let nobody = Summary::empty(self.slices);
        let mut level = 0;
        loop {
            if level == self.levels.len() {
                // a new root over what was the root, and what had no room in it
                let mut root = Group::new(self.slices);
                match level.checked_sub(1) {
                    None => root.push(&nobody),
                    Some(below) => {
                        let below = &self.levels[below];
                        below.iter().for_each(|group| root.push(&group.sum()));
                    }
                }
                self.levels.push(vec![Arc::new(root)]);
                return;
            }
            let groups = &mut self.levels[level];
            if let Some(last) = groups.last_mut().filter(|last| last.count < WIDTH) {
                Arc::make_mut(last).push(&nobody);
                return;
            }
            let mut group = Group::new(self.slices);
            group.push(&nobody);
            groups.push(Arc::new(group));
            level += 1;
        }
    }

    /// Bytes it holds.
    pub fn bytes(&self) -> usize {
        let groups: usize = self.levels.iter().map(Vec::len).sum();
        groups * (size_of::<Group>() + size_of::<u16>() * self.slices)
    }
}
