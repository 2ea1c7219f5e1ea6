//! What is done with incidents.

use std::collections::HashSet;

use serde::Deserialize;
use utoipa::ToSchema;
use validator::Validate;

use super::model::{
    Incident, IncidentId, IncidentKind, IncidentStatus, Note, NoteId, Photo, PhotoId, Severity,
};
use super::rules::{MOVES, Relation};
use super::store;
use crate::activities::model::{Activity, ActivityId, ActivityStatus};
use crate::activities::service::{organizers, organizes, visible};
use crate::activities::store as activities;
use crate::error::{Code, Problem, Result};
use crate::identity::{self, AccountId, Caller, Role};
use crate::notifications::{Kind, Notice, notify};
use crate::platform::clock::Instant;
use crate::platform::db::{Conn, Tx};
use crate::platform::files::StoredPhoto;
use crate::platform::journal::{Actor, Change};
use crate::platform::lifecycle;
use crate::regions::{self, Level, RegionId};

/// The most photos of one incident.
const PHOTOS: usize = 20;

/// Something that went wrong, as who is there tells it.
#[derive(Debug, Clone, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct NewIncident {
    /// What went wrong.
    pub kind: IncidentKind,
    /// How bad it is.
    pub severity: Severity,
    /// What happened.
    #[validate(length(min = 2, max = 5000))]
    pub what: String,
    /// When.
    pub happened_at: Instant,
    /// How many people it concerns.
    #[serde(default)]
    #[validate(range(min = 0, max = 100_000))]
    pub people: i32,
    /// Whether it is about those who organise: they are told nothing, and do not see it.
    #[serde(default)]
    pub concerns_organizer: bool,
}

/// The regions whose staff look after what happens in one: its street, and what that lies in.
fn looking_after(conn: &mut Conn, region: RegionId) -> Result<Vec<RegionId>> {
    let above = regions::ancestors(conn, region)?.into_iter();
    let above = above.filter(|region| matches!(region.level, Level::Street | Level::District));
    Ok(above.map(|region| region.id).collect())
}

/// Those of some regions whose incidents a caller looks after: of the staff of their street, or of what that lies
/// in.
///
/// # Errors
/// Those of the database.
pub fn looked_after(
    conn: &mut Conn,
    caller: &Caller,
    among: &[RegionId],
) -> Result<HashSet<RegionId>> {
    let mut administered = Vec::new();
    for region in caller.regions(&[Role::RegionAdmin]) {
        if looking_after(conn, region)?.contains(&region) {
            administered.push(region);
        }
    }
    match administered.is_empty() {
        true => Ok(HashSet::new()),
        false => regions::those_within(conn, among, &administered),
    }
}

/// How a caller stands to an incident, who is of the staff that looks after it or not.
pub fn stands(
    caller: &Caller,
    incident: &Incident,
    activity: &Activity,
    is_staff: bool,
) -> Relation {
    let organizes = organizes(caller, activity);
    let is_about = organizes && incident.concerns_organizer;
    Relation {
        staff: is_staff && !is_about,
        organizer: organizes && !is_about,
        reporter: incident.reporter_id == caller.account,
    }
}

/// An incident for those whom it concerns.
///
/// # Errors
/// `not_found`.
pub fn seen(
    conn: &mut Conn,
    caller: &Caller,
    id: IncidentId,
) -> Result<(Incident, Activity, Relation)> {
    let incident = store::incident(conn, id)?;
    let activity = activities::activity(conn, incident.activity_id)?;
    let region = incident.region_id;
    let is_staff = looked_after(conn, caller, &[region])?.contains(&region);
    let relation = stands(caller, &incident, &activity, is_staff);
    match relation == Relation::default() {
        true => Err(Code::NotFound.into()),
        false => Ok((incident, activity, relation)),
    }
}

/// Reports an incident: for who holds a seat in the activity, and who organises it, whatever has become of it.
/// Staff and organisers are told at once.
///
/// # Errors
/// `not_found`, `forbidden`; `in_the_future`.
pub fn report(
    tx: &mut Tx<'_>,
    caller: &Caller,
    id: ActivityId,
    new: &NewIncident,
) -> Result<Incident> {
    let (activity, _) = visible(tx.conn, Some(caller), id)?;
    let is_planned = matches!(
        activity.status,
        ActivityStatus::Draft | ActivityStatus::Submitted | ActivityStatus::Returned
    );
    let is_there = organizes(caller, &activity) || store::is_present(tx.conn, id, caller.account)?;
    if is_planned || !is_there {
        return Err(Code::Forbidden.into());
    }
    if new.happened_at > tx.now {
        let wrong = Problem::new(Code::Invalid).field("/happened_at", Code::InTheFuture);
        return Err(wrong.into());
    }
    let incident = Incident {
        id: IncidentId::new(),
        activity_id: id,
        region_id: activity.region_id,
        reporter_id: caller.account,
        kind: new.kind,
        severity: new.severity,
        what: new.what.clone(),
        happened_at: new.happened_at,
        people: new.people,
        concerns_organizer: new.concerns_organizer,
        status: IncidentStatus::Reported,
        status_since: tx.now,
        outcome: None,
        created_at: tx.now,
    };
    store::insert(tx.conn, &incident)?;
    tx.journal(change(&incident, caller.actor(), "report"))?;
    let mut staff = Vec::new();
    for region in looking_after(tx.conn, incident.region_id)? {
        staff.extend(identity::holders(tx.conn, Role::RegionAdmin, region.0)?);
    }
    let organizers = organizers(tx.conn, &activity)?;
    if new.concerns_organizer {
        staff.retain(|to| !organizers.contains(to));
    } else {
        staff.extend(organizers);
    }
    staff.retain(|to| *to != caller.account);
    staff.sort_unstable();
    staff.dedup();
    tell(tx, &incident, &activity, &staff, Kind::IncidentReported)?;
    Ok(incident)
}

fn change(incident: &Incident, by: Actor, verb: &str) -> Change {
    // what happened is never said there
    Change::new(by, format!("incident.{verb}"), incident.id.0)
        .region(incident.region_id.0)
        .payload(serde_json::json!({ "activity_id": incident.activity_id }))
}

fn tell(
    tx: &mut Tx<'_>,
    incident: &Incident,
    activity: &Activity,
    to: &[AccountId],
    kind: Kind,
) -> Result<()> {
    let (zh, en) = match incident.severity {
        Severity::Minor => ("轻微", "minor"),
        Severity::Serious => ("严重", "serious"),
        Severity::LifeThreatening => ("危及生命", "life-threatening"),
    };
    for to in to {
        let subject = ("incident", incident.id.0);
        let told = Notice::titled(*to, kind, subject, &activity.title);
        notify(tx, &told.with("severity_zh", zh).with("severity_en", en))?;
    }
    Ok(())
}

fn advance(
    tx: &mut Tx<'_>,
    caller: &Caller,
    id: IncidentId,
    (verb, kind): (&str, Kind),
    outcome: Option<&str>,
) -> Result<Incident> {
    tx.serialize_on(&format!("incident:{id}"))?;
    let (incident, activity, relation) = seen(tx.conn, caller, id)?;
    lifecycle::may(MOVES, relation, verb)?;
    let (subject, by) = (("incident", id.0), caller.actor());
    if lifecycle::is_repeat(tx.conn, MOVES, subject, incident.status, verb, by)? {
        return Ok(incident);
    }
    let to = lifecycle::step(MOVES, relation, incident.status, verb)?;
    if !store::advance(tx, &incident, to, outcome)? {
        let now = store::incident(tx.conn, id)?;
        return Err(lifecycle::refusal(MOVES, relation, now.status));
    }
    tx.journal(change(&incident, by, verb).states(incident.status.into(), to.into()))?;
    if incident.reporter_id != caller.account {
        tell(tx, &incident, &activity, &[incident.reporter_id], kind)?;
    }
    store::incident(tx.conn, id)
}

/// Says that one looks after it.
///
/// # Errors
/// `not_found`, `forbidden`, `move_not_allowed`.
pub fn acknowledge(tx: &mut Tx<'_>, caller: &Caller, id: IncidentId) -> Result<Incident> {
    let told = ("acknowledge", Kind::IncidentAcknowledged);
    advance(tx, caller, id, told, None)
}

/// Says what came of it.
///
/// # Errors
/// `not_found`, `forbidden`, `move_not_allowed`.
pub fn resolve(
    tx: &mut Tx<'_>,
    caller: &Caller,
    id: IncidentId,
    outcome: &str,
) -> Result<Incident> {
    let told = ("resolve", Kind::IncidentResolved);
    advance(tx, caller, id, told, Some(outcome))
}

/// Adds a note, in whatever state it is.
///
/// # Errors
/// `not_found`.
pub fn note(tx: &mut Tx<'_>, caller: &Caller, id: IncidentId, body: &str) -> Result<Note> {
    let (incident, _, relation) = seen(tx.conn, caller, id)?;
    let note = Note {
        id: NoteId::new(),
        incident_id: id,
        author_id: caller.account,
        written_as: relation.written_as().ok_or(Code::NotFound)?,
        body: body.to_owned(),
        created_at: tx.now,
    };
    store::insert_note(tx.conn, &note)?;
    tx.journal(change(&incident, caller.actor(), "note"))?;
    Ok(note)
}

/// Whether a photo may be added.
///
/// # Errors
/// `not_found`, `too_many_files`.
pub fn may_add_photo(conn: &mut Conn, caller: &Caller, id: IncidentId) -> Result<Vec<Photo>> {
    seen(conn, caller, id)?;
    let known = store::photos(conn, &[id])?;
    match known.len() < PHOTOS {
        true => Ok(known),
        false => Err(Code::TooManyFiles.into()),
    }
}

/// Adds a photo; the same photo is added once.
///
/// # Errors
/// Those of [`may_add_photo`].
pub fn add_photo(
    tx: &mut Tx<'_>,
    caller: &Caller,
    id: IncidentId,
    stored: &StoredPhoto,
) -> Result<Photo> {
    // their number spans several rows
    tx.serialize_on(&format!("incident:{id}"))?;
    let mut known = may_add_photo(tx.conn, caller, id)?.into_iter();
    if let Some(same) = known.find(|known| known.photo == stored.key) {
        return Ok(same);
    }
    let photo = Photo {
        id: PhotoId::new(),
        incident_id: id,
        author_id: caller.account,
        photo: stored.key.clone(),
        thumbnail: stored.thumbnail.clone(),
        created_at: tx.now,
    };
    store::insert_photo(tx.conn, &photo)?;
    let incident = store::incident(tx.conn, id)?;
    tx.journal(change(&incident, caller.actor(), "add_photo"))?;
    Ok(photo)
}
