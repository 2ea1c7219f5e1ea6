//! What can be done with places in shifts.
//!
//! What changes one activity, and what frees a place in it, waits for each other ([`serialize`]); those who
//! come to it go side by side, and wait for that alone. What takes a person's time waits for each other, over
//! all activities. Activities are locked before people, several of either in the order of their ids.
//!
//! What touches everybody in an activity (it is cancelled, or moved to another time) changes its row alone.
//! Those who stand in it follow a page at a time, each in a small transaction ([`follow`]).

mod answers;
mod asking;
mod followers;
mod known;
mod line;
mod reminding;
mod standing;

use asking::is_in_team;

use super::model::{Enrolment, EnrolmentId, EnrolmentStatus};
use super::rules::{self, MOVES, Relation};
use super::store;
use crate::activities::model::{Activity, Shift};
use crate::activities::service::{Desk, notice, organizers, organizes, serialize, tell};
use crate::activities::store as activities;
use crate::error::{Code, Error, Problem, Result};
use crate::identity::{self, AccountId, Caller};
use crate::notifications::{Kind, notify};
use crate::platform::clock::Instant;
use crate::platform::db::{Conn, Tx};
use crate::platform::journal::{Actor, Change};
use crate::platform::lifecycle;

pub use answers::{accept, decline, remove, withdraw};
pub use asking::{NewEnrolment, enrol, verdict};
pub(in crate::activities) use followers::follow;
pub(in crate::activities) use known::{is_suspended, session};
pub use line::sweep;
pub use reminding::{reconfirm, remind};
pub use standing::react;
pub(in crate::activities) use standing::{look_again, to_look_at};

/// An enrolment with its activity and shift, and how the caller stands to it.
pub struct Seen {
    /// The enrolment.
    pub enrolment: Enrolment,
    /// In which activity.
    pub activity: Activity,
    /// In which of its shifts.
    pub shift: Shift,
    /// How the caller stands to it.
    pub relation: Relation,
}

/// An enrolment for those who have to do with it.
///
/// # Errors
/// `not_found`.
pub fn visible(conn: &mut Conn, caller: &Caller, id: EnrolmentId) -> Result<Seen> {
    let enrolment = store::enrolment(conn, id)?;
    let activity = activities::activity(conn, enrolment.activity_id)?;
    let shift = activities::shift(conn, enrolment.shift_id)?;
    let relation = relation(conn, caller, &enrolment, &activity)?;
    if relation == Relation::default() {
        return Err(Code::NotFound.into());
    }
    Ok(Seen {
        enrolment,
        activity,
        shift,
        relation,
    })
}

/// How a caller stands to an enrolment.
///
/// # Errors
/// Those of the database.
pub fn relation(
    conn: &mut Conn,
    caller: &Caller,
    enrolment: &Enrolment,
    activity: &Activity,
) -> Result<Relation> {
    Ok(Relation {
        person: enrolment.account_id == caller.account,
        organizer: organizes(caller, activity),
        inviter: enrolment.invited_by == Some(caller.account)
            && is_in_team(conn, caller, activity, enrolment.account_id)?,
    })
}

/// The same, once nobody else is about to change it.
fn seen(tx: &mut Tx<'_>, caller: &Caller, id: EnrolmentId) -> Result<Seen> {
    let first = visible(tx.conn, caller, id)?;
    serialize(tx, first.activity.id)?;
    visible(tx.conn, caller, id)
}

/// Refuses a move that the table does not have from there, with those that are the caller's.
fn step(desk: &Desk, seen: &Seen, verb: &str, now: Instant) -> Result<()> {
    let from = seen.enrolment.status;
    if lifecycle::next(MOVES, from, verb).is_some() {
        return Ok(());
    }
    let of = (&seen.activity, &seen.shift);
    let moves = rules::moves(&seen.enrolment, seen.relation, of, &desk.rules, now);
    Err(Problem::refused_move(from.into(), moves).into())
}

/// Whatever takes a person's time waits here for each other.
fn serialize_on_person(tx: &mut Tx<'_>, who: AccountId) -> Result<()> {
    tx.serialize_on(&format!("time of:{who}"))
}

/// Refuses for all these reasons: by the first, with every one of them.
fn refuse(codes: &[Code]) -> Result<()> {
    let Some(first) = codes.first() else {
        return Ok(());
    };
    let refusal = Problem::new(*first);
    let refusal = match codes {
        [_] => refusal,
        all => all
            .iter()
            .fold(refusal, |so_far, code| so_far.field("", *code)),
    };
    Err(refusal.into())
}

fn change(activity: &Activity, enrolment: &Enrolment, by: Actor, verb: &str) -> Change {
    Change::new(by, format!("enrolment.{verb}"), enrolment.id.0)
        .region(activity.region_id.0)
        .payload(serde_json::json!({ "activity_id": activity.id, "shift_id": enrolment.shift_id }))
}

/// Makes one move: by the table, by compare-and-set, into the journal. A seat that is not held any more is
/// given back; one that is held from now on was taken before. What else changed in `wanted` is written
/// with it.
fn advance(
    tx: &mut Tx<'_>,
    activity: &Activity,
    wanted: &Enrolment,
    verb: &str,
    by: Actor,
    reason: Option<&str>,
) -> Result<Enrolment> {
    use EnrolmentStatus::{Confirmed, Pending, Waitlisted};
    let to = lifecycle::next(MOVES, wanted.status, verb);
    let to = to.ok_or_else(|| refusal(tx.conn, activity, wanted, by))?;
    let is_open = matches!(to, Pending | Waitlisted | Confirmed);
    let moved = Enrolment {
        status: to,
        status_since: tx.now,
        holds_seat: to == Confirmed || (to == Pending && wanted.holds_seat),
        accept_by: wanted.accept_by.filter(|_| to == Pending),
        ended_at: (!is_open).then_some(tx.now),
        reason: reason.filter(|_| !is_open).map(str::to_owned),
        skipped_at: wanted.skipped_at.filter(|_| to == Waitlisted),
        remind_at: wanted.remind_at.filter(|_| to == Confirmed),
        ..wanted.clone()
    };
    if !store::save(tx, wanted.status, &moved)? {
        let now = store::enrolment(tx.conn, wanted.id)?;
        return Err(refusal(tx.conn, activity, &now, by));
    }
    if wanted.holds_seat && !moved.holds_seat {
        activities::free_seat(tx.conn, wanted.shift_id)?;
        reminding::take_back(tx, wanted)?;
    }
    tx.journal(
        change(activity, wanted, by, verb)
            .states(wanted.status.into(), to.into())
            .reason(reason),
    )?;
    Ok(moved)
}

/// The refusal of a move that the table does not have, with those that are the mover's.
fn refusal(conn: &mut Conn, activity: &Activity, enrolment: &Enrolment, by: Actor) -> Error {
    let stands = Caller::of(conn, by).and_then(|caller| match caller {
        Some(caller) => relation(conn, &caller, enrolment, activity),
        None => Ok(Relation::default()),
    });
    match stands {
        Ok(stands) => lifecycle::refusal(MOVES, stands, enrolment.status),
        Err(error) => error,
    }
}

fn is_repeat(tx: &mut Tx<'_>, seen: &Enrolment, verb: &str, caller: &Caller) -> Result<bool> {
    let subject = ("enrolment", seen.id.0);
    lifecycle::is_repeat(tx.conn, MOVES, subject, seen.status, verb, caller.actor())
}

/// What somebody is called; nothing for somebody who is gone.
fn name(tx: &mut Tx<'_>, who: AccountId) -> String {
    let account = identity::account(tx.conn, who);
    account
        .map(|account| account.display_name)
        .unwrap_or_default()
}

/// The lock order of people, where several are held.
fn serialize_on_people(tx: &mut Tx<'_>, mut people: Vec<AccountId>) -> Result<()> {
    people.sort_unstable();
    people.dedup();
    people
        .into_iter()
        .try_for_each(|who| serialize_on_person(tx, who))
}

/// Why somebody may not come, in both languages.
fn sentences(codes: &[Code]) -> (String, String) {
    let (zh, en): (Vec<_>, Vec<_>) = codes.iter().map(|code| code.title()).unzip();
    (zh.concat(), en.join(" "))
}

/// Tells the person of an enrolment: what it is, in which shift, and when.
fn tell_person(
    tx: &mut Tx<'_>,
    activity: &Activity,
    shift: &Shift,
    who: AccountId,
    kind: Kind,
    params: &[(&'static str, &str)],
) -> Result<()> {
    let at = shift.starts_at.on_the_wall(tx.zone);
    let mut all = vec![("role", shift.name.as_str()), ("at", at.as_str())];
    all.extend(params);
    tell(tx, activity, &[who], kind, &all)
}

/// The same of what is of no use once the shift has begun: no mail leaves any more then.
fn tell_person_until(
    tx: &mut Tx<'_>,
    activity: &Activity,
    shift: &Shift,
    who: AccountId,
    kind: Kind,
    params: &[(&'static str, &str)],
) -> Result<()> {
    let at = shift.starts_at.on_the_wall(tx.zone);
    let told = notice(activity, who, kind)
        .with("role", shift.name.as_str())
        .with("at", at)
        .with_all(params);
    notify(tx, &told.of_use_until(shift.starts_at))
}

/// Tells those who organise an activity about somebody's place.
fn tell_organizers(
    tx: &mut Tx<'_>,
    activity: &Activity,
    shift: &Shift,
    who: AccountId,
    kind: Kind,
) -> Result<()> {
    let mut to = organizers(tx.conn, activity)?;
    to.retain(|organizer| *organizer != who);
    let (name, at) = (name(tx, who), shift.starts_at.on_the_wall(tx.zone));
    let params = [
        ("name", name.as_str()),
        ("role", shift.name.as_str()),
        ("at", at.as_str()),
    ];
    tell(tx, activity, &to, kind, &params)
}
