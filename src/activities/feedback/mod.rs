//! Feedback, both ways, once an activity has finished: what somebody who came says of it, and what its
//! organisers say of the volunteer.
//!
//! Each once for a place, and changed as long as its term runs. What volunteers say is shown as averages, and
//! to the organisers in words without names, from so many answers on that nobody can tell who said what. What
//! organisers say of a volunteer is for that person and for them alone.

pub mod http;
mod model;
pub mod rules;
mod service;
mod store;

pub use model::{Direction, Feedback, FeedbackId};
