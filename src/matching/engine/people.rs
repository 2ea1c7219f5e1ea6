//! People in blocks of neighbours, searched from the most promising on.

use std::collections::{BinaryHeap, HashMap};
use std::sync::Arc;

use pulp::Arch;

use super::block::{Block, Layout, Plan, ROOM};
use super::sphere::{Origin, Point, point};
use super::top::{Found, Top};
use super::tree::{Promise, Summary, Tree, WIDTH};
use super::{HOURS, INTERESTS, Judge, SLACK, Shares, Site, Week, fairness, nearness};

/// How full blocks are built: the rest is room for who moves in.
const FILL: usize = ROOM * 15 / 16;
/// How many blocks to either side are asked for room.
const NEIGHBOURS: usize = 8;
/// No lane.
const NOWHERE: u32 = u32::MAX;

/// A person in numbers.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Profile {
    /// From where the person sets out; with several the best one counts. None: for remote needs only.
    pub sites: Vec<Site>,
    /// What the person has of all traits: skills, levels, qualifications.
    pub traits: Vec<u16>,
    /// Free hours.
    pub hours: Week,
    /// Bits of flags.
    pub flags: u8,
    /// Bits of interests; none means all.
    pub interests: u8,
    /// Open commitments.
    pub load: u8,
}

/// What a need asks of people.
#[derive(Clone, Debug, PartialEq)]
pub struct Query {
    /// Where, and from how far people are taken; none for a remote need.
    pub site: Option<Site>,
    /// The distance at which nearness counts one half, in metres.
    pub scale_m: f64,
    /// Traits that a person must have.
    pub required: Vec<u16>,
    /// Traits that help, and how much each counts beside the others.
    pub wanted: Vec<(u16, f64)>,
    /// Hours, and how much each counts beside the others; one of them must be free. None: any time.
    pub hours: Vec<(u8, f64)>,
    /// Flags that a person must have.
    pub flags: u8,
    /// The interest it serves; none: everybody cares.
    pub interest: Option<u8>,
}

/// Turns weights into shares of their sum.
fn shared<T: Copy>(weights: &[(T, f64)], slice: impl Fn(T) -> usize) -> (Vec<(usize, f64)>, f64) {
    let all: f64 = weights.iter().map(|(_, weight)| weight).sum();
    let shares: Vec<_> = weights
        .iter()
        .map(|(what, weight)| (slice(*what), weight / all))
        .collect();
    let most = shares.iter().map(|(_, share)| *share).fold(0.0, f64::max);
    (shares, most)
}

/// A level that stands for a block.
const BLOCK: u32 = u32::MAX;

/// Everybody, as one snapshot. Cheap to clone.
#[derive(Clone)]
pub struct Crowd {
    layout: Layout,
    blocks: Vec<Arc<Block>>,
    tree: Tree,
}

impl Crowd {
    /// The best `k` people for a need: by score, then by the judge's tie-breaker.
    pub fn search<J: Judge>(
        &self,
        query: &Query,
        shares: Shares,
        k: usize,
        judge: &mut J,
    ) -> Vec<Found<J::Tie>> {
        let mut top = Top::new(k);
        let plan = self.plan(query, shares);
        let mut week: Week = [0; 3];
        for (hour, _) in &query.hours {
            week[usize::from(hour / 64)] |= 1 << (hour % 64);
        }
        let origin = query.site.map(|site| Origin::from(site.point));
        let Some(root) = self.tree.height().filter(|_| k > 0) else {
            return Vec::new();
        };
        Arch::new().dispatch(
            #[inline(always)]
            || {
                let mut open = BinaryHeap::with_capacity(128);
                open.push(Promise {
                    score: f64::INFINITY,
                    near: 1.0,
                    tree: 0,
                    level: root as u32,
                    n: 0,
                });
                while let Some(best) = open.pop() {
                    if best.score + SLACK < top.least() {
                        break;
                    }
                    if best.level == BLOCK {
                        self.blocks[best.n as usize].search(&plan, best.near, &mut top, judge);
                        continue;
                    }
                    let group = self.tree.group(best.level as usize, best.n as usize);
                    let least = top.least() - SLACK;
                    let metres = origin.map(|origin| group.at_least(&origin));
                    for (i, child) in group.children.iter().enumerate() {
                        let near = match (&metres, &query.site) {
                            (Some(metres), Some(site)) => {
                                let metres = metres[i];
                                if metres > site.radius_m.min(group.radius_m[i]) {
                                    continue;
                                }
                                nearness(f64::from(metres), query.scale_m)
                            }
                            _ => 1.0,
                        };
                        let Some(rest) = reach(child, query, &plan, &week) else {
                            continue;
                        };
                        let score = rest + plan.shares.0[1] * near;
                        if score < least {
                            continue;
                        }
                        let n = best.n * WIDTH as u32 + i as u32;
                        let level = best.level.checked_sub(1).unwrap_or(BLOCK);
                        open.push(Promise {
                            score,
                            near,
                            tree: 0,
                            level,
                            n,
                        });
                    }
                }
            },
        );
        top.into_vec()
    }

    fn plan(&self, query: &Query, shares: Shares) -> Plan {
        let layout = self.layout;
        let mut must: Vec<usize> = query.required.iter().map(|t| usize::from(*t)).collect();
        let flags = (0..super::FLAGS).filter(|flag| query.flags >> flag & 1 == 1);
        must.extend(flags.map(|flag| layout.flag(flag)));
        if query.site.is_some() {
            must.push(layout.placed());
        }
        let (hours, most_hour) = shared(&query.hours, |hour| layout.hour(usize::from(hour)));
        let (wanted, most_wanted) = shared(&query.wanted, usize::from);
        Plan {
            must,
            hours,
            most_hour,
            wanted,
            most_wanted,
            interest: query
                .interest
                .map(|kind| layout.interest(usize::from(kind))),
            shares,
            from: query.site.map(|site| (site.point.vector(), site.radius_m)),
            scale_m: query.scale_m,
            layout,
        }
    }

    /// How many bytes it holds.
    pub fn bytes(&self) -> usize {
        self.blocks.iter().map(|block| block.bytes()).sum::<usize>() + self.tree.bytes()
    }
}

/// The most that anybody below reaches without nearness; none where nobody passes.
#[inline(always)]
fn reach(child: &Summary, query: &Query, plan: &Plan, week: &Week) -> Option<f64> {
    let has = |trait_: u16| child.traits[usize::from(trait_ / 64)] >> (trait_ % 64) & 1 == 1;
    if query.flags & !child.flags != 0 || !query.required.iter().all(|t| has(*t)) {
        return None;
    }
    let shares = &plan.shares.0;
    let mut score = shares[4] * fairness(child.load);
    if query.hours.is_empty() {
        score += shares[2];
    } else {
        let common = (0..3)
            .map(|n| (child.hours[n] & week[n]).count_ones())
            .sum::<u32>();
        if common == 0 {
            return None;
        }
        score += shares[2] * (f64::from(common) * plan.most_hour).min(1.0);
    }
    if query.wanted.is_empty() {
        score += shares[0];
    } else {
        let wanted = query.wanted.iter().zip(&plan.wanted);
        let had = wanted.map(|((t, _), (_, share))| if has(*t) { *share } else { 0.0 });
        score += shares[0] * had.sum::<f64>();
    }
    if query
        .interest
        .is_none_or(|kind| child.interests >> kind & 1 == 1)
    {
        score += shares[3];
    }
    Some(score)
}

/// Everybody, with what it takes to change them.
#[derive(Clone)]
pub struct People {
    crowd: Crowd,
    /// Where each block begins along the curve; those added later are not in it.
    begins: Vec<u64>,
    /// In which lane a key stands: block · [`ROOM`] + lane.
    home: Vec<u32>,
    /// The further lanes of those with several places.
    also: HashMap<u32, Vec<u32>>,
    people: usize,
    /// Lanes changed since it was built.
    worn: usize,
}

impl People {
    /// Nobody, with so many traits.
    pub fn new(traits: usize) -> Self {
        Self::build(traits, 0, |_, _| false)
    }

    /// Everybody at once. `fill` writes the profile of a key below `keys` into a blank one, and says
    /// false where there is nobody; it is asked twice.
    pub fn build(traits: usize, keys: u32, fill: impl Fn(u32, &mut Profile) -> bool) -> Self {
        let layout = Layout { traits };
        let mut profile = Profile::default();
        let fill = |key: u32, profile: &mut Profile| {
            profile.sites.clear();
            profile.traits.clear();
            fill(key, profile)
        };
        let mut lanes: Vec<(u64, u32, u32)> = Vec::with_capacity(keys as usize);
        let mut people = 0;
        for key in 0..keys {
            if !fill(key, &mut profile) {
                continue;
            }
            people += 1;
            if profile.sites.is_empty() {
                lanes.push((u64::MAX, key, 0));
            }
            for (n, site) in profile.sites.iter().enumerate() {
                lanes.push((site.point.along(), key, n as u32));
            }
        }
        lanes.sort_unstable();
        let words = traits.div_ceil(64);
        let mut this = Self {
            crowd: Crowd {
                layout,
                blocks: Vec::with_capacity(lanes.len().div_ceil(FILL)),
                tree: Tree::default(),
            },
            begins: Vec::new(),
            home: vec![NOWHERE; keys as usize],
            also: HashMap::new(),
            people,
            worn: 0,
        };
        let mut leaves = Vec::new();
        for chunk in lanes.chunks(FILL) {
            let mut block = Block::new(layout);
            let mut sum = Summary::empty(words);
            for (lane, (_, key, n)) in chunk.iter().enumerate() {
                fill(*key, &mut profile);
                let site = profile.sites.get(*n as usize).copied();
                stand(&mut block, layout, lane, *key, site, &profile);
                sum.join(&summary(words, site, &profile));
                let at = (this.crowd.blocks.len() * ROOM + lane) as u32;
                this.note(*key, at);
            }
            this.begins.push(chunk[0].0);
            this.crowd.blocks.push(Arc::new(block));
            leaves.push(sum);
        }
        this.crowd.tree = Tree::over(leaves, words);
        this
    }

    fn note(&mut self, key: u32, at: u32) {
        let n = key as usize;
        if n >= self.home.len() {
            self.home.resize(n + 1, NOWHERE);
        }
        if self.home[n] == NOWHERE {
            self.home[n] = at;
        } else {
            self.also.entry(key).or_default().push(at);
        }
    }

    /// A snapshot to search in.
    pub fn crowd(&self) -> &Crowd {
        &self.crowd
    }

    /// How many people there are.
    pub fn len(&self) -> usize {
        self.people
    }

    /// Whether there is nobody.
    pub fn is_empty(&self) -> bool {
        self.people == 0
    }

    /// How much of it changed place since it was built, as a share: bounds have widened by then.
    pub fn wear(&self) -> f64 {
        self.worn as f64 / self.people.max(1) as f64
    }

    fn lanes_of(&self, key: u32) -> Vec<u32> {
        let home = self
            .home
            .get(key as usize)
            .copied()
            .filter(|at| *at != NOWHERE);
        let also = self.also.get(&key).into_iter().flatten().copied();
        home.into_iter().chain(also).collect()
    }

    /// Puts a person in the place of who was there before under this key.
    pub fn put(&mut self, key: u32, profile: &Profile) {
        self.remove(key);
        self.people += 1;
        if profile.sites.is_empty() {
            self.settle(key, None, profile);
        }
        for site in &profile.sites {
            self.settle(key, Some(*site), profile);
        }
    }

    /// Forgets a person.
    pub fn remove(&mut self, key: u32) {
        let lanes = self.lanes_of(key);
        if lanes.is_empty() {
            return;
        }
        for at in lanes {
            let (block, lane) = (at as usize / ROOM, at as usize % ROOM);
            let layout = self.crowd.layout;
            Arc::make_mut(&mut self.crowd.blocks[block]).set(layout.taken(), lane, false);
        }
        self.home[key as usize] = NOWHERE;
        self.also.remove(&key);
        self.people -= 1;
    }

    /// Notes how much a person has taken on.
    pub fn set_load(&mut self, key: u32, load: u8) {
        let layout = self.crowd.layout;
        let home = self.home.get(key as usize).copied().unwrap_or(NOWHERE);
        if home == NOWHERE {
            return;
        }
        let also = self.also.get(&key).map_or(&[][..], |also| also);
        for at in std::iter::once(&home).chain(also) {
            let (block, lane) = (*at as usize / ROOM, *at as usize % ROOM);
            Arc::make_mut(&mut self.crowd.blocks[block]).set_load(layout, lane, load);
            self.crowd.tree.lower_load(block, load);
        }
    }

    /// The profile of a person, as it is kept; none of somebody unknown.
    pub fn profile(&self, key: u32) -> Option<Profile> {
        let lanes = self.lanes_of(key);
        let layout = self.crowd.layout;
        let first = *lanes.first()?;
        let (block, lane) = (
            &self.crowd.blocks[first as usize / ROOM],
            first as usize % ROOM,
        );
        let mut profile = Profile {
            load: block.load(layout, lane),
            ..Profile::default()
        };
        profile.traits = (0..layout.traits)
            .filter(|t| block.has(*t, lane))
            .map(|t| t as u16)
            .collect();
        for hour in (0..HOURS).filter(|hour| block.has(layout.hour(*hour), lane)) {
            profile.hours[hour / 64] |= 1 << (hour % 64);
        }
        let bits = |count: usize, slice: &dyn Fn(usize) -> usize| {
            (0..count)
                .filter(|n| block.has(slice(*n), lane))
                .fold(0_u8, |all, n| all | 1 << n)
        };
        profile.flags = bits(super::FLAGS, &|n| layout.flag(n));
        profile.interests = bits(INTERESTS, &|n| layout.interest(n));
        for at in lanes {
            let (block, lane) = (&self.crowd.blocks[at as usize / ROOM], at as usize % ROOM);
            if block.has(layout.placed(), lane) {
                profile.sites.push(Site {
                    point: point(&block.vectors[lane]),
                    radius_m: block.radius_m[lane],
                });
            }
        }
        Some(profile)
    }

    /// Moves somebody who has one place to another one, as far around as before. Whoever has several
    /// is put anew.
    pub fn move_to(&mut self, key: u32, point: Point) {
        let Some(mut profile) = self.profile(key) else {
            return;
        };
        if let [site] = profile.sites.as_mut_slice() {
            site.point = point;
            self.put(key, &profile);
        }
    }

    fn settle(&mut self, key: u32, site: Option<Site>, profile: &Profile) {
        let layout = self.crowd.layout;
        let (n, lane) = self.room_for(site);
        let block = Arc::make_mut(&mut self.crowd.blocks[n]);
        for slice in 0..layout.slices() {
            block.set(slice, lane, false);
        }
        stand(block, layout, lane, key, site, profile);
        let new = summary(layout.traits.div_ceil(64), site, profile);
        self.crowd.tree.widen(n, &new);
        self.note(key, (n * ROOM + lane) as u32);
        self.worn += 1;
    }

    /// A free lane near a place; in a new block at the end where there is none.
    fn room_for(&mut self, site: Option<Site>) -> (usize, usize) {
        let layout = self.crowd.layout;
        let along = site.map_or(u64::MAX, |site| site.point.along());
        let nearest = self
            .begins
            .partition_point(|begin| *begin <= along)
            .saturating_sub(1);
        let last = self.crowd.blocks.len();
        let free = |n: usize| {
            let lane = self.crowd.blocks[n].free_lane(layout)?;
            Some((n, lane))
        };
        for step in 0..=NEIGHBOURS {
            for n in [nearest + step, nearest.wrapping_sub(step)] {
                if n < self.begins.len()
                    && let Some(found) = free(n)
                {
                    return found;
                }
            }
        }
        if last > self.begins.len()
            && let Some(found) = free(last - 1)
        {
            return found;
        }
        self.crowd.blocks.push(Arc::new(Block::new(layout)));
        self.crowd
            .tree
            .push(Summary::empty(layout.traits.div_ceil(64)));
        (last, 0)
    }

    /// How many bytes it holds, without where each key stands.
    pub fn bytes(&self) -> usize {
        self.crowd.bytes() + 8 * self.begins.len()
    }
}

/// Puts a person into a blank lane.
fn stand(
    block: &mut Block,
    layout: Layout,
    lane: usize,
    key: u32,
    site: Option<Site>,
    profile: &Profile,
) {
    for t in &profile.traits {
        block.set(usize::from(*t), lane, true);
    }
    for word in 0..3 {
        let mut bits = profile.hours[word];
        while bits != 0 {
            let hour = word * 64 + bits.trailing_zeros() as usize;
            bits &= bits - 1;
            if hour < HOURS {
                block.set(layout.hour(hour), lane, true);
            }
        }
    }
    for flag in (0..super::FLAGS).filter(|flag| profile.flags >> flag & 1 == 1) {
        block.set(layout.flag(flag), lane, true);
    }
    let interests = all_or(profile.interests);
    for kind in (0..INTERESTS).filter(|kind| interests >> kind & 1 == 1) {
        block.set(layout.interest(kind), lane, true);
    }
    block.set_load(layout, lane, profile.load);
    block.set(layout.taken(), lane, true);
    block.set(layout.several(), lane, profile.sites.len() > 1);
    block.keys[lane] = key;
    if let Some(site) = site {
        block.set(layout.placed(), lane, true);
        block.vectors[lane] = site.point.vector();
        block.radius_m[lane] = site.radius_m;
    }
}

/// No interest named means all.
fn all_or(interests: u8) -> u8 {
    if interests == 0 {
        (1 << INTERESTS) - 1
    } else {
        interests
    }
}

/// What is known of one person in one place.
fn summary(words: usize, site: Option<Site>, profile: &Profile) -> Summary {
    let mut sum = Summary::empty(words);
    sum.load = profile.load.min(super::MOST_LOAD);
    sum.flags = profile.flags;
    sum.interests = all_or(profile.interests);
    sum.hours = profile.hours;
    for t in &profile.traits {
        sum.traits[usize::from(t / 64)] |= 1 << (t % 64);
    }
    match site {
        Some(site) => {
            sum.bounds.add(site.point);
            sum.radius_m = site.radius_m;
        }
        None => sum.placeless = true,
    }
    sum
}
