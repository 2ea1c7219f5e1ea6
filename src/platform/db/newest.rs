//! Lists whose newest rows come first.

use serde::Serialize;

use crate::platform::clock::Instant;

/// What is new in a list of rows with a key that ascends in time, and after which row a page begins.
#[derive(Clone, Copy, Debug)]
pub enum Newest<K> {
    /// What was written down last.
    Written(Option<K>),
    /// What became public last; of rows that all did.
    Published(Option<(Instant, K)>),
}

impl<K> Default for Newest<K> {
    fn default() -> Self {
        Self::Written(None)
    }
}

/// Where a row stands in such a list.
#[derive(Serialize)]
#[serde(untagged)]
pub enum Standing<K> {
    /// By its key.
    Written(K),
    /// By when it became public, then by its key.
    Published(Option<Instant>, K),
}

impl<K> Newest<K> {
    /// Where a row stands in this order.
    pub fn standing(&self, key: K, published_at: Option<Instant>) -> Standing<K> {
        match self {
            Self::Written(_) => Standing::Written(key),
            Self::Published(_) => Standing::Published(published_at, key),
        }
    }
}

/// Boxed rows of a table with `id` and `published_at` in the order of a [`Newest`], after the row it names.
#[macro_export]
macro_rules! newest_first {
    ($rows:expr, $table:ident, $order:expr) => {
        match $order {
            $crate::platform::db::Newest::Written(before) => {
                let rows = match before {
                    Some(id) => $rows.filter($table::id.lt(id)),
                    None => $rows,
                };
                rows.order($table::id.desc())
            }
            $crate::platform::db::Newest::Published(before) => {
                let rows = match before {
                    Some((at, id)) => {
                        let same = $table::published_at.eq(at).and($table::id.lt(id));
                        $rows.filter($table::published_at.lt(at).or(same).assume_not_null())
                    }
                    None => $rows,
                };
                rows.order(($table::published_at.desc(), $table::id.desc()))
            }
        }
    };
}
