//! Pure decisions about activities.

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use strum::IntoStaticStr;
use validator::Validate;

use super::model::{
    Activity,
    ActivityStatus::{
        self, Cancelled, Draft, EnrolmentClosed, Finished, Ongoing, Published, Returned, Settled,
        Submitted,
    },
    Shift,
};
use crate::error::{Code, FieldError};
use crate::platform::clock::Instant;
use crate::platform::lifecycle::{self, ActsAs, Move};

/// The room's numbers; `config/default.toml` says what each means.
#[derive(Clone, Debug, Deserialize, Serialize, Validate)]
#[serde(deny_unknown_fields)]
pub struct ActivityRules {
    /// Minutes of service that one person may take on for a day, over all organisations.
    #[validate(range(min = 1, max = 1_440))]
    pub daily_minutes: i64,
    /// Hours in which somebody who moved up from the line accepts.
    #[validate(range(min = 1, max = 720))]
    pub accept_hours: i64,
    /// Hours before a shift from which on withdrawing is late, unless the organiser says otherwise.
    #[validate(range(min = 0, max = 720))]
    pub withdrawal_hours: i32,
    /// Hours after a change of time or place in which withdrawing is not late.
    #[validate(range(min = 0, max = 720))]
    pub changed_hours: i64,
    /// Activities of one series.
    #[validate(range(min = 1, max = 1_000))]
    pub series_length: u16,
}

/// Who moves an activity.
#[derive(Clone, Copy, Debug, IntoStaticStr)]
#[strum(serialize_all = "lowercase")]
pub enum By {
    /// Who runs the organisation behind it, or claimed its project.
    Organizer,
    /// Who administers its region and had no hand in it.
    #[strum(serialize = "region admin")]
    Reviewer,
    /// The passing of time.
    #[strum(serialize = "clock")]
    Time,
    /// What becomes of its organisation or of its project's claim.
    Reactions,
}

/// Every move of an activity (domain §3). Whether a draft is published or submitted is its region's
/// to say.
pub const MOVES: &[Move<ActivityStatus, By>] = &[
    Move {
        from: &[Draft],
        verb: "publish",
        to: Published,
        by: &[By::Organizer],
    },
    Move {
        from: &[Draft],
        verb: "submit",
        to: Submitted,
        by: &[By::Organizer],
    },
    Move {
        from: &[Submitted],
        verb: "approve",
        to: Published,
        by: &[By::Reviewer],
    },
    Move {
        from: &[Submitted],
        verb: "return",
        to: Returned,
        by: &[By::Reviewer],
    },
    Move {
        from: &[Returned],
        verb: "revise",
        to: Draft,
        by: &[By::Organizer],
    },
    Move {
        from: &[Published],
        verb: "close_enrolment",
        to: EnrolmentClosed,
        by: &[By::Organizer, By::Time],
    },
    Move {
        from: &[EnrolmentClosed],
        verb: "reopen_enrolment",
        to: Published,
        by: &[By::Organizer],
    },
    Move {
        from: &[Published, EnrolmentClosed],
        verb: "begin",
        to: Ongoing,
        by: &[By::Time],
    },
    Move {
        from: &[Ongoing],
        verb: "finish",
        to: Finished,
        by: &[By::Time],
    },
    Move {
        from: &[Finished],
        verb: "settle",
        to: Settled,
        by: &[By::Organizer],
    },
    Move {
        from: &[Draft, Submitted, Returned],
        verb: "cancel",
        to: Cancelled,
        by: &[By::Organizer, By::Reactions],
    },
    Move {
        from: &[Published, EnrolmentClosed],
        verb: "cancel",
        to: Cancelled,
        by: &[By::Organizer, By::Reviewer, By::Time, By::Reactions],
    },
    Move {
        from: &[Ongoing],
        verb: "cancel",
        to: Cancelled,
        by: &[By::Organizer, By::Reviewer],
    },
];

/// The states in which people may stand in it and nothing has begun.
pub const AHEAD: &[ActivityStatus] = &[Published, EnrolmentClosed];

/// The states in which everybody sees an activity.
pub const PUBLIC: &[ActivityStatus] = &[Published, EnrolmentClosed, Ongoing, Finished, Settled];

/// How a caller stands to an activity. Several may hold at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Relation {
    /// Organises it.
    pub organizer: bool,
    /// Belongs to the organisation that does.
    pub member: bool,
    /// Administers its region.
    pub reviewer: bool,
    /// Administers its region, and wrote it, or belongs to the organisation behind it.
    pub reviews_own: bool,
    /// Is or was enrolled in it.
    pub participant: bool,
}

impl ActsAs<By> for Relation {
    fn acts_as(self, party: By) -> Result<(), Code> {
        let holds = match party {
            By::Organizer => self.organizer,
            By::Reviewer if self.reviews_own => return Err(Code::OwnActivity),
            By::Reviewer => self.reviewer,
            By::Time | By::Reactions => false,
        };
        if holds { Ok(()) } else { Err(Code::Forbidden) }
    }
}

impl Relation {
    /// Whether the caller may see the activity: everybody once it was published, and while it is not
    /// cancelled; who had to do with it afterwards, too.
    pub fn may_see(self, status: ActivityStatus) -> bool {
        PUBLIC.contains(&status) || self != Self::default()
    }
}

/// The moves of an activity that are somebody's now ([`lifecycle::open_to`]); a draft is either
/// published or submitted. Staff of the region end what is published, and nothing before.
pub fn moves(activity: &Activity, who: Relation, review: bool) -> Vec<&'static str> {
    let mut verbs = lifecycle::open_to(MOVES, who, activity.status);
    verbs.retain(|verb| match *verb {
        "publish" => !review,
        "submit" => review,
        "cancel" => cancels(activity.status, who).is_ok(),
        _ => true,
    });
    verbs
}

/// Whether somebody may cancel an activity: its organiser, and who reviews in its region once it is
/// published.
///
/// # Errors
/// `forbidden`.
pub fn cancels(status: ActivityStatus, who: Relation) -> Result<(), Code> {
    let was_public = PUBLIC.contains(&status) || status == Cancelled;
    if who.organizer || was_public {
        Ok(())
    } else {
        Err(Code::Forbidden)
    }
}

/// The day on the wall at an instant.
pub fn day_of(at: Instant, zone: Tz) -> NaiveDate {
    at.with_timezone(&zone).date_naive()
}

/// The last day on the wall that something half-open touches.
pub fn last_day(ends_at: Instant, zone: Tz) -> NaiveDate {
    day_of(ends_at - TimeDelta::microseconds(1), zone)
}

/// The instant at which a wall clock shows something; of two, the first; for one that is skipped, as
/// much later as the clock was put forward.
pub fn on_wall(local: NaiveDateTime, zone: Tz) -> Instant {
    let mut at = local;
    for _ in 0..4 {
        if let Some(found) = zone.from_local_datetime(&at).earliest() {
            return found.with_timezone(&Utc).into();
        }
        at += TimeDelta::minutes(30);
    }
    zone.from_utc_datetime(&local).with_timezone(&Utc).into()
}

/// How many minutes something takes of each day on the wall: counted between instants, so an hour
/// over midnight is neither negative nor lost.
pub fn minutes_by_day(starts_at: Instant, ends_at: Instant, zone: Tz) -> Vec<(NaiveDate, i64)> {
    let mut parts = Vec::new();
    let mut at = starts_at;
    while at < ends_at {
        let day = day_of(at, zone);
        let midnight = on_wall((day + TimeDelta::days(1)).and_time(NaiveTime::MIN), zone);
        let until = midnight.min(ends_at);
        parts.push((day, (until - at).num_minutes()));
        at = until;
    }
    parts
}

/// An activity and its shifts as they would be were its first shift to begin at `starts_at`: the
/// clock on the wall moves everything by the same.
pub fn moved_to(
    activity: &Activity,
    shifts: &[Shift],
    to: Instant,
    zone: Tz,
) -> (Activity, Vec<Shift>) {
    let local = |at: Instant| DateTime::<Utc>::from(at).with_timezone(&zone).naive_local();
    let by = local(to) - local(activity.starts_at);
    let moved = |at: Instant| on_wall(local(at) + by, zone);
    let shifts = shifts.iter().map(|shift| Shift {
        starts_at: moved(shift.starts_at),
        ends_at: moved(shift.ends_at),
        ..shift.clone()
    });
    let activity = Activity {
        starts_at: moved(activity.starts_at),
        ends_at: moved(activity.ends_at),
        enrolment_opens_at: activity.enrolment_opens_at.map(moved),
        enrolment_closes_at: moved(activity.enrolment_closes_at),
        ..activity.clone()
    };
    (activity, shifts.collect())
}

/// What an activity still misses to be published (domain §3): each miss on its own.
pub fn misses(activity: &Activity, shifts: &[Shift], now: Instant, zone: Tz) -> Vec<FieldError> {
    let mut missing = Vec::new();
    let mut miss = |pointer: &str, code| missing.push(FieldError::new(pointer, code));
    if activity.risk_notice.trim().is_empty() {
        miss("/risk_notice", Code::RiskNoticeMissing);
    }
    if activity.starts_at <= now {
        miss("/shifts", Code::InThePast);
    }
    if activity.enrolment_closes_at <= now {
        miss("/enrolment_closes_at", Code::InThePast);
    }
    if activity.dangerous {
        let first = day_of(activity.starts_at, zone);
        let last = last_day(activity.ends_at, zone);
        if activity.insurance_policy.is_none() {
            miss("/insurance_policy", Code::InsuranceMissing);
        }
        if activity.insurance_from.is_none_or(|from| from > first) {
            miss("/insurance_from", Code::InsuranceGap);
        }
        if activity.insurance_until.is_none_or(|until| until < last) {
            miss("/insurance_until", Code::InsuranceGap);
        }
    }
    let seats: i64 = shifts.iter().map(|shift| i64::from(shift.seats)).sum();
    if activity.minors && seats < crate::projects::MINORS_ADULTS {
        miss("/shifts", Code::TwoAdults);
    }
    missing
}

/// The degrees so many metres to each side of a point that lies not near a pole: west, east, south, north.
pub fn around(longitude: f64, latitude: f64, metres: f64) -> (f64, f64, f64, f64) {
    let tall = metres / 111_000.0; // a degree of latitude
    let wide = tall / latitude.to_radians().cos();
    (
        longitude - wide,
        longitude + wide,
        latitude - tall,
        latitude + tall,
    )
}

/// The move that the clock makes of an activity now; none when it stays.
pub fn follow(activity: &Activity, now: Instant) -> Option<&'static str> {
    match activity.status {
        // closed even where it begins at that moment: one that is held up takes nobody more by itself
        Published if activity.enrolment_closes_at <= now => Some("close_enrolment"),
        EnrolmentClosed if activity.starts_at <= now => Some("begin"),
        Ongoing if activity.ends_at <= now => Some("finish"),
        _ => None,
    }
}

/// Somebody who is there from when to when, and whether it is a vetted adult.
pub type Presence = (Instant, Instant, bool);

/// The first moment at which people are there and fewer than two of them are vetted adults; none when
/// work with minors may begin. Nobody there at all is such a moment, too: the `start`.
pub fn without_adults(present: &[Presence], start: Instant) -> Option<Instant> {
    if present.is_empty() {
        return Some(start);
    }
    let mut moments: Vec<_> = present
        .iter()
        .flat_map(|(from, to, _)| [*from, *to])
        .collect();
    moments.sort_unstable();
    moments.into_iter().find(|moment| {
        let there = present
            .iter()
            .filter(|(from, to, _)| from <= moment && moment < to);
        let (mut people, mut adults) = (0, 0);
        for (_, _, is_adult) in there {
            people += 1;
            adults += i64::from(*is_adult);
        }
        people > 0 && adults < crate::projects::MINORS_ADULTS
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use strum::VariantArray;

    fn at(text: &str) -> Instant {
        text.parse::<DateTime<Utc>>().unwrap().into()
    }

    const ZONE: Tz = chrono_tz::Asia::Shanghai;

    #[test]
    fn every_state_can_be_reached_and_final_ones_stay() {
        for status in ActivityStatus::VARIANTS {
            let is_reached = *status == Draft || MOVES.iter().any(|m| m.to == *status);
            assert!(is_reached, "{status}");
        }
        for last in [Settled, Cancelled] {
            assert!(!MOVES.iter().any(|m| m.from.contains(&last)));
        }
    }

    #[test]
    fn minutes_over_midnight_belong_to_both_days() {
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        // 28 February, 23:00 to 01:30 in Ningbo: the next day is the 29th in a leap year alone
        for (starts, ends, next) in [
            ("2028-02-28T15:00:00Z", "2028-02-28T17:30:00Z", "2028-02-29"),
            ("2027-02-28T15:00:00Z", "2027-02-28T17:30:00Z", "2027-03-01"),
            ("2026-12-31T15:00:00Z", "2026-12-31T17:30:00Z", "2027-01-01"),
        ] {
            let parts = minutes_by_day(at(starts), at(ends), ZONE);
            assert_eq!(parts[0].1, 60);
            assert_eq!(parts[1], (day(next), 90));
        }
        let until_midnight =
            minutes_by_day(at("2026-11-23T15:00:00Z"), at("2026-11-23T16:00:00Z"), ZONE);
        assert_eq!(
            until_midnight,
            [(day("2026-11-23"), 60)],
            "midnight is the next day's"
        );
        assert_eq!(
            last_day(at("2026-11-23T16:00:00Z"), ZONE),
            day("2026-11-23")
        );
        // an hour is skipped, and one comes twice
        let berlin = chrono_tz::Europe::Berlin;
        for (starts, ends, minutes) in [
            ("2027-03-27T23:00:00Z", "2027-03-28T22:00:00Z", 23 * 60),
            ("2027-10-30T22:00:00Z", "2027-10-31T23:00:00Z", 25 * 60),
        ] {
            assert_eq!(minutes_by_day(at(starts), at(ends), berlin)[0].1, minutes);
        }
    }

    #[test]
    fn minors_are_never_left_with_one_adult() {
        let (nine, ten, eleven) = (
            at("2026-11-23T01:00:00Z"),
            at("2026-11-23T02:00:00Z"),
            at("2026-11-23T03:00:00Z"),
        );
        let all_day = (nine, eleven, true);
        assert_eq!(without_adults(&[], nine), Some(nine));
        assert_eq!(without_adults(&[all_day], nine), Some(nine));
        assert_eq!(without_adults(&[all_day, all_day], nine), None);
        let handed_over = [all_day, (nine, ten, true), (ten, eleven, true)];
        assert_eq!(without_adults(&handed_over, nine), None, "half-open");
        let left_alone = [all_day, (nine, ten, true), (ten, eleven, false)];
        assert_eq!(without_adults(&left_alone, nine), Some(ten));
    }
}
