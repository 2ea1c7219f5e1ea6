//! Pure decisions about Party branches.

use super::model::BranchStatus;
use crate::platform::lifecycle::Move;

/// Every move of a Party branch.
pub const MOVES: &[Move<BranchStatus>] = &[Move {
    from: &[BranchStatus::Active],
    verb: "dissolve",
    to: BranchStatus::Dissolved,
    by: &["region admin"],
}];
