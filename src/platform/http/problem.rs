//! Errors as `application/problem+json` (RFC 9457).

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};
use actix_web::{HttpResponse, ResponseError};
use serde::Serialize;
use utoipa::ToSchema;

use super::Lang;
use crate::error::{Checks, Code, Error, Problem};

/// Media type of every error answer.
pub const PROBLEM_JSON: &str = "application/problem+json";

/// An error answer.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub struct ProblemBody {
    /// Identifies the kind of problem; the address of its entry in the catalogue.
    #[serde(rename = "type")]
    pub kind: String,
    /// What the code means, in the caller's language.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What happened this time, in the caller's language.
    pub detail: String,
    /// The request's id, to be quoted when asking for help.
    pub instance: String,
    /// The stable code; see the catalogue in docs/api-design.md.
    pub code: String,
    /// Every field that is wrong.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldProblem>,
    /// For a refused move: the state the thing is in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// For a refused move: the moves that are the caller's in that state.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allowed: Option<Vec<String>>,
    /// For a server that is not ready: each thing that was looked at, and how it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<BTreeMap<String, String>>)]
    pub checks: Option<Checks>,
}

/// One wrong field.
#[derive(Debug, Serialize, ToSchema)]
pub struct FieldProblem {
    /// JSON pointer into the body, or the name of a parameter.
    pub pointer: String,
    /// The stable code.
    pub code: String,
    /// The same as a sentence, in the caller's language.
    pub detail: String,
}

impl ProblemBody {
    /// Renders a problem for one caller.
    pub fn render(problem: &Problem, lang: Lang, request_id: &str) -> Self {
        let (zh, en) = problem.code.title();
        Self {
            kind: format!("/docs/problems#{}", problem.code.as_str()),
            title: lang.pick(zh, en).to_owned(),
            status: problem.code.status(),
            detail: problem.detail.get(lang).to_owned(),
            instance: request_id.to_owned(),
            code: problem.code.as_str().to_owned(),
            errors: problem
                .errors
                .iter()
                .map(|field| FieldProblem {
                    pointer: field.pointer.clone(),
                    code: field.code.as_str().to_owned(),
                    detail: field.detail.get(lang).to_owned(),
                })
                .collect(),
            state: problem.state.map(str::to_owned),
            allowed: problem.allowed.clone(),
            checks: problem.checks.clone(),
        }
    }
}

/// The cause of an internal error on its way to the border, where it is logged once.
pub(super) struct Cause(pub String);

impl ResponseError for Error {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.code().status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// An answer without a body yet: the border knows the caller's language and the request's id
    /// and writes it.
    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::new(self.status_code());
        let problem = match self {
            Self::Problem(problem) => (**problem).clone(),
            other => {
                response.extensions_mut().insert(Cause(other.to_string()));
                Problem::new(Code::InternalError)
            }
        };
        if let Some(seconds) = problem.retry_after {
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if problem.code == Code::MethodNotAllowed
            && let Some(allowed) = &problem.allowed
            && let Ok(value) = HeaderValue::from_str(&allowed.join(", "))
        {
            response.headers_mut().insert(header::ALLOW, value);
        }
        response.extensions_mut().insert(problem);
        response
    }
}
