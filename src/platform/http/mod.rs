//! What every handler needs of HTTP: languages, validated input, pages, problems, idempotency.

pub mod border;
pub mod idempotency;
pub mod limit;
pub mod page;
pub mod problem;
pub mod valid;

use actix_web::dev::Payload;
use actix_web::http::header::{self, HeaderMap};
use actix_web::{FromRequest, HttpRequest};
use serde::Deserialize;
use std::future::{Ready, ready};
use utoipa::ToSchema;

use crate::error::{Code, Error, Result};

pub use idempotency::IdempotencyKey;
pub use page::{Cursor, Page};
pub use problem::ProblemBody;
pub use valid::{Body, Params};

/// A language of the product.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Deserialize, ToSchema)]
#[schema(as = Language)]
pub enum Lang {
    /// Chinese (zh-CN), the default.
    #[default]
    #[serde(rename = "zh-CN")]
    Zh,
    /// English.
    #[serde(rename = "en")]
    En,
}

impl Lang {
    /// The first language of `Accept-Language` that the product speaks, by its weights.
    pub fn of(headers: &HeaderMap) -> Self {
        let Some(accepted) = headers
            .get(header::ACCEPT_LANGUAGE)
            .and_then(|v| v.to_str().ok())
        else {
            return Self::Zh;
        };
        let mut best = (0.0, Self::Zh);
        for part in accepted.split(',') {
            let (tag, weight) = match part.split_once(";q=") {
                Some((tag, q)) => (tag, q.trim().parse::<f32>().unwrap_or(0.0)),
                None => (part, 1.0),
            };
            let tag = tag.trim().to_ascii_lowercase();
            let lang = match tag.split('-').next() {
                Some("en") => Self::En,
                Some("zh") | Some("*") => Self::Zh,
                _ => continue,
            };
            if weight > best.0 {
                best = (weight, lang);
            }
        }
        best.1
    }

    /// The language's tag, as stored with an account and sent in `Content-Language`.
    pub fn tag(self) -> &'static str {
        match self {
            Self::Zh => "zh-CN",
            Self::En => "en",
        }
    }

    /// The language of a stored tag; Chinese for anything that is not English.
    pub fn from_tag(tag: &str) -> Self {
        if tag.starts_with("en") {
            Self::En
        } else {
            Self::Zh
        }
    }

    /// One of two sentences.
    pub fn pick<'a>(self, zh: &'a str, en: &'a str) -> &'a str {
        match self {
            Self::Zh => zh,
            Self::En => en,
        }
    }
}

impl FromRequest for Lang {
    type Error = Error;
    type Future = Ready<Result<Self>>;
    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(Self::of(req.headers())))
    }
}

/// The version a caller has read, from `If-Match: "7"`; absent when the header is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IfMatch(Option<i32>);

impl IfMatch {
    /// As sent by a caller who has read this version.
    pub fn read(version: i32) -> Self {
        Self(Some(version))
    }

    /// Reads the header.
    ///
    /// # Errors
    /// `malformed_header` when it is not one strong entity tag.
    pub fn of(headers: &HeaderMap) -> Result<Self> {
        let Some(value) = headers.get(header::IF_MATCH) else {
            return Ok(Self(None));
        };
        let version = value.to_str().ok().and_then(|tag| {
            tag.trim()
                .strip_prefix('"')?
                .strip_suffix('"')?
                .parse()
                .ok()
        });
        match version {
            Some(version) => Ok(Self(Some(version))),
            None => Err(Code::MalformedHeader.into()),
        }
    }

    /// Refuses unless the caller has read exactly `current`.
    ///
    /// # Errors
    /// `version_required` (428) without the header, `version_mismatch` (412) with another version.
    pub fn expect(self, current: i32) -> Result<()> {
        match self.0 {
            None => Err(Code::VersionRequired.into()),
            Some(version) if version == current => Ok(()),
            Some(_) => Err(Code::VersionMismatch.into()),
        }
    }
}

impl FromRequest for IfMatch {
    type Error = Error;
    type Future = Ready<Result<Self>>;
    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Self::of(req.headers()))
    }
}

/// The entity tag of a version.
pub fn etag(version: i32) -> (header::HeaderName, String) {
    (header::ETAG, format!("\"{version}\""))
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    #[test]
    fn the_heaviest_known_language_wins() {
        let lang = |value: &str| {
            let req = TestRequest::default().insert_header((header::ACCEPT_LANGUAGE, value));
            Lang::of(req.to_http_request().headers())
        };
        assert_eq!(lang("en"), Lang::En);
        assert_eq!(lang("en-GB,zh;q=0.9"), Lang::En);
        assert_eq!(lang("fr,zh-CN;q=0.8,en;q=0.9"), Lang::En);
        assert_eq!(lang("de"), Lang::Zh);
        assert_eq!(lang("*"), Lang::Zh);
        assert_eq!(lang(""), Lang::Zh);
    }
}
