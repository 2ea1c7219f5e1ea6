//! Pure decisions about projects.

use chrono::{Datelike, Months, NaiveDate};
use serde::{Deserialize, Serialize};
use strum::IntoStaticStr;
use validator::{Validate, ValidationError};

use super::model::{
    Project,
    ProjectStatus::{
        self, Approved, Archived, Cancelled, Claimed, Completed, Completing, Draft, Open, Returned,
        Running, Submitted, Suspended,
    },
    RoleSkill,
};
use crate::error::{Code, Error, FieldError, Problem, Result};
use crate::platform::lifecycle::{self, ActsAs, Move};
use crate::taxonomies;

/// The room's numbers; `config/default.toml` says what each means.
#[derive(Clone, Debug, Deserialize, Serialize, Validate)]
#[serde(deny_unknown_fields)]
pub struct ProjectRules {
    /// Days a lease lasts: until the plan is in, and from each progress entry on.
    #[validate(range(min = 1, max = 36_500))]
    pub lease_days: i64,
    /// Hours before the end of a lease at which the claimant is reminded, the longest first.
    #[validate(custom(function = "valid_hours"))]
    pub reminder_hours: Vec<i64>,
    /// Live claims of one claimant.
    #[validate(range(min = 1))]
    pub live_claims: i64,
    /// Days in which a claimant whose claim of a project expired or was revoked may not claim it again.
    #[validate(range(min = 0, max = 36_500))]
    pub reclaim_days: i64,
    /// The qualification that work with minors asks of every volunteer.
    pub vetting: String,
    /// Photos of a claim that stand in no entry of progress and in no report yet.
    #[validate(range(min = 1))]
    pub photos_in_hand: usize,
}

/// Who moves a project.
#[derive(Clone, Copy, Debug, IntoStaticStr)]
#[strum(serialize_all = "lowercase")]
pub enum By {
    /// Who acts for the region or organisation that published it.
    Publisher,
    /// Who administers its region and had no hand in writing it.
    #[strum(serialize = "region admin")]
    Reviewer,
    /// The batch it is published with.
    Batch,
    /// What becomes of its claims.
    Claims,
}

/// A field rule for the hours of reminders.
fn valid_hours(hours: &[i64]) -> Result<(), ValidationError> {
    match hours.iter().all(|hours| (1..=8_760).contains(hours)) {
        true => Ok(()),
        false => Err(ValidationError::new("range").with_message("each is 1 to 8760".into())),
    }
}

/// Every move of a project (domain §3).
pub const MOVES: &[Move<ProjectStatus, By>] = &[
    Move {
        from: &[Draft],
        verb: "submit",
        to: Submitted,
        by: &[By::Publisher],
    },
    Move {
        from: &[Submitted],
        verb: "return",
        to: Returned,
        by: &[By::Reviewer],
    },
    Move {
        from: &[Returned],
        verb: "revise",
        to: Draft,
        by: &[By::Publisher],
    },
    Move {
        from: &[Submitted],
        verb: "approve",
        to: Approved,
        by: &[By::Reviewer],
    },
    Move {
        from: &[Approved],
        verb: "open",
        to: Open,
        by: &[By::Publisher, By::Batch],
    },
    Move {
        from: &[Open],
        verb: "claim",
        to: Claimed,
        by: &[By::Claims],
    },
    Move {
        from: &[Claimed, Running, Completing],
        verb: "free",
        to: Open,
        by: &[By::Claims],
    },
    Move {
        from: &[Claimed],
        verb: "start",
        to: Running,
        by: &[By::Claims],
    },
    Move {
        from: &[Running],
        verb: "suspend",
        to: Suspended,
        by: &[By::Publisher, By::Reviewer],
    },
    Move {
        from: &[Suspended],
        verb: "resume",
        to: Running,
        by: &[By::Publisher, By::Reviewer],
    },
    Move {
        from: &[Running],
        verb: "report",
        to: Completing,
        by: &[By::Claims],
    },
    Move {
        from: &[Completing],
        verb: "send_back",
        to: Running,
        by: &[By::Claims],
    },
    Move {
        from: &[Completing],
        verb: "complete",
        to: Completed,
        by: &[By::Claims],
    },
    Move {
        from: &[Completed],
        verb: "archive",
        to: Archived,
        by: &[By::Publisher],
    },
    Move {
        from: &[Draft, Submitted, Returned, Approved],
        verb: "cancel",
        to: Cancelled,
        by: &[By::Publisher],
    },
    Move {
        from: &[Open, Claimed, Running, Suspended, Completing],
        verb: "cancel",
        to: Cancelled,
        by: &[By::Publisher, By::Reviewer],
    },
];

/// How many adult, vetted volunteers work with minors needs (domain §3).
pub const MINORS_ADULTS: i64 = 2;

/// The age from which work with minors and dangerous work are open (domain §3).
pub const ADULT_AGE: i32 = 18;

/// The age from which one joins a crew without a guardian's consent (PIPL Art. 31); there is no
/// record of such consents yet.
pub const CREW_AGE: i32 = 14;

/// The least age for a project's work, for those whose date of birth is known.
pub fn least_age(minors: bool, dangerous: bool) -> i32 {
    if minors || dangerous {
        ADULT_AGE
    } else {
        CREW_AGE
    }
}

/// How a caller stands to a project. Several may hold at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Relation {
    /// Wrote it down.
    pub author: bool,
    /// Acts for the region or organisation that published it; for its region, too, while that
    /// organisation may not act.
    pub publisher: bool,
    /// What keeps the organisation from acting that published it and that the caller manages.
    pub barred: Option<Code>,
    /// Administers its region.
    pub reviewer: bool,
    /// Administers its region, and wrote, changed or handed it in, or belongs to the organisation
    /// behind it.
    pub reviews_own: bool,
}

impl ActsAs<By> for Relation {
    fn acts_as(self, party: By) -> Result<(), Code> {
        let holds = match party {
            By::Publisher => {
                if let Some(code) = self.barred {
                    return Err(code);
                }
                self.publisher
            }
            By::Reviewer if self.reviews_own => return Err(Code::OwnProject),
            By::Reviewer => self.reviewer,
            By::Batch | By::Claims => false,
        };
        if holds { Ok(()) } else { Err(Code::Forbidden) }
    }
}

impl Relation {
    /// Whether the caller may see the project: everybody once it was open.
    pub fn may_see(self, status: ProjectStatus) -> bool {
        let is_unpublished = matches!(status, Draft | Submitted | Returned | Approved);
        self != Self::default() || !(is_unpublished || status == Cancelled)
    }

    /// Whether the caller may know why a step of a project's life was made: who publishes or
    /// reviews it of each, and who `took_part` of those that all of them were told of.
    pub fn may_know_why(self, took_part: bool, kind: &str) -> bool {
        let was_told = took_part && matches!(kind, "project.suspend" | "project.cancel");
        self != Self::default() || was_told
    }
}

/// The states in which everybody sees a project in lists.
pub const PUBLIC: [ProjectStatus; 7] = [
    Open, Claimed, Running, Suspended, Completing, Completed, Archived,
];

/// Years into the future in which a day can lie that somebody means.
const YEARS_AHEAD: u32 = 50;

/// The first year of the days that somebody can mean.
const FIRST_YEAR: i32 = 2000;

/// Whether a day can be meant, and is no slip of the pen.
pub fn is_plausible(day: NaiveDate, today: NaiveDate) -> bool {
    let last = today.checked_add_months(Months::new(12 * YEARS_AHEAD));
    day.year() >= FIRST_YEAR && last.is_none_or(|last| day <= last)
}

/// Whether claims get seats and leases where their project stands: it can be claimed, or goes on.
///
/// # Errors
/// `project_suspended`; `move_not_allowed` before it opens and once it is over.
pub fn claims_go_on(status: ProjectStatus) -> Result<(), Code> {
    match status {
        Open | Claimed | Running | Completing => Ok(()),
        Suspended => Err(Code::ProjectSuspended),
        _ => Err(Code::MoveNotAllowed),
    }
}

/// The day on which qualifications for a work are looked at: its first, or today once it goes on.
pub fn day_of_work(first: NaiveDate, today: NaiveDate) -> NaiveDate {
    first.max(today)
}

/// Whether somebody may cancel it: its publisher, and those who review it once it was open.
///
/// # Errors
/// `forbidden`.
pub fn cancels(project: &Project, who: Relation) -> Result<(), Code> {
    let was_open = project.status == Cancelled || Relation::default().may_see(project.status);
    if who.publisher || was_open {
        Ok(())
    } else {
        Err(Code::Forbidden)
    }
}

/// Whether its publisher opens it, and not the batch it is in.
///
/// # Errors
/// `opens_with_its_batch`.
pub fn opens_by_itself(project: &Project) -> Result<(), Code> {
    match project.batch_id {
        None => Ok(()),
        Some(_) => Err(Code::OpensWithItsBatch),
    }
}

/// The moves of a project that are somebody's now ([`lifecycle::open_to`]).
pub fn moves(project: &Project, who: Relation) -> Vec<&'static str> {
    let mut verbs = lifecycle::open_to(MOVES, who, project.status);
    verbs.retain(|verb| match *verb {
        "open" => opens_by_itself(project).is_ok(),
        "cancel" => cancels(project, who).is_ok(),
        _ => true,
    });
    verbs
}

/// The refusal of a move of a project that the table does not have ([`lifecycle::refusal`]).
pub fn refusal(project: &Project, who: Relation) -> Error {
    Problem::refused_move(project.status.into(), moves(project, who)).into()
}

/// Whether its last day is behind it: nobody takes it on or joins it any more.
pub fn is_over(project: &Project, today: NaiveDate) -> bool {
    project.ends_on < today
}

/// What a project whose roles have so many `seats` still misses to be submitted (domain §3): each
/// miss on its own.
pub fn misses(project: &Project, seats: &[i32], today: NaiveDate) -> Vec<FieldError> {
    let mut missing = Vec::new();
    let mut miss = |pointer: &str, code| missing.push(FieldError::new(pointer, code));
    if project.risk_notice.trim().is_empty() {
        miss("/risk_notice", Code::RiskNoticeMissing);
    }
    if project.ends_on < today {
        miss("/ends_on", Code::InThePast);
    }
    if project.dangerous {
        if project.insurance_policy.is_none() {
            miss("/insurance_policy", Code::InsuranceMissing);
        }
        if project
            .insurance_from
            .is_none_or(|from| from > project.starts_on)
        {
            miss("/insurance_from", Code::InsuranceGap);
        }
        if project
            .insurance_until
            .is_none_or(|until| until < project.ends_on)
        {
            miss("/insurance_until", Code::InsuranceGap);
        }
    }
    let all: i64 = seats.iter().map(|seats| i64::from(*seats)).sum();
    if seats.is_empty() {
        miss("/roles", Code::Required);
    } else if project.minors && all < MINORS_ADULTS {
        miss("/roles", Code::TwoAdults);
    }
    missing
}

/// What is wrong with the skills that somebody asks for: where, and how.
pub fn check_skills(skills: &[RoleSkill]) -> Vec<(String, Code)> {
    let wrong = skills.iter().enumerate().filter_map(|(n, asked)| {
        let mut before = skills[..n].iter();
        let code = if taxonomies::skill(&asked.skill).is_none() {
            Code::UnknownSkill
        } else if before.any(|other| other.skill == asked.skill) {
            Code::Repeated
        } else {
            return None;
        };
        Some((format!("skills/{n}/skill"), code))
    });
    wrong.collect()
}

/// How the claims of a project stand, counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Claims that hold a seat.
    pub live: i64,
    /// Of those: being carried out or reported.
    pub begun: i64,
    /// Of those: reported.
    pub reported: i64,
    /// Claims whose report was accepted.
    pub fulfilled: i64,
}

/// The move that a project makes because its claims stand as they do; none when it stays.
///
/// While it can be claimed and a claim seat is free, it is open, however far its claims are. Once
/// all seats are taken, or its claiming is `closed` with at least one taken, it follows those that
/// there are: it runs when one has begun, and is completed when all are fulfilled.
pub fn follow(
    status: ProjectStatus,
    seats: i32,
    closed: bool,
    claims: Tally,
) -> Option<&'static str> {
    let taken = claims.live + claims.fulfilled;
    let is_full = taken >= i64::from(seats) || (closed && taken > 0);
    match status {
        Open if is_full => Some("claim"),
        Claimed | Running | Completing if !is_full => Some("free"),
        // somebody new holds the seat and has not begun
        Running | Completing if claims.begun == 0 && claims.fulfilled == 0 => Some("free"),
        Claimed if claims.begun > 0 || claims.fulfilled > 0 => Some("start"),
        Running if claims.live == claims.reported => Some("report"),
        Completing if claims.live == 0 => Some("complete"),
        Completing if claims.reported < claims.live => Some("send_back"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use strum::VariantArray;

    #[test]
    fn every_state_can_be_reached_and_final_ones_stay() {
        let mut reached = vec![Draft];
        for _ in 0..MOVES.len() {
            for m in MOVES {
                if m.from.iter().any(|from| reached.contains(from)) && !reached.contains(&m.to) {
                    reached.push(m.to);
                }
            }
        }
        assert_eq!(reached.len(), ProjectStatus::VARIANTS.len());
        for last in [Archived, Cancelled] {
            assert!(!MOVES.iter().any(|m| m.from.contains(&last)));
        }
    }

    #[test]
    fn a_day_that_nobody_can_mean_is_known() {
        let today = "2026-11-23".parse().unwrap();
        for (day, is_meant) in [
            ("0000-01-01", false),
            ("1999-12-31", false),
            ("2000-01-01", true),
            ("2076-11-23", true),
            ("2076-11-24", false),
            ("9999-12-31", false),
        ] {
            assert_eq!(is_plausible(day.parse().unwrap(), today), is_meant, "{day}");
        }
    }

    proptest! {
        #[test]
        fn following_the_claims_is_always_a_move_and_comes_to_rest(
            from in prop::sample::select(ProjectStatus::VARIANTS),
            seats in 1..4i32, closed: bool, live in 0..4i64, begun in 0..4i64, reported in 0..4i64, fulfilled in 0..4i64,
        ) {
            let begun = begun.min(live);
            let claims = Tally { live, begun, reported: reported.min(begun), fulfilled };
            let mut status = from;
            let mut steps = 0;
            while let Some(verb) = follow(status, seats, closed, claims) {
                status = lifecycle::next(MOVES, status, verb).expect("a move of the table");
                steps += 1;
                prop_assert!(steps < 6, "it goes round in circles from {from:?}");
            }
        }
    }
}
