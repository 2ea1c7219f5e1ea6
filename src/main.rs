//! The command line of Yiqilai.

use std::fmt::Display;
use std::io::{ErrorKind, IsTerminal, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::str::FromStr;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Parser, Subcommand};
use serde::{Deserialize, Serialize};
use strum::VariantArray;
use tikv_jemallocator::Jemalloc;
use tracing_subscriber::EnvFilter;
use validator::Validate;
use yiqilai::app::{App, Config, LogConfig, LogFormat, Profile};
use yiqilai::error::{Error, Result};
use yiqilai::identity::{self, Role};
use yiqilai::imports::{self, Bundled, Target};
use yiqilai::matching;
use yiqilai::platform::clock::Clock;
use yiqilai::platform::db::Alone;
use yiqilai::platform::http::valid;
use yiqilai::platform::jobs::{self, Job, JobId, Which};
use yiqilai::platform::journal::Actor;
use yiqilai::platform::lang::Lang;
use yiqilai::platform::token::random_token;
use yiqilai::worker::Worker;
use yiqilai::{api, demo, server};

#[global_allocator]
static ALLOCATOR: Jemalloc = Jemalloc;

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
enum BenchCommand {
    /// People for needs and needs for people, as the server finds them.
    Match {
        /// The folder of the columns.
        #[arg(long)]
        data: PathBuf,
        /// How many are found for each query.
        #[arg(long, default_value_t = 20)]
        top: usize,
        /// How often all queries are answered; the least time of each counts.
        #[arg(long, default_value_t = 3)]
        passes: usize,
        /// Where to write what was found, a line for each query.
        #[arg(long)]
        hits: Option<PathBuf>,
        /// Leave the updates out.
        #[arg(long)]
        no_updates: bool,
    },
    /// A batch round: the plan of greatest weight and the proof that there is none much better.
    Round {
        /// The folder of the columns.
        #[arg(long)]
        data: PathBuf,
        /// Where to write the certificate: what each place (u) and each seat (v) is worth.
        #[arg(long)]
        duals: Option<PathBuf>,
    },
}

#[derive(Subcommand)]
enum AdminCommand {
    /// Make a platform admin (or make an account one) and print its new password.
    Create(NewAdmin),
    /// Sign access tokens with a new key from now on.
    RotateKeys,
}

/// Who becomes a platform admin.
#[derive(clap::Args, Deserialize, Serialize, Validate)]
struct NewAdmin {
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
    fn checked(&self) -> Result<Self> {
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
enum JobsCommand {
    /// List them, those given up first at the head: id, kind, since when, tries, why.
    List,
    /// Try them again from now on.
    Retry(WhichJobs),
    /// Forget them.
    Drop(WhichJobs),
}

#[derive(clap::Args)]
#[group(required = true, multiple = false)]
struct WhichJobs {
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

#[derive(clap::Args)]
struct ImportCommand {
    /// What to import.
    #[arg(value_parser = one_of::<Target>())]
    target: Target,
    /// A CSV, XLSX or GeoJSON file.
    #[arg(required_unless_present = "bundled", requires = "map")]
    file: Option<PathBuf>,
    /// The mapping file: where each field comes from.
    #[arg(long)]
    map: Option<PathBuf>,
    /// Instead of files, a table that ships with the program: beilun (regions).
    #[arg(long, value_name = "NAME", value_parser = one_of::<Bundled>(), conflicts_with_all = ["file", "map"])]
    bundled: Option<Bundled>,
    /// Keep nothing, and say what would happen.
    #[arg(long)]
    dry_run: bool,
    /// Keep nothing when any row is bad.
    #[arg(long)]
    all_or_nothing: bool,
    /// Write the report as JSON to this file.
    #[arg(long)]
    report: Option<PathBuf>,
}

/// One of a few by its name; what is none of them is answered with all of them.
fn one_of<T>() -> impl TypedValueParser<Value = T>
where
    T: VariantArray + FromStr<Err: std::error::Error + Send + Sync + 'static> + Copy + Send + Sync,
    &'static str: From<T>,
{
    let names = T::VARIANTS.iter().map(|one| <&'static str>::from(*one));
    PossibleValuesParser::new(names).try_map(|name| name.parse::<T>())
}

#[derive(Subcommand)]
enum ConfigCommand {
    /// Check it and print the effective one, secrets redacted.
    Check,
}

fn main() -> ExitCode {
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

/// The language of whoever sits at the terminal, as POSIX tells it: Chinese, or else English.
fn lang() -> Lang {
    let names = ["LC_ALL", "LC_MESSAGES", "LANG"].into_iter();
    let mut said = names.filter_map(|name| std::env::var(name).ok());
    match said.find(|locale| !locale.is_empty()) {
        Some(locale) if locale.starts_with("zh") => Lang::Zh,
        _ => Lang::En,
    }
}

/// Says why nothing was done; of a refusal, everything that is wrong.
fn tell(error: &Error) {
    let Error::Problem(problem) = error else {
        return note(format_args!("yiqilai: {error}"));
    };
    let lang = lang();
    note(format_args!("yiqilai: {}", problem.detail.get(lang)));
    for wrong in &problem.errors {
        note(format_args!(
            "  {}: {}",
            wrong.pointer,
            wrong.detail.get(lang)
        ));
    }
}

async fn run(cli: Cli) -> Result<ExitCode> {
    if let Command::Import(command) = &cli.command {
        return import(&cli, command).await;
    }
    if let Command::Bench(command) = &cli.command {
        return bench(command).map(|()| ExitCode::SUCCESS);
    }
    perform(cli).await.map(|()| ExitCode::SUCCESS)
}

fn bench(command: &BenchCommand) -> Result<()> {
    let figures = match command {
        BenchCommand::Match {
            data,
            top,
            passes,
            hits,
            no_updates,
        } => {
            let order = matching::bench::search::Order {
                data: data.clone(),
                top: *top,
                passes: *passes,
                updates: !no_updates,
                hits: hits.clone(),
            };
            let figures = matching::bench::search::run(&order).map_err(Error::internal)?;
            serde_json::to_string(&figures)
        }
        BenchCommand::Round { data, duals } => {
            let order = matching::bench::round::Order {
                data: data.clone(),
                duals: duals.clone(),
            };
            let figures = matching::bench::round::run(&order).map_err(Error::internal)?;
            serde_json::to_string(&figures)
        }
    };
    say(&format!("{}\n", figures.map_err(Error::internal)?))
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

/// Begins this very command anew in this very process. Loading leaves threads and half-used pages behind, of
/// which a server has no use; where the system cannot, the server lives with them.
fn begin_anew() {
    #[cfg(unix)]
    if let Ok(program) = std::env::current_exe() {
        use std::os::unix::process::CommandExt;
        let why = std::process::Command::new(program)
            .args(std::env::args_os().skip(1))
            .exec();
        tracing::warn!(%why, "serving in the process that loaded the sample district");
    }
}

/// Writes to the standard output; whoever reads only its beginning (`| head`) is left in peace.
fn say(text: &str) -> Result<()> {
    let mut out = std::io::stdout();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(why) if why.kind() != ErrorKind::BrokenPipe => Err(Error::internal(why)),
        _ => Ok(()),
    }
}

/// Writes a line to the standard error, where somebody reads it.
fn note(line: std::fmt::Arguments<'_>) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// Takes the address first of all: when it is taken, nothing else has begun.
fn listen(config: &Config) -> Result<TcpListener> {
    let address = &config.server.address;
    TcpListener::bind(address)
        .map_err(|why| Error::internal(format!("server.address: {address}: {why}")))
}

fn start_log(config: &LogConfig) -> Result<()> {
    let filter = EnvFilter::try_new(&config.filter).map_err(Error::internal)?;
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none())
        .log_internal_errors(false); // where nobody reads the log, there is nobody to tell
    match config.format {
        LogFormat::Text => log.init(),
        LogFormat::Json => log.json().init(),
    }
    Ok(())
}

async fn migrate(app: &App) -> Result<()> {
    for step in app.platform.db.migrate().await? {
        tracing::info!(%step, "migration applied");
    }
    Ok(())
}

/// For commands that may run beside a server: a step of the schema is not taken under it.
async fn migrate_alone(app: &App) -> Result<()> {
    let db = &app.platform.db;
    // one that was restored on another PostgreSQL server has every step, but its journal is to be put in place
    if db.is_sqlite() && matches!(db.pending_migrations().await, Ok(0)) {
        return Ok(());
    }
    let _alone = Alone::on(&app.config.database)?;
    migrate(app).await
}

/// One short transaction, which waits for those of a server: both see what the other wrote.
async fn administer(app: &App, command: AdminCommand) -> Result<()> {
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
async fn tend(app: &App, command: JobsCommand) -> Result<()> {
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

/// What an import reads.
struct Source {
    file_name: String,
    file: Vec<u8>,
    map: String,
}

impl Source {
    fn of(command: &ImportCommand, lang: Lang) -> Result<Self> {
        if let Some(bundled) = command.bundled {
            if bundled.target() != command.target {
                let holds = lang.pick("的内容是", "holds");
                let why = format!("{bundled} {holds} {}", bundled.target());
                return Err(Error::internal(why));
            }
            return Ok(Self {
                file_name: bundled.file_name(),
                file: bundled.file().to_vec(),
                map: bundled.map().to_owned(),
            });
        }
        // clap has asked for both
        let (Some(file), Some(map)) = (&command.file, &command.map) else {
            let why = lang.pick("请指定数据文件及其映射文件", "name a file and its mapping");
            return Err(Error::internal(why));
        };
        let unread = lang.pick("无法读取", "cannot be read");
        let read = |path: &Path| std::fs::read(path).map_err(|why| at(path, unread, why));
        let no_text = lang.pick("不是 UTF-8 编码的文本", "is not text in UTF-8");
        let file_name = file.file_name();
        Ok(Self {
            file_name: file_name.map_or(String::new(), |name| name.to_string_lossy().into_owned()),
            map: String::from_utf8(read(map)?).map_err(|why| at(map, no_text, why))?,
            file: read(file)?,
        })
    }
}

/// What is the matter with a file, and with which.
fn at(path: &Path, what: &str, why: impl Display) -> Error {
    Error::internal(format!("{}: {what} ({why})", path.display()))
}

async fn import(cli: &Cli, command: &ImportCommand) -> Result<ExitCode> {
    let lang = lang();
    let config = Config::load(cli.config.as_deref())?;
    start_log(&config.log)?;
    let source = Source::of(command, lang)?;
    let order = imports::Order {
        file_name: source.file_name,
        lang,
        dry_run: command.dry_run,
        all_or_nothing: command.all_or_nothing,
        ..imports::order(&source.file, &source.map, command.target)?
    };
    // before anything is done: what was not reported would be done again
    let no_file = lang.pick("无法写入", "cannot be written");
    let is_new = command.report.as_ref().is_some_and(|path| !path.exists());
    if let Some(path) = &command.report {
        let mut file = std::fs::File::options();
        let opened = file.create(true).append(true).open(path);
        opened.map_err(|why| at(path, no_file, why))?;
    }
    let report = match carry_out(config, order, lang).await {
        Ok(report) => report,
        Err(error) => {
            if let Some(path) = command.report.as_ref().filter(|_| is_new) {
                let _ = std::fs::remove_file(path); // there is nothing to report
            }
            return Err(error);
        }
    };
    say(&report.text(lang))?;
    if let Some(path) = &command.report {
        let json = serde_json::to_vec_pretty(&report).map_err(Error::internal)?;
        std::fs::write(path, json).map_err(|why| at(path, no_file, why))?;
    }
    Ok(ExitCode::from(report.exit_code()))
}

async fn carry_out(config: Config, order: imports::Order, lang: Lang) -> Result<imports::Report> {
    let _alone = Alone::on(&config.database)?; // its transactions are long
    let app = App::build(config, Clock::system()).await?;
    migrate(&app).await?;
    let rows = lang.pick("行", "rows");
    let progress =
        std::sync::Arc::new(move |done: usize, of: usize| note(format_args!("{done}/{of} {rows}")));
    let report = imports::run(&app.platform.db, &app.imports(), order, progress).await?;
    app.platform.db.fold_log().await?;
    Ok(report)
}

async fn serve(app: App, listener: TcpListener) -> Result<()> {
    migrate(&app).await?;
    if let Err(error) = app.platform.files.check().await {
        tracing::error!(%error, "the file store takes no files");
    }
    let address = listener.local_addr().map_err(Error::internal)?;
    let db = app.platform.db.clone();
    let worker = app
        .config
        .server
        .in_process_worker
        .then(|| Worker::new(app.clone()));
    let working = worker
        .clone()
        .map(|worker| actix_web::rt::spawn(async move { worker.run().await }));
    tracing::info!(%address, "serving; the API reference is at /docs/");
    // actix stops taking requests on SIGTERM and SIGINT and lets those in flight finish
    server::start(app, listener)?
        .await
        .map_err(Error::internal)?;
    if let (Some(worker), Some(working)) = (worker, working) {
        worker.stop();
        let _ = working.await;
    }
    db.fold_log().await
}

async fn work(app: App) -> Result<()> {
    migrate(&app).await?;
    let worker = Worker::new(app);
    let stopper = worker.clone();
    actix_web::rt::spawn(async move {
        wait_for_signal().await;
        stopper.stop();
    });
    worker.run().await;
    Ok(())
}

async fn wait_for_signal() {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = tokio::signal::ctrl_c() => {}
            }
        }
        Err(_) => {
            let _ = tokio::signal::ctrl_c().await;
        }
    }
}
