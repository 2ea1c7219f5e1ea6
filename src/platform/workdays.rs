//! Working days by the official holiday calendar with its make-up days, kept as data in
//! `config/calendar/cn.toml`.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use chrono::{Datelike, Days, NaiveDate, NaiveTime, TimeZone, Weekday};
use chrono_tz::Tz;
use serde::Deserialize;

use super::clock::Instant;

#[derive(Deserialize)]
struct Calendar {
    year: Vec<Year>,
}

#[derive(Deserialize)]
struct Year {
    off: Vec<NaiveDate>,
    work: Vec<NaiveDate>,
}

struct Table {
    off: BTreeSet<NaiveDate>,
    work: BTreeSet<NaiveDate>,
}

static DAYS: LazyLock<Table> = LazyLock::new(|| {
    // the file is compiled in; a test reads it, so a broken one does not ship
    let calendar: Calendar = toml::from_str(include_str!("../../config/calendar/cn.toml"))
        .unwrap_or(Calendar { year: Vec::new() });
    Table {
        off: calendar
            .year
            .iter()
            .flat_map(|year| year.off.iter().copied())
            .collect(),
        work: calendar
            .year
            .iter()
            .flat_map(|year| year.work.iter().copied())
            .collect(),
    }
});

/// Whether people work on this day.
pub fn is_workday(day: NaiveDate) -> bool {
    let is_weekend = matches!(day.weekday(), Weekday::Sat | Weekday::Sun);
    DAYS.work.contains(&day) || (!is_weekend && !DAYS.off.contains(&day))
}

/// The end of the `count`-th working day after the one of `from`, in `zone`.
pub fn end_of_workday_after(from: Instant, count: u32, zone: Tz) -> Instant {
    let mut day = from.with_timezone(&zone).date_naive();
    let mut left = count;
    while left > 0 {
        day = day.checked_add_days(Days::new(1)).unwrap_or(day);
        if is_workday(day) {
            left -= 1;
        }
    }
    let midnight = day
        .checked_add_days(Days::new(1))
        .unwrap_or(day)
        .and_time(NaiveTime::MIN);
    // no zone of ours skips midnight; where one did, the hour after it is meant
    let end = zone.from_local_datetime(&midnight).earliest();
    end.map_or(from, |end| end.with_timezone(&chrono::Utc).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn holidays_and_make_up_days_count() {
        assert!(
            DAYS.off.len() > 80 && DAYS.work.len() > 15,
            "the calendar was read"
        );
        assert!(is_workday(day("2026-11-23")));
        assert!(!is_workday(day("2026-11-22")));
        assert!(!is_workday(day("2026-10-01")), "National Day");
        assert!(is_workday(day("2026-10-10")), "a Saturday that is worked");
    }

    #[test]
    fn terms_run_over_holidays() {
        let zone = chrono_tz::Asia::Shanghai;
        let at = |text: &str| -> Instant {
            text.parse::<chrono::DateTime<chrono::Utc>>()
                .unwrap()
                .into()
        };
        // Wednesday 30 September 2026, 17:00; the 1st to 7th are free
        let end = end_of_workday_after(at("2026-09-30T09:00:00Z"), 2, zone);
        assert_eq!(
            end,
            at("2026-10-09T16:00:00Z"),
            "the end of Friday the 9th in Ningbo"
        );
        // Monday just after midnight in Ningbo is still Sunday in UTC
        let end = end_of_workday_after(at("2026-11-22T16:30:00Z"), 1, zone);
        assert_eq!(end, at("2026-11-24T16:00:00Z"));
    }
}
