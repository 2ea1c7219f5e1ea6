//! Activities over HTTP; series and enrolments have their own.

mod browsing;
mod moves;
mod policies;

use std::collections::{HashMap, HashSet};

use chrono::NaiveDate;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::model::{Activity, ActivityId, ActivityStatus, Shift, ShiftId};
use super::rules::{self, Relation};
use super::series::SeriesId;
use super::{attendance, calendars, enrolments, feedback, incidents, series, service, store};
use crate::error::{Code, Result};
use crate::identity::{AccountId, Caller, Made};
use crate::organizations::OrganizationId;
use crate::platform::clock::Instant;
use crate::platform::db::{Conn, Tx};
use crate::projects::claims::ClaimId;
use crate::projects::{self, ProjectId, RoleSkill};
use crate::regions::RegionId;
use crate::taxonomies::LifeCycle;

/// The room's routes, its sub-rooms' included.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(browsing::list)
        .service(browsing::mine)
        .service(browsing::to_review)
        .service(browsing::read);
    config
        .service(moves::create)
        .service(moves::edit)
        .service(moves::copy)
        .service(moves::publish)
        .service(moves::revise)
        .service(moves::approve)
        .service(moves::send_back)
        .service(moves::close_enrolment)
        .service(moves::reopen_enrolment)
        .service(moves::settle)
        .service(moves::cancel);
    config
        .service(policies::read_policy)
        .service(policies::set_policy);
    series::http::routes(config);
    enrolments::http::routes(config);
    calendars::http::routes(config);
    incidents::http::routes(config);
    feedback::http::routes(config);
    attendance::http::routes(config);
}

/// A shift of an activity.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ActivityShift)]
pub struct ShiftView {
    /// Its id.
    pub id: ShiftId,
    /// What one is there.
    pub name: String,
    /// When it begins.
    pub starts_at: Instant,
    /// When it ends; not included.
    pub ends_at: Instant,
    /// How many volunteers it takes.
    pub seats: i32,
    /// How many of the seats are held.
    pub taken: i32,
    /// How many vetted adults a shift of work with minors still lacks. Only where the activity is read by
    /// itself, for those who organise it.
    pub adults_missing: Option<i64>,
    /// A kind of qualification its holder must have on its day.
    pub qualification: Option<String>,
    /// The skills it asks for.
    pub skills: Vec<RoleSkill>,
}

impl From<Shift> for ShiftView {
    fn from(shift: Shift) -> Self {
        Self {
            id: shift.id,
            name: shift.name,
            starts_at: shift.starts_at,
            ends_at: shift.ends_at,
            seats: shift.seats,
            taken: shift.taken,
            adults_missing: None,
            qualification: shift.qualification,
            skills: shift.skills.0,
        }
    }
}

/// An activity as a caller may see it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Activity)]
pub struct ActivityView {
    /// Its id.
    pub id: ActivityId,
    /// The series it is one of.
    pub series_id: Option<SeriesId>,
    /// The project it is held for; none for an organisation's own work.
    pub project_id: Option<ProjectId>,
    /// The claim of that project.
    pub claim_id: Option<ClaimId>,
    /// The organisation that organises it.
    pub organization_id: Option<OrganizationId>,
    /// The person who organises it, having claimed the project.
    pub leader_id: Option<AccountId>,
    /// Where it is held.
    pub region_id: RegionId,
    /// In a few words.
    pub title: String,
    /// In more words.
    pub summary: String,
    /// The livelihood goal it serves first.
    pub life_cycle: LifeCycle,
    /// The address.
    pub place: String,
    /// Where people meet there.
    pub meeting_point: String,
    /// Where it is, degrees east.
    pub longitude: Option<f64>,
    /// Where it is, degrees north.
    pub latitude: Option<f64>,
    /// What volunteers must know before they come.
    pub risk_notice: String,
    /// Whether it is work with minors.
    pub minors: bool,
    /// Whether it is dangerous.
    pub dangerous: bool,
    /// Whether it is an internal Party activity.
    pub party_only: bool,
    /// The insurance policy.
    pub insurance_policy: Option<String>,
    /// The first day it covers.
    #[schema(value_type = Option<String>, format = Date)]
    pub insurance_from: Option<NaiveDate>,
    /// The last day it covers.
    #[schema(value_type = Option<String>, format = Date)]
    pub insurance_until: Option<NaiveDate>,
    /// The least age on its day, in years.
    pub min_age: Option<i32>,
    /// The greatest age on its day, in years.
    pub max_age: Option<i32>,
    /// Only for volunteers who live in this region or below it.
    pub volunteers_region_id: Option<RegionId>,
    /// When the first of its shifts begins.
    pub starts_at: Instant,
    /// When the last of its shifts ends; not included.
    pub ends_at: Instant,
    /// From when on people enrol.
    pub enrolment_opens_at: Option<Instant>,
    /// Until when people enrol; not included.
    pub enrolment_closes_at: Instant,
    /// Hours before a shift from which on withdrawing is late.
    pub withdrawal_hours: i32,
    /// When its time or place was last changed after it was published.
    pub changed_at: Option<Instant>,
    /// Its shifts, in their order.
    pub shifts: Vec<ShiftView>,
    /// Where it stands.
    pub status: ActivityStatus,
    /// Since when.
    pub status_since: Instant,
    /// Why it was returned or cancelled, in the words of who did it.
    pub reason: Option<String>,
    /// What keeps it from beginning although its time has come: `adults_missing`, `project_suspended`. Only
    /// for those who organise it, who may reopen its enrolment or move it to another time.
    pub held_up: Option<&'static str>,
    /// The moves that are the caller's now; a rule may still refuse one. `submit` is asked for as
    /// `publish`.
    pub moves: Vec<&'static str>,
    /// Its version, as in the `ETag`.
    pub version: i32,
    /// When it was written down.
    pub created_at: Instant,
}

/// What is said of some activities beside their rows, asked for at once.
struct Beside {
    shifts: HashMap<ActivityId, Vec<Shift>>,
    demanding: HashSet<RegionId>,
    suspended: HashSet<ProjectId>,
}

impl Beside {
    fn of(conn: &mut Conn, rows: &[Activity]) -> Result<Self> {
        let ids: Vec<_> = rows.iter().map(|row| row.id).collect();
        let drafts = rows
            .iter()
            .filter(|row| row.status == ActivityStatus::Draft);
        let regions: Vec<_> = drafts.map(|row| row.region_id).collect();
        let held_up = rows.iter().filter(|row| rules::is_held_up(row));
        let projects: Vec<_> = held_up.filter_map(|row| row.project_id).collect();
        Ok(Self {
            shifts: store::shifts_of(conn, &ids)?,
            demanding: match regions.is_empty() {
                true => HashSet::new(),
                false => store::demanding(conn, &regions)?,
            },
            suspended: match projects.is_empty() {
                true => HashSet::new(),
                false => projects::suspended_among(conn, &projects)?,
            },
        })
    }
}

/// Activities as a caller sees them.
fn views(
    conn: &mut Conn,
    caller: Option<&Caller>,
    rows: Vec<Activity>,
) -> Result<Vec<ActivityView>> {
    let relations = service::relations(conn, caller, &rows)?;
    let beside = Beside::of(conn, &rows)?;
    let each = rows.into_iter().zip(relations);
    Ok(each
        .map(|(row, relation)| view_of(row, relation, &beside))
        .collect())
}

fn view(conn: &mut Conn, row: Activity, relation: Relation) -> Result<ActivityView> {
    let beside = Beside::of(conn, std::slice::from_ref(&row))?;
    Ok(view_of(row, relation, &beside))
}

fn view_of(row: Activity, relation: Relation, beside: &Beside) -> ActivityView {
    let shifts = beside.shifts.get(&row.id).cloned().unwrap_or_default();
    let is_suspended = row
        .project_id
        .is_some_and(|id| beside.suspended.contains(&id));
    let holds_up = match is_suspended {
        true => Code::ProjectSuspended,
        false => Code::AdultsMissing,
    };
    let is_held_up = relation.organizer && rules::is_held_up(&row);
    let review = beside.demanding.contains(&row.region_id);
    ActivityView {
        shifts: shifts.into_iter().map(ShiftView::from).collect(),
        held_up: is_held_up.then(|| holds_up.as_str()),
        moves: rules::moves(&row, relation, review),
        reason: row.reason,
        id: row.id,
        series_id: row.series_id,
        project_id: row.project_id,
        claim_id: row.claim_id,
        organization_id: row.organization_id,
        leader_id: row.leader_id,
        region_id: row.region_id,
        title: row.title,
        summary: row.summary,
        life_cycle: row.life_cycle,
        place: row.place,
        meeting_point: row.meeting_point,
        longitude: row.longitude,
        latitude: row.latitude,
        risk_notice: row.risk_notice,
        minors: row.minors,
        dangerous: row.dangerous,
        party_only: row.party_only,
        insurance_policy: row.insurance_policy,
        insurance_from: row.insurance_from,
        insurance_until: row.insurance_until,
        min_age: row.min_age,
        max_age: row.max_age,
        volunteers_region_id: row.volunteers_region_id,
        starts_at: row.starts_at,
        ends_at: row.ends_at,
        enrolment_opens_at: row.enrolment_opens_at,
        enrolment_closes_at: row.enrolment_closes_at,
        withdrawal_hours: row.withdrawal_hours,
        changed_at: row.changed_at,
        status: row.status,
        status_since: row.status_since,
        version: row.version,
        created_at: row.created_at,
    }
}

/// The answer to a write: the activity as the caller sees it now.
fn seen(tx: &mut Tx<'_>, caller: &Caller, row: Activity) -> Result<(ActivityView, i32)> {
    let version = row.version;
    let relation = service::relation(tx.conn, Some(caller), &row)?;
    Ok((view(tx.conn, row, relation)?, version))
}

/// The answer to something new.
fn made(tx: &mut Tx<'_>, caller: &Caller, row: Activity) -> Result<Made<ActivityView>> {
    let location = format!("/api/v1/activities/{}", row.id);
    let (view, version) = seen(tx, caller, row)?;
    Ok(Made::new(view, location).version(version))
}

/// The answer to a change.
fn moved(tx: &mut Tx<'_>, caller: &Caller, row: Activity) -> Result<Made<ActivityView>> {
    let (view, version) = seen(tx, caller, row)?;
    Ok(Made::changed(view).version(version))
}
