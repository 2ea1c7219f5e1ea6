//! Needs, kept by the rarest trait they require: a person looks only where it has that trait.

use std::collections::{BTreeMap, BinaryHeap, HashMap};
use std::sync::Arc;

use pulp::Arch;

use super::people::{Profile, Query};
use super::sphere::{Origin, Vector, distance};
use super::top::{Found, Top};
use super::tree::{Promise, Summary, Tree, WIDTH};
use super::{INTERESTS, Judge, SLACK, Shares, Week, fairness, nearness};

/// Needs a leaf has room for, and how many it is built with.
const ROOM: usize = 64;
const FILL: usize = 48;
/// How many leaves to either side are asked for room.
const NEIGHBOURS: usize = 4;
/// A level that stands for a leaf.
const LEAF: u32 = u32::MAX;

/// A need in numbers: what it asks of people, and how many it has.
#[derive(Clone, Debug, PartialEq)]
pub struct Demand {
    /// What it asks of people.
    pub query: Query,
    /// Places already filled.
    pub filled: u8,
}

/// A need as it is kept: all that most needs say in one piece.
#[derive(Clone, Debug)]
struct Row {
    key: u32,
    site: Option<(Vector, f32)>,
    scale_m: f32,
    /// How often each hour counts, where not all count the same.
    hours: Option<Box<[(u8, f64)]>>,
    week: Week,
    required: Few<u16>,
    wanted: Few<(u16, f32)>,
    flags: u8,
    /// None: everybody cares.
    interest: Option<u8>,
    filled: u8,
}

/// Up to four in place, more of them elsewhere.
#[derive(Clone, Debug)]
enum Few<T> {
    Here(u8, [T; 4]),
    There(Box<[T]>),
}

impl<T: Copy + Default> Few<T> {
    fn of(all: impl ExactSizeIterator<Item = T>) -> Self {
        if all.len() > 4 {
            return Self::There(all.collect());
        }
        let mut here = [T::default(); 4];
        let mut count = 0;
        for (place, one) in here.iter_mut().zip(all) {
            *place = one;
            count += 1;
        }
        Self::Here(count, here)
    }

    #[inline(always)]
    fn all(&self) -> &[T] {
        match self {
            Self::Here(count, here) => &here[..usize::from(*count)],
            Self::There(all) => all,
        }
    }
}

impl Row {
    fn of(key: u32, demand: &Demand) -> Self {
        let query = &demand.query;
        let mut week: Week = [0; 3];
        for (hour, _) in &query.hours {
            week[usize::from(hour / 64)] |= 1 << (hour % 64);
        }
        let first = query.hours.first().map_or(0.0, |(_, weight)| *weight);
        let all: f64 = query.hours.iter().map(|(_, weight)| weight).sum();
        let is_even = query.hours.iter().all(|(_, weight)| *weight == first);
        let shares = query
            .hours
            .iter()
            .map(|(hour, weight)| (*hour, weight / all));
        Self {
            key,
            site: query.site.map(|site| (site.point.vector(), site.radius_m)),
            scale_m: query.scale_m as f32,
            hours: (!is_even).then(|| shares.collect()),
            week,
            required: Few::of(query.required.iter().copied()),
            wanted: Few::of(query.wanted.iter().map(|(t, weight)| (*t, *weight as f32))),
            flags: query.flags,
            interest: query.interest,
            filled: demand.filled,
        }
    }

    fn summary(&self, demand: &Demand) -> Summary {
        let mut sum = Summary::empty(0);
        if let Some(site) = demand.query.site {
            sum.bounds.add(site.point);
            sum.radius_m = site.radius_m;
        }
        sum.load = self.filled;
        sum.interests = self.interest.map_or(u8::MAX, |kind| 1 << kind);
        sum.hours = if demand.query.hours.is_empty() {
            [u64::MAX; 3]
        } else {
            self.week
        };
        sum
    }
}

/// Needs of one rarest trait, remote ones apart.
#[derive(Clone, Default)]
struct Grove {
    tree: Tree,
    leaves: Vec<Arc<Vec<Row>>>,
    begins: Vec<u64>,
}

impl Grove {
    fn over(mut rows: Vec<(u64, Row, Summary)>) -> Self {
        rows.sort_by_key(|(along, row, _)| (*along, row.key));
        let mut grove = Self::default();
        let mut sums = Vec::new();
        let mut rest = rows.into_iter().peekable();
        while let Some((along, _, _)) = rest.peek() {
            grove.begins.push(*along);
            let mut leaf = Vec::with_capacity(ROOM);
            let mut sum = Summary::empty(0);
            for (_, row, one) in rest.by_ref().take(FILL) {
                sum.join(&one);
                leaf.push(row);
            }
            grove.leaves.push(Arc::new(leaf));
            sums.push(sum);
        }
        grove.tree = Tree::over(sums, 0);
        grove
    }

    fn put(&mut self, along: u64, row: Row, sum: &Summary) -> u32 {
        let nearest = self
            .begins
            .partition_point(|begin| *begin <= along)
            .saturating_sub(1);
        let near = (0..=NEIGHBOURS).flat_map(|step| [nearest + step, nearest.wrapping_sub(step)]);
        let mut found = near
            .filter(|n| *n < self.begins.len())
            .find(|n| self.leaves[*n].len() < ROOM);
        if found.is_none() && self.leaves.len() > self.begins.len() {
            let last = self.leaves.len() - 1;
            found = Some(last).filter(|last| self.leaves[*last].len() < ROOM);
        }
        let n = found.unwrap_or_else(|| {
            self.leaves.push(Arc::new(Vec::with_capacity(ROOM)));
            self.tree.push(Summary::empty(0));
            self.leaves.len() - 1
        });
        Arc::make_mut(&mut self.leaves[n]).push(row);
        self.tree.widen(n, sum);
        n as u32
    }

    fn remove(&mut self, leaf: u32, key: u32) {
        let leaf = Arc::make_mut(&mut self.leaves[leaf as usize]);
        if let Some(place) = leaf.iter().position(|row| row.key == key) {
            leaf.swap_remove(place);
        }
    }
}

/// The rarest required trait, if any, and whether the need is remote.
type Kind = (Option<u16>, bool);

/// Every open need, as one snapshot. Cheap to clone.
#[derive(Clone, Default)]
pub struct Board {
    groves: BTreeMap<Kind, Grove>,
    /// The largest scale that a need ever had.
    scale_m: f64,
}

/// A person laid out for a search.
struct Looking<'a> {
    seeker: &'a Profile,
    traits: Vec<u64>,
    interests: u8,
    from: Vec<(Origin, Vector, f32)>,
    shares: [f64; 5],
}

impl Looking<'_> {
    #[inline(always)]
    fn has(&self, t: u16) -> bool {
        let word = self.traits.get(usize::from(t / 64)).copied().unwrap_or(0);
        word >> (t % 64) & 1 == 1
    }

    /// What a need is worth; none where the person does not pass, or it stays below `least`.
    #[inline(always)]
    fn score(&self, row: &Row, near: f64, least: f64) -> Option<f64> {
        if row.flags & !self.seeker.flags != 0 {
            return None;
        }
        let shares = &self.shares;
        let all: u32 = row.week.iter().map(|word| word.count_ones()).sum();
        let availability = if all == 0 {
            1.0
        } else {
            let words = row.week.iter().zip(&self.seeker.hours);
            let common: u32 = words.map(|(a, b)| (a & b).count_ones()).sum();
            if common == 0 {
                return None;
            }
            match &row.hours {
                None => f64::from(common) / f64::from(all),
                Some(hours) => hours
                    .iter()
                    .filter(|(hour, _)| {
                        self.seeker.hours[usize::from(hour / 64)] >> (hour % 64) & 1 == 1
                    })
                    .map(|(_, share)| share)
                    .sum(),
            }
        };
        let cares = row
            .interest
            .is_none_or(|kind| self.interests >> kind & 1 == 1);
        let others = shares[2] * availability
            + if cares { shares[3] } else { 0.0 }
            + shares[4] * fairness(row.filled);
        if others + shares[0] + shares[1] * near < least
            || !row.required.all().iter().all(|t| self.has(*t))
        {
            return None;
        }
        let wanted = row.wanted.all();
        let skills = if wanted.is_empty() {
            1.0
        } else {
            let (mut had, mut all) = (0.0, 0.0);
            for (t, weight) in wanted {
                let weight = f64::from(*weight);
                all += weight;
                had += if self.has(*t) { weight } else { 0.0 };
            }
            had / all
        };
        let rest = others + shares[0] * skills;
        let Some((place, radius_m)) = &row.site else {
            return Some(rest + shares[1]);
        };
        if rest + shares[1] * near < least {
            return None;
        }
        let passing = self.from.iter().filter_map(|(_, from, own_m)| {
            let metres = distance(from, place);
            (metres <= f64::from(radius_m.min(*own_m))).then_some(metres)
        });
        let metres = passing.reduce(f64::min)?;
        Some(rest + shares[1] * nearness(metres, f64::from(row.scale_m)))
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
        let most = seeker
            .traits
            .iter()
            .max()
            .map_or(0, |t| usize::from(t / 64) + 1);
        let mut traits = vec![0; most];
        for t in &seeker.traits {
            traits[usize::from(t / 64)] |= 1 << (t % 64);
        }
        let looking = Looking {
            seeker,
            traits,
            interests: match seeker.interests {
                0 => (1 << INTERESTS) - 1,
                some => some,
            },
            from: seeker
                .sites
                .iter()
                .map(|site| (Origin::from(site.point), site.point.vector(), site.radius_m))
                .collect(),
            shares: shares.0,
        };
        let rarest = std::iter::once(None).chain(seeker.traits.iter().copied().map(Some));
        let kinds = rarest.flat_map(|rarest| [(rarest, false), (rarest, true)]);
        let groves: Vec<_> = kinds
            .filter(|(_, is_remote)| *is_remote || !looking.from.is_empty())
            .filter_map(|kind| self.groves.get(&kind).map(|grove| (kind.1, grove)))
            .collect();
        let mut top = Top::new(k);
        if k == 0 {
            return Vec::new();
        }
        Arch::new().dispatch(
            #[inline(always)]
            || best(&looking, &groves, self.scale_m, &mut top, judge),
        );
        top.into_vec()
    }

    /// How many bytes it holds.
    pub fn bytes(&self) -> usize {
        let groves = self.groves.values();
        groves
            .map(|grove| grove.tree.bytes() + grove.leaves.len() * ROOM * size_of::<Row>())
            .sum()
    }
}

#[inline(always)]
fn best<J: Judge>(
    looking: &Looking<'_>,
    groves: &[(bool, &Grove)],
    scale_m: f64,
    top: &mut Top<J::Tie>,
    judge: &mut J,
) {
    let shares = &looking.shares;
    let mut open = BinaryHeap::with_capacity(128);
    for (tree, (_, grove)) in groves.iter().enumerate() {
        if let Some(root) = grove.tree.height() {
            open.push(Promise {
                score: f64::INFINITY,
                near: 1.0,
                tree: tree as u32,
                level: root as u32,
                n: 0,
            });
        }
    }
    while let Some(node) = open.pop() {
        if node.score + SLACK < top.least() {
            break;
        }
        let (is_remote, grove) = groves[node.tree as usize];
        if node.level == LEAF {
            for row in grove.leaves[node.n as usize].iter() {
                let least = top.least() - SLACK;
                let Some(score) = looking.score(row, node.near, least) else {
                    continue;
                };
                if score >= least
                    && let Some((score, tie)) = judge.judge(row.key, score)
                {
                    top.offer(
                        Found {
                            score,
                            tie,
                            key: row.key,
                        },
                        false,
                    );
                }
            }
            continue;
        }
        let group = grove.tree.group(node.level as usize, node.n as usize);
        let mut nearest = [f32::INFINITY; WIDTH];
        if is_remote {
            nearest = [0.0; WIDTH];
        } else {
            for (origin, _, own_m) in &looking.from {
                let metres = group.at_least(origin);
                for i in 0..WIDTH {
                    if metres[i] <= own_m.min(group.radius_m[i]) {
                        nearest[i] = nearest[i].min(metres[i]);
                    }
                }
            }
        }
        let least = top.least() - SLACK;
        for (i, child) in group.children.iter().enumerate() {
            if nearest[i] == f32::INFINITY {
                continue;
            }
            let hours = child.hours.iter().zip(&looking.seeker.hours);
            // a need without hours has them all, and one without free hours passes it too
            let is_free = child.hours == [u64::MAX; 3] || hours.map(|(a, b)| a & b).any(|w| w != 0);
            if !is_free {
                continue;
            }
            let near = if is_remote {
                1.0
            } else {
                nearness(f64::from(nearest[i]), scale_m)
            };
            let cares = child.interests & looking.interests != 0;
            let score = shares[0]
                + shares[1] * near
                + shares[2]
                + if cares { shares[3] } else { 0.0 }
                + shares[4] * fairness(child.load);
            if score >= least {
                open.push(Promise {
                    score,
                    near,
                    tree: node.tree,
                    level: node.level.checked_sub(1).unwrap_or(LEAF),
                    n: node.n * WIDTH as u32 + i as u32,
                });
            }
        }
    }
}

/// Every open need, with what it takes to change them.
#[derive(Clone, Default)]
pub struct Needs {
    board: Board,
    /// In which grove and leaf a key stands.
    home: HashMap<u32, (Kind, u32)>,
    /// How many needs require each trait.
    requiring: HashMap<u16, u32>,
    worn: usize,
}

impl Needs {
    /// All of them at once.
    pub fn build(all: impl Iterator<Item = (u32, Demand)> + Clone) -> Self {
        let mut this = Self::default();
        for (_, demand) in all.clone() {
            for t in &demand.query.required {
                *this.requiring.entry(*t).or_default() += 1;
            }
            this.board.scale_m = this.board.scale_m.max(demand.query.scale_m);
        }
        let mut rows: BTreeMap<Kind, Vec<(u64, Row, Summary)>> = BTreeMap::new();
        for (key, demand) in all {
            let row = Row::of(key, &demand);
            let sum = row.summary(&demand);
            let kind = this.kind_of(&demand);
            rows.entry(kind)
                .or_default()
                .push((along(&demand), row, sum));
        }
        for (kind, rows) in rows {
            let grove = Grove::over(rows);
            for (n, leaf) in grove.leaves.iter().enumerate() {
                let keys = leaf.iter().map(|row| (row.key, (kind, n as u32)));
                this.home.extend(keys);
            }
            this.board.groves.insert(kind, grove);
        }
        this
    }

    fn kind_of(&self, demand: &Demand) -> Kind {
        let count = |t: &u16| self.requiring.get(t).copied().unwrap_or(0);
        let rarest = demand
            .query
            .required
            .iter()
            .copied()
            .min_by_key(|t| (count(t), *t));
        (rarest, demand.query.site.is_none())
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
        for t in &demand.query.required {
            *self.requiring.entry(*t).or_default() += 1;
        }
        self.board.scale_m = self.board.scale_m.max(demand.query.scale_m);
        let kind = self.kind_of(demand);
        let row = Row::of(key, demand);
        let sum = row.summary(demand);
        let grove = self.board.groves.entry(kind).or_default();
        let leaf = grove.put(along(demand), row, &sum);
        self.home.insert(key, (kind, leaf));
        self.worn += 1;
    }

    /// Forgets a need.
    pub fn remove(&mut self, key: u32) {
        if let Some((kind, leaf)) = self.home.remove(&key)
            && let Some(grove) = self.board.groves.get_mut(&kind)
        {
            grove.remove(leaf, key);
        }
    }
}

fn along(demand: &Demand) -> u64 {
    demand
        .query
        .site
        .map_or(u64::MAX, |site| site.point.along())
}
