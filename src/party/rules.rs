//! Pure decisions about Party membership.

use super::model::{MembershipStatus, Standing};
use crate::platform::lifecycle::Move;

/// Whose membership it is.
pub const PERSON: &str = "the person";
/// Who leads the branch.
pub const SECRETARY: &str = "branch secretary";

/// Every move of a membership.
pub const MOVES: &[Move<MembershipStatus>] = &[
    Move {
        from: &[MembershipStatus::Declared],
        verb: "verify",
        to: MembershipStatus::Verified,
        by: &[SECRETARY],
    },
    Move {
        from: &[MembershipStatus::Declared],
        verb: "reject",
        to: MembershipStatus::Rejected,
        by: &[SECRETARY],
    },
    Move {
        from: &[MembershipStatus::Declared, MembershipStatus::Verified],
        verb: "end",
        to: MembershipStatus::Ended,
        by: &[PERSON, SECRETARY],
    },
];

/// Whether a membership in this state stands in the way of another declaration.
pub fn is_live(status: MembershipStatus) -> bool {
    matches!(
        status,
        MembershipStatus::Declared | MembershipStatus::Verified
    )
}

/// Whether somebody of this standing counts as a Party member: probationary members do, applicants
/// are not admitted yet.
pub fn counts_as_member(standing: Standing) -> bool {
    matches!(standing, Standing::Member | Standing::ProbationaryMember)
}

/// Longer than every standing's name.
const WIDTH: usize = 24;

/// A standing as it is sealed: of one width, so that the length of the sealed bytes tells nothing.
pub fn padded(standing: Standing) -> String {
    format!("{:<WIDTH$}", standing.as_str())
}

/// Reads a standing that was [`padded`].
pub fn unpadded(text: &str) -> Option<Standing> {
    text.trim_end().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use strum::VariantArray;

    #[test]
    fn every_standing_is_sealed_in_one_width_and_read_back() {
        for standing in Standing::VARIANTS {
            let padded = padded(*standing);
            assert_eq!(padded.len(), WIDTH);
            assert_eq!(unpadded(&padded), Some(*standing));
        }
        assert_eq!(unpadded("general"), None);
    }

    #[test]
    fn an_applicant_is_no_member_yet() {
        assert!(counts_as_member(Standing::Member));
        assert!(counts_as_member(Standing::ProbationaryMember));
        assert!(!counts_as_member(Standing::Applicant));
    }
}
