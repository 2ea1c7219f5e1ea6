//! The program as an operating system meets it: a process that is started and told to stop.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use yiqilai::platform::db::Alone;

use crate::harness::{Backend, Server, backend};
use crate::identity::header_of;

/// A process, which does not outlive its test.
struct Process(Child);

impl Process {
    fn told(&self, signal: &str) {
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
        .env("NO_COLOR", "1");
    command
}

fn run(server: &Server, arguments: &[&str]) -> Output {
    yiqilai(server).args(arguments).output().unwrap()
}

/// A process that serves, and its address.
async fn serving(server: &Server) -> (Process, String) {
    let serve = yiqilai(server).arg("serve").stderr(Stdio::piped()).spawn();
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
