//! Organisations over HTTP.

mod browsing;
mod documents;
mod members;
mod moves;

use chrono::NaiveDate;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::model::{Organization, OrganizationId, OrganizationKind, OrganizationStatus};
use super::rules::{self, MOVES, Relation};
use super::service;
use super::store;
use crate::error::Result;
use crate::identity::{AccountId, Caller, Made};
use crate::platform::clock::Instant;
use crate::platform::db::{Conn, Tx};
use crate::platform::lifecycle;
use crate::regions::RegionId;

/// The room's routes.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(browsing::list)
        .service(browsing::mine)
        .service(browsing::to_review)
        .service(browsing::read)
        .service(browsing::history);
    config
        .service(moves::create)
        .service(moves::edit)
        .service(moves::submit)
        .service(moves::revise)
        .service(moves::dissolve)
        .service(moves::approve)
        .service(moves::send_back)
        .service(moves::suspend)
        .service(moves::reinstate)
        .service(moves::revoke)
        .service(moves::register)
        .service(moves::approve_registration)
        .service(moves::refuse_registration);
    config
        .service(documents::add_document)
        .service(documents::list_documents)
        .service(documents::show_document)
        .service(documents::delete_document);
    config
        .service(members::list_members)
        .service(members::invite)
        .service(members::cancel)
        .service(members::change_role)
        .service(members::remove)
        .service(members::leave)
        .service(members::my_invitations)
        .service(members::accept)
        .service(members::decline);
}

/// An organisation as a caller may see it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Organization)]
pub struct OrganizationView {
    /// Its id, the same when a filed one becomes registered.
    pub id: OrganizationId,
    /// What kind of body it is.
    pub kind: OrganizationKind,
    /// Its name.
    pub name: String,
    /// Where it acts; the street that a filed one is on file with.
    pub region_id: RegionId,
    /// The field it works in, a code of the taxonomy.
    pub field: Option<String>,
    /// A few words about it.
    pub introduction: String,
    /// Its unified social credit code.
    pub credit_code: Option<String>,
    /// Where it can be found.
    pub venue_address: Option<String>,
    /// Its venue, degrees east.
    pub longitude: Option<f64>,
    /// Its venue, degrees north.
    pub latitude: Option<f64>,
    /// How many people belong to it.
    pub members: i64,
    /// Where it stands.
    pub status: OrganizationStatus,
    /// Since when.
    pub status_since: Instant,
    /// The moves that are the caller's now; a rule may still refuse one.
    pub moves: Vec<&'static str>,
    /// What only its members and the staff of its regions see.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub involved: Option<InvolvedView>,
    /// When it was published first; none before.
    pub published_at: Option<Instant>,
    /// When it was written down.
    pub created_at: Instant,
}

/// What only the members of an organisation and the staff of its regions see.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OrganizationInvolved)]
pub struct InvolvedView {
    /// The member who answers for it.
    pub responsible_id: Option<AccountId>,
    /// Whether that person's number of the identity card is there; it is shown to nobody.
    pub has_responsible_number: bool,
    /// The region its venue lies in.
    pub venue_region_id: Option<RegionId>,
    /// The last day on which it may use the venue.
    #[schema(value_type = Option<String>, format = Date)]
    pub venue_until: Option<NaiveDate>,
    /// Until when its filing must be in order again.
    pub curing_until: Option<Instant>,
    /// The code with which it asks to count as registered.
    pub registering_code: Option<String>,
    /// Whether the check character of its credit code is wrong; a reviewer must then say why it is
    /// believed.
    pub credit_code_doubtful: bool,
    /// Why a reviewer believed such a code.
    pub credit_code_reason: Option<String>,
    /// Whether the caller runs it.
    pub i_manage: bool,
    /// Whether the caller reviews it.
    pub i_review: bool,
    /// Its version, as in the `ETag`.
    pub version: i32,
}

fn view(conn: &mut Conn, row: Organization, relation: Relation) -> Result<OrganizationView> {
    let asked = row
        .registering_code
        .as_deref()
        .or(row.credit_code.as_deref());
    let involved = relation.is_involved().then(|| InvolvedView {
        responsible_id: row.responsible_id,
        has_responsible_number: row.responsible_number.is_some(),
        venue_region_id: row.venue_region_id,
        venue_until: row.venue_until,
        curing_until: row.curing_until,
        registering_code: row.registering_code.clone(),
        credit_code_doubtful: rules::is_doubtful(asked),
        credit_code_reason: row.credit_code_reason.clone(),
        i_manage: relation.manager,
        i_review: relation.reviewer,
        version: row.version,
    });
    Ok(OrganizationView {
        members: store::count_members(conn, row.id, None)?,
        id: row.id,
        kind: row.kind,
        name: row.name,
        region_id: row.region_id,
        field: row.field,
        introduction: row.introduction,
        credit_code: row.credit_code,
        venue_address: row.venue_address,
        longitude: row.longitude,
        latitude: row.latitude,
        status: row.status,
        status_since: row.status_since,
        moves: lifecycle::open_to(MOVES, relation, row.status),
        involved,
        published_at: row.published_at,
        created_at: row.created_at,
    })
}

/// The answer to a move: the organisation as the caller sees it now.
fn moved(tx: &mut Tx<'_>, caller: &Caller, row: Organization) -> Result<Made<OrganizationView>> {
    let version = row.version;
    let relation = service::relation(tx.conn, Some(caller), &row)?;
    Ok(Made::changed(view(tx.conn, row, relation)?).version(version))
}
