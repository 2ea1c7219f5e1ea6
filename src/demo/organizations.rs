//! Sample organisations, filed, registered and other, each through its review.

use chrono::TimeDelta;
use serde::Deserialize;

use super::people::{Names, acting, by_email, phone, volunteer};
use super::region;
use crate::app::App;
use crate::error::{Error, Result};
use crate::identity::{self, Caller, Role};
use crate::organizations::{
    self, Approval, Desk, DocumentKind, EditOrganization, Invitation, MemberRole, NewOrganization,
    OrganizationId, OrganizationKind,
};
use crate::platform::db::Tx;
use crate::platform::files::StoredDocument;
use crate::platform::http::IfMatch;
use crate::platform::journal::Actor;

#[derive(Deserialize)]
pub(super) struct OrganizationFile {
    pub organization: Vec<OrganizationRow>,
}

#[derive(Clone, Deserialize)]
pub(super) struct OrganizationRow {
    key: String,
    name: String,
    kind: OrganizationKind,
    field: String,
    region: String,
    credit_code: Option<String>,
    summary_zh: String,
    longitude: f64,
    latitude: f64,
}

/// An organisation that may act, and the address of its manager.
pub(super) struct Loaded {
    pub key: String,
    pub id: OrganizationId,
    pub kind: OrganizationKind,
    pub manager: String,
}

/// The sample organisation whose manager one can sign in as.
const OPEN: &str = "harbour-volunteers-association";

/// A number of an identity card that the standard itself prints as its example.
const NUMBER: &str = "11010519491231002X";

/// Loads all of them, the managers and members out of the sample volunteers.
pub(super) async fn load(
    app: &App,
    rows: Vec<OrganizationRow>,
    names: &Names,
) -> Result<Vec<Loaded>> {
    let charter = app.platform.files.put_document(CHARTER.to_vec()).await?;
    let mut loaded = Vec::new();
    for (number, row) in rows.into_iter().enumerate() {
        let manager = if row.key == OPEN {
            "organization@demo.invalid".to_owned()
        } else {
            format!("{}@demo.invalid", row.key)
        };
        let (desk, names, charter) = (app.organizations.clone(), names.clone(), charter.clone());
        let (key, kind, email) = (row.key.clone(), row.kind, manager.clone());
        let write = app
            .platform
            .db
            .write(move |tx| found(tx, &desk, &row, &names, &charter, &email, number));
        loaded.push(Loaded {
            key,
            id: write.await?,
            kind,
            manager,
        });
    }
    Ok(loaded)
}

fn found(
    tx: &mut Tx<'_>,
    desk: &Desk,
    row: &OrganizationRow,
    names: &Names,
    charter: &StoredDocument,
    email: &str,
    number: usize,
) -> Result<OrganizationId> {
    let region_id = region(tx, &row.region)?;
    let founder = identity::create_account(tx, None, Some(email), None, &names.nth(700 + number))?;
    let caller = acting(tx, founder.id)?;
    let today = tx.now.with_timezone(&tx.zone).date_naive();
    let new = NewOrganization {
        kind: row.kind,
        name: row.name.clone(),
        region_id,
        field: Some(row.field.clone()),
        introduction: row.summary_zh.clone(),
        credit_code: row.credit_code.clone(),
        venue_address: Some("示例路1号".to_owned()),
        venue_region_id: Some(region_id),
        venue_until: Some(today + TimeDelta::days(700)),
        longitude: Some(row.longitude),
        latitude: Some(row.latitude),
    };
    let id = organizations::create(tx, desk, &caller, &new)?.id;
    let manager = acting(tx, founder.id)?;
    if row.kind == OrganizationKind::Filed {
        for member in 0..9 {
            let n = (number * 9 + member) % super::people::VOLUNTEERS;
            let invited = Invitation {
                phone: Some(phone(n)),
                email: None,
                name: names.nth(n),
                role: MemberRole::Member,
            };
            let invitation = organizations::invite(tx, desk, &manager, id, &invited)?;
            let person = volunteer(tx, names, n)?;
            organizations::accept(tx, desk, &person, invitation.id)?;
        }
        organizations::add_document(tx, desk, &manager, id, DocumentKind::Charter, charter)?;
        let version = organizations::organization(tx.conn, id)?.version;
        let edit = EditOrganization {
            responsible_id: Some(Some(founder.id)),
            responsible_number: Some(Some(NUMBER.to_owned())),
            ..EditOrganization::default()
        };
        organizations::edit(tx, desk, &manager, id, &IfMatch::read(version), &edit)?;
    }
    let submitted = organizations::submit(tx, desk, &manager, id)?;
    let reviewer = reviewer(tx, row)?;
    let approval = Approval {
        credit_code_reason: organizations::is_doubtful(row.credit_code.as_deref())
            .then(|| "示例数据，代码为虚构。".to_owned()),
    };
    let seen = IfMatch::read(submitted.version);
    organizations::approve(tx, desk, &reviewer, id, &seen, &approval)?;
    if row.key == OPEN {
        let email = "member@demo.invalid";
        let invited = Invitation {
            phone: None,
            email: Some(email.to_owned()),
            name: "示例·协会成员".to_owned(),
            role: MemberRole::Member,
        };
        let invitation = organizations::invite(tx, desk, &manager, id, &invited)?;
        let member = by_email(tx, email)?;
        let member = acting(tx, member)?;
        organizations::accept(tx, desk, &member, invitation.id)?;
    }
    Ok(id)
}

/// Who reviews: a filing the street's staff, anything else the district's.
fn reviewer(tx: &mut Tx<'_>, row: &OrganizationRow) -> Result<Caller> {
    if row.kind != OrganizationKind::Filed {
        let district = by_email(tx, "district@demo.invalid")?;
        return acting(tx, district);
    }
    let email = match row.region.as_str() {
        "330206002" => "street@demo.invalid".to_owned(),
        code => format!("street-{code}@demo.invalid"),
    };
    let street = region(tx, &row.region)?;
    let name = "示例·街道管理员";
    let admin = identity::create_account(tx, None, Some(&email), None, name)?.id;
    identity::grant(tx, Actor::System, admin, Role::RegionAdmin, Some(street.0))?;
    acting(tx, admin)
}

/// The organisation with this key.
pub(super) fn named<'a>(all: &'a [Loaded], key: &str) -> Result<&'a Loaded> {
    all.iter()
        .find(|organization| organization.key == key)
        .ok_or_else(|| Error::internal(format!("no sample organisation {key}")))
}

/// A page that stands for a charter.
const CHARTER: &[u8] = b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n";
