//! What is set by hand.

use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;
use validator::Validate;

use super::{change, current, hold, relation, saved, seen};
use crate::error::{Code, FieldError, Problem, Result};
use crate::identity::{AccountId, Caller};
use crate::matching::Matching;
use crate::matching::model::NeedId;
use crate::matching::rounds::model::{
    BatchRound, BatchRoundId, Lock, LockId, LockKind, NeedRow, PersonRow, RoundPlan,
};
use crate::matching::rounds::rules::{self, Hold};
use crate::matching::rounds::store;
use crate::matching::score::{self, FILTERS};
use crate::matching::service::{Moment, bars};
use crate::matching::store::Batch;
use crate::platform::db::Tx;

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
