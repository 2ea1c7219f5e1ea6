//! Pages for people who come by a link: they work without scripts and load nothing from elsewhere.

use actix_web::HttpResponse;
use actix_web::guard::GuardContext;
use actix_web::http::{StatusCode, header};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::sync::LazyLock;

use super::Lang;
use crate::platform::token::digest;

/// The style of every page, which stands in the page itself.
pub const STYLE: &str = include_str!("../../../templates/link.css");

/// Nothing from elsewhere, no scripts, and of styles the one that the pages bring.
static POLICY: LazyLock<String> = LazyLock::new(|| {
    let style = STANDARD.encode(digest(STYLE.as_bytes()));
    format!(
        "default-src 'none'; style-src 'sha256-{style}'; img-src 'self'; form-action 'self'; \
         base-uri 'none'; frame-ancestors 'none'"
    )
});

/// Whether a page is asked for, as browsers do.
pub fn is_page(ctx: &GuardContext<'_>) -> bool {
    let accept = ctx.head().headers().get(header::ACCEPT);
    accept.is_some_and(|accept| accept.as_bytes().starts_with(b"text/html"))
}

/// A page that was rendered.
pub fn page(status: StatusCode, lang: Lang, html: String) -> HttpResponse {
    HttpResponse::build(status)
        .content_type("text/html; charset=utf-8")
        .insert_header((header::CONTENT_LANGUAGE, lang.tag()))
        .insert_header((header::CONTENT_SECURITY_POLICY, POLICY.as_str()))
        // with "no-referrer" browsers would name no origin for the page's own forms
        .insert_header((header::REFERRER_POLICY, "same-origin"))
        .body(html)
}

/// Sends a browser on to an address, after what a form did.
pub fn see_other(address: String) -> HttpResponse {
    HttpResponse::SeeOther()
        .insert_header((header::LOCATION, address))
        .finish()
}
