//! Asking people by hand.

use chrono::TimeDelta;

use super::{Asking, Desk, Origin, about, advance, notice, relation, send, unsend};
use crate::error::{Code, Problem, Result};
use crate::identity::{self, AccountId, Caller};
use crate::matching::invitations::model::{Invitation, InvitationId};
use crate::matching::invitations::rules::{INVITATION, InvitationRules, Relation, Room, chosen};
use crate::matching::invitations::store;
use crate::matching::model::Viewer;
use crate::matching::service::{self, check_may_ask};
use crate::matching::store::source;
use crate::matching::{NeedId, NeedKind};
use crate::notifications::{Kind, notify};
use crate::organizations::OrganizationId;
use crate::platform::db::Tx;
use crate::platform::lifecycle;
use crate::projects::claims::ClaimId;
use crate::projects::{RoleId, crews};

/// Refuses whoever may not invite people to a need, and everybody while it takes nobody; returns for
/// which organisation it is done.
///
/// # Errors
/// `not_found`, `forbidden`, `capacity_full`, `need_closed`, what closes a crew, and `invalid` where the
/// claim is missing or does not belong there.
pub fn check_may_invite(
    tx: &mut Tx<'_>,
    caller: &Caller,
    need: NeedId,
    claim: Option<ClaimId>,
) -> Result<Option<OrganizationId>> {
    check_may_ask(tx.conn, caller, need)?;
    let today = tx.today();
    let wrong = |code| Problem::new(Code::Invalid).field("/claim_id", code);
    match (need.kind, claim) {
        (NeedKind::Wish, Some(_)) => return Err(wrong(Code::UnknownReference).into()),
        (NeedKind::ProjectRole, None) => return Err(wrong(Code::Required).into()),
        (NeedKind::ProjectRole, Some(claim)) => {
            let claim = crews::check_may_invite(tx, caller, claim, RoleId(need.id))?;
            let room = (source(need.kind)?.room)(tx.conn, need.id, Some(claim.id), today)?;
            match room {
                Room::Paused => return Err(Code::ProjectSuspended.into()),
                room => refuse(room)?,
            }
            return Ok(claim.organization_id);
        }
        (NeedKind::Wish, None) => {}
    }
    let room = (source(need.kind)?.room)(tx.conn, need.id, None, today)?;
    refuse(room)?;
    Ok(None)
}

fn refuse(room: Room) -> Result<()> {
    match room.refusal() {
        Some(code) => Err(code.into()),
        None => Ok(()),
    }
}

/// Invites one person by hand. Nothing is asked about the person that the asker is not to know.
///
/// # Errors
/// Those of [`check_may_invite`]; `in_crew_already`, `already_invited`, and `not_available` for what
/// only the person is to know. Who has an open invitation of the same asker is not asked again: it is
/// returned.
pub fn invite(
    tx: &mut Tx<'_>,
    desk: &Desk,
    caller: &Caller,
    need: NeedId,
    who: AccountId,
    new: &NewInvitation<'_>,
) -> Result<Invitation> {
    let organization = check_may_invite(tx, caller, need, new.claim)?;
    if identity::account(tx.conn, who).is_err() {
        let unknown = Problem::new(Code::Invalid).field("/account_id", Code::UnknownReference);
        return Err(unknown.into());
    }
    if let Some(open) = store::open_one(tx.conn, need, who)?
        && open.claim_id == new.claim
        && open.recruitment_id.is_none()
    {
        return Ok(open);
    }
    if service::is_in_already(tx.conn, &desk.matching, who, need, tx.now)? {
        return Err(Code::InCrewAlready.into());
    }
    let rules = &desk.matching.setting().matching.invitations;
    let hours = within(rules, "/hours", new.hours)?;
    let asking = Asking {
        need,
        claim: new.claim,
        origin: Origin::ByHand,
        by: caller.account,
        organization,
        note: new.note.to_owned(),
        expires_at: tx.now + TimeDelta::hours(hours.into()),
    };
    let sent = send(tx, desk, &asking, &[(who, new.score)])?;
    match sent.into_iter().next() {
        Some((_, Ok(id))) => store::invitation(tx.conn, id),
        Some((_, Err(code))) => Err(Viewer::Other.reads(code).into()),
        None => Err(Code::NotFound.into()),
    }
}

/// An invitation that is sent by hand.
#[derive(Clone, Copy)]
pub struct NewInvitation<'a> {
    /// Into which crew, for a role.
    pub claim: Option<ClaimId>,
    /// What there is to say.
    pub note: &'a str,
    /// Hours in which it may be answered; as configured when left out.
    pub hours: Option<i32>,
    /// The score the person was found by.
    pub score: Option<f64>,
}

fn within(rules: &InvitationRules, field: &'static str, hours: Option<i32>) -> Result<i32> {
    let mut wrong = Problem::new(Code::Invalid);
    let bounds = (rules.answer_hours, rules.longest_hours);
    let hours = chosen(&mut wrong, field, hours, bounds);
    if wrong.errors.is_empty() {
        Ok(hours)
    } else {
        Err(wrong.into())
    }
}

/// Takes an invitation back, with a reason that the person reads. Whoever has not heard of it yet, since
/// the mail waits and the notice is unread, hears nothing at all, and may be asked for something else
/// instead on the same day.
///
/// # Errors
/// `not_found`, `forbidden`, `move_not_allowed`.
pub fn cancel(
    tx: &mut Tx<'_>,
    caller: &Caller,
    id: InvitationId,
    reason: &str,
) -> Result<Invitation> {
    let seen = store::invitation(tx.conn, id)?;
    let relation = relation(tx.conn, caller, &seen)?;
    if relation == Relation::default() {
        return Err(Code::NotFound.into());
    }
    lifecycle::may(INVITATION, relation, "cancel")?;
    let subject = ("invitation", id.0);
    let actor = caller.actor();
    if lifecycle::is_repeat(tx.conn, INVITATION, subject, seen.status, "cancel", actor)? {
        return Ok(seen);
    }
    let about = about(tx.conn, seen.need())?;
    let moved = advance(tx, &about, &seen, "cancel", actor, Some(reason))?;
    if !unsend(tx, &moved)? {
        let told = notice(&moved, &about, moved.account_id, Kind::InvitationCancelled);
        notify(tx, &told.with("reason", reason).inbox_only())?;
    }
    Ok(moved)
}
