//! The numbers of this room.

use serde::{Deserialize, Serialize};
use validator::Validate;

use crate::platform::http::limit::Limit;

/// The room's numbers; `config/default.toml` says what each means.
#[derive(Clone, Debug, Deserialize, Serialize, Validate)]
#[serde(deny_unknown_fields)]
pub struct IdentityRules {
    /// How long a one-time code is valid.
    #[validate(range(min = 1, max = 1_440))]
    pub code_minutes: i64,
    /// How often a code may be tried, from everywhere together.
    #[validate(range(min = 1))]
    pub code_tries: i32,
    /// How long a device stays signed in without being used.
    #[validate(range(min = 1, max = 36_500))]
    pub refresh_days: i64,
    /// Codes sent to one phone or address.
    #[validate(nested)]
    pub codes_per_target: Limit,
    /// Codes asked for from one network address, to whichever phones and addresses.
    #[validate(nested)]
    pub codes_per_address: Limit,
    /// Codes by SMS in all, within a day; 0 for no limit.
    pub sms_codes_per_day: u64,
    /// Failed tries at one account from one network address.
    #[validate(nested)]
    pub failures_per_address: Limit,
    /// Failed tries at one account from all addresses, after which each has one.
    #[validate(nested)]
    pub failures_per_account: Limit,
    /// Phones and addresses that one account may look for.
    #[validate(nested)]
    pub look_ups_per_account: Limit,
    /// Requests to `/auth` from one network address.
    #[validate(nested)]
    pub requests_per_address: Limit,
}
