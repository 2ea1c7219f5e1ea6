//! `yiqilai admin` and `yiqilai jobs`: short commands that run beside a server.

use clap::Subcommand;
use serde::{Deserialize, Serialize};
use validator::Validate;

use super::serving::migrate_alone;
use super::terminal::say;
use crate::app::App;
use crate::error::{Error, Result};
use crate::identity::{self, Role};
use crate::platform::http::valid;
use crate::platform::jobs::{self, Job, JobId, Which};
use crate::platform::journal::Actor;
use crate::platform::token::random_token;

#[derive(Subcommand)]
pub(super) enum AdminCommand {
    /// Make a platform admin (or make an account one) and print its new password.
    Create(NewAdmin),
    /// Sign access tokens with a new key from now on.
    RotateKeys,
}

/// Who becomes a platform admin.
#[derive(clap::Args, Deserialize, Serialize, Validate)]
pub(super) struct NewAdmin {
    /// Its e-mail address.
    #[arg(long)]
    #[validate(custom(function = "identity::valid_email"))]
    email: String,
    /// Its name.
    #[arg(long, default_value = "平台管理员")]
    #[validate(length(min = 1, max = 50))]
    name: String,
}

impl NewAdmin {
    /// The same without blanks around it, where it is what one may write about oneself.
    ///
    /// # Errors
    /// `invalid` with every wrong option.
    pub(super) fn checked(&self) -> Result<Self> {
        let said = serde_json::to_vec(self).map_err(Error::internal)?;
        valid::parse(&said).map_err(|error| match error {
            Error::Problem(mut problem) => {
                for wrong in &mut problem.errors {
                    wrong.pointer = wrong.pointer.replacen('/', "--", 1);
                }
                Error::Problem(problem)
            }
            error => error,
        })
    }
}

#[derive(Subcommand)]
pub(super) enum JobsCommand {
    /// List them, those given up first at the head: id, kind, since when, tries, why.
    List,
    /// Try them again from now on.
    Retry(WhichJobs),
    /// Forget them.
    Drop(WhichJobs),
}

#[derive(clap::Args)]
#[group(required = true, multiple = false)]
pub(super) struct WhichJobs {
    /// Those of these ids.
    ids: Vec<JobId>,
    /// Those of a kind, such as mail.
    #[arg(long)]
    kind: Option<String>,
    /// All of them.
    #[arg(long)]
    all: bool,
}

impl From<WhichJobs> for Which {
    fn from(which: WhichJobs) -> Self {
        match which.kind {
            Some(kind) => Self::Kind(kind),
            None if which.all => Self::All,
            None => Self::These(which.ids),
        }
    }
}

/// One short transaction, which waits for those of a server: both see what the other wrote.
pub(super) async fn administer(app: &App, command: AdminCommand) -> Result<()> {
    migrate_alone(app).await?;
    let AdminCommand::Create(NewAdmin { email, name }) = command else {
        app.keyring.rotate().await?;
        return say("servers that run sign with the new key within a minute\n");
    };
    let email = identity::normal_email(&email)?;
    let password = random_token()?;
    let hash = identity::hash_password(&password)?;
    let address = email.clone();
    app.platform
        .db
        .write(move |tx| {
            let account = identity::create_account(tx, None, Some(&address), Some(&hash), &name)?;
            identity::reset_password(tx, &account, &hash)?;
            identity::grant(tx, Actor::System, account.id, Role::PlatformAdmin, None).map(|_| ())
        })
        .await?;
    say(&format!(
        "{email} is a platform admin; its password is {password}\n"
    ))
}

/// What is to become of the jobs that were given up. A worker that runs finds those to be tried again
/// within `worker.poll_ms`.
pub(super) async fn tend(app: &App, command: JobsCommand) -> Result<()> {
    migrate_alone(app).await?;
    let (db, zone) = (&app.platform.db, app.platform.zone);
    let said = match command {
        JobsCommand::List => {
            let line = |job: Job| {
                let (since, why) = (job.run_at.on_the_wall(zone), job.last_error);
                let why = why.unwrap_or_default().replace(char::is_control, " ");
                format!(
                    "{}\t{}\t{since}\t{}\t{why}\n",
                    job.id, job.kind, job.attempts
                )
            };
            db.read(jobs::dead).await?.into_iter().map(line).collect()
        }
        JobsCommand::Retry(which) => {
            let which = Which::from(which);
            let count = db.write(move |tx| jobs::retry(tx, &which)).await?;
            format!("{count} to be tried again\n")
        }
        JobsCommand::Drop(which) => {
            let which = Which::from(which);
            let count = db.write(move |tx| jobs::drop(tx, &which)).await?;
            format!("{count} dropped\n")
        }
    };
    say(&said)
}
