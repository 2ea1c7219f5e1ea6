//! Pure decisions about crews.

use super::model::CrewStatus::{
    self, Active, Applied, Cancelled, Declined, Disbanded, Invited, Left, Refused, Removed,
    Withdrawn,
};
use crate::platform::lifecycle::Move;

/// Every move of a place in a crew (domain §3).
pub const MOVES: &[Move<CrewStatus>] = &[
    Move {
        from: &[Applied],
        verb: "accept",
        to: Active,
        by: "leader",
    },
    Move {
        from: &[Invited],
        verb: "join",
        to: Active,
        by: "person",
    },
    Move {
        from: &[Applied],
        verb: "decline",
        to: Declined,
        by: "leader",
    },
    Move {
        from: &[Invited],
        verb: "refuse",
        to: Refused,
        by: "person",
    },
    Move {
        from: &[Applied],
        verb: "withdraw",
        to: Withdrawn,
        by: "person",
    },
    Move {
        from: &[Invited],
        verb: "cancel",
        to: Cancelled,
        by: "leader",
    },
    Move {
        from: &[Active],
        verb: "leave",
        to: Left,
        by: "person",
    },
    Move {
        from: &[Active],
        verb: "remove",
        to: Removed,
        by: "leader",
    },
    Move {
        from: &[Applied, Invited, Active],
        verb: "disband",
        to: Disbanded,
        by: "claims",
    },
];

/// What an answer is called: to an application by the leader, to an invitation by the person.
pub fn answer(status: CrewStatus, yes: bool) -> &'static str {
    match (status, yes) {
        (Invited | Refused, true) => "join",
        (Invited | Refused, false) => "refuse",
        (_, true) => "accept",
        (_, false) => "decline",
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

/// What sending away is called: of an invitation, or of a place.
pub fn sending_away(status: CrewStatus) -> &'static str {
    if matches!(status, Invited | Cancelled) {
        "cancel"
    } else {
        "remove"
    }
}
