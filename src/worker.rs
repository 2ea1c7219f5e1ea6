//! The worker: performs jobs from the outbox, sweeps what time has moved on, and lets rooms react
//! to each other's changes. Several workers may run at once.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use crate::app::App;
use crate::error::Result;
use crate::notifications::Letter;
use crate::platform::db::Tx;
use crate::platform::http::idempotency;
use crate::platform::jobs::{self, Job, Outcome};
use crate::platform::journal;
use crate::platform::mail::{Mail, MailError};
use crate::platform::sms::{Sms, SmsError};
use crate::{identity, notifications, organizations, party, projects, wishes};

/// How long performed jobs are kept.
const KEPT: chrono::TimeDelta = chrono::TimeDelta::days(7);

/// What one transaction of a sweep or a reaction handles at the most.
const MOST: usize = 100;

/// Performs what is due until it is told to stop.
#[derive(Clone)]
pub struct Worker {
    app: App,
    stop: Arc<watch::Sender<bool>>,
}

impl Worker {
    /// A worker of this application.
    pub fn new(app: App) -> Self {
        Self {
            app,
            stop: Arc::default(),
        }
    }

    /// Tells [`Worker::run`] to end after the job at hand; the others that it took are free again.
    pub fn stop(&self) {
        self.stop.send_replace(true);
    }

    /// By value: whoever holds the borrowed one keeps [`Worker::stop`] waiting.
    fn is_stopping(&self) -> bool {
        *self.stop.borrow()
    }

    /// Works until [`Worker::stop`].
    pub async fn run(&self) {
        self.app.platform.wakeups.relay();
        let mut wakeups = self.app.platform.wakeups.subscribe();
        let mut stop = self.stop.subscribe();
        let pause = Duration::from_millis(self.app.config.worker.poll_ms);
        loop {
            if let Err(error) = self.run_once().await {
                tracing::error!(%error, "worker");
            }
            tokio::select! {
                // the sender lives as long as this worker, so waiting cannot fail
                _ = stop.wait_for(|stop| *stop) => return,
                () = wakeups.wait(pause) => {}
            }
        }
    }

    /// Sweeps, reacts and performs until nothing is due or it is told to stop; returns how many jobs
    /// were performed.
    ///
    /// # Errors
    /// Those of the database; a job that fails is not an error but tried again.
    pub async fn run_once(&self) -> Result<usize> {
        self.react().await?;
        self.sweep().await?;
        let batch = self.app.config.worker.batch;
        let mut performed = 0;
        while !self.is_stopping() {
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
                let outcome = match self.is_stopping() {
                    true => Outcome::Release,
                    false => self.perform(&job).await,
                };
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
        Ok(performed)
    }

    /// Lets rooms react to what happened in rooms before them. All reactions stand here.
    async fn react(&self) -> Result<()> {
        let projects = self.app.projects.clone();
        self.exhaust(|tx| {
            journal::react(tx, "accounts of people", MOST as i64, notifications::react)
        })
        .await?;
        self.exhaust(|tx| journal::react(tx, "party", MOST as i64, party::react))
            .await?;
        self.exhaust(move |tx| {
            journal::react(tx, "claims of organizations", MOST as i64, |tx, entry| {
                projects::claims::react(tx, &projects, entry)
            })
        })
        .await?;
        self.exhaust(|tx| journal::react(tx, "wishes of organizations", MOST as i64, wishes::react))
            .await
    }

    /// Everything that the passing of time moves on.
    async fn sweep(&self) -> Result<()> {
        let db = &self.app.platform.db;
        db.write(idempotency::forget_old).await?;
        db.write(identity::forget_expired).await?;
        db.write(|tx| jobs::purge(tx, tx.now - KEPT)).await?;
        let (projects, wishes) = (self.app.projects.clone(), self.app.wishes.clone());
        self.exhaust(|tx| organizations::sweep(tx, MOST as i64))
            .await?;
        self.exhaust(move |tx| projects::claims::sweep(tx, &projects, MOST as i64))
            .await?;
        self.exhaust(|tx| projects::sweep(tx, MOST as i64)).await?;
        self.exhaust(move |tx| wishes::sweep(tx, &wishes, MOST as i64))
            .await
    }

    /// Does something in steps of [`MOST`], each its own transaction, until a step has less to do.
    async fn exhaust(
        &self,
        step: impl Fn(&mut Tx<'_>) -> Result<usize> + Clone + Send + 'static,
    ) -> Result<()> {
        while self.app.platform.db.write(step.clone()).await? >= MOST {}
        Ok(())
    }

    async fn perform(&self, job: &Job) -> Outcome {
        let id = job.id.to_string();
        let sent = match job.kind.as_str() {
            "mail" => match job.payload::<Mail>() {
                Ok(mail) => self.mail(&mail, &id).await,
                Err(error) => Err(Outcome::GiveUp(error.to_string())),
            },
            "notice" => match job.payload::<Letter>() {
                Ok(letter) => self.notice(letter, &id).await,
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
            "account.request" => self.answer(job).await,
            "wish.remind" => self.remind(job, wishes::remind).await,
            "claim.remind" => self.remind(job, projects::claims::remind).await,
            other => Err(Outcome::GiveUp(format!("no such job: {other}"))),
        };
        sent.err().unwrap_or(Outcome::Done)
    }

    async fn answer(&self, job: &Job) -> Result<(), Outcome> {
        let (payload, vault) = (job.payload.0.clone(), self.app.platform.vault.clone());
        let rules = self.app.config.identity.clone();
        let answered = self
            .app
            .platform
            .db
            .write(move |tx| identity::answer(tx, &vault, &rules, &payload));
        answered
            .await
            .map_err(|error| Outcome::Retry(error.to_string()))
    }

    async fn mail(&self, mail: &Mail, id: &str) -> Result<(), Outcome> {
        let sent = self.app.mailer.send(mail, id).await;
        sent.map_err(|error| match error {
            MailError::Permanent(_) => Outcome::GiveUp(error.to_string()),
            MailError::Transient(_) => Outcome::Retry(error.to_string()),
        })
    }

    /// Sends what somebody is told, if it is still wanted.
    async fn notice(&self, letter: Letter, id: &str) -> Result<(), Outcome> {
        let asked = letter.clone();
        let wanted = self.app.platform.db.read(move |conn| asked.is_wanted(conn));
        match wanted.await {
            Ok(true) => self.mail(&letter.mail, id).await,
            Ok(false) => Ok(()),
            Err(error) => Err(Outcome::Retry(error.to_string())),
        }
    }

    async fn remind(
        &self,
        job: &Job,
        remind: fn(&mut Tx<'_>, &serde_json::Value) -> Result<()>,
    ) -> Result<(), Outcome> {
        let payload = job.payload.0.clone();
        let told = self.app.platform.db.write(move |tx| remind(tx, &payload));
        told.await
            .map_err(|error| Outcome::Retry(error.to_string()))
    }
}
