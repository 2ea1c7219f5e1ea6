//! All of the room's SQL.

use std::collections::{HashMap, HashSet};

use chrono::NaiveDate;
use diesel::prelude::*;

use super::model::{Level, Polygon, Region, RegionId};
use super::rules;
use crate::each;
use crate::error::{Code, Result};
use crate::platform::columns::{like, lower};
use crate::platform::db::Conn;
use crate::schema::{region_ancestors, region_polygons, regions};

/// A region by its id.
///
/// # Errors
/// `not_found`.
pub fn by_id(conn: &mut Conn, id: RegionId) -> Result<Region> {
    find(conn, id)?.ok_or_else(|| Code::NotFound.into())
}

pub fn find(conn: &mut Conn, id: RegionId) -> Result<Option<Region>> {
    Ok(regions::table
        .find(id)
        .select(Region::as_select())
        .first(conn)
        .optional()?)
}

/// The region that bears this code today.
///
/// # Errors
/// Those of the database.
pub fn by_code(conn: &mut Conn, code: &str) -> Result<Option<Region>> {
    Ok(regions::table
        .filter(regions::code.eq(code))
        .filter(regions::valid_to.is_null())
        .select(Region::as_select())
        .first(conn)
        .optional()?)
}

/// The region and all it lies in, from itself upwards.
///
/// # Errors
/// Those of the database.
pub fn ancestors(conn: &mut Conn, id: RegionId) -> Result<Vec<Region>> {
    Ok(region_ancestors::table
        .inner_join(regions::table.on(regions::id.eq(region_ancestors::ancestor_id)))
        .filter(region_ancestors::region_id.eq(id))
        .order(region_ancestors::distance)
        .select(Region::as_select())
        .load(conn)?)
}

/// Whether `region` is `ancestor` or lies in it.
///
/// # Errors
/// Those of the database.
pub fn contains(conn: &mut Conn, ancestor: RegionId, region: RegionId) -> Result<bool> {
    Ok(diesel::select(diesel::dsl::exists(
        region_ancestors::table
            .filter(region_ancestors::region_id.eq(region))
            .filter(region_ancestors::ancestor_id.eq(ancestor)),
    ))
    .get_result(conn)?)
}

/// Those of `regions` that are, or lie in, one of `ancestors`.
///
/// # Errors
/// Those of the database.
pub fn those_within(
    conn: &mut Conn,
    regions: &[RegionId],
    ancestors: &[RegionId],
) -> Result<HashSet<RegionId>> {
    let found: Vec<RegionId> = region_ancestors::table
        .filter(region_ancestors::region_id.eq_any(regions.to_vec()))
        .filter(region_ancestors::ancestor_id.eq_any(ancestors.to_vec()))
        .select(region_ancestors::region_id)
        .load(conn)?;
    Ok(found.into_iter().collect())
}

pub use subtree::{within, within_any};

mod subtree {
    #![allow(missing_docs)] // the macro's own type alias

    use diesel::prelude::*;

    use super::super::RegionId;
    use crate::schema::region_ancestors;

    /// The ids of a region and everything below it, as a sub-query for other rooms' lists.
    #[diesel::dsl::auto_type]
    pub fn within(ancestor: RegionId) -> _ {
        region_ancestors::table
            .filter(region_ancestors::ancestor_id.eq(ancestor))
            .select(region_ancestors::region_id)
    }

    /// The same of several regions.
    #[diesel::dsl::auto_type]
    pub fn within_any(ancestors: Vec<RegionId>) -> _ {
        region_ancestors::table
            .filter(region_ancestors::ancestor_id.eq_any(ancestors))
            .select(region_ancestors::region_id)
    }
}

/// The street that each of some regions lies in or is; a region above the streets stands for itself.
///
/// # Errors
/// Those of the database.
pub fn streets(conn: &mut Conn, ids: &[RegionId]) -> Result<HashMap<RegionId, Region>> {
    let above: Vec<(RegionId, Region)> = region_ancestors::table
        .inner_join(regions::table.on(regions::id.eq(region_ancestors::ancestor_id)))
        .filter(region_ancestors::region_id.eq_any(ids.to_vec()))
        .filter(regions::level.eq_any([Level::District, Level::Street]))
        // what comes last stays: the nearest
        .order(region_ancestors::distance.desc())
        .select((region_ancestors::region_id, Region::as_select()))
        .load(conn)?;
    Ok(above.into_iter().collect())
}

/// The names of the regions of `level` that some regions lie in (or are), in one query.
///
/// # Errors
/// Those of the database.
pub fn enclosing(
    conn: &mut Conn,
    ids: &[RegionId],
    level: Level,
) -> Result<HashMap<RegionId, String>> {
    let rows: Vec<(RegionId, String)> = region_ancestors::table
        .inner_join(regions::table.on(regions::id.eq(region_ancestors::ancestor_id)))
        .filter(region_ancestors::region_id.eq_any(ids.to_vec()))
        .filter(regions::level.eq(level))
        .select((region_ancestors::region_id, regions::name))
        .load(conn)?;
    Ok(rows.into_iter().collect())
}

/// The name of the region of `level` that a region lies in (or is).
///
/// # Errors
/// Those of the database.
pub fn enclosing_one(conn: &mut Conn, id: RegionId, level: Level) -> Result<Option<String>> {
    let name = each!(conn, c => region_ancestors::table
        .inner_join(regions::table.on(regions::id.eq(region_ancestors::ancestor_id)))
        .filter(region_ancestors::region_id.eq(id))
        .filter(regions::level.eq(level))
        .select(regions::name)
        .first(c)
        .optional());
    Ok(name?)
}

/// What a list of regions asks for.
#[derive(Debug)]
pub struct Query {
    /// The day on which they are valid.
    pub on: NaiveDate,
    pub parent: Option<RegionId>,
    pub level: Option<Level>,
    pub code: Option<String>,
    pub name: Option<String>,
    /// The last row seen: over the years one code is borne by several.
    pub after: Option<(String, RegionId)>,
    pub limit: i64,
}

pub fn list(conn: &mut Conn, query: &Query) -> Result<Vec<Region>> {
    let mut rows = regions::table
        .filter(regions::valid_from.le(query.on))
        .filter(
            regions::valid_to
                .is_null()
                .or(regions::valid_to.ge(query.on)),
        )
        .select(Region::as_select())
        .into_boxed();
    if let Some(parent) = query.parent {
        rows = rows.filter(regions::parent_id.eq(parent));
    }
    if let Some(level) = query.level {
        rows = rows.filter(regions::level.eq(level));
    }
    if let Some(code) = &query.code {
        rows = rows.filter(regions::code.eq(code.clone()));
    }
    if let Some(name) = &query.name {
        rows = rows.filter(lower(regions::name).like(like(name)).escape('\\'));
    }
    if let Some((code, id)) = &query.after {
        rows = rows.filter(
            regions::code
                .gt(code.clone())
                .or(regions::code.eq(code.clone()).and(regions::id.gt(*id))),
        );
    }
    Ok(rows
        .order((regions::code, regions::id))
        .limit(query.limit + 1)
        .load(conn)?)
}

pub fn insert(conn: &mut Conn, region: &Region) -> Result<()> {
    diesel::insert_into(regions::table)
        .values(region)
        .execute(conn)?;
    let above: Vec<(RegionId, i32)> = match region.parent_id {
        None => Vec::new(),
        Some(parent) => region_ancestors::table
            .filter(region_ancestors::region_id.eq(parent))
            .select((region_ancestors::ancestor_id, region_ancestors::distance))
            .load(conn)?,
    };
    let itself = [(region.id, -1)];
    for (ancestor, distance) in itself.into_iter().chain(above) {
        diesel::insert_into(region_ancestors::table)
            .values((
                region_ancestors::region_id.eq(region.id),
                region_ancestors::ancestor_id.eq(ancestor),
                region_ancestors::distance.eq(distance + 1),
            ))
            .execute(conn)?;
    }
    Ok(())
}

/// Changes what may change about a region; its level and parent do not.
pub fn update(conn: &mut Conn, region: &Region) -> Result<()> {
    diesel::update(regions::table.find(region.id))
        .set((
            regions::name.eq(&region.name),
            regions::population.eq(region.population),
            regions::longitude.eq(region.longitude),
            regions::latitude.eq(region.latitude),
            regions::valid_from.eq(region.valid_from),
            regions::valid_to.eq(region.valid_to),
            regions::version.eq(regions::version + 1),
        ))
        .execute(conn)?;
    Ok(())
}

pub fn replace_polygon(conn: &mut Conn, polygon: &Polygon) -> Result<()> {
    diesel::delete(region_polygons::table.find(polygon.region_id)).execute(conn)?;
    diesel::insert_into(region_polygons::table)
        .values(polygon)
        .execute(conn)?;
    Ok(())
}

/// Whether the outline of a region is known.
///
/// # Errors
/// Those of the database.
pub fn has_outline(conn: &mut Conn, id: RegionId) -> Result<bool> {
    let outline = region_polygons::table.filter(region_polygons::region_id.eq(id));
    Ok(diesel::select(diesel::dsl::exists(outline)).get_result(conn)?)
}

/// The smallest region whose outline holds the point, of those that have one.
///
/// # Errors
/// Those of the database.
pub fn holding(conn: &mut Conn, longitude: f64, latitude: f64) -> Result<Option<Region>> {
    let around: Vec<Polygon> = region_polygons::table
        .inner_join(regions::table)
        .filter(regions::valid_to.is_null())
        .filter(region_polygons::west.le(longitude))
        .filter(region_polygons::east.ge(longitude))
        .filter(region_polygons::south.le(latitude))
        .filter(region_polygons::north.ge(latitude))
        .order((region_polygons::area_m2, region_polygons::region_id))
        .select(Polygon::as_select())
        .load(conn)?;
    for polygon in around {
        if rules::is_inside(&rules::outline(&polygon.geometry.0)?, longitude, latitude) {
            return by_id(conn, polygon.region_id).map(Some);
        }
    }
    Ok(None)
}

/// The districts and streets whose centres lie in a box (west, south, east, north), degrees.
///
/// # Errors
/// Those of the database.
pub fn centred_in(
    conn: &mut Conn,
    (west, south, east, north): (f64, f64, f64, f64),
) -> Result<Vec<Region>> {
    Ok(regions::table
        .filter(regions::level.eq_any([Level::District, Level::Street]))
        .filter(regions::longitude.between(west, east))
        .filter(regions::latitude.between(south, north))
        .select(Region::as_select())
        .load(conn)?)
}

/// The smallest region whose outline holds the point; without one, the region of any level whose
/// centre is nearest, up to `reach_m` metres away, of those at one distance that of the lowest level.
///
/// # Errors
/// Those of the database.
pub fn locate(
    conn: &mut Conn,
    longitude: f64,
    latitude: f64,
    reach_m: f64,
) -> Result<Option<Region>> {
    if let Some(region) = holding(conn, longitude, latitude)? {
        return Ok(Some(region));
    }
    let (west, south, east, north) = rules::around((longitude, latitude), reach_m);
    let mut near: Vec<Region> = regions::table
        .filter(regions::valid_to.is_null())
        .filter(regions::longitude.between(west, east))
        .filter(regions::latitude.between(south, north))
        .select(Region::as_select())
        .load(conn)?;
    let distance = |region: &Region| match (region.longitude, region.latitude) {
        (Some(lon), Some(lat)) => rules::distance_m((longitude, latitude), (lon, lat)),
        _ => f64::INFINITY,
    };
    near.sort_by(|a, b| {
        distance(a)
            .total_cmp(&distance(b))
            .then_with(|| b.level.cmp(&a.level))
            .then_with(|| a.code.cmp(&b.code))
    });
    Ok(near
        .into_iter()
        .next()
        .filter(|region| distance(region) <= reach_m))
}
