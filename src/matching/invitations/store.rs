//! The SQL of invitations, and what it says of whom one may ask.

use std::collections::{HashMap, HashSet};

use chrono::{Days, NaiveTime, TimeZone, Utc};
use diesel::prelude::*;
use uuid::Uuid;

use super::model::{
    Block, BlockId, Dismissal, Invitation, InvitationId, InvitationStatus, Recruitment,
    RecruitmentId, RecruitmentStatus,
};
use super::rules::InvitationRules;
use crate::each;
use crate::error::{Code, Result};
use crate::identity::{AccountId, Caller, Role};
use crate::matching::NeedId;
use crate::matching::store::{Bar, Batch};
use crate::organizations::OrganizationId;
use crate::platform::clock::Instant;
use crate::platform::columns::Uid;
use crate::platform::db::{Conn, Tx};
use crate::projects::claims::{ClaimId, ProjectClaim};
use crate::schema::{dismissed_needs, invitation_blocks, invitations, recruitments};

/// Who would ask: accounts, and the organisations that they speak for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asker {
    /// The accounts; none where only an organisation is known.
    pub accounts: Vec<AccountId>,
    /// The organisations.
    pub organizations: Vec<OrganizationId>,
}

impl From<&Caller> for Asker {
    fn from(caller: &Caller) -> Self {
        let runs = caller.organizations(Role::OrganizationManager);
        Self {
            accounts: vec![caller.account],
            organizations: runs.into_iter().map(OrganizationId).collect(),
        }
    }
}

/// Who leads the crew of a claim.
impl From<&ProjectClaim> for Asker {
    fn from(claim: &ProjectClaim) -> Self {
        Self {
            accounts: claim.person_id.into_iter().collect(),
            organizations: claim.organization_id.into_iter().collect(),
        }
    }
}

impl Asker {
    /// The same and another one, who asks beside it.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.accounts.extend(other.accounts);
        self.organizations.extend(other.organizations);
        self
    }

    /// Whether a block keeps them from asking. One of an organisation counts for whoever speaks for
    /// it and for nobody else.
    fn is_kept_out(
        &self,
        account: Option<AccountId>,
        organization: Option<OrganizationId>,
    ) -> bool {
        match (account, organization) {
            (None, None) => true,
            (Some(account), _) => self.accounts.contains(&account),
            (None, Some(organization)) => self.organizations.contains(&organization),
        }
    }
}

/// The day on the wall that an instant lies in: from, included, to, not.
pub fn day_of(now: Instant, zone: chrono_tz::Tz) -> (Instant, Instant) {
    let day = now.with_timezone(&zone).date_naive();
    let midnight = |day: chrono::NaiveDate| -> Option<Instant> {
        let begins = zone.from_local_datetime(&day.and_time(NaiveTime::MIN));
        Some(begins.earliest()?.with_timezone(&Utc).into())
    };
    let next = day.checked_add_days(Days::new(1)).and_then(midnight);
    // where the clocks skip midnight, the day is as long as usual
    (
        midnight(day).unwrap_or(now),
        next.unwrap_or(now + chrono::TimeDelta::days(1)),
    )
}

/// From whom some people take no invitations.
pub struct Blocks(HashMap<AccountId, Vec<(Option<AccountId>, Option<OrganizationId>)>>);

impl Blocks {
    /// Whether a person takes none from this asker.
    pub fn hold(&self, person: AccountId, asker: &Asker) -> bool {
        let theirs = self.0.get(&person).into_iter().flatten();
        theirs
            .copied()
            .any(|(account, organization)| asker.is_kept_out(account, organization))
    }
}

/// From whom these people take no invitations.
///
/// # Errors
/// Those of the database.
pub fn blocks_of(conn: &mut Conn, people: &[AccountId]) -> Result<Blocks> {
    type Row = (AccountId, Option<AccountId>, Option<OrganizationId>);
    let rows: Vec<Row> = invitation_blocks::table
        .filter(invitation_blocks::account_id.eq_any(people.to_vec()))
        .select((
            invitation_blocks::account_id,
            invitation_blocks::blocked_id,
            invitation_blocks::organization_id,
        ))
        .load(conn)?;
    let mut of: HashMap<_, Vec<_>> = HashMap::new();
    for (person, account, organization) in rows {
        of.entry(person).or_default().push((account, organization));
    }
    Ok(Blocks(of))
}

/// Who may not be asked for which of these needs whoever asks, since all who lead a crew for it are
/// blocked: one would be asked to join somebody from whom one wants to hear nothing.
///
/// # Errors
/// Those of the database.
pub fn barred_by_crews(
    conn: &mut Conn,
    batch: &Batch,
    leaders: &HashMap<Uuid, Vec<Asker>>,
) -> Result<Vec<Bar>> {
    let blocks = blocks_of(conn, &batch.people)?;
    let mut bars = Vec::new();
    for person in blocks.0.keys() {
        for need in &batch.needs {
            let leaders = leaders.get(need).filter(|leaders| !leaders.is_empty());
            if leaders.is_some_and(|all| all.iter().all(|one| blocks.hold(*person, one))) {
                bars.push(Bar {
                    person: *person,
                    need: Some(*need),
                    code: Code::Blocked,
                });
            }
        }
    }
    Ok(bars)
}

/// Whom one may not ask for needs of one kind, and why: who blocks the asker, is not interested, was
/// asked before, or was asked often enough today; what was over before the person heard of it counts
/// for neither. At most one bar for each person and need; the cap of the day comes last, since it is the
/// one that passes.
///
/// # Errors
/// Those of the database.
pub fn barred(
    conn: &mut Conn,
    (rules, zone): (&InvitationRules, chrono_tz::Tz),
    batch: &Batch,
    asker: &Asker,
) -> Result<Vec<Bar>> {
    let blocks = blocks_of(conn, &batch.people)?;
    let needs: Vec<_> = batch.needs.iter().map(|id| Uid(*id)).collect();
    let (today, _) = day_of(batch.now, zone);
    type Asked = (AccountId, Uid, InvitationStatus, Instant);
    let asked: Vec<Asked> = invitations::table
        .filter(invitations::account_id.eq_any(batch.people.clone()))
        .filter(
            invitations::created_at
                .ge(today)
                .or(invitations::need_id.eq_any(needs.clone())),
        )
        .filter(invitations::is_unheard.eq(false))
        .select((
            invitations::account_id,
            invitations::need_id,
            invitations::status,
            invitations::created_at,
        ))
        .load(conn)?;
    let mut of_today: HashMap<AccountId, i64> = HashMap::new();
    let mut before = HashSet::new();
    for (person, need, status, at) in asked {
        if at >= today {
            *of_today.entry(person).or_default() += 1;
        }
        let is_unanswered = [InvitationStatus::Cancelled, InvitationStatus::Closed];
        if needs.contains(&need) && !is_unanswered.contains(&status) {
            before.insert((person, need.0));
        }
    }
    let dismissed: HashSet<_> = dismissed(conn, batch)?
        .into_iter()
        .filter_map(|bar| Some((bar.person, bar.need?)))
        .collect();
    let mut bars = Vec::new();
    for person in &batch.people {
        for need in &batch.needs {
            let pair = (*person, *need);
            let code = if blocks.hold(*person, asker) {
                Code::Blocked
            } else if dismissed.contains(&pair) {
                Code::NotInterested
            } else if before.contains(&pair) {
                Code::AlreadyInvited
            } else if of_today.get(person).is_some_and(|n| *n >= rules.per_day) {
                Code::DailyCap
            } else {
                continue;
            };
            bars.push(Bar {
                person: *person,
                need: Some(*need),
                code,
            });
        }
    }
    Ok(bars)
}

/// Which of these needs which of these people do not want to hear of.
///
/// # Errors
/// Those of the database.
pub fn dismissed(conn: &mut Conn, batch: &Batch) -> Result<Vec<Bar>> {
    let needs: Vec<_> = batch.needs.iter().map(|id| Uid(*id)).collect();
    let found: Vec<(AccountId, Uid)> = dismissed_needs::table
        .filter(dismissed_needs::account_id.eq_any(batch.people.clone()))
        .filter(dismissed_needs::need_id.eq_any(needs))
        .select((dismissed_needs::account_id, dismissed_needs::need_id))
        .load(conn)?;
    let bar = |(person, need): (AccountId, Uid)| Bar {
        person,
        need: Some(need.0),
        code: Code::NotInterested,
    };
    Ok(found.into_iter().map(bar).collect())
}

/// The needs that a person does not want to hear of.
///
/// # Errors
/// Those of the database.
pub fn dismissed_by(conn: &mut Conn, person: AccountId) -> Result<HashSet<Uuid>> {
    let found: Vec<Uid> = each!(conn, c => dismissed_needs::table
        .filter(dismissed_needs::account_id.eq(person))
        .select(dismissed_needs::need_id)
        .load(c))?;
    Ok(found.into_iter().map(|id| id.0).collect())
}

// ---- invitations

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

// ---- recruitments

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

// ---- what a person does not want

/// Notes that a person does not want to hear of a need; false when it is noted already.
pub fn dismiss(tx: &mut Tx<'_>, who: AccountId, need: NeedId) -> Result<bool> {
    let known = dismissed_needs::table.find((who, Uid(need.id)));
    if known.count().get_result::<i64>(tx.conn)? > 0 {
        return Ok(false);
    }
    let row = Dismissal {
        account_id: who,
        need_kind: need.kind,
        need_id: Uid(need.id),
        created_at: tx.now,
    };
    diesel::insert_into(dismissed_needs::table)
        .values(row)
        .execute(tx.conn)?;
    Ok(true)
}

/// Takes that back; false when there was nothing to take back.
pub fn undismiss(conn: &mut Conn, who: AccountId, need: NeedId) -> Result<bool> {
    let known = dismissed_needs::table.find((who, Uid(need.id)));
    Ok(diesel::delete(known).execute(conn)? > 0)
}

/// What a person does not want to hear of, the newest first; `before` is the last one seen.
pub fn dismissals(
    conn: &mut Conn,
    who: AccountId,
    before: Option<(Instant, Uuid)>,
    limit: i64,
) -> Result<Vec<Dismissal>> {
    let mut rows = dismissed_needs::table
        .filter(dismissed_needs::account_id.eq(who))
        .select(Dismissal::as_select())
        .into_boxed();
    if let Some((at, need)) = before {
        rows = rows.filter(
            dismissed_needs::created_at
                .lt(at)
                .or(dismissed_needs::created_at
                    .eq(at)
                    .and(dismissed_needs::need_id.lt(Uid(need)))),
        );
    }
    Ok(rows
        .order((
            dismissed_needs::created_at.desc(),
            dismissed_needs::need_id.desc(),
        ))
        .limit(limit + 1)
        .load(conn)?)
}

/// A person's blocks, the newest first.
pub fn blocks(
    conn: &mut Conn,
    who: AccountId,
    before: Option<BlockId>,
    limit: i64,
) -> Result<Vec<Block>> {
    let mut rows = invitation_blocks::table
        .filter(invitation_blocks::account_id.eq(who))
        .select(Block::as_select())
        .into_boxed();
    if let Some(before) = before {
        rows = rows.filter(invitation_blocks::id.lt(before));
    }
    Ok(rows
        .order(invitation_blocks::id.desc())
        .limit(limit + 1)
        .load(conn)?)
}

/// The same block, where there is one.
pub fn same_block(conn: &mut Conn, wanted: &Block) -> Result<Option<Block>> {
    let rows = invitation_blocks::table
        .filter(invitation_blocks::account_id.eq(wanted.account_id))
        .select(Block::as_select())
        .into_boxed();
    let rows = match wanted.blocked_id {
        Some(id) => rows.filter(invitation_blocks::blocked_id.eq(id)),
        None => rows.filter(invitation_blocks::blocked_id.is_null()),
    };
    let rows = match wanted.organization_id {
        Some(id) => rows.filter(invitation_blocks::organization_id.eq(id)),
        None => rows.filter(invitation_blocks::organization_id.is_null()),
    };
    Ok(rows.first(conn).optional()?)
}

pub fn insert_block(conn: &mut Conn, block: &Block) -> Result<()> {
    diesel::insert_into(invitation_blocks::table)
        .values(block)
        .execute(conn)?;
    Ok(())
}

/// Lifts a person's block; false when it has none by that name.
pub fn lift(conn: &mut Conn, who: AccountId, id: BlockId) -> Result<bool> {
    let theirs = invitation_blocks::table
        .filter(invitation_blocks::id.eq(id))
        .filter(invitation_blocks::account_id.eq(who));
    Ok(diesel::delete(theirs).execute(conn)? > 0)
}

/// Forgets what a person does not want, and who does not want to hear of it.
pub fn forget(conn: &mut Conn, who: AccountId) -> Result<()> {
    let theirs = dismissed_needs::table.filter(dismissed_needs::account_id.eq(who));
    diesel::delete(theirs).execute(conn)?;
    let blocks = invitation_blocks::table.filter(
        invitation_blocks::account_id
            .eq(who)
            .or(invitation_blocks::blocked_id.eq(who).assume_not_null()),
    );
    diesel::delete(blocks).execute(conn)?;
    // answers stay without what was written in them
    let answered = invitations::table.filter(invitations::account_id.eq(who));
    diesel::update(answered)
        .set(invitations::reason.eq(None::<String>))
        .execute(conn)?;
    Ok(())
}
