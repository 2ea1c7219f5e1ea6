//! `Idempotency-Key`: a request that is sent twice is done once.
//!
//! The answer is kept in the same transaction as the work, so there is no moment at which the work
//! is done and the answer is not known. Kept per caller for 24 hours.

use actix_web::http::StatusCode;
use actix_web::http::header::HeaderMap;
use diesel::prelude::*;
use uuid::Uuid;

use crate::error::{Code, Result};
use crate::platform::clock::Instant;
use crate::platform::columns::Json;
use crate::platform::db::{Conn, Tx};
use crate::platform::token::{Vault, digest};
use crate::schema::idempotency_keys;

/// How long an answer is kept.
pub const KEPT: chrono::TimeDelta = chrono::TimeDelta::hours(24);

/// A caller's key for one request, and what that request was.
#[derive(Clone, Debug)]
pub struct IdempotencyKey {
    /// The key as sent.
    pub key: String,
    /// Keyed hash of method, path and body, which may hold what is stored sealed only.
    pub fingerprint: Vec<u8>,
}

impl IdempotencyKey {
    /// Reads the header, when there is one.
    ///
    /// # Errors
    /// `malformed_header` unless it is 1 to 100 visible ASCII characters.
    pub fn of(
        vault: &Vault,
        headers: &HeaderMap,
        method: &str,
        path: &str,
        body: &[u8],
    ) -> Result<Option<Self>> {
        let Some(value) = headers.get("idempotency-key") else {
            return Ok(None);
        };
        let key = value
            .to_str()
            .ok()
            .filter(|key| {
                (1..=100).contains(&key.len()) && key.bytes().all(|b| b.is_ascii_graphic())
            })
            .ok_or(Code::MalformedHeader)?
            .to_owned();
        let mut request = format!("{method} {path} ").into_bytes();
        request.extend_from_slice(body);
        Ok(Some(Self {
            key,
            fingerprint: vault.lookup_hash("request", request),
        }))
    }
}

/// An answer that can be kept and given again.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Kept {
    /// The HTTP status.
    pub status: u16,
    /// `Location`, where something was made.
    pub location: Option<String>,
    /// `ETag`, where the thing has versions.
    pub etag: Option<String>,
    /// The body.
    pub body: serde_json::Value,
}

impl Kept {
    /// The status as the framework's type.
    pub fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::OK)
    }
}

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = idempotency_keys)]
struct Row {
    owner_id: crate::platform::columns::Uid,
    key: String,
    fingerprint: Vec<u8>,
    answer: Json<Kept>,
    created_at: Instant,
}

/// The answer that `owner` was given for this key, when there is one.
///
/// # Errors
/// `idempotency_key_reused` when the key stands for another request; `request_in_progress` when
/// the same one is still running (PostgreSQL; on SQLite writes queue and it has just ended).
pub fn recall(conn: &mut Conn, owner: Uuid, key: &IdempotencyKey) -> Result<Option<Kept>> {
    if let Conn::Postgres(conn) = conn {
        let mut name = owner.as_bytes().to_vec();
        name.extend_from_slice(key.key.as_bytes());
        let lock = i64::from_be_bytes(digest(&name)[..8].try_into().unwrap_or_default());
        let free: bool = diesel::select(pg_try_advisory_xact_lock(lock)).get_result(conn)?;
        if !free {
            return Err(Code::RequestInProgress.into());
        }
    }
    let row = idempotency_keys::table
        .filter(idempotency_keys::owner_id.eq(crate::platform::columns::Uid(owner)))
        .filter(idempotency_keys::key.eq(&key.key))
        .select(Row::as_select())
        .first(conn)
        .optional()?;
    match row {
        None => Ok(None),
        Some(row) if row.fingerprint == key.fingerprint => Ok(Some(row.answer.0)),
        Some(_) => Err(Code::IdempotencyKeyReused.into()),
    }
}

/// Keeps the answer, in the transaction that did the work.
///
/// # Errors
/// Those of the database.
pub fn keep(tx: &mut Tx<'_>, owner: Uuid, key: &IdempotencyKey, answer: &Kept) -> Result<()> {
    let row = Row {
        owner_id: crate::platform::columns::Uid(owner),
        key: key.key.clone(),
        fingerprint: key.fingerprint.clone(),
        answer: Json(answer.clone()),
        created_at: tx.now,
    };
    diesel::insert_into(idempotency_keys::table)
        .values(row)
        .execute(tx.conn)?;
    Ok(())
}

/// Forgets the answers of the days before; returns how many.
///
/// # Errors
/// Those of the database.
pub fn forget_old(tx: &mut Tx<'_>) -> Result<usize> {
    let old = tx.now - KEPT;
    Ok(
        diesel::delete(idempotency_keys::table.filter(idempotency_keys::created_at.lt(old)))
            .execute(tx.conn)?,
    )
}

diesel::define_sql_function! {
    /// Takes a lock that the end of the transaction releases, when it is free.
    fn pg_try_advisory_xact_lock(key: diesel::sql_types::BigInt) -> diesel::sql_types::Bool;
}
