//! Slices: one bit for each of the lanes of a block, so that a filter or a count is made of all at once.

/// Words of a slice: 64 bytes, a line of the cache.
pub const WORDS: usize = 8;
/// Lanes of a block.
pub const ROOM: usize = WORDS * 64;

/// One bit for each lane.
pub type Slice = [u64; WORDS];

/// No lane.
pub const NOBODY: Slice = [0; WORDS];

#[inline(always)]
pub fn and(a: &Slice, b: &Slice) -> Slice {
    let mut both = *a;
    for n in 0..WORDS {
        both[n] &= b[n];
    }
    both
}

#[inline(always)]
pub fn and_not(a: &Slice, b: &Slice) -> Slice {
    let mut only = *a;
    for n in 0..WORDS {
        only[n] &= !b[n];
    }
    only
}

#[inline(always)]
pub fn or(a: &Slice, b: &Slice) -> Slice {
    let mut any = *a;
    for n in 0..WORDS {
        any[n] |= b[n];
    }
    any
}

#[inline(always)]
pub fn is_empty(slice: &Slice) -> bool {
    slice.iter().fold(0, |all, word| all | word) == 0
}

#[inline(always)]
pub fn count(slice: &Slice) -> u32 {
    slice.iter().map(|word| word.count_ones()).sum()
}

/// The lanes in it.
#[inline(always)]
pub fn lanes(slice: &Slice) -> impl Iterator<Item = usize> {
    slice.iter().enumerate().flat_map(|(word, bits)| {
        let mut left = *bits;
        std::iter::from_fn(move || {
            let bit = (left != 0).then(|| left.trailing_zeros() as usize)?;
            left &= left - 1;
            Some(word * 64 + bit)
        })
    })
}

#[inline(always)]
pub fn has(slice: &Slice, lane: usize) -> bool {
    slice[lane / 64] >> (lane % 64) & 1 == 1
}

#[inline(always)]
pub fn set(slice: &mut Slice, lane: usize, to: bool) {
    let word = &mut slice[lane / 64];
    *word = *word & !(1 << (lane % 64)) | u64::from(to) << (lane % 64);
}

/// The number of a lane; numbers stand upright, a plane for each binary digit.
#[inline(always)]
pub fn number(planes: &[Slice], lane: usize) -> usize {
    let digits = planes.iter().enumerate();
    digits
        .map(|(digit, plane)| usize::from(has(plane, lane)) << digit)
        .sum()
}

/// Sets the number of a lane.
pub fn set_number(planes: &mut [Slice], lane: usize, to: usize) {
    for (digit, plane) in planes.iter_mut().enumerate() {
        set(plane, lane, to >> digit & 1 == 1);
    }
}

/// Counts one more where the bit is set.
#[inline(always)]
pub fn add(planes: &mut [Slice], bit: &Slice) {
    let mut carry = *bit;
    for plane in planes {
        let next = and(plane, &carry);
        for n in 0..WORDS {
            plane[n] ^= carry[n];
        }
        carry = next;
    }
}

/// Those of `among` whose number is exactly this one.
#[inline(always)]
pub fn equal(planes: &[Slice], number: usize, among: &Slice) -> Slice {
    let mut left = *among;
    for (digit, plane) in planes.iter().enumerate() {
        left = if number >> digit & 1 == 1 {
            and(&left, plane)
        } else {
            and_not(&left, plane)
        };
    }
    left
}

/// Those of `among` whose number is this one or more.
#[inline(always)]
pub fn at_least(planes: &[Slice], number: usize, among: &Slice) -> Slice {
    let (mut more, mut same) = (NOBODY, *among);
    for (digit, plane) in planes.iter().enumerate().rev() {
        if number >> digit & 1 == 1 {
            same = and(&same, plane);
        } else {
            more = or(&more, &and(&same, plane));
            same = and_not(&same, plane);
        }
    }
    or(&more, &same)
}

/// Those of `among` whose two numbers are the same.
#[inline(always)]
pub fn same(planes: &[Slice], others: &[Slice], among: &Slice) -> Slice {
    let mut left = *among;
    for (plane, other) in planes.iter().zip(others) {
        for n in 0..WORDS {
            left[n] &= !(plane[n] ^ other[n]);
        }
    }
    left
}
