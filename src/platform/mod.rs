//! Plumbing that knows no noun of the domain.

pub mod cache;
pub mod clock;
pub mod columns;
pub mod config;
pub mod db;
pub mod files;
pub mod http;
pub mod jobs;
pub mod journal;
pub mod lang;
pub mod lifecycle;
pub mod mail;
pub mod projection;
pub mod sms;
pub mod storage;
pub mod token;
pub mod wakeups;
pub mod workdays;

use std::sync::Arc;

/// The hands every room works with. Cheap to clone.
#[derive(Clone)]
pub struct Platform {
    /// The records.
    pub db: db::Db,
    /// Shared counters, and messages between processes.
    pub cache: cache::Cache,
    /// Who reads the journal is woken by these.
    pub wakeups: wakeups::Wakeups,
    /// Photos and documents.
    pub files: Arc<files::FileStore>,
    /// Whether what is written can be kept.
    pub storage: Arc<storage::Storage>,
    /// Keys derived from the master secret.
    pub vault: token::Vault,
    /// The one clock.
    pub clock: clock::Clock,
    /// The zone of wall-clock rules.
    pub zone: chrono_tz::Tz,
    /// Whether a reverse proxy stands in front, whose `X-Forwarded-For` tells the caller's address.
    pub behind_proxy: bool,
    /// The address people reach the server at, without a slash at its end.
    pub public_url: Arc<str>,
}

impl Platform {
    /// The day it is on the wall.
    pub fn today(&self) -> chrono::NaiveDate {
        self.clock.now().with_timezone(&self.zone).date_naive()
    }
}
