//! Changing a draft.

use chrono::NaiveDate;
use serde::Deserialize;
use utoipa::ToSchema;
use validator::Validate;

use super::super::model::{ClaimMode, Project, ProjectId, ProjectStatus};
use super::super::store;
use super::writing::{NewRole, check, may_publish, write_roles};
use super::{change, of_publisher, refusal};
use crate::error::{Code, Result, together};
use crate::identity::Caller;
use crate::platform::db::Tx;
use crate::platform::http::IfMatch;
use crate::platform::http::valid::{self, given};
use crate::projects::campaigns::BatchId;
use crate::regions::RegionId;
use crate::taxonomies::{BeneficiaryGroup, LifeCycle};

/// What an author changes about a draft. Absent keys leave a value alone, null removes it where
/// a project can be without; roles are given whole.
#[derive(Clone, Debug, Default, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct EditProject {
    /// The batch it is to be published with.
    #[serde(default, with = "serde_with::rust::double_option")]
    #[schema(value_type = Option<BatchId>)]
    pub batch_id: Option<Option<BatchId>>,
    /// Where it is carried out; one that the caller publishes in.
    #[serde(default, deserialize_with = "given")]
    #[schema(nullable = false)]
    pub region_id: Option<RegionId>,
    /// In a few words.
    #[validate(length(min = 2, max = 120))]
    #[serde(default, deserialize_with = "given")]
    #[schema(nullable = false)]
    pub title: Option<String>,
    /// In more words.
    #[validate(length(min = 2, max = 5000))]
    #[serde(default, deserialize_with = "given")]
    #[schema(nullable = false)]
    pub summary: Option<String>,
    /// Its field, a code of the taxonomy.
    #[serde(default, deserialize_with = "given")]
    #[schema(nullable = false)]
    pub field: Option<String>,
    /// The livelihood goal it serves first.
    #[serde(default, deserialize_with = "given")]
    #[schema(nullable = false)]
    pub life_cycle: Option<LifeCycle>,
    /// Whom it is for.
    #[serde(default, with = "serde_with::rust::double_option")]
    #[schema(value_type = Option<BeneficiaryGroup>)]
    pub beneficiary_group: Option<Option<BeneficiaryGroup>>,
    /// What volunteers must know before they come.
    #[validate(length(max = 5000))]
    #[serde(default, with = "serde_with::rust::double_option")]
    #[schema(value_type = Option<String>)]
    pub risk_notice: Option<Option<String>>,
    /// Whether it is work with minors.
    #[serde(default, deserialize_with = "given")]
    #[schema(nullable = false)]
    pub minors: Option<bool>,
    /// Whether it is dangerous.
    #[serde(default, deserialize_with = "given")]
    #[schema(nullable = false)]
    pub dangerous: Option<bool>,
    /// Whether it is an internal Party activity.
    #[serde(default, deserialize_with = "given")]
    #[schema(nullable = false)]
    pub party_only: Option<bool>,
    /// The insurance policy, for dangerous work.
    #[validate(length(min = 1, max = 200))]
    #[serde(default, with = "serde_with::rust::double_option")]
    #[schema(value_type = Option<String>)]
    pub insurance_policy: Option<Option<String>>,
    /// The first day it covers.
    #[serde(default, with = "serde_with::rust::double_option")]
    #[schema(value_type = Option<NaiveDate>)]
    pub insurance_from: Option<Option<NaiveDate>>,
    /// The last day it covers.
    #[serde(default, with = "serde_with::rust::double_option")]
    #[schema(value_type = Option<NaiveDate>)]
    pub insurance_until: Option<Option<NaiveDate>>,
    /// How a claim is decided on.
    #[serde(default, deserialize_with = "given")]
    #[schema(nullable = false)]
    pub claim_mode: Option<ClaimMode>,
    /// Whether a person may claim it, beside organisations.
    #[serde(default, deserialize_with = "given")]
    #[schema(nullable = false)]
    pub allows_person: Option<bool>,
    /// How many may hold a claim at once.
    #[validate(range(min = 1, max = 100))]
    #[serde(default, deserialize_with = "given")]
    #[schema(nullable = false)]
    pub claim_seats: Option<i32>,
    /// Its first day.
    #[serde(default, deserialize_with = "given")]
    #[schema(nullable = false)]
    pub starts_on: Option<NaiveDate>,
    /// Its last day.
    #[serde(default, deserialize_with = "given")]
    #[schema(nullable = false)]
    pub ends_on: Option<NaiveDate>,
    /// Where it is carried out, degrees east.
    #[validate(range(min = -180.0, max = 180.0))]
    #[serde(default, with = "serde_with::rust::double_option")]
    #[schema(value_type = Option<f64>)]
    pub longitude: Option<Option<f64>>,
    /// Where it is carried out, degrees north.
    #[validate(range(min = -90.0, max = 90.0))]
    #[serde(default, with = "serde_with::rust::double_option")]
    #[schema(value_type = Option<f64>)]
    pub latitude: Option<Option<f64>>,
    /// Its roles, whole.
    #[validate(length(max = 30), nested)]
    #[serde(default, deserialize_with = "given")]
    #[schema(nullable = false)]
    pub roles: Option<Vec<NewRole>>,
}

/// Changes a draft.
///
/// # Errors
/// `invalid` with every wrong field; `version_required`, `version_mismatch`; `move_not_allowed`
/// once it was submitted; `forbidden`; what keeps the organisation from acting, in another region
/// too.
pub fn edit(
    tx: &mut Tx<'_>,
    caller: &Caller,
    id: ProjectId,
    seen: &IfMatch,
    edit: &EditProject,
) -> Result<Project> {
    let mut project = of_publisher(tx.conn, caller, id)?;
    seen.expect(project.version)?;
    if project.status != ProjectStatus::Draft {
        return Err(refusal(tx.conn, &project, caller.actor()));
    }
    let well_formed = valid::check(edit, "");
    let edit = edit.clone();
    project.batch_id = edit.batch_id.unwrap_or(project.batch_id);
    let kept = Some(project.region_id);
    let moves_to = edit.region_id.filter(|region| *region != project.region_id);
    project.region_id = edit.region_id.unwrap_or(project.region_id);
    project.title = edit
        .title
        .map_or(project.title, |title| title.trim().to_owned());
    project.summary = edit.summary.unwrap_or(project.summary);
    project.field = edit.field.unwrap_or(project.field);
    project.life_cycle = edit.life_cycle.unwrap_or(project.life_cycle);
    project.risk_notice = match edit.risk_notice {
        Some(notice) => notice.unwrap_or_default(),
        None => project.risk_notice,
    };
    project.beneficiary_group = edit.beneficiary_group.unwrap_or(project.beneficiary_group);
    project.minors = edit.minors.unwrap_or(project.minors);
    project.dangerous = edit.dangerous.unwrap_or(project.dangerous);
    project.party_only = edit.party_only.unwrap_or(project.party_only);
    project.insurance_policy = edit.insurance_policy.unwrap_or(project.insurance_policy);
    project.insurance_from = edit.insurance_from.unwrap_or(project.insurance_from);
    project.insurance_until = edit.insurance_until.unwrap_or(project.insurance_until);
    project.claim_mode = edit.claim_mode.unwrap_or(project.claim_mode);
    project.allows_person = edit.allows_person.unwrap_or(project.allows_person);
    project.claim_seats = edit.claim_seats.unwrap_or(project.claim_seats);
    project.starts_on = edit.starts_on.unwrap_or(project.starts_on);
    project.ends_on = edit.ends_on.unwrap_or(project.ends_on);
    project.longitude = edit.longitude.unwrap_or(project.longitude);
    project.latitude = edit.latitude.unwrap_or(project.latitude);
    let roles = edit.roles.as_deref().unwrap_or_default();
    together([well_formed, check(tx, &project, kept, roles)])?;
    if let Some(region) = moves_to {
        may_publish(tx.conn, caller, project.organization_id, region)?;
    }
    if let Some(roles) = &edit.roles {
        write_roles(tx.conn, id, roles)?;
    }
    if !store::save(tx.conn, &project)? {
        return Err(Code::VersionMismatch.into());
    }
    tx.journal(change(&project, caller.actor(), "edit"))?;
    store::project(tx.conn, id)
}
