//! Configuration in layers.
//!
//! Later layers win: the defaults compiled in (`config/default.toml`), the profile's file compiled
//! in (`config/<profile>.toml`), a local file, and `YIQILAI__SECTION__KEY` in the environment.
//! Unknown keys are refused, so a misspelt one is found at start.

use std::path::Path;

use config::{Environment, File, FileFormat};
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;
use serde::{Serialize, Serializer};

use crate::error::{Error, Result};

/// Reads the layers into a typed configuration.
///
/// # Errors
/// With the key and the layer when a value is missing, of the wrong type or unknown.
pub fn load<T: DeserializeOwned>(compiled_in: &[&str], local: Option<&Path>) -> Result<T> {
    // values stay texts until their field says what they are: a password may be 00123456
    let environment = Environment::with_prefix("YIQILAI")
        .prefix_separator("__")
        .separator("__");
    layers(compiled_in, local, environment)
}

fn layers<T: DeserializeOwned>(
    compiled_in: &[&str],
    local: Option<&Path>,
    environment: Environment,
) -> Result<T> {
    let mut builder = config::Config::builder();
    for text in compiled_in {
        builder = builder.add_source(File::from_str(text, FileFormat::Toml));
    }
    if let Some(path) = local {
        builder = builder.add_source(File::from(path).format(FileFormat::Toml));
    }
    builder
        .add_source(environment)
        .build()
        .and_then(config::Config::try_deserialize)
        .map_err(Error::internal)
}

/// Whether a text is an address that HTTP reaches.
pub fn is_http(address: &str) -> bool {
    url::Url::parse(address)
        .is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
}

/// Shows that a secret is set, not what it is.
///
/// # Errors
/// Those of the serializer.
pub fn redact<S: Serializer>(_: &SecretString, to: S) -> std::result::Result<S::Ok, S::Error> {
    to.serialize_str("***")
}

/// The same for a secret that may be missing.
///
/// # Errors
/// Those of the serializer.
pub fn redact_option<S: Serializer>(
    secret: &Option<SecretString>,
    to: S,
) -> std::result::Result<S::Ok, S::Error> {
    secret.as_ref().map(|_| "***").serialize(to)
}

/// Shows an address without its password and the values of its query; nothing of what is none.
///
/// # Errors
/// Those of the serializer.
pub fn redact_url<S: Serializer>(
    url: &SecretString,
    to: S,
) -> std::result::Result<S::Ok, S::Error> {
    to.serialize_str(&redacted(url.expose_secret()))
}

/// [`redact_url`] for an address that is kept as a text.
///
/// # Errors
/// Those of the serializer.
pub fn redact_address<S: Serializer>(url: &str, to: S) -> std::result::Result<S::Ok, S::Error> {
    to.serialize_str(&redacted(url))
}

fn redacted(address: &str) -> String {
    let Ok(mut url) = url::Url::parse(address) else {
        return if address.is_empty() { "" } else { "***" }.to_owned();
    };
    if url.password().is_some() {
        let _ = url.set_password(Some("***"));
    }
    if url.query().is_some() {
        let names: Vec<_> = url
            .query_pairs()
            .map(|(name, _)| name.into_owned())
            .collect();
        let hidden = names.iter().map(|name| (name, "***"));
        url.query_pairs_mut().clear().extend_pairs(hidden);
    }
    url.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Settings {
        section: Section,
    }

    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Section {
        password: String,
        port: u16,
        on: bool,
        share: f64,
    }

    fn load(name: &str, value: &str) -> Result<Settings> {
        let defaults = "[section]\npassword = \"x\"\nport = 1\non = false\nshare = 0.5";
        let environment = Environment::with_prefix("YIQILAI")
            .prefix_separator("__")
            .separator("__")
            .source(Some([(name.to_owned(), value.to_owned())].into()));
        layers(&[defaults], None, environment)
    }

    #[test]
    fn the_environment_wins_and_keeps_texts_as_they_are() {
        let password = |value| {
            load("YIQILAI__SECTION__PASSWORD", value)
                .unwrap()
                .section
                .password
        };
        for value in ["00123456", "1e5", "true", "=pass word"] {
            assert_eq!(password(value), value);
        }
        assert_eq!(
            load("YIQILAI__SECTION__PORT", "8443").unwrap().section.port,
            8443
        );
        assert!(load("YIQILAI__SECTION__ON", "true").unwrap().section.on);
        assert_eq!(
            load("YIQILAI__SECTION__SHARE", "0.25")
                .unwrap()
                .section
                .share,
            0.25
        );
    }

    #[test]
    fn what_is_wrong_or_unknown_is_refused() {
        assert!(load("YIQILAI__SECTION__PORT", "many").is_err());
        assert!(load("YIQILAI__SECTION__PROT", "1").is_err());
    }
}
