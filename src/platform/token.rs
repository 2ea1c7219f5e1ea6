//! Secrets: sealing of personal data at rest, keyed hashes for look-up, random tokens and signed
//! links.

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_lc_rs::{constant_time, hkdf, hmac, rand};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::clock::Instant;
use crate::error::{Error, Result};

/// The keys derived from the deployment's one master secret.
#[derive(Clone)]
pub struct Vault {
    seal: [u8; 32],
    lookup: hmac::Key,
    link: hmac::Key,
}

impl Vault {
    /// Derives the keys (HKDF-SHA-256, one label each).
    ///
    /// # Errors
    /// When the secret is shorter than 32 characters.
    pub fn new(master: &SecretString) -> Result<Self> {
        let master = master.expose_secret().as_bytes();
        if master.len() < 32 {
            return Err(Error::internal(
                "security.master_secret must have at least 32 characters",
            ));
        }
        let prk = hkdf::Salt::new(hkdf::HKDF_SHA256, b"yiqilai").extract(master);
        let derive = |label: &'static [u8]| -> Result<[u8; 32]> {
            let mut key = [0; 32];
            prk.expand(&[label], hkdf::HKDF_SHA256)
                .and_then(|okm| okm.fill(&mut key))
                .map_err(|_| Error::internal("key derivation"))?;
            Ok(key)
        };
        Ok(Self {
            seal: derive(b"seal")?,
            lookup: hmac::Key::new(hmac::HMAC_SHA256, &derive(b"lookup")?),
            link: hmac::Key::new(hmac::HMAC_SHA256, &derive(b"link")?),
        })
    }

    /// Encrypts (AES-256-GCM) for storage; the nonce comes first.
    ///
    /// # Errors
    /// Never in practice.
    pub fn seal(&self, plain: &[u8]) -> Result<Vec<u8>> {
        let key = RandomizedNonceKey::new(&AES_256_GCM, &self.seal)
            .map_err(|_| Error::internal("seal"))?;
        let mut sealed = plain.to_vec();
        let nonce = key
            .seal_in_place_append_tag(Aad::empty(), &mut sealed)
            .map_err(|_| Error::internal("seal"))?;
        let mut out = nonce.as_ref().to_vec();
        out.append(&mut sealed);
        Ok(out)
    }

    /// Decrypts what [`Vault::seal`] made.
    ///
    /// # Errors
    /// When it was made with another secret or was changed.
    pub fn open(&self, sealed: &[u8]) -> Result<Vec<u8>> {
        let broken =
            || Error::internal("a sealed value does not open: was the master secret changed?");
        let (nonce, rest) = sealed.split_at_checked(NONCE_LEN).ok_or_else(broken)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| broken())?;
        let key = RandomizedNonceKey::new(&AES_256_GCM, &self.seal).map_err(|_| broken())?;
        let mut rest = rest.to_vec();
        let plain = key
            .open_in_place(nonce, Aad::empty(), &mut rest)
            .map_err(|_| broken())?;
        Ok(plain.to_vec())
    }

    /// A keyed hash: finds equal values without storing them. `purpose` keeps uses apart.
    pub fn lookup_hash(&self, purpose: &str, value: impl AsRef<[u8]>) -> Vec<u8> {
        let value = [purpose.as_bytes(), b"\0", value.as_ref()].concat();
        hmac::sign(&self.lookup, &value).as_ref().to_vec()
    }

    /// A token that carries a claim, valid for one purpose until `expires`.
    pub fn sign_link(&self, purpose: &str, claim: &impl Serialize, expires: Instant) -> String {
        let claim = serde_json::to_vec(&(claim, expires.timestamp())).unwrap_or_default();
        let body = URL_SAFE_NO_PAD.encode(claim);
        let tag = self.link_tag(purpose, &body);
        format!("{body}.{}", URL_SAFE_NO_PAD.encode(&tag.as_ref()[..16]))
    }

    /// Reads a token back; nothing when it is forged, for another purpose or expired.
    pub fn open_link<T: DeserializeOwned>(
        &self,
        purpose: &str,
        token: &str,
        now: Instant,
    ) -> Option<T> {
        let (body, tag) = token.split_once('.')?;
        let tag = URL_SAFE_NO_PAD.decode(tag).ok()?;
        let expected = self.link_tag(purpose, body);
        constant_time::verify_slices_are_equal(&expected.as_ref()[..16], &tag).ok()?;
        let claim = URL_SAFE_NO_PAD.decode(body).ok()?;
        let (claim, expires): (T, i64) = serde_json::from_slice(&claim).ok()?;
        (now.timestamp() < expires).then_some(claim)
    }

    fn link_tag(&self, purpose: &str, body: &str) -> hmac::Tag {
        hmac::sign(&self.link, format!("{purpose}\0{body}").as_bytes())
    }
}

/// SHA-256 of some bytes.
pub fn digest(bytes: &[u8]) -> [u8; 32] {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, bytes);
    let mut out = [0; 32];
    out.copy_from_slice(digest.as_ref());
    out
}

/// A token of 256 random bits, as URL-safe text.
///
/// # Errors
/// When the system has no randomness to give.
pub fn random_token() -> Result<String> {
    let mut bytes = [0; 32];
    rand::fill(&mut bytes).map_err(|_| Error::internal("no randomness"))?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

/// A numeric one-time code of six digits.
///
/// # Errors
/// When the system has no randomness to give.
pub fn random_code() -> Result<String> {
    let mut bytes = [0; 8];
    rand::fill(&mut bytes).map_err(|_| Error::internal("no randomness"))?;
    Ok(format!("{:06}", u64::from_be_bytes(bytes) % 1_000_000))
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::{TimeDelta, Utc};

    fn vault(secret: &str) -> Vault {
        Vault::new(&SecretString::from(secret)).unwrap()
    }

    #[test]
    fn sealed_values_open_with_the_same_secret_only() {
        let ours = vault("0123456789abcdef0123456789abcdef");
        let sealed = ours.seal("11010519491231002X".as_bytes()).unwrap();
        assert_ne!(sealed, ours.seal("11010519491231002X".as_bytes()).unwrap());
        assert_eq!(ours.open(&sealed).unwrap(), b"11010519491231002X");
        assert!(
            vault("another secret of sufficient length")
                .open(&sealed)
                .is_err()
        );
        let mut changed = sealed.clone();
        changed[15] ^= 1;
        assert!(ours.open(&changed).is_err());
        assert!(ours.open(&sealed[..5]).is_err());
    }

    #[test]
    fn links_hold_for_their_purpose_and_time() {
        let vault = vault("0123456789abcdef0123456789abcdef");
        let now = Instant::from(Utc::now());
        let token = vault.sign_link("confirm", &42, now + TimeDelta::hours(1));
        assert_eq!(vault.open_link("confirm", &token, now), Some(42));
        assert_eq!(vault.open_link::<i32>("other", &token, now), None);
        assert_eq!(
            vault.open_link::<i32>("confirm", &token, now + TimeDelta::hours(2)),
            None
        );
        assert_eq!(
            vault.open_link::<i32>("confirm", &token.replace('.', "A."), now),
            None
        );
    }
}
