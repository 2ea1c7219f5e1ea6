//! Needs for a person, or for anybody.

use std::sync::Arc;

use actix_web::get;
use actix_web::web::Data;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

use super::{moment, rows};
use crate::error::{Code, Result};
use crate::identity::{Caller, MaybeCaller};
use crate::matching::model::{Need, NeedKind, Person};
use crate::matching::projection::Matching;
use crate::matching::remedy;
use crate::matching::score::Side;
use crate::matching::service;
use crate::matching::view::{FactorView, NeedView, factor_views};
use crate::matching::world::{Hit, Place, Wanting, place};
use crate::platform::Platform;
use crate::platform::http::page::Paged;
use crate::platform::http::{Cursor, List, Page, Params, ProblemBody};
use crate::platform::lang::Lang;
use crate::regions::RegionId;

#[derive(Debug, Deserialize, IntoParams, Validate)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Recommend {
    /// By one's profile, or not. Without it: by profile for a volunteer who agreed to that.
    personalized: Option<bool>,
    /// Only needs of this kind.
    kind: Option<NeedKind>,
    /// Only needs in this region or below it. Wishes are found by their streets, not in anything smaller.
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

/// A kind of needs of which the caller may take none on now.
#[derive(Debug, Serialize, ToSchema)]
struct ClosedKind {
    /// Which.
    kind: NeedKind,
    /// Why: `daily_cap` for who holds as many as one may, `sanctioned` for who let too many lapse.
    code: String,
    /// The same in words.
    sentence: String,
    /// What would change it, in words; null where the caller can do nothing.
    remedy: Option<String>,
}

impl ClosedKind {
    fn of((kind, code): (NeedKind, Code), lang: Lang) -> Self {
        let (zh, en) = code.title();
        Self {
            kind,
            code: code.as_str().to_owned(),
            sentence: lang.pick(zh, en).to_owned(),
            remedy: remedy::standing(code, lang),
        }
    }
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
    /// Where it is personalized: of which kinds nothing is recommended, since the caller may take none of
    /// them on now, although some would fit.
    closed: Vec<ClosedKind>,
    /// Hand this back as `cursor` for the next page; null on the last one and where it is
    /// personalized.
    next: Option<String>,
}

impl Paged for Recommendations {
    fn next(&mut self) -> &mut Option<String> {
        &mut self.next
    }
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
pub(super) async fn recommend(
    caller: MaybeCaller,
    platform: Data<Platform>,
    matching: Data<Matching>,
    query: Params<Recommend>,
) -> Result<List<Recommendations>> {
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
            // the engine takes microseconds, and what it finds is looked up by key
            let answer = platform.db.point(move |conn| {
                let found = service::needs_for(conn, &matching, &person, wanting, &moment, k)?;
                let weights = &moment.terms.weights;
                let item = |hit: Hit<Need>| Recommendation {
                    need: (&*hit.what).into(),
                    score: Some(hit.score),
                    factors: Some(factor_views(&person, &hit.what, Side::Needs, weights, lang)),
                };
                Ok(Recommendations {
                    personalized: true,
                    weights_version: Some(matching.setting().matching.weights_version),
                    items: found.hits.into_iter().map(item).collect(),
                    closed: found
                        .closed
                        .into_iter()
                        .map(|kind| ClosedKind::of(kind, lang))
                        .collect(),
                    next: None,
                })
            });
            Ok(List(answer.await?))
        }
        None => {
            let after: Option<Place> = Cursor::decode(query.cursor.as_deref())?;
            let today = moment(&platform, &matching).terms.today;
            let found = matching.world().listed(&wanting, today, after, k + 1);
            let page = Page::of(found, k as i64, |need| place(need));
            let page = page.map(|need| Recommendation {
                need: (&*need).into(),
                score: None,
                factors: None,
            });
            Ok(List(Recommendations {
                personalized: false,
                weights_version: None,
                items: page.items,
                closed: Vec::new(),
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
) -> Result<Option<(Arc<Person>, Lang)>> {
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
