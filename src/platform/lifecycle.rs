//! Lifecycles as tables: the only moves there are, who makes them, and the drawing of the same.

use std::fmt::Write;

use super::db::Conn;
use super::journal::{self, Actor};
use crate::error::{Error, Problem, Result};

/// One allowed move.
#[derive(Clone, Copy, Debug)]
pub struct Move<S: 'static> {
    /// The states it starts from.
    pub from: &'static [S],
    /// What it is called.
    pub verb: &'static str,
    /// The state it leads to.
    pub to: S,
    /// Who makes it, for the drawing and the documentation.
    pub by: &'static str,
}

/// A closed choice that names its states.
pub trait State: Copy + PartialEq + Into<&'static str> + 'static {}
impl<S: Copy + PartialEq + Into<&'static str> + 'static> State for S {}

/// The state that `verb` leads to.
///
/// # Errors
/// `move_not_allowed` with the state and the verbs that are allowed in it.
pub fn step<S: State>(moves: &[Move<S>], from: S, verb: &str) -> Result<S> {
    let found = moves
        .iter()
        .find(|m| m.verb == verb && m.from.contains(&from));
    found.map(|m| m.to).ok_or_else(|| refusal(moves, from))
}

/// The refusal of a move that is not in the table.
pub fn refusal<S: State>(moves: &[Move<S>], from: S) -> Error {
    Problem::refused_move(from.into(), allowed(moves, from)).into()
}

/// Whether the very move that is asked for is the one that brought the thing here, made by the same
/// account: then it is answered as the first time and nothing is done again.
///
/// # Errors
/// Those of the database.
pub fn is_repeat<S: State>(
    conn: &mut Conn,
    moves: &[Move<S>],
    (noun, id): (&str, uuid::Uuid),
    status: S,
    verb: &str,
    by: Actor,
) -> Result<bool> {
    let Actor::Account(account) = by else {
        return Ok(false);
    };
    let leads_here = moves
        .iter()
        .any(|m| m.verb == verb && m.to == status && !m.from.contains(&status));
    if !leads_here {
        return Ok(false);
    }
    let last = journal::last_move(conn, noun, id)?;
    Ok(last == Some((format!("{noun}.{verb}"), Some(account))))
}

/// The moves that a state allows, whoever makes them, each named once.
pub fn allowed<S: State>(moves: &[Move<S>], from: S) -> Vec<&'static str> {
    let mut verbs: Vec<_> = moves
        .iter()
        .filter(|m| m.from.contains(&from))
        .map(|m| m.verb)
        .collect();
    verbs.dedup();
    verbs
}

/// The table as a Mermaid state diagram.
pub fn mermaid<S: State>(moves: &[Move<S>]) -> String {
    let mut out = String::from("```mermaid\nstateDiagram-v2\n");
    if let Some(first) = moves.first().and_then(|m| m.from.first()) {
        let _ = writeln!(out, "    [*] --> {}", (*first).into());
    }
    for m in moves {
        for from in m.from {
            let _ = writeln!(
                out,
                "    {} --> {}: {} ({})",
                (*from).into(),
                m.to.into(),
                m.verb,
                m.by
            );
        }
    }
    out.push_str("```\n");
    out
}
