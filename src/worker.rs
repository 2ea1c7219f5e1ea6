//! The worker: performs jobs from the outbox, sweeps what time has moved on, and lets rooms react
//! to each other's changes. Several workers may run at once.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;

use crate::app::App;
use crate::error::Result;
use crate::platform::http::idempotency;
use crate::platform::jobs::{self, Job, Outcome};
use crate::platform::mail::{Mail, MailError};
use crate::platform::sms::{Sms, SmsError};
use crate::{identity, wishes};

/// How long performed jobs are kept.
const KEPT: chrono::TimeDelta = chrono::TimeDelta::days(7);

/// Performs what is due until it is told to stop.
#[derive(Clone)]
pub struct Worker {
    app: App,
    stop: Arc<Notify>,
}

impl Worker {
    /// A worker of this application.
    pub fn new(app: App) -> Self {
        Self {
            app,
            stop: Arc::new(Notify::new()),
        }
    }

    /// Tells [`Worker::run`] to end after the job at hand.
    pub fn stop(&self) {
        self.stop.notify_one();
    }

    /// Works until [`Worker::stop`].
    pub async fn run(&self) {
        self.app.platform.wakeups.relay();
        let mut wakeups = self.app.platform.wakeups.subscribe();
        let pause = Duration::from_millis(self.app.config.worker.poll_ms);
        loop {
            if let Err(error) = self.run_once().await {
                tracing::error!(%error, "worker");
            }
            tokio::select! {
                () = self.stop.notified() => return,
                () = wakeups.wait(pause) => {}
            }
        }
    }

    /// Sweeps, reacts and performs until nothing is due; returns how many jobs were performed.
    ///
    /// # Errors
    /// Those of the database; a job that fails is not an error but tried again.
    pub async fn run_once(&self) -> Result<usize> {
        self.sweep().await?;
        let batch = self.app.config.worker.batch;
        let mut performed = 0;
        loop {
            let taken = self
                .app
                .platform
                .db
                .write(move |tx| jobs::take(tx, batch))
                .await?;
            if taken.is_empty() {
                return Ok(performed);
            }
            for job in taken {
                let outcome = self.perform(&job).await;
                if let Outcome::Retry(why) | Outcome::GiveUp(why) = &outcome {
                    tracing::warn!(job = %job.id, kind = %job.kind, attempt = job.attempts, %why, "job failed");
                }
                performed += usize::from(matches!(outcome, Outcome::Done));
                self.app
                    .platform
                    .db
                    .write(move |tx| jobs::settle(tx, &job, &outcome))
                    .await?;
            }
        }
    }

    /// Everything that the passing of time moves on.
    async fn sweep(&self) -> Result<()> {
        let db = &self.app.platform.db;
        db.write(idempotency::forget_old).await?;
        db.write(identity::forget_expired).await?;
        db.write(|tx| jobs::purge(tx, tx.now - KEPT)).await?;
        const MOST: usize = 100;
        loop {
            let desk = self.app.wishes.clone();
            let swept = db
                .write(move |tx| wishes::sweep(tx, &desk, MOST as i64))
                .await?;
            if swept < MOST {
                break;
            }
        }
        Ok(())
    }

    async fn perform(&self, job: &Job) -> Outcome {
        let id = job.id.to_string();
        let sent = match job.kind.as_str() {
            "mail" => match job.payload::<Mail>() {
                Ok(mail) => self
                    .app
                    .mailer
                    .send(&mail, &id)
                    .await
                    .map_err(|error| match error {
                        MailError::Permanent(_) => Outcome::GiveUp(error.to_string()),
                        MailError::Transient(_) => Outcome::Retry(error.to_string()),
                    }),
                Err(error) => Err(Outcome::GiveUp(error.to_string())),
            },
            "sms" => match job.payload::<Sms>() {
                Ok(sms) => self
                    .app
                    .sms
                    .send(&sms, &id)
                    .await
                    .map_err(|error| match error {
                        SmsError::Permanent(_) => Outcome::GiveUp(error.to_string()),
                        SmsError::Transient(_) => Outcome::Retry(error.to_string()),
                    }),
                Err(error) => Err(Outcome::GiveUp(error.to_string())),
            },
            "wish.remind" => {
                let payload = job.payload.0.clone();
                let told = self
                    .app
                    .platform
                    .db
                    .write(move |tx| wishes::remind(tx, &payload))
                    .await;
                told.map_err(|error| Outcome::Retry(error.to_string()))
            }
            other => Err(Outcome::GiveUp(format!("no such job: {other}"))),
        };
        sent.err().unwrap_or(Outcome::Done)
    }
}
