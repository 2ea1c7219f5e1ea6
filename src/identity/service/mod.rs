//! The writes of this room, a function each.

mod accounts;
mod contacts;
mod passwords;
mod sessions;
mod sign_in;

pub(super) use accounts::update_me;
pub use accounts::{create_account, find_account, invite_account, reset_password};
pub(super) use sessions::end_session;

use super::keys::Keyring;
use super::requests::Request;
use super::settings::IdentityRules;
use super::tries::Tries;
use crate::error::{Code, Result};
use crate::platform::Platform;
use crate::platform::http::limit::{Limit, refuse};

/// The hands of this room's writes.
pub(super) struct Desk<'a> {
    pub platform: &'a Platform,
    pub keyring: &'a Keyring,
    pub rules: &'a IdentityRules,
    /// The network address of the caller.
    pub address: &'a str,
}

impl Desk<'_> {
    pub(super) async fn write_down(&self, request: Request) -> Result<()> {
        let db = &self.platform.db;
        db.write(move |tx| request.write_down(tx)).await
    }

    /// Refuses one more code where there were enough to this phone or address, from this network
    /// address, or by SMS at all.
    pub(super) async fn throttle_codes(&self, target: &str) -> Result<()> {
        let cache = &self.platform.cache;
        let here = format!("codes-from:{}", self.address);
        self.rules.codes_per_address.take(cache, &here).await?;
        let there = format!("code:{}", self.hidden(target));
        self.rules.codes_per_target.take(cache, &there).await?;
        let most = self.rules.sms_codes_per_day;
        if most == 0 || !target.starts_with('+') {
            return Ok(());
        }
        let a_day = Limit {
            count: most,
            seconds: 86_400,
        };
        let hits = a_day.hit(cache, "sms-codes").await;
        if hits.count <= most {
            return Ok(());
        }
        if hits.count == most + 1 {
            tracing::warn!(
                most,
                "identity.sms_codes_per_day is reached: no more codes by SMS"
            );
        }
        Err(refuse(hits))
    }

    pub(super) fn tries_at(&self, account: &str) -> Tries<'_> {
        Tries {
            cache: &self.platform.cache,
            rules: self.rules,
            account: self.hidden(account),
            address: self.address,
        }
    }

    /// Phones and addresses do not go into another store as they are.
    fn hidden(&self, name: &str) -> String {
        let hash = self.platform.vault.lookup_hash("limit", name);
        hash.iter()
            .take(12)
            .map(|byte| format!("{byte:02x}"))
            .collect()
    }
}

/// What a code that fits has led to. Nothing is no error of the transaction: it is committed, so
/// that the try at the code counts.
async fn fits_code<T>(proof: impl Future<Output = Result<Option<T>>>) -> Result<T> {
    proof.await?.ok_or_else(|| Code::CodeWrong.into())
}
