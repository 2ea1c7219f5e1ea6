//! Telling people what happened to a wish.

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

use super::{Desk, Mover, contact, is_author};
use crate::error::{Code, Result};
use crate::identity::{self, AccountId, Caller, Role};
use crate::notifications::{self, Kind, Notice, notify};
use crate::organizations::{self, OrganizationKind};
use crate::platform::clock::Instant;
use crate::platform::db::{Conn, Tx};
use crate::platform::sms::Sms;
use crate::regions;
use crate::wishes::model::{Claim, ClaimId, Wish, WishId, WishStatus};
use crate::wishes::rules::WishRules;
use crate::wishes::store;

/// The author; where nobody signs in as that any more, or it lost the role in which it posted for
/// somebody else, others who stand in for the beneficiary instead: the staff of the grid, else service
/// centres, else who administers the region.
fn authors(conn: &mut Conn, wish: &Wish) -> Result<Vec<AccountId>> {
    if identity::can_sign_in(conn, wish.author_id)? {
        let author = Caller::acting(conn, wish.author_id)?;
        if is_author(conn, &author, wish)? {
            return Ok(vec![wish.author_id]);
        }
    }
    let grid_staff = [Role::GridWorker, Role::GridLeader];
    let staff = notifications::nearest(conn, &grid_staff, wish.region_id)?;
    if !staff.is_empty() {
        return Ok(staff);
    }
    let around = regions::ancestors(conn, wish.region_id)?;
    let around: Vec<_> = around.into_iter().map(|region| region.id).collect();
    let centres = organizations::managers_in(conn, OrganizationKind::ServiceCentre, &around)?;
    if !centres.is_empty() {
        return Ok(centres);
    }
    notifications::staff_of(conn, wish.region_id)
}

/// The author and, where it is somebody else, the beneficiary.
pub fn owners(conn: &mut Conn, wish: &Wish) -> Result<Vec<AccountId>> {
    let mut owners = authors(conn, wish)?;
    owners.extend(wish.beneficiary_id.filter(|id| *id != wish.author_id));
    Ok(owners)
}

/// Tells the author, where the beneficiary is not concerned yet or any more.
pub(super) fn tell_authors(
    tx: &mut Tx<'_>,
    wish: &Wish,
    kind: Kind,
    params: &[(&'static str, String)],
) -> Result<()> {
    for to in authors(tx.conn, wish)? {
        tell(tx, wish, to, kind, params)?;
    }
    Ok(())
}

/// Tells the author and, where it is somebody else, the beneficiary.
pub(super) fn tell_owners(
    tx: &mut Tx<'_>,
    wish: &Wish,
    kind: Kind,
    params: &[(&'static str, String)],
) -> Result<()> {
    tell_owners_but(tx, wish, Mover::Clock, kind, params)
}

/// Tells those of them who did not do it themselves.
pub(super) fn tell_owners_but(
    tx: &mut Tx<'_>,
    wish: &Wish,
    by: Mover<'_>,
    kind: Kind,
    params: &[(&'static str, String)],
) -> Result<()> {
    for to in owners(tx.conn, wish)? {
        if by.account() != Some(to) {
            tell(tx, wish, to, kind, params)?;
        }
    }
    Ok(())
}

/// Tells the administrators of the smallest region above the wish that has any.
pub(super) fn tell_staff(
    tx: &mut Tx<'_>,
    wish: &Wish,
    kind: Kind,
    params: &[(&'static str, String)],
) -> Result<()> {
    for to in notifications::staff_of(tx.conn, wish.region_id)? {
        tell(tx, wish, to, kind, params)?;
    }
    Ok(())
}

/// Tells the claimant: the person, or those who run the organisation.
pub(super) fn tell_claimant(
    tx: &mut Tx<'_>,
    wish: &Wish,
    claim: &Claim,
    kind: Kind,
    params: &[(&'static str, String)],
) -> Result<()> {
    for to in claimants(tx.conn, claim)? {
        tell(tx, wish, to, kind, params)?;
    }
    Ok(())
}

/// The person who claims, or those who run the organisation that does.
pub fn claimants(conn: &mut Conn, claim: &Claim) -> Result<Vec<AccountId>> {
    match claim.organization_id {
        Some(organization) => organizations::managers(conn, organization),
        None => Ok(vec![claim.claimant_id]),
    }
}

fn tell(
    tx: &mut Tx<'_>,
    wish: &Wish,
    to: AccountId,
    kind: Kind,
    params: &[(&'static str, String)],
) -> Result<()> {
    let notice = Notice::titled(to, kind, ("wish", wish.id.0), &wish.title);
    notify(tx, &notice.with_all(params))
}

/// What a beneficiary's link is signed for.
pub const LINK: &str = "wish";
/// The SMS with the link of a wish that was published.
pub const PUBLISHED_SMS: &str = "wish_published";
/// The SMS with the link of a wish that was not approved.
pub const REJECTED_SMS: &str = "wish_rejected";
/// The SMS with the link of a wish that was claimed.
pub const CLAIMED_SMS: &str = "wish_claimed";
/// The SMS with the link of a wish that was delivered.
pub const DELIVERED_SMS: &str = "wish_delivered";
/// The SMS with the link of a wish that counts as fulfilled, for nobody has answered.
pub const TIMED_OUT_SMS: &str = "wish_timed_out";
/// The SMS with the link of a wish whose claim has ended, so that others may claim it.
pub const OPEN_AGAIN_SMS: &str = "wish_open_again";
/// The SMS with the link of a wish that nobody has claimed in time.
pub const EXPIRED_SMS: &str = "wish_expired";

/// Days for which a link is signed. Before them it ends with its wish, as [`link_lives`] says.
const SIGNED_DAYS: i64 = 36_500;

/// Whether the link of a wish works: as long as the wish lives, and a while after its end.
///
/// # Errors
/// `link_invalid`.
pub fn link_lives(conn: &mut Conn, rules: &WishRules, id: WishId, now: Instant) -> Result<()> {
    let wish = store::wish(conn, id)?;
    let has_ended = matches!(
        wish.status,
        WishStatus::Closed | WishStatus::Withdrawn | WishStatus::Expired
    );
    if has_ended && wish.status_since + TimeDelta::days(rules.link_days) <= now {
        return Err(Code::LinkInvalid.into());
    }
    Ok(())
}

/// Sends a link to a beneficiary without an account: to follow every step and to confirm.
pub(super) fn send_link(tx: &mut Tx<'_>, desk: &Desk, wish: &Wish, template: &str) -> Result<()> {
    if wish.beneficiary_id.is_some() {
        return Ok(());
    }
    let contact = contact(&desk.vault, wish)?;
    let expires = tx.now + TimeDelta::days(SIGNED_DAYS);
    let token = desk.vault.sign_link(LINK, &wish.id, expires);
    let url = format!("{}/api/v1/wish-links/{token}", desk.public_url);
    let due = wish.due_at.filter(|_| template == TIMED_OUT_SMS);
    let due = due.map(|due| due.on_the_wall(tx.zone));
    let what = match (template, &due) {
        (PUBLISHED_SMS, _) => "已通过审核并发布，查看进度",
        (REJECTED_SMS, _) => "未通过审核，查看原因",
        (CLAIMED_SMS, _) => "已被认领，查看进度",
        (OPEN_AGAIN_SMS, _) => "的认领已结束，心愿重新开放认领，查看进度",
        (EXPIRED_SMS, _) => "到期无人认领，查看详情",
        (TIMED_OUT_SMS, Some(due)) => {
            &format!("未在期限内确认，已视为达成，如有问题请在 {due} 前提出")
        }
        _ => "已送达，请查看并确认",
    };
    let text = format!("您的微心愿“{}”{what}：{url}", wish.title);
    let mut params = BTreeMap::from([
        ("title".to_owned(), wish.title.clone()),
        ("url".to_owned(), url),
    ]);
    params.extend(due.map(|due| ("due".to_owned(), due)));
    let sms = Sms {
        to: contact.phone,
        template: template.to_owned(),
        params,
        text,
    };
    tx.enqueue("sms", &sms, tx.now).map(|_| ())
}

/// A claimant to be reminded, and of which lease.
#[derive(Serialize, Deserialize)]
pub(super) struct Reminder {
    pub wish: WishId,
    pub claim: ClaimId,
    pub lease_until: Instant,
}

pub(super) fn remind_later(tx: &mut Tx<'_>, desk: &Desk, claim: &Claim) -> Result<()> {
    let reminder = Reminder {
        wish: claim.wish_id,
        claim: claim.id,
        lease_until: claim.lease_until,
    };
    let at = claim.lease_until - TimeDelta::hours(desk.rules.reminder_hours);
    tx.enqueue("wish.remind", &reminder, at).map(|_| ())
}
