//! Recruitments.

use std::collections::HashSet;

use diesel::prelude::*;
use uuid::Uuid;

use crate::error::{Code, Result};
use crate::matching::NeedId;
use crate::matching::invitations::model::{
    InvitationStatus, Recruitment, RecruitmentId, RecruitmentStatus,
};
use crate::platform::clock::Instant;
use crate::platform::columns::Uid;
use crate::platform::db::{Conn, Tx};
use crate::projects::claims::ClaimId;
use crate::schema::{invitations, recruitments};

pub fn recruitment(conn: &mut Conn, id: RecruitmentId) -> Result<Recruitment> {
    recruitments::table
        .find(id)
        .select(Recruitment::as_select())
        .first(conn)
        .optional()?
        .ok_or_else(|| Code::NotFound.into())
}

pub fn insert_recruitment(conn: &mut Conn, recruitment: &Recruitment) -> Result<()> {
    diesel::insert_into(recruitments::table)
        .values(recruitment)
        .execute(conn)?;
    Ok(())
}

/// Writes what changes about a recruitment by compare-and-set; false when somebody was faster.
pub fn save(conn: &mut Conn, changed: &Recruitment) -> Result<bool> {
    let same = recruitments::table
        .filter(recruitments::id.eq(changed.id))
        .filter(recruitments::version.eq(changed.version));
    let saved = diesel::update(same)
        .set((
            recruitments::wave.eq(changed.wave),
            recruitments::status.eq(changed.status),
            recruitments::status_since.eq(changed.status_since),
            recruitments::reason.eq(&changed.reason),
            recruitments::due_at.eq(changed.due_at),
            recruitments::version.eq(changed.version + 1),
        ))
        .execute(conn)?;
    Ok(saved > 0)
}

/// The recruitment for a need and crew that runs.
pub fn running(
    conn: &mut Conn,
    need: NeedId,
    claim: Option<ClaimId>,
) -> Result<Option<Recruitment>> {
    let rows = recruitments::table
        .filter(recruitments::need_id.eq(Uid(need.id)))
        .filter(recruitments::status.eq(RecruitmentStatus::Running))
        .select(Recruitment::as_select())
        .into_boxed();
    let rows = match claim {
        Some(claim) => rows.filter(recruitments::claim_id.eq(claim)),
        None => rows.filter(recruitments::claim_id.is_null()),
    };
    Ok(rows.first(conn).optional()?)
}

/// Those that are due, the longest first.
pub fn due(conn: &mut Conn, now: Instant, limit: i64) -> Result<Vec<RecruitmentId>> {
    Ok(recruitments::table
        .filter(recruitments::status.eq(RecruitmentStatus::Running))
        .filter(recruitments::due_at.le(now))
        .order((recruitments::due_at, recruitments::id))
        .limit(limit)
        .select(recruitments::id)
        .load(conn)?)
}

/// Lets a recruitment be looked at now, because something happened to it.
pub fn wake(tx: &mut Tx<'_>, id: RecruitmentId) -> Result<()> {
    let running = recruitments::table
        .filter(recruitments::id.eq(id))
        .filter(recruitments::status.eq(RecruitmentStatus::Running));
    diesel::update(running)
        .set((
            recruitments::due_at.eq(tx.now),
            recruitments::version.eq(recruitments::version + 1),
        ))
        .execute(tx.conn)?;
    Ok(())
}

/// The same for those of a need.
pub fn wake_of_need(tx: &mut Tx<'_>, need: Uuid) -> Result<()> {
    let running = recruitments::table
        .filter(recruitments::need_id.eq(Uid(need)))
        .filter(recruitments::status.eq(RecruitmentStatus::Running));
    diesel::update(running)
        .set((
            recruitments::due_at.eq(tx.now),
            recruitments::version.eq(recruitments::version + 1),
        ))
        .execute(tx.conn)?;
    Ok(())
}

/// Which of these needs somebody is invited to, or sought for.
pub fn concerned(conn: &mut Conn, needs: &[Uuid]) -> Result<HashSet<Uuid>> {
    let needs: Vec<_> = needs.iter().map(|id| Uid(*id)).collect();
    let invited: Vec<Uid> = invitations::table
        .filter(invitations::need_id.eq_any(needs.clone()))
        .filter(invitations::status.eq(InvitationStatus::Open))
        .select(invitations::need_id)
        .distinct()
        .load(conn)?;
    let sought: Vec<Uid> = recruitments::table
        .filter(recruitments::need_id.eq_any(needs))
        .filter(recruitments::status.eq(RecruitmentStatus::Running))
        .select(recruitments::need_id)
        .distinct()
        .load(conn)?;
    Ok(invited.into_iter().chain(sought).map(|id| id.0).collect())
}

/// The recruitments for a need, the newest first.
pub fn of_need(
    conn: &mut Conn,
    need: NeedId,
    status: Option<RecruitmentStatus>,
    before: Option<RecruitmentId>,
    limit: i64,
) -> Result<Vec<Recruitment>> {
    let mut rows = recruitments::table
        .filter(recruitments::need_id.eq(Uid(need.id)))
        .select(Recruitment::as_select())
        .into_boxed();
    if let Some(status) = status {
        rows = rows.filter(recruitments::status.eq(status));
    }
    if let Some(before) = before {
        rows = rows.filter(recruitments::id.lt(before));
    }
    Ok(rows
        .order(recruitments::id.desc())
        .limit(limit + 1)
        .load(conn)?)
}
