//! Writing an activity down.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use super::super::model::{Activity, ActivityId, ActivityStatus, Shift, ShiftId};
use super::super::{rules, store};
use super::{Desk, alone, change, check};
use crate::error::{Code, Error, Problem, Result};
use crate::identity::{Caller, Role};
use crate::organizations::{self, OrganizationId};
use crate::platform::clock::Instant;
use crate::platform::columns::Json;
use crate::platform::db::Tx;
use crate::platform::lifecycle::ActsAs;
use crate::projects::claims::rules::{LIVE, has_run_out};
use crate::projects::claims::{self, ClaimId, ProjectClaim};
use crate::projects::{self, Project, RoleSkill};
use crate::regions::RegionId;
use crate::taxonomies::LifeCycle;

/// A shift as an organiser writes it down.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(as = NewActivityShift)]
pub struct NewShift {
    /// One of the activity's that stays, with everybody who stands in it; a new one when left out.
    pub id: Option<ShiftId>,
    /// What one is there.
    #[validate(length(min = 1, max = 60))]
    pub name: String,
    /// When it begins: a whole minute.
    pub starts_at: Instant,
    /// When it ends, not included: a whole minute.
    pub ends_at: Instant,
    /// How many volunteers it takes.
    #[validate(range(min = 1, max = 10_000))]
    pub seats: i32,
    /// A kind of qualification its holder must have on its day, a code of the taxonomy.
    pub qualification: Option<String>,
    /// The skills it asks for.
    #[serde(default)]
    #[validate(length(max = 20), nested)]
    pub skills: Vec<RoleSkill>,
}

/// An activity as its organiser writes it down: of a claimed project, or an organisation's own work.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct NewActivity {
    /// The claim of the project that it is held for.
    pub claim_id: Option<ClaimId>,
    /// The organisation whose own work it is. One of the two, and only one.
    pub organization_id: Option<OrganizationId>,
    /// Where it is held; the project's region when left out.
    pub region_id: Option<RegionId>,
    /// In a few words.
    #[validate(length(min = 2, max = 120))]
    pub title: String,
    /// In more words.
    #[validate(length(min = 2, max = 5000))]
    pub summary: String,
    /// The livelihood goal it serves first; the project's when left out.
    pub life_cycle: Option<LifeCycle>,
    /// The address.
    #[validate(length(min = 2, max = 200))]
    pub place: String,
    /// Where people meet there.
    #[serde(default)]
    #[validate(length(max = 200))]
    pub meeting_point: String,
    /// Where it is, degrees east; with the address left to speak for itself when left out.
    #[validate(range(min = -180.0, max = 180.0))]
    pub longitude: Option<f64>,
    /// Where it is, degrees north.
    #[validate(range(min = -90.0, max = 90.0))]
    pub latitude: Option<f64>,
    /// What volunteers must know before they come; the project's when left out.
    #[validate(length(max = 5000))]
    pub risk_notice: Option<String>,
    /// Whether it is work with minors; of a project with minors it always is.
    #[serde(default)]
    pub minors: bool,
    /// Whether it is dangerous; of a dangerous project it always is.
    #[serde(default)]
    pub dangerous: bool,
    /// Whether it is an internal Party activity; of a project that is it always is.
    #[serde(default)]
    pub party_only: bool,
    /// The insurance policy, for dangerous work; the project's, with its days, when left out.
    #[validate(length(min = 1, max = 200))]
    pub insurance_policy: Option<String>,
    /// The first day it covers.
    pub insurance_from: Option<NaiveDate>,
    /// The last day it covers.
    pub insurance_until: Option<NaiveDate>,
    /// The least age on its day, in years.
    #[validate(range(min = 1, max = 120))]
    pub min_age: Option<i32>,
    /// The greatest age on its day, in years.
    #[validate(range(min = 1, max = 120))]
    pub max_age: Option<i32>,
    /// Only for volunteers who live in this region or below it.
    pub volunteers_region_id: Option<RegionId>,
    /// From when on people enrol; at once when left out.
    pub enrolment_opens_at: Option<Instant>,
    /// Until when people enrol, not included; until it begins when left out.
    pub enrolment_closes_at: Option<Instant>,
    /// Hours before a shift from which on withdrawing is late.
    #[validate(range(min = 0, max = 720))]
    pub withdrawal_hours: Option<i32>,
    /// Its shifts.
    #[validate(length(min = 1, max = 50), nested)]
    pub shifts: Vec<NewShift>,
}

/// When the copy of an activity begins.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(as = ActivityCopy)]
pub struct Copied {
    /// When its first shift begins; everything else keeps its distance on the wall's clock.
    pub starts_at: Instant,
}

/// Writes an activity down as a draft.
///
/// # Errors
/// `invalid` with every wrong field; `forbidden`; what keeps the organisation from acting; `lease_expired`
/// where the claim is over.
pub fn create(
    tx: &mut Tx<'_>,
    desk: &Desk,
    caller: &Caller,
    new: &NewActivity,
) -> Result<Activity> {
    let (activity, shifts) = draft(tx, desk, caller, new)?;
    check(tx, desk, &activity, None, &shifts)?;
    may_organize(tx, caller, &activity)?;
    store::insert(tx.conn, &activity, &shifts)?;
    tx.journal(change(&activity, caller.actor(), "create"))?;
    Ok(activity)
}

/// The claim and the project that an activity is for, and everything that can only be said once they
/// are known.
fn draft(
    tx: &mut Tx<'_>,
    desk: &Desk,
    caller: &Caller,
    new: &NewActivity,
) -> Result<(Activity, Vec<Shift>)> {
    let mut wrong = Problem::new(Code::Invalid);
    if new.claim_id.is_some() == new.organization_id.is_some() {
        return Err(wrong.field("/claim_id", Code::OneOfTwo).into());
    }
    let known: Option<(ProjectClaim, Project)> = match new.claim_id {
        Some(id) => match claims::claim(tx.conn, id) {
            Ok(claim) => {
                let project = projects::project(tx.conn, claim.project_id)?;
                Some((claim, project))
            }
            Err(Error::Problem(_)) => {
                return Err(wrong.field("/claim_id", Code::UnknownReference).into());
            }
            Err(error) => return Err(error),
        },
        None => None,
    };
    let (claim, project) = known.unzip();
    let project = project.as_ref();
    let region_id = new.region_id.or(project.map(|project| project.region_id));
    let life_cycle = new.life_cycle.or(project.map(|project| project.life_cycle));
    if region_id.is_none() {
        wrong = wrong.field("/region_id", Code::Required);
    }
    if life_cycle.is_none() {
        wrong = wrong.field("/life_cycle", Code::Required);
    }
    for (n, shift) in new.shifts.iter().enumerate() {
        if shift.id.is_some() {
            wrong = wrong.field(format!("/shifts/{n}/id"), Code::UnknownReference);
        }
    }
    let (Some(region_id), Some(life_cycle), true) =
        (region_id, life_cycle, wrong.errors.is_empty())
    else {
        return Err(wrong.into());
    };
    let insured = match (&new.insurance_policy, project) {
        (None, Some(project)) => (
            project.insurance_policy.clone(),
            project.insurance_from,
            project.insurance_until,
        ),
        _ => (
            new.insurance_policy.clone(),
            new.insurance_from,
            new.insurance_until,
        ),
    };
    let id = ActivityId::new();
    let shifts = as_shifts(id, &new.shifts);
    let (starts_at, ends_at) = span(&shifts);
    let risk_notice = new.risk_notice.clone();
    let of_project = |rule: fn(&Project) -> bool| project.is_some_and(rule);
    let activity = Activity {
        id,
        series_id: None,
        recurs_at: None,
        project_id: project.map(|project| project.id),
        claim_id: new.claim_id,
        organization_id: match &claim {
            Some(claim) => claim.organization_id,
            None => new.organization_id,
        },
        leader_id: claim.as_ref().and_then(|claim| claim.person_id),
        author_id: caller.account,
        region_id,
        title: new.title.clone(),
        summary: new.summary.clone(),
        life_cycle,
        place: new.place.clone(),
        meeting_point: new.meeting_point.clone(),
        longitude: new.longitude,
        latitude: new.latitude,
        risk_notice: risk_notice
            .or(project.map(|project| project.risk_notice.clone()))
            .unwrap_or_default(),
        minors: new.minors || of_project(|project| project.minors),
        dangerous: new.dangerous || of_project(|project| project.dangerous),
        party_only: new.party_only || of_project(|project| project.party_only),
        insurance_policy: insured.0,
        insurance_from: insured.1,
        insurance_until: insured.2,
        min_age: new.min_age,
        max_age: new.max_age,
        volunteers_region_id: new.volunteers_region_id,
        starts_at,
        ends_at,
        enrolment_opens_at: new.enrolment_opens_at,
        enrolment_closes_at: new.enrolment_closes_at.unwrap_or(starts_at),
        withdrawal_hours: new.withdrawal_hours.unwrap_or(desk.rules.withdrawal_hours),
        changed_at: None,
        held_up_at: None,
        began_at: None,
        news: 0,
        status: ActivityStatus::Draft,
        status_since: tx.now,
        reason: None,
        version: 1,
        created_at: tx.now,
    };
    Ok((activity, shifts))
}

/// Shifts in the order in which they were written, those that are named as they are.
pub(super) fn as_shifts(activity_id: ActivityId, shifts: &[NewShift]) -> Vec<Shift> {
    let numbered = shifts.iter().zip(1..);
    numbered
        .map(|(shift, place)| Shift {
            id: shift.id.unwrap_or_else(ShiftId::new),
            activity_id,
            place,
            name: shift.name.clone(),
            starts_at: shift.starts_at,
            ends_at: shift.ends_at,
            seats: shift.seats,
            taken: 0,
            queued: 0,
            held: None,
            qualification: shift.qualification.clone(),
            skills: Json(shift.skills.clone()),
        })
        .collect()
}

/// From the beginning of the first shift to the end of the last.
pub(super) fn span(shifts: &[Shift]) -> (Instant, Instant) {
    let starts_at = shifts.iter().map(|shift| shift.starts_at).min();
    let ends_at = shifts.iter().map(|shift| shift.ends_at).max();
    (starts_at.unwrap_or_default(), ends_at.unwrap_or_default())
}

/// Whether the caller organises such an activity, and may now: for an organisation it runs, which may
/// act there; for a project it has claimed.
///
/// # Errors
/// `forbidden`, `lease_expired`; what keeps the organisation from acting there.
pub(in crate::activities) fn may_organize(
    tx: &mut Tx<'_>,
    caller: &Caller,
    activity: &Activity,
) -> Result<()> {
    match activity.organization_id {
        Some(id) if caller.holds(Role::OrganizationManager, id.0) => {
            let organization = organizations::organization(tx.conn, id)?;
            organizations::may_act(tx.conn, &organization, activity.region_id)?;
        }
        None if activity.leader_id == Some(caller.account) => {}
        _ => return Err(Code::Forbidden.into()),
    }
    let Some(claim) = activity.claim_id else {
        return Ok(());
    };
    let claim = claims::claim(tx.conn, claim)?;
    if LIVE.contains(&claim.status) && !has_run_out(&claim, tx.now) {
        Ok(())
    } else {
        Err(Code::LeaseExpired.into())
    }
}

/// Writes an activity down anew as a draft that begins at another time.
///
/// # Errors
/// `not_found`, `forbidden`, `invalid`; what keeps the organisation from acting.
pub fn copy(
    tx: &mut Tx<'_>,
    desk: &Desk,
    caller: &Caller,
    id: ActivityId,
    to: &Copied,
) -> Result<Activity> {
    let (activity, relation) = alone(tx, caller, id)?;
    relation.acts_as(rules::By::Organizer)?;
    may_organize(tx, caller, &activity)?;
    let shifts = store::shifts(tx.conn, id)?;
    let (copy, shifts) = copied(tx, caller, (&activity, &shifts), to.starts_at);
    let kept = Some(copy.region_id);
    check(tx, desk, &copy, kept, &shifts)?;
    store::insert(tx.conn, &copy, &shifts)?;
    let from = serde_json::json!({ "from": id });
    tx.journal(change(&copy, caller.actor(), "create").payload(from))?;
    Ok(copy)
}

/// The draft of an activity like another that begins at another time, not kept yet.
pub(in crate::activities) fn copied(
    tx: &Tx<'_>,
    caller: &Caller,
    (activity, shifts): (&Activity, &[Shift]),
    starts_at: Instant,
) -> (Activity, Vec<Shift>) {
    let (moved, mut shifts) = rules::moved_to(activity, shifts, starts_at, tx.zone);
    let id = ActivityId::new();
    for shift in &mut shifts {
        shift.id = ShiftId::new();
        shift.activity_id = id;
        shift.taken = 0;
        shift.queued = 0;
        shift.held = None;
    }
    let copy = Activity {
        id,
        series_id: None,
        recurs_at: None,
        author_id: caller.account,
        changed_at: None,
        held_up_at: None,
        began_at: None,
        news: 0,
        enrolment_closes_at: moved.enrolment_closes_at.min(moved.starts_at),
        status: ActivityStatus::Draft,
        status_since: tx.now,
        reason: None,
        version: 1,
        created_at: tx.now,
        ..moved
    };
    (copy, shifts)
}
