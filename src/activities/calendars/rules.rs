//! Pure decisions about calendars: what an event says of a place or an activity.

use crate::activities::enrolments::{Enrolment, EnrolmentStatus};
use crate::activities::model::{Activity, ActivityStatus, Shift};
use crate::platform::clock::Instant;
use crate::platform::lang::Lang;

/// How sure it is that an event will be (RFC 5545, section 3.8.1.11).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Certainty {
    /// It will.
    Confirmed,
    /// It may.
    Tentative,
    /// It will not.
    Cancelled,
}

/// An event, as calendar programs know it.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// The same for the same thing, for ever.
    pub uid: String,
    /// Rises with every change of it.
    pub sequence: i32,
    /// When it last changed.
    pub modified_at: Instant,
    /// When it begins.
    pub starts_at: Instant,
    /// When it ends; not included.
    pub ends_at: Instant,
    /// In a few words.
    pub summary: String,
    /// In more words.
    pub description: String,
    /// The address.
    pub place: String,
    /// Where it is: degrees north, degrees east.
    pub geo: Option<(f64, f64)>,
    /// Where more is said of it.
    pub url: String,
    /// How sure it is.
    pub certainty: Certainty,
}

/// How the words of events are chosen.
#[derive(Clone, Copy, Debug)]
pub struct Words<'a> {
    /// The language.
    pub lang: Lang,
    /// The address people reach the server at.
    pub public_url: &'a str,
}

/// The event of an activity as a whole.
pub fn of_activity(activity: &Activity, modified_at: Instant, words: Words<'_>) -> Event {
    Event {
        uid: format!("activity-{}@yiqilai", activity.id),
        sequence: activity.version,
        modified_at,
        starts_at: activity.starts_at,
        ends_at: activity.ends_at,
        summary: activity.title.clone(),
        description: description(activity, None, &[], words.lang),
        place: activity.place.clone(),
        geo: activity.latitude.zip(activity.longitude),
        url: format!("{}/api/v1/activities/{}", words.public_url, activity.id),
        certainty: match activity.status {
            ActivityStatus::Cancelled => Certainty::Cancelled,
            _ => Certainty::Confirmed,
        },
    }
}

/// The event of one of its shifts.
pub fn of_shift(
    activity: &Activity,
    shift: &Shift,
    modified_at: Instant,
    words: Words<'_>,
) -> Event {
    let certainty = match shift.held {
        Some(false) => Certainty::Cancelled,
        _ => of_activity(activity, modified_at, words).certainty,
    };
    Event {
        uid: format!("shift-{}@yiqilai", shift.id),
        starts_at: shift.starts_at,
        ends_at: shift.ends_at,
        summary: named(activity, shift, words.lang),
        description: description(activity, Some(shift), &[], words.lang),
        certainty,
        ..of_activity(activity, modified_at, words)
    }
}

/// The event of somebody's place in a shift.
pub fn of_place(
    enrolment: &Enrolment,
    activity: &Activity,
    shift: &Shift,
    modified_at: Instant,
    words: Words<'_>,
) -> Event {
    let certainty = certainty(enrolment, activity, shift);
    let stands = match (enrolment.status, certainty) {
        (_, Certainty::Cancelled) => Some(("报名已结束。", "The place is given up.")),
        (EnrolmentStatus::Waitlisted, _) => Some(("候补中。", "In line for a place.")),
        (EnrolmentStatus::Pending, _) => Some(("请确认是否参加。", "Please say whether you come.")),
        _ => None,
    };
    let stands: Vec<_> = stands
        .map(|(zh, en)| words.lang.pick(zh, en))
        .into_iter()
        .collect();
    Event {
        uid: format!("enrolment-{}@yiqilai", enrolment.id),
        sequence: activity.version + stage(enrolment),
        description: description(activity, Some(shift), &stands, words.lang),
        certainty,
        ..of_shift(activity, shift, modified_at, words)
    }
}

/// How sure it is that somebody serves. Of an activity that was broken off whoever's shift had begun has
/// served; the others are let go a little later.
fn certainty(enrolment: &Enrolment, activity: &Activity, shift: &Shift) -> Certainty {
    let had_begun = activity.began_at.is_some() && shift.starts_at <= activity.status_since;
    let is_off = activity.status == ActivityStatus::Cancelled && !had_begun;
    match enrolment.status {
        EnrolmentStatus::Confirmed if !is_off => Certainty::Confirmed,
        EnrolmentStatus::Pending | EnrolmentStatus::Waitlisted if !is_off => Certainty::Tentative,
        _ => Certainty::Cancelled,
    }
}

/// How far a place has come: rises with each of its moves, whichever way it goes.
fn stage(enrolment: &Enrolment) -> i32 {
    match enrolment.status {
        EnrolmentStatus::Pending if !enrolment.holds_seat => 0,
        EnrolmentStatus::Waitlisted => 1,
        EnrolmentStatus::Pending => 2,
        EnrolmentStatus::Confirmed => 3,
        EnrolmentStatus::Declined
        | EnrolmentStatus::Withdrawn
        | EnrolmentStatus::LateWithdrawn
        | EnrolmentStatus::Removed => 4,
    }
}

fn named(activity: &Activity, shift: &Shift, lang: Lang) -> String {
    match lang {
        Lang::Zh => format!("{}（{}）", activity.title, shift.name),
        Lang::En => format!("{} ({})", activity.title, shift.name),
    }
}

fn description(activity: &Activity, shift: Option<&Shift>, first: &[&str], lang: Lang) -> String {
    let mut lines: Vec<String> = first.iter().map(|line| (*line).to_owned()).collect();
    let told = [
        (("岗位：", "Role: "), shift.map_or("", |shift| &shift.name)),
        (("集合地点：", "Meeting point: "), &activity.meeting_point),
        (
            ("注意事项：", "What to know before: "),
            &activity.risk_notice,
        ),
    ];
    for ((zh, en), text) in told {
        if !text.is_empty() {
            lines.push(format!("{}{text}", lang.pick(zh, en)));
        }
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::activities::enrolments::rules::MOVES;
    use strum::VariantArray;

    /// A place that was asked for and given up within one instant has changed in its number, too.
    #[test]
    fn the_stage_rises_with_every_move() {
        let stages = |status: EnrolmentStatus| -> Vec<i32> {
            match status {
                EnrolmentStatus::Pending => vec![0, 2],
                EnrolmentStatus::Waitlisted => vec![1],
                EnrolmentStatus::Confirmed => vec![3],
                _ => vec![4],
            }
        };
        for one in MOVES {
            for from in one.from {
                let (from, to) = (stages(*from), stages(one.to));
                let rises = from.iter().any(|from| to.iter().any(|to| from < to));
                assert!(rises, "{}", one.verb);
            }
        }
        assert_eq!(EnrolmentStatus::VARIANTS.len(), 7);
    }
}
