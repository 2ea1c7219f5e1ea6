//! Mail: over SMTP, or into a folder in development.

use std::path::PathBuf;

use lettre::address::AddressError;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart, SinglePart};
use lettre::{Address, Message};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use uuid::Uuid;
use validator::Validate;

mod smtp;

use smtp::Smtp;

use super::storage::private_folder;

/// How mail leaves.
#[derive(Clone, Debug, Deserialize, Serialize, Validate)]
#[serde(deny_unknown_fields)]
pub struct MailConfig {
    /// Into a folder, or over SMTP.
    pub transport: MailTransport,
    /// The sender, as `Name <address>`.
    pub from: String,
    /// Where the folder transport writes.
    pub folder: PathBuf,
    /// The SMTP server.
    pub host: String,
    /// Its port.
    #[validate(range(min = 1))]
    pub port: u16,
    /// How the connection is protected.
    pub tls: MailTls,
    /// The account at the server, where it wants one.
    #[serde(default)]
    pub username: Option<String>,
    /// Its password.
    #[serde(default, serialize_with = "crate::platform::config::redact_option")]
    pub password: Option<SecretString>,
    /// A further root certificate to trust, PEM.
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
    /// Where the app shows pages to people; empty: nowhere, and mails carry no link.
    pub app_url: String,
    /// How long one mail may take.
    #[validate(range(min = 1, max = 3_600))]
    pub timeout_seconds: u64,
}

/// The two ways.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MailTransport {
    /// One `.eml` file a mail.
    Folder,
    /// An SMTP server.
    Smtp,
}

/// How an SMTP connection is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MailTls {
    /// Upgraded after the greeting, and refused without.
    Starttls,
    /// From the first byte.
    Implicit,
    /// Not at all.
    None,
}

/// A mail.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Mail {
    /// The recipient's address.
    pub to: String,
    /// Its subject.
    pub subject: String,
    /// Its text.
    pub text: String,
    /// The same as HTML.
    #[serde(default)]
    pub html: Option<String>,
    /// An https address that unsubscribes with one POST (RFC 8058).
    #[serde(default)]
    pub list_unsubscribe: Option<String>,
    /// An address of ours at which whoever has it may act.
    #[serde(default)]
    pub link: Option<String>,
    /// The page of the app that shows more, as a path.
    #[serde(default)]
    pub page: Option<String>,
}

impl Mail {
    /// A mail of a few paragraphs, as text and as plain HTML.
    pub fn letter(to: &str, subject: &str, paragraphs: &[&str]) -> Self {
        let html: String = paragraphs
            .iter()
            .map(|p| format!("<p>{}</p>", escape(p).replace('\n', "<br>")))
            .collect();
        Self {
            to: to.to_owned(),
            subject: subject.to_owned(),
            text: paragraphs.join("\n\n"),
            html: Some(format!(
                "<!DOCTYPE html><html><body style=\"font-family:sans-serif\">{html}</body></html>"
            )),
            list_unsubscribe: None,
            link: None,
            page: None,
        }
    }

    /// Ends it with an address at which whoever has it may act.
    #[must_use]
    pub fn link(mut self, link: Option<String>) -> Self {
        self.link = link;
        self
    }

    /// Ends it with a link to a page of the app, where there is an app.
    #[must_use]
    pub fn page(mut self, page: Option<String>) -> Self {
        self.page = page;
        self
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

/// Why a mail did not leave. Says nothing of whom it was for or what it said.
#[derive(Debug, thiserror::Error)]
pub enum MailError {
    /// Another try would fail the same way.
    #[error("mail refused: {0}")]
    Permanent(String),
    /// Worth another try.
    #[error("mail not sent: {0}")]
    Transient(String),
}

/// Sends mail.
pub struct Mailer {
    from: Mailbox,
    app_url: String,
    transport: Transport,
}

enum Transport {
    Folder(PathBuf),
    Smtp(Box<Smtp>),
}

impl MailConfig {
    /// What is wrong with the settings: all of it.
    pub fn faults(&self) -> Vec<String> {
        let server = match self.transport {
            MailTransport::Folder => None,
            MailTransport::Smtp => Smtp::new(self).err(),
        };
        self.sender().err().into_iter().chain(server).collect()
    }

    fn sender(&self) -> Result<Mailbox, String> {
        let from = self.from.parse();
        from.map_err(|error: AddressError| format!("mail.from: {error}"))
    }
}

impl Mailer {
    /// Makes the transport; connects with the first mail and keeps connections, which live (and are
    /// dropped) on a tokio runtime.
    ///
    /// # Errors
    /// When the sender is no mailbox, the account is without a password, the folder cannot be made or
    /// the certificate not be read.
    pub fn new(config: &MailConfig) -> Result<Self, String> {
        let from = config.sender()?;
        let transport = match config.transport {
            MailTransport::Folder => {
                private_folder(&config.folder).map_err(|error| {
                    format!("mail.folder: {}: {error}", config.folder.display())
                })?;
                Transport::Folder(config.folder.clone())
            }
            MailTransport::Smtp => Transport::Smtp(Box::new(Smtp::new(config)?)),
        };
        Ok(Self {
            from,
            app_url: config.app_url.trim_end_matches('/').to_owned(),
            transport,
        })
    }

    /// Sends one mail. `id` names it: a mail that is sent again has the same `Message-ID`.
    ///
    /// # Errors
    /// `Permanent` when the recipient is no address or the server refuses the mail for good (5xx).
    /// Everything else is `Transient`, also when the server refuses *us*: a wrong password is ours
    /// to mend, and no mail should be lost meanwhile.
    pub async fn send(&self, mail: &Mail, id: &str) -> Result<(), MailError> {
        let message = self.message(mail, id)?;
        match &self.transport {
            Transport::Folder(folder) => {
                let path = folder.join(format!("{}.eml", Uuid::now_v7()));
                tokio::fs::write(path, message.formatted())
                    .await
                    .map_err(|error| MailError::Transient(error.to_string()))
            }
            Transport::Smtp(smtp) => smtp.send(message, &mail.to).await,
        }
    }

    fn message(&self, mail: &Mail, id: &str) -> Result<Message, MailError> {
        // what is wrong with it stays out of the error: the address would stand in the log
        let permanent = |what: &str| MailError::Permanent(what.to_owned());
        let to: Address = mail
            .to
            .parse()
            .map_err(|_| permanent("the recipient is not an address"))?;
        let domain = self.from.email.domain();
        let mut builder = Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, to))
            .subject(&mail.subject)
            .message_id(Some(format!("<{id}@{domain}>")))
            // RFC 3834: nobody's absence is answered to
            .raw_header(raw("Auto-Submitted", "auto-generated".to_owned()));
        if let Some(url) = &mail.list_unsubscribe {
            let is_url = url.starts_with("https://")
                && url
                    .bytes()
                    .all(|b| b.is_ascii_graphic() && !matches!(b, b'<' | b'>'));
            if !is_url {
                return Err(permanent("list_unsubscribe is not an https address"));
            }
            for (name, value) in [
                ("List-Unsubscribe", format!("<{url}>")),
                (
                    "List-Unsubscribe-Post",
                    "List-Unsubscribe=One-Click".to_owned(),
                ),
            ] {
                builder = builder.raw_header(raw(name, value));
            }
        }
        let (mut text, mut html) = (mail.text.clone(), mail.html.clone());
        let page = mail.page.as_ref().filter(|_| !self.app_url.is_empty());
        let page = page.map(|page| format!("{}{page}", self.app_url));
        for link in mail.link.iter().chain(&page) {
            text.push_str(&format!("\n\n{link}"));
            let anchor = format!("<p><a href=\"{0}\">{0}</a></p></body>", escape(link));
            html = html.map(|html| html.replacen("</body>", &anchor, 1));
        }
        let message = match html {
            Some(html) => builder.multipart(MultiPart::alternative_plain_html(text, html)),
            None => builder.singlepart(SinglePart::plain(text)),
        };
        message.map_err(|_| permanent("it makes no message"))
    }
}

/// A header that is written as it is: neither RFC 3834 nor RFC 8058 knows encoded words.
fn raw(name: &'static str, value: String) -> HeaderValue {
    let name = HeaderName::new_from_ascii_str(name);
    HeaderValue::dangerous_new_pre_encoded(name, value.clone(), value)
}

#[cfg(test)]
mod tests {
    use super::*;

    pub fn config(transport: MailTransport) -> MailConfig {
        MailConfig {
            transport,
            from: "益起来 <noreply@example.org>".to_owned(),
            folder: PathBuf::new(),
            host: "localhost".to_owned(),
            port: 9,
            tls: MailTls::Starttls,
            username: None,
            password: None,
            ca_file: None,
            app_url: String::new(),
            timeout_seconds: 10,
        }
    }

    pub fn mail(to: &str, subject: &str) -> Mail {
        Mail {
            to: to.to_owned(),
            subject: subject.to_owned(),
            text: "王奶奶,您好!".to_owned(),
            html: None,
            list_unsubscribe: None,
            link: None,
            page: None,
        }
    }

    #[tokio::test]
    async fn the_folder_keeps_mails_in_order_and_in_chinese() {
        let folder = tempfile::tempdir().unwrap();
        let mailer = Mailer::new(&MailConfig {
            folder: folder.path().join("new"),
            ..config(MailTransport::Folder)
        })
        .unwrap();
        let long = "您在北仑区新碶街道认领的微心愿明天到期".repeat(8);
        for number in 0..20 {
            let mut mail = mail("wang@example.org", &format!("{number} {long}"));
            if number % 2 == 1 {
                mail.html = Some("<p>王奶奶</p>".to_owned());
                mail.list_unsubscribe = Some(format!("https://example.org/{}", "u".repeat(120)));
            }
            mailer.send(&mail, &format!("id-{number}")).await.unwrap();
        }
        let mut paths: Vec<_> = std::fs::read_dir(folder.path().join("new"))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        paths.sort();
        assert_eq!(paths.len(), 20);
        for (number, path) in paths.iter().enumerate() {
            let bytes = std::fs::read(path).unwrap();
            let text = String::from_utf8(bytes.clone()).unwrap();
            assert!(text.is_ascii() && text.lines().all(|line| line.len() < 200));
            let read = mail_parser::MessageParser::default().parse(&bytes).unwrap();
            assert_eq!(read.subject().unwrap(), format!("{number} {long}"));
            assert_eq!(
                read.message_id().unwrap(),
                format!("id-{number}@example.org")
            );
            assert_eq!(read.body_text(0).unwrap().trim(), "王奶奶,您好!");
            assert_eq!(read.from().unwrap().first().unwrap().name(), Some("益起来"));
            assert!(
                text.contains("\r\nAuto-Submitted: auto-generated\r\n"),
                "{text}"
            );
            let one_click = "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n";
            assert_eq!(text.contains(one_click), number % 2 == 1);
            assert_eq!(
                read.html_body_count() == 1 && text.contains("text/html"),
                number % 2 == 1
            );
        }
    }

    #[tokio::test]
    async fn what_is_no_address_is_refused_for_good_and_not_repeated() {
        let folder = tempfile::tempdir().unwrap();
        let mailer = Mailer::new(&MailConfig {
            folder: folder.path().to_owned(),
            ..config(MailTransport::Folder)
        })
        .unwrap();
        for to in [
            "",
            "secret",
            "secret@",
            "a@b.org\r\nBcc: secret@example.org",
            "a@b.org, secret@b.org",
        ] {
            let error = mailer.send(&mail(to, "a"), "id").await.unwrap_err();
            assert!(matches!(error, MailError::Permanent(_)), "{to}");
            assert!(!error.to_string().contains("secret"), "{error}");
        }
        let mut odd = mail("a@example.org", "a\r\nBcc: secret@example.org");
        mailer.send(&odd, "id").await.unwrap();
        let path = std::fs::read_dir(folder.path())
            .unwrap()
            .next()
            .unwrap()
            .unwrap()
            .path();
        let text = std::fs::read_to_string(path).unwrap();
        assert!(
            !text.contains("\nBcc:"),
            "a subject is no way to further headers"
        );
        odd.list_unsubscribe = Some("https://example.org/>\r\nBcc: secret@example.org".to_owned());
        assert!(mailer.send(&odd, "id").await.is_err());
    }

    #[tokio::test]
    async fn settings_are_checked_and_the_password_is_not_shown() {
        let bad = MailConfig {
            from: "nobody".to_owned(),
            ..config(MailTransport::Smtp)
        };
        assert!(Mailer::new(&bad).is_err());
        let half = MailConfig {
            username: Some("a".to_owned()),
            ..config(MailTransport::Smtp)
        };
        assert!(Mailer::new(&half).is_err());
        let secret = MailConfig {
            password: Some("hush".into()),
            ..half
        };
        assert!(Mailer::new(&secret).is_ok());
        let shown = serde_json::to_value(&secret).unwrap();
        assert_eq!(shown["password"], "***");
        assert!(!format!("{secret:?}").contains("hush"));
        let read: MailConfig = serde_json::from_value(shown).unwrap();
        assert_eq!(read.tls, MailTls::Starttls);
    }

    #[test]
    fn mails_queued_before_html_could_be_absent_are_still_read() {
        let old = serde_json::json!({"to": "a@b.org", "subject": "s", "text": "t", "html": "<p>"});
        let mail: Mail = serde_json::from_value(old).unwrap();
        assert_eq!(mail.html.as_deref(), Some("<p>"));
    }
}
