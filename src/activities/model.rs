use chrono::NaiveDate;
use diesel::prelude::*;

use super::series::SeriesId;
use crate::identity::AccountId;
use crate::organizations::OrganizationId;
use crate::platform::clock::Instant;
use crate::platform::columns::Json;
use crate::projects::claims::ClaimId;
use crate::projects::{ProjectId, RoleSkill};
use crate::regions::RegionId;
use crate::schema::{activities, activity_policies, activity_shifts};
use crate::taxonomies::LifeCycle;
use crate::{id, text_enum};

id! {
    /// Names an activity.
    ActivityId
}
id! {
    /// Names a shift of an activity.
    ShiftId
}

text_enum! {
    /// Where an activity stands.
    ActivityStatus {
        /// Being written.
        Draft,
        /// Waits for the review, where its region demands one.
        Submitted,
        /// Sent back with a reason.
        Returned,
        /// Everybody sees it, and may enrol.
        Published,
        /// Nobody enrols any more; the line still moves up.
        EnrolmentClosed,
        /// Going on.
        Ongoing,
        /// Over; what was done in it is being settled.
        Finished,
        /// Over, and settled.
        Settled,
        /// Will not be held, or was broken off.
        Cancelled,
    }
}

/// An activity: dated work with places.
#[derive(Clone, Debug, Queryable, Selectable, Identifiable, Insertable, AsChangeset)]
#[diesel(table_name = activities, treat_none_as_null = true)]
pub struct Activity {
    /// Its id.
    pub id: ActivityId,
    /// The series it is one of.
    pub series_id: Option<SeriesId>,
    /// The instant that the series' rule gives it (RFC 5545 `RECURRENCE-ID`), wherever it was moved to.
    pub recurs_at: Option<Instant>,
    /// The project it is held for; none for an organisation's own work.
    pub project_id: Option<ProjectId>,
    /// The claim of that project.
    pub claim_id: Option<ClaimId>,
    /// The organisation that organises it; none when a person claimed the project.
    pub organization_id: Option<OrganizationId>,
    /// The person who claimed the project; none when an organisation organises it.
    pub leader_id: Option<AccountId>,
    /// Who wrote it down.
    pub author_id: AccountId,
    /// Where it is held; its staff review it where a review is demanded.
    pub region_id: RegionId,
    /// In a few words.
    pub title: String,
    /// In more words.
    pub summary: String,
    /// The livelihood goal it serves first.
    pub life_cycle: LifeCycle,
    /// The address.
    pub place: String,
    /// Where people meet there.
    pub meeting_point: String,
    /// Where it is, degrees east.
    pub longitude: Option<f64>,
    /// Where it is, degrees north.
    pub latitude: Option<f64>,
    /// What volunteers must know before they come.
    pub risk_notice: String,
    /// Whether it is work with minors: volunteers are vetted, and never alone.
    pub minors: bool,
    /// Whether it is dangerous: an insurance covers its days.
    pub dangerous: bool,
    /// Whether it is an internal Party activity.
    pub party_only: bool,
    /// The insurance policy, for dangerous work.
    pub insurance_policy: Option<String>,
    /// The first day it covers.
    pub insurance_from: Option<NaiveDate>,
    /// The last day it covers.
    pub insurance_until: Option<NaiveDate>,
    /// The least age on its day, in years.
    pub min_age: Option<i32>,
    /// The greatest age on its day, in years.
    pub max_age: Option<i32>,
    /// Only for volunteers who live in this region or below it.
    pub volunteers_region_id: Option<RegionId>,
    /// When the first of its shifts begins.
    pub starts_at: Instant,
    /// When the last of its shifts ends; not included.
    pub ends_at: Instant,
    /// From when on people enrol; at once when it is published without one.
    pub enrolment_opens_at: Option<Instant>,
    /// Until when people enrol; not included.
    pub enrolment_closes_at: Instant,
    /// Hours before a shift from which on withdrawing is late.
    pub withdrawal_hours: i32,
    /// When its time or place was last changed after it was published.
    pub changed_at: Option<Instant>,
    /// When it was last found not fit to begin.
    pub held_up_at: Option<Instant>,
    /// When it began.
    pub began_at: Option<Instant>,
    /// Counts the changes of its place: whoever stands in it hears of each.
    pub news: i32,
    /// Where it stands.
    pub status: ActivityStatus,
    /// Since when.
    pub status_since: Instant,
    /// Why it was returned or cancelled, in the words of who did it.
    pub reason: Option<String>,
    /// Counts its changes.
    pub version: i32,
    /// When it was written down.
    pub created_at: Instant,
}

/// A shift of an activity: what its volunteers do, how many, from when to when.
#[derive(Clone, Debug, Queryable, Selectable, Identifiable, Insertable, AsChangeset)]
#[diesel(table_name = activity_shifts, treat_none_as_null = true)]
pub struct Shift {
    /// Its id.
    pub id: ShiftId,
    /// Of which activity.
    pub activity_id: ActivityId,
    /// Its place among the activity's shifts.
    pub place: i32,
    /// What one is there.
    pub name: String,
    /// When it begins.
    pub starts_at: Instant,
    /// When it ends; not included.
    pub ends_at: Instant,
    /// How many volunteers it takes.
    pub seats: i32,
    /// How many of the seats are held.
    pub taken: i32,
    /// How many have ever joined its line.
    pub queued: i32,
    /// Of work with minors: whether it was found at its beginning that two vetted adults come.
    pub held: Option<bool>,
    /// A kind of qualification its holder must have on its day.
    pub qualification: Option<String>,
    /// The skills it asks for.
    pub skills: Json<Vec<RoleSkill>>,
}

/// What a region demands of activities in it and below it.
#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = activity_policies)]
pub struct Policy {
    /// The region.
    pub region_id: RegionId,
    /// Whether they are published after a review.
    pub review: bool,
    /// Who said so.
    pub set_by: AccountId,
    /// When.
    pub set_at: Instant,
}
