//! Published wishes as needs.
//!
//! A wish has no hours, no start and no required skills; it wants one person. It lies at its own
//! coordinates, rounded, else at the centre of its street, with the radius that is usual there: how far away
//! it is must not tell where in the street.

use std::collections::HashMap;

use chrono::{NaiveDate, TimeDelta};
use diesel::prelude::*;
use uuid::Uuid;

use super::{
    About, Askers, Bar, Batch, Commitments, Ids, Setting, Source, region_facts, street_names,
};
use crate::each;
use crate::error::{Code, Result};
use crate::identity::{AccountId, Caller, Role};
use crate::matching::invitations::Room;
use crate::matching::{Hours, Located, Need, NeedId, NeedKind, Site, Spot, Whereabouts};
use crate::platform::clock::Instant;
use crate::platform::db::{Conn, Prepared};
use crate::projects::claims::ClaimId;
use crate::regions::{self, RegionId};
use crate::schema::{wish_claims, wishes};
use crate::taxonomies::LifeCycle;
use crate::wishes::{ClaimOutcome, WishId, WishStatus, public_place, wish};

pub const SOURCE: Source = Source {
    kind: NeedKind::Wish,
    ids,
    load,
    touched,
    people,
    commitments,
    barred,
    beside,
    may_ask,
    about,
    room,
    askers,
};

fn named(ids: &[Uuid]) -> Vec<WishId> {
    ids.iter().map(|id| WishId(*id)).collect()
}

fn ids(conn: &mut Conn) -> Result<Vec<Uuid>> {
    let found: Vec<WishId> = wishes::table
        .filter(wishes::status.eq(WishStatus::Published))
        .order(wishes::id)
        .select(wishes::id)
        .load(conn)?;
    Ok(found.into_iter().map(|id| id.0).collect())
}

#[derive(Queryable)]
struct Row {
    id: WishId,
    title: String,
    region_id: RegionId,
    life_cycle: LifeCycle,
    longitude: Option<f64>,
    latitude: Option<f64>,
    author_id: AccountId,
    beneficiary_id: Option<AccountId>,
    expires_on: Option<NaiveDate>,
}

fn load(conn: &mut Conn, setting: &Setting, ids: &[Uuid]) -> Result<Vec<Need>> {
    let rows: Vec<Row> = wishes::table
        .filter(wishes::id.eq_any(named(ids)))
        .filter(wishes::status.eq(WishStatus::Published))
        .order(wishes::id)
        .select((
            wishes::id,
            wishes::title,
            wishes::region_id,
            wishes::life_cycle,
            wishes::longitude,
            wishes::latitude,
            wishes::author_id,
            wishes::beneficiary_id,
            wishes::expires_on,
        ))
        .load(conn)?;
    let mut of: Vec<_> = rows.iter().map(|row| row.region_id).collect();
    let known = regions::streets(conn, &of)?;
    of.extend(known.values().map(|street| street.id));
    of.sort_unstable();
    of.dedup();
    let facts = region_facts(conn, &of)?;
    let streets = street_names(conn, &of)?;
    let need = |row: Row| {
        let region = facts.get(&row.region_id)?;
        let street = facts.get(&known.get(&row.region_id)?.id)?;
        let reach = setting.matching.regions.of(street.level);
        let own = row.longitude.zip(row.latitude);
        let site = |(longitude, latitude): (f64, f64)| Site {
            spot: Spot {
                longitude,
                latitude,
            },
            radius_m: reach.radius_m,
        };
        let whereabouts = match (own, street.centre) {
            (Some(own), _) => Whereabouts::At(site(public_place(own)), Located::Own),
            (None, Some(centre)) => Whereabouts::At(site(centre), Located::RegionCentre),
            (None, None) => Whereabouts::Unknown,
        };
        Some(Need {
            id: NeedId {
                id: row.id.0,
                kind: NeedKind::Wish,
            },
            project: None,
            title: row.title,
            region: row.region_id,
            regions: region.with_ancestors.clone(),
            public_regions: street.with_ancestors.clone(),
            street: streets.get(&row.region_id).cloned(),
            life_cycle: row.life_cycle,
            whereabouts,
            scale_m: reach.scale_m,
            hours: Hours::default(),
            starts_at: None,
            first_day: None,
            required: Vec::new(),
            wanted: Vec::new(),
            qualifications: Vec::new(),
            party_only: false,
            minors: false,
            last_day: row.expires_on,
            min_age: None,
            least_known_age: None,
            places: 1,
            filled: 0,
            owners: [row.author_id]
                .into_iter()
                .chain(row.beneficiary_id)
                .collect(),
        })
    };
    Ok(rows.into_iter().filter_map(need).collect())
}

fn touched(conn: &mut Conn, noun: &str, subjects: &[Uuid]) -> Result<Vec<Uuid>> {
    match noun {
        "wish" => Ok(subjects.to_vec()),
        "region" => {
            let regions: Vec<_> = subjects.iter().map(|id| RegionId(*id)).collect();
            let found: Vec<WishId> = wishes::table
                // and below: needs are told by their street
                .filter(wishes::region_id.eq_any(regions::within_any(regions)))
                .filter(wishes::status.eq(WishStatus::Published))
                .select(wishes::id)
                .load(conn)?;
            Ok(found.into_iter().map(|id| id.0).collect())
        }
        _ => Ok(Vec::new()),
    }
}

fn people(conn: &mut Conn, noun: &str, subjects: &[Uuid]) -> Result<Vec<AccountId>> {
    if noun != "wish" {
        return Ok(Vec::new());
    }
    Ok(wish_claims::table
        .filter(wish_claims::wish_id.eq_any(named(subjects)))
        .select(wish_claims::claimant_id)
        .distinct()
        .load(conn)?)
}

fn commitments(conn: &mut Conn, people: &[AccountId]) -> Result<Commitments> {
    let live: Vec<AccountId> = wish_claims::table
        .filter(wish_claims::claimant_id.eq_any(people.to_vec()))
        .filter(wish_claims::organization_id.is_null())
        .filter(wish_claims::ended_at.is_null())
        .select(wish_claims::claimant_id)
        .load(conn)?;
    let mut counts = HashMap::new();
    for person in live {
        *counts.entry(person).or_default() += 1;
    }
    Ok(counts)
}

/// Who holds as many live claims as one may, or let too many lapse lately: none of the wishes.
fn barred(conn: &mut Conn, setting: &Setting, batch: &Batch) -> Result<Vec<Bar>> {
    let rules = &setting.wishes;
    let since = batch.now - TimeDelta::days(rules.lapse_days);
    let lapsed = wish_claims::outcome
        .eq(ClaimOutcome::Lapsed)
        .and(wish_claims::ended_at.gt(since));
    let query = wish_claims::table
        .filter(wish_claims::claimant_id.eq_any(batch.people.clone()))
        .filter(wish_claims::organization_id.is_null())
        .filter(wish_claims::ended_at.is_null().or(lapsed.assume_not_null()))
        .select((wish_claims::claimant_id, wish_claims::ended_at));
    let claims: Vec<(AccountId, Option<Instant>)> =
        each!(conn, c => Prepared::listing(query, batch.people.len()).load(c))?;
    let mut counts: HashMap<AccountId, (i64, i64)> = HashMap::new();
    for (person, ended_at) in claims {
        let (live, lapses) = counts.entry(person).or_default();
        *(if ended_at.is_none() { live } else { lapses }) += 1;
    }
    let bar = |(person, (live, lapses))| {
        let code = if lapses >= rules.lapses {
            Code::Sanctioned
        } else if live >= rules.live_claims {
            Code::DailyCap
        } else {
            return None;
        };
        Some(Bar {
            person,
            need: None,
            code,
        })
    };
    Ok(counts.into_iter().filter_map(bar).collect())
}

/// A wish has no hours, and whoever holds as many as one may can give one back.
fn beside(_: &mut Conn, _: AccountId, _: &[Uuid], _: NaiveDate) -> Result<Ids> {
    Ok(Vec::new())
}

fn may_ask(conn: &mut Conn, caller: &Caller, id: Uuid) -> Result<bool> {
    let staff = [Role::RegionAdmin, Role::GridLeader, Role::GridWorker];
    let region = wish(conn, WishId(id))?.region_id;
    caller.holds_in_region(conn, &staff, region)
}

fn about(conn: &mut Conn, id: Uuid) -> Result<About> {
    let wish = wish(conn, WishId(id))?;
    Ok(About {
        title: wish.title,
        region: wish.region_id,
        project: None,
    })
}

fn room(conn: &mut Conn, id: Uuid, _: Option<ClaimId>, today: NaiveDate) -> Result<Room> {
    let wish = wish(conn, WishId(id))?;
    let is_over = wish.expires_on.is_some_and(|last| last < today);
    Ok(match wish.status {
        WishStatus::Published if !is_over => Room::Places(1),
        WishStatus::Claimed
        | WishStatus::Delivered
        | WishStatus::Disputed
        | WishStatus::Fulfilled
        | WishStatus::Closed => Room::Places(0),
        _ => Room::Gone,
    })
}

/// The staff of its region look for people for a wish: no organisation, and not always the same.
fn askers(_: &mut Conn, _: &[Uuid]) -> Result<Askers> {
    Ok(HashMap::new())
}
