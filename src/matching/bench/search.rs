//! `yiqilai bench match`: the best people for needs and the best needs for people.
//!
//! The columns are `v_*` people, `n_*` needs, `q_*` further needs to find people for, `u_*` updates
//! applied before the queries, and `meta.json`.

use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Instant;

use serde::{Deserialize, Serialize};

use super::{bytes, column, wrong};
use crate::matching::engine::{
    AsIs, Demand, Found, Needs, People, Point, Profile, Query, Shares, Site, Week,
};

/// Bits of a column of skills.
const SKILLS: u16 = 256;
/// Bits of a column of hours.
const HOURS: u16 = 168;
/// Life-cycle codes.
const KINDS: u8 = 7;
/// The weights of the contract, in the order of the score.
const WEIGHTS: [f64; 5] = [35.0, 25.0, 20.0, 10.0, 10.0];

/// What is asked for.
#[derive(Clone, Debug)]
pub struct Order {
    /// The folder of the columns.
    pub data: PathBuf,
    /// How many are found for each query.
    pub top: usize,
    /// How often all queries are answered; a query's time is its least.
    pub passes: usize,
    /// Whether the updates are applied first.
    pub updates: bool,
    /// Where the answers go.
    pub hits: Option<PathBuf>,
}

/// What was measured.
#[derive(Debug, Serialize)]
pub struct Figures {
    /// People.
    pub n: usize,
    /// Needs.
    pub m: usize,
    /// Seconds to build both indexes.
    pub build_s: f64,
    /// Bytes of the index of people, without where each key stands.
    pub index_bytes: usize,
    /// People for a need.
    pub forward: Times,
    /// Needs for a person.
    pub reverse: Times,
    /// Updates; none when they were left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub update: Option<Updates>,
}

/// How long queries took, in microseconds.
#[derive(Debug, Serialize)]
pub struct Times {
    /// Half of them at most.
    pub p50_us: f64,
    /// All but one in a hundred at most.
    pub p99_us: f64,
    /// On average.
    pub mean_us: f64,
}

/// How long updates took on average, in microseconds.
#[derive(Debug, Serialize)]
pub struct Updates {
    /// Another load.
    pub load_us: f64,
    /// Another place.
    pub move_us: f64,
}

#[derive(Deserialize)]
struct Meta {
    n: usize,
    m: usize,
    q: usize,
    u: usize,
    #[serde(rename = "L")]
    scale_m: f64,
}

fn floats(folder: &Path, name: &str, rows: usize) -> io::Result<Vec<f64>> {
    column(folder, name, rows, f64::from_le_bytes)
}

/// Bit sets of `W` words a row, of `most` bits.
fn sets<const W: usize>(
    folder: &Path,
    name: &str,
    rows: usize,
    most: u16,
) -> io::Result<Vec<[u64; W]>> {
    let words = column(folder, name, rows * W, u64::from_le_bytes)?;
    let sets = words.as_chunks::<W>().0.to_vec();
    match sets.iter().all(|set| set_bits(set).all(|bit| bit < most)) {
        true => Ok(sets),
        false => Err(wrong(folder, name, &format!("a bit from {most} on"))),
    }
}

fn points(folder: &Path, prefix: &str, rows: usize) -> io::Result<Vec<Point>> {
    let latitudes = floats(folder, &format!("{prefix}_lat.f64"), rows)?;
    let longitudes = floats(folder, &format!("{prefix}_lon.f64"), rows)?;
    let pairs = latitudes.into_iter().zip(longitudes);
    let point = |(latitude, longitude)| Point {
        latitude,
        longitude,
    };
    Ok(pairs.map(point).collect())
}

fn sites(folder: &Path, prefix: &str, rows: usize) -> io::Result<Vec<Site>> {
    let radii = column(folder, &format!("{prefix}_r.i32"), rows, i32::from_le_bytes)?;
    let points = points(folder, prefix, rows)?.into_iter().zip(radii);
    let site = |(point, radius)| Site {
        point,
        radius_m: radius as f32,
    };
    Ok(points.map(site).collect())
}

/// The numbers of the bits that are set.
fn set_bits(words: &[u64]) -> impl Iterator<Item = u16> + '_ {
    words.iter().enumerate().flat_map(|(n, word)| {
        let mut left = *word;
        std::iter::from_fn(move || {
            let bit = (left != 0).then(|| left.trailing_zeros())?;
            left &= left - 1;
            Some(n as u16 * 64 + bit as u16)
        })
    })
}

struct Volunteers {
    sites: Vec<Site>,
    skills: Vec<[u64; 4]>,
    hours: Vec<Week>,
    flags: Vec<u8>,
    load: Vec<u8>,
    interests: Vec<u8>,
}

impl Volunteers {
    fn read(folder: &Path, rows: usize) -> io::Result<Self> {
        Ok(Self {
            sites: sites(folder, "v", rows)?,
            skills: sets(folder, "v_skills.u64", rows, SKILLS)?,
            hours: sets(folder, "v_avail.u64", rows, HOURS)?,
            flags: bytes(folder, "v_flags.u8", rows)?,
            load: bytes(folder, "v_load.u8", rows)?,
            interests: bytes(folder, "v_interests.u8", rows)?,
        })
    }

    fn fill(&self, n: usize, profile: &mut Profile) {
        profile.sites.push(self.sites[n]);
        profile.traits.extend(set_bits(&self.skills[n]));
        profile.hours = self.hours[n];
        profile.flags = self.flags[n];
        profile.interests = self.interests[n];
        profile.load = self.load[n];
    }

    fn profile(&self, n: usize) -> Profile {
        let mut profile = Profile::default();
        self.fill(n, &mut profile);
        profile
    }

    /// One more than the largest skill that anybody has.
    fn traits(&self) -> usize {
        let all = self.skills.iter().fold([0; 4], |all, skills| {
            std::array::from_fn(|n| all[n] | skills[n])
        });
        set_bits(&all)
            .last()
            .map_or(0, |last| usize::from(last) + 1)
    }
}

fn demands(folder: &Path, prefix: &str, rows: usize, scale_m: f64) -> io::Result<Vec<Demand>> {
    let name = |column: &str| format!("{prefix}_{column}");
    let sites = sites(folder, prefix, rows)?;
    let required: Vec<[u64; 4]> = sets(folder, &name("req.u64"), rows, SKILLS)?;
    let wanted: Vec<[u64; 4]> = sets(folder, &name("want.u64"), rows, SKILLS)?;
    let slots: Vec<Week> = sets(folder, &name("slots.u64"), rows, HOURS)?;
    let flags = bytes(folder, &name("flags.u8"), rows)?;
    let filled = bytes(folder, &name("fill.u8"), rows)?;
    let kinds = bytes(folder, &name("cat.u8"), rows)?;
    if kinds.iter().any(|kind| *kind >= KINDS) {
        return Err(wrong(folder, &name("cat.u8"), "no life-cycle code"));
    }
    let query = |n: usize| Query {
        site: Some(sites[n]),
        scale_m,
        required: set_bits(&required[n]).collect(),
        wanted: set_bits(&wanted[n]).map(|t| (t, 1.0)).collect(),
        hours: set_bits(&slots[n]).map(|hour| (hour as u8, 1.0)).collect(),
        flags: flags[n],
        interest: Some(kinds[n]),
    };
    let demand = |n: usize| Demand {
        query: query(n),
        filled: filled[n],
    };
    Ok((0..rows).map(demand).collect())
}

/// Runs it.
///
/// # Errors
/// When a column is missing or of the wrong size, or the answers cannot be written.
pub fn run(order: &Order) -> io::Result<Figures> {
    let folder = order.data.as_path();
    let meta: Meta = serde_json::from_slice(&std::fs::read(folder.join("meta.json"))?)?;
    let mut volunteers = Volunteers::read(folder, meta.n)?;
    let needs = demands(folder, "n", meta.m, meta.scale_m)?;
    let queries = demands(folder, "q", meta.q, meta.scale_m)?;
    let traits = needs.iter().chain(&queries).flat_map(|need| {
        let wanted = need.query.wanted.iter().map(|(t, _)| *t);
        need.query.required.iter().copied().chain(wanted)
    });
    let traits = traits
        .max()
        .map_or(0, |t| usize::from(t) + 1)
        .max(volunteers.traits());

    let started = Instant::now();
    let mut people = People::build(traits, meta.n as u32, |n, profile| {
        volunteers.fill(n as usize, profile);
        true
    });
    let needs = Needs::build(
        needs
            .iter()
            .enumerate()
            .map(|(n, need)| (n as u32, need.clone())),
    );
    let build_s = started.elapsed().as_secs_f64();

    let update = if order.updates {
        Some(apply(folder, meta.u, &mut people, &mut volunteers)?)
    } else {
        None
    };
    let shares = Shares::of(WEIGHTS);
    let queries: Vec<_> = queries.into_iter().map(|demand| demand.query).collect();
    let seekers: Vec<_> = (0..meta.q.min(meta.n))
        .map(|n| volunteers.profile(n))
        .collect();
    let (forward, found) = timed(&queries, order.passes, |query| {
        people.crowd().search(query, shares, order.top, &mut AsIs)
    });
    let (reverse, wanted) = timed(&seekers, order.passes, |seeker| {
        needs.board().search(seeker, shares, order.top, &mut AsIs)
    });
    if let Some(path) = &order.hits {
        let mut text = String::new();
        for (letter, all) in [('f', found), ('r', wanted)] {
            for (n, hits) in all.iter().enumerate() {
                let _ = write!(text, "{letter} {n}"); // writing to a string does not fail
                for hit in hits {
                    let _ = write!(text, " {}:{:.9}", hit.key, hit.score);
                }
                text.push('\n');
            }
        }
        std::fs::write(path, text)?;
    }
    Ok(Figures {
        n: meta.n,
        m: meta.m,
        build_s,
        index_bytes: people.bytes(),
        forward,
        reverse,
        update,
    })
}

/// Applies the updates in order, one by one, by the functions that the world changes people with.
fn apply(
    folder: &Path,
    rows: usize,
    people: &mut People,
    volunteers: &mut Volunteers,
) -> io::Result<Updates> {
    let moves = bytes(folder, "u_kind.u8", rows)?;
    let keys = column(folder, "u_idx.u32", rows, u32::from_le_bytes)?;
    if keys
        .iter()
        .any(|key| *key as usize >= volunteers.load.len())
    {
        return Err(wrong(folder, "u_idx.u32", "somebody who is not there"));
    }
    let loads = bytes(folder, "u_load.u8", rows)?;
    let points = points(folder, "u", rows)?;
    let (mut load_s, mut move_s, mut moved) = (0.0, 0.0, 0);
    // runs of the same kind are timed together: reading the clock takes as long as a new load
    let mut n = 0;
    while n < rows {
        let is_move = moves[n] == 1;
        let end = (n..rows)
            .find(|i| (moves[*i] == 1) != is_move)
            .unwrap_or(rows);
        let started = Instant::now();
        for i in n..end {
            if is_move {
                people.move_to(keys[i], points[i]);
            } else {
                people.set_load(keys[i], loads[i]);
            }
        }
        let took = started.elapsed().as_secs_f64();
        if is_move {
            move_s += took;
            moved += end - n;
        } else {
            load_s += took;
        }
        for i in n..end {
            let key = keys[i] as usize;
            if is_move {
                volunteers.sites[key].point = points[i];
            } else {
                volunteers.load[key] = loads[i];
            }
        }
        n = end;
    }
    let mean = |seconds: f64, count: usize| 1e6 * seconds / count.max(1) as f64;
    Ok(Updates {
        load_us: mean(load_s, rows - moved),
        move_us: mean(move_s, moved),
    })
}

/// Answers all queries so many times; a query's time is its least.
fn timed<Q>(
    queries: &[Q],
    passes: usize,
    mut answer: impl FnMut(&Q) -> Vec<Found<u32>>,
) -> (Times, Vec<Vec<Found<u32>>>) {
    let mut least = vec![f64::INFINITY; queries.len()];
    let mut answers = Vec::new();
    for _ in 0..passes.max(1) {
        answers.clear();
        for (query, least) in queries.iter().zip(&mut least) {
            let started = Instant::now();
            let answer = answer(query);
            *least = least.min(1e6 * started.elapsed().as_secs_f64());
            answers.push(answer);
        }
    }
    let mean_us = least.iter().sum::<f64>() / least.len().max(1) as f64;
    least.sort_unstable_by(f64::total_cmp);
    let at = |share: f64| {
        let place = (share * least.len() as f64) as usize;
        least
            .get(place.min(least.len().saturating_sub(1)))
            .copied()
            .unwrap_or(0.0)
    };
    let times = Times {
        p50_us: at(0.5),
        p99_us: at(0.99),
        mean_us,
    };
    (times, answers)
}
