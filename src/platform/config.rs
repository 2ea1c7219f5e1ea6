//! Configuration in layers.
//!
//! Later layers win: the defaults compiled in (`config/default.toml`), the profile's file compiled
//! in (`config/<profile>.toml`), a local file, and `YIQILAI__SECTION__KEY` in the environment.
//! Unknown keys are refused, so a misspelt one is found at start.

use std::collections::HashSet;
use std::path::Path;

use config::{Config, ConfigError, Environment, File, FileFormat, Value, ValueKind};
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;
use serde::{Serialize, Serializer};
use validator::{Validate, ValidationError, ValidationErrors, ValidationErrorsKind};

use crate::error::{Error, Result};

/// Reads the layers into a typed configuration, and tells everything that is wrong with it by its
/// key. What is of the wrong type is read as the default, so that the rest is looked at, too.
///
/// # Errors
/// The same, when nothing can be read.
pub fn load<T: DeserializeOwned + Validate>(
    compiled_in: &[&str],
    local: Option<&Path>,
) -> Result<(T, Vec<String>)> {
    // values stay texts until their field says what they are: a password may be 00123456
    let environment = Environment::with_prefix("YIQILAI")
        .prefix_separator("__")
        .separator("__");
    layers(compiled_in, local, environment)
}

fn layers<T: DeserializeOwned + Validate>(
    compiled_in: &[&str],
    local: Option<&Path>,
    environment: Environment,
) -> Result<(T, Vec<String>)> {
    let mut builder = Config::builder();
    for text in compiled_in {
        builder = builder.add_source(File::from_str(text, FileFormat::Toml));
    }
    let defaults = builder.clone().build().map_err(Error::internal)?;
    if let Some(path) = local {
        builder = builder.add_source(File::from(path).format(FileFormat::Toml));
    }
    let settings = builder.add_source(environment).build();
    let mut settings = settings.map_err(Error::internal)?;
    let (mut wrong, mut mended) = (Vec::new(), HashSet::new());
    loop {
        let error = match settings.clone().try_deserialize::<T>() {
            Ok(read) => {
                if let Err(errors) = read.validate() {
                    out_of_bounds(&errors, "", &mut wrong);
                }
                wrong.sort();
                return Ok((read, wrong));
            }
            Err(error) => error,
        };
        wrong.push(error.to_string());
        if forget_unknown(&mut settings, &defaults, &error) {
            continue;
        }
        let default = key_of(&error).and_then(|key| Some((key, defaults.get(key).ok()?)));
        let Some((key, default)) = default.filter(|(key, _)| mended.insert((*key).to_owned()))
        else {
            wrong.dedup(); // the last one may have come back
            return Err(Error::internal(wrong.join("; ")));
        };
        settings = Config::builder()
            .add_source(settings)
            .set_override::<_, Value>(key, default)
            .and_then(|builder| builder.build())
            .map_err(Error::internal)?;
    }
}

/// Takes the keys of a name that no field has out of the settings, when that is what is wrong: then the
/// rest is looked at, too. Whether there were any.
fn forget_unknown(settings: &mut Config, defaults: &Config, error: &ConfigError) -> bool {
    let text = error.to_string();
    let named = text.split_once("unknown field `");
    let Some((name, _)) = named.and_then(|(_, rest)| rest.split_once('`')) else {
        return false;
    };
    remove(&mut settings.cache, &defaults.cache, name)
}

/// Removes what is called so and has no default; whether there was any.
fn remove(tree: &mut Value, known: &Value, name: &str) -> bool {
    let (ValueKind::Table(fields), ValueKind::Table(known)) = (&mut tree.kind, &known.kind) else {
        return false;
    };
    let mut removed = known.get(name).is_none() && fields.remove(name).is_some();
    for (field, value) in fields {
        removed |= known
            .get(field)
            .is_some_and(|known| remove(value, known, name));
    }
    removed
}

fn key_of(error: &ConfigError) -> Option<&str> {
    match error {
        ConfigError::Type { key, .. } | ConfigError::At { key, .. } => key.as_deref(),
        _ => None,
    }
}

fn out_of_bounds(errors: &ValidationErrors, prefix: &str, wrong: &mut Vec<String>) {
    for (name, kind) in errors.errors() {
        let key = format!("{prefix}{name}");
        match kind {
            ValidationErrorsKind::Struct(inner) => {
                out_of_bounds(inner, &format!("{key}."), wrong);
            }
            ValidationErrorsKind::Field(errors) => {
                wrong.extend(errors.first().map(|error| sentence(&key, error)));
            }
            ValidationErrorsKind::List(_) => wrong.push(format!("{key} is out of bounds")),
        }
    }
}

fn sentence(key: &str, error: &ValidationError) -> String {
    let number = |name: &str| error.params.get(name).map(ToString::to_string);
    let value = number("value").unwrap_or_default();
    if let Some(message) = &error.message {
        return format!("{key} is {value}: {message}");
    }
    let bounds = match (number("min"), number("max"), number("exclusive_min")) {
        (Some(min), Some(max), _) => format!("it is {min} to {max}"),
        (Some(min), None, _) => format!("it is {min} or more"),
        (None, Some(max), _) => format!("it is {max} or less"),
        (None, None, Some(min)) => format!("it is more than {min}"),
        (None, None, None) => "it is a number".to_owned(),
    };
    format!("{key} is {value}: {bounds}")
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

    #[derive(Debug, Deserialize, Validate)]
    #[serde(deny_unknown_fields)]
    struct Settings {
        #[validate(nested)]
        section: Section,
    }

    #[derive(Debug, Deserialize, Validate)]
    #[serde(deny_unknown_fields)]
    struct Section {
        password: String,
        #[validate(range(min = 1))]
        port: u16,
        on: bool,
        share: f64,
        list: Vec<String>,
    }

    fn load_all(variables: &[(&str, &str)]) -> Result<(Settings, Vec<String>)> {
        let defaults = "[section]\npassword = \"x\"\nport = 1\non = false\nshare = 0.5\nlist = []";
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let environment = Environment::with_prefix("YIQILAI")
            .prefix_separator("__")
            .separator("__")
            .source(Some(variables.iter().map(own).collect()));
        layers(&[defaults], None, environment)
    }

    fn load(name: &str, value: &str) -> Result<Settings> {
        load_all(&[(name, value)]).map(|(settings, _)| settings)
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
        let section = load("YIQILAI__SECTION__PORT", "8443").unwrap().section;
        assert_eq!((section.port, section.list.len()), (8443, 0));
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
    fn what_is_wrong_is_told_by_its_key_and_all_at_once() {
        let (_, wrong) = load_all(&[
            ("YIQILAI__SECTION__PORT", "-1"),
            ("YIQILAI__SECTION__ON", "perhaps"),
            ("YIQILAI__SECTION__SHARE", "half"),
        ])
        .unwrap();
        let keys = ["section.port", "section.on", "section.share"];
        for key in keys {
            assert!(wrong.iter().any(|why| why.contains(key)), "{wrong:?}");
        }
        assert_eq!(wrong.len(), keys.len(), "{wrong:?}");
        let (_, wrong) = load_all(&[("YIQILAI__SECTION__PORT", "0")]).unwrap();
        assert_eq!(wrong, ["section.port is 0: it is 1 or more"]);
    }

    #[test]
    fn what_is_unknown_is_refused_with_the_rest() {
        let (_, wrong) = load_all(&[
            ("YIQILAI__SECTION__PROT", "1"),
            ("YIQILAI__SECTOIN__PORT", "1"),
            ("YIQILAI__SECTION__PORT", "0"),
            ("YIQILAI__SECTION__ON", "perhaps"),
        ])
        .unwrap();
        for key in ["`prot`", "`sectoin`", "section.port", "section.on"] {
            assert!(wrong.iter().any(|why| why.contains(key)), "{wrong:?}");
        }
        assert_eq!(wrong.len(), 4, "{wrong:?}");
    }
}
