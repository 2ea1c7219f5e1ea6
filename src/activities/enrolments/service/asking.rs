//! Coming to a shift, and asking others to.

use serde::Deserialize;
use utoipa::ToSchema;
use validator::Validate;

use super::super::model::{Enrolment, EnrolmentId, EnrolmentStatus};
use super::super::rules::{self, Facts};
use super::super::store;
use super::{change, facts, name, refuse, serialize_on_person, tell_person};
use crate::activities::model::{Activity, ActivityStatus, Shift, ShiftId};
use crate::activities::service::{Desk, alone};
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
    let facts = facts(conn, desk, (activity, shift), who, None, (now, zone))?;
    Ok(rules::verdict(&facts, &desk.rules, now, zone))
}

/// Takes a seat of a shift, or a place in its line where it is full; for somebody else of one's team asks
/// them to.
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
    let (activity, _) = alone(tx, caller, first.activity_id)?;
    let shift = activities::shift(tx.conn, shift)?;
    match new.account_id.filter(|who| *who != caller.account) {
        Some(who) => invite(tx, caller, &activity, &shift, who),
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
    if let Some(known) = store::standing(tx.conn, shift.id, who)? {
        // the same again
        let is_own = known.invited_by.is_none() && known.status != EnrolmentStatus::Pending;
        return match is_own {
            true => Ok(known),
            false => Err(Code::EnrolledAlready.into()),
        };
    }
    let at = (tx.now, tx.zone);
    let known: Facts<'_> = facts(tx.conn, desk, (activity, shift), who, None, at)?;
    refuse(&rules::verdict(&known, &desk.rules, tx.now, tx.zone))?;
    let holds_seat = activities::take_seat(tx.conn, shift.id)?;
    let (status, kind) = match holds_seat {
        true => (EnrolmentStatus::Confirmed, Kind::EnrolmentConfirmed),
        false => (EnrolmentStatus::Waitlisted, Kind::EnrolmentWaitlisted),
    };
    let enrolment = Enrolment {
        queued_at: (!holds_seat).then_some(tx.now),
        ..new(tx, activity, shift, who, status)
    };
    store::insert(tx, &enrolment)?;
    tx.journal(change(activity, &enrolment, caller.actor(), "enrol"))?;
    tell_person(tx, activity, shift, who, kind, &[])?;
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
        queued_at: None,
        accept_by: None,
        ended_at: None,
        created_at: tx.now,
    }
}

/// Asks somebody of the caller's team to come. It holds no seat, and tells nothing about the person: what
/// keeps somebody from a shift is found, and said, as that person accepts.
fn invite(
    tx: &mut Tx<'_>,
    caller: &Caller,
    activity: &Activity,
    shift: &Shift,
    who: AccountId,
) -> Result<Enrolment> {
    if !is_in_team(tx.conn, caller, activity, who)? {
        return Err(Code::NotInTeam.into());
    }
    if let Some(known) = store::standing(tx.conn, shift.id, who)? {
        let is_same = known.invited_by == Some(caller.account)
            && known.status == EnrolmentStatus::Pending
            && !known.holds_seat;
        return match is_same {
            true => Ok(known),
            false => Err(Code::EnrolledAlready.into()),
        };
    }
    let is_open = activity.status == ActivityStatus::Published;
    if !is_open || tx.now >= activity.enrolment_closes_at {
        return Err(Code::EnrolmentTooLate.into());
    }
    if activity.enrolment_opens_at.is_some_and(|at| tx.now < at) {
        return Err(Code::EnrolmentTooEarly.into());
    }
    let accept_by = activity.enrolment_closes_at;
    let enrolment = Enrolment {
        invited_by: Some(caller.account),
        accept_by: Some(accept_by),
        ..new(tx, activity, shift, who, EnrolmentStatus::Pending)
    };
    store::insert(tx, &enrolment)?;
    tx.journal(change(activity, &enrolment, caller.actor(), "invite"))?;
    let (by, due) = (name(tx, caller.account), accept_by.on_the_wall(tx.zone));
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
    let organizes = activity.leader_id == Some(caller.account)
        || activity
            .organization_id
            .is_some_and(|id| led.contains(&id.0));
    match activity.claim_id.filter(|_| organizes) {
        Some(claim) => crews::is_in(conn, claim, who),
        None => Ok(false),
    }
}
