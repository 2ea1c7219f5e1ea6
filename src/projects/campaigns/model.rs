use diesel::prelude::*;

use crate::identity::AccountId;
use crate::platform::clock::Instant;
use crate::regions::RegionId;
use crate::schema::{batches, campaigns};
use crate::{id, text_enum};

id! {
    /// Names a campaign.
    CampaignId
}
id! {
    /// Names a batch of projects.
    BatchId
}

text_enum! {
    /// Where a batch stands.
    BatchStatus {
        /// Being put together.
        Draft,
        /// Its approved projects are open, inside its window.
        Published,
    }
}

/// A campaign: a name under which batches of projects are published.
#[derive(Clone, Debug, Queryable, Selectable, Identifiable, Insertable)]
#[diesel(table_name = campaigns)]
pub struct Campaign {
    /// Its id.
    pub id: CampaignId,
    /// The region it is for.
    pub region_id: RegionId,
    /// Its name.
    pub name: String,
    /// A few words about it.
    pub introduction: String,
    /// Who made it.
    pub created_by: AccountId,
    /// Counts its changes.
    pub version: i32,
    /// When it was made.
    pub created_at: Instant,
}

/// A batch of projects that are published together.
#[derive(Clone, Debug, Queryable, Selectable, Identifiable, Insertable)]
#[diesel(table_name = batches)]
pub struct Batch {
    /// Its id.
    pub id: BatchId,
    /// Of which campaign.
    pub campaign_id: CampaignId,
    /// Its name.
    pub name: String,
    /// From when its projects may be claimed.
    pub opens_at: Instant,
    /// Until when, not included.
    pub closes_at: Instant,
    /// Where it stands.
    pub status: BatchStatus,
    /// Counts its changes.
    pub version: i32,
    /// When it was made.
    pub created_at: Instant,
}
