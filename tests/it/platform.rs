//! The plumbing, where only the real thing shows whether it holds.

use std::collections::BTreeSet;
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use chrono::TimeDelta;
use diesel::prelude::*;
use serde_json::json;
use uuid::Uuid;
use yiqilai::error::{Code, Error};
use yiqilai::platform::db::{Db, Tx};
use yiqilai::platform::journal::{self, Actor, Change, Position};
use yiqilai::platform::mail::{Mail, MailConfig, MailError, Mailer};

use crate::harness::{Backend, Server, backend, env, migrated_postgres};

#[actix_web::test]
async fn health_and_figures() {
    let server = Server::start().await;
    server.get("/livez").expect(200).await;
    let ready = server.get("/readyz").expect(200).await;
    assert_eq!(ready.json["checks"]["migrations"], "ok");
    let figures = server.get("/metrics").expect(200).await;
    assert!(
        String::from_utf8(figures.bytes)
            .unwrap()
            .contains("http_requests_total")
    );
}

#[actix_web::test]
async fn a_server_that_is_not_ready_says_what_is_wrong() {
    let nobody = json!({"store": "redis", "url": "redis://127.0.0.1:9", "timeout_ms": 100});
    let server = Server::start_with(json!({"cache": nobody})).await;
    let degraded = server.get("/readyz").expect(200).await;
    assert_eq!(degraded.json["status"], "degraded");
    assert_eq!(degraded.json["checks"]["cache"], "unreachable");
    server
        .write(|tx| {
            use diesel::connection::SimpleConnection;
            Ok(tx
                .conn
                .batch_execute("DELETE FROM __diesel_schema_migrations")?)
        })
        .await;
    let down = server.get("/readyz").refused(503, "not_ready").await;
    assert!(down.header("retry-after").is_some());
    let checks = json!({
        "cache": "unreachable", "database": "ok", "files": "ok", "matching": "ok",
        "migrations": "pending", "search": "ok",
    });
    assert_eq!(down.json["checks"], checks);
    server.get("/livez").expect(200).await;
}

/// A look writes: what it found counts for half a minute, whoever asks meanwhile.
#[actix_web::test]
async fn a_store_that_takes_no_files_is_said_and_looked_at_now_and_then() {
    let files = match backend() {
        Backend::Sqlite => json!({}),
        Backend::Postgres => json!({"endpoint": "http://127.0.0.1:9"}), // nobody
    };
    let server = Server::start_with(json!({ "files": files })).await;
    let folder = server.folder.path().join("files");
    if backend() == Backend::Sqlite {
        std::fs::remove_dir_all(&folder).unwrap();
        std::fs::write(&folder, "in the way").unwrap();
    }
    let state = async || {
        let ready = server.get("/readyz").expect(200).await.json;
        (ready["status"].clone(), ready["checks"]["files"].clone())
    };
    let degraded = (json!("degraded"), json!("unwritable"));
    assert_eq!(state().await, degraded);
    if backend() == Backend::Sqlite {
        std::fs::remove_file(&folder).unwrap();
        std::fs::create_dir(&folder).unwrap();
        assert_eq!(state().await, degraded, "as it was found");
        server.app.platform.clock.advance(TimeDelta::seconds(30));
        assert_eq!(state().await, (json!("ok"), json!("ok")));
    }
}

#[actix_web::test]
async fn the_api_reference_is_served_from_the_binary() {
    let server = Server::start().await;
    let page = server.get("/docs/").expect(200).await;
    let page = String::from_utf8(page.bytes).unwrap();
    assert!(
        page.contains("swagger-ui") && !page.contains("https://"),
        "nothing from elsewhere"
    );
    server.get("/docs/swagger-ui-bundle.js").expect(200).await;
    let spec = server.get("/openapi.json").expect(200).await;
    assert_eq!(spec.json["openapi"], "3.1.0");
}

#[actix_web::test]
async fn a_panic_or_an_error_rolls_back_and_the_writer_lives_on() {
    let server = Server::start().await;
    let id = Uuid::now_v7();
    let write = |fate: &'static str| {
        server.app.platform.db.write(move |tx| {
            tx.journal(Change::new(Actor::System, "test.written", id))?;
            match fate {
                "panic" => panic!("a bug"),
                "error" => Err(Error::from(Code::NotFound)),
                _ => Ok(()),
            }
        })
    };
    assert_eq!(
        write("panic").await.unwrap_err().code(),
        Code::InternalError
    );
    assert_eq!(write("error").await.unwrap_err().code(), Code::NotFound);
    write("").await.unwrap();
    let story = server
        .app
        .platform
        .db
        .read(move |conn| journal::of_subject(conn, "test", id))
        .await
        .unwrap();
    assert_eq!(story.len(), 1);
}

/// 16 writers whose transactions commit out of order, and a reader that follows them: it must see
/// every entry, once.
#[actix_web::test]
async fn a_journal_reader_misses_nothing() {
    const WRITERS: usize = 16;
    const EACH: usize = 25;
    let server = Server::start().await;
    let db = server.app.platform.db.clone();
    let done = Arc::new(AtomicBool::new(false));

    let reader = {
        let (db, done) = (db.clone(), done.clone());
        actix_web::rt::spawn(async move {
            let (mut place, mut seen, mut patience) = (Position::default(), Vec::new(), 500);
            loop {
                let finished = done.load(Ordering::SeqCst);
                let entries = db
                    .read(move |conn| journal::after(conn, place, 7))
                    .await
                    .unwrap();
                // transactions of other tests can hold the horizon back for a moment, never for good
                if entries.is_empty() && finished {
                    patience -= 1;
                    if seen.len() >= WRITERS * EACH || patience == 0 {
                        return seen;
                    }
                    tokio::time::sleep(std::time::Duration::from_millis(20)).await;
                }
                for entry in entries {
                    assert!(entry.position() > place);
                    place = entry.position();
                    seen.push(entry.subject_id.0);
                }
            }
        })
    };
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| {
            let db = db.clone();
            actix_web::rt::spawn(async move {
                let mut written = Vec::new();
                for round in 0..EACH {
                    let id = Uuid::now_v7();
                    db.write(move |tx| {
                        tx.journal(
                            Change::new(Actor::System, "race.entered", id)
                                .payload(json!({"by": writer})),
                        )?;
                        // some transactions stay open after they took their number
                        std::thread::sleep(std::time::Duration::from_micros(
                            ((writer * 7 + round * 13) % 5 * 300) as u64,
                        ));
                        Ok(())
                    })
                    .await
                    .unwrap();
                    written.push(id);
                }
                written
            })
        })
        .collect();
    let mut written = BTreeSet::new();
    for writer in writers {
        written.extend(writer.await.unwrap());
    }
    done.store(true, Ordering::SeqCst);
    let seen = reader.await.unwrap();
    assert_eq!(seen.len(), WRITERS * EACH, "each once");
    assert_eq!(seen.into_iter().collect::<BTreeSet<_>>(), written);
}

#[actix_web::test]
async fn a_reaction_sees_each_entry_once() {
    let server = Server::start().await;
    let db = &server.app.platform.db;
    for _ in 0..5 {
        db.write(|tx| tx.journal(Change::new(Actor::System, "cause.happened", Uuid::now_v7())))
            .await
            .unwrap();
    }
    let react = || {
        db.write(|tx| {
            journal::react(tx, "test", 100, |tx, entry| {
                if entry.kind == "cause.happened" {
                    tx.journal(Change::new(
                        Actor::System,
                        "effect.followed",
                        entry.subject_id.0,
                    ))?;
                }
                Ok(())
            })
        })
    };
    // five causes and, which it lets pass, its own five effects; on PostgreSQL transactions of other
    // tests may hold the entries back for a moment
    let mut seen = 0;
    for _ in 0..500 {
        seen += react().await.unwrap();
        if seen >= 10 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    assert_eq!(seen, 10);
    assert_eq!(react().await.unwrap(), 0);
}

/// A backup may be restored on a server that has counted fewer transactions than the one before.
#[actix_web::test]
async fn a_journal_from_another_server_is_followed_on() {
    let server = Server::start().await;
    if backend() == Backend::Sqlite {
        return; // one file, one order
    }
    let db = &server.app.platform.db;
    let write = async || {
        let entry = |tx: &mut Tx<'_>| {
            tx.journal(Change::new(Actor::System, "cause.happened", Uuid::now_v7()))
        };
        db.write(entry).await.unwrap();
    };
    let read = async |wanted: usize| {
        let mut seen = 0;
        for _ in 0..500 {
            let react = |tx: &mut Tx<'_>| journal::react(tx, "test", 100, |_, _| Ok(()));
            seen += db.write(react).await.unwrap();
            if seen >= wanted {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        seen
    };
    write().await;
    assert_eq!(read(1).await, 1);
    write().await; // not read when the backup was made
    db.write(|tx| {
        for table in ["journal", "journal_cursors"] {
            let later = format!("UPDATE {table} SET txid = txid + 1000000000");
            diesel::sql_query(later).execute(tx.conn)?;
        }
        Ok(())
    })
    .await
    .unwrap();
    db.migrate().await.unwrap();
    write().await;
    assert_eq!(read(2).await, 2);
    let before: Vec<(i64, i64)> = places(db).await;
    db.migrate().await.unwrap();
    assert_eq!(places(db).await, before, "once is enough");
}

async fn places(db: &Db) -> Vec<(i64, i64)> {
    use yiqilai::schema::journal;
    let read = db.read(|conn| {
        let rows = journal::table.order(journal::seq);
        Ok(rows.select((journal::txid, journal::seq)).load(conn)?)
    });
    read.await.unwrap()
}

fn mail(to: &str) -> Mail {
    Mail {
        to: to.to_owned(),
        subject: "您的微心愿已被认领".to_owned(),
        text: "王奶奶,您好!".to_owned(),
        html: Some("<p>王奶奶,您好!</p>".to_owned()),
        list_unsubscribe: None,
        link: None,
        page: None,
    }
}

fn smtp(port: &str, tls: &str, account: bool) -> MailConfig {
    let mut config = json!({
        "transport": "smtp", "from": "益起来 <noreply@example.org>", "folder": "", "host": "localhost",
        "port": env(port).parse::<u16>().unwrap(), "tls": tls, "ca_file": env("YIQILAI_TEST_SMTP_CA"),
        "app_url": "", "timeout_seconds": 10,
    });
    if account {
        config["username"] = env("YIQILAI_TEST_SMTP_USER").into();
        config["password"] = env("YIQILAI_TEST_SMTP_PASSWORD").into();
    }
    serde_json::from_value(config).unwrap()
}

fn received(to: &str) -> Option<String> {
    std::fs::read_dir(env("YIQILAI_TEST_SMTP_DIR"))
        .unwrap()
        .filter_map(|entry| std::fs::read_to_string(entry.unwrap().path()).ok())
        .find(|mail| mail.starts_with(&format!("X-Envelope-To: {to}\r\n")))
}

#[actix_web::test]
async fn mail_leaves_over_starttls_and_over_implicit_tls_with_authentication() {
    for (port, tls, account) in [
        ("YIQILAI_TEST_SMTP_PORT", "starttls", false),
        ("YIQILAI_TEST_SMTP_PORT", "starttls", true),
        ("YIQILAI_TEST_SMTPS_PORT", "implicit", true),
    ] {
        let to = format!("{}@example.org", Uuid::now_v7());
        Mailer::new(&smtp(port, tls, account))
            .unwrap()
            .send(&mail(&to), "the-id")
            .await
            .unwrap();
        let mail = received(&to).expect("received");
        assert!(
            mail.contains("X-Envelope-Tls: true")
                && mail.contains("Message-ID: <the-id@example.org>")
        );
        assert_eq!(mail.contains("X-Envelope-User: postman"), account);
    }
}

#[actix_web::test]
async fn refusals_of_the_mail_server_are_told_apart() {
    let mailer = Mailer::new(&smtp("YIQILAI_TEST_SMTP_PORT", "starttls", false)).unwrap();
    let refused = mailer.send(&mail("reject@example.org"), "a").await;
    assert!(
        matches!(refused, Err(MailError::Permanent(_))),
        "{refused:?}"
    );
    let deferred = mailer.send(&mail("defer@example.org"), "b").await;
    assert!(
        matches!(deferred, Err(MailError::Transient(_))),
        "{deferred:?}"
    );
    let unreachable = MailConfig {
        port: 9,
        ..smtp("YIQILAI_TEST_SMTP_PORT", "starttls", false)
    };
    let unreachable = Mailer::new(&unreachable)
        .unwrap()
        .send(&mail("a@example.org"), "c")
        .await;
    assert!(matches!(unreachable, Err(MailError::Transient(_))));
    let wrong = MailConfig {
        password: Some("wrong".into()),
        ..smtp("YIQILAI_TEST_SMTPS_PORT", "implicit", true)
    };
    assert!(
        Mailer::new(&wrong)
            .unwrap()
            .send(&mail("a@example.org"), "d")
            .await
            .is_err()
    );
}

/// A database that has no connection free in time: asked to come again, not kept waiting.
#[actix_web::test]
async fn a_full_pool_is_busy_for_a_moment() {
    let one = json!({"database": {"pool_size": 1, "acquire_timeout_ms": 100}});
    let server = Server::start_with(one).await;
    let db = server.app.platform.db.clone();
    let (held, has_it) = std::sync::mpsc::channel();
    let (done, until) = std::sync::mpsc::channel::<()>();
    let holder = actix_web::rt::spawn(async move {
        let hold = |held: std::sync::mpsc::Sender<()>, until: std::sync::mpsc::Receiver<()>| {
            let _ = held.send(());
            let _ = until.recv();
        };
        db.read(move |_| {
            hold(held, until);
            Ok(())
        })
        .await
    });
    while has_it.try_recv().is_err() {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    let busy = server.get("/regions").refused(503, "overloaded").await;
    assert_eq!(busy.header("retry-after"), Some("1"));
    done.send(()).unwrap();
    holder.await.unwrap().unwrap();
    server.get("/regions").expect(200).await;
}

/// Stands between the product and its database, and can be cut.
struct Relay {
    port: u16,
    is_cut: Arc<AtomicBool>,
    open: Arc<Mutex<Vec<TcpStream>>>,
}

impl Relay {
    fn to(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let relay = Self {
            port: listener.local_addr().unwrap().port(),
            is_cut: Arc::default(),
            open: Arc::default(),
        };
        let (is_cut, open) = (relay.is_cut.clone(), relay.open.clone());
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                if is_cut.load(Ordering::SeqCst) {
                    continue;
                }
                let server = TcpStream::connect(("127.0.0.1", port)).unwrap();
                for (from, to) in [(&client, &server), (&server, &client)] {
                    let (mut from, mut to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
                    std::thread::spawn(move || {
                        let _ = std::io::copy(&mut from, &mut to);
                        let _ = to.shutdown(Shutdown::Both);
                    });
                }
                open.lock().unwrap().extend([client, server]);
            }
        });
        relay
    }

    fn cut(&self) {
        self.is_cut.store(true, Ordering::SeqCst);
        for stream in self.open.lock().unwrap().drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    fn mend(&self) {
        self.is_cut.store(false, Ordering::SeqCst);
    }
}

/// A database that is gone, and comes back: meanwhile every request is asked to come again.
#[actix_web::test]
async fn a_lost_database_is_busy_until_it_is_back() {
    if backend() == Backend::Sqlite {
        return; // it is a file
    }
    let mut url = url::Url::parse(&migrated_postgres().await).unwrap();
    let relay = Relay::to(url.port().unwrap());
    url.set_port(Some(relay.port)).unwrap();
    let database = json!({"url": url.as_str(), "pool_size": 2, "acquire_timeout_ms": 500});
    let server = Server::start_with(json!({"database": database})).await;
    server.get("/regions").expect(200).await;
    relay.cut();
    for path in ["/regions", "/regions", "/regions", "/campaigns"] {
        let busy = server.get(path).refused(503, "overloaded").await;
        assert_eq!(busy.header("retry-after"), Some("1"));
    }
    let down = server.get("/readyz").refused(503, "not_ready").await;
    let checks = &down.json["checks"];
    assert_eq!(
        (&checks["database"], &checks["migrations"]),
        (&json!("unreachable"), &json!("unknown"))
    );
    relay.mend();
    for _ in 0..100 {
        if server.get("/regions").send().await.status == 200 {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    }
    panic!("it stays busy although the database is back");
}
