//! Pure decisions about volunteers.

use std::collections::BTreeSet;

use chrono::{Datelike, Months, NaiveDate};

use super::model::{Profile, QualificationStatus, Window};
use crate::error::{Code, Problem};
use crate::platform::lifecycle::Move;
use crate::taxonomies::{qualification, skill};

/// Every move of a qualification.
pub const MOVES: &[Move<QualificationStatus>] = &[
    Move {
        from: &[QualificationStatus::Submitted],
        verb: "verify",
        to: QualificationStatus::Verified,
        by: &["region admin"],
    },
    Move {
        from: &[QualificationStatus::Submitted],
        verb: "reject",
        to: QualificationStatus::Rejected,
        by: &["region admin"],
    },
];

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
