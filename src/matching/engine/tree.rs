//! What anybody below could reach at best: leaves summed up in groups of sixteen, those again.

use std::cmp::Ordering;
use std::sync::Arc;

use super::sphere::{Bounds, Origin, least_cos};
use super::{MOST_LOAD, Week};

/// Children of a node.
pub const WIDTH: usize = 16;

/// What is known of everybody in a leaf: no bound is below what it bounds.
#[derive(Clone, Debug)]
pub struct Summary {
    /// Where they are.
    pub bounds: Bounds,
    /// The widest radius, in metres.
    pub radius_m: f32,
    /// The least load.
    pub load: u8,
    /// Bits of flags and kinds that anybody has.
    pub flags: u8,
    /// The same of interests.
    pub interests: u8,
    /// Whether somebody has no place.
    pub placeless: bool,
    /// Hours that anybody has.
    pub hours: Week,
    /// Traits that anybody has, as bits.
    pub traits: Box<[u64]>,
}

impl Summary {
    /// Of nobody.
    pub fn empty(words: usize) -> Self {
        Self {
            bounds: Bounds::EMPTY,
            radius_m: 0.0,
            load: MOST_LOAD,
            flags: 0,
            interests: 0,
            placeless: false,
            hours: [0; 3],
            traits: vec![0; words].into(),
        }
    }

    /// Sums up both.
    pub fn join(&mut self, other: &Self) {
        self.bounds.join(&other.bounds);
        self.radius_m = self.radius_m.max(other.radius_m);
        self.load = self.load.min(other.load);
        self.flags |= other.flags;
        self.interests |= other.interests;
        self.placeless |= other.placeless;
        for (mine, theirs) in self.hours.iter_mut().zip(other.hours) {
            *mine |= theirs;
        }
        for (mine, theirs) in self.traits.iter_mut().zip(&other.traits) {
            *mine |= theirs;
        }
    }
}

/// Sixteen children side by side, so that their distances are bounded together.
#[derive(Clone)]
pub struct Group {
    south: [f32; WIDTH],
    north: [f32; WIDTH],
    west: [f32; WIDTH],
    east: [f32; WIDTH],
    cos: [f32; WIDTH],
    pub radius_m: [f32; WIDTH],
    pub children: Vec<Summary>,
}

impl Group {
    fn of(children: Vec<Summary>) -> Self {
        let mut group = Self {
            south: [0.0; WIDTH],
            north: [0.0; WIDTH],
            west: [0.0; WIDTH],
            east: [0.0; WIDTH],
            cos: [0.0; WIDTH],
            radius_m: [0.0; WIDTH],
            children: Vec::with_capacity(WIDTH),
        };
        for (n, child) in children.into_iter().enumerate() {
            group.children.push(child);
            group.lay_out(n);
        }
        group
    }

    /// Copies what is bounded together out of a child.
    fn lay_out(&mut self, n: usize) {
        let child = &self.children[n];
        let bounds = child.bounds;
        self.south[n] = bounds.south;
        self.north[n] = bounds.north;
        self.west[n] = bounds.west;
        self.east[n] = bounds.east;
        self.cos[n] = least_cos(&bounds);
        self.radius_m[n] = child.radius_m;
    }

    /// How far everybody below each child is away at least, in metres.
    #[inline(always)]
    pub fn at_least(&self, origin: &Origin) -> [f32; WIDTH] {
        std::array::from_fn(|n| {
            origin.at_least(
                self.south[n],
                self.north[n],
                self.west[n],
                self.east[n],
                self.cos[n],
            )
        })
    }

    fn sum(&self, words: usize) -> Summary {
        let mut sum = Summary::empty(words);
        self.children.iter().for_each(|child| sum.join(child));
        sum
    }
}

/// A part of a tree that may hold something, and what that could reach at best.
#[derive(Clone, Copy, Debug)]
pub struct Promise {
    /// The most that anything below reaches.
    pub score: f64,
    /// The most that nearness counts below.
    pub near: f64,
    /// Which tree, where several are searched together.
    pub tree: u32,
    /// The level of the node.
    pub level: u32,
    /// Its number in the level.
    pub n: u32,
}

impl PartialEq for Promise {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Promise {}

impl PartialOrd for Promise {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Promise {
    fn cmp(&self, other: &Self) -> Ordering {
        self.score.total_cmp(&other.score)
    }
}

/// Groups over leaves, groups over those, until one is enough.
#[derive(Clone, Default)]
pub struct Tree {
    /// The lowest first.
    levels: Vec<Vec<Arc<Group>>>,
    words: usize,
}

impl Tree {
    /// A tree over leaves, which are numbered in this order.
    pub fn over(leaves: Vec<Summary>, words: usize) -> Self {
        let mut levels: Vec<Vec<Arc<Group>>> = Vec::new();
        let mut below = leaves;
        while !below.is_empty() {
            let mut groups = Vec::with_capacity(below.len().div_ceil(WIDTH));
            let mut rest = below.into_iter().peekable();
            while rest.peek().is_some() {
                let children = rest.by_ref().take(WIDTH).collect();
                groups.push(Arc::new(Group::of(children)));
            }
            below = if groups.len() > 1 {
                groups.iter().map(|group| group.sum(words)).collect()
            } else {
                Vec::new()
            };
            levels.push(groups);
        }
        Self { levels, words }
    }

    /// The level of the root; none without leaves.
    pub fn height(&self) -> Option<usize> {
        self.levels.len().checked_sub(1)
    }

    /// A group: level 0 holds leaves.
    #[inline(always)]
    pub fn group(&self, level: usize, n: usize) -> &Group {
        &self.levels[level][n]
    }

    /// Widens what is known of a leaf, and of all above it, by something new in it.
    pub fn widen(&mut self, leaf: usize, by: &Summary) {
        let mut n = leaf;
        for level in &mut self.levels {
            let group = Arc::make_mut(&mut level[n / WIDTH]);
            group.children[n % WIDTH].join(by);
            group.lay_out(n % WIDTH);
            n /= WIDTH;
        }
    }

    /// Lowers the least load of a leaf and of all above it.
    pub fn lower_load(&mut self, leaf: usize, load: u8) {
        let mut n = leaf;
        for level in &mut self.levels {
            if level[n / WIDTH].children[n % WIDTH].load <= load {
                return;
            }
            Arc::make_mut(&mut level[n / WIDTH]).children[n % WIDTH].load = load;
            n /= WIDTH;
        }
    }

    /// Adds a leaf behind the last one.
    pub fn push(&mut self, leaf: Summary) {
        let words = self.words;
        let mut new = leaf;
        let mut level = 0;
        loop {
            if level == self.levels.len() {
                // the root had no room: a new one over the old and the new
                let below = level.checked_sub(1).map(|below| self.levels[below].clone());
                let mut children: Vec<Summary> = below
                    .into_iter()
                    .flatten()
                    .map(|group| group.sum(words))
                    .collect();
                if level == 0 {
                    children.push(new);
                }
                self.levels.push(vec![Arc::new(Group::of(children))]);
                return;
            }
            let groups = &mut self.levels[level];
            let is_full = groups
                .last()
                .is_none_or(|last| last.children.len() == WIDTH);
            if !is_full {
                let last = groups.len() - 1;
                let group = Arc::make_mut(&mut groups[last]);
                group.children.push(new.clone());
                group.lay_out(group.children.len() - 1);
                // all above hold it already as a child
                let mut n = last;
                for level in &mut self.levels[level + 1..] {
                    let group = Arc::make_mut(&mut level[n / WIDTH]);
                    group.children[n % WIDTH].join(&new);
                    group.lay_out(n % WIDTH);
                    n /= WIDTH;
                }
                return;
            }
            let group = Group::of(vec![new]);
            new = group.sum(words);
            groups.push(Arc::new(group));
            level += 1;
        }
    }

    /// Bytes it holds.
    pub fn bytes(&self) -> usize {
        let groups: usize = self.levels.iter().map(Vec::len).sum();
        let child = size_of::<Summary>() + 8 * self.words;
        groups * (size_of::<Group>() + WIDTH * child)
    }
}
