//! The SQL of batch rounds.

use std::collections::HashMap;

use diesel::prelude::*;
use uuid::Uuid;

use super::model::{
    Assignment, BatchRound, BatchRoundId, ColumnPart, Lock, LockId, LockKind, NeedReason, NeedRow,
    PersonReason, PersonRow, RoundInvitation, RoundInvitationStatus, RoundPlan, RoundPlanId,
    RoundStatus,
};
use crate::each;
use crate::error::{Code, Result};
use crate::identity::AccountId;
use crate::matching::NeedId;
use crate::platform::clock::Instant;
use crate::platform::columns::Uid;
use crate::platform::db::Conn;
use crate::projects::campaigns::BatchId;
use crate::projects::claims::{self, ClaimId, ProjectClaim};
use crate::projects::{ProjectId, RoleId};
use crate::regions::{self, RegionId};
use crate::schema::{
    project_claims, project_roles, projects, round_assignments, round_columns, round_invitations,
    round_locks, round_needs, round_people, round_plans, rounds, volunteers,
};

pub fn insert(conn: &mut Conn, round: &BatchRound) -> Result<()> {
    diesel::insert_into(rounds::table)
        .values(round)
        .execute(conn)?;
    Ok(())
}

pub fn round(conn: &mut Conn, id: BatchRoundId) -> Result<BatchRound> {
    rounds::table
        .find(id)
        .select(BatchRound::as_select())
        .first(conn)
        .optional()?
        .ok_or_else(|| Code::NotFound.into())
}

/// Writes the row and counts its version up, if it is still the version that was read.
pub fn save(conn: &mut Conn, changed: &BatchRound) -> Result<bool> {
    let same = rounds::table
        .filter(rounds::id.eq(changed.id))
        .filter(rounds::version.eq(changed.version));
    let saved = diesel::update(same)
        .set((
            rounds::title.eq(&changed.title),
            rounds::people_region_id.eq(changed.people_region_id),
            rounds::with_wishes.eq(changed.with_wishes),
            rounds::party_only.eq(changed.party_only),
            rounds::places_per_person.eq(changed.places_per_person),
            rounds::status.eq(changed.status),
            rounds::status_since.eq(changed.status_since),
            rounds::plan_number.eq(changed.plan_number),
            rounds::is_edited.eq(changed.is_edited),
            rounds::failure.eq(&changed.failure),
            rounds::committed_by.eq(changed.committed_by),
            rounds::answer_hours.eq(changed.answer_hours),
            rounds::is_automatic.eq(changed.is_automatic),
            rounds::resolves_left.eq(changed.resolves_left),
            rounds::goes_on.eq(changed.goes_on),
            rounds::note.eq(&changed.note),
            rounds::version.eq(changed.version + 1),
        ))
        .execute(conn)?;
    Ok(saved > 0)
}

/// Which rounds are asked for.
pub struct Query {
    /// In one of these regions or below them.
    pub within: Vec<RegionId>,
    /// Also those over any batch.
    pub of_batches: bool,
    pub status: Option<RoundStatus>,
    pub batch: Option<BatchId>,
    pub region: Option<RegionId>,
    pub before: Option<BatchRoundId>,
    pub limit: i64,
}

/// The newest first.
pub fn list(conn: &mut Conn, query: &Query) -> Result<Vec<BatchRound>> {
    let within = rounds::region_id.eq_any(regions::within_any(query.within.clone()));
    let mut rows = rounds::table.select(BatchRound::as_select()).into_boxed();
    rows = match query.of_batches {
        true => rows.filter(within.or(rounds::batch_id.is_not_null())),
        false => rows.filter(within),
    };
    if let Some(status) = query.status {
        rows = rows.filter(rounds::status.eq(status));
    }
    if let Some(batch) = query.batch {
        rows = rows.filter(rounds::batch_id.eq(batch));
    }
    if let Some(region) = query.region {
        rows = rows.filter(rounds::region_id.eq_any(regions::within(region)));
    }
    if let Some(before) = query.before {
        rows = rows.filter(rounds::id.lt(before));
    }
    Ok(rows
        .order(rounds::id.desc())
        .limit(query.limit + 1)
        .load(conn)?)
}

// ---- what a round is over

/// The ids of the roles of a batch's projects.
pub fn roles_of(conn: &mut Conn, batch: BatchId) -> Result<Vec<Uuid>> {
    let of: Vec<ProjectId> = projects::table
        .filter(projects::batch_id.eq(batch))
        .select(projects::id)
        .load(conn)?;
    let ids: Vec<RoleId> = project_roles::table
        .filter(project_roles::project_id.eq_any(of))
        .select(project_roles::id)
        .load(conn)?;
    Ok(ids.into_iter().map(|id| id.0).collect())
}

/// The volunteers of a region.
pub fn volunteers_of(conn: &mut Conn, region: RegionId) -> Result<Vec<AccountId>> {
    Ok(volunteers::table
        .filter(volunteers::region_id.eq_any(regions::within(region)))
        .order(volunteers::account_id)
        .select(volunteers::account_id)
        .load(conn)?)
}

/// How many there are.
pub fn count_volunteers(conn: &mut Conn, region: RegionId) -> Result<i64> {
    Ok(volunteers::table
        .filter(volunteers::region_id.eq_any(regions::within(region)))
        .count()
        .get_result(conn)?)
}

// ---- plans

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

// ---- locks

pub fn insert_lock(conn: &mut Conn, lock: &Lock) -> Result<()> {
    diesel::insert_into(round_locks::table)
        .values(lock)
        .execute(conn)?;
    Ok(())
}

/// A lock of a round.
pub fn lock(conn: &mut Conn, of: BatchRoundId, id: LockId) -> Result<Lock> {
    round_locks::table
        .filter(round_locks::round_id.eq(of))
        .filter(round_locks::id.eq(id))
        .select(Lock::as_select())
        .first(conn)
        .optional()?
        .ok_or_else(|| Code::NotFound.into())
}

/// All locks of a round, the oldest first.
pub fn locks(conn: &mut Conn, of: BatchRoundId) -> Result<Vec<Lock>> {
    Ok(round_locks::table
        .filter(round_locks::round_id.eq(of))
        .order(round_locks::id)
        .select(Lock::as_select())
        .load(conn)?)
}

/// A page of them.
pub fn page_of_locks(
    conn: &mut Conn,
    of: BatchRoundId,
    kind: Option<LockKind>,
    after: Option<LockId>,
    limit: i64,
) -> Result<Vec<Lock>> {
    let mut rows = round_locks::table
        .filter(round_locks::round_id.eq(of))
        .order(round_locks::id)
        .limit(limit + 1)
        .select(Lock::as_select())
        .into_boxed();
    if let Some(kind) = kind {
        rows = rows.filter(round_locks::kind.eq(kind));
    }
    if let Some(after) = after {
        rows = rows.filter(round_locks::id.gt(after));
    }
    Ok(rows.load(conn)?)
}

pub fn remove_lock(conn: &mut Conn, id: LockId) -> Result<bool> {
    Ok(diesel::delete(round_locks::table.find(id)).execute(conn)? > 0)
}

/// Notes which locks the plan could not keep, and forgets what was noted before.
pub fn note_refusals(
    conn: &mut Conn,
    of: BatchRoundId,
    refusals: &[(LockId, &'static str)],
) -> Result<()> {
    diesel::update(round_locks::table.filter(round_locks::round_id.eq(of)))
        .set(round_locks::refusal.eq(None::<String>))
        .execute(conn)?;
    for (id, code) in refusals {
        diesel::update(round_locks::table.find(*id))
            .set(round_locks::refusal.eq(Some(*code)))
            .execute(conn)?;
    }
    Ok(())
}

/// Forgets the locks that name people of rounds that were over before an instant; returns how many.
pub fn forget_locks(conn: &mut Conn, over: Instant) -> Result<usize> {
    let ended = rounds::table
        .filter(rounds::status.eq_any([RoundStatus::Closed, RoundStatus::Cancelled]))
        .filter(rounds::status_since.lt(over))
        .select(rounds::id);
    let named = round_locks::table
        .filter(round_locks::round_id.eq_any(ended))
        .filter(round_locks::account_id.is_not_null());
    Ok(diesel::delete(named).execute(conn)?)
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

// ---- invitations

pub fn insert_invitation(conn: &mut Conn, row: &RoundInvitation) -> Result<()> {
    diesel::insert_into(round_invitations::table)
        .values(row)
        .execute(conn)?;
    Ok(())
}

/// The pairs of a plan of which nothing became yet, after one of them.
pub fn unsent(
    conn: &mut Conn,
    of: BatchRoundId,
    plan: RoundPlanId,
    after: i32,
    limit: i64,
) -> Result<Vec<Assignment>> {
    let sent = round_invitations::table
        .inner_join(
            round_plans::table.on(round_plans::round_id
                .eq(round_invitations::round_id)
                .and(round_plans::number.eq(round_invitations::plan_number.nullable()))),
        )
        .filter(round_invitations::round_id.eq(of))
        .filter(round_plans::id.eq(plan))
        .select(round_invitations::number);
    Ok(round_assignments::table
        .filter(round_assignments::plan_id.eq(plan))
        .filter(round_assignments::in_plan.eq(true))
        .filter(round_assignments::number.gt(after))
        .filter(round_assignments::number.ne_all(sent))
        .order(round_assignments::number)
        .limit(limit)
        .select(Assignment::as_select())
        .load(conn)?)
}

/// The live claims of a role's project, each of which has a crew.
pub fn crews_of(conn: &mut Conn, role: RoleId) -> Result<Vec<ProjectClaim>> {
    let project = project_roles::table
        .filter(project_roles::id.eq(role))
        .select(project_roles::project_id);
    Ok(project_claims::table
        .filter(project_claims::project_id.eq_any(project))
        .filter(project_claims::status.eq_any(claims::rules::LIVE.to_vec()))
        .order(project_claims::id)
        .select(ProjectClaim::as_select())
        .load(conn)?)
}

/// The crew of each open invitation of a round to a need.
pub fn waiting_by_crew(
    conn: &mut Conn,
    of: BatchRoundId,
    need: NeedId,
) -> Result<Vec<Option<ClaimId>>> {
    Ok(round_invitations::table
        .filter(round_invitations::round_id.eq(of))
        .filter(round_invitations::need_id.eq(Uid(need.id)))
        .filter(round_invitations::status.eq(RoundInvitationStatus::Open))
        .select(round_invitations::claim_id)
        .load(conn)?)
}

/// What became of the pairs of a round, counted.
pub fn counts(conn: &mut Conn, of: BatchRoundId) -> Result<Vec<(RoundInvitationStatus, i64)>> {
    Ok(round_invitations::table
        .filter(round_invitations::round_id.eq(of))
        .group_by(round_invitations::status)
        .select((round_invitations::status, diesel::dsl::count_star()))
        .load(conn)?)
}

/// The round that an invitation was sent by.
pub fn round_of_invitation(conn: &mut Conn, id: Uid) -> Result<Option<BatchRoundId>> {
    Ok(round_invitations::table
        .filter(round_invitations::invitation_id.eq(id))
        .select(round_invitations::round_id)
        .first(conn)
        .optional()?)
}

/// Notes what became of an open invitation; false when that is known.
pub fn answer(
    conn: &mut Conn,
    id: Uid,
    status: RoundInvitationStatus,
    now: Instant,
) -> Result<bool> {
    let open = round_invitations::table
        .filter(round_invitations::invitation_id.eq(id))
        .filter(round_invitations::status.eq(RoundInvitationStatus::Open));
    let noted = diesel::update(open)
        .set((
            round_invitations::status.eq(status),
            round_invitations::status_since.eq(now),
        ))
        .execute(conn)?;
    Ok(noted > 0)
}

/// A pair of person and need, and what became of it.
pub type Sent = (AccountId, NeedId, RoundInvitationStatus);

/// What became of the pairs of a round.
pub fn sent(conn: &mut Conn, of: BatchRoundId) -> Result<Vec<Sent>> {
    type Row = (
        AccountId,
        crate::matching::NeedKind,
        Uid,
        RoundInvitationStatus,
    );
    let rows: Vec<Row> = round_invitations::table
        .filter(round_invitations::round_id.eq(of))
        .select((
            round_invitations::account_id,
            round_invitations::need_kind,
            round_invitations::need_id,
            round_invitations::status,
        ))
        .load(conn)?;
    Ok(rows
        .into_iter()
        .map(|(person, kind, id, status)| (person, NeedId { id: id.0, kind }, status))
        .collect())
}

/// A page of them, in the order in which they were sent.
pub fn page_of_invitations(
    conn: &mut Conn,
    of: BatchRoundId,
    status: Option<RoundInvitationStatus>,
    after: Option<(i32, i32)>,
    limit: i64,
) -> Result<Vec<RoundInvitation>> {
    let (plan, number) = (round_invitations::plan_number, round_invitations::number);
    let mut rows = round_invitations::table
        .filter(round_invitations::round_id.eq(of))
        .order((plan, number))
        .limit(limit + 1)
        .select(RoundInvitation::as_select())
        .into_boxed();
    if let Some(status) = status {
        rows = rows.filter(round_invitations::status.eq(status));
    }
    if let Some((of_plan, at)) = after {
        rows = rows.filter(plan.gt(of_plan).or(plan.eq(of_plan).and(number.gt(at))));
    }
    Ok(rows.load(conn)?)
}

/// Forgets what became of the people of rounds that were over before an instant.
pub fn forget_invitations(conn: &mut Conn, over: Instant) -> Result<usize> {
    let ended = rounds::table
        .filter(rounds::status.eq_any([RoundStatus::Closed, RoundStatus::Cancelled]))
        .filter(rounds::status_since.lt(over))
        .select(rounds::id);
    let of = round_invitations::table.filter(round_invitations::round_id.eq_any(ended));
    Ok(diesel::delete(of).execute(conn)?)
}
