//! `yiqilai bench round`: a batch round, solved.
//!
//! The columns are `cap_v.i32` places a person may take, `cap_p.i32` seats of each need, `off.i64`
//! where each person's pairs begin, `prj.i32` and `w.i32` the need and the weight of each pair.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Instant;

use serde::Serialize;

use super::{column, wrong};
use crate::matching::rounds::{Pair, Round, duals};

/// What is asked for.
#[derive(Clone, Debug)]
pub struct Order {
    /// The folder of the columns.
    pub data: PathBuf,
    /// Where the certificate goes.
    pub duals: Option<PathBuf>,
}

/// What was measured.
#[derive(Debug, Serialize)]
pub struct Figures {
    /// Pairs to choose from.
    pub pairs: usize,
    /// Pairs in the plan.
    pub assigned: usize,
    /// The sum of their weights.
    pub total: i64,
    /// No plan has a greater sum.
    pub upper_bound: f64,
    /// The share of the bound that the plan may fall short of.
    pub gap: f64,
    /// The sum of the greedy plan.
    pub greedy: i64,
    /// Seconds to solve it.
    pub solve_s: f64,
    /// The most memory that the process has held, in bytes; 0 where the system does not tell.
    pub rss_bytes: u64,
}

fn numbers(folder: &Path, name: &str, rows: usize) -> io::Result<Vec<u32>> {
    let all = column(folder, name, rows, i32::from_le_bytes)?;
    let numbers = all.into_iter().map(u32::try_from).collect::<Result<_, _>>();
    numbers.map_err(|_| wrong(folder, name, "a number below 0"))
}

fn rows(folder: &Path, name: &str, size: u64) -> io::Result<usize> {
    let bytes = std::fs::metadata(folder.join(name))
        .map_err(|why| wrong(folder, name, &why.to_string()))?
        .len();
    Ok((bytes / size) as usize)
}

fn read(folder: &Path) -> io::Result<Round> {
    let (people, needs) = (rows(folder, "cap_v.i32", 4)?, rows(folder, "cap_p.i32", 4)?);
    let offsets = column(folder, "off.i64", people + 1, i64::from_le_bytes)?;
    let pairs = rows(folder, "prj.i32", 4)?;
    let ascends = offsets.is_sorted() && offsets.first() == Some(&0);
    if !ascends || offsets.last() != Some(&(pairs as i64)) {
        return Err(wrong(folder, "off.i64", "no beginnings of pairs"));
    }
    let weights = column(folder, "w.i32", pairs, i32::from_le_bytes)?;
    let numbers_of_needs = numbers(folder, "prj.i32", pairs)?;
    if numbers_of_needs.iter().any(|need| *need as usize >= needs) {
        return Err(wrong(folder, "prj.i32", "a need that is not there"));
    }
    let pair = |(need, weight)| Pair { need, weight };
    Ok(Round {
        places: numbers(folder, "cap_v.i32", people)?,
        seats: numbers(folder, "cap_p.i32", needs)?,
        offsets: offsets.into_iter().map(|offset| offset as usize).collect(),
        pairs: numbers_of_needs
            .into_iter()
            .zip(weights)
            .map(pair)
            .collect(),
    })
}

/// Runs it.
///
/// # Errors
/// When a column is missing or does not fit the others, or the certificate cannot be written.
pub fn run(order: &Order) -> io::Result<Figures> {
    let round = read(&order.data)?;
    let started = Instant::now();
    let plan = round.solve();
    let solve_s = started.elapsed().as_secs_f64();
    if let Some(path) = &order.duals {
        std::fs::write(path, duals(&plan.people, &plan.needs))?;
    }
    Ok(Figures {
        pairs: round.pairs.len(),
        assigned: plan.chosen.len(),
        total: plan.total,
        upper_bound: plan.upper_bound,
        gap: plan.gap(),
        greedy: round.greedy().total,
        solve_s,
        rss_bytes: most_memory(),
    })
}

/// `VmHWM` of Linux.
fn most_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let number = line.and_then(|line| line.trim().split(' ').next());
    number.and_then(|kb| kb.parse::<u64>().ok()).unwrap_or(0) * 1024
}
