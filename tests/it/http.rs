//! The HTTP contract that holds for every operation.

use diesel::prelude::*;
use reqwest::Method;
use serde_json::{Value, json};
use yiqilai::identity::Role;

use crate::harness::{Call, Server, User};

fn rename<'a>(server: &'a Server, who: &User, name: &str) -> Call<'a> {
    let call = server.call(Method::PATCH, "/me").by(who);
    call.json(json!({"display_name": name}))
}

async fn tag(server: &Server, who: &User) -> String {
    let me = server.get("/me").by(who).expect(200).await;
    me.header("etag").unwrap().to_owned()
}

#[actix_web::test]
async fn a_body_is_an_object() {
    let server = Server::start().await;
    for body in [
        json!(["a@example.org", "password"]),
        json!("a"),
        json!(1),
        json!(null),
    ] {
        let call = server.post("/auth/sign-in").json(body);
        call.refused(400, "malformed_json").await;
    }
}

#[actix_web::test]
async fn entity_tags_are_taken_in_every_form_that_http_has() {
    let server = Server::start().await;
    let user = server.person("示例·林").await;
    let current = tag(&server, &user).await;
    let forms: [&dyn Fn(&str) -> String; 5] = [
        &|tag| tag.to_owned(),
        &|tag| format!("W/{tag}"),
        &|tag| format!("\"0\", \"a, b\" ,{tag}"),
        &|tag| format!("{tag},W/\"0\""),
        &|_| "*".to_owned(),
    ];
    for (n, form) in forms.iter().enumerate() {
        let header = form(&tag(&server, &user).await);
        let call = rename(&server, &user, &format!("示例·林{n}"));
        call.header("if-match", &header).expect(200).await;
    }
    for other in [current.as_str(), "\"abc\"", "\"\"", "\"998\", W/\"999\""] {
        let call = rename(&server, &user, "示例·林").header("if-match", other);
        call.refused(412, "version_mismatch").await;
    }
    for wrong in ["1", "abc", "\"1", "\"1\" \"2\"", "\"1\",", "w/\"1\"", ""] {
        let call = rename(&server, &user, "示例·林").header("if-match", wrong);
        call.refused(400, "malformed_header").await;
    }
    rename(&server, &user, "示例·林")
        .refused(428, "version_required")
        .await;
}

#[actix_web::test]
async fn languages_are_weighed_as_http_writes_them() {
    let server = Server::start().await;
    for (accepted, language) in [
        ("en; q=0.9", "en"),
        ("zh ;q=0.5 , en ; Q=0.6", "en"),
        ("zh-CN, en; q=0.9", "zh-CN"),
        ("fr", "zh-CN"),
    ] {
        let call = server.get("/me").header("accept-language", accepted);
        let answer = call.expect(401).await;
        assert_eq!(
            answer.header("content-language"),
            Some(language),
            "{accepted}"
        );
    }
}

/// What people read is what is there: nothing hidden, nothing turned around, and a name in one line.
#[actix_web::test]
async fn texts_hold_nothing_that_nobody_sees() {
    let server = Server::start().await;
    let (_, street, _) = crate::regions::three_levels(&server).await;
    let user = server.person("示例·林").await;
    let admin = server
        .staff("示例·街道", Role::RegionAdmin, Some(street))
        .await;
    for name in [
        "a\u{202E}b",
        "a\u{200B}b",
        "a\nb",
        "a\tb",
        "a\u{2067}b",
        "a\u{7}b",
        "a\0b",
    ] {
        let call = rename(&server, &user, name).header("if-match", "*");
        let refused = call.refused(422, "invalid").await;
        assert_eq!(
            refused.fields(),
            [("/display_name".into(), "format".into())],
            "{name:?}"
        );
    }
    let kept = rename(&server, &user, " 阿依古丽·买买提 José 👍🏽\n").header("if-match", "*");
    assert_eq!(
        kept.expect(200).await.json["display_name"],
        "阿依古丽·买买提 José 👍🏽"
    );

    let campaign = |introduction: &str| {
        let call = server.post("/campaigns").by(&admin);
        call.json(json!({"region_id": street, "name": "示例·行动", "introduction": introduction}))
    };
    let prose = "第一段。\r\n\n\t第二段👩\u{200D}🌾。";
    let made = campaign(prose).expect(201).await;
    assert_eq!(made.json["introduction"], prose);
    for text in ["a\u{202D}b", "a\u{8}b", "a\u{85}b"] {
        let refused = campaign(text).refused(422, "invalid").await;
        assert_eq!(
            refused.fields(),
            [("/introduction".into(), "format".into())]
        );
    }

    // nor is what nobody sees a text
    let path = format!("/projects/{street}/cancel");
    for reason in ["\u{200B}", " \u{FEFF}\u{2060} "] {
        let call = server.post(&path).by(&admin).header("if-match", "*");
        let refused = call.json(json!({"reason": reason})).refused(422, "invalid");
        assert_eq!(
            refused.await.fields(),
            [("/reason".into(), "length".into())]
        );
    }
}

/// A body can hold an identity number: what is kept of it is of no use without the master secret.
#[actix_web::test]
async fn an_idempotency_key_keeps_a_keyed_hash() {
    let server = Server::start().await;
    let (_, street, _) = crate::regions::three_levels(&server).await;
    let admin = server.staff("示例·平台", Role::PlatformAdmin, None).await;
    let user = server.person("示例·沈").await;
    let body = json!({"account_id": user.id.to_string(), "role": "auditor", "scope_id": street});
    let call = server.post("/role-grants").by(&admin);
    let call = call.header("idempotency-key", "k").json(body.clone());
    call.expect(201).await;
    let kept: Vec<u8> = server
        .write(|tx| {
            use yiqilai::schema::idempotency_keys;
            Ok(idempotency_keys::table
                .select(idempotency_keys::fingerprint)
                .first(tx.conn)?)
        })
        .await;
    let request = format!("POST /api/v1/role-grants {body}");
    let vault = &server.app.platform.vault;
    assert_eq!(kept, vault.lookup_hash("request", request));
}

/// However a request ends, it is counted under the one pattern of its route.
#[actix_web::test]
async fn figures_know_each_operation_by_one_name() {
    let server = Server::start().await;
    let user = server.person("示例·林").await;
    let consent = |purpose: &str, body: Value| {
        let path = format!("/me/consents/{purpose}");
        server.call(Method::PUT, &path).by(&user).json(body)
    };
    consent("personalization", json!({"text_version": "1"}))
        .expect(200)
        .await;
    consent("personalization", json!({})).expect(400).await;
    let unknown = format!("/regions/{}", uuid::Uuid::now_v7());
    server.get(&unknown).expect(404).await;
    let (_, street, _) = crate::regions::three_levels(&server).await;
    server.get(&format!("/regions/{street}")).expect(200).await;
    server.get("/nope/nothing").expect(404).await;
    let figures = server.get("/metrics").expect(200).await;
    let figures = String::from_utf8(figures.bytes).unwrap();
    for (method, route, status) in [
        ("PUT", "/api/v1/me/consents/{purpose}", "200"),
        ("PUT", "/api/v1/me/consents/{purpose}", "400"),
        ("GET", "/api/v1/regions/{id}", "200"),
        ("GET", "/api/v1/regions/{id}", "404"),
        ("GET", "unmatched", "404"),
    ] {
        let label = format!("method=\"{method}\",route=\"{route}\",status=\"{status}\"");
        assert!(figures.contains(&label), "{label} is not in {figures}");
    }
    assert!(!figures.contains("/consents/personalization") && !figures.contains("/{}"));
}
