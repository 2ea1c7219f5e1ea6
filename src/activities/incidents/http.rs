//! Incidents over HTTP.

use std::collections::HashMap;

use actix_multipart::form::MultipartForm;
use actix_web::web::{Data, Json, Path};
use actix_web::{HttpResponse, get, post};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;
use validator::Validate;

use super::model::{
    Incident, IncidentId, IncidentKind, IncidentStatus, Note, NoteId, Photo, PhotoId, Severity,
    WrittenAs,
};
use super::rules::{MOVES, Relation};
use super::service::{self, NewIncident};
use super::store::{self, Query};
use crate::activities::model::ActivityId;
use crate::activities::service as activities;
use crate::activities::store as activity_store;
use crate::error::{Code, Result};
use crate::identity::{AccountId, Caller, Command, Made};
use crate::platform::Platform;
use crate::platform::clock::Instant;
use crate::platform::db::Conn;
use crate::platform::http::page::DEFAULT_LIMIT;
use crate::platform::http::upload::{PhotoForm, keep, show};
use crate::platform::http::valid::Nothing;
use crate::platform::http::{Cursor, List, Page, Params, ProblemBody};
use crate::platform::lifecycle;
use crate::regions::RegionId;

/// The sub-room's routes.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(report_incident)
        .service(list_incidents)
        .service(incidents_of_region)
        .service(read_incident)
        .service(acknowledge_incident)
        .service(resolve_incident)
        .service(write_incident_note)
        .service(add_incident_photo)
        .service(show_incident_photo);
}

/// What was added to an incident.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = IncidentNote)]
struct NoteView {
    /// Its id.
    id: NoteId,
    /// As what somebody wrote it.
    written_as: WrittenAs,
    /// In the author's words.
    body: String,
    /// When.
    created_at: Instant,
}

impl From<Note> for NoteView {
    fn from(note: Note) -> Self {
        Self {
            id: note.id,
            written_as: note.written_as,
            body: note.body,
            created_at: note.created_at,
        }
    }
}

/// A photo of an incident.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = IncidentPhoto)]
struct PhotoView {
    /// Its id.
    id: PhotoId,
    /// Where the photo is; with `?thumbnail=true` the small one.
    photo_url: String,
    /// When it was added.
    created_at: Instant,
}

impl From<Photo> for PhotoView {
    fn from(photo: Photo) -> Self {
        Self {
            photo_url: format!(
                "/api/v1/incidents/{}/photos/{}",
                photo.incident_id, photo.id
            ),
            id: photo.id,
            created_at: photo.created_at,
        }
    }
}

/// A safety incident, for those whom it concerns.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Incident)]
struct IncidentView {
    /// Its id.
    id: IncidentId,
    /// In which activity.
    activity_id: ActivityId,
    /// What the activity is called.
    title: String,
    /// Where it was held then.
    region_id: RegionId,
    /// Who reported it. Only for the staff and the person.
    reporter_id: Option<AccountId>,
    /// What went wrong.
    kind: IncidentKind,
    /// How bad it is.
    severity: Severity,
    /// What happened, in the reporter's words.
    what: String,
    /// When.
    happened_at: Instant,
    /// How many people it concerns.
    people: i32,
    /// Whether it is about those who organise.
    concerns_organizer: bool,
    /// Where it stands.
    status: IncidentStatus,
    /// Since when.
    status_since: Instant,
    /// What came of it.
    outcome: Option<String>,
    /// What was added, the oldest first.
    notes: Vec<NoteView>,
    /// Its photos, the oldest first.
    photos: Vec<PhotoView>,
    /// The moves that are the caller's now.
    moves: Vec<&'static str>,
    /// When it was reported.
    created_at: Instant,
}

/// Those of some incidents that concern the caller.
fn views(conn: &mut Conn, caller: &Caller, rows: Vec<Incident>) -> Result<Vec<IncidentView>> {
    let ids: Vec<_> = rows.iter().map(|row| row.id).collect();
    let of: Vec<_> = rows.iter().map(|row| row.activity_id).collect();
    let activities = activity_store::activities_of(conn, &of)?;
    let mut notes: HashMap<_, Vec<_>> = HashMap::new();
    for note in store::notes(conn, &ids)? {
        notes.entry(note.incident_id).or_default().push(note.into());
    }
    let mut photos: HashMap<_, Vec<_>> = HashMap::new();
    for photo in store::photos(conn, &ids)? {
        let of_one = photos.entry(photo.incident_id).or_default();
        of_one.push(photo.into());
    }
    let regions: Vec<_> = rows.iter().map(|row| row.region_id).collect();
    let staffed = service::looked_after(conn, caller, &regions)?;
    let mut shown = Vec::new();
    for row in rows {
        let activity = activities.get(&row.activity_id).ok_or(Code::NotFound)?;
        let is_staff = staffed.contains(&row.region_id);
        let relation = service::stands(caller, &row, activity, is_staff);
        if relation == Relation::default() {
            continue;
        }
        shown.push(IncidentView {
            moves: lifecycle::open_to(MOVES, relation, row.status),
            notes: notes.remove(&row.id).unwrap_or_default(),
            photos: photos.remove(&row.id).unwrap_or_default(),
            title: activity.title.clone(),
            reporter_id: (relation.staff || relation.reporter).then_some(row.reporter_id),
            id: row.id,
            activity_id: row.activity_id,
            region_id: row.region_id,
            kind: row.kind,
            severity: row.severity,
            what: row.what,
            happened_at: row.happened_at,
            people: row.people,
            concerns_organizer: row.concerns_organizer,
            status: row.status,
            status_since: row.status_since,
            outcome: row.outcome,
            created_at: row.created_at,
        });
    }
    Ok(shown)
}

fn view(conn: &mut Conn, caller: &Caller, row: Incident) -> Result<IncidentView> {
    let shown = views(conn, caller, vec![row])?.pop();
    shown.ok_or_else(|| Code::NotFound.into())
}

/// Report a safety incident
///
/// For who holds a seat in the activity, and who organises it; also once it is cancelled. The staff of the
/// street and of the district are told at once, and so is who organises it, unless it is about them.
#[utoipa::path(tag = "activities", request_body = NewIncident,
    params(("id" = ActivityId, Path, description = "The activity")), responses(
    (status = 201, description = "Reported", body = IncidentView),
    (status = 403, description = "Neither with a seat in it nor its organiser", body = ProblemBody),
    (status = 404, description = "No such activity", body = ProblemBody),
    (status = 422, description = "Wrong fields", body = ProblemBody)))]
#[post("/activities/{id}/incidents")]
async fn report_incident(
    command: Command<NewIncident>,
    id: Path<ActivityId>,
) -> Result<HttpResponse> {
    command
        .run(move |tx, caller, input| {
            let row = service::report(tx, caller, *id, input)?;
            let location = format!("/api/v1/incidents/{}", row.id);
            Ok(Made::new(view(tx.conn, caller, row)?, location))
        })
        .await
}

#[derive(Debug, Clone, Deserialize, IntoParams, Validate)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Which {
    /// Only those that stand here.
    status: Option<IncidentStatus>,
    /// Only those that are so bad.
    severity: Option<Severity>,
    /// Rows a page holds, 1 to 100.
    #[validate(range(min = 1, max = 100))]
    limit: Option<i64>,
    /// `next` of the page before.
    cursor: Option<String>,
}

fn page(conn: &mut Conn, caller: &Caller, query: &Query) -> Result<Page<IncidentView>> {
    let rows = store::list(conn, query)?;
    let page = Page::of(rows, query.limit, |row| row.id);
    Ok(Page {
        items: views(conn, caller, page.items)?,
        next: page.next,
    })
}

/// List the incidents of an activity
///
/// Those that concern the caller.
#[utoipa::path(tag = "activities", params(("id" = ActivityId, Path, description = "The activity"), Which), responses(
    (status = 200, description = "The latest first", body = Page<IncidentView>),
    (status = 404, description = "No such activity", body = ProblemBody),
    (status = 422, description = "A parameter out of bounds", body = ProblemBody)))]
#[get("/activities/{id}/incidents")]
async fn list_incidents(
    caller: Caller,
    platform: Data<Platform>,
    id: Path<ActivityId>,
    query: Params<Which>,
) -> Result<List<Page<IncidentView>>> {
    let Params(which) = query;
    let query = Query {
        activity: Some(*id),
        status: which.status,
        severity: which.severity,
        before: Cursor::decode(which.cursor.as_deref())?,
        limit: which.limit.unwrap_or(DEFAULT_LIMIT),
        ..Query::default()
    };
    let found = platform.db.read(move |conn| {
        activities::visible(conn, Some(&caller), *id)?;
        page(conn, &caller, &query)
    });
    Ok(List(found.await?))
}

#[derive(Debug, Clone, Deserialize, IntoParams, Validate)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct OfRegion {
    /// Those in this region or below it.
    region_id: RegionId,
    /// Only those that stand here.
    status: Option<IncidentStatus>,
    /// Only those that are so bad.
    severity: Option<Severity>,
    /// Rows a page holds, 1 to 100.
    #[validate(range(min = 1, max = 100))]
    limit: Option<i64>,
    /// `next` of the page before.
    cursor: Option<String>,
}

/// List a region's incidents for its staff
///
/// For those who administer its street or its district.
#[utoipa::path(tag = "activities", params(OfRegion), responses(
    (status = 200, description = "The latest first", body = Page<IncidentView>),
    (status = 404, description = "Not a region of the caller's", body = ProblemBody),
    (status = 422, description = "A parameter out of bounds", body = ProblemBody)))]
#[get("/staff/incidents")]
async fn incidents_of_region(
    caller: Caller,
    platform: Data<Platform>,
    query: Params<OfRegion>,
) -> Result<List<Page<IncidentView>>> {
    let Params(asked) = query;
    let query = Query {
        within: Some(asked.region_id),
        status: asked.status,
        severity: asked.severity,
        before: Cursor::decode(asked.cursor.as_deref())?,
        limit: asked.limit.unwrap_or(DEFAULT_LIMIT),
        ..Query::default()
    };
    let found = platform.db.read(move |conn| {
        let region = asked.region_id;
        if !service::looked_after(conn, &caller, &[region])?.contains(&region) {
            return Err(Code::NotFound.into());
        }
        page(conn, &caller, &query)
    });
    Ok(List(found.await?))
}

/// Read an incident
///
/// For the staff of its street and district, who reported it, and who organises the activity, unless it is
/// about them.
#[utoipa::path(tag = "activities", params(("id" = IncidentId, Path, description = "The incident")), responses(
    (status = 200, description = "The incident", body = IncidentView),
    (status = 404, description = "No such incident, or not for the caller's eyes", body = ProblemBody)))]
#[get("/incidents/{id}")]
async fn read_incident(
    caller: Caller,
    platform: Data<Platform>,
    id: Path<IncidentId>,
) -> Result<Json<IncidentView>> {
    let read = platform.db.read(move |conn| {
        let (row, ..) = service::seen(conn, &caller, *id)?;
        view(conn, &caller, row)
    });
    Ok(Json(read.await?))
}

/// Say that one looks after an incident
#[utoipa::path(tag = "activities", request_body = Nothing,
    params(("id" = IncidentId, Path, description = "The incident")), responses(
    (status = 200, description = "Acknowledged; also when it was before by the same caller", body = IncidentView),
    (status = 403, description = "Not of the staff", body = ProblemBody),
    (status = 404, description = "No such incident, or not for the caller's eyes", body = ProblemBody),
    (status = 409, description = "Its state does not allow it", body = ProblemBody)))]
#[post("/incidents/{id}/acknowledge")]
async fn acknowledge_incident(
    command: Command<Nothing>,
    id: Path<IncidentId>,
) -> Result<HttpResponse> {
    command
        .run(move |tx, caller, _| {
            let row = service::acknowledge(tx, caller, *id)?;
            Ok(Made::changed(view(tx.conn, caller, row)?))
        })
        .await
}

/// What came of an incident.
#[derive(Debug, Clone, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
struct IncidentOutcome {
    /// In words that everyone concerned may read.
    #[validate(length(min = 2, max = 5000))]
    outcome: String,
}

/// Say what came of an incident
#[utoipa::path(tag = "activities", request_body = IncidentOutcome,
    params(("id" = IncidentId, Path, description = "The incident")), responses(
    (status = 200, description = "Resolved; also when it was before by the same caller", body = IncidentView),
    (status = 403, description = "Not of the staff", body = ProblemBody),
    (status = 404, description = "No such incident, or not for the caller's eyes", body = ProblemBody),
    (status = 409, description = "Its state does not allow it", body = ProblemBody)))]
#[post("/incidents/{id}/resolve")]
async fn resolve_incident(
    command: Command<IncidentOutcome>,
    id: Path<IncidentId>,
) -> Result<HttpResponse> {
    command
        .run(move |tx, caller, input| {
            let row = service::resolve(tx, caller, *id, &input.outcome)?;
            Ok(Made::changed(view(tx.conn, caller, row)?))
        })
        .await
}

/// A note on an incident.
#[derive(Debug, Clone, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
struct NewIncidentNote {
    /// What there is to add.
    #[validate(length(min = 1, max = 5000))]
    body: String,
}

/// Add a note to an incident
///
/// Whatever has become of it. A note is never changed or deleted.
#[utoipa::path(tag = "activities", request_body = NewIncidentNote,
    params(("id" = IncidentId, Path, description = "The incident")), responses(
    (status = 201, description = "Added", body = NoteView),
    (status = 404, description = "No such incident, or not for the caller's eyes", body = ProblemBody)))]
#[post("/incidents/{id}/notes")]
async fn write_incident_note(
    command: Command<NewIncidentNote>,
    id: Path<IncidentId>,
) -> Result<HttpResponse> {
    command
        .run(move |tx, caller, input| {
            let note = service::note(tx, caller, *id, &input.body)?;
            Ok(Made::new(
                NoteView::from(note),
                format!("/api/v1/incidents/{id}"),
            ))
        })
        .await
}

/// Add a photo to an incident
///
/// Taken for what its content is; written anew without metadata. The same photo is added once.
#[utoipa::path(tag = "activities", request_body(content = PhotoForm, content_type = "multipart/form-data"),
    params(("id" = IncidentId, Path, description = "The incident")), responses(
    (status = 201, description = "Added", body = PhotoView),
    (status = 404, description = "No such incident, or not for the caller's eyes", body = ProblemBody),
    (status = 409, description = "It has as many photos as it may", body = ProblemBody),
    (status = 422, description = "No photo, or an unreadable one", body = ProblemBody)))]
#[post("/incidents/{id}/photos")]
async fn add_incident_photo(
    caller: Caller,
    platform: Data<Platform>,
    id: Path<IncidentId>,
    form: MultipartForm<PhotoForm>,
) -> Result<HttpResponse> {
    let (who, id) = (caller.clone(), *id);
    let added = keep(
        &platform,
        form.into_inner(),
        move |conn, _| service::may_add_photo(conn, &who, id).map(drop),
        move |tx, stored| service::add_photo(tx, &caller, id, stored),
    );
    let view = PhotoView::from(added.await?);
    Ok(HttpResponse::Created()
        .insert_header(("location", view.photo_url.clone()))
        .json(view))
}

#[derive(Debug, Clone, Deserialize, IntoParams, Validate)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Size {
    /// The small one.
    thumbnail: Option<bool>,
}

/// Show a photo of an incident
#[utoipa::path(tag = "activities", params(("id" = IncidentId, Path, description = "The incident"),
    ("photo_id" = PhotoId, Path, description = "The photo"), Size), responses(
    (status = 200, description = "The photo", body = Vec<u8>, content_type = "image/jpeg"),
    (status = 404, description = "No such photo, or not for the caller's eyes", body = ProblemBody)))]
#[get("/incidents/{id}/photos/{photo_id}")]
async fn show_incident_photo(
    caller: Caller,
    platform: Data<Platform>,
    path: Path<(IncidentId, PhotoId)>,
    size: Params<Size>,
) -> Result<HttpResponse> {
    let (id, photo_id) = path.into_inner();
    let found = platform.db.read(move |conn| {
        service::seen(conn, &caller, id)?;
        store::photo(conn, id, photo_id)
    });
    let photo = found.await?;
    let key = match size.0.thumbnail {
        Some(true) => photo.thumbnail,
        _ => photo.photo,
    };
    Ok(show(platform.files.get(&key).await?))
}
