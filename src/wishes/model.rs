use chrono::NaiveDate;
use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use crate::identity::AccountId;
use crate::organizations::OrganizationId;
use crate::platform::clock::Instant;
use crate::regions::RegionId;
use crate::schema::{wish_claims, wish_evidence, wishes};
use crate::taxonomies::{BeneficiaryGroup, LifeCycle};
use crate::{id, text_enum};

id! {
    /// Names a wish.
    WishId
}
id! {
    /// Names a claim of a wish.
    ClaimId
}
id! {
    /// Names a photo that shows a delivery.
    EvidenceId
}

text_enum! {
    /// Where a wish stands.
    WishStatus {
        Draft, Submitted, Published, Rejected, Claimed, Delivered, Disputed, Fulfilled, Closed,
        Withdrawn, Expired,
    }
}

text_enum! {
    /// What is wished for. Never money.
    WishKind {
        /// A thing, up to the configured value.
        Goods,
        /// Somebody's time and skill.
        Service,
    }
}

text_enum! {
    /// How the beneficiary agreed that the wish is posted.
    ConsentChannel {
        /// The beneficiary posts it.
        App,
        /// A signed form, kept by the proxy.
        Paper,
        /// By word of mouth, to the proxy.
        Oral,
    }
}

text_enum! {
    /// Who said that a wish came true.
    FulfilledBy {
        /// The beneficiary, signed in or by link.
        Beneficiary,
        /// Somebody who stands in for the beneficiary.
        Proxy,
        /// Nobody objected in time. Counted apart.
        Timeout,
    }
}

text_enum! {
    /// How a claim ended.
    ClaimOutcome { Fulfilled, Released, Lapsed, Freed, Withdrawn }
}

/// A wish.
#[derive(Clone, Debug, Queryable, Selectable, Identifiable, Insertable)]
#[diesel(table_name = wishes)]
pub struct Wish {
    /// Its name for machines.
    pub id: WishId,
    /// Where the beneficiary lives: a grid or a community.
    pub region_id: RegionId,
    /// Who posted it.
    pub author_id: AccountId,
    /// Whom it is for, when that person has an account.
    pub beneficiary_id: Option<AccountId>,
    /// A sealed [`Contact`].
    pub contact: Vec<u8>,
    /// How the beneficiary agreed.
    pub consent_channel: ConsentChannel,
    /// What the public calls the beneficiary.
    pub alias: String,
    /// Whom it is for.
    pub beneficiary_group: BeneficiaryGroup,
    /// The livelihood goal it serves.
    pub life_cycle: LifeCycle,
    /// Goods or a service.
    pub kind: WishKind,
    /// In a few words.
    pub title: String,
    /// In more words.
    pub description: String,
    /// What goods are worth, in fen.
    pub value_fen: Option<i64>,
    /// Degrees east; for matching and sorting, never shown.
    pub longitude: Option<f64>,
    /// Degrees north; for matching and sorting, never shown.
    pub latitude: Option<f64>,
    /// The last day on which it is open, in the district's zone.
    pub expires_on: Option<NaiveDate>,
    /// Where it stands.
    pub status: WishStatus,
    /// Since when it stands there.
    pub status_since: Instant,
    /// When it was last handed in; before, it is its author's alone.
    pub submitted_at: Option<Instant>,
    /// When the clock moves it on.
    pub due_at: Option<Instant>,
    /// Who said it came true.
    pub fulfilled_by: Option<FulfilledBy>,
    /// When that was said.
    pub fulfilled_at: Option<Instant>,
    /// When the public found it first.
    pub published_at: Option<Instant>,
    /// Counts its changes.
    pub version: i32,
    /// When it was written.
    pub created_at: Instant,
}

/// How to reach a beneficiary. Kept sealed, shown to the live claimant and to those who post.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct Contact {
    /// The beneficiary's name.
    #[validate(length(min = 1, max = 50))]
    pub name: String,
    /// A mobile number.
    #[validate(length(min = 1, max = 32))]
    pub phone: String,
    /// Where to deliver.
    #[validate(length(min = 1, max = 200))]
    pub address: String,
}

/// Somebody's claim of a wish.
#[derive(Clone, Debug, Queryable, Selectable, Identifiable, Insertable)]
// written in full, so that the statement stays prepared
#[diesel(table_name = wish_claims, treat_none_as_default_value = false)]
pub struct Claim {
    /// Its name.
    pub id: ClaimId,
    /// Of which wish.
    pub wish_id: WishId,
    /// Whose.
    pub claimant_id: AccountId,
    /// Since when.
    pub claimed_at: Instant,
    /// Until when to deliver.
    pub lease_until: Instant,
    /// When it ended.
    pub ended_at: Option<Instant>,
    /// How it ended.
    pub outcome: Option<ClaimOutcome>,
    /// The organisation it is made for; none when a person claims.
    pub organization_id: Option<OrganizationId>,
}

/// A photo that shows a delivery.
#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = wish_evidence)]
pub struct Evidence {
    /// Its name.
    pub id: EvidenceId,
    /// Of which wish.
    pub wish_id: WishId,
    /// Of which claim.
    pub claim_id: ClaimId,
    /// The photo's key in the file store.
    pub photo: String,
    /// The thumbnail's key.
    pub thumbnail: String,
    /// When it was added.
    pub created_at: Instant,
}
