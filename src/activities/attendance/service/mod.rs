//! What can be done about attendance.
//!
//! Whoever says something about an enrolment goes beside all others in its activity, and waits for who has the
//! activity to themselves: nobody withdraws, or is moved to another time, while they check in. What is said
//! about one enrolment waits for each other.

mod clock;
mod list;
mod offline;
mod presence;

use super::model::{Attendance, AttendanceStatus, Means};
use super::rules::{self, AttendanceRules, MOVES, Relation, Side};
use super::store;
use crate::activities::enrolments::{self, Enrolment, EnrolmentId, EnrolmentStatus};
use crate::activities::model::{Activity, Shift};
use crate::activities::service::{Desk, organizers, organizes, relation as stands, share, tell};
use crate::activities::store as activities;
use crate::error::{Code, Result};
use crate::identity::{self, Caller};
use crate::notifications::Kind;
use crate::platform::clock::Instant;
use crate::platform::columns::Uid;
use crate::platform::db::{Conn, Tx};
use crate::platform::journal::{self, Actor, Change};
use crate::platform::lifecycle;

pub use clock::{NO_SHOWS, Pending, no_shows, react};
pub use list::{Correction, Ticks, ask_excuse, correct, excuse, refuse_excuse, tick_all};
pub use offline::{Entries, Ticket, enter, ticket};
pub use presence::{Showing, show};

/// An attendance with its enrolment, activity and shift, and how the caller stands to it.
pub struct Seen {
    /// The attendance.
    pub attendance: Attendance,
    /// Of which enrolment.
    pub enrolment: Enrolment,
    /// In which activity.
    pub activity: Activity,
    /// In which of its shifts.
    pub shift: Shift,
    /// How the caller stands to it.
    pub relation: Relation,
}

/// The attendance of an enrolment: for the person, who organises the activity, and staff of its region.
///
/// # Errors
/// `not_found`.
pub fn visible(conn: &mut Conn, caller: &Caller, id: EnrolmentId, now: Instant) -> Result<Seen> {
    let enrolment = enrolments::enrolment(conn, id)?;
    let activity = activities::activity(conn, enrolment.activity_id)?;
    let attendance = store::of_enrolment(conn, &enrolment, now)?;
    let relation = relation(conn, caller, &attendance, &activity)?;
    let is_known = relation.person || relation.organizer;
    if !is_known && !stands(conn, Some(caller), &activity)?.reviewer {
        return Err(Code::NotFound.into());
    }
    Ok(Seen {
        attendance,
        shift: activities::shift(conn, enrolment.shift_id)?,
        enrolment,
        activity,
        relation,
    })
}

/// How a caller stands to somebody's attendance.
///
/// # Errors
/// Those of the database.
pub fn relation(
    conn: &mut Conn,
    caller: &Caller,
    attendance: &Attendance,
    activity: &Activity,
) -> Result<Relation> {
    let person = attendance.account_id == caller.account;
    let organizer = organizes(caller, activity);
    let among_others = person && organizer && organizers(conn, activity)?.len() > 1;
    Ok(Relation {
        person,
        organizer,
        among_others,
        overruled: person && is_overruled(conn, attendance)?,
    })
}

/// Whether those who organise have said that somebody was not there, and not the clock.
fn is_overruled(conn: &mut Conn, attendance: &Attendance) -> Result<bool> {
    let is_away = matches!(
        attendance.status,
        AttendanceStatus::NoShow | AttendanceStatus::Excused
    );
    if !is_away {
        return Ok(false);
    }
    let last = journal::last_move(conn, "attendance", attendance.id.0)?;
    Ok(last.is_some_and(|(_, by)| by != Actor::System))
}

/// The same, once nobody else is about to change it. Only who holds a place is there.
fn seen(tx: &mut Tx<'_>, caller: &Caller, id: EnrolmentId) -> Result<Seen> {
    let first = visible(tx.conn, caller, id, tx.now)?;
    share(tx, first.activity.id)?;
    tx.serialize_on(&format!("attendance of:{id}"))?;
    visible(tx.conn, caller, id, tx.now)
}

/// # Errors
/// `enrolment_not_confirmed`.
fn holds_place(seen: &Seen) -> Result<()> {
    let is_confirmed = seen.enrolment.status == EnrolmentStatus::Confirmed;
    if is_confirmed && rules::is_held(&seen.activity, &seen.shift) {
        Ok(())
    } else {
        Err(Code::EnrolmentNotConfirmed.into())
    }
}

/// Writes an attendance down by compare-and-set.
fn save(tx: &mut Tx<'_>, seen: &Seen, wanted: Attendance) -> Result<Attendance> {
    let saved = Attendance {
        version: seen.attendance.version + 1,
        ..wanted
    };
    if store::save(tx.conn, seen.attendance.version, &saved)? {
        return Ok(saved);
    }
    let now = store::of_enrolment(tx.conn, &seen.enrolment, tx.now)?;
    Err(lifecycle::refusal(MOVES, seen.relation, now.status))
}

/// Makes one move: by the table, by compare-and-set, into the journal. What else changed in `wanted` is written
/// with it.
fn advance(
    tx: &mut Tx<'_>,
    seen: &Seen,
    wanted: Attendance,
    verb: &str,
    (by, reason): (Actor, Option<&str>),
) -> Result<Attendance> {
    let from = seen.attendance.status;
    let to = match verb {
        "correct" => wanted.status,
        verb => lifecycle::step(MOVES, seen.relation, from, verb)?,
    };
    let wanted = Attendance {
        status: to,
        status_since: if to == from {
            wanted.status_since
        } else {
            tx.now
        },
        ..wanted
    };
    let saved = save(tx, seen, wanted)?;
    tx.journal(
        change(&seen.activity, &saved, by, verb)
            .states(from.into(), to.into())
            .reason(reason),
    )?;
    Ok(saved)
}

fn change(activity: &Activity, row: &Attendance, by: Actor, verb: &str) -> Change {
    Change::new(by, format!("attendance.{verb}"), row.id.0)
        .region(activity.region_id.0)
        .payload(serde_json::json!({
            "activity_id": row.activity_id, "shift_id": row.shift_id,
            "checked_in_at": row.checked_in_at, "checked_out_at": row.checked_out_at,
            "check_in_by": row.check_in_by, "check_out_by": row.check_out_by,
            "is_late_sent_in": row.is_late_sent_in, "is_late_sent_out": row.is_late_sent_out,
        }))
}

fn is_repeat(tx: &mut Tx<'_>, seen: &Seen, verb: &str, caller: &Caller) -> Result<bool> {
    let subject = ("attendance", seen.attendance.id.0);
    let status = seen.attendance.status;
    let by = caller.actor();
    lifecycle::is_repeat(tx.conn, MOVES, subject, status, verb, by)
}

/// Tells the person what was made of their attendance, unless they did it.
fn tell_person(
    tx: &mut Tx<'_>,
    seen: &Seen,
    by: Actor,
    kind: Kind,
    params: &[(&'static str, &str)],
) -> Result<()> {
    let who = seen.enrolment.account_id;
    if by == Actor::Account(Uid(who.0)) {
        return Ok(());
    }
    let at = seen.shift.starts_at.on_the_wall(tx.zone);
    let mut all = vec![("role", seen.shift.name.as_str()), ("at", at.as_str())];
    all.extend(params);
    tell(tx, &seen.activity, &[who], kind, &all)
}

/// Tells the others who organise the activity what somebody says of themself.
fn tell_organizers(
    tx: &mut Tx<'_>,
    seen: &Seen,
    kind: Kind,
    params: &[(&'static str, &str)],
) -> Result<()> {
    let who = seen.enrolment.account_id;
    let mut to = organizers(tx.conn, &seen.activity)?;
    to.retain(|organizer| *organizer != who);
    let name = identity::account(tx.conn, who).map(|account| account.display_name);
    let name = name.unwrap_or_default();
    let at = seen.shift.starts_at.on_the_wall(tx.zone);
    let mut all = vec![
        ("name", name.as_str()),
        ("role", seen.shift.name.as_str()),
        ("at", at.as_str()),
    ];
    all.extend(params);
    tell(tx, &seen.activity, &to, kind, &all)
}

/// Records that somebody came or went, at an instant that is in order.
struct Record<'a> {
    side: Side,
    at: Instant,
    means: Means,
    /// The signature of a late entry.
    entry: Option<&'a str>,
}

/// # Errors
/// `not_checked_in`, `move_not_allowed`, `check_in_too_early` of going before one came.
fn record(tx: &mut Tx<'_>, seen: &Seen, record: &Record<'_>, by: &Caller) -> Result<Attendance> {
    let row = seen.attendance.clone();
    // who organises reads the code, wherever they are
    let is_their_word = record.means == Means::List || seen.relation.organizer;
    let ticked_by = is_their_word.then_some(by.account);
    let entry = record.entry.map(str::to_owned);
    let wanted = match record.side {
        Side::In => Attendance {
            checked_in_at: Some(record.at),
            check_in_by: Some(record.means),
            recorded_in_by: ticked_by,
            is_late_sent_in: entry.is_some(),
            entry_in: entry,
            ..row
        },
        Side::Out => {
            if row.status == AttendanceStatus::Expected {
                return Err(Code::NotCheckedIn.into());
            }
            if row.checked_in_at.is_some_and(|came| record.at < came) {
                return Err(Code::CheckInTooEarly.into());
            }
            Attendance {
                checked_out_at: Some(record.at),
                check_out_by: Some(record.means),
                recorded_out_by: ticked_by,
                is_late_sent_out: entry.is_some(),
                entry_out: entry,
                ..row
            }
        }
    };
    let by = (by.actor(), None);
    advance(tx, seen, wanted, record.side.verb(), by)
}

fn rules(desk: &Desk) -> &AttendanceRules {
    &desk.rules.attendance
}
