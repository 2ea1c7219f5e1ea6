use chrono::NaiveDate;
use diesel::prelude::*;
use serde::Serialize;
use utoipa::ToSchema;

use crate::platform::columns::Json;
use crate::schema::{region_polygons, regions};
use crate::{id, text_enum};

id! {
    /// Names a region.
    RegionId
}

text_enum! {
    /// What kind of region it is, from the largest to the smallest.
    Level {
        /// 区
        District,
        /// 街道
        Street,
        /// 片区
        Area,
        /// 社区
        Community,
        /// 网格
        Grid,
    }
}

/// A region.
#[derive(Clone, Debug, Queryable, Selectable, Identifiable, Insertable)]
#[diesel(table_name = regions)]
pub struct Region {
    /// Its name for machines.
    pub id: RegionId,
    /// Its code, unique among the regions valid today.
    pub code: String,
    /// Its name for people.
    pub name: String,
    /// What kind it is.
    pub level: Level,
    /// The region it lies in; none for a district.
    pub parent_id: Option<RegionId>,
    /// Inhabitants, when known.
    pub population: Option<i64>,
    /// Its centre, degrees east (WGS 84), when known.
    pub longitude: Option<f64>,
    /// Its centre, degrees north (WGS 84), when known.
    pub latitude: Option<f64>,
    /// The first day of its code.
    pub valid_from: NaiveDate,
    /// Its last day; none while it lasts.
    pub valid_to: Option<NaiveDate>,
    /// Counts its changes.
    pub version: i32,
}

impl Region {
    /// Its centre, degrees east and north (WGS 84), when known.
    pub fn centre(&self) -> Option<(f64, f64)> {
        self.longitude.zip(self.latitude)
    }
}

/// A region's outline.
#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = region_polygons)]
pub struct Polygon {
    /// Whose outline.
    pub region_id: RegionId,
    /// A GeoJSON `Polygon` or `MultiPolygon`.
    pub geometry: Json<serde_json::Value>,
    /// Its area in square metres (on the sphere).
    pub area_m2: f64,
    /// Its bounding box, degrees.
    pub west: f64,
    /// Its bounding box, degrees.
    pub south: f64,
    /// Its bounding box, degrees.
    pub east: f64,
    /// Its bounding box, degrees.
    pub north: f64,
}

/// A region as callers see it.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Region)]
pub struct RegionView {
    /// Its id.
    pub id: RegionId,
    /// Its code.
    #[schema(example = "330206002")]
    pub code: String,
    /// Its name.
    #[schema(example = "新碶街道")]
    pub name: String,
    /// What kind it is.
    pub level: Level,
    /// The region it lies in.
    pub parent_id: Option<RegionId>,
    /// Inhabitants, when known.
    pub population: Option<i64>,
    /// Its centre, degrees east, when known.
    pub longitude: Option<f64>,
    /// Its centre, degrees north, when known.
    pub latitude: Option<f64>,
    /// The first day of its code.
    pub valid_from: NaiveDate,
    /// Its last day; null while it lasts.
    pub valid_to: Option<NaiveDate>,
}

impl From<Region> for RegionView {
    fn from(region: Region) -> Self {
        Self {
            id: region.id,
            code: region.code,
            name: region.name,
            level: region.level,
            parent_id: region.parent_id,
            population: region.population,
            longitude: region.longitude,
            latitude: region.latitude,
            valid_from: region.valid_from,
            valid_to: region.valid_to,
        }
    }
}
