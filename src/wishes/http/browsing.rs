//! Browsing, reading and following wishes.

use actix_web::web::{Data, Json, Path};
use actix_web::{HttpResponse, get, post};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

use super::{WishView, view, views};
use crate::error::{Code, Problem, Result};
use crate::identity::{Caller, MaybeCaller, Role};
use crate::platform::Platform;
use crate::platform::clock::Instant;
use crate::platform::db::{Conn, Newest};
use crate::platform::http::page::DEFAULT_LIMIT;
use crate::platform::http::valid::{Nothing, finite};
use crate::platform::http::{Body, Cursor, List, Page, Params, ProblemBody, etag};
use crate::platform::journal::{self, ActorKind};
use crate::regions::{self, RegionId};
use crate::taxonomies::{BeneficiaryGroup, LifeCycle};
use crate::wishes::model::{Contact, Wish, WishId, WishKind, WishStatus};
use crate::wishes::rules::PUBLIC_PLACE_WITHIN;
use crate::wishes::service::{self, Desk};
use crate::wishes::store::{self, Query, Unsubmitted};

#[derive(Debug, Clone, Deserialize, IntoParams, Validate)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Browse {
    /// Only those in this street or district: where in a street a wish is, the public does not learn.
    region_id: Option<RegionId>,
    /// Only those for this group.
    beneficiary_group: Option<BeneficiaryGroup>,
    /// Only those that serve this goal.
    life_cycle: Option<LifeCycle>,
    /// Only goods, or only services.
    kind: Option<WishKind>,
    /// Only those whose title or description holds this text, as it stands there but for upper
    /// and lower case. What is searched for by words is `GET /search`.
    #[validate(length(min = 1, max = 50))]
    text: Option<String>,
    /// Nearest first from here: degrees east.
    #[validate(range(min = -180.0, max = 180.0), custom(function = "finite"))]
    longitude: Option<f64>,
    /// Nearest first from here: degrees north.
    #[validate(range(min = -90.0, max = 90.0), custom(function = "finite"))]
    latitude: Option<f64>,
    /// How far from there, in metres; 20,000 when left out.
    #[validate(range(min = 1.0, max = 100_000.0), custom(function = "finite"))]
    radius_m: Option<f64>,
    /// Rows a page holds, 1 to 100.
    #[validate(range(min = 1, max = 100))]
    limit: Option<i64>,
    /// `next` of the page before.
    cursor: Option<String>,
}

/// Browse the published wishes
///
/// What was published last comes first, or the nearest from a place; one without a place of its own lies at the
/// centre of its street.
#[utoipa::path(tag = "wishes", params(Browse), security((), ("bearer" = [])), responses(
    (status = 200, description = "A page of published wishes", body = Page<WishView>),
    (status = 422, description = "A parameter out of bounds", body = ProblemBody)))]
#[get("/wishes")]
pub(super) async fn list(
    caller: MaybeCaller,
    platform: Data<Platform>,
    query: Params<Browse>,
) -> Result<List<Page<WishView>>> {
    let Params(browse) = query;
    let limit = browse.limit.unwrap_or(DEFAULT_LIMIT);
    if let Some(region) = browse.region_id {
        platform
            .db
            .read(move |conn| by_street(conn, region))
            .await?;
    }
    let query = Query {
        statuses: vec![WishStatus::Published],
        within: browse.region_id,
        group: browse.beneficiary_group,
        life_cycle: browse.life_cycle,
        kind: browse.kind,
        text: browse.text,
        open_on: Some(platform.today()),
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
            let order = Newest::Published(Cursor::decode(browse.cursor.as_deref())?);
            platform
                .db
                .read(move |conn| newest(conn, caller.0.as_ref(), &Query { order, ..query }))
                .await?
        }
        (longitude, _) => {
            let missing = longitude.map_or("/longitude", |_| "/latitude");
            return Err(Problem::new(Code::MalformedQuery)
                .field(missing, Code::Required)
                .into());
        }
    };
    Ok(List(page))
}

/// Where in a street a wish is, the public does not learn, nor by asking for one part after the other.
fn by_street(conn: &mut Conn, region: RegionId) -> Result<()> {
    let street = regions::streets(conn, &[region])?;
    match street.get(&region) {
        Some(street) if street.id != region => Err(Problem::new(Code::Invalid)
            .field("/region_id", Code::WishesByStreet)
            .into()),
        _ => Ok(()),
    }
}

pub(super) fn newest(
    conn: &mut Conn,
    caller: Option<&Caller>,
    query: &Query,
) -> Result<Page<WishView>> {
    let standing = |wish: &Wish| query.order.standing(wish.id, wish.published_at);
    let page = Page::of(store::list(conn, query)?, query.limit, standing);
    Ok(Page {
        items: views(conn, caller, page.items)?,
        next: page.next,
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
    let (west, south, east, north) = regions::around(here, radius);
    // a public place stands for the wish's own, which it is near to
    let around = (
        west - PUBLIC_PLACE_WITHIN,
        south - PUBLIC_PLACE_WITHIN,
        east + PUBLIC_PLACE_WITHIN,
        north + PUBLIC_PLACE_WITHIN,
    );
    let mut places: Vec<(i64, WishId)> = store::places(conn, query, around)?
        .into_iter()
        .map(|(id, place)| (regions::distance_m(here, place), id))
        .filter(|(distance, _)| *distance <= radius)
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
    let page = Page::of(rows, query.limit, |(distance, wish)| (*distance, wish.id));
    let (distances, wishes): (Vec<_>, Vec<_>) = page.items.into_iter().unzip();
    let mut items = views(conn, caller, wishes)?;
    for (view, distance) in items.iter_mut().zip(distances) {
        view.distance_m = Some(distance);
    }
    Ok(Page {
        items,
        next: page.next,
    })
}

#[derive(Debug, Clone, Deserialize, IntoParams, Validate)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Mine {
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
pub(super) enum MyRelation {
    /// Those one posted; for somebody else, where one still may.
    Author,
    /// Those that are for oneself.
    Beneficiary,
    /// Those that one claims or claimed, or an organisation that one runs.
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
pub(super) async fn mine(
    caller: Caller,
    platform: Data<Platform>,
    query: Params<Mine>,
) -> Result<List<Page<WishView>>> {
    let Params(mine) = query;
    let me = Some(caller.account);
    let relation = mine.relation;
    let mut query = Query {
        statuses: all_statuses(mine.status),
        order: Newest::Written(Cursor::decode(mine.cursor.as_deref())?),
        limit: mine.limit.unwrap_or(DEFAULT_LIMIT),
        ..Query::default()
    };
    match relation {
        MyRelation::Author => query.author = me,
        MyRelation::Beneficiary => query.beneficiary = me,
        MyRelation::Claimant => query.claimant = Some((&caller).into()),
    }
    let page = platform.db.read(move |conn| {
        if let MyRelation::Author = relation {
            query.on_behalf_in = service::posts_for(conn, &caller)?;
        }
        newest(conn, Some(&caller), &query)
    });
    Ok(List(page.await?))
}

#[derive(Debug, Clone, Deserialize, IntoParams, Validate)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct OfRegion {
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
/// In any state once they were handed in, the newest first; for those who stand in for its people,
/// also what any of them wrote down and has not handed in.
#[utoipa::path(tag = "wishes", params(OfRegion), responses(
    (status = 200, description = "A page of the region's wishes", body = Page<WishView>),
    (status = 404, description = "Not a region of the caller's", body = ProblemBody),
    (status = 422, description = "A parameter out of bounds", body = ProblemBody)))]
#[get("/staff/wishes")]
pub(super) async fn to_screen(
    caller: Caller,
    platform: Data<Platform>,
    query: Params<OfRegion>,
) -> Result<List<Page<WishView>>> {
    let Params(query) = query;
    let region = query.region_id;
    let mut query = Query {
        statuses: all_statuses(query.status),
        within: Some(region),
        order: Newest::Written(Cursor::decode(query.cursor.as_deref())?),
        limit: query.limit.unwrap_or(DEFAULT_LIMIT),
        ..Query::default()
    };
    let page = platform.db.read(move |conn| {
        query.unsubmitted = if service::serves(conn, &caller, region)? {
            Unsubmitted::OnBehalf
        } else if caller.holds_in_region(conn, &[Role::RegionAdmin], region)? {
            Unsubmitted::Nothing
        } else {
            return Err(Code::NotFound.into());
        };
        newest(conn, Some(&caller), &query)
    });
    Ok(List(page.await?))
}

/// Read a wish
#[utoipa::path(tag = "wishes", params(("id" = WishId, Path, description = "The wish")), security((), ("bearer" = [])), responses(
    (status = 200, description = "As much of it as the caller may see", body = WishView),
    (status = 404, description = "No such wish, or not for the caller's eyes", body = ProblemBody)))]
#[get("/wishes/{id}")]
pub(super) async fn read(
    caller: MaybeCaller,
    platform: Data<Platform>,
    id: Path<WishId>,
) -> Result<HttpResponse> {
    let (view, version) = platform
        .db
        .point(move |conn| {
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
pub(super) async fn read_contact(
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

pub(super) fn story(conn: &mut Conn, me: Option<&Caller>, id: WishId) -> Result<Page<StepView>> {
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
pub(super) async fn timeline(
    caller: Caller,
    platform: Data<Platform>,
    id: Path<WishId>,
) -> Result<List<Page<StepView>>> {
    let steps = platform.db.read(move |conn| {
        let (_, relation) = service::visible(conn, Some(&caller), *id)?;
        if !relation.may_follow() {
            return Err(Code::Forbidden.into());
        }
        story(conn, Some(&caller), *id)
    });
    Ok(List(steps.await?))
}
