use chrono::NaiveDate;
use diesel::prelude::*;

use crate::activities::attendance::AttendanceId;
use crate::activities::{ActivityId, ShiftId};
use crate::identity::AccountId;
use crate::organizations::OrganizationId;
use crate::platform::clock::Instant;
use crate::projects::ProjectId;
use crate::regions::RegionId;
use crate::schema::{hour_entries, service_records};
use crate::{id, text_enum};

id! {
    /// Names a service record.
    RecordId
}
id! {
    /// Names an entry of the ledger.
    EntryId
}

text_enum! {
    /// Where a service record stands.
    RecordStatus {
        /// Waits to be confirmed.
        Proposed,
        /// Stands in the ledger.
        Confirmed,
        /// The person says it is wrong; who records answers.
        Disputed,
        /// The region's staff decide about it.
        Appealed,
        /// Counts nothing.
        Void,
    }
}

text_enum! {
    /// Why somebody does service. The two are never added up.
    Track {
        /// By their own will.
        Voluntary,
        /// Under an order.
        Mandated,
    }
}

text_enum! {
    /// What confirmed a record.
    ConfirmedBy {
        /// Who records.
        Organizer,
        /// The staff of its region.
        Staff,
        /// The passing of time.
        Clock,
    }
}

text_enum! {
    /// What an entry of the ledger does.
    EntryKind {
        /// Adds minutes.
        Credit,
        /// Takes another entry back.
        Counter,
    }
}

text_enum! {
    /// Whose hours a sum adds up.
    Scope {
        /// A person's.
        Account,
        /// Those that an organisation recorded.
        Organization,
        /// A project's.
        Project,
        /// A region's own, without those below it.
        Region,
    }
}

/// What somebody did in a shift, from when to when.
#[derive(Clone, Debug, Queryable, Selectable, Identifiable, Insertable, AsChangeset)]
#[diesel(table_name = service_records, treat_none_as_null = true)]
pub struct Record {
    /// Its id.
    pub id: RecordId,
    /// Of which attendance.
    pub attendance_id: AttendanceId,
    /// Who did it.
    pub account_id: AccountId,
    /// In which activity.
    pub activity_id: ActivityId,
    /// In which of its shifts.
    pub shift_id: ShiftId,
    /// Which organisation records it; none where the staff of the region do.
    pub organization_id: Option<OrganizationId>,
    /// For which project.
    pub project_id: Option<ProjectId>,
    /// Where.
    pub region_id: RegionId,
    /// Why.
    pub track: Track,
    /// Where it stands.
    pub status: RecordStatus,
    /// Since when.
    pub status_since: Instant,
    /// From when on; none while it is not known.
    pub starts_at: Option<Instant>,
    /// Until when; not included.
    pub ends_at: Option<Instant>,
    /// Minutes that stand in the ledger, and before it is confirmed those that would.
    pub minutes: i32,
    /// Minutes that the daily cap cut away.
    pub capped_minutes: i32,
    /// Whether it stands in the ledger.
    pub is_credited: bool,
    /// What confirmed it.
    pub confirmed_by: Option<ConfirmedBy>,
    /// Whether its times were set by hand.
    pub is_by_hand: bool,
    /// From when on it was, as the person says.
    pub claimed_from: Option<Instant>,
    /// Until when it was, as the person says.
    pub claimed_until: Option<Instant>,
    /// When the person disputed it.
    pub disputed_at: Option<Instant>,
    /// When it came before the staff.
    pub appealed_at: Option<Instant>,
    /// Why it stands there, in the words of who moved it.
    pub reason: Option<String>,
    /// Which of the reminders were sent.
    pub reminded: i32,
    /// Counts its changes.
    pub version: i32,
    /// When it was made.
    pub created_at: Instant,
}

/// A row of the ledger.
#[derive(Clone, Debug, Queryable, Selectable, Identifiable, Insertable)]
#[diesel(table_name = hour_entries)]
pub struct Entry {
    /// Its id.
    pub id: EntryId,
    /// Of which record.
    pub record_id: RecordId,
    /// Whose hours.
    pub account_id: AccountId,
    /// The day on the wall.
    pub day: NaiveDate,
    /// What it does.
    pub kind: EntryKind,
    /// Minutes; fewer than none when it takes some back.
    pub minutes: i32,
    /// The entry that it takes back.
    pub counters_id: Option<EntryId>,
    /// Who made it; none for the clock.
    pub made_by: Option<AccountId>,
    /// Why, in their words.
    pub reason: Option<String>,
    /// When.
    pub made_at: Instant,
}
