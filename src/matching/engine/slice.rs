//! Slices: one bit for each of the lanes of a block, so that a filter or a count is made of all at once.

/// Words of a slice: 64 bytes, a line of the cache.
pub const WORDS: usize = 8;
/// Lanes of a block.
pub const ROOM: usize = WORDS * 64;

/// One bit for each lane.
pub type Slice = [u64; WORDS];

/// Asks for the lines of something that is read soon: memory takes longer to answer than to say more.
#[inline(always)]
pub fn ahead<T>(of: &T) {
    const LINE: usize = 64;
    let first: *const u8 = std::ptr::from_ref(of).cast();
    for line in 0..size_of::<T>().div_ceil(LINE) {
        branches::prefetch_read_data::<u8, 0>(first.wrapping_add(line * LINE));
    }
}

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

/// All lanes of some words.
#[inline(always)]
pub fn words(which: impl Fn(usize) -> bool) -> Slice {
    std::array::from_fn(|word| if which(word) { u64::MAX } else { 0 })
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

/// The lanes in one of them.
#[inline(always)]
pub fn any(slices: &[Slice]) -> Slice {
    slices.iter().fold(NOBODY, |any, slice| or(&any, slice))
}

#[inline(always)]
pub fn is_empty(slice: &Slice) -> bool {
    slice.iter().fold(0, |all, word| all | word) == 0
}

#[inline(always)]
pub fn count(slice: &Slice) -> u32 {
    slice.iter().map(|word| word.count_ones()).sum()
}

/// Does something for each lane in it.
#[inline(always)]
pub fn each_lane(slice: &Slice, mut act: impl FnMut(usize)) {
    let mut words = 0_u32;
    for (word, bits) in slice.iter().enumerate() {
        words |= u32::from(*bits != 0) << word;
    }
    while words != 0 {
        let word = words.trailing_zeros() as usize;
        words &= words - 1;
        let mut bits = slice[word];
        while bits != 0 {
            act(word * 64 + bits.trailing_zeros() as usize);
            bits &= bits - 1;
        }
    }
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

/// Counts those in each of many slices, two at a time: in the last digit three bits become one and a
/// carry.
#[inline(always)]
pub fn counted<'a, const DIGITS: usize>(
    mut slices: impl Iterator<Item = &'a Slice>,
) -> [Slice; DIGITS] {
    let mut planes = [NOBODY; DIGITS];
    while let Some(one) = slices.next() {
        let Some(two) = slices.next() else {
            add(&mut planes, one);
            break;
        };
        let mut carry = NOBODY;
        for n in 0..WORDS {
            let (a, b, c) = (planes[0][n], one[n], two[n]);
            carry[n] = a & b | (a | b) & c;
            planes[0][n] = a ^ b ^ c;
        }
        add(&mut planes[1..], &carry);
    }
    planes
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
