//! Posting, screening, claiming, delivering and confirming wishes; browsing and following them.

use std::sync::Arc;

use actix_multipart::form::MultipartForm;
use actix_multipart::form::bytes::Bytes as Part;
use actix_web::web::{Data, Json, Path};
use actix_web::{HttpResponse, get, patch, post};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;
use validator::Validate;

use super::model::{
    BeneficiaryGroup, ConsentChannel, Contact, Evidence, EvidenceId, FulfilledBy, LifeCycle, Wish,
    WishId, WishKind, WishStatus,
};
use super::rules::{MOVES, Relation};
use super::service::{self, Desk, EditWish, LINK, Mover, NewWish};
use super::store::{self, Query};
use super::thread::{self, MessageId};
use crate::error::{Code, Error, Result};
use crate::identity::{Caller, Command, Made, MaybeCaller, Role};
use crate::platform::Platform;
use crate::platform::clock::Instant;
use crate::platform::db::{Conn, Tx};
use crate::platform::files::FileError;
use crate::platform::http::page::DEFAULT_LIMIT;
use crate::platform::http::valid::{Nothing, Reason};
use crate::platform::http::{Body, Cursor, Page, Params, ProblemBody, etag};
use crate::platform::journal::{self, ActorKind};
use crate::regions::{self, Level, RegionId};

/// The room's routes.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(list)
        .service(create)
        .service(mine)
        .service(to_screen);
    config
        .service(read)
        .service(edit)
        .service(read_contact)
        .service(timeline);
    config
        .service(submit)
        .service(revise)
        .service(withdraw)
        .service(publish)
        .service(reject)
        .service(claim)
        .service(release)
        .service(deliver)
        .service(confirm)
        .service(dispute)
        .service(redeliver)
        .service(free);
    config
        .service(add_evidence)
        .service(show_evidence)
        .service(write_message)
        .service(list_messages);
    config
        .service(follow_link)
        .service(confirm_by_link)
        .service(dispute_by_link);
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
    /// Who said that it came true.
    pub fulfilled_by: Option<FulfilledBy>,
    /// How far away it is from the place asked for, in metres, to the next hundred.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub distance_m: Option<i64>,
    /// What only those see whom it concerns.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub involved: Option<InvolvedView>,
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
    /// When the clock moves it on.
    pub due_at: Option<Instant>,
    /// The photos that show the delivery.
    pub evidence: Vec<EvidenceView>,
    /// The moves that its state allows, whoever makes them.
    pub moves: Vec<String>,
    /// Whether the caller may read the contact.
    pub may_read_contact: bool,
    /// Its version, as in the `ETag`.
    pub version: i32,
}

/// A photo that shows a delivery.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WishEvidence)]
pub struct EvidenceView {
    /// Its id.
    pub id: EvidenceId,
    /// When it was added.
    pub created_at: Instant,
    /// Where the photo is.
    pub photo_url: String,
}

impl From<Evidence> for EvidenceView {
    fn from(evidence: Evidence) -> Self {
        let photo_url = format!(
            "/api/v1/wishes/{}/evidence/{}",
            evidence.wish_id, evidence.id
        );
        Self {
            id: evidence.id,
            created_at: evidence.created_at,
            photo_url,
        }
    }
}

fn view(conn: &mut Conn, wish: Wish, relation: Relation) -> Result<WishView> {
    let street = regions::ancestors(conn, wish.region_id)?
        .into_iter()
        .find(|region| region.level == Level::Street)
        .map(|region| region.name);
    let involved = if relation.is_involved() {
        let mut moves: Vec<_> = MOVES
            .iter()
            .filter(|m| m.from.contains(&wish.status))
            .map(|m| m.verb.to_owned())
            .collect();
        moves.dedup();
        Some(InvolvedView {
            region_id: wish.region_id,
            consent_channel: wish.consent_channel,
            due_at: wish.due_at,
            evidence: store::evidence(conn, wish.id)?
                .into_iter()
                .map(Into::into)
                .collect(),
            moves,
            may_read_contact: relation.may_read_contact(wish.status),
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
        fulfilled_by: wish.fulfilled_by,
        distance_m: None,
        involved,
        created_at: wish.created_at,
    })
}

/// The answer to a move: the wish as the caller sees it now.
fn moved(tx: &mut Tx<'_>, caller: &Caller, wish: Wish) -> Result<Made<WishView>> {
    let relation = service::relation(tx.conn, Some(caller), &wish)?;
    let version = wish.version;
    Ok(Made::changed(view(tx.conn, wish, relation)?).version(version))
}

// ---- posting

/// Write a wish down
///
/// As a draft. For oneself, or (grid staff) on behalf of somebody who agreed.
#[utoipa::path(tag = "wishes", request_body = NewWish, responses(
    (status = 201, description = "Written down", body = WishView),
    (status = 403, description = "Not of this grid's staff", body = ProblemBody),
    (status = 422, description = "Wrong fields", body = ProblemBody)))]
#[post("/wishes")]
async fn create(command: Command<NewWish>, desk: Data<Desk>) -> Result<HttpResponse> {
    command
        .run(move |tx, caller, input| {
            let wish = service::create(tx, &desk, caller, input)?;
            let relation = service::relation(tx.conn, Some(caller), &wish)?;
            let location = format!("/api/v1/wishes/{}", wish.id);
            let version = wish.version;
            Ok(Made::new(view(tx.conn, wish, relation)?, location).version(version))
        })
        .await
}

/// Change a draft
#[utoipa::path(tag = "wishes", request_body = EditWish,
    params(("id" = WishId, Path, description = "The wish"), ("If-Match" = String, Header, description = "The ETag that was read")),
    responses(
    (status = 200, description = "Changed", body = WishView),
    (status = 403, description = "Not one's own", body = ProblemBody),
    (status = 404, description = "No such wish", body = ProblemBody),
    (status = 412, description = "Changed since it was read", body = ProblemBody),
    (status = 422, description = "Wrong fields", body = ProblemBody),
    (status = 428, description = "Without If-Match", body = ProblemBody)))]
#[patch("/wishes/{id}")]
async fn edit(
    command: Command<EditWish>,
    id: Path<WishId>,
    desk: Data<Desk>,
) -> Result<HttpResponse> {
    let seen = command.if_match;
    command
        .run(move |tx, caller, input| {
            let wish = service::edit(tx, &desk, caller, *id, seen, input)?;
            moved(tx, caller, wish)
        })
        .await
}

// ---- moves

macro_rules! moves {
    ($($(#[$doc:meta])* $name:ident $path:literal $body:ty, |$tx:ident, $desk:ident, $caller:ident, $id:ident, $input:ident| $do:expr);+ $(;)?) => { $(
        $(#[$doc])*
        #[utoipa::path(tag = "wishes", request_body = $body, params(("id" = WishId, Path, description = "The wish")), responses(
            (status = 200, description = "Moved; also when it was moved so before by the same caller", body = WishView),
            (status = 403, description = "Not the caller's move", body = ProblemBody),
            (status = 404, description = "No such wish", body = ProblemBody),
            (status = 409, description = "Its state does not allow it", body = ProblemBody),
            (status = 422, description = "A rule forbids it", body = ProblemBody)))]
        #[post($path)]
        async fn $name(command: Command<$body>, id: Path<WishId>, desk: Data<Desk>) -> Result<HttpResponse> {
            command
                .run(move |$tx, $caller, $input| {
                    let ($id, $desk) = (*id, desk.as_ref());
                    let wish = $do?;
                    moved($tx, $caller, wish)
                })
                .await
        }
    )+ };
}

moves! {
    /// Submit a draft for screening
    submit "/wishes/{id}/submit" Nothing, |tx, desk, caller, id, _input| service::submit(tx, desk, caller, id);
    /// Take a rejected wish back into a draft
    revise "/wishes/{id}/revise" Nothing, |tx, _desk, caller, id, _input| service::revise(tx, caller, id);
    /// Withdraw a wish
    withdraw "/wishes/{id}/withdraw" Reason, |tx, _desk, caller, id, input| service::withdraw(tx, caller, id, &input.reason);
    /// Claim a wish
    ///
    /// For the length of a lease. Then the contact can be read, and deliveries shown by photos.
    claim "/wishes/{id}/claim" Nothing, |tx, desk, caller, id, _input| service::claim(tx, desk, caller, id);
    /// Give a claim up
    release "/wishes/{id}/release" Reason, |tx, _desk, caller, id, input| service::release(tx, caller, id, &input.reason);
    /// Say that a wish was delivered
    ///
    /// At least one photo must be added before.
    deliver "/wishes/{id}/deliver" Nothing, |tx, desk, caller, id, _input| service::deliver(tx, desk, caller, id);
    /// Confirm that a wish came true
    confirm "/wishes/{id}/confirm" Nothing, |tx, desk, caller, id, _input| service::confirm(tx, desk, Mover::Caller(caller), id);
    /// Dispute a delivery
    ///
    /// Also takes back what was confirmed not long ago.
    dispute "/wishes/{id}/dispute" Reason, |tx, _desk, caller, id, input| service::dispute(tx, Mover::Caller(caller), id, &input.reason);
    /// Settle a dispute: deliver again
    redeliver "/wishes/{id}/redeliver" Reason, |tx, desk, caller, id, input| service::redeliver(tx, desk, caller, id, &input.reason);
    /// Settle a dispute: free the wish for others
    free "/wishes/{id}/free" Reason, |tx, _desk, caller, id, input| service::free(tx, caller, id, &input.reason);
}

/// Publish a submitted wish
#[utoipa::path(tag = "wishes", request_body = Nothing,
    params(("id" = WishId, Path, description = "The wish"), ("If-Match" = String, Header, description = "The ETag that was read")),
    responses(
    (status = 200, description = "Published", body = WishView),
    (status = 403, description = "Not of this region's staff, or one's own wish", body = ProblemBody),
    (status = 404, description = "No such wish", body = ProblemBody),
    (status = 409, description = "Its state does not allow it", body = ProblemBody),
    (status = 412, description = "Changed since it was read", body = ProblemBody),
    (status = 428, description = "Without If-Match", body = ProblemBody)))]
#[post("/wishes/{id}/publish")]
async fn publish(command: Command<Nothing>, id: Path<WishId>) -> Result<HttpResponse> {
    let seen = command.if_match;
    command
        .run(move |tx, caller, _| {
            let wish = service::publish(tx, caller, *id, seen)?;
            moved(tx, caller, wish)
        })
        .await
}

/// Reject a submitted wish
#[utoipa::path(tag = "wishes", request_body = Reason,
    params(("id" = WishId, Path, description = "The wish"), ("If-Match" = String, Header, description = "The ETag that was read")),
    responses(
    (status = 200, description = "Rejected", body = WishView),
    (status = 403, description = "Not of this region's staff, or one's own wish", body = ProblemBody),
    (status = 404, description = "No such wish", body = ProblemBody),
    (status = 409, description = "Its state does not allow it", body = ProblemBody),
    (status = 412, description = "Changed since it was read", body = ProblemBody),
    (status = 422, description = "Without a reason", body = ProblemBody),
    (status = 428, description = "Without If-Match", body = ProblemBody)))]
#[post("/wishes/{id}/reject")]
async fn reject(command: Command<Reason>, id: Path<WishId>) -> Result<HttpResponse> {
    let seen = command.if_match;
    command
        .run(move |tx, caller, input| {
            let wish = service::reject(tx, caller, *id, seen, &input.reason)?;
            moved(tx, caller, wish)
        })
        .await
}

// ---- browsing

#[derive(Debug, Clone, Deserialize, IntoParams, Validate)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Browse {
    /// Only those in this region or below it.
    region_id: Option<RegionId>,
    /// Only those for this group.
    beneficiary_group: Option<BeneficiaryGroup>,
    /// Only those that serve this goal.
    life_cycle: Option<LifeCycle>,
    /// Only goods, or only services.
    kind: Option<WishKind>,
    /// Only those whose title or description holds this text.
    #[validate(length(min = 1, max = 50))]
    text: Option<String>,
    /// Nearest first from here: degrees east.
    #[validate(range(min = -180.0, max = 180.0))]
    longitude: Option<f64>,
    /// Nearest first from here: degrees north.
    #[validate(range(min = -90.0, max = 90.0))]
    latitude: Option<f64>,
    /// How far from there, in metres; 20,000 when left out.
    #[validate(range(min = 1.0, max = 100_000.0))]
    radius_m: Option<f64>,
    /// Rows a page holds, 1 to 100.
    #[validate(range(min = 1, max = 100))]
    limit: Option<i64>,
    /// `next` of the page before.
    cursor: Option<String>,
}

/// Browse the published wishes
///
/// The newest first, or the nearest first from a place.
#[utoipa::path(tag = "wishes", params(Browse), security((), ("bearer" = [])), responses(
    (status = 200, description = "A page of published wishes", body = Page<WishView>),
    (status = 422, description = "A parameter out of bounds", body = ProblemBody)))]
#[get("/wishes")]
async fn list(
    caller: MaybeCaller,
    platform: Data<Platform>,
    query: Params<Browse>,
) -> Result<Json<Page<WishView>>> {
    let Params(browse) = query;
    let limit = browse.limit.unwrap_or(DEFAULT_LIMIT);
    let query = Query {
        statuses: vec![WishStatus::Published],
        within: browse.region_id,
        group: browse.beneficiary_group,
        life_cycle: browse.life_cycle,
        kind: browse.kind,
        text: browse.text,
        limit,
        ..Query::default()
    };
    let page = match (browse.longitude, browse.latitude) {
        (Some(longitude), Some(latitude)) => {
            let after = Cursor::decode::<(i64, WishId)>(browse.cursor.as_deref())?;
            let radius = browse.radius_m.unwrap_or(20_000.0);
            let near = move |conn: &mut Conn| {
                nearest(
                    conn,
                    caller.0.as_ref(),
                    &query,
                    (longitude, latitude),
                    radius,
                    after,
                )
            };
            platform.db.read(near).await?
        }
        (None, None) => {
            let before = Cursor::decode::<WishId>(browse.cursor.as_deref())?;
            platform
                .db
                .read(move |conn| newest(conn, caller.0.as_ref(), &Query { before, ..query }))
                .await?
        }
        _ => return Err(Code::MalformedQuery.into()),
    };
    Ok(Json(page))
}

fn newest(conn: &mut Conn, caller: Option<&Caller>, query: &Query) -> Result<Page<WishView>> {
    let rows = store::list(conn, query)?;
    Page::of(rows, query.limit, |wish| wish.id).try_map(|wish| {
        let relation = service::relation(conn, caller, &wish)?;
        view(conn, wish, relation)
    })
}

fn nearest(
    conn: &mut Conn,
    caller: Option<&Caller>,
    query: &Query,
    here: (f64, f64),
    radius: f64,
    after: Option<(i64, WishId)>,
) -> Result<Page<WishView>> {
    let tall = radius / 111_000.0;
    let wide = if here.1.abs() > 89.0 {
        360.0
    } else {
        (tall / here.1.to_radians().cos()).min(360.0)
    };
    let around = (here.0 - wide, here.1 - tall, here.0 + wide, here.1 + tall);
    let mut places: Vec<(i64, WishId)> = store::places(conn, query, around)?
        .into_iter()
        .map(|(id, lon, lat)| (regions::distance_m(here, (lon, lat)), id))
        .filter(|(distance, _)| *distance <= radius)
        // exact distances from several places would tell the address, in a cursor too
        .map(|(distance, id)| ((distance / 100.0).ceil() as i64 * 100, id))
        .collect();
    places.sort_unstable();
    if let Some((distance, id)) = after {
        places.retain(|place| *place > (distance, id));
    }
    places.truncate(usize::try_from(query.limit + 1).unwrap_or(usize::MAX));
    let ids: Vec<_> = places.iter().map(|(_, id)| *id).collect();
    let mut wishes: std::collections::HashMap<_, _> = store::by_ids(conn, &ids)?
        .into_iter()
        .map(|wish| (wish.id, wish))
        .collect();
    let rows: Vec<_> = places
        .into_iter()
        .filter_map(|(d, id)| wishes.remove(&id).map(|wish| (d, wish)))
        .collect();
    Page::of(rows, query.limit, |(distance, wish)| (*distance, wish.id)).try_map(
        |(distance, wish)| {
            let relation = service::relation(conn, caller, &wish)?;
            let mut view = view(conn, wish, relation)?;
            view.distance_m = Some(distance);
            Ok(view)
        },
    )
}

#[derive(Debug, Clone, Deserialize, IntoParams, Validate)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Mine {
    /// Which wishes.
    #[param(inline)]
    relation: MyRelation,
    /// Only those that stand here.
    status: Option<WishStatus>,
    /// Rows a page holds, 1 to 100.
    #[validate(range(min = 1, max = 100))]
    limit: Option<i64>,
    /// `next` of the page before.
    cursor: Option<String>,
}

/// Which of one's wishes.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = WishRelation)]
enum MyRelation {
    /// Those one posted.
    Author,
    /// Those that are for oneself.
    Beneficiary,
    /// Those one claims or claimed.
    Claimant,
}

fn all_statuses(only: Option<WishStatus>) -> Vec<WishStatus> {
    use strum::VariantArray;
    only.map_or_else(|| WishStatus::VARIANTS.to_vec(), |status| vec![status])
}

/// List one's own wishes
///
/// The newest first.
#[utoipa::path(tag = "wishes", params(Mine), responses(
    (status = 200, description = "A page of one's wishes", body = Page<WishView>),
    (status = 422, description = "A parameter out of bounds", body = ProblemBody)))]
#[get("/me/wishes")]
async fn mine(
    caller: Caller,
    platform: Data<Platform>,
    query: Params<Mine>,
) -> Result<Json<Page<WishView>>> {
    let Params(mine) = query;
    let me = Some(caller.account);
    let mut query = Query {
        statuses: all_statuses(mine.status),
        before: Cursor::decode(mine.cursor.as_deref())?,
        limit: mine.limit.unwrap_or(DEFAULT_LIMIT),
        ..Query::default()
    };
    match mine.relation {
        MyRelation::Author => query.author = me,
        MyRelation::Beneficiary => query.beneficiary = me,
        MyRelation::Claimant => query.claimant = me,
    }
    Ok(Json(
        platform
            .db
            .read(move |conn| newest(conn, Some(&caller), &query))
            .await?,
    ))
}

#[derive(Debug, Clone, Deserialize, IntoParams, Validate)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct OfRegion {
    /// In this region or below it.
    region_id: RegionId,
    /// Only those that stand here.
    status: Option<WishStatus>,
    /// Rows a page holds, 1 to 100.
    #[validate(range(min = 1, max = 100))]
    limit: Option<i64>,
    /// `next` of the page before.
    cursor: Option<String>,
}

/// List a region's wishes for its staff
///
/// In any state, the newest first.
#[utoipa::path(tag = "wishes", params(OfRegion), responses(
    (status = 200, description = "A page of the region's wishes", body = Page<WishView>),
    (status = 404, description = "Not a region of the caller's", body = ProblemBody),
    (status = 422, description = "A parameter out of bounds", body = ProblemBody)))]
#[get("/staff/wishes")]
async fn to_screen(
    caller: Caller,
    platform: Data<Platform>,
    query: Params<OfRegion>,
) -> Result<Json<Page<WishView>>> {
    let Params(query) = query;
    let region = query.region_id;
    let query = Query {
        statuses: all_statuses(query.status),
        within: Some(region),
        before: Cursor::decode(query.cursor.as_deref())?,
        limit: query.limit.unwrap_or(DEFAULT_LIMIT),
        ..Query::default()
    };
    let staff = [Role::RegionAdmin, Role::GridLeader, Role::GridWorker];
    let page = platform.db.read(move |conn| {
        if !caller.holds_in_region(conn, &staff, region)? {
            return Err(Code::NotFound.into());
        }
        newest(conn, Some(&caller), &query)
    });
    Ok(Json(page.await?))
}

/// Read a wish
#[utoipa::path(tag = "wishes", params(("id" = WishId, Path, description = "The wish")), security((), ("bearer" = [])), responses(
    (status = 200, description = "As much of it as the caller may see", body = WishView),
    (status = 404, description = "No such wish, or not for the caller's eyes", body = ProblemBody)))]
#[get("/wishes/{id}")]
async fn read(
    caller: MaybeCaller,
    platform: Data<Platform>,
    id: Path<WishId>,
) -> Result<HttpResponse> {
    let (view, version) = platform
        .db
        .read(move |conn| {
            let (wish, relation) = service::visible(conn, caller.0.as_ref(), *id)?;
            let version = wish.version;
            Ok((view(conn, wish, relation)?, version))
        })
        .await?;
    Ok(HttpResponse::Ok().insert_header(etag(version)).json(view))
}

/// Read the contact of a wish
///
/// For those who gave it and for the live claimant. Every reading is on the wish's timeline.
#[utoipa::path(tag = "wishes", request_body = Nothing, params(("id" = WishId, Path, description = "The wish")), responses(
    (status = 200, description = "The contact", body = Contact),
    (status = 403, description = "Not while one does not hold the claim", body = ProblemBody),
    (status = 404, description = "No such wish", body = ProblemBody)))]
#[post("/wishes/{id}/contact")]
async fn read_contact(
    caller: Caller,
    _body: Body<Nothing>,
    platform: Data<Platform>,
    id: Path<WishId>,
    desk: Data<Desk>,
) -> Result<Json<Contact>> {
    // not a command: a kept answer would keep the contact
    Ok(Json(
        platform
            .db
            .write(move |tx| service::read_contact(tx, &desk, &caller, *id))
            .await?,
    ))
}

/// A step in a wish's story.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WishStep)]
pub struct StepView {
    /// When.
    pub at: Instant,
    /// What happened, as `wish.verb`.
    pub kind: String,
    /// The state before, for a move.
    pub from: Option<String>,
    /// The state after, for a move.
    pub to: Option<String>,
    /// Why, in the actor's words.
    pub reason: Option<String>,
    /// What kind of actor.
    pub actor_kind: ActorKind,
    /// Whether it was the caller.
    pub by_me: bool,
}

fn story(conn: &mut Conn, me: Option<&Caller>, id: WishId) -> Result<Page<StepView>> {
    let items = journal::of_subject(conn, "wish", id.0)?
        .into_iter()
        .map(|entry| StepView {
            at: entry.at,
            kind: entry.kind,
            from: entry.from_state,
            to: entry.to_state,
            reason: entry.reason,
            actor_kind: entry.actor_kind,
            by_me: me.is_some_and(|me| entry.actor_id.is_some_and(|id| id.0 == me.account.0)),
        })
        .collect();
    Ok(Page { items, next: None })
}

/// Follow a wish
///
/// Every step, for its beneficiary, its author, its claimant and the region's staff.
#[utoipa::path(tag = "wishes", params(("id" = WishId, Path, description = "The wish")), responses(
    (status = 200, description = "Its story, oldest first", body = Page<StepView>),
    (status = 403, description = "Not of the caller's concern", body = ProblemBody),
    (status = 404, description = "No such wish", body = ProblemBody)))]
#[get("/wishes/{id}/timeline")]
async fn timeline(
    caller: Caller,
    platform: Data<Platform>,
    id: Path<WishId>,
) -> Result<Json<Page<StepView>>> {
    let steps = platform.db.read(move |conn| {
        let (_, relation) = service::visible(conn, Some(&caller), *id)?;
        if !relation.may_follow() {
            return Err(Code::Forbidden.into());
        }
        story(conn, Some(&caller), *id)
    });
    Ok(Json(steps.await?))
}

// ---- evidence

/// A photo to be added.
#[derive(MultipartForm)]
struct PhotoForm {
    photo: Option<Part>,
}

/// The same, for the specification.
#[derive(ToSchema)]
#[allow(dead_code)]
struct PhotoUpload {
    /// A JPEG, PNG or WebP.
    #[schema(value_type = String, format = Binary, content_media_type = "application/octet-stream")]
    photo: Vec<u8>,
}

/// Add a photo of the delivery
///
/// Taken for what its content is; written anew without metadata. The same photo is added once.
#[utoipa::path(tag = "wishes", request_body(content = PhotoUpload, content_type = "multipart/form-data"),
    params(("id" = WishId, Path, description = "The wish")), responses(
    (status = 201, description = "Added", body = EvidenceView),
    (status = 403, description = "Not the claimant", body = ProblemBody),
    (status = 404, description = "No such wish", body = ProblemBody),
    (status = 409, description = "Its state does not allow it", body = ProblemBody),
    (status = 422, description = "No photo, or an unreadable one", body = ProblemBody)))]
#[post("/wishes/{id}/evidence")]
async fn add_evidence(
    caller: Caller,
    platform: Data<Platform>,
    id: Path<WishId>,
    form: MultipartForm<PhotoForm>,
) -> Result<HttpResponse> {
    let photo = form.into_inner().photo.ok_or(Code::PhotoMissing)?;
    let stored = platform
        .files
        .put_photo(photo.data.to_vec())
        .await
        .map_err(refusal)?;
    let evidence = platform
        .db
        .write(move |tx| service::add_evidence(tx, &caller, *id, &stored))
        .await?;
    let view = EvidenceView::from(evidence);
    Ok(HttpResponse::Created()
        .insert_header(("location", view.photo_url.clone()))
        .json(view))
}

fn refusal(error: FileError) -> Error {
    match error {
        FileError::TooLarge(_) => Code::PayloadTooLarge.into(),
        FileError::UnsupportedType => Code::UnsupportedMediaType.into(),
        FileError::Unreadable => Code::PhotoUnreadable.into(),
        FileError::NotFound => Code::NotFound.into(),
        FileError::Storage(_) => Error::internal(error),
    }
}

#[derive(Debug, Clone, Deserialize, IntoParams, Validate)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Size {
    /// The small one.
    thumbnail: Option<bool>,
}

/// Show a photo of a delivery
///
/// To those whom the wish concerns.
#[utoipa::path(tag = "wishes", params(("id" = WishId, Path, description = "The wish"),
    ("evidence_id" = EvidenceId, Path, description = "The photo"), Size), responses(
    (status = 200, description = "The photo", body = Vec<u8>, content_type = "image/jpeg"),
    (status = 403, description = "Not of the caller's concern", body = ProblemBody),
    (status = 404, description = "No such photo", body = ProblemBody)))]
#[get("/wishes/{id}/evidence/{evidence_id}")]
async fn show_evidence(
    caller: Caller,
    platform: Data<Platform>,
    path: Path<(WishId, EvidenceId)>,
    size: Params<Size>,
) -> Result<HttpResponse> {
    let (id, evidence_id) = path.into_inner();
    let evidence = platform
        .db
        .read(move |conn| {
            let (_, relation) = service::visible(conn, Some(&caller), id)?;
            if !relation.may_follow() {
                return Err(Code::Forbidden.into());
            }
            store::one_evidence(conn, id, evidence_id)
        })
        .await?;
    let key = if size.0.thumbnail == Some(true) {
        evidence.thumbnail
    } else {
        evidence.photo
    };
    let bytes = platform.files.get(&key).await.map_err(refusal)?;
    Ok(HttpResponse::Ok().content_type("image/jpeg").body(bytes))
}

// ---- the thread

#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
struct NewMessage {
    /// The message.
    #[validate(length(min = 1, max = 1000))]
    body: String,
}

/// A message.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WishMessage)]
pub struct MessageView {
    /// Its id.
    pub id: MessageId,
    /// Its text.
    pub body: String,
    /// Who wrote it.
    pub author: String,
    /// Whether that was the caller.
    pub by_me: bool,
    /// When.
    pub created_at: Instant,
}

/// Write to the other side of a claim
///
/// Nobody learns a number by it.
#[utoipa::path(tag = "wishes", request_body = NewMessage, params(("id" = WishId, Path, description = "The wish")), responses(
    (status = 201, description = "Written", body = MessageView),
    (status = 403, description = "Neither side", body = ProblemBody),
    (status = 404, description = "No such wish", body = ProblemBody),
    (status = 409, description = "Nobody holds the wish", body = ProblemBody),
    (status = 422, description = "Wrong fields", body = ProblemBody)))]
#[post("/wishes/{id}/messages")]
async fn write_message(command: Command<NewMessage>, id: Path<WishId>) -> Result<HttpResponse> {
    command
        .run(move |tx, caller, input| {
            let message = thread::write(tx, caller, *id, &input.body)?;
            let author = crate::identity::account(tx.conn, caller.account)?.display_name;
            let location = format!("/api/v1/wishes/{}/messages", *id);
            let view = MessageView {
                id: message.id,
                body: message.body,
                author,
                by_me: true,
                created_at: message.created_at,
            };
            Ok(Made::new(view, location))
        })
        .await
}

#[derive(Debug, Clone, Deserialize, IntoParams, Validate)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Paging {
    /// Rows a page holds, 1 to 100.
    #[validate(range(min = 1, max = 100))]
    limit: Option<i64>,
    /// `next` of the page before.
    cursor: Option<String>,
}

/// Read the messages of a wish
///
/// Oldest first.
#[utoipa::path(tag = "wishes", params(("id" = WishId, Path, description = "The wish"), Paging), responses(
    (status = 200, description = "A page of messages", body = Page<MessageView>),
    (status = 403, description = "Neither side", body = ProblemBody),
    (status = 404, description = "No such wish", body = ProblemBody)))]
#[get("/wishes/{id}/messages")]
async fn list_messages(
    caller: Caller,
    platform: Data<Platform>,
    id: Path<WishId>,
    paging: Params<Paging>,
) -> Result<Json<Page<MessageView>>> {
    let limit = paging.0.limit.unwrap_or(DEFAULT_LIMIT);
    let after = Cursor::decode::<MessageId>(paging.0.cursor.as_deref())?;
    let me = caller.account;
    let rows = platform
        .db
        .read(move |conn| thread::read(conn, &caller, *id, after, limit))
        .await?;
    let page =
        Page::of(rows, limit, |(message, _)| message.id).map(|(message, author)| MessageView {
            id: message.id,
            body: message.body,
            author,
            by_me: message.author_id == me,
            created_at: message.created_at,
        });
    Ok(Json(page))
}

// ---- the beneficiary's link

/// A wish and its story, as its beneficiary's link shows them.
#[derive(Debug, Serialize, ToSchema)]
pub struct FollowedWish {
    /// The wish.
    pub wish: WishView,
    /// Every step, oldest first.
    pub timeline: Vec<StepView>,
}

fn linked(desk: &Desk, platform: &Platform, token: &str) -> Result<WishId> {
    let id = desk.vault.open_link(LINK, token, platform.clock.now());
    id.ok_or_else(|| Code::LinkInvalid.into())
}

fn followed(conn: &mut Conn, id: WishId) -> Result<FollowedWish> {
    let wish = store::wish(conn, id)?;
    let relation = Relation {
        beneficiary: true,
        ..Relation::default()
    };
    Ok(FollowedWish {
        wish: view(conn, wish, relation)?,
        timeline: story(conn, None, id)?.items,
    })
}

/// Follow a wish by the link sent to its beneficiary
#[utoipa::path(tag = "wishes", params(("token" = String, Path, description = "From the SMS")), security(()), responses(
    (status = 200, description = "The wish and its story", body = FollowedWish),
    (status = 404, description = "Not valid, or no longer", body = ProblemBody)))]
#[get("/wish-links/{token}")]
async fn follow_link(
    platform: Data<Platform>,
    desk: Data<Desk>,
    token: Path<String>,
) -> Result<Json<FollowedWish>> {
    let id = linked(&desk, &platform, &token)?;
    Ok(Json(
        platform.db.read(move |conn| followed(conn, id)).await?,
    ))
}

/// Confirm by the link sent to the beneficiary
#[utoipa::path(tag = "wishes", request_body = Nothing, params(("token" = String, Path, description = "From the SMS")), security(()), responses(
    (status = 200, description = "Confirmed; also when it was", body = FollowedWish),
    (status = 404, description = "Not valid, or no longer", body = ProblemBody),
    (status = 409, description = "Its state does not allow it", body = ProblemBody)))]
#[post("/wish-links/{token}/confirm")]
async fn confirm_by_link(
    platform: Data<Platform>,
    desk: Data<Desk>,
    token: Path<String>,
    _body: Body<Nothing>,
) -> Result<Json<FollowedWish>> {
    let id = linked(&desk, &platform, &token)?;
    let done = platform.db.write(move |tx| {
        service::confirm(tx, &desk, Mover::Link, id)?;
        followed(tx.conn, id)
    });
    Ok(Json(done.await?))
}

/// Dispute by the link sent to the beneficiary
#[utoipa::path(tag = "wishes", request_body = Reason, params(("token" = String, Path, description = "From the SMS")), security(()), responses(
    (status = 200, description = "Disputed", body = FollowedWish),
    (status = 404, description = "Not valid, or no longer", body = ProblemBody),
    (status = 409, description = "Its state does not allow it", body = ProblemBody),
    (status = 422, description = "Without a reason", body = ProblemBody)))]
#[post("/wish-links/{token}/dispute")]
async fn dispute_by_link(
    platform: Data<Platform>,
    desk: Data<Desk>,
    token: Path<String>,
    body: Body<Reason>,
) -> Result<Json<FollowedWish>> {
    let id = linked(&desk, &platform, &token)?;
    let reason = Arc::new(body.input.reason);
    let done = platform.db.write(move |tx| {
        service::dispute(tx, Mover::Link, id, &reason)?;
        followed(tx.conn, id)
    });
    Ok(Json(done.await?))
}
