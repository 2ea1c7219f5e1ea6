//! Events as a calendar in iCalendar (RFC 5545).

use icalendar::{Calendar, Component, Event as Entry, Property};

use super::rules::{Certainty, Event};
use crate::platform::clock::Instant;

/// How often a program is asked to look again.
const REFRESH: &str = "PT1H";

/// A calendar of these events, with a name or, as a file of its own, without.
pub fn write(name: Option<&str>, events: &[Event]) -> String {
    let mut calendar = Calendar::empty();
    let head = [
        ("VERSION", "2.0"),
        ("PRODID", "-//Yiqilai//Yiqilai//ZH"),
        ("CALSCALE", "GREGORIAN"),
    ];
    for (key, value) in head {
        calendar.append_property(Property::new(key, value));
    }
    if let Some(name) = name {
        calendar.append_property(text("X-WR-CALNAME", name));
        let mut refresh = Property::new("REFRESH-INTERVAL", REFRESH);
        calendar.append_property(refresh.add_parameter("VALUE", "DURATION").done());
        calendar.append_property(Property::new("X-PUBLISHED-TTL", REFRESH));
    }
    for event in events {
        calendar.push(entry(event));
    }
    calendar.to_string()
}

fn entry(event: &Event) -> Entry {
    let mut entry = Entry::new();
    let status = match event.certainty {
        Certainty::Confirmed => "CONFIRMED",
        Certainty::Tentative => "TENTATIVE",
        Certainty::Cancelled => "CANCELLED",
    };
    let fields = [
        ("UID", event.uid.clone()),
        // without a METHOD it says when the event was last revised
        ("DTSTAMP", utc(event.modified_at)),
        ("LAST-MODIFIED", utc(event.modified_at)),
        ("SEQUENCE", event.sequence.to_string()),
        ("DTSTART", utc(event.starts_at)),
        ("DTEND", utc(event.ends_at)),
        ("STATUS", status.to_owned()),
        ("URL", event.url.clone()),
    ];
    for (key, value) in fields {
        entry.append_property(Property::new(key, value));
    }
    if let Some((north, east)) = event.geo {
        entry.append_property(Property::new("GEO", format!("{north:.6};{east:.6}")));
    }
    for (key, value) in [
        ("SUMMARY", &event.summary),
        ("LOCATION", &event.place),
        ("DESCRIPTION", &event.description),
    ] {
        if !value.is_empty() {
            entry.append_property(text(key, value));
        }
    }
    entry.done()
}

/// A text without what no line may hold; the rest is escaped as it is written.
fn text(key: &str, value: &str) -> Property {
    let clean: String = value
        .replace("\r\n", "\n")
        .chars()
        .filter(|c| *c == '\n' || !c.is_control())
        .collect();
    Property::new(key, clean)
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
