//! All of the room's SQL: people, and for each kind of need its own file.

mod people;
mod project_roles;
mod wishes;

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use chrono::NaiveDate;
use diesel::prelude::*;
use uuid::Uuid;

use super::invitations::{Asker, Room};
use super::model::{Need, NeedId, NeedKind, Person};
use super::settings::MatchingRules;
use crate::error::{Code, Error, Result};
use crate::identity::{AccountId, Caller};
use crate::platform::clock::Instant;
use crate::platform::db::Conn;
use crate::platform::journal::Touched;
use crate::platform::token::Vault;
use crate::projects::claims::ClaimId;
use crate::regions::{Level, RegionId};
use crate::schema::{region_ancestors, regions};
use crate::wishes::WishRules;

pub use people::{ids as ids_of_people, load as load_people};

/// What loading and checking go by.
#[derive(Clone)]
pub struct Setting {
    pub matching: MatchingRules,
    pub wishes: WishRules,
    /// The qualification that work with minors asks for.
    pub vetting: String,
    /// Opens what is sealed of a Party membership.
    pub vault: Vault,
    /// The zone of dates.
    pub zone: chrono_tz::Tz,
}

/// How much each person has taken on.
pub type Commitments = HashMap<AccountId, u32>;

/// Needs of one kind.
pub type Ids = Vec<Uuid>;

/// Who looks for people for each of some needs of one kind.
pub type Askers = HashMap<Uuid, Vec<Asker>>;

/// A kind of need: how it is loaded, followed and checked.
pub struct Source {
    pub kind: NeedKind,
    /// The ids of what is open, ascending.
    pub ids: fn(&mut Conn) -> Result<Vec<Uuid>>,
    /// Those of these that are open.
    pub load: fn(&mut Conn, &Setting, &[Uuid]) -> Result<Vec<Need>>,
    /// The needs that may be other ones since these subjects of a noun changed.
    pub touched: fn(&mut Conn, &str, &[Uuid]) -> Result<Vec<Uuid>>,
    /// The people whose commitments may be others since then.
    pub people: fn(&mut Conn, &str, &[Uuid]) -> Result<Vec<AccountId>>,
    /// What people have taken on of this kind and not finished; who is not there has nothing.
    pub commitments: fn(&mut Conn, &[AccountId]) -> Result<Commitments>,
    /// What only the database knows, asked once for the whole batch.
    pub barred: fn(&mut Conn, &Setting, &Batch) -> Result<Vec<Bar>>,
    /// Which of these a person cannot take on beside what it has taken on.
    pub beside: fn(&mut Conn, AccountId, &[Uuid], NaiveDate) -> Result<Ids>,
    /// Whether the caller may ask for candidates for this one, open or not.
    pub may_ask: fn(&mut Conn, &Caller, Uuid) -> Result<bool>,
    /// What there is to say of one, open or not.
    pub about: fn(&mut Conn, Uuid) -> Result<About>,
    /// How much room one has for people, in the crew of a claim where it is a role.
    pub room: fn(&mut Conn, Uuid, Option<ClaimId>, NaiveDate) -> Result<Room>,
    /// The organisations and people who look for people for each of these; not those of which that is
    /// the staff's.
    pub askers: fn(&mut Conn, &[Uuid]) -> Result<Askers>,
}

/// What there is to say of a need, open or not.
pub struct About {
    pub title: String,
    pub region: RegionId,
    /// The project that a role belongs to.
    pub project: Option<Uuid>,
}

/// Every kind of need.
pub const SOURCES: &[Source] = &[wishes::SOURCE, project_roles::SOURCE];

/// Candidates to be checked: each of these people with each of these needs of one kind.
pub struct Batch {
    pub people: Vec<AccountId>,
    pub needs: Vec<Uuid>,
    pub now: Instant,
}

/// Somebody who may not take a need on, or none of its kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bar {
    pub person: AccountId,
    /// None: none of the kind.
    pub need: Option<Uuid>,
    pub code: Code,
}

/// The kind's source.
///
/// # Errors
/// For a kind without one, which there is not.
pub fn source(kind: NeedKind) -> Result<&'static Source> {
    let found = SOURCES.iter().find(|source| source.kind == kind);
    found.ok_or_else(|| Error::internal(format!("no source of {kind}")))
}

/// What is looked up anew at once.
const BATCH: usize = 500;

/// People and needs as they are now; none for what is not there any more.
#[derive(Debug, Default)]
pub struct Present {
    pub people: Vec<(AccountId, Option<Person>)>,
    pub needs: Vec<(NeedId, Option<Need>)>,
}

/// All that may have changed with these entries of the journal, as it is now.
pub fn present(conn: &mut Conn, setting: &Setting, touched: &[&Touched]) -> Result<Present> {
    let mut by_noun: HashMap<&str, BTreeSet<Uuid>> = HashMap::new();
    for entry in touched {
        by_noun
            .entry(entry.noun.as_str())
            .or_default()
            .insert(entry.subject.0);
    }
    let mut people = BTreeSet::new();
    let mut needs: Vec<BTreeSet<Uuid>> = vec![BTreeSet::new(); SOURCES.len()];
    for (noun, subjects) in by_noun {
        let subjects: Vec<_> = subjects.into_iter().collect();
        for subjects in subjects.chunks(BATCH) {
            people.extend(people::touched(conn, noun, subjects)?);
            for (source, needs) in SOURCES.iter().zip(&mut needs) {
                needs.extend((source.touched)(conn, noun, subjects)?);
                people.extend((source.people)(conn, noun, subjects)?);
            }
        }
    }
    let mut present = Present::default();
    let people: Vec<_> = people.into_iter().collect();
    for ids in people.chunks(BATCH) {
        let mut found: HashMap<_, _> = people::load(conn, setting, ids)?
            .into_iter()
            .map(|person| (person.id, person))
            .collect();
        present
            .people
            .extend(ids.iter().map(|id| (*id, found.remove(id))));
    }
    for (source, ids) in SOURCES.iter().zip(needs) {
        let ids: Vec<_> = ids.into_iter().collect();
        for ids in ids.chunks(BATCH) {
            let mut found: HashMap<_, _> = (source.load)(conn, setting, ids)?
                .into_iter()
                .map(|need| (need.id.id, need))
                .collect();
            let kind = source.kind;
            present.needs.extend(
                ids.iter()
                    .map(|id| (NeedId { id: *id, kind }, found.remove(id))),
            );
        }
    }
    Ok(present)
}

/// Where a need's region lies, for the loaders of all kinds.
pub struct RegionFacts {
    pub level: Level,
    /// Its centre: degrees east and north.
    pub centre: Option<(f64, f64)>,
    /// Itself and all it lies in.
    pub with_ancestors: Arc<[RegionId]>,
}

/// [`RegionFacts`] of some regions.
pub fn region_facts(conn: &mut Conn, ids: &[RegionId]) -> Result<HashMap<RegionId, RegionFacts>> {
    type Row = (RegionId, Level, Option<f64>, Option<f64>);
    let rows: Vec<Row> = regions::table
        .filter(regions::id.eq_any(ids.to_vec()))
        .select((
            regions::id,
            regions::level,
            regions::longitude,
            regions::latitude,
        ))
        .load(conn)?;
    let above: Vec<(RegionId, RegionId)> = region_ancestors::table
        .filter(region_ancestors::region_id.eq_any(ids.to_vec()))
        .order((region_ancestors::region_id, region_ancestors::distance))
        .select((region_ancestors::region_id, region_ancestors::ancestor_id))
        .load(conn)?;
    let mut with_ancestors: HashMap<RegionId, Vec<RegionId>> = HashMap::new();
    for (region, ancestor) in above {
        with_ancestors.entry(region).or_default().push(ancestor);
    }
    let facts = rows.into_iter().map(|(id, level, longitude, latitude)| {
        let facts = RegionFacts {
            level,
            centre: longitude.zip(latitude),
            with_ancestors: with_ancestors.remove(&id).unwrap_or_default().into(),
        };
        (id, facts)
    });
    Ok(facts.collect())
}

/// The names of the streets that some regions lie in.
pub fn street_names(conn: &mut Conn, ids: &[RegionId]) -> Result<HashMap<RegionId, Arc<str>>> {
    let names = crate::regions::enclosing(conn, ids, Level::Street)?;
    Ok(names
        .into_iter()
        .map(|(id, name)| (id, name.into()))
        .collect())
}
