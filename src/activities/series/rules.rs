//! When the activities of a series are.

use chrono::{NaiveDate, NaiveTime, Utc};
use chrono_tz::Tz;
use rrule::{Frequency, RRule, RRuleSet, Unvalidated};

use crate::activities::rules::on_wall;
use crate::error::{Code, FieldError};
use crate::platform::clock::Instant;

/// A rule by which something comes again (RFC 5545).
#[derive(Clone, Copy, Debug)]
pub struct Recurrence<'a> {
    /// The value of `RRULE`.
    pub rule: &'a str,
    /// Days on which it does not come (`EXDATE`).
    pub exdates: &'a [NaiveDate],
    /// Further days on which it comes (`RDATE`).
    pub rdates: &'a [NaiveDate],
}

/// When something that begins at `start` comes again, itself first: on the clock of the wall, whatever
/// that does meanwhile. At most `most`.
///
/// # Errors
/// The wrong fields: a rule that cannot be read, or comes oftener than daily; one that the beginning does
/// not follow; more than there may be, as for a rule without an end.
pub fn instants(
    recurrence: Recurrence<'_>,
    start: Instant,
    most: u16,
    zone: Tz,
) -> Result<Vec<Instant>, Vec<FieldError>> {
    let wrong = |pointer: &str, code| vec![FieldError::new(pointer, code)];
    let first = start.with_timezone(&rrule::Tz::Tz(zone));
    let unread = |_| wrong("/rule", Code::Format);
    // a line break or a colon would begin another property
    if recurrence.rule.contains(['\n', '\r', ':']) {
        return Err(wrong("/rule", Code::Format));
    }
    let rule: RRule<Unvalidated> = recurrence.rule.parse().map_err(unread)?;
    let is_daily_at_most = matches!(
        rule.get_freq(),
        Frequency::Daily | Frequency::Weekly | Frequency::Monthly | Frequency::Yearly
    );
    let has_hours = !(rule.get_by_hour().is_empty()
        && rule.get_by_minute().is_empty()
        && rule.get_by_second().is_empty());
    if !is_daily_at_most || has_hours {
        return Err(wrong("/rule", Code::Range));
    }
    let rule = rule.validate(first).map_err(unread)?;
    let time: NaiveTime = first.time();
    let on = |day: &NaiveDate| {
        let at = on_wall(day.and_time(time), zone);
        at.with_timezone(&rrule::Tz::Tz(zone))
    };
    let set = RRuleSet::new(first)
        .rrule(rule)
        .set_exdates(recurrence.exdates.iter().map(on).collect())
        .set_rdates(recurrence.rdates.iter().map(on).collect());
    let found = set.all(most.saturating_add(1));
    if found.limited {
        return Err(wrong("/rule", Code::SeriesTooLong));
    }
    let mut instants: Vec<Instant> = found
        .dates
        .into_iter()
        .map(|at| at.with_timezone(&Utc).into())
        .collect();
    instants.sort_unstable();
    instants.dedup();
    if instants.first() == Some(&start) {
        Ok(instants)
    } else {
        Err(wrong("/rule", Code::RuleMissesStart))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ZONE: Tz = chrono_tz::Asia::Shanghai;

    fn at(text: &str) -> Instant {
        text.parse::<chrono::DateTime<Utc>>().unwrap().into()
    }

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn days(rule: &str, start: &str, exdates: &[NaiveDate], zone: Tz) -> Vec<String> {
        let recurrence = Recurrence {
            rule,
            exdates,
            rdates: &[],
        };
        let found = instants(recurrence, at(start), 60, zone).unwrap();
        found.into_iter().map(|at| at.on_the_wall(zone)).collect()
    }

    #[test]
    fn a_series_goes_over_the_end_of_the_year() {
        let found = days(
            "FREQ=WEEKLY;BYDAY=TH;COUNT=4",
            "2026-12-24T01:00:00Z",
            &[day("2026-12-31")],
            ZONE,
        );
        assert_eq!(
            found,
            ["2026-12-24 09:00", "2027-01-07 09:00", "2027-01-14 09:00"]
        );
        let until = "FREQ=WEEKLY;UNTIL=20270107T010000Z";
        assert_eq!(
            days(until, "2026-12-24T01:00:00Z", &[], ZONE).len(),
            3,
            "UNTIL is included"
        );
    }

    #[test]
    fn the_29th_of_february_comes_when_there_is_one() {
        let yearly = days("FREQ=YEARLY;COUNT=2", "2028-02-29T01:00:00Z", &[], ZONE);
        assert_eq!(yearly, ["2028-02-29 09:00", "2032-02-29 09:00"]);
        let monthly = days(
            "FREQ=MONTHLY;BYMONTHDAY=-1;COUNT=3",
            "2027-12-31T01:00:00Z",
            &[],
            ZONE,
        );
        assert_eq!(
            monthly,
            ["2027-12-31 09:00", "2028-01-31 09:00", "2028-02-29 09:00"]
        );
    }

    #[test]
    fn nine_in_the_morning_stays_nine_when_the_clocks_change() {
        let berlin = chrono_tz::Europe::Berlin;
        let found = days("FREQ=WEEKLY;COUNT=2", "2027-03-27T08:00:00Z", &[], berlin);
        assert_eq!(found, ["2027-03-27 09:00", "2027-04-03 09:00"]);
    }

    #[test]
    fn what_is_no_series_says_why() {
        let code = |rule: &str, exdates: &[NaiveDate]| {
            let recurrence = Recurrence {
                rule,
                exdates,
                rdates: &[],
            };
            let refused = instants(recurrence, at("2026-12-24T01:00:00Z"), 60, ZONE);
            refused.unwrap_err()[0].code
        };
        assert_eq!(code("every week", &[]), Code::Format);
        assert_eq!(code("FREQ=WEEKLY;BYDAY=XX;COUNT=2", &[]), Code::Format);
        assert_eq!(
            code("FREQ=WEEKLY;COUNT=2\nRRULE:FREQ=DAILY", &[]),
            Code::Format
        );
        assert_eq!(code("FREQ=HOURLY;COUNT=2", &[]), Code::Range);
        assert_eq!(code("FREQ=DAILY;BYHOUR=8,9;COUNT=2", &[]), Code::Range);
        assert_eq!(code("FREQ=DAILY", &[]), Code::SeriesTooLong);
        assert_eq!(code("FREQ=DAILY;COUNT=61", &[]), Code::SeriesTooLong);
        assert_eq!(
            code("FREQ=WEEKLY;BYDAY=FR;COUNT=2", &[]),
            Code::RuleMissesStart
        );
        let first = [day("2026-12-24")];
        assert_eq!(code("FREQ=DAILY;COUNT=3", &first), Code::RuleMissesStart);
    }
}
