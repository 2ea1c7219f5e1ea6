//! Writing a project down.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use super::super::model::{
    ClaimMode, Project, ProjectId, ProjectRole, ProjectStatus, RoleId, RoleSkill,
};
use super::super::{rules, store};
use super::change;
use crate::error::{Code, Problem, Result, together};
use crate::identity::{AccountId, Caller, Role};
use crate::organizations::{self, OrganizationId};
use crate::platform::columns::Json;
use crate::platform::db::{Conn, Tx};
use crate::platform::http::valid;
use crate::projects::campaigns::{self, BatchId};
use crate::regions::{self, RegionId};
use crate::taxonomies::{self, BeneficiaryGroup, LifeCycle};
use crate::volunteers::{self, Window};

/// A role as a project's author writes it down.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(as = NewProjectRole)]
pub struct NewRole {
    /// What it is called.
    #[validate(length(min = 1, max = 60))]
    pub name: String,
    /// How many volunteers it takes.
    #[validate(range(min = 1, max = 10_000))]
    pub seats: i32,
    /// A kind of qualification its holder must have, a code of the taxonomy.
    pub qualification: Option<String>,
    /// The skills it asks for.
    #[serde(default)]
    #[validate(length(max = 20), nested)]
    pub skills: Vec<RoleSkill>,
    /// When in a week it is done; empty when it is not scheduled.
    #[serde(default)]
    #[validate(length(max = 50), nested)]
    pub hours: Vec<Window>,
}

/// A project as its author writes it down.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct NewProject {
    /// The batch it is to be published with.
    pub batch_id: Option<BatchId>,
    /// Where it is carried out.
    pub region_id: RegionId,
    /// The organisation that publishes it; the region itself when left out.
    pub organization_id: Option<OrganizationId>,
    /// In a few words.
    #[validate(length(min = 2, max = 120))]
    pub title: String,
    /// In more words.
    #[validate(length(min = 2, max = 5000))]
    pub summary: String,
    /// Its field, a code of the taxonomy.
    #[schema(example = "education")]
    pub field: String,
    /// The livelihood goal it serves first.
    pub life_cycle: LifeCycle,
    /// Whom it is for.
    pub beneficiary_group: Option<BeneficiaryGroup>,
    /// What volunteers must know before they come.
    #[serde(default)]
    #[validate(length(max = 5000))]
    pub risk_notice: String,
    /// Whether it is work with minors.
    #[serde(default)]
    pub minors: bool,
    /// Whether it is dangerous.
    #[serde(default)]
    pub dangerous: bool,
    /// Whether it is an internal Party activity.
    #[serde(default)]
    pub party_only: bool,
    /// The insurance policy, for dangerous work.
    #[validate(length(min = 1, max = 200))]
    pub insurance_policy: Option<String>,
    /// The first day it covers.
    pub insurance_from: Option<NaiveDate>,
    /// The last day it covers.
    pub insurance_until: Option<NaiveDate>,
    /// How a claim is decided on; `first_come` when left out.
    pub claim_mode: Option<ClaimMode>,
    /// Whether a person may claim it, beside organisations.
    #[serde(default)]
    pub allows_person: bool,
    /// How many may hold a claim at once; one when left out.
    #[validate(range(min = 1, max = 100))]
    pub claim_seats: Option<i32>,
    /// Its first day.
    pub starts_on: NaiveDate,
    /// Its last day.
    pub ends_on: NaiveDate,
    /// Where it is carried out, degrees east.
    #[validate(range(min = -180.0, max = 180.0))]
    pub longitude: Option<f64>,
    /// Where it is carried out, degrees north.
    #[validate(range(min = -90.0, max = 90.0))]
    pub latitude: Option<f64>,
    /// Its roles.
    #[serde(default)]
    #[validate(length(max = 30), nested)]
    pub roles: Vec<NewRole>,
}

/// A project as its author wrote it down, not kept yet.
pub(in crate::projects) fn draft(tx: &Tx<'_>, author: AccountId, new: &NewProject) -> Project {
    Project {
        id: ProjectId::new(),
        batch_id: new.batch_id,
        region_id: new.region_id,
        organization_id: new.organization_id,
        author_id: author,
        title: new.title.trim().to_owned(),
        summary: new.summary.clone(),
        field: new.field.clone(),
        life_cycle: new.life_cycle,
        beneficiary_group: new.beneficiary_group,
        risk_notice: new.risk_notice.clone(),
        minors: new.minors,
        dangerous: new.dangerous,
        party_only: new.party_only,
        insurance_policy: new.insurance_policy.clone(),
        insurance_from: new.insurance_from,
        insurance_until: new.insurance_until,
        claim_mode: new.claim_mode.unwrap_or(ClaimMode::FirstCome),
        allows_person: new.allows_person,
        claim_seats: new.claim_seats.unwrap_or(1),
        starts_on: new.starts_on,
        ends_on: new.ends_on,
        longitude: new.longitude,
        latitude: new.latitude,
        status: ProjectStatus::Draft,
        status_since: tx.now,
        published_at: None,
        version: 1,
        created_at: tx.now,
    }
}

/// Writes a project down as a draft, for a region by its administrators, for an organisation by
/// its managers.
///
/// # Errors
/// `invalid` with every wrong field; `forbidden`; what keeps the organisation from acting.
pub fn create(tx: &mut Tx<'_>, caller: &Caller, new: &NewProject) -> Result<Project> {
    let project = draft(tx, caller.account, new);
    together([valid::check(new, ""), check(tx, &project, None, &new.roles)])?;
    may_publish(tx.conn, caller, new.organization_id, new.region_id)?;
    store::insert(tx.conn, &project)?;
    write_roles(tx.conn, project.id, &new.roles)?;
    tx.journal(change(&project, caller.actor(), "create"))?;
    Ok(project)
}

/// Whether the caller publishes in a region: as its administrator, or for an organisation it runs.
///
/// # Errors
/// `forbidden`; what keeps the organisation from acting there.
pub(super) fn may_publish(
    conn: &mut Conn,
    caller: &Caller,
    organization: Option<OrganizationId>,
    region: RegionId,
) -> Result<()> {
    match organization {
        None if caller.holds_in_region(conn, &[Role::RegionAdmin], region)? => Ok(()),
        Some(id) if caller.holds(Role::OrganizationManager, id.0) => {
            let organization = organizations::organization(conn, id)?;
            organizations::may_act(conn, &organization, region)
        }
        _ => Err(Code::Forbidden.into()),
    }
}

/// Checks what can be wrong in any draft. The region that is `kept` may have ended.
pub(in crate::projects) fn check(
    tx: &mut Tx<'_>,
    project: &Project,
    kept: Option<RegionId>,
    roles: &[NewRole],
) -> Result<()> {
    let today = tx.today();
    let conn = &mut *tx.conn;
    let mut wrong = Problem::new(Code::Invalid);
    if let Err(code) = regions::current(conn, project.region_id, kept, today)? {
        wrong = wrong.field("/region_id", code);
    }
    if let Some(id) = project.organization_id
        && organizations::organization(conn, id).is_err()
    {
        wrong = wrong.field("/organization_id", Code::UnknownReference);
    }
    if let Some(batch) = project.batch_id {
        match campaigns::batch(conn, batch) {
            Err(_) => wrong = wrong.field("/batch_id", Code::UnknownReference),
            Ok((_, campaign)) => {
                if !regions::contains(conn, campaign.region_id, project.region_id)? {
                    wrong = wrong.field("/batch_id", Code::OutsideCampaign);
                }
            }
        }
    }
    if !taxonomies::is_field(&project.field) {
        wrong = wrong.field("/field", Code::UnknownReference);
    }
    for (pointer, day) in [
        ("/starts_on", Some(project.starts_on)),
        ("/ends_on", Some(project.ends_on)),
        ("/insurance_from", project.insurance_from),
        ("/insurance_until", project.insurance_until),
    ] {
        if day.is_some_and(|day| !rules::is_plausible(day, today)) {
            wrong = wrong.field(pointer, Code::Range);
        }
    }
    if rules::is_plausible(project.ends_on, today) && project.ends_on < project.starts_on {
        wrong = wrong.field("/ends_on", Code::EndsBeforeItBegins);
    }
    if project.longitude.is_some() != project.latitude.is_some() {
        wrong = wrong.field("/longitude", Code::Required);
    }
    for (n, role) in roles.iter().enumerate() {
        if let Some(kind) = &role.qualification
            && taxonomies::qualification(kind).is_none()
        {
            wrong = wrong.field(
                format!("/roles/{n}/qualification"),
                Code::UnknownQualification,
            );
        }
        for (pointer, code) in rules::check_skills(&role.skills) {
            wrong = wrong.field(format!("/roles/{n}/{pointer}"), code);
        }
        for (pointer, code) in volunteers::check_windows(&role.hours) {
            wrong = wrong.field(format!("/roles/{n}/hours{pointer}"), code);
        }
    }
    if wrong.errors.is_empty() {
        Ok(())
    } else {
        Err(wrong.into())
    }
}

pub(in crate::projects) fn write_roles(
    conn: &mut Conn,
    of: ProjectId,
    roles: &[NewRole],
) -> Result<()> {
    let rows: Vec<_> = roles
        .iter()
        .zip(1..)
        .map(|(role, place)| ProjectRole {
            id: RoleId::new(),
            project_id: of,
            place,
            name: role.name.clone(),
            seats: role.seats,
            qualification: role.qualification.clone(),
            skills: Json(role.skills.clone()),
            hours: Json(role.hours.clone()),
        })
        .collect();
    store::replace_roles(conn, of, &rows)
}
