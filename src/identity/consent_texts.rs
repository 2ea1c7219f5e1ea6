//! What people agree to, word for word. The texts ship with the product, in `config/consents.toml`.

use std::sync::LazyLock;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::consents::Purpose;

/// A text of a consent.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct ConsentText {
    /// For what.
    pub purpose: Purpose,
    /// Its version, to be sent as it is agreed to.
    pub version: String,
    /// Whether it is the one to agree to now; the others stay for those who did.
    #[serde(skip_deserializing)]
    pub current: bool,
    /// In Chinese.
    pub zh: String,
    /// In English.
    pub en: String,
}

#[derive(Deserialize)]
struct File {
    text: Vec<ConsentText>,
}

/// Reads what is compiled in. A test reads it too, so a broken file does not ship.
fn read() -> Result<Vec<ConsentText>, toml::de::Error> {
    let file: File = toml::from_str(include_str!("../../config/consents.toml"))?;
    let mut texts = file.text;
    for index in 0..texts.len() {
        let later = &texts[index + 1..];
        let is_last = later
            .iter()
            .all(|text| text.purpose != texts[index].purpose);
        texts[index].current = is_last;
    }
    Ok(texts)
}

static ALL: LazyLock<Vec<ConsentText>> = LazyLock::new(|| {
    read().unwrap_or_else(|error| {
        tracing::error!(%error, "config/consents.toml");
        Vec::new()
    })
});

/// All texts.
pub(super) fn all() -> &'static [ConsentText] {
    &ALL
}

/// Whether this is the version of the text to agree to now.
pub(super) fn is_current(purpose: Purpose, version: &str) -> bool {
    ALL.iter()
        .any(|text| text.current && text.purpose == purpose && text.version == version)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn the_file_is_read_and_every_version_stands_once() {
        let texts = read().unwrap();
        let versions: BTreeSet<_> = texts
            .iter()
            .map(|text| (text.purpose.as_str(), &text.version))
            .collect();
        assert_eq!(versions.len(), texts.len());
        assert!(is_current(Purpose::PartyMembership, "1"));
        assert!(!is_current(Purpose::PartyMembership, "0"));
    }
}
