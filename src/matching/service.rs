//! The best that remain after the database was asked, and who may ask.

use std::sync::Arc;

use uuid::Uuid;

use super::model::{Need, NeedId, NeedKind, Person};
use super::projection::Matching;
use super::score;
use super::store::{self, Bar, Batch};
use super::world::{Hit, Terms, Wanting};
use crate::error::{Code, Result};
use crate::identity::{AccountId, Caller};
use crate::platform::clock::Instant;
use crate::platform::db::Conn;
use crate::platform::token::Vault;

/// By what is ranked, and when.
#[derive(Clone, Copy)]
pub struct Moment {
    pub terms: Terms,
    pub now: Instant,
}

/// Why these people may not take these needs of one kind on, as only the database knows.
///
/// # Errors
/// Those of the database.
pub fn bars(
    conn: &mut Conn,
    matching: &Matching,
    kind: NeedKind,
    batch: &Batch,
) -> Result<Vec<Bar>> {
    match store::source(kind) {
        _ if batch.people.is_empty() || batch.needs.is_empty() => Ok(Vec::new()),
        Some(source) => (source.barred)(conn, matching.setting(), batch),
        None => Ok(Vec::new()),
    }
}

/// The best `k` needs for a person.
///
/// # Errors
/// Those of the database.
pub fn needs_for(
    conn: &mut Conn,
    matching: &Matching,
    person: &Person,
    mut wanting: Wanting,
    moment: &Moment,
    k: usize,
) -> Result<Vec<Hit<Need>>> {
    let mut asked = k;
    loop {
        let mut hits = matching
            .world()
            .needs_for(person, &wanting, &moment.terms, asked);
        let were_all = hits.len() < asked;
        let mut kinds: Vec<_> = hits.iter().map(|hit| hit.what.id.kind).collect();
        kinds.sort_unstable();
        kinds.dedup();
        let before = wanting.except.len();
        for kind in kinds {
            let of_kind = |hit: &&Hit<Need>| hit.what.id.kind == kind;
            let batch = Batch {
                people: vec![person.id],
                needs: hits.iter().filter(of_kind).map(|h| h.what.id.id).collect(),
                now: moment.now,
            };
            for bar in bars(conn, matching, kind, &batch)? {
                match bar.need {
                    None => wanting.except.push(kind),
                    Some(id) => hits.retain(|hit| hit.what.id != NeedId { id, kind }),
                }
            }
        }
        if wanting.except.len() > before {
            continue; // what took the places of the others is not worth looking at
        }
        if hits.len() >= k || were_all {
            hits.truncate(k);
            return Ok(hits);
        }
        asked = asked.saturating_mul(4);
    }
}

/// The best `k` people for a need.
///
/// # Errors
/// Those of the database.
pub fn people_for(
    conn: &mut Conn,
    matching: &Matching,
    need: &Need,
    moment: &Moment,
    k: usize,
) -> Result<Vec<Hit<Person>>> {
    let mut asked = k;
    loop {
        let mut hits = matching.world().people_for(need, &moment.terms, asked);
        let were_all = hits.len() < asked;
        let batch = Batch {
            people: hits.iter().map(|hit| hit.what.id).collect(),
            needs: vec![need.id.id],
            now: moment.now,
        };
        for bar in bars(conn, matching, need.id.kind, &batch)? {
            hits.retain(|hit| hit.what.id != bar.person);
        }
        if hits.len() >= k || were_all {
            hits.truncate(k);
            return Ok(hits);
        }
        asked = asked.saturating_mul(4);
    }
}

/// What only the database knows of one person and one need; none where nothing stands in the way.
///
/// # Errors
/// Those of the database.
pub fn standing(
    conn: &mut Conn,
    matching: &Matching,
    person: AccountId,
    need: &Need,
    now: Instant,
) -> Result<Option<Code>> {
    let batch = Batch {
        people: vec![person],
        needs: vec![need.id.id],
        now,
    };
    let found = bars(conn, matching, need.id.kind, &batch)?;
    Ok(found.first().map(|bar| bar.code))
}

/// What a person is called to those who look for people for a need. Stable for the need, and of no
/// use for another: a keyed hash of both.
pub fn pseudonym(vault: &Vault, need: &Need, person: AccountId) -> String {
    let both = format!("{}:{}:{person}", need.id.kind, need.id.id);
    let hash = vault.lookup_hash("candidate", &both);
    hash.iter()
        .take(8)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// The candidate for a need who is called so; none for one who is no candidate, or no more.
pub fn candidate(
    matching: &Matching,
    need: &Need,
    moment: &Moment,
    called: &str,
) -> Option<AccountId> {
    let vault = &matching.setting().vault;
    let world = matching.world();
    let found = world
        .people()
        .find(|person| pseudonym(vault, need, person.id) == called)?;
    score::is_eligible(found, need, moment.terms.today).then_some(found.id)
}

/// An open need.
///
/// # Errors
/// `not_found` for one that is unknown or not open.
pub fn open_need(matching: &Matching, kind: NeedKind, id: Uuid) -> Result<Arc<Need>> {
    let found = matching.world().need(NeedId { id, kind });
    found.ok_or_else(|| Code::NotFound.into())
}

/// The caller's profile, as it is matched.
///
/// # Errors
/// `profile_required` without one.
pub fn own_profile(matching: &Matching, caller: &Caller) -> Result<Arc<Person>> {
    let found = matching.world().person(caller.account);
    found.ok_or_else(|| Code::ProfileRequired.into())
}

/// Refuses whoever may not see candidates for this need.
///
/// # Errors
/// `forbidden`, and those of the database.
pub fn check_may_ask(conn: &mut Conn, caller: &Caller, need: &Need) -> Result<()> {
    let may = match store::source(need.id.kind) {
        Some(source) => (source.may_ask)(conn, caller, need)?,
        None => false,
    };
    if may {
        Ok(())
    } else {
        Err(Code::Forbidden.into())
    }
}
