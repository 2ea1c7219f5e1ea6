use diesel::prelude::*;

use crate::activities::enrolments::{Enrolment, EnrolmentId};
use crate::activities::model::{ActivityId, ShiftId};
use crate::identity::AccountId;
use crate::platform::clock::Instant;
use crate::schema::attendances;
use crate::{id, text_enum};

id! {
    /// Names somebody's attendance in a shift: it bears the id of its enrolment.
    AttendanceId
}

text_enum! {
    /// Where an attendance stands.
    AttendanceStatus {
        /// Nothing is known yet.
        Expected,
        /// Came.
        CheckedIn,
        /// Came, and went.
        CheckedOut,
        /// Neither came nor said why not.
        NoShow,
        /// Did not come, for a reason that the leader accepts.
        Excused,
    }
}

text_enum! {
    /// How it was shown that somebody came or went.
    Means {
        /// By the code shown on site.
        Code,
        /// By the leader's list.
        List,
    }
}

/// Whether somebody who enrolled in a shift was there, and from when to when.
#[derive(Clone, Debug, Queryable, Selectable, Identifiable, Insertable, AsChangeset)]
#[diesel(table_name = attendances, treat_none_as_null = true)]
pub struct Attendance {
    /// Its id.
    pub id: AttendanceId,
    /// Of which enrolment.
    pub enrolment_id: EnrolmentId,
    /// In which activity.
    pub activity_id: ActivityId,
    /// In which of its shifts.
    pub shift_id: ShiftId,
    /// Who.
    pub account_id: AccountId,
    /// Where it stands.
    pub status: AttendanceStatus,
    /// Since when.
    pub status_since: Instant,
    /// When the person came: the true instant, which may lie before the shift.
    pub checked_in_at: Option<Instant>,
    /// When the person went: the true instant, which may lie after the shift.
    pub checked_out_at: Option<Instant>,
    /// How it was shown that they came.
    pub check_in_by: Option<Means>,
    /// How it was shown that they went.
    pub check_out_by: Option<Means>,
    /// Who ticked them in by the list.
    pub recorded_in_by: Option<AccountId>,
    /// Who ticked them out by the list.
    pub recorded_out_by: Option<AccountId>,
    /// Whether a phone that was offline said afterwards that they came.
    pub is_late_sent_in: bool,
    /// Whether a phone that was offline said afterwards that they went.
    pub is_late_sent_out: bool,
    /// The signature of the entry it said so with.
    pub entry_in: Option<String>,
    /// The same of going.
    pub entry_out: Option<String>,
    /// Why they were not there, in their own words or the leader's.
    pub excuse: Option<String>,
    /// When the leader did not accept it.
    pub excuse_refused_at: Option<Instant>,
    /// Counts its changes; zero of one that is not written down yet.
    pub version: i32,
    /// When it was made.
    pub created_at: Instant,
}

impl Attendance {
    /// That of an enrolment of which nothing is known yet.
    pub fn expected(enrolment: &Enrolment, now: Instant) -> Self {
        Self {
            id: AttendanceId(enrolment.id.0),
            enrolment_id: enrolment.id,
            activity_id: enrolment.activity_id,
            shift_id: enrolment.shift_id,
            account_id: enrolment.account_id,
            status: AttendanceStatus::Expected,
            status_since: now,
            checked_in_at: None,
            checked_out_at: None,
            check_in_by: None,
            check_out_by: None,
            recorded_in_by: None,
            recorded_out_by: None,
            is_late_sent_in: false,
            is_late_sent_out: false,
            entry_in: None,
            entry_out: None,
            excuse: None,
            excuse_refused_at: None,
            version: 0,
            created_at: now,
        }
    }
}
