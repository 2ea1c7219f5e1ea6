//! Projects: livelihood work that a district publishes and others take on.
//!
//! A [`campaigns`] sub-room holds campaigns and their batches with claim windows, [`claims`] the
//! leases by which organisations and people take projects on, [`crews`] the volunteers who work
//! in a claimed project's roles.
//!
//! ```text
//! draft ──submit──▶ submitted ──approve──▶ approved ──open──▶ open ──claim──▶ claimed
//!   ▲                   │return                                ▲ └────free─────┤ start
//!   └──revise── returned◀                                      │               ▼
//!                                          free (all claims over) ◀────────── running ◀▶ suspended
//!        completed ◀──complete── completing ◀──────report──────────────────────┘
//!            └─archive▶ archived          cancel: from any state before completed
//! ```
//!
//! A project with several claim seats is open while it can be claimed and one of them is free,
//! however far its claims are. Once all seats are taken, its batch's window or its last day has
//! passed, or its publisher closed the claiming, it goes on with the claims it has: it runs when
//! one of them has begun, and is completed when all of them are fulfilled.

pub mod campaigns;
pub mod claims;
pub mod crews;
pub mod http;
mod import;
mod model;
pub mod rules;
mod service;
mod store;

pub use import::import;
pub use model::{ClaimMode, Project, ProjectId, ProjectRole, ProjectStatus, RoleId, RoleSkill};
pub use rules::{
    ADULT_AGE, MINORS_ADULTS, PUBLIC, ProjectRules, check_skills, day_of_work, is_plausible,
    least_age,
};
pub use service::{Desk, EditProject, NewProject, NewRole, approve, create, open, submit, sweep};
pub use store::{Query, list, project, roles, suspended_among};
