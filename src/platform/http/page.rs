//! Keyset pages: a page begins after the last row the caller saw, whatever came or went since.
//!
//! A cursor belongs to the list it was given for, filters included: on its way out ([`List`]) it is
//! marked with them, and on its way in ([`super::Params`]) the mark is looked at.

use std::borrow::Cow;

use actix_web::body::BoxBody;
use actix_web::web::Json;
use actix_web::{HttpRequest, HttpResponse, Responder};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde::de::DeserializeOwned;
use url::form_urlencoded::{Serializer, parse};
use utoipa::ToSchema;

use crate::error::{Code, Result};
use crate::platform::token;

/// One page of a list.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Page<T> {
    /// The rows, in the list's order.
    pub items: Vec<T>,
    /// Hand this back as `cursor` for the next page; null on the last one.
    pub next: Option<String>,
}

/// An answer that a `next` leads on from.
pub trait Paged: Serialize {
    /// Where the next page begins.
    fn next(&mut self) -> &mut Option<String>;
}

impl<T: Serialize> Paged for Page<T> {
    fn next(&mut self) -> &mut Option<String> {
        &mut self.next
    }
}

/// Answers with a page whose cursor is good for the same list only.
#[derive(Debug)]
pub struct List<T>(pub T);

impl<T: Paged> Responder for List<T> {
    type Body = BoxBody;

    fn respond_to(self, req: &HttpRequest) -> HttpResponse {
        let Self(mut page) = self;
        if let Some(next) = page.next() {
            next.insert_str(0, &mark(req.path(), req.query_string()));
        }
        Json(page).respond_to(req).map_into_boxed_body()
    }
}

/// How many characters of a cursor say which list it belongs to.
const MARK: usize = 8;

/// Which list it is: its address and its filters, in whatever order they were given.
fn mark(path: &str, query: &str) -> String {
    let mut filters: Vec<_> = parse(query.as_bytes())
        .filter(|(name, _)| name != "cursor" && name != "limit")
        .collect();
    filters.sort_unstable();
    let list = Serializer::new(format!("{path}?"))
        .extend_pairs(filters)
        .finish();
    URL_SAFE_NO_PAD.encode(&token::digest(list.as_bytes())[..MARK * 3 / 4])
}

/// A query whose cursor, if it has one, is the key that was given for this list.
///
/// # Errors
/// `invalid_cursor` for a cursor of another list.
pub(super) fn unmarked<'a>(path: &str, query: &'a str) -> Result<Cow<'a, str>> {
    if parse(query.as_bytes()).all(|(name, _)| name != "cursor") {
        return Ok(query.into());
    }
    let mark = mark(path, query);
    let mut plain = Serializer::new(String::new());
    for (name, value) in parse(query.as_bytes()) {
        let value = match name.as_ref() {
            "cursor" => value.strip_prefix(&mark).ok_or(Code::InvalidCursor)?,
            _ => &value,
        };
        plain.append_pair(&name, value);
    }
    Ok(plain.finish().into())
}

/// Rows a page holds when the caller names no limit.
pub const DEFAULT_LIMIT: i64 = 20;

/// Where a page begins: opaque to callers, the last row's key to us. What stands here has no mark.
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
    fn a_cursor_is_good_for_its_list_and_filters() {
        let of = mark("/wishes", "kind=goods&near=1");
        let query = |rest: &str| format!("near=%31&cursor={of}key&{rest}");
        let own = query("limit=3&kind=goods");
        let plain = unmarked("/wishes", &own).unwrap();
        assert_eq!(plain, "near=1&cursor=key&limit=3&kind=goods");
        for (path, rest) in [
            ("/projects", "kind=goods"),
            ("/wishes", ""),
            ("/wishes", "kind=x"),
        ] {
            let refused = unmarked(path, &query(rest)).unwrap_err();
            assert_eq!(refused.code(), Code::InvalidCursor, "{path} {rest}");
        }
        assert!(unmarked("/wishes", "cursor=x").is_err());
        assert_eq!(unmarked("/wishes", "q=%E7%9B%8A").unwrap(), "q=%E7%9B%8A");
    }

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
