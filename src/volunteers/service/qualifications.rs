//! Certificates: submitted by volunteers, reviewed by the staff of their region.

use chrono::NaiveDate;
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;
use validator::Validate;

use super::super::model::{Qualification, QualificationId, QualificationStatus};
use super::super::rules::{self, MOVES};
use super::super::store;
use crate::error::{Code, Problem, Result};
use crate::identity::{AccountId, Caller, Role};
use crate::notifications::{Kind, Notice, notify};
use crate::platform::db::{Conn, Tx};
use crate::platform::journal::Change;
use crate::platform::lifecycle;
use crate::platform::token::Vault;
use crate::taxonomies;

/// Whether the volunteer holds this kind of qualification, or one that includes it, on a day.
///
/// # Errors
/// Those of the database.
pub fn holds_qualification(
    conn: &mut Conn,
    id: AccountId,
    kind: &str,
    on: NaiveDate,
) -> Result<bool> {
    let held = store::of_volunteer(conn, id)?;
    Ok(held.iter().any(|q| {
        q.status == QualificationStatus::Verified
            && q.expires_on.is_none_or(|last| on <= last)
            && rules::includes(&q.kind, kind)
    }))
}

/// A certificate to be verified.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct NewQualification {
    /// A code of the taxonomy.
    #[schema(example = "lawyer")]
    #[validate(length(min = 1, max = 60))]
    pub kind: String,
    /// The certificate's number; kept sealed, shown to reviewers.
    #[validate(length(min = 1, max = 60))]
    pub number: String,
    /// The certificate's date.
    pub issued_on: NaiveDate,
    /// The last day on which the certificate itself counts, where it says one.
    pub expires_on: Option<NaiveDate>,
}

/// Submits a certificate to the staff of one's region.
///
/// # Errors
/// `profile_required` for somebody who is not a volunteer; `invalid` with every wrong field.
pub fn submit_qualification(
    tx: &mut Tx<'_>,
    vault: &Vault,
    caller: &Caller,
    new: &NewQualification,
) -> Result<Qualification> {
    let volunteer = store::volunteer(tx.conn, caller.account)?.ok_or(Code::ProfileRequired)?;
    let today = tx.now.with_timezone(&tx.zone).date_naive();
    let mut wrong = Problem::new(Code::Invalid);
    if taxonomies::qualification(&new.kind).is_none() {
        wrong = wrong.field("/kind", Code::UnknownQualification);
    }
    if new.issued_on > today {
        wrong = wrong.field("/issued_on", Code::InTheFuture);
    }
    if new.expires_on.is_some_and(|last| last < today) {
        wrong = wrong.field("/expires_on", Code::InThePast);
    }
    if !wrong.errors.is_empty() {
        return Err(wrong.into());
    }
    let qualification = Qualification {
        id: QualificationId::new(),
        account_id: caller.account,
        kind: new.kind.clone(),
        number: vault.seal(new.number.as_bytes())?,
        issued_on: new.issued_on,
        expires_on: new.expires_on,
        status: QualificationStatus::Submitted,
        reviewed_by: None,
        reviewed_at: None,
        reason: None,
        created_at: tx.now,
    };
    store::insert_qualification(tx.conn, &qualification)?;
    let change = Change::new(
        caller.actor(),
        "qualification.submitted",
        qualification.id.0,
    );
    tx.journal(
        change
            .region(volunteer.region_id.0)
            .payload(json!({ "kind": new.kind })),
    )?;
    Ok(qualification)
}

/// Verifies or rejects a submitted certificate. The same review by the same person is answered
/// again.
///
/// # Errors
/// `not_found` outside of one's region, `own_qualification`, `move_not_allowed` once reviewed.
pub fn review_qualification(
    tx: &mut Tx<'_>,
    caller: &Caller,
    id: QualificationId,
    rejected: Option<&str>,
) -> Result<Qualification> {
    let seen = store::qualification(tx.conn, id)?;
    let volunteer = store::volunteer(tx.conn, seen.account_id)?.ok_or(Code::NotFound)?;
    if seen.account_id == caller.account {
        return Err(Code::OwnQualification.into());
    }
    if !caller.holds_in_region(tx.conn, &[Role::RegionAdmin], volunteer.region_id)? {
        return Err(Code::NotFound.into());
    }
    let verb = if rejected.is_some() {
        "reject"
    } else {
        "verify"
    };
    let wanted = if rejected.is_some() {
        QualificationStatus::Rejected
    } else {
        QualificationStatus::Verified
    };
    if seen.status == wanted && seen.reviewed_by == Some(caller.account) {
        return Ok(seen);
    }
    let to = lifecycle::step(MOVES, seen.status, verb)?;
    let today = tx.now.with_timezone(&tx.zone).date_naive();
    let expires_on = match rejected {
        Some(_) => seen.expires_on,
        None => rules::expiry(&seen.kind, seen.expires_on, today),
    };
    if !store::review(tx, &seen, to, caller.account, expires_on, rejected)? {
        let now = store::qualification(tx.conn, id)?;
        return Err(lifecycle::refusal(MOVES, now.status));
    }
    let change = Change::new(caller.actor(), format!("qualification.{verb}"), id.0)
        .region(volunteer.region_id.0)
        .states(seen.status.into(), to.into())
        .reason(rejected);
    tx.journal(change)?;
    let name =
        taxonomies::qualification(&seen.kind).map_or(seen.kind.clone(), |kind| kind.zh.clone());
    let kind = if rejected.is_some() {
        Kind::QualificationRejected
    } else {
        Kind::QualificationVerified
    };
    let notice = Notice::titled(seen.account_id, kind, ("qualification", id.0), &name);
    notify(tx, &notice.with("reason", rejected.unwrap_or_default()))?;
    store::qualification(tx.conn, id)
}
