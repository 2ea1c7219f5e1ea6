//! The moves of a wish's life that people make.

use chrono::TimeDelta;

use super::telling::{
    CLAIMED_SMS, DELIVERED_SMS, OPEN_AGAIN_SMS, PUBLISHED_SMS, REJECTED_SMS, TIMED_OUT_SMS,
    remind_later, send_link, tell_authors, tell_claimant, tell_owners, tell_owners_but, tell_staff,
};
use super::{
    Desk, Mover, NewWishClaim, advance, change, contact, is_repeat, may_act, or_same, refusal,
    step, to_move, visible,
};
use crate::error::{Code, Result};
use crate::identity::{self, Caller, Role};
use crate::notifications::Kind;
use crate::organizations;
use crate::platform::clock::Instant;
use crate::platform::db::{Conn, Tx};
use crate::platform::files::StoredPhoto;
use crate::platform::http::IfMatch;
use crate::platform::journal;
use crate::platform::lifecycle;
use crate::platform::workdays::end_of_workday_after;
use crate::wishes::model::{
    Claim, ClaimId, ClaimOutcome, Contact, Evidence, EvidenceId, FulfilledBy, Wish, WishId,
    WishStatus,
};
use crate::wishes::rules::MOVES;
use crate::wishes::store;

/// Hands a draft in for screening.
pub fn submit(tx: &mut Tx<'_>, desk: &Desk, caller: &Caller, id: WishId) -> Result<Wish> {
    let (wish, _) = to_move(tx.conn, caller, id, "submit")?;
    let due = end_of_workday_after(tx.now, desk.rules.screening_workdays, tx.zone);
    let Some(moved) = advance(tx, &wish, "submit", Mover::Caller(caller), None, Some(due))? else {
        return Ok(wish);
    };
    tell_staff(
        tx,
        &moved,
        Kind::WishSubmitted,
        &[("due", due.on_the_wall(tx.zone))],
    )?;
    Ok(moved)
}

/// Takes a rejected wish back into a draft.
pub fn revise(tx: &mut Tx<'_>, caller: &Caller, id: WishId) -> Result<Wish> {
    let (wish, _) = to_move(tx.conn, caller, id, "revise")?;
    let moved = advance(tx, &wish, "revise", Mover::Caller(caller), None, None)?;
    Ok(or_same(moved, wish))
}

/// Takes a wish back. Its author is told when somebody else does.
pub fn withdraw(tx: &mut Tx<'_>, by: Mover<'_>, id: WishId, reason: &str) -> Result<Wish> {
    let wish = match by {
        Mover::Caller(caller) => to_move(tx.conn, caller, id, "withdraw")?.0,
        Mover::Link | Mover::Clock => store::wish(tx.conn, id)?,
    };
    if matches!(by, Mover::Link) && wish.status == WishStatus::Withdrawn {
        return Ok(wish); // a second tap on the link
    }
    let Some(moved) = advance(tx, &wish, "withdraw", by, Some(reason), None)? else {
        return Ok(wish);
    };
    let params = [("reason", reason.to_owned())];
    if let Some(claim) = store::live_claim(tx.conn, id)? {
        store::end_claim(tx, claim.id, ClaimOutcome::Withdrawn)?;
        tell_claimant(tx, &moved, &claim, Kind::WishWithdrawn, &params)?;
    }
    tell_owners_but(tx, &moved, by, Kind::WishTakenBack, &params)?;
    Ok(moved)
}

/// Publishes a submitted wish.
pub fn publish(
    tx: &mut Tx<'_>,
    desk: &Desk,
    caller: &Caller,
    id: WishId,
    seen: &IfMatch,
) -> Result<Wish> {
    let (wish, _) = to_move(tx.conn, caller, id, "publish")?;
    if is_repeat(tx.conn, &wish, "publish", Mover::Caller(caller))? {
        return Ok(wish);
    }
    seen.expect(wish.version)?;
    let moved = advance(tx, &wish, "publish", Mover::Caller(caller), None, None)?;
    let moved = or_same(moved, wish);
    tell_owners(tx, &moved, Kind::WishPublished, &[])?;
    send_link(tx, desk, &moved, PUBLISHED_SMS)?;
    Ok(moved)
}

/// Sends a submitted wish back with a reason.
pub fn reject(
    tx: &mut Tx<'_>,
    desk: &Desk,
    caller: &Caller,
    id: WishId,
    seen: &IfMatch,
    reason: &str,
) -> Result<Wish> {
    let (wish, _) = to_move(tx.conn, caller, id, "reject")?;
    if is_repeat(tx.conn, &wish, "reject", Mover::Caller(caller))? {
        return Ok(wish);
    }
    seen.expect(wish.version)?;
    let moved = advance(
        tx,
        &wish,
        "reject",
        Mover::Caller(caller),
        Some(reason),
        None,
    )?;
    let moved = or_same(moved, wish);
    let params = [("reason", reason.to_owned())];
    tell_authors(tx, &moved, Kind::WishRejected, &params)?;
    send_link(tx, desk, &moved, REJECTED_SMS)?;
    Ok(moved)
}

/// Claims a published wish for the length of a lease: for oneself, or for an organisation one runs.
///
/// # Errors
/// `own_wish`, `claim_limit_reached`, `claiming_paused`, what keeps the organisation from acting,
/// or `move_not_allowed` when somebody else was faster or its last day is over.
pub fn claim(
    tx: &mut Tx<'_>,
    desk: &Desk,
    caller: &Caller,
    id: WishId,
    new: &NewWishClaim,
) -> Result<Wish> {
    let (wish, relation) = visible(tx.conn, Some(caller), id)?;
    if is_repeat(tx.conn, &wish, "claim", Mover::Caller(caller))? {
        return Ok(wish);
    }
    lifecycle::may(MOVES, relation, "claim")?;
    lifecycle::step(MOVES, relation, wish.status, "claim")?;
    if wish.expires_on.is_some_and(|day| day < tx.today()) {
        // before the clock says so
        return Err(lifecycle::refusal(MOVES, relation, WishStatus::Expired));
    }
    let mut claim = Claim {
        id: ClaimId::new(),
        wish_id: id,
        claimant_id: caller.account,
        claimed_at: tx.now,
        lease_until: tx.now + TimeDelta::days(desk.rules.lease_days),
        ended_at: None,
        outcome: None,
        organization_id: None,
    };
    let mut name = identity::account(tx.conn, caller.account)?.display_name;
    if let Some(organization) = new.organization_id {
        if !caller.holds(Role::OrganizationManager, organization.0) {
            return Err(Code::Forbidden.into());
        }
        let organization = organizations::organization(tx.conn, organization)?;
        organizations::may_act(tx.conn, &organization, wish.region_id)?;
        claim.organization_id = Some(organization.id);
        name = organization.name;
    }
    // the limits span several wishes: two claims of one person wait for each other
    let who = claim.organization_id.map_or(caller.account.0, |id| id.0);
    tx.serialize_on(&format!("claimant:{who}"))?;
    for (outcome, most, days) in [
        (
            ClaimOutcome::Lapsed,
            desk.rules.lapses,
            desk.rules.lapse_days,
        ),
        // each claim shows where somebody lives, and is told to several people
        (
            ClaimOutcome::Released,
            desk.rules.releases,
            desk.rules.release_days,
        ),
    ] {
        let since = tx.now - TimeDelta::days(days);
        if store::count_ended(tx.conn, &claim, outcome, since)? >= most {
            return Err(Code::ClaimingPaused.into());
        }
    }
    if store::count_live_claims(tx.conn, &claim)? >= desk.rules.live_claims {
        return Err(Code::ClaimLimitReached.into());
    }
    let until = Some(claim.lease_until);
    let moved = advance(tx, &wish, "claim", Mover::Caller(caller), None, until)?;
    let moved = or_same(moved, wish);
    store::insert_claim(tx.conn, &claim)?;
    remind_later(tx, desk, &claim)?;
    tell_owners(tx, &moved, Kind::WishClaimed, &[("name", name)])?;
    send_link(tx, desk, &moved, CLAIMED_SMS)?;
    Ok(moved)
}

/// A wish for its claimant, with the claim, while there is time to deliver. Who held it once, and lost
/// it, is told where it stands now.
fn of_claimant(
    conn: &mut Conn,
    now: Instant,
    caller: &Caller,
    id: WishId,
    verb: &str,
) -> Result<(Wish, Claim)> {
    let (wish, relation) = visible(conn, Some(caller), id)?;
    if !relation.claimant && store::has_claimed(conn, id, &caller.into())? {
        // read anew: it may have been lost this very moment
        let now = store::wish(conn, id)?;
        step(conn, &now, verb, Mover::Caller(caller))?;
    }
    lifecycle::may(MOVES, relation, verb)?;
    let Some(claim) = store::live_claim(conn, id)? else {
        let now = store::wish(conn, id)?;
        return Err(refusal(conn, &now, Mover::Caller(caller)));
    };
    if wish.status == WishStatus::Claimed && claim.lease_until <= now {
        return Err(Code::LeaseExpired.into()); // before the clock says so
    }
    Ok((wish, claim))
}

/// Whether a photo shows the delivery that is due: by this claim, and of the lease that began when the
/// wish was last claimed or sent back. A photo that was disputed proves nothing anew.
fn shows(evidence: &Evidence, wish: &Wish, claim: &Claim) -> bool {
    evidence.claim_id == claim.id && evidence.created_at >= wish.status_since
}

/// A wish, its claim and the photos of the delivery so far, for a claimant who may add one.
///
/// # Errors
/// `not_found`, `forbidden`, `move_not_allowed`, `lease_expired`, `too_many_files`.
pub fn may_add_evidence(
    conn: &mut Conn,
    now: Instant,
    desk: &Desk,
    caller: &Caller,
    id: WishId,
) -> Result<(Wish, Claim, Vec<Evidence>)> {
    let (wish, claim) = of_claimant(conn, now, caller, id, "deliver")?;
    if wish.status != WishStatus::Claimed {
        return Err(refusal(conn, &wish, Mover::Caller(caller)));
    }
    let mut known = store::evidence(conn, id)?;
    known.retain(|evidence| shows(evidence, &wish, &claim));
    if known.len() >= desk.rules.photos_per_delivery {
        return Err(Code::TooManyFiles.into());
    }
    Ok((wish, claim, known))
}

/// Adds a photo of the delivery; the same photo is added once.
///
/// # Errors
/// Those of [`may_add_evidence`]; `evidence_disputed` for a photo that the wish had before it was last
/// disputed, whoever added it.
pub fn add_evidence(
    tx: &mut Tx<'_>,
    desk: &Desk,
    caller: &Caller,
    id: WishId,
    photo: &StoredPhoto,
) -> Result<Evidence> {
    // their number spans several rows
    tx.serialize_on(&format!("evidence:{id}"))?;
    let (wish, claim, known) = may_add_evidence(tx.conn, tx.now, desk, caller, id)?;
    if let Some(same) = known.into_iter().find(|known| known.photo == photo.key) {
        return Ok(same);
    }
    let mut same = store::evidence(tx.conn, id)?;
    same.retain(|known| known.photo == photo.key);
    if !same.is_empty()
        && let Some(dispute) = journal::last_of(tx.conn, "wish", id.0, &["dispute", "reopen"])?
        && same.iter().any(|known| known.created_at <= dispute.at)
    {
        return Err(Code::EvidenceDisputed.into());
    }
    let evidence = Evidence {
        id: EvidenceId::new(),
        wish_id: id,
        claim_id: claim.id,
        photo: photo.key.clone(),
        thumbnail: photo.thumbnail.clone(),
        created_at: tx.now,
    };
    store::insert_evidence(tx.conn, &evidence)?;
    tx.journal(change(&wish, caller.actor(), "add_evidence"))?;
    Ok(evidence)
}

/// Says that the wish was delivered, with at least one photo.
pub fn deliver(tx: &mut Tx<'_>, desk: &Desk, caller: &Caller, id: WishId) -> Result<Wish> {
    let (wish, claim) = of_claimant(tx.conn, tx.now, caller, id, "deliver")?;
    if wish.status == WishStatus::Claimed
        && !store::evidence(tx.conn, id)?
            .iter()
            .any(|evidence| shows(evidence, &wish, &claim))
    {
        return Err(Code::EvidenceMissing.into());
    }
    let until = tx.now + TimeDelta::days(desk.rules.confirmation_days);
    let Some(moved) = advance(
        tx,
        &wish,
        "deliver",
        Mover::Caller(caller),
        None,
        Some(until),
    )?
    else {
        return Ok(wish);
    };
    tell_owners(
        tx,
        &moved,
        Kind::WishDelivered,
        &[("due", until.on_the_wall(tx.zone))],
    )?;
    send_link(tx, desk, &moved, DELIVERED_SMS)?;
    Ok(moved)
}

/// Gives a claim up.
pub fn release(
    tx: &mut Tx<'_>,
    desk: &Desk,
    caller: &Caller,
    id: WishId,
    reason: &str,
) -> Result<Wish> {
    let (wish, _) = visible(tx.conn, Some(caller), id)?;
    if is_repeat(tx.conn, &wish, "release", Mover::Caller(caller))? {
        return Ok(wish);
    }
    let (wish, claim) = of_claimant(tx.conn, tx.now, caller, id, "release")?;
    let moved = advance(
        tx,
        &wish,
        "release",
        Mover::Caller(caller),
        Some(reason),
        None,
    )?;
    let moved = or_same(moved, wish);
    store::end_claim(tx, claim.id, ClaimOutcome::Released)?;
    let params = [("reason", reason.to_owned())];
    tell_owners(tx, &moved, Kind::WishReleased, &params)?;
    send_link(tx, desk, &moved, OPEN_AGAIN_SMS)?;
    Ok(moved)
}

/// A wish for whoever speaks for its beneficiary, and whether that is the beneficiary itself.
fn of_beneficiary(
    conn: &mut Conn,
    by: Mover<'_>,
    id: WishId,
    verb: &str,
) -> Result<(Wish, FulfilledBy)> {
    match by {
        Mover::Caller(caller) => {
            let (wish, relation) = to_move(conn, caller, id, verb)?;
            let who = if relation.beneficiary {
                FulfilledBy::Beneficiary
            } else {
                FulfilledBy::Proxy
            };
            Ok((wish, who))
        }
        Mover::Link => Ok((store::wish(conn, id)?, FulfilledBy::Beneficiary)),
        Mover::Clock => Ok((store::wish(conn, id)?, FulfilledBy::Timeout)),
    }
}

/// Says that the wish came true.
pub fn confirm(tx: &mut Tx<'_>, desk: &Desk, by: Mover<'_>, id: WishId) -> Result<Wish> {
    let (wish, who) = of_beneficiary(tx.conn, by, id, "confirm")?;
    if matches!(by, Mover::Link) && wish.status == WishStatus::Fulfilled {
        return Ok(wish); // a second tap on the link
    }
    fulfil(
        tx,
        desk,
        &wish,
        if who == FulfilledBy::Timeout {
            "time_out"
        } else {
            "confirm"
        },
        by,
        who,
    )
}

pub(super) fn fulfil(
    tx: &mut Tx<'_>,
    desk: &Desk,
    wish: &Wish,
    verb: &str,
    by: Mover<'_>,
    who: FulfilledBy,
) -> Result<Wish> {
    let until = tx.now + TimeDelta::days(desk.rules.reopening_days);
    let Some(moved) = advance(tx, wish, verb, by, None, Some(until))? else {
        return Ok(wish.clone());
    };
    store::set_fulfilled(tx.conn, moved.id, Some(who), Some(tx.now))?;
    if let Some(claim) = store::live_claim(tx.conn, moved.id)? {
        store::end_claim(tx, claim.id, ClaimOutcome::Fulfilled)?;
        let kind = match by {
            Mover::Clock => Kind::WishUnanswered,
            _ => Kind::WishFulfilled,
        };
        tell_claimant(tx, &moved, &claim, kind, &[])?;
    }
    if let Mover::Clock = by {
        let due = until.on_the_wall(tx.zone);
        tell_owners(tx, &moved, Kind::WishTimedOut, &[("due", due)])?;
        send_link(tx, desk, &moved, TIMED_OUT_SMS)?;
    } else {
        tell_owners_but(tx, &moved, by, Kind::WishFulfilled, &[])?;
    }
    store::wish(tx.conn, moved.id)
}

/// Says what is wrong with a delivery, or with what was confirmed not long ago.
pub fn dispute(tx: &mut Tx<'_>, by: Mover<'_>, id: WishId, reason: &str) -> Result<Wish> {
    let seen = store::wish(tx.conn, id)?;
    let verb = match seen.status {
        WishStatus::Fulfilled => "reopen",
        WishStatus::Disputed if is_repeat(tx.conn, &seen, "reopen", by)? => "reopen",
        _ => "dispute",
    };
    let (wish, _) = of_beneficiary(tx.conn, by, id, verb)?;
    let Some(moved) = advance(tx, &wish, verb, by, Some(reason), None)? else {
        return Ok(wish);
    };
    if verb == "reopen" {
        store::revive_claim(tx.conn, id)?;
        store::set_fulfilled(tx.conn, id, None, None)?;
    }
    let params = [("reason", reason.to_owned())];
    if let Some(claim) = store::live_claim(tx.conn, id)? {
        tell_claimant(tx, &moved, &claim, Kind::WishDisputed, &params)?;
    }
    tell_staff(tx, &moved, Kind::WishDisputed, &params)?;
    tell_owners_but(tx, &moved, by, Kind::WishDisputed, &params)?;
    store::wish(tx.conn, id)
}

/// Settles a dispute: the claimant delivers again, under a new lease.
///
/// # Errors
/// What keeps the organisation from acting that is to deliver: then the wish is freed instead.
pub fn redeliver(
    tx: &mut Tx<'_>,
    desk: &Desk,
    caller: &Caller,
    id: WishId,
    reason: &str,
) -> Result<Wish> {
    let (wish, _) = to_move(tx.conn, caller, id, "redeliver")?;
    let by = Mover::Caller(caller);
    if is_repeat(tx.conn, &wish, "redeliver", by)? {
        return Ok(wish);
    }
    step(tx.conn, &wish, "redeliver", by)?;
    let claim = store::live_claim(tx.conn, id)?;
    if let Some(claim) = &claim {
        may_act(tx.conn, claim, wish.region_id)?;
    }
    let until = tx.now + TimeDelta::days(desk.rules.lease_days);
    let moved = advance(tx, &wish, "redeliver", by, Some(reason), Some(until))?;
    let moved = or_same(moved, wish);
    if let Some(claim) = claim {
        store::extend_claim(tx.conn, claim.id, until)?;
        remind_later(
            tx,
            desk,
            &Claim {
                lease_until: until,
                ..claim.clone()
            },
        )?;
        let due = until.on_the_wall(tx.zone);
        let params = [("due", due), ("reason", reason.to_owned())];
        tell_claimant(tx, &moved, &claim, Kind::WishToRedeliver, &params)?;
        tell_owners(tx, &moved, Kind::WishSentBack, &params)?;
    }
    Ok(moved)
}

/// Settles a dispute: the wish is open to others again.
pub fn free(
    tx: &mut Tx<'_>,
    desk: &Desk,
    caller: &Caller,
    id: WishId,
    reason: &str,
) -> Result<Wish> {
    let (wish, _) = to_move(tx.conn, caller, id, "free")?;
    let Some(moved) = advance(tx, &wish, "free", Mover::Caller(caller), Some(reason), None)? else {
        return Ok(wish);
    };
    let params = [("reason", reason.to_owned())];
    if let Some(claim) = store::live_claim(tx.conn, id)? {
        store::end_claim(tx, claim.id, ClaimOutcome::Freed)?;
        tell_claimant(tx, &moved, &claim, Kind::WishFreed, &params)?;
    }
    tell_owners(tx, &moved, Kind::WishOpenAgain, &params)?;
    send_link(tx, desk, &moved, OPEN_AGAIN_SMS)?;
    Ok(moved)
}

/// Shows a contact to somebody who may read it, and writes into the journal that it was shown.
pub fn read_contact(tx: &mut Tx<'_>, desk: &Desk, caller: &Caller, id: WishId) -> Result<Contact> {
    let (wish, relation) = visible(tx.conn, Some(caller), id)?;
    if !relation.may_read_contact(wish.status, wish.consent_channel) {
        return Err(Code::Forbidden.into());
    }
    tx.journal(change(&wish, caller.actor(), "read_contact"))?;
    if let Some(beneficiary) = wish.beneficiary_id {
        let reader = if relation.claimant {
            identity::Reader::Claimant
        } else {
            identity::Reader::GridStaff
        };
        let (what, why) = (identity::Sensitive::Contact, identity::DataUse::Delivery);
        identity::disclosed(tx, caller, beneficiary, what, reader, why)?;
    }
    contact(&desk.vault, &wish)
}
