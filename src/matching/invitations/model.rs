use diesel::prelude::*;

use crate::identity::AccountId;
use crate::matching::{NeedId, NeedKind};
use crate::organizations::OrganizationId;
use crate::platform::clock::Instant;
use crate::platform::columns::Uid;
use crate::projects::claims::ClaimId;
use crate::schema::{dismissed_needs, invitation_blocks, invitations, recruitments};
use crate::{id, text_enum};

id! {
    /// Names an invitation.
    InvitationId
}
id! {
    /// Names a recruitment.
    RecruitmentId
}
id! {
    /// Names a block.
    BlockId
}

text_enum! {
    /// Where an invitation stands.
    InvitationStatus {
        /// Waits for the person's answer.
        Open,
        /// The person took the need on.
        Accepted,
        /// The person does not want to.
        Declined,
        /// The person did not answer in time.
        Expired,
        /// The organiser took it back.
        Cancelled,
        /// Others took the places, nobody is wanted any more, or the person took on something that it
        /// collides with.
        Closed,
    }
}

text_enum! {
    /// Where a recruitment stands.
    RecruitmentStatus {
        /// Asks, and waits for answers.
        Running,
        /// All places are taken.
        Filled,
        /// Everybody who fits was asked.
        NobodyLeft,
        /// It has sent as many waves as it was to.
        LastWaveOver,
        /// The need is not open any more.
        NeedClosed,
        /// The organiser stopped it; or who began it in person may not ask any more.
        Stopped,
    }
}

text_enum! {
    /// What a person answers to an invitation.
    Answer {
        /// Takes the need on.
        Accept,
        /// Not this time.
        Decline,
        /// Not interested: does not want to hear of this need again.
        Dismiss,
        /// Takes no more invitations from who sent this one.
        Block,
    }
}

/// An invitation of a person to a need.
#[derive(Clone, Debug, Queryable, Selectable, Identifiable, Insertable)]
#[diesel(table_name = invitations, treat_none_as_default_value = false)]
pub struct Invitation {
    /// Its id.
    pub id: InvitationId,
    /// What the need is.
    pub need_kind: NeedKind,
    /// The wish or role.
    pub need_id: Uid,
    /// Into which crew, for a role.
    pub claim_id: Option<ClaimId>,
    /// By which recruitment; none where it was sent by hand.
    pub recruitment_id: Option<RecruitmentId>,
    /// In which of its waves, from 1; 0 where it was sent by hand.
    pub wave: i32,
    /// Who is invited.
    pub account_id: AccountId,
    /// Who invites.
    pub invited_by: AccountId,
    /// For which organisation.
    pub organization_id: Option<OrganizationId>,
    /// What there is to say.
    pub note: String,
    /// 0 to 100, as it was when it was sent.
    pub score: Option<f64>,
    /// Where it stands.
    pub status: InvitationStatus,
    /// Since when.
    pub status_since: Instant,
    /// Until when it can be answered.
    pub expires_at: Instant,
    /// Why it was declined or cancelled, in the words of who did.
    pub reason: Option<String>,
    /// Whether it was over before the person heard of it.
    pub is_unheard: bool,
    /// When it was sent.
    pub created_at: Instant,
}

impl Invitation {
    /// The need.
    pub fn need(&self) -> NeedId {
        NeedId {
            id: self.need_id.0,
            kind: self.need_kind,
        }
    }
}

/// A running search for people for a need, in waves of invitations.
#[derive(Clone, Debug, Queryable, Selectable, Identifiable, Insertable)]
#[diesel(table_name = recruitments, treat_none_as_default_value = false)]
pub struct Recruitment {
    /// Its id.
    pub id: RecruitmentId,
    /// What the need is.
    pub need_kind: NeedKind,
    /// The wish or role.
    pub need_id: Uid,
    /// For which crew, of a role.
    pub claim_id: Option<ClaimId>,
    /// Who began it.
    pub started_by: AccountId,
    /// For which organisation.
    pub organization_id: Option<OrganizationId>,
    /// How many invitations are open at once.
    pub size: i32,
    /// Hours in which an invitation may be answered.
    pub hours: i32,
    /// What there is to say to those invited.
    pub note: String,
    /// How many waves it may send.
    pub max_waves: i32,
    /// How many it has sent.
    pub wave: i32,
    /// Where it stands.
    pub status: RecruitmentStatus,
    /// Since when.
    pub status_since: Instant,
    /// Why it was stopped, in the organiser's words.
    pub reason: Option<String>,
    /// When the clock looks at it next; none while only something that happens moves it on.
    pub due_at: Option<Instant>,
    /// Counts its changes.
    pub version: i32,
    /// When it began.
    pub created_at: Instant,
}

impl Recruitment {
    /// The need.
    pub fn need(&self) -> NeedId {
        NeedId {
            id: self.need_id.0,
            kind: self.need_kind,
        }
    }
}

/// From whom a person takes no invitations.
#[derive(Clone, Debug, Queryable, Selectable, Identifiable, Insertable)]
#[diesel(table_name = invitation_blocks, treat_none_as_default_value = false)]
pub struct Block {
    /// Its id.
    pub id: BlockId,
    /// Who is not to be invited.
    pub account_id: AccountId,
    /// By which account.
    pub blocked_id: Option<AccountId>,
    /// By which organisation. Without both: by anybody.
    pub organization_id: Option<OrganizationId>,
    /// Since when.
    pub created_at: Instant,
}

/// A need that a person does not want to hear of.
#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = dismissed_needs)]
pub struct Dismissal {
    /// Who.
    pub account_id: AccountId,
    /// What the need is.
    pub need_kind: NeedKind,
    /// The wish or role.
    pub need_id: Uid,
    /// Since when.
    pub created_at: Instant,
}
