use chrono::NaiveDate;
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;
use validator::Validate;

use super::model::{Profile, Qualification, QualificationId, QualificationStatus, Volunteer};
use super::rules::{self, MOVES};
use super::store;
use crate::error::{Code, Problem, Result, together};
use crate::identity::{AccountId, Caller, Role};
use crate::notifications::{Kind, Notice, notify};
use crate::platform::db::{Conn, Tx};
use crate::platform::http::{IfMatch, valid};
use crate::platform::journal::{Actor, Change};
use crate::platform::lifecycle;
use crate::platform::token::Vault;
use crate::{regions, taxonomies};

/// A volunteer's profile and its version; none for somebody who is not a volunteer.
///
/// # Errors
/// Those of the database.
pub fn profile(conn: &mut Conn, id: AccountId) -> Result<Option<(Profile, i32)>> {
    let Some(volunteer) = store::volunteer(conn, id)? else {
        return Ok(None);
    };
    Ok(Some((store::profile(conn, &volunteer)?, volunteer.version)))
}

/// When a volunteer was born; none where nobody knows.
///
/// # Errors
/// Those of the database.
pub fn birth_date(conn: &mut Conn, id: AccountId) -> Result<Option<NaiveDate>> {
    Ok(store::volunteer(conn, id)?.and_then(|volunteer| volunteer.birth_date))
}

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

/// Writes one's profile whole. The first time makes one a volunteer.
///
/// # Errors
/// `invalid` with every wrong field; with a profile there already, `version_required` and
/// `version_mismatch`.
pub fn write_profile(
    tx: &mut Tx<'_>,
    caller: &Caller,
    seen: &IfMatch,
    profile: &Profile,
) -> Result<(Profile, i32)> {
    write(tx, caller.actor(), caller.account, Some(seen), profile)
}

/// Takes over a profile from somewhere else, whatever stood there.
///
/// # Errors
/// `invalid` with every wrong field.
pub fn import(
    tx: &mut Tx<'_>,
    actor: Actor,
    account: AccountId,
    profile: &Profile,
) -> Result<(Profile, i32)> {
    check(tx, profile)?;
    write(tx, actor, account, None, profile)
}

/// Looks at a profile that comes from somewhere else.
///
/// # Errors
/// `invalid` with every wrong field.
pub fn check(tx: &mut Tx<'_>, profile: &Profile) -> Result<()> {
    together([valid::check(profile, ""), fits(tx, profile)])
}

fn fits(tx: &mut Tx<'_>, profile: &Profile) -> Result<()> {
    let mut wrong = rules::check(profile, tx.today());
    if regions::by_id(tx.conn, profile.region_id).is_err() {
        wrong = wrong.field("/region_id", Code::UnknownReference);
    }
    if wrong.errors.is_empty() {
        Ok(())
    } else {
        Err(wrong.into())
    }
}

fn write(
    tx: &mut Tx<'_>,
    actor: Actor,
    account: AccountId,
    seen: Option<&IfMatch>,
    profile: &Profile,
) -> Result<(Profile, i32)> {
    fits(tx, profile)?;
    let known = store::volunteer(tx.conn, account)?;
    let verb = if known.is_some() {
        "volunteer.updated"
    } else {
        "volunteer.joined"
    };
    let row = Volunteer {
        account_id: account,
        region_id: profile.region_id,
        introduction: profile.introduction.clone(),
        birth_date: profile.birth_date,
        version: known.as_ref().map_or(1, |known| known.version),
        created_at: known.as_ref().map_or(tx.now, |known| known.created_at),
        updated_at: tx.now,
    };
    match known {
        None => store::insert(tx.conn, &row)?,
        Some(known) => {
            if let Some(seen) = seen {
                seen.expect(known.version)?;
            }
            if !store::update(tx.conn, &row)? {
                return Err(Code::VersionMismatch.into());
            }
        }
    }
    store::replace_parts(tx, account, profile)?;
    tx.journal(Change::new(actor, verb, account.0).region(profile.region_id.0))?;
    self::profile(tx.conn, account)?.ok_or_else(|| Code::NotFound.into())
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
