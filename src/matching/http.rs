//! Recommendations, candidates, and why.

use actix_web::get;
use actix_web::web::{Data, Json, Path};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;
use validator::Validate;

use super::model::{Need, NeedKind, Person, Viewer};
use super::projection::Matching;
use super::score::{self, Side};
use super::service::{self, Moment};
use super::view::{FactorView, FilterView, NeedView, factor_views, filter_views};
use super::world::{Place, Terms, Wanting, place};
use crate::error::{Code, Result};
use crate::identity::{Caller, MaybeCaller};
use crate::platform::Platform;
use crate::platform::http::page::DEFAULT_LIMIT;
use crate::platform::http::{Cursor, Page, Params, ProblemBody};
use crate::platform::lang::Lang;
use crate::platform::token::Vault;
use crate::regions::RegionId;

/// The room's routes.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(recommend)
        .service(candidates)
        .service(explain);
}

fn moment(platform: &Platform, matching: &Matching) -> Moment {
    let now = platform.clock.now();
    Moment {
        terms: Terms {
            weights: matching.setting().matching.weights,
            today: now.with_timezone(&platform.zone).date_naive(),
        },
        now,
    }
}

fn rows(limit: Option<i64>) -> usize {
    usize::try_from(limit.unwrap_or(DEFAULT_LIMIT)).unwrap_or(1)
}

#[derive(Debug, Deserialize, IntoParams, Validate)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Recommend {
    /// By one's profile, or not. Without it: by profile for a volunteer who agreed to that.
    personalized: Option<bool>,
    /// Only needs of this kind.
    kind: Option<NeedKind>,
    /// Only needs in this region or below it.
    region_id: Option<RegionId>,
    /// Rows, 1 to 100.
    #[validate(range(min = 1, max = 100))]
    limit: Option<i64>,
    /// `next` of the page before; only where it is not personalized.
    cursor: Option<String>,
}

/// A need that may be for the caller.
#[derive(Debug, Serialize, ToSchema)]
struct Recommendation {
    /// The need.
    need: NeedView,
    /// 0 to 100; only where it is personalized.
    #[serde(skip_serializing_if = "Option::is_none")]
    score: Option<f64>,
    /// What the score is made of.
    #[serde(skip_serializing_if = "Option::is_none")]
    factors: Option<Vec<FactorView>>,
}

/// Needs for the caller.
#[derive(Debug, Serialize, ToSchema)]
struct Recommendations {
    /// Whether the caller's profile was used.
    personalized: bool,
    /// The version of the weights it was ranked by; null where nothing was ranked.
    weights_version: Option<u32>,
    /// The best first; where it is not personalized, by start time, then by id.
    items: Vec<Recommendation>,
    /// Hand this back as `cursor` for the next page; null on the last one and where it is
    /// personalized.
    next: Option<String>,
}

/// Recommend needs
///
/// For a volunteer who agreed to be matched by profile (consent `personalization`): what fits, the
/// best first, with the reasons. With `personalized=false`, and for everybody else: the open needs
/// by start time, filtered only by the query; whether one may take a need on is then checked when
/// one does.
#[utoipa::path(tag = "matching", params(Recommend), security((), ("bearer" = [])), responses(
    (status = 200, description = "Needs", body = Recommendations),
    (status = 403, description = "Personalized, without consent to it", body = ProblemBody),
    (status = 409, description = "Personalized, without a volunteer profile", body = ProblemBody),
    (status = 422, description = "A parameter out of bounds", body = ProblemBody)))]
#[get("/recommendations")]
async fn recommend(
    caller: MaybeCaller,
    platform: Data<Platform>,
    matching: Data<Matching>,
    query: Params<Recommend>,
) -> Result<Json<Recommendations>> {
    let (Params(query), MaybeCaller(caller)) = (query, caller);
    matching.until_current().await?;
    let wanting = Wanting {
        kind: query.kind,
        region: query.region_id,
        ..Wanting::default()
    };
    let k = rows(query.limit);
    match profile_to_use(&matching, caller.as_ref(), query.personalized)? {
        Some((person, lang)) => {
            if query.cursor.is_some() {
                return Err(Code::InvalidCursor.into());
            }
            let moment = moment(&platform, &matching);
            let answer = platform.db.read(move |conn| {
                let hits = service::needs_for(conn, &matching, &person, wanting, &moment, k)?;
                let weights = &moment.terms.weights;
                let item = |hit: super::Hit<Need>| Recommendation {
                    need: (&*hit.what).into(),
                    score: Some(hit.score),
                    factors: Some(factor_views(&person, &hit.what, Side::Needs, weights, lang)),
                };
                Ok(Recommendations {
                    personalized: true,
                    weights_version: Some(matching.setting().matching.weights_version),
                    items: hits.into_iter().map(item).collect(),
                    next: None,
                })
            });
            Ok(Json(answer.await?))
        }
        None => {
            let after: Option<Place> = Cursor::decode(query.cursor.as_deref())?;
            let found = matching.world().listed(&wanting, after, k + 1);
            let page = Page::of(found, k as i64, |need| place(need));
            let page = page.map(|need| Recommendation {
                need: (&*need).into(),
                score: None,
                factors: None,
            });
            Ok(Json(Recommendations {
                personalized: false,
                weights_version: None,
                items: page.items,
                next: page.next,
            }))
        }
    }
}

/// The profile by which to recommend, and the language; none where it is not to be used.
fn profile_to_use(
    matching: &Matching,
    caller: Option<&Caller>,
    personalized: Option<bool>,
) -> Result<Option<(std::sync::Arc<Person>, Lang)>> {
    let Some(caller) = caller else {
        return match personalized {
            Some(true) => Err(Code::Unauthenticated.into()),
            _ => Ok(None),
        };
    };
    match personalized {
        Some(false) => Ok(None),
        Some(true) => {
            let person = service::own_profile(matching, caller)?;
            if person.agrees {
                Ok(Some((person, caller.lang)))
            } else {
                Err(Code::ConsentMissing.into())
            }
        }
        None => {
            let person = matching.world().person(caller.account);
            Ok(person
                .filter(|person| person.agrees)
                .map(|person| (person, caller.lang)))
        }
    }
}

#[derive(Debug, Deserialize, IntoParams, Validate)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Limit {
    /// Rows, 1 to 100.
    #[validate(range(min = 1, max = 100))]
    limit: Option<i64>,
}

/// Somebody who fits, without a name.
#[derive(Debug, Serialize, ToSchema)]
struct Candidate {
    /// The same person in every answer about this need, and another one in those about others.
    pseudonym: String,
    /// 0 to 100.
    score: f64,
    /// What the score is made of.
    factors: Vec<FactorView>,
}

/// Who fits a need.
#[derive(Debug, Serialize, ToSchema)]
struct Candidates {
    /// The need.
    need: NeedView,
    /// The version of the weights they were ranked by.
    weights_version: u32,
    /// The best first.
    items: Vec<Candidate>,
}

/// List candidates for a need
///
/// For those who speak for it: of a wish, the staff of its region. Nobody is named until both sides
/// agree.
#[utoipa::path(tag = "matching", params(
        ("kind" = NeedKind, Path, description = "What the need is"),
        ("id" = String, Path, format = Uuid, description = "The wish or role"), Limit),
    responses(
        (status = 200, description = "The best candidates", body = Candidates),
        (status = 403, description = "Not the caller's to ask", body = ProblemBody),
        (status = 404, description = "No such need, or not open", body = ProblemBody),
        (status = 422, description = "A parameter out of bounds", body = ProblemBody)))]
#[get("/needs/{kind}/{id}/candidates")]
async fn candidates(
    caller: Caller,
    platform: Data<Platform>,
    matching: Data<Matching>,
    path: Path<(NeedKind, Uuid)>,
    query: Params<Limit>,
) -> Result<Json<Candidates>> {
    let ((kind, id), Params(query)) = (path.into_inner(), query);
    matching.until_current().await?;
    let moment = moment(&platform, &matching);
    let vault = platform.vault.clone();
    let answer = platform.db.read(move |conn| {
        let need = service::open_need(&matching, kind, id)?;
        service::check_may_ask(conn, &caller, &need)?;
        let k = rows(query.limit);
        let hits = service::people_for(conn, &matching, &need, &moment, k)?;
        let weights = &moment.terms.weights;
        let item = |hit: super::Hit<Person>| Candidate {
            pseudonym: pseudonym(&vault, &need, &hit.what),
            score: hit.score,
            factors: factor_views(&hit.what, &need, Side::People, weights, caller.lang),
        };
        Ok(Candidates {
            need: (&*need).into(),
            weights_version: matching.setting().matching.weights_version,
            items: hits.into_iter().map(item).collect(),
        })
    });
    Ok(Json(answer.await?))
}

/// Stable for a need, and of no use for another: a keyed hash of both.
fn pseudonym(vault: &Vault, need: &Need, person: &Person) -> String {
    let both = format!("{}:{}:{}", need.id.kind, need.id.id, person.id);
    let hash = vault.lookup_hash("candidate", &both);
    hash.iter()
        .take(8)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// Why a need is, or is not, for the caller.
#[derive(Debug, Serialize, ToSchema)]
struct Explanation {
    /// The need.
    need: NeedView,
    /// Whether every filter lets pass.
    eligible: bool,
    /// 0 to 100; null for somebody who is not eligible.
    score: Option<f64>,
    /// The version of the weights.
    weights_version: u32,
    /// Every hard filter and what it says.
    filters: Vec<FilterView>,
    /// What the score is, or would be, made of.
    factors: Vec<FactorView>,
}

/// Explain a match
///
/// Why a need is, or is not, recommended to the caller: every hard filter with what was looked at,
/// and the factors.
#[utoipa::path(tag = "matching", params(
        ("kind" = NeedKind, Path, description = "What the need is"),
        ("id" = String, Path, format = Uuid, description = "The wish or role")),
    responses(
        (status = 200, description = "Why, or why not", body = Explanation),
        (status = 404, description = "No such need, or not open", body = ProblemBody),
        (status = 409, description = "Without a volunteer profile", body = ProblemBody)))]
#[get("/needs/{kind}/{id}/explanation")]
async fn explain(
    caller: Caller,
    platform: Data<Platform>,
    matching: Data<Matching>,
    path: Path<(NeedKind, Uuid)>,
) -> Result<Json<Explanation>> {
    let (kind, id) = path.into_inner();
    matching.until_current().await?;
    let need = service::open_need(&matching, kind, id)?;
    let person = service::own_profile(&matching, &caller)?;
    let Moment { terms, now } = moment(&platform, &matching);
    let weights_version = matching.setting().matching.weights_version;
    let (asked, wanted) = (person.id, need.clone());
    let standing = platform
        .db
        .read(move |conn| service::standing(conn, &matching, asked, &wanted, now))
        .await?;
    let reader = (Viewer::Oneself, caller.lang);
    let filters = filter_views(&person, &need, &terms, standing, reader);
    let eligible = filters.iter().all(|filter| filter.passed);
    let factors = score::factors(&person, &need, Side::Needs);
    Ok(Json(Explanation {
        need: (&*need).into(),
        eligible,
        score: eligible.then(|| score::score(&factors, &terms.weights)),
        weights_version,
        filters,
        factors: factor_views(&person, &need, Side::Needs, &terms.weights, caller.lang),
    }))
}
