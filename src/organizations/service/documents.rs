//! The documents of an organisation.

use super::super::model::{
    Document, DocumentId, DocumentKind, Organization, OrganizationId, OrganizationStatus,
};
use super::super::store;
use super::filing::follow_filing;
use super::{Desk, change, has_ended, of_manager, serialize};
use crate::error::{Code, Result};
use crate::identity::Caller;
use crate::platform::db::{Conn, Tx};
use crate::platform::files::{self, StoredDocument};

/// An organisation for a manager who may add a document to it.
///
/// # Errors
/// `not_found`, `forbidden`, `organization_not_active` once it ended, `too_many_files`.
pub fn may_add_document(
    conn: &mut Conn,
    desk: &Desk,
    caller: &Caller,
    id: OrganizationId,
) -> Result<Organization> {
    let organization = of_manager(conn, caller, id)?;
    if has_ended(&organization) {
        return Err(Code::OrganizationNotActive.into());
    }
    if store::documents(conn, id)?.len() >= desk.rules.documents {
        return Err(Code::TooManyFiles.into());
    }
    Ok(organization)
}

/// Adds a document, before or after the review. The organisation has another version then: who
/// reviews it looks again.
///
/// # Errors
/// Those of [`may_add_document`]; `version_mismatch` when it moves at the same moment.
pub fn add_document(
    tx: &mut Tx<'_>,
    desk: &Desk,
    caller: &Caller,
    id: OrganizationId,
    kind: DocumentKind,
    stored: &StoredDocument,
) -> Result<Document> {
    serialize(tx, id)?;
    let organization = may_add_document(tx.conn, desk, caller, id)?;
    let document = Document {
        id: DocumentId::new(),
        organization_id: id,
        kind,
        file: stored.key.clone(),
        content_type: stored.content_type.to_owned(),
        size: i64::try_from(stored.size).unwrap_or(i64::MAX),
        uploaded_by: caller.account,
        created_at: tx.now,
    };
    store::insert_document(tx.conn, &document)?;
    changed(tx, desk, caller, &organization, "add_document")?;
    Ok(document)
}

/// Takes a document out of a draft, and its file with it; what was reviewed stays.
///
/// # Errors
/// `not_found`, `forbidden`, `settled_by_review`; `version_mismatch` when it moves at the same moment.
pub fn delete_document(
    tx: &mut Tx<'_>,
    desk: &Desk,
    caller: &Caller,
    id: OrganizationId,
    document: DocumentId,
) -> Result<()> {
    serialize(tx, id)?;
    let organization = of_manager(tx.conn, caller, id)?;
    let document = store::document(tx.conn, id, document)?;
    if organization.status != OrganizationStatus::Draft {
        return Err(Code::SettledByReview.into());
    }
    store::delete_document(tx.conn, document.id)?;
    files::remove_later(tx, &document.file)?;
    changed(tx, desk, caller, &organization, "delete_document")
}

/// Counts the organisation up, if it is still the one that was read, with all that follows.
fn changed(
    tx: &mut Tx<'_>,
    desk: &Desk,
    caller: &Caller,
    seen: &Organization,
    verb: &str,
) -> Result<()> {
    if !store::save(tx.conn, seen)? {
        return Err(Code::VersionMismatch.into());
    }
    tx.journal(change(seen, caller.actor(), verb))?;
    follow_filing(tx, desk, seen.id)
}
