//! Who read a person's sensitive data is visible to that person (domain: personal data; PIPL
//! Art. 44). Rooms that show such data tell of it here; the journal keeps it, about the person.
//!
//! The reader is named by the part it played, not by name: the branch or the wish is known to the
//! person, and staff answer for a reading as an office. The journal knows the account.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Caller;
use super::model::AccountId;
use crate::error::{Error, Result};
use crate::platform::clock::Instant;
use crate::platform::db::{Conn, Tx};
use crate::platform::journal::{self, Change, Entry};
use crate::text_enum;

text_enum! {
    /// What was read.
    Sensitive {
        /// Party membership and standing.
        PartyMembership,
        /// Name, phone and address.
        Contact,
        /// The name, beside a certificate.
        Name,
        /// The number of a certificate.
        CertificateNumber,
        /// The document of a certificate.
        CertificateDocument,
        /// What matching goes by: skills, hours, places, age and, for internal Party activity, Party
        /// membership, as far as an explanation tells.
        MatchingProfile,
    }
}

text_enum! {
    /// Which part the reader played.
    Reader {
        /// The secretary of the person's Party branch.
        BranchSecretary,
        /// Who claimed the person's wish.
        Claimant,
        /// A leader or worker of the person's grid.
        GridStaff,
        /// An administrator of the person's region.
        RegionStaff,
    }
}

text_enum! {
    /// What it was read for.
    DataUse {
        /// To verify what the person declared, and to keep the branch's list.
        Verification,
        /// To bring what the person wished for.
        Delivery,
        /// To say why a need is, or is not, for the person.
        Explanation,
    }
}

const READ: &str = "account.data_read";

#[derive(Serialize, Deserialize)]
struct Told {
    what: Sensitive,
    reader: Reader,
    why: DataUse,
}

/// A reading of one's sensitive data.
#[derive(Debug, Serialize, ToSchema)]
pub struct DataAccess {
    /// When.
    pub at: Instant,
    /// What was read.
    pub what: Sensitive,
    /// Which part the reader played.
    pub reader: Reader,
    /// What it was read for.
    pub why: DataUse,
}

/// Tells that the caller is shown sensitive data of a person, in the transaction that shows it.
/// Reading one's own is nothing to tell.
///
/// # Errors
/// Those of the database.
pub fn disclosed(
    tx: &mut Tx<'_>,
    caller: &Caller,
    person: AccountId,
    what: Sensitive,
    reader: Reader,
    why: DataUse,
) -> Result<()> {
    if caller.account == person {
        return Ok(());
    }
    let told = serde_json::to_value(Told { what, reader, why }).map_err(Error::internal)?;
    tx.journal(Change::new(caller.actor(), READ, person.0).payload(told))
}

/// The readings of a person's data, the newest first, `limit + 1` of them.
pub(super) fn of_account(
    conn: &mut Conn,
    person: AccountId,
    before: Option<i64>,
    limit: i64,
) -> Result<Vec<Entry>> {
    journal::of_kind(conn, READ, person.0, before, limit)
}

pub(super) fn view(entry: Entry) -> Result<DataAccess> {
    let told: Told = serde_json::from_value(entry.payload.0).map_err(Error::internal)?;
    Ok(DataAccess {
        at: entry.at,
        what: told.what,
        reader: told.reader,
        why: told.why,
    })
}
