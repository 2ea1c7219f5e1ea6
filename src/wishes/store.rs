//! All of the room's SQL, but the thread's.

use std::collections::BTreeSet;

use chrono::NaiveDate;
use diesel::prelude::*;

use super::model::{
    Claim, ClaimId, ClaimOutcome, ConsentChannel, Evidence, EvidenceId, FulfilledBy, Wish, WishId,
    WishKind, WishStatus,
};
use super::rules::public_place;
use crate::each;
use crate::error::{Code, Result};
use crate::identity::{AccountId, Caller, Role};
use crate::newest_first;
use crate::organizations::OrganizationId;
use crate::platform::clock::Instant;
use crate::platform::columns::{like, lower};
use crate::platform::db::{Conn, Newest, Prepared, Tx};
use crate::regions::{self, Level, RegionId};
use crate::schema::{wish_claims, wish_evidence, wishes};
use crate::taxonomies::{BeneficiaryGroup, LifeCycle};

/// A wish.
///
/// # Errors
/// `not_found`.
pub fn wish(conn: &mut Conn, id: WishId) -> Result<Wish> {
    let wish = each!(conn, c => wishes::table
        .find(id)
        .select(Wish::as_select())
        .first(c)
        .optional());
    wish?.ok_or_else(|| Code::NotFound.into())
}

pub fn insert(conn: &mut Conn, wish: &Wish) -> Result<()> {
    diesel::insert_into(wishes::table)
        .values(wish)
        .execute(conn)?;
    Ok(())
}

/// Writes what an author may edit, if the version is still the one that was read.
pub fn update(conn: &mut Conn, wish: &Wish) -> Result<bool> {
    let same = wishes::table
        .filter(wishes::id.eq(wish.id))
        .filter(wishes::version.eq(wish.version));
    let updated = diesel::update(same)
        .set((
            wishes::region_id.eq(wish.region_id),
            wishes::contact.eq(&wish.contact),
            wishes::consent_channel.eq(wish.consent_channel),
            wishes::alias.eq(&wish.alias),
            wishes::beneficiary_group.eq(wish.beneficiary_group),
            wishes::life_cycle.eq(wish.life_cycle),
            wishes::kind.eq(wish.kind),
            wishes::title.eq(&wish.title),
            wishes::description.eq(&wish.description),
            wishes::value_fen.eq(wish.value_fen),
            wishes::longitude.eq(wish.longitude),
            wishes::latitude.eq(wish.latitude),
            wishes::expires_on.eq(wish.expires_on),
            wishes::version.eq(wish.version + 1),
        ))
        .execute(conn)?;
    Ok(updated > 0)
}

/// Moves a wish by compare-and-set; false when somebody else moved or changed it first.
pub fn advance(
    tx: &mut Tx<'_>,
    seen: &Wish,
    to: WishStatus,
    due_at: Option<Instant>,
) -> Result<bool> {
    let same = wishes::table
        .filter(wishes::id.eq(seen.id))
        .filter(wishes::status.eq(seen.status))
        .filter(wishes::version.eq(seen.version));
    let is_handed_in = seen.status == WishStatus::Draft && to != WishStatus::Withdrawn;
    let is_new = to == WishStatus::Published && seen.published_at.is_none();
    let update = diesel::update(same).set((
        wishes::status.eq(to),
        wishes::status_since.eq(tx.now),
        is_handed_in.then_some(wishes::submitted_at.eq(tx.now)),
        is_new.then_some(wishes::published_at.eq(tx.now)),
        wishes::due_at.eq(due_at),
        wishes::version.eq(seen.version + 1),
    ));
    let moved = each!(&mut *tx.conn, c => Prepared::new(update).execute(c))?;
    Ok(moved > 0)
}

pub fn set_fulfilled(
    conn: &mut Conn,
    id: WishId,
    by: Option<FulfilledBy>,
    at: Option<Instant>,
) -> Result<()> {
    diesel::update(wishes::table.find(id))
        .set((wishes::fulfilled_by.eq(by), wishes::fulfilled_at.eq(at)))
        .execute(conn)?;
    Ok(())
}

/// Forgets when the clock would act; false when it was forgotten already.
pub fn clear_due(conn: &mut Conn, id: WishId) -> Result<bool> {
    let due = wishes::table
        .filter(wishes::id.eq(id))
        .filter(wishes::due_at.is_not_null());
    Ok(diesel::update(due)
        .set(wishes::due_at.eq(None::<Instant>))
        .execute(conn)?
        > 0)
}

// ---- claims

pub fn insert_claim(conn: &mut Conn, claim: &Claim) -> Result<()> {
    diesel::insert_into(wish_claims::table)
        .values(claim)
        .execute(conn)?;
    Ok(())
}

pub fn live_claim(conn: &mut Conn, wish: WishId) -> Result<Option<Claim>> {
    Ok(wish_claims::table
        .filter(wish_claims::wish_id.eq(wish))
        .filter(wish_claims::ended_at.is_null())
        .select(Claim::as_select())
        .first(conn)
        .optional()?)
}

/// A person as a claimant: with the organisations that it runs.
#[derive(Clone, Debug)]
pub struct Claimant {
    person: AccountId,
    runs: Vec<OrganizationId>,
}

impl From<&Caller> for Claimant {
    fn from(caller: &Caller) -> Self {
        let runs = caller.organizations(Role::OrganizationManager);
        Self {
            person: caller.account,
            runs: runs.into_iter().map(OrganizationId).collect(),
        }
    }
}

/// Whether a claim was made by a person, or for an organisation that it runs.
macro_rules! is_by {
    ($claimant:expr) => {
        wish_claims::claimant_id
            .eq($claimant.person)
            .or(wish_claims::organization_id
                .eq_any($claimant.runs.clone())
                .assume_not_null())
    };
}

/// Whether somebody has ever claimed a wish.
pub fn has_claimed(conn: &mut Conn, wish: WishId, claimant: &Claimant) -> Result<bool> {
    Ok(diesel::select(diesel::dsl::exists(
        wish_claims::table
            .filter(wish_claims::wish_id.eq(wish))
            .filter(is_by!(claimant)),
    ))
    .get_result(conn)?)
}

/// The claim that holds a wish, or that fulfilled it.
pub fn standing_claim(conn: &mut Conn, wish: WishId) -> Result<Option<Claim>> {
    Ok(wish_claims::table
        .filter(wish_claims::wish_id.eq(wish))
        .filter(
            wish_claims::ended_at
                .is_null()
                .or(wish_claims::outcome.eq(ClaimOutcome::Fulfilled)),
        )
        .order(wish_claims::id.desc())
        .select(Claim::as_select())
        .first(conn)
        .optional()?)
}

pub fn extend_claim(conn: &mut Conn, id: ClaimId, until: Instant) -> Result<()> {
    diesel::update(wish_claims::table.find(id))
        .set(wish_claims::lease_until.eq(until))
        .execute(conn)?;
    Ok(())
}

pub fn end_claim(tx: &mut Tx<'_>, id: ClaimId, outcome: ClaimOutcome) -> Result<()> {
    diesel::update(wish_claims::table.find(id))
        .set((
            wish_claims::ended_at.eq(Some(tx.now)),
            wish_claims::outcome.eq(Some(outcome)),
        ))
        .execute(tx.conn)?;
    Ok(())
}

/// A claim that was ended by the confirmation lives again with the dispute about it.
pub fn revive_claim(conn: &mut Conn, wish: WishId) -> Result<()> {
    let last = wish_claims::table
        .filter(wish_claims::wish_id.eq(wish))
        .filter(wish_claims::outcome.eq(ClaimOutcome::Fulfilled))
        .order(wish_claims::id.desc())
        .select(wish_claims::id)
        .first::<ClaimId>(conn)?;
    diesel::update(wish_claims::table.find(last))
        .set((
            wish_claims::ended_at.eq(None::<Instant>),
            wish_claims::outcome.eq(None::<ClaimOutcome>),
        ))
        .execute(conn)?;
    Ok(())
}

/// The claims of the same claimant as this one's: of its organisation, else of its person.
macro_rules! of_same_claimant {
    ($claim:expr) => {{
        let rows = wish_claims::table.into_boxed();
        match $claim.organization_id {
            Some(organization) => rows.filter(wish_claims::organization_id.eq(organization)),
            None => rows
                .filter(wish_claims::claimant_id.eq($claim.claimant_id))
                .filter(wish_claims::organization_id.is_null()),
        }
    }};
}

/// How many live claims the claimant of this one has.
pub fn count_live_claims(conn: &mut Conn, of: &Claim) -> Result<i64> {
    Ok(of_same_claimant!(of)
        .filter(wish_claims::ended_at.is_null())
        .count()
        .get_result(conn)?)
}

/// How many claims of the claimant of this one have ended so since an instant.
pub fn count_ended(
    conn: &mut Conn,
    of: &Claim,
    outcome: ClaimOutcome,
    since: Instant,
) -> Result<i64> {
    Ok(of_same_claimant!(of)
        .filter(wish_claims::outcome.eq(outcome))
        .filter(wish_claims::ended_at.gt(since))
        .count()
        .get_result(conn)?)
}

/// The live claims of an organisation.
pub fn of_organization(conn: &mut Conn, of: OrganizationId) -> Result<Vec<Claim>> {
    Ok(wish_claims::table
        .filter(wish_claims::organization_id.eq(of))
        .filter(wish_claims::ended_at.is_null())
        .order(wish_claims::id)
        .select(Claim::as_select())
        .load(conn)?)
}

// ---- evidence

/// Whether a photo of a delivery, or its thumbnail, is kept in this file.
///
/// # Errors
/// Those of the database.
pub fn keeps_file(conn: &mut Conn, file: &str) -> Result<bool> {
    let photos = wish_evidence::table.filter(
        wish_evidence::photo
            .eq(file)
            .or(wish_evidence::thumbnail.eq(file)),
    );
    Ok(diesel::select(diesel::dsl::exists(photos)).get_result(conn)?)
}

pub fn insert_evidence(conn: &mut Conn, evidence: &Evidence) -> Result<()> {
    diesel::insert_into(wish_evidence::table)
        .values(evidence)
        .execute(conn)?;
    Ok(())
}

pub fn evidence(conn: &mut Conn, wish: WishId) -> Result<Vec<Evidence>> {
    Ok(wish_evidence::table
        .filter(wish_evidence::wish_id.eq(wish))
        .order(wish_evidence::id)
        .select(Evidence::as_select())
        .load(conn)?)
}

pub fn one_evidence(conn: &mut Conn, wish: WishId, id: EvidenceId) -> Result<Evidence> {
    wish_evidence::table
        .filter(wish_evidence::wish_id.eq(wish))
        .filter(wish_evidence::id.eq(id))
        .select(Evidence::as_select())
        .first(conn)
        .optional()?
        .ok_or_else(|| Code::NotFound.into())
}

// ---- lists

/// What a list of wishes asks for.
#[derive(Clone, Debug, Default)]
pub struct Query {
    pub statuses: Vec<WishStatus>,
    pub within: Option<RegionId>,
    pub group: Option<BeneficiaryGroup>,
    pub life_cycle: Option<LifeCycle>,
    pub kind: Option<WishKind>,
    pub text: Option<String>,
    pub author: Option<AccountId>,
    /// Of what was posted for somebody else, only what lies in one of these regions.
    pub on_behalf_in: Option<Vec<RegionId>>,
    pub beneficiary: Option<AccountId>,
    pub claimant: Option<Claimant>,
    /// What was not handed in, too.
    pub unsubmitted: Unsubmitted,
    /// Only what is open on this day, as far as its own last day says.
    pub open_on: Option<NaiveDate>,
    pub order: Newest<WishId>,
    pub limit: i64,
}

/// Whether a list holds what was not handed in, or is a draft again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Unsubmitted {
    /// All of it, for whom it is their own.
    #[default]
    All,
    /// What proxies wrote down: any of them goes on with it.
    OnBehalf,
    /// Nothing of it.
    Nothing,
}

macro_rules! filtered {
    ($rows:expr, $query:expr) => {{
        let query = $query;
        let mut rows = $rows
            .filter(wishes::status.eq_any(query.statuses.clone()))
            .into_boxed();
        if let Some(region) = query.within {
            rows = rows.filter(wishes::region_id.eq_any(regions::within(region)));
        }
        if let Some(group) = query.group {
            rows = rows.filter(wishes::beneficiary_group.eq(group));
        }
        if let Some(life_cycle) = query.life_cycle {
            rows = rows.filter(wishes::life_cycle.eq(life_cycle));
        }
        if let Some(kind) = query.kind {
            rows = rows.filter(wishes::kind.eq(kind));
        }
        if let Some(text) = &query.text {
            let like = like(text);
            let title = lower(wishes::title).like(like.clone()).escape('\\');
            rows = rows.filter(title.or(lower(wishes::description).like(like).escape('\\')));
        }
        let is_handed_in = wishes::submitted_at
            .is_not_null()
            .and(wishes::status.ne(WishStatus::Draft));
        let is_on_behalf = wishes::consent_channel.ne(ConsentChannel::App);
        match query.unsubmitted {
            Unsubmitted::All => {}
            Unsubmitted::OnBehalf => rows = rows.filter(is_handed_in.or(is_on_behalf)),
            Unsubmitted::Nothing => rows = rows.filter(is_handed_in),
        }
        if let Some(regions) = query.on_behalf_in.clone() {
            let is_there = wishes::region_id.eq_any(regions::within_any(regions));
            rows = rows.filter(wishes::consent_channel.eq(ConsentChannel::App).or(is_there));
        }
        if let Some(day) = query.open_on {
            let is_open = wishes::expires_on.ge(day).assume_not_null();
            rows = rows.filter(wishes::expires_on.is_null().or(is_open));
        }
        if let Some(author) = query.author {
            rows = rows.filter(wishes::author_id.eq(author));
        }
        if let Some(beneficiary) = query.beneficiary {
            rows = rows.filter(wishes::beneficiary_id.eq(beneficiary));
        }
        if let Some(claimant) = &query.claimant {
            let claimed = wish_claims::table
                .filter(is_by!(claimant))
                .select(wish_claims::wish_id);
            rows = rows.filter(wishes::id.eq_any(claimed));
        }
        rows
    }};
}

/// The newest first.
pub fn list(conn: &mut Conn, query: &Query) -> Result<Vec<Wish>> {
    let rows = filtered!(wishes::table.select(Wish::as_select()), query);
    let rows = newest_first!(rows, wishes, query.order);
    Ok(rows.limit(query.limit + 1).load(conn)?)
}

/// Where the wishes are that fit and lie in a box (west, south, east, north), degrees, as far as the
/// public knows: near their own places, else at the centres of their streets.
pub fn places(
    conn: &mut Conn,
    query: &Query,
    around: (f64, f64, f64, f64),
) -> Result<Vec<(WishId, (f64, f64))>> {
    type Row = (WishId, RegionId, Option<f64>, Option<f64>);
    let (west, south, east, north) = around;
    let (streets, districts): (Vec<_>, Vec<_>) = regions::centred_in(conn, around)?
        .into_iter()
        .map(|region| (region.id, region.level))
        .partition(|(_, level)| *level == Level::Street);
    let ids = |regions: Vec<(RegionId, Level)>| regions.into_iter().map(|(id, _)| id).collect();
    let (streets, districts): (Vec<RegionId>, Vec<RegionId>) = (ids(streets), ids(districts));
    let at_own = wishes::longitude
        .between(west, east)
        .and(wishes::latitude.between(south, north))
        .assume_not_null();
    let at_centre = wishes::region_id
        .eq_any(regions::within_any(streets))
        .or(wishes::region_id.eq_any(districts));
    let rows: Vec<Row> = filtered!(
        wishes::table.select((
            wishes::id,
            wishes::region_id,
            wishes::longitude,
            wishes::latitude,
        )),
        query
    )
    .filter(at_own.or(wishes::longitude.is_null().and(at_centre)))
    .load(conn)?;
    let of: BTreeSet<_> = rows.iter().map(|(_, region, ..)| *region).collect();
    let streets = regions::streets(conn, &of.into_iter().collect::<Vec<_>>())?;
    let place = |(id, region, longitude, latitude): Row| {
        let own = longitude.zip(latitude).map(public_place);
        let place = own.or_else(|| streets.get(&region)?.centre());
        Some((id, place?))
    };
    Ok(rows.into_iter().filter_map(place).collect())
}

pub fn by_ids(conn: &mut Conn, ids: &[WishId]) -> Result<Vec<Wish>> {
    Ok(wishes::table
        .filter(wishes::id.eq_any(ids.to_vec()))
        .select(Wish::as_select())
        .load(conn)?)
}

/// The wishes that the clock has something to do with now, and the published ones whose day is
/// over.
pub fn due(conn: &mut Conn, now: Instant, today: NaiveDate, limit: i64) -> Result<Vec<Wish>> {
    let is_due = wishes::due_at.le(now);
    let is_over = wishes::status
        .eq(WishStatus::Published)
        .and(wishes::expires_on.lt(today));
    Ok(wishes::table
        .filter(is_due.or(is_over).assume_not_null())
        .order(wishes::id)
        .limit(limit)
        .select(Wish::as_select())
        .load(conn)?)
}
