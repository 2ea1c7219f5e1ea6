//! Pure decisions about claims of projects.

use super::model::ClaimStatus::{
    self, Applied, Approved, Executing, Expired, Fulfilled, Planned, Rejected, Reported, Revoked,
    Waitlisted, Withdrawn,
};
use super::model::ProjectClaim;
use crate::platform::clock::Instant;
use crate::platform::lifecycle::Move;

/// Every move of a claim (domain §3).
pub const MOVES: &[Move<ClaimStatus>] = &[
    Move {
        from: &[Applied],
        verb: "approve",
        to: Approved,
        by: "publisher, or at once",
    },
    Move {
        from: &[Applied],
        verb: "waitlist",
        to: Waitlisted,
        by: "clock",
    },
    Move {
        from: &[Waitlisted],
        verb: "promote",
        to: Approved,
        by: "clock, publisher",
    },
    Move {
        from: &[Applied, Waitlisted],
        verb: "reject",
        to: Rejected,
        by: "publisher",
    },
    Move {
        from: &[Approved],
        verb: "plan",
        to: Planned,
        by: "claimant",
    },
    Move {
        from: &[Planned],
        verb: "start",
        to: Executing,
        by: "claimant",
    },
    Move {
        from: &[Executing],
        verb: "report",
        to: Reported,
        by: "claimant",
    },
    Move {
        from: &[Reported],
        verb: "send_back",
        to: Executing,
        by: "publisher",
    },
    Move {
        from: &[Reported],
        verb: "accept",
        to: Fulfilled,
        by: "publisher",
    },
    Move {
        from: &[Applied, Waitlisted, Approved, Planned, Executing],
        verb: "withdraw",
        to: Withdrawn,
        by: "claimant",
    },
    Move {
        from: &[Approved, Planned, Executing],
        verb: "expire",
        to: Expired,
        by: "clock",
    },
    Move {
        from: &[Applied, Waitlisted, Approved, Planned, Executing, Reported],
        verb: "revoke",
        to: Revoked,
        by: "publisher, reactions",
    },
];

/// The states in which a claim holds a seat.
pub const LIVE: &[ClaimStatus] = &[Approved, Planned, Executing, Reported];

/// The states in which a claim may show progress, which renews its lease.
pub const LEASED: &[ClaimStatus] = &[Approved, Planned, Executing];

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
