//! Tries to prove who one is: the failed ones are counted, and too many have to wait.
//!
//! They count for an account and a network address together, so that nobody elsewhere locks its
//! owner out. Where all addresses together have failed too often, each has one try left instead of
//! a few: that slows down who guesses from many places, and lets the owner in at the first try. An
//! account that does not exist is counted like any other.

use super::settings::IdentityRules;
use crate::error::{Code, Error, Result};
use crate::platform::cache::Cache;
use crate::platform::http::limit::refuse;

/// Where tries at one account from one address are counted.
pub(super) struct Tries<'a> {
    pub cache: &'a Cache,
    pub rules: &'a IdentityRules,
    /// The account, as the caller names it.
    pub account: String,
    /// The network address of the caller.
    pub address: &'a str,
}

impl Tries<'_> {
    /// Makes a try. It is counted before it is made, since many may be made at once, and no longer
    /// once it has not failed.
    pub async fn count<T>(&self, made: impl Future<Output = Result<T>>) -> Result<T> {
        let (here, everywhere) = (
            self.rules.failures_per_address,
            self.rules.failures_per_account,
        );
        let own_key = format!("failures:{}:{}", self.account, self.address);
        let key = format!("failures:{}", self.account);
        let own = here.hit(self.cache, &own_key).await;
        if own.count > here.count {
            return Err(refuse(own));
        }
        let all = everywhere.hit(self.cache, &key).await;
        if all.count > everywhere.count && own.count > 1 {
            return Err(refuse(own));
        }
        let outcome = made.await;
        if !outcome.as_ref().is_err_and(has_failed) {
            here.take_back(self.cache, &own_key).await;
            everywhere.take_back(self.cache, &key).await;
        }
        outcome
    }
}

/// Whether what was to prove it was wrong, and not something else.
fn has_failed(error: &Error) -> bool {
    match error {
        Error::Problem(problem) => {
            let mut codes = problem.errors.iter().map(|field| field.code);
            is_wrong(problem.code) || codes.any(is_wrong)
        }
        _ => false,
    }
}

fn is_wrong(code: Code) -> bool {
    matches!(code, Code::CredentialsWrong | Code::CodeWrong)
}
