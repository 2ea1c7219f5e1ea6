//! What people, and those who organise, do with a place in a shift.

use super::super::model::{Enrolment, EnrolmentId, EnrolmentStatus};
use super::super::rules::{self, MOVES};
use super::super::store;
use super::known::Known;
use super::line::freed;
use super::{
    Seen, advance, is_repeat, refuse, seen, serialize_on_person, step, tell_organizers, tell_person,
};
use crate::activities::attendance::has_come;
use crate::activities::rules::{is_held_up, open_until};
use crate::activities::service::{Desk, tell};
use crate::activities::store as activities;
use crate::error::{Code, Result};
use crate::identity::Caller;
use crate::notifications::Kind;
use crate::platform::db::Tx;
use crate::platform::lifecycle;

/// Says yes: to a seat that is held for oneself, or to an invitation, which takes a seat or, where there is
/// none, a place in the line.
///
/// # Errors
/// `not_found`, `forbidden`, `move_not_allowed`, `enrolment_too_late`, and whatever keeps the person from
/// the shift by now.
pub fn accept(tx: &mut Tx<'_>, desk: &Desk, caller: &Caller, id: EnrolmentId) -> Result<Enrolment> {
    let seen = seen(tx, caller, id)?;
    lifecycle::may(MOVES, seen.relation, "accept")?;
    for verb in ["accept", "queue"] {
        if is_repeat(tx, &seen.enrolment, verb, caller)? {
            return Ok(seen.enrolment);
        }
    }
    step(desk, &seen, "accept", tx.now)?;
    let Seen {
        enrolment,
        activity,
        shift,
        relation,
    } = seen;
    serialize_on_person(tx, enrolment.account_id)?;
    let is_late = enrolment.accept_by.is_some_and(|by| by <= tx.now);
    if is_late || !rules::moves_up(&activity, &shift, tx.now) {
        return Err(Code::EnrolmentTooLate.into());
    }
    let who = enrolment.account_id;
    let known = Known::of(tx.conn, desk, &activity, &[who], (tx.now, tx.zone))?;
    let codes = if enrolment.holds_seat {
        known.obstacles(&shift, who, Some(id))
    } else {
        let facts = known.facts(&shift, who, Some(id));
        rules::verdict(&facts, &desk.rules, tx.now, tx.zone)
    };
    refuse(&codes)?;
    let by = caller.actor();
    let moved = if enrolment.holds_seat || activities::take_seat(tx.conn, shift.id)? {
        let comes = rules::coming(enrolment, &desk.rules.reminder_hours, tx.now);
        advance(tx, &activity, &comes, "accept", by, None)?
    } else {
        let queued = Enrolment {
            queue_no: Some(activities::next_in_line(tx.conn, shift.id)?),
            ..enrolment.clone()
        };
        advance(tx, &activity, &queued, "queue", by, None)?
    };
    if moved.holds_seat && is_held_up(&activity) {
        activities::try_again(tx.conn, &activity)?;
    }
    let (kind, told) = match moved.status {
        EnrolmentStatus::Confirmed => (Kind::EnrolmentConfirmed, Kind::EnrolmentAccepted),
        _ => (Kind::EnrolmentWaitlisted, Kind::EnrolmentQueued),
    };
    tell_person(tx, &activity, &shift, who, kind, &[])?;
    tell_inviter(
        tx,
        &Seen {
            enrolment: moved.clone(),
            activity,
            shift,
            relation,
        },
        told,
    )?;
    Ok(moved)
}

/// Says no.
///
/// # Errors
/// `not_found`, `forbidden`, `move_not_allowed`.
pub fn decline(
    tx: &mut Tx<'_>,
    desk: &Desk,
    caller: &Caller,
    id: EnrolmentId,
) -> Result<Enrolment> {
    let seen = seen(tx, caller, id)?;
    lifecycle::may(MOVES, seen.relation, "decline")?;
    if is_repeat(tx, &seen.enrolment, "decline", caller)? {
        return Ok(seen.enrolment);
    }
    step(desk, &seen, "decline", tx.now)?;
    let by = caller.actor();
    let moved = advance(tx, &seen.activity, &seen.enrolment, "decline", by, None)?;
    tell_inviter(tx, &seen, Kind::EnrolmentDeclined)?;
    freed(tx, desk, &seen.activity, &seen.enrolment)?;
    Ok(moved)
}

/// Goes, before the shift begins: late or not, as the organiser's deadline says.
///
/// # Errors
/// `not_found`, `forbidden`, `move_not_allowed`, `withdrawal_too_late`.
pub fn withdraw(
    tx: &mut Tx<'_>,
    desk: &Desk,
    caller: &Caller,
    id: EnrolmentId,
) -> Result<Enrolment> {
    let seen = seen(tx, caller, id)?;
    let verb = rules::withdrawing(&seen.enrolment, &seen.activity, &desk.rules, tx.now);
    lifecycle::may(MOVES, seen.relation, verb)?;
    if is_repeat(tx, &seen.enrolment, verb, caller)? {
        return Ok(seen.enrolment);
    }
    step(desk, &seen, verb, tx.now)?;
    let Seen {
        enrolment,
        activity,
        shift,
        ..
    } = seen;
    if tx.now >= open_until(&activity, &shift) || has_come(tx.conn, id)? {
        return Err(Code::WithdrawalTooLate.into());
    }
    let moved = advance(tx, &activity, &enrolment, verb, caller.actor(), None)?;
    if enrolment.holds_seat {
        let kind = match moved.status {
            EnrolmentStatus::LateWithdrawn => Kind::EnrolmentWithdrawnLate,
            _ => Kind::EnrolmentWithdrawn,
        };
        tell_organizers(tx, &activity, &shift, enrolment.account_id, kind)?;
    }
    freed(tx, desk, &activity, &enrolment)?;
    Ok(moved)
}

/// Sends somebody away, with a reason, as long as the shift has not begun: what was done then is service.
///
/// # Errors
/// `not_found`, `forbidden`, `move_not_allowed`, `withdrawal_too_late`.
pub fn remove(
    tx: &mut Tx<'_>,
    desk: &Desk,
    caller: &Caller,
    id: EnrolmentId,
    reason: &str,
) -> Result<Enrolment> {
    let seen = seen(tx, caller, id)?;
    lifecycle::may(MOVES, seen.relation, "remove")?;
    if is_repeat(tx, &seen.enrolment, "remove", caller)? {
        return Ok(seen.enrolment);
    }
    step(desk, &seen, "remove", tx.now)?;
    let Seen {
        enrolment,
        activity,
        shift,
        ..
    } = seen;
    if tx.now >= open_until(&activity, &shift) || has_come(tx.conn, id)? {
        return Err(Code::WithdrawalTooLate.into());
    }
    let by = caller.actor();
    let moved = advance(tx, &activity, &enrolment, "remove", by, Some(reason))?;
    let (who, params) = (enrolment.account_id, [("reason", reason)]);
    tell_person(tx, &activity, &shift, who, Kind::EnrolmentRemoved, &params)?;
    freed(tx, desk, &activity, &enrolment)?;
    store::enrolment(tx.conn, moved.id)
}

/// Tells who asked the person, if anybody did.
fn tell_inviter(tx: &mut Tx<'_>, seen: &Seen, kind: Kind) -> Result<()> {
    let Some(inviter) = seen.enrolment.invited_by else {
        return Ok(());
    };
    let name = super::name(tx, seen.enrolment.account_id);
    let params = [("name", name.as_str()), ("role", seen.shift.name.as_str())];
    tell(tx, &seen.activity, &[inviter], kind, &params)
}
