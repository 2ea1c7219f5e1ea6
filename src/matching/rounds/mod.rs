//! Batch rounds: who does what, planned for many at once, and nobody is assigned.
//!
//! A coordinator opens a [`BatchRound`] over the roles of a batch's projects, or over the open needs
//! of a region, and over the volunteers of a region. The worker finds the pairs that may be, with the
//! score of matching (`score`, people for a need) and all its filters, and the `solver` the plan of
//! greatest total; the coordinator sees it beside the greedy one, sets some of it by hand and plans
//! again.
//!
//! ```text
//! draft ──plan──▶ planning ──solve──▶ planned ──plan──▶ planning …
//!                     └──fail──▶ failed ──plan──▶ planning
//! ```
//!
//! | file | |
//! |---|---|
//! | `solver` | the optimum and what proves it; knows numbers only |
//! | `planner` | from people and needs to the solver's numbers and back, in memory |
//! | `planning` | the job around it: reads, plans on a thread of its own, writes in parts |
//! | `columns` | what was solved, kept so that anybody can compute the gap again |

mod columns;
pub mod http;
mod model;
mod planner;
mod planning;
pub mod rules;
mod service;
mod solver;
mod store;

pub use columns::duals;
pub use model::{
    Assignment, BatchRound, BatchRoundId, Lock, LockId, LockKind, RoundPlan, RoundPlanId,
    RoundStatus,
};
pub use planning::{PLAN, Planning, give_up, perform};
pub use rules::RoundRules;
pub use service::sweep;
pub use solver::{Pair, Plan, Round};
