//! The figures for operators.

use std::time::Duration;

use chrono::TimeDelta;
use diesel::prelude::*;
use yiqilai::platform::jobs;
use yiqilai::platform::journal::{Actor, Change};
use yiqilai::worker::REACTIONS;

use crate::harness::Server;
use crate::outbox::{enqueue, mail};

/// Waits until the figures say so: the tests of a process share them.
async fn figures_say(server: &Server, wanted: &[(String, f64)]) {
    let mut text = String::new();
    for _ in 0..100 {
        let figures = server.get("/metrics").expect(200).await;
        text = String::from_utf8(figures.bytes).unwrap();
        let says = |(name, value): &(String, f64)| {
            let line = text.lines().find(|line| {
                line.rsplit_once(' ')
                    .is_some_and(|(known, _)| known == name)
            });
            line.and_then(|line| line.rsplit(' ').next()?.parse().ok()) == Some(*value)
        };
        if wanted.iter().all(says) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("{wanted:?} are not in {text}");
}

#[actix_web::test]
async fn what_waits_is_in_the_figures() {
    let server = Server::start().await;
    server.work().await;
    let figure = |name: &str, value| (name.to_owned(), value);
    let lags = |reactions, in_memory| {
        let reactions = REACTIONS.iter().map(move |name| (*name, reactions));
        let in_memory = ["matching", "search"].map(|name| (name, in_memory));
        reactions.chain(in_memory).map(|(name, lag)| {
            let label = format!("journal_lag_seconds{{reader=\"{name}\"}}");
            (label, lag)
        })
    };
    let nothing = [
        figure("jobs{status=\"dead\"}", 0.0),
        figure("jobs_due", 0.0),
        figure("jobs_due_oldest_seconds", 0.0),
    ];
    let nothing: Vec<_> = nothing.into_iter().chain(lags(0.0, 0.0)).collect();
    figures_say(&server, &nothing).await;

    enqueue(&server, "wang@example.org", 2).await;
    enqueue(&server, "no address", 1).await;
    server
        .write(|tx| {
            tx.enqueue(
                "mail",
                &mail("later@example.org"),
                tx.now + TimeDelta::hours(1),
            )?;
            let about = uuid::Uuid::now_v7();
            tx.journal(Change::new(Actor::System, "test.happened", about))
        })
        .await;
    server.app.matching.until_current().await.unwrap();
    server.app.search.until_current().await.unwrap();
    server.app.platform.clock.advance(TimeDelta::seconds(90));
    let waiting = [
        figure("jobs{status=\"queued\"}", 4.0),
        figure("jobs_due", 3.0),
        figure("jobs_due_oldest_seconds", 90.0),
    ];
    let waiting: Vec<_> = waiting.into_iter().chain(lags(90.0, 0.0)).collect();
    figures_say(&server, &waiting).await;

    // a worker that died with them holds them no longer than its lease
    let taken = server.write(|tx| jobs::take(tx, &["mail"], 10)).await;
    assert_eq!(taken.len(), 3);
    figures_say(&server, &nothing[1..3]).await;
    server.app.platform.clock.advance(TimeDelta::seconds(301));
    let left = [
        figure("jobs_due", 3.0),
        figure("jobs_due_oldest_seconds", 391.0),
    ];
    figures_say(&server, &left).await;

    server.work().await;
    let done = [
        figure("jobs{status=\"queued\"}", 1.0),
        figure("jobs{status=\"running\"}", 0.0),
        figure("jobs{status=\"done\"}", 2.0),
        figure("jobs{status=\"dead\"}", 1.0),
        figure("jobs_due", 0.0),
        figure("jobs_due_oldest_seconds", 0.0),
    ];
    let done: Vec<_> = done.into_iter().chain(lags(0.0, 0.0)).collect();
    figures_say(&server, &done).await;
    let readers = server.app.platform.db.read(|conn| {
        use yiqilai::schema::journal_cursors;
        Ok(journal_cursors::table
            .select(journal_cursors::reader)
            .load::<String>(conn)?)
    });
    let readers = readers.await.unwrap();
    assert!(
        readers
            .iter()
            .all(|reader| REACTIONS.contains(&reader.as_str()))
    );
}
