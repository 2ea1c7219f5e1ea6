//! Volunteers: what people can and like to do, when and where.
//!
//! A profile is written whole by its person. Skills are declared, and staff of the person's region may
//! set a mark beside one that they have verified; the mark goes when the level changes. Qualifications
//! are verified by the same staff and end:
//!
//! ```text
//! qualification:  submitted ─┬─verify──────────▶ verified ─┬─revoke(reason)──▶ revoked
//!                            ├─reject(reason)──▶ rejected  └─withdraw────────▶ withdrawn
//!                            └─withdraw────────▶ withdrawn
//! ```
//!
//! A verified one is in force until its last day. The holder is reminded before and told after.

pub mod http;
mod model;
pub mod rules;
mod service;
mod store;

pub use model::{Basics, Place, Profile, QualificationStatus, SkillLevel, Window};
pub use rules::{VolunteerRules, age, check_windows, includes};
pub use service::{
    Desk, Held, birth_date, changed, check, ended, held_by, holds_qualification, import, profile,
    sweep, write_profile,
};
pub use store::{basics, keeps_file};
