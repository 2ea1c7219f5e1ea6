//! How passwords are kept: Argon2id, with the parameters that OWASP names.
//!
//! Its working memory, 19 MB, is kept from one password to the next, as many as are looked at side by
//! side. Given back each time it would not go back to the system for long: the allocator puts small
//! things behind it, and a server would grow by it again and again.

use std::sync::{Mutex, PoisonError};

use argon2::password_hash::rand_core::OsRng;
use argon2::password_hash::{self, Output, ParamsString, PasswordHash, Salt, SaltString};
use argon2::{Algorithm, Argon2, Block, Params, Version};

use crate::error::{Error, Result};

/// What no password is looked at in just now.
static SPARE: Mutex<Vec<Vec<Block>>> = Mutex::new(Vec::new());

fn with_memory<T>(blocks: usize, work: impl FnOnce(&mut [Block]) -> T) -> T {
    let spare = || SPARE.lock().unwrap_or_else(PoisonError::into_inner);
    let taken = spare().pop();
    let mut memory = taken.unwrap_or_default();
    memory.resize(blocks, Block::default());
    let done = work(&mut memory);
    spare().push(memory);
    done
}

fn derive(
    (algorithm, version, params): (Algorithm, Version, Params),
    password: &str,
    salt: Salt<'_>,
) -> password_hash::Result<Output> {
    let mut decoded = [0; Salt::MAX_LENGTH];
    let salt = salt.decode_b64(&mut decoded)?;
    let length = params.output_len().unwrap_or(Params::DEFAULT_OUTPUT_LEN);
    let blocks = params.block_count();
    let argon = Argon2::new(algorithm, version, params);
    Output::init_with(length, |out| {
        with_memory(blocks, |memory| {
            Ok(argon.hash_password_into_with_memory(password.as_bytes(), salt, out, memory)?)
        })
    })
}

fn hashed(password: &str) -> password_hash::Result<String> {
    let salt = SaltString::generate(&mut OsRng);
    let (algorithm, version, params) = Default::default();
    let with = (algorithm, version, Params::clone(&params));
    let hash = PasswordHash {
        algorithm: Algorithm::ident(&algorithm),
        version: Some(Version::into(version)),
        params: ParamsString::try_from(&params)?,
        salt: Some(salt.as_salt()),
        hash: Some(derive(with, password, salt.as_salt())?),
    };
    Ok(hash.to_string())
}

/// What is kept of a password.
///
/// # Errors
/// Internal ones of the algorithm.
pub fn hash_password(password: &str) -> Result<String> {
    hashed(password).map_err(|error| Error::internal(error.to_string()))
}

fn is_of(password: &str, hash: &PasswordHash<'_>) -> Option<bool> {
    let algorithm = Algorithm::try_from(hash.algorithm).ok()?;
    let version = Version::try_from(hash.version?).ok()?;
    let params = Params::try_from(hash).ok()?;
    let derived = derive((algorithm, version, params), password, hash.salt?).ok()?;
    // takes the same time wherever the two differ
    Some(derived == hash.hash?)
}

/// Whether the password fits. Takes as long without a hash as with one, so that nobody learns from
/// the time which accounts exist.
pub fn password_fits(password: &str, hash: Option<&str>) -> bool {
    const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$2QQ6oNyDbkYqJ5DCGmgwTyGmzAyIWoGhS2Z0W7oPZPA";
    let fits = PasswordHash::new(hash.unwrap_or(NOBODY))
        .is_ok_and(|hash| is_of(password, &hash) == Some(true));
    fits && hash.is_some()
}

#[cfg(test)]
mod tests {
    use argon2::password_hash::{PasswordHasher, PasswordVerifier};

    use super::*;

    #[test]
    fn passwords_are_hashed_and_checked() {
        let hash = hash_password("correct horse").unwrap();
        assert!(password_fits("correct horse", Some(&hash)));
        assert!(!password_fits("correct house", Some(&hash)));
        assert!(!password_fits("correct horse", None));
        assert!(!password_fits("correct horse", Some("no hash")));
    }

    /// They are the same as those of the library's own way, which takes new memory each time.
    #[test]
    fn the_memory_that_is_kept_changes_nothing() {
        let hash = hash_password("correct horse").unwrap();
        let parsed = PasswordHash::new(&hash).unwrap();
        let library = Argon2::default();
        library.verify_password(b"correct horse", &parsed).unwrap();
        let salt = SaltString::generate(&mut OsRng);
        let theirs = library.hash_password(b"correct horse", &salt).unwrap();
        assert!(password_fits("correct horse", Some(&theirs.to_string())));
        assert_eq!(theirs.params.to_string(), parsed.params.to_string());
    }
}
