//! Pure decisions about attendance.

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use strum::IntoStaticStr;
use validator::Validate;

use super::model::AttendanceStatus::{self, CheckedIn, CheckedOut, Excused, Expected, NoShow};
use crate::activities::model::{Activity, ActivityId, ActivityStatus, Shift};
use crate::error::{Code, Result};
use crate::platform::clock::Instant;
use crate::platform::http::limit::Limit;
use crate::platform::lifecycle::{self, ActsAs, Move};
use crate::platform::token::Vault;
use crate::text_enum;

/// The sub-room's numbers; `config/default.toml` says what each means.
#[derive(Clone, Debug, Deserialize, Serialize, Validate)]
#[serde(deny_unknown_fields)]
pub struct AttendanceRules {
    /// Minutes before a shift from which on people check in.
    #[validate(range(min = 0, max = 1_440))]
    pub check_in_minutes: i64,
    /// Hours after a shift until which people check out.
    #[validate(range(min = 0, max = 168))]
    pub check_out_hours: i64,
    /// Hours after the instant in which an entry is taken from a phone that was offline, and after a shift in
    /// which the list is ticked.
    #[validate(range(min = 1, max = 720))]
    pub late_hours: i64,
    /// Minutes by which the clock of such a phone may be wrong.
    #[validate(range(min = 0, max = 60))]
    pub skew_minutes: i64,
    /// Hours after an activity's end when who is still expected is a no-show.
    #[validate(range(min = 1, max = 720))]
    pub no_show_hours: i64,
    /// Wrong codes that one account may try.
    #[validate(nested)]
    pub code_tries: Limit,
}

/// Who moves an attendance.
#[derive(Clone, Copy, Debug, IntoStaticStr)]
#[strum(serialize_all = "lowercase")]
pub enum By {
    /// Whose it is.
    Person,
    /// Who organises the activity.
    Organizer,
    /// The passing of time.
    #[strum(serialize = "clock")]
    Time,
}

/// Every move of an attendance (domain §3). A late entry or a tick of the list also brings back whom the clock
/// had made a no-show.
pub const MOVES: &[Move<AttendanceStatus, By>] = &[
    Move {
        from: &[Expected, NoShow, Excused],
        verb: "check_in",
        to: CheckedIn,
        by: &[By::Person, By::Organizer],
    },
    Move {
        from: &[CheckedIn],
        verb: "check_out",
        to: CheckedOut,
        by: &[By::Person, By::Organizer],
    },
    Move {
        from: &[Expected],
        verb: "no_show",
        to: NoShow,
        by: &[By::Time],
    },
    Move {
        from: &[Expected, NoShow],
        verb: "excuse",
        to: Excused,
        by: &[By::Organizer],
    },
    Move {
        from: &[CheckedIn, CheckedOut, NoShow, Excused],
        verb: "correct",
        to: Expected,
        by: &[By::Organizer],
    },
    Move {
        from: &[CheckedIn, CheckedOut, NoShow, Excused],
        verb: "correct",
        to: CheckedIn,
        by: &[By::Organizer],
    },
    Move {
        from: &[CheckedIn, CheckedOut, NoShow, Excused],
        verb: "correct",
        to: CheckedOut,
        by: &[By::Organizer],
    },
    Move {
        from: &[CheckedIn, CheckedOut, NoShow, Excused],
        verb: "correct",
        to: NoShow,
        by: &[By::Organizer],
    },
];

/// How a caller stands to an attendance. Several may hold at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Relation {
    /// Is the person.
    pub person: bool,
    /// Organises the activity.
    pub organizer: bool,
    /// Organises it together with others: nobody ticks themself where somebody else can.
    pub among_others: bool,
    /// Is the person, of whom those who organise have said that they were not there: only these take it back.
    pub overruled: bool,
}

impl ActsAs<By> for Relation {
    fn acts_as(self, party: By) -> Result<(), Code> {
        let holds = match party {
            By::Organizer if self.organizer && self.person && self.among_others => {
                return Err(Code::OwnAttendance);
            }
            By::Organizer => self.organizer,
            By::Person => self.person,
            By::Time => false,
        };
        if holds { Ok(()) } else { Err(Code::Forbidden) }
    }
}

/// The moves that are somebody's now.
pub fn moves(status: AttendanceStatus, who: Relation) -> Vec<&'static str> {
    let mut open = lifecycle::open_to(MOVES, who, status);
    open.retain(|verb| *verb != Side::In.verb() || !who.overruled || who.organizer);
    open
}

/// Whether a correction leads from one state to another.
pub fn corrects(from: AttendanceStatus, to: AttendanceStatus) -> bool {
    let mut moves = MOVES.iter().filter(|m| m.verb == "correct");
    moves.any(|m| m.to == to && m.from.contains(&from))
}

text_enum! {
    /// Which end of a service is shown.
    Side {
        /// Coming.
        In,
        /// Going.
        Out,
    }
}

impl Side {
    /// The move that it makes.
    pub fn verb(self) -> &'static str {
        match self {
            Self::In => "check_in",
            Self::Out => "check_out",
        }
    }
}

/// Whether an instant is one at which somebody comes to a shift, or goes: from a while before it to its end,
/// or up to a while after it.
///
/// # Errors
/// `check_in_too_early`, `check_in_too_late`.
pub fn fits(side: Side, shift: &Shift, at: Instant, rules: &AttendanceRules) -> Result<(), Code> {
    let from = shift.starts_at - TimeDelta::minutes(rules.check_in_minutes);
    let until = match side {
        Side::In => shift.ends_at,
        Side::Out => shift.ends_at + TimeDelta::hours(rules.check_out_hours),
    };
    if at < from {
        Err(Code::CheckInTooEarly)
    } else if at >= until {
        Err(Code::CheckInTooLate)
    } else {
        Ok(())
    }
}

/// The instant that an entry of a phone stands for: moved by what its clock was wrong as it sent it.
///
/// # Errors
/// `time_skewed`.
pub fn true_instant(
    at: Instant,
    sent_at: Instant,
    now: Instant,
    rules: &AttendanceRules,
) -> Result<Instant, Code> {
    let skew = now - sent_at;
    if skew.abs() > TimeDelta::minutes(rules.skew_minutes) {
        return Err(Code::TimeSkewed);
    }
    Ok(at + skew)
}

/// Whether an entry about an instant is still taken.
///
/// # Errors
/// `check_in_too_early` of one that lies ahead, `check_in_too_late`.
pub fn is_taken(at: Instant, now: Instant, rules: &AttendanceRules) -> Result<(), Code> {
    if at > now {
        Err(Code::CheckInTooEarly)
    } else if now - at > TimeDelta::hours(rules.late_hours) {
        Err(Code::CheckInTooLate)
    } else {
        Ok(())
    }
}

/// Whether somebody may still come to a shift: one of an activity that was cancelled before is not held.
pub fn is_held(activity: &Activity, shift: &Shift) -> bool {
    let is_cancelled = activity.status == ActivityStatus::Cancelled;
    shift.held != Some(false) && !(is_cancelled && activity.status_since < shift.starts_at)
}

/// When whoever is still expected in an activity is a no-show.
pub fn no_show_at(activity: &Activity, rules: &AttendanceRules) -> Instant {
    activity.ends_at + TimeDelta::hours(rules.no_show_hours)
}

/// Seconds for which a code is shown.
pub const STEP: i64 = 30;
/// Codes of the past that are told apart from wrong ones: those of ten minutes.
const REMEMBERED: i64 = 20;

fn step_of(at: Instant) -> i64 {
    at.timestamp().div_euclid(STEP)
}

/// The code of an activity in a step of time: eight digits (RFC 4226, section 5.3, over HMAC-SHA256), keyed by
/// the server's secret.
fn code_of(vault: &Vault, activity: ActivityId, step: i64) -> String {
    let tag = vault.lookup_hash("check-in code", format!("{activity}:{step}"));
    let offset = usize::from(tag.last().copied().unwrap_or_default() & 0xf);
    let number = tag.iter().skip(offset).take(4);
    let number = number.fold(0_u32, |so_far, byte| so_far << 8 | u32::from(*byte));
    format!("{:08}", (number & 0x7fff_ffff) % 100_000_000)
}

/// The code that is shown at an instant, and when the next one is.
pub fn code_at(vault: &Vault, activity: ActivityId, at: Instant) -> (String, Instant) {
    let step = step_of(at);
    let next = Instant::from_micros((step + 1) * STEP * 1_000_000);
    (code_of(vault, activity, step), next.unwrap_or_default())
}

/// Whether a code was shown at an instant: the one of then, or the one before.
///
/// # Errors
/// `check_in_code_old`, `check_in_code_wrong`.
pub fn code_fits(vault: &Vault, activity: ActivityId, code: &str, at: Instant) -> Result<(), Code> {
    let step = step_of(at);
    // all are compared: how long that takes tells nothing
    let ages = (0..REMEMBERED).filter(|age| code_of(vault, activity, step - age) == code);
    match ages.min() {
        Some(0 | 1) => Ok(()),
        Some(_) => Err(Code::CheckInCodeOld),
        None => Err(Code::CheckInCodeWrong),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::{DateTime, Utc};
    use secrecy::SecretString;
    use strum::VariantArray;

    fn at(text: &str) -> Instant {
        text.parse::<DateTime<Utc>>().unwrap().into()
    }

    fn vault() -> Vault {
        Vault::new(&SecretString::from("0123456789abcdef0123456789abcdef")).unwrap()
    }

    fn rules() -> AttendanceRules {
        AttendanceRules {
            check_in_minutes: 30,
            check_out_hours: 4,
            late_hours: 72,
            skew_minutes: 10,
            no_show_hours: 24,
            code_tries: Limit {
                count: 10,
                seconds: 600,
            },
        }
    }

    #[test]
    fn every_state_can_be_reached() {
        for status in AttendanceStatus::VARIANTS {
            assert!(MOVES.iter().any(|m| m.to == *status), "{status}");
        }
        assert!(corrects(CheckedOut, Expected));
        assert!(!corrects(Expected, CheckedOut), "that is ticked");
    }

    #[test]
    fn a_code_is_good_for_a_minute_at_most_and_in_its_activity_alone() {
        let (vault, activity, other) = (vault(), ActivityId::new(), ActivityId::new());
        // over midnight of a leap day
        let shown = at("2028-02-29T23:59:45Z");
        let (code, next) = code_at(&vault, activity, shown);
        assert_eq!(code.len(), 8);
        assert_eq!(next, at("2028-03-01T00:00:00Z"));
        let fits = |at| code_fits(&vault, activity, &code, at);
        assert_eq!(fits(shown), Ok(()));
        assert_eq!(fits(at("2028-03-01T00:00:29.999999Z")), Ok(()));
        let old = Err(Code::CheckInCodeOld);
        assert_eq!(fits(at("2028-03-01T00:00:30Z")), old);
        assert_eq!(fits(at("2028-03-01T00:09:29Z")), old);
        let wrong = Err(Code::CheckInCodeWrong);
        assert_eq!(fits(at("2028-03-01T00:09:30Z")), wrong);
        assert_eq!(fits(at("2028-02-29T23:59:29Z")), wrong, "not before");
        assert_eq!(code_fits(&vault, other, &code, shown), wrong);
    }

    #[test]
    fn a_phone_s_clock_is_set_right_up_to_a_point() {
        let (said, now) = (at("2026-11-28T01:00:00Z"), at("2026-11-28T05:00:00Z"));
        let minutes = |behind| now - TimeDelta::minutes(behind);
        let of = |sent| true_instant(said, sent, now, &rules());
        assert_eq!(of(minutes(0)), Ok(said));
        assert_eq!(of(minutes(10)), Ok(said + TimeDelta::minutes(10)));
        assert_eq!(of(minutes(-10)), Ok(said - TimeDelta::minutes(10)));
        assert_eq!(of(minutes(11)), Err(Code::TimeSkewed));
        assert_eq!(of(minutes(-11)), Err(Code::TimeSkewed));
        let taken = |after| is_taken(said, said + after, &rules());
        assert_eq!(taken(TimeDelta::hours(72)), Ok(()));
        assert_eq!(taken(TimeDelta::hours(73)), Err(Code::CheckInTooLate));
        assert_eq!(taken(TimeDelta::minutes(-1)), Err(Code::CheckInTooEarly));
    }
}
