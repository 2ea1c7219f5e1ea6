//! Coming and going, said on the spot: by the person with the code, or by who organises with the list.

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use super::super::model::{Attendance, Means};
use super::super::rules::{self, AttendanceRules, By, MOVES, Side};
use super::{Record, Seen, holds_place, is_repeat, record, rules as numbers, seen};
use crate::activities::enrolments::EnrolmentId;
use crate::activities::model::Shift;
use crate::activities::service::Desk;
use crate::error::{Code, Problem, Result};
use crate::identity::Caller;
use crate::platform::clock::Instant;
use crate::platform::db::Tx;
use crate::platform::lifecycle::{self, ActsAs};
use crate::platform::token::Vault;

/// What shows that somebody comes or goes: the person's code, or the word of who organises.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(as = Showing)]
pub struct Showing {
    /// The code that is shown on site now. From the person.
    #[validate(length(min = 1, max = 20))]
    pub code: Option<String>,
    /// When it was; now, unless who organises the activity says otherwise. Not with a code.
    pub at: Option<Instant>,
}

/// Records that somebody comes or goes.
///
/// # Errors
/// `not_found`, `forbidden`, `own_attendance`, `invalid` where the person shows no code, `move_not_allowed`,
/// `enrolment_not_confirmed`, `not_checked_in`, `check_in_too_early`, `check_in_too_late`,
/// `check_in_code_wrong`, `check_in_code_old`.
pub fn show(
    tx: &mut Tx<'_>,
    desk: &Desk,
    vault: &Vault,
    caller: &Caller,
    id: EnrolmentId,
    (side, showing): (Side, &Showing),
) -> Result<Attendance> {
    let seen = seen(tx, caller, id)?;
    match &showing.code {
        Some(code) => {
            seen.relation.acts_as(By::Person)?;
            by_code(tx, desk, vault, caller, &seen, (side, code))
        }
        None if seen.relation.person && !seen.relation.organizer => {
            may_follow(&seen, side)?;
            let missing = Problem::new(Code::Invalid).field("/code", Code::Required);
            Err(missing.into())
        }
        None => {
            seen.relation.acts_as(By::Organizer)?;
            by_list(tx, desk, caller, &seen, (side, showing.at))
        }
    }
}

fn by_code(
    tx: &mut Tx<'_>,
    desk: &Desk,
    vault: &Vault,
    caller: &Caller,
    seen: &Seen,
    (side, code): (Side, &str),
) -> Result<Attendance> {
    if is_repeat(tx, seen, side.verb(), caller)? {
        return Ok(seen.attendance.clone());
    }
    holds_place(seen)?;
    may_follow(seen, side)?;
    rules::fits(side, &seen.shift, tx.now, numbers(desk))?;
    rules::code_fits(vault, seen.activity.id, code, tx.now)?;
    let shown = Record {
        side,
        at: tx.now,
        means: Means::Code,
        entry: None,
    };
    record(tx, seen, &shown, caller)
}

/// Ticks somebody in or out.
pub(super) fn by_list(
    tx: &mut Tx<'_>,
    desk: &Desk,
    caller: &Caller,
    seen: &Seen,
    (side, at): (Side, Option<Instant>),
) -> Result<Attendance> {
    let known = match side {
        Side::In => seen.attendance.checked_in_at,
        Side::Out => seen.attendance.checked_out_at,
    };
    // another instant is a correction, with its reason
    let is_same = at.is_none_or(|at| known == Some(at));
    if is_same && is_repeat(tx, seen, side.verb(), caller)? {
        return Ok(seen.attendance.clone());
    }
    holds_place(seen)?;
    may_follow(seen, side)?;
    let at = at.unwrap_or(tx.now);
    ticked(side, &seen.shift, at, tx.now, numbers(desk))?;
    let ticked = Record {
        side,
        at,
        means: Means::List,
        entry: None,
    };
    record(tx, seen, &ticked, caller)
}

/// Whether the list takes an instant: one that is past, while the list is open.
///
/// # Errors
/// `check_in_too_early`, `check_in_too_late`.
pub(super) fn ticked(
    side: Side,
    shift: &Shift,
    at: Instant,
    now: Instant,
    numbers: &AttendanceRules,
) -> Result<(), Code> {
    rules::fits(side, shift, at, numbers)?;
    if at > now {
        Err(Code::CheckInTooEarly)
    } else if now >= shift.ends_at + TimeDelta::hours(numbers.late_hours) {
        Err(Code::CheckInTooLate)
    } else {
        Ok(())
    }
}

/// # Errors
/// `not_checked_in`, `move_not_allowed`.
pub(super) fn may_follow(seen: &Seen, side: Side) -> Result<()> {
    let row = &seen.attendance;
    if side == Side::Out && row.checked_in_at.is_none() {
        return Err(Code::NotCheckedIn.into());
    }
    if side == Side::In && seen.relation.overruled && !seen.relation.organizer {
        return Err(Code::Forbidden.into());
    }
    lifecycle::step(MOVES, seen.relation, row.status, side.verb()).map(drop)
}
