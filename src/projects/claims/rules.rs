//! Pure decisions about claims of projects.

use strum::IntoStaticStr;

use super::model::ClaimStatus::{
    self, Applied, Approved, Executing, Expired, Fulfilled, Planned, Rejected, Reported, Revoked,
    Waitlisted, Withdrawn,
};
use super::model::ProjectClaim;
use crate::error::{Code, Result};
use crate::platform::clock::Instant;
use crate::platform::lifecycle::{ActsAs, Move};

/// Who moves a claim.
#[derive(Clone, Copy, Debug, IntoStaticStr)]
#[strum(serialize_all = "lowercase")]
pub enum By {
    /// Who acts for the project's publisher and has no part in the claim.
    Publisher,
    /// Who claims, or runs the organisation that does.
    Claimant,
    /// The application itself, where the first come is first served.
    #[strum(serialize = "at once")]
    AtOnce,
    /// The passing of time.
    #[strum(serialize = "clock")]
    Time,
    /// What happened elsewhere, such as to the organisation or the project.
    Reactions,
}

/// How a caller stands to a claim. Several may hold at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Relation {
    /// Is the claimant, or runs the organisation that is.
    pub claimant: bool,
    /// Belongs to the organisation that is.
    pub member: bool,
    /// Acts for the project's publisher.
    pub publisher: bool,
    /// What keeps the organisation from acting that published it and that the caller manages.
    pub barred: Option<Code>,
    /// Administers the project's region.
    pub reviewer: bool,
    /// Works in its crew.
    pub crew: bool,
}

impl Relation {
    /// Whether the caller may see everything about the claim.
    pub fn is_involved(self) -> bool {
        self != Self::default()
    }
}

impl ActsAs<By> for Relation {
    fn acts_as(self, party: By) -> Result<(), Code> {
        let holds = match party {
            By::Publisher if self.publisher && (self.claimant || self.member) => {
                return Err(Code::OwnClaim);
            }
            By::Publisher => {
                if let Some(code) = self.barred {
                    return Err(code);
                }
                self.publisher
            }
            By::Claimant => self.claimant,
            By::AtOnce | By::Time | By::Reactions => false,
        };
        if holds { Ok(()) } else { Err(Code::Forbidden) }
    }
}

/// Every move of a claim (domain §3).
pub const MOVES: &[Move<ClaimStatus, By>] = &[
    Move {
        from: &[Applied],
        verb: "approve",
        to: Approved,
        by: &[By::Publisher, By::AtOnce],
    },
    Move {
        from: &[Applied],
        verb: "waitlist",
        to: Waitlisted,
        by: &[By::Time],
    },
    Move {
        from: &[Waitlisted],
        verb: "promote",
        to: Approved,
        by: &[By::Publisher, By::Time],
    },
    Move {
        from: &[Applied, Waitlisted],
        verb: "reject",
        to: Rejected,
        by: &[By::Publisher, By::Reactions],
    },
    Move {
        from: &[Approved],
        verb: "plan",
        to: Planned,
        by: &[By::Claimant],
    },
    Move {
        from: &[Planned],
        verb: "change_plan",
        to: Planned,
        by: &[By::Claimant],
    },
    Move {
        from: &[Executing],
        verb: "change_plan",
        to: Executing,
        by: &[By::Claimant],
    },
    Move {
        from: &[Planned],
        verb: "start",
        to: Executing,
        by: &[By::Claimant],
    },
    Move {
        from: &[Executing],
        verb: "report",
        to: Reported,
        by: &[By::Claimant],
    },
    Move {
        from: &[Reported],
        verb: "send_back",
        to: Executing,
        by: &[By::Publisher],
    },
    Move {
        from: &[Reported],
        verb: "accept",
        to: Fulfilled,
        by: &[By::Publisher],
    },
    Move {
        from: &[Applied, Waitlisted, Approved, Planned, Executing],
        verb: "withdraw",
        to: Withdrawn,
        by: &[By::Claimant],
    },
    Move {
        from: &[Approved, Planned, Executing],
        verb: "expire",
        to: Expired,
        by: &[By::Time],
    },
    Move {
        from: &[Applied, Waitlisted, Approved, Planned, Executing, Reported],
        verb: "revoke",
        to: Revoked,
        by: &[By::Publisher, By::Reactions],
    },
];

/// The states in which a claim holds a seat.
pub const LIVE: &[ClaimStatus] = &[Approved, Planned, Executing, Reported];

/// The states in which a claim waits for a seat.
pub const WAITING: &[ClaimStatus] = &[Applied, Waitlisted];

/// The states in which a claim may show progress, which renews its lease.
pub const LEASED: &[ClaimStatus] = &[Approved, Planned, Executing];

/// What handing a plan in is called: the first one, or another in its place.
pub fn planning(status: ClaimStatus) -> &'static str {
    if matches!(status, Planned | Executing) {
        "change_plan"
    } else {
        "plan"
    }
}

/// Whether its lease has run out, be it swept up already or not.
pub fn has_run_out(claim: &ProjectClaim, now: Instant) -> bool {
    claim.lease_until.is_some_and(|until| until <= now)
}

/// The smallest seat, from 1, that nobody holds; none when all are held.
pub fn free_seat(held: &[i32], seats: i32) -> Option<i32> {
    (1..=seats).find(|seat| !held.contains(seat))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use strum::VariantArray;

    #[test]
    fn what_is_over_stays_over() {
        for over in [Fulfilled, Rejected, Withdrawn, Expired, Revoked] {
            assert!(!MOVES.iter().any(|m| m.from.contains(&over)), "{over}");
        }
        for status in ClaimStatus::VARIANTS {
            let is_reached = *status == Applied || MOVES.iter().any(|m| m.to == *status);
            assert!(is_reached, "{status}");
        }
    }

    proptest! {
        #[test]
        fn a_free_seat_is_free_and_inside(held in prop::collection::vec(1..6i32, 0..6), seats in 1..6i32) {
            match free_seat(&held, seats) {
                Some(seat) => prop_assert!((1..=seats).contains(&seat) && !held.contains(&seat)),
                None => prop_assert!((1..=seats).all(|seat| held.contains(&seat))),
            }
        }
    }
}
