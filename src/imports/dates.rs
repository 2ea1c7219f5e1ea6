//! Dates as tables write them.

use chrono::{DateTime, Datelike, FixedOffset, NaiveDate, NaiveTime};
use chrono_tz::Tz;

/// Reads a date in one of the given forms (notation of strftime), else as ISO 8601: a day, or a
/// day and a time in the basic or the extended form. What has an offset is an instant, and becomes
/// the day it falls on in `zone`.
pub fn date(text: &str, forms: &[String], zone: Tz) -> Option<NaiveDate> {
    let day = forms
        .iter()
        .find_map(|form| {
            DateTime::parse_from_str(text, form)
                .ok()
                .and_then(|at| on_the_wall(at.naive_local().date(), at.time(), *at.offset(), zone))
                .or_else(|| NaiveDate::parse_from_str(text, form).ok())
        })
        .or_else(|| iso(text, zone))?;
    is_plain(day).then_some(day)
}

/// Years that every database and every time zone can hold.
fn is_plain(day: NaiveDate) -> bool {
    (1..=9999).contains(&day.year())
}

fn on_the_wall(
    day: NaiveDate,
    time: NaiveTime,
    offset: FixedOffset,
    zone: Tz,
) -> Option<NaiveDate> {
    if !is_plain(day) {
        return None;
    }
    let at = day.and_time(time).checked_sub_offset(offset)?.and_utc();
    Some(at.with_timezone(&zone).date_naive())
}

fn iso(text: &str, zone: Tz) -> Option<NaiveDate> {
    let Some((day, rest)) = text.split_once(['T', 't', ' ']) else {
        return iso_day(text);
    };
    let day = iso_day(day)?;
    let rest = rest.trim();
    let (time, offset) = match rest.find(['Z', 'z', '+', '-']) {
        Some(at) => (rest[..at].trim_end(), Some(iso_offset(&rest[at..])?)),
        None => (rest, None),
    };
    let time = iso_time(time)?;
    match offset {
        Some(offset) => on_the_wall(day, time, offset, zone),
        None => Some(day),
    }
}

/// Only ASCII digits and the given marks: chrono alone would take signs and blanks, too.
fn is_made_of(text: &str, marks: &[u8]) -> bool {
    text.bytes()
        .all(|byte| byte.is_ascii_digit() || marks.contains(&byte))
}

fn iso_day(text: &str) -> Option<NaiveDate> {
    let form = match text.len() {
        8 if is_made_of(text, b"") => "%Y%m%d",
        7 if is_made_of(text, b"") => "%Y%j",
        8 if is_made_of(text, b"-") && text.as_bytes()[4] == b'-' && !text[5..].contains('-') => {
            "%Y-%j"
        }
        _ if text.contains('W') && text.contains('-') => "%G-W%V-%u",
        _ if text.contains('W') => "%GW%V%u",
        _ if is_made_of(text, b"-") => "%Y-%m-%d",
        _ => return None,
    };
    NaiveDate::parse_from_str(text, form).ok()
}

fn iso_time(text: &str) -> Option<NaiveTime> {
    if !is_made_of(text, b":.,") {
        return None;
    }
    let text = text.replace(',', ".");
    let forms = ["%H:%M:%S%.f", "%H:%M", "%H%M%S%.f", "%H%M"];
    let read = |form| NaiveTime::parse_from_str(&text, form).ok();
    forms.into_iter().find_map(read)
}

fn iso_offset(text: &str) -> Option<FixedOffset> {
    if text.eq_ignore_ascii_case("z") {
        return FixedOffset::east_opt(0);
    }
    let (sign, rest) = text.split_at_checked(1)?;
    let digits = rest.replace(':', "");
    if !is_made_of(&digits, b"") || !matches!((digits.len(), rest.len()), (2, 2) | (4, 4 | 5)) {
        return None;
    }
    let hours: i32 = digits[..2].parse().ok()?;
    let minutes: i32 = digits
        .get(2..)
        .filter(|m| !m.is_empty())
        .unwrap_or("0")
        .parse()
        .ok()?;
    let seconds = hours * 3600 + minutes * 60;
    FixedOffset::east_opt(if sign == "-" { -seconds } else { seconds })
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono_tz::Asia::Shanghai;
    use proptest::prelude::*;

    #[test]
    fn dates_as_people_and_portals_write_them() {
        let words = ["%B %d %Y".to_owned()];
        let american = ["%m/%d/%Y %I:%M:%S %p".to_owned()];
        let zoned = ["%d.%m.%Y %H:%M %z".to_owned()];
        let days =
            |text: &str, forms: &[String]| date(text, forms, Shanghai).map(|day| day.to_string());
        for (text, forms, day) in [
            ("July 30 2011", &words, "2011-07-30"),
            ("2011-07-30", &words, "2011-07-30"),
            ("07/30/2011 12:00:00 AM", &american, "2011-07-30"),
            ("30.07.2011 23:30 +0000", &zoned, "2011-07-31"),
        ] {
            assert_eq!(days(text, forms).as_deref(), Some(day), "{text}");
        }
        for (text, day) in [
            ("2027-07-30", "2027-07-30"),
            ("2027-7-3", "2027-07-03"),
            ("20270730", "2027-07-30"),
            ("2027-211", "2027-07-30"),
            ("2027211", "2027-07-30"),
            ("2027-W30-5", "2027-07-30"),
            ("2027W305", "2027-07-30"),
            ("2027-07-30T00:00:00", "2027-07-30"),
            ("2027-07-30T00:00:00.000", "2027-07-30"),
            ("2027-07-30T09:30:00,25", "2027-07-30"),
            ("2027-07-30 09:30:00", "2027-07-30"),
            ("2027-07-30 09:30", "2027-07-30"),
            ("20270730T093000", "2027-07-30"),
            ("2027-07-30T00:00:00Z", "2027-07-30"),
            ("2027-07-30T15:59:59Z", "2027-07-30"),
            ("2027-07-30T16:00:00Z", "2027-07-31"),
            ("20270730T160000Z", "2027-07-31"),
            ("2027-07-30T00:00:00+08:00", "2027-07-30"),
            ("2027-07-30T00:00:00+0900", "2027-07-29"),
            ("2027-07-30 23:00:00.5 -05", "2027-07-31"),
        ] {
            assert_eq!(days(text, &[]).as_deref(), Some(day), "{text}");
        }
        for text in [
            "",
            "T",
            "2027",
            "2027-02-30",
            "February 30 2011",
            "2027-07-30T",
            "2027-07-30T25:00:00",
            "2027-07-30T00:00:00+8",
            "2027-07-30T00:00:00+99:00",
            "+12027-07-30",
            "2027-07-30 or so",
            "12027-07-30",
            "九月",
            "2027年",
        ] {
            assert_eq!(days(text, &[]), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_a_date_or_none(text in "[0-9TtZzW:.,+ -]{0,30}|\\PC{0,30}") {
            let _ = date(&text, &["%Y-%m-%d %z".to_owned()], Shanghai);
        }

        #[test]
        fn an_instant_falls_on_one_day(seconds in 0i64..4_000_000_000, hours in -12i32..=14) {
            let at = DateTime::from_timestamp(seconds, 0).unwrap();
            let offset = FixedOffset::east_opt(hours * 3600).unwrap();
            let text = at.with_timezone(&offset).to_rfc3339();
            prop_assert_eq!(date(&text, &[], Shanghai), Some(at.with_timezone(&Shanghai).date_naive()));
        }
    }
}
