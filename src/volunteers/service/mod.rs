//! What can be done with volunteers: their profiles, the marks beside their skills, and their
//! certificates.

mod clock;
mod profile;
mod qualifications;
mod skills;

use super::rules::VolunteerRules;
use crate::platform::token::Vault;

pub use clock::sweep;
pub use profile::{birth_date, check, import, profile, write_profile};
pub use qualifications::{
    ForReview, Held, NewQualification, attach, changed, document, ended, held_by,
    holds_qualification, may_attach, number, of_region, reject, revoke, submit, verify, withdraw,
};
pub use skills::{mark, skills};

/// What every write about certificates needs beside its transaction.
#[derive(Clone)]
pub struct Desk {
    /// The room's numbers.
    pub rules: VolunteerRules,
    /// Seals numbers, and finds the same one again.
    pub vault: Vault,
}
