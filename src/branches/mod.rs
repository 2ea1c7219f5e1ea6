//! Party branches (党支部): the directory of what a branch secretary's role is limited to.
//!
//! A branch is a scope of roles, as a region is, so the directory stands before identity and asks
//! nobody for rights; the room `party` does, and serves it over HTTP.
//!
//! ```text
//! active ──dissolve(reason)──▶ dissolved
//! ```

mod model;
pub mod rules;
mod service;
mod store;

pub use model::{Branch, BranchId, BranchStatus, BranchView, NewBranch};
pub use service::{create, dissolve, hold, rename};
pub use store::{by_id, list};
