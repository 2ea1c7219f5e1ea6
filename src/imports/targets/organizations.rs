//! Organisations.

use uuid::Uuid;

use super::{Context, Field, Kind, field, place, required};
use crate::error::{Code, Problem, Result};
use crate::identity;
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
    let (longitude, latitude) = (row.decimal("longitude"), row.decimal("latitude"));
    let region = place(tx.conn, row, (longitude, latitude))?;
    let kind: Option<OrganizationKind> = row.choice("kind");
    let status = row.choice("status").unwrap_or(OrganizationStatus::Draft);
    if !matches!(
        status,
        OrganizationStatus::Draft | OrganizationStatus::Active
    ) {
        row.refuse("status", Code::UnknownReference);
    }
    let phone = row.phone("manager_phone");
    row.finish()?;
    let (Some(region_id), Some(kind)) = (region, kind) else {
        return Err(Problem::new(Code::Invalid).into());
    };
    let name = row.text("name").unwrap_or_default();
    let manager = match phone {
        None => None,
        Some(phone) => {
            let called = row.text("manager_name").unwrap_or(name.clone());
            Some(identity::invite_account(tx, Some(&phone), None, Some(&called))?.id)
        }
    };
    let new = NewOrganization {
        kind,
        name,
        region_id,
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
    let organization = organizations::import(tx, desk, by, known, &new, &standing)?;
    Ok(organization.id.0)
}
