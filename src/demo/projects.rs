//! The first batch: the six projects that the press has named and fourteen invented ones, some of
//! them claimed, some with a crew.

use chrono::TimeDelta;
use serde::Deserialize;

use super::organizations::{Loaded, named};
use super::people::{Names, VOLUNTEERS, acting, by_email, volunteer};
use super::region;
use crate::app::App;
use crate::error::Result;
use crate::identity::Caller;
use crate::organizations::OrganizationKind;
use crate::platform::db::Tx;
use crate::platform::files::StoredPhoto;
use crate::platform::http::IfMatch;
use crate::projects::campaigns::{self, BatchId, NewBatch, NewCampaign};
use crate::projects::claims::{self, Application, NewProgress, Plan};
use crate::projects::crews::{self, NewMember};
use crate::projects::{self, ClaimMode, Desk, NewProject, NewRole, ProjectId, RoleSkill};
use crate::taxonomies::{BeneficiaryGroup, LifeCycle};
use crate::volunteers::{self, Window};

#[derive(Deserialize)]
pub(super) struct ProjectFile {
    campaign: Titled,
    batch: Titled,
    pub project: Vec<ProjectRow>,
}

#[derive(Clone, Deserialize)]
struct Titled {
    title_zh: String,
}

#[derive(Clone, Deserialize)]
pub(super) struct ProjectRow {
    title_zh: String,
    summary_zh: String,
    field: String,
    life_cycle: LifeCycle,
    beneficiary_group: Option<BeneficiaryGroup>,
    region: String,
    longitude: f64,
    latitude: f64,
    risk_notice_zh: String,
    minors: bool,
    dangerous: bool,
    claim_mode: ClaimMode,
    allows_person: bool,
    claimed_by: Option<String>,
    roles: Vec<RoleRow>,
}

#[derive(Clone, Deserialize)]
struct RoleRow {
    name_zh: String,
    seats: i32,
    skills: Vec<String>,
    qualification: Option<String>,
}

impl ProjectFile {
    /// Every skill that some role asks for.
    pub fn skills(&self) -> Vec<String> {
        let roles = self.project.iter().flat_map(|project| &project.roles);
        let mut skills: Vec<_> = roles.flat_map(|role| role.skills.clone()).collect();
        skills.sort();
        skills.dedup();
        skills
    }
}

/// How many of the projects are claimed.
const CLAIMED: usize = 12;

/// Publishes the batch, lets organisations claim some of its projects, and returns it.
pub(super) async fn load(
    app: &App,
    file: ProjectFile,
    organizations: &[Loaded],
    names: &Names,
    photo: &StoredPhoto,
) -> Result<BatchId> {
    let (campaign, batch) = (file.campaign.clone(), file.batch.clone());
    let batch = app
        .platform
        .db
        .write(move |tx| make_batch(tx, &campaign, &batch))
        .await?;
    let mut published = Vec::new();
    for (number, row) in file.project.iter().cloned().enumerate() {
        let write = app
            .platform
            .db
            .write(move |tx| publish(tx, &row, batch, number));
        published.push(write.await?);
    }
    app.platform
        .db
        .write(move |tx| {
            let district = district(tx)?;
            campaigns::publish(tx, &district, batch).map(|_| ())
        })
        .await?;
    let mut others = organizations.iter().filter(|o| may_claim_anywhere(o.kind));
    for (number, (row, id)) in file
        .project
        .into_iter()
        .zip(published)
        .take(CLAIMED)
        .enumerate()
    {
        let claimant = match &row.claimed_by {
            Some(key) => Some(named(organizations, key)?),
            None => others.next(),
        };
        let Some(claimant) = claimant else { continue };
        let (organization, manager) = (claimant.id, claimant.manager.clone());
        let (desk, names, photo) = (app.projects.clone(), names.clone(), photo.clone());
        let write = app.platform.db.write(move |tx| {
            let manager = by_email(tx, &manager)?;
            let leader = acting(tx, manager)?;
            let new = Application {
                organization_id: Some(organization),
                proposal: "示例：我们有经验，也有人手。".to_owned(),
            };
            carry_out(tx, &desk, &leader, id, &new, &row, number, &photo, &names)
        });
        write.await?;
    }
    Ok(batch)
}

/// A filed organisation stays inside its street, and the sample projects are all over the district.
fn may_claim_anywhere(kind: OrganizationKind) -> bool {
    matches!(
        kind,
        OrganizationKind::Registered | OrganizationKind::VolunteerTeam
    )
}

/// Who publishes the batch.
pub(super) fn district(tx: &mut Tx<'_>) -> Result<Caller> {
    let district = by_email(tx, "district@demo.invalid")?;
    acting(tx, district)
}

fn make_batch(tx: &mut Tx<'_>, campaign: &Titled, batch: &Titled) -> Result<BatchId> {
    let district = district(tx)?;
    let new = NewCampaign {
        region_id: region(tx, "330206")?,
        name: campaign.title_zh.clone(),
        introduction: "民生项目集中发布，社会组织认领，志愿者参与。".to_owned(),
    };
    let campaign = campaigns::create(tx, &district, &new)?;
    let new = NewBatch {
        name: batch.title_zh.clone(),
        opens_at: tx.now,
        closes_at: tx.now + TimeDelta::days(90),
    };
    Ok(campaigns::create_batch(tx, &district, campaign.id, &new)?.id)
}

/// Writes a project down for its region, and lets somebody else approve it.
fn publish(tx: &mut Tx<'_>, row: &ProjectRow, batch: BatchId, number: usize) -> Result<ProjectId> {
    let author = district(tx)?;
    let today = tx.today();
    let (starts_on, ends_on) = (today + TimeDelta::days(7), today + TimeDelta::days(300));
    let new = NewProject {
        batch_id: Some(batch),
        region_id: region(tx, &row.region)?,
        organization_id: None,
        title: row.title_zh.clone(),
        summary: row.summary_zh.clone(),
        field: row.field.clone(),
        life_cycle: row.life_cycle,
        beneficiary_group: row.beneficiary_group,
        risk_notice: row.risk_notice_zh.clone(),
        minors: row.minors,
        dangerous: row.dangerous,
        party_only: false,
        insurance_policy: row.dangerous.then(|| "示例保单001号".to_owned()),
        insurance_from: row.dangerous.then_some(starts_on),
        insurance_until: row.dangerous.then_some(ends_on),
        claim_mode: Some(row.claim_mode),
        allows_person: row.allows_person,
        claim_seats: None,
        starts_on,
        ends_on,
        longitude: Some(row.longitude),
        latitude: Some(row.latitude),
        roles: row.roles.iter().map(|role| as_role(role, number)).collect(),
    };
    let id = projects::create(tx, &author, &new)?.id;
    let submitted = projects::submit(tx, &author, id)?;
    let reviewer = by_email(tx, "reviewer@demo.invalid")?;
    let reviewer = acting(tx, reviewer)?;
    projects::approve(tx, &reviewer, id, &IfMatch::read(submitted.version))?;
    Ok(id)
}

fn as_role(role: &RoleRow, number: usize) -> NewRole {
    let skills = role.skills.iter().enumerate().map(|(n, skill)| RoleSkill {
        skill: skill.clone(),
        level: 1,
        required: n == 0,
        importance: 1,
    });
    let hours = if number.is_multiple_of(2) {
        Window {
            weekday: 6,
            from_minute: 9 * 60,
            to_minute: 11 * 60,
        }
    } else {
        let weekday = i32::try_from(1 + number % 5).unwrap_or(1);
        Window {
            weekday,
            from_minute: 18 * 60 + 30,
            to_minute: 20 * 60,
        }
    };
    NewRole {
        name: role.name_zh.clone(),
        seats: role.seats,
        qualification: role.qualification.clone(),
        skills: skills.collect(),
        hours: vec![hours],
    }
}

#[allow(clippy::too_many_arguments)] // one story, told once
fn carry_out(
    tx: &mut Tx<'_>,
    desk: &Desk,
    leader: &Caller,
    project: ProjectId,
    new: &Application,
    row: &ProjectRow,
    number: usize,
    photo: &StoredPhoto,
    names: &Names,
) -> Result<()> {
    let claim = claims::apply(tx, desk, leader, project, new)?;
    if row.claim_mode == ClaimMode::Reviewed {
        let district = district(tx)?;
        claims::approve(tx, desk, &district, claim.id)?;
    }
    if !row.minors {
        fill_crew(tx, desk, leader, project, claim.id, number, names)?;
    }
    if number.is_multiple_of(4) {
        return Ok(());
    }
    let plan = Plan {
        plan: "示例：每周一次，先走访，再安排活动。".to_owned(),
    };
    claims::plan(tx, desk, leader, claim.id, &plan)?;
    // work with minors begins once its crew is vetted, which nobody in the sample district is
    if number % 4 == 1 || row.minors {
        return Ok(());
    }
    claims::start(tx, desk, leader, claim.id)?;
    if number % 4 == 3 {
        let shown = claims::add_photo(tx, desk, leader, claim.id, photo)?.id;
        let body = "示例：第一次活动已经开展。".to_owned();
        let progress = NewProgress {
            body,
            photos: vec![shown],
        };
        claims::add_progress(tx, desk, leader, claim.id, &progress)?;
    }
    Ok(())
}

/// Lets a few volunteers who have what a role asks for apply, and the leader accept them.
fn fill_crew(
    tx: &mut Tx<'_>,
    desk: &Desk,
    leader: &Caller,
    project: ProjectId,
    claim: claims::ClaimId,
    number: usize,
    names: &Names,
) -> Result<()> {
    let mut next = number * 50;
    for role in projects::roles(tx.conn, project)? {
        if role.qualification.is_some() {
            continue;
        }
        let wanted = (role.seats / 3).clamp(1, 4);
        let mut found = 0;
        while found < wanted && next < number * 50 + 50 {
            let person = volunteer(tx, names, next % VOLUNTEERS)?;
            next += 1;
            let Some((profile, _)) = volunteers::profile(tx.conn, person.account)? else {
                continue;
            };
            let mut required = role.skills.0.iter().filter(|asked| asked.required);
            if !required.all(|asked| profile.skills.iter().any(|has| has.skill == asked.skill)) {
                continue;
            }
            let new = NewMember {
                role_id: role.id,
                note: "示例：我愿意参加。".to_owned(),
            };
            let place = crews::apply(tx, desk, &person, claim, &new)?;
            crews::accept(tx, desk, leader, place.id)?;
            found += 1;
        }
    }
    Ok(())
}
