//! Projects, each with one role.

use uuid::Uuid;

use super::{Context, Field, Kind, Target, UNREAD, field, place, required, status};
use crate::error::{Code, Result};
use crate::imports::row::Row;
use crate::imports::store;
use crate::organizations::OrganizationId;
use crate::platform::db::Tx;
use crate::projects::{self, NewProject, NewRole, ProjectId, ProjectStatus, RoleSkill};
use crate::taxonomies::LifeCycle;

/// The seats of a role without a limit: as many as a role may have.
const MOST_SEATS: i32 = 10_000;

pub const FIELDS: &[Field] = &[
    required("title", Kind::Text),
    field("summary", Kind::Text),
    required("field", Kind::Text),
    required("life_cycle", Kind::Text),
    field("beneficiary_group", Kind::Text),
    required("starts_on", Kind::Date),
    field("ends_on", Kind::Date),
    field("region", Kind::Text),
    field("organization", Kind::Text),
    field("longitude", Kind::Number),
    field("latitude", Kind::Number),
    field("risk_notice", Kind::Text),
    field("minors", Kind::Truth),
    field("dangerous", Kind::Truth),
    field("insurance_policy", Kind::Text),
    field("insurance_from", Kind::Date),
    field("insurance_until", Kind::Date),
    field("claim_mode", Kind::Text),
    field("allows_person", Kind::Truth),
    field("claim_seats", Kind::Limit),
    field("role_name", Kind::Text),
    field("seats", Kind::Limit),
    field("skills", Kind::List),
    field("qualification", Kind::Text),
    field("status", Kind::Text),
];

pub fn write(
    tx: &mut Tx<'_>,
    context: &Context<'_>,
    row: &mut Row<'_>,
    known: Option<Uuid>,
) -> Result<Uuid> {
    let (longitude, latitude) = row.coordinate();
    let region = place(tx.conn, context, row, (longitude, latitude))?;
    let organization_id = match row.text("organization") {
        None => None,
        Some(key) => {
            let target = Target::Organizations;
            let link = store::link(tx.conn, target, context.source, &key)?;
            let id = link.map(|link| link.subject_id.0);
            let present = id.map(|id| target.present(tx.conn, id)).transpose()?;
            match present.flatten() {
                Some((_, region)) if context.reaches(tx.conn, region)? => {}
                Some(_) => row.refuse("organization", Code::OutsideYourRegions),
                None => row.refuse("organization", Code::UnknownReference),
            }
            id.map(OrganizationId)
        }
    };
    let (title, life_cycle) = (
        row.text("title").unwrap_or(UNREAD.to_owned()),
        row.choice("life_cycle"),
    );
    let (starts_on, ends_on) = (row.date("starts_on"), row.date("ends_on"));
    let skill = |skill| RoleSkill {
        skill,
        level: 1,
        required: false,
        importance: 1,
    };
    let seats = row.limit("seats", MOST_SEATS);
    let unsaid = if row.is_wrong("seats") { MOST_SEATS } else { 1 };
    let role = NewRole {
        name: row.text("role_name").unwrap_or("志愿者".to_owned()),
        seats: seats.unwrap_or(unsaid),
        qualification: row.text("qualification"),
        skills: row.list("skills").into_iter().map(skill).collect(),
        hours: Vec::new(),
    };
    let (insured_from, insured_until) = (row.date("insurance_from"), row.date("insurance_until"));
    let (beneficiary_group, claim_mode) =
        (row.choice("beneficiary_group"), row.choice("claim_mode"));
    let claim_seats = row.limit("claim_seats", 100);
    let (minors, dangerous) = (row.truth("minors"), row.truth("dangerous"));
    let allows_person = row.truth("allows_person");
    let status = status(context, row, (ProjectStatus::Draft, ProjectStatus::Open));
    // a day that could not be read is as good as the other one
    let starts_on = starts_on.or(ends_on).unwrap_or(tx.today());
    let new = NewProject {
        batch_id: None,
        region_id: region,
        organization_id,
        summary: row.text("summary").unwrap_or(title.clone()),
        title,
        field: row.text("field").unwrap_or_default(),
        life_cycle: life_cycle.unwrap_or(LifeCycle::Support),
        beneficiary_group,
        risk_notice: row.text("risk_notice").unwrap_or_default(),
        minors,
        dangerous,
        party_only: false,
        insurance_policy: row.text("insurance_policy"),
        insurance_from: insured_from,
        insurance_until: insured_until,
        claim_mode,
        allows_person,
        claim_seats,
        starts_on,
        ends_on: ends_on.unwrap_or(starts_on),
        longitude,
        latitude,
        roles: vec![role],
    };
    let known = known.map(ProjectId);
    let made = projects::import(tx, context.actor, context.author, known, &new, status);
    row.finish(made).map(|project| project.id.0)
}
