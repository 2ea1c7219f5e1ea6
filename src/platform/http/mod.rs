//! What every handler needs of HTTP: languages, validated input, pages, problems, idempotency.

pub mod border;
pub mod idempotency;
pub mod limit;
pub mod page;
pub mod problem;
pub mod upload;
pub mod valid;

use actix_web::dev::Payload;
use actix_web::http::header::{self, HeaderMap};
use actix_web::{FromRequest, HttpRequest};
use std::future::{Ready, ready};

use crate::error::{Code, Error, Result};
pub use crate::platform::lang::Lang;

pub use idempotency::IdempotencyKey;
pub use page::{Cursor, Page};
pub use problem::ProblemBody;
pub use valid::{Body, Params};

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
