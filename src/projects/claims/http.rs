//! Claims over HTTP.

use actix_multipart::form::MultipartForm;
use actix_web::web::{Data, Json, Path};
use actix_web::{HttpResponse, get, post};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;
use validator::Validate;

use super::model::{ClaimId, ClaimStatus, Photo, PhotoId, ProgressId, ProjectClaim};
use super::rules::MOVES;
use super::service::{self, Application, NewProgress, Plan, Relation, Report};
use super::store;
use crate::error::{Code, Result};
use crate::identity::{Caller, Command, Made, MaybeCaller, Role};
use crate::organizations::{self, OrganizationId};
use crate::platform::Platform;
use crate::platform::clock::Instant;
use crate::platform::db::{Conn, Tx};
use crate::platform::http::page::DEFAULT_LIMIT;
use crate::platform::http::upload::{PhotoForm, keep, show};
use crate::platform::http::valid::{Nothing, Reason};
use crate::platform::http::{Cursor, List, Page, Params, ProblemBody, etag};
use crate::platform::lifecycle;
use crate::projects::model::ProjectId;
use crate::projects::service::Desk;

/// The sub-room's routes.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(claim_project)
        .service(list_claims)
        .service(my_claims)
        .service(read_claim)
        .service(claim_story);
    config
        .service(approve_claim)
        .service(reject_claim)
        .service(withdraw_claim)
        .service(revoke_claim)
        .service(plan_claim)
        .service(start_claim)
        .service(report_claim)
        .service(accept_report)
        .service(send_report_back);
    config
        .service(add_photo)
        .service(show_photo)
        .service(add_progress);
}

/// A claim as a caller may see it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ProjectClaim)]
pub struct ClaimView {
    /// Its id.
    pub id: ClaimId,
    /// Of which project.
    pub project_id: ProjectId,
    /// The organisation that claims.
    pub organization_id: Option<OrganizationId>,
    /// Its name.
    pub organization_name: Option<String>,
    /// Where it stands.
    pub status: ClaimStatus,
    /// Since when.
    pub status_since: Instant,
    /// The moves that are the caller's now; a rule may still refuse one. `promote` is asked for as
    /// `approve`, `change_plan` as `plan`, `send_back` as `send-back`.
    pub moves: Vec<&'static str>,
    /// Which of the project's claim seats it holds, from 1.
    pub seat: Option<i32>,
    /// How many people were served, as reported.
    pub people_served: Option<i64>,
    /// What only those see whom it concerns.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub involved: Option<InvolvedView>,
    /// When it was made.
    pub created_at: Instant,
}

/// What only those see whom a claim concerns.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ProjectClaimInvolved)]
pub struct InvolvedView {
    /// What the claimant proposes.
    pub proposal: String,
    /// Its place in the line, from 1.
    pub position: Option<usize>,
    /// When the lease runs out.
    pub lease_until: Option<Instant>,
    /// How the claimant will do it.
    pub plan: Option<String>,
    /// What was done.
    pub report: Option<String>,
    /// Why it was last rejected, revoked, withdrawn or sent back; only for the claimant and the
    /// publisher.
    pub reason: Option<String>,
    /// Whether the caller acts for the claimant.
    pub i_claim: bool,
    /// Whether the caller acts for the publisher.
    pub i_publish: bool,
    /// Its version, as in the `ETag`.
    pub version: i32,
}

fn view(conn: &mut Conn, row: ProjectClaim, relation: Relation) -> Result<ClaimView> {
    let organization_name = match row.organization_id {
        Some(id) => Some(organizations::organization(conn, id)?.name),
        None => None,
    };
    let involved = if relation.is_involved() {
        let position = match row.status {
            ClaimStatus::Waitlisted => {
                let line = store::in_states(conn, row.project_id, &[ClaimStatus::Waitlisted])?;
                line.iter()
                    .position(|other| other.id == row.id)
                    .map(|before| before + 1)
            }
            _ => None,
        };
        let reason = if relation.claimant || relation.publisher || relation.reviewer {
            service::last_reason(conn, &row)?
        } else {
            None
        };
        Some(InvolvedView {
            proposal: row.proposal,
            position,
            lease_until: row.lease_until,
            plan: row.plan,
            report: row.report,
            reason,
            i_claim: relation.claimant,
            i_publish: relation.publisher,
            version: row.version,
        })
    } else {
        None
    };
    Ok(ClaimView {
        id: row.id,
        project_id: row.project_id,
        organization_id: row.organization_id,
        organization_name,
        status: row.status,
        status_since: row.status_since,
        moves: lifecycle::open_to(MOVES, relation, row.status),
        seat: row.seat,
        people_served: row.people_served,
        involved,
        created_at: row.created_at,
    })
}

fn moved(tx: &mut Tx<'_>, caller: &Caller, row: ProjectClaim) -> Result<Made<ClaimView>> {
    let version = row.version;
    let project = crate::projects::project(tx.conn, row.project_id)?;
    let relation = service::relation(tx.conn, Some(caller), &project, &row)?;
    Ok(Made::changed(view(tx.conn, row, relation)?).version(version))
}

/// Claim a project
///
/// For an organisation one runs, or for oneself where the project allows it. First come: held at
/// once, or in line. Reviewed: the publisher chooses. Claiming twice answers as the first time.
#[utoipa::path(tag = "projects", request_body = Application,
    params(("id" = ProjectId, Path, description = "The project")), responses(
    (status = 201, description = "Approved, applied or in line", body = ClaimView),
    (status = 403, description = "Not one's organisation, outside of its street, or one's own project", body = ProblemBody),
    (status = 404, description = "No such project", body = ProblemBody),
    (status = 409, description = "It cannot be claimed now, or too many claims", body = ProblemBody),
    (status = 422, description = "Wrong fields", body = ProblemBody)))]
#[post("/projects/{id}/claims")]
async fn claim_project(
    command: Command<Application>,
    id: Path<ProjectId>,
    desk: Data<Desk>,
) -> Result<HttpResponse> {
    command
        .run(move |tx, caller, input| {
            let row = service::apply(tx, &desk, caller, *id, input)?;
            let (location, version) = (format!("/api/v1/project-claims/{}", row.id), row.version);
            let relation = Relation {
                claimant: true,
                ..Relation::default()
            };
            Ok(Made::new(view(tx.conn, row, relation)?, location).version(version))
        })
        .await
}

/// List the claims of a project
///
/// Those that hold a seat or were fulfilled; all of them for the publisher, one's own for a
/// claimant.
#[utoipa::path(tag = "projects", security((), ("bearer" = [])),
    params(("id" = ProjectId, Path, description = "The project")), responses(
    (status = 200, description = "In the order in which they were made", body = Page<ClaimView>),
    (status = 404, description = "No such project", body = ProblemBody)))]
#[get("/projects/{id}/claims")]
async fn list_claims(
    caller: MaybeCaller,
    platform: Data<Platform>,
    id: Path<ProjectId>,
) -> Result<List<Page<ClaimView>>> {
    let found = platform.db.read(move |conn| {
        let caller = caller.0.as_ref();
        crate::projects::service::visible(conn, caller, *id)?;
        let mut items = Vec::new();
        for row in store::of_project(conn, *id)? {
            match service::visible(conn, caller, row.id) {
                Ok((row, _, relation)) => items.push(view(conn, row, relation)?),
                Err(error) if error.code() == Code::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        Ok(items)
    });
    Ok(List(Page {
        items: found.await?,
        next: None,
    }))
}

#[derive(Debug, Clone, Deserialize, IntoParams, Validate)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Mine {
    /// Rows a page holds, 1 to 100.
    #[validate(range(min = 1, max = 100))]
    limit: Option<i64>,
    /// `next` of the page before.
    cursor: Option<String>,
}

/// List one's claims, and those of the organisations one runs
#[utoipa::path(tag = "projects", params(Mine), responses(
    (status = 200, description = "The newest first", body = Page<ClaimView>),
    (status = 422, description = "A parameter out of bounds", body = ProblemBody)))]
#[get("/me/project-claims")]
async fn my_claims(
    caller: Caller,
    platform: Data<Platform>,
    query: Params<Mine>,
) -> Result<List<Page<ClaimView>>> {
    let before = Cursor::decode(query.0.cursor.as_deref())?;
    let limit = query.0.limit.unwrap_or(DEFAULT_LIMIT);
    let found = platform.db.read(move |conn| {
        let organizations: Vec<_> = caller
            .organizations(Role::OrganizationManager)
            .into_iter()
            .map(OrganizationId)
            .collect();
        let rows = store::of_claimants(conn, caller.account, &organizations, before, limit)?;
        let relation = Relation {
            claimant: true,
            ..Relation::default()
        };
        Page::of(rows, limit, |row| row.id).try_map(|row| view(conn, row, relation))
    });
    Ok(List(found.await?))
}

/// Read a claim
#[utoipa::path(tag = "projects", security((), ("bearer" = [])),
    params(("id" = ClaimId, Path, description = "The claim")), responses(
    (status = 200, description = "The claim", body = ClaimView),
    (status = 404, description = "No such claim, or not for the caller's eyes", body = ProblemBody)))]
#[get("/project-claims/{id}")]
async fn read_claim(
    caller: MaybeCaller,
    platform: Data<Platform>,
    id: Path<ClaimId>,
) -> Result<HttpResponse> {
    let found = platform.db.read(move |conn| {
        let (row, _, relation) = service::visible(conn, caller.0.as_ref(), *id)?;
        let version = row.version;
        Ok((view(conn, row, relation)?, version))
    });
    let (claim, version) = found.await?;
    Ok(HttpResponse::Ok().insert_header(etag(version)).json(claim))
}

macro_rules! moves {
    ($($(#[$doc:meta])* $name:ident $path:literal $body:ty, |$tx:ident, $desk:ident, $caller:ident, $id:ident, $input:ident| $do:expr);+ $(;)?) => { $(
        $(#[$doc])*
        #[utoipa::path(tag = "projects", request_body = $body,
            params(("id" = ClaimId, Path, description = "The claim")), responses(
            (status = 200, description = "Moved; also when it was moved so before by the same caller", body = ClaimView),
            (status = 403, description = "Not the caller's move", body = ProblemBody),
            (status = 404, description = "No such claim", body = ProblemBody),
            (status = 409, description = "Its state does not allow it", body = ProblemBody),
            (status = 422, description = "Wrong fields", body = ProblemBody)))]
        #[post($path)]
        async fn $name(command: Command<$body>, id: Path<ClaimId>, desk: Data<Desk>) -> Result<HttpResponse> {
            command
                .run(move |$tx, $caller, $input| {
                    let ($id, $desk) = (*id, desk.as_ref());
                    let row = $do?;
                    moved($tx, $caller, row)
                })
                .await
        }
    )+ };
}

moves! {
    /// Choose a claim
    ///
    /// It holds a seat; when it was the last seat, the other applications wait in line.
    approve_claim "/project-claims/{id}/approve" Nothing, |tx, desk, caller, id, _input| service::approve(tx, desk, caller, id);
    /// Turn a claim down
    reject_claim "/project-claims/{id}/reject" Reason, |tx, _desk, caller, id, input| service::reject(tx, caller, id, &input.reason);
    /// Give a claim up
    ///
    /// Its seat goes to the first in line who is still eligible.
    withdraw_claim "/project-claims/{id}/withdraw" Reason, |tx, desk, caller, id, input| service::withdraw(tx, desk, caller, id, &input.reason);
    /// Take a claim away
    revoke_claim "/project-claims/{id}/revoke" Reason, |tx, desk, caller, id, input| service::revoke(tx, desk, caller, id, &input.reason);
    /// Hand the plan in, or another one in its place
    ///
    /// With the first one the lease begins anew.
    plan_claim "/project-claims/{id}/plan" Plan, |tx, desk, caller, id, input| service::plan(tx, desk, caller, id, input);
    /// Begin to carry the project out
    ///
    /// Work with minors begins with two adult, vetted volunteers in the crew.
    start_claim "/project-claims/{id}/start" Nothing, |tx, desk, caller, id, _input| service::start(tx, desk, caller, id);
    /// Hand the completion report in
    report_claim "/project-claims/{id}/report" Report, |tx, _desk, caller, id, input| service::report(tx, caller, id, input);
    /// Accept a completion report
    accept_report "/project-claims/{id}/accept" Nothing, |tx, desk, caller, id, _input| service::accept(tx, desk, caller, id);
    /// Send a completion report back
    ///
    /// The work goes on, under a new lease.
    send_report_back "/project-claims/{id}/send-back" Reason, |tx, desk, caller, id, input| service::send_back(tx, desk, caller, id, &input.reason);
}

/// A photo of a claim.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ClaimPhoto)]
pub struct PhotoView {
    /// Its id.
    pub id: PhotoId,
    /// Where it is.
    pub url: String,
    /// When it was added.
    pub created_at: Instant,
}

impl From<Photo> for PhotoView {
    fn from(row: Photo) -> Self {
        Self {
            url: format!("/api/v1/project-claims/{}/photos/{}", row.claim_id, row.id),
            id: row.id,
            created_at: row.created_at,
        }
    }
}

/// Add a photo to a claim
///
/// For an entry of progress or the report. The same photo is added once.
#[utoipa::path(tag = "projects", request_body(content = PhotoForm, content_type = "multipart/form-data"),
    params(("id" = ClaimId, Path, description = "The claim")), responses(
    (status = 201, description = "Added", body = PhotoView),
    (status = 403, description = "Not the claimant", body = ProblemBody),
    (status = 404, description = "No such claim", body = ProblemBody),
    (status = 409, description = "Its state does not allow it, the lease has run out, or too many photos stand in no entry", body = ProblemBody),
    (status = 422, description = "No photo, or an unreadable one", body = ProblemBody)))]
#[post("/project-claims/{id}/photos")]
async fn add_photo(
    caller: Caller,
    platform: Data<Platform>,
    id: Path<ClaimId>,
    desk: Data<Desk>,
    form: MultipartForm<PhotoForm>,
) -> Result<HttpResponse> {
    let (who, rules, id) = (caller.clone(), desk.clone(), *id);
    let row = keep(
        &platform,
        form.into_inner(),
        move |conn, now| service::may_add_photo(conn, now, &rules, &who, id).map(|_| ()),
        move |tx, stored| service::add_photo(tx, &desk, &caller, id, stored),
    );
    let view = PhotoView::from(row.await?);
    Ok(HttpResponse::Created()
        .insert_header(("location", view.url.clone()))
        .json(view))
}

#[derive(Debug, Clone, Deserialize, IntoParams, Validate)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Size {
    /// The small one.
    thumbnail: Option<bool>,
}

fn involved(conn: &mut Conn, caller: &Caller, id: ClaimId) -> Result<ProjectClaim> {
    let (claim, _, relation) = service::visible(conn, Some(caller), id)?;
    if relation.is_involved() {
        Ok(claim)
    } else {
        Err(Code::Forbidden.into())
    }
}

/// Show a photo of a claim
#[utoipa::path(tag = "projects", params(("id" = ClaimId, Path, description = "The claim"),
    ("photo_id" = PhotoId, Path, description = "The photo"), Size), responses(
    (status = 200, description = "The photo", body = Vec<u8>, content_type = "image/jpeg"),
    (status = 403, description = "Not of the caller's concern", body = ProblemBody),
    (status = 404, description = "No such photo", body = ProblemBody)))]
#[get("/project-claims/{id}/photos/{photo_id}")]
async fn show_photo(
    caller: Caller,
    platform: Data<Platform>,
    path: Path<(ClaimId, PhotoId)>,
    size: Params<Size>,
) -> Result<HttpResponse> {
    let (id, photo) = path.into_inner();
    let row = platform.db.read(move |conn| {
        involved(conn, &caller, id)?;
        store::photo(conn, id, photo)
    });
    let row = row.await?;
    let key = if size.0.thumbnail == Some(true) {
        row.thumbnail
    } else {
        row.photo
    };
    Ok(show(platform.files.get(&key).await?))
}

/// An entry of progress.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ClaimProgress)]
pub struct ProgressView {
    /// Its id.
    pub id: ProgressId,
    /// What was done.
    pub body: String,
    /// The photos that show it.
    pub photos: Vec<PhotoView>,
    /// When it was written.
    pub created_at: Instant,
}

/// What was done under a claim.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ClaimStory)]
pub struct StoryView {
    /// The entries of progress, the oldest first.
    pub progress: Vec<ProgressView>,
    /// The completion report.
    pub report: Option<String>,
    /// The photos that show it.
    pub report_photos: Vec<PhotoView>,
}

/// Write an entry of progress
///
/// With at least one photo, which was added before. It renews the lease.
#[utoipa::path(tag = "projects", request_body = NewProgress,
    params(("id" = ClaimId, Path, description = "The claim")), responses(
    (status = 201, description = "Written; the lease begins anew", body = ClaimView),
    (status = 403, description = "Not the claimant", body = ProblemBody),
    (status = 404, description = "No such claim", body = ProblemBody),
    (status = 409, description = "The lease has run out", body = ProblemBody),
    (status = 412, description = "Somebody else wrote at the same moment", body = ProblemBody),
    (status = 422, description = "Wrong fields", body = ProblemBody)))]
#[post("/project-claims/{id}/progress")]
async fn add_progress(
    command: Command<NewProgress>,
    id: Path<ClaimId>,
    desk: Data<Desk>,
) -> Result<HttpResponse> {
    command
        .run(move |tx, caller, input| {
            let (row, _) = service::add_progress(tx, &desk, caller, *id, input)?;
            let (location, version) = (
                format!("/api/v1/project-claims/{}/progress", row.id),
                row.version,
            );
            let relation = Relation {
                claimant: true,
                ..Relation::default()
            };
            Ok(Made::new(view(tx.conn, row, relation)?, location).version(version))
        })
        .await
}

/// Read what was done under a claim
///
/// For the claimant, its organisation, its crew and the publisher.
#[utoipa::path(tag = "projects", params(("id" = ClaimId, Path, description = "The claim")), responses(
    (status = 200, description = "Progress and report", body = StoryView),
    (status = 403, description = "Not of the caller's concern", body = ProblemBody),
    (status = 404, description = "No such claim", body = ProblemBody)))]
#[get("/project-claims/{id}/progress")]
async fn claim_story(
    caller: Caller,
    platform: Data<Platform>,
    id: Path<ClaimId>,
) -> Result<Json<StoryView>> {
    let found = platform.db.read(move |conn| {
        let claim = involved(conn, &caller, *id)?;
        Ok((service::story(conn, &claim)?, claim.report))
    });
    let (story, report) = found.await?;
    let progress = story
        .progress
        .into_iter()
        .map(|(entry, photos)| ProgressView {
            id: entry.id,
            body: entry.body,
            photos: photos.into_iter().map(Into::into).collect(),
            created_at: entry.created_at,
        })
        .collect();
    let report_photos = story.report_photos.into_iter().map(Into::into).collect();
    Ok(Json(StoryView {
        progress,
        report,
        report_photos,
    }))
}
