//! The SQL of incidents.

use diesel::dsl::exists;
use diesel::prelude::*;

use super::model::{Incident, IncidentId, IncidentStatus, Note, Photo, PhotoId, Severity};
use crate::activities::model::ActivityId;
use crate::error::{Code, Result};
use crate::identity::AccountId;
use crate::platform::db::{Conn, Tx};
use crate::regions::{self, RegionId};
use crate::schema::{enrolments, incident_notes, incident_photos, incidents};

/// An incident.
///
/// # Errors
/// `not_found`.
pub fn incident(conn: &mut Conn, id: IncidentId) -> Result<Incident> {
    incidents::table
        .find(id)
        .select(Incident::as_select())
        .first(conn)
        .optional()?
        .ok_or_else(|| Code::NotFound.into())
}

pub fn insert(conn: &mut Conn, incident: &Incident) -> Result<()> {
    diesel::insert_into(incidents::table)
        .values(incident)
        .execute(conn)?;
    Ok(())
}

/// Moves an incident that still stands where it was `seen`; false when somebody else was faster.
pub fn advance(
    tx: &mut Tx<'_>,
    seen: &Incident,
    to: IncidentStatus,
    outcome: Option<&str>,
) -> Result<bool> {
    let same = incidents::table
        .filter(incidents::id.eq(seen.id))
        .filter(incidents::status.eq(seen.status));
    let moved = diesel::update(same).set((
        incidents::status.eq(to),
        incidents::status_since.eq(tx.now),
        incidents::outcome.eq(outcome),
    ));
    Ok(moved.execute(tx.conn)? > 0)
}

/// Whether a person holds a seat in an activity.
pub fn is_present(conn: &mut Conn, activity: ActivityId, who: AccountId) -> Result<bool> {
    let seats = enrolments::table
        .filter(enrolments::activity_id.eq(activity))
        .filter(enrolments::account_id.eq(who))
        .filter(enrolments::holds_seat);
    Ok(diesel::select(exists(seats)).get_result(conn)?)
}

/// What a list of incidents asks for.
#[derive(Clone, Debug, Default)]
pub struct Query {
    /// Only those in this region or below it.
    pub within: Option<RegionId>,
    /// Only those of this activity.
    pub activity: Option<ActivityId>,
    /// Only those that stand here.
    pub status: Option<IncidentStatus>,
    /// Only those that are so bad.
    pub severity: Option<Severity>,
    /// Only those before this one.
    pub before: Option<IncidentId>,
    /// Rows a page holds; one more is answered where there is one.
    pub limit: i64,
}

/// The latest first.
pub fn list(conn: &mut Conn, query: &Query) -> Result<Vec<Incident>> {
    let mut rows = incidents::table.select(Incident::as_select()).into_boxed();
    if let Some(region) = query.within {
        rows = rows.filter(incidents::region_id.eq_any(regions::within(region)));
    }
    if let Some(activity) = query.activity {
        rows = rows.filter(incidents::activity_id.eq(activity));
    }
    if let Some(status) = query.status {
        rows = rows.filter(incidents::status.eq(status));
    }
    if let Some(severity) = query.severity {
        rows = rows.filter(incidents::severity.eq(severity));
    }
    if let Some(before) = query.before {
        rows = rows.filter(incidents::id.lt(before));
    }
    Ok(rows
        .order(incidents::id.desc())
        .limit(query.limit + 1)
        .load(conn)?)
}

// ---- what is added

pub fn insert_note(conn: &mut Conn, note: &Note) -> Result<()> {
    diesel::insert_into(incident_notes::table)
        .values(note)
        .execute(conn)?;
    Ok(())
}

/// What was added to some incidents, the oldest first.
pub fn notes(conn: &mut Conn, of: &[IncidentId]) -> Result<Vec<Note>> {
    Ok(incident_notes::table
        .filter(incident_notes::incident_id.eq_any(of.to_vec()))
        .order(incident_notes::id)
        .select(Note::as_select())
        .load(conn)?)
}

pub fn insert_photo(conn: &mut Conn, photo: &Photo) -> Result<()> {
    diesel::insert_into(incident_photos::table)
        .values(photo)
        .execute(conn)?;
    Ok(())
}

/// The photos of some incidents, the oldest first.
pub fn photos(conn: &mut Conn, of: &[IncidentId]) -> Result<Vec<Photo>> {
    Ok(incident_photos::table
        .filter(incident_photos::incident_id.eq_any(of.to_vec()))
        .order(incident_photos::id)
        .select(Photo::as_select())
        .load(conn)?)
}

pub fn photo(conn: &mut Conn, of: IncidentId, id: PhotoId) -> Result<Photo> {
    incident_photos::table
        .find(id)
        .filter(incident_photos::incident_id.eq(of))
        .select(Photo::as_select())
        .first(conn)
        .optional()?
        .ok_or_else(|| Code::NotFound.into())
}

/// Whether an incident refers to a file.
///
/// # Errors
/// Those of the database.
pub fn keeps_file(conn: &mut Conn, file: &str) -> Result<bool> {
    let is_it = incident_photos::photo
        .eq(file)
        .or(incident_photos::thumbnail.eq(file));
    Ok(diesel::select(exists(incident_photos::table.filter(is_it))).get_result(conn)?)
}
