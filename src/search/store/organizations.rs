//! Active organisations, as the public sees them in their list.

use diesel::prelude::*;
use uuid::Uuid;

use super::{Source, by_no_other, public_ids};
use crate::error::Result;
use crate::organizations::{OrganizationId, OrganizationStatus};
use crate::platform::clock::Instant;
use crate::platform::db::Conn;
use crate::regions::RegionId;
use crate::schema::organizations;
use crate::search::model::{Document, SearchKind, SearchState};

pub const SOURCE: Source = Source {
    kind: SearchKind::Organization,
    ids,
    load,
    noun: "organization",
    touched: by_no_other,
    is_public: |state| state == OrganizationStatus::Active.as_str(),
};

public_ids!(
    organizations,
    OrganizationId,
    organizations::status.eq(OrganizationStatus::Active)
);

#[derive(Queryable)]
struct Row {
    id: OrganizationId,
    name: String,
    introduction: String,
    region_id: RegionId,
    field: Option<String>,
    longitude: Option<f64>,
    latitude: Option<f64>,
    published_at: Option<Instant>,
    created_at: Instant,
}

fn load(conn: &mut Conn, ids: &[Uuid]) -> Result<Vec<Document>> {
    let ids: Vec<_> = ids.iter().map(|id| OrganizationId(*id)).collect();
    let rows: Vec<Row> = organizations::table
        .filter(organizations::id.eq_any(ids))
        .filter(organizations::status.eq(OrganizationStatus::Active))
        .select((
            organizations::id,
            organizations::name,
            organizations::introduction,
            organizations::region_id,
            organizations::field,
            organizations::longitude,
            organizations::latitude,
            organizations::published_at,
            organizations::created_at,
        ))
        .load(conn)?;
    let document = |row: Row| Document {
        kind: SearchKind::Organization,
        id: row.id.0,
        title: row.name,
        text: row.introduction,
        region: row.region_id,
        field: row.field,
        life_cycle: None,
        group: None,
        state: SearchState::Active,
        place: row.longitude.zip(row.latitude),
        last_day: None,
        published_at: row.published_at.unwrap_or(row.created_at),
    };
    Ok(rows.into_iter().map(document).collect())
}
