use chrono::NaiveDate;
use geo::BoundingRect;
use serde_json::json;
use validator::Validate;

use super::model::{Level, Polygon, Region, RegionId};
use super::{rules, store};
use crate::error::{Code, Error, Problem, Result};
use crate::platform::columns::Json;
use crate::platform::db::Tx;
use crate::platform::http::valid;
use crate::platform::journal::{Actor, Change};

/// A region as an import or an administrator gives it.
#[derive(Clone, Debug, Validate)]
pub struct NewRegion {
    /// Its code.
    #[validate(length(min = 1, max = 40))]
    pub code: String,
    /// Its name.
    #[validate(length(min = 1, max = 100))]
    pub name: String,
    /// What kind it is.
    pub level: Level,
    /// The code of the region it lies in; none for a district.
    pub parent: Option<String>,
    /// Inhabitants, when known.
    #[validate(range(min = 0))]
    pub population: Option<i64>,
    /// Its centre, degrees east.
    #[validate(range(min = -180.0, max = 180.0))]
    pub longitude: Option<f64>,
    /// Its centre, degrees north.
    #[validate(range(min = -90.0, max = 90.0))]
    pub latitude: Option<f64>,
    /// The first day of its code.
    pub valid_from: NaiveDate,
    /// The last day of its code, once it has passed; none while it is valid.
    pub valid_to: Option<NaiveDate>,
}

/// Adds a region, or brings the one with this code up to date. Its level and its place in the
/// tree do not change: a region that moves is another one. Returns it and whether it is new.
///
/// # Errors
/// `invalid` with the wrong fields: an unknown parent, a level that does not fit its parent.
pub fn upsert(tx: &mut Tx<'_>, actor: Actor, new: &NewRegion) -> Result<(Region, bool)> {
    valid::check(new, "")?;
    let wrong =
        |field: &str, code| -> Error { Problem::new(Code::Invalid).field(field, code).into() };
    let parent = match &new.parent {
        None => None,
        Some(code) => Some(
            store::by_code(tx.conn, code)?
                .ok_or_else(|| wrong("/parent", Code::UnknownReference))?,
        ),
    };
    if !rules::may_lie_in(new.level, parent.as_ref().map(|parent| parent.level)) {
        return Err(wrong("/level", Code::RegionLevel));
    }
    if new.longitude.is_some() != new.latitude.is_some() {
        return Err(wrong("/longitude", Code::Required));
    }
    if new.valid_to.is_some_and(|last| last < new.valid_from) {
        return Err(wrong("/valid_to", Code::EndsBeforeItBegins));
    }
    if new.valid_to.is_some_and(|last| last >= tx.today()) {
        return Err(wrong("/valid_to", Code::NotOver));
    }
    let parent_id = parent.map(|parent| parent.id);
    let known = store::by_code(tx.conn, &new.code)?;
    let is_new = known.is_none();
    let region = match known {
        Some(region) if region.level != new.level || region.parent_id != parent_id => {
            return Err(wrong("/parent", Code::RegionMoved));
        }
        Some(region) => Region {
            name: new.name.clone(),
            population: new.population.or(region.population),
            longitude: new.longitude.or(region.longitude),
            latitude: new.latitude.or(region.latitude),
            valid_to: new.valid_to,
            ..region
        },
        None => Region {
            id: RegionId::new(),
            code: new.code.clone(),
            name: new.name.clone(),
            level: new.level,
            parent_id,
            population: new.population,
            longitude: new.longitude,
            latitude: new.latitude,
            valid_from: new.valid_from,
            valid_to: new.valid_to,
            version: 1,
        },
    };
    let kind = if is_new {
        store::insert(tx.conn, &region)?;
        "region.created"
    } else {
        store::update(tx.conn, &region)?;
        "region.updated"
    };
    tx.journal(
        Change::new(actor, kind, region.id.0)
            .region(region.id.0)
            .payload(json!({ "code": region.code })),
    )?;
    Ok((region, is_new))
}

/// Sets the outline of the region with this code from a GeoJSON geometry.
///
/// # Errors
/// `invalid` when there is no such region or the geometry is not a sound polygon.
pub fn set_polygon(
    tx: &mut Tx<'_>,
    actor: Actor,
    code: &str,
    geometry: &serde_json::Value,
) -> Result<()> {
    let wrong =
        |field: &str, code| -> Error { Problem::new(Code::Invalid).field(field, code).into() };
    let region =
        store::by_code(tx.conn, code)?.ok_or_else(|| wrong("/code", Code::UnknownReference))?;
    let outline = rules::sound_outline(geometry).map_err(|code| wrong("/geometry", code))?;
    let bounds = outline
        .bounding_rect()
        .ok_or_else(|| wrong("/geometry", Code::Format))?;
    let polygon = Polygon {
        region_id: region.id,
        geometry: Json(geometry.clone()),
        area_m2: rules::area_m2(&outline),
        west: bounds.min().x,
        south: bounds.min().y,
        east: bounds.max().x,
        north: bounds.max().y,
    };
    store::replace_polygon(tx.conn, &polygon)?;
    tx.journal(Change::new(actor, "region.outlined", region.id.0).region(region.id.0))
}
