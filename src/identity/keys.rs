//! Access tokens: EdDSA (Ed25519) over 15 minutes, signed by keys that rotate.
//!
//! The private halves are stored sealed, so every process of a deployment signs with the same key
//! and a new one is used by all. A key signs for a month; it is published until the last token it
//! may have signed has expired.

use std::sync::{Arc, RwLock};

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::TimeDelta;
use diesel::prelude::*;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::model::{AccountId, SessionId};
use crate::error::{Code, Error, Result};
use crate::id;
use crate::platform::clock::{Clock, Instant};
use crate::platform::db::{Db, Tx};
use crate::platform::token::Vault;
use crate::platform::token::digest;
use crate::schema::signing_keys;

id! {
    /// Names a signing key (`kid`).
    KeyId
}

/// How long an access token is valid.
pub const ACCESS_TOKEN_LIFE: TimeDelta = TimeDelta::minutes(15);
/// How long a key signs.
const KEY_SIGNS: TimeDelta = TimeDelta::days(30);

/// How long keys are used before they are read again: a rotation counts everywhere within that.
const KEYS_KNOWN: TimeDelta = TimeDelta::minutes(1);

/// What an access token says. Rights are not in it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Claims {
    /// The account.
    pub sub: AccountId,
    /// The session.
    pub sid: SessionId,
    /// Issued at, seconds since 1970.
    pub iat: i64,
    /// Expires at, seconds since 1970.
    pub exp: i64,
}

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = signing_keys)]
struct Row {
    id: KeyId,
    sealed: Vec<u8>,
    public_key: Vec<u8>,
    created_at: Instant,
}

struct Key {
    id: KeyId,
    created_at: Instant,
    public: Vec<u8>,
    signs: EncodingKey,
    verifies: DecodingKey,
}

/// The keys of the deployment, as this process knows them.
#[derive(Clone)]
pub struct Keyring {
    db: Db,
    vault: Vault,
    clock: Clock,
    /// With the instant at which they were read.
    keys: Arc<RwLock<(Instant, Arc<Vec<Key>>)>>,
    /// Tokens whose signature was found right, by hash: checking one costs more than the read that
    /// it guards. What a token allows is looked up each time all the same.
    verified: moka::sync::Cache<[u8; 32], Claims>,
}

/// The published keys (RFC 7517).
#[derive(Debug, Serialize, ToSchema)]
pub struct Jwks {
    /// One entry a key.
    pub keys: Vec<Jwk>,
}

/// A published key (RFC 8037).
#[derive(Debug, Serialize, ToSchema)]
pub struct Jwk {
    /// Always `OKP`.
    pub kty: String,
    /// Always `Ed25519`.
    pub crv: String,
    /// Always `EdDSA`.
    pub alg: String,
    /// Always `sig`.
    #[serde(rename = "use")]
    pub usage: String,
    /// Its name, as tokens carry it.
    pub kid: String,
    /// The public key, base64url.
    pub x: String,
}

impl Keyring {
    /// A keyring that reads the database when it is first used.
    pub fn new(db: Db, vault: Vault) -> Self {
        let clock = db.clock().clone();
        let verified = moka::sync::Cache::builder()
            .max_capacity(50_000)
            .time_to_live(std::time::Duration::from_secs(900))
            .build();
        Self {
            db,
            vault,
            clock,
            keys: Default::default(),
            verified,
        }
    }

    /// Signs an access token.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn sign(&self, sub: AccountId, sid: SessionId) -> Result<String> {
        let now = self.clock.now();
        let mut keys = self.current().await?;
        if keys
            .first()
            .is_none_or(|key| now - key.created_at >= KEY_SIGNS)
        {
            keys = self.reload(true).await?;
        }
        let key = keys
            .first()
            .ok_or_else(|| Error::internal("no signing key"))?;
        let claims = Claims {
            sub,
            sid,
            iat: now.timestamp(),
            exp: (now + ACCESS_TOKEN_LIFE).timestamp(),
        };
        let header = Header {
            kid: Some(key.id.to_string()),
            ..Header::new(Algorithm::EdDSA)
        };
        jsonwebtoken::encode(&header, &claims, &key.signs).map_err(Error::internal)
    }

    /// Reads an access token.
    ///
    /// # Errors
    /// `unauthenticated` when it is not ours, `token_expired` when it was.
    pub async fn verify(&self, token: &str) -> Result<Claims> {
        let hash = digest(token.as_bytes());
        let claims = match self.verified.get(&hash) {
            Some(claims) => claims,
            None => {
                let claims = self.check_signature(token).await?;
                self.verified.insert(hash, claims.clone());
                claims
            }
        };
        if claims.exp <= self.clock.now().timestamp() {
            return Err(Code::TokenExpired.into());
        }
        Ok(claims)
    }

    async fn check_signature(&self, token: &str) -> Result<Claims> {
        let refused = || Error::from(Code::Unauthenticated);
        let kid = jsonwebtoken::decode_header(token)
            .ok()
            .and_then(|header| header.kid)
            .ok_or_else(refused)?;
        let find = |keys: &[Key]| keys.iter().position(|key| key.id.to_string() == kid);
        let mut keys = self.known();
        let mut at = find(&keys);
        if at.is_none() {
            // signed by another process with a newer key, or not ours
            keys = self.reload(false).await?;
            at = find(&keys);
        }
        let key = at.and_then(|at| keys.get(at)).ok_or_else(refused)?;
        // the product's clock decides about time, below
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.validate_exp = false;
        validation.required_spec_claims.clear();
        Ok(
            jsonwebtoken::decode::<Claims>(token, &key.verifies, &validation)
                .map_err(|_| refused())?
                .claims,
        )
    }

    /// The keys whose tokens may still be valid.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn published(&self) -> Result<Jwks> {
        let mut keys = self.current().await?;
        if keys.is_empty() {
            keys = self.reload(true).await?;
        }
        let jwk = |key: &Key| Jwk {
            kty: "OKP".to_owned(),
            crv: "Ed25519".to_owned(),
            alg: "EdDSA".to_owned(),
            usage: "sig".to_owned(),
            kid: key.id.to_string(),
            x: URL_SAFE_NO_PAD.encode(&key.public),
        };
        Ok(Jwks {
            keys: keys.iter().map(jwk).collect(),
        })
    }

    /// Makes a new key now; the ones before verify on until their tokens have expired.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn rotate(&self) -> Result<()> {
        let vault = self.vault.clone();
        self.db.write(move |tx| make_key(tx, &vault)).await?;
        self.reload(false).await.map(|_| ())
    }

    fn known(&self) -> Arc<Vec<Key>> {
        self.keys
            .read()
            .map(|keys| keys.1.clone())
            .unwrap_or_default()
    }

    /// The keys, none older than [`KEYS_KNOWN`]: another process may have rotated them.
    async fn current(&self) -> Result<Arc<Vec<Key>>> {
        let fresh = self
            .keys
            .read()
            .ok()
            .filter(|keys| !keys.1.is_empty() && self.clock.now() - keys.0 < KEYS_KNOWN);
        if let Some(keys) = fresh.map(|keys| keys.1.clone()) {
            return Ok(keys);
        }
        self.reload(false).await
    }

    /// Reads the keys, newest first; with `make`, sees to it that the newest still signs.
    async fn reload(&self, make: bool) -> Result<Arc<Vec<Key>>> {
        let vault = self.vault.clone();
        let rows = if make {
            self.db
                .write(move |tx| {
                    let rows = newest_first(tx.conn, tx.now)?;
                    if rows
                        .first()
                        .is_some_and(|row| tx.now - row.created_at < KEY_SIGNS)
                    {
                        return Ok(rows);
                    }
                    make_key(tx, &vault)?;
                    newest_first(tx.conn, tx.now)
                })
                .await?
        } else {
            let now = self.clock.now();
            self.db.read(move |conn| newest_first(conn, now)).await?
        };
        let keys = rows
            .into_iter()
            .map(|row| self.open(row))
            .collect::<Result<Vec<_>>>()?;
        let keys = Arc::new(keys);
        if let Ok(mut known) = self.keys.write() {
            *known = (self.clock.now(), keys.clone());
        }
        Ok(keys)
    }

    fn open(&self, row: Row) -> Result<Key> {
        let private = self.vault.open(&row.sealed)?;
        Ok(Key {
            id: row.id,
            created_at: row.created_at,
            signs: EncodingKey::from_ed_der(&private),
            verifies: DecodingKey::from_ed_der(&row.public_key),
            public: row.public_key,
        })
    }
}

fn newest_first(conn: &mut crate::platform::db::Conn, now: Instant) -> Result<Vec<Row>> {
    let oldest = now - KEY_SIGNS - ACCESS_TOKEN_LIFE - ACCESS_TOKEN_LIFE;
    Ok(signing_keys::table
        .filter(signing_keys::created_at.gt(oldest))
        .order(signing_keys::id.desc())
        .select(Row::as_select())
        .load(conn)?)
}

fn make_key(tx: &mut Tx<'_>, vault: &Vault) -> Result<()> {
    let pair = Ed25519KeyPair::generate().map_err(|_| Error::internal("no key pair"))?;
    let private = pair
        .to_pkcs8v1()
        .map_err(|_| Error::internal("no key pair"))?;
    let row = Row {
        id: KeyId::new(),
        sealed: vault.seal(private.as_ref())?,
        public_key: pair.public_key().as_ref().to_vec(),
        created_at: tx.now,
    };
    diesel::insert_into(signing_keys::table)
        .values(row)
        .execute(tx.conn)?;
    Ok(())
}
