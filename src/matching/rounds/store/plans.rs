//! Plans: their figures, people, needs, pairs and columns.

use std::collections::HashMap;

use diesel::prelude::*;
use uuid::Uuid;

use crate::each;
use crate::error::Result;
use crate::identity::AccountId;
use crate::matching::NeedId;
use crate::matching::rounds::model::{
    Assignment, BatchRoundId, ColumnPart, NeedReason, NeedRow, PersonReason, PersonRow, RoundPlan,
    RoundPlanId, RoundStatus,
};
use crate::platform::clock::Instant;
use crate::platform::columns::Uid;
use crate::platform::db::Conn;
use crate::schema::{
    round_assignments, round_columns, round_needs, round_people, round_plans, rounds,
};

pub fn insert_plan(conn: &mut Conn, plan: &RoundPlan) -> Result<()> {
    diesel::insert_into(round_plans::table)
        .values(plan)
        .execute(conn)?;
    Ok(())
}

/// Makes a written plan one of the round's.
pub fn number_plan(conn: &mut Conn, id: RoundPlanId, number: i32) -> Result<()> {
    diesel::update(round_plans::table.find(id))
        .set(round_plans::number.eq(number))
        .execute(conn)?;
    Ok(())
}

/// The plan that holds, and the one of another number.
pub fn plan(conn: &mut Conn, of: BatchRoundId, number: i32) -> Result<Option<RoundPlan>> {
    Ok(round_plans::table
        .filter(round_plans::round_id.eq(of))
        .filter(round_plans::number.eq(number))
        .select(RoundPlan::as_select())
        .first(conn)
        .optional()?)
}

/// The plans of a round, the newest first.
pub fn plans(
    conn: &mut Conn,
    of: BatchRoundId,
    before: Option<i32>,
    limit: i64,
) -> Result<Vec<RoundPlan>> {
    Ok(round_plans::table
        .filter(round_plans::round_id.eq(of))
        .filter(round_plans::number.lt(before.unwrap_or(i32::MAX)))
        .order(round_plans::number.desc())
        .limit(limit + 1)
        .select(RoundPlan::as_select())
        .load(conn)?)
}

pub fn insert_needs(conn: &mut Conn, rows: &[NeedRow]) -> Result<()> {
    each!(conn, c => diesel::insert_into(round_needs::table).values(rows).execute(c))?;
    Ok(())
}

pub fn insert_people(conn: &mut Conn, rows: &[PersonRow]) -> Result<()> {
    each!(conn, c => diesel::insert_into(round_people::table).values(rows).execute(c))?;
    Ok(())
}

pub fn insert_assignments(conn: &mut Conn, rows: &[Assignment]) -> Result<()> {
    each!(conn, c => diesel::insert_into(round_assignments::table).values(rows).execute(c))?;
    Ok(())
}

pub fn insert_column(conn: &mut Conn, part: &ColumnPart) -> Result<()> {
    diesel::insert_into(round_columns::table)
        .values(part)
        .execute(conn)?;
    Ok(())
}

/// Those of a plan's columns, by their names.
pub fn columns(
    conn: &mut Conn,
    of: RoundPlanId,
    names: &[&str],
) -> Result<HashMap<String, Vec<u8>>> {
    let parts: Vec<ColumnPart> = round_columns::table
        .filter(round_columns::plan_id.eq(of))
        .filter(round_columns::name.eq_any(names.to_vec()))
        .order((round_columns::name, round_columns::part))
        .select(ColumnPart::as_select())
        .load(conn)?;
    let mut columns: HashMap<String, Vec<u8>> = HashMap::new();
    for part in parts {
        columns.entry(part.name).or_default().extend(part.data);
    }
    Ok(columns)
}

/// Whom and what the list of assignments shows.
#[derive(Clone, Copy, Debug)]
pub enum Which {
    Plan,
    Greedy,
    Added,
    Removed,
}

/// The assignments of a plan in their order.
pub fn assignments(
    conn: &mut Conn,
    of: RoundPlanId,
    which: Which,
    need: Option<Uuid>,
    after: Option<i32>,
    limit: i64,
) -> Result<Vec<Assignment>> {
    let mut rows = round_assignments::table
        .filter(round_assignments::plan_id.eq(of))
        .filter(round_assignments::number.gt(after.unwrap_or(-1)))
        .order(round_assignments::number)
        .limit(limit.saturating_add(1))
        .select(Assignment::as_select())
        .into_boxed();
    let (in_plan, in_former) = (round_assignments::in_plan, round_assignments::in_former);
    rows = match which {
        Which::Plan => rows.filter(in_plan.eq(true)),
        Which::Greedy => rows.filter(round_assignments::in_greedy.eq(true)),
        Which::Added => rows.filter(in_plan.eq(true)).filter(in_former.eq(false)),
        Which::Removed => rows.filter(in_plan.eq(false)).filter(in_former.eq(true)),
    };
    if let Some(need) = need {
        rows = rows.filter(round_assignments::need_id.eq(Uid(need)));
    }
    Ok(rows.load(conn)?)
}

/// How many pairs a plan has that the one before had not, and the other way round.
pub fn changes(conn: &mut Conn, of: RoundPlanId) -> Result<(i64, i64)> {
    let count = |conn: &mut Conn, in_plan: bool| -> Result<i64> {
        Ok(round_assignments::table
            .filter(round_assignments::plan_id.eq(of))
            .filter(round_assignments::in_plan.eq(in_plan))
            .filter(round_assignments::in_former.eq(!in_plan))
            .count()
            .get_result(conn)?)
    };
    Ok((count(conn, true)?, count(conn, false)?))
}

/// The people of a plan in their order.
pub fn people(
    conn: &mut Conn,
    of: RoundPlanId,
    has_place: Option<bool>,
    reason: Option<PersonReason>,
    after: Option<i32>,
    limit: i64,
) -> Result<Vec<PersonRow>> {
    let mut rows = round_people::table
        .filter(round_people::plan_id.eq(of))
        .filter(round_people::number.gt(after.unwrap_or(-1)))
        .order(round_people::number)
        .limit(limit + 1)
        .select(PersonRow::as_select())
        .into_boxed();
    rows = match has_place {
        Some(true) => rows.filter(round_people::reason.is_null()),
        Some(false) => rows.filter(round_people::reason.is_not_null()),
        None => rows,
    };
    if let Some(reason) = reason {
        rows = rows.filter(round_people::reason.eq(reason));
    }
    Ok(rows.load(conn)?)
}

/// The needs of a plan in their order.
pub fn needs(
    conn: &mut Conn,
    of: RoundPlanId,
    has_free: Option<bool>,
    reason: Option<NeedReason>,
    after: Option<i32>,
    limit: i64,
) -> Result<Vec<NeedRow>> {
    let mut rows = round_needs::table
        .filter(round_needs::plan_id.eq(of))
        .filter(round_needs::number.gt(after.unwrap_or(-1)))
        .order(round_needs::number)
        .limit(limit + 1)
        .select(NeedRow::as_select())
        .into_boxed();
    rows = match has_free {
        Some(true) => rows.filter(round_needs::reason.is_not_null()),
        Some(false) => rows.filter(round_needs::reason.is_null()),
        None => rows,
    };
    if let Some(reason) = reason {
        rows = rows.filter(round_needs::reason.eq(reason));
    }
    Ok(rows.load(conn)?)
}

pub fn person_called(
    conn: &mut Conn,
    of: RoundPlanId,
    pseudonym: &str,
) -> Result<Option<PersonRow>> {
    Ok(round_people::table
        .filter(round_people::plan_id.eq(of))
        .filter(round_people::pseudonym.eq(pseudonym))
        .select(PersonRow::as_select())
        .first(conn)
        .optional()?)
}

pub fn need_of(conn: &mut Conn, of: RoundPlanId, id: Uuid) -> Result<Option<NeedRow>> {
    Ok(round_needs::table
        .filter(round_needs::plan_id.eq(of))
        .filter(round_needs::need_id.eq(Uid(id)))
        .select(NeedRow::as_select())
        .first(conn)
        .optional()?)
}

/// A plan whose people, needs and pairs are of no use any more: written before an instant and never
/// taken over, older than the one that holds, or of a round that was over before another instant.
pub fn outlived(conn: &mut Conn, unused: Instant, over: Instant) -> Result<Option<RoundPlanId>> {
    let never = round_plans::table
        .filter(round_plans::number.is_null())
        .filter(round_plans::created_at.lt(unused))
        .select(round_plans::id)
        .first(conn)
        .optional()?;
    if never.is_some() {
        return Ok(never);
    }
    let is_old = round_plans::number.lt(rounds::plan_number.nullable());
    let ended = [RoundStatus::Closed, RoundStatus::Cancelled];
    let has_people =
        diesel::dsl::exists(round_people::table.filter(round_people::plan_id.eq(round_plans::id)));
    let old = round_plans::table
        .inner_join(rounds::table)
        .filter(is_old)
        .filter(has_people)
        .select(round_plans::id)
        .first(conn)
        .optional()?;
    if old.is_some() {
        return Ok(old);
    }
    Ok(round_plans::table
        .inner_join(rounds::table)
        .filter(rounds::status.eq_any(ended))
        .filter(rounds::status_since.lt(over))
        .filter(has_people)
        .select(round_plans::id)
        .first(conn)
        .optional()?)
}

/// Forgets the people, needs and pairs of a plan, so many rows at once; whether all are gone.
pub fn forget(conn: &mut Conn, of: RoundPlanId, most: i32) -> Result<bool> {
    macro_rules! next {
        ($table:ident) => {{
            let first: Option<i32> = $table::table
                .filter($table::plan_id.eq(of))
                .select(diesel::dsl::min($table::number))
                .first(conn)?;
            let last = first.unwrap_or(0).saturating_add(most);
            let rows = $table::table
                .filter($table::plan_id.eq(of))
                .filter($table::number.lt(last));
            diesel::delete(rows).execute(conn)?
        }};
    }
    let columns = round_columns::table.filter(round_columns::plan_id.eq(of));
    let gone =
        diesel::delete(columns).execute(conn)? + next!(round_assignments) + next!(round_needs);
    // people go last: they tell that something is left
    Ok(gone == 0 && next!(round_people) == 0)
}

/// Forgets a plan that was never taken over, once its rows are gone.
pub fn remove_unused(conn: &mut Conn, id: RoundPlanId) -> Result<()> {
    let unused = round_plans::table
        .filter(round_plans::id.eq(id))
        .filter(round_plans::number.is_null());
    diesel::delete(unused).execute(conn)?;
    Ok(())
}

/// The pairs of a plan, by person and need.
pub fn chosen(conn: &mut Conn, of: RoundPlanId) -> Result<Vec<(AccountId, NeedId, Assignment)>> {
    let rows = assignments(conn, of, Which::Plan, None, None, i64::MAX - 1)?;
    Ok(rows
        .into_iter()
        .map(|row| {
            let need = NeedId {
                id: row.need_id.0,
                kind: row.need_kind,
            };
            (row.account_id, need, row)
        })
        .collect())
}
