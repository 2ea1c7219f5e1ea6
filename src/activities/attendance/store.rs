//! The SQL of attendance.

use diesel::dsl::not;
use diesel::prelude::*;

use super::model::{Attendance, AttendanceId, AttendanceStatus};
use crate::activities::enrolments::{Enrolment, EnrolmentId, EnrolmentStatus};
use crate::activities::model::{ActivityId, ShiftId};
use crate::each;
use crate::error::{Code, Result};
use crate::identity::AccountId;
use crate::platform::clock::Instant;
use crate::platform::db::Conn;
use crate::schema::{attendances, enrolments};

/// An attendance.
///
/// # Errors
/// `not_found`.
pub fn attendance(conn: &mut Conn, id: AttendanceId) -> Result<Attendance> {
    let found = attendances::table
        .find(id)
        .select(Attendance::as_select())
        .first(conn);
    found.optional()?.ok_or_else(|| Code::NotFound.into())
}

/// Everything known of who was there in an activity, the oldest enrolment first.
///
/// # Errors
/// Those of the database.
pub fn of_activity(conn: &mut Conn, id: ActivityId) -> Result<Vec<Attendance>> {
    Ok(attendances::table
        .filter(attendances::activity_id.eq(id))
        .order(attendances::id)
        .select(Attendance::as_select())
        .load(conn)?)
}

/// That of an enrolment; expected where nothing is written down yet.
pub fn of_enrolment(conn: &mut Conn, enrolment: &Enrolment, now: Instant) -> Result<Attendance> {
    let found = attendances::table
        .find(AttendanceId(enrolment.id.0))
        .select(Attendance::as_select())
        .first(conn);
    let found = found.optional()?;
    Ok(found.unwrap_or_else(|| Attendance::expected(enrolment, now)))
}

/// Whether somebody has come.
pub fn has_come(conn: &mut Conn, id: EnrolmentId) -> Result<bool> {
    let found = attendances::table
        .find(AttendanceId(id.0))
        .filter(attendances::checked_in_at.is_not_null());
    Ok(diesel::select(diesel::dsl::exists(found)).get_result(conn)?)
}

/// Writes an attendance down that is still as it was seen; false when somebody else was faster.
pub fn save(conn: &mut Conn, seen: i32, to: &Attendance) -> Result<bool> {
    let rows = if seen == 0 {
        let new = diesel::insert_into(attendances::table).values(to.clone());
        each!(conn, c => new.on_conflict_do_nothing().execute(c))?
    } else {
        let same = attendances::table
            .filter(attendances::id.eq(to.id))
            .filter(attendances::version.eq(seen));
        diesel::update(same).set(to.clone()).execute(conn)?
    };
    Ok(rows > 0)
}

/// What a list of attendance asks for.
#[derive(Clone, Copy, Debug, Default)]
pub struct Asked {
    /// Only those in this shift.
    pub shift: Option<ShiftId>,
    /// Only those that stand here.
    pub status: Option<AttendanceStatus>,
    /// The last of the page before.
    pub after: Option<EnrolmentId>,
}

/// Whoever holds a place in an activity, with what is written down of it; the oldest enrolment first.
pub fn listed(
    conn: &mut Conn,
    id: ActivityId,
    asked: Asked,
    limit: i64,
) -> Result<Vec<(Enrolment, Option<Attendance>)>> {
    let mut rows = enrolments::table
        .left_join(attendances::table)
        .filter(enrolments::activity_id.eq(id))
        .filter(enrolments::status.eq(EnrolmentStatus::Confirmed))
        .select((Enrolment::as_select(), Option::<Attendance>::as_select()))
        .into_boxed();
    if let Some(shift) = asked.shift {
        rows = rows.filter(enrolments::shift_id.eq(shift));
    }
    if let Some(after) = asked.after {
        rows = rows.filter(enrolments::id.gt(after));
    }
    rows = match asked.status {
        Some(AttendanceStatus::Expected) => {
            let is_written = attendances::status.is_not_null();
            let is_other = attendances::status.ne(AttendanceStatus::Expected);
            rows.filter(not(is_written.and(is_other.assume_not_null())))
        }
        Some(status) => rows.filter(attendances::status.eq(status)),
        None => rows,
    };
    Ok(rows.order(enrolments::id).limit(limit + 1).load(conn)?)
}

/// How many hold a place in an activity, and how many of them stand where, as far as it is written down.
pub fn counted(conn: &mut Conn, id: ActivityId) -> Result<(i64, Vec<(AttendanceStatus, i64)>)> {
    let places = enrolments::table
        .filter(enrolments::activity_id.eq(id))
        .filter(enrolments::status.eq(EnrolmentStatus::Confirmed));
    let all = places.count().get_result(conn)?;
    let ids = places.select(enrolments::id);
    let written = attendances::table
        .filter(attendances::activity_id.eq(id))
        .filter(attendances::enrolment_id.eq_any(ids))
        .group_by(attendances::status)
        .select((attendances::status, diesel::dsl::count_star()))
        .load(conn)?;
    Ok((all, written))
}

/// What is written down of a person, the latest enrolment first.
pub fn of_person(
    conn: &mut Conn,
    who: AccountId,
    status: Option<AttendanceStatus>,
    before: Option<AttendanceId>,
    limit: i64,
) -> Result<Vec<(Enrolment, Attendance)>> {
    let mut rows = enrolments::table
        .inner_join(attendances::table)
        .filter(attendances::account_id.eq(who))
        .select((Enrolment::as_select(), Attendance::as_select()))
        .into_boxed();
    if let Some(status) = status {
        rows = rows.filter(attendances::status.eq(status));
    }
    if let Some(before) = before {
        rows = rows.filter(attendances::id.lt(before));
    }
    let rows = rows.order(attendances::id.desc()).limit(limit + 1);
    Ok(rows.load(conn)?)
}

/// The first few of those who hold a place in an activity after another one, and are still expected.
pub fn still_expected(
    conn: &mut Conn,
    id: ActivityId,
    after: Option<EnrolmentId>,
    few: i64,
) -> Result<Vec<Enrolment>> {
    let asked = Asked {
        status: Some(AttendanceStatus::Expected),
        after,
        shift: None,
    };
    let rows = listed(conn, id, asked, few - 1)?;
    Ok(rows.into_iter().map(|(enrolment, _)| enrolment).collect())
}
