//! What people answer.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use super::refusing::{NewBlock, block, dismiss};
use super::{Desk, about, advance, notice, refusal, relation, unsend};
use crate::error::{Code, Error, Result};
use crate::identity::{AccountId, Caller};
use crate::matching::NeedKind;
use crate::matching::invitations::model::{Answer, Invitation, InvitationId, InvitationStatus};
use crate::matching::invitations::rules::INVITATION;
use crate::matching::invitations::store;
use crate::matching::rounds;
use crate::matching::store::{SOURCES, source};
use crate::notifications::{Kind, notify};
use crate::platform::db::Tx;
use crate::platform::journal::Actor;
use crate::platform::lifecycle;
use crate::projects::RoleId;
use crate::projects::crews;
use crate::wishes::{self, NewWishClaim, WishId};

/// Who answers.
#[derive(Clone, Copy)]
pub enum Answering<'a> {
    /// The person, signed in.
    Person(&'a Caller),
    /// Whoever has the link in the mail.
    Link,
}

/// Answers an invitation. A yes takes the need on in the same transaction, by the rules of its own
/// room: what these refuse, the person is told, and the invitation stays open.
///
/// # Errors
/// `not_found` for anybody but the person; `invitation_expired`; `link_used` for a second answer by
/// link; `move_not_allowed`; and what keeps the person from taking the need on.
pub fn answer(
    tx: &mut Tx<'_>,
    desk: &Desk,
    by: Answering<'_>,
    id: InvitationId,
    answer: Answer,
    reason: Option<&str>,
) -> Result<Invitation> {
    let seen = store::invitation(tx.conn, id)?;
    let verb = verb(answer);
    let (caller, actor) = match by {
        Answering::Person(caller) => {
            if seen.account_id != caller.account {
                return Err(Code::NotFound.into());
            }
            (caller.clone(), caller.actor())
        }
        Answering::Link => (Caller::acting(tx.conn, seen.account_id)?, Actor::Link),
    };
    if let Answering::Person(caller) = by {
        let subject = ("invitation", id.0);
        if lifecycle::is_repeat(tx.conn, INVITATION, subject, seen.status, verb, actor)? {
            return Ok(seen);
        }
        lifecycle::may(INVITATION, relation(tx.conn, caller, &seen)?, verb)?;
    }
    is_answerable(tx, by, actor, &seen)?;
    let about = about(tx.conn, seen.need())?;
    let moved = advance(tx, &about, &seen, verb, actor, reason)?;
    match answer {
        Answer::Accept => {
            take(tx, desk, &caller, &moved)?;
            close_colliding(tx, caller.account)?;
        }
        Answer::Decline => {}
        Answer::Dismiss => {
            dismiss(tx, caller.account, actor, moved.need())?;
        }
        Answer::Block => {
            let sender = match moved.organization_id {
                Some(id) => NewBlock {
                    organization_id: Some(id),
                    account_id: None,
                },
                None => NewBlock {
                    organization_id: None,
                    account_id: Some(moved.invited_by),
                },
            };
            block(tx, caller.account, actor, &sender)?;
        }
    }
    let is_of_many = moved.recruitment_id.is_some() || rounds::has_sent(tx.conn, id.0)?;
    if answer != Answer::Accept && !is_of_many {
        // of waves and rounds, the organiser reads the list; a choice by hand waits for its answer
        let told = notice(&moved, &about, moved.invited_by, Kind::InvitationDeclined);
        notify(tx, &told.with("reason", reason.unwrap_or("—")))?;
    }
    Ok(moved)
}

fn verb(answer: Answer) -> &'static str {
    match answer {
        Answer::Accept => "accept",
        Answer::Decline => "decline",
        Answer::Dismiss => "dismiss",
        Answer::Block => "block",
    }
}

/// Refuses an answer that comes too late, before the clock says so, and a second one by link.
fn is_answerable(
    tx: &mut Tx<'_>,
    by: Answering<'_>,
    actor: Actor,
    seen: &Invitation,
) -> Result<()> {
    match seen.status {
        InvitationStatus::Open if seen.expires_at <= tx.now => Err(Code::InvitationExpired.into()),
        InvitationStatus::Open => Ok(()),
        InvitationStatus::Expired => Err(Code::InvitationExpired.into()),
        InvitationStatus::Accepted | InvitationStatus::Declined
            if matches!(by, Answering::Link) =>
        {
            Err(Code::LinkUsed.into())
        }
        _ => Err(refusal(tx.conn, seen, actor)),
    }
}

/// Takes a need on, by the rules of its own room.
fn take(tx: &mut Tx<'_>, desk: &Desk, caller: &Caller, invitation: &Invitation) -> Result<()> {
    let id = invitation.need_id.0;
    match (invitation.need_kind, invitation.claim_id) {
        (NeedKind::Wish, _) => {
            let alone = NewWishClaim::default();
            wishes::claim(tx, &desk.wishes, caller, WishId(id), &alone).map(|_| ())
        }
        (NeedKind::ProjectRole, Some(claim)) => {
            let by = invitation.invited_by;
            crews::join(tx, &desk.projects, caller, claim, RoleId(id), by).map(|_| ())
        }
        (NeedKind::ProjectRole, None) => Err(Error::internal("an invitation into no crew")),
    }
}

/// Ends an invitation for which there is no room any more, and tells the person; returns what a yes to it
/// is refused with, if it is.
///
/// # Errors
/// Those of the database.
pub fn settle(tx: &mut Tx<'_>, id: InvitationId) -> Result<Option<Code>> {
    let seen = store::invitation(tx.conn, id)?;
    close_where_full(tx, std::slice::from_ref(&seen))?;
    let today = tx.today();
    let room = (source(seen.need_kind)?.room)(tx.conn, seen.need_id.0, seen.claim_id, today)?;
    Ok(room.refusal())
}

/// Ends those of these invitations for which there is no room any more, and tells the people.
pub(super) fn close_where_full(tx: &mut Tx<'_>, open: &[Invitation]) -> Result<()> {
    let today = tx.today();
    let mut refusals = HashMap::new();
    for seen in open {
        if seen.status != InvitationStatus::Open {
            continue;
        }
        let refusal = match refusals.entry((seen.need_id, seen.claim_id)) {
            Entry::Occupied(known) => *known.get(),
            Entry::Vacant(unknown) => {
                let room = source(seen.need_kind)?.room;
                let room = room(tx.conn, seen.need_id.0, seen.claim_id, today)?;
                *unknown.insert(room.refusal())
            }
        };
        if refusal.is_some() {
            close(tx, seen, Kind::InvitationClosed)?;
        }
    }
    Ok(())
}

/// Ends the open invitations of a person that it cannot accept any more beside what it has taken on, so
/// that others are asked in its place.
pub(super) fn close_colliding(tx: &mut Tx<'_>, who: AccountId) -> Result<()> {
    let (open, today) = (store::open_of_person(tx.conn, who)?, tx.today());
    for source in SOURCES {
        let of_kind = open.iter().filter(|seen| seen.need_kind == source.kind);
        let needs: Vec<_> = of_kind.clone().map(|seen| seen.need_id.0).collect();
        if needs.is_empty() {
            continue;
        }
        let colliding = (source.beside)(tx.conn, who, &needs, today)?;
        for seen in of_kind.filter(|seen| colliding.contains(&seen.need_id.0)) {
            close(tx, seen, Kind::InvitationCollides)?;
        }
    }
    Ok(())
}

/// Ends an invitation that is not waited for any more, and tells the person so, unless it has not heard of
/// the invitation yet.
pub(super) fn close(tx: &mut Tx<'_>, seen: &Invitation, why: Kind) -> Result<()> {
    let about = about(tx.conn, seen.need())?;
    match advance(tx, &about, seen, "close", Actor::System, None) {
        Ok(_) => {}
        // answered at this very moment
        Err(Error::Problem(_)) => return Ok(()),
        Err(error) => return Err(error),
    }
    if unsend(tx, seen)? {
        return Ok(());
    }
    let told = notice(seen, &about, seen.account_id, why);
    notify(tx, &told.inbox_only())
}
