//! Events as a calendar in iCalendar (RFC 5545). Written here: the crate that is usual for it (`icalendar`) gives the
//! last part of a folded line an octet too many.

use super::rules::{Certainty, Event};
use crate::platform::clock::Instant;

/// How often a program is asked to look again.
const REFRESH: &str = "PT1H";

/// The most octets of a line, its end aside.
const WIDTH: usize = 75;

/// A calendar of these events, with a name or, as a file of its own, without.
pub fn write(name: Option<&str>, events: &[Event]) -> String {
    let mut out = String::new();
    line(&mut out, "BEGIN", "VCALENDAR");
    line(&mut out, "VERSION", "2.0");
    line(&mut out, "PRODID", "-//Yiqilai//Yiqilai//ZH");
    line(&mut out, "CALSCALE", "GREGORIAN");
    if let Some(name) = name {
        line(&mut out, "X-WR-CALNAME", &escaped(name));
        line(&mut out, "REFRESH-INTERVAL;VALUE=DURATION", REFRESH);
        line(&mut out, "X-PUBLISHED-TTL", REFRESH);
    }
    for event in events {
        write_event(&mut out, event);
    }
    line(&mut out, "END", "VCALENDAR");
    out
}

fn write_event(out: &mut String, event: &Event) {
    let status = match event.certainty {
        Certainty::Confirmed => "CONFIRMED",
        Certainty::Tentative => "TENTATIVE",
        Certainty::Cancelled => "CANCELLED",
    };
    line(out, "BEGIN", "VEVENT");
    line(out, "UID", &escaped(&event.uid));
    // without a METHOD it says when the event was last revised
    line(out, "DTSTAMP", &utc(event.modified_at));
    line(out, "LAST-MODIFIED", &utc(event.modified_at));
    line(out, "SEQUENCE", &event.sequence.to_string());
    line(out, "DTSTART", &utc(event.starts_at));
    line(out, "DTEND", &utc(event.ends_at));
    line(out, "STATUS", status);
    line(out, "URL", &event.url);
    if let Some((north, east)) = event.geo {
        line(out, "GEO", &format!("{north:.6};{east:.6}"));
    }
    for (key, value) in [
        ("SUMMARY", &event.summary),
        ("LOCATION", &event.place),
        ("DESCRIPTION", &event.description),
    ] {
        if !value.is_empty() {
            line(out, key, &escaped(value));
        }
    }
    line(out, "END", "VEVENT");
}

/// A content line (section 3.1): folded by octets, and never within a character. What follows a fold begins
/// with a space, which counts.
fn line(out: &mut String, name: &str, value: &str) {
    let mut width = 0;
    for c in name.chars().chain([':']).chain(value.chars()) {
        if width + c.len_utf8() > WIDTH {
            out.push_str("\r\n ");
            width = 1;
        }
        out.push(c);
        width += c.len_utf8();
    }
    out.push_str("\r\n");
}

/// A text as a value (section 3.3.11), without what no line may hold.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' | ';' | ',' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            c if c.is_control() => {}
            c => out.push(c),
        }
    }
    out
}

fn utc(at: Instant) -> String {
    at.format("%Y%m%dT%H%M%SZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn event(summary: String) -> Event {
        Event {
            uid: "x@yiqilai".to_owned(),
            sequence: 1,
            modified_at: Instant::default(),
            starts_at: Instant::default(),
            ends_at: Instant::default(),
            description: summary.clone(),
            summary,
            place: String::new(),
            geo: None,
            url: "http://localhost/".to_owned(),
            certainty: Certainty::Confirmed,
        }
    }

    proptest! {
        /// Lines end as they must, none has more than 75 octets, and what was folded and escaped is read back
        /// by another crate as it was.
        #[test]
        fn any_text_comes_through(
            words in "[ 　a-c,;:\\\\\"\n益起来🎉é]{0,300}",
        ) {
            let written = write(Some(&words), &[event(words.clone())]);
            for line in written.split_terminator("\r\n") {
                prop_assert!(line.len() <= 75, "{line}");
                prop_assert!(!line.contains(['\r', '\n']), "{line:?}");
            }
            let read = calcard::icalendar::ICalendar::parse(&written).expect("a calendar");
            let entry = &read.components[1];
            let description = entry.property(&calcard::icalendar::ICalendarProperty::Description);
            let shown = description.and_then(|found| found.values.first()?.as_text());
            prop_assert_eq!(shown.unwrap_or_default(), words);
        }
    }
}
