//! SMS: through a provider's HTTP template gateway, or into a folder in development.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

/// How SMS leave.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct SmsConfig {
    /// Into a folder, or over HTTP.
    pub gateway: SmsGatewayKind,
    /// Where the folder gateway writes.
    pub folder: PathBuf,
    /// The HTTP gateway's address.
    pub url: String,
    /// How long it may take.
    pub timeout_seconds: u64,
    /// The bearer token it wants.
    #[serde(default, skip_serializing)]
    pub token: Option<SecretString>,
    /// The signature shown before the text, as registered with the provider.
    pub sign_name: String,
    /// Our template's name → the provider's template id.
    pub templates: BTreeMap<String, String>,
}

/// The two ways.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SmsGatewayKind {
    /// One JSON file a message.
    Folder,
    /// A provider.
    Http,
}

/// An SMS. Providers in China send only texts they know: a template and its parameters.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Sms {
    /// The recipient, E.164.
    pub to: String,
    /// Our name of the text.
    pub template: String,
    /// What stands in its gaps.
    pub params: BTreeMap<String, String>,
    /// The whole text, for people who read the folder.
    pub text: String,
}

/// Why an SMS did not leave.
#[derive(Debug, thiserror::Error)]
pub enum SmsError {
    /// Another try would fail the same way.
    #[error("sms refused: {0}")]
    Permanent(String),
    /// Worth another try.
    #[error("sms not sent: {0}")]
    Transient(String),
}

/// Sends SMS.
pub struct SmsGateway {
    config: SmsConfig,
    client: reqwest::Client,
}

#[derive(Serialize)]
struct Request<'a> {
    id: &'a str,
    to: &'a str,
    sign_name: &'a str,
    template_id: &'a str,
    params: &'a BTreeMap<String, String>,
}

impl SmsGateway {
    /// Makes the gateway.
    ///
    /// # Errors
    /// When the folder cannot be made or the HTTP client not be built.
    pub fn new(config: &SmsConfig) -> Result<Self, SmsError> {
        if config.gateway == SmsGatewayKind::Folder {
            std::fs::create_dir_all(&config.folder)
                .map_err(|error| SmsError::Permanent(error.to_string()))?;
        }
        let client = reqwest::Client::builder()
            .timeout(Duration::from_secs(config.timeout_seconds))
            .build()
            .map_err(|error| SmsError::Permanent(error.to_string()))?;
        Ok(Self {
            config: config.clone(),
            client,
        })
    }

    /// Sends one SMS; `id` names it, so that a provider can tell a repeat.
    ///
    /// # Errors
    /// Permanent when there is no such template or the gateway says so, else transient.
    pub async fn send(&self, sms: &Sms, id: &str) -> Result<(), SmsError> {
        match self.config.gateway {
            SmsGatewayKind::Folder => {
                let path = self.config.folder.join(format!("{id}.json"));
                let text = serde_json::to_vec_pretty(sms)
                    .map_err(|error| SmsError::Permanent(error.to_string()))?;
                tokio::fs::write(path, text)
                    .await
                    .map_err(|error| SmsError::Transient(error.to_string()))
            }
            SmsGatewayKind::Http => {
                let template_id = self.config.templates.get(&sms.template).ok_or_else(|| {
                    SmsError::Permanent(format!("sms.templates lacks {}", sms.template))
                })?;
                let body = Request {
                    id,
                    to: &sms.to,
                    sign_name: &self.config.sign_name,
                    template_id,
                    params: &sms.params,
                };
                let mut request = self.client.post(&self.config.url).json(&body);
                if let Some(token) = &self.config.token {
                    request = request.bearer_auth(token.expose_secret());
                }
                let answer = request
                    .send()
                    .await
                    .map_err(|error| SmsError::Transient(error.without_url().to_string()))?;
                let status = answer.status();
                if status.is_success() {
                    Ok(())
                } else if status.is_client_error() && !matches!(status.as_u16(), 408 | 429) {
                    Err(SmsError::Permanent(status.to_string()))
                } else {
                    Err(SmsError::Transient(status.to_string()))
                }
            }
        }
    }
}
