//! The program as an operating system meets it: a process that is started and told to stop.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::json;

use crate::harness::Server;

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

/// `SIGTERM` in the middle of a request: it is answered, new ones are not taken, the process ends by
/// itself and says that all is well.
#[actix_web::test]
async fn a_stopped_server_answers_what_it_has_begun() {
    let settings = json!({"server": {"address": "127.0.0.1:0", "shutdown_seconds": 20}});
    let server = Server::start_with(settings).await;
    let file = server.folder.path().join("test.toml");
    let mut process = Process(
        Command::new(env!("CARGO_BIN_EXE_yiqilai"))
            .arg("--config")
            .arg(file)
            .args(["serve"])
            .env("NO_COLOR", "1")
            .stderr(Stdio::piped())
            .spawn()
            .unwrap(),
    );
    let mut log = BufReader::new(process.0.stderr.take().unwrap()).lines();
    let address = log
        .find_map(|line| {
            let line = line.unwrap();
            let at = line.find("address=")?;
            Some(line[at + "address=".len()..].trim().to_owned())
        })
        .expect("it says where it serves");
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
