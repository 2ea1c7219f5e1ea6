//! Coming to a shift, and asking others to.

use serde::Deserialize;
use utoipa::ToSchema;
use validator::Validate;

use super::super::model::{Enrolment, EnrolmentId, EnrolmentStatus};
use super::super::rules::{self, Facts};
use super::super::store;
use super::known::Known;
use super::{change, name, refuse, serialize_on_person, tell_person};
use crate::activities::model::{Activity, ActivityStatus, Shift, ShiftId};
use crate::activities::rules::{PUBLIC, is_held_up, open_until};
use crate::activities::service::{Desk, organizes, share, visible};
use crate::activities::store as activities;
use crate::error::{Code, Result};
use crate::identity::{self, AccountId, Caller, Role};
use crate::notifications::Kind;
use crate::platform::clock::Instant;
use crate::platform::db::{Conn, Tx};
use crate::projects::crews;

/// Who comes to a shift.
#[derive(Clone, Debug, Default, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct NewEnrolment {
    /// Somebody of the caller's team, who is asked; the caller when left out.
    pub account_id: Option<AccountId>,
}

/// What keeps the caller from a shift; nothing where they may enrol.
///
/// # Errors
/// Those of the database.
pub fn verdict(
    conn: &mut Conn,
    desk: &Desk,
    (activity, shift): (&Activity, &Shift),
    who: AccountId,
    (now, zone): (Instant, chrono_tz::Tz),
) -> Result<Vec<Code>> {
    let known = Known::of(conn, desk, activity, &[who], (now, zone))?;
    let before = store::in_shift(conn, shift.id, who)?;
    let facts = asking(&known, shift, who, &before);
    Ok(rules::verdict(&facts, &desk.rules, now, zone))
}

/// What is known about somebody who asks for a place, with what the person had in the shift before.
fn asking<'a>(
    known: &Known<'a>,
    shift: &'a Shift,
    who: AccountId,
    before: &[Enrolment],
) -> Facts<'a> {
    Facts {
        is_enrolled: before.iter().any(|one| one.ended_at.is_none()),
        times_asked: times(before, None),
        ..known.facts(shift, who, None)
    }
}

/// How often somebody gave a place in a shift up or let it lapse, which they came to by themselves, or were
/// asked to by somebody.
fn times(before: &[Enrolment], invited_by: Option<AccountId>) -> i64 {
    use EnrolmentStatus::{Declined, LateWithdrawn, Withdrawn};
    let given_up = |one: &&Enrolment| {
        let is_theirs = matches!(one.status, Declined | LateWithdrawn | Withdrawn);
        is_theirs && one.invited_by == invited_by
    };
    i64::try_from(before.iter().filter(given_up).count()).unwrap_or(i64::MAX)
}

/// Takes a seat of a shift, or a place in its line where it is full; for somebody else of one's team asks
/// them to. Many do so at once: only what changes the activity itself makes them wait.
///
/// # Errors
/// `not_found`, and whatever keeps the person from it; `not_in_team`.
pub fn enrol(
    tx: &mut Tx<'_>,
    desk: &Desk,
    caller: &Caller,
    shift: ShiftId,
    new: &NewEnrolment,
) -> Result<Enrolment> {
    let first = activities::shift(tx.conn, shift)?;
    share(tx, first.activity_id)?;
    let shift = activities::shift(tx.conn, shift)?;
    let mut activity = activities::activity(tx.conn, shift.activity_id)?;
    if !PUBLIC.contains(&activity.status) {
        activity = visible(tx.conn, Some(caller), activity.id)?.0;
    }
    match new.account_id.filter(|who| *who != caller.account) {
        Some(who) => invite(tx, desk, caller, &activity, &shift, who),
        None => come(tx, desk, caller, &activity, &shift),
    }
}

fn come(
    tx: &mut Tx<'_>,
    desk: &Desk,
    caller: &Caller,
    activity: &Activity,
    shift: &Shift,
) -> Result<Enrolment> {
    let who = caller.account;
    serialize_on_person(tx, who)?;
    let mut before = store::in_shift(tx.conn, shift.id, who)?;
    if let Some(n) = before.iter().position(|one| one.ended_at.is_none()) {
        // the same again
        let standing = before.swap_remove(n);
        let is_own = standing.invited_by.is_none() && standing.status != EnrolmentStatus::Pending;
        return match is_own {
            true => Ok(standing),
            false => Err(Code::EnrolledAlready.into()),
        };
    }
    let at = (tx.now, tx.zone);
    let known = Known::of(tx.conn, desk, activity, &[who], at)?;
    let facts = asking(&known, shift, who, &before);
    refuse(&rules::verdict(&facts, &desk.rules, tx.now, tx.zone))?;
    let holds_seat = activities::take_seat(tx.conn, shift.id)?;
    let (status, kind) = match holds_seat {
        true => (EnrolmentStatus::Confirmed, Kind::EnrolmentConfirmed),
        false => (EnrolmentStatus::Waitlisted, Kind::EnrolmentWaitlisted),
    };
    let queue_no = match holds_seat {
        true => None,
        false => Some(activities::next_in_line(tx.conn, shift.id)?),
    };
    let enrolment = Enrolment {
        queue_no,
        ..new(tx, activity, shift, who, status)
    };
    let enrolment = match holds_seat {
        true => rules::coming(enrolment, &desk.rules.reminder_hours, tx.now),
        false => enrolment,
    };
    store::insert(tx, &enrolment)?;
    tx.journal(change(activity, &enrolment, caller.actor(), "enrol"))?;
    tell_person(tx, activity, shift, who, kind, &[])?;
    if holds_seat && is_held_up(activity) {
        activities::try_again(tx.conn, activity)?;
    }
    Ok(enrolment)
}

fn new(
    tx: &Tx<'_>,
    activity: &Activity,
    shift: &Shift,
    who: AccountId,
    status: EnrolmentStatus,
) -> Enrolment {
    Enrolment {
        id: EnrolmentId::new(),
        activity_id: activity.id,
        shift_id: shift.id,
        account_id: who,
        invited_by: None,
        status,
        status_since: tx.now,
        holds_seat: status == EnrolmentStatus::Confirmed,
        starts_at: shift.starts_at,
        ends_at: shift.ends_at,
        queue_no: None,
        skipped_at: None,
        accept_by: None,
        ended_at: None,
        reason: None,
        heard: activity.news,
        changed_at: None,
        created_at: tx.now,
        remind_at: None,
        reminded_hours: None,
        reconfirmed_at: None,
    }
}

/// Asks somebody of the caller's team to come. It holds no seat, and tells nothing about the person: what
/// keeps somebody from a shift is found, and said, as that person accepts. Who is enrolled in it is known to
/// those who organise it alone: others are told no more than that the person is not available, and ask
/// nobody to internal Party activities, where being enrolled says who is a member.
fn invite(
    tx: &mut Tx<'_>,
    desk: &Desk,
    caller: &Caller,
    activity: &Activity,
    shift: &Shift,
    who: AccountId,
) -> Result<Enrolment> {
    if !is_in_team(tx.conn, caller, activity, who)? {
        return Err(Code::NotInTeam.into());
    }
    let is_organizer = organizes(caller, activity);
    if activity.party_only && !is_organizer {
        return Err(Code::NotAvailable.into());
    }
    let closes_at = activity
        .enrolment_closes_at
        .min(open_until(activity, shift));
    if activity.status != ActivityStatus::Published || tx.now >= closes_at {
        return Err(Code::EnrolmentTooLate.into());
    }
    if activity.enrolment_opens_at.is_some_and(|at| tx.now < at) {
        return Err(Code::EnrolmentTooEarly.into());
    }
    serialize_on_person(tx, who)?;
    let mut before = store::in_shift(tx.conn, shift.id, who)?;
    if let Some(n) = before.iter().position(|one| one.ended_at.is_none()) {
        let known = before.swap_remove(n);
        let is_same = known.invited_by == Some(caller.account)
            && known.status == EnrolmentStatus::Pending
            && !known.holds_seat;
        return match is_same {
            true => Ok(known),
            false if is_organizer => Err(Code::EnrolledAlready.into()),
            false => Err(Code::NotAvailable.into()),
        };
    }
    if times(&before, Some(caller.account)) >= desk.rules.enrolments_per_shift {
        return Err(Code::EnrolledTooOften.into());
    }
    let enrolment = Enrolment {
        invited_by: Some(caller.account),
        accept_by: Some(closes_at),
        ..new(tx, activity, shift, who, EnrolmentStatus::Pending)
    };
    store::insert(tx, &enrolment)?;
    tx.journal(change(activity, &enrolment, caller.actor(), "invite"))?;
    let (by, due) = (name(tx, caller.account), closes_at.on_the_wall(tx.zone));
    let params = [("name", by.as_str()), ("due", due.as_str())];
    tell_person(tx, activity, shift, who, Kind::EnrolmentAsked, &params)?;
    Ok(enrolment)
}

/// Whether somebody belongs to a team that the caller leads: an organisation that they run, or the crew of
/// the activity's project where they organise it.
pub(super) fn is_in_team(
    conn: &mut Conn,
    caller: &Caller,
    activity: &Activity,
    who: AccountId,
) -> Result<bool> {
    if identity::account(conn, who).is_err() {
        return Ok(false);
    }
    let theirs = Caller::acting(conn, who)?;
    let led = caller.organizations(Role::OrganizationManager);
    let belongs = |id: &uuid::Uuid| {
        theirs.holds(Role::OrganizationMember, *id) || theirs.holds(Role::OrganizationManager, *id)
    };
    if led.iter().any(belongs) {
        return Ok(true);
    }
    match activity.claim_id.filter(|_| organizes(caller, activity)) {
        Some(claim) => crews::is_in(conn, claim, who),
        None => Ok(false),
    }
}
