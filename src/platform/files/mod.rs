//! Photos and documents, on local disk or in an S3-compatible store.
//!
//! A file is taken for what its content says it is, never for its name. Photos are decoded and
//! written anew, so nothing but the picture is kept: no place, no camera, no hidden payload.
//! Documents are kept as they are; whoever hands them out does so as a download. What nothing refers
//! to any more is removed.

use std::path::PathBuf;

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use validator::Validate;

use super::config::is_http;

mod kind;
mod photo;
mod store;
mod uploads;

pub use store::{FileStore, Incoming};
pub use uploads::{
    Keeper, REMOVAL, Removal, UploadId, begin, begin_removal, end_removal, give_up, remove_later,
    settle, sweep,
};

/// Where files live.
#[derive(Clone, Debug, Deserialize, Serialize, Validate)]
#[serde(deny_unknown_fields)]
pub struct FilesConfig {
    /// On local disk, or in an S3-compatible store.
    pub store: FileStoreKind,
    /// The local folder.
    pub folder: PathBuf,
    /// The bucket.
    pub bucket: String,
    /// The store's address; empty for Amazon's own.
    pub endpoint: String,
    /// Its region.
    pub region: String,
    /// What every name in the bucket begins with.
    pub prefix: String,
    /// The account; without one the machine's own role is asked for.
    #[serde(default, serialize_with = "crate::platform::config::redact_option")]
    pub access_key_id: Option<SecretString>,
    /// Its secret.
    #[serde(default, serialize_with = "crate::platform::config::redact_option")]
    pub secret_access_key: Option<SecretString>,
    /// Speak plain HTTP to the store.
    pub allow_http: bool,
    /// The largest upload, in bytes.
    #[validate(range(min = 1))]
    pub max_bytes: usize,
    /// The largest photo, in pixels.
    #[validate(range(min = 1))]
    pub max_pixels: u64,
}

impl FilesConfig {
    /// What is wrong with the settings: all of it.
    pub fn faults(&self) -> Vec<String> {
        if self.store == FileStoreKind::Local {
            return Vec::new();
        }
        let is_set = |secret: &Option<SecretString>| {
            secret
                .as_ref()
                .is_some_and(|text| !text.expose_secret().is_empty())
        };
        let faults = [
            (self.bucket.is_empty(), "files.bucket is missing"),
            (
                !self.endpoint.is_empty() && !is_http(&self.endpoint),
                "files.endpoint is not an http address",
            ),
            (
                is_set(&self.access_key_id) != is_set(&self.secret_access_key),
                "files.access_key_id and files.secret_access_key belong together",
            ),
        ];
        let is_fault = |(wrong, what): (bool, &str)| wrong.then(|| what.to_owned());
        faults.into_iter().filter_map(is_fault).collect()
    }
}

/// The two places.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FileStoreKind {
    /// A folder.
    Local,
    /// An S3-compatible store.
    S3,
}

/// Why a file was not taken or not found.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// Larger than `files.max_bytes`.
    #[error("larger than {limit} bytes")]
    TooLarge {
        /// The most that is taken, in bytes.
        limit: usize,
    },
    /// Its content is of a type that is not taken.
    #[error("{found} is not a type that is taken")]
    UnsupportedType {
        /// The media type of its content, `application/octet-stream` when that is not known.
        found: &'static str,
    },
    /// It claims to be a photo and cannot be decoded.
    #[error("not a readable photo")]
    Unreadable,
    /// A photo of more than `files.max_pixels`.
    #[error("more than {limit} pixels")]
    TooManyPixels {
        /// The most that is taken, in pixels.
        limit: u64,
    },
    /// There is no such file.
    #[error("no such file")]
    NotFound,
    /// The store failed.
    #[error("file store: {0}")]
    Storage(String),
}

/// A photo that was taken in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredPhoto {
    /// The key of the photo; its content's hash, so the same photo has the same key.
    pub key: String,
    /// The key of its thumbnail.
    pub thumbnail: String,
    /// Width in pixels, as stored.
    pub width: u32,
    /// Height in pixels, as stored.
    pub height: u32,
}

/// A document that was taken in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredDocument {
    /// Its key: its content's hash and its type's ending.
    pub key: String,
    /// Its media type.
    pub content_type: &'static str,
    /// Its size in bytes.
    pub size: usize,
}

/// A file that is handed out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileContent {
    /// The file.
    pub bytes: Vec<u8>,
    /// Its media type.
    pub content_type: &'static str,
    /// A strong entity tag, quotes included: its content's hash, so it never changes.
    pub etag: String,
}
