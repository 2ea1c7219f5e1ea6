//! Regions by their codes, and outlines.

use uuid::Uuid;

use super::{Context, Field, Kind, Outcome, UNREAD, field, required};
use crate::error::{Code, Result, together};
use crate::imports::row::Row;
use crate::platform::db::Tx;
use crate::regions::{self, Level, NewRegion, Region};

pub const FIELDS: &[Field] = &[
    required("code", Kind::Text),
    field("name", Kind::Text),
    field("level", Kind::Text),
    field("parent", Kind::Text),
    field("population", Kind::Number),
    field("longitude", Kind::Number),
    field("latitude", Kind::Number),
    field("valid_from", Kind::Date),
    field("valid_to", Kind::Date),
    field("geometry", Kind::Text),
];

pub fn write(tx: &mut Tx<'_>, context: &Context<'_>, row: &mut Row<'_>) -> Result<(Uuid, Outcome)> {
    let code = row.text("code").unwrap_or_default();
    let level: Option<Level> = row.choice("level");
    let (name, parent) = (row.text("name"), row.text("parent"));
    let population = row.integer("population");
    let (longitude, latitude) = row.coordinate();
    let (valid_from, valid_to) = (row.date("valid_from"), row.date("valid_to"));
    let geometry: Option<serde_json::Value> = row
        .text("geometry")
        .and_then(|text| serde_json::from_str(&text).ok());
    if geometry.is_none() && row.text("geometry").is_some() {
        row.refuse("geometry", Code::Format);
    }
    let known = regions::by_code(tx.conn, &code)?;
    let above = match known.as_ref().and_then(|known| known.parent_id) {
        Some(id) => Some(regions::by_id(tx.conn, id)?.code),
        None => None,
    };
    let name = name.or(known.as_ref().map(|known| known.name.clone()));
    let level = level.or(known.as_ref().map(|known| known.level));
    if name.is_none() {
        row.require("name");
    }
    if level.is_none() {
        row.require("level");
    }
    let is_in_place = parent.is_none() || parent == above;
    let new = NewRegion {
        code: code.clone(),
        name: name.unwrap_or(UNREAD.to_owned()),
        level: level.unwrap_or(Level::Grid),
        parent: parent.or(above),
        population,
        longitude,
        latitude,
        valid_from: valid_from
            .or(known.as_ref().map(|known| known.valid_from))
            .or(valid_to.filter(|_| row.is_wrong("valid_from")))
            .unwrap_or(tx.today()),
        valid_to,
    };
    if let Some(known) = &known
        && is_in_place
        && geometry.is_none()
        && !row.is_bad()
        && is_said(known, &new)
    {
        return Ok((known.id.0, Outcome::Unchanged));
    }
    let made = regions::upsert(tx, context.actor, &new);
    let outline = geometry.as_ref().map_or(Ok(()), regions::check_outline);
    let made = match made {
        Ok((region, is_new)) => outline.map(|()| (region.id.0, is_new)),
        Err(error) => together([Err(error), outline]).map(|()| (Uuid::nil(), false)),
    };
    let (id, is_new) = row.finish(made)?;
    if let Some(geometry) = geometry {
        regions::set_polygon(tx, context.actor, &code, &geometry)?;
    }
    let outcome = match is_new {
        true => Outcome::Created,
        false => Outcome::Updated,
    };
    Ok((id, outcome))
}

/// Whether a region is what is said of it already, where it lies and its outline aside.
fn is_said(known: &Region, new: &NewRegion) -> bool {
    let centre = (new.longitude, new.latitude);
    known.name == new.name
        && known.level == new.level
        && (new.population.is_none() || new.population == known.population)
        && (centre == (None, None) || centre == (known.longitude, known.latitude))
        && (known.valid_from, known.valid_to) == (new.valid_from, new.valid_to)
}
