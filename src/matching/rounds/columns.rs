//! What was solved and what proves how good it is, as columns of numbers: the layout that
//! `yiqilai bench round` reads (`cap_v.i32`, `cap_p.i32`, `off.i64`, `prj.i32`, `w.i32`), and the
//! duals.

use std::collections::HashMap;
use std::fmt::Write as _;

use super::solver::{Pair, Plan, Round};
use crate::error::{Error, Result};

/// The most bytes of one part of a column: a write of one part holds up nobody for long.
const PART: usize = 512 * 1024;

/// A column by its name.
pub type Column = (&'static str, Vec<u8>);

fn bytes<const N: usize>(numbers: impl Iterator<Item = [u8; N]>) -> Vec<u8> {
    numbers.flatten().collect()
}

/// What was solved, and its duals.
pub fn of(round: &Round, plan: &Plan) -> Vec<Column> {
    let numbers = |all: &[u32]| bytes(all.iter().map(|n| n.to_le_bytes()));
    let offsets = round.offsets.iter().map(|at| (*at as i64).to_le_bytes());
    let duals = |all: &[f64]| bytes(all.iter().map(|value| value.to_le_bytes()));
    vec![
        ("cap_v", numbers(&round.places)),
        ("cap_p", numbers(&round.seats)),
        ("off", bytes(offsets)),
        (
            "prj",
            bytes(round.pairs.iter().map(|p| p.need.to_le_bytes())),
        ),
        (
            "w",
            bytes(round.pairs.iter().map(|p| p.weight.to_le_bytes())),
        ),
        ("u", duals(&plan.people)),
        ("v", duals(&plan.needs)),
    ]
}

/// The parts of a column, each small enough for one write.
pub fn parts(column: &[u8]) -> impl Iterator<Item = (i32, &[u8])> {
    (0..).zip(column.chunks(PART))
}

fn numbers<const N: usize, T>(
    columns: &HashMap<String, Vec<u8>>,
    name: &str,
    read: fn([u8; N]) -> T,
) -> Result<Vec<T>> {
    let column = columns.get(name).map(Vec::as_slice).unwrap_or_default();
    let cells = column.chunks(N).map(|cell| {
        let cell = cell.try_into().map_err(Error::internal)?;
        Ok(read(cell))
    });
    cells.collect()
}

/// What was solved, read back.
///
/// # Errors
/// When a column does not hold whole numbers.
pub fn round(columns: &HashMap<String, Vec<u8>>) -> Result<Round> {
    let offsets = numbers(columns, "off", i64::from_le_bytes)?;
    let needs = numbers(columns, "prj", u32::from_le_bytes)?;
    let weights = numbers(columns, "w", i32::from_le_bytes)?;
    let pair = |(need, weight)| Pair { need, weight };
    Ok(Round {
        places: numbers(columns, "cap_v", u32::from_le_bytes)?,
        seats: numbers(columns, "cap_p", u32::from_le_bytes)?,
        offsets: offsets
            .into_iter()
            .map(|at| usize::try_from(at).unwrap_or(0))
            .collect(),
        pairs: needs.into_iter().zip(weights).map(pair).collect(),
    })
}

/// The duals, read back: of the people, and of the needs.
///
/// # Errors
/// When a column does not hold whole numbers.
pub fn prices(columns: &HashMap<String, Vec<u8>>) -> Result<(Vec<f64>, Vec<f64>)> {
    Ok((
        numbers(columns, "u", f64::from_le_bytes)?,
        numbers(columns, "v", f64::from_le_bytes)?,
    ))
}

/// The duals as lines `u INDEX VALUE` and `v INDEX VALUE`, in the unit of the weights.
pub fn duals(people: &[f64], needs: &[f64]) -> String {
    let mut text = String::new();
    for (letter, values) in [('u', people), ('v', needs)] {
        for (n, value) in values.iter().enumerate() {
            let _ = writeln!(text, "{letter} {n} {value:.9}"); // writing to a string does not fail
        }
    }
    text
}

/// What was solved as lines: `a PERSON PLACES`, `b NEED PLACES` and `w PERSON NEED WEIGHT`.
pub fn problem(round: &Round) -> String {
    let mut text = String::new();
    for (letter, capacities) in [('a', &round.places), ('b', &round.seats)] {
        for (n, places) in capacities.iter().enumerate() {
            let _ = writeln!(text, "{letter} {n} {places}");
        }
    }
    for (person, ends) in round.offsets.windows(2).enumerate() {
        for Pair { need, weight } in round.pairs.get(ends[0]..ends[1]).unwrap_or_default() {
            let _ = writeln!(text, "w {person} {need} {weight}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_what_was_solved() {
        let solved = Round {
            places: vec![1, 2],
            seats: vec![1, 1, 1],
            offsets: vec![0, 1, 3],
            pairs: [(0, 5), (0, 7), (2, 9)]
                .map(|(need, weight)| Pair { need, weight })
                .to_vec(),
        };
        let plan = solved.solve();
        let columns = of(&solved, &plan).into_iter();
        let columns: HashMap<_, _> = columns
            .map(|(name, column)| {
                let whole = parts(&column).flat_map(|(_, part)| part.to_vec());
                (name.to_owned(), whole.collect::<Vec<u8>>())
            })
            .collect();
        let read = round(&columns).unwrap();
        assert_eq!(read.places, solved.places);
        assert_eq!(read.seats, solved.seats);
        assert_eq!(read.offsets, solved.offsets);
        assert_eq!(read.pairs, solved.pairs);
        let (people, needs) = prices(&columns).unwrap();
        assert_eq!((&people, &needs), (&plan.people, &plan.needs));
        assert_eq!(duals(&people, &needs).lines().count(), 5);
        let lines = problem(&read);
        assert!(lines.starts_with("a 0 1\n") && lines.ends_with("w 1 0 7\nw 1 2 9\n"));
    }
}
