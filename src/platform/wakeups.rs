//! Wake-ups: who reads the journal or the outbox hears of commits at once, of this process and,
//! through Redis, of the others. A wake-up says nothing but that there is something to read, may be
//! lost and may come for nothing: readers also look by themselves now and then.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Interval, MissedTickBehavior, interval, timeout};

use super::cache::Cache;
use super::db::Db;

/// Where processes tell each other of their commits.
const CHANNEL: &str = "commits";
/// Between two attempts to listen.
const PAUSE: Duration = Duration::from_secs(1);

/// The wake-ups of a process. Cheap to clone.
#[derive(Clone)]
pub struct Wakeups(Arc<Inner>);

struct Inner {
    db: Db,
    cache: Cache,
    others: watch::Sender<u64>,
    /// The relay between this process and the others; ends with the last handle, since it holds
    /// none.
    relay: Mutex<JoinSet<()>>,
}

impl Wakeups {
    /// Those of this database's commits. Commits of other processes are heard after
    /// [`Wakeups::relay`].
    pub fn new(db: Db, cache: Cache) -> Self {
        Self(Arc::new(Inner {
            db,
            cache,
            others: watch::Sender::new(0),
            relay: Mutex::default(),
        }))
    }

    /// Begins to tell the other processes of this one's commits and to hear of theirs, on the
    /// runtime at hand; once, however often it is called.
    pub fn relay(&self) {
        let inner = &self.0;
        let mut relay = inner.relay.lock().unwrap_or_else(PoisonError::into_inner);
        if !inner.cache.is_shared() || !relay.is_empty() {
            return;
        }
        let me = uuid::Uuid::now_v7().to_string();
        relay.spawn(tell(inner.cache.clone(), inner.db.commits(), me.clone()));
        relay.spawn(hear(inner.cache.clone(), inner.others.clone(), me));
    }

    /// What wakes a reader from now on: for the first commit after a rest at once, and for those of
    /// a burst together, so that there is a breath between two wake-ups.
    pub fn subscribe(&self, breath: Duration) -> Listener {
        let mut breath = interval(breath);
        breath.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Listener {
            breath,
            own: self.0.db.commits(),
            others: self.0.others.subscribe(),
        }
    }
}

async fn tell(cache: Cache, mut commits: watch::Receiver<u64>, me: String) {
    let mut is_well = true;
    // commits that come while a message is on its way are told together by the next
    while commits.changed().await.is_ok() {
        let told = cache.publish(CHANNEL, &me).await;
        if let Err(error) = &told
            && is_well
        {
            tracing::warn!(%error, "other processes hear of commits late");
        }
        is_well = told.is_ok();
    }
}

async fn hear(cache: Cache, others: watch::Sender<u64>, me: String) {
    loop {
        let wake = |from: &str| {
            if from != me {
                others.send_modify(|count| *count += 1);
            }
        };
        if let Err(error) = cache.listen(CHANNEL, wake).await {
            tracing::debug!(%error, "commits of other processes are heard late");
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// What wakes one reader.
pub struct Listener {
    breath: Interval,
    own: watch::Receiver<u64>,
    others: watch::Receiver<u64>,
}

impl Listener {
    /// Waits for a commit that was not waited for yet, here or elsewhere, but not longer than this.
    pub async fn wait(&mut self, at_most: Duration) {
        let either = async {
            tokio::select! {
                heard = self.own.changed() => heard,
                heard = self.others.changed() => heard,
            }
        };
        match timeout(at_most, either).await {
            Ok(Ok(())) | Err(_) => {}
            // the database is closed: nothing will come, but whoever waits is not to spin
            Ok(Err(_)) => tokio::time::sleep(at_most).await,
        }
        self.breath.tick().await;
    }

    /// How many commits of this process there are by now ([`Db::commits`]).
    pub fn own_commits(&mut self) -> u64 {
        *self.own.borrow_and_update()
    }
}
