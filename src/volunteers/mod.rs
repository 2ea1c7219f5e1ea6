//! Volunteers: what people can and like to do, when and where.
//!
//! A profile is written whole by its person. Skills are declared; qualifications are verified by
//! the staff of the person's region and end:
//!
//! ```text
//! qualification:  submitted ──verify──▶ verified      in force until its expiry
//!                     └──────reject(reason)──▶ rejected
//! ```

pub mod http;
mod model;
pub mod rules;
mod service;
mod store;

pub use model::{Place, Profile, QualificationStatus, SkillLevel, Window};
pub use rules::{age, check_windows, includes};
pub use service::{birth_date, check, holds_qualification, import, profile, write_profile};
