//! Whether a region demands a review of activities.

use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;
use validator::Validate;

use super::super::model::Policy;
use super::super::store;
use crate::error::{Code, Result};
use crate::identity::{Caller, Role};
use crate::platform::db::Tx;
use crate::platform::journal::Change;
use crate::regions::{self, RegionId};

/// What a region demands of activities in it and below it.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(as = SetActivityPolicy)]
pub struct SetPolicy {
    /// Whether they are published after a review.
    pub review: bool,
}

/// Says what a region demands. What is published stays so; what was handed in is reviewed.
///
/// # Errors
/// `not_found`, `forbidden`.
pub fn set_policy(
    tx: &mut Tx<'_>,
    caller: &Caller,
    region: RegionId,
    new: &SetPolicy,
) -> Result<Policy> {
    regions::by_id(tx.conn, region)?;
    if !caller.holds_in_region(tx.conn, &[Role::RegionAdmin], region)? {
        return Err(Code::Forbidden.into());
    }
    tx.serialize_on(&format!("activity policy:{region}"))?;
    if let Some(known) = store::policy(tx.conn, region)?
        && known.review == new.review
    {
        return Ok(known);
    }
    let policy = Policy {
        region_id: region,
        review: new.review,
        set_by: caller.account,
        set_at: tx.now,
    };
    store::set_policy(tx.conn, &policy)?;
    tx.journal(
        Change::new(caller.actor(), "region.activity_policy", region.0)
            .region(region.0)
            .payload(json!({ "review": new.review })),
    )?;
    Ok(policy)
}
