//! All that can be found, in memory, and how it is searched: the index says what has the words, the
//! documents beside it say the rest, so that filters, facets, counts and order are exact.
//!
//! Who searches takes the [`Shelf`] of the moment and holds up nobody; changes are made in a
//! [`Register`] that the follower alone has, and shown all at once.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::criteria::{Criteria, SearchOrder};
use super::index::{Index, Snapshot};
use super::model::{Document, Key, RegionFacts, SearchKind, SearchState};
use super::terms::Terms;
use crate::error::Result;
use crate::platform::clock::Instant;
use crate::regions::{self, Level, RegionId};
use crate::taxonomies::{BeneficiaryGroup, LifeCycle};

/// All that can be found, as it was at one moment. Cheap to clone.
#[derive(Clone, Default)]
pub struct Shelf {
    /// By the numbers that the index knows them by.
    documents: imbl::OrdMap<u64, Arc<Document>>,
    regions: imbl::HashMap<RegionId, Arc<RegionFacts>>,
    /// None while nothing was ever put in.
    index: Option<Snapshot>,
}

/// The same, with what it takes to change it.
pub struct Register {
    shelf: Shelf,
    index: Index,
    slots: HashMap<Key, u64>,
    next: u64,
}

/// Where something stands in the order of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Place(u64, Reverse<(Instant, Key)>);

/// Something that fits.
#[derive(Clone, Debug, PartialEq)]
pub struct Hit {
    /// The thing.
    pub document: Arc<Document>,
    /// Where it stands in the order.
    pub place: Place,
    /// How far it is, in metres, rounded up to a hundred; where a place was asked for.
    pub distance_m: Option<i64>,
}

/// How many things have a value, of those that fit all the other filters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Count<T> {
    /// The value.
    pub value: T,
    /// How many.
    pub count: u64,
}

/// How many things are in a region or below it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct RegionCount {
    /// The region.
    pub value: RegionId,
    /// Its name.
    pub name: String,
    /// How many.
    pub count: u64,
}

/// What the filters would give. Each is counted over all that fits the query and the other filters,
/// its own left out, so that one sees what another choice would give. Regions are a tree: their
/// counts are of the chosen region's direct parts, or of all districts and streets where none is
/// chosen. The most frequent first; what nothing has is left out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = SearchFacets)]
pub struct Facets {
    /// By kind.
    pub kind: Vec<Count<SearchKind>>,
    /// By region.
    pub region: Vec<RegionCount>,
    /// By field.
    pub field: Vec<Count<String>>,
    /// By livelihood goal.
    pub life_cycle: Vec<Count<LifeCycle>>,
    /// By beneficiary group.
    pub group: Vec<Count<BeneficiaryGroup>>,
    /// By state.
    pub state: Vec<Count<SearchState>>,
}

/// The answer to a search.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Found {
    /// How many fit in all.
    pub total: u64,
    /// Those asked for, in order.
    pub hits: Vec<Hit>,
    /// What the filters would give.
    pub facets: Facets,
}

/// What is counted for one facet.
struct Tally<T>(BTreeMap<T, u64>);

impl<T: Ord> Tally<T> {
    fn new() -> Self {
        Self(BTreeMap::new())
    }

    fn add(&mut self, value: Option<T>) {
        if let Some(value) = value {
            *self.0.entry(value).or_default() += 1;
        }
    }

    fn counts(self) -> Vec<Count<T>> {
        let count = |(value, count)| Count { value, count };
        let mut counts: Vec<_> = self.0.into_iter().map(count).collect();
        counts.sort_by_key(|count| Reverse(count.count)); // stable: by value among equals
        counts
    }
}

impl Shelf {
    /// How many there are.
    pub fn count(&self) -> usize {
        self.documents.len()
    }

    /// All of them, by name.
    pub fn documents(&self) -> BTreeMap<Key, Arc<Document>> {
        let named = |document: &Arc<Document>| (document.key(), document.clone());
        self.documents.values().map(named).collect()
    }

    /// All regions.
    pub fn regions(&self) -> &imbl::HashMap<RegionId, Arc<RegionFacts>> {
        &self.regions
    }

    /// What fits on a day, in order, after a place in it: up to `limit`; counts are of all.
    ///
    /// # Errors
    /// When the index is broken.
    pub fn search(
        &self,
        criteria: &Criteria,
        today: NaiveDate,
        order: SearchOrder,
        after: Option<Place>,
        limit: usize,
    ) -> Result<Found> {
        let terms = criteria.terms();
        let scored: Vec<(&Arc<Document>, u32)> = match &self.index {
            _ if terms.is_empty() => self.documents.values().map(|one| (one, 0)).collect(),
            None => Vec::new(),
            Some(index) => {
                let found = index.find(&terms)?.into_iter();
                found
                    .filter_map(|(slot, score)| Some((self.documents.get(&slot)?, score)))
                    .collect()
            }
        };
        Ok(self.select(scored, criteria, today, order, after, limit))
    }

    /// The same without the index, by looking at everything: what [`Shelf::search`] is held against.
    pub fn scan(
        &self,
        criteria: &Criteria,
        today: NaiveDate,
        order: SearchOrder,
        after: Option<Place>,
        limit: usize,
    ) -> Found {
        let terms = criteria.terms();
        let scored = self.documents.values().filter_map(|document| {
            let score = terms.score(&document.title, &document.text)?;
            Some((document, score))
        });
        self.select(scored.collect(), criteria, today, order, after, limit)
    }

    fn select(
        &self,
        scored: Vec<(&Arc<Document>, u32)>,
        criteria: &Criteria,
        today: NaiveDate,
        order: SearchOrder,
        after: Option<Place>,
        limit: usize,
    ) -> Found {
        let (mut kind, mut field) = (Tally::new(), Tally::new());
        let (mut life_cycle, mut group) = (Tally::new(), Tally::new());
        let (mut state, mut region) = (Tally::new(), Tally::new());
        let mut total = 0;
        let mut hits = Vec::new();
        for (document, score) in scored {
            let Some(facts) = self.regions.get(&document.region) else {
                continue;
            };
            let Some(distance_m) = criteria.base(document, facts, today) else {
                continue;
            };
            let failed = criteria.failed(document);
            if failed.all_but(Criteria::KIND) {
                kind.add(Some(document.kind));
            }
            if failed.all_but(Criteria::FIELD) {
                field.add(document.field.clone());
            }
            if failed.all_but(Criteria::LIFE_CYCLE) {
                life_cycle.add(document.life_cycle);
            }
            if failed.all_but(Criteria::GROUP) {
                group.add(document.group);
            }
            if failed.all_but(Criteria::STATE) {
                state.add(Some(document.state));
            }
            if !failed.none() {
                continue;
            }
            for above in self.parts(criteria.region, facts) {
                region.add(Some(above));
            }
            total += 1;
            let first = match order {
                SearchOrder::Relevance => u64::from(u32::MAX - score),
                SearchOrder::Distance => distance_m.map_or(u64::MAX, i64::unsigned_abs),
                SearchOrder::Newest => 0,
            };
            let place = Place(first, Reverse((document.published_at, document.key())));
            if after.is_none_or(|after| place > after) {
                hits.push((place, document, distance_m));
            }
        }
        if hits.len() > limit {
            hits.select_nth_unstable_by_key(limit, |(place, ..)| *place);
            hits.truncate(limit);
        }
        hits.sort_unstable_by_key(|(place, ..)| *place);
        let hit = |(place, document, distance_m): (Place, &Arc<Document>, Option<i64>)| Hit {
            document: document.clone(),
            place,
            distance_m,
        };
        let named = |count: Count<RegionId>| RegionCount {
            name: self
                .regions
                .get(&count.value)
                .map(|facts| facts.name.clone())
                .unwrap_or_default(),
            value: count.value,
            count: count.count,
        };
        Found {
            total,
            hits: hits.into_iter().map(hit).collect(),
            facets: Facets {
                kind: kind.counts(),
                region: region.counts().into_iter().map(named).collect(),
                field: field.counts(),
                life_cycle: life_cycle.counts(),
                group: group.counts(),
                state: state.counts(),
            },
        }
    }

    /// Which regions a thing is counted for: the part of the chosen one that it is in, or its
    /// district and street.
    fn parts(&self, chosen: Option<RegionId>, facts: &RegionFacts) -> Vec<RegionId> {
        let above = &facts.with_ancestors;
        match chosen {
            Some(chosen) => {
                let at = above.iter().position(|region| *region == chosen);
                at.and_then(|at| at.checked_sub(1))
                    .map(|at| above[at])
                    .into_iter()
                    .collect()
            }
            None => {
                let is_large = |region: &&RegionId| {
                    let facts = self.regions.get(*region);
                    facts
                        .is_some_and(|facts| matches!(facts.level, Level::District | Level::Street))
                };
                above.iter().filter(is_large).copied().collect()
            }
        }
    }
}

impl Register {
    /// An empty one.
    ///
    /// # Errors
    /// When the index cannot be made.
    pub fn new() -> Result<Self> {
        Ok(Self {
            shelf: Shelf::default(),
            index: Index::new()?,
            slots: HashMap::new(),
            next: 0,
        })
    }

    /// Puts something in, in the place of what had its name; none takes it out.
    ///
    /// # Errors
    /// When the index is broken.
    pub fn put(&mut self, key: Key, document: Option<Document>) -> Result<()> {
        if let Some(slot) = self.slots.get(&key) {
            if document.as_ref() == self.shelf.documents.get(slot).map(AsRef::as_ref) {
                return Ok(());
            }
            self.index.remove(*slot);
            self.shelf.documents.remove(slot);
            self.slots.remove(&key);
        }
        if let Some(document) = document {
            let slot = self.next;
            self.next += 1;
            self.index.put(slot, &document.title, &document.text)?;
            self.shelf.documents.insert(slot, Arc::new(document));
            self.slots.insert(key, slot);
        }
        Ok(())
    }

    /// Puts a region in, in the place of what had its id.
    pub fn put_region(&mut self, id: RegionId, facts: RegionFacts) {
        self.shelf.regions.insert(id, Arc::new(facts));
    }

    /// All that was put in so far.
    ///
    /// # Errors
    /// When the index is broken.
    pub fn shelf(&mut self) -> Result<Shelf> {
        self.shelf.index = Some(self.index.snapshot()?);
        Ok(self.shelf.clone())
    }
}

/// How far a document is from a point, in metres; none where nobody knows where it is.
pub fn distance(document: &Document, facts: &RegionFacts, here: (f64, f64)) -> Option<f64> {
    let place = document.place.or(facts.centre)?;
    Some(regions::distance_m(here, place))
}

/// Whether something fits a query, its words included.
pub fn fits(
    criteria: &Criteria,
    terms: &Terms,
    document: &Document,
    facts: &RegionFacts,
    today: NaiveDate,
) -> bool {
    criteria.base(document, facts, today).is_some()
        && criteria.failed(document).none()
        && terms.score(&document.title, &document.text).is_some()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::super::criteria::Point;
    use super::*;

    const WORDS: &[&str] = &[
        "心理",
        "心愿",
        "微心愿",
        "关怀",
        "癌症患者",
        "志愿服务队",
        "一小时课外服务",
        "急救",
        "ＣＰＲ",
        "cpr",
        "Volunteers",
        "volunteer",
        "team",
        "teams",
        "A4纸",
        "2026",
        "2025",
        "，",
        " ",
        "朝霞妈妈",
        "妈",
        "水",
    ];
    const ASKED: &[&str] = &[
        "心理",
        "心",
        "愿",
        "微心愿",
        "志愿",
        "服务",
        "务",
        "cpr",
        "ＣＰＲ",
        "vol",
        "volunter",
        "voluntere",
        "team",
        "tema",
        "te",
        "2026",
        "202",
        "a4",
        "妈妈 心理",
        "课外服务",
        "A4 纸",
        "vol 心理",
        "team ",
        "水",
        "朝霞 team",
        "xyz",
        "",
    ];
    const TODAY: NaiveDate = NaiveDate::from_ymd_opt(2026, 11, 23).unwrap();

    fn region(number: u128) -> RegionId {
        RegionId(Uuid::from_u128(number))
    }

    /// A district (1) with two streets (2, 3) and two grids (4 in 2, 5 in 3).
    fn with_regions() -> Register {
        let mut register = Register::new().unwrap();
        let tree: [(u128, Level, &[u128]); 5] = [
            (1, Level::District, &[1]),
            (2, Level::Street, &[2, 1]),
            (3, Level::Street, &[3, 1]),
            (4, Level::Grid, &[4, 2, 1]),
            (5, Level::Grid, &[5, 3, 1]),
        ];
        for (number, level, above) in tree {
            let facts = RegionFacts {
                name: format!("{number}"),
                level,
                with_ancestors: above.iter().map(|number| region(*number)).collect(),
                centre: Some((121.8 + number as f64 / 100.0, 29.9)),
            };
            register.put_region(region(number), facts);
        }
        register
    }

    fn text(words: usize) -> impl Strategy<Value = String> {
        let word = proptest::sample::select(WORDS);
        proptest::collection::vec(word, 0..words).prop_map(|words| words.concat())
    }

    fn document() -> impl Strategy<Value = (u8, Option<Document>)> {
        let wish = (
            text(3),
            text(8),
            4..=5u128,
            0..3usize,
            -1..=1i64,
            any::<bool>(),
        );
        (0..12u8, proptest::option::weighted(0.8, wish)).prop_map(|(id, wish)| {
            let document = wish.map(|(title, text, place, choice, day, has_place)| Document {
                kind: SearchKind::Wish,
                id: Uuid::from_u128(id.into()),
                title,
                text,
                region: region(place),
                field: [
                    None,
                    Some("education".to_owned()),
                    Some("health".to_owned()),
                ][choice]
                    .clone(),
                life_cycle: [None, Some(LifeCycle::OldAge), Some(LifeCycle::Education)][choice],
                group: None,
                state: [SearchState::Published, SearchState::Open, SearchState::Open][choice],
                place: has_place.then_some((121.85, 29.9 + choice as f64 / 50.0)),
                last_day: (day != 1).then(|| TODAY + chrono::TimeDelta::days(day)),
                // some at the same moment, and not in the order of their ids
                published_at: Instant::default() + chrono::TimeDelta::days((id % 5).into()),
            });
            (id, document)
        })
    }

    fn criteria() -> impl Strategy<Value = Criteria> {
        (
            proptest::sample::select(ASKED),
            proptest::option::of(1..=5u128),
            proptest::option::of(proptest::sample::select(&["education", "health"][..])),
            proptest::option::of(proptest::sample::select(
                &[SearchState::Published, SearchState::Open][..],
            )),
            proptest::option::of(1_000.0..6_000.0f64),
        )
            .prop_map(|(q, of, field, state, radius)| Criteria {
                q: Some(q.to_owned()),
                region: of.map(region),
                field: field.map(str::to_owned),
                state,
                near: radius.map(|_| Point {
                    longitude: 121.85,
                    latitude: 29.9,
                }),
                radius,
                ..Criteria::default()
            })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        /// After any sequence of changes the index answers as if everything was looked at, and as a
        /// fresh one does; the pages of an answer are the answer.
        #[test]
        fn the_index_finds_what_a_scan_finds(
            changes in proptest::collection::vec(document(), 1..40),
            asked in proptest::collection::vec(criteria(), 1..8),
        ) {
            let mut register = with_regions();
            let mut last = BTreeMap::new();
            for (number, (id, document)) in changes.into_iter().enumerate() {
                let key = Key { id: Uuid::from_u128(id.into()), kind: SearchKind::Wish };
                register.put(key, document.clone()).unwrap();
                last.insert(key, document);
                if number % 7 == 0 {
                    register.shelf().unwrap(); // segments of their own
                }
            }
            let shelf = register.shelf().unwrap();
            let mut fresh = with_regions();
            for (key, document) in last {
                fresh.put(key, document).unwrap();
            }
            let fresh = fresh.shelf().unwrap();
            for criteria in asked {
                for order in [SearchOrder::Relevance, SearchOrder::Distance, SearchOrder::Newest] {
                    let found = shelf.search(&criteria, TODAY, order, None, 100).unwrap();
                    prop_assert_eq!(&found, &shelf.scan(&criteria, TODAY, order, None, 100));
                    prop_assert_eq!(&found, &fresh.search(&criteria, TODAY, order, None, 100).unwrap());
                    let (mut paged, mut after) = (Vec::new(), None);
                    loop {
                        let page = shelf.search(&criteria, TODAY, order, after, 2).unwrap();
                        prop_assert_eq!(page.total, found.total);
                        let Some(end) = page.hits.last() else { break };
                        after = Some(end.place);
                        paged.extend(page.hits);
                    }
                    prop_assert_eq!(&paged, &found.hits);
                }
            }
        }
    }
}
