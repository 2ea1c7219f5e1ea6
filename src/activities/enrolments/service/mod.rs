//! What can be done with places in shifts.
//!
//! Everything about one activity waits for each other ([`serialize`]), and so does what takes a person's
//! time, over all activities; in this order.

mod answers;
mod asking;
mod line;

use asking::is_in_team;
use chrono::TimeDelta;

use super::model::{Enrolment, EnrolmentId, EnrolmentStatus};
use super::rules::{Facts, Held, MOVES, Relation};
use super::store;
use crate::activities::model::{Activity, Shift};
use crate::activities::rules::day_of;
use crate::activities::service::relation as relation_to_activity;
use crate::activities::service::{Desk, organizers, serialize, tell};
use crate::activities::store as activities;
use crate::error::{Code, Error, Problem, Result};
use crate::identity::{self, AccountId, Caller};
use crate::notifications::Kind;
use crate::platform::clock::Instant;
use crate::platform::db::{Conn, Tx};
use crate::platform::journal::{Actor, Change};
use crate::platform::lifecycle;
use crate::projects::{self, ProjectStatus};
use crate::{party, regions, volunteers};

pub use answers::{accept, decline, remove, withdraw};
pub use asking::{NewEnrolment, enrol, verdict};
pub use line::sweep;
pub(in crate::activities) use line::{call_off, close_line, follow_change, presences, promote};

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
        organizer: relation_to_activity(conn, Some(caller), activity)?.organizer,
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

/// Whatever takes a person's time waits here for each other.
fn serialize_on_person(tx: &mut Tx<'_>, who: AccountId) -> Result<()> {
    tx.serialize_on(&format!("time of:{who}"))
}

/// What is known about a person and a shift, beside one of the person's enrolments.
fn facts<'a>(
    conn: &mut Conn,
    desk: &Desk,
    (activity, shift): (&'a Activity, &'a Shift),
    who: AccountId,
    but: Option<EnrolmentId>,
    (now, zone): (Instant, chrono_tz::Tz),
) -> Result<Facts<'a>> {
    let day = day_of(shift.starts_at, zone);
    let today = day_of(now, zone);
    let profile = volunteers::profile(conn, who)?.map(|(profile, _)| profile);
    let is_suspended = match activity.project_id {
        Some(id) => projects::project(conn, id)?.status == ProjectStatus::Suspended,
        None => false,
    };
    let mut held = |kind: &str| -> Result<Held> {
        if volunteers::holds_qualification(conn, who, kind, day)? {
            Ok(Held::Then)
        } else if volunteers::holds_qualification(conn, who, kind, today)? {
            Ok(Held::Now)
        } else {
            Ok(Held::No)
        }
    };
    let qualification = match &shift.qualification {
        Some(kind) => held(kind)?,
        None => Held::Then,
    };
    let vetting = match activity.minors {
        true => held(&desk.projects.rules.vetting)?,
        false => Held::Then,
    };
    let lives_there = match (activity.volunteers_region_id, &profile) {
        (Some(region), Some(profile)) => regions::contains(conn, region, profile.region_id)?,
        _ => false,
    };
    let is_party_member =
        activity.party_only && party::is_party_member(conn, &desk.projects.vault, who)?;
    let standing = store::standing(conn, shift.id, who)?;
    let is_enrolled = standing.is_some_and(|standing| but != Some(standing.id));
    // what ended before may still count into the same day
    let since = shift.starts_at - TimeDelta::days(1);
    Ok(Facts {
        activity,
        shift,
        day,
        is_suspended,
        has_profile: profile.is_some(),
        birth_date: profile.and_then(|profile| profile.birth_date),
        is_party_member,
        lives_there,
        qualification,
        vetting,
        is_enrolled,
        taken: store::taken(conn, who, since, but)?,
    })
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
        ..wanted.clone()
    };
    if !store::save(tx, wanted.status, &moved)? {
        let now = store::enrolment(tx.conn, wanted.id)?;
        return Err(refusal(tx.conn, activity, &now, by));
    }
    if wanted.holds_seat && !moved.holds_seat {
        activities::free_seat(tx.conn, wanted.shift_id)?;
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

/// Whether something was refused by a rule, and not by the database.
fn is_refusal(error: &Error) -> bool {
    matches!(error, Error::Problem(_))
}
