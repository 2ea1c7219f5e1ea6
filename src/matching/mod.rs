//! Matching: the best needs for a person, the best people for a need, and why.
//!
//! Hard filters come first, each with a code; then a score from 0 to 100 out of five factors with
//! configured, versioned weights (`score`). People and open needs live in memory (`world`), built
//! from the database at start and kept current by the journal (`follower`); there the `engine` finds
//! whoever may be good enough, in its own numbers (`encoding`). What only the
//! database knows — how many claims somebody holds — is asked for the best ones, in the order of
//! their score, until enough remain (`service`).
//!
//! ```text
//! commit ─▶ journal ─▶ projection ─▶ world ─▶ top k ─▶ database checks ─▶ answer
//! ```
//!
//! Who fits may be asked: by hand, or in waves until the places are filled (`invitations`).
//!
//! What can be matched is listed in `store::SOURCES`, one line and one file for each kind of need.
//! Nothing here ranks by political status: it is only ever an eligibility rule of a need.
//! `personalized=false` uses none of all this but the list of open needs.

pub mod bench;
mod encoding;
pub mod engine;
mod follower;
mod hours;
pub mod http;
pub mod invitations;
mod model;
mod projection;
mod remedy;
pub mod rounds;
#[cfg(test)]
mod samples;
mod score;
mod service;
mod settings;
mod store;
mod view;
mod world;

pub use hours::{Hours, Span};
pub use model::{
    Located, Need, NeedId, NeedKind, Person, Site, Skills, Spot, Viewer, Wanted, Whereabouts,
};
pub use projection::Matching;
pub use score::{Distance, Factor, Filter, Side, contributions, distance, factors, score};
pub use settings::{MatchingRules, Reach, Reaches, Weights};
pub use world::{Hit, Terms, Wanting, World};
