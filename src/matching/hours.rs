//! Minutes of the week: when people are free, and when hands are wanted.

use chrono::{DateTime, Datelike, NaiveTime, TimeDelta, Timelike, Utc};
use chrono_tz::Tz;

use crate::platform::clock::Instant;

/// Minutes of a week, half-open: 0 is Monday's midnight, 10 080 the end of Sunday.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    /// Included.
    pub from: u32,
    /// Not included.
    pub to: u32,
}

/// Minutes of a day.
pub(super) const DAY: u32 = 24 * 60;

impl Span {
    /// A window of one weekday (1 Monday to 7 Sunday), minutes after midnight.
    pub fn of_weekday(weekday: i32, from_minute: i32, to_minute: i32) -> Self {
        let minute = |minute: i32| {
            let day = u32::try_from(weekday - 1).unwrap_or(0).min(6);
            day * DAY + u32::try_from(minute).unwrap_or(0).min(DAY)
        };
        Self {
            from: minute(from_minute),
            to: minute(to_minute),
        }
    }

    /// How many minutes it lasts.
    pub fn minutes(self) -> u32 {
        self.to.saturating_sub(self.from)
    }

    /// How many minutes two share.
    pub fn shared(self, other: Self) -> u32 {
        self.to
            .min(other.to)
            .saturating_sub(self.from.max(other.from))
    }
}

/// When hands are wanted: the minutes of the week that are laid beside people's free ones. A date
/// that comes again counts again. Empty: at any time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hours(Vec<Span>);

impl Hours {
    /// The same every week; windows that overlap are taken together.
    pub fn weekly(windows: impl IntoIterator<Item = Span>) -> Self {
        let mut windows: Vec<_> = windows.into_iter().filter(|w| w.from < w.to).collect();
        windows.sort_unstable();
        let mut merged: Vec<Span> = Vec::with_capacity(windows.len());
        for window in windows {
            match merged.last_mut() {
                Some(last) if window.from <= last.to => last.to = last.to.max(window.to),
                _ => merged.push(window),
            }
        }
        merged.shrink_to_fit();
        Self(merged)
    }

    /// From instant to instant, on the clocks of `zone`. One that goes over midnight is two.
    pub fn dated(intervals: impl IntoIterator<Item = (Instant, Instant)>, zone: Tz) -> Self {
        let mut spans = Vec::new();
        for (from, to) in intervals {
            let local = |at: Instant| DateTime::<Utc>::from(at).with_timezone(&zone).naive_local();
            let (mut at, to) = (local(from), local(to));
            while at < to {
                let midnight = (at.date() + TimeDelta::days(1)).and_time(NaiveTime::MIN);
                let until = midnight.min(to);
                let day = at.weekday().num_days_from_monday() * DAY;
                let minute = |t: NaiveTime| t.hour() * 60 + t.minute();
                let end = if until == midnight {
                    DAY
                } else {
                    minute(until.time())
                };
                spans.push(Span {
                    from: day + minute(at.time()),
                    to: day + end,
                });
                at = until;
            }
        }
        spans.retain(|span| span.from < span.to);
        Self(spans)
    }

    /// The spans, as they count.
    pub fn spans(&self) -> &[Span] {
        &self.0
    }

    /// Minutes in all.
    pub fn minutes(&self) -> u32 {
        self.0.iter().map(|span| span.minutes()).sum()
    }

    /// Minutes that lie inside windows that do not overlap.
    pub fn minutes_inside(&self, windows: &Self) -> u32 {
        let pairs = self
            .0
            .iter()
            .flat_map(|ours| windows.0.iter().map(move |theirs| ours.shared(*theirs)));
        pairs.sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Instant {
        text.parse::<DateTime<Utc>>().unwrap().into()
    }

    #[test]
    fn instants_become_minutes_of_the_local_week() {
        let zone = chrono_tz::Asia::Shanghai;
        // Monday 23:00 to Tuesday 01:30 in Ningbo
        let night = Hours::dated(
            [(at("2026-11-23T15:00:00Z"), at("2026-11-23T17:30:00Z"))],
            zone,
        );
        let expected = [
            Span {
                from: 23 * 60,
                to: 24 * 60,
            },
            Span {
                from: 24 * 60,
                to: 25 * 60 + 30,
            },
        ];
        assert_eq!(night.spans(), expected);
        // Sunday over midnight begins the week anew
        let turn = Hours::dated(
            [(at("2026-11-29T15:00:00Z"), at("2026-11-29T17:00:00Z"))],
            zone,
        );
        assert_eq!(
            turn.spans()[1],
            Span { from: 0, to: 60 },
            "no negative hours"
        );
        let twice = [(at("2026-11-23T01:00:00Z"), at("2026-11-23T02:00:00Z")); 2];
        assert_eq!(Hours::dated(twice, zone).minutes(), 120, "each date counts");
        let backwards = [(at("2026-11-23T02:00:00Z"), at("2026-11-23T01:00:00Z"))];
        assert_eq!(Hours::dated(backwards, zone), Hours::default());
    }

    #[test]
    fn windows_that_overlap_are_taken_together() {
        let hours = Hours::weekly([
            Span { from: 60, to: 120 },
            Span { from: 100, to: 180 },
            Span { from: 0, to: 60 },
            Span { from: 300, to: 300 },
        ]);
        assert_eq!(hours.spans(), [Span { from: 0, to: 180 }]);
        assert_eq!(Span::of_weekday(7, 0, 1440).to, 7 * DAY);
    }
}
