//! Pure decisions about activities.

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Offset, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use strum::IntoStaticStr;
use validator::{Validate, ValidationError};

use super::attendance::rules::AttendanceRules;
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
use crate::projects::MINORS_ADULTS;

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
    /// How often one person may stand in one shift, be asked to it by one leader, or wait there.
    #[validate(range(min = 1, max = 100))]
    pub enrolments_per_shift: i64,
    /// Days after its end when an activity that nobody has settled is settled by the clock.
    #[validate(range(min = 1, max = 1_000))]
    pub settle_days: i64,
    /// Days after its end for which an activity stays in calendars.
    #[validate(range(min = 1, max = 3_650))]
    pub calendar_days: i64,
    /// Hours before a shift at which whoever comes is reminded, from the first to the last.
    #[validate(custom(function = "is_ladder"))]
    pub reminder_hours: Vec<i64>,
    /// Days after its end in which feedback about an activity is given and changed.
    #[validate(range(min = 1, max = 365))]
    pub feedback_days: i64,
    /// How many must have answered before averages and comments are shown.
    #[validate(range(min = 2, max = 1_000))]
    pub feedback_shown_from: i64,
    /// Those of attendance.
    #[validate(nested)]
    pub attendance: AttendanceRules,
}

/// Whether hours go down from the first to the last, and end before the shift.
fn is_ladder(hours: &[i64]) -> std::result::Result<(), ValidationError> {
    let goes_down = hours.windows(2).all(|two| two[0] > two[1]);
    let is_within = hours.iter().all(|hours| (1..=720).contains(hours));
    match goes_down && is_within && hours.len() <= 10 {
        true => Ok(()),
        false => Err(ValidationError::new("range")),
    }
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
        by: &[By::Organizer, By::Time],
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

/// The states in which somebody may still come to a shift that has not begun: the line of a later shift
/// moves on while the first is going on.
pub const LIVE: &[ActivityStatus] = &[Published, EnrolmentClosed, Ongoing];

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

/// The instant at which a wall clock shows something; of two, the first; for one that is skipped, by the
/// offset before (RFC 5545, section 3.3.5): as much later as the clock was put forward.
pub fn on_wall(local: NaiveDateTime, zone: Tz) -> Instant {
    let found = zone.from_local_datetime(&local).earliest();
    let found = found.map(|found| found.with_timezone(&Utc));
    found.unwrap_or_else(|| skipped(local, zone)).into()
}

fn skipped(local: NaiveDateTime, zone: Tz) -> DateTime<Utc> {
    // no clock was ever put forward by more than a day
    let before = local - TimeDelta::hours(25);
    let offset = zone.offset_from_utc_datetime(&before).fix();
    (local - offset).and_utc()
}

/// When the day on the wall begins that an instant lies in.
pub fn midnight_before(at: Instant, zone: Tz) -> Instant {
    on_wall(day_of(at, zone).and_time(NaiveTime::MIN), zone)
}

/// Whether something half-open takes no more than a day on the wall, however many hours that has.
pub fn is_within_a_day(starts_at: Instant, ends_at: Instant, zone: Tz) -> bool {
    let local = DateTime::<Utc>::from(starts_at)
        .with_timezone(&zone)
        .naive_local();
    ends_at <= on_wall(local + TimeDelta::days(1), zone)
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
    for (n, shift) in shifts.iter().enumerate() {
        if activity.minors && i64::from(shift.seats) < MINORS_ADULTS {
            miss(&format!("/shifts/{n}/seats"), Code::TwoAdults);
        }
    }
    missing
}

/// Whether an activity stands where it is because something kept it from beginning.
pub fn is_held_up(activity: &Activity) -> bool {
    activity.held_up_at.is_some() && AHEAD.contains(&activity.status)
}

/// Whether a cancelled activity was not held because too few vetted adults came.
pub fn was_not_held(activity: &Activity) -> bool {
    let is_over = activity.status_since >= activity.ends_at;
    activity.began_at.is_none() && activity.held_up_at.is_some() && is_over
}

/// Until when people come to a shift and may leave it: until it begins; until it would be over where what
/// it belongs to is held up, which those who are missing are to mend.
pub fn open_until(activity: &Activity, shift: &Shift) -> Instant {
    if is_held_up(activity) {
        shift.ends_at
    } else {
        shift.starts_at
    }
}

/// The move that the clock makes of an activity now; none when it stays.
pub fn follow(activity: &Activity, rules: &ActivityRules, now: Instant) -> Option<&'static str> {
    match activity.status {
        Published if activity.enrolment_closes_at <= now => Some("close_enrolment"),
        // one that was reopened because it is held up is still published
        Published | EnrolmentClosed if activity.starts_at <= now => Some("begin"),
        Ongoing if activity.ends_at <= now => Some("finish"),
        Finished if settled_by_time(activity, rules) <= now => Some("settle"),
        _ => None,
    }
}

/// When the clock settles a finished activity that nobody has settled.
pub fn settled_by_time(activity: &Activity, rules: &ActivityRules) -> Instant {
    activity.ends_at + TimeDelta::days(rules.settle_days)
}

/// What is known of a shift of work with minors: whether anybody comes, and how many vetted adults, those
/// beyond the two that are wanted not counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Session {
    /// Whether anybody comes.
    pub is_attended: bool,
    /// Vetted adults who come.
    pub adults: i64,
}

impl Session {
    /// How many vetted adults it lacks.
    pub fn lacks(self) -> i64 {
        (MINORS_ADULTS - self.adults).max(0)
    }
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
    fn a_clock_that_is_put_forward_skips_nothing() {
        let local = |text: &str| text.parse::<NaiveDateTime>().unwrap();
        let berlin = chrono_tz::Europe::Berlin;
        // from two to three: by the offset before, whole and half hours alike
        for (shown, meant) in [
            ("2027-03-28T02:00:00", "2027-03-28T01:00:00Z"),
            ("2027-03-28T02:15:00", "2027-03-28T01:15:00Z"),
            ("2027-03-28T02:30:00", "2027-03-28T01:30:00Z"),
            ("2027-10-31T02:30:00", "2027-10-31T00:30:00Z"),
        ] {
            assert_eq!(on_wall(local(shown), berlin), at(meant), "{shown}");
        }
        // half an hour at Lord Howe, midnight itself in Beirut, a whole day on Samoa
        let others = [
            (
                chrono_tz::Australia::Lord_Howe,
                "2026-10-04T02:10:00",
                "2026-10-03T15:40:00Z",
            ),
            (
                chrono_tz::Asia::Beirut,
                "2026-03-29T00:00:00",
                "2026-03-28T22:00:00Z",
            ),
            (
                chrono_tz::Pacific::Apia,
                "2011-12-30T12:00:00",
                "2011-12-30T22:00:00Z",
            ),
        ];
        for (zone, shown, meant) in others {
            assert_eq!(on_wall(local(shown), zone), at(meant), "{zone} {shown}");
        }
    }

    #[test]
    fn a_day_may_have_twenty_five_hours() {
        let berlin = chrono_tz::Europe::Berlin;
        let (from, to) = (at("2027-10-30T22:00:00Z"), at("2027-10-31T23:00:00Z"));
        assert!(is_within_a_day(from, to, berlin));
        assert!(!is_within_a_day(from, to + TimeDelta::minutes(1), berlin));
        assert_eq!(midnight_before(to - TimeDelta::minutes(1), berlin), from);
        assert!(!is_within_a_day(from, to, ZONE));
    }
}
