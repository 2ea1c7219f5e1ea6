//! The border: what happens once to every request, whatever it asks for.
//!
//! It gives the request an id, opens its log span, counts and times it, writes every error as
//! problem+json in the caller's language, and adds the security headers.

use std::time::Instant as Stopwatch;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::error::InternalError;
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::Next;
use actix_web::{FromRequest, HttpMessage, HttpRequest, HttpResponse, ResponseError};
use std::future::{Ready, ready};
use tracing::Instrument;

use super::Lang;
use super::problem::{Cause, PROBLEM_JSON, ProblemBody};
use crate::error::{Code, Error, Problem};

/// The header that carries the request's id, both ways.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The id of the request being answered.
#[derive(Clone, Debug)]
pub struct RequestId(pub String);

impl FromRequest for RequestId {
    type Error = Error;
    type Future = Ready<Result<Self, Error>>;
    fn from_request(req: &HttpRequest, _: &mut actix_web::dev::Payload) -> Self::Future {
        ready(Ok(req
            .extensions()
            .get::<Self>()
            .cloned()
            .unwrap_or(Self(String::new()))))
    }
}

/// The middleware. Outermost, so that nothing is answered without it.
///
/// # Errors
/// Only those of other middleware, with a finished answer inside.
pub async fn border<B: MessageBody + 'static>(
    req: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let started = Stopwatch::now();
    let id = request_id(req.headers());
    let lang = Lang::of(req.headers());
    req.extensions_mut().insert(RequestId(id.clone()));
    // Addresses and queries can hold what nobody else may have (a beneficiary's link): the log
    // gets the route's pattern, once it is known.
    let span = tracing::info_span!("request", id = %id, method = %req.method(), route = tracing::field::Empty);

    let mut res = match next.call(req).instrument(span.clone()).await {
        Ok(res) => res.map_into_boxed_body(),
        // A middleware refused (CORS): there is no request left to answer with, only the error.
        Err(error) => {
            let res = finish(cors_answer(error.error_response()), lang, &id);
            return Err(InternalError::from_response(error, res).into());
        }
    };
    let route = route_of(&res);
    span.record("route", route.as_str());
    let _entered = span.enter();
    let mut answer = std::mem::replace(res.response_mut(), HttpResponse::new(StatusCode::OK));
    if res.request().method() == Method::OPTIONS {
        answer = cors_answer(answer);
    }
    *res.response_mut() = finish(answer, lang, &id);

    let status = res.status().as_u16().to_string();
    let method = match res.request().method().as_str() {
        method @ ("GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE" | "OPTIONS") => method,
        _ => "other",
    };
    let method = method.to_owned();
    let seconds = started.elapsed().as_secs_f64();
    metrics::counter!("http_requests_total", "method" => method, "route" => route.clone(), "status" => status)
        .increment(1);
    let is_probe = matches!(route.as_str(), "/livez" | "/readyz" | "/metrics");
    metrics::histogram!("http_request_seconds", "route" => route).record(seconds);
    let (status, ms) = (res.status().as_u16(), (seconds * 1e6).round() / 1e3);
    match is_probe {
        true => tracing::debug!(target: "requests", status, ms, "answered"),
        false => tracing::info!(target: "requests", status, ms, "answered"),
    }
    Ok(res)
}

/// CORS refuses an origin, or a preflight without one, as a bad request.
fn cors_answer(res: HttpResponse) -> HttpResponse {
    match res.status() {
        StatusCode::BAD_REQUEST => Error::from(Code::OriginNotAllowed).error_response(),
        _ => res,
    }
}

/// The route that was taken, as a pattern: a bounded set of texts that hold nothing of the caller's.
fn route_of(res: &ServiceResponse<BoxBody>) -> String {
    let pattern = res.request().match_pattern();
    pattern.unwrap_or_else(|| "unmatched".to_owned())
}

/// A caller's id is taken over when it is harmless, so that a gateway's logs and ours agree.
fn request_id(headers: &HeaderMap) -> String {
    headers
        .get(REQUEST_ID)
        .and_then(|value| value.to_str().ok())
        .filter(|id| (8..=64).contains(&id.len()))
        .filter(|id| id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'))
        .map_or_else(|| uuid::Uuid::now_v7().to_string(), str::to_owned)
}

/// What every answer gets on its way out.
fn finish(mut res: HttpResponse, lang: Lang, id: &str) -> HttpResponse {
    if let Some(Cause(cause)) = res.extensions().get() {
        tracing::error!(%cause, "internal error");
    }
    if res.status().is_client_error() || res.status().is_server_error() {
        res = write_problem(res, lang, id);
    }
    add_headers(res.headers_mut(), id);
    res
}

/// Writes the body of an error: ours from its problem, the framework's from its status.
fn write_problem(res: HttpResponse, lang: Lang, id: &str) -> HttpResponse {
    let ours = res.extensions().get::<Problem>().cloned();
    let is_written = res.headers().get(header::CONTENT_TYPE).is_some_and(|kind| {
        kind.as_bytes() == PROBLEM_JSON.as_bytes() || kind.as_bytes().starts_with(b"text/html")
    });
    if is_written {
        return res; // a replayed answer, or a page
    }
    let problem = ours.unwrap_or_else(|| Problem::new(code_of(res.status())));
    let status = StatusCode::from_u16(problem.code.status()).unwrap_or(res.status());
    let body = serde_json::to_string(&ProblemBody::render(&problem, lang, id)).unwrap_or_default();
    let mut res = res.set_body(BoxBody::new(body));
    *res.status_mut() = status;
    let headers = res.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON));
    headers.insert(
        header::CONTENT_LANGUAGE,
        HeaderValue::from_static(lang.tag()),
    );
    res
}

fn code_of(status: StatusCode) -> Code {
    match status {
        StatusCode::UNAUTHORIZED => Code::Unauthenticated,
        StatusCode::FORBIDDEN => Code::Forbidden,
        StatusCode::NOT_FOUND => Code::NotFound,
        StatusCode::METHOD_NOT_ALLOWED => Code::MethodNotAllowed,
        StatusCode::PAYLOAD_TOO_LARGE => Code::PayloadTooLarge,
        StatusCode::UNSUPPORTED_MEDIA_TYPE => Code::UnsupportedMediaType,
        status if status.is_client_error() => Code::MalformedJson,
        _ => Code::InternalError,
    }
}

fn add_headers(headers: &mut HeaderMap, id: &str) {
    if let Ok(id) = HeaderValue::from_str(id) {
        headers.insert(REQUEST_ID, id);
    }
    let fixed = [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (
            header::STRICT_TRANSPORT_SECURITY,
            "max-age=31536000; includeSubDomains",
        ),
    ];
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
    for (name, value) in [
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "no-referrer"),
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; frame-ancestors 'none'",
        ),
    ] {
        if !headers.contains_key(&name) {
            headers.insert(name, HeaderValue::from_static(value));
        }
    }
}
