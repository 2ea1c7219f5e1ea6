//! Crews: the volunteers who work in the roles of a claimed project. Nobody is assigned: who is
//! asked to come is invited by the room that finds people, and stands here from the day of the yes.
//!
//! ```text
//! (apply) ─▶ applied ──accept (leader)──▶ active ──▶ left | removed(reason)
//! (join, by an invitation) ─────────────▶ active
//! applied ─▶ declined | withdrawn
//! disbanded: the claim ended; when it was fulfilled, of applications only
//! ```

pub mod http;
mod model;
mod people;
pub mod rules;
mod service;
mod store;

pub use http::CrewMemberView;
pub use model::{CrewMember, CrewMemberId, CrewStatus};
pub(super) use people::{suits, vetted_adults};
pub use rules::Schedule;
pub use service::{NewMember, accept, apply, check_may_invite, join, may_look_for_people, react};
pub(super) use service::{close, disband};
pub use store::{Standing, filled, is_in, standings};
pub(super) use store::{ever_in, ever_in_project, people};
