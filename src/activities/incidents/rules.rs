//! Pure decisions about incidents.

use strum::IntoStaticStr;

use super::model::IncidentStatus::{self, Acknowledged, Reported, Resolved};
use super::model::WrittenAs;
use crate::error::{Code, Result};
use crate::platform::lifecycle::{ActsAs, Move};

/// Who moves an incident.
#[derive(Clone, Copy, Debug, IntoStaticStr)]
#[strum(serialize_all = "lowercase")]
pub enum By {
    /// Who administers the street or the district, and is not the one it is about.
    #[strum(serialize = "region admin")]
    Staff,
}

/// Every move of an incident.
pub const MOVES: &[Move<IncidentStatus, By>] = &[
    Move {
        from: &[Reported],
        verb: "acknowledge",
        to: Acknowledged,
        by: &[By::Staff],
    },
    Move {
        from: &[Acknowledged],
        verb: "resolve",
        to: Resolved,
        by: &[By::Staff],
    },
];

/// How a caller stands to an incident. Several may hold at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Relation {
    /// Administers the street or the district, and is not the one it is about.
    pub staff: bool,
    /// Organises the activity, and it is not about them.
    pub organizer: bool,
    /// Reported it.
    pub reporter: bool,
}

impl Relation {
    /// As what the caller adds to it; nothing for whom it does not concern.
    pub fn written_as(self) -> Option<WrittenAs> {
        match self {
            Self { staff: true, .. } => Some(WrittenAs::Staff),
            Self { reporter: true, .. } => Some(WrittenAs::Reporter),
            Self {
                organizer: true, ..
            } => Some(WrittenAs::Organizer),
            _ => None,
        }
    }
}

impl ActsAs<By> for Relation {
    fn acts_as(self, party: By) -> Result<(), Code> {
        match party {
            By::Staff if self.staff => Ok(()),
            By::Staff => Err(Code::Forbidden),
        }
    }
}
