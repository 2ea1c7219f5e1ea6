//! One process on a SQLite file: the one that serves or works holds a lock beside it.
//!
//! Another one would contend with the writer for the file, which SQLite settles by waiting, not in
//! turn: under load one of the two would give up. The lock ends with its process, however that ends.

use std::fs::{File, TryLockError};
use std::path::Path;

use super::DbConfig;
use crate::error::{Error, Result};
use crate::platform::storage::private_folder;

/// The right to work on a SQLite file alone; on PostgreSQL nothing is held.
#[must_use]
pub struct Alone {
    _lock: Option<File>,
}

impl Alone {
    /// Takes the right, until it is dropped.
    ///
    /// # Errors
    /// With a sentence for whoever started this process, when another one has it.
    pub fn on(config: &DbConfig) -> Result<Self> {
        let Some(database) = config.sqlite_path() else {
            return Ok(Self { _lock: None });
        };
        let fault = |error: std::io::Error| {
            Error::internal(format!("database.url: {}: {error}", database.display()))
        };
        if let Some(folder) = database.parent() {
            private_folder(folder).map_err(fault)?;
        }
        let mut path = database.clone().into_os_string();
        path.push(".lock");
        let lock = File::create(Path::new(&path)).map_err(fault)?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { _lock: Some(lock) }),
            Err(TryLockError::WouldBlock) => Err(Error::internal(format!(
                "another process serves {} or imports into it; SQLite has one at a time. Stop it \
                 first, or, to import while it serves, use POST /api/v1/imports",
                database.display()
            ))),
            Err(TryLockError::Error(error)) => Err(fault(error)),
        }
    }
}
