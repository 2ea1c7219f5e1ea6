//! What can be done with volunteers: their profiles, and their certificates.

mod profile;
mod qualifications;

pub use profile::{birth_date, check, import, profile, write_profile};
pub use qualifications::{
    NewQualification, holds_qualification, review_qualification, submit_qualification,
};
