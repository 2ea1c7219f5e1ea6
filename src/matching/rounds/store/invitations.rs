//! What became of the pairs of a plan.

use diesel::prelude::*;

use crate::error::Result;
use crate::identity::AccountId;
use crate::matching::rounds::model::{
    Assignment, BatchRoundId, RoundInvitation, RoundInvitationStatus, RoundPlanId, RoundStatus,
};
use crate::matching::{NeedId, NeedKind};
use crate::platform::clock::Instant;
use crate::platform::columns::Uid;
use crate::platform::db::Conn;
use crate::projects::claims::ClaimId;
use crate::schema::{round_assignments, round_invitations, round_plans, rounds};

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
    type Row = (AccountId, NeedKind, Uid, RoundInvitationStatus);
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

/// Those that were invited by a round, and what became of it.
///
/// # Errors
/// Those of the database.
pub fn invited(conn: &mut Conn, of: BatchRoundId) -> Result<Vec<RoundInvitation>> {
    Ok(round_invitations::table
        .filter(round_invitations::round_id.eq(of))
        .filter(round_invitations::invitation_id.is_not_null())
        .order((round_invitations::plan_number, round_invitations::number))
        .select(RoundInvitation::as_select())
        .load(conn)?)
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
