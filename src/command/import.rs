//! `yiqilai import`.

use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::str::FromStr;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use strum::VariantArray;

use super::serving::migrate;
use super::terminal::{lang, note, say, start_log};
use crate::app::{App, Config};
use crate::error::{Error, Result};
use crate::imports::{self, Bundled, Target};
use crate::platform::clock::Clock;
use crate::platform::db::Alone;
use crate::platform::lang::Lang;

#[derive(clap::Args)]
pub(super) struct ImportCommand {
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

pub(super) async fn import(config: Option<&Path>, command: &ImportCommand) -> Result<ExitCode> {
    let lang = lang();
    let config = Config::load(config)?;
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
