use chrono::NaiveDate;
use diesel::prelude::*;

use crate::identity::AccountId;
use crate::platform::clock::Instant;
use crate::regions::RegionId;
use crate::schema::{organization_documents, organization_members, organizations};
use crate::{id, text_enum};

id! {
    /// Names an organisation.
    OrganizationId
}
id! {
    /// Names a document of an organisation.
    DocumentId
}
id! {
    /// Names a membership, from the invitation on.
    MemberId
}

text_enum! {
    /// What kind of body it is.
    OrganizationKind {
        /// 登记: a legal person with a unified social credit code.
        Registered,
        /// 备案: on file with its street, no legal person, no code.
        Filed,
        /// 志愿服务队
        VolunteerTeam,
        /// 党代表工作室
        DeputyStudio,
        /// 党群服务中心
        ServiceCentre,
        /// 联盟: independent organisations under a lead one.
        Alliance,
    }
}

text_enum! {
    /// Where an organisation stands.
    OrganizationStatus {
        /// Being written.
        Draft,
        /// Waits for the review.
        Submitted,
        /// Sent back with a reason.
        Returned,
        /// May act.
        Active,
        /// May not act for now.
        Suspended,
        /// Ended by itself.
        Dissolved,
        /// Ended by the reviewer.
        Revoked,
    }
}

text_enum! {
    /// What a document of an organisation is.
    DocumentKind {
        /// 章程
        Charter,
        /// Shows that the venue may be used.
        VenueProof,
        /// 登记证书
        RegistrationCertificate,
        /// Anything else.
        Other,
    }
}

text_enum! {
    /// What a member may do.
    MemberRole {
        /// Runs the organisation.
        Manager,
        /// Belongs to it.
        Member,
    }
}

text_enum! {
    /// Where a membership stands.
    MemberStatus {
        /// Asked, and has not answered.
        Invited,
        /// Belongs to it.
        Active,
        /// Did not want to.
        Declined,
        /// The invitation was taken back.
        Cancelled,
        /// The invitation was not answered in time.
        Expired,
        /// Went.
        Left,
        /// Was sent away.
        Removed,
    }
}

/// An organisation.
#[derive(Clone, Debug, Queryable, Selectable, Identifiable, Insertable, AsChangeset)]
#[diesel(table_name = organizations, treat_none_as_null = true)]
pub struct Organization {
    /// Its id, the same when a filed one becomes registered.
    pub id: OrganizationId,
    /// What kind of body it is.
    pub kind: OrganizationKind,
    /// Its name.
    pub name: String,
    /// Where it acts; the street that a filed one is on file with.
    pub region_id: RegionId,
    /// The field it works in, a code of the taxonomy.
    pub field: Option<String>,
    /// A few words about it.
    pub introduction: String,
    /// Its unified social credit code (GB 32100).
    pub credit_code: Option<String>,
    /// Why a reviewer believed a code whose check character is wrong.
    pub credit_code_reason: Option<String>,
    /// The code with which a filed organisation asks to count as registered.
    pub registering_code: Option<String>,
    /// The person who answers for it.
    pub responsible_id: Option<AccountId>,
    /// That person's number of the identity card, sealed.
    pub responsible_number: Option<Vec<u8>>,
    /// Where it can be found.
    pub venue_address: Option<String>,
    /// The region its venue lies in.
    pub venue_region_id: Option<RegionId>,
    /// The last day on which it may use the venue.
    pub venue_until: Option<NaiveDate>,
    /// Its venue, degrees east.
    pub longitude: Option<f64>,
    /// Its venue, degrees north.
    pub latitude: Option<f64>,
    /// Where it stands.
    pub status: OrganizationStatus,
    /// Since when.
    pub status_since: Instant,
    /// Until when the filing of a filed one must be in order again.
    pub curing_until: Option<Instant>,
    /// Who wrote it down.
    pub founder_id: AccountId,
    /// When the public found it first.
    pub published_at: Option<Instant>,
    /// Counts its changes.
    pub version: i32,
    /// When it was written down.
    pub created_at: Instant,
}

/// A document of an organisation.
#[derive(Clone, Debug, Queryable, Selectable, Identifiable, Insertable)]
#[diesel(table_name = organization_documents)]
pub struct Document {
    /// Its id.
    pub id: DocumentId,
    /// Whose.
    pub organization_id: OrganizationId,
    /// What it is.
    pub kind: DocumentKind,
    /// Its key in the file store.
    pub file: String,
    /// What its content is.
    pub content_type: String,
    /// Bytes.
    pub size: i64,
    /// Who added it.
    pub uploaded_by: AccountId,
    /// When.
    pub created_at: Instant,
}

/// A membership, from the invitation on.
#[derive(Clone, Debug, Queryable, Selectable, Identifiable, Insertable)]
#[diesel(table_name = organization_members)]
pub struct Member {
    /// Its id.
    pub id: MemberId,
    /// In which organisation.
    pub organization_id: OrganizationId,
    /// Who.
    pub account_id: AccountId,
    /// What the inviter calls the person.
    pub name: String,
    /// What it may do.
    pub role: MemberRole,
    /// Where it stands.
    pub status: MemberStatus,
    /// Who invited.
    pub invited_by: AccountId,
    /// When.
    pub invited_at: Instant,
    /// Until when the invitation may be answered.
    pub expires_at: Instant,
    /// When the person accepted.
    pub joined_at: Option<Instant>,
    /// When it ended.
    pub ended_at: Option<Instant>,
}
