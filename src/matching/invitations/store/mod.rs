//! The SQL of invitations; whom one may ask, recruitments, and what people do not want have their own.

mod askers;
mod recruitments;
mod unwanted;

use diesel::prelude::*;

use super::model::{Invitation, InvitationId, InvitationStatus, RecruitmentId};
use crate::error::{Code, Result};
use crate::identity::AccountId;
use crate::matching::NeedId;
use crate::platform::clock::Instant;
use crate::platform::columns::Uid;
use crate::platform::db::{Conn, Tx};
use crate::schema::invitations;

pub use askers::*;
pub use recruitments::*;
pub use unwanted::*;

pub fn invitation(conn: &mut Conn, id: InvitationId) -> Result<Invitation> {
    invitations::table
        .find(id)
        .select(Invitation::as_select())
        .first(conn)
        .optional()?
        .ok_or_else(|| Code::NotFound.into())
}

pub fn insert(conn: &mut Conn, invitation: &Invitation) -> Result<()> {
    diesel::insert_into(invitations::table)
        .values(invitation)
        .execute(conn)?;
    Ok(())
}

/// Moves by compare-and-set; false when somebody else was faster.
pub fn advance(
    tx: &mut Tx<'_>,
    seen: &Invitation,
    to: InvitationStatus,
    reason: Option<&str>,
) -> Result<bool> {
    let same = invitations::table
        .filter(invitations::id.eq(seen.id))
        .filter(invitations::status.eq(seen.status));
    let moved = diesel::update(same)
        .set((
            invitations::status.eq(to),
            invitations::status_since.eq(tx.now),
            invitations::reason.eq(reason.map(str::to_owned)),
        ))
        .execute(tx.conn)?;
    Ok(moved > 0)
}

/// Notes that an invitation was over before its person heard of it.
pub fn note_unheard(conn: &mut Conn, id: InvitationId) -> Result<()> {
    diesel::update(invitations::table.find(id))
        .set(invitations::is_unheard.eq(true))
        .execute(conn)?;
    Ok(())
}

/// The open invitation of a person to a need.
pub fn open_one(conn: &mut Conn, need: NeedId, who: AccountId) -> Result<Option<Invitation>> {
    Ok(invitations::table
        .filter(invitations::need_id.eq(Uid(need.id)))
        .filter(invitations::account_id.eq(who))
        .filter(invitations::status.eq(InvitationStatus::Open))
        .select(Invitation::as_select())
        .first(conn)
        .optional()?)
}

/// The open invitations to a need.
pub fn open_of_need(conn: &mut Conn, need: NeedId) -> Result<Vec<Invitation>> {
    Ok(invitations::table
        .filter(invitations::need_id.eq(Uid(need.id)))
        .filter(invitations::status.eq(InvitationStatus::Open))
        .order(invitations::id)
        .select(Invitation::as_select())
        .load(conn)?)
}

/// The open invitations of a person.
pub fn open_of_person(conn: &mut Conn, who: AccountId) -> Result<Vec<Invitation>> {
    Ok(invitations::table
        .filter(invitations::account_id.eq(who))
        .filter(invitations::status.eq(InvitationStatus::Open))
        .order(invitations::id)
        .select(Invitation::as_select())
        .load(conn)?)
}

/// How many invitations of a recruitment are open, and when the first of them expires.
pub fn open_of(conn: &mut Conn, id: RecruitmentId) -> Result<(usize, Option<Instant>)> {
    let open: Vec<Instant> = invitations::table
        .filter(invitations::recruitment_id.eq(id))
        .filter(invitations::status.eq(InvitationStatus::Open))
        .select(invitations::expires_at)
        .load(conn)?;
    Ok((open.len(), open.into_iter().min()))
}

/// How many invitations of each of these recruitments stand where.
pub fn counts(
    conn: &mut Conn,
    of: &[RecruitmentId],
) -> Result<Vec<(RecruitmentId, InvitationStatus, i64)>> {
    let rows: Vec<(Option<RecruitmentId>, InvitationStatus, i64)> = invitations::table
        .filter(
            invitations::recruitment_id
                .eq_any(of.to_vec())
                .assume_not_null(),
        )
        .group_by((invitations::recruitment_id, invitations::status))
        .select((
            invitations::recruitment_id,
            invitations::status,
            diesel::dsl::count_star(),
        ))
        .load(conn)?;
    let rows = rows.into_iter();
    Ok(rows
        .filter_map(|(id, status, n)| Some((id?, status, n)))
        .collect())
}

/// The open invitations whose time is over.
pub fn overdue(conn: &mut Conn, now: Instant, limit: i64) -> Result<Vec<Invitation>> {
    Ok(invitations::table
        .filter(invitations::status.eq(InvitationStatus::Open))
        .filter(invitations::expires_at.le(now))
        .order((invitations::expires_at, invitations::id))
        .limit(limit)
        .select(Invitation::as_select())
        .load(conn)?)
}

/// Whether somebody has invited a person.
pub fn was_invited_by(conn: &mut Conn, who: AccountId, by: AccountId) -> Result<bool> {
    Ok(diesel::select(diesel::dsl::exists(
        invitations::table
            .filter(invitations::account_id.eq(who))
            .filter(invitations::invited_by.eq(by)),
    ))
    .get_result(conn)?)
}

/// What a list of invitations asks for.
#[derive(Clone, Debug, Default)]
pub struct Query {
    pub need: Option<NeedId>,
    pub person: Option<AccountId>,
    pub recruitment: Option<RecruitmentId>,
    pub status: Option<InvitationStatus>,
    pub before: Option<InvitationId>,
    pub limit: i64,
}

/// The newest first.
pub fn list(conn: &mut Conn, query: &Query) -> Result<Vec<Invitation>> {
    let mut rows = invitations::table
        .select(Invitation::as_select())
        .into_boxed();
    if let Some(need) = query.need {
        rows = rows.filter(invitations::need_id.eq(Uid(need.id)));
    }
    if let Some(person) = query.person {
        rows = rows.filter(invitations::account_id.eq(person));
    }
    if let Some(recruitment) = query.recruitment {
        rows = rows.filter(invitations::recruitment_id.eq(recruitment));
    }
    if let Some(status) = query.status {
        rows = rows.filter(invitations::status.eq(status));
    }
    if let Some(before) = query.before {
        rows = rows.filter(invitations::id.lt(before));
    }
    Ok(rows
        .order(invitations::id.desc())
        .limit(query.limit + 1)
        .load(conn)?)
}

/// Forgets invitations that ended before `before`; returns how many.
pub fn purge(tx: &mut Tx<'_>, before: Instant) -> Result<usize> {
    let old = invitations::table
        .filter(invitations::status.ne(InvitationStatus::Open))
        .filter(invitations::status_since.lt(before));
    Ok(diesel::delete(old).execute(tx.conn)?)
}
