//! What a plan is made of.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use crate::error::Code;
use crate::identity::AccountId;
use crate::matching::model::{Need, NeedId, NeedKind, Person};
use crate::matching::rounds::model::LockKind;
use crate::matching::store::Bar;
use crate::matching::world::Terms;

/// Who may not take what, as only the database knows.
#[derive(Debug, Default)]
pub struct Bars(HashMap<AccountId, Vec<(NeedId, bool, Code)>>);

impl Bars {
    /// Adds what was found about needs of one kind.
    pub fn add(&mut self, kind: NeedKind, found: Vec<Bar>) {
        for bar in found {
            let need = NeedId {
                id: bar.need.unwrap_or_default(),
                kind,
            };
            let of = self.0.entry(bar.person).or_default();
            of.push((need, bar.need.is_none(), bar.code));
        }
    }

    /// Why this person may not take this need.
    pub fn code(&self, person: AccountId, need: NeedId) -> Option<Code> {
        let of = self.0.get(&person)?;
        let stands_against = |(of, is_of_kind, _): &&(NeedId, bool, Code)| {
            *of == need || (*is_of_kind && of.kind == need.kind)
        };
        of.iter().find(stands_against).map(|(_, _, code)| *code)
    }
}

/// A pair that stood in the plan before.
#[derive(Clone, Debug)]
pub struct Former {
    pub title: String,
    pub score: f64,
    pub factors: [f64; 5],
}

/// Pairs by person and need.
pub type Formers = BTreeMap<(AccountId, NeedId), Former>;

/// A lock that is looked at.
#[derive(Clone, Copy, Debug)]
pub struct Held {
    pub kind: LockKind,
    pub person: Option<AccountId>,
    pub need: Option<NeedId>,
}

/// Everything that a plan is made of.
pub struct Material {
    pub people: Vec<Arc<Person>>,
    pub needs: Vec<Arc<Need>>,
    pub bars: Bars,
    pub locks: Vec<Held>,
    pub former: Formers,
    /// How much each person may take, and what some of them have already.
    pub places: u32,
    pub busy: HashMap<AccountId, u32>,
    /// Places of needs that are spoken for.
    pub reserved: HashMap<NeedId, u32>,
    /// Pairs that were sent before: nobody is asked twice.
    pub sent: HashSet<(AccountId, NeedId)>,
    /// Those of them that wait for an answer.
    pub open: HashSet<(AccountId, NeedId)>,
    pub terms: Terms,
    pub candidates_per_person: usize,
    pub candidates_per_need: usize,
}
