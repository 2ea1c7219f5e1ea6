//! Configuration in layers.
//!
//! Later layers win: the defaults compiled in (`config/default.toml`), the profile's file compiled
//! in (`config/<profile>.toml`), a local file, and `YIQILAI__SECTION__KEY` in the environment.
//! Unknown keys are refused, so a misspelt one is found at start.

use std::path::Path;

use config::{Environment, File, FileFormat};
use secrecy::{ExposeSecret, SecretString};
use serde::Serializer;
use serde::de::DeserializeOwned;

use crate::error::{Error, Result};

/// Reads the layers into a typed configuration.
///
/// # Errors
/// With the key and the layer when a value is missing, of the wrong type or unknown.
pub fn load<T: DeserializeOwned>(compiled_in: &[&str], local: Option<&Path>) -> Result<T> {
    let mut builder = config::Config::builder();
    for text in compiled_in {
        builder = builder.add_source(File::from_str(text, FileFormat::Toml));
    }
    if let Some(path) = local {
        builder = builder.add_source(File::from(path).format(FileFormat::Toml));
    }
    builder
        .add_source(
            Environment::with_prefix("YIQILAI")
                .prefix_separator("__")
                .separator("__")
                .try_parsing(true),
        )
        .build()
        .and_then(config::Config::try_deserialize)
        .map_err(Error::internal)
}

/// Shows that a secret is set, not what it is.
///
/// # Errors
/// Those of the serializer.
pub fn redact<S: Serializer>(_: &SecretString, to: S) -> std::result::Result<S::Ok, S::Error> {
    to.serialize_str("***")
}

/// Shows an address without its password.
///
/// # Errors
/// Those of the serializer.
pub fn redact_url<S: Serializer>(
    url: &SecretString,
    to: S,
) -> std::result::Result<S::Ok, S::Error> {
    match url::Url::parse(url.expose_secret()) {
        Ok(mut url) if url.password().is_some() => {
            let _ = url.set_password(Some("***"));
            to.serialize_str(url.as_str())
        }
        _ => to.serialize_str(url.expose_secret()),
    }
}
