//! Keyset pages: a page begins after the last row the caller saw, whatever came or went since.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde::de::DeserializeOwned;
use utoipa::ToSchema;

use crate::error::{Code, Result};

/// One page of a list.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Page<T> {
    /// The rows, in the list's order.
    pub items: Vec<T>,
    /// Hand this back as `cursor` for the next page; null on the last one.
    pub next: Option<String>,
}

/// Rows a page holds when the caller names no limit.
pub const DEFAULT_LIMIT: i64 = 20;

/// Where a page begins: opaque to callers, the last row's key to us.
pub struct Cursor;

impl Cursor {
    /// Makes the opaque text of a key.
    pub fn encode<K: Serialize>(key: &K) -> String {
        URL_SAFE_NO_PAD.encode(serde_json::to_vec(key).unwrap_or_default())
    }

    /// Reads a key back.
    ///
    /// # Errors
    /// `invalid_cursor` when the text was not made by [`Cursor::encode`] for the same list.
    pub fn decode<K: DeserializeOwned>(text: Option<&str>) -> Result<Option<K>> {
        let Some(text) = text else { return Ok(None) };
        URL_SAFE_NO_PAD
            .decode(text)
            .ok()
            .and_then(|bytes| serde_json::from_slice(&bytes).ok())
            .map(Some)
            .ok_or_else(|| Code::InvalidCursor.into())
    }
}

impl<T> Page<T> {
    /// Makes a page of up to `limit` rows out of `limit + 1` that were asked for: the extra one
    /// tells that there is more and is not shown.
    pub fn of<K: Serialize>(mut rows: Vec<T>, limit: i64, key: impl Fn(&T) -> K) -> Self {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next = if more {
            rows.last().map(|row| Cursor::encode(&key(row)))
        } else {
            None
        };
        Self { items: rows, next }
    }

    /// The same page with each row shown another way.
    pub fn map<U>(self, f: impl FnMut(T) -> U) -> Page<U> {
        Page {
            items: self.items.into_iter().map(f).collect(),
            next: self.next,
        }
    }

    /// As [`Page::map`], where showing a row can fail.
    ///
    /// # Errors
    /// The first one of `f`.
    pub fn try_map<U>(self, f: impl FnMut(T) -> Result<U>) -> Result<Page<U>> {
        let items = self.items.into_iter().map(f).collect::<Result<_>>()?;
        Ok(Page {
            items,
            next: self.next,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_extra_row_makes_the_cursor() {
        let page = Page::of(vec![1, 2, 3], 2, |n| *n);
        assert_eq!(page.items, [1, 2]);
        assert_eq!(
            Cursor::decode::<i32>(page.next.as_deref()).unwrap(),
            Some(2)
        );
        assert!(Page::of(vec![1, 2], 2, |n| *n).next.is_none());
        assert_eq!(
            Cursor::decode::<i32>(Some("?")).unwrap_err().code(),
            Code::InvalidCursor
        );
    }
}
