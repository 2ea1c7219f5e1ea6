//! Mail: over SMTP, or into a folder in development.

use std::path::PathBuf;
use std::time::Duration;

use lettre::message::{Mailbox, MultiPart};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::{AsyncFileTransport, AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

/// How mail leaves.
#[derive(Clone, Debug, Deserialize, Serialize)]
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
    pub port: u16,
    /// How the connection is protected.
    pub tls: MailTls,
    /// The account at the server, where it wants one.
    pub username: Option<String>,
    /// Its password.
    #[serde(default, skip_serializing)]
    pub password: Option<SecretString>,
    /// A further root certificate to trust, PEM.
    pub ca_file: Option<PathBuf>,
    /// How long the server may take.
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
    pub html: String,
}

impl Mail {
    /// A mail of a few paragraphs, as text and as plain HTML.
    pub fn letter(to: &str, subject: &str, paragraphs: &[&str]) -> Self {
        let html: String = paragraphs
            .iter()
            .map(|p| format!("<p>{}</p>", escape(p)))
            .collect();
        Self {
            to: to.to_owned(),
            subject: subject.to_owned(),
            text: paragraphs.join("\n\n"),
            html: format!(
                "<!DOCTYPE html><html><body style=\"font-family:sans-serif\">{html}</body></html>"
            ),
        }
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

/// Why a mail did not leave.
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
    transport: Transport,
}

enum Transport {
    Folder(AsyncFileTransport<Tokio1Executor>),
    Smtp(AsyncSmtpTransport<Tokio1Executor>),
}

impl Mailer {
    /// Makes the transport; connects with the first mail.
    ///
    /// # Errors
    /// When the sender is no address, the folder cannot be made or the certificate not be read.
    pub fn new(config: &MailConfig) -> Result<Self, MailError> {
        let permanent = |error: &dyn std::fmt::Display| MailError::Permanent(error.to_string());
        let from = config.from.parse().map_err(|error| permanent(&error))?;
        let transport = match config.transport {
            MailTransport::Folder => {
                std::fs::create_dir_all(&config.folder).map_err(|error| permanent(&error))?;
                Transport::Folder(AsyncFileTransport::new(&config.folder))
            }
            MailTransport::Smtp => {
                let mut parameters = TlsParameters::builder(config.host.clone());
                if let Some(path) = &config.ca_file {
                    let pem = std::fs::read(path).map_err(|error| permanent(&error))?;
                    parameters = parameters.add_root_certificate(
                        Certificate::from_pem(&pem).map_err(|error| permanent(&error))?,
                    );
                }
                let parameters = parameters.build().map_err(|error| permanent(&error))?;
                let tls = match config.tls {
                    MailTls::Starttls => Tls::Required(parameters),
                    MailTls::Implicit => Tls::Wrapper(parameters),
                    MailTls::None => Tls::None,
                };
                let mut builder =
                    AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&config.host)
                        .port(config.port)
                        .tls(tls)
                        .timeout(Some(Duration::from_secs(config.timeout_seconds)));
                if let (Some(user), Some(password)) = (&config.username, &config.password) {
                    let credentials =
                        Credentials::new(user.clone(), password.expose_secret().to_owned());
                    builder = builder.credentials(credentials);
                }
                Transport::Smtp(builder.build())
            }
        };
        Ok(Self { from, transport })
    }

    /// Sends one mail. `id` names it: a mail that is sent again has the same `Message-ID`.
    ///
    /// # Errors
    /// Permanent when the address or the server's answer says so, else transient.
    pub async fn send(&self, mail: &Mail, id: &str) -> Result<(), MailError> {
        // the address itself stays out of errors: they are logged
        let to = mail
            .to
            .parse()
            .map_err(|_| MailError::Permanent("the recipient is not an address".to_owned()))?;
        let domain = self.from.email.domain();
        let message = Message::builder()
            .from(self.from.clone())
            .to(to)
            .subject(&mail.subject)
            .message_id(Some(format!("<{id}@{domain}>")))
            .multipart(MultiPart::alternative_plain_html(
                mail.text.clone(),
                mail.html.clone(),
            ))
            .map_err(|error| MailError::Permanent(error.to_string()))?;
        match &self.transport {
            Transport::Folder(folder) => {
                folder
                    .send(message)
                    .await
                    .map_err(|error| MailError::Transient(error.to_string()))?;
            }
            Transport::Smtp(smtp) => {
                smtp.send(message).await.map_err(|error| {
                    let code = error
                        .status()
                        .map_or_else(|| "no answer".to_owned(), |code| code.to_string());
                    if error.is_permanent() {
                        MailError::Permanent(code)
                    } else {
                        MailError::Transient(format!(
                            "{code} {}",
                            if error.is_timeout() { "timeout" } else { "" }
                        ))
                    }
                })?;
            }
        }
        Ok(())
    }
}
