//! Pure decisions about batch rounds.

use chrono::{Datelike, NaiveDate};
use serde::{Deserialize, Serialize};
use strum::IntoStaticStr;
use validator::Validate;

use super::model::{
    LockKind, RoundInvitationStatus,
    RoundStatus::{self, Cancelled, Closed, Committed, Draft, Failed, Planned, Planning},
};
use crate::error::{Code, Result};
use crate::matching::Span;
use crate::matching::hours::DAY;
use crate::matching::model::{Need, NeedKind};
use crate::platform::lifecycle::{self, ActsAs, Move};

/// The room's numbers; `config/default.toml` says what each means.
#[derive(Clone, Debug, Deserialize, Serialize, Validate)]
#[serde(deny_unknown_fields)]
pub struct RoundRules {
    /// Places that a round may give one person at the most.
    #[validate(range(min = 1, max = 100))]
    pub places_per_person: i32,
    /// People of one round.
    #[validate(range(min = 1, max = 1_000_000))]
    pub people: i64,
    /// Needs of one round.
    #[validate(range(min = 1, max = 100_000))]
    pub needs: usize,
    /// The best needs of each person that are looked at.
    #[validate(range(min = 1, max = 10_000))]
    pub candidates_per_person: usize,
    /// The best people of each need that are looked at beside those.
    #[validate(range(min = 1, max = 100_000))]
    pub candidates_per_need: usize,
    /// Locks of one round.
    #[validate(range(min = 1, max = 100_000))]
    pub locks: i64,
    /// How often a round plans anew and sends by itself what was declined.
    #[validate(range(min = 0, max = 100))]
    pub resolves: i32,
    /// Days after which the people of a round that is over are forgotten.
    #[validate(range(min = 0, max = 36_500))]
    pub keep_days: i64,
}

/// Who moves a batch round.
#[derive(Clone, Copy, Debug, IntoStaticStr)]
#[strum(serialize_all = "lowercase")]
pub enum By {
    /// Staff whose region covers it, and who publishes its batch.
    Coordinator,
    /// The jobs that plan and send, and what becomes of the invitations.
    Worker,
}

/// How a caller stands to a batch round.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Relation {
    /// Coordinates it.
    pub coordinator: bool,
}

impl ActsAs<By> for Relation {
    fn acts_as(self, party: By) -> Result<(), Code> {
        let holds = match party {
            By::Coordinator => self.coordinator,
            By::Worker => false,
        };
        if holds { Ok(()) } else { Err(Code::Forbidden) }
    }
}

/// Every move of a batch round.
pub const MOVES: &[Move<RoundStatus, By>] = &[
    Move {
        from: &[Draft, Planned, Failed, Committed],
        verb: "plan",
        to: Planning,
        by: &[By::Coordinator, By::Worker],
    },
    Move {
        from: &[Planning],
        verb: "solve",
        to: Planned,
        by: &[By::Worker],
    },
    Move {
        from: &[Planning],
        verb: "fail",
        to: Failed,
        by: &[By::Worker],
    },
    Move {
        from: &[Planned],
        verb: "commit",
        to: Committed,
        by: &[By::Coordinator, By::Worker],
    },
    Move {
        from: &[Planning, Planned, Committed],
        verb: "finish",
        to: Closed,
        by: &[By::Worker],
    },
    Move {
        from: &[Planned, Failed, Committed],
        verb: "close",
        to: Closed,
        by: &[By::Coordinator],
    },
    Move {
        from: &[Draft, Planning, Planned, Failed],
        verb: "cancel",
        to: Cancelled,
        by: &[By::Coordinator],
    },
];

/// Whether its terms and locks may be changed: not while it is planned, and not once it is over.
///
/// # Errors
/// `move_not_allowed` with the moves that there are instead.
pub fn may_edit(status: RoundStatus, who: Relation) -> Result<()> {
    match status {
        Draft | Planned | Failed => Ok(()),
        _ => Err(lifecycle::refusal(MOVES, who, status)),
    }
}

/// A lock, as far as it can contradict another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hold<P, N> {
    /// What it says.
    pub kind: LockKind,
    /// Of whom; none for a need.
    pub person: Option<P>,
    /// Of what; none for a person.
    pub need: Option<N>,
}

impl<P: PartialEq, N: PartialEq> Hold<P, N> {
    /// Whether both cannot hold at once.
    pub fn contradicts(&self, other: &Self) -> bool {
        let (keep, against) = match (self.kind, other.kind) {
            (LockKind::Keep, LockKind::Keep) => return false,
            (LockKind::Keep, _) => (self, other),
            (_, LockKind::Keep) => (other, self),
            _ => return false,
        };
        match against.kind {
            LockKind::Keep => false,
            LockKind::Forbid => keep.person == against.person && keep.need == against.need,
            LockKind::LeaveOutPerson => keep.person == against.person,
            LockKind::LeaveOutNeed => keep.need == against.need,
        }
    }
}

/// What keeps one person from taking both of two needs on, on a day or later: what a crew refuses who
/// comes with the second of them. None where both can be done.
pub fn collision(a: &Need, b: &Need, today: NaiveDate) -> Option<Code> {
    if a.project.is_some() && a.project == b.project {
        return Some(Code::InCrewAlready);
    }
    let are_roles = [a, b]
        .iter()
        .all(|need| need.id.kind == NeedKind::ProjectRole);
    if !are_roles {
        return None;
    }
    let first = a.first_day.max(b.first_day).max(Some(today))?;
    let last = match (a.last_day, b.last_day) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (one, other) => one.or(other),
    };
    let days = first.iter_days().take(7);
    let weekdays: Vec<_> = days
        .take_while(|day| last.is_none_or(|last| *day <= last))
        .map(|day| day.weekday().num_days_from_monday())
        .collect();
    let meet = |ours: &Span, theirs: &Span| {
        ours.shared(*theirs) > 0 && weekdays.contains(&(ours.from.max(theirs.from) / DAY))
    };
    let ours = a.hours.spans().iter();
    let mut pairs = ours.flat_map(|ours| b.hours.spans().iter().map(move |theirs| (ours, theirs)));
    pairs
        .any(|(ours, theirs)| meet(ours, theirs))
        .then_some(Code::TimeConflict)
}

/// The most frequent of some codes, the most frequent first, then by name.
pub fn most_frequent(counted: impl IntoIterator<Item = (Code, usize)>, most: usize) -> Vec<Code> {
    let mut counted: Vec<_> = counted
        .into_iter()
        .filter(|(_, count)| *count > 0)
        .collect();
    counted.sort_by_key(|(code, count)| (std::cmp::Reverse(*count), code.as_str()));
    counted
        .into_iter()
        .take(most)
        .map(|(code, _)| code)
        .collect()
}

/// How many stand in one of these states, of those counted.
pub fn tally(counts: &[(RoundInvitationStatus, i64)], of: &[RoundInvitationStatus]) -> i64 {
    let counted = counts.iter().filter(|(status, _)| of.contains(status));
    counted.map(|(_, count)| count).sum()
}

/// The code as a coordinator reads it beside a pseudonym: political status is sensitive, and stays
/// unsaid of those who come to be named; so does whom a person does not want to hear from.
pub fn readable(code: Code) -> Code {
    match code {
        Code::PartyOnly | Code::Blocked | Code::NotInterested => Code::NotAvailable,
        code => code,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use strum::VariantArray;

    #[test]
    fn what_is_kept_is_neither_forbidden_nor_left_out() {
        let hold = |kind, person: u8, need: u8| Hold {
            kind,
            person: (kind != LockKind::LeaveOutNeed).then_some(person),
            need: (kind != LockKind::LeaveOutPerson).then_some(need),
        };
        let keep = hold(LockKind::Keep, 1, 1);
        for kind in LockKind::VARIANTS {
            let is_against = *kind != LockKind::Keep;
            assert_eq!(keep.contradicts(&hold(*kind, 1, 1)), is_against, "{kind}");
            assert_eq!(hold(*kind, 1, 1).contradicts(&keep), is_against, "{kind}");
            assert!(!keep.contradicts(&hold(*kind, 2, 2)), "{kind} of others");
        }
        assert!(!keep.contradicts(&hold(LockKind::Forbid, 1, 2)));
        let out = hold(LockKind::LeaveOutPerson, 1, 1);
        assert!(!out.contradicts(&hold(LockKind::LeaveOutNeed, 1, 1)));
    }

    #[test]
    fn codes_come_by_how_often() {
        let counted = [
            (Code::Age, 2),
            (Code::SkillMissing, 5),
            (Code::CapacityFull, 2),
            (Code::PartyOnly, 0),
        ];
        let codes = most_frequent(counted, 2);
        assert_eq!(codes, [Code::SkillMissing, Code::Age]);
    }
}
