//! Batch rounds: who does what, planned for many at once, and nobody is assigned.
//!
//! A coordinator opens a [`BatchRound`] over the roles of a batch's projects, or over the open needs
//! of a region, and over the volunteers of a region. The worker finds the pairs that may be, with the
//! score of matching (`score`, people for a need) and all its filters, and the `solver` the plan of
//! greatest total; the coordinator sees it beside the greedy one, sets some of it by hand and plans
//! again.
//!
//! ```text
//! draft ──plan──▶ planning ──solve──▶ planned ──commit──▶ committed ──close, finish──▶ closed
//!                     │                  └──plan──▶ planning  └──plan──▶ planning
//!                     └──fail──▶ failed ──plan──▶ planning
//! any of them before the invitations ──cancel──▶ cancelled
//! ```
//!
//! Once committed, each pair of the plan becomes an invitation. What was accepted is counted among the
//! places of its need; what was declined or ran out is planned again without that pair, by hand or by
//! itself.
//!
//! | file | |
//! |---|---|
//! | `solver` | the optimum and what proves it; knows numbers only |
//! | `planner` | from people and needs to the solver's numbers and back, in memory |
//! | `planning` | the job around it: reads, plans on a thread of its own, writes in parts |
//! | `sending` | from a plan to invitations, and from their answers to the next plan |
//! | `columns` | what was solved, kept so that anybody can compute the gap again |

mod columns;
pub mod http;
mod model;
mod planner;
mod planning;
pub mod rules;
mod sending;
mod service;
mod solver;
mod store;

pub use columns::duals;
pub use model::{
    Assignment, BatchRound, BatchRoundId, Lock, LockId, LockKind, RoundInvitation,
    RoundInvitationStatus, RoundPlan, RoundPlanId, RoundStatus,
};
pub use planning::{PLAN, Planning, give_up, perform};
pub use rules::RoundRules;
pub use sending::{Commitment, SEND, Sending, commit, has_sent, react, send};
pub use service::{NewBatchRound, create, plan, sweep};
pub use solver::{Pair, Plan, Round};
pub use store::invited;
