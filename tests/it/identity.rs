//! Signing up and in, sessions, contact data, roles, consents.

use chrono::TimeDelta;
use reqwest::Method;
use serde_json::{Value, json};
use yiqilai::app::App;
use yiqilai::identity::Role;

use crate::harness::{Server, User};

fn code_in(text: &str) -> String {
    let digits = text.split(|c: char| !c.is_ascii_digit());
    digits
        .rev()
        .find(|run| run.len() == 6)
        .expect("a code")
        .to_owned()
}

pub async fn newest_code(server: &Server, address: &str) -> String {
    server.work().await;
    code_in(server.mails(address).last().expect("a mail"))
}

pub const WANG: &str = "wang@example.org";

pub fn wang(password: &str) -> Value {
    json!({"email": WANG, "password": password, "display_name": "示例·王"})
}

pub async fn sign_up(server: &Server) -> Value {
    server
        .post("/auth/sign-up")
        .json(wang("a long password"))
        .expect(202)
        .await;
    let code = newest_code(server, WANG).await;
    let body = json!({"email": WANG, "code": code, "password": "a long password"});
    server
        .post("/auth/verify-email")
        .json(body)
        .expect(200)
        .await
        .json
}

#[actix_web::test]
async fn by_phone_the_first_sign_in_makes_the_account() {
    let server = Server::start().await;
    let user = server.person("示例·李").await;
    let me = server.get("/me").by(&user).expect(200).await;
    assert_eq!(
        (&me.json["phone"], &me.json["display_name"]),
        (&json!(user.phone), &json!("示例·李"))
    );

    server
        .post("/auth/phone/code")
        .json(json!({"phone": "138"}))
        .refused(422, "invalid")
        .await;
    let wrong = json!({"phone": user.phone, "code": "000000"});
    server
        .post("/auth/phone/sign-in")
        .json(wrong)
        .refused(401, "code_wrong")
        .await;
}

#[actix_web::test]
async fn a_code_works_once_for_a_while_and_a_few_tries() {
    let server = Server::start_with(json!({"identity": {"code_tries": 5}})).await;
    let phone = "+8613900000000";
    let ask = || async {
        server
            .post("/auth/phone/code")
            .json(json!({"phone": phone}))
            .expect(202)
            .await;
        server.work().await;
        server.sms(phone).last().unwrap()["params"]["code"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let enter = |code: String| {
        server
            .post("/auth/phone/sign-in")
            .json(json!({"phone": phone, "code": code}))
    };
    let code = ask().await;
    enter(code.clone()).expect(200).await;
    enter(code).refused(401, "code_wrong").await;

    let code = ask().await;
    server.pass(TimeDelta::minutes(6)).await;
    enter(code).refused(401, "code_wrong").await;

    let code = ask().await;
    let other = if code == "123456" { "654321" } else { "123456" };
    for _ in 0..5 {
        enter(other.to_owned()).refused(401, "code_wrong").await;
    }
    enter(code).refused(401, "code_wrong").await;
}

/// Whoever guesses at somebody's code uses up tries of its own address, not those of the owner.
#[actix_web::test]
async fn guesses_from_elsewhere_leave_the_owner_its_tries() {
    let server = Server::start_with(json!({"server": {"behind_proxy": true}})).await;
    let phone = "+8613900000009";
    let ask = server.post("/auth/phone/code");
    ask.json(json!({"phone": phone})).expect(202).await;
    server.work().await;
    let code = server.sms(phone).last().unwrap()["params"]["code"].clone();
    let enter = |code: Value, from: &str| {
        let call = server.post("/auth/phone/sign-in");
        let call = call.header("x-forwarded-for", from);
        call.json(json!({"phone": phone, "code": code})).send()
    };
    let mut answers = Vec::new();
    for _ in 0..12 {
        let wrong = if code == "123456" { "654321" } else { "123456" };
        let answer = enter(json!(wrong), "203.0.113.9").await;
        answers.push(answer.status.as_u16());
    }
    assert_eq!(answers[..10], [401; 10]);
    assert_eq!(answers[10..], [429; 2]);
    let owner = enter(code, "203.0.113.10").await;
    assert_eq!(owner.status, 200);
}

#[actix_web::test]
async fn codes_to_one_phone_are_throttled() {
    let server =
        Server::start_with(json!({"identity": {"codes_per_target": {"count": 2, "seconds": 60}}}))
            .await;
    let ask = || {
        server
            .post("/auth/phone/code")
            .json(json!({"phone": "13900000001"}))
    };
    ask().expect(202).await;
    ask().expect(202).await;
    let refused = ask().refused(429, "too_many_requests").await;
    let wait: u64 = refused.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=60).contains(&wait));
}

#[actix_web::test]
async fn by_email_the_address_is_proved_first() {
    let server = Server::start().await;
    server
        .post("/auth/sign-up")
        .json(wang("short"))
        .refused(422, "invalid")
        .await;
    server
        .post("/auth/sign-up")
        .json(wang("a long password"))
        .expect(202)
        .await;
    let sign_in = |password: &str| {
        server
            .post("/auth/sign-in")
            .json(json!({"email": "Wang@example.org ", "password": password}))
    };
    server.work().await;
    sign_in("a long password")
        .refused(401, "credentials_wrong")
        .await;
    let code = newest_code(&server, WANG).await;
    // somebody else signs up with the same address: the owner's code does not confirm that password
    server
        .post("/auth/sign-up")
        .json(wang("the attacker's one"))
        .expect(202)
        .await;
    server.work().await;
    let body =
        |password: &str, code: &str| json!({"email": WANG, "code": code, "password": password});
    server
        .post("/auth/verify-email")
        .json(body("a long password", &code))
        .refused(401, "code_wrong")
        .await;

    server
        .post("/auth/sign-up")
        .json(wang("a long password"))
        .expect(202)
        .await;
    let code = newest_code(&server, WANG).await;
    server
        .post("/auth/verify-email")
        .json(body("a long password", &code))
        .expect(200)
        .await;
    sign_in("a long password").expect(200).await;
    sign_in("a wrong password")
        .refused(401, "credentials_wrong")
        .await;
}

#[actix_web::test]
async fn answers_do_not_tell_who_has_an_account() {
    let server = Server::start().await;
    sign_up(&server).await;
    let again = server
        .post("/auth/sign-up")
        .json(wang("another password"))
        .expect(202)
        .await;
    assert!(again.bytes.is_empty());
    server.work().await;
    let mails = server.mails(WANG);
    assert!(
        mails
            .last()
            .unwrap()
            .contains("You already have a Yiqilai account")
            || mails.last().unwrap().contains("您已有"),
        "{mails:?}"
    );

    for email in [WANG, "nobody@example.org"] {
        let forgot = server
            .post("/auth/password/forgot")
            .json(json!({"email": email}))
            .expect(202)
            .await;
        assert!(forgot.bytes.is_empty());
        let wrong = json!({"email": email, "password": "not the password"});
        server
            .post("/auth/sign-in")
            .json(wrong)
            .refused(401, "credentials_wrong")
            .await;
    }
    server.work().await;
    assert!(server.mails("nobody@example.org").is_empty());
}

/// Nor does the time they take: the same is written, whomever it concerns, and the rest is done later.
#[actix_web::test]
async fn requests_leave_the_same_trace_for_everybody() {
    let server = Server::start().await;
    sign_up(&server).await;
    let user = server.person("示例·秦").await;
    let other = server.person("示例·尤").await;
    let ask = async |path: &str, body: Value| {
        let before = rows(&server).await;
        let call = server.post(path).by(&user).json(body);
        assert!(call.expect(202).await.bytes.is_empty());
        let after = rows(&server).await;
        let trace: Vec<_> = after.iter().zip(before).map(|(a, b)| a - b).collect();
        server.work().await;
        trace
    };
    let stranger = "nobody@example.org";
    for (path, known, unknown) in [
        (
            "/auth/sign-up",
            wang("another password"),
            json!({"email": stranger, "password": "another password", "display_name": "示例·何"}),
        ),
        (
            "/auth/password/forgot",
            json!({"email": WANG}),
            json!({"email": "nobody.else@example.org"}),
        ),
        (
            "/me/contact",
            json!({"phone": other.phone}),
            json!({"phone": "13911111112"}),
        ),
    ] {
        let (known, unknown) = (ask(path, known).await, ask(path, unknown).await);
        assert_eq!(known, unknown, "{path}");
        assert_eq!(known, [1, 0, 0, 0], "{path}: one job and nothing else");
    }
    // a wrong code is tried in the same way, too
    for email in [WANG, "nobody.else@example.org"] {
        let wrong = json!({"email": email, "code": "000000", "password": "another password"});
        let call = server.post("/auth/password/reset").json(wrong);
        call.refused(401, "code_wrong").await;
        let tried = server.app.platform.db.read(move |conn| {
            use diesel::prelude::*;
            use yiqilai::schema::one_time_codes::dsl;
            let newest = dsl::one_time_codes
                .filter(dsl::target.eq(email))
                .order(dsl::id.desc());
            Ok(newest.select(dsl::attempts).first::<i32>(conn)?)
        });
        assert_eq!(tried.await.unwrap(), 1, "{email}");
    }
}

/// How many jobs, codes, accounts and journal entries there are.
async fn rows(server: &Server) -> [i64; 4] {
    use diesel::prelude::*;
    use yiqilai::schema::{accounts, jobs, journal, one_time_codes};
    let counts = server.app.platform.db.read(|conn| {
        Ok([
            jobs::table.count().get_result(conn)?,
            one_time_codes::table.count().get_result(conn)?,
            accounts::table.count().get_result(conn)?,
            journal::table.count().get_result(conn)?,
        ])
    });
    counts.await.unwrap()
}

#[actix_web::test]
async fn a_forgotten_password_is_reset_and_ends_every_session() {
    let server = Server::start().await;
    let tokens = sign_up(&server).await;
    let token = tokens["access_token"].as_str().unwrap();
    server
        .post("/auth/password/forgot")
        .json(json!({"email": WANG}))
        .expect(202)
        .await;
    let code = newest_code(&server, WANG).await;
    let body = json!({"email": WANG, "code": code, "password": "the new password"});
    server
        .post("/auth/password/reset")
        .json(body.clone())
        .expect(204)
        .await;
    server
        .post("/auth/password/reset")
        .json(body)
        .refused(401, "code_wrong")
        .await;
    server
        .get("/me")
        .bearer(token)
        .refused(401, "session_ended")
        .await;
    let new = json!({"email": WANG, "password": "the new password"});
    let tokens = server
        .post("/auth/sign-in")
        .json(new)
        .expect(200)
        .await
        .json;

    let token = tokens["access_token"].as_str().unwrap();
    let change = |current: &str| {
        let body = json!({"current_password": current, "password": "a third password"});
        server.post("/me/password").bearer(token).json(body)
    };
    change("not it").refused(422, "invalid").await;
    change("the new password").expect(204).await;
    server.get("/me").bearer(token).expect(200).await;
}

/// What an access token says of how it is signed.
pub fn header_of(token: &str) -> Value {
    use base64::Engine;
    let header = token.split('.').next().unwrap();
    let header = base64::engine::general_purpose::URL_SAFE_NO_PAD
        .decode(header)
        .unwrap();
    serde_json::from_slice(&header).unwrap()
}

/// Another process makes a new key: within a minute this one signs with it and publishes both, and
/// tokens of the old one live on until they expire.
#[actix_web::test]
async fn a_key_of_another_process_signs_here_within_a_minute() {
    let server = Server::start().await;
    let user = server.person("示例·赵").await;
    let old = header_of(&user.token)["kid"].clone();
    let clock = &server.app.platform.clock;
    let other = App::build((*server.app.config).clone(), clock.clone());
    other.await.unwrap().keyring.rotate().await.unwrap();
    clock.advance(TimeDelta::minutes(1));
    let next = server.refreshed(&user).await;
    let new = header_of(&next.token)["kid"].clone();
    assert_ne!(new, old);
    let published = server.get("/.well-known/jwks.json").expect(200).await.json;
    let kids: Vec<_> = published["keys"]
        .as_array()
        .unwrap()
        .iter()
        .map(|key| key["kid"].clone())
        .collect();
    assert_eq!(kids, [new, old], "the one that signs first");
    clock.advance(TimeDelta::minutes(13));
    server.get("/me").by(&user).expect(200).await;
    clock.advance(TimeDelta::minutes(1));
    server
        .get("/me")
        .by(&user)
        .refused(401, "token_expired")
        .await;
    server.get("/me").by(&next).expect(200).await;
}

#[actix_web::test]
async fn access_tokens_expire_and_name_a_published_key() {
    let server = Server::start().await;
    let user = server.person("示例·赵").await;
    let published = server.get("/.well-known/jwks.json").expect(200).await.json;
    let header = header_of(&user.token);
    assert_eq!(header["alg"], "EdDSA");
    assert_eq!(header["kid"], published["keys"][0]["kid"]);

    // a new key signs, the old one's tokens live on
    server.app.keyring.rotate().await.unwrap();
    server.get("/me").by(&user).expect(200).await;
    assert_eq!(
        server.get("/.well-known/jwks.json").expect(200).await.json["keys"]
            .as_array()
            .unwrap()
            .len(),
        2
    );

    server.app.platform.clock.advance(TimeDelta::minutes(15));
    server
        .get("/me")
        .by(&user)
        .refused(401, "token_expired")
        .await;
    server
        .get("/me")
        .bearer("nonsense")
        .refused(401, "unauthenticated")
        .await;
    let mut forged = user.token.clone();
    forged.replace_range(forged.len() - 4.., "AAAA");
    server
        .get("/me")
        .bearer(&forged)
        .refused(401, "unauthenticated")
        .await;
}

async fn refresh(server: &Server, token: &str) -> crate::harness::Answer {
    server
        .post("/auth/refresh")
        .json(json!({"refresh_token": token}))
        .send()
        .await
}

#[actix_web::test]
async fn a_refresh_token_that_comes_back_ends_the_session() {
    let server = Server::start().await;
    let user = server.person("示例·钱").await;
    let next = refresh(&server, &user.refresh).await;
    assert_eq!(next.status, 200);
    let next = next.json["refresh_token"].as_str().unwrap().to_owned();
    server.pass(TimeDelta::seconds(11)).await; // no longer two windows at once
    assert_eq!(
        refresh(&server, &user.refresh).await.json["code"],
        "session_ended"
    );
    assert_eq!(
        refresh(&server, &next).await.json["code"],
        "session_ended",
        "the whole family"
    );
    server
        .get("/me")
        .by(&user)
        .refused(401, "session_ended")
        .await;
    assert_eq!(
        refresh(&server, "unknown").await.json["code"],
        "session_ended"
    );
}

#[actix_web::test]
async fn two_refreshes_of_one_token_have_one_winner() {
    let server = Server::start().await;
    for _ in 0..5 {
        let user = server.person("示例·孙").await;
        let (a, b) = futures_util::join!(
            refresh(&server, &user.refresh),
            refresh(&server, &user.refresh)
        );
        let (winner, loser) = match a.status.as_u16() {
            200 => (a, b),
            _ => (b, a),
        };
        assert_eq!((winner.status.as_u16(), loser.status.as_u16()), (200, 401));
        assert_eq!(loser.json["code"], "refresh_token_used");
        let next = winner.json["refresh_token"].as_str().unwrap();
        assert_eq!(refresh(&server, next).await.status, 200, "and goes on");
    }
}

#[actix_web::test]
async fn devices_are_listed_and_signed_out() {
    let server = Server::start().await;
    let user = server.person("示例·周").await;
    let again = {
        server
            .post("/auth/phone/code")
            .json(json!({"phone": user.phone}))
            .expect(202)
            .await;
        server.work().await;
        let code = server.sms(&user.phone).last().unwrap()["params"]["code"].clone();
        let body = json!({"phone": user.phone, "code": code});
        server
            .post("/auth/phone/sign-in")
            .json(body)
            .expect(200)
            .await
            .json
    };
    let second = again["access_token"].as_str().unwrap();
    let sessions = server.get("/me/sessions").by(&user).expect(200).await.json;
    let other = sessions["items"]
        .as_array()
        .unwrap()
        .iter()
        .find(|s| s["current"] == false)
        .unwrap();
    let path = format!("/me/sessions/{}", other["id"].as_str().unwrap());
    server
        .call(Method::DELETE, &path)
        .by(&user)
        .expect(204)
        .await;
    server
        .call(Method::DELETE, &path)
        .by(&user)
        .expect(204)
        .await;
    server
        .get("/me")
        .bearer(second)
        .refused(401, "session_ended")
        .await;
    // nobody signs out somebody else
    let stranger = server.person("示例·吴").await;
    let mine = sessions["items"]
        .as_array()
        .unwrap()
        .iter()
        .find(|s| s["current"] == true)
        .unwrap();
    server
        .call(
            Method::DELETE,
            &format!("/me/sessions/{}", mine["id"].as_str().unwrap()),
        )
        .by(&stranger)
        .expect(204)
        .await;
    server.get("/me").by(&user).expect(200).await;
    server.post("/auth/sign-out").by(&user).expect(204).await;
    server
        .get("/me")
        .by(&user)
        .refused(401, "session_ended")
        .await;
}

#[actix_web::test]
async fn contact_data_changes_with_proof_of_both() {
    let server = Server::start().await;
    let user = server.person("示例·郑").await;
    let new = "+8613911111111";
    server
        .post("/me/contact")
        .by(&user)
        .json(json!({}))
        .refused(422, "invalid")
        .await;
    server
        .post("/me/contact")
        .by(&user)
        .json(json!({"phone": new}))
        .expect(202)
        .await;
    server.work().await;
    let code = |phone: &str| {
        server.sms(phone).last().unwrap()["params"]["code"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let (new_code, current_code) = (code(new), code(&user.phone));
    let confirm = |new_code: &str, current_code: &str| {
        let body = json!({"phone": new, "new_code": new_code, "current_code": current_code});
        server.post("/me/contact/confirm").by(&user).json(body)
    };
    // a slip in one of them uses up neither
    for (new, current) in [(new_code.as_str(), "000000"), ("000000", &current_code)] {
        confirm(new, current).refused(401, "code_wrong").await;
    }
    confirm(&new_code, &current_code).expect(204).await;
    assert_eq!(
        server.get("/me").by(&user).expect(200).await.json["phone"],
        new
    );

    // a number that somebody has is not told apart, and not taken
    let other = server.person("示例·冯").await;
    let sent = server.sms(new).len();
    server
        .post("/me/contact")
        .by(&other)
        .json(json!({"phone": new}))
        .expect(202)
        .await;
    server.work().await;
    assert_eq!(server.sms(new).len(), sent);
}

#[actix_web::test]
async fn one_changes_ones_own_account() {
    let server = Server::start().await;
    let user = server.person("示例·陈").await;
    let blind = || server.call(Method::PATCH, "/me").by(&user);
    let english = json!({"language": "en"});
    blind()
        .json(english.clone())
        .refused(428, "version_required")
        .await;
    let old = blind().header("if-match", "\"0\"").json(english);
    old.refused(412, "version_mismatch").await;
    let me = server.get("/me").by(&user).expect(200).await;
    let etag = me.header("etag").unwrap();
    let change = |body: Value| blind().header("if-match", etag).json(body);
    let me = change(json!({"display_name": "示例·陈晨", "language": "en"}))
        .expect(200)
        .await;
    assert_eq!(
        (&me.json["display_name"], &me.json["language"]),
        (&json!("示例·陈晨"), &json!("en"))
    );
    let refused = change(json!({"display_name": ""}))
        .refused(422, "invalid")
        .await;
    assert_eq!(
        refused.fields(),
        [("/display_name".to_owned(), "length".to_owned())]
    );
    change(json!({"language": null}))
        .refused(400, "malformed_json")
        .await;
    change(json!({"status": "active"}))
        .refused(400, "malformed_json")
        .await;
    change(json!({"language": "fr"}))
        .refused(400, "malformed_json")
        .await;
    server
        .call(Method::PATCH, "/me")
        .by(&user)
        .body("{not json")
        .header("content-type", "application/json")
        .refused(400, "malformed_json")
        .await;
    server
        .call(Method::PATCH, "/me")
        .by(&user)
        .body("a=b")
        .header("content-type", "text/plain")
        .refused(415, "unsupported_media_type")
        .await;
    let long = "x".repeat(300_000);
    change(json!({"display_name": long}))
        .refused(413, "payload_too_large")
        .await;
}

#[actix_web::test]
async fn consents_are_withdrawn_as_easily_as_given() {
    let server = Server::start().await;
    let user = server.person("示例·褚").await;
    let give = |version: &str| {
        server
            .call(Method::PUT, "/me/consents/personalization")
            .by(&user)
            .json(json!({"text_version": version}))
    };
    let first = give("1").expect(200).await.id();
    assert_eq!(give("1").expect(200).await.id(), first);
    crate::accounts::agreed_before(&server, user.id).await;
    assert_ne!(give("1").expect(200).await.id(), first);
    for _ in 0..2 {
        server
            .call(Method::DELETE, "/me/consents/personalization")
            .by(&user)
            .expect(204)
            .await;
    }
    let all = server.get("/me/consents").by(&user).expect(200).await.json;
    assert_eq!(all["items"].as_array().unwrap().len(), 2);
    assert!(
        all["items"]
            .as_array()
            .unwrap()
            .iter()
            .all(|c| !c["withdrawn_at"].is_null())
    );
    server
        .call(Method::PUT, "/me/consents/unknown")
        .by(&user)
        .json(json!({"text_version": "1"}))
        .refused(400, "malformed_path")
        .await;
}

#[actix_web::test]
async fn roles_are_granted_by_those_entitled_and_stop_at_once() {
    let server = Server::start().await;
    let (district, street, grid) = crate::regions::three_levels(&server).await;
    let admin = server.staff("示例·平台", Role::PlatformAdmin, None).await;
    let person = server.person("示例·卫").await;
    let grant = |by: &User, account: &User, role: &str, scope: Value| {
        let body = json!({"account_id": account.id.to_string(), "role": role, "scope_id": scope});
        server.post("/role-grants").by(by).json(body)
    };
    grant(&person, &person, "platform_admin", Value::Null)
        .refused(403, "forbidden")
        .await;
    grant(&admin, &person, "region_admin", Value::Null)
        .refused(422, "invalid")
        .await;
    let nowhere = json!("01980000-0000-7000-8000-000000000000");
    grant(&admin, &person, "region_admin", nowhere)
        .refused(422, "invalid")
        .await;
    let street_admin = grant(&admin, &person, "region_admin", json!(street))
        .expect(201)
        .await
        .id();

    let worker = server.person("示例·蒋").await;
    grant(&person, &worker, "grid_worker", json!(grid))
        .expect(201)
        .await;
    for (role, scope) in [
        ("grid_worker", street),
        ("grid_leader", district),
        ("region_admin", grid),
    ] {
        let refused = grant(&admin, &worker, role, json!(scope)).refused(422, "invalid");
        let named = [("/scope_id".to_owned(), "role_level".to_owned())];
        assert_eq!(refused.await.fields(), named, "{role}");
    }
    grant(&person, &worker, "region_admin", json!(district))
        .refused(403, "forbidden")
        .await;
    // who administers a region is named, and removed, from above it
    grant(&person, &worker, "region_admin", json!(street))
        .refused(403, "forbidden")
        .await;
    let beside = server
        .staff("示例·同事", Role::RegionAdmin, Some(street))
        .await;
    server
        .call(Method::DELETE, &format!("/role-grants/{street_admin}"))
        .by(&beside)
        .refused(403, "forbidden")
        .await;
    let community = crate::regions::named(&server, "330206002-C1").await;
    let below = grant(&person, &beside, "region_admin", json!(community));
    below.expect(201).await;
    grant(&person, &worker, "organization_member", json!(grid))
        .refused(422, "invalid")
        .await;
    let list =
        |by: &User, scope: uuid::Uuid| server.get(&format!("/role-grants?scope_id={scope}")).by(by);
    assert_eq!(
        list(&person, grid).expect(200).await.json["items"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    list(&worker, grid).refused(403, "forbidden").await;
    server
        .get("/role-grants")
        .by(&person)
        .refused(403, "forbidden")
        .await;
    assert!(
        !server
            .get("/role-grants?limit=1")
            .by(&admin)
            .expect(200)
            .await
            .json["next"]
            .is_null()
    );

    let revoke = |by: &User, id: &str| {
        server
            .call(Method::DELETE, &format!("/role-grants/{id}"))
            .by(by)
    };
    revoke(&worker, &street_admin)
        .refused(404, "not_found")
        .await;
    revoke(&admin, &street_admin).expect(204).await;
    revoke(&admin, &street_admin).expect(204).await;
    grant(&person, &worker, "grid_leader", json!(grid))
        .refused(403, "forbidden")
        .await;

    let own = server.get("/me").by(&admin).expect(200).await.json["grants"][0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    revoke(&admin, &own).refused(409, "last_admin").await;
}

/// Who works in a scope is for the eyes of those who have a part in it.
#[actix_web::test]
async fn grants_of_a_sibling_are_invisible() {
    let server = Server::start().await;
    let (district, street, grid) = crate::regions::three_levels(&server).await;
    let sibling = crate::regions::another_street(&server).await;
    let admin = server
        .staff("示例·东街", Role::RegionAdmin, Some(street))
        .await;
    let worker = server
        .staff("示例·网格", Role::GridWorker, Some(grid))
        .await;
    let nowhere = uuid::Uuid::now_v7();
    let list =
        |by: &User, scope: uuid::Uuid| server.get(&format!("/role-grants?scope_id={scope}")).by(by);
    list(&admin, street).expect(200).await;
    list(&worker, grid).refused(403, "forbidden").await;
    for scope in [sibling, district, nowhere] {
        list(&admin, scope).refused(404, "not_found").await;
        list(&worker, scope).refused(404, "not_found").await;
    }
    // that there is a sibling is no secret: to grant there is known, and forbidden
    let body = json!({"account_id": worker.id.to_string(), "role": "auditor", "scope_id": sibling});
    let grant = server.post("/role-grants").by(&admin).json(body);
    grant.refused(403, "forbidden").await;
}

#[actix_web::test]
async fn a_role_is_granted_to_a_phone_or_an_address() {
    let server = Server::start_with(
        json!({"identity": {"look_ups_per_account": {"count": 5, "seconds": 60}}}),
    )
    .await;
    let (_, street, grid) = crate::regions::three_levels(&server).await;
    let admin = server
        .staff("示例·东街", Role::RegionAdmin, Some(street))
        .await;
    let person = server.person("示例·许").await;
    sign_up(&server).await;
    let grant = |by: &User, to: Value| {
        let mut body = json!({"role": "grid_worker", "scope_id": grid});
        body.as_object_mut()
            .unwrap()
            .extend(to.as_object().unwrap().clone());
        server.post("/role-grants").by(by).json(body)
    };
    let granted = grant(&admin, json!({"phone": person.phone}))
        .expect(201)
        .await;
    assert_eq!(granted.json["account_id"], json!(person.id.to_string()));
    grant(&admin, json!({"email": "Wang@Example.org"}))
        .expect(201)
        .await;

    for (to, field, code) in [
        (
            json!({"phone": "13800000099"}),
            "/phone",
            "unknown_reference",
        ),
        (
            json!({"email": "nobody@example.org"}),
            "/email",
            "unknown_reference",
        ),
        (json!({}), "/account_id", "exactly_one"),
        (
            json!({"phone": person.phone, "email": WANG}),
            "/account_id",
            "exactly_one",
        ),
    ] {
        let refused = grant(&admin, to).refused(422, "invalid").await;
        assert_eq!(refused.fields(), [(field.to_owned(), code.to_owned())]);
    }
    // whoever may not grant it learns nothing
    for phone in [&person.phone, "13800000099"] {
        let refused = grant(&person, json!({"phone": phone})).refused(403, "forbidden");
        assert!(refused.await.json["errors"].is_null());
    }
    grant(&admin, json!({"email": WANG})).expect(201).await;
    grant(&admin, json!({"email": WANG}))
        .refused(429, "too_many_requests")
        .await;
    grant(&admin, json!({"account_id": person.id.to_string()}))
        .expect(201)
        .await;
}

#[actix_web::test]
async fn the_same_key_is_done_once_even_at_once() {
    let server = Server::start().await;
    let (_, street, _) = crate::regions::three_levels(&server).await;
    let admin = server.staff("示例·平台", Role::PlatformAdmin, None).await;
    let person = server.person("示例·沈").await;
    let body = json!({"account_id": person.id.to_string(), "role": "auditor", "scope_id": street});
    let send = |key: &str, body: &Value| {
        server
            .post("/role-grants")
            .by(&admin)
            .header("idempotency-key", key)
            .json(body.clone())
            .send()
    };
    let (a, b) = futures_util::join!(send("k1", &body), send("k1", &body));
    let statuses = [a.status.as_u16(), b.status.as_u16()];
    assert!(
        statuses.contains(&201) && statuses.iter().all(|s| [201, 409].contains(s)),
        "{statuses:?}"
    );
    let again = send("k1", &body).await;
    assert_eq!(again.status, 201);
    let first = if a.status == 201 { a } else { b };
    assert_eq!(
        (again.json, again.headers.get("location")),
        (first.json.clone(), first.headers.get("location"))
    );

    let mut other = body.clone();
    other["role"] = json!("grid_worker");
    assert_eq!(
        send("k1", &other).await.json["code"],
        "idempotency_key_reused"
    );
    assert_eq!(
        send("bad key", &body).await.json["code"],
        "malformed_header"
    );
    // a refusal is not kept
    let wrong = json!({"account_id": person.id.to_string(), "role": "auditor"});
    assert_eq!(send("k2", &wrong).await.status, 422);
    assert_eq!(send("k2", &body).await.status, 201);
}

#[actix_web::test]
async fn requests_are_throttled_by_the_address_the_proxy_tells_and_only_then() {
    let few = json!({"requests_per_address": {"count": 2, "seconds": 60}});
    let ask = async |server: &Server, from: &str| {
        let call = server.post("/auth/sign-in").header("x-forwarded-for", from);
        let wrong = json!({"email": "nobody@example.org", "password": "wrong"});
        call.json(wrong).send().await.status.as_u16()
    };
    let server =
        Server::start_with(json!({"identity": few, "server": {"behind_proxy": true}})).await;
    // what a caller adds itself stands first and does not count
    let answers = [
        ask(&server, "9.9.9.1, 203.0.113.7").await,
        ask(&server, "9.9.9.2, 203.0.113.7").await,
        ask(&server, "9.9.9.3, 203.0.113.7").await,
        ask(&server, "203.0.113.8").await,
    ];
    assert_eq!(answers, [401, 401, 429, 401]);
    let server = Server::start_with(json!({"identity": few})).await;
    let answers = [
        ask(&server, "1.1.1.1").await,
        ask(&server, "1.1.1.2").await,
        ask(&server, "1.1.1.3").await,
    ];
    assert_eq!(answers, [401, 401, 429]);
}

/// Whoever fails too often at an account waits; its owner, who is elsewhere, does not, however many
/// take part. What succeeds is not counted, and who has no account is not told apart.
#[actix_web::test]
async fn failures_are_counted_where_they_are_made() {
    let server = Server::start_with(json!({"server": {"behind_proxy": true}, "identity": {
        "failures_per_address": {"count": 2, "seconds": 600},
        "failures_per_account": {"count": 6, "seconds": 600},
    }}))
    .await;
    sign_up(&server).await;
    let try_at = async |email: &str, from: &str, password: &str| {
        let body = json!({"email": email, "password": password});
        let call = server.post("/auth/sign-in").header("x-forwarded-for", from);
        call.json(body).send().await.status.as_u16()
    };
    let right = "a long password";
    for _ in 0..5 {
        assert_eq!(try_at(WANG, "203.0.113.1", right).await, 200);
    }
    for email in [WANG, "nobody@example.org"] {
        let answers = [
            try_at(email, "203.0.113.2", "wrong").await,
            try_at(email, "203.0.113.2", "wrong").await,
            try_at(email, "203.0.113.2", right).await,
        ];
        assert_eq!(answers, [401, 401, 429]);
    }
    assert_eq!(try_at(WANG, "203.0.113.1", right).await, 200);

    // many who each stay under the limit: from then on an address has one try
    for from in 3..5 {
        for _ in 0..2 {
            try_at(WANG, &format!("203.0.113.{from}"), "wrong").await;
        }
    }
    assert_eq!(try_at(WANG, "203.0.113.5", "wrong").await, 401);
    assert_eq!(try_at(WANG, "203.0.113.5", "wrong").await, 429);
    for from in ["203.0.113.1", "203.0.113.6"] {
        for _ in 0..3 {
            assert_eq!(try_at(WANG, from, right).await, 200, "the owner gets in");
        }
    }
}
