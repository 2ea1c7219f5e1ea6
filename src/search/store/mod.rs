//! All of the room's SQL: for each kind of thing its own file, and what people saved.

mod organizations;
mod projects;
pub mod saved;
mod wishes;

use std::collections::{BTreeSet, HashMap};

use diesel::prelude::*;
use uuid::Uuid;

use super::model::{Document, Key, RegionFacts, SearchKind};
use crate::error::Result;
use crate::platform::db::Conn;
use crate::platform::journal::Touched;
use crate::regions::{Level, RegionId};
use crate::schema::{region_ancestors, regions};

/// A kind of thing that can be found: how it is loaded and followed.
pub struct Source {
    pub kind: SearchKind,
    /// The ids of what the public finds, ascending, after one of them.
    pub ids: fn(&mut Conn, Option<Uuid>, i64) -> Result<Vec<Uuid>>,
    /// Those of these that the public finds.
    pub load: fn(&mut Conn, &[Uuid]) -> Result<Vec<Document>>,
    /// The noun under which the journal tells of the thing itself.
    pub noun: &'static str,
    /// The things that may be other ones since these subjects of another noun changed.
    pub touched: fn(&mut Conn, &str, &[Uuid]) -> Result<Vec<Uuid>>,
    /// Whether the public finds things in this state.
    pub is_public: fn(&str) -> bool,
}

/// [`Source::ids`] of a table whose rows the public finds as long as they pass a filter.
macro_rules! public_ids {
    ($table:ident, $id:ident, $is_public:expr) => {
        fn ids(conn: &mut Conn, after: Option<Uuid>, limit: i64) -> Result<Vec<Uuid>> {
            let mut public = $table::table
                .filter($is_public)
                .select($table::id)
                .into_boxed();
            if let Some(after) = after {
                public = public.filter($table::id.gt($id(after)));
            }
            let found: Vec<$id> = public.order($table::id).limit(limit).load(conn)?;
            Ok(found.into_iter().map(|id| id.0).collect())
        }
    };
}
use public_ids;

/// [`Source::touched`] of things that no other noun changes.
fn by_no_other(_: &mut Conn, _: &str, _: &[Uuid]) -> Result<Vec<Uuid>> {
    Ok(Vec::new())
}

/// Every kind of thing.
pub const SOURCES: &[Source] = &[projects::SOURCE, wishes::SOURCE, organizations::SOURCE];

/// What is looked up at once.
const BATCH: usize = 500;

/// Things and regions as they are now; none for what is not to be found any more.
#[derive(Default)]
pub struct Present {
    pub documents: Vec<(Key, Option<Document>)>,
    pub regions: Vec<(RegionId, RegionFacts)>,
}

impl Present {
    /// Whether nothing changed.
    pub fn is_empty(&self) -> bool {
        self.documents.is_empty() && self.regions.is_empty()
    }
}

/// All that may have changed with these entries of the journal, as it is now.
pub fn present(conn: &mut Conn, touched: &[&Touched]) -> Result<Present> {
    let mut by_noun: HashMap<&str, BTreeSet<Uuid>> = HashMap::new();
    for entry in touched {
        let noun = by_noun.entry(entry.noun.as_str()).or_default();
        noun.insert(entry.subject.0);
    }
    let mut ids: Vec<BTreeSet<Uuid>> = vec![BTreeSet::new(); SOURCES.len()];
    let mut present = Present::default();
    for (noun, subjects) in by_noun {
        let subjects: Vec<_> = subjects.into_iter().collect();
        for subjects in subjects.chunks(BATCH) {
            for (source, ids) in SOURCES.iter().zip(&mut ids) {
                if noun == source.noun {
                    ids.extend(subjects);
                } else {
                    ids.extend((source.touched)(conn, noun, subjects)?);
                }
            }
            if noun == "region" {
                let of: Vec<_> = subjects.iter().map(|id| RegionId(*id)).collect();
                present.regions.extend(region_facts(conn, Some(&of))?);
            }
        }
    }
    for (source, ids) in SOURCES.iter().zip(ids) {
        let ids: Vec<_> = ids.into_iter().collect();
        for ids in ids.chunks(BATCH) {
            let mut found: HashMap<_, _> = (source.load)(conn, ids)?
                .into_iter()
                .map(|document| (document.id, document))
                .collect();
            let kind = source.kind;
            let named = ids
                .iter()
                .map(|id| (Key { id: *id, kind }, found.remove(id)));
            present.documents.extend(named);
        }
    }
    Ok(present)
}

/// Every region there is or was: things go on belonging to one that has ended.
pub fn all_regions(conn: &mut Conn) -> Result<Vec<(RegionId, RegionFacts)>> {
    region_facts(conn, None)
}

/// Some regions, or all of them.
pub fn region_facts(
    conn: &mut Conn,
    only: Option<&[RegionId]>,
) -> Result<Vec<(RegionId, RegionFacts)>> {
    type Row = (RegionId, String, Level, Option<f64>, Option<f64>);
    let mut rows = regions::table
        .select((
            regions::id,
            regions::name,
            regions::level,
            regions::longitude,
            regions::latitude,
        ))
        .into_boxed();
    let mut above = region_ancestors::table
        .order((region_ancestors::region_id, region_ancestors::distance))
        .select((region_ancestors::region_id, region_ancestors::ancestor_id))
        .into_boxed();
    if let Some(only) = only {
        rows = rows.filter(regions::id.eq_any(only.to_vec()));
        above = above.filter(region_ancestors::region_id.eq_any(only.to_vec()));
    }
    let rows: Vec<Row> = rows.load(conn)?;
    let above: Vec<(RegionId, RegionId)> = above.load(conn)?;
    let mut with_ancestors: HashMap<RegionId, Vec<RegionId>> = HashMap::new();
    for (region, ancestor) in above {
        with_ancestors.entry(region).or_default().push(ancestor);
    }
    let facts = |(id, name, level, longitude, latitude): Row| {
        let facts = RegionFacts {
            name,
            level,
            with_ancestors: with_ancestors.remove(&id).unwrap_or_default(),
            centre: longitude.zip(latitude),
        };
        (id, facts)
    };
    Ok(rows.into_iter().map(facts).collect())
}
