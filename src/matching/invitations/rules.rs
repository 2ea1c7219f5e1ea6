//! Pure decisions about invitations and recruitments.

use serde::{Deserialize, Serialize};
use strum::IntoStaticStr;
use validator::Validate;

use super::model::InvitationStatus::{self, Accepted, Cancelled, Closed, Declined, Expired, Open};
use super::model::RecruitmentStatus::{
    self, Filled, LastWaveOver, NeedClosed, NobodyLeft, Running, Stopped,
};
use crate::error::{Code, Problem};
use crate::platform::lifecycle::{ActsAs, Move};

/// The numbers of invitations; `config/default.toml` says what each means.
#[derive(Clone, Debug, Deserialize, Serialize, Validate)]
#[serde(deny_unknown_fields)]
pub struct InvitationRules {
    /// Invitations that one person may get within a day on the wall, from everybody together; one that was
    /// over before the person heard of it is none.
    #[validate(range(min = 1, max = 1_000))]
    pub per_day: i64,
    /// People whom a wave asks, unless the organiser says otherwise.
    #[validate(range(min = 1, max = 1_000))]
    pub wave_size: i32,
    /// At the most.
    #[validate(range(min = 1, max = 1_000))]
    pub largest_wave: i32,
    /// Hours in which an invitation may be answered, unless the organiser says otherwise.
    #[validate(range(min = 1, max = 8_760))]
    pub answer_hours: i32,
    /// At the most.
    #[validate(range(min = 1, max = 8_760))]
    pub longest_hours: i32,
    /// Waves of a recruitment, unless the organiser says otherwise.
    #[validate(range(min = 1, max = 1_000))]
    pub waves: i32,
    /// At the most.
    #[validate(range(min = 1, max = 1_000))]
    pub most_waves: i32,
    /// Days for which an invitation is kept once it has ended.
    #[validate(range(min = 1, max = 36_500))]
    pub kept_days: i64,
}

impl InvitationRules {
    /// Whether what is usual is also allowed.
    pub fn agree(&self) -> bool {
        self.wave_size <= self.largest_wave
            && self.answer_hours <= self.longest_hours
            && self.waves <= self.most_waves
    }
}

/// A number as somebody chose it, or the usual one; out of bounds it is named.
pub fn chosen(
    wrong: &mut Problem,
    field: &'static str,
    asked: Option<i32>,
    (usual, most): (i32, i32),
) -> i32 {
    let number = asked.unwrap_or(usual);
    if !(1..=most).contains(&number) {
        *wrong = wrong.clone().field(field, Code::Range);
    }
    number
}

/// Who moves an invitation or a recruitment.
#[derive(Clone, Copy, Debug, IntoStaticStr)]
#[strum(serialize_all = "lowercase")]
pub enum By {
    /// Who is invited, signed in or by the link in the mail.
    Person,
    /// Who invites, or runs the organisation for which it was done; of a wish, whoever may look for
    /// people for it.
    Organizer,
    /// What becomes of the need.
    Need,
    /// What else the person takes on.
    Work,
    /// The passing of time.
    #[strum(serialize = "clock")]
    Time,
}

/// How a caller stands to an invitation or a recruitment. Both may hold at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Relation {
    /// Is invited.
    pub person: bool,
    /// Speaks for who invites.
    pub organizer: bool,
}

impl ActsAs<By> for Relation {
    fn acts_as(self, party: By) -> Result<(), Code> {
        let holds = match party {
            By::Person => self.person,
            By::Organizer => self.organizer,
            By::Need | By::Work | By::Time => false,
        };
        if holds { Ok(()) } else { Err(Code::Forbidden) }
    }
}

/// Every move of an invitation.
pub const INVITATION: &[Move<InvitationStatus, By>] = &[
    Move {
        from: &[Open],
        verb: "accept",
        to: Accepted,
        by: &[By::Person],
    },
    Move {
        from: &[Open],
        verb: "decline",
        to: Declined,
        by: &[By::Person],
    },
    Move {
        from: &[Open],
        verb: "dismiss",
        to: Declined,
        by: &[By::Person],
    },
    Move {
        from: &[Open],
        verb: "block",
        to: Declined,
        by: &[By::Person],
    },
    Move {
        from: &[Open],
        verb: "expire",
        to: Expired,
        by: &[By::Time],
    },
    Move {
        from: &[Open],
        verb: "cancel",
        to: Cancelled,
        by: &[By::Organizer],
    },
    Move {
        from: &[Open],
        verb: "close",
        to: Closed,
        by: &[By::Need, By::Work],
    },
];

/// Every move of a recruitment.
pub const RECRUITMENT: &[Move<RecruitmentStatus, By>] = &[
    Move {
        from: &[Running],
        verb: "wave",
        to: Running,
        by: &[By::Time],
    },
    Move {
        from: &[Running],
        verb: "fill",
        to: Filled,
        by: &[By::Need],
    },
    Move {
        from: &[Running],
        verb: "exhaust",
        to: NobodyLeft,
        by: &[By::Time],
    },
    Move {
        from: &[Running],
        verb: "run_out",
        to: LastWaveOver,
        by: &[By::Time],
    },
    Move {
        from: &[Running],
        verb: "close",
        to: NeedClosed,
        by: &[By::Need],
    },
    Move {
        from: &[Running],
        verb: "stop",
        to: Stopped,
        by: &[By::Organizer, By::Time],
    },
];

/// How much room a need has for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Room {
    /// So many places are free; none: all are taken.
    Places(u32),
    /// Nobody is taken now, but may be later: its project is suspended.
    Paused,
    /// Nobody is wanted any more.
    Gone,
}

impl Room {
    /// What an answer that comes too late is told; none while there is room, or may be again.
    pub fn refusal(self) -> Option<Code> {
        match self {
            Self::Places(0) => Some(Code::CapacityFull),
            Self::Gone => Some(Code::NeedClosed),
            Self::Places(_) | Self::Paused => None,
        }
    }
}

/// What a recruitment does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Waits for answers, or for something else to happen.
    Wait,
    /// Asks so many more.
    Ask(usize),
    /// Ends, by this move.
    End(&'static str),
}

/// What a recruitment does next that has `open` invitations of at most `size`, and has sent `wave` of
/// `max_waves` waves.
///
/// It asks again once those who may still say yes are fewer than the places that are free, or than
/// the organiser wants to ask at once, and never has more than `size` invitations open.
pub fn next(room: Room, open: usize, size: usize, (wave, max_waves): (i32, i32)) -> Step {
    let free = match room {
        Room::Gone => return Step::End("close"),
        Room::Places(0) => return Step::End("fill"),
        Room::Paused => return Step::Wait,
        Room::Places(free) => usize::try_from(free).unwrap_or(usize::MAX),
    };
    if open >= free.min(size) {
        Step::Wait
    } else if wave < max_waves {
        Step::Ask(size - open)
    } else if open == 0 {
        Step::End("run_out")
    } else {
        Step::Wait
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn it_asks_again_when_the_places_cannot_be_filled_any_more() {
        let of_five = |room, open| next(room, open, 5, (1, 3));
        assert_eq!(of_five(Room::Places(3), 5), Step::Wait);
        assert_eq!(of_five(Room::Places(3), 3), Step::Wait);
        assert_eq!(of_five(Room::Places(3), 2), Step::Ask(3));
        assert_eq!(of_five(Room::Places(9), 5), Step::Wait, "as many as wanted");
        assert_eq!(of_five(Room::Places(1), 0), Step::Ask(5));
        assert_eq!(of_five(Room::Places(0), 4), Step::End("fill"));
        assert_eq!(of_five(Room::Gone, 4), Step::End("close"));
        assert_eq!(of_five(Room::Paused, 0), Step::Wait);
        let last = |open| next(Room::Places(3), open, 5, (3, 3));
        assert_eq!((last(1), last(0)), (Step::Wait, Step::End("run_out")));
    }

    proptest! {
        /// Never more open than wanted, and whoever asks, asks somebody.
        #[test]
        fn no_more_are_open_than_wanted(
            free in 0u32..20, open in 0usize..20, size in 1usize..20, wave in 0i32..5, most in 1i32..5,
        ) {
            if let Step::Ask(more) = next(Room::Places(free), open, size, (wave, most)) {
                prop_assert!(more > 0 && open + more <= size);
                prop_assert!(wave < most && free > 0);
            }
        }
    }
}
