//! Published wishes, as the public sees them in their list.

use std::collections::BTreeSet;

use chrono::NaiveDate;
use diesel::prelude::*;
use uuid::Uuid;

use super::{Source, by_no_other, public_ids};
use crate::error::Result;
use crate::platform::clock::Instant;
use crate::platform::db::Conn;
use crate::regions::{self, RegionId};
use crate::schema::wishes;
use crate::search::model::{Document, SearchKind, SearchState};
use crate::taxonomies::{BeneficiaryGroup, LifeCycle};
use crate::wishes::{WishId, WishStatus, public_place};

pub const SOURCE: Source = Source {
    kind: SearchKind::Wish,
    ids,
    load,
    noun: "wish",
    touched: by_no_other,
    is_public: |state| state == WishStatus::Published.as_str(),
};

public_ids!(wishes, WishId, wishes::status.eq(WishStatus::Published));

#[derive(Queryable)]
struct Row {
    id: WishId,
    title: String,
    description: String,
    region_id: RegionId,
    life_cycle: LifeCycle,
    beneficiary_group: BeneficiaryGroup,
    longitude: Option<f64>,
    latitude: Option<f64>,
    expires_on: Option<NaiveDate>,
    published_at: Option<Instant>,
    created_at: Instant,
}

fn load(conn: &mut Conn, ids: &[Uuid]) -> Result<Vec<Document>> {
    let ids: Vec<_> = ids.iter().map(|id| WishId(*id)).collect();
    let rows: Vec<Row> = wishes::table
        .filter(wishes::id.eq_any(ids))
        .filter(wishes::status.eq(WishStatus::Published))
        .select((
            wishes::id,
            wishes::title,
            wishes::description,
            wishes::region_id,
            wishes::life_cycle,
            wishes::beneficiary_group,
            wishes::longitude,
            wishes::latitude,
            wishes::expires_on,
            wishes::published_at,
            wishes::created_at,
        ))
        .load(conn)?;
    let of: BTreeSet<_> = rows.iter().map(|row| row.region_id).collect();
    let streets = regions::streets(conn, &of.into_iter().collect::<Vec<_>>())?;
    let document = |row: Row| {
        Some(Document {
            kind: SearchKind::Wish,
            id: row.id.0,
            title: row.title,
            text: row.description,
            region: streets.get(&row.region_id)?.id,
            field: None,
            life_cycle: Some(row.life_cycle),
            group: Some(row.beneficiary_group),
            state: SearchState::Published,
            place: row.longitude.zip(row.latitude).map(public_place),
            last_day: row.expires_on,
            published_at: row.published_at.unwrap_or(row.created_at),
        })
    };
    Ok(rows.into_iter().filter_map(document).collect())
}
