//! All of the room's SQL.

use chrono::NaiveDate;
use diesel::prelude::*;

use super::model::{
    Document, DocumentId, Member, MemberId, MemberRole, MemberStatus, Organization, OrganizationId,
    OrganizationKind, OrganizationStatus,
};
use crate::error::{Code, Result};
use crate::identity::AccountId;
use crate::newest_first;
use crate::platform::clock::Instant;
use crate::platform::columns::{like, lower};
use crate::platform::db::{Conn, Newest, Tx};
use crate::regions::{self, RegionId};
use crate::schema::{organization_documents, organization_members, organizations};

/// An organisation.
///
/// # Errors
/// `not_found`.
pub fn organization(conn: &mut Conn, id: OrganizationId) -> Result<Organization> {
    organizations::table
        .find(id)
        .select(Organization::as_select())
        .first(conn)
        .optional()?
        .ok_or_else(|| Code::NotFound.into())
}

/// The names of some organisations.
///
/// # Errors
/// Those of the database.
pub fn named(conn: &mut Conn, ids: &[OrganizationId]) -> Result<Vec<(OrganizationId, String)>> {
    Ok(organizations::table
        .filter(organizations::id.eq_any(ids.to_vec()))
        .select((organizations::id, organizations::name))
        .load(conn)?)
}

/// When the public found it first: now, if it finds it now and did not before.
fn published_at(organization: &Organization) -> Option<Instant> {
    let is_public = organization.status == OrganizationStatus::Active;
    let now = is_public.then_some(organization.status_since);
    organization.published_at.or(now)
}

pub fn insert(conn: &mut Conn, organization: &Organization) -> Result<()> {
    let organization = Organization {
        published_at: published_at(organization),
        ..organization.clone()
    };
    diesel::insert_into(organizations::table)
        .values(&organization)
        .execute(conn)?;
    Ok(())
}

/// Writes the row and counts its version up, if it is still the version that was read.
pub fn save(conn: &mut Conn, changed: &Organization) -> Result<bool> {
    let next = Organization {
        version: changed.version + 1,
        published_at: published_at(changed),
        ..changed.clone()
    };
    let same = organizations::table
        .filter(organizations::id.eq(changed.id))
        .filter(organizations::version.eq(changed.version));
    Ok(diesel::update(same).set(&next).execute(conn)? > 0)
}

/// What a list of organisations asks for.
#[derive(Clone, Debug, Default)]
pub struct Query {
    pub statuses: Vec<OrganizationStatus>,
    pub kind: Option<OrganizationKind>,
    pub within: Option<RegionId>,
    pub field: Option<String>,
    pub text: Option<String>,
    pub member: Option<AccountId>,
    pub founder: Option<AccountId>,
    pub order: Newest<OrganizationId>,
    pub limit: i64,
}

/// The newest first.
pub fn list(conn: &mut Conn, query: &Query) -> Result<Vec<Organization>> {
    let mut rows = organizations::table
        .filter(organizations::status.eq_any(query.statuses.clone()))
        .select(Organization::as_select())
        .into_boxed();
    if let Some(kind) = query.kind {
        rows = rows.filter(organizations::kind.eq(kind));
    }
    if let Some(region) = query.within {
        rows = rows.filter(organizations::region_id.eq_any(regions::within(region)));
    }
    if let Some(field) = &query.field {
        rows = rows.filter(organizations::field.eq(field.clone()));
    }
    if let Some(text) = &query.text {
        let like = like(text);
        let name = lower(organizations::name).like(like.clone()).escape('\\');
        rows = rows.filter(name.or(lower(organizations::introduction).like(like).escape('\\')));
    }
    if let Some(member) = query.member {
        let mine = organization_members::table
            .filter(organization_members::account_id.eq(member))
            .filter(organization_members::status.eq(MemberStatus::Active))
            .select(organization_members::organization_id);
        rows = rows.filter(organizations::id.eq_any(mine));
    }
    if let Some(founder) = query.founder {
        rows = rows.filter(organizations::founder_id.eq(founder));
    }
    let rows = newest_first!(rows, organizations, query.order);
    Ok(rows.limit(query.limit + 1).load(conn)?)
}

/// How many drafts somebody wrote down. Those that an import brought in a person's name are not: that
/// person never belonged to them.
pub fn count_drafts(conn: &mut Conn, founder: AccountId) -> Result<i64> {
    let theirs = organization_members::table
        .filter(organization_members::account_id.eq(founder))
        .select(organization_members::organization_id);
    Ok(organizations::table
        .filter(organizations::founder_id.eq(founder))
        .filter(organizations::status.eq(OrganizationStatus::Draft))
        .filter(organizations::id.eq_any(theirs))
        .count()
        .get_result(conn)?)
}

/// The active filed ones whose venue is theirs no more, and whose term to mend that has not begun.
pub fn without_venue(conn: &mut Conn, today: NaiveDate, limit: i64) -> Result<Vec<OrganizationId>> {
    Ok(organizations::table
        .filter(organizations::status.eq(OrganizationStatus::Active))
        .filter(organizations::kind.eq(OrganizationKind::Filed))
        .filter(organizations::venue_until.lt(today))
        .filter(organizations::curing_until.is_null())
        .order(organizations::id)
        .limit(limit)
        .select(organizations::id)
        .load(conn)?)
}

/// The active ones whose term to have their filing in order again is over.
pub fn uncured(conn: &mut Conn, now: Instant, limit: i64) -> Result<Vec<OrganizationId>> {
    Ok(organizations::table
        .filter(organizations::status.eq(OrganizationStatus::Active))
        .filter(organizations::curing_until.le(now))
        .order(organizations::id)
        .limit(limit)
        .select(organizations::id)
        .load(conn)?)
}

// ---- documents

/// Whether a document is kept in this file.
///
/// # Errors
/// Those of the database.
pub fn keeps_file(conn: &mut Conn, file: &str) -> Result<bool> {
    let documents = organization_documents::table.filter(organization_documents::file.eq(file));
    Ok(diesel::select(diesel::dsl::exists(documents)).get_result(conn)?)
}

pub fn insert_document(conn: &mut Conn, document: &Document) -> Result<()> {
    diesel::insert_into(organization_documents::table)
        .values(document)
        .execute(conn)?;
    Ok(())
}

pub fn documents(conn: &mut Conn, id: OrganizationId) -> Result<Vec<Document>> {
    Ok(organization_documents::table
        .filter(organization_documents::organization_id.eq(id))
        .order(organization_documents::id)
        .select(Document::as_select())
        .load(conn)?)
}

pub fn document(conn: &mut Conn, of: OrganizationId, id: DocumentId) -> Result<Document> {
    organization_documents::table
        .find(id)
        .filter(organization_documents::organization_id.eq(of))
        .select(Document::as_select())
        .first(conn)
        .optional()?
        .ok_or_else(|| Code::NotFound.into())
}

pub fn delete_document(conn: &mut Conn, id: DocumentId) -> Result<()> {
    diesel::delete(organization_documents::table.find(id)).execute(conn)?;
    Ok(())
}

// ---- members

pub fn insert_member(conn: &mut Conn, member: &Member) -> Result<()> {
    diesel::insert_into(organization_members::table)
        .values(member)
        .execute(conn)?;
    Ok(())
}

pub fn member(conn: &mut Conn, id: MemberId) -> Result<Member> {
    organization_members::table
        .find(id)
        .select(Member::as_select())
        .first(conn)
        .optional()?
        .ok_or_else(|| Code::NotFound.into())
}

/// The membership or open invitation of a person.
pub fn membership(conn: &mut Conn, of: OrganizationId, who: AccountId) -> Result<Option<Member>> {
    Ok(organization_members::table
        .filter(organization_members::organization_id.eq(of))
        .filter(organization_members::account_id.eq(who))
        .filter(organization_members::status.eq_any([MemberStatus::Invited, MemberStatus::Active]))
        .select(Member::as_select())
        .first(conn)
        .optional()?)
}

/// The last membership of a person in an organisation, whether it lives or is over.
pub fn last_membership(
    conn: &mut Conn,
    of: OrganizationId,
    who: AccountId,
) -> Result<Option<Member>> {
    Ok(organization_members::table
        .filter(organization_members::organization_id.eq(of))
        .filter(organization_members::account_id.eq(who))
        .order(organization_members::id.desc())
        .select(Member::as_select())
        .first(conn)
        .optional()?)
}

/// When somebody invited others since an instant, the newest first.
pub fn invited_by(conn: &mut Conn, who: AccountId, since: Instant) -> Result<Vec<Instant>> {
    Ok(organization_members::table
        .filter(organization_members::invited_by.eq(who))
        .filter(organization_members::account_id.ne(who)) // founders
        .filter(organization_members::invited_at.gt(since))
        .select(organization_members::invited_at)
        .order(organization_members::invited_at.desc())
        .load(conn)?)
}

/// When somebody was invited since an instant, by whichever organisation, the newest first.
pub fn invitations_to(conn: &mut Conn, who: AccountId, since: Instant) -> Result<Vec<Instant>> {
    Ok(organization_members::table
        .filter(organization_members::account_id.eq(who))
        .filter(organization_members::invited_at.gt(since))
        .select(organization_members::invited_at)
        .order(organization_members::invited_at.desc())
        .load(conn)?)
}

/// The oldest first.
pub fn members(
    conn: &mut Conn,
    of: OrganizationId,
    status: MemberStatus,
    after: Option<MemberId>,
    limit: i64,
) -> Result<Vec<Member>> {
    let mut rows = organization_members::table
        .filter(organization_members::organization_id.eq(of))
        .filter(organization_members::status.eq(status))
        .select(Member::as_select())
        .into_boxed();
    if let Some(after) = after {
        rows = rows.filter(organization_members::id.gt(after));
    }
    Ok(rows
        .order(organization_members::id)
        .limit(limit + 1)
        .load(conn)?)
}

/// The invitations of an organisation that nobody has answered.
pub fn unanswered_of(conn: &mut Conn, of: OrganizationId) -> Result<Vec<Member>> {
    Ok(organization_members::table
        .filter(organization_members::organization_id.eq(of))
        .filter(organization_members::status.eq(MemberStatus::Invited))
        .order(organization_members::id)
        .select(Member::as_select())
        .load(conn)?)
}

/// The open invitations of a person.
pub fn invitations(conn: &mut Conn, who: AccountId, now: Instant) -> Result<Vec<Member>> {
    Ok(organization_members::table
        .filter(organization_members::account_id.eq(who))
        .filter(organization_members::status.eq(MemberStatus::Invited))
        .filter(organization_members::expires_at.gt(now))
        .order(organization_members::id)
        .select(Member::as_select())
        .load(conn)?)
}

pub fn count_members(conn: &mut Conn, of: OrganizationId, role: Option<MemberRole>) -> Result<i64> {
    let mut rows = organization_members::table
        .filter(organization_members::organization_id.eq(of))
        .filter(organization_members::status.eq(MemberStatus::Active))
        .into_boxed();
    if let Some(role) = role {
        rows = rows.filter(organization_members::role.eq(role));
    }
    Ok(rows.count().get_result(conn)?)
}

/// Who runs an organisation.
///
/// # Errors
/// Those of the database.
pub fn managers(conn: &mut Conn, of: OrganizationId) -> Result<Vec<AccountId>> {
    Ok(organization_members::table
        .filter(organization_members::organization_id.eq(of))
        .filter(organization_members::status.eq(MemberStatus::Active))
        .filter(organization_members::role.eq(MemberRole::Manager))
        .order(organization_members::id)
        .select(organization_members::account_id)
        .load(conn)?)
}

/// Who belongs to an organisation, those who run it too.
pub fn everybody(conn: &mut Conn, of: OrganizationId) -> Result<Vec<AccountId>> {
    Ok(organization_members::table
        .filter(organization_members::organization_id.eq(of))
        .filter(organization_members::status.eq(MemberStatus::Active))
        .order(organization_members::id)
        .select(organization_members::account_id)
        .load(conn)?)
}

/// Who runs the active organisations of a kind that lie directly in one of some regions.
///
/// # Errors
/// Those of the database.
pub fn managers_in(
    conn: &mut Conn,
    kind: OrganizationKind,
    regions: &[RegionId],
) -> Result<Vec<AccountId>> {
    let there = organizations::table
        .filter(organizations::kind.eq(kind))
        .filter(organizations::status.eq(OrganizationStatus::Active))
        .filter(organizations::region_id.eq_any(regions.to_vec()))
        .select(organizations::id);
    Ok(organization_members::table
        .filter(organization_members::organization_id.eq_any(there))
        .filter(organization_members::status.eq(MemberStatus::Active))
        .filter(organization_members::role.eq(MemberRole::Manager))
        .order(organization_members::account_id)
        .select(organization_members::account_id)
        .distinct()
        .load(conn)?)
}

/// Moves a membership by compare-and-set; false when it was moved before.
pub fn advance_member(tx: &mut Tx<'_>, seen: &Member, to: MemberStatus) -> Result<bool> {
    let (joined, ended) = match to {
        MemberStatus::Active => (Some(tx.now), None),
        _ => (seen.joined_at, Some(tx.now)),
    };
    let same = organization_members::table
        .filter(organization_members::id.eq(seen.id))
        .filter(organization_members::status.eq(seen.status));
    let moved = diesel::update(same)
        .set((
            organization_members::status.eq(to),
            organization_members::joined_at.eq(joined),
            organization_members::ended_at.eq(ended),
        ))
        .execute(tx.conn)?;
    Ok(moved > 0)
}

pub fn set_role(conn: &mut Conn, id: MemberId, role: MemberRole) -> Result<()> {
    diesel::update(organization_members::table.find(id))
        .set(organization_members::role.eq(role))
        .execute(conn)?;
    Ok(())
}

/// The invitations that were not answered in time.
pub fn unanswered(conn: &mut Conn, now: Instant, limit: i64) -> Result<Vec<Member>> {
    Ok(organization_members::table
        .filter(organization_members::status.eq(MemberStatus::Invited))
        .filter(organization_members::expires_at.le(now))
        .order(organization_members::id)
        .limit(limit)
        .select(Member::as_select())
        .load(conn)?)
}
