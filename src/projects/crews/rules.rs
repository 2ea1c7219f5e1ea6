//! Pure decisions about crews.

use chrono::{Datelike, NaiveDate};
use strum::IntoStaticStr;

use super::model::CrewStatus::{
    self, Active, Applied, Declined, Disbanded, Left, Removed, Withdrawn,
};
use crate::error::{Code, Result};
use crate::platform::lifecycle::{ActsAs, Move};
use crate::projects::model::{Project, ProjectRole};
use crate::volunteers::Window;

/// Who moves a place in a crew.
#[derive(Clone, Copy, Debug, IntoStaticStr)]
#[strum(serialize_all = "lowercase")]
pub enum By {
    /// Who leads the crew: the claimant.
    Leader,
    /// Whose place it is.
    Person,
    /// What becomes of the claim.
    Claims,
}

/// How a caller stands to a place in a crew. Both may hold at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Relation {
    /// Leads the crew.
    pub leader: bool,
    /// Is the person.
    pub person: bool,
}

impl Relation {
    /// Whether the caller may see everything about the place.
    pub fn is_involved(self) -> bool {
        self.leader || self.person
    }
}

impl ActsAs<By> for Relation {
    fn acts_as(self, party: By) -> Result<(), Code> {
        let holds = match party {
            By::Leader => self.leader,
            By::Person => self.person,
            By::Claims => false,
        };
        if holds { Ok(()) } else { Err(Code::Forbidden) }
    }
}

/// Every move of a place in a crew (domain §3).
pub const MOVES: &[Move<CrewStatus, By>] = &[
    Move {
        from: &[Applied],
        verb: "accept",
        to: Active,
        by: &[By::Leader],
    },
    Move {
        from: &[Applied],
        verb: "decline",
        to: Declined,
        by: &[By::Leader],
    },
    Move {
        from: &[Applied],
        verb: "withdraw",
        to: Withdrawn,
        by: &[By::Person],
    },
    Move {
        from: &[Active],
        verb: "leave",
        to: Left,
        by: &[By::Person],
    },
    Move {
        from: &[Active],
        verb: "remove",
        to: Removed,
        by: &[By::Leader],
    },
    Move {
        from: &[Applied, Active],
        verb: "disband",
        to: Disbanded,
        by: &[By::Claims],
    },
];

/// When the work of a role is.
#[derive(Clone, Debug)]
pub struct Schedule {
    /// Its hours in a week; empty: at any time, which collides with nothing.
    pub hours: Vec<Window>,
    /// Its first day.
    pub first: NaiveDate,
    /// Its last day.
    pub last: NaiveDate,
}

impl Schedule {
    /// That of a project's role.
    pub fn of(project: &Project, role: &ProjectRole) -> Self {
        Self {
            hours: role.hours.0.clone(),
            first: project.starts_on,
            last: project.ends_on,
        }
    }

    /// Whether some hour of both lies on one day, today or later. Windows are half-open: 9–10 and
    /// 10–11 do not collide.
    pub fn collides(&self, other: &Self, today: NaiveDate) -> bool {
        let last = self.last.min(other.last);
        let days = self.first.max(other.first).max(today).iter_days();
        let weekdays: Vec<_> = days
            .take_while(|day| *day <= last)
            .take(7)
            .map(|day| day.weekday().number_from_monday())
            .collect();
        let meet = |a: &Window, b: &Window| {
            a.weekday == b.weekday
                && weekdays
                    .iter()
                    .any(|day| i64::from(*day) == i64::from(a.weekday))
                && a.from_minute < b.to_minute
                && b.from_minute < a.to_minute
        };
        let mut pairs = self
            .hours
            .iter()
            .flat_map(|a| other.hours.iter().map(move |b| (a, b)));
        pairs.any(|(a, b)| meet(a, b))
    }
}

/// What going is called: of an application, or of a place.
pub fn going(status: CrewStatus) -> &'static str {
    if matches!(status, Applied | Withdrawn) {
        "withdraw"
    } else {
        "leave"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schedule(first: &str, last: &str, weekday: i32, from: i32, to: i32) -> Schedule {
        Schedule {
            hours: vec![Window {
                weekday,
                from_minute: from * 60,
                to_minute: to * 60,
            }],
            first: first.parse().unwrap(),
            last: last.parse().unwrap(),
        }
    }

    #[test]
    fn work_collides_on_a_day_that_both_have() {
        let today = "2026-11-23".parse().unwrap();
        let saturdays = schedule("2026-12-01", "2027-01-31", 6, 9, 10);
        for (other, is_taken) in [
            (schedule("2027-01-01", "2027-03-01", 6, 9, 11), true),
            (schedule("2027-01-01", "2027-03-01", 6, 10, 11), false),
            (schedule("2027-01-01", "2027-03-01", 7, 9, 10), false),
            (schedule("2027-02-01", "2027-03-01", 6, 9, 10), false),
            // 31 January is a Sunday
            (schedule("2027-01-31", "2027-03-01", 6, 9, 10), false),
            (schedule("2027-01-30", "2027-03-01", 6, 9, 10), true),
        ] {
            assert_eq!(saturdays.collides(&other, today), is_taken, "{other:?}");
            assert_eq!(other.collides(&saturdays, today), is_taken, "{other:?}");
        }
        let later = "2027-01-31".parse().unwrap();
        assert!(
            !saturdays.collides(&saturdays, later),
            "what lies behind counts no more"
        );
        let whenever = Schedule {
            hours: Vec::new(),
            ..saturdays.clone()
        };
        assert!(!saturdays.collides(&whenever, today));
    }
}
