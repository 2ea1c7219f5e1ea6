//! A command: who wants something done, what, and under which idempotency key.

use std::future::Future;
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::http::{StatusCode, header};
use actix_web::web::Data;
use actix_web::{FromRequest, HttpRequest, HttpResponse};
use serde::Serialize;
use serde::de::DeserializeOwned;
use validator::Validate;

use super::Caller;
use crate::error::{Error, Result};
use crate::platform::Platform;
use crate::platform::db::Tx;
use crate::platform::http::idempotency::{self, Kept};
use crate::platform::http::{Body, IdempotencyKey, IfMatch, etag};

/// A signed-in caller's valid request to change something. A handler runs it in one transaction,
/// together with the answer that its idempotency key keeps.
pub struct Command<B> {
    /// Who.
    pub caller: Caller,
    /// What.
    pub input: B,
    /// The version the caller has read, where it says so.
    pub if_match: IfMatch,
    platform: Data<Platform>,
    key: Option<IdempotencyKey>,
}

/// What a command made or changed.
pub struct Made<T> {
    status: StatusCode,
    body: Option<T>,
    location: Option<String>,
    version: Option<i32>,
}

impl<T> Made<T> {
    /// Something new, with the address it is found at.
    pub fn new(body: T, location: String) -> Self {
        Self {
            status: StatusCode::CREATED,
            body: Some(body),
            location: Some(location),
            version: None,
        }
    }

    /// Something that changed.
    pub fn changed(body: T) -> Self {
        Self {
            status: StatusCode::OK,
            body: Some(body),
            location: None,
            version: None,
        }
    }

    /// Done, and nothing to show.
    pub fn nothing() -> Self {
        Self {
            status: StatusCode::NO_CONTENT,
            body: None,
            location: None,
            version: None,
        }
    }

    /// The version, for the entity tag.
    #[must_use]
    pub fn version(mut self, version: i32) -> Self {
        self.version = Some(version);
        self
    }
}

impl<B: Send + Sync + 'static> Command<B> {
    /// Runs it in one transaction, or answers as the first time when it was run before.
    ///
    /// # Errors
    /// Those of `f`; nothing is changed or kept then.
    pub async fn run<T, F>(self, f: F) -> Result<HttpResponse>
    where
        T: Serialize,
        F: Fn(&mut Tx<'_>, &Caller, &B) -> Result<Made<T>> + Send + 'static,
    {
        let Self {
            caller,
            input,
            key,
            platform,
            ..
        } = self;
        let owner = caller.account.0;
        let kept = platform
            .db
            .write(move |tx| {
                if let Some(key) = &key
                    && let Some(kept) = idempotency::recall(tx.conn, owner, key)?
                {
                    return Ok(kept);
                }
                let made = f(tx, &caller, &input)?;
                let body = match &made.body {
                    Some(body) => serde_json::to_value(body).map_err(Error::internal)?,
                    None => serde_json::Value::Null,
                };
                let kept = Kept {
                    status: made.status.as_u16(),
                    location: made.location,
                    etag: made.version.map(|version| etag(version).1),
                    body,
                };
                if let Some(key) = &key {
                    idempotency::keep(tx, owner, key, &kept)?;
                }
                Ok(kept)
            })
            .await?;
        Ok(answer(kept))
    }
}

fn answer(kept: Kept) -> HttpResponse {
    let mut response = HttpResponse::build(kept.status());
    if let Some(location) = kept.location {
        response.insert_header((header::LOCATION, location));
    }
    if let Some(etag) = kept.etag {
        response.insert_header((header::ETAG, etag));
    }
    if kept.body.is_null() {
        response.finish()
    } else {
        response.json(kept.body)
    }
}

impl<B: DeserializeOwned + Validate + 'static> FromRequest for Command<B> {
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self>>>>;

    fn from_request(req: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let caller = Caller::from_request(req, payload);
        let body = Body::<B>::from_request(req, payload);
        let if_match = IfMatch::of(req.headers());
        let platform = req.app_data::<Data<Platform>>().cloned();
        let (headers, method, path) = (
            req.headers().clone(),
            req.method().clone(),
            req.path().to_owned(),
        );
        Box::pin(async move {
            let caller = caller.await?;
            let platform = platform
                .ok_or_else(|| Error::internal("the server was put together without its hands"))?;
            let body = body.await?;
            let (vault, method) = (&platform.vault, method.as_str());
            let key = IdempotencyKey::of(vault, &headers, method, &path, &body.bytes)?;
            Ok(Self {
                caller,
                input: body.input,
                if_match: if_match?,
                platform,
                key,
            })
        })
    }
}
