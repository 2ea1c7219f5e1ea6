//! The best that remain after the database was asked, and who may ask.

use std::collections::HashSet;
use std::sync::Arc;

use uuid::Uuid;

use super::invitations::{self, Asker};
use super::model::{Need, NeedId, NeedKind, Person};
use super::projection::Matching;
use super::score;
use super::store::{self, Bar, Batch};
use super::world::{Hit, Terms, Wanting};
use crate::error::{Code, Result};
use crate::identity::{self, AccountId, Caller, DataUse, Reader, Role, Sensitive};
use crate::platform::clock::Instant;
use crate::platform::db::{Conn, Tx};
use crate::platform::token::Vault;

/// By what is ranked, and when.
#[derive(Clone, Copy)]
pub struct Moment {
    pub terms: Terms,
    pub now: Instant,
}

impl Moment {
    /// With the configured weights, at an instant.
    pub fn at(matching: &Matching, now: Instant) -> Self {
        let setting = matching.setting();
        Self {
            terms: Terms {
                weights: setting.matching.weights,
                today: now.with_timezone(&setting.zone).date_naive(),
            },
            now,
        }
    }
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
    if batch.people.is_empty() || batch.needs.is_empty() {
        return Ok(Vec::new());
    }
    (store::source(kind)?.barred)(conn, matching.setting(), batch)
}

/// Why one may not ask these people for these needs of one kind, whatever they may do by themselves.
///
/// # Errors
/// Those of the database.
pub fn bars_to_asking(
    conn: &mut Conn,
    matching: &Matching,
    batch: &Batch,
    asker: &Asker,
) -> Result<Vec<Bar>> {
    if batch.people.is_empty() || batch.needs.is_empty() {
        return Ok(Vec::new());
    }
    let setting = matching.setting();
    let rules = (&setting.matching.invitations, setting.zone);
    invitations::barred(conn, rules, batch, asker)
}

/// Needs for a person.
pub struct Recommended {
    /// The best first.
    pub hits: Vec<Hit<Need>>,
    /// Of which kinds the person may take none on, whichever, and why.
    pub closed: Vec<(NeedKind, Code)>,
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
) -> Result<Recommended> {
    let mut closed = Vec::new();
    let dismissed = invitations::dismissed_by(conn, person.id)?;
    let mut asked = k;
    loop {
        let mut hits = matching
            .world()
            .needs_for(person, &wanting, &moment.terms, asked);
        let were_all = hits.len() < asked;
        hits.retain(|hit| !dismissed.contains(&hit.what.id.id));
        let mut kinds: Vec<_> = hits.iter().map(|hit| hit.what.id.kind).collect();
        kinds.sort_unstable();
        kinds.dedup();
        let before = closed.len();
        for kind in kinds {
            let of_kind = |hit: &&Hit<Need>| hit.what.id.kind == kind;
            let batch = Batch {
                people: vec![person.id],
                needs: hits.iter().filter(of_kind).map(|h| h.what.id.id).collect(),
                now: moment.now,
            };
            for bar in bars(conn, matching, kind, &batch)? {
                match bar.need {
                    None => {
                        wanting.except.push(kind);
                        closed.push((kind, bar.code));
                    }
                    Some(id) => hits.retain(|hit| hit.what.id != NeedId { id, kind }),
                }
            }
        }
        if closed.len() > before {
            continue; // what took the places of the others is not worth looking at
        }
        if hits.len() >= k || were_all {
            hits.truncate(k);
            return Ok(Recommended { hits, closed });
        }
        asked = asked.saturating_mul(4);
    }
}

/// People whom one may ask for a need.
pub struct Candidates {
    /// The best first.
    pub hits: Vec<Hit<Person>>,
    /// Whether somebody else fits, and was only asked often enough today.
    pub put_off: bool,
}

/// The best `k` people whom `asker` may ask for a need.
///
/// # Errors
/// Those of the database.
pub fn people_for(
    conn: &mut Conn,
    matching: &Matching,
    need: &Need,
    moment: &Moment,
    asker: &Asker,
    k: usize,
) -> Result<Candidates> {
    let mut asked = k;
    loop {
        let mut hits = matching.world().people_for(need, &moment.terms, asked);
        let were_all = hits.len() < asked;
        let batch = Batch {
            people: hits.iter().map(|hit| hit.what.id).collect(),
            needs: vec![need.id.id],
            now: moment.now,
        };
        let barred =
            |bars: &[Bar]| -> HashSet<AccountId> { bars.iter().map(|bar| bar.person).collect() };
        let may_not = barred(&bars(conn, matching, need.id.kind, &batch)?);
        hits.retain(|hit| !may_not.contains(&hit.what.id));
        let not_asked = bars_to_asking(conn, matching, &batch, asker)?;
        let put_off = not_asked
            .iter()
            .any(|bar| bar.code == Code::DailyCap && !may_not.contains(&bar.person));
        let not_asked = barred(&not_asked);
        hits.retain(|hit| !not_asked.contains(&hit.what.id));
        if hits.len() >= k || were_all {
            hits.truncate(k);
            return Ok(Candidates { hits, put_off });
        }
        asked = asked.saturating_mul(4);
    }
}

/// All that only the database knows to stand between one person and one need, each once.
///
/// # Errors
/// Those of the database.
pub fn standing(
    conn: &mut Conn,
    matching: &Matching,
    person: AccountId,
    need: &Need,
    now: Instant,
) -> Result<Vec<Code>> {
    let batch = Batch {
        people: vec![person],
        needs: vec![need.id.id],
        now,
    };
    let mut found = bars(conn, matching, need.id.kind, &batch)?;
    found.extend(invitations::dismissed(conn, &batch)?);
    let mut codes: Vec<Code> = Vec::new();
    for bar in found {
        if !codes.contains(&bar.code) {
            codes.push(bar.code);
        }
    }
    Ok(codes)
}

/// What keeps organisers from asking one person for one need; none where nothing does. Blocked counts
/// where all who look for people for it are.
///
/// # Errors
/// Those of the database.
pub fn uninvited(
    conn: &mut Conn,
    matching: &Matching,
    person: AccountId,
    need: NeedId,
    now: Instant,
) -> Result<Option<Code>> {
    let batch = Batch {
        people: vec![person],
        needs: vec![need.id],
        now,
    };
    let mut askers = (store::source(need.kind)?.askers)(conn, &batch.needs)?;
    let mut askers = askers.remove(&need.id).unwrap_or_default();
    let last = askers.pop().unwrap_or_default();
    for asker in askers {
        let found = bars_to_asking(conn, matching, &batch, &asker)?;
        if found.first().map(|bar| bar.code) != Some(Code::Blocked) {
            return Ok(found.first().map(|bar| bar.code));
        }
    }
    let found = bars_to_asking(conn, matching, &batch, &last)?;
    Ok(found.first().map(|bar| bar.code))
}

/// Whether a person stands in the way of an invitation as everybody concerned knows: it is in the crew,
/// or asked for a place in it.
///
/// # Errors
/// Those of the database.
pub fn is_in_already(
    conn: &mut Conn,
    matching: &Matching,
    person: AccountId,
    need: NeedId,
    now: Instant,
) -> Result<bool> {
    let batch = Batch {
        people: vec![person],
        needs: vec![need.id],
        now,
    };
    let found = bars(conn, matching, need.kind, &batch)?;
    Ok(found.iter().any(|bar| bar.code == Code::InCrewAlready))
}

/// What a person is called to those who look for people for a need. Stable for the need, and of no
/// use for another: a keyed hash of both.
pub fn pseudonym(vault: &Vault, need: NeedId, person: AccountId) -> String {
    let both = format!("{}:{}:{person}", need.kind, need.id);
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
        .find(|person| pseudonym(vault, need.id, person.id) == called)?;
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

/// A volunteer's profile, as it is matched, for the staff who answer for a need; the volunteer is told of
/// the reading.
///
/// # Errors
/// `forbidden` for anybody but a region admin over the need; `not_found` without a profile.
pub fn profile_for_staff(
    tx: &mut Tx<'_>,
    matching: &Matching,
    caller: &Caller,
    need: &Need,
    who: AccountId,
) -> Result<Arc<Person>> {
    if !caller.holds_in_region(tx.conn, &[Role::RegionAdmin], need.region)? {
        return Err(Code::Forbidden.into());
    }
    let person = matching.world().person(who).ok_or(Code::NotFound)?;
    let (reader, why) = (Reader::RegionStaff, DataUse::Explanation);
    identity::disclosed(tx, caller, who, Sensitive::MatchingProfile, reader, why)?;
    Ok(person)
}

/// Refuses whoever may not look for people for this need, open or not.
///
/// # Errors
/// `not_found`, `forbidden`, and those of the database.
pub fn check_may_ask(conn: &mut Conn, caller: &Caller, need: NeedId) -> Result<()> {
    if (store::source(need.kind)?.may_ask)(conn, caller, need.id)? {
        Ok(())
    } else {
        Err(Code::Forbidden.into())
    }
}
