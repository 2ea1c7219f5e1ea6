//! Invitations: people are asked to take a need on, by hand or in waves, and nobody is assigned.
//!
//! There is one table of invitations for all kinds of needs, whoever sends them: what a person is
//! asked, how often within a day, and what it does not want to be asked is then one question. A
//! [`Recruitment`] asks the best few, waits for their answers, and asks the next best, until the
//! places are filled or something else ends it. A yes takes the need on by the rules of its own room,
//! in the same transaction: a wish is claimed, a place in a crew is taken.
//!
//! ```text
//! recruitment: running ─▶ filled | nobody_left | last_wave_over | need_closed | stopped(reason)
//! invitation:  open ─▶ accepted | declined | expired | cancelled(reason) | closed
//! ```
//!
//! Whoever lets people be invited elsewhere calls [`send`] in its own transaction, and learns of the
//! answers from the journal: `invitation.accept`, `decline`, `dismiss`, `block`, `expire`, `cancel`
//! and `close`, each about the invitation; the payload names the need and the crew.

pub mod http;
mod model;
pub mod rules;
mod service;
mod store;
mod waves;

pub use model::{
    Answer, Block, BlockId, Invitation, InvitationId, InvitationStatus, Recruitment, RecruitmentId,
    RecruitmentStatus,
};
pub use rules::{InvitationRules, Room};
pub use service::{
    Answering, Asking, Desk, NewRecruitment, Origin, Outcome, answer, check_may_invite, forget,
    purge, react, send, start, sweep,
};
pub use store::{Asker, day_of};
pub(super) use store::{barred, barred_by_crews, blocks_of, dismissed, dismissed_by};
pub use waves::send_due;
