//! The SQL of campaigns and batches.

use diesel::prelude::*;

use super::model::{Batch, BatchId, Campaign, CampaignId};
use crate::error::{Code, Result};
use crate::platform::db::Conn;
use crate::schema::{batches, campaigns};

pub fn insert(conn: &mut Conn, campaign: &Campaign) -> Result<()> {
    diesel::insert_into(campaigns::table)
        .values(campaign)
        .execute(conn)?;
    Ok(())
}

pub fn campaign(conn: &mut Conn, id: CampaignId) -> Result<Campaign> {
    campaigns::table
        .find(id)
        .select(Campaign::as_select())
        .first(conn)
        .optional()?
        .ok_or_else(|| Code::NotFound.into())
}

/// The newest first.
pub fn campaigns(conn: &mut Conn, before: Option<CampaignId>, limit: i64) -> Result<Vec<Campaign>> {
    let mut rows = campaigns::table.select(Campaign::as_select()).into_boxed();
    if let Some(before) = before {
        rows = rows.filter(campaigns::id.lt(before));
    }
    Ok(rows
        .order(campaigns::id.desc())
        .limit(limit + 1)
        .load(conn)?)
}

pub fn insert_batch(conn: &mut Conn, batch: &Batch) -> Result<()> {
    diesel::insert_into(batches::table)
        .values(batch)
        .execute(conn)?;
    Ok(())
}

/// A batch and its campaign.
///
/// # Errors
/// `not_found`.
pub fn batch(conn: &mut Conn, id: BatchId) -> Result<(Batch, Campaign)> {
    batches::table
        .find(id)
        .inner_join(campaigns::table)
        .select((Batch::as_select(), Campaign::as_select()))
        .first(conn)
        .optional()?
        .ok_or_else(|| Code::NotFound.into())
}

/// The batches of a campaign, the oldest first.
///
/// # Errors
/// Those of the database.
pub fn batches(conn: &mut Conn, of: CampaignId) -> Result<Vec<Batch>> {
    Ok(batches::table
        .filter(batches::campaign_id.eq(of))
        .order(batches::id)
        .select(Batch::as_select())
        .load(conn)?)
}

/// Writes the row and counts its version up, if it is still the version that was read.
pub fn save_batch(conn: &mut Conn, changed: &Batch) -> Result<bool> {
    let same = batches::table
        .filter(batches::id.eq(changed.id))
        .filter(batches::version.eq(changed.version));
    let saved = diesel::update(same)
        .set((
            batches::name.eq(&changed.name),
            batches::opens_at.eq(changed.opens_at),
            batches::closes_at.eq(changed.closes_at),
            batches::status.eq(changed.status),
            batches::version.eq(changed.version + 1),
        ))
        .execute(conn)?;
    Ok(saved > 0)
}
