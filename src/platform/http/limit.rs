//! Throttling: how often a caller may do a thing.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use validator::Validate;

use crate::error::{Code, Error, Problem, Result};
use crate::platform::cache::{Cache, Hits};

/// So many within so long.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, Validate)]
#[serde(deny_unknown_fields)]
pub struct Limit {
    /// How often.
    #[validate(range(min = 1))]
    pub count: u64,
    /// Within how many seconds.
    #[validate(range(min = 1, max = 31_536_000))]
    pub seconds: u64,
}

impl Limit {
    /// Counts one more under `key` and refuses when it is one too many.
    ///
    /// # Errors
    /// `too_many_requests` (429) with the seconds until the window ends.
    pub async fn take(self, cache: &Cache, key: &str) -> Result<()> {
        let hits = self.hit(cache, key).await;
        if hits.count <= self.count {
            Ok(())
        } else {
            Err(refuse(hits))
        }
    }

    /// Counts one more under `key`, and leaves it to the caller what that means.
    pub async fn hit(self, cache: &Cache, key: &str) -> Hits {
        let window = Duration::from_secs(self.seconds);
        cache.hit(&format!("limit:{key}"), window).await
    }

    /// Counts one less under `key`: it was none.
    pub async fn take_back(self, cache: &Cache, key: &str) {
        cache.take_back(&format!("limit:{key}")).await;
    }
}

/// `too_many_requests` (429) with the seconds until the window ends.
pub fn refuse(hits: Hits) -> Error {
    let wait = hits.resets_in.as_secs().max(1);
    Problem::new(Code::TooManyRequests).retry_after(wait).into()
}
