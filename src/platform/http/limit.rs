//! Throttling: how often a caller may do a thing.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::error::{Code, Problem, Result};
use crate::platform::cache::Cache;

/// So many within so long.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Limit {
    /// How often.
    pub count: u64,
    /// Within how many seconds.
    pub seconds: u64,
}

impl Limit {
    /// Counts one more under `key` and refuses when it is one too many.
    ///
    /// # Errors
    /// `too_many_requests` (429) with the seconds until the window ends.
    pub async fn take(self, cache: &Cache, key: &str) -> Result<()> {
        let hits = cache
            .hit(&format!("limit:{key}"), Duration::from_secs(self.seconds))
            .await;
        if hits.count <= self.count {
            return Ok(());
        }
        let wait = hits.resets_in.as_secs().max(1);
        Err(Problem::new(Code::TooManyRequests).retry_after(wait).into())
    }
}
