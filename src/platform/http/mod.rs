//! What every handler needs of HTTP: languages, validated input, pages, problems, idempotency.

pub mod border;
pub mod html;
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
pub use page::{Cursor, List, Page};
pub use problem::ProblemBody;
pub use valid::{Body, Params};

impl FromRequest for Lang {
    type Error = Error;
    type Future = Ready<Result<Self>>;
    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(Self::of(req.headers())))
    }
}

/// The versions a caller may have read, from `If-Match: "7"`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IfMatch {
    /// No header.
    Absent,
    /// `*`: whichever there is.
    Any,
    /// One of these; tags that are none of ours stand for no version.
    Versions(Vec<i32>),
}

impl IfMatch {
    /// As sent by a caller who has read this version.
    pub fn read(version: i32) -> Self {
        Self::Versions(vec![version])
    }

    /// Reads the header: `*`, or a list of entity tags. A weak one counts as well, since a proxy that
    /// compresses weakens ours, and the version in it is the same.
    ///
    /// # Errors
    /// `malformed_header` when it is neither.
    pub fn of(headers: &HeaderMap) -> Result<Self> {
        let mut versions = Vec::new();
        for value in headers.get_all(header::IF_MATCH) {
            let mut rest = value.to_str().map_err(|_| Code::MalformedHeader)?.trim();
            if rest == "*" {
                return Ok(Self::Any);
            }
            loop {
                let (tag, after) = entity_tag(rest).ok_or(Code::MalformedHeader)?;
                versions.extend(tag.parse::<i32>());
                rest = match after.trim_start() {
                    "" => break,
                    more => more
                        .strip_prefix(',')
                        .ok_or(Code::MalformedHeader)?
                        .trim_start(),
                };
            }
        }
        match headers.contains_key(header::IF_MATCH) {
            true => Ok(Self::Versions(versions)),
            false => Ok(Self::Absent),
        }
    }

    /// Refuses unless the caller has read exactly `current`.
    ///
    /// # Errors
    /// `version_required` (428) without the header, `version_mismatch` (412) with other versions.
    pub fn expect(&self, current: i32) -> Result<()> {
        match self {
            Self::Absent => Err(Code::VersionRequired.into()),
            Self::Versions(versions) if !versions.contains(&current) => {
                Err(Code::VersionMismatch.into())
            }
            Self::Any | Self::Versions(_) => Ok(()),
        }
    }
}

/// What stands inside of the entity tag that a list begins with, and what follows it.
fn entity_tag(list: &str) -> Option<(&str, &str)> {
    let quoted = list.strip_prefix("W/").unwrap_or(list);
    quoted.strip_prefix('"')?.split_once('"')
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
