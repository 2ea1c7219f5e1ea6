//! What a phone says afterwards that was offline on site.
//!
//! It fetches a ticket beforehand: a key that is the person's and the enrolment's. Each entry that it makes on
//! site bears the code that was shown at that instant, and an HMAC of all by that key; who sends it later can
//! change nothing in it.

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use super::super::model::{Attendance, Means};
use super::super::rules::{self, By, Side};
use super::presence::may_follow;
use super::{Record, holds_place, record, rules as numbers, seen, visible};
use crate::activities::enrolments::{self, EnrolmentId};
use crate::activities::service::{Desk, share};
use crate::error::{Code, Error, Result};
use crate::identity::{AccountId, Caller};
use crate::platform::clock::Instant;
use crate::platform::db::{Conn, Tx};
use crate::platform::lifecycle::ActsAs;
use crate::platform::token::Vault;

/// What a phone needs to make entries while it is offline.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OfflineTicket)]
pub struct Ticket {
    /// For which enrolment.
    pub enrolment_id: EnrolmentId,
    /// The key of the entries' signatures: 32 bytes in base64url without padding.
    pub key: String,
    /// The first instant that an entry may be about.
    pub valid_from: Instant,
    /// The end of them; not included.
    pub valid_until: Instant,
    /// Hours after its instant in which an entry is taken.
    pub taken_hours: i64,
}

/// What a phone noted while it was offline.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(as = OfflineEntry)]
pub struct Entry {
    /// Whose enrolment.
    pub enrolment_id: EnrolmentId,
    /// Whether they came or went.
    pub side: Side,
    /// When, by the phone's clock.
    pub at: Instant,
    /// The code that was shown then.
    #[validate(length(min = 1, max = 20))]
    pub code: String,
    /// HMAC-SHA256 by the ticket's key over enrolment, side, `at` in microseconds since 1970 and code, each
    /// but the last followed by a line feed; in base64url without padding.
    #[validate(length(min = 1, max = 100))]
    pub signature: String,
}

/// Several of them, sent at once.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(as = OfflineEntries)]
pub struct Entries {
    /// What the phone's clock shows as it sends them.
    pub sent_at: Instant,
    /// The entries; each is answered on its own.
    #[validate(nested, length(min = 1, max = 20))]
    pub entries: Vec<Entry>,
}

fn key(vault: &Vault, enrolment: EnrolmentId, who: AccountId) -> Vec<u8> {
    vault.lookup_hash("offline ticket", format!("{enrolment}:{who}"))
}

/// # Errors
/// `entry_signature_wrong`.
fn verify(vault: &Vault, entry: &Entry, who: AccountId) -> Result<(), Code> {
    let (side, at) = (entry.side, entry.at.timestamp_micros());
    let text = format!("{}\n{side}\n{at}\n{}", entry.enrolment_id, entry.code);
    let tag = URL_SAFE_NO_PAD.decode(&entry.signature);
    let tag = tag.map_err(|_| Code::EntrySignatureWrong)?;
    let key = hmac::Key::new(hmac::HMAC_SHA256, &key(vault, entry.enrolment_id, who));
    hmac::verify(&key, text.as_bytes(), &tag).map_err(|_| Code::EntrySignatureWrong)
}

/// The ticket of an enrolment, for its person.
///
/// # Errors
/// `not_found`, `forbidden`, `enrolment_not_confirmed`.
pub fn ticket(
    conn: &mut Conn,
    desk: &Desk,
    vault: &Vault,
    (caller, now): (&Caller, Instant),
    id: EnrolmentId,
) -> Result<Ticket> {
    let seen = visible(conn, caller, id, now)?;
    seen.relation.acts_as(By::Person)?;
    holds_place(&seen)?;
    let (numbers, shift) = (numbers(desk), &seen.shift);
    Ok(Ticket {
        enrolment_id: id,
        key: URL_SAFE_NO_PAD.encode(key(vault, id, caller.account)),
        valid_from: shift.starts_at - TimeDelta::minutes(numbers.check_in_minutes),
        valid_until: shift.ends_at + TimeDelta::hours(numbers.check_out_hours),
        taken_hours: numbers.late_hours,
    })
}

/// Takes entries, each on its own; answers in their order.
///
/// # Errors
/// Those of the database. Each entry: `time_skewed`, `entry_signature_wrong`, and those of showing the code
/// at its instant.
pub fn enter(
    tx: &mut Tx<'_>,
    desk: &Desk,
    vault: &Vault,
    caller: &Caller,
    sent: &Entries,
) -> Result<Vec<Result<Attendance, Error>>> {
    // activities are locked before enrolments, both in the order of their ids
    let mut activities = Vec::new();
    for entry in &sent.entries {
        match enrolments::enrolment(tx.conn, entry.enrolment_id) {
            Ok(enrolment) => activities.push(enrolment.activity_id),
            Err(Error::Problem(_)) => {}
            Err(error) => return Err(error),
        }
    }
    activities.sort_unstable();
    activities.dedup();
    for id in activities {
        share(tx, id)?;
    }
    let mut order: Vec<_> = (0..sent.entries.len()).collect();
    order.sort_by_key(|at| (sent.entries[*at].enrolment_id, sent.entries[*at].side));
    let mut answers = Vec::new();
    for at in order {
        let entry = &sent.entries[at];
        let answer = tx.savepoint(|tx| one(tx, desk, vault, caller, (entry, sent.sent_at)));
        match answer {
            Ok(_) | Err(Error::Problem(_)) => answers.push((at, answer)),
            Err(error) => return Err(error),
        }
    }
    answers.sort_by_key(|(at, _)| *at);
    Ok(answers.into_iter().map(|(_, answer)| answer).collect())
}

fn one(
    tx: &mut Tx<'_>,
    desk: &Desk,
    vault: &Vault,
    caller: &Caller,
    (entry, sent_at): (&Entry, Instant),
) -> Result<Attendance> {
    let numbers = numbers(desk);
    let seen = seen(tx, caller, entry.enrolment_id)?;
    seen.relation.acts_as(By::Person)?;
    verify(vault, entry, caller.account)?;
    let known = match entry.side {
        Side::In => &seen.attendance.entry_in,
        Side::Out => &seen.attendance.entry_out,
    };
    if known.as_ref() == Some(&entry.signature) {
        return Ok(seen.attendance);
    }
    holds_place(&seen)?;
    may_follow(&seen, entry.side)?;
    let at = rules::true_instant(entry.at, sent_at, tx.now, numbers)?;
    rules::is_taken(at, tx.now, numbers)?;
    rules::fits(entry.side, &seen.shift, at, numbers)?;
    rules::code_fits(vault, seen.activity.id, &entry.code, at)?;
    let late = Record {
        side: entry.side,
        at,
        means: Means::Code,
        entry: Some(&entry.signature),
    };
    record(tx, &seen, &late, caller)
}
