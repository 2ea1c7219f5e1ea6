//! The command line: what a person or an operating system starts.

mod admin;
mod bench;
mod import;
mod serving;
mod terminal;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::app::{App, Config, Profile};
use crate::error::{Error, Result};
use crate::platform::clock::Clock;
use crate::platform::db::Alone;
use crate::{api, demo};
use admin::{AdminCommand, JobsCommand, administer, tend};
use bench::{BenchCommand, bench};
use import::{ImportCommand, import};
use serving::{begin_anew, listen, migrate_alone, serve, work};
use terminal::{say, start_log, tell};

/// 益起来: volunteer matching and public-benefit projects of a district.
#[derive(Parser)]
#[command(version)]
struct Cli {
    /// The local configuration file [config/local.toml, when it exists].
    #[arg(long, global = true, env = "YIQILAI_CONFIG")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve the API (and, unless configured otherwise, perform jobs).
    Serve,
    /// Perform jobs and sweeps only.
    Worker,
    /// Bring the database's schema up to date.
    Migrate,
    /// Load the sample district into an empty database and serve it.
    Demo,
    /// Manage accounts that nobody else can make.
    #[command(subcommand)]
    Admin(AdminCommand),
    /// Look at jobs (mail, SMS …) that were given up, and try them again or drop them.
    #[command(subcommand)]
    Jobs(JobsCommand),
    /// Import foreign data by a mapping file (docs/import.md).
    ///
    /// Ends with 0 when every row landed, 2 when some did not, 1 when nothing could be done.
    Import(ImportCommand),
    /// Look at the configuration.
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Measure the matching engine on columns on disk; prints one line of JSON.
    #[command(subcommand)]
    Bench(BenchCommand),
    /// Print the API's specification (openapi.yaml).
    Openapi,
    /// Print the lifecycles as diagrams (docs/lifecycles.md).
    Lifecycles,
}

#[derive(Subcommand)]
enum ConfigCommand {
    /// Check it and print the effective one, secrets redacted.
    Check,
}

/// Does what the arguments of this process ask for, and says how it ended: 0 when it was done, 1 when not; an
/// import ends with 2 where rows did not land.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(asked) => {
            let _ = asked.print();
            // 2 is an import's word for rows that did not land
            return ExitCode::from(u8::from(asked.use_stderr()));
        }
    };
    match actix_web::rt::System::new().block_on(run(cli)) {
        Ok(code) => code,
        Err(error) => {
            tell(&error);
            ExitCode::FAILURE
        }
    }
}

async fn run(cli: Cli) -> Result<ExitCode> {
    if let Command::Import(command) = &cli.command {
        return import(cli.config.as_deref(), command).await;
    }
    if let Command::Bench(command) = &cli.command {
        return bench(command).map(|()| ExitCode::SUCCESS);
    }
    perform(cli).await.map(|()| ExitCode::SUCCESS)
}

async fn perform(mut cli: Cli) -> Result<()> {
    // before a database is looked at
    if let Command::Admin(AdminCommand::Create(new)) = &mut cli.command {
        *new = new.checked()?;
    }
    if let Command::Openapi = cli.command {
        return say(&api::specification().to_yaml().map_err(Error::internal)?);
    }
    if let Command::Lifecycles = cli.command {
        return say(&api::lifecycles());
    }
    let config = Config::load(cli.config.as_deref())?;
    if let Command::Config(ConfigCommand::Check) = cli.command {
        return say(&toml::to_string_pretty(&config).map_err(Error::internal)?);
    }
    start_log(&config.log)?;
    if let Command::Demo = cli.command {
        if config.profile == Profile::Production {
            let why =
                "the sample district has accounts with a published password: not in production";
            return Err(Error::internal(why));
        }
        let listener = listen(&config)?;
        let _alone = Alone::on(&config.database)?;
        if demo::load(&config).await? {
            tracing::info!("the sample district is loaded");
            begin_anew();
        }
        let app = App::build(config, Clock::system()).await?;
        let welcome = demo::welcome(&app.platform.public_url, app.platform.clock.now());
        say(&format!("{welcome}\n"))?;
        return serve(app, listener).await;
    }
    if let Command::Serve = cli.command {
        let listener = listen(&config)?;
        let _alone = Alone::on(&config.database)?;
        return serve(App::build(config, Clock::system()).await?, listener).await;
    }
    let _alone = match cli.command {
        Command::Worker => Some(Alone::on(&config.database)?),
        _ => None,
    };
    let app = App::build(config, Clock::system()).await?;
    match cli.command {
        Command::Worker => work(app).await,
        Command::Migrate => migrate_alone(&app).await,
        Command::Admin(command) => administer(&app, command).await,
        Command::Jobs(command) => tend(&app, command).await,
        Command::Serve
        | Command::Demo
        | Command::Config(_)
        | Command::Import(_)
        | Command::Bench(_)
        | Command::Openapi
        | Command::Lifecycles => Ok(()),
    }
}
