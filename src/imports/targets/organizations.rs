//! Organisations.

use uuid::Uuid;

use super::{Context, Field, Kind, field, place, required, status};
use crate::error::Result;
use crate::imports::row::Row;
use crate::organizations::{
    self, NewOrganization, OrganizationId, OrganizationKind, OrganizationStatus, Standing,
};
use crate::platform::db::Tx;

pub const FIELDS: &[Field] = &[
    required("name", Kind::Text),
    required("kind", Kind::Text),
    field("region", Kind::Text),
    field("field", Kind::Text),
    field("introduction", Kind::Text),
    field("credit_code", Kind::Text),
    field("credit_code_reason", Kind::Text),
    field("venue_address", Kind::Text),
    field("longitude", Kind::Number),
    field("latitude", Kind::Number),
    field("manager_phone", Kind::Text),
    field("manager_name", Kind::Text),
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
    let kind: Option<OrganizationKind> = row.choice("kind");
    let known_states = (OrganizationStatus::Draft, OrganizationStatus::Active);
    let status = status(context, row, known_states);
    let phone = row.phone("manager_phone");
    let name = row.text("name").unwrap_or_default();
    let manager = phone.map(|phone| {
        let called = row.text("manager_name").unwrap_or(name.clone());
        (phone, called.chars().take(50).collect())
    });
    let new = NewOrganization {
        // asks least of what else the row says
        kind: kind.unwrap_or(OrganizationKind::VolunteerTeam),
        name,
        region_id: region,
        field: row.text("field"),
        introduction: row.text("introduction").unwrap_or_default(),
        credit_code: row.text("credit_code"),
        venue_address: row.text("venue_address"),
        venue_region_id: None,
        venue_until: None,
        longitude,
        latitude,
    };
    let standing = Standing {
        status,
        credit_code_reason: row.text("credit_code_reason"),
        manager,
    };
    let known = known.map(OrganizationId);
    let desk = &context.desk.organizations;
    let by = (context.actor, context.author);
    let made = organizations::import(tx, desk, by, known, &new, &standing);
    row.finish(made).map(|organization| organization.id.0)
}
