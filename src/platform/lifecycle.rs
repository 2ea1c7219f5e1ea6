//! Lifecycles as tables: the only moves there are, who makes them, and the drawing of the same.

use std::fmt::Write;

use super::db::Conn;
use super::journal::{self, Actor};
use crate::error::{Code, Error, Problem, Result};

/// One allowed move of a thing in states `S` by parties `P`.
#[derive(Clone, Copy, Debug)]
pub struct Move<S: 'static, P: 'static = &'static str> {
    /// The states it starts from.
    pub from: &'static [S],
    /// What it is called.
    pub verb: &'static str,
    /// The state it leads to.
    pub to: S,
    /// Who makes it, whom it is first of all for at the head.
    pub by: &'static [P],
}

/// A closed choice that names its states.
pub trait State: Copy + PartialEq + Into<&'static str> + 'static {}
impl<S: Copy + PartialEq + Into<&'static str> + 'static> State for S {}

/// How somebody stands to a thing, as far as its moves ask for it.
pub trait ActsAs<P>: Copy {
    /// Whether it is one of those who make some of the moves.
    ///
    /// # Errors
    /// Why it is not.
    fn acts_as(self, party: P) -> Result<(), Code>;
}

/// The clock, the worker and what happens elsewhere: no caller, to whom no move is open.
#[derive(Clone, Copy, Debug)]
pub struct Nobody;

impl<P> ActsAs<P> for Nobody {
    fn acts_as(self, _: P) -> Result<(), Code> {
        Err(Code::Forbidden)
    }
}

/// Where a table names its parties in words, whoever has proved to be one says so.
impl ActsAs<&'static str> for &'static str {
    fn acts_as(self, party: &'static str) -> Result<(), Code> {
        (self == party).then_some(()).ok_or(Code::Forbidden)
    }
}

/// Whether a move is somebody's to make, wherever the thing stands.
///
/// # Errors
/// Why it is not: `forbidden`, or what the room says to those who come close.
pub fn may<S, P: Copy>(moves: &[Move<S, P>], who: impl ActsAs<P>, verb: &str) -> Result<(), Code> {
    let parties = moves.iter().filter(|m| m.verb == verb).flat_map(|m| m.by);
    let mut answers = parties.map(|party| who.acts_as(*party));
    let first = answers.next().unwrap_or(Err(Code::Forbidden));
    if answers.any(|answer| answer.is_ok()) {
        Ok(())
    } else {
        first
    }
}

/// The moves that are somebody's to make where the thing stands: those of [`allowed`] that [`may`]
/// lets them make. What a rule beyond state and person forbids (a limit, a deadline, something
/// missing) is not looked at: such a move is listed, and refused when it is made.
pub fn open_to<S: State, P: Copy>(
    moves: &[Move<S, P>],
    who: impl ActsAs<P>,
    from: S,
) -> Vec<&'static str> {
    let mut verbs = allowed(moves, from);
    verbs.retain(|verb| may(moves, who, verb).is_ok());
    verbs
}

/// The state that `verb` leads to; none where the table has no such move from there.
pub fn next<S: State, P>(moves: &[Move<S, P>], from: S, verb: &str) -> Option<S> {
    let found = moves
        .iter()
        .find(|m| m.verb == verb && m.from.contains(&from));
    found.map(|m| m.to)
}

/// The state that `verb` leads to, for who asks for it.
///
/// # Errors
/// Those of [`refusal`].
pub fn step<S: State, P: Copy>(
    moves: &[Move<S, P>],
    who: impl ActsAs<P>,
    from: S,
    verb: &str,
) -> Result<S> {
    next(moves, from, verb).ok_or_else(|| refusal(moves, who, from))
}

/// The refusal of a move that is not in the table: `move_not_allowed` with the state, and with the
/// moves that are this caller's in it ([`open_to`]).
pub fn refusal<S: State, P: Copy>(moves: &[Move<S, P>], who: impl ActsAs<P>, from: S) -> Error {
    Problem::refused_move(from.into(), open_to(moves, who, from)).into()
}

/// Whether the very move that is asked for is the one that brought the thing here, made by the same
/// account or by the thing's link: then it is answered as the first time and nothing is done again.
/// The clock repeats nothing.
///
/// # Errors
/// Those of the database.
pub fn is_repeat<S: State, P>(
    conn: &mut Conn,
    moves: &[Move<S, P>],
    (noun, id): (&str, uuid::Uuid),
    status: S,
    verb: &str,
    by: Actor,
) -> Result<bool> {
    let leads_here = moves
        .iter()
        .any(|m| m.verb == verb && m.to == status && !m.from.contains(&status));
    if !leads_here || by == Actor::System {
        return Ok(false);
    }
    let last = journal::last_move(conn, noun, id)?;
    Ok(last == Some((format!("{noun}.{verb}"), by)))
}

/// The moves that a state allows, whoever makes them, each named once.
pub fn allowed<S: State, P>(moves: &[Move<S, P>], from: S) -> Vec<&'static str> {
    let mut verbs: Vec<_> = moves
        .iter()
        .filter(|m| m.from.contains(&from))
        .map(|m| m.verb)
        .collect();
    verbs.dedup();
    verbs
}

/// The table as a Mermaid state diagram.
pub fn mermaid<S: State, P: Copy + Into<&'static str>>(moves: &[Move<S, P>]) -> String {
    let mut out = String::from("```mermaid\nstateDiagram-v2\n");
    if let Some(first) = moves.first().and_then(|m| m.from.first()) {
        let _ = writeln!(out, "    [*] --> {}", (*first).into());
    }
    for m in moves {
        let by: Vec<&str> = m.by.iter().map(|party| (*party).into()).collect();
        for from in m.from {
            let _ = writeln!(
                out,
                "    {} --> {}: {} ({})",
                (*from).into(),
                m.to.into(),
                m.verb,
                by.join(", ")
            );
        }
    }
    out.push_str("```\n");
    out
}
