//! Input that is checked before a handler sees it.

use std::future::{Future, Ready, ready};
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::http::header;
use actix_web::{FromRequest, HttpMessage, HttpRequest, web};
use percent_encoding::percent_decode_str;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use validator::{Validate, ValidationErrors, ValidationErrorsKind};

use super::page::unmarked;
use crate::error::{Code, Error, FieldError, Problem, Result};

/// A JSON body that has passed its field rules.
#[derive(Debug)]
pub struct Body<T> {
    /// The body itself.
    pub input: T,
    /// Its bytes, for the idempotency key.
    pub bytes: web::Bytes,
}

impl<T: DeserializeOwned + Validate + 'static> FromRequest for Body<T> {
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self>>>>;

    fn from_request(req: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let is_json = req.headers().get(header::CONTENT_TYPE).is_none_or(|_| {
            req.mime_type()
                .ok()
                .flatten()
                .is_some_and(|mime| mime.essence_str() == "application/json")
        });
        let bytes = web::Bytes::from_request(req, payload);
        Box::pin(async move {
            if !is_json {
                return Err(Code::UnsupportedMediaType.into());
            }
            let bytes =
                bytes
                    .await
                    .map_err(|error| match error.as_response_error().status_code() {
                        status if status == actix_web::http::StatusCode::PAYLOAD_TOO_LARGE => {
                            Code::PayloadTooLarge
                        }
                        _ => Code::MalformedJson,
                    })?;
            let input = parse(&bytes)?;
            Ok(Self { input, bytes })
        })
    }
}

/// A document whose field rules are not applied where it is read, but by the service together with all
/// others ([`check`], [`crate::error::together`]): so everything that is wrong is said at once.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
pub struct Unchecked<T>(pub T);

impl<T> Validate for Unchecked<T> {
    fn validate(&self) -> Result<(), ValidationErrors> {
        Ok(())
    }
}

/// Reads and checks a JSON document. Texts are taken without the blanks around them, passwords as
/// they are.
///
/// # Errors
/// `malformed_json` with the path to the offending place; `invalid` with every wrong field.
pub fn parse<T: DeserializeOwned + Validate>(bytes: &[u8]) -> Result<T> {
    // an action without parameters may be called without a body
    let bytes = if bytes.is_empty() { b"{}" } else { bytes };
    let mut json: Value =
        serde_json::from_slice(bytes).map_err(|error| malformed(&error.to_string(), ""))?;
    // serde would take the fields of an object from an array, by their order
    if !json.is_object() {
        return Err(malformed("not an object", "").into());
    }
    let mut problem = Problem::new(Code::Invalid);
    tidy(&mut json, "", &mut problem.errors);
    if !problem.errors.is_empty() {
        return Err(problem.into());
    }
    let input: T = serde_path_to_error::deserialize(json).map_err(|error| {
        let reason = error.inner().to_string();
        let pointer = pointer_to(&error.path().to_string(), &reason);
        malformed(&reason, &pointer)
    })?;
    check(&input, "")?;
    Ok(input)
}

/// What is wrong with a field, by what serde says.
fn code_of(reason: &str) -> Code {
    if reason.starts_with("missing field") {
        Code::Required
    } else if reason.starts_with("unknown field") {
        Code::UnknownField
    } else {
        Code::Format
    }
}

fn malformed(reason: &str, pointer: &str) -> Problem {
    let code = code_of(reason);
    let at = match pointer {
        "" => String::new(),
        pointer => format!("({pointer})"),
    };
    Problem::new(Code::MalformedJson)
        .detail(
            format!("请求内容不是有效的 JSON，或不符合所要求的格式{at}。"),
            format!("The body is not valid JSON of the expected shape: {reason}."),
        )
        .field(pointer, code)
}

/// Takes the blanks around texts away, and names those that hold what nobody sees, and dates whose
/// year has not the four digits of RFC 3339.
fn tidy(json: &mut Value, pointer: &str, wrong: &mut Vec<FieldError>) {
    match json {
        Value::String(text) => {
            if !is_readable(text, pointer) || is_out_of_calendar(text) {
                wrong.push(FieldError::new(pointer, Code::Format));
            } else if !pointer.ends_with("password") {
                let seen = text.trim_matches(is_blank);
                if seen.len() < text.len() {
                    *text = seen.to_owned();
                }
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter_mut().enumerate() {
                tidy(item, &format!("{pointer}/{index}"), wrong);
            }
        }
        Value::Object(fields) => {
            for (name, value) in fields {
                let name = name.replace('~', "~0").replace('/', "~1");
                tidy(value, &format!("{pointer}/{name}"), wrong);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Texts of several lines. All others stand in one, between other texts.
const PROSE: &[&str] = &[
    "body",
    "credit_code_reason",
    "description",
    "introduction",
    "note",
    "plan",
    "proposal",
    "reason",
    "report",
    "risk_notice",
    "summary",
];

/// Nothing to be seen: a blank, or a character without width.
pub fn is_blank(c: char) -> bool {
    c.is_whitespace() || has_no_width(c)
}

/// Zero-width spaces and joiners, and the mark of a byte order.
fn has_no_width(c: char) -> bool {
    matches!(c, '\u{200B}'..='\u{200D}' | '\u{2060}' | '\u{FEFF}')
}

/// Turns the direction of writing.
fn turns(c: char) -> bool {
    matches!(c, '\u{061C}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

/// A text of a foreign file as it would be typed here: what nobody sees is gone.
pub fn as_seen(text: &str) -> String {
    let is_seen = |c: &char| !has_no_width(*c) && !turns(*c);
    text.chars().filter(is_seen).collect()
}

/// Whether people see all of a text, in its order: no control characters (PostgreSQL keeps no NUL),
/// none that turn the direction of writing, and only in [`PROSE`] line breaks, tabs and characters
/// without width. A password is shown to nobody.
fn is_readable(text: &str, pointer: &str) -> bool {
    let field = pointer.rsplit('/').next().unwrap_or_default();
    match field.ends_with("password") {
        true => !text.contains('\0'),
        false => holds_only_readable(text, PROSE.contains(&field)),
    }
}

/// Whether prose that comes by another way than JSON, such as a form, is as readable as there.
pub fn is_readable_prose(text: &str) -> bool {
    holds_only_readable(text, true)
}

fn holds_only_readable(text: &str, is_prose: bool) -> bool {
    let may_stand = |c: char| match c {
        '\n' | '\r' | '\t' | '\u{2028}' | '\u{2029}' => is_prose,
        c if has_no_width(c) => is_prose,
        c => !turns(c) && !c.is_control(),
    };
    text.trim().chars().all(may_stand)
}

/// `+12345-01-01`, `-0044-03-15T12:00:00Z`.
fn is_out_of_calendar(text: &str) -> bool {
    text.starts_with(['+', '-'])
        && (text.parse::<chrono::NaiveDate>().is_ok()
            || text.parse::<chrono::DateTime<chrono::Utc>>().is_ok())
}

/// What is wrong, by the path that serde stopped at; a field that is missing is named by the reason.
fn pointer_to(path: &str, reason: &str) -> String {
    let parts = path.split(['.', '[', ']']).filter(|part| !part.is_empty());
    let missing = reason.strip_prefix("missing field `");
    let missing = missing.and_then(|rest| rest.split('`').next());
    let mut pointer = String::new();
    for part in parts.chain(missing) {
        pointer.push('/');
        pointer.push_str(&part.replace('~', "~0").replace('/', "~1"));
    }
    pointer
}

/// For keys of a `PATCH` that cannot be removed: an absent one leaves the value alone, null is no
/// value.
///
/// # Errors
/// Those of the value.
pub fn given<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    from: D,
) -> Result<Option<T>, D::Error> {
    T::deserialize(from).map(Some)
}

/// A field rule for numbers in queries: `NaN` is within no range and outside of none.
///
/// # Errors
/// When it is no number.
pub fn finite(number: f64) -> std::result::Result<(), validator::ValidationError> {
    match number.is_finite() {
        true => Ok(()),
        false => Err(validator::ValidationError::new("finite")),
    }
}

/// Applies the field rules of a value.
///
/// # Errors
/// `invalid` with every wrong field, pointers beginning with `prefix`.
pub fn check<T: Validate>(input: &T, prefix: &str) -> Result<()> {
    let Err(errors) = input.validate() else {
        return Ok(());
    };
    let mut problem = Problem::new(Code::Invalid);
    collect(&errors, prefix, &mut problem.errors);
    problem.errors.sort_by(|a, b| a.pointer.cmp(&b.pointer));
    Err(problem.into())
}

fn collect(errors: &ValidationErrors, prefix: &str, out: &mut Vec<FieldError>) {
    for (field, kind) in errors.errors() {
        let pointer = format!("{prefix}/{field}");
        match kind {
            ValidationErrorsKind::Field(list) => {
                for error in list {
                    let code = match error.code.as_ref() {
                        "length" => Code::Length,
                        "range" => Code::Range,
                        "required" => Code::Required,
                        _ => Code::Format,
                    };
                    let mut field = FieldError::new(pointer.clone(), code);
                    if let Some((zh, en)) = bounds(error) {
                        field.detail.zh.push_str(&zh);
                        field.detail.en.push_str(&en);
                    }
                    out.push(field);
                }
            }
            ValidationErrorsKind::Struct(inner) => collect(inner, &pointer, out),
            ValidationErrorsKind::List(list) => {
                for (index, inner) in list {
                    collect(inner, &format!("{pointer}/{index}"), out);
                }
            }
        }
    }
}

fn bounds(error: &validator::ValidationError) -> Option<(String, String)> {
    let bound = |name: &str| error.params.get(name).map(ToString::to_string);
    match (bound("min"), bound("max")) {
        (Some(min), Some(max)) if min == max => {
            Some((format!("（应为 {min}）"), format!(" It must be {min}.")))
        }
        (Some(min), Some(max)) => Some((
            format!("（应在 {min} 到 {max} 之间）"),
            format!(" It must be between {min} and {max}."),
        )),
        (Some(min), None) => Some((
            format!("（至少 {min}）"),
            format!(" It must be at least {min}."),
        )),
        (None, Some(max)) => Some((
            format!("（至多 {max}）"),
            format!(" It must be at most {max}."),
        )),
        (None, None) => None,
    }
}

/// Query parameters that have passed their rules.
#[derive(Debug)]
pub struct Params<T>(pub T);

impl<T: DeserializeOwned + Validate> FromRequest for Params<T> {
    type Error = Error;
    type Future = Ready<Result<Self>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        // PostgreSQL keeps no NUL, and nothing that is searched for holds one
        let text = percent_decode_str(req.query_string()).decode_utf8();
        if text.is_ok_and(|text| !text.contains('\0')) {
            ready(query(req.path(), req.query_string()).map(Self))
        } else {
            ready(Err(Code::MalformedQuery.into()))
        }
    }
}

fn query<T: DeserializeOwned + Validate>(path: &str, text: &str) -> Result<T> {
    let text = unmarked(path, text)?;
    let pairs = url::form_urlencoded::parse(text.as_bytes());
    let query: T = serde_path_to_error::deserialize(serde_urlencoded::Deserializer::new(pairs))
        .map_err(|error| {
            let reason = error.inner().to_string();
            let pointer = pointer_to(&error.path().to_string(), &reason);
            Problem::new(Code::MalformedQuery)
                .detail(
                    format!(
                        "查询参数格式不正确{}。",
                        if pointer.is_empty() {
                            String::new()
                        } else {
                            format!("({pointer})")
                        }
                    ),
                    format!("A query parameter has the wrong form: {reason}."),
                )
                .field(pointer, code_of(&reason))
        })?;
    check(&query, "")?;
    Ok(query)
}

/// The body of an action that takes nothing.
#[derive(Debug, Default, serde::Deserialize, serde::Serialize, utoipa::ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct Nothing {}

/// The body of an action that must say why.
#[derive(Debug, serde::Deserialize, serde::Serialize, utoipa::ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct Reason {
    /// Why, in words that everyone concerned may read.
    #[validate(length(min = 1, max = 1000))]
    pub reason: String,
}
