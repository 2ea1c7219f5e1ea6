//! `yiqilai bench`.

use std::path::PathBuf;

use clap::Subcommand;

use super::terminal::say;
use crate::error::{Error, Result};
use crate::matching;

#[derive(Subcommand)]
pub(super) enum BenchCommand {
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

pub(super) fn bench(command: &BenchCommand) -> Result<()> {
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
