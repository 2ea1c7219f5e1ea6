//! Pure decisions about Party branches.

use super::model::BranchStatus;
use crate::platform::lifecycle::Move;

/// Who looks after branches: the rooms that know roles say so.
pub const STAFF: &str = "region admin";

/// Every move of a Party branch.
pub const MOVES: &[Move<BranchStatus>] = &[Move {
    from: &[BranchStatus::Active],
    verb: "dissolve",
    to: BranchStatus::Dissolved,
    by: &[STAFF],
}];
