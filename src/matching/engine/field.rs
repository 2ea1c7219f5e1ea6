//! Blocks of neighbours under a tree: what people and needs stand in.

use std::sync::Arc;

use super::slice::{ROOM, Slice, WORDS};
use super::tree::{Summary, Tree};

/// How many lanes of a word are built full: the rest is room for who moves in.
const FILL: usize = 60;
/// How many words to either side are asked for room.
const NEIGHBOURS: usize = 64;

/// What a field is made of. The lanes of a word are neighbours.
pub trait Block: Clone {
    /// The lanes that somebody stands in.
    fn taken(&self) -> &Slice;
}

/// Blocks along a curve, those added later at the end.
#[derive(Clone)]
pub struct Field<B> {
    pub blocks: Vec<Arc<B>>,
    pub tree: Tree,
    /// Where each word begins along the curve.
    begins: Arc<[u64]>,
}

impl<B> Default for Field<B> {
    fn default() -> Self {
        Self {
            blocks: Vec::new(),
            tree: Tree::default(),
            begins: Arc::default(),
        }
    }
}

impl<B: Block> Field<B> {
    /// A field of what is given in the order of the curve, a block at a time: with the lane of each.
    /// `slices` of a summary are kept.
    pub fn over<T>(
        ordered: &[T],
        slices: usize,
        along: impl Fn(&T) -> u64,
        mut block: impl FnMut(usize, &mut dyn Iterator<Item = (usize, &T)>) -> (B, Summary),
    ) -> Self {
        let mut field = Self {
            begins: ordered.chunks(FILL).map(|word| along(&word[0])).collect(),
            ..Self::default()
        };
        let mut sums = Vec::new();
        for (n, chunk) in ordered.chunks(FILL * WORDS).enumerate() {
            let lanes = chunk.iter().enumerate();
            let mut lanes = lanes.map(|(i, one)| (i / FILL * 64 + i % FILL, one));
            let (block, sum) = block(n, &mut lanes);
            field.blocks.push(Arc::new(block));
            sums.push(sum);
        }
        field.tree = Tree::over(sums, slices);
        field
    }

    /// A free lane near a place along the curve: its block and its number. In a new block at the end
    /// where there is none.
    pub fn room(&mut self, along: u64, blank: impl FnOnce() -> B) -> (usize, usize) {
        let free = |word: usize| {
            let (block, word) = (word / WORDS, word % WORDS);
            let bits = self.blocks[block].taken()[word];
            (bits != u64::MAX).then(|| (block, word * 64 + bits.trailing_ones() as usize))
        };
        let begins = &self.begins;
        let nearest = begins.partition_point(|begin| *begin <= along);
        let nearest = nearest.saturating_sub(1);
        let near = (0..=NEIGHBOURS).flat_map(|step| [nearest + step, nearest.wrapping_sub(step)]);
        let near = near.filter(|word| *word < begins.len()).find_map(free);
        let is_added = self.blocks.len() > begins.len().div_ceil(WORDS);
        let last = self.blocks.len().saturating_sub(1) * WORDS;
        let found = near.or_else(|| (last..last + WORDS).filter(|_| is_added).find_map(free));
        found.unwrap_or_else(|| {
            self.blocks.push(Arc::new(blank()));
            self.tree.push();
            (self.blocks.len() - 1, 0)
        })
    }

    /// A block to write in: its own copy where a snapshot shares it.
    pub fn block(&mut self, n: usize) -> &mut B {
        Arc::make_mut(&mut self.blocks[n])
    }

    /// Bytes it holds beside its blocks.
    pub fn bytes(&self) -> usize {
        self.tree.bytes() + size_of_val(&*self.begins)
    }
}

/// Where a lane is, as one number.
pub fn lane_at(block: usize, lane: usize) -> u32 {
    (block * ROOM + lane) as u32
}

/// The block and the lane of such a number.
pub fn at_lane(at: u32) -> (usize, usize) {
    (at as usize / ROOM, at as usize % ROOM)
}
