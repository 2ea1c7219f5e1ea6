//! Saved searches: their owners are told when something new fits.
//!
//! What becomes public or moves on is noted from the journal, each entry once (`react`). A sweep holds it against
//! the saved searches that have not seen it yet (`sweep`): each keeps its place, moved on by
//! compare-and-set in the transaction that tells, so that of several workers one tells. Owners get
//! one message about all of their searches, at most every `digest_hours`; what comes meanwhile waits
//! for the next. A search never tells of the same thing twice, also when that was hidden and shown
//! again; and it tells only of what the public may see when it does.

use std::collections::{BTreeMap, HashMap, HashSet};

use chrono::TimeDelta;
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;
use validator::Validate;

use super::criteria::Criteria;
use super::model::{Document, Key, RegionFacts, SavedSearch, SavedSearchId};
use super::settings::SearchRules;
use super::shelf::fits;
use super::store::saved::{self as store, News};
use super::store::{self as things, SOURCES};
use crate::error::{Code, Problem, Result};
use crate::identity::{AccountId, Caller};
use crate::notifications::{Kind, Notice, notify};
use crate::platform::clock::Instant;
use crate::platform::columns::Json;
use crate::platform::db::Tx;
use crate::platform::http::IfMatch;
use crate::platform::http::valid::given;
use crate::platform::journal::{Change, Entry, Position};
use crate::regions::{self, RegionId};
use crate::taxonomies;

/// How long what became public is kept to be told of: far longer than anybody waits for a message.
const KEPT_DAYS: i64 = 2 * 365;
/// What is held against saved searches at once.
const NEWS: i64 = 500;
/// Names of searches that stand in one message.
const NAMES: usize = 3;

/// What writes about saved searches need.
#[derive(Clone)]
pub struct Desk {
    /// The room's numbers.
    pub rules: SearchRules,
}

/// A search to save.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct NewSavedSearch {
    /// What its owner calls it.
    #[validate(length(min = 1, max = 50))]
    pub name: String,
    /// What is searched for.
    #[validate(nested)]
    pub criteria: Criteria,
}

/// What changes about a saved search; what is left out stays.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct EditSavedSearch {
    /// What its owner calls it.
    #[serde(default, deserialize_with = "given")]
    #[validate(length(min = 1, max = 50))]
    pub name: Option<String>,
    /// What is searched for, whole.
    #[serde(default, deserialize_with = "given")]
    #[validate(nested)]
    pub criteria: Option<Criteria>,
}

/// Writes down that an own search changed; what is searched for stays out of the journal.
fn journal(tx: &mut Tx<'_>, caller: &Caller, verb: &str, id: SavedSearchId) -> Result<()> {
    let kind = format!("saved_search.{verb}");
    tx.journal(Change::new(caller.actor(), kind, id.0))
}

/// Refuses what can never be found: a region that there is not, a field that the taxonomy does not have.
fn check_known(tx: &mut Tx<'_>, criteria: &Criteria) -> Result<()> {
    let mut wrong = Problem::new(Code::Invalid);
    if let Some(region) = criteria.region
        && regions::by_id(tx.conn, region).is_err()
    {
        wrong = wrong.field("/criteria/region", Code::UnknownReference);
    }
    if let Some(field) = &criteria.field
        && !taxonomies::is_field(field)
    {
        wrong = wrong.field("/criteria/field", Code::UnknownReference);
    }
    match wrong.errors.is_empty() {
        true => Ok(()),
        false => Err(wrong.into()),
    }
}

/// Saves a search: what becomes public from here on is new to it.
///
/// # Errors
/// `too_many_saved_searches`; `invalid` for a region or field that there is not.
pub fn save(
    tx: &mut Tx<'_>,
    desk: &Desk,
    caller: &Caller,
    new: &NewSavedSearch,
) -> Result<SavedSearch> {
    check_known(tx, &new.criteria)?;
    tx.serialize_on(&owner(caller.account))?;
    let own = store::of_account(tx.conn, caller.account)?;
    if own.len() as i64 >= desk.rules.saved_per_account {
        return Err(Code::TooManySavedSearches.into());
    }
    let Position { txid, seq } = store::latest(tx.conn)?;
    let row = SavedSearch {
        id: SavedSearchId::new(),
        account_id: caller.account,
        name: new.name.clone(),
        criteria: Json(new.criteria.clone()),
        txid,
        seq,
        told_at: own.iter().filter_map(|other| other.told_at).max(),
        version: 1,
        created_at: tx.now,
    };
    store::insert(tx.conn, &row)?;
    journal(tx, caller, "created", row.id)?;
    Ok(row)
}

/// Changes an own search. With other criteria, only what becomes public from here on is new to it.
///
/// # Errors
/// `not_found`, `version_required`, `version_mismatch`; `invalid` for a region or field that there is not.
pub fn edit(
    tx: &mut Tx<'_>,
    caller: &Caller,
    id: SavedSearchId,
    seen: &IfMatch,
    edit: &EditSavedSearch,
) -> Result<SavedSearch> {
    let row = store::one(tx.conn, caller.account, id)?;
    seen.expect(row.version)?;
    let mut changed = row.clone();
    if let Some(name) = &edit.name {
        changed.name.clone_from(name);
    }
    if let Some(criteria) = &edit.criteria
        && *criteria != row.criteria.0
    {
        check_known(tx, criteria)?;
        changed.criteria = Json(criteria.clone());
        let Position { txid, seq } = store::latest(tx.conn)?;
        (changed.txid, changed.seq) = (txid, seq);
    }
    if !store::update(tx.conn, &changed)? {
        return Err(Code::VersionMismatch.into());
    }
    journal(tx, caller, "edited", id)?;
    Ok(SavedSearch {
        version: row.version + 1,
        ..changed
    })
}

/// Deletes an own search.
///
/// # Errors
/// `not_found`.
pub fn delete(tx: &mut Tx<'_>, caller: &Caller, id: SavedSearchId) -> Result<()> {
    tx.serialize_on(&owner(caller.account))?;
    store::one(tx.conn, caller.account, id)?;
    store::delete(tx.conn, id)?;
    journal(tx, caller, "deleted", id)
}

/// Notes what becomes public, and what moves on from there: that is new to who looks for a state.
///
/// # Errors
/// Those of the database.
pub fn react(tx: &mut Tx<'_>, entry: &Entry) -> Result<()> {
    let is_its = |source: &&things::Source| source.noun == entry.subject_kind;
    let Some(source) = SOURCES.iter().find(is_its) else {
        return Ok(());
    };
    let is_public = |state: &Option<String>| state.as_deref().is_some_and(source.is_public);
    if is_public(&entry.to_state) && entry.to_state != entry.from_state {
        let news = News {
            position: entry.position(),
            kind: source.kind,
            id: entry.subject_id.0,
            moved_on: is_public(&entry.from_state),
        };
        store::note(tx, news)?;
    }
    Ok(())
}

/// What tellings and saves of one owner wait for each other by.
fn owner(account: AccountId) -> String {
    format!("saved searches:{account}")
}

/// Tells owners of saved searches what is new; returns how many owners were looked at.
///
/// # Errors
/// Those of the database.
pub fn sweep(tx: &mut Tx<'_>, desk: &Desk, most: i64) -> Result<usize> {
    store::forget(tx, tx.now - TimeDelta::days(KEPT_DAYS))?;
    let latest = store::latest(tx.conn)?;
    let since = tx.now - TimeDelta::hours(desk.rules.digest_hours);
    let waiting = store::waiting(tx.conn, latest, since, most)?;
    let mut known = Known::default();
    for account in &waiting {
        tell(tx, *account, since, &mut known)?;
    }
    Ok(waiting.len())
}

/// Things and regions as they are now, looked up once for a sweep.
#[derive(Default)]
struct Known {
    things: HashMap<Key, Option<Document>>,
    regions: HashMap<RegionId, RegionFacts>,
}

impl Known {
    /// Looks up what is not known yet.
    fn learn(&mut self, tx: &mut Tx<'_>, news: &[News]) -> Result<()> {
        for source in SOURCES {
            let of_kind = news.iter().filter(|news| news.kind == source.kind);
            let mut ids: Vec<Uuid> = of_kind
                .map(|news| news.id)
                .filter(|id| {
                    !self.things.contains_key(&Key {
                        id: *id,
                        kind: source.kind,
                    })
                })
                .collect();
            ids.sort_unstable();
            ids.dedup();
            if ids.is_empty() {
                continue;
            }
            for document in (source.load)(tx.conn, &ids)? {
                self.things.insert(document.key(), Some(document));
            }
            for id in ids {
                let key = Key {
                    id,
                    kind: source.kind,
                };
                self.things.entry(key).or_default();
            }
        }
        let mut regions: Vec<_> = self
            .things
            .values()
            .flatten()
            .map(|document| document.region)
            .filter(|region| !self.regions.contains_key(region))
            .collect();
        regions.sort_unstable();
        regions.dedup();
        self.regions
            .extend(things::region_facts(tx.conn, Some(&regions))?);
        Ok(())
    }
}

/// Holds an owner's searches against what became public since each was last, and tells of what fits.
fn tell(tx: &mut Tx<'_>, account: AccountId, since: Instant, known: &mut Known) -> Result<()> {
    tx.serialize_on(&owner(account))?;
    let today = tx.today();
    let searches = store::of_account(tx.conn, account)?;
    // by now another worker may have told
    if searches
        .iter()
        .any(|search| search.told_at.is_some_and(|at| at > since))
    {
        return Ok(());
    }
    let (mut names, mut found, mut first) = (Vec::new(), HashSet::new(), None);
    for search in &searches {
        let place = Position {
            txid: search.txid,
            seq: search.seq,
        };
        let news = store::news(tx.conn, place, NEWS)?;
        let Some(last) = news.last() else { continue };
        if !store::advance(tx.conn, search, last.position)? {
            continue; // changed this moment
        }
        known.learn(tx, &news)?;
        let terms = search.criteria.0.terms();
        let is_fit = |key: &Key| -> bool {
            let Some(Some(document)) = known.things.get(key) else {
                return false;
            };
            let facts = known.regions.get(&document.region);
            facts.is_some_and(|facts| fits(&search.criteria.0, &terms, document, facts, today))
        };
        let mut fitting: BTreeMap<_, Vec<Uuid>> = BTreeMap::new();
        let is_new = |one: &&News| !one.moved_on || search.criteria.0.state.is_some();
        for News { kind, id, .. } in news.iter().filter(is_new) {
            let ids: &mut Vec<Uuid> = fitting.entry(*kind).or_default();
            if !ids.contains(id)
                && is_fit(&Key {
                    id: *id,
                    kind: *kind,
                })
            {
                ids.push(*id);
            }
        }
        let mut is_new = false;
        for (kind, ids) in fitting {
            let told = store::told(tx.conn, search.id, kind, &ids)?;
            for id in ids.into_iter().filter(|id| !told.contains(id)) {
                store::tell(tx, search.id, kind, id)?;
                found.insert(Key { id, kind });
                is_new = true;
            }
        }
        if is_new {
            names.push(search.name.clone());
            first = first.or(Some(search.id));
        }
    }
    let Some(first) = first else {
        return Ok(());
    };
    store::set_told(tx, account)?;
    let more = if names.len() > NAMES { "…" } else { "" };
    names.truncate(NAMES);
    let title = format!("{}{more}", names.join("、"));
    let subject = ("saved_search", first.0);
    let notice = Notice::titled(account, Kind::SavedSearchNews, subject, &title);
    notify(tx, &notice.with("count", found.len().to_string()))
}
