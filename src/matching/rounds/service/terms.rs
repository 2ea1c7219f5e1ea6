//! The terms of a round: opening it, changing them.

use serde::Deserialize;
use utoipa::ToSchema;
use validator::Validate;

use super::{change, hold, relation, saved, seen};
use crate::error::{Code, FieldError, Problem, Result};
use crate::identity::{Caller, Role};
use crate::matching::rounds::model::{BatchRound, BatchRoundId, RoundStatus};
use crate::matching::rounds::rules::{self, Relation, RoundRules};
use crate::matching::rounds::store;
use crate::platform::db::Tx;
use crate::platform::http::IfMatch;
use crate::platform::http::valid::given;
use crate::projects::campaigns::{self, BatchId};
use crate::regions::{self, RegionId};

/// A batch round to be opened.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct NewBatchRound {
    /// What it is called.
    #[validate(length(min = 2, max = 80))]
    pub title: String,
    /// Over the open roles of this batch's projects.
    pub batch_id: Option<BatchId>,
    /// Over the open roles in this region. One of the two.
    pub region_id: Option<RegionId>,
    /// The volunteers of this region are considered; those of the round's region when left out.
    pub people_region_id: Option<RegionId>,
    /// Over a region: whether its published wishes are planned, too.
    #[serde(default)]
    pub with_wishes: bool,
    /// Only internal Party activities, which are for verified members alone. Political status decides
    /// on nothing else.
    #[serde(default)]
    pub party_only: bool,
    /// How much one person may take.
    #[serde(default = "one")]
    pub places_per_person: i32,
}

fn one() -> i32 {
    1
}

/// What changes about a batch round; absent keys leave a value alone.
#[derive(Clone, Debug, Default, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct EditBatchRound {
    /// What it is called.
    #[validate(length(min = 2, max = 80))]
    #[serde(default, deserialize_with = "given")]
    #[schema(nullable = false)]
    pub title: Option<String>,
    /// The volunteers of this region are considered.
    #[serde(default, deserialize_with = "given")]
    #[schema(nullable = false)]
    pub people_region_id: Option<RegionId>,
    /// Over a region: whether its published wishes are planned, too.
    #[serde(default, deserialize_with = "given")]
    #[schema(nullable = false)]
    pub with_wishes: Option<bool>,
    /// Only internal Party activities.
    #[serde(default, deserialize_with = "given")]
    #[schema(nullable = false)]
    pub party_only: Option<bool>,
    /// How much one person may take.
    #[serde(default, deserialize_with = "given")]
    #[schema(nullable = false)]
    pub places_per_person: Option<i32>,
}

/// What is wrong with the terms of a round.
fn misses(
    tx: &mut Tx<'_>,
    rules: &RoundRules,
    caller: &Caller,
    round: &BatchRound,
) -> Result<Problem> {
    let mut wrong = Problem::new(Code::Invalid);
    if !(1..=rules.places_per_person).contains(&round.places_per_person) {
        let most = rules.places_per_person;
        let mut field = FieldError::new("/places_per_person", Code::Range);
        field
            .detail
            .zh
            .push_str(&format!("（应在 1 到 {most} 之间）"));
        field
            .detail
            .en
            .push_str(&format!(" It must be between 1 and {most}."));
        wrong.errors.push(field);
    }
    if round.with_wishes && (round.batch_id.is_some() || round.party_only) {
        wrong = wrong.field("/with_wishes", Code::NoWishesHere);
    }
    if round.people_region_id != round.region_id {
        let publishes = round.batch_id.is_some() && caller.is_platform_admin();
        let covers = publishes
            || caller.holds_in_region(tx.conn, &[Role::RegionAdmin], round.people_region_id)?;
        let known = regions::current(tx.conn, round.people_region_id, None, tx.today())?;
        match known {
            Ok(_) if covers => {}
            // a foreign region is as good as none
            Ok(_) => wrong = wrong.field("/people_region_id", Code::UnknownReference),
            Err(code) => wrong = wrong.field("/people_region_id", code),
        }
    }
    Ok(wrong)
}

/// Opens a round.
///
/// # Errors
/// `not_found` for a batch or region that is unknown or foreign; `invalid` with every wrong field.
pub fn create(
    tx: &mut Tx<'_>,
    rules: &RoundRules,
    caller: &Caller,
    new: &NewBatchRound,
) -> Result<BatchRound> {
    let region_id = match (new.batch_id, new.region_id) {
        (Some(batch), None) => {
            campaigns::visible_batch(tx.conn, Some(caller), batch)?;
            campaigns::batch(tx.conn, batch)?.1.region_id
        }
        (None, Some(region)) => region,
        (Some(_), Some(_)) => {
            let both = Problem::new(Code::Invalid).field("/region_id", Code::OneOfBoth);
            return Err(both.into());
        }
        (None, None) => {
            let none = Problem::new(Code::Invalid)
                .field("/batch_id", Code::OneOfBoth)
                .field("/region_id", Code::OneOfBoth);
            return Err(none.into());
        }
    };
    let round = BatchRound {
        id: BatchRoundId::new(),
        title: new.title.clone(),
        batch_id: new.batch_id,
        region_id,
        people_region_id: new.people_region_id.unwrap_or(region_id),
        with_wishes: new.with_wishes,
        party_only: new.party_only,
        places_per_person: new.places_per_person,
        created_by: caller.account,
        status: RoundStatus::Draft,
        status_since: tx.now,
        plan_number: 0,
        is_edited: false,
        failure: None,
        committed_by: None,
        answer_hours: 0,
        is_automatic: false,
        resolves_left: 0,
        goes_on: false,
        note: String::new(),
        version: 1,
        created_at: tx.now,
    };
    if relation(tx.conn, caller, &round)? == Relation::default() {
        return Err(Code::NotFound.into());
    }
    let mut wrong = misses(tx, rules, caller, &round)?;
    if let Err(code) = regions::current(tx.conn, region_id, None, tx.today())? {
        wrong = wrong.field("/region_id", code);
    }
    hold(wrong)?;
    store::insert(tx.conn, &round)?;
    tx.journal(change(&round, caller.actor(), "create"))?;
    Ok(round)
}

/// Changes the terms of a round; what was planned is out of date then.
///
/// # Errors
/// `not_found`, `version_required`, `version_mismatch`, `move_not_allowed` while it is planned and
/// once it is over, `invalid` with every wrong field.
pub fn edit(
    tx: &mut Tx<'_>,
    rules: &RoundRules,
    caller: &Caller,
    id: BatchRoundId,
    read: &IfMatch,
    edit: &EditBatchRound,
) -> Result<BatchRound> {
    let mut round = seen(tx, caller, id)?;
    read.expect(round.version)?;
    rules::may_edit(round.status, relation(tx.conn, caller, &round)?)?;
    round.title = edit.title.clone().unwrap_or(round.title);
    let terms = |round: &BatchRound| {
        (
            round.people_region_id,
            round.with_wishes,
            round.party_only,
            round.places_per_person,
        )
    };
    let before = terms(&round);
    round.people_region_id = edit.people_region_id.unwrap_or(round.people_region_id);
    round.with_wishes = edit.with_wishes.unwrap_or(round.with_wishes);
    round.party_only = edit.party_only.unwrap_or(round.party_only);
    round.places_per_person = edit.places_per_person.unwrap_or(round.places_per_person);
    hold(misses(tx, rules, caller, &round)?)?;
    round.is_edited |= terms(&round) != before;
    saved(tx, &round)?;
    tx.journal(change(&round, caller.actor(), "edit"))?;
    store::round(tx.conn, id)
}
