//! The outbox and its worker.

use std::time::Duration;

use actix_web::rt::task::JoinHandle;
use chrono::TimeDelta;
use diesel::prelude::*;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use yiqilai::platform::columns::Json;
use yiqilai::platform::jobs::{self, JobId, JobStatus};
use yiqilai::platform::mail::Mail;
use yiqilai::worker::Worker;

use crate::harness::Server;

pub fn mail(to: &str) -> Mail {
    Mail::letter(to, "您的微心愿已被认领", &["王奶奶,您好!"])
}

pub async fn enqueue(server: &Server, to: &'static str, count: usize) -> JobId {
    let enqueued = server.write(move |tx| {
        let ids: yiqilai::error::Result<Vec<_>> = (0..count)
            .map(|_| tx.enqueue("mail", &mail(to), tx.now))
            .collect();
        ids
    });
    enqueued.await[0]
}

/// A server whose mail server takes connections and says nothing, and its worker at work.
async fn with_silent_mail() -> (Server, TcpListener, Worker, JoinHandle<()>) {
    let relay = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let server = Server::start_with(json!({
        "mail": {"transport": "smtp", "host": "127.0.0.1", "tls": "none", "timeout_seconds": 30,
                 "port": relay.local_addr().unwrap().port()},
        "worker": {"batch": 2, "poll_ms": 100},
    }))
    .await;
    enqueue(&server, "a@example.org", 5).await;
    let worker = Worker::new(server.app.clone());
    let working = {
        let worker = worker.clone();
        actix_web::rt::spawn(async move { worker.run().await })
    };
    (server, relay, worker, working)
}

/// It ends with the jobs at hand and has taken no others.
#[actix_web::test]
async fn a_stopped_worker_frees_the_jobs_it_took() {
    let (server, relay, worker, working) = with_silent_mail().await;
    let at_hand = (relay.accept().await.unwrap(), relay.accept().await.unwrap());
    worker.stop();
    drop(at_hand);
    tokio::time::timeout(Duration::from_secs(20), working)
        .await
        .expect("it ends with the jobs at hand")
        .unwrap();
    let db = &server.app.platform.db;
    assert_eq!(
        db.read(jobs::counts).await.unwrap(),
        [(JobStatus::Queued, 5)],
        "none is left to a lease"
    );
    let free = db.write(|tx| jobs::take(tx, &["mail"], 10)).await.unwrap();
    assert!(free.len() == 3 && free.iter().all(|job| job.attempts == 1));
}

/// Mail that waits for its server holds up neither SMS nor what the clock moves on, and no mail is
/// taken before its turn.
#[actix_web::test]
async fn a_silent_mail_server_holds_up_mail_alone() {
    let (server, relay, worker, working) = with_silent_mail().await;
    let at_hand = (relay.accept().await.unwrap(), relay.accept().await.unwrap());
    let phone = "+8613912345678";
    let asked = server
        .post("/auth/phone/code")
        .json(json!({"phone": phone}));
    asked.expect(202).await;
    let old = server.write(|tx| tx.enqueue("none.such", &1, tx.now)).await;
    server
        .write(move |tx| {
            use yiqilai::schema::jobs;
            diesel::update(jobs::table.find(old))
                .set(jobs::status.eq(JobStatus::Dead))
                .execute(tx.conn)?;
            Ok(())
        })
        .await;
    server.app.platform.clock.advance(TimeDelta::days(8));
    let mut ways = (false, false);
    for _ in 0..100 {
        ways = (
            !server.sms(phone).is_empty(),
            job(&server, old).await.is_none(),
        );
        if ways == (true, true) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(ways, (true, true), "(an SMS was sent, a sweep was made)");
    let running = server.app.platform.db.read(jobs::counts).await.unwrap();
    assert!(running.contains(&(JobStatus::Running, 2)), "{running:?}");
    worker.stop();
    drop((at_hand, relay));
    working.await.unwrap();
}

async fn job(server: &Server, id: JobId) -> Option<(JobStatus, Json<Value>)> {
    use yiqilai::schema::jobs;
    let read = server.app.platform.db.read(move |conn| {
        let row = jobs::table.find(id).select((jobs::status, jobs::payload));
        Ok(row.first(conn).optional()?)
    });
    read.await.unwrap()
}

#[actix_web::test]
async fn what_a_job_held_is_forgotten_when_it_is_done_or_dead() {
    let server = Server::start().await;
    let good = enqueue(&server, "wang@example.org", 1).await;
    let bad = enqueue(&server, "no address", 1).await;
    assert_eq!(server.work().await, 1);
    for (id, status) in [(good, JobStatus::Done), (bad, JobStatus::Dead)] {
        let (is, payload) = job(&server, id).await.unwrap();
        assert_eq!((is, payload.0), (status, Value::Null));
    }
    server.pass(TimeDelta::days(8)).await;
    assert!(job(&server, good).await.is_none() && job(&server, bad).await.is_none());
}

/// A job that was given a connection goes on, also while the worker itself waits for one.
#[actix_web::test]
async fn few_connections_are_enough_for_many_jobs() {
    let few = json!({
        "database": {"pool_size": 2, "acquire_timeout_ms": 1000},
        "worker": {"batch": 16, "poll_ms": 50},
    });
    let server = Server::start_with(few).await;
    enqueue(&server, "wang@example.org", 200).await;
    let performed = Worker::new(server.app.clone()).run_once().await;
    assert_eq!(performed.unwrap(), 200);
}
