//! Writing to the journal, in the transaction that makes the change.

use diesel::prelude::*;
use serde_json::Value;

use super::Actor;
use crate::error::Result;
use crate::platform::columns::{Json, Uid};
use crate::platform::db::Tx;
use crate::schema::journal;

/// A change about to be journalled.
#[derive(Clone, Debug)]
pub struct Change {
    actor: Actor,
    kind: String,
    subject: Uid,
    region: Option<Uid>,
    states: Option<(&'static str, &'static str)>,
    reason: Option<String>,
    payload: Value,
}

impl Change {
    /// `kind` is `noun.verb`; its noun is the kind of the subject.
    pub fn new(actor: Actor, kind: impl Into<String>, subject: uuid::Uuid) -> Self {
        Self {
            actor,
            kind: kind.into(),
            subject: Uid(subject),
            region: None,
            states: None,
            reason: None,
            payload: Value::Null,
        }
    }

    /// The region the subject belongs to.
    #[must_use]
    pub fn region(mut self, region: uuid::Uuid) -> Self {
        self.region = Some(Uid(region));
        self
    }

    /// The state before and after.
    #[must_use]
    pub fn states(mut self, from: &'static str, to: &'static str) -> Self {
        self.states = Some((from, to));
        self
    }

    /// Why, in the actor's words.
    #[must_use]
    pub fn reason(mut self, reason: Option<&str>) -> Self {
        self.reason = reason.map(str::to_owned);
        self
    }

    /// What else is needed to understand the change. Never personal data.
    #[must_use]
    pub fn payload(mut self, payload: Value) -> Self {
        self.payload = payload;
        self
    }
}

impl Tx<'_> {
    /// Appends to the journal, in this transaction.
    ///
    /// # Errors
    /// Those of the database.
    pub fn journal(&mut self, change: Change) -> Result<()> {
        let (actor_kind, actor_id) = change.actor.columns();
        let noun = change.kind.split('.').next().unwrap_or_default();
        diesel::insert_into(journal::table)
            .values((
                journal::at.eq(self.now),
                journal::actor_kind.eq(actor_kind),
                journal::actor_id.eq(actor_id),
                journal::kind.eq(&change.kind),
                journal::subject_kind.eq(noun),
                journal::subject_id.eq(change.subject),
                journal::region_id.eq(change.region),
                journal::from_state.eq(change.states.map(|s| s.0)),
                journal::to_state.eq(change.states.map(|s| s.1)),
                journal::reason.eq(change.reason),
                journal::payload.eq(Json(change.payload)),
            ))
            .execute(self.conn)?;
        self.journalled = true;
        Ok(())
    }
}
