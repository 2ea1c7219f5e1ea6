//! Finding what the public may see.

use std::ops::Range;

use actix_web::get;
use actix_web::web::{Data, Json, block};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use validator::Validate;

use crate::error::{Error, Result};
use crate::platform::Platform;
use crate::platform::clock::Instant;
use crate::platform::http::page::{DEFAULT_LIMIT, Paged};
use crate::platform::http::valid::check;
use crate::platform::http::{Cursor, List, Page, Params, ProblemBody};
use crate::regions::RegionId;
use crate::search::criteria::{Criteria, Point, SearchOrder};
use crate::search::model::{Document, SearchKind, SearchState};
use crate::search::projection::Search;
use crate::search::shelf::{Facets, Hit, Place};
use crate::search::terms::{Terms, excerpt};
use crate::taxonomies::{BeneficiaryGroup, LifeCycle};

/// Characters of a snippet.
const SNIPPET: usize = 100;
/// Titles that are suggested where no number is asked for.
const SUGGESTIONS: i64 = 8;

/// All parameters of a search: the criteria, and which part of the answer is wanted.
#[derive(Debug, Deserialize, Validate)]
#[serde(deny_unknown_fields)]
struct Asked {
    q: Option<String>,
    kind: Option<SearchKind>,
    region: Option<RegionId>,
    field: Option<String>,
    life_cycle: Option<LifeCycle>,
    group: Option<BeneficiaryGroup>,
    state: Option<SearchState>,
    near: Option<Point>,
    radius: Option<f64>,
    sort: Option<SearchOrder>,
    #[validate(range(min = 1, max = 100))]
    limit: Option<i64>,
    cursor: Option<String>,
}

/// Which part of the answer is wanted.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
struct Part {
    /// The order; when left out: by the words, else by the distance, else the newest first.
    sort: Option<SearchOrder>,
    /// Rows a page holds, 1 to 100.
    limit: Option<i64>,
    /// `next` of the page before.
    cursor: Option<String>,
}

impl Asked {
    /// What is to be found, and which part of that is wanted.
    fn parts(self) -> (Criteria, Part) {
        let criteria = Criteria {
            q: self.q,
            kind: self.kind,
            region: self.region,
            field: self.field,
            life_cycle: self.life_cycle,
            group: self.group,
            state: self.state,
            near: self.near,
            radius: self.radius,
        };
        let part = Part {
            sort: self.sort,
            limit: self.limit,
            cursor: self.cursor,
        };
        (criteria, part)
    }
}

/// Where words stand in a text: from a character on (counted from 0, in Unicode code points) up to
/// the one before `end`.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SearchHighlight)]
struct Highlight {
    start: usize,
    end: usize,
}

fn highlights(hits: Vec<Range<usize>>) -> Vec<Highlight> {
    hits.into_iter()
        .map(|Range { start, end }| Highlight { start, end })
        .collect()
}

/// Something that was found.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SearchItem)]
struct Item {
    /// What it is: by kind and id it is read at `/projects/{id}`, `/wishes/{id}` or
    /// `/organizations/{id}`.
    kind: SearchKind,
    /// Its id.
    id: Uuid,
    /// Its title or name: plain text.
    title: String,
    /// Where the title has the words.
    title_highlights: Vec<Highlight>,
    /// A part of what is written about it: plain text.
    snippet: String,
    /// Where the snippet has the words.
    snippet_highlights: Vec<Highlight>,
    /// Where it stands.
    state: SearchState,
    /// The region it belongs to; of a wish its street.
    region: RegionId,
    /// Its field.
    field: Option<String>,
    /// The goal it serves.
    life_cycle: Option<LifeCycle>,
    /// Whom it is for.
    group: Option<BeneficiaryGroup>,
    /// How far it is in metres, rounded up to a hundred; where `near` was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    distance_m: Option<i64>,
    /// When it was published first.
    published_at: Instant,
}

impl Item {
    fn of(hit: &Hit, terms: &Terms) -> Self {
        let Document {
            kind,
            id,
            title,
            text,
            region,
            field,
            life_cycle,
            group,
            state,
            published_at,
            ..
        } = &*hit.document;
        let (snippet, inside) = excerpt(text, &terms.hits(text), SNIPPET);
        Self {
            kind: *kind,
            id: *id,
            title: title.clone(),
            title_highlights: highlights(terms.hits(title)),
            snippet,
            snippet_highlights: highlights(inside),
            state: *state,
            region: *region,
            field: field.clone(),
            life_cycle: *life_cycle,
            group: *group,
            distance_m: hit.distance_m,
            published_at: *published_at,
        }
    }
}

/// A page of what was found.
#[derive(Debug, Serialize, ToSchema)]
struct SearchResults {
    /// In the order asked for.
    items: Vec<Item>,
    /// Hand this back as `cursor` for the next page; null on the last one.
    next: Option<String>,
    /// How many there are in all.
    total: u64,
    /// In which order they are.
    sort: SearchOrder,
    /// What the filters would give.
    facets: Facets,
}

impl Paged for SearchResults {
    fn next(&mut self) -> &mut Option<String> {
        &mut self.next
    }
}

/// Search projects, wishes and organisations
///
/// Whatever the public may see, in Chinese and in English. All words are wanted, in any order; full
/// width and half width, upper and lower case, traditional and simplified characters are one; a word in
/// letters may have one slip, the last one may be unfinished. Without words: all that the filters let pass. Of what has ended, or
/// is shown to nobody any more, nothing is found.
#[utoipa::path(tag = "search", params(Criteria, Part), security(()), responses(
    (status = 200, description = "What was found, with counts for the filters", body = SearchResults),
    (status = 422, description = "A parameter out of bounds, or a query without a word in it", body = ProblemBody)))]
#[get("/search")]
pub(super) async fn find(
    platform: Data<Platform>,
    search: Data<Search>,
    query: Params<Asked>,
) -> Result<List<SearchResults>> {
    let (criteria, part) = query.0.parts();
    check(&criteria, "")?;
    let sort = part.sort.unwrap_or_else(|| criteria.usual_order());
    let after = Cursor::decode::<Place>(part.cursor.as_deref())?;
    let limit = part.limit.unwrap_or(DEFAULT_LIMIT);
    search.until_current().await?;
    let (shelf, today) = (search.shelf(), platform.today());
    let found = block(move || {
        let most = usize::try_from(limit).unwrap_or(0) + 1;
        let found = shelf.search(&criteria, today, sort, after, most)?;
        let terms = criteria.terms();
        let page = Page::of(found.hits, limit, |hit| hit.place);
        let page = page.map(|hit| Item::of(&hit, &terms));
        Ok::<_, Error>(SearchResults {
            items: page.items,
            next: page.next,
            total: found.total,
            sort,
            facets: found.facets,
        })
    });
    Ok(List(found.await.map_err(Error::internal)??))
}

#[derive(Debug, Deserialize, IntoParams, Validate)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Typed {
    /// What was typed so far.
    #[validate(length(max = 200))]
    #[param(example = "助力")]
    q: String,
    /// Rows, 1 to 20; 8 when left out.
    #[validate(range(min = 1, max = 20))]
    limit: Option<i64>,
}

/// A title that may be meant.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SearchSuggestion)]
struct Suggestion {
    /// What it is.
    kind: SearchKind,
    /// Its id.
    id: Uuid,
    /// Its title or name: plain text.
    title: String,
    /// Where the title has the words.
    title_highlights: Vec<Highlight>,
}

/// Suggestions for what is being typed.
#[derive(Debug, Serialize, ToSchema)]
struct SearchSuggestions {
    /// The best first.
    items: Vec<Suggestion>,
}

/// Suggest while somebody types
///
/// The titles of what a search would find first. Nothing for what has no word in it yet.
#[utoipa::path(tag = "search", params(Typed), security(()), responses(
    (status = 200, description = "Titles", body = SearchSuggestions),
    (status = 422, description = "A parameter out of bounds", body = ProblemBody)))]
#[get("/search/suggest")]
pub(super) async fn suggest(
    platform: Data<Platform>,
    search: Data<Search>,
    query: Params<Typed>,
) -> Result<Json<SearchSuggestions>> {
    let Params(typed) = query;
    let criteria = Criteria {
        q: Some(typed.q),
        ..Criteria::default()
    };
    let terms = criteria.terms();
    if terms.is_empty() {
        return Ok(Json(SearchSuggestions { items: Vec::new() }));
    }
    let limit = usize::try_from(typed.limit.unwrap_or(SUGGESTIONS)).unwrap_or(0);
    search.until_current().await?;
    let (shelf, today) = (search.shelf(), platform.today());
    let found = block(move || shelf.search(&criteria, today, SearchOrder::Relevance, None, limit));
    let found = found.await.map_err(Error::internal)??;
    let suggestion = |hit: Hit| Suggestion {
        kind: hit.document.kind,
        id: hit.document.id,
        title: hit.document.title.clone(),
        title_highlights: highlights(terms.hits(&hit.document.title)),
    };
    Ok(Json(SearchSuggestions {
        items: found.hits.into_iter().map(suggestion).collect(),
    }))
}
