//! The languages of the product.

use actix_web::http::header::{self, HeaderMap};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A language of the product.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
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
            let (tag, parameters) = part.split_once(';').unwrap_or((part, ""));
            let weight = match parameters.split_once('=') {
                Some((q, weight)) if q.trim().eq_ignore_ascii_case("q") => {
                    weight.trim().parse::<f32>().unwrap_or(0.0)
                }
                _ => 1.0,
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
        assert_eq!(lang("en; q=0.9"), Lang::En);
        assert_eq!(lang("zh ; Q = 0.5 , en ;q= 0.6"), Lang::En);
        assert_eq!(lang("zh;q=0.7,en;q=0.7"), Lang::Zh, "the first of equals");
        assert_eq!(lang("en;q=0,zh;q=0.1"), Lang::Zh);
        assert_eq!(lang("de"), Lang::Zh);
        assert_eq!(lang("*"), Lang::Zh);
        assert_eq!(lang(""), Lang::Zh);
    }
}
