//! The SQL of series; that of their activities is the room's.

use diesel::prelude::*;

use super::model::{Series, SeriesId};
use crate::error::{Code, Result};
use crate::platform::db::Conn;
use crate::schema::activity_series;

pub fn series(conn: &mut Conn, id: SeriesId) -> Result<Series> {
    activity_series::table
        .find(id)
        .select(Series::as_select())
        .first(conn)
        .optional()?
        .ok_or_else(|| Code::NotFound.into())
}

pub fn insert(conn: &mut Conn, series: &Series) -> Result<()> {
    diesel::insert_into(activity_series::table)
        .values(series)
        .execute(conn)?;
    Ok(())
}

/// Counts a change of one of its activities.
///
/// # Errors
/// Those of the database.
pub fn touch(conn: &mut Conn, id: SeriesId) -> Result<()> {
    diesel::update(activity_series::table.find(id))
        .set(activity_series::version.eq(activity_series::version + 1))
        .execute(conn)?;
    Ok(())
}
