//! Batch rounds: who does what, planned for many at once.

mod solver;

pub use solver::{Pair, Plan, Round};
