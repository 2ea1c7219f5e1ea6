//! What processes share beside the database: counters for throttling, and wake-ups.
//!
//! In one process both live in memory; several share a Redis. It is never the only guard of a
//! rule: losing it costs speed, not correctness. Without an answer in time, counting goes on per
//! process and wake-ups are replaced by the readers' slow poll.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use moka::Expiry;
use moka::policy::EvictionPolicy;
use redis::AsyncCommands;
use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize, Serializer};
use validator::Validate;

/// Where shared counters live.
#[derive(Clone, Debug, Deserialize, Serialize, Validate)]
#[serde(deny_unknown_fields)]
pub struct CacheConfig {
    /// In memory, or in Redis.
    pub store: CacheStore,
    /// The address of Redis.
    #[serde(default, serialize_with = "redacted")]
    pub url: Option<SecretString>,
    /// Put before every key.
    pub prefix: String,
    /// How long Redis may take, in milliseconds.
    #[validate(range(min = 1, max = 3_600_000))]
    pub timeout_ms: u64,
}

impl CacheConfig {
    /// What is wrong with the settings.
    pub fn fault(&self) -> Option<String> {
        match self.store {
            CacheStore::Memory => None,
            CacheStore::Redis => self.client().err().map(|error| error.to_string()),
        }
    }

    fn client(&self) -> Result<redis::Client, CacheError> {
        let url = self.url.as_ref().map_or("", |url| url.expose_secret());
        redis::Client::open(url).map_err(|error| CacheError::Address(error.to_string()))
    }
}

fn redacted<S: Serializer>(url: &Option<SecretString>, to: S) -> Result<S::Ok, S::Error> {
    match url {
        Some(url) => super::config::redact_url(url, to),
        None => to.serialize_str(""),
    }
}

/// The two places.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CacheStore {
    /// This process.
    Memory,
    /// A Redis server.
    Redis,
}

/// Why there is no cache.
#[derive(Debug, thiserror::Error)]
pub enum CacheError {
    /// The address is missing or malformed.
    #[error("cache.url: {0}")]
    Address(String),
    /// Redis did not answer, or not in time.
    #[error("redis: {0}")]
    Unreachable(String),
}

/// How often something happened in the window at hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hits {
    /// This one included.
    pub count: u64,
    /// Until the window ends.
    pub resets_in: Duration,
}

/// Counters shared by the processes of a deployment. Cheap to clone.
#[derive(Clone)]
pub struct Cache {
    counters: moka::sync::Cache<String, Arc<Counter>>,
    redis: Option<Redis>,
}

#[derive(Clone)]
struct Redis {
    client: redis::Client,
    manager: ConnectionManager,
    prefix: Arc<str>,
    timeout: Duration,
    count: Arc<redis::Script>,
    take_back: Arc<redis::Script>,
}

struct Counter {
    count: AtomicU64,
    ends: Instant,
}

/// After so long without a word, a listening connection is asked whether it lives.
const SILENCE: Duration = Duration::from_secs(10);

/// A counter lives until its window ends.
struct UntilItsEnd;

impl Expiry<String, Arc<Counter>> for UntilItsEnd {
    fn expire_after_create(
        &self,
        _: &String,
        counter: &Arc<Counter>,
        now: Instant,
    ) -> Option<Duration> {
        Some(counter.ends.saturating_duration_since(now))
    }
}

impl Cache {
    /// Makes the counters ready. A Redis that is down is no error: it is used once it is up.
    ///
    /// # Errors
    /// When the address is missing or malformed.
    pub async fn connect(config: &CacheConfig) -> Result<Self, CacheError> {
        let counters = moka::sync::Cache::builder()
            .max_capacity(100_000)
            // the usual policy keeps what is asked for often and drops newcomers: under a flood of
            // keys nothing new would be counted
            .eviction_policy(EvictionPolicy::lru())
            .expire_after(UntilItsEnd)
            .build();
        let redis = match config.store {
            CacheStore::Memory => None,
            CacheStore::Redis => {
                let client = config.client()?;
                let timeout = Duration::from_millis(config.timeout_ms);
                let settings = ConnectionManagerConfig::new()
                    .set_response_timeout(Some(timeout))
                    .set_connection_timeout(Some(timeout))
                    .set_number_of_retries(1);
                let manager = ConnectionManager::new_lazy_with_config(client.clone(), settings)
                    .map_err(|error| CacheError::Address(error.to_string()))?;
                // one round trip, and no counter is left without an end
                let count = redis::Script::new(
                    "local n = redis.call('INCR', KEYS[1]) \
                     if n == 1 then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end \
                     return {n, redis.call('PTTL', KEYS[1])}",
                );
                // a window that has ended is not begun anew
                let take_back = redis::Script::new(
                    "if tonumber(redis.call('GET', KEYS[1]) or 0) > 0 then \
                     redis.call('DECR', KEYS[1]) end",
                );
                Some(Redis {
                    client,
                    manager,
                    prefix: config.prefix.as_str().into(),
                    timeout,
                    count: Arc::new(count),
                    take_back: Arc::new(take_back),
                })
            }
        };
        Ok(Self { counters, redis })
    }

    /// Counts one more under `key` in a window that began with the first.
    pub async fn hit(&self, key: &str, window: Duration) -> Hits {
        if let Some(redis) = &self.redis {
            match redis.hit(key, window).await {
                Ok(hits) => return hits,
                Err(error) => tracing::warn!(%error, "counting in this process alone"),
            }
        }
        let ends = Instant::now() + window;
        let counter = self.counters.get_with_by_ref(key, || {
            Arc::new(Counter {
                count: AtomicU64::new(0),
                ends,
            })
        });
        Hits {
            count: counter.count.fetch_add(1, Ordering::SeqCst) + 1,
            resets_in: counter.ends.saturating_duration_since(Instant::now()),
        }
    }

    /// Counts one less under `key`, for a hit that turned out to be none.
    pub async fn take_back(&self, key: &str) {
        if let Some(redis) = &self.redis
            && redis.take_back(key).await.is_ok()
        {
            return;
        }
        if let Some(counter) = self.counters.get(key) {
            let less = |count: u64| count.checked_sub(1);
            let _ = counter
                .count
                .fetch_update(Ordering::SeqCst, Ordering::SeqCst, less);
        }
    }

    /// Whether other processes can be reached at all: with Redis, not in memory.
    pub fn is_shared(&self) -> bool {
        self.redis.is_some()
    }

    /// Tells the processes that listen on `channel`, this one too. A message may be lost: it wakes,
    /// it does not inform. In memory there is nobody to tell.
    ///
    /// # Errors
    /// When Redis does not answer.
    pub async fn publish(&self, channel: &str, message: &str) -> Result<(), CacheError> {
        let Some(redis) = &self.redis else {
            return Ok(());
        };
        let mut manager = redis.manager.clone();
        let channel = format!("{}{channel}", redis.prefix);
        redis
            .in_time(async move { manager.publish::<_, _, ()>(channel, message).await })
            .await
    }

    /// Hears what is published on `channel` until the connection breaks; in memory, nothing at once.
    /// `heard` gets an empty text when the listening begins: what came before was missed.
    ///
    /// # Errors
    /// How the connection broke.
    pub async fn listen(&self, channel: &str, heard: impl Fn(&str)) -> Result<(), CacheError> {
        match &self.redis {
            Some(redis) => redis.listen(channel, heard).await,
            None => Ok(()),
        }
    }

    /// Whether the shared place answers.
    ///
    /// # Errors
    /// When Redis does not.
    pub async fn ping(&self) -> Result<(), CacheError> {
        let Some(redis) = &self.redis else {
            return Ok(());
        };
        let mut manager = redis.manager.clone();
        redis
            .in_time(async move { manager.ping::<()>().await })
            .await
    }
}

impl Redis {
    async fn hit(&self, key: &str, window: Duration) -> Result<Hits, CacheError> {
        let mut manager = self.manager.clone();
        let key = format!("{}{key}", self.prefix);
        let window = u64::try_from(window.as_millis()).unwrap_or(u64::MAX);
        let script = self.count.clone();
        let (count, rest): (u64, i64) = self
            .in_time(async move { script.key(key).arg(window).invoke_async(&mut manager).await })
            .await?;
        Ok(Hits {
            count,
            resets_in: Duration::from_millis(u64::try_from(rest).unwrap_or(0)),
        })
    }

    async fn take_back(&self, key: &str) -> Result<(), CacheError> {
        let mut manager = self.manager.clone();
        let key = format!("{}{key}", self.prefix);
        let script = self.take_back.clone();
        self.in_time(async move { script.key(key).invoke_async(&mut manager).await })
            .await
    }

    async fn listen(&self, channel: &str, heard: impl Fn(&str)) -> Result<(), CacheError> {
        let late = |_| CacheError::Unreachable("no answer in time".to_owned());
        let broken = |error: redis::RedisError| CacheError::Unreachable(error.to_string());
        let channel = format!("{}{channel}", self.prefix);
        let connecting = async {
            let mut connection = self.client.get_async_pubsub().await?;
            connection.subscribe(channel).await?;
            redis::RedisResult::Ok(connection)
        };
        let connection = tokio::time::timeout(SILENCE, connecting)
            .await
            .map_err(late)?
            .map_err(broken)?;
        heard("");
        let (mut questions, mut messages) = connection.split();
        loop {
            match tokio::time::timeout(SILENCE, messages.next()).await {
                Ok(None) => {
                    return Err(CacheError::Unreachable("the connection ended".to_owned()));
                }
                Ok(Some(message)) => heard(&message.get_payload::<String>().unwrap_or_default()),
                // nothing happened, or nobody is there
                Err(_) => {
                    tokio::time::timeout(SILENCE, questions.ping::<redis::Value>())
                        .await
                        .map_err(late)?
                        .map_err(broken)?;
                }
            }
        }
    }

    async fn in_time<T>(
        &self,
        answer: impl Future<Output = redis::RedisResult<T>>,
    ) -> Result<T, CacheError> {
        match tokio::time::timeout(self.timeout, answer).await {
            Ok(answer) => answer.map_err(|error| CacheError::Unreachable(error.to_string())),
            Err(_) => Err(CacheError::Unreachable("no answer in time".to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn counts_each_once(cache: Cache, key: &str) {
        let window = Duration::from_millis(400);
        let tasks: Vec<_> = (0..50)
            .map(|_| {
                let (cache, key) = (cache.clone(), key.to_owned());
                tokio::spawn(async move { cache.hit(&key, window).await.count })
            })
            .collect();
        let mut seen = Vec::new();
        for task in tasks {
            seen.push(task.await.unwrap());
        }
        seen.sort_unstable();
        assert_eq!(seen, (1..=50).collect::<Vec<_>>());
        cache.take_back(key).await;
        assert_eq!(cache.hit(key, window).await.count, 50);
        tokio::time::sleep(Duration::from_millis(500)).await;
        cache.take_back(key).await; // of a window that has ended
        assert_eq!(cache.hit(key, window).await.count, 1);
    }

    fn config(store: CacheStore, url: Option<String>) -> CacheConfig {
        CacheConfig {
            store,
            url: url.map(Into::into),
            prefix: "test:".to_owned(),
            timeout_ms: 2000,
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn memory_counts_each_once_and_forgets() {
        let cache = Cache::connect(&config(CacheStore::Memory, None))
            .await
            .unwrap();
        counts_each_once(cache, "memory").await;
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn redis_counts_each_once_and_forgets() {
        let url = std::env::var("YIQILAI_TEST_REDIS_URL").expect("run through `make test`");
        let cache = Cache::connect(&config(CacheStore::Redis, Some(url)))
            .await
            .unwrap();
        cache.ping().await.unwrap();
        counts_each_once(cache, &uuid::Uuid::now_v7().to_string()).await;
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn redis_carries_messages_between_processes() {
        let url = std::env::var("YIQILAI_TEST_REDIS_URL").expect("run through `make test`");
        let config = config(CacheStore::Redis, Some(url));
        let ours = Cache::connect(&config).await.unwrap();
        let theirs = Cache::connect(&config).await.unwrap();
        let (heard, mut hears) = tokio::sync::mpsc::unbounded_channel();
        let channel = uuid::Uuid::now_v7().to_string();
        let listening = {
            let channel = channel.clone();
            tokio::spawn(async move {
                ours.listen(&channel, |message| heard.send(message.to_owned()).unwrap())
                    .await
            })
        };
        assert_eq!(hears.recv().await.unwrap(), "", "the listening has begun");
        theirs.publish(&channel, "news").await.unwrap();
        assert_eq!(hears.recv().await.unwrap(), "news");
        listening.abort();
    }

    #[tokio::test]
    async fn without_redis_nobody_is_told_and_nobody_waits() {
        let alone = Cache::connect(&config(CacheStore::Memory, None))
            .await
            .unwrap();
        assert!(!alone.is_shared());
        alone.publish("a", "b").await.unwrap();
        alone.listen("a", |_| panic!("from whom?")).await.unwrap();
        let nobody = "redis://127.0.0.1:9".to_owned();
        let mut config = config(CacheStore::Redis, Some(nobody));
        config.timeout_ms = 100;
        let cache = Cache::connect(&config).await.unwrap();
        assert!(cache.publish("a", "b").await.is_err());
        assert!(cache.listen("a", |_| ()).await.is_err());
    }

    #[tokio::test]
    async fn without_redis_counting_goes_on() {
        let nobody = "redis://127.0.0.1:9".to_owned();
        let mut config = config(CacheStore::Redis, Some(nobody));
        config.timeout_ms = 100;
        let cache = Cache::connect(&config).await.unwrap();
        assert!(cache.ping().await.is_err());
        assert_eq!(cache.hit("a", Duration::from_secs(60)).await.count, 1);
        assert_eq!(cache.hit("a", Duration::from_secs(60)).await.count, 2);
    }
}
