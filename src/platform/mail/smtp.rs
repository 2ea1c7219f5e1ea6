//! Mail over SMTP.

use std::fmt::Display;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::transport::smtp::{AsyncSmtpTransportBuilder, PoolConfig};
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use secrecy::ExposeSecret;

use super::{MailConfig, MailError, MailTls};

type Line = AsyncSmtpTransport<Tokio1Executor>;

/// A server, and the lines to it: each keeps a connection and carries one mail at a time.
pub(super) struct Smtp {
    timeout: Duration,
    builder: AsyncSmtpTransportBuilder,
    idle: Mutex<Vec<Line>>,
}

impl Smtp {
    /// Reads the settings; connects with the first mail.
    ///
    /// # Errors
    /// When the account is without a password or the certificate cannot be read.
    pub fn new(config: &MailConfig) -> Result<Self, String> {
        let mut parameters = TlsParameters::builder(config.host.clone());
        if let Some(path) = &config.ca_file {
            let unread = |error: &dyn Display| format!("mail.ca_file: {}: {error}", path.display());
            let pem = std::fs::read(path).map_err(|error| unread(&error))?;
            let root = Certificate::from_pem(&pem).map_err(|error| unread(&error))?;
            parameters = parameters.add_root_certificate(root);
        }
        let parameters = parameters
            .build()
            .map_err(|error| format!("mail.host: {error}"))?;
        let tls = match config.tls {
            MailTls::Starttls => Tls::Required(parameters),
            MailTls::Implicit => Tls::Wrapper(parameters),
            MailTls::None => Tls::None,
        };
        let timeout = Duration::from_secs(config.timeout_seconds);
        let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&config.host)
            .port(config.port)
            .tls(tls)
            .pool_config(PoolConfig::new().max_size(1))
            .timeout(Some(timeout));
        match (&config.username, &config.password) {
            (Some(user), Some(password)) => {
                builder = builder.credentials(Credentials::new(
                    user.clone(),
                    password.expose_secret().to_owned(),
                ));
            }
            (None, None) => {}
            _ => return Err("mail.username and mail.password belong together".to_owned()),
        }
        Ok(Self {
            timeout,
            builder,
            idle: Mutex::default(),
        })
    }

    /// Sends one message, within the configured time.
    ///
    /// # Errors
    /// `Permanent` when the server refuses it for good, else `Transient`.
    pub async fn send(&self, message: Message, to: &str) -> Result<(), MailError> {
        let idle = self.idle().pop();
        let line = idle.unwrap_or_else(|| self.builder.clone().build());
        // lettre's own timeout ends with the connecting
        let Ok(sent) = tokio::time::timeout(self.timeout, line.send(message)).await else {
            // in the middle of a conversation: the next mail would take the late answers for its
            // own, so that line is not used again
            tokio::spawn(async move { line.shutdown().await });
            return Err(MailError::Transient("no answer in time".to_owned()));
        };
        self.idle().push(line);
        sent.map(|_| ()).map_err(|error| refusal(&error, to))
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Line>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Smtp {
    /// lettre closes its connections on the runtime, and panics where there is none any more: at the
    /// end of the process, when they end by themselves.
    fn drop(&mut self) {
        if tokio::runtime::Handle::try_current().is_err() {
            std::mem::forget(std::mem::take(&mut *self.idle()));
        }
    }
}

/// Only the code: servers repeat the address in their texts.
fn refusal(error: &lettre::transport::smtp::Error, to: &str) -> MailError {
    if let Some(status) = error.status() {
        let status = status.to_string();
        // 530 to 538 are about our account, not about this mail
        let is_about_us = matches!(status.as_str(), "530" | "534" | "535" | "538");
        return if error.is_permanent() && !is_about_us {
            MailError::Permanent(status)
        } else {
            MailError::Transient(status)
        };
    }
    // lettre itself refuses such an address where the server lacks SMTPUTF8
    if error.is_client() && !to.is_ascii() {
        return MailError::Permanent("the server takes only ASCII addresses".to_owned());
    }
    let what = if error.is_timeout() {
        "no answer in time"
    } else if error.is_tls() {
        "no TLS"
    } else if error.is_client() {
        "no common ground with the server"
    } else {
        "no connection"
    };
    MailError::Transient(what.to_owned())
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader, Write};
    use std::net::TcpListener;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::super::tests::{config, mail};
    use super::super::{MailTransport, Mailer};
    use super::*;

    fn env(name: &str) -> String {
        std::env::var(name).expect("run through `make test`")
    }

    fn smtp(port: &str, tls: MailTls, account: bool) -> MailConfig {
        MailConfig {
            port: env(port).parse().unwrap(),
            tls,
            username: account.then(|| env("YIQILAI_TEST_SMTP_USER")),
            password: account.then(|| env("YIQILAI_TEST_SMTP_PASSWORD").into()),
            ca_file: Some(env("YIQILAI_TEST_SMTP_CA").into()),
            ..config(MailTransport::Smtp)
        }
    }

    #[tokio::test]
    async fn refusals_of_a_server_are_told_apart() {
        let mailer = Mailer::new(&smtp("YIQILAI_TEST_SMTP_PORT", MailTls::Starttls, true)).unwrap();
        for _ in 0..2 {
            let good = mailer.send(&mail("unit@example.org", "你好"), "unit").await;
            good.unwrap();
        }
        let refused = mailer.send(&mail("reject@example.org", "a"), "a").await;
        assert!(matches!(refused, Err(MailError::Permanent(code)) if code == "550"));
        let deferred = mailer.send(&mail("defer@example.org", "a"), "b").await;
        assert!(matches!(deferred, Err(MailError::Transient(code)) if code == "451"));
    }

    #[tokio::test]
    async fn what_is_wrong_with_our_side_loses_no_mail() {
        let good = smtp("YIQILAI_TEST_SMTPS_PORT", MailTls::Implicit, true);
        Mailer::new(&good)
            .unwrap()
            .send(&mail("a@example.org", "a"), "a")
            .await
            .unwrap();
        for bad in [
            MailConfig {
                password: Some("wrong".into()),
                ..good.clone()
            },
            MailConfig {
                ca_file: None,
                ..good.clone()
            },
            MailConfig {
                port: 9,
                ..good.clone()
            },
            MailConfig {
                tls: MailTls::Starttls,
                timeout_seconds: 1,
                ..good.clone()
            },
        ] {
            let result = Mailer::new(&bad)
                .unwrap()
                .send(&mail("a@example.org", "a"), "a")
                .await;
            assert!(matches!(result, Err(MailError::Transient(_))), "{result:?}");
        }
    }

    /// A server without TLS that takes so long over each mail, and its count of connections.
    fn slow_server(delays: Vec<Duration>) -> (u16, Arc<AtomicUsize>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (count, delays) = (Arc::new(AtomicUsize::new(0)), Arc::new(Mutex::new(delays)));
        let counted = count.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                counted.fetch_add(1, Ordering::SeqCst);
                let (stream, delays) = (stream.unwrap(), delays.clone());
                std::thread::spawn(move || -> std::io::Result<()> {
                    let mut out = stream.try_clone()?;
                    out.write_all(b"220 slow\r\n")?;
                    let mut in_body = false;
                    for line in BufReader::new(stream).lines() {
                        let line = line?;
                        let answer = match line.as_str() {
                            "." if in_body => {
                                in_body = false;
                                std::thread::sleep(delays.lock().unwrap().remove(0));
                                "250 kept"
                            }
                            _ if in_body => continue,
                            "DATA" => {
                                in_body = true;
                                "354 go on"
                            }
                            line if line.contains("reject") => "550 no",
                            _ => "250 ok",
                        };
                        out.write_all(format!("{answer}\r\n").as_bytes())?;
                    }
                    Ok(())
                });
            }
        });
        (port, count)
    }

    #[tokio::test]
    async fn a_late_answer_is_not_taken_for_that_to_the_next_mail() {
        let quick = Duration::ZERO;
        let (port, connections) =
            slow_server(vec![quick, quick, Duration::from_millis(1500), quick]);
        let mailer = Mailer::new(&MailConfig {
            port,
            tls: MailTls::None,
            timeout_seconds: 1,
            ..config(MailTransport::Smtp)
        })
        .unwrap();
        for _ in 0..2 {
            mailer.send(&mail("a@example.org", "a"), "a").await.unwrap();
            tokio::time::sleep(Duration::from_millis(50)).await; // back into the pool
        }
        assert_eq!(connections.load(Ordering::SeqCst), 1, "the pool keeps it");
        let late = mailer.send(&mail("a@example.org", "a"), "b").await;
        assert!(matches!(late, Err(MailError::Transient(_))), "{late:?}");
        tokio::time::sleep(Duration::from_secs(1)).await; // the late answer is there
        let refused = mailer.send(&mail("reject@example.org", "a"), "c").await;
        assert!(
            matches!(refused, Err(MailError::Permanent(_))),
            "{refused:?}"
        );
        mailer.send(&mail("a@example.org", "a"), "d").await.unwrap();
        assert!(connections.load(Ordering::SeqCst) > 1);
    }

    #[tokio::test]
    async fn a_server_that_says_nothing_holds_nobody_up() {
        let silent = TcpListener::bind("127.0.0.1:0").unwrap();
        let mailer = Mailer::new(&MailConfig {
            port: silent.local_addr().unwrap().port(),
            timeout_seconds: 1,
            ..config(MailTransport::Smtp)
        })
        .unwrap();
        let mail = mail("a@example.org", "a");
        let sent = mailer.send(&mail, "a");
        let sent = tokio::time::timeout(Duration::from_secs(5), sent)
            .await
            .unwrap();
        assert!(matches!(sent, Err(MailError::Transient(_))));
    }
}
