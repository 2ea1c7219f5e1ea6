//! Keeps the [`World`] as the database is. Who asks takes the snapshot of the moment and holds up
//! nobody; changes are made in a [`Register`] that the follower alone has, and shown all at once.
//!
//! At start everything is loaded, page by page, after the journal's head was noted; then the
//! journal is followed from there. An entry only tells *what* changed: its present state is looked
//! up, so an entry may be handled early, twice or late and the result is the same. One task does
//! all look-ups, one after the other, so a later one never puts something older in place.
//!
//! Entries behind an open older transaction are handled early, as soon as they are committed, and
//! remembered until they are settled; the place in the journal moves by settled ones alone. Wakened
//! by every commit, in this process at once, in others through Redis, it also looks by itself now
//! and then.

use std::collections::HashSet;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use tokio::sync::watch;

use super::model::{Need, Person};
use super::store::{self, Present, SOURCES, Setting};
use super::world::{Register, World};
use crate::error::{Error, Result};
use crate::identity::AccountId;
use crate::platform::Platform;
use crate::platform::db::{Conn, Db};
use crate::platform::journal::{self, Position, Touched};

/// What is read of the journal, or loaded, at once.
const PAGE: i64 = 500;
/// Between two readings of the journal while commits come in one after the other.
const BREATH: Duration = Duration::from_millis(40);
/// Between two attempts while the database does not answer.
const PAUSE: Duration = Duration::from_secs(1);

/// What the follower shares with those who ask.
#[derive(Clone)]
pub struct Shared {
    pub setting: Arc<Setting>,
    world: Arc<RwLock<Arc<World>>>,
    /// How many commits of this process are in the world; none while it is built.
    pub applied: watch::Sender<Option<u64>>,
}

impl Shared {
    /// What is empty until it is followed.
    pub fn new(setting: Setting) -> Self {
        Self {
            setting: Arc::new(setting),
            world: Arc::default(),
            applied: watch::Sender::new(None),
        }
    }

    /// The world as it is now.
    pub fn world(&self) -> Arc<World> {
        // nothing is done under the lock but to copy a pointer
        Arc::clone(&self.world.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn show(&self, register: &Register) {
        let world = Arc::new(register.world());
        *self.world.write().unwrap_or_else(PoisonError::into_inner) = world;
    }
}

/// Builds the world, then keeps it current; does not end.
pub async fn follow(shared: Shared, platform: Platform) {
    let poll = Duration::from_millis(shared.setting.matching.poll_ms);
    let mut wakeups = platform.wakeups.subscribe(BREATH);
    let (mut register, mut place) = loop {
        let commits = wakeups.own_commits();
        match begin(&platform.db, &shared).await {
            Ok(begun) => {
                let (people, needs) = shared.world().counts();
                tracing::info!(people, needs, "matching is ready");
                shared.applied.send_replace(Some(commits));
                break begun;
            }
            Err(error) => {
                tracing::error!(%error, "matching cannot be built; trying again");
                tokio::time::sleep(PAUSE).await;
            }
        }
    };
    loop {
        let commits = wakeups.own_commits();
        match catch_up(&platform.db, &shared, &mut register, &mut place).await {
            Ok(()) => {
                shared.applied.send_replace(Some(commits));
                wakeups.wait(poll).await;
            }
            Err(error) => {
                tracing::error!(%error, "matching falls behind; trying again");
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

/// Everything, built and shown, and where to read on.
async fn begin(db: &Db, shared: &Shared) -> Result<(Register, Place)> {
    // before the load: what changes meanwhile comes after it
    let settled = db.read(journal::head).await?;
    let register = build(db, &shared.setting).await?;
    shared.show(&register);
    let place = Place {
        settled,
        early: HashSet::new(),
    };
    Ok((register, place))
}

/// Everything as the database has it.
pub async fn build(db: &Db, setting: &Arc<Setting>) -> Result<Register> {
    let (mut people, mut needs, mut pages) = (Vec::new(), Vec::new(), 0);
    let mut after: Option<AccountId> = None;
    loop {
        let page = db
            .read({
                let setting = setting.clone();
                move |conn| store::page_of_people(conn, &setting, after, PAGE)
            })
            .await?;
        let Some(last) = page.last() else { break };
        after = Some(last.id);
        people.extend(page);
        pages += 1;
        tell_progress(&people, &needs, pages);
    }
    for source in SOURCES {
        let mut after = None;
        loop {
            let setting = setting.clone();
            let (ids, page) = db
                .read(move |conn| {
                    let ids = (source.ids)(conn, after, PAGE)?;
                    let needs = (source.load)(conn, &setting, &ids)?;
                    Ok((ids, needs))
                })
                .await?;
            let Some(last) = ids.last() else { break };
            after = Some(*last);
            needs.extend(page);
            pages += 1;
            tell_progress(&people, &needs, pages);
        }
    }
    ordered(move || Register::of(people, needs)).await
}

/// Puts everything in order on a thread that may take its time.
async fn ordered(make: impl FnOnce() -> Register + Send + 'static) -> Result<Register> {
    tokio::task::spawn_blocking(make)
        .await
        .map_err(Error::internal)
}

fn tell_progress(people: &[Person], needs: &[Need], pages: usize) {
    if pages.is_multiple_of(20) {
        let (people, needs) = (people.len(), needs.len());
        tracing::info!(people, needs, "matching is being built");
    }
}

async fn catch_up(
    db: &Db,
    shared: &Shared,
    register: &mut Register,
    place: &mut Place,
) -> Result<()> {
    let setting = shared.setting.clone();
    let (settled, early) = (place.settled, place.early.clone());
    let (entries, present) = db
        .read(move |conn| {
            let entries = news(conn, settled)?;
            let unhandled: Vec<_> = entries
                .iter()
                .filter(|entry| !early.contains(&entry.position))
                .collect();
            let present = store::present(conn, &setting, &unhandled)?;
            Ok((entries, present))
        })
        .await?;
    if apply(register, present) {
        shared.show(register);
    }
    place.move_on(&entries);
    if register.is_worn() {
        // answers go on meanwhile
        let worn = register.clone();
        *register = ordered(move || worn.ordered_anew()).await?;
        shared.show(register);
    }
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

/// Puts the present states in place; whether there were any.
fn apply(register: &mut Register, present: Present) -> bool {
    let is_news = !present.people.is_empty() || !present.needs.is_empty();
    for (id, person) in present.people {
        match person {
            Some(person) => register.put_person(person),
            None => register.remove_person(id),
        }
    }
    for (id, need) in present.needs {
        match need {
            Some(need) => register.put_need(need),
            None => register.remove_need(id),
        }
    }
    is_news
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
