use diesel::prelude::*;

use crate::identity::AccountId;
use crate::matching::{NeedId, NeedKind, Weights};
use crate::platform::clock::Instant;
use crate::platform::columns::{Json, Uid};
use crate::projects::campaigns::BatchId;
use crate::projects::claims::ClaimId;
use crate::regions::RegionId;
use crate::schema::{
    round_assignments, round_columns, round_invitations, round_locks, round_needs, round_people,
    round_plans, rounds,
};
use crate::{id, text_enum};

id! {
    /// Names a batch round.
    BatchRoundId
}
id! {
    /// Names a plan of a batch round.
    RoundPlanId
}
id! {
    /// Names what is set by hand in a batch round.
    LockId
}

text_enum! {
    /// Where a batch round stands.
    RoundStatus {
        /// Opened, and not planned yet.
        Draft,
        /// The worker plans.
        Planning,
        /// There is a plan to look at.
        Planned,
        /// The last planning came to nothing; `failure` says why.
        Failed,
        /// The people of the plan are invited.
        Committed,
        /// Over.
        Closed,
        /// Given up before anybody was invited by the last plan.
        Cancelled,
    }
}

text_enum! {
    /// What a coordinator sets by hand.
    LockKind {
        /// This person to this need.
        Keep,
        /// Not this person to this need.
        Forbid,
        /// This person not at all.
        LeaveOutPerson,
        /// This need not at all.
        LeaveOutNeed,
    }
}

text_enum! {
    /// Why somebody has no place in a plan.
    PersonReason {
        /// No need of the round is for this person; the codes say why most are not.
        NoEligibleNeed,
        /// Has as many places by this round as it may have.
        HasPlaces,
        /// Others fit better wherever this person fits.
        PlacesTaken,
        /// Left out by hand.
        LeftOut,
    }
}

text_enum! {
    /// Why a need has places left in a plan.
    NeedReason {
        /// Nobody of the round fits; the codes say why most do not.
        NoCandidate,
        /// Who fits has a place where it adds more to the total.
        CandidatesElsewhere,
        /// Left out by hand.
        LeftOut,
    }
}

text_enum! {
    /// What became of a pair of a plan.
    RoundInvitationStatus {
        /// Invited, and not answered.
        Open,
        /// The person took the need on.
        Accepted,
        /// The person does not want to.
        Declined,
        /// The person did not answer in time.
        Expired,
        /// Taken back, or others took the places.
        Ended,
        /// Not invited; the code says why.
        NotSent,
    }
}

/// A batch round.
#[derive(Clone, Debug, Queryable, Selectable, Identifiable, Insertable)]
#[diesel(table_name = rounds, treat_none_as_default_value = false)]
pub struct BatchRound {
    /// Its id.
    pub id: BatchRoundId,
    /// What it is called.
    pub title: String,
    /// The batch whose projects' roles it plans; none for one over a region.
    pub batch_id: Option<BatchId>,
    /// The region it is over; that of the batch's campaign.
    pub region_id: RegionId,
    /// The volunteers of this region are considered.
    pub people_region_id: RegionId,
    /// Whether wishes are planned, too.
    pub with_wishes: bool,
    /// Whether only internal Party activities are planned.
    pub party_only: bool,
    /// How much one person may take.
    pub places_per_person: i32,
    /// Who opened it.
    pub created_by: AccountId,
    /// Where it stands.
    pub status: RoundStatus,
    /// Since when.
    pub status_since: Instant,
    /// The number of the plan that holds; 0 before the first.
    pub plan_number: i32,
    /// Whether something was changed since that plan.
    pub is_edited: bool,
    /// The code of why the last planning failed.
    pub failure: Option<String>,
    /// Who sent its invitations.
    pub committed_by: Option<AccountId>,
    /// Hours in which these may be answered.
    pub answer_hours: i32,
    /// Whether it goes on by itself once all are answered.
    pub is_automatic: bool,
    /// How often it still does.
    pub resolves_left: i32,
    /// Whether the plan that is made is sent by itself.
    pub goes_on: bool,
    /// What there is to say to those invited.
    pub note: String,
    /// Counts its changes.
    pub version: i32,
    /// When it was opened.
    pub created_at: Instant,
}

/// A plan and its figures. Totals and bound are in millionths of a point of the score, of which the
/// solver's weights are whole numbers.
#[derive(Clone, Debug, Queryable, Selectable, Identifiable, Insertable)]
#[diesel(table_name = round_plans)]
pub struct RoundPlan {
    /// Its id.
    pub id: RoundPlanId,
    /// Of which round.
    pub round_id: BatchRoundId,
    /// Counts the round's plans; none while it is written.
    pub number: Option<i32>,
    /// People who were considered.
    pub people: i32,
    /// Needs that were considered.
    pub needs: i32,
    /// Pairs that the solver chose from.
    pub pairs: i64,
    /// Pairs in it, with those kept by hand.
    pub assigned: i32,
    /// Pairs kept by hand.
    pub kept: i32,
    /// People without a place.
    pub without_place: i32,
    /// Places that nobody has.
    pub free_places: i64,
    /// The sum of the scores.
    pub total: i64,
    /// What those kept by hand are of it; bound and greedy total hold it, too.
    pub kept_total: i64,
    /// No plan with the same locks and pairs has a greater sum.
    pub upper_bound: f64,
    /// Pairs in the greedy plan.
    pub greedy_assigned: i32,
    /// The sum of the greedy plan.
    pub greedy_total: i64,
    /// How long it took to solve.
    pub seconds: f64,
    /// The version of the weights.
    pub weights_version: i32,
    /// What each factor counted.
    pub weights: Json<Weights>,
    /// When it was made.
    pub created_at: Instant,
}

impl RoundPlan {
    /// The share of the bound that the total may fall short of: 0 is an optimum.
    pub fn gap(&self) -> f64 {
        if self.upper_bound > 0.0 {
            (self.upper_bound - self.total as f64) / self.upper_bound
        } else {
            0.0
        }
    }
}

/// A need in a plan.
#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = round_needs, treat_none_as_default_value = false)]
pub struct NeedRow {
    /// Of which plan.
    pub plan_id: RoundPlanId,
    /// Its number in the certificate.
    pub number: i32,
    /// What it is.
    pub need_kind: NeedKind,
    /// The wish or role.
    pub need_id: Uid,
    /// In a few words.
    pub title: String,
    /// Places that were free.
    pub places: i32,
    /// How many of them the plan fills.
    pub assigned: i32,
    /// People who may take it, as far as they were considered.
    pub candidates: i32,
    /// What one more place would add to the total, in points of the score.
    pub price: f64,
    /// Why places are left.
    pub reason: Option<NeedReason>,
    /// The codes of the filters that failed most often.
    pub codes: Json<Vec<String>>,
}

/// A person in a plan.
#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = round_people, treat_none_as_default_value = false)]
pub struct PersonRow {
    /// Of which plan.
    pub plan_id: RoundPlanId,
    /// Its number in the certificate.
    pub number: i32,
    /// Who.
    pub account_id: AccountId,
    /// What it is called in the round.
    pub pseudonym: String,
    /// How much it may take.
    pub places: i32,
    /// How much the plan gives it.
    pub assigned: i32,
    /// Needs it may take, as far as they were considered.
    pub candidates: i32,
    /// Why it has no place.
    pub reason: Option<PersonReason>,
    /// The codes of the filters that failed most often.
    pub codes: Json<Vec<String>>,
}

/// Who does what in a plan, in the greedy one or in the one before.
#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = round_assignments)]
pub struct Assignment {
    /// Of which plan.
    pub plan_id: RoundPlanId,
    /// Its place in the list.
    pub number: i32,
    /// Who.
    pub account_id: AccountId,
    /// What the need is.
    pub need_kind: NeedKind,
    /// The wish or role.
    pub need_id: Uid,
    /// The need in a few words.
    pub title: String,
    /// 0 to 100.
    pub score: f64,
    /// The factors of the score, in the order of `score::FACTORS`.
    pub factors: Json<[f64; 5]>,
    /// Whether it is in the plan.
    pub in_plan: bool,
    /// Whether it is in the greedy one.
    pub in_greedy: bool,
    /// Whether it was in the plan before.
    pub in_former: bool,
    /// Whether it is kept by hand.
    pub is_kept: bool,
}

/// A part of a column of numbers.
#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = round_columns)]
pub struct ColumnPart {
    /// Of which plan.
    pub plan_id: RoundPlanId,
    /// Which column.
    pub name: String,
    /// Which part of it, from 0.
    pub part: i32,
    /// Little-endian numbers.
    pub data: Vec<u8>,
}

/// What became of a pair of a plan that was sent.
#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = round_invitations, treat_none_as_default_value = false)]
pub struct RoundInvitation {
    /// Of which round.
    pub round_id: BatchRoundId,
    /// Of which of its plans.
    pub plan_number: i32,
    /// Its place among the plan's assignments.
    pub number: i32,
    /// Who.
    pub account_id: AccountId,
    /// What the need is.
    pub need_kind: NeedKind,
    /// The wish or role.
    pub need_id: Uid,
    /// The need in a few words.
    pub title: String,
    /// 0 to 100, as it was planned.
    pub score: f64,
    /// Into which crew, of a role.
    pub claim_id: Option<ClaimId>,
    /// The invitation; none where none was sent.
    pub invitation_id: Option<Uid>,
    /// The code of why none was sent.
    pub code: Option<String>,
    /// Where it stands.
    pub status: RoundInvitationStatus,
    /// Since when.
    pub status_since: Instant,
}

/// What a coordinator set by hand.
#[derive(Clone, Debug, Queryable, Selectable, Identifiable, Insertable)]
#[diesel(table_name = round_locks)]
pub struct Lock {
    /// Its id.
    pub id: LockId,
    /// In which round.
    pub round_id: BatchRoundId,
    /// What it says.
    pub kind: LockKind,
    /// Of whom.
    pub account_id: Option<AccountId>,
    /// What the need is.
    pub need_kind: Option<NeedKind>,
    /// The wish or role.
    pub need_id: Option<Uid>,
    /// What the person is called in the round.
    pub pseudonym: Option<String>,
    /// The need in a few words.
    pub title: Option<String>,
    /// The code of why the last plan could not keep it.
    pub refusal: Option<String>,
    /// Who set it.
    pub created_by: AccountId,
    /// When.
    pub created_at: Instant,
}

impl Lock {
    /// The need.
    pub fn need(&self) -> Option<NeedId> {
        let (kind, id) = self.need_kind.zip(self.need_id)?;
        Some(NeedId { id: id.0, kind })
    }
}
