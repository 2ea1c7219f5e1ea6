//! Consents: per purpose, with version, time and channel; withdrawn as easily as given (PIPL
//! Art. 13–15).

use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::model::AccountId;
use super::{Caller, consent_texts};
use crate::error::{Code, Error, Problem, Result};
use crate::platform::clock::Instant;
use crate::platform::db::{Conn, Tx};
use crate::platform::journal::{Change, Entry};
use crate::schema::consents;
use crate::{id, text_enum};

id! {
    /// Names a consent.
    ConsentId
}

text_enum! {
    /// What personal data is used for.
    Purpose {
        /// Keeping an account and answering its requests.
        Service,
        /// Recommending needs by profile (PIPL Art. 24).
        Personalization,
        /// Keeping and using Party membership (sensitive).
        PartyMembership,
        /// Keeping health facts (sensitive).
        Health,
        /// Keeping location traces of check-ins (sensitive).
        LocationTraces,
        /// Sharing contact data with another organisation.
        Sharing,
        /// Being named in public.
        Publication,
    }
}

text_enum! {
    /// How a consent was given.
    Channel {
        /// In an app or page, by the person.
        App,
        /// On paper, recorded by staff.
        Paper,
        /// By word of mouth, recorded by staff.
        Oral,
    }
}

/// A consent.
#[derive(Clone, Debug, Queryable, Selectable, Insertable, Serialize, ToSchema)]
#[diesel(table_name = consents)]
pub struct Consent {
    /// Its name.
    pub id: ConsentId,
    /// Whose.
    pub account_id: AccountId,
    /// For what.
    pub purpose: Purpose,
    /// The version of the text that was agreed to.
    pub text_version: String,
    /// How it was given.
    pub channel: Channel,
    /// When it was given.
    pub given_at: Instant,
    /// When it was withdrawn.
    pub withdrawn_at: Option<Instant>,
}

/// Whether the account agrees to this use today.
///
/// # Errors
/// Those of the database.
pub fn has_consent(conn: &mut Conn, account: AccountId, purpose: Purpose) -> Result<bool> {
    Ok(current(conn, account, purpose)?.is_some())
}

/// The consent to this use that is in force, held until the end of the transaction: who withdraws
/// it at the same time waits, and the withdrawal finds what was stored under it.
///
/// # Errors
/// Those of the database.
pub fn hold_consent(
    tx: &mut Tx<'_>,
    account: AccountId,
    purpose: Purpose,
) -> Result<Option<ConsentId>> {
    Ok(held(tx, account, purpose)?.map(|consent| consent.id))
}

fn held(tx: &mut Tx<'_>, account: AccountId, purpose: Purpose) -> Result<Option<Consent>> {
    tx.serialize_on(&format!("consent:{account}:{purpose}"))?;
    current(tx.conn, account, purpose)
}

/// Whether exactly this consent is neither withdrawn nor replaced.
///
/// # Errors
/// Those of the database.
pub fn is_in_force(conn: &mut Conn, id: ConsentId) -> Result<bool> {
    Ok(diesel::select(diesel::dsl::exists(
        consents::table
            .filter(consents::id.eq(id))
            .filter(consents::withdrawn_at.is_null()),
    ))
    .get_result(conn)?)
}

/// What the journal tells of a consent that is no longer in force, for rooms that keep what was
/// given under it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConsentEnd {
    /// Withdrawn: what was given under it may not be kept.
    Withdrawn(ConsentId),
    /// Given again, to another text: what was given under the first is kept under the second.
    Replaced(ConsentId, ConsentId),
}

/// What the journal keeps of a consent.
#[derive(Serialize, Deserialize)]
struct Told {
    purpose: Purpose,
    consent_id: ConsentId,
    #[serde(skip_serializing_if = "Option::is_none")]
    text_version: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    replaces: Option<ConsentId>,
}

impl ConsentEnd {
    /// Reads an entry; nothing when it tells of something else.
    pub fn of(entry: &Entry) -> Option<Self> {
        let told = || serde_json::from_value::<Told>(entry.payload.0.clone()).ok();
        match entry.kind.as_str() {
            "account.consent_withdrawn" => told().map(|told| Self::Withdrawn(told.consent_id)),
            "account.consent_given" => {
                let told = told()?;
                Some(Self::Replaced(told.replaces?, told.consent_id))
            }
            _ => None,
        }
    }
}

fn current(conn: &mut Conn, account: AccountId, purpose: Purpose) -> Result<Option<Consent>> {
    Ok(consents::table
        .filter(consents::account_id.eq(account))
        .filter(consents::purpose.eq(purpose))
        .filter(consents::withdrawn_at.is_null())
        .select(Consent::as_select())
        .first(conn)
        .optional()?)
}

pub(super) fn of_account(conn: &mut Conn, account: AccountId) -> Result<Vec<Consent>> {
    Ok(consents::table
        .filter(consents::account_id.eq(account))
        .order(consents::id)
        .select(Consent::as_select())
        .load(conn)?)
}

/// Gives a consent to the current text; one to it that is in force is answered again.
///
/// # Errors
/// `invalid` for any other text.
pub fn give(
    tx: &mut Tx<'_>,
    caller: &Caller,
    purpose: Purpose,
    text_version: &str,
) -> Result<Consent> {
    if !consent_texts::is_current(purpose, text_version) {
        let unknown = Problem::new(Code::Invalid).field("/text_version", Code::UnknownReference);
        return Err(unknown.into());
    }
    let held = held(tx, caller.account, purpose)?;
    let replaces = held.as_ref().map(|held| held.id);
    if let Some(held) = held {
        if held.text_version == text_version {
            return Ok(held);
        }
        end(tx, held.id)?;
    }
    let consent = Consent {
        id: ConsentId::new(),
        account_id: caller.account,
        purpose,
        text_version: text_version.to_owned(),
        channel: Channel::App,
        given_at: tx.now,
        withdrawn_at: None,
    };
    diesel::insert_into(consents::table)
        .values(&consent)
        .execute(tx.conn)?;
    let told = Told {
        purpose,
        consent_id: consent.id,
        text_version: Some(consent.text_version.clone()),
        replaces,
    };
    tell(tx, caller, "account.consent_given", &told)?;
    Ok(consent)
}

/// Withdraws a consent; withdrawing what is not in force changes nothing.
pub(super) fn withdraw(tx: &mut Tx<'_>, caller: &Caller, purpose: Purpose) -> Result<()> {
    let Some(consent_id) = hold_consent(tx, caller.account, purpose)? else {
        return Ok(());
    };
    end(tx, consent_id)?;
    let told = Told {
        purpose,
        consent_id,
        text_version: None,
        replaces: None,
    };
    tell(tx, caller, "account.consent_withdrawn", &told)
}

fn tell(tx: &mut Tx<'_>, caller: &Caller, kind: &str, told: &Told) -> Result<()> {
    let told = serde_json::to_value(told).map_err(Error::internal)?;
    tx.journal(Change::new(caller.actor(), kind, caller.account.0).payload(told))
}

fn end(tx: &mut Tx<'_>, id: ConsentId) -> Result<()> {
    diesel::update(consents::table.find(id))
        .set(consents::withdrawn_at.eq(Some(tx.now)))
        .execute(tx.conn)?;
    Ok(())
}
