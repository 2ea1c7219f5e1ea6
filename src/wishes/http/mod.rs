//! Posting, screening, claiming, delivering and confirming wishes; browsing and following them.

use serde::Serialize;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::model::{ConsentChannel, FulfilledBy, Wish, WishId, WishKind, WishStatus};
use super::rules::{MOVES, Relation};
use super::service::{self};
use super::store::{self};
use crate::error::Result;
use crate::identity::{Caller, Made};
use crate::organizations::OrganizationId;
use crate::platform::clock::Instant;
use crate::platform::db::{Conn, Tx};
use crate::platform::lifecycle;
use crate::regions::{self, Level, RegionId};
use crate::taxonomies::{BeneficiaryGroup, LifeCycle};

mod browsing;
mod evidence;
mod links;
mod messages;
mod pages;
mod posting;

use evidence::EvidenceView;

/// The room's routes.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(browsing::list)
        .service(posting::create)
        .service(browsing::mine)
        .service(browsing::to_screen);
    config
        .service(browsing::read)
        .service(posting::edit)
        .service(browsing::read_contact)
        .service(browsing::timeline);
    config
        .service(posting::submit)
        .service(posting::revise)
        .service(posting::withdraw)
        .service(posting::publish)
        .service(posting::reject)
        .service(posting::claim)
        .service(posting::release)
        .service(posting::deliver)
        .service(posting::confirm)
        .service(posting::dispute)
        .service(posting::redeliver)
        .service(posting::free);
    config
        .service(evidence::add_evidence)
        .service(evidence::show_evidence)
        .service(messages::write_message)
        .service(messages::list_messages);
    config.map(|pages| pages.service(pages::show).service(pages::act));
    config
        .service(links::follow_link)
        .service(links::show_evidence_by_link)
        .service(links::confirm_by_link)
        .service(links::dispute_by_link)
        .service(links::withdraw_by_link)
        .service(links::write_by_link)
        .service(links::read_by_link);
}

/// A wish as a caller may see it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Wish)]
pub struct WishView {
    /// Its id.
    pub id: WishId,
    /// In a few words.
    pub title: String,
    /// In more words.
    pub description: String,
    /// What the public calls the beneficiary.
    pub alias: String,
    /// Whom it is for.
    pub beneficiary_group: BeneficiaryGroup,
    /// The livelihood goal it serves.
    pub life_cycle: LifeCycle,
    /// Goods or a service.
    pub kind: WishKind,
    /// What goods are worth, in fen.
    pub value_fen: Option<i64>,
    /// The street it belongs to.
    pub street: Option<String>,
    /// The last day on which it is open.
    #[schema(value_type = Option<String>, format = Date)]
    pub expires_on: Option<chrono::NaiveDate>,
    /// Where it stands.
    pub status: WishStatus,
    /// Since when.
    pub status_since: Instant,
    /// The moves that are the caller's now; a rule may still refuse one. `reopen` is asked for as
    /// `dispute`.
    pub moves: Vec<&'static str>,
    /// Who said that it came true.
    pub fulfilled_by: Option<FulfilledBy>,
    /// How far away it is from the place asked for, in metres, to the next hundred.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub distance_m: Option<i64>,
    /// What only those see whom it concerns.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub involved: Option<InvolvedView>,
    /// When it was published first; none before.
    pub published_at: Option<Instant>,
    /// When it was written.
    pub created_at: Instant,
}

/// What only those see whom a wish concerns.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WishInvolved)]
pub struct InvolvedView {
    /// The grid or community it belongs to.
    pub region_id: RegionId,
    /// How the beneficiary agreed.
    pub consent_channel: ConsentChannel,
    /// The organisation that holds the live claim, where it is one.
    pub organization_id: Option<OrganizationId>,
    /// When the clock moves it on.
    pub due_at: Option<Instant>,
    /// The photos that show the delivery.
    pub evidence: Vec<EvidenceView>,
    /// Whether the caller may read the contact.
    pub may_read_contact: bool,
    /// Its version, as in the `ETag`.
    pub version: i32,
}

fn view(conn: &mut Conn, wish: Wish, relation: Relation) -> Result<WishView> {
    let street = regions::enclosing_one(conn, wish.region_id, Level::Street)?;
    view_in(conn, wish, relation, street)
}

/// Several wishes as a caller may see them.
fn views(conn: &mut Conn, caller: Option<&Caller>, wishes: Vec<Wish>) -> Result<Vec<WishView>> {
    let regions: Vec<_> = wishes.iter().map(|wish| wish.region_id).collect();
    let streets = regions::enclosing(conn, &regions, Level::Street)?;
    let view = |wish: Wish| {
        let relation = service::relation(conn, caller, &wish)?;
        let street = streets.get(&wish.region_id).cloned();
        view_in(conn, wish, relation, street)
    };
    wishes.into_iter().map(view).collect()
}

fn view_in(
    conn: &mut Conn,
    wish: Wish,
    relation: Relation,
    street: Option<String>,
) -> Result<WishView> {
    let involved = if relation.is_involved() {
        Some(InvolvedView {
            region_id: wish.region_id,
            consent_channel: wish.consent_channel,
            organization_id: store::live_claim(conn, wish.id)?
                .and_then(|claim| claim.organization_id),
            due_at: wish.due_at,
            evidence: store::evidence(conn, wish.id)?
                .into_iter()
                .map(Into::into)
                .collect(),
            may_read_contact: relation.may_read_contact(wish.status, wish.consent_channel),
            version: wish.version,
        })
    } else {
        None
    };
    Ok(WishView {
        id: wish.id,
        title: wish.title,
        description: wish.description,
        alias: wish.alias,
        beneficiary_group: wish.beneficiary_group,
        life_cycle: wish.life_cycle,
        kind: wish.kind,
        value_fen: wish.value_fen,
        street,
        expires_on: wish.expires_on,
        status: wish.status,
        status_since: wish.status_since,
        moves: lifecycle::open_to(MOVES, relation, wish.status),
        fulfilled_by: wish.fulfilled_by,
        distance_m: None,
        involved,
        published_at: wish.published_at,
        created_at: wish.created_at,
    })
}

/// The answer to a move: the wish as the caller sees it now.
fn moved(tx: &mut Tx<'_>, caller: &Caller, wish: Wish) -> Result<Made<WishView>> {
    let relation = service::relation(tx.conn, Some(caller), &wish)?;
    let version = wish.version;
    Ok(Made::changed(view(tx.conn, wish, relation)?).version(version))
}
