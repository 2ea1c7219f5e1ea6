//! Whom one may ask, and who asks.

use std::collections::{HashMap, HashSet};

use chrono::{Days, NaiveTime, TimeZone, Utc};
use diesel::prelude::*;
use uuid::Uuid;

use crate::each;
use crate::error::{Code, Result};
use crate::identity::{AccountId, Caller, Role};
use crate::matching::invitations::model::InvitationStatus;
use crate::matching::invitations::rules::InvitationRules;
use crate::matching::store::{Askers, Bar, Batch};
use crate::organizations::OrganizationId;
use crate::platform::clock::Instant;
use crate::platform::columns::Uid;
use crate::platform::db::Conn;
use crate::projects::claims::ProjectClaim;
use crate::schema::{dismissed_needs, invitation_blocks, invitations};

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

/// Whom a block is against: an account, an organisation, or, without both, everybody.
type Against = (Option<AccountId>, Option<OrganizationId>);

/// From whom some people take no invitations.
pub struct Blocks(HashMap<AccountId, Vec<Against>>);

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
pub fn barred_by_crews(conn: &mut Conn, batch: &Batch, leaders: &Askers) -> Result<Vec<Bar>> {
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
