//! Pure decisions about crews.

use strum::IntoStaticStr;

use super::model::CrewStatus::{
    self, Active, Applied, Cancelled, Declined, Disbanded, Invited, Left, Refused, Removed,
    Withdrawn,
};
use crate::error::{Code, Result};
use crate::platform::lifecycle::{ActsAs, Move};

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
        from: &[Invited],
        verb: "join",
        to: Active,
        by: &[By::Person],
    },
    Move {
        from: &[Applied],
        verb: "decline",
        to: Declined,
        by: &[By::Leader],
    },
    Move {
        from: &[Invited],
        verb: "refuse",
        to: Refused,
        by: &[By::Person],
    },
    Move {
        from: &[Applied],
        verb: "withdraw",
        to: Withdrawn,
        by: &[By::Person],
    },
    Move {
        from: &[Invited],
        verb: "cancel",
        to: Cancelled,
        by: &[By::Leader],
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
        from: &[Applied, Invited, Active],
        verb: "disband",
        to: Disbanded,
        by: &[By::Claims],
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
