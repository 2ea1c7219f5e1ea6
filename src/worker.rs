//! The worker: performs jobs from the outbox, sweeps what time has moved on, and lets rooms react
//! to each other's changes. Several workers may run at once.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{join_all, join3, try_join_all};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::app::App;
use crate::error::{Error, Result};
use crate::matching::{invitations, rounds};
use crate::notifications::Letter;
use crate::platform::db::Tx;
use crate::platform::files::{self, Keeper, Removal};
use crate::platform::http::idempotency;
use crate::platform::jobs::{self, Job, Outcome};
use crate::platform::journal::{self, Entry};
use crate::platform::mail::{Mail, MailError};
use crate::platform::sms::{Sms, SmsError};
use crate::{
    activities, identity, notifications, organizations, party, projects, records, search,
    volunteers, wishes,
};

/// The kinds of jobs that are performed side by side: a mail server that does not answer holds up
/// mail alone.
const LANES: [&[&str]; 7] = [
    &["mail", "notice"],
    &["sms"],
    &[
        "account.request",
        "wish.remind",
        "claim.remind",
        "organization.remind",
        files::REMOVAL,
    ],
    // takes a while, and a thread
    &[rounds::PLAN],
    &[rounds::SEND],
    // what touches many people goes on while others' mail leaves
    activities::JOBS,
    records::JOBS,
];

/// Tries before a planning is given up: what fails so often would fail again.
const PLANNINGS: i32 = 3;

/// The rooms whose rows refer to files: a file goes only when none of them does. All stand here.
const KEEPERS: &[Keeper] = &[
    activities::incidents::keeps_file,
    organizations::keeps_file,
    projects::claims::keeps_file,
    volunteers::keeps_file,
    wishes::keeps_file,
];

/// The reactions, by the names under which their readers of the journal keep their places.
pub const REACTIONS: [&str; 10] = [
    "accounts of people",
    "party",
    "claims of organizations",
    "crews",
    "wishes of organizations",
    "activities",
    "records",
    "invitations",
    "rounds",
    "saved searches",
];

/// Between two looks at what is due while commits come in one after the other.
const BREATH: Duration = Duration::from_millis(100);

/// How long jobs are kept once they are done.
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

    /// Tells [`Worker::run`] to end after the jobs at hand.
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
        let db = &self.app.platform.db;
        // one process works on a SQLite file, and it has only begun: nobody else is at a job
        if db.is_sqlite()
            && let Err(error) = db.write(jobs::release).await
        {
            tracing::error!(%error, "worker");
        }
        let lanes = LANES.map(|kinds| self.awake(async move || self.perform_due(kinds).await));
        let reactions = self.awake(async || self.react().await);
        // what time has moved on: no commit tells of it
        let sweeps = self.again(
            async || self.sweep().await,
            async || tokio::time::sleep(self.pause()).await,
        );
        join3(reactions, sweeps, join_all(lanes)).await;
    }

    /// Does something whenever a commit may have left something to do.
    async fn awake<T>(&self, what: impl AsyncFn() -> Result<T>) {
        let mut wakeups = self.app.platform.wakeups.subscribe(BREATH);
        self.again(what, async || wakeups.wait(self.pause()).await)
            .await;
    }

    /// Does something again and again, with a rest between.
    async fn again<T>(&self, what: impl AsyncFn() -> Result<T>, mut rest: impl AsyncFnMut()) {
        let mut stop = self.stop.subscribe();
        loop {
            if let Err(error) = what().await {
                tracing::error!(%error, "worker");
            }
            tokio::select! {
                // the sender lives as long as this worker, so waiting cannot fail
                _ = stop.wait_for(|stop| *stop) => return,
                () = rest() => {}
            }
        }
    }

    fn pause(&self) -> Duration {
        Duration::from_millis(self.app.config.worker.poll_ms)
    }

    /// Sweeps, reacts and performs until nothing is due or it is told to stop; returns how many jobs
    /// were performed.
    ///
    /// # Errors
    /// Those of the database; a job that fails is not an error but tried again.
    pub async fn run_once(&self) -> Result<usize> {
        self.move_on().await?;
        let mut performed = 0;
        loop {
            let lanes = LANES.map(|kinds| self.perform_due(kinds));
            match try_join_all(lanes).await?.iter().sum() {
                0 => return Ok(performed),
                // what was performed may want more to be
                more => performed += more,
            }
        }
    }

    /// Performs what is due of these kinds, several at once, until nothing is or it is told to stop;
    /// returns how many were performed.
    async fn perform_due(&self, kinds: &'static [&'static str]) -> Result<usize> {
        // tasks of their own: one that was given a connection goes on while this waits for another
        let (mut at_hand, mut performed, mut failed) = (JoinSet::new(), 0, None);
        loop {
            let free = self
                .app
                .config
                .worker
                .batch
                .saturating_sub(at_hand.len() as i64);
            if free > 0 && failed.is_none() && !self.is_stopping() {
                let take = move |tx: &mut Tx<'_>| jobs::take(tx, kinds, free);
                match self.app.platform.db.write(take).await {
                    Ok(taken) => {
                        for job in taken {
                            let worker = self.clone();
                            at_hand.spawn(async move { worker.attempt(job).await });
                        }
                    }
                    Err(error) => failed = Some(error),
                }
            }
            match timeout(self.pause(), at_hand.join_next()).await {
                Ok(Some(Ok(Ok(is_done)))) => performed += usize::from(is_done),
                Ok(Some(Ok(Err(error)))) => failed = Some(error),
                Ok(Some(Err(panicked))) => failed = Some(Error::internal(panicked)),
                Ok(None) => return failed.map_or(Ok(performed), Err),
                // those at hand take long: others may be due meanwhile
                Err(_) => {}
            }
        }
    }

    /// Tries a job and records how that ended; returns whether it is done.
    async fn attempt(&self, job: Job) -> Result<bool> {
        let outcome = self.perform(&job).await;
        if let Outcome::Retry(why) | Outcome::GiveUp(why) = &outcome {
            tracing::warn!(job = %job.id, kind = %job.kind, attempt = job.attempts, %why, "job failed");
        }
        let is_done = matches!(outcome, Outcome::Done);
        let db = &self.app.platform.db;
        db.write(move |tx| jobs::settle(tx, &job, &outcome)).await?;
        Ok(is_done)
    }

    /// Reactions and sweeps, until there is nothing left of them.
    async fn move_on(&self) -> Result<()> {
        self.react().await?;
        self.sweep().await
    }

    /// Lets rooms react to what happened in rooms before them. All reactions stand here; one that fails
    /// does not hold up the others.
    async fn react(&self) -> Result<()> {
        let (projects, desk) = (self.app.projects.clone(), self.app.wishes.clone());
        let claims =
            move |tx: &mut Tx<'_>, entry: &Entry| projects::claims::react(tx, &projects, entry);
        let working = self.app.projects.clone();
        let crews =
            move |tx: &mut Tx<'_>, entry: &Entry| projects::crews::react(tx, &working, entry);
        let wishes = move |tx: &mut Tx<'_>, entry: &Entry| wishes::react(tx, &desk, entry);
        let desk = self.app.records.clone();
        let records = move |tx: &mut Tx<'_>, entry: &Entry| records::react(tx, &desk, entry);
        let [
            accounts,
            of_party,
            of_claims,
            of_crews,
            of_wishes,
            of_activities,
            of_records,
            invited,
            planned,
            saved,
        ] = REACTIONS;
        let done = [
            self.follow(accounts, notifications::react).await,
            self.follow(of_party, party::react).await,
            self.follow(of_claims, claims).await,
            self.follow(of_crews, crews).await,
            self.follow(of_wishes, wishes).await,
            self.follow(of_activities, activities::react).await,
            self.follow(of_records, records).await,
            self.follow(invited, invitations::react).await,
            self.follow(planned, rounds::react).await,
            self.follow(saved, search::react).await,
        ];
        done.into_iter().collect()
    }

    /// Lets one reader of the journal react to what it has not read yet.
    async fn follow(
        &self,
        reader: &'static str,
        react: impl Fn(&mut Tx<'_>, &Entry) -> Result<()> + Clone + Send + 'static,
    ) -> Result<()> {
        self.exhaust(move |tx| journal::react(tx, reader, MOST as i64, react.clone()))
            .await
    }

    /// Everything that the passing of time moves on; what fails does not hold up the rest.
    async fn sweep(&self) -> Result<()> {
        let (app, db) = (&self.app, &self.app.platform.db);
        let invited = app.config.matching.invitations.clone();
        let planned = app.config.matching.rounds.clone();
        let (organizations, volunteers) = (app.organizations.clone(), app.volunteers.clone());
        let (projects, wishes) = (app.projects.clone(), app.wishes.clone());
        let (held, enrolled) = (app.activities.clone(), app.activities.clone());
        let coming = app.activities.clone();
        let (searches, recorded) = (app.saved_searches.clone(), app.records.clone());
        let dead = chrono::TimeDelta::days(app.config.worker.dead_days);
        let most = MOST as i64;
        let done = [
            db.write(idempotency::forget_old).await.map(drop),
            db.write(identity::forget_expired).await.map(drop),
            db.write(move |tx| jobs::purge(tx, tx.now - KEPT, tx.now - dead))
                .await,
            self.exhaust(move |tx| files::sweep(tx, most)).await,
            self.exhaust(move |tx| organizations::sweep(tx, &organizations, most))
                .await,
            self.exhaust(move |tx| volunteers::sweep(tx, &volunteers, most))
                .await,
            self.exhaust(move |tx| projects::claims::sweep(tx, &projects, most))
                .await,
            self.exhaust(move |tx| projects::sweep(tx, most)).await,
            self.exhaust(move |tx| wishes::sweep(tx, &wishes, most))
                .await,
            self.exhaust(move |tx| activities::sweep(tx, &held, most))
                .await,
            self.exhaust(move |tx| activities::enrolments::sweep(tx, &enrolled, most))
                .await,
            self.exhaust(move |tx| activities::enrolments::remind(tx, &coming, most))
                .await,
            self.exhaust(move |tx| records::sweep(tx, &recorded, most))
                .await,
            db.write(move |tx| invitations::purge(tx, &invited))
                .await
                .map(drop),
            self.exhaust(move |tx| invitations::sweep(tx, most)).await,
            self.exhaust(move |tx| rounds::sweep(tx, &planned, most))
                .await,
            invitations::send_due(&app.invitations()).await,
            self.exhaust(move |tx| search::sweep(tx, &searches, most))
                .await,
        ];
        done.into_iter().collect()
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
            "organization.remind" => self.remind(job, organizations::remind).await,
            files::REMOVAL => match job.payload::<Removal>() {
                Ok(removal) => {
                    let removed = self.remove(removal.file).await;
                    removed.map_err(|error| Outcome::Retry(error.to_string()))
                }
                Err(error) => Err(Outcome::GiveUp(error.to_string())),
            },
            kind if activities::JOBS.contains(&kind) => {
                let (desk, db) = (&self.app.activities, &self.app.platform.db);
                let done = activities::perform(db, desk, job).await;
                done.map_err(|error| Outcome::Retry(error.to_string()))
            }
            kind if records::JOBS.contains(&kind) => {
                let (desk, db) = (&self.app.records, &self.app.platform.db);
                let done = records::perform(db, desk, job).await;
                done.map_err(|error| Outcome::Retry(error.to_string()))
            }
            rounds::PLAN => self.plan(job).await,
            rounds::SEND => match job.payload::<rounds::Sending>() {
                Ok(sending) => {
                    let (desk, db) = (self.app.invitations(), &self.app.platform.db);
                    let sent = rounds::send(&desk, db, sending).await;
                    sent.map_err(|error| Outcome::Retry(error.to_string()))
                }
                Err(error) => Err(Outcome::GiveUp(error.to_string())),
            },
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

    /// Plans a round; whoever opened it is told when that comes to nothing.
    async fn plan(&self, job: &Job) -> Result<(), Outcome> {
        let planning: rounds::Planning = job
            .payload()
            .map_err(|error| Outcome::GiveUp(error.to_string()))?;
        let (platform, matching) = (&self.app.platform, &self.app.matching);
        let Err(error) = rounds::perform(platform, matching, planning).await else {
            return Ok(());
        };
        if job.attempts < PLANNINGS {
            return Err(Outcome::Retry(error.to_string()));
        }
        let given_up = platform.db.write(move |tx| rounds::give_up(tx, planning));
        match given_up.await {
            Ok(()) => Err(Outcome::GiveUp(error.to_string())),
            Err(error) => Err(Outcome::Retry(error.to_string())),
        }
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
        let platform = &self.app.platform;
        let now = platform.clock.now();
        let mail = platform.db.read(move |conn| letter.addressed(conn, now));
        match mail.await {
            Ok(Some(mail)) => self.mail(&mail, id).await,
            Ok(None) => Ok(()),
            Err(error) => Err(Outcome::Retry(error.to_string())),
        }
    }

    /// Removes a file that nothing refers to.
    async fn remove(&self, file: String) -> Result<()> {
        let (db, store) = (&self.app.platform.db, &self.app.platform.files);
        let named = file.clone();
        let is_free = db.write(move |tx| files::begin_removal(tx, &named, KEEPERS));
        if is_free.await? {
            store.delete(&file).await?;
            db.write(move |tx| files::end_removal(tx, &file)).await?;
        }
        Ok(())
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
