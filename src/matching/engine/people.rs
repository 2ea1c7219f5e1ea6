//! People in blocks of neighbours, searched from the most promising on.

use std::collections::HashMap;

use pulp::{Arch, NullaryFnOnce};

use super::block::{Block, Layout, Plan};
use super::field::{Field, Place, at_lane, lane_at};
use super::slice::number;
use super::sphere::{Origin, Point, Reach, point};
use super::top::{Found, Top};
use super::tree::{Group, ROUNDING, Summary, WIDTH};
use super::{HOURS, INTERESTS, Judge, SLACK, Shares, Site, Week};

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

/// Everybody, as one snapshot. Cheap to clone.
#[derive(Clone)]
pub struct Crowd {
    layout: Layout,
    field: Field<Block>,
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
        if k > 0 {
            let plan = self.plan(query, shares);
            let (field, top) = (&self.field, &mut top);
            Arch::new().dispatch(Search {
                field,
                plan,
                top,
                judge,
            });
        }
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
            from: query
                .site
                .map(|site| (Origin::from(site.point), site.point.vector(), site.radius_m)),
            scale_m: query.scale_m,
            layout,
        }
    }

    fn bytes(&self) -> usize {
        let blocks = self.field.blocks.iter().map(|block| block.bytes());
        blocks.sum::<usize>() + self.field.bytes()
    }
}

/// A search under way. A closure would be compiled apart, for the least of all processors.
struct Search<'a, J: Judge> {
    field: &'a Field<Block>,
    plan: Plan,
    top: &'a mut Top<J::Tie>,
    judge: &'a mut J,
}

impl<J: Judge> NullaryFnOnce for Search<'_, J> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let Field { tree, blocks, .. } = self.field;
        tree.visit(
            #[inline(always)]
            |group| reach(group, &self.plan),
            #[inline(always)]
            |n| {
                blocks[n].search(&self.plan, self.top, self.judge);
                self.top.least() - SLACK
            },
        );
    }
}

/// The children below which somebody may pass, and the most that anybody there reaches.
#[inline(always)]
fn reach(group: &Group, plan: &Plan) -> (u16, [f32; WIDTH]) {
    let shares = plan.shares.0.map(|share| share as f32);
    let mut children = group.all();
    for slice in &plan.must {
        children &= group.slices[*slice];
    }
    if !plan.hours.is_empty() {
        let hours = plan.hours.iter().map(|(hour, _)| group.slices[*hour]);
        children &= hours.fold(0, |any, hour| any | hour);
    }
    let mut scores = [ROUNDING + shares[2] + shares[3] + shares[4]; WIDTH];
    if plan.wanted.is_empty() {
        scores = scores.map(|score| score + shares[0]);
    }
    for (slice, share) in &plan.wanted {
        let (having, worth) = (group.slices[*slice], shares[0] * *share as f32);
        for (child, score) in scores.iter_mut().enumerate() {
            *score += if having >> child & 1 == 1 { worth } else { 0.0 };
        }
    }
    match &plan.from {
        None => scores = scores.map(|score| score + shares[1]),
        Some((origin, _, own_m)) => {
            let metres = group.reaches.at_least(origin, *own_m);
            let scale_m = plan.scale_m as f32;
            for child in 0..WIDTH {
                scores[child] += shares[1] * (scale_m / (scale_m + metres[child]));
                children &= !(u16::from(metres[child] == f32::INFINITY) << child);
            }
        }
    }
    (children, scores)
}

/// Everybody, with what it takes to change them.
#[derive(Clone)]
pub struct People {
    crowd: Crowd,
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
        let mut this = Self {
            crowd: Crowd {
                layout,
                field: Field::default(),
            },
            home: vec![NOWHERE; keys as usize],
            also: HashMap::new(),
            people,
            worn: 0,
        };
        this.crowd.field = Field::over(
            &lanes,
            layout.slices(),
            |(along, _, _)| *along,
            |n, lanes| {
                let mut block = Block::new(layout);
                let mut sum = Summary::empty(layout.slices());
                for (lane, (_, key, site)) in lanes {
                    fill(*key, &mut profile);
                    let site = profile.sites.get(*site as usize).copied();
                    sum.join(&stand(&mut block, layout, lane, *key, site, &profile));
                    this.note(*key, lane_at(n, lane));
                }
                (block, sum)
            },
        );
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
            let (block, lane) = at_lane(at);
            let taken = self.crowd.layout.taken();
            self.crowd.field.block(block).set(taken, lane, false);
        }
        self.home[key as usize] = NOWHERE;
        self.also.remove(&key);
        self.people -= 1;
    }

    /// Notes how much a person has taken on.
    pub fn set_load(&mut self, key: u32, load: u8) {
        let home = self.home.get(key as usize).copied().unwrap_or(NOWHERE);
        if home == NOWHERE {
            return;
        }
        let also = self.also.get(&key).map_or(&[][..], |also| also);
        for at in std::iter::once(&home).chain(also) {
            let (block, lane) = at_lane(*at);
            self.crowd.field.block(block).set_load(lane, load);
        }
    }

    /// The profile of a person, as it is kept; none of somebody unknown.
    pub fn profile(&self, key: u32) -> Option<Profile> {
        let lanes = self.lanes_of(key);
        let layout = self.crowd.layout;
        let first = *lanes.first()?;
        let (block, lane) = at_lane(first);
        let block = &self.crowd.field.blocks[block];
        let mut profile = Profile {
            load: number(block.loads(), lane) as u8,
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
            let (block, lane) = at_lane(at);
            let block = &self.crowd.field.blocks[block];
            if block.has(layout.placed(), lane) {
                profile.sites.push(Site {
                    point: point(&block.places[lane].vector),
                    radius_m: block.places[lane].radius_m,
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
        let along = site.map_or(u64::MAX, |site| site.point.along());
        let field = &mut self.crowd.field;
        let (n, lane) = field.room(along, || Block::new(layout));
        let block = field.block(n);
        for slice in 0..layout.slices() {
            block.set(slice, lane, false);
        }
        let new = stand(block, layout, lane, key, site, profile);
        field.tree.widen(n, &new);
        self.note(key, lane_at(n, lane));
        self.worn += 1;
    }

    /// How many bytes it holds, without where each key stands.
    pub fn bytes(&self) -> usize {
        self.crowd.bytes()
    }
}

/// Puts a person into a blank lane, and tells what is known of it.
fn stand(
    block: &mut Block,
    layout: Layout,
    lane: usize,
    key: u32,
    site: Option<Site>,
    profile: &Profile,
) -> Summary {
    let mut sum = Summary::empty(layout.slices());
    let mut stand_in = |slice: usize| {
        block.set(slice, lane, true);
        sum.add(slice);
    };
    profile
        .traits
        .iter()
        .for_each(|t| stand_in(usize::from(*t)));
    for (n, word) in profile.hours.iter().enumerate() {
        let mut bits = *word;
        while bits != 0 {
            let hour = n * 64 + bits.trailing_zeros() as usize;
            bits &= bits - 1;
            if hour < HOURS {
                stand_in(layout.hour(hour));
            }
        }
    }
    let bits = |bits: u8, count: usize| (0..count).filter(move |n| bits >> n & 1 == 1);
    bits(profile.flags, super::FLAGS).for_each(|flag| stand_in(layout.flag(flag)));
    let interests = all_or(profile.interests);
    bits(interests, INTERESTS).for_each(|kind| stand_in(layout.interest(kind)));
    stand_in(layout.taken());
    if site.is_some() {
        stand_in(layout.placed());
    }
    block.set(layout.several(), lane, profile.sites.len() > 1);
    block.set_load(lane, profile.load);
    block.places[lane] = Place {
        vector: site.map_or([0.0; 3], |site| site.point.vector()),
        radius_m: site.map_or(0.0, |site| site.radius_m),
        key,
    };
    sum.reach = Reach::of(site);
    block.reaches.join(lane / 64, &sum.reach);
    sum
}

/// No interest named means all.
pub fn all_or(interests: u8) -> u8 {
    if interests == 0 {
        (1 << INTERESTS) - 1
    } else {
        interests
    }
}
