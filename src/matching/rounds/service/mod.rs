//! What can be done with batch rounds.

mod locks;
mod terms;

use std::collections::HashSet;
use std::sync::Arc;

use uuid::Uuid;

use super::model::{BatchRound, BatchRoundId, RoundPlan};
use super::planning::{PLAN, Planning};
use super::rules::{MOVES, Relation, RoundRules};
use super::store;
use crate::error::{Code, Error, Problem, Result};
use crate::identity::{AccountId, Caller, Role};
use crate::matching::model::{Need, NeedKind};
use crate::matching::projection::Matching;
use crate::matching::score;
use crate::platform::db::{Conn, Tx};
use crate::platform::journal::{Actor, Change};
use crate::platform::lifecycle;
use crate::platform::token::Vault;

pub use locks::{NewLock, lift_lock, set_lock};
pub use terms::{EditBatchRound, NewBatchRound, create, edit};

/// Days after which a plan that was written and never taken over is forgotten.
const UNUSED_DAYS: i64 = 1;
/// Rows that one step of forgetting takes away.
const ROWS: i32 = 2_000;

/// What a person is called in a round: stable in it, and of no use for another or for a list of
/// candidates. A keyed hash.
pub fn pseudonym(vault: &Vault, round: BatchRoundId, person: AccountId) -> String {
    let hash = vault.lookup_hash("round", format!("{round}:{person}"));
    hash.iter()
        .take(8)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// How a caller stands to a round.
///
/// # Errors
/// Those of the database.
pub fn relation(conn: &mut Conn, caller: &Caller, round: &BatchRound) -> Result<Relation> {
    let publishes = round.batch_id.is_some() && caller.is_platform_admin();
    Ok(Relation {
        coordinator: publishes
            || caller.holds_in_region(conn, &[Role::RegionAdmin], round.region_id)?,
    })
}

/// A round for those who coordinate it; others do not know of it.
///
/// # Errors
/// `not_found`.
pub fn visible(conn: &mut Conn, caller: &Caller, id: BatchRoundId) -> Result<BatchRound> {
    let round = store::round(conn, id)?;
    if relation(conn, caller, &round)? == Relation::default() {
        return Err(Code::NotFound.into());
    }
    Ok(round)
}

/// The plan of a round that holds.
///
/// # Errors
/// `not_planned_yet`.
pub(super) fn current(conn: &mut Conn, round: &BatchRound) -> Result<RoundPlan> {
    let found = store::plan(conn, round.id, round.plan_number)?;
    found.ok_or_else(|| Code::NotPlannedYet.into())
}

/// The plan that holds, of a round for those who coordinate it.
///
/// # Errors
/// `not_found`, `not_planned_yet`.
pub fn visible_plan(conn: &mut Conn, caller: &Caller, id: BatchRoundId) -> Result<RoundPlan> {
    let round = visible(conn, caller, id)?;
    current(conn, &round)
}

fn change(round: &BatchRound, by: Actor, verb: &str) -> Change {
    Change::new(by, format!("round.{verb}"), round.id.0).region(round.region_id.0)
}

fn hold(wrong: Problem) -> Result<()> {
    match wrong.errors.is_empty() {
        true => Ok(()),
        false => Err(wrong.into()),
    }
}

/// A round for one of its coordinators, once nobody else is about to change it.
pub(super) fn seen(tx: &mut Tx<'_>, caller: &Caller, id: BatchRoundId) -> Result<BatchRound> {
    tx.serialize_on(&format!("round:{id}"))?;
    visible(tx.conn, caller, id)
}

fn saved(tx: &mut Tx<'_>, round: &BatchRound) -> Result<()> {
    match store::save(tx.conn, round)? {
        true => Ok(()),
        false => Err(Code::VersionMismatch.into()),
    }
}

/// Makes one move: by the table, by compare-and-set, into the journal.
pub(super) fn advance(
    tx: &mut Tx<'_>,
    round: &BatchRound,
    verb: &str,
    by: Actor,
    reason: Option<&str>,
    change_row: impl FnOnce(&mut BatchRound),
) -> Result<BatchRound> {
    let Some(to) = lifecycle::next(MOVES, round.status, verb) else {
        return Err(refused(tx.conn, round, by)?);
    };
    let mut moved = BatchRound {
        status: to,
        status_since: tx.now,
        ..round.clone()
    };
    change_row(&mut moved);
    if !store::save(tx.conn, &moved)? {
        // somebody was faster: say where it stands now
        let now = store::round(tx.conn, round.id)?;
        return Err(refused(tx.conn, &now, by)?);
    }
    tx.journal(
        change(round, by, verb)
            .states(round.status.into(), to.into())
            .reason(reason),
    )?;
    store::round(tx.conn, round.id)
}

/// The refusal of a move that the table does not have, with those that are the mover's.
fn refused(conn: &mut Conn, round: &BatchRound, by: Actor) -> Result<Error> {
    let stands = match Caller::of(conn, by)? {
        Some(caller) => relation(conn, &caller, round)?,
        None => Relation::default(),
    };
    Ok(lifecycle::refusal(MOVES, stands, round.status))
}

/// The open needs that a round plans, in the order of their ids. `roles` are those of its batch.
pub(super) fn needs(
    matching: &Matching,
    round: &BatchRound,
    roles: &HashSet<Uuid>,
    today: chrono::NaiveDate,
) -> Vec<Arc<Need>> {
    let world = matching.world();
    let takes = |need: &&Arc<Need>| {
        let is_of_round = match round.batch_id {
            Some(_) => need.id.kind == NeedKind::ProjectRole && roles.contains(&need.id.id),
            None => {
                let is_wanted = need.id.kind == NeedKind::ProjectRole || round.with_wishes;
                is_wanted && need.regions.contains(&round.region_id)
            }
        };
        is_of_round
            && (need.party_only || !round.party_only)
            && need.filled < need.places
            && !score::is_over(need, today)
    };
    let mut needs: Vec<_> = world.needs().filter(takes).cloned().collect();
    needs.sort_by_key(|need| need.id);
    needs
}

/// The roles of a round's batch.
pub(super) fn roles(conn: &mut Conn, round: &BatchRound) -> Result<HashSet<Uuid>> {
    let roles = match round.batch_id {
        Some(batch) => store::roles_of(conn, batch)?,
        None => Vec::new(),
    };
    Ok(roles.into_iter().collect())
}

/// Whether a round of this size is planned at all.
///
/// # Errors
/// `round_without_needs`, `round_without_people`, `round_too_large`.
pub(super) fn check_size(rules: &RoundRules, people: i64, needs: usize) -> Result<()> {
    if needs == 0 {
        return Err(Code::RoundWithoutNeeds.into());
    }
    if people == 0 {
        return Err(Code::RoundWithoutPeople.into());
    }
    if people > rules.people || needs > rules.needs {
        let (most_people, most_needs) = (rules.people, rules.needs);
        let problem = Problem::new(Code::RoundTooLarge).detail(
            format!("本次匹配涉及 {people} 人、{needs} 项需求，最多允许 {most_people} 人、{most_needs} 项。"),
            format!("It is over {people} people and {needs} needs; {most_people} and {most_needs} are the most."),
        );
        return Err(problem.into());
    }
    Ok(())
}

/// Lets the worker plan a round.
///
/// # Errors
/// `not_found`, `move_not_allowed`, `round_without_needs`, `round_without_people`,
/// `round_too_large`.
pub fn plan(
    tx: &mut Tx<'_>,
    matching: &Matching,
    caller: &Caller,
    id: BatchRoundId,
) -> Result<BatchRound> {
    let round = seen(tx, caller, id)?;
    let relation = relation(tx.conn, caller, &round)?;
    lifecycle::may(MOVES, relation, "plan")?;
    if is_repeat(tx, &round, "plan", caller)? {
        return Ok(round);
    }
    lifecycle::step(MOVES, relation, round.status, "plan")?;
    let roles = roles(tx.conn, &round)?;
    let needs = needs(matching, &round, &roles, tx.today());
    let people = store::count_volunteers(tx.conn, round.people_region_id)?;
    check_size(&matching.setting().matching.rounds, people, needs.len())?;
    let moved = advance(tx, &round, "plan", caller.actor(), None, |round| {
        round.failure = None;
        round.goes_on = false;
    })?;
    let job = Planning {
        round_id: id,
        version: moved.version,
    };
    tx.enqueue(PLAN, &job, tx.now)?;
    Ok(moved)
}

pub(super) fn is_repeat(
    tx: &mut Tx<'_>,
    round: &BatchRound,
    verb: &str,
    caller: &Caller,
) -> Result<bool> {
    let subject = ("round", round.id.0);
    lifecycle::is_repeat(tx.conn, MOVES, subject, round.status, verb, caller.actor())
}

/// Gives a round up.
///
/// # Errors
/// `not_found`, `move_not_allowed`.
pub fn cancel(
    tx: &mut Tx<'_>,
    caller: &Caller,
    id: BatchRoundId,
    reason: &str,
) -> Result<BatchRound> {
    let round = seen(tx, caller, id)?;
    lifecycle::may(MOVES, relation(tx.conn, caller, &round)?, "cancel")?;
    if is_repeat(tx, &round, "cancel", caller)? {
        return Ok(round);
    }
    advance(tx, &round, "cancel", caller.actor(), Some(reason), |_| {})
}

// ---- what time moves on

/// Forgets the people and pairs of plans that are of no use any more, and of rounds that were over
/// long ago; their figures stay. Returns how many steps it made.
///
/// # Errors
/// Those of the database.
pub fn sweep(tx: &mut Tx<'_>, rules: &RoundRules, limit: i64) -> Result<usize> {
    let unused = tx.now - chrono::TimeDelta::days(UNUSED_DAYS);
    let over = tx.now - chrono::TimeDelta::days(rules.keep_days);
    let mut steps = store::forget_locks(tx.conn, over)?;
    steps += store::forget_invitations(tx.conn, over)?;
    // one plan at a time, and of it so many rows that others write between
    let Some(id) = store::outlived(tx.conn, unused, over)? else {
        return Ok(0);
    };
    if store::forget(tx.conn, id, ROWS)? {
        store::remove_unused(tx.conn, id)?;
    }
    steps += usize::try_from(limit).unwrap_or(usize::MAX);
    Ok(steps)
}

/// As far as a refusal is one; what is ours to mend goes on as an error.
pub(super) fn refusal(error: Error) -> Result<Code> {
    match error {
        Error::Problem(problem) => Ok(problem.code),
        error => Err(error),
    }
}
