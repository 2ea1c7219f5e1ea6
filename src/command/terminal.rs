//! What is said at a terminal, and to the log.

use std::io::{ErrorKind, IsTerminal, Write};

use tracing_subscriber::EnvFilter;

use crate::app::{LogConfig, LogFormat};
use crate::error::{Error, Result};
use crate::platform::lang::Lang;

/// The language of whoever sits at the terminal, as POSIX tells it: Chinese, or else English.
pub(super) fn lang() -> Lang {
    let names = ["LC_ALL", "LC_MESSAGES", "LANG"].into_iter();
    let mut said = names.filter_map(|name| std::env::var(name).ok());
    match said.find(|locale| !locale.is_empty()) {
        Some(locale) if locale.starts_with("zh") => Lang::Zh,
        _ => Lang::En,
    }
}

/// Says why nothing was done; of a refusal, everything that is wrong.
pub(super) fn tell(error: &Error) {
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

/// Writes to the standard output; whoever reads only its beginning (`| head`) is left in peace.
pub(super) fn say(text: &str) -> Result<()> {
    let mut out = std::io::stdout();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(why) if why.kind() != ErrorKind::BrokenPipe => Err(Error::internal(why)),
        _ => Ok(()),
    }
}

/// Writes a line to the standard error, where somebody reads it.
pub(super) fn note(line: std::fmt::Arguments<'_>) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

pub(super) fn start_log(config: &LogConfig) -> Result<()> {
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
