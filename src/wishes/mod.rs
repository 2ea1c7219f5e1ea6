//! Wishes (微心愿): one small need of one beneficiary, goods or a service, never money.
//!
//! The table in [`rules::MOVES`] has every move there is; `docs/lifecycles.md` draws it. A resident
//! or a proxy posts a wish with recorded consent, staff screen it, a volunteer claims it for a
//! limited time and delivers with evidence, the beneficiary confirms. The public sees alias, group
//! and street; only the live claimant sees the contact, and that is journalled.

pub mod http;
mod model;
mod money;
pub mod rules;
mod service;
mod store;
mod thread;

pub use model::{ClaimOutcome, ConsentChannel, Contact, Wish, WishId, WishKind, WishStatus};
pub use rules::{WishRules, public_place};
pub use service::{
    CLAIMED_SMS, DELIVERED_SMS, Desk, EXPIRED_SMS, Mover, NewWish, NewWishClaim, OPEN_AGAIN_SMS,
    PUBLISHED_SMS, REJECTED_SMS, TIMED_OUT_SMS, add_evidence, claim, confirm, create, deliver,
    dispute, import, publish, react, reject, remind, submit, sweep, withdraw,
};
pub use store::{keeps_file, wish};
