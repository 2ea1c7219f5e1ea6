//! A real server on a database of its own, and a client that holds every answer against the
//! specification.

use std::collections::HashMap;
use std::io::Write;
use std::net::TcpListener;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex};

use chrono::TimeDelta;
use diesel::connection::{
    Instrumentation, InstrumentationEvent, SimpleConnection, set_default_instrumentation,
};
use diesel::{Connection, PgConnection, SqliteConnection};
use diesel_migrations::MigrationHarness;
use reqwest::{Method, StatusCode};
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::OnceCell;
use yiqilai::app::{App, Config};
use yiqilai::identity::{self, AccountId, Role};
use yiqilai::platform::clock::{Clock, Instant};
use yiqilai::platform::db::{POSTGRES_MIGRATIONS, SQLITE_MIGRATIONS, Tx};
use yiqilai::platform::journal::Actor;
use yiqilai::worker::Worker;
use yiqilai::{api, server};

/// Which databases the tests run on.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Backend {
    Sqlite,
    Postgres,
}

pub fn backend() -> Backend {
    match std::env::var("YIQILAI_TEST_BACKEND").as_deref() {
        Ok("postgres") => Backend::Postgres,
        _ => Backend::Sqlite,
    }
}

pub fn env(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set: run through `make test`"))
}

/// The statements that have reached each database, by the address at which its connections were made.
static STATEMENTS: LazyLock<Mutex<HashMap<String, Arc<AtomicU64>>>> = LazyLock::new(|| {
    set_default_instrumentation(|| Some(Box::new(Counter::default()))).unwrap();
    Mutex::default()
});

fn statements_at(url: &str) -> Arc<AtomicU64> {
    let url = url.trim_start_matches("sqlite:");
    let mut all = STATEMENTS.lock().unwrap();
    all.entry(url.to_owned()).or_default().clone()
}

/// Counts the statements of one connection to those of its database.
#[derive(Default)]
struct Counter(Option<Arc<AtomicU64>>);

impl Instrumentation for Counter {
    fn on_connection_event(&mut self, event: InstrumentationEvent<'_>) {
        match (event, &self.0) {
            (InstrumentationEvent::StartEstablishConnection { url, .. }, _) => {
                self.0 = Some(statements_at(url));
            }
            (InstrumentationEvent::StartQuery { .. }, Some(count)) => {
                count.fetch_add(1, Ordering::SeqCst);
            }
            _ => {}
        }
    }
}

/// A server of the product, alone with its database.
pub struct Server {
    pub app: App,
    pub url: String,
    client: reqwest::Client,
    handle: actix_web::dev::ServerHandle,
    pub folder: Arc<TempDir>,
}

/// When the tests begin: Monday, 23 November 2026, 10:00 in Ningbo.
pub fn beginning() -> Instant {
    "2026-11-23T02:00:00Z"
        .parse::<chrono::DateTime<chrono::Utc>>()
        .unwrap()
        .into()
}

impl Server {
    pub async fn start() -> Self {
        Self::start_with(json!({})).await
    }

    /// Starts with some settings changed: an object as `config/default.toml` is a table.
    pub async fn start_with(settings: Value) -> Self {
        Box::pin(Self::start_at(settings, beginning())).await
    }

    /// The same, from an instant on.
    pub async fn start_at(settings: Value, at: Instant) -> Self {
        let folder = Arc::new(tempfile::tempdir().unwrap());
        LazyLock::force(&STATEMENTS);
        // on the heap: where nothing is optimised, tests would run out of stack
        let config = Box::pin(config(&folder, &settings)).await;
        let app = Box::pin(App::build(config, Clock::fixed(at)))
            .await
            .unwrap();
        Box::pin(Self::serve(app, folder)).await
    }

    /// The same after a stop and a start.
    pub async fn restarted(self) -> Self {
        let (config, clock) = (self.app.config.clone(), self.app.platform.clock.clone());
        let folder = self.folder.clone();
        drop(self);
        let app = Box::pin(App::build((*config).clone(), clock));
        Box::pin(Self::serve(app.await.unwrap(), folder)).await
    }

    /// The same on another database, which its configuration names from now on; what is to be done to
    /// that first comes between.
    pub async fn moved_to(self, url: &str, prepare: impl AsyncFnOnce(&Self)) -> Self {
        let mut config = (*self.app.config).clone();
        let (clock, folder) = (self.app.platform.clock.clone(), self.folder.clone());
        let file = folder.path().join("test.toml");
        let text = std::fs::read_to_string(&file).unwrap();
        let before = config.database.url.expose_secret();
        std::fs::write(&file, text.replace(before, url)).unwrap();
        prepare(&self).await;
        drop(self);
        config.database.url = url.into();
        let app = Box::pin(App::build(config, clock));
        Box::pin(Self::serve(app.await.unwrap(), folder)).await
    }

    async fn serve(app: App, folder: Arc<TempDir>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let running = server::start(app.clone(), listener).unwrap();
        let handle = running.handle();
        actix_web::rt::spawn(running);
        app.matching.until_ready().await;
        app.search.until_ready().await;
        let client = reqwest::Client::builder()
            .pool_max_idle_per_host(64)
            // the server ends idle connections after five seconds: none is used as it goes
            .pool_idle_timeout(std::time::Duration::from_secs(2))
            .build()
            .unwrap();
        Self {
            app,
            url,
            client,
            handle,
            folder,
        }
    }

    pub fn get(&self, path: &str) -> Call<'_> {
        self.call(Method::GET, path)
    }

    pub fn post(&self, path: &str) -> Call<'_> {
        self.call(Method::POST, path)
    }

    pub fn call(&self, method: Method, path: &str) -> Call<'_> {
        let is_root = [
            "/livez",
            "/readyz",
            "/metrics",
            "/docs",
            "/openapi",
            "/.well-known",
            "/nope",
        ]
        .iter()
        .any(|root| path.starts_with(root));
        let path = if is_root {
            path.to_owned()
        } else {
            format!("/api/v1{path}")
        };
        let request = self
            .client
            .request(method.clone(), format!("{}{path}", self.url));
        Call {
            request: request.header("accept-language", "en"),
            method,
            path,
            server: self,
        }
    }

    /// How many statements have reached its database so far.
    pub fn statements(&self) -> u64 {
        let url = self.app.config.database.url.expose_secret();
        statements_at(url).load(Ordering::SeqCst)
    }

    /// Lets time pass, then lets the worker do all that is due.
    pub async fn pass(&self, time: TimeDelta) {
        self.app.platform.clock.advance(time);
        self.work().await;
    }

    /// Lets the worker do all that is due now.
    pub async fn work(&self) -> usize {
        self.settled().await;
        let worker = Worker::new(self.app.clone());
        Box::pin(worker.run_once()).await.unwrap()
    }

    /// Waits until readers of the journal see all of it: on PostgreSQL they stay behind the oldest
    /// running transaction of the whole server, other tests' included.
    async fn settled(&self) {
        use diesel::prelude::*;
        use yiqilai::schema::journal;
        for _ in 0..200 {
            let read = self.app.platform.db.read(|conn| {
                let last = journal::table
                    .order((journal::txid.desc(), journal::seq.desc()))
                    .select((journal::txid, journal::seq))
                    .first::<(i64, i64)>(conn)
                    .optional()?;
                let head = yiqilai::platform::journal::head(conn)?;
                Ok(last.is_none_or(|(txid, seq)| (head.txid, head.seq) >= (txid, seq)))
            });
            if read.await.unwrap() {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        // somebody holds one open on purpose
    }

    /// Does the work of every job of a kind, as the worker does when it is at jobs before it is at
    /// sweeps.
    pub async fn jobs_first(
        &self,
        kind: &'static str,
        work: fn(&mut Tx<'_>, &Value) -> yiqilai::error::Result<()>,
    ) {
        use diesel::prelude::*;
        use yiqilai::platform::jobs::Job;
        use yiqilai::schema::jobs;
        self.write(move |tx| {
            let found = jobs::table.filter(jobs::kind.eq(kind));
            let found: Vec<Job> = found.select(Job::as_select()).load(tx.conn)?;
            assert!(!found.is_empty(), "{kind}");
            found.iter().try_for_each(|job| work(tx, &job.payload.0))
        })
        .await;
    }

    pub async fn write<T: Send + 'static>(
        &self,
        f: impl Fn(&mut Tx<'_>) -> yiqilai::error::Result<T> + Send + 'static,
    ) -> T {
        self.app.platform.db.write(f).await.unwrap()
    }
}

/// Somebody who is signed in.
#[derive(Clone, Debug)]
pub struct User {
    pub id: AccountId,
    pub token: String,
    pub refresh: String,
    pub phone: String,
}

impl Server {
    /// A person signs up by phone, as in an app: asks for a code, reads the SMS, enters it.
    pub async fn person(&self, name: &str) -> User {
        static NEXT: AtomicU64 = AtomicU64::new(13_800_000_000);
        let phone = format!("+86{}", NEXT.fetch_add(1, Ordering::SeqCst));
        Box::pin(self.sign_in(phone, name)).await
    }

    /// The same person with fresh tokens, however long ago it was last here.
    pub async fn again(&self, user: &User) -> User {
        Box::pin(self.sign_in(user.phone.clone(), "")).await
    }

    /// The same session with fresh tokens; lets nothing else happen.
    pub async fn refreshed(&self, user: &User) -> User {
        let body = json!({"refresh_token": user.refresh});
        let tokens = self.post("/auth/refresh").json(body).expect(200).await.json;
        let text = |key: &str| tokens[key].as_str().unwrap().to_owned();
        User {
            token: text("access_token"),
            refresh: text("refresh_token"),
            ..user.clone()
        }
    }

    /// Somebody signs in by phone, and says how to be called unless the name is empty.
    pub async fn sign_in(&self, phone: String, name: &str) -> User {
        self.post("/auth/phone/code")
            .json(json!({"phone": phone}))
            .expect(202)
            .await;
        self.work().await;
        let code = self.sms(&phone).last().unwrap()["params"]["code"].clone();
        let mut body = json!({"phone": phone, "code": code});
        if !name.is_empty() {
            body["display_name"] = json!(name);
        }
        let tokens = self
            .post("/auth/phone/sign-in")
            .json(body)
            .expect(200)
            .await
            .json;
        let token = tokens["access_token"].as_str().unwrap().to_owned();
        let refresh = tokens["refresh_token"].as_str().unwrap().to_owned();
        let me = self.get("/me").bearer(&token).expect(200).await;
        User {
            id: me.id().parse().unwrap(),
            token,
            refresh,
            phone,
        }
    }

    /// A person who holds a role.
    pub async fn staff(&self, name: &str, role: Role, scope: Option<uuid::Uuid>) -> User {
        let user = self.person(name).await;
        let id = user.id;
        self.write(move |tx| identity::grant(tx, Actor::System, id, role, scope))
            .await;
        user
    }

    /// The SMS sent to a phone, oldest first.
    pub fn sms(&self, to: &str) -> Vec<Value> {
        let mut files: Vec<_> = std::fs::read_dir(self.folder.path().join("sms"))
            .unwrap()
            .map(|f| f.unwrap().path())
            .collect();
        files.sort(); // names are ids, ids ascend in time
        let sms = files
            .iter()
            .map(|f| serde_json::from_slice::<Value>(&std::fs::read(f).unwrap()).unwrap());
        sms.filter(|sms| sms["to"] == to).collect()
    }

    /// The mails sent to an address, subject and text, oldest first.
    pub fn mails(&self, to: &str) -> Vec<String> {
        let files = std::fs::read_dir(self.folder.path().join("mail")).unwrap();
        let mut mails: Vec<(String, String)> = files
            .map(|file| std::fs::read(file.unwrap().path()).unwrap())
            .filter_map(|mail| {
                let mail = mail_parser::MessageParser::default().parse(&mail)?;
                let is_theirs = mail.to()?.first()?.address()? == to;
                let text = format!("{}\n{}", mail.subject()?, mail.body_text(0)?);
                // the Message-ID is the job's id, and those ascend in time
                is_theirs.then(|| (mail.message_id().unwrap_or_default().to_owned(), text))
            })
            .collect();
        mails.sort();
        mails.into_iter().map(|(_, text)| text).collect()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let stopping = self.handle.stop(false);
        actix_web::rt::spawn(stopping);
    }
}

async fn config(folder: &TempDir, settings: &Value) -> Config {
    let path = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
    let (database, cache, files) = match backend() {
        Backend::Sqlite => (
            json!({"url": format!("sqlite:{}", migrated_sqlite(path("db")).await)}),
            json!({}),
            json!({"folder": path("files")}),
        ),
        Backend::Postgres => (
            json!({"url": migrated_postgres().await, "pool_size": 8}),
            json!({"store": "redis", "url": env("YIQILAI_TEST_REDIS_URL"), "timeout_ms": 2000,
                   "prefix": format!("{}:", path(""))}),
            // the test server's fixed account
            json!({"store": "s3", "endpoint": env("YIQILAI_TEST_S3_URL"), "allow_http": true,
                   "bucket": "files", "region": "us-east-1", "prefix": path("").trim_matches('/'),
                   "access_key_id": "S3RVER", "secret_access_key": "S3RVER"}),
        ),
    };
    let mut all = json!({
        "server": {"workers": 1, "shutdown_seconds": 1},
        "database": database,
        "cache": cache,
        "identity": {"requests_per_address": {"count": 100_000, "seconds": 60},
                     "codes_per_address": {"count": 100_000, "seconds": 60}},
        "mail": {"folder": path("mail")},
        "sms": {"folder": path("sms")},
        "files": files,
    });
    merge(&mut all, settings);
    let file = folder.path().join("test.toml");
    std::fs::write(&file, toml::to_string(&all).unwrap()).unwrap();
    // reading all sections takes a good part of a test's stack where nothing is optimised
    let load = move || Config::load(Some(&file)).unwrap();
    std::thread::spawn(load).join().unwrap()
}

fn merge(base: &mut Value, over: &Value) {
    match (base, over) {
        (Value::Object(base), Value::Object(over)) => {
            for (key, value) in over {
                merge(base.entry(key.clone()).or_insert(Value::Null), value);
            }
        }
        (base, over) => *base = over.clone(),
    }
}

/// A file with the schema, a copy of one that is made once.
async fn migrated_sqlite(path: String) -> String {
    static FILE: OnceCell<Vec<u8>> = OnceCell::const_new();
    let first = path.clone();
    let make = || async move {
        let make = move || {
            let mut conn = SqliteConnection::establish(&first).unwrap();
            conn.run_pending_migrations(SQLITE_MIGRATIONS).unwrap();
            drop(conn);
            std::fs::read(first).unwrap()
        };
        tokio::task::spawn_blocking(make).await.unwrap()
    };
    std::fs::write(&path, FILE.get_or_init(make).await).unwrap();
    path
}

/// A database with the schema, a copy of one that is made once.
pub async fn migrated_postgres() -> String {
    static TEMPLATE: OnceCell<String> = OnceCell::const_new();
    let make = || async {
        let url = fresh_postgres().await;
        let make = move || {
            let mut conn = PgConnection::establish(&url).unwrap();
            conn.run_pending_migrations(POSTGRES_MIGRATIONS).unwrap();
            url.rsplit('/').next().unwrap().to_owned()
        };
        tokio::task::spawn_blocking(make).await.unwrap()
    };
    let template = TEMPLATE.get_or_init(make).await;
    copy_of(template, env("YIQILAI_TEST_POSTGRES_URL")).await
}

/// An empty database of its own on the private PostgreSQL server.
pub async fn fresh_postgres() -> String {
    fresh_on(env("YIQILAI_TEST_POSTGRES_URL")).await
}

/// An empty database of its own on a PostgreSQL server.
pub async fn fresh_on(admin: String) -> String {
    copy_of("template1", admin).await
}

async fn copy_of(template: &str, admin: String) -> String {
    let name = format!("t{}", uuid::Uuid::now_v7().simple());
    let url = format!("{}/{name}", admin.strip_suffix("/postgres").unwrap());
    let create = format!("CREATE DATABASE {name} TEMPLATE {template}");
    let create = move || {
        PgConnection::establish(&admin)
            .unwrap()
            .batch_execute(&create)
    };
    tokio::task::spawn_blocking(create).await.unwrap().unwrap();
    url
}

/// A request being put together.
pub struct Call<'a> {
    request: reqwest::RequestBuilder,
    method: Method,
    path: String,
    server: &'a Server,
}

impl Call<'_> {
    /// Sets a header, instead of what it was.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        let name = reqwest::header::HeaderName::try_from(name).unwrap();
        let one = [(name, value.parse().unwrap())].into_iter().collect();
        self.request = self.request.headers(one);
        self
    }

    pub fn bearer(self, token: &str) -> Self {
        self.header("authorization", &format!("Bearer {token}"))
    }

    pub fn by(self, user: &User) -> Self {
        self.bearer(&user.token)
    }

    pub fn json(mut self, body: Value) -> Self {
        self.request = self.request.json(&body);
        self
    }

    pub fn body(mut self, body: impl Into<reqwest::Body>) -> Self {
        self.request = self.request.body(body);
        self
    }

    /// As a browser sends the form of a page.
    pub fn form(mut self, fields: &[(&str, &str)]) -> Self {
        let body = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(fields)
            .finish();
        self.request = self.request.body(body);
        self.header("content-type", "application/x-www-form-urlencoded")
            .header("accept", "text/html,application/xhtml+xml")
            .header("origin", "http://127.0.0.1:8080")
    }

    pub fn multipart(mut self, form: reqwest::multipart::Form) -> Self {
        self.request = self.request.multipart(form);
        self
    }

    /// Sends it and holds the answer against the specification.
    pub async fn send(self) -> Answer {
        let _ = self.server;
        let response = Box::pin(self.request.send()).await.unwrap();
        let status = response.status();
        let headers = response.headers().clone();
        let bytes = response.bytes().await.unwrap().to_vec();
        let kind = headers
            .get("content-type")
            .and_then(|v| v.to_str().ok())
            .unwrap_or("")
            .to_owned();
        let json = if kind.contains("json") {
            serde_json::from_slice(&bytes).unwrap()
        } else {
            Value::Null
        };
        let answer = Answer {
            status,
            headers,
            json,
            bytes,
        };
        answer.hold_against_specification(&self.method, &self.path, &kind);
        answer
    }

    /// Sends it and expects this status.
    pub async fn expect(self, status: u16) -> Answer {
        let what = format!("{} {}", self.method, self.path);
        let answer = Box::pin(self.send()).await;
        assert_eq!(answer.status.as_u16(), status, "{what}: {:#}", answer.json);
        answer
    }

    /// Sends it and expects this refusal.
    pub async fn refused(self, status: u16, code: &str) -> Answer {
        let what = format!("{} {}", self.method, self.path);
        let answer = self.expect(status).await;
        assert_eq!(answer.json["code"], code, "{what}: {:#}", answer.json);
        answer
    }
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: reqwest::header::HeaderMap,
    pub json: Value,
    pub bytes: Vec<u8>,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    pub fn id(&self) -> String {
        self.json["id"]
            .as_str()
            .unwrap_or_else(|| panic!("no id in {:#}", self.json))
            .to_owned()
    }

    /// The codes of the wrong fields, by pointer.
    pub fn fields(&self) -> Vec<(String, String)> {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        self.json["errors"]
            .as_array()
            .map(|errors| {
                errors
                    .iter()
                    .map(|e| (text(&e["pointer"]), text(&e["code"])))
                    .collect()
            })
            .unwrap_or_default()
    }

    fn hold_against_specification(&self, method: &Method, path: &str, kind: &str) {
        let path = path.split('?').next().unwrap_or_default();
        let status = self.status.as_u16();
        assert!(status != 500, "500 from {method} {path}: {:#}", self.json);
        let is_link = path.contains("/wish-links/") || path.contains("/invitation-links/");
        if kind.starts_with("text/html") && is_link {
            return; // a page for people, not a part of the API
        }
        if status >= 400 {
            assert!(
                kind == "application/problem+json",
                "{method} {path} answered {status} otherwise"
            );
        }
        let Some((_, template, operation)) = operation(method, path) else {
            assert!(
                status >= 400 || path.starts_with("/docs") || path.starts_with("/openapi"),
                "{method} {path} is not in the specification"
            );
            return;
        };
        if let Ok(file) = std::env::var("YIQILAI_TEST_CALLS") {
            let mut file = std::fs::OpenOptions::new().append(true).open(file).unwrap();
            writeln!(file, "{method} {template}").unwrap();
        }
        let schema = match &operation["responses"][status.to_string()] {
            Value::Null => panic!(
                "{method} {template} answered an undocumented {status}: {:#}",
                self.json
            ),
            response => match &response["content"] {
                Value::Null => {
                    assert!(
                        self.bytes.is_empty() || status >= 400,
                        "{method} {template}: an undocumented body"
                    );
                    return;
                }
                content => {
                    let media = content.as_object().unwrap().values().next().unwrap();
                    &media["schema"]
                }
            },
        };
        if !kind.contains("json") {
            return;
        }
        type Validators = HashMap<(Method, &'static str, u16), Arc<jsonschema::Validator>>;
        static VALIDATORS: LazyLock<Mutex<Validators>> = LazyLock::new(Default::default);
        let validator = VALIDATORS
            .lock()
            .unwrap()
            .entry((method.clone(), template, status))
            .or_insert_with(|| {
                let whole = json!({"allOf": [schema], "components": SPEC["components"]});
                Arc::new(jsonschema::validator_for(&whole).unwrap())
            })
            .clone();
        let wrong: Vec<String> = validator
            .iter_errors(&self.json)
            .map(|e| format!("{}: {e}", e.instance_path()))
            .collect();
        assert!(
            wrong.is_empty(),
            "{method} {template} {status} does not fit openapi.yaml: {wrong:?}\n{:#}",
            self.json
        );
    }
}

/// The specification, as JSON.
pub static SPEC: LazyLock<Value> =
    LazyLock::new(|| serde_json::to_value(api::specification()).unwrap());

/// An operation: its method, the template of its address, what the specification says of it.
pub type Operation = (Method, String, Value);

/// Every operation.
pub fn operations() -> &'static [Operation] {
    static ALL: LazyLock<Vec<Operation>> = LazyLock::new(|| {
        let paths = SPEC["paths"].as_object().unwrap().iter();
        let each = paths.flat_map(|(path, item)| {
            let methods = item.as_object().unwrap().iter();
            methods.map(move |(method, operation)| {
                let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
                (method, path.clone(), operation.clone())
            })
        });
        each.collect()
    });
    &ALL
}

fn operation(method: &Method, path: &str) -> Option<&'static Operation> {
    let found = operations().iter();
    let found = found.filter(|(known, template, _)| known == method && fits(template, path));
    found.min_by_key(|(_, template, _)| template.matches('{').count())
}

fn fits(template: &str, path: &str) -> bool {
    let (template, path): (Vec<_>, Vec<_>) =
        (template.split('/').collect(), path.split('/').collect());
    template.len() == path.len()
        && template
            .iter()
            .zip(&path)
            .all(|(t, p)| t == p || (t.starts_with('{') && !p.is_empty()))
}
