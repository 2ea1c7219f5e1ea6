//! Campaigns, and their batches with claim windows. 「微民生·益起来」 is a campaign, its first twenty
//! projects a batch.
//!
//! ```text
//! batch:  draft ──publish──▶ published      its approved projects open; later ones when approved
//! ```

pub mod http;
mod model;
mod service;
mod store;

pub use model::{Batch, BatchId, BatchStatus, Campaign, CampaignId};
pub use service::batch as visible_batch;
pub use service::{
    EditBatch, NewBatch, NewCampaign, create, create_batch, edit_batch, is_published, publish,
};
pub use store::{batch, batches};
