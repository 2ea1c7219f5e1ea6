//! `yiqilai serve`, `demo`, `worker` and `migrate`: the schema is brought up to date first.

use std::net::TcpListener;

use crate::app::{App, Config};
use crate::error::{Error, Result};
use crate::platform::db::Alone;
use crate::server;
use crate::worker::Worker;

/// Begins this very command anew in this very process. Loading leaves threads and half-used pages behind, of
/// which a server has no use; where the system cannot, the server lives with them.
pub(super) fn begin_anew() {
    #[cfg(unix)]
    if let Ok(program) = std::env::current_exe() {
        use std::os::unix::process::CommandExt;
        let why = std::process::Command::new(program)
            .args(std::env::args_os().skip(1))
            .exec();
        tracing::warn!(%why, "serving in the process that loaded the sample district");
    }
}

/// Takes the address first of all: when it is taken, nothing else has begun.
pub(super) fn listen(config: &Config) -> Result<TcpListener> {
    let address = &config.server.address;
    TcpListener::bind(address)
        .map_err(|why| Error::internal(format!("server.address: {address}: {why}")))
}

pub(super) async fn migrate(app: &App) -> Result<()> {
    for step in app.platform.db.migrate().await? {
        tracing::info!(%step, "migration applied");
    }
    Ok(())
}

/// For commands that may run beside a server: a step of the schema is not taken under it.
pub(super) async fn migrate_alone(app: &App) -> Result<()> {
    let db = &app.platform.db;
    // one that was restored on another PostgreSQL server has every step, but its journal is to be put in place
    if db.is_sqlite() && matches!(db.pending_migrations().await, Ok(0)) {
        return Ok(());
    }
    let _alone = Alone::on(&app.config.database)?;
    migrate(app).await
}

pub(super) async fn serve(app: App, listener: TcpListener) -> Result<()> {
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

pub(super) async fn work(app: App) -> Result<()> {
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
