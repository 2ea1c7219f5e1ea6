//! Pure decisions about service records.

use std::collections::HashSet;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use strum::IntoStaticStr;
use validator::Validate;

use super::model::{
    Entry, EntryKind, Record,
    RecordStatus::{self, Appealed, Confirmed, Disputed, Proposed, Void},
};
use crate::error::{Code, FieldError};
use crate::platform::clock::Instant;
use crate::platform::lifecycle::{self, ActsAs, Move};

/// The room's numbers; `config/default.toml` says what each means.
#[derive(Clone, Debug, Deserialize, Serialize, Validate)]
#[serde(deny_unknown_fields)]
pub struct RecordRules {
    /// Days after which who records is reminded of what is unconfirmed.
    #[validate(range(min = 1, max = 365))]
    pub remind_days: i64,
    /// Days after which the region's staff hear of it.
    #[validate(range(min = 1, max = 365))]
    pub staff_days: i64,
    /// Days after which the clock confirms what has its time.
    #[validate(range(min = 1, max = 365))]
    pub confirm_days: i64,
    /// Days after the confirmation in which the person may dispute it, and after an answer in which to appeal.
    #[validate(range(min = 1, max = 365))]
    pub dispute_days: i64,
    /// Days in which who records answers a dispute, then it goes before the staff.
    #[validate(range(min = 1, max = 365))]
    pub answer_days: i64,
    /// Minutes before and after the shift that may be set by hand.
    #[validate(range(min = 0, max = 720))]
    pub outside_minutes: i64,
}

/// Who moves a service record.
#[derive(Clone, Copy, Debug, IntoStaticStr)]
#[strum(serialize_all = "lowercase")]
pub enum By {
    /// Who runs the organisation that records it.
    Recorder,
    /// Who did the service.
    Person,
    /// Who administers its region.
    Staff,
    /// The passing of time.
    #[strum(serialize = "clock")]
    Time,
}

/// Every move of a service record (domain §3).
pub const MOVES: &[Move<RecordStatus, By>] = &[
    Move {
        from: &[Proposed],
        verb: "confirm",
        to: Confirmed,
        by: &[By::Recorder, By::Staff, By::Time],
    },
    Move {
        from: &[Proposed],
        verb: "correct",
        to: Proposed,
        by: &[By::Recorder, By::Staff],
    },
    Move {
        from: &[Confirmed],
        verb: "correct",
        to: Confirmed,
        by: &[By::Recorder, By::Staff],
    },
    Move {
        from: &[Proposed, Confirmed],
        verb: "dispute",
        to: Disputed,
        by: &[By::Person],
    },
    Move {
        from: &[Disputed],
        verb: "agree",
        to: Confirmed,
        by: &[By::Recorder],
    },
    Move {
        from: &[Disputed],
        verb: "keep",
        to: Confirmed,
        by: &[By::Recorder],
    },
    Move {
        from: &[Disputed],
        verb: "escalate",
        to: Appealed,
        by: &[By::Time],
    },
    Move {
        from: &[Confirmed],
        verb: "appeal",
        to: Appealed,
        by: &[By::Person],
    },
    Move {
        from: &[Appealed],
        verb: "uphold",
        to: Confirmed,
        by: &[By::Staff],
    },
    Move {
        from: &[Appealed],
        verb: "dismiss",
        to: Confirmed,
        by: &[By::Staff],
    },
    Move {
        from: &[Proposed],
        verb: "void",
        to: Void,
        by: &[By::Recorder, By::Time],
    },
    Move {
        from: &[Confirmed],
        verb: "void",
        to: Void,
        by: &[By::Recorder],
    },
];

/// How a caller stands to a record. Several may hold at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Relation {
    /// Did the service.
    pub person: bool,
    /// Runs the organisation that records it.
    pub recorder: bool,
    /// Administers its region.
    pub staff: bool,
    /// Whether no organisation records it: the staff do.
    pub staff_record: bool,
}

impl ActsAs<By> for Relation {
    fn acts_as(self, party: By) -> Result<(), Code> {
        let holds = match party {
            By::Person => self.person,
            By::Recorder => self.recorder || (self.staff && self.staff_record),
            By::Staff => self.staff,
            By::Time => false,
        };
        match (holds, party) {
            (true, By::Recorder | By::Staff) if self.person => Err(Code::OwnHours),
            (true, _) => Ok(()),
            (false, _) => Err(Code::Forbidden),
        }
    }
}

impl Relation {
    /// Whether the caller may see the record.
    pub fn may_see(self) -> bool {
        self.person || self.recorder || self.staff
    }
}

/// The moves of a record that are somebody's now ([`lifecycle::open_to`]). One disputes once, and appeals once
/// against the answer, both within their term; what nothing is known of is not kept but corrected.
pub fn moves(
    record: &Record,
    who: Relation,
    rules: &RecordRules,
    now: Instant,
) -> Vec<&'static str> {
    let mut verbs = lifecycle::open_to(MOVES, who, record.status);
    verbs.retain(|verb| is_open(record, rules, now, verb));
    verbs
}

/// Whether a move that the state allows is open to anybody.
pub fn is_open(record: &Record, rules: &RecordRules, now: Instant, verb: &str) -> bool {
    let in_time = now < record.status_since + TimeDelta::days(rules.dispute_days);
    let in_time = in_time || record.status == Proposed;
    match verb {
        "dispute" => record.disputed_at.is_none() && in_time,
        "appeal" => record.claimed_from.is_some() && record.appealed_at.is_none() && in_time,
        "confirm" | "keep" | "dismiss" => record.starts_at.is_some(),
        _ => true,
    }
}

/// Whether nobody has answered a dispute in its time.
pub fn is_unanswered(record: &Record, rules: &RecordRules, now: Instant) -> bool {
    record.status == Disputed && record.status_since + TimeDelta::days(rules.answer_days) <= now
}

/// A time of service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// From when on.
    pub from: Instant,
    /// Until when; not included.
    pub until: Instant,
}

/// What an attendance shares with its shift: coming early and staying late count nothing. None where less than a
/// minute is left.
pub fn shared(came: Instant, went: Instant, shift: Span) -> Option<Span> {
    let span = Span {
        from: came.max(shift.from),
        until: went.min(shift.until),
    };
    (span.until - span.from >= TimeDelta::minutes(1)).then_some(span)
}

/// What is wrong with times set by hand: they lie within the shift and a little more, and have passed.
pub fn check_span(
    span: Span,
    shift: Span,
    rules: &RecordRules,
    now: Instant,
    names: [&'static str; 2],
) -> Vec<FieldError> {
    let around = TimeDelta::minutes(rules.outside_minutes);
    let mut wrong = Vec::new();
    if span.from < shift.from - around || span.from >= shift.until {
        wrong.push(FieldError::new(names[0], Code::OutsideShift));
    }
    if span.until > shift.until + around || span.until > now || span.until <= shift.from {
        wrong.push(FieldError::new(names[1], Code::OutsideShift));
    } else if span.until - span.from < TimeDelta::minutes(1) {
        wrong.push(FieldError::new(names[1], Code::EndsBeforeItBegins));
    }
    wrong
}

/// The whole minutes of a time of service by days on the wall: they add up to its whole minutes. A day is as long
/// as it is, also when the clocks are changed.
pub fn by_day(span: Span, zone: Tz) -> Vec<(NaiveDate, i32)> {
    let whole = |at: DateTime<Utc>| (at - *span.from).num_minutes();
    let mut days = Vec::new();
    let (mut at, mut counted) = (*span.from, 0);
    while at < *span.until {
        let day = at.with_timezone(&zone).date_naive();
        let end = first_of(day.succ_opt().unwrap_or(day), zone)
            .filter(|end| *end > at)
            .map_or(*span.until, |end| end.min(*span.until));
        let minutes = whole(end) - counted;
        counted += minutes;
        if minutes > 0 {
            days.push((day, i32::try_from(minutes).unwrap_or(i32::MAX)));
        }
        at = end;
    }
    days
}

/// The first instant of a day on the wall.
fn first_of(day: NaiveDate, zone: Tz) -> Option<DateTime<Utc>> {
    use chrono::TimeZone;
    // where midnight is skipped, the day begins when the clocks go on
    (0..=180).step_by(15).find_map(|minute| {
        let wall = day.and_hms_opt(0, 0, 0)? + TimeDelta::minutes(minute);
        let at = zone.from_local_datetime(&wall).earliest()?;
        Some(at.with_timezone(&Utc))
    })
}

/// What the cap leaves of each day's minutes, and how much it cuts away.
pub fn under_cap(
    days: &[(NaiveDate, i32)],
    taken: impl Fn(NaiveDate) -> i32,
    cap: i32,
) -> (Vec<(NaiveDate, i32)>, i32) {
    let mut cut = 0;
    let mut left = Vec::new();
    for (day, minutes) in days {
        let free = (cap - taken(*day)).clamp(0, *minutes);
        cut += minutes - free;
        if free > 0 {
            left.push((*day, free));
        }
    }
    (left, cut)
}

/// The credits among some entries that none of them takes back.
pub fn live(entries: Vec<Entry>) -> Vec<Entry> {
    let taken_back: HashSet<_> = entries
        .iter()
        .filter_map(|entry| entry.counters_id)
        .collect();
    let mut live = entries;
    live.retain(|entry| entry.kind == EntryKind::Credit && !taken_back.contains(&entry.id));
    live
}

/// Hours with one decimal, rounded half up (domain §7).
pub fn hours(minutes: i64) -> f64 {
    ((minutes * 10 + 30) / 60) as f64 / 10.0
}

#[cfg(test)]
mod tests {
    use chrono_tz::America::New_York;
    use chrono_tz::Asia::Shanghai;
    use proptest::prelude::*;

    use super::*;

    fn at(text: &str) -> Instant {
        text.parse::<DateTime<Utc>>().unwrap().into()
    }

    fn span(from: &str, until: &str) -> Span {
        Span {
            from: at(from),
            until: at(until),
        }
    }

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn a_shift_over_midnight_counts_for_both_days() {
        let night = span("2026-11-28T15:00:00Z", "2026-11-28T17:00:00Z");
        let days = by_day(night, Shanghai);
        assert_eq!(days, [(day("2026-11-28"), 60), (day("2026-11-29"), 60)]);
        let leap = span("2028-02-28T15:30:00Z", "2028-02-29T16:30:00Z");
        let days = by_day(leap, Shanghai);
        let all = [("2028-02-28", 30), ("2028-02-29", 1440), ("2028-03-01", 30)];
        assert_eq!(days, all.map(|(date, minutes)| (day(date), minutes)));
    }

    #[test]
    fn changing_the_clocks_makes_no_hour() {
        // 25 hours: the clocks go back at 06:00 UTC
        let long = span("2026-11-01T04:00:00Z", "2026-11-02T05:00:00Z");
        assert_eq!(by_day(long, New_York), [(day("2026-11-01"), 1500)]);
        let short = span("2026-03-08T05:00:00Z", "2026-03-09T04:00:00Z");
        assert_eq!(by_day(short, New_York), [(day("2026-03-08"), 1380)]);
    }

    #[test]
    fn only_the_shift_counts_and_no_less_than_a_minute() {
        let shift = span("2026-11-28T01:00:00Z", "2026-11-28T03:00:00Z");
        let early = shared(
            at("2026-11-28T00:30:00Z"),
            at("2026-11-28T04:00:00Z"),
            shift,
        );
        assert_eq!(early, Some(shift));
        let (came, went) = (at("2026-11-28T02:59:01Z"), at("2026-11-28T05:00:00Z"));
        assert_eq!(shared(came, went, shift), None);
        let before = shared(
            at("2026-11-28T00:00:00Z"),
            at("2026-11-28T00:59:00Z"),
            shift,
        );
        assert_eq!(before, None);
    }

    #[test]
    fn hours_have_one_decimal() {
        assert_eq!(
            [0, 2, 3, 60, 90, 599].map(hours),
            [0.0, 0.0, 0.1, 1.0, 1.5, 10.0]
        );
    }

    proptest! {
        #[test]
        fn days_add_up_to_the_whole(from in 0_i64..4_000_000_000, seconds in 0_i64..300_000, ny: bool) {
            let from = Instant::from_micros(from * 1_000_000).unwrap();
            let span = Span { from, until: from + TimeDelta::seconds(seconds) };
            let zone = if ny { New_York } else { Shanghai };
            let days = by_day(span, zone);
            let sum: i64 = days.iter().map(|(_, minutes)| i64::from(*minutes)).sum();
            prop_assert_eq!(sum, seconds / 60);
            prop_assert!(days.windows(2).all(|two| two[0].0 < two[1].0));
            prop_assert!(days.iter().all(|(_, minutes)| *minutes > 0 && *minutes <= 1500));
        }

        #[test]
        fn the_cap_is_never_passed_and_nothing_is_lost(
            minutes in prop::collection::vec(1_i32..1440, 1..4), taken in 0_i32..600, cap in 1_i32..1440,
        ) {
            let first = day("2026-11-28");
            let days: Vec<_> = first.iter_days().zip(minutes).collect();
            let (left, cut) = under_cap(&days, |_| taken, cap);
            let whole: i32 = days.iter().map(|(_, minutes)| minutes).sum();
            prop_assert_eq!(left.iter().map(|(_, minutes)| minutes).sum::<i32>() + cut, whole);
            for (_, minutes) in left {
                prop_assert!(minutes > 0 && taken + minutes <= cap.max(taken));
            }
        }

        #[test]
        fn what_counts_lies_in_the_shift(came in 0_i64..500, stay in 0_i64..500, begin in 0_i64..500, long in 1_i64..500) {
            let minute = |n: i64| Instant::from_micros(n * 60_000_000).unwrap();
            let shift = Span { from: minute(begin), until: minute(begin + long) };
            let got = shared(minute(came), minute(came + stay), shift);
            let overlap = (came + stay).min(begin + long) - came.max(begin);
            match got {
                Some(span) => {
                    prop_assert!(span.from >= shift.from && span.until <= shift.until);
                    prop_assert_eq!((span.until - span.from).num_minutes(), overlap);
                }
                None => prop_assert!(overlap < 1),
            }
        }
    }
}
