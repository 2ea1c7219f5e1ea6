//! STUB-mail
use serde::{Deserialize,Serialize};
/// c
#[derive(Clone,Debug,Deserialize,Serialize)]
pub struct MailConfig { #[serde(flatten)] x: std::collections::BTreeMap<String, serde_json::Value> }
/// t
pub struct Mailer;
impl Mailer { /// n
pub fn new(_: &MailConfig) -> Result<Self, std::io::Error> { Ok(Self) } }
