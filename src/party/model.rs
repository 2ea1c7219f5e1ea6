use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use crate::branches::BranchId;
use crate::identity::{AccountId, ConsentId};
use crate::platform::clock::Instant;
use crate::schema::party_memberships;
use crate::{id, text_enum};

id! {
    /// Names a Party membership.
    MembershipId
}

text_enum! {
    /// How a person stands to the Party.
    Standing {
        /// 党员
        Member,
        /// 预备党员
        ProbationaryMember,
        /// 入党积极分子
        Applicant,
    }
}

text_enum! {
    /// Where a membership stands.
    MembershipStatus {
        /// Said by the person.
        Declared,
        /// Confirmed by the branch's secretary.
        Verified,
        /// Not confirmed.
        Rejected,
        /// No more; the standing is forgotten.
        Ended,
    }
}

/// The row of a membership. A person has one at the most.
#[derive(Clone, Debug, Queryable, Selectable, Identifiable, Insertable)]
#[diesel(table_name = party_memberships)]
pub struct Membership {
    /// Its name.
    pub id: MembershipId,
    /// Whose.
    pub account_id: AccountId,
    /// Whose secretary verifies it.
    pub branch_id: BranchId,
    /// The consent it is kept under.
    pub consent_id: ConsentId,
    /// A [`Standing`], sealed; none once the membership has ended.
    pub standing: Option<Vec<u8>>,
    /// Where it stands.
    pub status: MembershipStatus,
    /// Why it was rejected or ended, sealed.
    pub reason: Option<Vec<u8>>,
    /// The secretary who verified, rejected or ended it.
    pub decided_by: Option<AccountId>,
    /// When.
    pub decided_at: Option<Instant>,
    /// When it was declared.
    pub created_at: Instant,
}

/// A membership to be declared.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(as = NewPartyMembership)]
pub struct NewMembership {
    /// An active branch.
    pub branch_id: BranchId,
    /// How one stands to the Party.
    pub standing: Standing,
}

/// One's own membership.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PartyMembership)]
pub struct MembershipView {
    /// Its id.
    pub id: MembershipId,
    /// The branch it was declared to.
    pub branch_id: BranchId,
    /// That branch's name.
    pub branch_name: String,
    /// How one stands to the Party; none once it has ended.
    pub standing: Option<Standing>,
    /// Where it stands.
    pub status: MembershipStatus,
    /// Why it was rejected or ended.
    pub reason: Option<String>,
    /// When the branch's secretary verified, rejected or ended it.
    pub decided_at: Option<Instant>,
    /// When it was declared.
    pub declared_at: Instant,
}

text_enum! {
    /// The memberships that a branch's secretary can list; what was rejected or has ended is for
    /// the person alone.
    Listed {
        /// Those that wait for the secretary.
        Declared,
        /// Those that were confirmed.
        Verified,
    }
}

impl From<Listed> for MembershipStatus {
    fn from(listed: Listed) -> Self {
        match listed {
            Listed::Declared => Self::Declared,
            Listed::Verified => Self::Verified,
        }
    }
}

/// A person on a branch's list, as its secretary sees it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PartyBranchMember)]
pub struct MemberView {
    /// The membership's id.
    pub id: MembershipId,
    /// Whose.
    pub account_id: AccountId,
    /// What the person is called.
    pub name: String,
    /// How the person stands to the Party.
    pub standing: Standing,
    /// Where the membership stands.
    pub status: MembershipStatus,
    /// When it was declared.
    pub declared_at: Instant,
}

/// What a secretary decided, without the standing: this answer is kept for its idempotency key.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PartyMembershipDecision)]
pub struct Decision {
    /// The membership's id.
    pub id: MembershipId,
    /// Where it stands now.
    pub status: MembershipStatus,
    /// When that was decided.
    pub decided_at: Option<Instant>,
}

impl From<Membership> for Decision {
    fn from(row: Membership) -> Self {
        Self {
            id: row.id,
            status: row.status,
            decided_at: row.decided_at,
        }
    }
}
