//! Keeps the [`World`] as the database is ([`crate::platform::projection`]). Who asks takes the snapshot
//! of the moment and holds up nobody; changes are made in a [`Register`] that the follower alone has, and
//! shown all at once.

use std::sync::{Arc, PoisonError, RwLock};

use futures_util::{StreamExt, stream};

use super::store::{self, Present, SOURCES, Setting};
use super::world::{Register, World};
use crate::error::{Error, Result};
use crate::platform::db::{Conn, Db};
use crate::platform::projection::{LookUp, Progress, Projection};

/// What one query asks for while everything is loaded…
const PAGE: usize = 1_000;
/// …and how many pages are loaded at once.
const PAGES_AT_ONCE: usize = 4;

/// What the follower shares with those who ask.
#[derive(Clone)]
pub struct Shared {
    pub setting: Arc<Setting>,
    world: Arc<RwLock<Arc<World>>>,
    /// How far the world is.
    pub progress: Progress,
}

impl Shared {
    /// What is empty until it is followed.
    pub fn new(setting: Setting) -> Self {
        Self {
            setting: Arc::new(setting),
            world: Arc::default(),
            progress: Progress::new(Follower::NAME),
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

/// The world as it is changed.
pub struct Follower {
    shared: Shared,
    register: Register,
}

impl Follower {
    pub fn new(shared: Shared) -> Self {
        Self {
            shared,
            register: Register::of(Vec::new(), Vec::new()),
        }
    }
}

impl Projection for Follower {
    const NAME: &'static str = "matching";
    type News = Present;

    async fn build(&mut self, db: &Db) -> Result<()> {
        self.register = build(db, &self.shared.setting).await?;
        self.shared.show(&self.register);
        let (people, needs) = self.shared.world().counts();
        tracing::info!(people, needs, "matching is ready");
        Ok(())
    }

    fn look_up(&self) -> LookUp<Present> {
        let setting = self.shared.setting.clone();
        Box::new(move |conn, touched| store::present(conn, &setting, touched))
    }

    async fn apply(&mut self, present: Present) -> Result<()> {
        if apply(&mut self.register, present) {
            self.shared.show(&self.register);
        }
        if self.register.is_worn() {
            // answers go on meanwhile
            let worn = self.register.clone();
            self.register = ordered(move || worn.ordered_anew()).await?;
            self.shared.show(&self.register);
        }
        Ok(())
    }
}

/// Everything as the database has it.
pub async fn build(db: &Db, setting: &Arc<Setting>) -> Result<Register> {
    let who = db.read(store::ids_of_people).await?;
    let people = loaded(db, setting, "people", who, store::load_people).await?;
    let mut needs = Vec::new();
    for source in SOURCES {
        let open = db.read(source.ids).await?;
        needs.extend(loaded(db, setting, source.kind.as_str(), open, source.load).await?);
    }
    ordered(move || Register::of(people, needs)).await
}

/// Loads what these ids name, a few pages at once, in the order of the ids.
async fn loaded<I, T>(
    db: &Db,
    setting: &Arc<Setting>,
    what: &str,
    ids: Vec<I>,
    load: fn(&mut Conn, &Setting, &[I]) -> Result<Vec<T>>,
) -> Result<Vec<T>>
where
    I: Copy + Send + 'static,
    T: Send + 'static,
{
    let pages: Vec<_> = ids.chunks(PAGE).map(<[I]>::to_vec).collect();
    let pages = stream::iter(pages).map(|page| {
        let setting = setting.clone();
        db.read(move |conn| load(conn, &setting, &page))
    });
    let mut pages = pages.buffered(PAGES_AT_ONCE).enumerate();
    let mut all = Vec::with_capacity(ids.len());
    while let Some((n, page)) = pages.next().await {
        all.extend(page?);
        if (n + 1).is_multiple_of(20) {
            tracing::info!(
                what,
                loaded = all.len(),
                of = ids.len(),
                "matching is being built"
            );
        }
    }
    Ok(all)
}

/// Puts everything in order on a thread that may take its time.
async fn ordered(make: impl FnOnce() -> Register + Send + 'static) -> Result<Register> {
    tokio::task::spawn_blocking(make)
        .await
        .map_err(Error::internal)
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
