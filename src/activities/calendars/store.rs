//! The SQL of calendars.

use diesel::prelude::*;

use super::model::{Calendar, Owner};
use crate::activities::enrolments::Enrolment;
use crate::activities::model::{Activity, ActivityStatus};
use crate::activities::rules::PUBLIC;
use crate::error::{Code, Result};
use crate::identity::AccountId;
use crate::organizations::OrganizationId;
use crate::platform::clock::Instant;
use crate::platform::db::Conn;
use crate::schema::{activities, calendars, enrolments};

/// The most events of one calendar: the latest.
const MOST: i64 = 1000;

/// The calendar of a secret.
///
/// # Errors
/// `not_found`.
pub fn by_secret(conn: &mut Conn, secret_hash: &[u8]) -> Result<Calendar> {
    calendars::table
        .filter(calendars::secret_hash.eq(secret_hash))
        .select(Calendar::as_select())
        .first(conn)
        .optional()?
        .ok_or_else(|| Code::NotFound.into())
}

/// The calendar of somebody, if there is one.
pub fn of_owner(conn: &mut Conn, owner: Owner) -> Result<Option<Calendar>> {
    let mut rows = calendars::table.select(Calendar::as_select()).into_boxed();
    rows = match owner {
        Owner::Person(id) => rows.filter(calendars::account_id.eq(id)),
        Owner::Organization(id) => rows.filter(calendars::organization_id.eq(id)),
    };
    Ok(rows.first(conn).optional()?)
}

pub fn insert(conn: &mut Conn, calendar: &Calendar) -> Result<()> {
    diesel::insert_into(calendars::table)
        .values(calendar)
        .execute(conn)?;
    Ok(())
}

pub fn delete(conn: &mut Conn, calendar: &Calendar) -> Result<()> {
    diesel::delete(calendars::table.find(calendar.id)).execute(conn)?;
    Ok(())
}

/// A person's places, ended ones included, in shifts that end after an instant; the latest first.
pub fn places(conn: &mut Conn, who: AccountId, after: Instant) -> Result<Vec<Enrolment>> {
    Ok(enrolments::table
        .filter(enrolments::account_id.eq(who))
        .filter(enrolments::ends_at.gt(after))
        .order((enrolments::starts_at.desc(), enrolments::id.desc()))
        .limit(MOST)
        .select(Enrolment::as_select())
        .load(conn)?)
}

/// What an organisation organises that everybody sees or that was cancelled, and ends after an instant; the
/// latest first.
pub fn organized(
    conn: &mut Conn,
    organization: OrganizationId,
    after: Instant,
) -> Result<Vec<Activity>> {
    let mut statuses = PUBLIC.to_vec();
    statuses.push(ActivityStatus::Cancelled);
    Ok(activities::table
        .filter(activities::organization_id.eq(organization))
        .filter(activities::status.eq_any(statuses))
        .filter(activities::ends_at.gt(after))
        .order((activities::starts_at.desc(), activities::id.desc()))
        .limit(MOST)
        .select(Activity::as_select())
        .load(conn)?)
}
