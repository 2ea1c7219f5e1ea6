//! Identity: accounts, sessions, roles and consents.
//!
//! A session begins with a code by SMS or with e-mail and password, and lives by refresh tokens
//! that are used once; a used one that comes back ends the session. What somebody may do is looked
//! up per request from [`Grant`]s, so a revoked role stops at once.
//!
//! ```text
//! account:  invited ──complete──▶ active ──▶ deleted
//! session:  begun ──refresh…──▶ ended (signed_out | revoked | token_reused | password_changed)
//! ```

mod caller;
mod codes;
mod command;
mod consent_texts;
mod consents;
mod contacts;
mod disclosures;
mod grants;
pub mod http;
mod keys;
mod model;
mod passwords;
mod requests;
mod resident_id;
mod rules;
mod service;
mod settings;
mod store;
mod tries;

pub use caller::{Caller, MaybeCaller};
pub use codes::{CODE_SMS, forget_expired};
pub use command::{Command, Made};
pub use consents::give as give_consent;
pub use consents::{
    Consent, ConsentEnd, ConsentId, Purpose, has_consent, hold_consent, is_in_force,
};
pub use contacts::CONTACT_SMS;
pub use disclosures::{DataUse, Reader, Sensitive, disclosed};
pub use grants::{grant, holders, take_back};
pub use keys::Keyring;
pub use model::{Account, AccountId, AccountStatus, Grant, Role, ScopeKind, SessionId};
pub use passwords::hash_password;
pub use requests::answer;
pub use resident_id::ResidentId;
pub use rules::{normal_email, normal_phone, valid_email, valid_phone};
pub use service::{create_account, find_account, invite_account, reset_password};
pub use settings::IdentityRules;
pub use store::{account, can_sign_in, names};
