//! Consents: per purpose, with version, time and channel; withdrawn as easily as given (PIPL
//! Art. 13–15).

use diesel::prelude::*;
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use super::Caller;
use super::model::AccountId;
use crate::error::Result;
use crate::platform::clock::Instant;
use crate::platform::db::{Conn, Tx};
use crate::platform::journal::Change;
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

/// Gives a consent; one to the same text that is in force is answered again.
pub(super) fn give(
    tx: &mut Tx<'_>,
    caller: &Caller,
    purpose: Purpose,
    text_version: &str,
) -> Result<Consent> {
    if let Some(current) = current(tx.conn, caller.account, purpose)? {
        if current.text_version == text_version {
            return Ok(current);
        }
        end(tx, current.id)?;
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
    let what = json!({ "purpose": purpose, "text_version": text_version });
    tx.journal(
        Change::new(caller.actor(), "account.consent_given", caller.account.0).payload(what),
    )?;
    Ok(consent)
}

/// Withdraws a consent; withdrawing what is not in force changes nothing.
pub(super) fn withdraw(tx: &mut Tx<'_>, caller: &Caller, purpose: Purpose) -> Result<()> {
    let Some(current) = current(tx.conn, caller.account, purpose)? else {
        return Ok(());
    };
    end(tx, current.id)?;
    let what = json!({ "purpose": purpose });
    tx.journal(
        Change::new(
            caller.actor(),
            "account.consent_withdrawn",
            caller.account.0,
        )
        .payload(what),
    )
}

fn end(tx: &mut Tx<'_>, id: ConsentId) -> Result<()> {
    diesel::update(consents::table.find(id))
        .set(consents::withdrawn_at.eq(Some(tx.now)))
        .execute(tx.conn)?;
    Ok(())
}
