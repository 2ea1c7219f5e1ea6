//! The program as an operating system meets it: a process that is started and told to stop.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use diesel::connection::SimpleConnection;
use serde_json::{Value, json};
use yiqilai::platform::clock::Clock;
use yiqilai::platform::db::Alone;
use yiqilai::platform::mail::Mail;

use crate::harness::{Backend, Server, backend};
use crate::identity::header_of;

/// A process, which does not outlive its test.
pub struct Process(pub Child);

impl Process {
    pub fn told(&self, signal: &str) {
        let pid = self.0.id().to_string();
        let told = Command::new("kill").args([signal, &pid]).status().unwrap();
        assert!(told.success());
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The program on the database of this server.
fn yiqilai(server: &Server) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_yiqilai"));
    command
        .arg("--config")
        .arg(server.folder.path().join("test.toml"))
        .env("NO_COLOR", "1")
        .env("LC_ALL", "C");
    command
}

pub fn run(server: &Server, arguments: &[&str]) -> Output {
    yiqilai(server).args(arguments).output().unwrap()
}

/// A Redis of one test, which may stop it, and its address.
pub struct Redis {
    pub address: String,
    _process: Process,
    _folder: tempfile::TempDir,
}

pub async fn redis() -> Redis {
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = free.local_addr().unwrap().port();
    drop(free);
    let folder = tempfile::tempdir().unwrap();
    let mut serve = Command::new("redis-server");
    serve.args(["--port", &port.to_string(), "--bind", "127.0.0.1"]);
    serve.args(["--save", "", "--dir"]).arg(folder.path());
    let process = Process(serve.stdout(Stdio::null()).spawn().unwrap());
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Redis {
        address: format!("redis://127.0.0.1:{port}"),
        _process: process,
        _folder: folder,
    }
}

/// A process that has begun to serve, and its address; it may not be ready yet.
pub fn starting(server: &Server) -> (Process, String) {
    begun(yiqilai(server).arg("serve"))
}

/// A process that serves, and its address.
pub async fn serving(server: &Server) -> (Process, String) {
    let (process, address) = starting(server);
    let ready = format!("http://{address}/readyz");
    for _ in 0..200 {
        if reqwest::get(&ready)
            .await
            .is_ok_and(|answer| answer.status() == 200)
        {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    (process, address)
}

/// A process that has begun to serve, and its address.
fn begun(serve: &mut Command) -> (Process, String) {
    let serve = serve.stderr(Stdio::piped()).spawn();
    let mut process = Process(serve.unwrap());
    let mut log = BufReader::new(process.0.stderr.take().unwrap()).lines();
    let address = log
        .find_map(|line| {
            let line = line.unwrap();
            let at = line.find("address=")?;
            Some(line[at + "address=".len()..].trim().to_owned())
        })
        .expect("it says where it serves");
    std::thread::spawn(move || log.for_each(drop)); // a full pipe would hold it up
    (process, address)
}

const ADMIN: &str = "admin@example.org";

/// Makes an administrator by the command line; returns the password that it prints.
fn new_admin(server: &Server) -> String {
    let made = run(server, &["admin", "create", "--email", ADMIN]);
    assert!(made.status.success(), "{made:?}");
    let said = String::from_utf8(made.stdout).unwrap();
    said.trim().rsplit(' ').next().unwrap().to_owned()
}

/// An access token, by the administrator's password.
async fn sign_in(address: &str, password: &str) -> String {
    let signed_in = reqwest::Client::new()
        .post(format!("http://{address}/api/v1/auth/sign-in"))
        .json(&json!({"email": ADMIN, "password": password}))
        .send()
        .await
        .unwrap();
    assert_eq!(signed_in.status(), 200);
    let tokens: Value = signed_in.json().await.unwrap();
    tokens["access_token"].as_str().unwrap().to_owned()
}

/// `SIGTERM` in the middle of a request: it is answered, new ones are not taken, the process ends by
/// itself and says that all is well.
#[actix_web::test]
async fn a_stopped_server_answers_what_it_has_begun() {
    let settings = json!({"server": {"address": "127.0.0.1:0", "shutdown_seconds": 20}});
    let server = Server::start_with(settings).await;
    let (mut process, address) = serving(&server).await;
    let body = json!({"email": "nobody@example.org", "password": "wrong-password"}).to_string();
    let (first, second) = body.split_at(10);
    let mut request = TcpStream::connect(&address).unwrap();
    request
        .set_read_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    write!(
        request,
        "POST /api/v1/auth/sign-in HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{first}",
        body.len()
    )
    .unwrap();
    std::thread::sleep(Duration::from_millis(300)); // the server has the head of the request
    process.told("-TERM");
    let refuses = (0..100).any(|_| {
        std::thread::sleep(Duration::from_millis(50));
        TcpStream::connect(&address).is_err()
    });
    assert!(refuses, "it takes no more");
    assert!(process.0.try_wait().unwrap().is_none(), "it still answers");
    write!(request, "{second}").unwrap();
    let mut answer = String::new();
    request.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");
    assert!(answer.contains("credentials_wrong"), "{answer}");
    let ended = process.0.wait().unwrap();
    assert!(ended.success(), "{ended}");
    if backend() == Backend::Sqlite {
        let log = server.folder.path().join("yiqilai.db-wal");
        let left = std::fs::metadata(log).map_or(0, |log| log.len());
        assert_eq!(left, 0, "the file is whole without its log");
    }
}

/// A line for each request that was answered, with its id and route and nothing of what it holds; none for
/// probes.
#[actix_web::test]
async fn requests_are_logged_without_what_they_hold() {
    let server = Server::start_with(json!({"server": {"address": "127.0.0.1:0"}})).await;
    let mut serve = yiqilai(&server);
    let process = serve.arg("serve").stderr(Stdio::piped()).spawn().unwrap();
    let mut process = Process(process);
    let mut log = BufReader::new(process.0.stderr.take().unwrap()).lines();
    let serves = log.by_ref().map(Result::unwrap);
    let address = serves
        .filter_map(|line| Some(line.split_once("address=")?.1.trim().to_owned()))
        .next()
        .unwrap();
    for path in [
        "livez",
        "api/v1/wish-links/secret-token",
        "api/v1/regions?name=秘密",
    ] {
        let asked = reqwest::Client::new()
            .get(format!("http://{address}/{path}"))
            .header("x-request-id", "0123456789ab");
        asked.send().await.unwrap();
    }
    process.told("-TERM");
    let rest: Vec<_> = log.map(Result::unwrap).collect();
    let requests: Vec<_> = rest
        .iter()
        .filter(|line| line.contains("answered"))
        .collect();
    assert_eq!(requests.len(), 2, "{rest:#?}");
    assert!(requests[0].contains("/wish-links/{token}") && requests[0].contains("status=404"));
    assert!(requests[1].contains("status=200") && requests[1].contains("0123456789ab"));
    let secret = |line: &String| line.contains("secret-token") || line.contains("%E7%A7%98");
    assert!(!rest.iter().any(secret), "{rest:#?}");
}

/// What is kept is for the eyes of the user alone who runs the server.
#[cfg(unix)]
#[actix_web::test]
async fn folders_are_private() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let mut started = Command::new(env!("CARGO_BIN_EXE_yiqilai"));
    let ended = started
        .current_dir(folder.path())
        .env("YIQILAI__DATABASE__URL", "sqlite:data/yiqilai.db")
        .arg("migrate")
        .output()
        .unwrap();
    assert!(ended.status.success(), "{ended:?}");
    for kept in ["data", "data/mail", "data/sms", "data/files"] {
        let mode = std::fs::metadata(folder.path().join(kept))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o700, "{kept}");
    }
}

/// Nobody else can be at a job of a SQLite file: what a killed process held is begun by the next one
/// without a wait.
#[actix_web::test]
async fn what_a_killed_process_was_at_is_taken_up_at_once() {
    if backend() == Backend::Postgres {
        return; // another process may be at it until its lease ends
    }
    let relay = TcpListener::bind("127.0.0.1:0").unwrap();
    let settings = json!({
        "server": {"address": "127.0.0.1:0"},
        "mail": {"transport": "smtp", "host": "127.0.0.1", "tls": "none",
                 "port": relay.local_addr().unwrap().port()},
    });
    let server = Server::start_at(settings, Clock::system().now()).await;
    let mail = Mail::letter("wang@example.org", "您的微心愿已被认领", &["王奶奶,您好!"]);
    server
        .write(move |tx| tx.enqueue("mail", &mail, tx.now))
        .await;
    // a line that nothing is said on
    let came = || {
        for _ in 0..200 {
            if let Ok(line) = relay.accept() {
                return line;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("nobody is at the mail");
    };
    relay.set_nonblocking(true).unwrap();
    let (process, _) = serving(&server).await;
    let first = came();
    drop(process); // by SIGKILL
    let (_process, _) = serving(&server).await;
    drop((first, came()));
}

/// SQLite has one process that serves, works or imports; short commands run beside it, and it sees
/// what they wrote.
#[actix_web::test]
async fn a_second_process_on_a_file_is_refused_but_for_short_commands() {
    let server = Server::start_with(json!({"server": {"address": "127.0.0.1:0"}})).await;
    let (process, address) = serving(&server).await;
    if backend() == Backend::Sqlite {
        let import = [
            "import",
            "regions",
            "config/regions/beilun.csv",
            "--map",
            "config/imports/regions.toml",
        ];
        for arguments in [&["serve"][..], &["worker"], &import] {
            let refused = run(&server, arguments);
            let why = String::from_utf8_lossy(&refused.stderr);
            assert!(!refused.status.success(), "{arguments:?}");
            assert!(
                why.contains("another process serves"),
                "{arguments:?}: {why}"
            );
        }
    }
    assert!(run(&server, &["migrate"]).status.success());
    sign_in(&address, &new_admin(&server)).await;
    drop(process);
    let _alone = Alone::on(&server.app.config.database).expect("the lock ends with its process");
}

/// `admin rotate-keys`: new tokens name the new key, those of the old one are still taken, and both
/// keys are published.
#[actix_web::test]
async fn the_command_line_rotates_keys() {
    let server = Server::start_with(json!({"server": {"address": "127.0.0.1:0"}})).await;
    let (process, address) = serving(&server).await;
    let password = new_admin(&server);
    let old = sign_in(&address, &password).await;
    let rotated = run(&server, &["admin", "rotate-keys"]);
    assert!(rotated.status.success(), "{rotated:?}");
    drop(process);
    let (_process, address) = serving(&server).await;
    let new = sign_in(&address, &password).await;
    assert_ne!(header_of(&new)["kid"], header_of(&old)["kid"]);
    for token in [&old, &new] {
        let me = reqwest::Client::new()
            .get(format!("http://{address}/api/v1/me"))
            .bearer_auth(token)
            .send();
        assert_eq!(me.await.unwrap().status(), 200);
    }
    let keys = reqwest::get(format!("http://{address}/.well-known/jwks.json"));
    let keys: Value = keys.await.unwrap().json().await.unwrap();
    let kids = keys["keys"].as_array().unwrap().iter();
    let kids: Vec<_> = kids.map(|key| key["kid"].clone()).collect();
    assert_eq!(
        kids,
        [
            header_of(&new)["kid"].clone(),
            header_of(&old)["kid"].clone()
        ]
    );
}

/// Somebody who cannot have an account is refused before there is a database, with all that is wrong.
#[test]
fn an_administrator_has_a_name_and_an_address() {
    let folder = tempfile::tempdir().unwrap();
    let long = "长".repeat(51);
    let create = |email: &str, name: &str, locale: &str| {
        let ended = Command::new(env!("CARGO_BIN_EXE_yiqilai"))
            .args(["admin", "create", "--email", email, "--name", name])
            .env("LC_ALL", locale)
            .current_dir(folder.path())
            .output()
            .unwrap();
        let said = String::from_utf8(ended.stderr).unwrap();
        assert_eq!(ended.status.code(), Some(1), "{said}");
        assert!(!folder.path().join("data").exists(), "nothing was begun");
        said
    };
    for (email, name, wrong) in [
        ("nobody", "管理员", vec!["--email: The format is wrong."]),
        (ADMIN, "", vec!["--name: The length is out of bounds."]),
        (ADMIN, " \u{200b}", vec!["--name: "]),
        (
            ADMIN,
            long.as_str(),
            vec!["--name: The length is out of bounds."],
        ),
        (ADMIN, "管\u{7}理员", vec!["--name: The format is wrong."]),
        ("", "", vec!["--email: ", "--name: "]),
    ] {
        let said = create(email, name, "C");
        assert!(
            said.starts_with("yiqilai: Some fields need attention.\n"),
            "{said}"
        );
        assert_eq!(said.lines().count(), 1 + wrong.len(), "{said}");
        for wrong in wrong {
            assert!(said.contains(wrong), "{wrong} is not in {said}");
        }
    }
    let said = create("nobody", "管理员", "zh_CN.UTF-8");
    assert!(said.contains("--email: 格式不正确。"), "{said}");
}

#[test]
fn what_cannot_be_imported_is_answered_with_what_can() {
    let ended = Command::new(env!("CARGO_BIN_EXE_yiqilai"))
        .args(["import", "foo", "foo.csv", "--map", "foo.toml"])
        .output()
        .unwrap();
    assert!(!ended.status.success());
    let said = String::from_utf8(ended.stderr).unwrap();
    let targets = "regions, organizations, volunteers, projects, wishes";
    assert!(said.contains("foo") && said.contains(targets), "{said}");
}

/// A start that must fail: its exit code is 1 and its last word one sentence, which is returned.
fn refused(folder: &std::path::Path, settings: &str, command: &[&str]) -> String {
    let file = folder.join("local.toml");
    std::fs::write(&file, settings).unwrap();
    let ended = Command::new(env!("CARGO_BIN_EXE_yiqilai"))
        .arg("--config")
        .arg(file)
        .args(command)
        .env("YIQILAI__LOG__FILTER", "off")
        .current_dir(folder)
        .output()
        .unwrap();
    let said = String::from_utf8(ended.stderr).unwrap();
    assert_eq!(ended.status.code(), Some(1), "{said}");
    assert!(
        said.starts_with("yiqilai: ") && said.trim_end().lines().count() == 1,
        "{said}"
    );
    said
}

#[test]
fn a_check_of_the_configuration_names_everything_that_cannot_work() {
    let folder = tempfile::tempdir().unwrap();
    let settings = r#"
        server = { address = "foo", public_url = "ftp://x", allowed_origins = ["https://a.example.org/"] }
        mail = { from = "notmail", transport = "smtp", username = "a" }
        sms = { gateway = "http", templates = { code = "SMS_1", wish_claimed = "SMS_2" } }
        files = { store = "s3", access_key_id = "A", endpoint = "nowhere" }
        cache = { store = "redis", url = "http://x" }
    "#;
    let said = refused(folder.path(), settings, &["config", "check"]);
    for fault in [
        "server.address",
        "server.public_url",
        "server.allowed_origins",
        "mail.from",
        "mail.username",
        "sms.url",
        "lacks organization_invitation",
        "lacks wish_delivered",
        "files.bucket",
        "files.endpoint",
        "files.access_key_id",
        "cache.url",
    ] {
        assert!(said.contains(fault), "{fault} is not in {said}");
    }
    assert!(!said.contains("lacks code"), "{said}");
    let left = std::fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(left, 1, "a check makes nothing");
}

/// Also where there are lists that are empty.
#[test]
fn a_key_that_is_misspelt_is_all_that_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let check = Command::new(env!("CARGO_BIN_EXE_yiqilai"))
        .args(["config", "check"])
        .env("YIQILAI__SERVER__ADRESS", "127.0.0.1:8080")
        .current_dir(folder.path())
        .output();
    let said = String::from_utf8(check.unwrap().stderr).unwrap();
    assert!(
        said.starts_with("yiqilai: unknown field `adress`"),
        "{said}"
    );
    assert!(!said.contains("missing") && !said.contains(';'), "{said}");
}

#[test]
fn production_is_no_folder_and_keys_are_not_shown() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("local.toml");
    let check = |settings: &str| {
        std::fs::write(&file, settings).unwrap();
        let mut check = Command::new(env!("CARGO_BIN_EXE_yiqilai"));
        check.arg("--config").arg(&file).args(["config", "check"]);
        check.env("YIQILAI_PROFILE", "production").output().unwrap()
    };
    let good = r#"
        security.master_secret = "0123456789abcdefghijklmnopqrstuv"
        server.public_url = "https://yiqilai.example.org"
        mail.from = "noreply@example.org"
        files = { store = "s3", bucket = "b", access_key_id = "AKIA1", secret_access_key = "hush" }
        [sms]
        gateway = "http"
        url = "https://sms.example.org"
        templates = { code = "1", contact_changed = "5", organization_invitation = "2", wish_claimed = "3", wish_delivered = "4", wish_published = "6", wish_rejected = "7", wish_timed_out = "8", wish_open_again = "9", wish_expired = "10" }
    "#;
    let ended = check(good);
    let shown = String::from_utf8(ended.stdout).unwrap();
    assert!(
        ended.status.success(),
        "{}",
        String::from_utf8_lossy(&ended.stderr)
    );
    assert!(shown.contains("access_key_id") && !shown.contains("AKIA1") && !shown.contains("hush"));
    let ended = check(&good.replace("mail.from", "mail.transport = \"folder\"\nmail.from"));
    let said = String::from_utf8(ended.stderr).unwrap();
    assert!(
        !ended.status.success() && said.contains("mail.transport"),
        "{said}"
    );
}

#[test]
fn what_is_in_the_way_of_a_start_is_said_in_one_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    for command in ["serve", "demo"] {
        let settings = format!("server.address = \"{address}\"");
        let said = refused(folder.path(), &settings, &[command]);
        assert!(
            said.contains("server.address") && said.contains(&address),
            "{said}"
        );
        assert!(!folder.path().join("data").exists(), "nothing was begun");
    }
    let free = "server.address = \"127.0.0.1:0\"\n";
    std::fs::write(folder.path().join("file"), "").unwrap();
    for setting in [
        "database.url = \"sqlite:file/x.db\"",
        "database.url = \"sqlite:.\"",
        "database.url = \"sqlite:\"",
        "database.url = \"sqlite::memory:\"",
        "projects.vetting = \"no such thing\"",
        "database.url = \"postgres://nobody@127.0.0.1:9/none\"",
        "mail.folder = \"file/mail\"",
        "sms.folder = \"file/sms\"",
        "files.folder = \"file/files\"",
    ] {
        let said = refused(folder.path(), &format!("{free}{setting}"), &["serve"]);
        let key = setting.split(' ').next().unwrap();
        assert!(said.contains(key), "{key} is not in {said}");
    }
}

/// Where no file may grow any more, it serves what there is to read, and says that it can keep nothing.
#[actix_web::test]
async fn a_full_disk_is_said() {
    if backend() == Backend::Postgres {
        return; // its disk is not ours
    }
    let settings = json!({"server": {"address": "127.0.0.1:0"}});
    let server = Server::start_with(settings).await;
    // the log is longer than a file may become: whatever is added to it fails
    let ballast = "CREATE TABLE ballast AS SELECT randomblob(65536)";
    server.write(|tx| Ok(tx.conn.batch_execute(ballast)?)).await;
    let mut serve = Command::new("sh");
    // in units of 512 bytes; without the trap, the signal would end the process
    serve.args(["-c", "trap '' XFSZ; ulimit -f 64; exec \"$@\"", "sh"]);
    serve.arg(env!("CARGO_BIN_EXE_yiqilai")).arg("--config");
    serve.arg(server.folder.path().join("test.toml"));
    let (_process, address) = begun(serve.arg("serve"));
    let get = async |path: &str| {
        reqwest::get(format!("http://{address}{path}"))
            .await
            .unwrap()
    };
    let found = json!({
        "cache": "ok", "database": "unwritable", "files": "ok", "matching": "ok",
        "migrations": "ok", "search": "ok",
    });
    // what is built meanwhile, and the next look at the disk, take their time on a busy machine
    let mut last = (reqwest::StatusCode::OK, Value::Null);
    for _ in 0..900 {
        let ready = get("/readyz").await;
        last = (
            ready.status(),
            ready.json::<Value>().await.unwrap()["checks"].clone(),
        );
        if last.1 == found {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(last, (reqwest::StatusCode::SERVICE_UNAVAILABLE, found));
    assert_eq!(get("/api/v1/regions").await.status(), 200);
}

/// Redis is no condition of serving, not even at the start.
#[actix_web::test]
async fn a_server_starts_without_its_redis() {
    let settings = json!({"server": {"address": "127.0.0.1:0"},
        "cache": {"store": "redis", "url": "redis://127.0.0.1:9", "timeout_ms": 200}});
    let server = Server::start_with(settings).await;
    let (_process, address) = serving(&server).await;
    let answer = reqwest::get(format!("http://{address}/livez"))
        .await
        .unwrap();
    assert_eq!(answer.status(), 200);
}

/// `yiqilai openapi | head -1`
#[test]
fn a_reader_who_has_read_enough_is_left_in_peace() {
    for command in [&["openapi"][..], &["lifecycles"], &["config", "check"]] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let ended = Command::new(env!("CARGO_BIN_EXE_yiqilai"))
            .args(command)
            .stdout(writer)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
            .wait_with_output()
            .unwrap();
        let said = String::from_utf8(ended.stderr).unwrap();
        assert!(ended.status.success() && said.is_empty(), "{said}");
    }
}
