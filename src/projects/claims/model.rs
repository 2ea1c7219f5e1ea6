use diesel::prelude::*;

use crate::identity::AccountId;
use crate::organizations::OrganizationId;
use crate::platform::clock::Instant;
use crate::projects::model::ProjectId;
use crate::schema::{claim_photos, claim_progress, project_claims};
use crate::{id, text_enum};

id! {
    /// Names a claim of a project.
    ClaimId
}
id! {
    /// Names an entry of progress.
    ProgressId
}
id! {
    /// Names a photo of a claim.
    PhotoId
}

text_enum! {
    /// Where a claim stands.
    ClaimStatus {
        /// Competes with others for the publisher's choice.
        Applied,
        /// In line for a seat that gets free.
        Waitlisted,
        /// Holds a seat; the plan is due.
        Approved,
        /// The plan is in.
        Planned,
        /// Being carried out.
        Executing,
        /// Waits for the publisher to accept the report.
        Reported,
        /// The report was accepted.
        Fulfilled,
        /// Not chosen, or in line to the project's end.
        Rejected,
        /// Taken back by the claimant.
        Withdrawn,
        /// The lease ran out.
        Expired,
        /// Taken away.
        Revoked,
    }
}

/// A claim of a project.
#[derive(Clone, Debug, Queryable, Selectable, Identifiable, Insertable, AsChangeset)]
#[diesel(table_name = project_claims, treat_none_as_null = true)]
pub struct ProjectClaim {
    /// Its id.
    pub id: ClaimId,
    /// Of which project.
    pub project_id: ProjectId,
    /// The organisation that claims; none when a person does.
    pub organization_id: Option<OrganizationId>,
    /// The person who claims; none when an organisation does.
    pub person_id: Option<AccountId>,
    /// Who applied.
    pub applied_by: AccountId,
    /// What the claimant proposes.
    pub proposal: String,
    /// Where it stands.
    pub status: ClaimStatus,
    /// Since when.
    pub status_since: Instant,
    /// Which of the project's claim seats it holds, from 1.
    pub seat: Option<i32>,
    /// When the lease runs out.
    pub lease_until: Option<Instant>,
    /// How the claimant will do it.
    pub plan: Option<String>,
    /// What was done.
    pub report: Option<String>,
    /// How many people were served, as reported.
    pub people_served: Option<i64>,
    /// When it ended.
    pub ended_at: Option<Instant>,
    /// Counts its changes.
    pub version: i32,
    /// When it was made: its place in the line.
    pub created_at: Instant,
}

/// An entry that shows progress and renews the lease.
#[derive(Clone, Debug, Queryable, Selectable, Identifiable, Insertable)]
#[diesel(table_name = claim_progress)]
pub struct Progress {
    /// Its id.
    pub id: ProgressId,
    /// Of which claim.
    pub claim_id: ClaimId,
    /// Who wrote it.
    pub author_id: AccountId,
    /// What was done.
    pub body: String,
    /// When it was written.
    pub created_at: Instant,
}

/// A photo of a claim.
#[derive(Clone, Debug, Queryable, Selectable, Identifiable, Insertable)]
#[diesel(table_name = claim_photos)]
pub struct Photo {
    /// Its id.
    pub id: PhotoId,
    /// Of which claim.
    pub claim_id: ClaimId,
    /// The entry that shows it.
    pub progress_id: Option<ProgressId>,
    /// Whether the completion report shows it.
    pub in_report: bool,
    /// Its key in the file store.
    pub photo: String,
    /// Its thumbnail's key in the file store.
    pub thumbnail: String,
    /// When it was added.
    pub created_at: Instant,
}
