//! The room's numbers.

use serde::{Deserialize, Serialize};
use validator::Validate;

/// How the search follows, and what may be saved.
#[derive(Clone, Debug, Deserialize, Serialize, Validate)]
#[serde(deny_unknown_fields)]
pub struct SearchRules {
    /// How often to look for changes when nothing wakes us, in milliseconds.
    #[validate(range(min = 1, max = 3_600_000))]
    pub poll_ms: u64,
    /// Searches that one account may have saved.
    #[validate(range(min = 1, max = 1_000))]
    pub saved_per_account: i64,
    /// Hours between two messages to one account about what is new in its saved searches.
    #[validate(range(min = 1, max = 8_760))]
    pub digest_hours: i64,
}
