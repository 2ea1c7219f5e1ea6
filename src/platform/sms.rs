//! STUB-sms
use serde::{Deserialize,Serialize};
/// c
#[derive(Clone,Debug,Deserialize,Serialize)]
pub struct SmsConfig { #[serde(flatten)] x: std::collections::BTreeMap<String, serde_json::Value> }
/// t
pub struct SmsGateway;
impl SmsGateway { /// n
pub fn new(_: &SmsConfig) -> Result<Self, std::io::Error> { Ok(Self) } }
