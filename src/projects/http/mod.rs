//! Projects over HTTP; claims, crews and campaigns have their own.

mod browsing;
mod moves;

use chrono::NaiveDate;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::campaigns::BatchId;
use super::model::{ClaimMode, Project, ProjectId, ProjectRole, ProjectStatus, RoleId, RoleSkill};
use super::rules::{self, Relation};
use super::{campaigns, claims, crews, service, store};
use crate::error::Result;
use crate::identity::{Caller, Made};
use crate::organizations::OrganizationId;
use crate::platform::clock::Instant;
use crate::platform::db::{Conn, Tx};
use crate::regions::RegionId;
use crate::taxonomies::{BeneficiaryGroup, LifeCycle};
use crate::volunteers::Window;

/// The room's routes, its sub-rooms' included.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(browsing::list)
        .service(browsing::coverage)
        .service(browsing::to_review)
        .service(browsing::mine)
        .service(browsing::read)
        .service(browsing::timeline);
    config
        .service(moves::create)
        .service(moves::edit)
        .service(moves::submit)
        .service(moves::revise)
        .service(moves::approve)
        .service(moves::send_back)
        .service(moves::open)
        .service(moves::close_claims)
        .service(moves::suspend)
        .service(moves::resume)
        .service(moves::cancel)
        .service(moves::archive);
    campaigns::http::routes(config);
    claims::http::routes(config);
    crews::http::routes(config);
}

/// A role of a project.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ProjectRole)]
pub struct RoleView {
    /// Its id.
    pub id: RoleId,
    /// What it is called.
    pub name: String,
    /// How many volunteers it takes, in the crew of each claim.
    pub seats: i32,
    /// How many of them there are, over all claims.
    pub filled: i64,
    /// A kind of qualification its holder must have.
    pub qualification: Option<String>,
    /// The skills it asks for.
    pub skills: Vec<RoleSkill>,
    /// When in a week it is done; empty when it is not scheduled.
    pub hours: Vec<Window>,
}

/// A project as a caller may see it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Project)]
pub struct ProjectView {
    /// Its id.
    pub id: ProjectId,
    /// The batch it is published with.
    pub batch_id: Option<BatchId>,
    /// Where it is carried out.
    pub region_id: RegionId,
    /// The organisation that published it; none when the region itself did.
    pub organization_id: Option<OrganizationId>,
    /// In a few words.
    pub title: String,
    /// In more words.
    pub summary: String,
    /// Its field, a code of the taxonomy.
    pub field: String,
    /// The livelihood goal it serves first.
    pub life_cycle: LifeCycle,
    /// Whom it is for.
    pub beneficiary_group: Option<BeneficiaryGroup>,
    /// What volunteers must know before they come.
    pub risk_notice: String,
    /// Whether it is work with minors.
    pub minors: bool,
    /// Whether it is dangerous.
    pub dangerous: bool,
    /// Whether it is an internal Party activity.
    pub party_only: bool,
    /// The insurance policy.
    pub insurance_policy: Option<String>,
    /// The first day it covers.
    #[schema(value_type = Option<String>, format = Date)]
    pub insurance_from: Option<NaiveDate>,
    /// The last day it covers.
    #[schema(value_type = Option<String>, format = Date)]
    pub insurance_until: Option<NaiveDate>,
    /// How a claim is decided on.
    pub claim_mode: ClaimMode,
    /// Whether a person may claim it, beside organisations.
    pub allows_person: bool,
    /// How many may hold a claim at once.
    pub claim_seats: i32,
    /// How many hold one, or have fulfilled theirs.
    pub claim_seats_taken: i64,
    /// Its first day.
    pub starts_on: NaiveDate,
    /// Its last day.
    pub ends_on: NaiveDate,
    /// Where it is carried out, degrees east.
    pub longitude: Option<f64>,
    /// Where it is carried out, degrees north.
    pub latitude: Option<f64>,
    /// Its roles, in their order.
    pub roles: Vec<RoleView>,
    /// Where it stands.
    pub status: ProjectStatus,
    /// Since when.
    pub status_since: Instant,
    /// The moves that are the caller's now; a rule may still refuse one.
    pub moves: Vec<&'static str>,
    /// Its version, as in the `ETag`.
    pub version: i32,
    /// When it was published first; none before.
    pub published_at: Option<Instant>,
    /// When it was written down.
    pub created_at: Instant,
}

fn view(conn: &mut Conn, row: Project, relation: Relation) -> Result<ProjectView> {
    let mut filled = std::collections::HashMap::new();
    for claim in claims::holders(conn, row.id)? {
        for (role, count) in crews::filled(conn, claim.id)? {
            *filled.entry(role).or_insert(0) += count;
        }
    }
    let roles = store::roles(conn, row.id)?
        .into_iter()
        .map(|role: ProjectRole| RoleView {
            id: role.id,
            name: role.name,
            seats: role.seats,
            filled: filled.get(&role.id).copied().unwrap_or(0),
            qualification: role.qualification,
            skills: role.skills.0,
            hours: role.hours.0,
        })
        .collect();
    let tally = claims::tally(conn, row.id)?;
    Ok(ProjectView {
        moves: rules::moves(&row, relation),
        id: row.id,
        batch_id: row.batch_id,
        region_id: row.region_id,
        organization_id: row.organization_id,
        title: row.title,
        summary: row.summary,
        field: row.field,
        life_cycle: row.life_cycle,
        beneficiary_group: row.beneficiary_group,
        risk_notice: row.risk_notice,
        minors: row.minors,
        dangerous: row.dangerous,
        party_only: row.party_only,
        insurance_policy: row.insurance_policy,
        insurance_from: row.insurance_from,
        insurance_until: row.insurance_until,
        claim_mode: row.claim_mode,
        allows_person: row.allows_person,
        claim_seats: row.claim_seats,
        claim_seats_taken: tally.live + tally.fulfilled,
        starts_on: row.starts_on,
        ends_on: row.ends_on,
        longitude: row.longitude,
        latitude: row.latitude,
        roles,
        status: row.status,
        status_since: row.status_since,
        version: row.version,
        published_at: row.published_at,
        created_at: row.created_at,
    })
}

/// The answer to a move: the project as the caller sees it now.
fn moved(tx: &mut Tx<'_>, caller: &Caller, row: Project) -> Result<Made<ProjectView>> {
    let version = row.version;
    let relation = service::relation(tx.conn, Some(caller), &row)?;
    Ok(Made::changed(view(tx.conn, row, relation)?).version(version))
}
