//! Sends the waves that are due.

use super::service::{Desk, step};
use super::store;
use crate::error::{Error, Result};

/// How many recruitments are moved on at once.
const PAGE: i64 = 1_000;

/// Moves on the recruitments that are due, each in its own transaction. Whoever may be asked is found
/// in the world in memory: a process that has none yet begins to build it, and sends nothing until it
/// stands.
///
/// # Errors
/// Those of the database.
pub async fn send_due(desk: &Desk) -> Result<()> {
    let (matching, platform) = (&desk.matching, desk.matching.platform());
    let now = platform.clock.now();
    let due = platform.db.read(move |conn| store::due(conn, now, PAGE));
    let due = due.await?;
    if due.is_empty() {
        return Ok(());
    }
    if !matching.is_ready() {
        matching.follow();
        return Ok(());
    }
    matching.until_current().await?;
    for id in due {
        let desk = desk.clone();
        let moved = platform.db.write(move |tx| step(tx, &desk, id));
        match moved.await {
            Ok(()) => {}
            // somebody else moved it
            Err(Error::Problem(problem)) => {
                tracing::debug!(recruitment = %id, code = problem.code.as_str(), "not moved");
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
