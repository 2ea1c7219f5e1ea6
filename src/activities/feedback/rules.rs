//! Pure decisions about feedback.

use chrono::TimeDelta;

use crate::activities::enrolments::{Enrolment, EnrolmentStatus};
use crate::activities::model::{Activity, ActivityStatus};
use crate::activities::rules::ActivityRules;
use crate::error::{Code, Result};
use crate::platform::clock::Instant;

/// Until when feedback is given and changed; not included.
pub fn open_until(activity: &Activity, rules: &ActivityRules) -> Instant {
    activity.ends_at + TimeDelta::days(rules.feedback_days)
}

/// Whether feedback is given about a place: the person came to it, the activity has finished, and its term runs.
///
/// # Errors
/// `feedback_closed`.
pub fn may_give(
    enrolment: &Enrolment,
    activity: &Activity,
    rules: &ActivityRules,
    now: Instant,
) -> Result<(), Code> {
    let is_over = matches!(
        activity.status,
        ActivityStatus::Finished | ActivityStatus::Settled
    );
    let came = enrolment.status == EnrolmentStatus::Confirmed;
    match is_over && came && now < open_until(activity, rules) {
        true => Ok(()),
        false => Err(Code::FeedbackClosed),
    }
}

/// The average of some marks, each with how often it was given, to one decimal; none where fewer than so many
/// gave one.
pub fn average(marks: &[(i32, i64)], shown_from: i64) -> Option<f64> {
    let answers: i64 = marks.iter().map(|(_, n)| n).sum();
    if answers == 0 || answers < shown_from {
        return None;
    }
    let sum: i64 = marks.iter().map(|(mark, n)| i64::from(*mark) * n).sum();
    // in whole tenths, half of one up
    let tenths = (sum * 20 + answers) / (answers * 2);
    Some(tenths as f64 / 10.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_average_is_shown_from_enough_answers_on_and_rounded() {
        assert_eq!(average(&[], 1), None);
        assert_eq!(average(&[(5, 4)], 5), None);
        assert_eq!(average(&[(5, 4), (4, 1)], 5), Some(4.8));
        assert_eq!(average(&[(1, 2), (2, 1)], 1), Some(1.3), "1.333");
        assert_eq!(average(&[(1, 1), (2, 2)], 1), Some(1.7), "1.667");
        assert_eq!(average(&[(1, 3), (2, 1)], 1), Some(1.3), "1.25, half up");
        assert_eq!(average(&[(3, 7)], 5), Some(3.0));
    }
}
