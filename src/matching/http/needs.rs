//! People for a need, and how one stands to it oneself.

use actix_web::get;
use actix_web::web::{Data, Json, Path};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use validator::Validate;

use super::{moment, rows};
use crate::error::Result;
use crate::identity::{AccountId, Caller};
use crate::matching::invitations::Asker;
use crate::matching::model::{NeedKind, Person, Viewer};
use crate::matching::projection::Matching;
use crate::matching::score::{self, Filter, Side};
use crate::matching::service::{self, Moment};
use crate::matching::view::{FactorView, FilterView, NeedView, factor_views, filter_views};
use crate::matching::world::Hit;
use crate::platform::Platform;
use crate::platform::http::{Params, ProblemBody};

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
/// For those who speak for it: of a wish, the staff of its region; of a role, those who lead a crew
/// of its project or publish it. Nobody is named until both sides agree.
#[utoipa::path(tag = "matching", params(
        ("kind" = NeedKind, Path, description = "What the need is"),
        ("id" = String, Path, format = Uuid, description = "The wish or role"), Limit),
    responses(
        (status = 200, description = "The best candidates", body = Candidates),
        (status = 403, description = "Not the caller's to ask", body = ProblemBody),
        (status = 404, description = "No such need, or not open", body = ProblemBody),
        (status = 422, description = "A parameter out of bounds", body = ProblemBody)))]
#[get("/needs/{kind}/{id}/candidates")]
pub(super) async fn candidates(
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
        service::check_may_ask(conn, &caller, need.id)?;
        let k = rows(query.limit);
        let asker = Asker::from(&caller);
        let hits = service::people_for(conn, &matching, &need, &moment, &asker, k)?.hits;
        let weights = &moment.terms.weights;
        let item = |hit: Hit<Person>| Candidate {
            pseudonym: service::pseudonym(&vault, need.id, hit.what.id),
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

/// Why a need is, or is not, for somebody.
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
    /// What keeps organisers from inviting the person to it, whatever it may do by itself; null where
    /// nothing does.
    uninvited: Option<Uninvited>,
}

/// Why nobody invites somebody to a need.
#[derive(Debug, Serialize, ToSchema)]
struct Uninvited {
    /// Why.
    code: String,
    /// The same in words.
    sentence: String,
}

#[derive(Debug, Deserialize, IntoParams, Validate)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Whom {
    /// Whose match; the caller's own when left out.
    account_id: Option<AccountId>,
}

/// Explain a match
///
/// Why a need is, or is not, recommended to the caller: every hard filter with what was looked at,
/// and the factors. Region admins over the need ask the same for any volunteer, who reads of it under
/// `/me/data-access`; of who has not agreed to be matched by profile they learn that alone.
#[utoipa::path(tag = "matching", params(
        ("kind" = NeedKind, Path, description = "What the need is"),
        ("id" = String, Path, format = Uuid, description = "The wish or role"), Whom),
    responses(
        (status = 200, description = "Why, or why not", body = Explanation),
        (status = 403, description = "About somebody else, and not the caller's to ask", body = ProblemBody),
        (status = 404, description = "No such need, or not open; no such volunteer", body = ProblemBody),
        (status = 409, description = "Without a volunteer profile", body = ProblemBody)))]
#[get("/needs/{kind}/{id}/explanation")]
pub(super) async fn explain(
    caller: Caller,
    platform: Data<Platform>,
    matching: Data<Matching>,
    path: Path<(NeedKind, Uuid)>,
    query: Params<Whom>,
) -> Result<Json<Explanation>> {
    let ((kind, id), Params(query)) = (path.into_inner(), query);
    matching.until_current().await?;
    let need = service::open_need(&matching, kind, id)?;
    let (lang, wanted) = (caller.lang, need.clone());
    let (viewer, person) = match query.account_id {
        Some(other) if other != caller.account => {
            let matching = matching.clone();
            let person = platform.db.write(move |tx| {
                service::profile_for_staff(tx, &matching, &caller, &wanted, other)
            });
            (Viewer::Staff, person.await?)
        }
        _ => (Viewer::Oneself, service::own_profile(&matching, &caller)?),
    };
    let Moment { terms, now } = moment(&platform, &matching);
    let weights_version = matching.setting().matching.weights_version;
    let (asked, wanted) = (person.id, need.id);
    let of = need.clone();
    let (standing, uninvited) = platform
        .db
        .read(move |conn| {
            let standing = service::standing(conn, &matching, asked, &of, now)?;
            let uninvited = service::uninvited(conn, &matching, asked, wanted, now)?;
            Ok((standing, uninvited))
        })
        .await?;
    let mut filters = filter_views(&person, &need, &terms, &standing, (viewer, lang));
    let eligible = filters.iter().all(|filter| filter.passed);
    // a person reads what its recommendations say, staff what the list of candidates says
    let side = match viewer {
        Viewer::Oneself => Side::Needs,
        Viewer::Staff | Viewer::Other => Side::People,
    };
    let score = score::score(&score::factors(&person, &need, side), &terms.weights);
    let mut factors = factor_views(&person, &need, side, &terms.weights, lang);
    if viewer == Viewer::Staff && !person.agrees {
        filters.retain(|view| view.filter == Filter::Consent);
        factors.clear();
    }
    Ok(Json(Explanation {
        need: (&*need).into(),
        eligible,
        score: eligible.then_some(score),
        weights_version,
        filters,
        factors,
        uninvited: uninvited.map(|code| {
            let (zh, en) = code.title();
            Uninvited {
                code: code.as_str().to_owned(),
                sentence: lang.pick(zh, en).to_owned(),
            }
        }),
    }))
}
