//! What can be done with batch rounds.

use std::collections::HashSet;
use std::sync::Arc;

use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;
use validator::Validate;

use super::model::{
    BatchRound, BatchRoundId, Lock, LockId, LockKind, NeedRow, PersonRow, RoundPlan, RoundStatus,
};
use super::planning::{PLAN, Planning};
use super::rules::{self, Hold, MOVES, Relation, RoundRules};
use super::store;
use crate::error::{Code, Error, FieldError, Problem, Result};
use crate::identity::{AccountId, Caller, Role};
use crate::matching::model::{Need, NeedId, NeedKind};
use crate::matching::projection::Matching;
use crate::matching::score::{self, FILTERS};
use crate::matching::service::{Moment, bars};
use crate::matching::store::Batch;
use crate::platform::db::{Conn, Tx};
use crate::platform::http::IfMatch;
use crate::platform::http::valid::given;
use crate::platform::journal::{Actor, Change};
use crate::platform::lifecycle;
use crate::platform::token::Vault;
use crate::projects::campaigns::{self, BatchId};
use crate::regions::{self, RegionId};

/// Days after which a plan that was written and never taken over is forgotten.
const UNUSED_DAYS: i64 = 1;
/// Rows that one step of forgetting takes away.
const ROWS: i32 = 2_000;

/// A batch round to be opened.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct NewBatchRound {
    /// What it is called.
    #[validate(length(min = 2, max = 80))]
    pub title: String,
    /// Over the open roles of this batch's projects.
    pub batch_id: Option<BatchId>,
    /// Over the open roles in this region. One of the two.
    pub region_id: Option<RegionId>,
    /// The volunteers of this region are considered; those of the round's region when left out.
    pub people_region_id: Option<RegionId>,
    /// Over a region: whether its published wishes are planned, too.
    #[serde(default)]
    pub with_wishes: bool,
    /// Only internal Party activities, which are for verified members alone. Political status decides
    /// on nothing else.
    #[serde(default)]
    pub party_only: bool,
    /// How much one person may take.
    #[serde(default = "one")]
    pub places_per_person: i32,
}

fn one() -> i32 {
    1
}

/// What changes about a batch round; absent keys leave a value alone.
#[derive(Clone, Debug, Default, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct EditBatchRound {
    /// What it is called.
    #[validate(length(min = 2, max = 80))]
    #[serde(default, deserialize_with = "given")]
    #[schema(nullable = false)]
    pub title: Option<String>,
    /// The volunteers of this region are considered.
    #[serde(default, deserialize_with = "given")]
    #[schema(nullable = false)]
    pub people_region_id: Option<RegionId>,
    /// Over a region: whether its published wishes are planned, too.
    #[serde(default, deserialize_with = "given")]
    #[schema(nullable = false)]
    pub with_wishes: Option<bool>,
    /// Only internal Party activities.
    #[serde(default, deserialize_with = "given")]
    #[schema(nullable = false)]
    pub party_only: Option<bool>,
    /// How much one person may take.
    #[serde(default, deserialize_with = "given")]
    #[schema(nullable = false)]
    pub places_per_person: Option<i32>,
}

/// Something to be set by hand.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct NewLock {
    /// What.
    pub kind: LockKind,
    /// Of whom: what the person is called in the plan. Not for a need that is left out.
    #[validate(length(min = 1, max = 64))]
    pub person: Option<String>,
    /// The wish or role. Not for a person who is left out.
    #[schema(value_type = Option<String>, format = Uuid)]
    pub need_id: Option<Uuid>,
}

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

/// What is wrong with the terms of a round.
fn misses(
    tx: &mut Tx<'_>,
    rules: &RoundRules,
    caller: &Caller,
    round: &BatchRound,
) -> Result<Problem> {
    let mut wrong = Problem::new(Code::Invalid);
    if !(1..=rules.places_per_person).contains(&round.places_per_person) {
        let most = rules.places_per_person;
        let mut field = FieldError::new("/places_per_person", Code::Range);
        field
            .detail
            .zh
            .push_str(&format!("（应在 1 到 {most} 之间）"));
        field
            .detail
            .en
            .push_str(&format!(" It must be between 1 and {most}."));
        wrong.errors.push(field);
    }
    if round.with_wishes && (round.batch_id.is_some() || round.party_only) {
        wrong = wrong.field("/with_wishes", Code::NoWishesHere);
    }
    if round.people_region_id != round.region_id {
        let publishes = round.batch_id.is_some() && caller.is_platform_admin();
        let covers = publishes
            || caller.holds_in_region(tx.conn, &[Role::RegionAdmin], round.people_region_id)?;
        let known = regions::current(tx.conn, round.people_region_id, None, tx.today())?;
        match known {
            Ok(_) if covers => {}
            // a foreign region is as good as none
            Ok(_) => wrong = wrong.field("/people_region_id", Code::UnknownReference),
            Err(code) => wrong = wrong.field("/people_region_id", code),
        }
    }
    Ok(wrong)
}

fn hold(wrong: Problem) -> Result<()> {
    match wrong.errors.is_empty() {
        true => Ok(()),
        false => Err(wrong.into()),
    }
}

/// Opens a round.
///
/// # Errors
/// `not_found` for a batch or region that is unknown or foreign; `invalid` with every wrong field.
pub fn create(
    tx: &mut Tx<'_>,
    rules: &RoundRules,
    caller: &Caller,
    new: &NewBatchRound,
) -> Result<BatchRound> {
    let region_id = match (new.batch_id, new.region_id) {
        (Some(batch), None) => {
            campaigns::visible_batch(tx.conn, Some(caller), batch)?;
            campaigns::batch(tx.conn, batch)?.1.region_id
        }
        (None, Some(region)) => region,
        (Some(_), Some(_)) => {
            let both = Problem::new(Code::Invalid).field("/region_id", Code::OneOfBoth);
            return Err(both.into());
        }
        (None, None) => {
            let none = Problem::new(Code::Invalid)
                .field("/batch_id", Code::OneOfBoth)
                .field("/region_id", Code::OneOfBoth);
            return Err(none.into());
        }
    };
    let round = BatchRound {
        id: BatchRoundId::new(),
        title: new.title.clone(),
        batch_id: new.batch_id,
        region_id,
        people_region_id: new.people_region_id.unwrap_or(region_id),
        with_wishes: new.with_wishes,
        party_only: new.party_only,
        places_per_person: new.places_per_person,
        created_by: caller.account,
        status: RoundStatus::Draft,
        status_since: tx.now,
        plan_number: 0,
        is_edited: false,
        failure: None,
        committed_by: None,
        answer_hours: 0,
        is_automatic: false,
        resolves_left: 0,
        goes_on: false,
        note: String::new(),
        version: 1,
        created_at: tx.now,
    };
    if relation(tx.conn, caller, &round)? == Relation::default() {
        return Err(Code::NotFound.into());
    }
    let mut wrong = misses(tx, rules, caller, &round)?;
    if let Err(code) = regions::current(tx.conn, region_id, None, tx.today())? {
        wrong = wrong.field("/region_id", code);
    }
    hold(wrong)?;
    store::insert(tx.conn, &round)?;
    tx.journal(change(&round, caller.actor(), "create"))?;
    Ok(round)
}

/// A round for one of its coordinators, once nobody else is about to change it.
pub(super) fn seen(tx: &mut Tx<'_>, caller: &Caller, id: BatchRoundId) -> Result<BatchRound> {
    tx.serialize_on(&format!("round:{id}"))?;
    visible(tx.conn, caller, id)
}

/// Changes the terms of a round; what was planned is out of date then.
///
/// # Errors
/// `not_found`, `version_required`, `version_mismatch`, `move_not_allowed` while it is planned and
/// once it is over, `invalid` with every wrong field.
pub fn edit(
    tx: &mut Tx<'_>,
    rules: &RoundRules,
    caller: &Caller,
    id: BatchRoundId,
    read: &IfMatch,
    edit: &EditBatchRound,
) -> Result<BatchRound> {
    let mut round = seen(tx, caller, id)?;
    read.expect(round.version)?;
    rules::may_edit(round.status, relation(tx.conn, caller, &round)?)?;
    round.title = edit.title.clone().unwrap_or(round.title);
    let terms = |round: &BatchRound| {
        (
            round.people_region_id,
            round.with_wishes,
            round.party_only,
            round.places_per_person,
        )
    };
    let before = terms(&round);
    round.people_region_id = edit.people_region_id.unwrap_or(round.people_region_id);
    round.with_wishes = edit.with_wishes.unwrap_or(round.with_wishes);
    round.party_only = edit.party_only.unwrap_or(round.party_only);
    round.places_per_person = edit.places_per_person.unwrap_or(round.places_per_person);
    hold(misses(tx, rules, caller, &round)?)?;
    round.is_edited |= terms(&round) != before;
    saved(tx, &round)?;
    tx.journal(change(&round, caller.actor(), "edit"))?;
    store::round(tx.conn, id)
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

// ---- locks

/// Sets something by hand. The same again is answered as the first time.
///
/// # Errors
/// `not_found`, `move_not_allowed`, `not_planned_yet`; `invalid` for a person or need that is missing,
/// unknown or out of place; `lock_not_eligible` with everything that stands between the two;
/// `lock_contradicts`; `too_many_locks`.
pub fn set_lock(
    tx: &mut Tx<'_>,
    matching: &Matching,
    moment: &Moment,
    caller: &Caller,
    id: BatchRoundId,
    new: &NewLock,
) -> Result<Lock> {
    let round = seen(tx, caller, id)?;
    rules::may_edit(round.status, relation(tx.conn, caller, &round)?)?;
    let plan = current(tx.conn, &round)?;
    let (person, need) = named(tx, &plan, new)?;
    let all = store::locks(tx.conn, id)?;
    let lock = Lock {
        id: LockId::new(),
        round_id: id,
        kind: new.kind,
        account_id: person.as_ref().map(|row| row.account_id),
        need_kind: need.as_ref().map(|row| row.need_kind),
        need_id: need.as_ref().map(|row| row.need_id),
        pseudonym: person.as_ref().map(|row| row.pseudonym.clone()),
        title: need.as_ref().map(|row| row.title.clone()),
        refusal: None,
        created_by: caller.account,
        created_at: tx.now,
    };
    let mine = hold_of(&lock);
    if let Some(same) = all.iter().find(|other| hold_of(other) == mine) {
        return Ok(same.clone());
    }
    if all.iter().any(|other| hold_of(other).contradicts(&mine)) {
        return Err(Code::LockContradicts.into());
    }
    if all.len() as i64 >= matching.setting().matching.rounds.locks {
        return Err(Code::TooManyLocks.into());
    }
    if let (LockKind::Keep, Some(person), Some(need)) = (new.kind, &person, &need) {
        check_fit(tx, matching, moment, &round, &all, person, need)?;
    }
    store::insert_lock(tx.conn, &lock)?;
    let edited = BatchRound {
        is_edited: true,
        ..round.clone()
    };
    saved(tx, &edited)?;
    let payload = serde_json::json!({ "kind": lock.kind, "need_id": lock.need_id });
    tx.journal(change(&round, caller.actor(), "lock").payload(payload))?;
    Ok(lock)
}

fn hold_of(lock: &Lock) -> Hold<AccountId, NeedId> {
    Hold {
        kind: lock.kind,
        person: lock.account_id,
        need: lock.need(),
    }
}

/// The person and the need that a lock names, as the plan has them.
fn named(
    tx: &mut Tx<'_>,
    plan: &RoundPlan,
    new: &NewLock,
) -> Result<(Option<PersonRow>, Option<NeedRow>)> {
    let mut wrong = Problem::new(Code::Invalid);
    let (wants_person, wants_need) = match new.kind {
        LockKind::Keep | LockKind::Forbid => (true, true),
        LockKind::LeaveOutPerson => (true, false),
        LockKind::LeaveOutNeed => (false, true),
    };
    let place = |wants: bool, is_there: bool| match (wants, is_there) {
        (true, false) => Some(Code::Required),
        (false, true) => Some(Code::NotForThisKind),
        _ => None,
    };
    if let Some(code) = place(wants_person, new.person.is_some()) {
        wrong = wrong.field("/person", code);
    }
    if let Some(code) = place(wants_need, new.need_id.is_some()) {
        wrong = wrong.field("/need_id", code);
    }
    let person = match new.person.as_deref().filter(|_| wants_person) {
        Some(called) => {
            let found = store::person_called(tx.conn, plan.id, called)?;
            if found.is_none() {
                wrong = wrong.field("/person", Code::UnknownReference);
            }
            found
        }
        None => None,
    };
    let need = match new.need_id.filter(|_| wants_need) {
        Some(id) => {
            let found = store::need_of(tx.conn, plan.id, id)?;
            if found.is_none() {
                wrong = wrong.field("/need_id", Code::UnknownReference);
            }
            found
        }
        None => None,
    };
    hold(wrong)?;
    Ok((person, need))
}

/// Whether a pair can be kept: it passes every filter, and both have a place left beside what is kept
/// already.
fn check_fit(
    tx: &mut Tx<'_>,
    matching: &Matching,
    moment: &Moment,
    round: &BatchRound,
    all: &[Lock],
    person: &PersonRow,
    need: &NeedRow,
) -> Result<()> {
    let world = matching.world();
    let name = NeedId {
        id: need.need_id.0,
        kind: need.need_kind,
    };
    let mut wrong = Problem::new(Code::LockNotEligible);
    let Some(of) = world.need(name) else {
        return Err(wrong.field("/need_id", Code::NotAvailable).into());
    };
    let Some(who) = world.person(person.account_id) else {
        return Err(wrong.field("/person", Code::NotAvailable).into());
    };
    let failed = FILTERS
        .iter()
        .filter_map(|filter| score::refusal(*filter, &who, &of, moment.terms.today));
    let batch = Batch {
        people: vec![who.id],
        needs: vec![name.id],
        now: moment.now,
    };
    let barred = bars(tx.conn, matching, name.kind, &batch)?;
    let barred = barred
        .into_iter()
        .filter(|bar| bar.person == who.id)
        .map(|bar| bar.code);
    for code in failed.chain(barred) {
        let error = FieldError::new("/need_id", rules::readable(code));
        if !wrong.errors.contains(&error) {
            wrong.errors.push(error);
        }
    }
    let beside = all
        .iter()
        .filter(|lock| lock.kind == LockKind::Keep && lock.account_id == Some(who.id))
        .filter_map(|lock| world.need(lock.need()?))
        .find_map(|held| rules::collision(&held, &of, moment.terms.today));
    if let Some(code) = beside {
        wrong = wrong.field("/need_id", code);
    }
    let kept = |of: &dyn Fn(&Lock) -> bool| {
        let keeps = all.iter().filter(|lock| lock.kind == LockKind::Keep);
        keeps.filter(|lock| of(lock)).count() as i64
    };
    let left = i64::from(of.places) - i64::from(of.filled);
    if kept(&|lock| lock.need() == Some(name)) >= left
        && !wrong.errors.iter().any(|e| e.code == Code::CapacityFull)
    {
        wrong = wrong.field("/need_id", Code::CapacityFull);
    }
    if kept(&|lock| lock.account_id == Some(who.id)) >= i64::from(round.places_per_person) {
        wrong = wrong.field("/person", Code::CapacityFull);
    }
    hold(wrong)
}

/// Takes back what was set by hand.
///
/// # Errors
/// `not_found`, `move_not_allowed`.
pub fn lift_lock(tx: &mut Tx<'_>, caller: &Caller, id: BatchRoundId, lock: LockId) -> Result<()> {
    let round = seen(tx, caller, id)?;
    let lock = store::lock(tx.conn, id, lock)?;
    rules::may_edit(round.status, relation(tx.conn, caller, &round)?)?;
    store::remove_lock(tx.conn, lock.id)?;
    let edited = BatchRound {
        is_edited: true,
        ..round.clone()
    };
    saved(tx, &edited)?;
    let payload = serde_json::json!({ "kind": lock.kind, "need_id": lock.need_id });
    tx.journal(change(&round, caller.actor(), "unlock").payload(payload))
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
