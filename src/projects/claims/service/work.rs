//! Carrying a claimed project out: plan, progress, report.

use serde::Deserialize;
use utoipa::ToSchema;
use validator::Validate;

use super::super::model::{
    ClaimId, ClaimStatus, Photo, PhotoId, Progress, ProgressId, ProjectClaim,
};
use super::super::rules::{By, LEASED, MOVES, has_run_out, planning};
use super::super::store;
use super::line::{promote_elsewhere, renewed};
use super::{
    advance, change, goes_on, is_repeat, name, of_claimant, refusal, step, tell_claimant,
    tell_publisher, to_move, visible,
};
use crate::error::{Code, Problem, Result};
use crate::identity::Caller;
use crate::notifications::Kind;
use crate::platform::clock::Instant;
use crate::platform::db::{Conn, Tx};
use crate::platform::files::StoredPhoto;
use crate::platform::lifecycle::{self, ActsAs};
use crate::projects::crews;
use crate::projects::model::{Project, ProjectStatus};
use crate::projects::rules::MINORS_ADULTS;
use crate::projects::service::{Desk, follow_claims, tell};

/// How a claimant will carry a project out.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(as = ClaimPlan)]
pub struct Plan {
    /// How, when and with whom.
    #[validate(length(min = 2, max = 5000))]
    pub plan: String,
}

/// An entry that shows progress.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(as = NewClaimProgress)]
pub struct NewProgress {
    /// What was done.
    #[validate(length(min = 2, max = 5000))]
    pub body: String,
    /// Photos that were added to the claim before, in no other entry; one at least.
    #[validate(length(min = 1, max = 20))]
    pub photos: Vec<PhotoId>,
}

/// What was done, when all of it is done.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(as = CompletionReport)]
pub struct Report {
    /// What was done.
    #[validate(length(min = 2, max = 10_000))]
    pub report: String,
    /// How many people were served.
    #[validate(range(min = 0, max = 10_000_000))]
    pub people_served: i64,
    /// Photos that were added to the claim before; one at least.
    #[validate(length(min = 1, max = 50))]
    pub photos: Vec<PhotoId>,
}

/// Hands the plan in: the lease begins anew. Another plan takes the place of the first one, under the
/// same lease; the same one again is no change.
///
/// # Errors
/// `forbidden`, `move_not_allowed`, `project_suspended`, `lease_expired`.
pub fn plan(
    tx: &mut Tx<'_>,
    desk: &Desk,
    caller: &Caller,
    id: ClaimId,
    input: &Plan,
) -> Result<ProjectClaim> {
    let (claim, project) = to_move(tx, caller, id, "plan")?;
    let verb = planning(claim.status);
    step(tx.conn, &project, &claim, verb, caller.actor())?;
    if claim.plan.as_ref() == Some(&input.plan) {
        return Ok(claim);
    }
    works_on(tx, &project, &claim)?;
    let (leased, kind) = match verb {
        "plan" => (renewed(tx, desk, &claim)?, Kind::ClaimPlanned),
        _ => (claim, Kind::ClaimPlanChanged),
    };
    let planned = ProjectClaim {
        plan: Some(input.plan.clone()),
        ..leased
    };
    let moved = advance(tx, &project, &planned, verb, caller.actor(), None)?;
    let name = name(tx.conn, &moved)?;
    tell_publisher(tx, &project, caller.actor(), kind, &[("name", &name)])?;
    Ok(moved)
}

/// Whether work may go on under a claim: the project is not suspended, and the lease has not run
/// out, be it swept up already or not.
fn works_on(tx: &Tx<'_>, project: &Project, claim: &ProjectClaim) -> Result<()> {
    if project.status == ProjectStatus::Suspended {
        return Err(Code::ProjectSuspended.into());
    }
    if has_run_out(claim, tx.now) {
        return Err(Code::LeaseExpired.into());
    }
    Ok(())
}

/// Begins to carry the project out. Work with minors begins with two adult, vetted volunteers in
/// the crew (domain §3).
///
/// # Errors
/// `forbidden`, `move_not_allowed`, `project_suspended`, `lease_expired`, `adults_missing`.
pub fn start(tx: &mut Tx<'_>, desk: &Desk, caller: &Caller, id: ClaimId) -> Result<ProjectClaim> {
    let (claim, project) = to_move(tx, caller, id, "start")?;
    if is_repeat(tx.conn, &claim, "start", caller)? {
        return Ok(claim);
    }
    step(tx.conn, &project, &claim, "start", caller.actor())?;
    works_on(tx, &project, &claim)?;
    if project.minors && crews::vetted_adults(tx, desk, &project, id)? < MINORS_ADULTS {
        return Err(Code::AdultsMissing.into());
    }
    let moved = advance(tx, &project, &claim, "start", caller.actor(), None)?;
    follow_claims(tx, project.id)?;
    Ok(moved)
}

/// The photos of a claim, for a claimant who may add one.
///
/// # Errors
/// `not_found`, `forbidden`, `move_not_allowed`, `lease_expired`; `too_many_files` while too many
/// stand in no entry and no report.
pub fn may_add_photo(
    conn: &mut Conn,
    now: Instant,
    desk: &Desk,
    caller: &Caller,
    id: ClaimId,
) -> Result<Vec<Photo>> {
    let (claim, _, relation) = visible(conn, Some(caller), id)?;
    relation.acts_as(By::Claimant)?;
    if !LEASED.contains(&claim.status) {
        return Err(lifecycle::refusal(MOVES, relation, claim.status));
    }
    if has_run_out(&claim, now) {
        return Err(Code::LeaseExpired.into());
    }
    let photos = store::photos(conn, id)?;
    let in_hand = |photo: &&Photo| photo.progress_id.is_none() && !photo.in_report;
    if photos.iter().filter(in_hand).count() >= desk.rules.photos_in_hand {
        return Err(Code::TooManyFiles.into());
    }
    Ok(photos)
}

/// Adds a photo to a claim, for an entry of progress or the report; the same photo is added once.
///
/// # Errors
/// Those of [`may_add_photo`].
pub fn add_photo(
    tx: &mut Tx<'_>,
    desk: &Desk,
    caller: &Caller,
    id: ClaimId,
    stored: &StoredPhoto,
) -> Result<Photo> {
    of_claimant(tx, caller, id)?; // their number spans several rows: they wait for each other
    let known = may_add_photo(tx.conn, tx.now, desk, caller, id)?;
    if let Some(same) = known.into_iter().find(|photo| photo.photo == stored.key) {
        return Ok(same);
    }
    let photo = Photo {
        id: PhotoId::new(),
        claim_id: id,
        progress_id: None,
        in_report: false,
        photo: stored.key.clone(),
        thumbnail: stored.thumbnail.clone(),
        created_at: tx.now,
    };
    store::insert_photo(tx.conn, &photo)?;
    Ok(photo)
}

fn known_photos(moved: usize, photos: &[PhotoId]) -> Result<()> {
    if moved == photos.len() {
        return Ok(());
    }
    Err(Problem::new(Code::Invalid)
        .field("/photos", Code::UnknownReference)
        .into())
}

/// Writes an entry of progress, which renews the lease: the only way to renew one.
///
/// # Errors
/// `forbidden`, `project_suspended`; `lease_expired`, and `move_not_allowed` once that was swept up;
/// `invalid` for photos of another claim or entry.
pub fn add_progress(
    tx: &mut Tx<'_>,
    desk: &Desk,
    caller: &Caller,
    id: ClaimId,
    new: &NewProgress,
) -> Result<(ProjectClaim, Progress)> {
    let (claim, project) = of_claimant(tx, caller, id)?;
    if !LEASED.contains(&claim.status) {
        return Err(refusal(tx.conn, &project, &claim, caller.actor()));
    }
    works_on(tx, &project, &claim)?;
    let entry = Progress {
        id: ProgressId::new(),
        claim_id: id,
        author_id: caller.account,
        body: new.body.clone(),
        created_at: tx.now,
    };
    let leased = renewed(tx, desk, &claim)?;
    if !store::save(tx.conn, &leased)? {
        // the clock was faster, or somebody else: say where it stands now
        let now = store::claim(tx.conn, id)?;
        return if LEASED.contains(&now.status) {
            Err(Code::VersionMismatch.into())
        } else {
            Err(refusal(tx.conn, &project, &now, caller.actor()))
        };
    }
    store::insert_progress(tx.conn, &entry)?;
    let moved = store::put_into_progress(tx.conn, id, &new.photos, entry.id)?;
    known_photos(moved, &new.photos)?;
    tx.journal(change(&project, &claim, caller.actor(), "progress"))?;
    Ok((store::claim(tx.conn, id)?, entry))
}

/// Hands the completion report in.
///
/// # Errors
/// `forbidden`, `move_not_allowed`, `project_suspended`, `lease_expired`; `invalid` for photos of
/// another claim.
pub fn report(
    tx: &mut Tx<'_>,
    caller: &Caller,
    id: ClaimId,
    input: &Report,
) -> Result<ProjectClaim> {
    let (claim, project) = to_move(tx, caller, id, "report")?;
    if is_repeat(tx.conn, &claim, "report", caller)? {
        return Ok(claim);
    }
    step(tx.conn, &project, &claim, "report", caller.actor())?;
    works_on(tx, &project, &claim)?;
    known_photos(
        store::put_into_report(tx.conn, id, &input.photos)?,
        &input.photos,
    )?;
    let reported = ProjectClaim {
        report: Some(input.report.clone()),
        people_served: Some(input.people_served),
        lease_until: None,
        ..claim
    };
    let moved = advance(tx, &project, &reported, "report", caller.actor(), None)?;
    follow_claims(tx, project.id)?;
    let name = name(tx.conn, &moved)?;
    tell_publisher(
        tx,
        &project,
        caller.actor(),
        Kind::ClaimReported,
        &[("name", &name)],
    )?;
    Ok(moved)
}

/// Accepts a completion report: the claim is fulfilled.
///
/// # Errors
/// `forbidden`, `own_claim`, `move_not_allowed`.
pub fn accept(tx: &mut Tx<'_>, desk: &Desk, caller: &Caller, id: ClaimId) -> Result<ProjectClaim> {
    let (claim, project) = to_move(tx, caller, id, "accept")?;
    if is_repeat(tx.conn, &claim, "accept", caller)? {
        return Ok(claim);
    }
    let over = ProjectClaim {
        ended_at: Some(tx.now),
        ..claim
    };
    let moved = advance(tx, &project, &over, "accept", caller.actor(), None)?;
    let applicants = crews::close(tx, &project, id)?;
    tell(tx, &project, &applicants, Kind::CrewClosed, &[])?;
    follow_claims(tx, project.id)?;
    promote_elsewhere(tx, desk, &moved)?;
    tell_claimant(tx, &project, &moved, Kind::ClaimFulfilled, &[])?;
    Ok(moved)
}

/// Sends a completion report back: the work goes on, under a new lease.
///
/// # Errors
/// `forbidden`, `own_claim`, `move_not_allowed`, `project_suspended`.
pub fn send_back(
    tx: &mut Tx<'_>,
    desk: &Desk,
    caller: &Caller,
    id: ClaimId,
    reason: &str,
) -> Result<ProjectClaim> {
    let (claim, project) = to_move(tx, caller, id, "send_back")?;
    if is_repeat(tx.conn, &claim, "send_back", caller)? {
        return Ok(claim);
    }
    step(tx.conn, &project, &claim, "send_back", caller.actor())?;
    goes_on(tx.conn, &project, caller.actor())?;
    let leased = renewed(tx, desk, &claim)?;
    let moved = advance(
        tx,
        &project,
        &leased,
        "send_back",
        caller.actor(),
        Some(reason),
    )?;
    follow_claims(tx, project.id)?;
    tell_claimant(
        tx,
        &project,
        &moved,
        Kind::ClaimSentBack,
        &[("reason", reason)],
    )?;
    Ok(moved)
}

/// What was done under a claim.
pub struct Story {
    /// The entries of progress with their photos, the oldest first.
    pub progress: Vec<(Progress, Vec<Photo>)>,
    /// The photos of the completion report, once it is in.
    pub report_photos: Vec<Photo>,
}

/// What was done under a claim.
///
/// # Errors
/// Those of the database.
pub fn story(conn: &mut Conn, claim: &ProjectClaim) -> Result<Story> {
    let photos = store::photos(conn, claim.id)?;
    let shown_by = |entry: &Progress| {
        let shown = photos
            .iter()
            .filter(|photo| photo.progress_id == Some(entry.id));
        shown.cloned().collect()
    };
    let progress = store::progress(conn, claim.id)?
        .into_iter()
        .map(|entry| {
            let shown = shown_by(&entry);
            (entry, shown)
        })
        .collect();
    let is_reported = matches!(claim.status, ClaimStatus::Reported | ClaimStatus::Fulfilled);
    let reported = photos.iter().filter(|photo| photo.in_report && is_reported);
    Ok(Story {
        progress,
        report_photos: reported.cloned().collect(),
    })
}
