//! Regions by their codes, and outlines.

use uuid::Uuid;

use super::{Context, Field, Kind, UNREAD, field, required};
use crate::error::{Code, Result, together};
use crate::imports::row::Row;
use crate::platform::db::Tx;
use crate::regions::{self, Level, NewRegion};

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

pub fn write(tx: &mut Tx<'_>, context: &Context<'_>, row: &mut Row<'_>) -> Result<Uuid> {
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
    let new = NewRegion {
        code: code.clone(),
        name: name.unwrap_or(UNREAD.to_owned()),
        level: level.unwrap_or(Level::Grid),
        parent: parent.or(above),
        population,
        longitude,
        latitude,
        valid_from: valid_from
            .or(known.map(|known| known.valid_from))
            .or(valid_to.filter(|_| row.is_wrong("valid_from")))
            .unwrap_or(tx.today()),
        valid_to,
    };
    let made = regions::upsert(tx, context.actor, &new);
    let outline = geometry.as_ref().map_or(Ok(()), regions::check_outline);
    let made = match made {
        Ok((region, _)) => outline.map(|()| region.id.0),
        Err(error) => together([Err(error), outline]).map(|()| Uuid::nil()),
    };
    let id = row.finish(made)?;
    if let Some(geometry) = geometry {
        regions::set_polygon(tx, context.actor, &code, &geometry)?;
    }
    Ok(id)
}
