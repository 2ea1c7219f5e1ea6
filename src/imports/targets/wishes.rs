//! Wishes, each posted for somebody who agreed elsewhere.

use uuid::Uuid;

use super::{Context, Field, Kind, UNREAD, field, place, required, status};
use crate::error::Result;
use crate::imports::row::Row;
use crate::platform::db::Tx;
use crate::taxonomies::{BeneficiaryGroup, LifeCycle};
use crate::wishes::{self, Contact, NewWish, WishId, WishKind, WishStatus};

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
    let (longitude, latitude) = row.coordinate();
    let region = place(tx.conn, context, row, (longitude, latitude))?;
    let (kind, life_cycle) = (row.choice("kind"), row.choice("life_cycle"));
    let (group, channel) = (
        row.choice("beneficiary_group"),
        row.choice("consent_channel"),
    );
    let (value_fen, expires_on) = (row.integer("value_fen"), row.date("expires_on"));
    let status = status(context, row, (WishStatus::Draft, WishStatus::Published));
    // of a wish whose kind is not known no value is right or wrong
    let (kind, value_fen) = match kind {
        Some(kind) => (kind, value_fen),
        None => (WishKind::Service, None),
    };
    let title = row.text("title").unwrap_or(UNREAD.to_owned());
    let text = |name: &str| row.text(name).unwrap_or_default();
    let new = NewWish {
        region_id: region,
        on_behalf: true,
        consent_channel: channel,
        contact: Contact {
            name: text("contact_name"),
            phone: text("contact_phone"),
            address: text("contact_address"),
        },
        alias: text("alias"),
        beneficiary_group: group.unwrap_or(BeneficiaryGroup::Other),
        life_cycle: life_cycle.unwrap_or(LifeCycle::Support),
        kind,
        title: title.clone(),
        description: row.text("description").unwrap_or(title),
        value_fen,
        longitude,
        latitude,
        expires_on,
    };
    let by = (context.actor, context.author);
    let desk = &context.desk.wishes;
    let made = wishes::import(tx, desk, by, known.map(WishId), &new, status);
    row.finish(made).map(|wish| wish.id.0)
}
