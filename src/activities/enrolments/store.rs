//! The SQL of enrolments.

use diesel::dsl::exists;
use diesel::prelude::*;
use diesel::result::{DatabaseErrorKind, Error as QueryError};

use super::model::{Enrolment, EnrolmentId, EnrolmentStatus};
use crate::activities::model::{ActivityId, ShiftId};
use crate::error::{Code, Error, Result};
use crate::identity::AccountId;
use crate::platform::clock::Instant;
use crate::platform::db::{Conn, Tx};
use crate::schema::enrolments;

/// What both databases call the guard against being in two places at once.
const OVERLAP: &str = "enrolments_overlap";

/// Whether the database refused to let somebody hold seats at the same time: PostgreSQL names the
/// constraint, SQLite's trigger says its name.
fn is_overlap(error: &Error) -> bool {
    match error {
        Error::Database(QueryError::DatabaseError(DatabaseErrorKind::ExclusionViolation, info)) => {
            info.constraint_name() == Some(OVERLAP)
        }
        Error::Database(QueryError::DatabaseError(_, info)) => info.message() == OVERLAP,
        _ => false,
    }
}

/// A write of an enrolment that holds a seat; where the database refuses it, nothing was written.
fn guarded(tx: &mut Tx<'_>, write: impl FnOnce(&mut Conn) -> Result<usize>) -> Result<usize> {
    tx.savepoint(|tx| write(tx.conn)).map_err(|error| {
        if is_overlap(&error) {
            Code::TimeConflict.into()
        } else if error.is_unique_violation() {
            Code::EnrolledAlready.into()
        } else {
            error
        }
    })
}

/// An enrolment.
///
/// # Errors
/// `not_found`.
pub fn enrolment(conn: &mut Conn, id: EnrolmentId) -> Result<Enrolment> {
    enrolments::table
        .find(id)
        .select(Enrolment::as_select())
        .first(conn)
        .optional()?
        .ok_or_else(|| Code::NotFound.into())
}

/// # Errors
/// `time_conflict`, `enrolled_already`.
pub fn insert(tx: &mut Tx<'_>, enrolment: &Enrolment) -> Result<()> {
    let values = enrolment.clone();
    guarded(tx, |conn| {
        Ok(diesel::insert_into(enrolments::table)
            .values(&values)
            .execute(conn)?)
    })?;
    Ok(())
}

/// Writes an enrolment that still stands where it was `seen`; false when somebody else was faster.
///
/// # Errors
/// `time_conflict`.
pub fn save(tx: &mut Tx<'_>, seen: EnrolmentStatus, to: &Enrolment) -> Result<bool> {
    let same = enrolments::table
        .filter(enrolments::id.eq(to.id))
        .filter(enrolments::status.eq(seen));
    let update = diesel::update(same).set(to.clone());
    Ok(guarded(tx, |conn| Ok(update.execute(conn)?))? > 0)
}

/// The enrolment of a person in a shift that is not over.
pub fn standing(conn: &mut Conn, shift: ShiftId, who: AccountId) -> Result<Option<Enrolment>> {
    Ok(enrolments::table
        .filter(enrolments::shift_id.eq(shift))
        .filter(enrolments::account_id.eq(who))
        .filter(enrolments::ended_at.is_null())
        .select(Enrolment::as_select())
        .first(conn)
        .optional()?)
}

/// When a person holds seats that end after an instant, but for one of the enrolments.
pub fn taken(
    conn: &mut Conn,
    who: AccountId,
    after: Instant,
    but: Option<EnrolmentId>,
) -> Result<Vec<(Instant, Instant)>> {
    let mut rows = enrolments::table
        .filter(enrolments::account_id.eq(who))
        .filter(enrolments::holds_seat)
        .filter(enrolments::ends_at.gt(after))
        .select((enrolments::starts_at, enrolments::ends_at))
        .into_boxed();
    if let Some(but) = but {
        rows = rows.filter(enrolments::id.ne(but));
    }
    Ok(rows.load(conn)?)
}

/// Those who wait for a seat of a shift, the first in line first.
pub fn line(conn: &mut Conn, shift: ShiftId) -> Result<Vec<Enrolment>> {
    Ok(enrolments::table
        .filter(enrolments::shift_id.eq(shift))
        .filter(enrolments::status.eq(EnrolmentStatus::Waitlisted))
        .order((enrolments::queued_at, enrolments::id))
        .select(Enrolment::as_select())
        .load(conn)?)
}

/// The enrolments in an activity that are not over.
pub fn open_ones(conn: &mut Conn, of: ActivityId) -> Result<Vec<Enrolment>> {
    Ok(enrolments::table
        .filter(enrolments::activity_id.eq(of))
        .filter(enrolments::ended_at.is_null())
        .order(enrolments::id)
        .select(Enrolment::as_select())
        .load(conn)?)
}

/// Whether somebody ever stood in a shift.
pub fn any_in(conn: &mut Conn, shift: ShiftId) -> Result<bool> {
    let theirs = enrolments::table.filter(enrolments::shift_id.eq(shift));
    Ok(diesel::select(exists(theirs)).get_result(conn)?)
}

/// Whether a person is or was enrolled in an activity.
///
/// # Errors
/// Those of the database.
pub fn ever_in(conn: &mut Conn, activity: ActivityId, who: AccountId) -> Result<bool> {
    let theirs = enrolments::table
        .filter(enrolments::activity_id.eq(activity))
        .filter(enrolments::account_id.eq(who));
    Ok(diesel::select(exists(theirs)).get_result(conn)?)
}

/// Lets the enrolments in an activity hold nobody's time, until they are written anew: shifts that move
/// together would collide with each other on the way.
pub fn release(conn: &mut Conn, of: ActivityId) -> Result<()> {
    let held = enrolments::table
        .filter(enrolments::activity_id.eq(of))
        .filter(enrolments::holds_seat);
    diesel::update(held)
        .set(enrolments::holds_seat.eq(false))
        .execute(conn)?;
    Ok(())
}

/// How many stand in the line of a shift before somebody.
pub fn before_in_line(conn: &mut Conn, of: &Enrolment) -> Result<i64> {
    let Some(queued_at) = of.queued_at else {
        return Ok(0);
    };
    let sooner = enrolments::queued_at.lt(queued_at).assume_not_null();
    let beside = enrolments::queued_at.eq(queued_at).assume_not_null();
    Ok(enrolments::table
        .filter(enrolments::shift_id.eq(of.shift_id))
        .filter(enrolments::status.eq(EnrolmentStatus::Waitlisted))
        .filter(sooner.or(beside.and(enrolments::id.lt(of.id))))
        .count()
        .get_result(conn)?)
}

/// The enrolments whose time to accept is over, whatever their activities do.
pub fn overdue(conn: &mut Conn, now: Instant, limit: i64) -> Result<Vec<Enrolment>> {
    Ok(enrolments::table
        .filter(enrolments::status.eq(EnrolmentStatus::Pending))
        .filter(enrolments::accept_by.le(now))
        .order((enrolments::activity_id, enrolments::id)) // as their activities are locked
        .limit(limit)
        .select(Enrolment::as_select())
        .load(conn)?)
}

/// The enrolments in an activity, the oldest first.
pub fn of_activity(
    conn: &mut Conn,
    of: ActivityId,
    shift: Option<ShiftId>,
    status: Option<EnrolmentStatus>,
    after: Option<EnrolmentId>,
    limit: i64,
) -> Result<Vec<Enrolment>> {
    let mut rows = enrolments::table
        .filter(enrolments::activity_id.eq(of))
        .select(Enrolment::as_select())
        .into_boxed();
    if let Some(shift) = shift {
        rows = rows.filter(enrolments::shift_id.eq(shift));
    }
    if let Some(status) = status {
        rows = rows.filter(enrolments::status.eq(status));
    }
    if let Some(after) = after {
        rows = rows.filter(enrolments::id.gt(after));
    }
    Ok(rows.order(enrolments::id).limit(limit + 1).load(conn)?)
}

/// The enrolments of a person, the latest shift first.
pub fn of_person(
    conn: &mut Conn,
    who: AccountId,
    status: Option<EnrolmentStatus>,
    before: Option<(Instant, EnrolmentId)>,
    limit: i64,
) -> Result<Vec<Enrolment>> {
    let mut rows = enrolments::table
        .filter(enrolments::account_id.eq(who))
        .select(Enrolment::as_select())
        .into_boxed();
    if let Some(status) = status {
        rows = rows.filter(enrolments::status.eq(status));
    }
    if let Some((starts_at, id)) = before {
        let sooner = enrolments::starts_at.lt(starts_at);
        let beside = enrolments::starts_at.eq(starts_at);
        rows = rows.filter(sooner.or(beside.and(enrolments::id.lt(id))));
    }
    Ok(rows
        .order((enrolments::starts_at.desc(), enrolments::id.desc()))
        .limit(limit + 1)
        .load(conn)?)
}
