//! What becomes of places when something about their people changes, anywhere: a certificate or a membership
//! that counts no more, another place given up, something that was missing and is there now.

use super::super::model::{EnrolmentId, EnrolmentStatus};
use super::super::rules::{moves_up, unfit};
use super::super::store;
use super::known::Known;
use super::line::{freed, promote};
use super::{advance, sentences, tell_organizers, tell_person};
use crate::activities::service::{Desk, look_again_later, serialize};
use crate::activities::store as activities;
use crate::error::{Error, Result};
use crate::identity::AccountId;
use crate::notifications::Kind;
use crate::platform::clock::Instant;
use crate::platform::db::{Conn, Tx};
use crate::platform::journal::{Actor, Entry};
use crate::{party, volunteers};

/// A reaction: whose certificates, profile or membership changed, and who gave a seat back, is looked at
/// again: in the places that the person holds, and in the lines in which the person was passed over.
///
/// # Errors
/// Those of the database.
pub fn react(tx: &mut Tx<'_>, entry: &Entry) -> Result<()> {
    let changed = volunteers::changed(tx.conn, entry)?;
    let changed = match changed {
        None => party::changed(tx.conn, entry)?,
        some => some,
    };
    let who = match changed {
        None => gave_back(tx.conn, entry)?,
        some => some,
    };
    match who {
        Some(who) if !to_look_at(tx.conn, who, tx.now)?.is_empty() => look_again_later(tx, who),
        _ => Ok(()),
    }
}

/// Who gave a seat back by an entry of the journal.
fn gave_back(conn: &mut Conn, entry: &Entry) -> Result<Option<AccountId>> {
    let Some(verb) = entry.kind.strip_prefix("enrolment.") else {
        return Ok(None);
    };
    let from = entry.from_state.as_deref();
    let held = from == Some(EnrolmentStatus::Confirmed.as_str())
        || from == Some(EnrolmentStatus::Pending.as_str());
    if !held || verb == "accept" {
        return Ok(None);
    }
    match store::enrolment(conn, EnrolmentId(entry.subject_id.0)) {
        Ok(row) if row.ended_at.is_some() => Ok(Some(row.account_id)),
        Ok(_) | Err(Error::Problem(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The places of a person ahead that are looked at when something about the person changed: those that hold a
/// seat, and those that a line has passed over.
///
/// # Errors
/// Those of the database.
pub(in crate::activities) fn to_look_at(
    conn: &mut Conn,
    who: AccountId,
    now: Instant,
) -> Result<Vec<EnrolmentId>> {
    store::to_look_at(conn, who, now)
}

/// Looks again at one of a person's places: who may not come any more gives the seat to the next, and who was
/// passed over in a line is looked at in it.
///
/// # Errors
/// Those of the database.
pub(in crate::activities) fn look_again(
    tx: &mut Tx<'_>,
    desk: &Desk,
    id: EnrolmentId,
) -> Result<()> {
    let first = store::enrolment(tx.conn, id)?;
    serialize(tx, first.activity_id)?;
    let seen = store::enrolment(tx.conn, id)?;
    let activity = activities::activity(tx.conn, seen.activity_id)?;
    let shift = activities::shift(tx.conn, seen.shift_id)?;
    if seen.ended_at.is_some() || !moves_up(&activity, &shift, tx.now) {
        return Ok(());
    }
    if seen.status == EnrolmentStatus::Waitlisted {
        store::look_at(tx.conn, id)?;
        return promote(tx, desk, &activity, shift.id);
    }
    let who = seen.account_id;
    let known = Known::of(tx.conn, desk, &activity, &[who], (tx.now, tx.zone))?;
    let codes = unfit(&known.facts(&shift, who, Some(id)));
    if !seen.holds_seat || codes.is_empty() {
        return Ok(());
    }
    advance(tx, &activity, &seen, "disqualify", Actor::System, None)?;
    let (zh, en) = sentences(&codes);
    let params = [("why_zh", zh.as_str()), ("why_en", en.as_str())];
    let kind = Kind::EnrolmentDisqualified;
    tell_person(tx, &activity, &shift, who, kind, &params)?;
    // why is between the person and those who said so
    tell_organizers(tx, &activity, &shift, who, Kind::EnrolmentFreed)?;
    freed(tx, desk, &activity, &seen)
}
