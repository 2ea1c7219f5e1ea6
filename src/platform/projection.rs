//! Projections: what a room keeps in memory as the database is.
//!
//! At start everything is loaded after the journal's head was noted; then the journal is followed
//! from there. An entry only tells *what* changed: its present state is looked up, so an entry may
//! be handled early, twice or late and the result is the same. One task does all look-ups, one
//! after the other, so a later one never puts something older in place.
//!
//! Entries behind an open older transaction are handled early, as soon as they are committed, and
//! remembered until they are settled; the place in the journal moves by settled ones alone. Wakened
//! by every commit, in this process at once, in others through Redis, it also looks by itself now
//! and then.

use std::collections::HashSet;
use std::time::Duration;

use tokio::sync::watch;

use super::Platform;
use super::db::{Conn, Db};
use super::journal::{self, Position, Touched};
use crate::error::{Error, Result};

/// What is read of the journal at once.
const PAGE: i64 = 500;
/// Between two readings of the journal while commits come in one after the other.
const BREATH: Duration = Duration::from_millis(40);
/// Between two attempts while the database does not answer.
const PAUSE: Duration = Duration::from_secs(1);
/// How long an answer waits for the caller's own writes; then it does without.
const PATIENCE: Duration = Duration::from_secs(2);

/// Looks up the present state of what may have changed with these entries.
pub type LookUp<T> = Box<dyn FnOnce(&mut Conn, &[&Touched]) -> Result<T> + Send>;

/// What is kept in memory, and how.
pub trait Projection: Send + 'static {
    /// What it is called in the log.
    const NAME: &'static str;
    /// The present state of what changed.
    type News: Send + 'static;

    /// Builds everything anew and shows it.
    fn build(&mut self, db: &Db) -> impl Future<Output = Result<()>> + Send;

    /// How the present state is looked up.
    fn look_up(&self) -> LookUp<Self::News>;

    /// Puts the present states in place and shows them.
    fn apply(&mut self, news: Self::News) -> impl Future<Output = Result<()>> + Send;
}

/// How far a projection is, for those who wait for it. Cheap to clone.
#[derive(Clone)]
pub struct Progress {
    name: &'static str,
    /// What is in it; none while it is built.
    applied: watch::Sender<Option<Applied>>,
}

/// What is in a projection.
#[derive(Clone, Copy)]
struct Applied {
    /// So many commits of this process.
    commits: u64,
    /// The journal up to here, as far as it was committed.
    read: Position,
}

impl Progress {
    /// That of a projection that is not built yet.
    pub fn new(name: &'static str) -> Self {
        Self {
            name,
            applied: watch::Sender::new(None),
        }
    }

    /// The last entry of the journal that is in it; none while it is built.
    pub fn read(&self) -> Option<Position> {
        self.applied.borrow().map(|applied| applied.read)
    }

    /// Whether it is built.
    pub fn is_ready(&self) -> bool {
        self.applied.borrow().is_some()
    }

    /// Waits until it is built.
    pub async fn until_ready(&self) {
        // the sender lives as long as this handle, so waiting cannot fail
        let _ = self.applied.subscribe().wait_for(Option::is_some).await;
    }

    /// Waits until it has all that this process had answered by now, so that callers see what they
    /// wrote. Where that takes too long, it is used as it is.
    ///
    /// # Errors
    /// `overloaded` while it is built.
    pub async fn until_current(&self, db: &Db) -> Result<()> {
        if !self.is_ready() {
            return Err(Error::overloaded());
        }
        let commits = *db.commits().borrow();
        let mut applied = self.applied.subscribe();
        let current =
            applied.wait_for(|applied| applied.is_some_and(|applied| applied.commits >= commits));
        if tokio::time::timeout(PATIENCE, current).await.is_err() {
            let name = self.name;
            tracing::warn!("{name} answers without the latest changes");
        }
        Ok(())
    }
}

/// Builds a projection, then keeps it current; does not end.
pub async fn follow<P: Projection>(
    mut projection: P,
    progress: Progress,
    platform: Platform,
    poll: Duration,
) {
    let (db, name) = (&platform.db, P::NAME);
    let mut wakeups = platform.wakeups.subscribe(BREATH);
    let mut place = loop {
        let commits = wakeups.own_commits();
        match begin(db, &mut projection).await {
            Ok(place) => {
                progress.applied.send_replace(Some(place.applied(commits)));
                break place;
            }
            Err(error) => {
                tracing::error!(%error, "{name} cannot be built; trying again");
                tokio::time::sleep(PAUSE).await;
            }
        }
    };
    loop {
        let commits = wakeups.own_commits();
        match catch_up(db, &mut projection, &mut place).await {
            Ok(()) => {
                progress.applied.send_replace(Some(place.applied(commits)));
                wakeups.wait(poll).await;
            }
            Err(error) => {
                tracing::error!(%error, "{name} falls behind; trying again");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

/// How far the journal is read.
#[derive(Debug, Default)]
struct Place {
    /// Everything up to here is settled and handled.
    settled: Position,
    /// What is handled beyond it.
    early: HashSet<Position>,
}

impl Place {
    fn applied(&self, commits: u64) -> Applied {
        let early = self.early.iter().max().copied().unwrap_or_default();
        Applied {
            commits,
            read: early.max(self.settled),
        }
    }

    /// These were handled. Settled is only what has nothing unsettled before it: a later page may
    /// have been read when more was settled than when the one before was.
    fn move_on(&mut self, entries: &[Touched]) {
        let settled = entries.iter().take_while(|entry| entry.is_settled);
        if let Some(last) = settled.last() {
            self.settled = last.position;
        }
        let settled = self.settled;
        self.early.retain(|position| *position > settled);
        let beyond = entries.iter().map(|entry| entry.position);
        self.early
            .extend(beyond.filter(|position| *position > settled));
    }
}

/// Everything, built and shown; returns where to read on.
async fn begin<P: Projection>(db: &Db, projection: &mut P) -> Result<Place> {
    // before the load: what changes meanwhile comes after it
    let settled = db.read(journal::head).await?;
    projection.build(db).await?;
    Ok(Place {
        settled,
        early: HashSet::new(),
    })
}

async fn catch_up<P: Projection>(db: &Db, projection: &mut P, place: &mut Place) -> Result<()> {
    let look_up = projection.look_up();
    let (settled, early) = (place.settled, place.early.clone());
    let (entries, present) = db
        .read(move |conn| {
            let entries = news(conn, settled)?;
            let unhandled: Vec<_> = entries
                .iter()
                .filter(|entry| !early.contains(&entry.position))
                .collect();
            let present = look_up(conn, &unhandled)?;
            Ok((entries, present))
        })
        .await?;
    projection.apply(present).await?;
    place.move_on(&entries);
    Ok(())
}

/// Everything committed after a settled position.
fn news(conn: &mut Conn, settled: Position) -> Result<Vec<Touched>> {
    let mut all: Vec<Touched> = Vec::new();
    loop {
        let from = all.last().map_or(settled, |last| last.position);
        let page = journal::touched(conn, from, PAGE)?;
        let is_last = (page.len() as i64) < PAGE;
        all.extend(page);
        if is_last {
            return Ok(all);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::columns::Uid;

    fn entry(txid: i64, is_settled: bool) -> Touched {
        Touched {
            position: Position { txid, seq: txid },
            is_settled,
            noun: "wish".to_owned(),
            subject: Uid(uuid::Uuid::nil()),
        }
    }

    #[test]
    fn the_place_never_moves_over_what_is_not_settled() {
        let mut place = Place::default();
        place.move_on(&[entry(1, true), entry(3, false), entry(4, true)]);
        assert_eq!(place.settled.txid, 1, "2 may still come");
        assert_eq!(place.early.len(), 2);
        assert_eq!(place.applied(1).read.txid, 4);
        // it came: it is news, 3 and 4 are not
        let news = [entry(2, true), entry(3, true), entry(4, true)];
        let unhandled: Vec<_> = news
            .iter()
            .filter(|entry| !place.early.contains(&entry.position))
            .collect();
        assert_eq!(unhandled, [&news[0]]);
        place.move_on(&news);
        assert_eq!(place.settled.txid, 4);
        assert!(place.early.is_empty());
    }
}
