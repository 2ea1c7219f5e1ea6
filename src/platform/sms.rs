//! SMS: through a provider's HTTP template gateway, or into a folder in development.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use reqwest::redirect::Policy;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use validator::Validate;

use super::config::is_http;
use super::storage::private_folder;

/// How SMS leave.
#[derive(Clone, Debug, Deserialize, Serialize, Validate)]
#[serde(deny_unknown_fields)]
pub struct SmsConfig {
    /// Into a folder, or over HTTP.
    pub gateway: SmsGatewayKind,
    /// Where the folder gateway writes.
    pub folder: PathBuf,
    /// The HTTP gateway's address.
    #[serde(serialize_with = "crate::platform::config::redact_address")]
    pub url: String,
    /// How long it may take.
    #[validate(range(min = 1, max = 3_600))]
    pub timeout_seconds: u64,
    /// The bearer token it wants.
    #[serde(default, serialize_with = "crate::platform::config::redact_option")]
    pub token: Option<SecretString>,
    /// The signature shown before the text, as registered with the provider.
    pub sign_name: String,
    /// Our template's name → the provider's template id.
    #[serde(default)]
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

/// Why an SMS did not leave. Says nothing of whom it was for or what it said.
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

impl SmsConfig {
    /// What is wrong with the settings for sending these templates: all of it.
    pub fn faults(&self, templates: &[&str]) -> Vec<String> {
        if self.gateway == SmsGatewayKind::Folder {
            return Vec::new();
        }
        let address = (!is_http(&self.url)).then(|| "sms.url is not an http address".to_owned());
        let missing = templates
            .iter()
            .filter(|name| self.templates.get(**name).is_none_or(String::is_empty))
            .map(|name| format!("sms.templates lacks {name}"));
        address.into_iter().chain(missing).collect()
    }
}

impl SmsGateway {
    /// Makes the gateway.
    ///
    /// # Errors
    /// When the folder cannot be made, the address is none or the HTTP client cannot be built.
    pub fn new(config: &SmsConfig) -> Result<Self, String> {
        if let Some(fault) = config.faults(&[]).pop() {
            return Err(fault);
        }
        if config.gateway == SmsGatewayKind::Folder {
            private_folder(&config.folder)
                .map_err(|error| format!("sms.folder: {}: {error}", config.folder.display()))?;
        }
        let client = reqwest::Client::builder()
            .timeout(Duration::from_secs(config.timeout_seconds))
            // a redirected POST becomes a GET, and its 200 would count as an SMS that was sent
            .redirect(Policy::none())
            .build()
            .map_err(|error| format!("sms: {error}"))?;
        Ok(Self {
            config: config.clone(),
            client,
        })
    }

    /// Sends one SMS; `id` names it, so that a provider can tell a repeat. It is also the name of
    /// the file in the folder, so it holds only letters, digits and `-`.
    ///
    /// # Errors
    /// `Permanent` when the recipient is no number, there is no such template or the gateway says so
    /// (4xx without 408 and 429), else `Transient`.
    pub async fn send(&self, sms: &Sms, id: &str) -> Result<(), SmsError> {
        let permanent = |what: &str| SmsError::Permanent(what.to_owned());
        if !is_e164(&sms.to) {
            return Err(permanent("the recipient is not an E.164 number"));
        }
        if id.is_empty() || !id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') {
            return Err(permanent("the id is none"));
        }
        match self.config.gateway {
            SmsGatewayKind::Folder => {
                let path = self.config.folder.join(format!("{id}.json"));
                let text = serde_json::to_vec_pretty(sms)
                    .map_err(|error| permanent(&error.to_string()))?;
                tokio::fs::write(path, text)
                    .await
                    .map_err(|error| SmsError::Transient(error.to_string()))
            }
            SmsGatewayKind::Http => self.post(sms, id).await,
        }
    }

    async fn post(&self, sms: &Sms, id: &str) -> Result<(), SmsError> {
        let template_id =
            self.config.templates.get(&sms.template).ok_or_else(|| {
                SmsError::Permanent(format!("sms.templates lacks {}", sms.template))
            })?;
        let mut request = self.client.post(&self.config.url).json(&Request {
            id,
            to: &sms.to,
            sign_name: &self.config.sign_name,
            template_id,
            params: &sms.params,
        });
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

/// `+`, then 7 to 15 digits of which the first is not 0.
fn is_e164(number: &str) -> bool {
    number.strip_prefix('+').is_some_and(|digits| {
        (7..=15).contains(&digits.len())
            && !digits.starts_with('0')
            && digits.bytes().all(|b| b.is_ascii_digit())
    })
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader, Read, Write};
    use std::net::TcpListener;
    use std::sync::mpsc::{Receiver, channel};

    use super::*;

    fn config(gateway: SmsGatewayKind, url: &str) -> SmsConfig {
        SmsConfig {
            gateway,
            folder: PathBuf::new(),
            url: url.to_owned(),
            timeout_seconds: 1,
            token: Some("hush".into()),
            sign_name: "益起来".to_owned(),
            templates: BTreeMap::from([("code".to_owned(), "SMS_001".to_owned())]),
        }
    }

    fn sms() -> Sms {
        Sms {
            to: "+8613800000001".to_owned(),
            template: "code".to_owned(),
            params: BTreeMap::from([("code".to_owned(), "042137".to_owned())]),
            text: "您的验证码是 042137".to_owned(),
        }
    }

    /// A gateway that answers each request with the next status; 0 is no answer at all.
    fn provider(answers: Vec<u16>) -> (String, Receiver<(String, String)>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/send", listener.local_addr().unwrap());
        let (tell, told) = channel();
        let elsewhere = url.clone();
        std::thread::spawn(move || {
            for status in answers {
                let (stream, _) = listener.accept().unwrap();
                let mut reader = BufReader::new(&stream);
                let (mut head, mut length) = (String::new(), 0);
                loop {
                    let mut line = String::new();
                    reader.read_line(&mut line).unwrap();
                    if line.trim().is_empty() {
                        break;
                    }
                    head += &line.to_ascii_lowercase();
                    if let Some(n) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                        length = n.trim().parse().unwrap();
                    }
                }
                let mut body = vec![0; length];
                reader.read_exact(&mut body).unwrap();
                tell.send((head, String::from_utf8(body).unwrap())).unwrap();
                if status == 0 {
                    std::thread::sleep(Duration::from_secs(2));
                    continue;
                }
                let answer = format!(
                    "HTTP/1.1 {status} X\r\nlocation: {elsewhere}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
                );
                (&stream).write_all(answer.as_bytes()).unwrap();
            }
        });
        (url, told)
    }

    #[tokio::test]
    async fn the_folder_keeps_one_file_a_message() {
        let folder = tempfile::tempdir().unwrap();
        let gateway = SmsGateway::new(&SmsConfig {
            folder: folder.path().join("new"),
            ..config(SmsGatewayKind::Folder, "")
        })
        .unwrap();
        for _ in 0..2 {
            gateway.send(&sms(), "one").await.unwrap();
        }
        gateway.send(&sms(), "two").await.unwrap();
        let files = std::fs::read_dir(folder.path().join("new")).unwrap();
        assert_eq!(files.count(), 2, "a repeat is the same message");
        let text = std::fs::read_to_string(folder.path().join("new/one.json")).unwrap();
        let kept: Sms = serde_json::from_str(&text).unwrap();
        assert_eq!((kept.params, kept.text), (sms().params, sms().text));
        for id in ["../outside", "", "a/b", "a.b"] {
            assert!(matches!(
                gateway.send(&sms(), id).await,
                Err(SmsError::Permanent(_))
            ));
        }
    }

    #[tokio::test]
    async fn the_provider_gets_template_and_token() {
        let (url, told) = provider(vec![202]);
        let gateway = SmsGateway::new(&config(SmsGatewayKind::Http, &url)).unwrap();
        gateway.send(&sms(), "the-id").await.unwrap();
        let (head, body) = told.recv().unwrap();
        assert!(head.starts_with("post /send ") && head.contains("authorization: bearer hush"));
        let body: serde_json::Value = serde_json::from_str(&body).unwrap();
        let wanted = serde_json::json!({"id": "the-id", "to": "+8613800000001",
            "sign_name": "益起来", "template_id": "SMS_001", "params": {"code": "042137"}});
        assert_eq!(body, wanted, "and no text: the provider has it");
    }

    #[tokio::test]
    async fn answers_are_told_apart() {
        let (url, _told) = provider(vec![400, 401, 422, 408, 429, 500, 503, 301, 307, 0]);
        let gateway = SmsGateway::new(&config(SmsGatewayKind::Http, &url)).unwrap();
        for _ in 0..3 {
            let refused = gateway.send(&sms(), "a").await;
            assert!(
                matches!(refused, Err(SmsError::Permanent(_))),
                "{refused:?}"
            );
        }
        for _ in 0..7 {
            let failed = gateway.send(&sms(), "a").await.unwrap_err();
            assert!(matches!(failed, SmsError::Transient(_)), "{failed:?}");
            let text = failed.to_string();
            assert!(
                !text.contains("1380000") && !text.contains("042137") && !text.contains("hush")
            );
        }
        let nobody = SmsGateway::new(&config(SmsGatewayKind::Http, "http://127.0.0.1:9/")).unwrap();
        assert!(matches!(
            nobody.send(&sms(), "a").await,
            Err(SmsError::Transient(_))
        ));
    }

    #[tokio::test]
    async fn a_redirect_is_not_followed_and_is_not_sent() {
        for status in [301, 302, 303, 307, 308] {
            // whoever follows is told 200
            let (url, told) = provider(vec![status, 200]);
            let gateway = SmsGateway::new(&config(SmsGatewayKind::Http, &url)).unwrap();
            let answer = gateway.send(&sms(), "a").await;
            assert!(
                matches!(answer, Err(SmsError::Transient(_))),
                "{status} {answer:?}"
            );
            assert_eq!(told.try_iter().count(), 1, "{status} was followed");
        }
    }

    #[tokio::test]
    async fn what_cannot_be_sent_is_refused_before() {
        let gateway =
            SmsGateway::new(&config(SmsGatewayKind::Http, "http://127.0.0.1:9/")).unwrap();
        let strange = Sms {
            template: "strange".to_owned(),
            ..sms()
        };
        assert!(matches!(
            gateway.send(&strange, "a").await,
            Err(SmsError::Permanent(_))
        ));
        for to in [
            "",
            "13800000001",
            "+0138000000",
            "+86 138",
            "+86138000000011111",
        ] {
            let odd = Sms {
                to: to.to_owned(),
                ..sms()
            };
            assert!(
                matches!(gateway.send(&odd, "a").await, Err(SmsError::Permanent(_))),
                "{to}"
            );
        }
        assert!(SmsGateway::new(&config(SmsGatewayKind::Http, "")).is_err());
        assert!(SmsGateway::new(&config(SmsGatewayKind::Http, "ftp://a/")).is_err());
        let shown = serde_json::to_value(config(SmsGatewayKind::Http, "")).unwrap();
        assert_eq!(shown["token"], "***");
    }
}
