//! Where things are kept, and whether what is written can be: a full disk shows only where something is
//! written.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use tokio::sync::Mutex;
use tokio::time::timeout;

use super::clock::{Clock, Instant};
use super::db::Db;
use super::files::FileStore;

/// Makes a folder, and those above it that are missing, for the eyes of the user alone who runs this: codes,
/// mails and the database itself lie in such.
///
/// # Errors
/// When it cannot be made.
pub fn private_folder(path: &Path) -> std::io::Result<()> {
    let mut folder = std::fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut folder, 0o700);
    folder.recursive(true).create(path)
}

/// How long what was found counts: a look writes, and may be asked for by anybody.
const FOR: TimeDelta = TimeDelta::seconds(30);
/// How long a look may take.
const PATIENCE: Duration = Duration::from_secs(2);

/// What can be written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Writable {
    /// The database; also while nothing is known of it.
    pub database: bool,
    /// The store of files.
    pub files: bool,
}

/// Looks now and then whether the disk of the database (SQLite) and the store of files take anything.
pub struct Storage {
    db: Db,
    files: Arc<FileStore>,
    clock: Clock,
    found: Mutex<Option<(Instant, Writable)>>,
}

impl Storage {
    /// Nothing is looked at before it is asked for.
    pub fn new(db: Db, files: Arc<FileStore>, clock: Clock) -> Self {
        Self {
            db,
            files,
            clock,
            found: Mutex::default(),
        }
    }

    /// What can be written to, as it was found at most half a minute ago.
    pub async fn writable(&self) -> Writable {
        // who comes meanwhile waits for the same look
        let mut found = self.found.lock().await;
        let now = self.clock.now();
        match *found {
            Some((at, writable)) if at <= now && now - at < FOR => writable,
            _ => {
                let writable = self.look().await;
                *found = Some((now, writable));
                writable
            }
        }
    }

    async fn look(&self) -> Writable {
        let (database, files) = futures_util::join!(
            timeout(PATIENCE, self.db.check_writing()),
            timeout(PATIENCE, self.files.check()),
        );
        if let Ok(Err(error)) = &database {
            tracing::error!(%error, "the database cannot be written");
        }
        match &files {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::error!(%error, "the store of files takes none"),
            Err(_) => tracing::error!("the store of files does not answer"),
        }
        Writable {
            // where it is only busy, nothing is wrong with it
            database: !matches!(database, Ok(Err(_))),
            files: matches!(files, Ok(Ok(()))),
        }
    }
}
