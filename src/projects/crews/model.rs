use diesel::prelude::*;

use crate::identity::AccountId;
use crate::platform::clock::Instant;
use crate::projects::claims::ClaimId;
use crate::projects::model::RoleId;
use crate::schema::crew_members;
use crate::{id, text_enum};

id! {
    /// Names a place in a crew, from the application on.
    CrewMemberId
}

text_enum! {
    /// Where a place in a crew stands.
    CrewStatus {
        /// The person would like to; the leader decides.
        Applied,
        /// Works in the role.
        Active,
        /// The leader decided against.
        Declined,
        /// The person took the application back.
        Withdrawn,
        /// The person went.
        Left,
        /// The leader sent the person away.
        Removed,
        /// The claim ended.
        Disbanded,
    }
}

/// A place in a crew: from the application on, or from the invitation that was accepted.
#[derive(Clone, Debug, Queryable, Selectable, Identifiable, Insertable)]
#[diesel(table_name = crew_members)]
pub struct CrewMember {
    /// Its id.
    pub id: CrewMemberId,
    /// In the crew of which claim.
    pub claim_id: ClaimId,
    /// In which role.
    pub role_id: RoleId,
    /// Who.
    pub account_id: AccountId,
    /// What there was to say when it was asked for.
    pub note: String,
    /// Where it stands.
    pub status: CrewStatus,
    /// Since when.
    pub status_since: Instant,
    /// When it ended.
    pub ended_at: Option<Instant>,
    /// When it was asked.
    pub created_at: Instant,
}
