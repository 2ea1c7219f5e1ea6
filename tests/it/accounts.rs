//! Whose an account is: invitations, unproved sign-ups, changes at once, roles, and what its person
//! is told.

use std::process::Command;
use std::time::Duration;

use chrono::TimeDelta;
use diesel::prelude::*;
use reqwest::Method;
use serde_json::{Value, json};
use yiqilai::identity::{AccountId, Role};
use yiqilai::schema::{consents, sign_ups};

use crate::harness::{Call, Server, User};
use crate::identity::{WANG, newest_code, sign_up, wang};

impl Server {
    async fn me(&self, user: &User) -> Value {
        self.get("/me").by(user).expect(200).await.json
    }

    /// What somebody was told, the newest first: kinds and sentences.
    async fn inbox(&self, user: &User) -> Vec<(String, String)> {
        self.work().await;
        let inbox = self.get("/me/notifications").by(user).expect(200).await;
        let text = |item: &Value, key: &str| item[key].as_str().unwrap().to_owned();
        let items = inbox.json["items"].as_array().unwrap().clone();
        items
            .iter()
            .map(|item| (text(item, "kind"), text(item, "text")))
            .collect()
    }

    /// Asks for another phone or address, reads both codes and confirms.
    pub async fn move_to(&self, user: &User, field: &str, new: &str, current: &str) -> Call<'_> {
        let ask = self.post("/me/contact").by(user).json(json!({field: new}));
        ask.expect(202).await;
        let new_code = self.code_at(new).await;
        let current_code = self.code_at(current).await;
        let body = json!({field: new, "new_code": new_code, "current_code": current_code});
        self.post("/me/contact/confirm").by(user).json(body)
    }

    async fn code_at(&self, contact: &str) -> String {
        if contact.starts_with('+') {
            self.work().await;
            let sms = self.sms(contact);
            let code = sms
                .iter()
                .rev()
                .find_map(|sms| sms["params"]["code"].as_str());
            return code.unwrap().to_owned();
        }
        newest_code(self, contact).await
    }
}

/// Both are acknowledged, so both are kept, and no entity tag names two contents.
#[actix_web::test]
async fn a_new_password_undoes_nothing_that_changes_at_the_same_time() {
    let server = Server::start().await;
    let user = server.person("示例·何").await;
    let mut both = 0;
    for (round, wait) in [0, 2, 5, 10, 20, 40].into_iter().enumerate() {
        let password = |round: usize| format!("password number {round}");
        let before = server.get("/me").by(&user).expect(200).await;
        let mut body = json!({"password": password(round)});
        if round > 0 {
            body["current_password"] = json!(password(round - 1));
        }
        let name = format!("示例·何{round}");
        let rename = async {
            tokio::time::sleep(Duration::from_millis(wait)).await;
            let call = server.call(Method::PATCH, "/me").by(&user);
            let call = call.header("if-match", before.header("etag").unwrap());
            call.json(json!({"display_name": name})).send().await
        };
        let change = server.post("/me/password").by(&user).json(body);
        let (renamed, _) = tokio::join!(rename, change.expect(204));
        if renamed.status != 200 {
            continue; // the password was first
        }
        both += 1;
        let after = server.get("/me").by(&user).expect(200).await;
        assert_eq!(after.json["display_name"], json!(name));
        assert_ne!(after.header("etag"), before.header("etag"));
        assert_ne!(after.header("etag"), renamed.header("etag"));
    }
    assert!(both > 0, "they never met");
}

#[actix_web::test]
async fn an_unproved_sign_up_keeps_an_address_from_nobody() {
    let server = Server::start().await;
    let count = async || {
        let db = &server.app.platform.db;
        let count = db.read(|conn| Ok(sign_ups::table.count().get_result::<i64>(conn)?));
        count.await.unwrap()
    };
    let ask = || {
        server
            .post("/auth/sign-up")
            .json(wang("somebody's password"))
    };
    ask().expect(202).await;
    let unproved = newest_code(&server, WANG).await;
    let owner = server.person("示例·王").await;
    let confirm = server.move_to(&owner, "email", WANG, &owner.phone).await;
    confirm.expect(204).await;
    assert_eq!(server.me(&owner).await["email"], WANG);
    let body = json!({"email": WANG, "code": unproved, "password": "somebody's password"});
    let late = server.post("/auth/verify-email").json(body);
    late.refused(401, "code_wrong").await;
    assert_eq!(server.me(&owner).await["email"], WANG);

    let other = json!({"email": "zhang@example.org", "password": "a long password", "display_name": "示例·张"});
    server.post("/auth/sign-up").json(other).expect(202).await;
    server.work().await;
    assert!(count().await > 0);
    server.pass(TimeDelta::hours(25)).await;
    assert_eq!(count().await, 0, "forgotten after a day");
}

/// An address that somebody was invited by goes to who proves it.
#[actix_web::test]
async fn an_invitation_keeps_an_address_from_nobody() {
    let t = crate::organizations::town().await;
    let server = &t.server;
    let (id, manager) = t.active("示例·志愿队").await;
    let body = json!({"email": WANG, "name": "示例·小王", "role": "member"});
    let path = format!("/organizations/{id}/invitations");
    server.post(&path).by(&manager).json(body).expect(201).await;
    let owner = server.person("示例·王").await;
    let confirm = server.move_to(&owner, "email", WANG, &owner.phone).await;
    confirm.expect(204).await;
    assert_eq!(server.me(&owner).await["email"], WANG);
}

/// Whoever is invited registers like anybody, under the own name; what the organisation calls the
/// person is the organisation's.
#[actix_web::test]
async fn who_is_invited_registers_under_the_own_name() {
    let t = crate::organizations::town().await;
    let server = &t.server;
    let (id, manager) = t.active("示例·志愿队").await;
    let path = format!("/organizations/{id}/invitations");
    let invite = |mut body: Value| {
        body["name"] = json!("示例·绰号");
        body["role"] = json!("member");
        server.post(&path).by(&manager).json(body).expect(201)
    };
    invite(json!({"email": WANG})).await;
    server.work().await;
    let mail = server.mails(WANG).pop().unwrap();
    assert!(
        mail.contains("示例·志愿队") && mail.contains("注册"),
        "{mail}"
    );
    assert!(!mail.contains("绰号"), "{mail}");
    let forgot = json!({"email": WANG});
    server
        .post("/auth/password/forgot")
        .json(forgot)
        .expect(202)
        .await;
    server.work().await;
    assert_eq!(server.mails(WANG).len(), 1, "nobody has an account yet");
    let tokens = sign_up(server).await;
    let token = tokens["access_token"].as_str().unwrap();
    let me = server.get("/me").bearer(token).expect(200).await.json;
    assert_eq!(me["display_name"], "示例·王");
    let invited = server
        .get("/me/invitations")
        .bearer(token)
        .expect(200)
        .await;
    let accept = format!(
        "/me/invitations/{}/accept",
        invited.json["items"][0]["id"].as_str().unwrap()
    );
    server
        .post(&accept)
        .bearer(token)
        .json(json!({}))
        .expect(200)
        .await;
    let members = format!("/organizations/{id}/members");
    let members = server.get(&members).by(&manager).expect(200).await;
    assert!(members.json.to_string().contains("示例·绰号"));

    for (phone, own, digits) in [
        ("+8613911110001", "示例·陈", "0001"),
        ("+8613911110002", "", "0002"),
    ] {
        invite(json!({"phone": phone})).await;
        let user = server.sign_in(phone.to_owned(), own).await;
        let me = server.me(&user).await;
        let called = me["display_name"].as_str().unwrap();
        match own {
            "" => assert!(called.starts_with("用户") && !called.ends_with(digits)),
            own => assert_eq!(called, own),
        }
        let mine = server.get("/me/invitations").by(&user).expect(200).await;
        assert_eq!(mine.json["items"].as_array().unwrap().len(), 1);
    }
}

/// The password that the command line prints signs in, whatever was begun with the address before.
#[actix_web::test]
async fn the_command_line_makes_an_account_that_signs_in() {
    let t = crate::organizations::town().await;
    let server = &t.server;
    let (id, manager) = t.active("示例·志愿队").await;
    let path = format!("/organizations/{id}/invitations");
    let body = json!({"email": "invited@example.org", "name": "示例·某", "role": "member"});
    server.post(&path).by(&manager).json(body).expect(201).await;
    server
        .post("/auth/sign-up")
        .json(wang("a long password"))
        .expect(202)
        .await;
    server.work().await;
    for email in [WANG, "invited@example.org", "fresh@example.org"] {
        let made = Command::new(env!("CARGO_BIN_EXE_yiqilai"))
            .arg("--config")
            .arg(server.folder.path().join("test.toml"))
            .args(["admin", "create", "--email", email])
            .output()
            .unwrap();
        assert!(made.status.success(), "{made:?}");
        let told = String::from_utf8(made.stdout).unwrap();
        let password = told.trim().rsplit(' ').next().unwrap();
        let body = json!({"email": email, "password": password});
        server.post("/auth/sign-in").json(body).expect(200).await;
    }
}

#[actix_web::test]
async fn nobody_grants_roles_to_oneself_and_all_are_told_of_theirs() {
    let server = Server::start().await;
    let (_, street, _) = crate::regions::three_levels(&server).await;
    let platform = server.staff("示例·平台", Role::PlatformAdmin, None).await;
    let admin = server
        .staff("示例·街管", Role::RegionAdmin, Some(street))
        .await;
    let person = server.person("示例·孔").await;
    let grant = |by: &User, to: Value, role: &str| {
        let mut body = to;
        body["role"] = json!(role);
        body["scope_id"] = json!(street);
        server.post("/role-grants").by(by).json(body)
    };
    for (by, role) in [(&admin, "auditor"), (&platform, "region_admin")] {
        let own = json!({"account_id": by.id.to_string()});
        grant(by, own, role).refused(403, "own_role").await;
        let own = json!({"phone": by.phone});
        grant(by, own, role).refused(403, "own_role").await;
    }
    let confirm = server
        .move_to(&person, "email", "kong@example.org", &person.phone)
        .await;
    confirm.expect(204).await;
    let to = json!({"account_id": person.id.to_string()});
    let granted = grant(&admin, to, "auditor").expect(201).await.id();
    let told = server.inbox(&person).await;
    assert_eq!(told[0].0, "role_granted");
    assert!(told[0].1.contains("auditor of 新碶街道"), "{}", told[0].1);
    let revoke = format!("/role-grants/{granted}");
    for _ in 0..2 {
        server
            .call(Method::DELETE, &revoke)
            .by(&admin)
            .expect(204)
            .await;
    }
    let told = server.inbox(&person).await;
    let kinds: Vec<_> = told.iter().map(|(kind, _)| kind.as_str()).collect();
    assert_eq!(kinds, ["role_revoked", "role_granted", "contact_changed"]);
    let mails = server.mails("kong@example.org");
    for sentence in ["auditor", "was revoked"] {
        assert!(
            mails.iter().any(|mail| mail.contains(sentence)),
            "{mails:?}"
        );
    }
}

#[actix_web::test]
async fn two_platform_admins_cannot_revoke_each_other_at_once() {
    let server = Server::start().await;
    let mut first = server.staff("示例·甲", Role::PlatformAdmin, None).await;
    for _ in 0..8 {
        let second = server.staff("示例·乙", Role::PlatformAdmin, None).await;
        let (own, others) = (
            grant_of(&server, &first).await,
            grant_of(&server, &second).await,
        );
        let revoke = |by: &User, id: &str| {
            let call = server.call(Method::DELETE, &format!("/role-grants/{id}"));
            call.by(by).send()
        };
        let (a, b) = tokio::join!(revoke(&first, &others), revoke(&second, &own));
        let statuses = [a.status.as_u16(), b.status.as_u16()];
        let won = statuses.iter().filter(|status| **status == 204).count();
        assert_eq!(won, 1, "{statuses:?}");
        if b.status == 204 {
            first = second;
        }
        server.get("/role-grants").by(&first).expect(200).await;
    }
}

async fn grant_of(server: &Server, user: &User) -> String {
    let me = server.me(user).await;
    me["grants"][0]["id"].as_str().unwrap().to_owned()
}

/// What touches the safety of an account is told, to the inbox, by mail and to what was replaced.
#[actix_web::test]
async fn people_are_told_what_touches_their_accounts() {
    let server = Server::start().await;
    let user = server.person("示例·曹").await;
    let (old, new) = ("old@example.org", "new@example.org");
    let confirm = server.move_to(&user, "email", old, &user.phone).await;
    confirm.expect(204).await;
    server.inbox(&user).await;
    let confirm = server.move_to(&user, "email", new, old).await;
    confirm.expect(204).await;
    server.inbox(&user).await;
    let last = server.mails(old).pop().unwrap();
    assert!(last.contains("has new contact data"), "{last}");
    assert!(!last.contains(new), "{last}");
    let confirm = server
        .move_to(&user, "phone", "+8613922220001", &user.phone)
        .await;
    confirm.expect(204).await;
    server.work().await;
    let last = server.sms(&user.phone).pop().unwrap();
    assert_eq!(last["template"], "contact_changed");

    let body = json!({"password": "a first password"});
    server
        .post("/me/password")
        .by(&user)
        .json(body)
        .expect(204)
        .await;
    let quiet = json!({"preferences": [], "quiet_hours": {"from_minute": 0, "to_minute": 1439}});
    let settings = "/me/notification-settings";
    server
        .call(Method::PUT, settings)
        .by(&user)
        .json(quiet)
        .expect(200)
        .await;
    for kind in [
        "password_changed",
        "contact_changed",
        "session_ended",
        "role_granted",
        "role_revoked",
    ] {
        let off = json!({"preferences": [{"kind": kind, "mail": false}], "quiet_hours": null});
        let refused = server.call(Method::PUT, settings).by(&user).json(off);
        let refused = refused.refused(422, "invalid").await;
        let field = ("/preferences/0/mail".to_owned(), "always_mailed".to_owned());
        assert_eq!(refused.fields(), [field]);
    }
    let refresh = || {
        let body = json!({"refresh_token": user.refresh});
        server.post("/auth/refresh").json(body).send()
    };
    assert_eq!(refresh().await.status, 200);
    server.pass(TimeDelta::seconds(11)).await;
    assert_eq!(refresh().await.status, 401);
    let phone = "+8613922220001".to_owned();
    let user = server.sign_in(phone, "").await;
    let told = server.inbox(&user).await;
    let kinds: Vec<_> = told.iter().map(|(kind, _)| kind.as_str()).collect();
    let changes = ["contact_changed"; 3];
    assert_eq!(kinds[..2], ["session_ended", "password_changed"]);
    assert_eq!(kinds[2..], changes);
    let mails = server.mails(new).join("\n");
    for sentence in ["password of your account was changed", "used twice"] {
        assert!(mails.contains(sentence), "{mails}");
    }
}

#[actix_web::test]
async fn codes_are_counted_by_network_address_and_in_all() {
    let ask = async |server: &Server, number: usize, from: &str| {
        let phone = format!("139333300{number:02}");
        let call = server
            .post("/auth/phone/code")
            .header("x-forwarded-for", from);
        let sent = call.json(json!({ "phone": phone })).send().await;
        sent.status.as_u16()
    };
    let server = Server::start_with(json!({"server": {"behind_proxy": true},
        "identity": {"codes_per_address": {"count": 3, "seconds": 600}, "sms_codes_per_day": 5}}))
    .await;
    let mut answers = Vec::new();
    for number in 0..5 {
        answers.push(ask(&server, number, "203.0.113.1").await);
    }
    assert_eq!(answers, [202, 202, 202, 429, 429]);
    let mut answers = Vec::new();
    for number in 5..8 {
        answers.push(ask(&server, number, "203.0.113.2").await);
    }
    assert_eq!(answers, [202, 202, 429], "five in all");
    // mail costs nothing and goes on
    let call = server.post("/auth/sign-up").json(wang("a long password"));
    let call = call.header("x-forwarded-for", "203.0.113.3");
    call.expect(202).await;
}

#[actix_web::test]
async fn a_consent_is_given_to_a_text_that_was_shown() {
    let server = Server::start().await;
    let texts = server.get("/consent-texts").expect(200).await.json;
    let texts = texts["items"].as_array().unwrap();
    let user = server.person("示例·严").await;
    let give = |purpose: &str, version: &str| {
        let call = server.call(Method::PUT, &format!("/me/consents/{purpose}"));
        call.by(&user).json(json!({"text_version": version}))
    };
    for text in texts.iter().filter(|text| text["current"] == true) {
        let (purpose, version) = (
            text["purpose"].as_str().unwrap(),
            text["version"].as_str().unwrap(),
        );
        give(purpose, version).expect(200).await;
    }
    for (purpose, version) in [("personalization", "never written"), ("health", "1")] {
        let refused = give(purpose, version).refused(422, "invalid").await;
        let field = ("/text_version".to_owned(), "unknown_reference".to_owned());
        assert_eq!(refused.fields(), [field]);
    }
}

/// As if somebody had agreed to earlier words.
pub async fn agreed_before(server: &Server, who: AccountId) {
    server
        .write(move |tx| {
            diesel::update(consents::table.filter(consents::account_id.eq(who)))
                .set(consents::text_version.eq("0"))
                .execute(tx.conn)?;
            Ok(())
        })
        .await;
}
