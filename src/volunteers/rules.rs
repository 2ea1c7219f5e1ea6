//! Pure decisions about volunteers.

use std::collections::BTreeSet;

use chrono::{Datelike, Days, Months, NaiveDate};
use serde::{Deserialize, Serialize};
use strum::IntoStaticStr;
use validator::Validate;

use super::model::{
    Profile,
    QualificationStatus::{self, Rejected, Revoked, Submitted, Verified, Withdrawn},
    Window,
};
use crate::error::{Code, Problem};
use crate::platform::lifecycle::{ActsAs, Move};
use crate::taxonomies::{qualification, skill};

/// The room's numbers; `config/default.toml` says what each means.
#[derive(Clone, Debug, Deserialize, Serialize, Validate)]
#[serde(deny_unknown_fields)]
pub struct VolunteerRules {
    /// Days before the end of a qualification at which its holder is reminded.
    #[validate(range(max = 3_650))]
    pub reminder_days: u32,
}

/// Who moves a qualification.
#[derive(Clone, Copy, Debug, IntoStaticStr)]
#[strum(serialize_all = "lowercase")]
pub enum By {
    /// Whose it is.
    Holder,
    /// Who reviews it: the staff of the holder's region, but not the holder.
    #[strum(serialize = "region admin")]
    Reviewer,
}

/// How a caller stands to a qualification. Both may hold at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Relation {
    /// Is the holder.
    pub holder: bool,
    /// Administers the region in which the holder lives.
    pub reviewer: bool,
}

impl Relation {
    /// Whether the caller may know of it.
    pub fn is_involved(self) -> bool {
        self.holder || self.reviewer
    }
}

impl ActsAs<By> for Relation {
    fn acts_as(self, party: By) -> Result<(), Code> {
        let holds = match party {
            By::Holder => self.holder,
            By::Reviewer if self.holder => return Err(Code::OwnQualification),
            By::Reviewer => self.reviewer,
        };
        if holds { Ok(()) } else { Err(Code::Forbidden) }
    }
}

/// Every move of a qualification. That it expires is no move: it is looked at when it counts.
pub const MOVES: &[Move<QualificationStatus, By>] = &[
    Move {
        from: &[Submitted],
        verb: "verify",
        to: Verified,
        by: &[By::Reviewer],
    },
    Move {
        from: &[Submitted],
        verb: "reject",
        to: Rejected,
        by: &[By::Reviewer],
    },
    Move {
        from: &[Submitted, Verified],
        verb: "withdraw",
        to: Withdrawn,
        by: &[By::Holder],
    },
    Move {
        from: &[Verified],
        verb: "revoke",
        to: Revoked,
        by: &[By::Reviewer],
    },
];

/// No certificate that somebody still shows is older.
const OLDEST_YEAR: i32 = 1950;

/// The longest that a certificate says it counts, in years.
const LONGEST_YEARS: u32 = 50;

/// What is wrong with the dates of a certificate: of that on which it was issued, and of its last day.
pub fn check_dates(
    issued_on: NaiveDate,
    expires_on: Option<NaiveDate>,
    born: Option<NaiveDate>,
    today: NaiveDate,
) -> Problem {
    let mut wrong = Problem::new(Code::Invalid);
    if issued_on > today {
        wrong = wrong.field("/issued_on", Code::InTheFuture);
    } else if issued_on.year() < OLDEST_YEAR || born.is_some_and(|born| issued_on < born) {
        wrong = wrong.field("/issued_on", Code::Range);
    }
    if let Some(last) = expires_on {
        let latest = issued_on.checked_add_months(Months::new(12 * LONGEST_YEARS));
        if last < today {
            wrong = wrong.field("/expires_on", Code::InThePast);
        } else if last <= issued_on {
            wrong = wrong.field("/expires_on", Code::EndsBeforeItBegins);
        } else if latest.is_none_or(|latest| last > latest) {
            wrong = wrong.field("/expires_on", Code::Range);
        }
    }
    wrong
}

/// A certificate's number as it is compared: without what people put between its parts, in capitals,
/// letters and digits of full width as those of half.
pub fn normal_number(number: &str) -> String {
    let narrow = |c: char| match c {
        '\u{FF01}'..='\u{FF5E}' => char::from_u32(u32::from(c) - 0xFEE0).unwrap_or(c),
        c => c,
    };
    let is_between = |c: &char| c.is_whitespace() || matches!(c, '-' | '‐' | '–' | '—' | '.' | '·');
    let parts = number.chars().map(narrow).filter(|c| !is_between(c));
    parts.flat_map(char::to_uppercase).collect()
}

/// Whether a certificate stands in the way of the same one being submitted again: while it waits, and
/// while it is in force, until its holder is reminded that it ends.
pub fn is_live(
    status: QualificationStatus,
    expires_on: Option<NaiveDate>,
    reminder_days: u32,
    today: NaiveDate,
) -> bool {
    match status {
        Submitted => true,
        Verified => first_notice(expires_on, reminder_days).is_none_or(|day| today < day),
        Rejected | Withdrawn | Revoked => false,
    }
}

/// The day on which a holder is reminded that a certificate ends.
pub fn first_notice(expires_on: Option<NaiveDate>, reminder_days: u32) -> Option<NaiveDate> {
    expires_on?.checked_sub_days(Days::new(u64::from(reminder_days)))
}

/// What is wrong with a profile beyond its single fields.
pub fn check(profile: &Profile, today: NaiveDate) -> Problem {
    let mut wrong = Problem::new(Code::Invalid);
    let mut seen = BTreeSet::new();
    for (n, declared) in profile.skills.iter().enumerate() {
        let pointer = format!("/skills/{n}/skill");
        if skill(&declared.skill).is_none() {
            wrong = wrong.field(pointer, Code::UnknownSkill);
        } else if !seen.insert(&declared.skill) {
            wrong = wrong.field(pointer, Code::Repeated);
        }
    }
    let goals: BTreeSet<_> = profile.interests.iter().collect();
    if goals.len() < profile.interests.len() {
        wrong = wrong.field("/interests", Code::Repeated);
    }
    for (pointer, code) in check_windows(&profile.availability) {
        wrong = wrong.field(format!("/availability{pointer}"), code);
    }
    if let Some(birth) = profile.birth_date {
        let oldest = today.checked_sub_months(Months::new(12 * 120));
        if birth > today || oldest.is_some_and(|oldest| birth < oldest) {
            wrong = wrong.field("/birth_date", Code::Range);
        } else if age(birth, today) < AGE_OF_OWN_CONSENT {
            wrong = wrong.field("/birth_date", Code::GuardianConsentMissing);
        }
    }
    wrong
}

/// Under this age a guardian consents (PIPL Art. 31, domain §8), which the product has no record of:
/// until it has, there is no profile.
const AGE_OF_OWN_CONSENT: i32 = 14;

/// Age in whole years; on 29 February's children it turns on 1 March of other years.
pub fn age(birth: NaiveDate, today: NaiveDate) -> i32 {
    let had_birthday = (today.month(), today.day()) >= (birth.month(), birth.day());
    today.year() - birth.year() - i32::from(!had_birthday)
}

/// What is wrong with some windows of a week: where in the list, and how.
pub fn check_windows(windows: &[Window]) -> Vec<(String, Code)> {
    let wrong = windows.iter().enumerate().filter_map(|(n, window)| {
        if window.to_minute <= window.from_minute {
            Some((n, Code::EndsBeforeItBegins))
        } else if windows[..n].iter().any(|other| overlap(other, window)) {
            Some((n, Code::Overlaps))
        } else {
            None
        }
    });
    wrong
        .map(|(n, code)| (format!("/{n}/to_minute"), code))
        .collect()
}

/// Whether two windows share a minute. They are half-open: 9–10 and 10–11 do not.
pub fn overlap(a: &Window, b: &Window) -> bool {
    a.weekday == b.weekday && a.from_minute < b.to_minute && b.from_minute < a.to_minute
}

/// The last day on which a verification counts: the certificate's own end, or the term after which
/// the product asks again, whichever is earlier.
pub fn expiry(
    kind: &str,
    certificate: Option<NaiveDate>,
    verified_on: NaiveDate,
) -> Option<NaiveDate> {
    let term = qualification(kind)
        .and_then(|kind| kind.validity_months)
        .and_then(|months| verified_on.checked_add_months(Months::new(months)));
    match (certificate, term) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (one, other) => one.or(other),
    }
}

/// Whether holding `held` counts as holding `wanted`: the same, or included, over any number of
/// steps.
pub fn includes(held: &str, wanted: &str) -> bool {
    held == wanted
        || qualification(held)
            .is_some_and(|kind| kind.includes.iter().any(|inner| includes(inner, wanted)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn window(weekday: i32, from_minute: i32, to_minute: i32) -> Window {
        Window {
            weekday,
            from_minute,
            to_minute,
        }
    }

    #[test]
    fn a_lawyer_counts_as_a_legal_worker_and_not_the_reverse() {
        assert!(includes("lawyer", "lawyer") && includes("lawyer", "legal_worker"));
        assert!(!includes("legal_worker", "lawyer") && !includes("unknown", "lawyer"));
    }

    #[test]
    fn the_earlier_end_counts() {
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        let today = day("2026-02-28");
        assert_eq!(expiry("lawyer", None, today), Some(day("2027-02-28")));
        assert_eq!(
            expiry("lawyer", Some(day("2026-06-01")), today),
            Some(day("2026-06-01"))
        );
        assert_eq!(expiry("unknown", None, today), None);
    }

    #[test]
    fn the_dates_of_a_certificate_make_sense() {
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        let (born, today) = (Some(day("1990-05-01")), day("2026-11-23"));
        for (issued, last, wrong) in [
            ("1990-05-01", None, None),
            ("1990-04-30", None, Some(("/issued_on", Code::Range))),
            ("2026-11-23", Some("2076-11-23"), None),
            ("2026-11-24", None, Some(("/issued_on", Code::InTheFuture))),
            (
                "2020-01-01",
                Some("2026-11-22"),
                Some(("/expires_on", Code::InThePast)),
            ),
            (
                "2026-11-23",
                Some("2026-11-23"),
                Some(("/expires_on", Code::EndsBeforeItBegins)),
            ),
            (
                "2020-01-01",
                Some("2070-01-02"),
                Some(("/expires_on", Code::Range)),
            ),
        ] {
            let found = check_dates(day(issued), last.map(day), born, today).errors;
            let found = found
                .first()
                .map(|error| (error.pointer.as_str(), error.code));
            assert_eq!(found, wrong, "{issued} {last:?}");
        }
        let found = |issued| check_dates(day(issued), None, None, today).errors.len();
        assert_eq!((found("1949-12-31"), found("1950-01-01")), (1, 0));
    }

    #[test]
    fn a_number_is_the_same_however_it_is_written() {
        for text in [
            "示例-33020a",
            "示例 33020A",
            "示例３３０２０Ａ",
            "示例.3302—0a",
        ] {
            assert_eq!(normal_number(text), "示例33020A", "{text}");
        }
        assert_ne!(normal_number("133020"), normal_number("33020"));
        assert_eq!(normal_number(" - "), "");
    }

    #[test]
    fn a_certificate_that_is_about_to_end_may_be_submitted_again() {
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        let last = Some(day("2027-01-31"));
        for (status, last, today, live) in [
            (Submitted, last, "2030-01-01", true),
            (Verified, None, "2030-01-01", true),
            (Verified, last, "2026-12-31", true),
            (Verified, last, "2027-01-01", false),
            (Rejected, last, "2026-12-31", false),
            (Withdrawn, None, "2026-12-31", false),
            (Revoked, None, "2026-12-31", false),
        ] {
            assert_eq!(
                is_live(status, last, 30, day(today)),
                live,
                "{status} {today}"
            );
        }
    }

    proptest! {
        #[test]
        fn overlap_is_symmetric_and_back_to_back_is_none(
            day in 1..=7, a in 0..1400, la in 1..40, b in 0..1400, lb in 1..40,
        ) {
            let (x, y) = (window(day, a, a + la), window(day, b, b + lb));
            prop_assert_eq!(overlap(&x, &y), overlap(&y, &x));
            prop_assert!(!overlap(&x, &window(day, a + la, a + la + 1)));
            prop_assert!(overlap(&x, &x));
        }
    }
}
