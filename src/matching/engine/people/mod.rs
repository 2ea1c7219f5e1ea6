//! People in blocks of neighbours.

mod block;
mod plan;
mod search;

use std::collections::HashMap;

use self::block::{Block, Layout};
pub use self::plan::Query;
pub use self::search::Crowd;
use super::field::{Field, at_lane, lane_at};
use super::sphere::{Point, point};
use super::tree::Summary;
use super::{FLAGS, HOURS, INTERESTS, Site, Week};

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
                    sum.join(&block.stand(lane, *key, site, &profile));
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
            load: block.load(lane) as u8,
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
        profile.flags = bits(FLAGS, &|n| layout.flag(n));
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
        block.clear(lane);
        let new = block.stand(lane, key, site, profile);
        field.tree.widen(n, &new);
        self.note(key, lane_at(n, lane));
        self.worn += 1;
    }

    /// How many bytes it holds, without where each key stands.
    pub fn bytes(&self) -> usize {
        self.crowd.bytes()
    }
}

/// No interest named means all.
pub fn all_or(interests: u8) -> u8 {
    if interests == 0 {
        (1 << INTERESTS) - 1
    } else {
        interests
    }
}
