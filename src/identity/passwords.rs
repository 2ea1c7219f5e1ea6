//! How passwords are kept: Argon2id, with the parameters that OWASP names.

use argon2::Argon2;
use argon2::password_hash::rand_core::OsRng;
use argon2::password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString};

use crate::error::{Error, Result};

/// What is kept of a password.
///
/// # Errors
/// Internal ones of the algorithm.
pub fn hash_password(password: &str) -> Result<String> {
    let salt = SaltString::generate(&mut OsRng);
    let hash = Argon2::default().hash_password(password.as_bytes(), &salt);
    let hash = hash.map_err(|error| Error::internal(error.to_string()))?;
    Ok(hash.to_string())
}

/// Whether the password fits. Takes as long without a hash as with one, so that nobody learns from
/// the time which accounts exist.
pub fn password_fits(password: &str, hash: Option<&str>) -> bool {
    const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$2QQ6oNyDbkYqJ5DCGmgwTyGmzAyIWoGhS2Z0W7oPZPA";
    let fits = PasswordHash::new(hash.unwrap_or(NOBODY)).is_ok_and(|hash| {
        let verified = Argon2::default().verify_password(password.as_bytes(), &hash);
        verified.is_ok()
    });
    fits && hash.is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_hashed_and_checked() {
        let hash = hash_password("correct horse").unwrap();
        assert!(password_fits("correct horse", Some(&hash)));
        assert!(!password_fits("correct house", Some(&hash)));
        assert!(!password_fits("correct horse", None));
        assert!(!password_fits("correct horse", Some("no hash")));
    }
}
