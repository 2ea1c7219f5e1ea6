use chrono::NaiveDate;
use diesel::prelude::*;
use uuid::Uuid;

use super::criteria::Criteria;
use crate::identity::AccountId;
use crate::platform::clock::Instant;
use crate::platform::columns::Json;
use crate::regions::{Level, RegionId};
use crate::schema::saved_searches;
use crate::taxonomies::{BeneficiaryGroup, LifeCycle};
use crate::{id, text_enum};

text_enum! {
    /// What can be found.
    SearchKind {
        /// 惠民项目
        Project,
        /// 微心愿
        Wish,
        /// 社会组织
        Organization,
    }
}

text_enum! {
    /// Where something that can be found stands: a wish is published, an organisation active, the
    /// others are of projects.
    SearchState { Published, Active, Open, Claimed, Running, Suspended, Completing, Completed, Archived }
}

/// What the public may know of a thing that can be found, and nothing else: it is all that is
/// indexed.
///
/// | kind | found while | title | text | place |
/// |---|---|---|---|---|
/// | wish | published, up to its last day | title | description | rounded as in the list of wishes, else the centre of its street |
/// | project | open to archived; an open one up to its last day | title | summary | its own, else the centre of its region |
/// | organisation | active | name | introduction | its venue, else the centre of its region |
///
/// A wish belongs to its street: where in it, nobody finds out. Neither the contact nor the alias of a wish's beneficiary, no people, no reasons, no addresses.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    /// What it is.
    pub kind: SearchKind,
    /// Its id.
    pub id: Uuid,
    /// Its title or name.
    pub title: String,
    /// What is written about it.
    pub text: String,
    /// The region it belongs to; of a wish its street.
    pub region: RegionId,
    /// Its field, a code of the taxonomy.
    pub field: Option<String>,
    /// The livelihood goal it serves.
    pub life_cycle: Option<LifeCycle>,
    /// Whom it is for.
    pub group: Option<BeneficiaryGroup>,
    /// Where it stands.
    pub state: SearchState,
    /// Where it is, as far as the public knows: degrees east and north.
    pub place: Option<(f64, f64)>,
    /// The last day on which it is found.
    pub last_day: Option<NaiveDate>,
    /// When the public found it first.
    pub published_at: Instant,
}

impl Document {
    /// Its name in the index.
    pub fn key(&self) -> Key {
        Key {
            id: self.id,
            kind: self.kind,
        }
    }

    /// Whether it is found on a day: its end comes by the clock, not by an entry in the journal.
    pub fn is_found_on(&self, today: NaiveDate) -> bool {
        self.last_day.is_none_or(|last| today <= last)
    }
}

/// Names a document. Ids ascend in the order in which things were written down.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
pub struct Key {
    /// The thing's id.
    pub id: Uuid,
    /// What it is.
    pub kind: SearchKind,
}

/// A region, as far as the search needs it.
#[derive(Clone, Debug, PartialEq)]
pub struct RegionFacts {
    /// Its name.
    pub name: String,
    /// What kind of region it is.
    pub level: Level,
    /// What it lies in, itself first.
    pub with_ancestors: Vec<RegionId>,
    /// Its centre: degrees east and north.
    pub centre: Option<(f64, f64)>,
}

id! {
    /// Names a saved search.
    SavedSearchId
}

/// A search that somebody saved, to be told when something new fits.
#[derive(Clone, Debug, Queryable, Selectable, Identifiable, Insertable)]
// written in full, so that the statement stays prepared
#[diesel(table_name = saved_searches, treat_none_as_default_value = false)]
pub struct SavedSearch {
    /// Its id.
    pub id: SavedSearchId,
    /// Whose.
    pub account_id: AccountId,
    /// What its owner calls it.
    pub name: String,
    /// What is searched for.
    pub criteria: Json<Criteria>,
    /// Up to where it was held against what became public: the transaction.
    pub txid: i64,
    /// And the entry of the journal.
    pub seq: i64,
    /// When its owner was last told something about any saved search.
    pub told_at: Option<Instant>,
    /// Counts its changes.
    pub version: i32,
    /// When it was saved.
    pub created_at: Instant,
}
