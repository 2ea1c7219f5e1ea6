use diesel::prelude::*;
use serde::Serialize;
use utoipa::ToSchema;

use crate::platform::clock::Instant;
use crate::platform::columns::Uid;
use crate::schema::{accounts, role_grants, sessions, sign_ups};
use crate::{id, text_enum};

id! {
    /// Names an account.
    AccountId
}
id! {
    /// Names a session: one signed-in device.
    SessionId
}

text_enum! {
    /// Where an account stands.
    AccountStatus {
        /// Invited or imported by others; its person never was here, and nothing is proved.
        Invited,
        /// In use.
        Active,
        /// Gone; the row stays for what refers to it, without personal data.
        Deleted,
    }
}

text_enum! {
    /// Why a session ended.
    EndReason { SignedOut, Revoked, TokenReused, PasswordChanged }
}

/// An account: a person who can sign in.
#[derive(Clone, Debug, Queryable, Selectable, Identifiable, Insertable)]
#[diesel(table_name = accounts)]
pub struct Account {
    /// Its name for machines.
    pub id: AccountId,
    /// A phone number, E.164; proved unless the account is invited.
    pub phone: Option<String>,
    /// An e-mail address in lower case; proved unless the account is invited.
    pub email: Option<String>,
    /// Argon2id, in PHC form.
    pub password_hash: Option<String>,
    /// What others may call the person.
    pub display_name: String,
    /// The language of mails and messages, `zh-CN` or `en`.
    pub language: String,
    /// Where it stands.
    pub status: AccountStatus,
    /// Counts its changes.
    pub version: i32,
    /// When it was made.
    pub created_at: Instant,
}

/// A sign-up whose address is not proved yet.
#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = sign_ups)]
pub struct SignUp {
    /// The address, in lower case.
    pub email: String,
    /// Of the password, in PHC form.
    pub password_hash: String,
    /// What others may call the person.
    pub display_name: String,
    /// The language of mails and messages.
    pub language: String,
    /// When it was asked for.
    pub created_at: Instant,
}

/// A signed-in device.
#[derive(Clone, Debug, Queryable, Selectable, Identifiable, Insertable)]
#[diesel(table_name = sessions)]
pub struct Session {
    /// Its name.
    pub id: SessionId,
    /// Whose.
    pub account_id: AccountId,
    /// What the device calls itself.
    pub device: String,
    /// When it began.
    pub created_at: Instant,
    /// When its tokens were last refreshed.
    pub last_used_at: Instant,
    /// When it ended.
    pub ended_at: Option<Instant>,
    /// Why it ended.
    pub end_reason: Option<EndReason>,
}

/// What a caller sees of itself.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Me)]
pub struct MeView {
    /// The account.
    pub id: AccountId,
    /// The phone number, for its owner alone.
    pub phone: Option<String>,
    /// The e-mail address, for its owner alone.
    pub email: Option<String>,
    /// What others may call the person.
    pub display_name: String,
    /// The language of mails and messages.
    pub language: String,
    /// What the account may do, and where.
    pub grants: Vec<Grant>,
    /// Whether it signs in with a password.
    pub has_password: bool,
}

/// A signed-in device as its owner sees it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Session)]
pub struct SessionView {
    /// The session.
    pub id: SessionId,
    /// What the device calls itself.
    pub device: String,
    /// When it began.
    pub created_at: Instant,
    /// When it was last heard of (tokens refreshed).
    pub last_used_at: Instant,
    /// Whether it is the one that asks.
    pub current: bool,
}

/// The tokens of a session.
#[derive(Debug, Serialize, ToSchema)]
pub struct Tokens {
    /// Goes into `Authorization: Bearer …`.
    pub access_token: String,
    /// Always `Bearer`.
    pub token_type: String,
    /// Seconds until the access token expires.
    pub expires_in: i64,
    /// Gets the next tokens, once.
    pub refresh_token: String,
}

id! {
    /// Names a grant of a role.
    GrantId
}

text_enum! {
    /// What an account may do (domain: who may do what).
    Role {
        /// Regions, campaigns, taxonomies, role grants, settings.
        PlatformAdmin,
        /// Reviews in a region and everything below it.
        RegionAdmin,
        /// Leads a grid.
        GridLeader,
        /// Works in a grid: verifies reports, posts and confirms wishes for residents.
        GridWorker,
        /// Runs an organisation.
        OrganizationManager,
        /// Belongs to an organisation.
        OrganizationMember,
        /// Verifies Party membership.
        BranchSecretary,
        /// The sealed track of mandated service.
        CaseOfficer,
        /// Reads figures and the journal, no personal data.
        Auditor,
    }
}

text_enum! {
    /// What a role is limited to.
    ScopeKind {
        /// Nothing.
        All,
        /// A region and everything below it.
        Region,
        /// An organisation.
        Organization,
        /// A Party branch.
        Branch,
    }
}

/// A role in a scope.
#[derive(Clone, Debug, Queryable, Selectable, Serialize, ToSchema)]
#[diesel(table_name = role_grants)]
pub struct Grant {
    /// Its name.
    pub id: GrantId,
    /// Who holds it.
    pub account_id: AccountId,
    /// What it allows.
    pub role: Role,
    /// What it is limited to.
    pub scope_kind: ScopeKind,
    /// The region, organisation or branch.
    #[schema(value_type = Option<String>, format = Uuid)]
    pub scope_id: Option<Uid>,
    /// Since when.
    pub granted_at: Instant,
}
