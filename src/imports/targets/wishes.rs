//! Wishes, each posted for somebody who agreed elsewhere.

use uuid::Uuid;

use super::{Context, Field, Kind, field, place, required, status};
use crate::error::{Code, Problem, Result};
use crate::imports::row::Row;
use crate::platform::db::Tx;
use crate::wishes::{self, Contact, NewWish, WishId, WishStatus};

pub const FIELDS: &[Field] = &[
    required("title", Kind::Text),
    field("description", Kind::Text),
    required("kind", Kind::Text),
    field("value_fen", Kind::Number),
    required("alias", Kind::Text),
    required("beneficiary_group", Kind::Text),
    required("life_cycle", Kind::Text),
    required("consent_channel", Kind::Text),
    required("contact_name", Kind::Text),
    required("contact_phone", Kind::Text),
    required("contact_address", Kind::Text),
    field("region", Kind::Text),
    field("longitude", Kind::Number),
    field("latitude", Kind::Number),
    field("expires_on", Kind::Date),
    field("status", Kind::Text),
];

pub fn write(
    tx: &mut Tx<'_>,
    context: &Context<'_>,
    row: &mut Row<'_>,
    known: Option<Uuid>,
) -> Result<Uuid> {
    let (longitude, latitude) = (row.decimal("longitude"), row.decimal("latitude"));
    let region = place(tx.conn, context, row, (longitude, latitude))?;
    let (kind, life_cycle) = (row.choice("kind"), row.choice("life_cycle"));
    let (group, channel) = (
        row.choice("beneficiary_group"),
        row.choice("consent_channel"),
    );
    let (value_fen, expires_on) = (row.integer("value_fen"), row.date("expires_on"));
    let status = status(context, row, (WishStatus::Draft, WishStatus::Published));
    row.finish()?;
    let (Some(region_id), Some(kind), Some(life_cycle), Some(beneficiary_group)) =
        (region, kind, life_cycle, group)
    else {
        return Err(Problem::new(Code::Invalid).into());
    };
    let text = |name: &str| row.text(name).unwrap_or_default();
    let new = NewWish {
        region_id,
        on_behalf: true,
        consent_channel: channel,
        contact: Contact {
            name: text("contact_name"),
            phone: text("contact_phone"),
            address: text("contact_address"),
        },
        alias: text("alias"),
        beneficiary_group,
        life_cycle,
        kind,
        title: text("title"),
        description: row.text("description").unwrap_or(text("title")),
        value_fen,
        longitude,
        latitude,
        expires_on,
    };
    let by = (context.actor, context.author);
    let desk = &context.desk.wishes;
    let wish = wishes::import(tx, desk, by, known.map(WishId), &new, status)?;
    Ok(wish.id.0)
}
