//! The outbox and its worker.

use std::time::Duration;

use actix_web::rt::task::JoinHandle;
use chrono::TimeDelta;
use diesel::prelude::*;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use yiqilai::platform::clock::Clock;
use yiqilai::platform::columns::Json;
use yiqilai::platform::jobs::{self, JobId, JobStatus};
use yiqilai::platform::mail::Mail;
use yiqilai::worker::Worker;

use crate::harness::Server;
use crate::process::run;

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
                .set(jobs::status.eq(JobStatus::Done))
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
async fn what_a_job_held_is_forgotten_when_it_is_done_and_some_time_after_it_was_given_up() {
    let server = Server::start().await;
    let good = enqueue(&server, "wang@example.org", 1).await;
    let bad = enqueue(&server, "no address", 1).await;
    assert_eq!(server.work().await, 1);
    let (is, payload) = job(&server, good).await.unwrap();
    assert_eq!((is, payload.0), (JobStatus::Done, Value::Null));
    let (is, payload) = job(&server, bad).await.unwrap();
    assert_eq!(
        (is, &payload.0["to"]),
        (JobStatus::Dead, &json!("no address"))
    );
    server.pass(TimeDelta::days(8)).await;
    assert!(job(&server, good).await.is_none() && job(&server, bad).await.is_some());
    server.pass(TimeDelta::days(23)).await;
    assert!(job(&server, bad).await.is_none(), "after a month");
}

/// What the command line says, a line each.
fn told(server: &Server, arguments: &[&str]) -> Vec<String> {
    let output = run(server, arguments);
    assert!(output.status.success(), "{output:?}");
    let said = String::from_utf8(output.stdout).unwrap();
    said.lines().map(str::to_owned).collect()
}

#[actix_web::test]
async fn an_operator_sees_retries_and_drops_what_was_given_up() {
    let server = Server::start_at(json!({}), Clock::system().now()).await;
    assert!(told(&server, &["jobs", "list"]).is_empty());
    let bad = enqueue(&server, "no address", 1).await.to_string();
    let odd = server.write(|tx| tx.enqueue("sms", &1, tx.now)).await;
    let lost = enqueue(&server, "wang@example.org", 1).await;
    // its server was away for long
    server
        .write(move |tx| {
            use yiqilai::schema::jobs;
            diesel::update(jobs::table.find(lost))
                .set((jobs::status.eq(JobStatus::Dead), jobs::attempts.eq(8)))
                .execute(tx.conn)?;
            Ok(())
        })
        .await;
    assert_eq!(server.work().await, 0);
    let dead = told(&server, &["jobs", "list"]);
    let about: Vec<_> = dead
        .iter()
        .map(|line| line.split('\t').collect::<Vec<_>>())
        .collect();
    let ids: Vec<_> = about.iter().map(|columns| columns[0].to_owned()).collect();
    assert_eq!(ids, [bad.clone(), odd.to_string(), lost.to_string()]);
    assert_eq!((about[0][1], about[0][3]), ("mail", "1"));
    assert_eq!(about[0][4], "mail refused: the recipient is not an address");
    assert!(
        !dead.concat().contains("wang@"),
        "what it holds is not shown"
    );

    assert_eq!(told(&server, &["jobs", "drop", &ids[1]]), ["1 dropped"]);
    let none = run(&server, &["jobs", "retry", &ids[1], &bad]);
    assert_eq!(none.status.code(), Some(1), "one of them is no more");
    assert!(!run(&server, &["jobs", "drop"]).status.success(), "which?");
    assert_eq!(
        told(&server, &["jobs", "retry", "--kind", "sms"]),
        ["0 to be tried again"]
    );
    let mails = ["jobs", "retry", "--kind", "mail"];
    assert_eq!(told(&server, &mails), ["2 to be tried again"]);
    server.app.platform.clock.advance(TimeDelta::minutes(1)); // of the command line's clock
    assert_eq!(server.work().await, 1);
    assert_eq!(server.mails("wang@example.org").len(), 1);
    let dead = told(&server, &["jobs", "list"]);
    assert!(dead.len() == 1 && dead[0].starts_with(&bad), "{dead:?}");
    assert_eq!(told(&server, &["jobs", "drop", "--all"]), ["1 dropped"]);
    assert!(told(&server, &["jobs", "list"]).is_empty());
}

/// A job that may be what ended its worker is not begun for ever.
#[actix_web::test]
async fn what_ended_its_worker_again_and_again_is_given_up() {
    let server = Server::start().await;
    let first = enqueue(&server, "a@example.org", 1).await;
    let last = enqueue(&server, "b@example.org", 1).await;
    server.write(|tx| jobs::take(tx, &["mail"], 10)).await;
    server
        .write(move |tx| {
            use yiqilai::schema::jobs as table;
            diesel::update(table::table.find(last))
                .set(table::attempts.eq(jobs::MAX_ATTEMPTS))
                .execute(tx.conn)?;
            jobs::release(tx)
        })
        .await;
    let status = async |id| job(&server, id).await.unwrap().0;
    assert_eq!(status(first).await, JobStatus::Queued);
    assert_eq!(status(last).await, JobStatus::Dead);
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
