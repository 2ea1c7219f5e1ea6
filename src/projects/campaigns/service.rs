use serde::Deserialize;
use utoipa::ToSchema;
use validator::Validate;

use super::model::{Batch, BatchId, BatchStatus, Campaign, CampaignId};
use super::store;
use crate::error::{Code, Problem, Result};
use crate::identity::{Caller, Role};
use crate::platform::clock::Instant;
use crate::platform::db::{Conn, Tx};
use crate::platform::http::IfMatch;
use crate::platform::http::valid::given;
use crate::platform::journal::Change;
use crate::projects::rules;
use crate::projects::service::open_batch;
use crate::regions::{self, RegionId};

/// A campaign to be made.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct NewCampaign {
    /// The region it is for.
    pub region_id: RegionId,
    /// Its name.
    #[validate(length(min = 2, max = 80))]
    pub name: String,
    /// A few words about it.
    #[serde(default)]
    #[validate(length(max = 2000))]
    pub introduction: String,
}

/// A batch to be made.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct NewBatch {
    /// Its name.
    #[validate(length(min = 1, max = 80))]
    pub name: String,
    /// From when its projects may be claimed.
    pub opens_at: Instant,
    /// Until when, not included.
    pub closes_at: Instant,
}

/// What changes about a batch; absent keys leave a value alone.
#[derive(Clone, Debug, Default, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct EditBatch {
    /// Its name.
    #[validate(length(min = 1, max = 80))]
    #[serde(default, deserialize_with = "given")]
    #[schema(nullable = false)]
    pub name: Option<String>,
    /// From when its projects may be claimed.
    #[serde(default, deserialize_with = "given")]
    #[schema(nullable = false)]
    pub opens_at: Option<Instant>,
    /// Until when, not included.
    #[serde(default, deserialize_with = "given")]
    #[schema(nullable = false)]
    pub closes_at: Option<Instant>,
}

/// Whether the caller runs campaigns in a region: the platform's administrators anywhere, a
/// region's in theirs.
fn entitled(conn: &mut Conn, caller: &Caller, region: RegionId) -> Result<()> {
    let may =
        caller.is_platform_admin() || caller.holds_in_region(conn, &[Role::RegionAdmin], region)?;
    if may {
        Ok(())
    } else {
        Err(Code::Forbidden.into())
    }
}

fn may_see(conn: &mut Conn, caller: Option<&Caller>, row: &Batch, of: RegionId) -> Result<bool> {
    let Some(caller) = caller.filter(|_| row.status == BatchStatus::Draft) else {
        return Ok(row.status != BatchStatus::Draft);
    };
    match entitled(conn, caller, of) {
        Ok(()) => return Ok(true),
        Err(error) if error.code() == Code::Forbidden => {}
        Err(error) => return Err(error),
    }
    for region in caller.regions(&[Role::RegionAdmin]) {
        if regions::contains(conn, of, region)? {
            return Ok(true);
        }
    }
    Ok(!caller.organizations(Role::OrganizationManager).is_empty())
}

/// The batches of a campaign, the oldest first; drafts only for those who may change them, and for
/// those who write the projects that are to be published with them: staff of the campaign's region
/// and managers of organisations.
///
/// # Errors
/// `not_found`.
pub fn batches(conn: &mut Conn, caller: Option<&Caller>, of: CampaignId) -> Result<Vec<Batch>> {
    let region = store::campaign(conn, of)?.region_id;
    let mut seen = Vec::new();
    for row in store::batches(conn, of)? {
        if may_see(conn, caller, &row, region)? {
            seen.push(row);
        }
    }
    Ok(seen)
}

/// A batch, as its campaign's [`batches`] are seen.
///
/// # Errors
/// `not_found`.
pub fn batch(conn: &mut Conn, caller: Option<&Caller>, id: BatchId) -> Result<Batch> {
    let (row, campaign) = store::batch(conn, id)?;
    if may_see(conn, caller, &row, campaign.region_id)? {
        Ok(row)
    } else {
        Err(Code::NotFound.into())
    }
}

/// Makes a campaign.
///
/// # Errors
/// `forbidden`, or `invalid` for a region that is unknown or no more.
pub fn create(tx: &mut Tx<'_>, caller: &Caller, new: &NewCampaign) -> Result<Campaign> {
    regions::current(tx.conn, new.region_id, None, tx.today())?
        .map_err(|code| Problem::new(Code::Invalid).field("/region_id", code))?;
    entitled(tx.conn, caller, new.region_id)?;
    let campaign = Campaign {
        id: CampaignId::new(),
        region_id: new.region_id,
        name: new.name.clone(),
        introduction: new.introduction.clone(),
        created_by: caller.account,
        version: 1,
        created_at: tx.now,
    };
    store::insert(tx.conn, &campaign)?;
    tx.journal(
        Change::new(caller.actor(), "campaign.create", campaign.id.0).region(new.region_id.0),
    )?;
    Ok(campaign)
}

fn check_window(tx: &Tx<'_>, opens_at: Instant, closes_at: Instant) -> Result<()> {
    let is_plausible = |at: Instant| {
        let day = at.with_timezone(&tx.zone).date_naive();
        rules::is_plausible(day, tx.today())
    };
    let mut wrong = Problem::new(Code::Invalid);
    if !is_plausible(opens_at) {
        wrong = wrong.field("/opens_at", Code::Range);
    }
    if !is_plausible(closes_at) {
        wrong = wrong.field("/closes_at", Code::Range);
    } else if closes_at <= opens_at {
        wrong = wrong.field("/closes_at", Code::EndsBeforeItBegins);
    }
    if wrong.errors.is_empty() {
        Ok(())
    } else {
        Err(wrong.into())
    }
}

/// Makes a batch of a campaign, as a draft.
///
/// # Errors
/// `not_found`, `forbidden`, or `invalid` for a window that is empty or nobody can mean.
pub fn create_batch(
    tx: &mut Tx<'_>,
    caller: &Caller,
    of: CampaignId,
    new: &NewBatch,
) -> Result<Batch> {
    let campaign = store::campaign(tx.conn, of)?;
    entitled(tx.conn, caller, campaign.region_id)?;
    check_window(tx, new.opens_at, new.closes_at)?;
    if new.closes_at <= tx.now {
        return Err(Problem::new(Code::Invalid)
            .field("/closes_at", Code::InThePast)
            .into());
    }
    let batch = Batch {
        id: BatchId::new(),
        campaign_id: of,
        name: new.name.clone(),
        opens_at: new.opens_at,
        closes_at: new.closes_at,
        status: BatchStatus::Draft,
        version: 1,
        created_at: tx.now,
    };
    store::insert_batch(tx.conn, &batch)?;
    tx.journal(change(caller, &batch, &campaign, "create"))?;
    Ok(batch)
}

fn change(caller: &Caller, batch: &Batch, campaign: &Campaign, verb: &str) -> Change {
    Change::new(caller.actor(), format!("batch.{verb}"), batch.id.0).region(campaign.region_id.0)
}

/// What publishes a batch and what opens because it is published wait here for each other.
fn serialize(tx: &mut Tx<'_>, id: BatchId) -> Result<()> {
    tx.serialize_on(&format!("batch:{id}"))
}

/// A batch and its campaign for a caller who runs it, once nobody else is about to change it.
fn to_change(tx: &mut Tx<'_>, caller: &Caller, id: BatchId) -> Result<(Batch, Campaign)> {
    serialize(tx, id)?;
    let (batch, campaign) = store::batch(tx.conn, id)?;
    entitled(tx.conn, caller, campaign.region_id)?;
    Ok((batch, campaign))
}

/// Changes a batch, its window also once it is published.
///
/// # Errors
/// `not_found`, `forbidden`, `invalid` for a window that is empty or nobody can mean,
/// `version_required`, `version_mismatch`.
pub fn edit_batch(
    tx: &mut Tx<'_>,
    caller: &Caller,
    id: BatchId,
    seen: &IfMatch,
    edit: &EditBatch,
) -> Result<Batch> {
    let (mut batch, campaign) = to_change(tx, caller, id)?;
    seen.expect(batch.version)?;
    batch.name = edit.name.clone().unwrap_or(batch.name);
    batch.opens_at = edit.opens_at.unwrap_or(batch.opens_at);
    batch.closes_at = edit.closes_at.unwrap_or(batch.closes_at);
    check_window(tx, batch.opens_at, batch.closes_at)?;
    if !store::save_batch(tx.conn, &batch)? {
        return Err(Code::VersionMismatch.into());
    }
    tx.journal(change(caller, &batch, &campaign, "edit"))?;
    Ok(store::batch(tx.conn, id)?.0)
}

/// Publishes a batch: its approved projects open. Publishing it again opens what is approved and not
/// open yet, and answers as the first time.
///
/// # Errors
/// `not_found`, `forbidden`; `batch_empty` when no project is approved.
pub fn publish(tx: &mut Tx<'_>, caller: &Caller, id: BatchId) -> Result<Batch> {
    let (batch, campaign) = to_change(tx, caller, id)?;
    let opened = open_batch(tx, caller, id)?;
    if batch.status == BatchStatus::Published {
        return Ok(batch);
    }
    if opened == 0 {
        return Err(Code::BatchEmpty.into());
    }
    let published = Batch {
        status: BatchStatus::Published,
        ..batch.clone()
    };
    if !store::save_batch(tx.conn, &published)? {
        return Err(Code::VersionMismatch.into());
    }
    tx.journal(
        change(caller, &batch, &campaign, "publish")
            .states(batch.status.into(), published.status.into()),
    )?;
    Ok(store::batch(tx.conn, id)?.0)
}

/// Whether a batch is published: then its projects open as they are approved. It stays so until the
/// end of the transaction.
///
/// # Errors
/// `not_found`.
pub fn is_published(tx: &mut Tx<'_>, id: BatchId) -> Result<bool> {
    serialize(tx, id)?;
    Ok(store::batch(tx.conn, id)?.0.status == BatchStatus::Published)
}
