//! The SQL of enrolments.

use std::collections::{HashMap, HashSet};

use diesel::dsl::{exists, not};
use diesel::prelude::*;
use diesel::result::{DatabaseErrorKind, Error as QueryError};

use super::model::{Enrolment, EnrolmentId, EnrolmentStatus};
use crate::activities::model::{ActivityId, ActivityStatus, ShiftId};
use crate::activities::rules::LIVE;
use crate::each;
use crate::error::{Code, Error, Result};
use crate::identity::AccountId;
use crate::platform::clock::Instant;
use crate::platform::db::{Conn, Prepared, Tx};
use crate::schema::{activities, activity_shifts, enrolments};

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

/// What a person has or had in a shift.
pub fn in_shift(conn: &mut Conn, shift: ShiftId, who: AccountId) -> Result<Vec<Enrolment>> {
    Ok(enrolments::table
        .filter(enrolments::account_id.eq(who))
        .filter(enrolments::shift_id.eq(shift))
        .select(Enrolment::as_select())
        .load(conn)?)
}

/// When these people hold seats that end after an instant.
pub fn taken(
    conn: &mut Conn,
    people: &[AccountId],
    after: Instant,
) -> Result<Vec<(AccountId, EnrolmentId, Instant, Instant)>> {
    let held = enrolments::table
        .filter(enrolments::account_id.eq_any(people.to_vec()))
        .filter(enrolments::holds_seat)
        .filter(enrolments::ends_at.gt(after))
        .select((
            enrolments::account_id,
            enrolments::id,
            enrolments::starts_at,
            enrolments::ends_at,
        ));
    Ok(each!(conn, c => Prepared::listing(held, people.len()).load(c))?)
}

/// The first few of those who wait for a seat of a shift, but for those whom its line has passed over since an
/// instant.
pub fn first_in_line(
    conn: &mut Conn,
    shift: ShiftId,
    since: Instant,
    few: i64,
) -> Result<Vec<Enrolment>> {
    let passed_over = enrolments::skipped_at.gt(since).assume_not_null();
    let is_passed_over = enrolments::skipped_at.is_not_null().and(passed_over);
    Ok(enrolments::table
        .filter(enrolments::shift_id.eq(shift))
        .filter(enrolments::status.eq(EnrolmentStatus::Waitlisted))
        .filter(not(is_passed_over))
        .order((enrolments::queue_no, enrolments::id))
        .limit(few)
        .select(Enrolment::as_select())
        .load(conn)?)
}

/// Notes that the line has passed somebody over.
pub fn pass_over(tx: &mut Tx<'_>, id: EnrolmentId) -> Result<()> {
    diesel::update(enrolments::table.find(id))
        .set(enrolments::skipped_at.eq(Some(tx.now)))
        .execute(tx.conn)?;
    Ok(())
}

/// Lets the line look at somebody again.
pub fn look_at(conn: &mut Conn, id: EnrolmentId) -> Result<()> {
    diesel::update(enrolments::table.find(id))
        .set(enrolments::skipped_at.eq(None::<Instant>))
        .execute(conn)?;
    Ok(())
}

/// The places of a person ahead that hold a seat, or that a line has passed over.
pub fn to_look_at(conn: &mut Conn, who: AccountId, now: Instant) -> Result<Vec<EnrolmentId>> {
    let held_up = activities::held_up_at.is_not_null();
    Ok(enrolments::table
        .inner_join(activities::table)
        .filter(enrolments::account_id.eq(who))
        .filter(enrolments::ended_at.is_null())
        .filter(enrolments::starts_at.gt(now).or(held_up))
        .filter(enrolments::holds_seat.or(enrolments::skipped_at.is_not_null()))
        .filter(activities::status.eq_any(LIVE.to_vec()))
        .order(enrolments::activity_id)
        .select(enrolments::id)
        .load(conn)?)
}

/// The enrolments in an activity that are not over, of people after somebody, in the order of the people;
/// one more than a page where there is one.
pub fn open_after(
    conn: &mut Conn,
    of: ActivityId,
    after: Option<AccountId>,
    limit: i64,
) -> Result<Vec<Enrolment>> {
    let mut rows = enrolments::table
        .filter(enrolments::activity_id.eq(of))
        .filter(enrolments::ended_at.is_null())
        .select(Enrolment::as_select())
        .into_boxed();
    if let Some(after) = after {
        rows = rows.filter(enrolments::account_id.gt(after));
    }
    Ok(rows
        .order((enrolments::account_id, enrolments::id))
        .limit(limit + 1)
        .load(conn)?)
}

/// Those who come to a shift, the oldest places first.
pub fn comers(
    conn: &mut Conn,
    shift: ShiftId,
    after: Option<EnrolmentId>,
    limit: i64,
) -> Result<Vec<(EnrolmentId, AccountId)>> {
    let mut rows = enrolments::table
        .filter(enrolments::shift_id.eq(shift))
        .filter(enrolments::status.eq(EnrolmentStatus::Confirmed))
        .select((enrolments::id, enrolments::account_id))
        .into_boxed();
    if let Some(after) = after {
        rows = rows.filter(enrolments::id.gt(after));
    }
    Ok(rows.order(enrolments::id).limit(limit).load(conn)?)
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

/// Those of some activities that a person is or was enrolled in.
pub fn ever_among(
    conn: &mut Conn,
    among: &[ActivityId],
    who: AccountId,
) -> Result<HashSet<ActivityId>> {
    let theirs: Vec<ActivityId> = enrolments::table
        .filter(enrolments::account_id.eq(who))
        .filter(enrolments::activity_id.eq_any(among.to_vec()))
        .select(enrolments::activity_id)
        .distinct()
        .load(conn)?;
    Ok(theirs.into_iter().collect())
}

/// Lets enrolments hold nobody's time, until they are written anew: shifts that move together would collide
/// with each other on the way.
pub fn release(conn: &mut Conn, ids: Vec<EnrolmentId>) -> Result<()> {
    diesel::update(enrolments::table.filter(enrolments::id.eq_any(ids)))
        .set(enrolments::holds_seat.eq(false))
        .execute(conn)?;
    Ok(())
}

diesel::alias!(enrolments as others: Others);

/// How many stand in the line before each of these who wait.
pub fn before_in_line(conn: &mut Conn, of: Vec<EnrolmentId>) -> Result<HashMap<EnrolmentId, i64>> {
    let sooner = others
        .filter(others.field(enrolments::shift_id).eq(enrolments::shift_id))
        .filter(
            others
                .field(enrolments::status)
                .eq(EnrolmentStatus::Waitlisted),
        )
        .filter(others.field(enrolments::queue_no).lt(enrolments::queue_no))
        .count()
        .single_value();
    let rows: Vec<(EnrolmentId, Option<i64>)> = enrolments::table
        .filter(enrolments::id.eq_any(of))
        .select((enrolments::id, sooner))
        .load(conn)?;
    let ahead = rows.into_iter().map(|(id, n)| (id, n.unwrap_or_default()));
    Ok(ahead.collect())
}

/// An enrolment that time moves on, and its activity, which is locked first.
pub type Due = (ActivityId, EnrolmentId);

/// The enrolments whose time to accept is over, whatever their activities do.
pub fn overdue(conn: &mut Conn, now: Instant, limit: i64) -> Result<Vec<Due>> {
    Ok(enrolments::table
        .filter(enrolments::status.eq(EnrolmentStatus::Pending))
        .filter(enrolments::accept_by.le(now))
        .order((enrolments::activity_id, enrolments::id))
        .limit(limit)
        .select((enrolments::activity_id, enrolments::id))
        .load(conn)?)
}

/// Those who still wait for a shift that has begun. Of an activity that is held up nothing has.
pub fn left_waiting(conn: &mut Conn, now: Instant, limit: i64) -> Result<Vec<Due>> {
    let begun = [
        ActivityStatus::Ongoing,
        ActivityStatus::Finished,
        ActivityStatus::Settled,
    ];
    Ok(enrolments::table
        .inner_join(activities::table)
        .filter(enrolments::status.eq(EnrolmentStatus::Waitlisted))
        .filter(enrolments::starts_at.le(now))
        .filter(activities::status.eq_any(begun.to_vec()))
        .order((enrolments::activity_id, enrolments::id))
        .limit(limit)
        .select((enrolments::activity_id, enrolments::id))
        .load(conn)?)
}

/// Those whom a line passed over before an instant, where a seat is free now.
pub fn passed_over(conn: &mut Conn, before: Instant, limit: i64) -> Result<Vec<Due>> {
    Ok(enrolments::table
        .inner_join(activities::table)
        .inner_join(activity_shifts::table)
        .filter(enrolments::status.eq(EnrolmentStatus::Waitlisted))
        .filter(enrolments::skipped_at.le(before))
        .filter(activity_shifts::taken.lt(activity_shifts::seats))
        .filter(activities::status.eq_any(LIVE.to_vec()))
        .order((enrolments::activity_id, enrolments::id))
        .limit(limit)
        .select((enrolments::activity_id, enrolments::id))
        .load(conn)?)
}

/// The enrolments that are to be looked at for a reminder.
pub fn to_remind(conn: &mut Conn, now: Instant, limit: i64) -> Result<Vec<Due>> {
    let mut due: Vec<Due> = enrolments::table
        .filter(enrolments::remind_at.is_not_null())
        .filter(enrolments::remind_at.le(now))
        .order((enrolments::remind_at, enrolments::id))
        .limit(limit)
        .select((enrolments::activity_id, enrolments::id))
        .load(conn)?;
    due.sort_unstable(); // as their activities are locked
    Ok(due)
}

/// Notes which reminder was told last, and when the next one comes.
pub fn set_reminded(
    conn: &mut Conn,
    id: EnrolmentId,
    told: Option<i32>,
    next: Option<Instant>,
) -> Result<()> {
    diesel::update(enrolments::table.find(id))
        .set((
            enrolments::reminded_hours.eq(told),
            enrolments::remind_at.eq(next),
        ))
        .execute(conn)?;
    Ok(())
}

/// Whether a person holds another seat in the same activity.
pub fn holds_another(conn: &mut Conn, than: &Enrolment) -> Result<bool> {
    let beside = enrolments::table
        .filter(enrolments::activity_id.eq(than.activity_id))
        .filter(enrolments::account_id.eq(than.account_id))
        .filter(enrolments::id.ne(than.id))
        .filter(enrolments::holds_seat);
    Ok(diesel::select(exists(beside)).get_result(conn)?)
}

/// The shifts that begin between two instants whose organisers were not told yet how many have not said again
/// that they come, in the order of their activities.
pub fn to_count(
    conn: &mut Conn,
    (now, until): (Instant, Instant),
    limit: i64,
) -> Result<Vec<(ActivityId, ShiftId)>> {
    let counted = activity_shifts::counted_for
        .eq(activity_shifts::starts_at.nullable())
        .assume_not_null();
    let is_counted = activity_shifts::counted_for.is_not_null().and(counted);
    Ok(activity_shifts::table
        .inner_join(activities::table)
        .filter(activity_shifts::starts_at.gt(now))
        .filter(activity_shifts::starts_at.le(until))
        .filter(not(is_counted))
        .filter(activities::status.eq_any(LIVE.to_vec()))
        .order((activity_shifts::activity_id, activity_shifts::id))
        .limit(limit)
        .select((activity_shifts::activity_id, activity_shifts::id))
        .load(conn)?)
}

/// Notes for which beginning they were told; false when that was noted before.
pub fn set_counted(conn: &mut Conn, id: ShiftId, starts_at: Instant) -> Result<bool> {
    let counted = activity_shifts::counted_for.eq(starts_at).assume_not_null();
    let is_counted = activity_shifts::counted_for.is_not_null().and(counted);
    let open = activity_shifts::table
        .filter(activity_shifts::id.eq(id))
        .filter(not(is_counted));
    let noted = diesel::update(open).set(activity_shifts::counted_for.eq(Some(starts_at)));
    Ok(noted.execute(conn)? > 0)
}

/// How many of those who come to a shift have not said so again.
pub fn unconfirmed(conn: &mut Conn, shift: ShiftId) -> Result<i64> {
    Ok(enrolments::table
        .filter(enrolments::shift_id.eq(shift))
        .filter(enrolments::status.eq(EnrolmentStatus::Confirmed))
        .filter(enrolments::reconfirmed_at.is_null())
        .count()
        .get_result(conn)?)
}

/// Which of the enrolments in an activity.
#[derive(Clone, Copy, Debug, Default)]
pub struct Which {
    /// Only those in this shift.
    pub shift: Option<ShiftId>,
    /// Only those that stand here.
    pub status: Option<EnrolmentStatus>,
    /// Only those who come and have, or have not, said so again.
    pub reconfirmed: Option<bool>,
}

/// The enrolments in an activity, the oldest first.
pub fn of_activity(
    conn: &mut Conn,
    of: ActivityId,
    which: Which,
    after: Option<EnrolmentId>,
    limit: i64,
) -> Result<Vec<Enrolment>> {
    let mut rows = enrolments::table
        .filter(enrolments::activity_id.eq(of))
        .select(Enrolment::as_select())
        .into_boxed();
    if let Some(shift) = which.shift {
        rows = rows.filter(enrolments::shift_id.eq(shift));
    }
    if let Some(status) = which.status {
        rows = rows.filter(enrolments::status.eq(status));
    }
    if let Some(has_said) = which.reconfirmed {
        rows = rows.filter(enrolments::status.eq(EnrolmentStatus::Confirmed));
        rows = match has_said {
            true => rows.filter(enrolments::reconfirmed_at.is_not_null()),
            false => rows.filter(enrolments::reconfirmed_at.is_null()),
        };
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
