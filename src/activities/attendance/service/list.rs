//! What the leader's list does: many ticks at once, excuses, and corrections.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use super::super::model::{Attendance, AttendanceStatus, Means};
use super::super::rules::{self, By, MOVES, Side};
use super::presence::by_list;
use super::{
    Seen, advance, change, holds_place, is_repeat, rules as numbers, save, seen, tell_organizers,
    tell_person,
};
use crate::activities::enrolments::{self, EnrolmentId};
use crate::activities::model::{ActivityId, ActivityStatus};
use crate::activities::service::{Desk, visible};
use crate::error::{Code, Error, Result};
use crate::identity::Caller;
use crate::notifications::Kind;
use crate::platform::clock::Instant;
use crate::platform::db::Tx;
use crate::platform::lifecycle::{self, ActsAs};

/// A tick of the leader's list.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(as = AttendanceTick)]
pub struct Tick {
    /// Whose enrolment.
    pub enrolment_id: EnrolmentId,
    /// Whether they came or went.
    pub side: Side,
    /// When; now, unless it says otherwise.
    pub at: Option<Instant>,
}

/// Several ticks of the leader's list.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(as = AttendanceTicks)]
pub struct Ticks {
    /// The ticks; each is answered on its own.
    #[validate(nested, length(min = 1, max = 100))]
    pub ticks: Vec<Tick>,
}

/// Ticks several people of an activity, each on its own; answers in the order of the ticks.
///
/// # Errors
/// `not_found`, `forbidden`.
pub fn tick_all(
    tx: &mut Tx<'_>,
    desk: &Desk,
    caller: &Caller,
    id: ActivityId,
    ticks: &[Tick],
) -> Result<Vec<Result<Attendance, Error>>> {
    let (_, relation) = visible(tx.conn, Some(caller), id)?;
    relation.acts_as(crate::activities::rules::By::Organizer)?;
    // locked in the order of their ids; who comes and goes in one list comes first
    let mut order: Vec<_> = (0..ticks.len()).collect();
    order.sort_by_key(|at| (ticks[*at].enrolment_id, ticks[*at].side));
    let mut answers = Vec::new();
    for at in order {
        let tick = &ticks[at];
        let answer = tx.savepoint(|tx| {
            if enrolments::enrolment(tx.conn, tick.enrolment_id)?.activity_id != id {
                return Err(Code::NotFound.into());
            }
            let seen = seen(tx, caller, tick.enrolment_id)?;
            seen.relation.acts_as(By::Organizer)?;
            by_list(tx, desk, caller, &seen, (tick.side, tick.at))
        });
        match answer {
            Ok(_) | Err(Error::Problem(_)) => answers.push((at, answer)),
            Err(error) => return Err(error),
        }
    }
    answers.sort_by_key(|(at, _)| *at);
    Ok(answers.into_iter().map(|(_, answer)| answer).collect())
}

/// Says why one does not come, or did not; who organises the activity hears it, and accepts it or not.
///
/// # Errors
/// `not_found`, `forbidden`, `enrolment_not_confirmed`, `move_not_allowed` of one who came.
pub fn ask_excuse(
    tx: &mut Tx<'_>,
    caller: &Caller,
    id: EnrolmentId,
    reason: &str,
) -> Result<Attendance> {
    let seen = seen(tx, caller, id)?;
    seen.relation.acts_as(By::Person)?;
    holds_place(&seen)?;
    let row = &seen.attendance;
    if lifecycle::next(MOVES, row.status, "excuse").is_none() {
        return Err(lifecycle::refusal(MOVES, seen.relation, row.status));
    }
    if row.excuse.as_deref() == Some(reason) {
        return Ok(row.clone());
    }
    let wanted = Attendance {
        excuse: Some(reason.to_owned()),
        excuse_refused_at: None,
        ..row.clone()
    };
    let saved = save(tx, &seen, wanted)?;
    tx.journal(change(&seen.activity, &saved, caller.actor(), "ask_excuse"))?;
    tell_organizers(tx, &seen, Kind::ExcuseAsked, &[("reason", reason)])?;
    Ok(saved)
}

/// Excuses somebody, with a reason, whether they asked for it or not.
///
/// # Errors
/// `not_found`, `forbidden`, `own_attendance`, `enrolment_not_confirmed`, `move_not_allowed`.
pub fn excuse(
    tx: &mut Tx<'_>,
    caller: &Caller,
    id: EnrolmentId,
    reason: &str,
) -> Result<Attendance> {
    let seen = seen(tx, caller, id)?;
    lifecycle::may(MOVES, seen.relation, "excuse")?;
    if is_repeat(tx, &seen, "excuse", caller)? {
        return Ok(seen.attendance);
    }
    holds_place(&seen)?;
    let own_words = seen.attendance.excuse.clone();
    let wanted = Attendance {
        excuse: own_words.or_else(|| Some(reason.to_owned())),
        excuse_refused_at: None,
        ..seen.attendance.clone()
    };
    let by = caller.actor();
    let moved = advance(tx, &seen, wanted, "excuse", (by, Some(reason)))?;
    tell_person(tx, &seen, by, Kind::Excused, &[("reason", reason)])?;
    Ok(moved)
}

/// Does not accept what somebody says why they did not come.
///
/// # Errors
/// `not_found`, `forbidden`, `own_attendance`, `move_not_allowed` where nothing is to be answered.
pub fn refuse_excuse(
    tx: &mut Tx<'_>,
    caller: &Caller,
    id: EnrolmentId,
    reason: &str,
) -> Result<Attendance> {
    let seen = seen(tx, caller, id)?;
    seen.relation.acts_as(By::Organizer)?;
    let row = &seen.attendance;
    let is_open = lifecycle::next(MOVES, row.status, "excuse").is_some() && row.excuse.is_some();
    if !is_open {
        return Err(lifecycle::refusal(MOVES, seen.relation, row.status));
    }
    if row.excuse_refused_at.is_some() {
        return Ok(seen.attendance);
    }
    let wanted = Attendance {
        excuse_refused_at: Some(tx.now),
        ..row.clone()
    };
    let saved = save(tx, &seen, wanted)?;
    let by = caller.actor();
    tx.journal(change(&seen.activity, &saved, by, "refuse_excuse").reason(Some(reason)))?;
    tell_person(tx, &seen, by, Kind::ExcuseRefused, &[("reason", reason)])?;
    Ok(saved)
}

/// What attendance is corrected to.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(as = AttendanceCorrection)]
pub struct Correction {
    /// Where it stands rightly: `expected`, `checked_in`, `checked_out` or `no_show`.
    pub status: AttendanceStatus,
    /// When the person came; as it is, unless it says otherwise.
    pub checked_in_at: Option<Instant>,
    /// When the person went; as it is, unless it says otherwise.
    pub checked_out_at: Option<Instant>,
    /// Why, in words that everyone concerned may read.
    #[validate(length(min = 1, max = 1000))]
    pub reason: String,
}

/// Corrects what was recorded, with a reason, until the activity is settled. `expected` only as long as
/// nobody is a no-show yet.
///
/// # Errors
/// `not_found`, `forbidden`, `own_attendance`, `enrolment_not_confirmed`, `move_not_allowed`,
/// `not_checked_in` where an instant is missing, `check_in_too_early`, `check_in_too_late`.
pub fn correct(
    tx: &mut Tx<'_>,
    desk: &Desk,
    caller: &Caller,
    id: EnrolmentId,
    to: &Correction,
) -> Result<Attendance> {
    let seen = seen(tx, caller, id)?;
    lifecycle::may(MOVES, seen.relation, "correct")?;
    let row = &seen.attendance;
    let wanted = corrected(&seen, to)?;
    if same(row, &wanted) {
        return Ok(seen.attendance);
    }
    holds_place(&seen)?;
    if !rules::corrects(row.status, to.status) {
        return Err(lifecycle::refusal(MOVES, seen.relation, row.status));
    }
    let is_over = rules::no_show_at(&seen.activity, numbers(desk)) <= tx.now;
    let is_settled = seen.activity.status == ActivityStatus::Settled;
    if is_settled || (is_over && to.status == AttendanceStatus::Expected) {
        return Err(Code::CheckInTooLate.into());
    }
    for (side, at) in [
        (Side::In, to.checked_in_at.and(wanted.checked_in_at)),
        (Side::Out, to.checked_out_at.and(wanted.checked_out_at)),
    ] {
        if let Some(at) = at {
            rules::fits(side, &seen.shift, at, numbers(desk))?;
            if at > tx.now {
                return Err(Code::CheckInTooEarly.into());
            }
        }
    }
    if wanted.checked_out_at.is_some() && wanted.checked_out_at < wanted.checked_in_at {
        return Err(Code::CheckInTooEarly.into());
    }
    let by = caller.actor();
    let wanted = Attendance {
        check_in_by: means(row, &wanted, Side::In),
        check_out_by: means(row, &wanted, Side::Out),
        recorded_in_by: match wanted.checked_in_at {
            at if at == row.checked_in_at => row.recorded_in_by,
            at => at.map(|_| caller.account),
        },
        recorded_out_by: match wanted.checked_out_at {
            at if at == row.checked_out_at => row.recorded_out_by,
            at => at.map(|_| caller.account),
        },
        is_late_sent_in: row.is_late_sent_in && wanted.checked_in_at == row.checked_in_at,
        is_late_sent_out: row.is_late_sent_out && wanted.checked_out_at == row.checked_out_at,
        ..wanted
    };
    let moved = advance(tx, &seen, wanted, "correct", (by, Some(&to.reason)))?;
    let params = [("reason", to.reason.as_str())];
    tell_person(tx, &seen, by, Kind::AttendanceCorrected, &params)?;
    Ok(moved)
}

/// # Errors
/// `not_checked_in` where an instant is missing.
fn corrected(seen: &Seen, to: &Correction) -> Result<Attendance> {
    use AttendanceStatus::{CheckedIn, CheckedOut};
    let row = &seen.attendance;
    let came = to.checked_in_at.or(row.checked_in_at);
    let went = to.checked_out_at.or(row.checked_out_at);
    let (came, went) = match to.status {
        CheckedIn => (came, None),
        CheckedOut => (came, went),
        _ => (None, None),
    };
    let is_missing = match to.status {
        CheckedIn => came.is_none(),
        CheckedOut => came.is_none() || went.is_none(),
        _ => false,
    };
    if is_missing {
        return Err(Code::NotCheckedIn.into());
    }
    Ok(Attendance {
        status: to.status,
        checked_in_at: came,
        checked_out_at: went,
        ..row.clone()
    })
}

fn same(one: &Attendance, other: &Attendance) -> bool {
    let of = |row: &Attendance| (row.status, row.checked_in_at, row.checked_out_at);
    of(one) == of(other)
}

/// How an instant is shown after a correction: as before where it stays, else by the list.
fn means(before: &Attendance, after: &Attendance, side: Side) -> Option<Means> {
    let (was, is, means) = match side {
        Side::In => (
            before.checked_in_at,
            after.checked_in_at,
            before.check_in_by,
        ),
        Side::Out => (
            before.checked_out_at,
            after.checked_out_at,
            before.check_out_by,
        ),
    };
    if was == is {
        means
    } else {
        is.map(|_| Means::List)
    }
}
