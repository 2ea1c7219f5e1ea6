//! A backup of a used database goes on where it is restored (docs/operations.md): readers of the journal
//! skip nothing and read nothing twice, however the transactions of the server are numbered.

use std::path::Path;
use std::process::Command;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use yiqilai::platform::journal;
use yiqilai::worker::REACTIONS;

use crate::harness::{Backend, Server, User, backend, env, fresh_on};
use crate::organizations::{Town, town};
use crate::process::run;

/// An organisation that holds a project, and what happens when it may not act any more.
struct Holder {
    id: String,
    leader: User,
    claim: String,
}

impl Town {
    async fn holder(&self, name: &str) -> Holder {
        let (id, leader) = self.active(name).await;
        let project = self.open_project(json!({})).await;
        let claim = self
            .claim(&leader, &project, Some(&id))
            .expect(201)
            .await
            .id();
        Holder { id, leader, claim }
    }

    async fn suspended(&self, holder: &Holder) {
        let reason = json!({"reason": "因故"});
        let suspended = self.review(&self.district_admin, &holder.id, "suspend", reason);
        assert_eq!(suspended.await.status, 200);
    }

    /// Where its claim stands, and how often it was told.
    async fn standing(&self, holder: &Holder) -> (Value, usize) {
        let claim = self
            .server
            .get(&format!("/project-claims/{}", holder.claim));
        let claim = claim.by(&holder.leader).expect(200).await.json;
        (
            claim["status"].clone(),
            self.told(&holder.leader, "claim_revoked").await,
        )
    }
}

fn tool(name: &str, arguments: &[&str]) {
    let tool = Path::new(&env("YIQILAI_TEST_POSTGRES_BIN")).join(name);
    let ended = Command::new(tool).args(arguments).output().unwrap();
    assert!(
        ended.status.success(),
        "{}",
        String::from_utf8_lossy(&ended.stderr)
    );
}

/// Transactions of a server, as if it had been in use for longer.
fn spend(url: &str, transactions: u32) {
    let spend = format!(
        "DO $$ BEGIN FOR n IN 1..{transactions} LOOP PERFORM pg_current_xact_id(); COMMIT; END LOOP; END $$"
    );
    PgConnection::establish(url)
        .unwrap()
        .batch_execute(&spend)
        .unwrap();
}

/// Whether entries of the journal bear numbers that the server has yet to give.
fn is_ahead(url: &str) -> bool {
    let ahead = diesel::dsl::sql::<diesel::sql_types::Bool>(
        "(SELECT max(txid) FROM journal) >= pg_snapshot_xmax(pg_current_snapshot())::text::bigint",
    );
    let mut conn = PgConnection::establish(url).unwrap();
    diesel::select(ahead).get_result(&mut conn).unwrap()
}

/// What reactions have not read.
async fn unread(server: &Server) -> usize {
    let read = server.app.platform.db.read(|conn| {
        let mut unread = 0;
        for reader in REACTIONS {
            let place = journal::place_of(conn, reader)?;
            unread += usize::from(journal::unread_since(conn, place)?.is_some());
        }
        Ok(unread)
    });
    read.await.unwrap()
}

/// Lets reactions read all there is, also what they write themselves.
async fn read_all(server: &Server) {
    for _ in 0..5 {
        server.work().await;
    }
    assert_eq!(unread(server).await, 0);
}

async fn goes_on(other_server: &str, is_numbered_anew: bool) {
    let mut t = town().await;
    let (before, waiting) = (t.holder("示例·甲队").await, t.holder("示例·乙队").await);
    let later = t.holder("示例·丙队").await;
    t.server.work().await;
    t.suspended(&before).await;
    read_all(&t.server).await;
    t.suspended(&waiting).await;
    assert!(
        unread(&t.server).await > 0,
        "nobody has reacted to that yet"
    );
    let used = t.server.app.config.database.url.expose_secret().to_owned();
    if is_numbered_anew {
        spend(&used, 5000);
        t.suspended(&t.holder("示例·丁队").await).await;
    }

    let dump = t.server.folder.path().join("yiqilai.dump");
    let dump = dump.to_str().unwrap();
    tool("pg_dump", &["-Fc", "-f", dump, &used]);
    let restored = fresh_on(other_server.to_owned()).await;
    tool("pg_restore", &["-d", &restored, dump]);
    assert_eq!(is_ahead(&restored), is_numbered_anew);
    let migrate = async |server: &Server| {
        let migrated = run(server, &["migrate"]);
        assert!(migrated.status.success(), "{migrated:?}");
    };
    t.server = t.server.moved_to(&restored, migrate).await;
    assert!(!is_ahead(&restored));

    assert!(unread(&t.server).await > 0, "what waited waits");
    read_all(&t.server).await;
    let once = (json!("revoked"), 1);
    assert_eq!(t.standing(&before).await, once, "not twice");
    assert_eq!(t.standing(&waiting).await, once, "not skipped");
    assert_eq!(t.standing(&later).await, (json!("approved"), 0));

    t.suspended(&later).await;
    let title = json!({"title": "示例·恢复之后的项目"});
    let project = t.open_project(title).await;
    let found = t.server.get("/search?q=恢复之后").expect(200).await.json;
    assert_eq!(found["items"][0]["id"], json!(project), "search reads on");
    let new = t.holder("示例·戊队").await;
    let claim = t.server.get(&format!("/project-claims/{}", new.claim));
    let project = claim.by(&new.leader).expect(200).await.json["project_id"].clone();
    let role = t.role(project.as_str().unwrap(), 1).await;
    let need = format!("/needs/project_role/{}/candidates", role.as_str().unwrap());
    let asked = t.server.get(&need).by(&new.leader).expect(200);
    asked.await; // a need that matching knows
    t.server.work().await;
    assert_eq!(t.standing(&later).await, once);
    for holder in [&before, &waiting] {
        assert_eq!(t.standing(holder).await, once);
    }
}

#[actix_web::test]
async fn a_backup_goes_on_on_a_server_that_has_counted_less() {
    if backend() == Backend::Postgres {
        Box::pin(goes_on(&env("YIQILAI_TEST_OTHER_POSTGRES_URL"), true)).await;
    }
}

#[actix_web::test]
async fn a_backup_goes_on_on_the_same_server() {
    if backend() == Backend::Postgres {
        Box::pin(goes_on(&env("YIQILAI_TEST_POSTGRES_URL"), false)).await;
    }
}
