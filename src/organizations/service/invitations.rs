//! Invitations to belong to an organisation, and their answers.

use chrono::TimeDelta;
use serde::Deserialize;
use utoipa::ToSchema;
use validator::Validate;

use super::super::model::{
    Member, MemberId, MemberRole, MemberStatus, Organization, OrganizationId, OrganizationStatus,
};
use super::super::rules::MEMBERSHIP;
use super::super::store;
use super::filing::follow_filing;
use super::members::{advance, granted, managed, may_move, membership_relation, step};
use super::{Desk, has_ended, notice, of_manager, serialize, tell_each, tell_managers};
use crate::error::{Code, Problem, Result};
use crate::identity::{self, AccountId, Caller};
use crate::notifications::{Kind, Notice, notify};
use crate::platform::clock::Instant;
use crate::platform::db::{Conn, Tx};
use crate::platform::journal::Actor;
use crate::platform::lifecycle;
use crate::platform::sms::Sms;

/// What an organisation is called in invitations before its review.
const UNREVIEWED: &str = "（尚未审核的组织）";

/// The SMS to somebody invited who has no account.
pub const INVITATION_SMS: &str = "organization_invitation";

/// Somebody to be invited: by phone or by e-mail.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct Invitation {
    /// The person's phone.
    #[validate(custom(function = "identity::valid_phone"))]
    pub phone: Option<String>,
    /// The person's e-mail address.
    #[validate(custom(function = "identity::valid_email"))]
    pub email: Option<String>,
    /// What the organisation calls the person.
    #[validate(length(min = 1, max = 50))]
    pub name: String,
    /// What the person may do.
    pub role: MemberRole,
}

/// Invites somebody. Whoever has no account yet gets one for the phone or address, so the answer
/// does not tell who has one. Inviting the same person to the same role again, while it has not
/// answered, is answered as the first time.
///
/// # Errors
/// `invalid` with every wrong field, `already_member`.
pub fn invite(
    tx: &mut Tx<'_>,
    desk: &Desk,
    caller: &Caller,
    id: OrganizationId,
    new: &Invitation,
) -> Result<Member> {
    tx.serialize_on(&format!("invitations:{}", caller.account))?;
    serialize(tx, id)?;
    let organization = of_manager(tx.conn, caller, id)?;
    let mut wrong = Problem::new(Code::Invalid);
    let phone = new.phone.as_deref().map(identity::normal_phone).transpose();
    let email = new.email.as_deref().map(identity::normal_email).transpose();
    if new.phone.is_some() == new.email.is_some() {
        wrong = wrong.field("/phone", Code::OneOfTwo);
    }
    if let Err(code) = phone {
        wrong = wrong.field("/phone", code);
    }
    if let Err(code) = email {
        wrong = wrong.field("/email", code);
    }
    let (Ok(phone), Ok(email), true) = (phone, email, wrong.errors.is_empty()) else {
        return Err(wrong.into());
    };
    if has_ended(&organization) {
        return Err(Code::OrganizationNotActive.into());
    }
    let account = identity::invite_account(tx, phone.as_deref(), email.as_deref(), None)?;
    if let Some(known) = store::membership(tx.conn, id, account.id)? {
        let is_same = known.status == MemberStatus::Invited
            && known.invited_by == caller.account
            && known.role == new.role;
        return match is_same {
            true => Ok(known),
            false => Err(Code::AlreadyMember.into()),
        };
    }
    let day_ago = tx.now - TimeDelta::days(1);
    let sent = store::invited_by(tx.conn, caller.account, day_ago)?;
    within(&sent, desk.rules.invitations_per_day, tx.now)?;
    let received = store::invitations_to(tx.conn, account.id, day_ago)?;
    within(&received, desk.rules.invitations_received_per_day, tx.now)?;
    let to = Invitee {
        account: account.id,
        phone,
        name: new.name.clone(),
        role: new.role,
    };
    offer(
        tx,
        desk,
        &organization,
        (caller.actor(), caller.account),
        to,
    )
}

/// Whom an invitation goes to.
pub(super) struct Invitee {
    pub account: AccountId,
    /// The number it is sent to, where the person was named by one.
    pub phone: Option<String>,
    /// What the inviter calls the person.
    pub name: String,
    pub role: MemberRole,
}

/// Sends an invitation: into the inbox, and to the phone of somebody named by one.
pub(super) fn offer(
    tx: &mut Tx<'_>,
    desk: &Desk,
    organization: &Organization,
    (actor, inviter): (Actor, AccountId),
    to: Invitee,
) -> Result<Member> {
    let member = Member {
        id: MemberId::new(),
        organization_id: organization.id,
        account_id: to.account,
        name: to.name,
        role: to.role,
        status: MemberStatus::Invited,
        invited_by: inviter,
        invited_at: tx.now,
        expires_at: tx.now + TimeDelta::days(desk.rules.invitation_days),
        joined_at: None,
        ended_at: None,
    };
    store::insert_member(tx.conn, &member)?;
    tx.journal(step(organization, &member, actor, "invite"))?;
    let due = member.expires_at.on_the_wall(tx.zone);
    let name = name_for_strangers(organization);
    let told = to_invitee(organization, to.account, Kind::OrganizationInvitation);
    notify(tx, &told.with("due", due.as_str()))?;
    if let Some(phone) = to.phone {
        // somebody without an account reads no inbox
        let text = format!("组织“{name}”邀请您加入益起来，请在 {due} 前用本手机号登录后答复。");
        let params = [
            ("title".to_owned(), name.to_owned()),
            ("due".to_owned(), due),
        ]
        .into();
        let sms = Sms {
            to: phone,
            template: INVITATION_SMS.to_owned(),
            params,
            text,
        };
        tx.enqueue("sms", &sms, tx.now)?;
    }
    Ok(member)
}

/// What an organisation is called before those who do not belong to it: what nobody has reviewed is
/// not carried to strangers.
fn name_for_strangers(organization: &Organization) -> &str {
    match organization.status {
        OrganizationStatus::Active | OrganizationStatus::Suspended => &organization.name,
        _ => UNREVIEWED,
    }
}

fn to_invitee(organization: &Organization, who: AccountId, kind: Kind) -> Notice {
    let about = ("organization", organization.id.0);
    Notice::titled(who, kind, about, name_for_strangers(organization))
}

/// Takes back every open invitation of an organisation that ends, and tells those invited.
pub(super) fn cancel_all(tx: &mut Tx<'_>, ending: &Organization, by: Actor) -> Result<()> {
    for seen in store::unanswered_of(tx.conn, ending.id)? {
        if advance(tx, ending, &seen, "cancel", by, None)?.is_some() {
            let told = to_invitee(ending, seen.account_id, Kind::OrganizationInvitationOver);
            notify(tx, &told)?;
        }
    }
    Ok(())
}

/// Refuses one more where so many within a day are enough.
fn within(newest_first: &[Instant], most: usize, now: Instant) -> Result<()> {
    let Some(oldest) = most.checked_sub(1).and_then(|last| newest_first.get(last)) else {
        return Ok(());
    };
    let wait = (*oldest + TimeDelta::days(1) - now).num_seconds().max(1);
    let wait = u64::try_from(wait).unwrap_or(1);
    Err(Problem::new(Code::TooManyRequests).retry_after(wait).into())
}

/// One's own membership or invitation.
fn own(conn: &mut Conn, caller: &Caller, id: MemberId) -> Result<Member> {
    let member = store::member(conn, id)?;
    if member.account_id == caller.account {
        Ok(member)
    } else {
        Err(Code::NotFound.into())
    }
}

/// Accepts an invitation: the person belongs to the organisation from now on.
///
/// # Errors
/// `not_found`; `move_not_allowed`, also once it is over; `organization_not_active` once the
/// organisation ended.
pub fn accept(tx: &mut Tx<'_>, desk: &Desk, caller: &Caller, id: MemberId) -> Result<Member> {
    let of = own(tx.conn, caller, id)?.organization_id;
    serialize(tx, of)?;
    let seen = own(tx.conn, caller, id)?;
    may_move(caller, &seen, "accept")?;
    if seen.status == MemberStatus::Invited && seen.expires_at <= tx.now {
        let stands = membership_relation(caller, &seen);
        return Err(lifecycle::refusal(
            MEMBERSHIP,
            stands,
            MemberStatus::Expired,
        ));
    }
    let organization = store::organization(tx.conn, of)?;
    if seen.status == MemberStatus::Invited && has_ended(&organization) {
        return Err(Code::OrganizationNotActive.into());
    }
    let Some(member) = advance(tx, &organization, &seen, "accept", caller.actor(), None)? else {
        return Ok(seen);
    };
    let scope = Some(organization.id.0);
    identity::grant(
        tx,
        caller.actor(),
        caller.account,
        granted(member.role),
        scope,
    )?;
    let mut managers = store::managers(tx.conn, organization.id)?;
    managers.retain(|manager| *manager != caller.account); // who joined to run it knows
    let params = [("name", member.name.clone())];
    tell_each(
        tx,
        &organization,
        &managers,
        Kind::OrganizationJoined,
        &params,
    )?;
    follow_filing(tx, desk, organization.id)?;
    if member.role == MemberRole::Manager
        && let Some(until) = organization.curing_until
        && store::organization(tx.conn, organization.id)?
            .curing_until
            .is_some()
    {
        let told = notice(&organization, member.account_id, Kind::OrganizationCuring);
        notify(tx, &told.with("due", until.on_the_wall(tx.zone)))?;
    }
    Ok(member)
}

/// Declines an invitation.
///
/// # Errors
/// `not_found`, `move_not_allowed`.
pub fn decline(tx: &mut Tx<'_>, caller: &Caller, id: MemberId) -> Result<Member> {
    let seen = own(tx.conn, caller, id)?;
    may_move(caller, &seen, "decline")?;
    let organization = store::organization(tx.conn, seen.organization_id)?;
    let Some(member) = advance(tx, &organization, &seen, "decline", caller.actor(), None)? else {
        return Ok(seen);
    };
    let params = [("name", member.name.clone())];
    tell_managers(tx, &organization, Kind::OrganizationDeclined, &params)?;
    Ok(member)
}

/// Takes an invitation back.
///
/// # Errors
/// `not_found`, `forbidden`, `move_not_allowed`.
pub fn cancel(
    tx: &mut Tx<'_>,
    caller: &Caller,
    of: OrganizationId,
    id: MemberId,
) -> Result<Member> {
    let (organization, seen) = managed(tx.conn, caller, of, id)?;
    may_move(caller, &seen, "cancel")?;
    let moved = advance(tx, &organization, &seen, "cancel", caller.actor(), None)?;
    Ok(moved.unwrap_or(seen))
}
