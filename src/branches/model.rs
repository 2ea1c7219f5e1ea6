use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use crate::platform::clock::Instant;
use crate::regions::RegionId;
use crate::schema::party_branches;
use crate::{id, text_enum};

id! {
    /// Names a Party branch.
    BranchId
}

text_enum! {
    /// Where a Party branch stands.
    BranchStatus {
        /// Takes declarations.
        Active,
        /// Gone; the row stays for what refers to it.
        Dissolved,
    }
}

/// The row of a Party branch.
#[derive(Clone, Debug, Queryable, Selectable, Identifiable, Insertable)]
#[diesel(table_name = party_branches)]
pub struct Branch {
    /// Its name for machines.
    pub id: BranchId,
    /// Its code in the Party's own books, unique also among dissolved ones.
    pub code: String,
    /// Its name for people.
    pub name: String,
    /// Where it is; its staff set up the branch and appoint secretaries.
    pub region_id: RegionId,
    /// The branch above it.
    pub parent_id: Option<BranchId>,
    /// Where it stands.
    pub status: BranchStatus,
    /// Counts changes.
    pub version: i32,
    /// When it was set up here.
    pub created_at: Instant,
}

/// A Party branch to be set up.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(as = NewPartyBranch)]
pub struct NewBranch {
    /// Its code in the Party's own books.
    #[validate(length(min = 1, max = 40))]
    pub code: String,
    /// Its name for people.
    #[schema(example = "示例社区第一党支部")]
    #[validate(length(min = 2, max = 100))]
    pub name: String,
    /// Where it is.
    pub region_id: RegionId,
    /// The branch above it; its region holds this one's.
    pub parent_id: Option<BranchId>,
}

/// A Party branch as signed-in callers see it.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = PartyBranch)]
pub struct BranchView {
    /// Its id.
    pub id: BranchId,
    /// Its code in the Party's own books.
    pub code: String,
    /// Its name.
    pub name: String,
    /// Where it is.
    pub region_id: RegionId,
    /// The branch above it.
    pub parent_id: Option<BranchId>,
    /// Where it stands.
    pub status: BranchStatus,
}

impl From<Branch> for BranchView {
    fn from(branch: Branch) -> Self {
        Self {
            id: branch.id,
            code: branch.code,
            name: branch.name,
            region_id: branch.region_id,
            parent_id: branch.parent_id,
            status: branch.status,
        }
    }
}
