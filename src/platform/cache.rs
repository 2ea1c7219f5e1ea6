//! STUB-cache
use serde::{Deserialize,Serialize};
/// c
#[derive(Clone,Debug,Deserialize,Serialize)]
pub struct CacheConfig { #[serde(flatten)] x: std::collections::BTreeMap<String, serde_json::Value> }
/// t
#[derive(Clone)]
pub struct Cache;
/// h
pub struct Hits { /// c
pub count: u64, /// r
pub resets_in: std::time::Duration }
impl Cache { /// n
pub async fn connect(_: &CacheConfig) -> Result<Self, std::io::Error> { Ok(Self) }
/// p
pub async fn ping(&self) -> Result<(), std::io::Error> { Ok(()) }
/// h
pub async fn hit(&self, _: &str, w: std::time::Duration) -> Hits { Hits { count: 1, resets_in: w } } }
