//! The room's door: the world in memory, and how others wait for it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::task::JoinSet;

use super::follower::{Follower, Shared, build};
use super::settings::MatchingRules;
use super::store::Setting;
use super::world::World;
use crate::error::Result;
use crate::platform::journal::Position;
use crate::platform::{Platform, projection};
use crate::projects::ProjectRules;
use crate::wishes::WishRules;

/// The room's door: the world, and what keeps it current. Cheap to clone.
#[derive(Clone)]
pub struct Matching(Arc<Inner>);

struct Inner {
    shared: Shared,
    platform: Platform,
    /// Ends with the last handle, since it holds none.
    follower: Mutex<JoinSet<()>>,
}

impl Matching {
    /// An empty world, which [`Matching::follow`] fills.
    pub fn new(
        platform: Platform,
        matching: MatchingRules,
        wishes: WishRules,
        projects: &ProjectRules,
    ) -> Self {
        let shared = Shared::new(Setting {
            matching,
            wishes,
            vetting: projects.vetting.clone(),
            vault: platform.vault.clone(),
            zone: platform.zone,
        });
        Self(Arc::new(Inner {
            shared,
            platform,
            follower: Mutex::default(),
        }))
    }

    /// Builds the world and keeps it current, on the runtime at hand; once, however often it is
    /// called.
    pub fn follow(&self) {
        let inner = &self.0;
        let mut follower = inner
            .follower
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if follower.is_empty() {
            inner.platform.wakeups.relay();
            let shared = inner.shared.clone();
            let poll = Duration::from_millis(shared.setting.matching.poll_ms);
            let progress = shared.progress.clone();
            let platform = inner.platform.clone();
            follower.spawn(projection::follow(
                Follower::new(shared),
                progress,
                platform,
                poll,
            ));
        }
    }

    /// Whether the world is built.
    pub fn is_ready(&self) -> bool {
        self.0.shared.progress.is_ready()
    }

    /// The last entry of the journal that is in the world; none while it is built.
    pub fn read(&self) -> Option<Position> {
        self.0.shared.progress.read()
    }

    /// Waits until the world is built.
    pub async fn until_ready(&self) {
        self.0.shared.progress.until_ready().await;
    }

    /// Waits until the world has all that this process had answered by now, so that callers see
    /// what they wrote. Where that takes too long, the world is used as it is.
    ///
    /// # Errors
    /// `overloaded` while the world is built.
    pub async fn until_current(&self) -> Result<()> {
        let inner = &self.0;
        inner
            .shared
            .progress
            .until_current(&inner.platform.db)
            .await
    }

    /// The world as it is: a snapshot, which later changes leave as it was.
    pub fn world(&self) -> Arc<World> {
        self.0.shared.world()
    }

    /// The world as the database has it now, built anew.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn rebuilt(&self) -> Result<World> {
        let register = build(&self.0.platform.db, &self.0.shared.setting).await?;
        Ok(register.world())
    }

    /// The hands it works with.
    pub(super) fn platform(&self) -> &Platform {
        &self.0.platform
    }

    pub(super) fn setting(&self) -> &Setting {
        &self.0.shared.setting
    }
}
