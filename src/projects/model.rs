use chrono::NaiveDate;
use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use super::campaigns::BatchId;
use crate::identity::AccountId;
use crate::organizations::OrganizationId;
use crate::platform::clock::Instant;
use crate::platform::columns::Json;
use crate::regions::RegionId;
use crate::schema::{project_roles, projects};
use crate::taxonomies::{BeneficiaryGroup, LifeCycle};
use crate::volunteers::Window;
use crate::{id, text_enum};

id! {
    /// Names a project.
    ProjectId
}
id! {
    /// Names a role of a project.
    RoleId
}

text_enum! {
    /// Where a project stands.
    ProjectStatus {
        /// Being written.
        Draft,
        /// Waits for the review.
        Submitted,
        /// Sent back with a reason.
        Returned,
        /// Reviewed; opens with its batch, or when its publisher opens it.
        Approved,
        /// Can be claimed, inside its batch's window.
        Open,
        /// Every claim seat is held.
        Claimed,
        /// Being carried out.
        Running,
        /// Stopped for a while.
        Suspended,
        /// Reported; waits for the publisher.
        Completing,
        /// Reported and accepted.
        Completed,
        /// Completed, and kept for the record.
        Archived,
        /// Ended before it was completed.
        Cancelled,
    }
}

text_enum! {
    /// How a claim is decided on.
    ClaimMode {
        /// An eligible claimant holds the seat at once; later ones wait in line.
        FirstCome,
        /// Applications compete; the publisher picks.
        Reviewed,
    }
}

/// A project.
#[derive(Clone, Debug, Queryable, Selectable, Identifiable, Insertable, AsChangeset)]
#[diesel(table_name = projects, treat_none_as_null = true)]
pub struct Project {
    /// Its id.
    pub id: ProjectId,
    /// The batch it is published with.
    pub batch_id: Option<BatchId>,
    /// Where it is carried out.
    pub region_id: RegionId,
    /// The organisation that published it; none when the region itself did.
    pub organization_id: Option<OrganizationId>,
    /// Who wrote it down.
    pub author_id: AccountId,
    /// In a few words.
    pub title: String,
    /// In more words.
    pub summary: String,
    /// Its field, a code of the taxonomy.
    pub field: String,
    /// The livelihood goal it serves first.
    pub life_cycle: LifeCycle,
    /// Whom it is for.
    pub beneficiary_group: Option<BeneficiaryGroup>,
    /// What volunteers must know before they come.
    pub risk_notice: String,
    /// Whether it is work with minors: volunteers are vetted, and never alone.
    pub minors: bool,
    /// Whether it is dangerous: an insurance covers its dates.
    pub dangerous: bool,
    /// Whether it is an internal Party activity.
    pub party_only: bool,
    /// The insurance policy, for dangerous work.
    pub insurance_policy: Option<String>,
    /// The first day it covers.
    pub insurance_from: Option<NaiveDate>,
    /// The last day it covers.
    pub insurance_until: Option<NaiveDate>,
    /// How a claim is decided on.
    pub claim_mode: ClaimMode,
    /// Whether a person may claim it, beside organisations.
    pub allows_person: bool,
    /// How many may hold a claim at once.
    pub claim_seats: i32,
    /// Its first day.
    pub starts_on: NaiveDate,
    /// Its last day.
    pub ends_on: NaiveDate,
    /// Where it is carried out, degrees east.
    pub longitude: Option<f64>,
    /// Where it is carried out, degrees north.
    pub latitude: Option<f64>,
    /// Where it stands.
    pub status: ProjectStatus,
    /// Since when.
    pub status_since: Instant,
    /// When the public found it first.
    pub published_at: Option<Instant>,
    /// Counts its changes.
    pub version: i32,
    /// When it was written down.
    pub created_at: Instant,
}

/// A skill that a role asks for.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct RoleSkill {
    /// A code of the taxonomy.
    #[schema(example = "health.first_aid")]
    #[validate(length(min = 1, max = 60))]
    pub skill: String,
    /// How well: 1 can help, 2 can do it alone, 3 can teach it.
    #[serde(default = "one")]
    #[validate(range(min = 1, max = 3))]
    pub level: i32,
    /// Whether nobody takes the role without it; else it is wished for.
    #[serde(default)]
    pub required: bool,
    /// How much it counts among the wished ones, 1 to 5.
    #[serde(default = "one")]
    #[validate(range(min = 1, max = 5))]
    pub importance: i32,
}

fn one() -> i32 {
    1
}

/// A role of a project: what its volunteers do, and how many.
#[derive(Clone, Debug, Queryable, Selectable, Identifiable, Insertable)]
#[diesel(table_name = project_roles)]
pub struct ProjectRole {
    /// Its id.
    pub id: RoleId,
    /// Whose.
    pub project_id: ProjectId,
    /// Its place among the project's roles.
    pub place: i32,
    /// What it is called.
    pub name: String,
    /// How many volunteers it takes.
    pub seats: i32,
    /// A kind of qualification its holder must have.
    pub qualification: Option<String>,
    /// The skills it asks for.
    pub skills: Json<Vec<RoleSkill>>,
    /// When in a week it is done; empty when it is not scheduled.
    pub hours: Json<Vec<Window>>,
}
