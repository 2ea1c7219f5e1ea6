use chrono::NaiveDate;
use geo::BoundingRect;
use serde_json::json;
use validator::Validate;

use super::model::{Level, Polygon, Region, RegionId};
use super::{rules, store};
use crate::error::{Code, Error, Problem, Result, together};
use crate::platform::columns::Json;
use crate::platform::db::{Conn, Tx};
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

/// The region that something refers to, if it may: it is there, and it has not ended, unless it is the
/// one that is `kept` because the thing refers to it already. Else the code for the field that names it:
/// `unknown_reference`, `region_ended`.
///
/// # Errors
/// Those of the database.
pub fn current(
    conn: &mut Conn,
    id: RegionId,
    kept: Option<RegionId>,
    today: NaiveDate,
) -> Result<Result<Region, Code>> {
    let Some(region) = store::find(conn, id)? else {
        return Ok(Err(Code::UnknownReference));
    };
    if kept != Some(id) && rules::has_ended(region.valid_to, today) {
        return Ok(Err(Code::RegionEnded));
    }
    Ok(Ok(region))
}

/// Adds a region, or brings the one with this code up to date. Its level and its place in the
/// tree do not change: a region that moves is another one. Returns it and whether it is new.
///
/// # Errors
/// `invalid` with every wrong field: an unknown parent, a level that does not fit its parent, dates
/// that make no sense.
pub fn upsert(tx: &mut Tx<'_>, actor: Actor, new: &NewRegion) -> Result<(Region, bool)> {
    let mut wrong = Problem::new(Code::Invalid);
    let known = store::by_code(tx.conn, &new.code)?;
    let parent = parent_of(tx.conn, new.parent.as_deref(), known.as_ref())?;
    let parent_id = parent.as_ref().map(|parent| parent.id);
    let has_moved = |known: &Region| known.level != new.level || known.parent_id != parent_id;
    if new.parent.is_some() && parent.is_none() {
        wrong = wrong.field("/parent", Code::UnknownReference);
    } else {
        if known.as_ref().is_some_and(has_moved) {
            wrong = wrong.field("/parent", Code::RegionMoved);
        }
        if !rules::may_lie_in(new.level, parent.map(|parent| parent.level)) {
            wrong = wrong.field("/level", Code::RegionLevel);
        }
    }
    match (new.longitude, new.latitude) {
        (None, Some(_)) => wrong = wrong.field("/longitude", Code::Required),
        (Some(_), None) => wrong = wrong.field("/latitude", Code::Required),
        _ => {}
    }
    if let Some(last) = new.valid_to {
        if last < new.valid_from {
            wrong = wrong.field("/valid_to", Code::EndsBeforeItBegins);
        } else if last >= tx.today() {
            wrong = wrong.field("/valid_to", Code::NotOver);
        }
    }
    together([valid::check(new, ""), Err(wrong.into())])?;
    let is_new = known.is_none();
    let region = match known {
        Some(region) => Region {
            name: new.name.clone(),
            population: new.population.or(region.population),
            longitude: new.longitude.or(region.longitude),
            latitude: new.latitude.or(region.latitude),
            valid_from: new.valid_from,
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

/// The region that bears a code today, to lie in; a known region goes on lying in its own parent, which
/// may have ended before it.
fn parent_of(
    conn: &mut Conn,
    code: Option<&str>,
    known: Option<&Region>,
) -> Result<Option<Region>> {
    let Some(code) = code else {
        return Ok(None);
    };
    if let Some(id) = known.and_then(|known| known.parent_id)
        && let Some(parent) = store::find(conn, id)?
        && parent.code == code
    {
        return Ok(Some(parent));
    }
    store::by_code(conn, code)
}

/// Looks at a GeoJSON geometry before it is set.
///
/// # Errors
/// `invalid` at `/geometry` when it is not a sound polygon.
pub fn check_outline(geometry: &serde_json::Value) -> Result<()> {
    match rules::sound_outline(geometry) {
        Ok(_) => Ok(()),
        Err(code) => Err(Problem::new(Code::Invalid).field("/geometry", code).into()),
    }
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
