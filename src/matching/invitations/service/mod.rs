//! What can be done with invitations: sending them.

mod answers;
mod asking;
mod clock;
mod recruiting;
mod refusing;

use super::model::{Invitation, InvitationId, InvitationStatus, RecruitmentId};
use super::rules::{INVITATION, Relation};
use super::store::{self, Asker};
use crate::error::{Code, Error, Result};
use crate::identity::{self, AccountId, Caller, Role};
use crate::matching::service::{bars_to_asking, check_may_ask};
use crate::matching::store::{About, Batch, source};
use crate::matching::{Matching, NeedId, NeedKind};
use crate::notifications::{Kind, Notice, notify, take_back};
use crate::organizations::OrganizationId;
use crate::platform::clock::Instant;
use crate::platform::columns::Uid;
use crate::platform::db::{Conn, Tx};
use crate::platform::journal::{Actor, Change};
use crate::platform::lifecycle;
use crate::projects;
use crate::projects::claims::{self, ClaimId};
use crate::wishes;

pub use answers::{Answering, answer, settle};
pub use asking::{NewInvitation, cancel, check_may_invite, invite};
pub use clock::{forget, purge, react, sweep};
pub use recruiting::{NewRecruitment, recruiter, start, step, stop};
pub use refusing::{NewBlock, block, dismiss, lift_block, undismiss};

/// What a link in a mail is signed for.
pub const LINK: &str = "invitation";
/// Days after which a link says nothing any more about an invitation that is over.
const LINK_DAYS: i64 = 30;

/// What every write of invitations needs beside its transaction.
#[derive(Clone)]
pub struct Desk {
    /// Who fits what.
    pub matching: Matching,
    /// What writes about projects need.
    pub projects: projects::Desk,
    /// What writes about wishes need.
    pub wishes: wishes::Desk,
}

/// By what an invitation is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Somebody chose the person.
    ByHand,
    /// A wave, from 1, of a recruitment.
    Wave(RecruitmentId, i32),
}

/// What people are asked for, and on whose behalf.
#[derive(Clone, Debug)]
pub struct Asking {
    /// The need.
    pub need: NeedId,
    /// Into which crew, for a role.
    pub claim: Option<ClaimId>,
    /// By what it is sent.
    pub origin: Origin,
    /// Who asks.
    pub by: AccountId,
    /// For which organisation.
    pub organization: Option<OrganizationId>,
    /// What there is to say.
    pub note: String,
    /// Until when it can be answered.
    pub expires_at: Instant,
}

/// What became of asking somebody: the invitation, or what kept it from being sent.
pub type Outcome = (AccountId, Result<InvitationId, Code>);

/// Invites people to a need, each with the score it was found by. Whoever blocks the asker, is not
/// interested, was asked before or was asked often enough today is left out, and said to be. Whether a
/// person fits the need, and whether the asker may ask, is the caller's to know.
///
/// # Errors
/// `not_found` for a need that is unknown, and those of the database.
pub fn send(
    tx: &mut Tx<'_>,
    desk: &Desk,
    asking: &Asking,
    people: &[(AccountId, Option<f64>)],
) -> Result<Vec<Outcome>> {
    let about = about(tx.conn, asking.need)?;
    let mut people = people.to_vec();
    people.sort_unstable_by_key(|(who, _)| *who);
    people.dedup_by_key(|(who, _)| *who);
    // what one is asked within a day spans all needs; in one order, so that nobody waits in a ring
    for (who, _) in &people {
        tx.serialize_on(&format!("invitee:{who}"))?;
    }
    let batch = Batch {
        people: people.iter().map(|(who, _)| *who).collect(),
        needs: vec![asking.need.id],
        now: tx.now,
    };
    let mut asker = Asker {
        accounts: vec![asking.by],
        organizations: asking.organization.into_iter().collect(),
    };
    if let Some(claim) = asking.claim {
        // whoever asks, one would join those who lead the crew
        asker = asker.and(Asker::from(&claims::claim(tx.conn, claim)?));
    }
    let bars = bars_to_asking(tx.conn, &desk.matching, &batch, &asker)?;
    let mut outcomes = Vec::with_capacity(people.len());
    for (who, score) in people {
        let bar = bars.iter().find(|bar| bar.person == who);
        let sent = match bar.map(|bar| bar.code) {
            Some(code) => Err(code),
            // somebody who is gone is asked nothing more
            None if identity::account(tx.conn, who).is_err() => Err(Code::NotAvailable),
            None => Ok(send_one(tx, desk, asking, &about, who, score)?),
        };
        outcomes.push((who, sent));
    }
    Ok(outcomes)
}

fn send_one(
    tx: &mut Tx<'_>,
    desk: &Desk,
    asking: &Asking,
    about: &About,
    who: AccountId,
    score: Option<f64>,
) -> Result<InvitationId> {
    let (recruitment_id, wave) = match asking.origin {
        Origin::ByHand => (None, 0),
        Origin::Wave(id, wave) => (Some(id), wave),
    };
    let invitation = Invitation {
        id: InvitationId::new(),
        need_kind: asking.need.kind,
        need_id: Uid(asking.need.id),
        claim_id: asking.claim,
        recruitment_id,
        wave,
        account_id: who,
        invited_by: asking.by,
        organization_id: asking.organization,
        note: asking.note.clone(),
        score,
        status: InvitationStatus::Open,
        status_since: tx.now,
        expires_at: asking.expires_at,
        reason: None,
        is_unheard: false,
        created_at: tx.now,
    };
    store::insert(tx.conn, &invitation)?;
    let by = match asking.origin {
        Origin::ByHand => Actor::Account(Uid(asking.by.0)),
        Origin::Wave(..) => Actor::System,
    };
    tx.journal(change(&invitation, about, by, "send"))?;
    let until = invitation.expires_at.on_the_wall(tx.zone);
    let told = notice(&invitation, about, who, Kind::Invited)
        .with("until_zh", format!("请在 {until} 前答复。"))
        .with("until_en", format!(" Please answer by {until}."))
        .answered_at(link(desk, &invitation), invitation.expires_at);
    notify(tx, &told)?;
    Ok(invitation.id)
}

/// Takes back what the person was told of an invitation that is over, where it has not heard of it yet; it
/// then does not count among those of the day. Returns whether that is so.
fn unsend(tx: &mut Tx<'_>, seen: &Invitation) -> Result<bool> {
    let subject = ("invitation", seen.id.0);
    let is_unheard = take_back(tx, seen.account_id, Kind::Invited, subject)?;
    if is_unheard {
        store::note_unheard(tx.conn, seen.id)?;
    }
    Ok(is_unheard)
}

/// The address at which whoever has it answers for the person.
fn link(desk: &Desk, invitation: &Invitation) -> String {
    let vault = &desk.matching.setting().vault;
    // it goes on to say what became of the invitation for a while
    let until = invitation.expires_at + chrono::TimeDelta::days(LINK_DAYS);
    let token = vault.sign_link(LINK, &invitation.id, until);
    format!(
        "{}/api/v1/invitation-links/{token}",
        desk.matching.platform().public_url
    )
}

/// What there is to say of a need.
///
/// # Errors
/// `not_found`.
pub fn about(conn: &mut Conn, need: NeedId) -> Result<About> {
    (source(need.kind)?.about)(conn, need.id)
}

fn notice(invitation: &Invitation, about: &About, to: AccountId, kind: Kind) -> Notice {
    Notice::titled(to, kind, ("invitation", invitation.id.0), &about.title)
}

fn change(invitation: &Invitation, about: &About, by: Actor, verb: &str) -> Change {
    Change::new(by, format!("invitation.{verb}"), invitation.id.0)
        .region(about.region.0)
        .payload(serde_json::json!({
            "need_kind": invitation.need_kind,
            "need_id": invitation.need_id,
            "claim_id": invitation.claim_id,
            "recruitment_id": invitation.recruitment_id,
        }))
}

/// Makes one move: by the table, by compare-and-set, into the journal; lets the recruitment that sent
/// it be looked at.
fn advance(
    tx: &mut Tx<'_>,
    about: &About,
    seen: &Invitation,
    verb: &str,
    by: Actor,
    reason: Option<&str>,
) -> Result<Invitation> {
    let to = lifecycle::next(INVITATION, seen.status, verb);
    let to = to.ok_or_else(|| refusal(tx.conn, seen, by))?;
    if !store::advance(tx, seen, to, reason)? {
        // somebody was faster: say where it stands now
        let now = store::invitation(tx.conn, seen.id)?;
        return Err(refusal(tx.conn, &now, by));
    }
    tx.journal(
        change(seen, about, by, verb)
            .states(seen.status.into(), to.into())
            // what a person writes stands in the row alone, which is forgotten
            .reason(reason.filter(|_| verb == "cancel")),
    )?;
    if let Some(recruitment) = seen.recruitment_id {
        store::wake(tx, recruitment)?;
    }
    store::invitation(tx.conn, seen.id)
}

/// The refusal of a move that the table does not have, with those that are the mover's.
fn refusal(conn: &mut Conn, invitation: &Invitation, by: Actor) -> Error {
    let stands = match by {
        Actor::Link => Ok(Relation {
            person: true,
            ..Relation::default()
        }),
        by => Caller::of(conn, by).and_then(|caller| match caller {
            Some(caller) => relation(conn, &caller, invitation),
            None => Ok(Relation::default()),
        }),
    };
    match stands {
        Ok(stands) => lifecycle::refusal(INVITATION, stands, invitation.status),
        Err(error) => error,
    }
}

/// How a caller stands to an invitation.
///
/// # Errors
/// Those of the database.
pub fn relation(conn: &mut Conn, caller: &Caller, invitation: &Invitation) -> Result<Relation> {
    let need = invitation.need();
    Ok(Relation {
        person: invitation.account_id == caller.account,
        organizer: organizes(
            conn,
            caller,
            need,
            invitation.invited_by,
            invitation.organization_id,
        )?,
    })
}

/// Whether a caller speaks for who asks: runs the organisation for which it was done; is of the staff
/// who may look for people for the wish; or asked in person and may still do so. Who held a role then
/// and lost it speaks for nobody any more.
fn organizes(
    conn: &mut Conn,
    caller: &Caller,
    need: NeedId,
    by: AccountId,
    organization: Option<OrganizationId>,
) -> Result<bool> {
    match (organization, need.kind) {
        (Some(id), _) => Ok(caller.holds(Role::OrganizationManager, id.0)),
        (None, NeedKind::Wish) => Ok(check_may_ask(conn, caller, need).is_ok()),
        (None, NeedKind::ProjectRole) => Ok(by == caller.account
            && (caller.is_platform_admin() || check_may_ask(conn, caller, need).is_ok())),
    }
}
