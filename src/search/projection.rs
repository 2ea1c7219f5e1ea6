//! The room's door: all that can be found, in memory, kept as the database is
//! ([`crate::platform::projection`]).

use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use tokio::task::JoinSet;

use super::settings::SearchRules;
use super::shelf::{Register, Shelf};
use super::store::{self, Present};
use crate::error::{Error, Result};
use crate::platform::Platform;
use crate::platform::clock::Clock;
use crate::platform::db::Db;
use crate::platform::journal::Position;
use crate::platform::projection::{LookUp, Progress, Projection, follow};

/// What is loaded at once.
const PAGE: i64 = 500;

/// The room's door: what can be found, and what keeps it current. Cheap to clone.
#[derive(Clone)]
pub struct Search(Arc<Inner>);

struct Inner {
    shelf: Arc<RwLock<Shelf>>,
    progress: Progress,
    platform: Platform,
    rules: SearchRules,
    /// Ends with the last handle, since it holds none.
    follower: Mutex<JoinSet<()>>,
}

impl Search {
    /// An empty shelf, which [`Search::follow`] fills; there is no index before.
    pub fn new(platform: Platform, rules: SearchRules) -> Self {
        Self(Arc::new(Inner {
            shelf: Arc::default(),
            progress: Progress::new(Follower::NAME),
            platform,
            rules,
            follower: Mutex::default(),
        }))
    }

    /// Builds the index and keeps it current, on the runtime at hand; once, however often it is
    /// called.
    pub fn follow(&self) {
        let inner = &self.0;
        let mut follower = inner
            .follower
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if follower.is_empty() {
            inner.platform.wakeups.relay();
            let projection = Follower {
                shown: inner.shelf.clone(),
                register: None,
                clock: inner.platform.clock.clone(),
                db: inner.platform.db.clone(),
            };
            follower.spawn(follow(
                projection,
                inner.progress.clone(),
                inner.platform.clone(),
                Duration::from_millis(inner.rules.poll_ms),
            ));
        }
    }

    /// Whether the index is built.
    pub fn is_ready(&self) -> bool {
        self.0.progress.is_ready()
    }

    /// The last entry of the journal that is in the index; none while it is built.
    pub fn read(&self) -> Option<Position> {
        self.0.progress.read()
    }

    /// Waits until the index is built.
    pub async fn until_ready(&self) {
        self.0.progress.until_ready().await;
    }

    /// Waits until the index has all that this process had answered by now.
    ///
    /// # Errors
    /// `overloaded` while it is built.
    pub async fn until_current(&self) -> Result<()> {
        let inner = &self.0;
        inner.progress.until_current(&inner.platform.db).await
    }

    /// What can be found as it is: a snapshot, which later changes leave as it was.
    pub fn shelf(&self) -> Shelf {
        let shelf = self.0.shelf.read().unwrap_or_else(PoisonError::into_inner);
        shelf.clone()
    }

    /// What can be found as the database has it now, built anew.
    ///
    /// # Errors
    /// Those of the database and of the index.
    pub async fn rebuilt(&self) -> Result<Shelf> {
        let (_, shelf) = build(&self.0.platform.db).await?;
        Ok(shelf)
    }
}

struct Follower {
    shown: Arc<RwLock<Shelf>>,
    /// None before it is built, and after a change that broke it.
    register: Option<Register>,
    clock: Clock,
    db: Db,
}

impl Follower {
    fn show(&self, shelf: Shelf) {
        *self.shown.write().unwrap_or_else(PoisonError::into_inner) = shelf;
    }
}

impl Projection for Follower {
    const NAME: &'static str = "search";
    type News = Present;

    async fn build(&mut self, db: &Db) -> Result<()> {
        let began = self.clock.now();
        let (register, shelf) = build(db).await?;
        let took_ms = (self.clock.now() - began).num_milliseconds();
        let documents = shelf.count();
        tracing::info!(documents, took_ms, "search is ready");
        self.register = Some(register);
        self.show(shelf);
        Ok(())
    }

    fn look_up(&self) -> LookUp<Present> {
        Box::new(store::present)
    }

    async fn apply(&mut self, present: Present) -> Result<()> {
        if present.is_empty() {
            return Ok(());
        }
        let Some(mut register) = self.register.take() else {
            let db = self.db.clone();
            return self.build(&db).await;
        };
        // the index writes on a thread of its own, and this one waits for it
        let work = move || {
            let shelf = put(&mut register, present)?;
            Ok::<_, Error>((register, shelf))
        };
        let (register, shelf) = tokio::task::spawn_blocking(work)
            .await
            .map_err(Error::internal)??;
        self.register = Some(register);
        self.show(shelf);
        Ok(())
    }
}

fn put(register: &mut Register, present: Present) -> Result<Shelf> {
    for (id, facts) in present.regions {
        register.put_region(id, facts);
    }
    for (key, document) in present.documents {
        register.put(key, document)?;
    }
    register.shelf()
}

/// Everything as the database has it.
async fn build(db: &Db) -> Result<(Register, Shelf)> {
    let mut present = Present {
        regions: db.read(store::all_regions).await?,
        ..Present::default()
    };
    for source in store::SOURCES {
        let mut after = None;
        loop {
            let (ids, page) = db
                .read(move |conn| {
                    let ids = (source.ids)(conn, after, PAGE)?;
                    let page = (source.load)(conn, &ids)?;
                    Ok((ids, page))
                })
                .await?;
            let Some(last) = ids.last() else { break };
            after = Some(*last);
            let named = page.into_iter().map(|one| (one.key(), Some(one)));
            present.documents.extend(named);
        }
    }
    tokio::task::spawn_blocking(move || {
        let mut register = Register::new()?;
        let shelf = put(&mut register, present)?;
        Ok((register, shelf))
    })
    .await
    .map_err(Error::internal)?
}
