//! Certificates: submitted by volunteers, reviewed by the staff of their region.

use std::collections::{HashMap, HashSet};

use chrono::NaiveDate;
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;
use validator::Validate;

use super::super::model::{Qualification, QualificationId, QualificationStatus, Volunteer};
use super::super::rules::{self, MOVES, Relation};
use super::super::store;
use super::Desk;
use crate::error::{Code, Error, Result};
use crate::identity::{self, AccountId, Caller, DataUse, Reader, Role, Sensitive};
use crate::notifications::{self, Kind, Notice, notify};
use crate::platform::db::{Conn, Tx};
use crate::platform::files;
use crate::platform::http::Page;
use crate::platform::journal::{Actor, Change, Entry};
use crate::platform::lifecycle;
use crate::platform::token::Vault;
use crate::regions::RegionId;
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
    Ok(held_by(conn, &[id])?.holds(id, kind, on))
}

/// The certificates of some people.
pub struct Held(HashMap<AccountId, Vec<Qualification>>);

impl Held {
    /// Whether one of them holds this kind of qualification, or one that includes it, on a day.
    pub fn holds(&self, who: AccountId, kind: &str, on: NaiveDate) -> bool {
        let mut theirs = self.0.get(&who).into_iter().flatten();
        theirs.any(|q| {
            q.status == QualificationStatus::Verified
                && q.expires_on.is_none_or(|last| on <= last)
                && rules::includes(&q.kind, kind)
        })
    }
}

/// The certificates of these people, asked for at once.
///
/// # Errors
/// Those of the database.
pub fn held_by(conn: &mut Conn, people: &[AccountId]) -> Result<Held> {
    let mut held: HashMap<_, Vec<_>> = HashMap::new();
    for certificate in store::of_volunteers(conn, people)? {
        held.entry(certificate.account_id)
            .or_default()
            .push(certificate);
    }
    Ok(Held(held))
}

/// Whose certificate counts no more since an entry of the journal, and its kind: it was revoked or taken
/// back after it was verified, or its last day is over.
///
/// # Errors
/// Those of the database.
pub fn ended(conn: &mut Conn, entry: &Entry) -> Result<Option<(AccountId, String)>> {
    let has_ended = match entry.kind.as_str() {
        "qualification.expired" => true,
        "qualification.revoke" | "qualification.withdraw" => {
            entry.from_state.as_deref() == Some(QualificationStatus::Verified.as_str())
        }
        _ => false,
    };
    if !has_ended {
        return Ok(None);
    }
    match store::qualification(conn, QualificationId(entry.subject_id.0)) {
        Ok(row) => Ok(Some((row.account_id, row.kind))),
        Err(Error::Problem(_)) => Ok(None), // gone with its holder
        Err(error) => Err(error),
    }
}

/// Whose profile or certificates are others since an entry of the journal: what the person may take on may
/// be another, too.
///
/// # Errors
/// Those of the database.
pub fn changed(conn: &mut Conn, entry: &Entry) -> Result<Option<AccountId>> {
    match entry.kind.as_str() {
        "volunteer.joined" | "volunteer.updated" => Ok(Some(AccountId(entry.subject_id.0))),
        "qualification.verify"
        | "qualification.revoke"
        | "qualification.withdraw"
        | "qualification.expired" => {
            match store::qualification(conn, QualificationId(entry.subject_id.0)) {
                Ok(row) => Ok(Some(row.account_id)),
                Err(Error::Problem(_)) => Ok(None), // gone with its holder
                Err(error) => Err(error),
            }
        }
        _ => Ok(None),
    }
}

/// How a caller stands to the certificates of a volunteer.
///
/// # Errors
/// Those of the database.
fn relation(conn: &mut Conn, caller: &Caller, holder: &Volunteer) -> Result<Relation> {
    Ok(Relation {
        holder: holder.account_id == caller.account,
        reviewer: caller.holds_in_region(conn, &[Role::RegionAdmin], holder.region_id)?,
    })
}

/// A certificate, whose it is, and how the caller stands to it; nothing of one the caller may not know.
fn visible(
    conn: &mut Conn,
    caller: &Caller,
    id: QualificationId,
) -> Result<(Qualification, Volunteer, Relation)> {
    let row = store::qualification(conn, id)?;
    let holder = store::volunteer(conn, row.account_id)?.ok_or(Code::NotFound)?;
    let relation = relation(conn, caller, &holder)?;
    if relation.is_involved() {
        Ok((row, holder, relation))
    } else {
        Err(Code::NotFound.into())
    }
}

/// What a certificate is called.
pub(super) fn title(row: &Qualification) -> String {
    taxonomies::qualification(&row.kind).map_or(row.kind.clone(), |kind| kind.zh.clone())
}

/// The number of a certificate, opened.
///
/// # Errors
/// When it was sealed with another secret.
pub fn number(vault: &Vault, row: &Qualification) -> Result<String> {
    String::from_utf8(vault.open(&row.number)?).map_err(Error::internal)
}

/// Kind and number by a keyed hash.
pub(super) fn hash(vault: &Vault, kind: &str, number: &str) -> Vec<u8> {
    let number = rules::normal_number(number);
    vault.lookup_hash("certificate", format!("{kind}\0{number}"))
}

pub(super) fn change(row: &Qualification, holder: &Volunteer, actor: Actor, verb: &str) -> Change {
    Change::new(actor, format!("qualification.{verb}"), row.id.0).region(holder.region_id.0)
}

// ---- the holder

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
/// `profile_required` for somebody who is not a volunteer; `invalid` with every wrong field;
/// `qualification_exists` while the same certificate waits or is in force.
pub fn submit(
    tx: &mut Tx<'_>,
    desk: &Desk,
    caller: &Caller,
    new: &NewQualification,
) -> Result<Qualification> {
    // the same one sent twice at once spans no row yet
    tx.serialize_on(&format!("qualifications:{}", caller.account))?;
    let holder = store::volunteer(tx.conn, caller.account)?.ok_or(Code::ProfileRequired)?;
    let today = tx.today();
    let mut wrong = rules::check_dates(new.issued_on, new.expires_on, holder.birth_date, today);
    if taxonomies::qualification(&new.kind).is_none() {
        wrong = wrong.field("/kind", Code::UnknownQualification);
    }
    if rules::normal_number(&new.number).is_empty() {
        wrong = wrong.field("/number", Code::Format);
    }
    if !wrong.errors.is_empty() {
        return Err(wrong.into());
    }
    let hash = hash(&desk.vault, &new.kind, &new.number);
    let days = desk.rules.reminder_days;
    let same = store::of_number(tx.conn, caller.account, &hash)?;
    let is_live = |one: &Qualification| rules::is_live(one.status, one.expires_on, days, today);
    if same.iter().any(is_live) {
        return Err(Code::QualificationExists.into());
    }
    let row = Qualification {
        id: QualificationId::new(),
        account_id: caller.account,
        kind: new.kind.clone(),
        number: desk.vault.seal(new.number.as_bytes())?,
        issued_on: new.issued_on,
        expires_on: new.expires_on,
        status: QualificationStatus::Submitted,
        reviewed_by: None,
        reviewed_at: None,
        reason: None,
        created_at: tx.now,
        number_hash: Some(hash),
        document: None,
        notice_on: None,
    };
    store::insert_qualification(tx.conn, &row)?;
    let submitted = change(&row, &holder, caller.actor(), "submitted");
    tx.journal(submitted.payload(json!({ "kind": row.kind })))?;
    let subject = ("qualification", row.id.0);
    for to in notifications::staff_of(tx.conn, holder.region_id)? {
        if to != caller.account {
            let notice = Notice::titled(to, Kind::QualificationSubmitted, subject, &title(&row));
            notify(tx, &notice)?;
        }
    }
    Ok(row)
}

/// Whether the caller may add the document of a certificate: asked before it is kept, too.
///
/// # Errors
/// `not_found` for a certificate that is not one's own, `move_not_allowed` once it does not wait any
/// more: a reviewer has seen what is there.
pub fn may_attach(
    conn: &mut Conn,
    caller: &Caller,
    id: QualificationId,
) -> Result<(Qualification, Volunteer)> {
    let (row, holder, relation) = visible(conn, caller, id)?;
    if !relation.holder {
        return Err(Code::NotFound.into());
    }
    if row.status != QualificationStatus::Submitted {
        return Err(lifecycle::refusal(MOVES, relation, row.status));
    }
    Ok((row, holder))
}

/// Adds the document of one's certificate, in the place of one before.
///
/// # Errors
/// Those of [`may_attach`].
pub fn attach(
    tx: &mut Tx<'_>,
    caller: &Caller,
    id: QualificationId,
    key: &str,
) -> Result<Qualification> {
    let (row, holder) = may_attach(tx.conn, caller, id)?;
    if !store::set_document(tx.conn, id, key)? {
        return Err(refusal(tx.conn, caller, &holder, id)?);
    }
    if let Some(before) = row.document.as_deref().filter(|before| *before != key) {
        files::remove_later(tx, before)?;
    }
    tx.journal(change(&row, &holder, caller.actor(), "document_added"))?;
    store::qualification(tx.conn, id)
}

/// Where the document of a certificate is kept, for its holder and the staff of the holder's region.
/// The holder is told that staff read it.
///
/// # Errors
/// `not_found` for anybody else, and where there is none.
pub fn document(tx: &mut Tx<'_>, caller: &Caller, id: QualificationId) -> Result<String> {
    let (row, ..) = visible(tx.conn, caller, id)?;
    let key = row.document.ok_or(Code::NotFound)?;
    let what = Sensitive::CertificateDocument;
    shown(tx, caller, row.account_id, what)?;
    Ok(key)
}

/// Tells a holder that staff are shown what a reviewer needs.
fn shown(tx: &mut Tx<'_>, caller: &Caller, holder: AccountId, what: Sensitive) -> Result<()> {
    let (reader, why) = (Reader::RegionStaff, DataUse::Verification);
    identity::disclosed(tx, caller, holder, what, reader, why)
}

/// Takes one's certificate back, whether it waits or is in force.
///
/// # Errors
/// `not_found`, `forbidden` for anybody but its holder, `move_not_allowed`.
pub fn withdraw(tx: &mut Tx<'_>, caller: &Caller, id: QualificationId) -> Result<Qualification> {
    let (seen, holder) = to_move(tx.conn, caller, id, "withdraw")?;
    if is_repeat(tx.conn, &seen, "withdraw", caller)? {
        return Ok(seen);
    }
    let to = Qualification {
        notice_on: None,
        ..seen.clone()
    };
    advance(tx, &holder, caller, &seen, to, "withdraw", None)
}

// ---- the reviewer

/// A certificate as a reviewer is shown it.
pub struct ForReview {
    /// The row.
    pub row: Qualification,
    /// How the caller stands to it.
    pub relation: Relation,
    /// What the holder is called; none for an account that is gone.
    pub holder_name: Option<String>,
    /// Whether somebody else handed the same kind and number in, whatever became of that.
    pub number_known_elsewhere: bool,
}

/// A page of the certificates of a region's volunteers in one state. Each holder is told that staff
/// read name and number.
///
/// # Errors
/// `not_found` outside of one's regions.
pub fn of_region(
    tx: &mut Tx<'_>,
    caller: &Caller,
    region: RegionId,
    status: QualificationStatus,
    after: Option<QualificationId>,
    limit: i64,
) -> Result<Page<ForReview>> {
    if !caller.holds_in_region(tx.conn, &[Role::RegionAdmin], region)? {
        return Err(Code::NotFound.into());
    }
    let rows = store::in_region(tx.conn, region, status, after, limit)?;
    let page = Page::of(rows, limit, |row| row.id);
    let hashes = page.items.iter().filter_map(|row| row.number_hash.clone());
    let holders: HashSet<_> = store::holders_of(tx.conn, hashes.collect())?
        .into_iter()
        .collect();
    page.try_map(|row| {
        shown(tx, caller, row.account_id, Sensitive::Name)?;
        shown(tx, caller, row.account_id, Sensitive::CertificateNumber)?;
        let is_elsewhere = |(hash, holder): &(Vec<u8>, AccountId)| {
            Some(hash) == row.number_hash.as_ref() && *holder != row.account_id
        };
        Ok(ForReview {
            relation: Relation {
                holder: row.account_id == caller.account,
                reviewer: true,
            },
            holder_name: identity::account(tx.conn, row.account_id)
                .ok()
                .map(|account| account.display_name),
            number_known_elsewhere: holders.iter().any(is_elsewhere),
            row,
        })
    })
}

/// Verifies a submitted certificate: it counts until its own end, or until the product asks again.
///
/// # Errors
/// `not_found` outside of one's region, `own_qualification`, `move_not_allowed` once it was reviewed.
pub fn verify(
    tx: &mut Tx<'_>,
    desk: &Desk,
    caller: &Caller,
    id: QualificationId,
) -> Result<Qualification> {
    let (seen, holder) = to_move(tx.conn, caller, id, "verify")?;
    if is_repeat(tx.conn, &seen, "verify", caller)? {
        return Ok(seen);
    }
    let expires_on = rules::expiry(&seen.kind, seen.expires_on, tx.today());
    let to = Qualification {
        expires_on,
        notice_on: rules::first_notice(expires_on, desk.rules.reminder_days),
        ..reviewed(tx, caller, &seen, None)
    };
    let moved = advance(tx, &holder, caller, &seen, to, "verify", None)?;
    tell(tx, &moved, Kind::QualificationVerified, "")?;
    Ok(moved)
}

/// Rejects a submitted certificate with a reason.
///
/// # Errors
/// As [`verify`].
pub fn reject(
    tx: &mut Tx<'_>,
    caller: &Caller,
    id: QualificationId,
    reason: &str,
) -> Result<Qualification> {
    refuse(
        tx,
        caller,
        id,
        ("reject", Kind::QualificationRejected),
        reason,
    )
}

/// Takes a verification back with a reason: the certificate counts no more.
///
/// # Errors
/// As [`verify`].
pub fn revoke(
    tx: &mut Tx<'_>,
    caller: &Caller,
    id: QualificationId,
    reason: &str,
) -> Result<Qualification> {
    refuse(
        tx,
        caller,
        id,
        ("revoke", Kind::QualificationRevoked),
        reason,
    )
}

fn refuse(
    tx: &mut Tx<'_>,
    caller: &Caller,
    id: QualificationId,
    (verb, kind): (&str, Kind),
    reason: &str,
) -> Result<Qualification> {
    let (seen, holder) = to_move(tx.conn, caller, id, verb)?;
    if is_repeat(tx.conn, &seen, verb, caller)? {
        return Ok(seen);
    }
    let to = reviewed(tx, caller, &seen, Some(reason));
    let moved = advance(tx, &holder, caller, &seen, to, verb, Some(reason))?;
    tell(tx, &moved, kind, reason)?;
    Ok(moved)
}

/// The certificate with who looked at it, when, and what there was to say.
fn reviewed(
    tx: &Tx<'_>,
    caller: &Caller,
    seen: &Qualification,
    reason: Option<&str>,
) -> Qualification {
    Qualification {
        reviewed_by: Some(caller.account),
        reviewed_at: Some(tx.now),
        reason: reason.map(str::to_owned),
        notice_on: None,
        ..seen.clone()
    }
}

// ---- moves

/// A certificate and whose it is, for a caller whose move it is.
fn to_move(
    conn: &mut Conn,
    caller: &Caller,
    id: QualificationId,
    verb: &str,
) -> Result<(Qualification, Volunteer)> {
    let (row, holder, relation) = visible(conn, caller, id)?;
    lifecycle::may(MOVES, relation, verb)?;
    Ok((row, holder))
}

fn is_repeat(conn: &mut Conn, row: &Qualification, verb: &str, caller: &Caller) -> Result<bool> {
    let subject = ("qualification", row.id.0);
    lifecycle::is_repeat(conn, MOVES, subject, row.status, verb, caller.actor())
}

/// The refusal of a move that the table does not have where it stands now, with those that are the
/// caller's.
fn refusal(
    conn: &mut Conn,
    caller: &Caller,
    holder: &Volunteer,
    id: QualificationId,
) -> Result<Error> {
    let (now, stands) = (
        store::qualification(conn, id)?,
        relation(conn, caller, holder)?,
    );
    Ok(lifecycle::refusal(MOVES, stands, now.status))
}

/// Makes one move: by the table, by compare-and-set, into the journal.
fn advance(
    tx: &mut Tx<'_>,
    holder: &Volunteer,
    caller: &Caller,
    seen: &Qualification,
    to: Qualification,
    verb: &str,
    reason: Option<&str>,
) -> Result<Qualification> {
    let Some(status) = lifecycle::next(MOVES, seen.status, verb) else {
        return Err(refusal(tx.conn, caller, holder, seen.id)?);
    };
    let to = Qualification { status, ..to };
    if !store::advance(tx.conn, seen.status, &to)? {
        return Err(refusal(tx.conn, caller, holder, seen.id)?);
    }
    let moved = change(seen, holder, caller.actor(), verb)
        .states(seen.status.into(), to.status.into())
        .reason(reason);
    tx.journal(moved)?;
    store::qualification(tx.conn, seen.id)
}

fn tell(tx: &mut Tx<'_>, row: &Qualification, kind: Kind, reason: &str) -> Result<()> {
    let subject = ("qualification", row.id.0);
    let notice = Notice::titled(row.account_id, kind, subject, &title(row));
    notify(tx, &notice.with("reason", reason))
}
