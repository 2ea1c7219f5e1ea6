//! The journal: every change of state, in the order in which it became visible.
//!
//! Timelines, the audit trail, reactions, live updates and the in-memory projections are all read
//! from it. A reader keeps a [`Position`] and never skips an entry that commits late: on
//! PostgreSQL entries carry the number of their transaction, are read in its order, and only those
//! are shown whose transaction lies behind every one still running.

use diesel::prelude::*;
use serde_json::Value;

use super::clock::Instant;
use super::columns::{Json, Uid};
use crate::schema::journal;
use crate::text_enum;

mod follow;
mod stories;
mod write;

pub use follow::{Position, Touched, after, head, place_of, react, touched, unread_since};
pub use stories::{
    ever_done, has_done, last_changes, last_move, last_of, of_kind, of_subject, of_subjects,
};
pub use write::Change;

text_enum! {
    /// Who made a change.
    ActorKind {
        /// An account, signed in.
        Account,
        /// A person without an account, by a signed link.
        Link,
        /// The clock, or a reaction to another change.
        System,
    }
}

/// Who makes a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Actor {
    /// An account, signed in.
    Account(Uid),
    /// A person without an account, by a signed link.
    Link,
    /// The clock, or a reaction to another change.
    System,
}

impl Actor {
    fn of_columns(kind: ActorKind, id: Option<Uid>) -> Self {
        match (kind, id) {
            (ActorKind::Account, Some(id)) => Self::Account(id),
            (ActorKind::Link, _) => Self::Link,
            (ActorKind::Account | ActorKind::System, _) => Self::System,
        }
    }

    fn columns(self) -> (ActorKind, Option<Uid>) {
        match self {
            Self::Account(id) => (ActorKind::Account, Some(id)),
            Self::Link => (ActorKind::Link, None),
            Self::System => (ActorKind::System, None),
        }
    }
}

/// One change of state.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = journal)]
pub struct Entry {
    /// The writing transaction's number; 0 on SQLite, where commits come in order of `seq`.
    pub txid: i64,
    /// Ascending number, unique in the database.
    pub seq: i64,
    /// When.
    pub at: Instant,
    /// What kind of actor.
    pub actor_kind: ActorKind,
    /// Which account, where it was one.
    pub actor_id: Option<Uid>,
    /// What happened, as `noun.verb`.
    pub kind: String,
    /// The noun of the thing that changed.
    pub subject_kind: String,
    /// The thing that changed.
    pub subject_id: Uid,
    /// The region it belongs to, for those who watch a region.
    pub region_id: Option<Uid>,
    /// The state before, for a move.
    pub from_state: Option<String>,
    /// The state after, for a move.
    pub to_state: Option<String>,
    /// Why, in the actor's words.
    pub reason: Option<String>,
    /// What else is needed to understand the change. Never personal data.
    pub payload: Json<Value>,
}
