//! The one writer of SQLite: a thread that commits what waits in groups.

use std::path::Path;
use std::time::Duration;

use diesel::connection::{AnsiTransactionManager, SimpleConnection, TransactionManager};
use diesel::prelude::*;
use tokio::sync::{mpsc, oneshot};

use super::pool::open_sqlite;
use super::{Conn, guarded};
use crate::error::{Error, Result};

/// Runs a command and hands back how to answer it once the group's commit is known.
type Command = Box<dyn FnOnce(&mut Conn) -> Answer + Send>;
type Answer = Box<dyn FnOnce(std::result::Result<(), String>) + Send>;

enum Message {
    Grouped(Command),
    Alone(Box<dyn FnOnce(&mut Conn) + Send>),
}

#[derive(Clone)]
pub(super) struct Writer(mpsc::Sender<Message>);

impl Writer {
    pub fn start(path: &Path, group: usize) -> Result<Self> {
        let conn = Conn::Sqlite(open_sqlite(path, false)?);
        // A full queue makes callers wait; the server's own limits bound how many those are.
        let (sender, receiver) = mpsc::channel(4 * group.max(1));
        std::thread::Builder::new()
            .name("sqlite-writer".into())
            .spawn(move || write_in_groups(conn, receiver, group.max(1)))
            .map_err(Error::internal)?;
        let path = path.to_owned();
        let alive = sender.downgrade();
        std::thread::Builder::new()
            .name("sqlite-checkpoint".into())
            .spawn(move || checkpoint_in_background(&path, &alive))
            .map_err(Error::internal)?;
        Ok(Self(sender))
    }

    pub async fn submit<T, F>(&self, f: F) -> Result<T>
    where
        T: Send + 'static,
        F: Fn(&mut Conn) -> Result<T> + Send + 'static,
    {
        let (sender, receiver) = oneshot::channel();
        let command: Command = Box::new(move |conn| {
            let result = f(conn);
            Box::new(move |committed| {
                let _ = sender.send(match committed {
                    Ok(()) => result,
                    Err(why) => result.and(Err(Error::internal(why))),
                });
            })
        });
        self.0
            .send(Message::Grouped(command))
            .await
            .map_err(|_| Error::overloaded())?;
        receiver.await.map_err(Error::internal)?
    }

    pub async fn alone<T, F>(&self, f: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&mut Conn) -> Result<T> + Send + 'static,
    {
        let (sender, receiver) = oneshot::channel();
        let task = Box::new(move |conn: &mut Conn| {
            let _ = sender.send(guarded(|| f(conn)));
        });
        self.0
            .send(Message::Alone(task))
            .await
            .map_err(|_| Error::overloaded())?;
        receiver.await.map_err(Error::internal)?
    }
}

fn write_in_groups(mut conn: Conn, mut receiver: mpsc::Receiver<Message>, group: usize) {
    let mut next = receiver.blocking_recv();
    while let Some(message) = next.take() {
        let first = match message {
            Message::Alone(task) => {
                task(&mut conn);
                next = receiver.blocking_recv();
                continue;
            }
            Message::Grouped(command) => command,
        };
        let mut answers = Vec::with_capacity(group);
        let begun = begin_immediate(&mut conn);
        let mut committed = begun.as_ref().map(|_| ()).map_err(ToString::to_string);
        if begun.is_ok() {
            answers.push(first(&mut conn));
            while answers.len() < group {
                match receiver.try_recv() {
                    Ok(Message::Grouped(command)) => answers.push(command(&mut conn)),
                    Ok(alone) => {
                        next = Some(alone);
                        break;
                    }
                    Err(_) => break,
                }
            }
            committed = commit(&mut conn).map_err(|error| error.to_string());
        } else {
            drop(first); // its caller is told that nothing was done
        }
        if let Err(why) = &committed {
            tracing::error!(error = %why, "a group of writes was not committed");
        }
        for answer in answers {
            answer(committed.clone());
        }
        if next.is_none() {
            next = receiver.blocking_recv();
        }
    }
}

fn begin_immediate(conn: &mut Conn) -> QueryResult<()> {
    match conn {
        Conn::Sqlite(conn) => {
            AnsiTransactionManager::begin_transaction_sql(conn, "BEGIN IMMEDIATE")
        }
        Conn::Postgres(conn) => AnsiTransactionManager::begin_transaction(conn),
    }
}

fn commit(conn: &mut Conn) -> QueryResult<()> {
    let committed = match conn {
        Conn::Sqlite(conn) => AnsiTransactionManager::commit_transaction(conn),
        Conn::Postgres(conn) => AnsiTransactionManager::commit_transaction(conn),
    };
    if committed.is_err()
        && let Conn::Sqlite(conn) = conn
    {
        // a failed COMMIT (disk full) may leave the transaction open
        let _ = AnsiTransactionManager::rollback_transaction(conn);
    }
    committed
}

/// Moves the log into the database file now and then, so that no commit has to do it.
fn checkpoint_in_background(path: &Path, alive: &mpsc::WeakSender<Message>) {
    let Ok(mut conn) = open_sqlite(path, false) else {
        return;
    };
    let mut pause = 0;
    loop {
        std::thread::sleep(Duration::from_millis(250));
        if alive.upgrade().is_none() {
            return;
        }
        pause += 1;
        if pause == 20 {
            pause = 0;
            if let Err(error) = conn.batch_execute("PRAGMA wal_checkpoint(PASSIVE)") {
                tracing::warn!(%error, "checkpoint");
            }
        }
    }
}
