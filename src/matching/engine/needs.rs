//! Needs as bit slices, like people: one bit a need, one slice a trait it requires or wants.

use std::collections::{BTreeMap, HashMap};

use pulp::{Arch, NullaryFnOnce};

use super::field::{self, Field, Place, at_lane, lane_at};
use super::people::{Profile, Query, all_or};
use super::slice::{
    NOBODY, ROOM, Slice, WORDS, add, and, and_not, equal, has, is_empty, lanes, number, or, same,
    set, set_number,
};
use super::sphere::{Origin, Reach, Reaches, Spots, Vector, distance_within};
use super::top::{Found, Top};
use super::tree::{Group, ROUNDING, Summary, WIDTH};
use super::{FLAGS, INTERESTS, Judge, MOST_LOAD, SLACK, Shares, Week, fairness, nearness};

/// A need in numbers: what it asks of people, and how many it has.
#[derive(Clone, Debug, PartialEq)]
pub struct Demand {
    /// What it asks of people.
    pub query: Query,
    /// Places already filled.
    pub filled: u8,
}

/// Binary digits of how many traits a need requires, and wants.
const DIGITS: usize = 3;
/// As many traits are not counted together.
const TOO_MANY: usize = 1 << DIGITS;

/// Different loads.
const LOADS: usize = 1 + MOST_LOAD as usize;

// Where the slices of a block stand.
const TAKEN: usize = 0;
const FLAG: usize = TAKEN + 1;
/// The needs of each kind of interest, with those that everybody cares for.
const INTEREST: usize = FLAG + FLAGS;
const FILLED: usize = INTEREST + INTERESTS;
/// How many traits are required.
const REQUIRED: usize = FILLED + 3;
/// How many traits are wanted.
const WANTED: usize = REQUIRED + DIGITS;
/// Needs with more of either than is counted.
const MANY: usize = WANTED + DIGITS;
/// For each trait those who require it, and those who want it.
const TRAITS: usize = MANY + 1;

/// Hours of a need.
#[derive(Clone, Copy, Debug, Default)]
struct Asked {
    week: Week,
    scale_m: f32,
    /// How many hours.
    hours: u8,
    /// Whether there is nothing [`More`] to know.
    is_plain: bool,
}

/// What bits do not tell of a need: where not all hours or traits count the same, or traits are many.
#[derive(Clone, Debug)]
struct More {
    /// Hours, and the share each has of all.
    hours: Vec<(u8, f64)>,
    /// The same of wanted traits.
    wanted: Vec<(u16, f64)>,
    required: Vec<u16>,
}

/// Turns weights into shares of their sum, each of what it is for once.
fn shared<T: Copy + Ord>(weights: &[(T, f64)]) -> Vec<(T, f64)> {
    let all: f64 = weights.iter().map(|(_, weight)| weight).sum();
    let mut shares: BTreeMap<T, f64> = BTreeMap::new();
    for (what, weight) in weights {
        *shares.entry(*what).or_default() += weight / all;
    }
    shares.into_iter().collect()
}

fn is_even<T>(shares: &[(T, f64)]) -> bool {
    shares.iter().all(|(_, share)| *share == shares[0].1)
}

/// Up to [`ROOM`] needs.
#[derive(Clone)]
struct Block {
    /// As far as the largest trait of any of them.
    slices: Vec<Slice>,
    /// Where those of each word are.
    reaches: Reaches<WORDS>,
    spots: Box<[Spots; WORDS]>,
    places: Box<[Place]>,
    asked: Box<[Asked]>,
    more: HashMap<usize, More>,
    /// The most that skills count where not all that is wanted is there.
    partly: f64,
}

impl field::Block for Block {
    fn taken(&self) -> &Slice {
        &self.slices[TAKEN]
    }
}

impl Block {
    fn new() -> Self {
        Self {
            slices: vec![NOBODY; TRAITS],
            reaches: Reaches::EMPTY,
            spots: Box::new([Spots::EMPTY; WORDS]),
            places: vec![Place::default(); ROOM].into(),
            asked: vec![Asked::default(); ROOM].into(),
            more: HashMap::new(),
            partly: 0.0,
        }
    }

    fn bytes(&self) -> usize {
        size_of::<Self>()
            + size_of_val(&*self.slices)
            + size_of_val(&*self.spots)
            + size_of_val(&*self.places)
            + size_of_val(&*self.asked)
    }

    /// Puts a need into a lane, and tells what is known of it.
    fn stand(&mut self, lane: usize, key: u32, demand: &Demand) -> Summary {
        let Demand { query, filled } = demand;
        for slice in &mut self.slices {
            set(slice, lane, false);
        }
        let mut more = More {
            hours: shared(&query.hours),
            wanted: shared(&query.wanted),
            required: query.required.clone(),
        };
        more.required.sort_unstable();
        more.required.dedup();
        let required = more.required.iter().map(|t| TRAITS + 2 * usize::from(*t));
        let wanted = more
            .wanted
            .iter()
            .map(|(t, _)| TRAITS + 2 * usize::from(*t) + 1);
        for slice in required.chain(wanted) {
            if slice >= self.slices.len() {
                self.slices.resize(slice + 1, NOBODY);
            }
            set(&mut self.slices[slice], lane, true);
        }
        set(&mut self.slices[TAKEN], lane, true);
        for flag in 0..FLAGS {
            set(
                &mut self.slices[FLAG + flag],
                lane,
                query.flags >> flag & 1 == 1,
            );
        }
        for kind in 0..INTERESTS {
            let is_of = query.interest.is_none_or(|own| usize::from(own) == kind);
            set(&mut self.slices[INTEREST + kind], lane, is_of);
        }
        let (required, wanted) = (more.required.len(), more.wanted.len());
        let filled = usize::from((*filled).min(MOST_LOAD));
        set_number(&mut self.slices[FILLED..REQUIRED], lane, filled);
        set_number(&mut self.slices[REQUIRED..WANTED], lane, required);
        set_number(&mut self.slices[WANTED..MANY], lane, wanted);
        let are_many = required.max(wanted) >= TOO_MANY;
        set(&mut self.slices[MANY], lane, are_many);

        let mut week: Week = [0; 3];
        for (hour, _) in &more.hours {
            week[usize::from(hour / 64)] |= 1 << (hour % 64);
        }
        let is_plain = is_even(&more.hours) && is_even(&more.wanted) && !are_many;
        self.asked[lane] = Asked {
            week,
            scale_m: query.scale_m as f32,
            hours: more.hours.len() as u8,
            is_plain,
        };
        let shares = more.wanted.iter().map(|(_, share)| *share);
        self.partly = self.partly.max(1.0 - shares.fold(1.0, f64::min));
        self.more.remove(&lane);
        if !is_plain {
            self.more.insert(lane, more);
        }
        self.places[lane] = Place {
            vector: query.site.map_or([0.0; 3], |site| site.point.vector()),
            radius_m: query.site.map_or(0.0, |site| site.radius_m),
            key,
        };
        if let Some(site) = query.site {
            self.spots[lane / 64].set(lane % 64, site);
        }
        let reach = Reach::of(query.site);
        self.reaches.join(lane / 64, &reach);
        Summary {
            reach,
            ..Summary::empty(0)
        }
    }
}

/// Where needs that have a place stand, and those that have none.
const PLACED: usize = 0;
const REMOTE: usize = 1;

/// Every open need, as one snapshot. Cheap to clone.
#[derive(Clone, Default)]
pub struct Board {
    fields: [Field<Block>; 2],
    /// The largest scale that a need ever had.
    scale_m: f64,
}

/// What needs have in common by which a part of their score is known, and that part.
struct Class {
    score: f64,
    /// Whether all wanted skills are there; they are not in the score otherwise.
    is_skilled: bool,
    cares: bool,
    filled: u8,
}

/// A person laid out for a search.
struct Looking<'a> {
    seeker: &'a Profile,
    /// The slices of the flags that the person lacks.
    lacks: Vec<usize>,
    /// The slices of interests that the person cares for; none: for all.
    interests: Vec<usize>,
    from: Vec<(Origin, Vector, f32)>,
    /// The most promising first.
    classes: Vec<Class>,
    shares: [f64; 5],
    scale_m: f64,
}

impl<'a> Looking<'a> {
    fn of(seeker: &'a Profile, Shares(shares): Shares, scale_m: f64) -> Self {
        let bits = |bits: u8, count: usize| (0..count).filter(move |n| bits >> n & 1 == 1);
        let interests = bits(all_or(seeker.interests), INTERESTS).map(|kind| INTEREST + kind);
        let interests: Vec<_> = interests.collect();
        let mut classes = Vec::with_capacity(4 * (1 + usize::from(MOST_LOAD)));
        for (is_skilled, cares) in [(true, true), (true, false), (false, true), (false, false)] {
            let skills = if is_skilled { shares[0] } else { 0.0 };
            let interest = if cares { shares[3] } else { 0.0 };
            classes.extend((0..=MOST_LOAD).map(|filled| Class {
                score: skills + interest + shares[4] * fairness(filled),
                is_skilled,
                cares,
                filled,
            }));
        }
        let from = seeker.sites.iter();
        let from = from.map(|site| (Origin::from(site.point), site.point.vector(), site.radius_m));
        Self {
            seeker,
            lacks: bits(!seeker.flags, FLAGS).map(|flag| FLAG + flag).collect(),
            interests: if interests.len() == INTERESTS {
                Vec::new()
            } else {
                interests
            },
            from: from.collect(),
            classes,
            shares,
            scale_m,
        }
    }

    /// The least distances of several reaches from all places of the person; infinite out of reach.
    #[inline(always)]
    fn at_least<const N: usize>(&self, reaches: &Reaches<N>) -> [f32; N] {
        let mut nearest = [f32::INFINITY; N];
        for (origin, _, own_m) in &self.from {
            let metres = reaches.at_least(origin, *own_m);
            for n in 0..N {
                nearest[n] = nearest[n].min(metres[n]);
            }
        }
        nearest
    }

    /// The children of a group where needs may be in reach, and the most that any of them is worth.
    #[inline(always)]
    fn reach(&self, group: &Group) -> (u16, [f32; WIDTH]) {
        let shares = self.shares.map(|share| share as f32);
        let scale_m = self.scale_m as f32;
        let metres = self.at_least(&group.reaches);
        let mut children = group.all();
        let mut scores = [ROUNDING + shares[0] + shares[2] + shares[3] + shares[4]; WIDTH];
        for child in 0..WIDTH {
            scores[child] += shares[1] * (scale_m / (scale_m + metres[child]));
            children &= !(u16::from(metres[child] == f32::INFINITY) << child);
        }
        (children, scores)
    }

    /// Offers every need of a block that the person passes and that may be good enough.
    #[inline(always)]
    fn search<J: Judge>(
        &self,
        block: &Block,
        is_remote: bool,
        top: &mut Top<J::Tie>,
        judge: &mut J,
    ) {
        let slices = &block.slices;
        let mut left = slices[TAKEN];
        let mut near = [1.0; WORDS];
        if !is_remote {
            let metres = self.at_least(&block.reaches);
            for word in 0..WORDS {
                near[word] = nearness(f64::from(metres[word]), self.scale_m);
                if metres[word] == f32::INFINITY {
                    left[word] = 0;
                }
            }
        }
        for slice in &self.lacks {
            left = and_not(&left, &slices[*slice]);
        }
        // of the traits required and wanted the person has so many
        let mut having = [[NOBODY; DIGITS]; 2];
        for t in &self.seeker.traits {
            let slice = TRAITS + 2 * usize::from(*t);
            for (n, digits) in having.iter_mut().enumerate() {
                if let Some(those) = slices.get(slice + n) {
                    add(digits, those);
                }
            }
        }
        let [required, wanted] = &having;
        let able = same(required, &slices[REQUIRED..WANTED], &left);
        let mut left = or(&able, &and(&left, &slices[MANY]));
        if !is_remote {
            for (word, bits) in left.iter_mut().enumerate().filter(|(_, bits)| **bits != 0) {
                let (spots, cos) = (&block.spots[word], block.reaches.cos(word));
                let from = self.from.iter();
                let near = from.map(|(origin, _, own_m)| spots.within(origin, *own_m, cos));
                *bits &= near.fold(0, |any, near| any | near);
            }
        }
        if is_empty(&left) {
            return;
        }
        let skilled = and_not(&same(wanted, &slices[WANTED..MANY], &left), &slices[MANY]);
        let mut cared = left;
        if !self.interests.is_empty() {
            let kinds = self.interests.iter();
            let any = kinds.fold(NOBODY, |any, slice| or(&any, &slices[*slice]));
            cared = and(&left, &any);
        }
        let nearest = near.iter().fold(0.0_f64, |most, near| most.max(*near));
        let filled = &slices[FILLED..REQUIRED];
        let filled: [Slice; LOADS] = std::array::from_fn(|n| equal(filled, n, &left));
        for class in &self.classes {
            let skills = if class.is_skilled {
                0.0
            } else {
                self.shares[0] * block.partly
            };
            let others = class.score + skills + self.shares[2];
            if others + self.shares[1] * nearest < top.least() - SLACK {
                continue;
            }
            let those = &filled[usize::from(class.filled)];
            let those = match class.is_skilled {
                true => and(those, &skilled),
                false => and_not(those, &skilled),
            };
            let those = match class.cares {
                true => and(&those, &cared),
                false => and_not(&those, &cared),
            };
            if is_empty(&those) {
                continue;
            }
            for lane in lanes(&those) {
                let near = self.shares[1] * near[lane / 64];
                if others + near < top.least() - SLACK {
                    continue;
                }
                let least = top.least() - SLACK - near;
                let Some(rest) = self.rest(block, class, wanted, lane, least) else {
                    continue;
                };
                let place = &block.places[lane];
                let mut score = rest + self.shares[1];
                if !is_remote {
                    let passing = self.from.iter().filter_map(|(_, from, own_m)| {
                        distance_within(from, &place.vector, own_m.min(place.radius_m))
                    });
                    let Some(metres) = passing.reduce(f64::min) else {
                        continue;
                    };
                    let scale_m = f64::from(block.asked[lane].scale_m);
                    score = rest + self.shares[1] * nearness(metres, scale_m);
                }
                let key = place.key;
                if score >= top.least() - SLACK
                    && let Some((score, tie)) = judge.judge(key, score)
                {
                    top.offer(Found { score, tie, key }, false);
                }
            }
        }
    }

    /// What a need is worth but for nearness; none where the person does not pass, or it stays below
    /// `least`.
    #[inline(always)]
    fn rest(
        &self,
        block: &Block,
        class: &Class,
        wanted: &[Slice],
        lane: usize,
        least: f64,
    ) -> Option<f64> {
        let asked = &block.asked[lane];
        let free = |hour: u8| self.seeker.hours[usize::from(hour / 64)] >> (hour % 64) & 1 == 1;
        let words = asked.week.iter().zip(&self.seeker.hours);
        let common: u32 = words.map(|(a, b)| (a & b).count_ones()).sum();
        if common == 0 && asked.hours > 0 {
            return None;
        }
        let more = match asked.is_plain {
            true => None,
            false => block.more.get(&lane),
        };
        let availability = match more {
            _ if asked.hours == 0 => 1.0,
            None => f64::from(common) / f64::from(asked.hours),
            Some(more) => more
                .hours
                .iter()
                .filter(|(hour, _)| free(*hour))
                .map(|(_, share)| share)
                .sum(),
        };
        let knows = |t: u16| self.seeker.traits.contains(&t);
        let skills = match more {
            _ if class.is_skilled => 0.0, // in the class
            None => {
                let all = number(&block.slices[WANTED..MANY], lane);
                number(wanted, lane) as f64 / all as f64
            }
            Some(more) if more.wanted.is_empty() => 1.0,
            Some(more) => more
                .wanted
                .iter()
                .filter(|(t, _)| knows(*t))
                .map(|(_, share)| share)
                .sum(),
        };
        if let Some(more) = more
            && has(&block.slices[MANY], lane)
            && !more.required.iter().all(|t| knows(*t))
        {
            return None;
        }
        let rest = class.score + self.shares[2] * availability + self.shares[0] * skills;
        (rest >= least).then_some(rest)
    }
}

impl Board {
    /// The best `k` needs for a person: by score, then by the judge's tie-breaker.
    pub fn search<J: Judge>(
        &self,
        seeker: &Profile,
        shares: Shares,
        k: usize,
        judge: &mut J,
    ) -> Vec<Found<J::Tie>> {
        let mut top = Top::new(k);
        if k > 0 {
            Arch::new().dispatch(Search {
                fields: &self.fields,
                looking: Looking::of(seeker, shares, self.scale_m),
                top: &mut top,
                judge,
            });
        }
        top.into_vec()
    }

    /// How many bytes it holds.
    pub fn bytes(&self) -> usize {
        let fields = self.fields.iter().map(|field| {
            let blocks = field.blocks.iter().map(|block| block.bytes());
            field.bytes() + blocks.sum::<usize>()
        });
        fields.sum()
    }
}

/// A search under way. A closure would be compiled apart, for the least of all processors.
struct Search<'a, J: Judge> {
    fields: &'a [Field<Block>; 2],
    looking: Looking<'a>,
    top: &'a mut Top<J::Tie>,
    judge: &'a mut J,
}

impl<J: Judge> NullaryFnOnce for Search<'_, J> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let Field { tree, blocks, .. } = &self.fields[PLACED];
        tree.visit(
            #[inline(always)]
            |group| self.looking.reach(group),
            #[inline(always)]
            |n| {
                self.looking.search(&blocks[n], false, self.top, self.judge);
                self.top.least() - SLACK
            },
        );
        for block in &self.fields[REMOTE].blocks {
            self.looking.search(block, true, self.top, self.judge);
        }
    }
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
            set(&mut block.slices[TAKEN], lane, false);
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
