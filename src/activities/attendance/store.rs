//! The SQL of attendance.

use diesel::prelude::*;

use super::model::{Attendance, AttendanceId};
use crate::activities::model::ActivityId;
use crate::error::{Code, Result};
use crate::platform::db::Conn;
use crate::schema::attendances;

/// An attendance.
///
/// # Errors
/// `not_found`.
pub fn attendance(conn: &mut Conn, id: AttendanceId) -> Result<Attendance> {
    attendances::table
        .find(id)
        .select(Attendance::as_select())
        .first(conn)
        .optional()?
        .ok_or_else(|| Code::NotFound.into())
}

/// Everything known of who was there in an activity, the oldest first.
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
