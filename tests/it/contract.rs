//! What holds for every operation, whichever it is.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::{Value, json};
use yiqilai::api;
use yiqilai::error::Code;
use yiqilai::identity::Role;

use crate::harness::{SPEC, Server, operations};

#[test]
fn openapi_yaml_is_current() {
    let committed = std::fs::read_to_string("openapi.yaml").unwrap();
    assert!(
        committed == api::specification().to_yaml().unwrap(),
        "openapi.yaml is not current: run `make openapi`"
    );
}

#[test]
fn lifecycles_are_drawn_as_they_are() {
    let committed = std::fs::read_to_string("docs/lifecycles.md").unwrap();
    assert!(
        committed == api::lifecycles(),
        "docs/lifecycles.md is not current: run `yiqilai lifecycles > docs/lifecycles.md`"
    );
}

/// The references in a document that lead nowhere in it.
fn unresolved(document: &Value) -> Vec<String> {
    fn collect<'a>(value: &'a Value, into: &mut Vec<&'a str>) {
        match value {
            Value::Array(items) => items.iter().for_each(|item| collect(item, into)),
            Value::Object(fields) => {
                into.extend(fields.get("$ref").and_then(Value::as_str));
                fields.values().for_each(|field| collect(field, into));
            }
            _ => {}
        }
    }
    let mut all = Vec::new();
    collect(document, &mut all);
    assert!(!all.is_empty(), "it refers to schemas");
    let leads = |to: &&str| {
        to.strip_prefix('#')
            .is_some_and(|pointer| document.pointer(pointer).is_some())
    };
    let nowhere = all.into_iter().filter(|to| !leads(to));
    let nowhere: BTreeSet<_> = nowhere.map(str::to_owned).collect();
    nowhere.into_iter().collect()
}

#[test]
fn every_reference_in_the_specification_resolves() {
    assert_eq!(unresolved(&SPEC), [""; 0]);
    let mut broken = SPEC.clone();
    let schemas = broken["components"]["schemas"].as_object_mut().unwrap();
    assert!(schemas.remove("Problem").is_some());
    assert_eq!(unresolved(&broken), ["#/components/schemas/Problem"]);
}

#[actix_web::test]
async fn a_stranger_is_told_to_sign_in() {
    let server = Server::start().await;
    for (method, path, operation) in operations() {
        let is_public = operation["security"]
            .as_array()
            .is_some_and(|ways| ways.contains(&serde_json::json!({})));
        if is_public {
            continue;
        }
        let path = fill(path);
        server
            .call(method.clone(), path.trim_start_matches("/api/v1"))
            .refused(401, "unauthenticated")
            .await;
    }
}

fn fill(template: &str) -> String {
    let some = "01980000-0000-7000-8000-000000000000";
    template
        .split('/')
        .map(|part| match part {
            "{kind}" => "wish",
            "{purpose}" => "personalization",
            part if part.starts_with('{') => some,
            part => part,
        })
        .collect::<Vec<_>>()
        .join("/")
}

/// NUL, which PostgreSQL refuses, and years that RFC 3339 does not know: no operation takes them to
/// the database, on either.
#[actix_web::test]
async fn what_no_database_keeps_alike_is_refused_at_the_door() {
    let server = Server::start().await;
    let person = server.person("示例·访客").await;
    let body = json!({"text": "a\u{0}b", "list": [{"day": "+12345-01-01"}], "at": "-0044-03-15T12:00:00Z"});
    let mut asked = 0;
    for (method, path, operation) in operations() {
        let path = fill(path.trim_start_matches("/api/v1"));
        if method == Method::GET && operation["parameters"].to_string().contains("\"query\"") {
            let answer = server.get(&format!("{path}?text=%00")).by(&person);
            answer.refused(400, "malformed_query").await;
        }
        if operation["requestBody"]["content"]["application/json"] == Value::Null {
            continue;
        }
        asked += 1;
        let call = server
            .call(method.clone(), &path)
            .by(&person)
            .json(body.clone());
        let mut named = call.refused(422, "invalid").await.fields();
        named.sort();
        let pointers: Vec<_> = named.iter().map(|(pointer, _)| pointer.as_str()).collect();
        assert_eq!(pointers, ["/at", "/list/0/day", "/text"], "{path}");
    }
    assert!(asked > 50);
}

#[actix_web::test]
async fn every_operation_is_named_described_and_tagged() {
    for (method, path, operation) in operations() {
        for key in ["summary", "operationId", "tags"] {
            assert!(
                operation[key] != Value::Null,
                "{method} {path} has no {key}"
            );
        }
    }
}

/// What asks for the version that was read says so, and only that does; a page has a size that may be
/// wrong.
#[actix_web::test]
async fn what_an_operation_takes_fits_what_it_refuses() {
    for (method, path, operation) in operations() {
        let refuses = |status: &str| operation["responses"][status] != Value::Null;
        let parameters = operation["parameters"].to_string();
        let takes = |name: &str| parameters.contains(&format!("\"name\":\"{name}\""));
        assert_eq!(refuses("428"), takes("If-Match"), "{method} {path}");
        assert!(refuses("422") || !takes("limit"), "{method} {path}");
    }
}

#[actix_web::test]
async fn wrong_methods_and_unknown_addresses_are_problems() {
    let server = Server::start().await;
    let answer = server.get("/regions?limit=many");
    let answer = answer.refused(400, "malformed_query").await;
    let path = "/wishes?longitude=NaN&latitude=1&radius_m=inf";
    let fields = server.get(path).refused(422, "invalid").await.fields();
    let wrong: BTreeSet<_> = fields.iter().map(|(at, _)| at.as_str()).collect();
    assert_eq!(wrong, ["/longitude", "/radius_m"].into());
    let limit = [("/limit".to_owned(), "format".to_owned())];
    assert_eq!(answer.fields(), limit, "it is named");
    let answer = server
        .call(Method::DELETE, "/regions")
        .refused(405, "method_not_allowed")
        .await;
    assert_eq!(answer.header("allow"), Some("GET"));
    server.get("/nope").refused(404, "not_found").await;
    server
        .get("/regions/not-an-id")
        .refused(400, "malformed_path")
        .await;
    server.get("/regions?limit=0").refused(422, "invalid").await;
    server
        .get("/regions?limit=many")
        .refused(400, "malformed_query")
        .await;
    server
        .get("/regions?unknown=1")
        .refused(400, "malformed_query")
        .await;
    server
        .get("/regions?cursor=x")
        .refused(400, "invalid_cursor")
        .await;
    let zh = server
        .get("/nope")
        .header("accept-language", "zh-CN")
        .send()
        .await;
    assert!(zh.json["title"].is_string());
}

#[actix_web::test]
async fn answers_carry_their_request_id_and_the_security_headers() {
    let server = Server::start().await;
    let answer = server
        .get("/nope")
        .header("x-request-id", "from-the-gateway")
        .send()
        .await;
    assert_eq!(answer.header("x-request-id"), Some("from-the-gateway"));
    assert_eq!(answer.json["instance"], "from-the-gateway");
    let answer = server
        .get("/livez")
        .header("x-request-id", "not an id; at all")
        .send()
        .await;
    assert_ne!(answer.header("x-request-id"), Some("not an id; at all"));
    let answer = server.get("/livez").expect(200).await;
    assert!(
        answer
            .header("x-request-id")
            .is_some_and(|id| id.len() == 36)
    );
    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
}

/// Of no other list, and not with other filters.
#[actix_web::test]
async fn a_cursor_is_good_for_the_list_that_gave_it() {
    let server = Server::start().await;
    let admin = server.staff("管理员", Role::PlatformAdmin, None).await;
    crate::regions::three_levels(&server).await;
    let first = server.get("/regions?limit=1").expect(200).await;
    let cursor = first.json["next"].as_str().unwrap();
    let on = |list: &str| server.get(&format!("{list}cursor={cursor}")).by(&admin);
    let second = on("/regions?limit=2&").expect(200).await;
    assert_ne!(second.json["items"][0], first.json["items"][0]);
    let other = on("/regions?level=street&").refused(400, "invalid_cursor");
    other.await;
    let mut asked = 0;
    for (method, path, operation) in operations() {
        let takes_one = operation["parameters"]
            .to_string()
            .contains("\"name\":\"cursor\"");
        if takes_one && path != "/api/v1/regions" {
            asked += 1;
            assert_eq!(method, Method::GET);
            let path = fill(path.trim_start_matches("/api/v1"));
            on(&format!("{path}?")).refused(400, "invalid_cursor").await;
        }
    }
    assert!(asked > 25, "{asked}");
}

/// Both directions: a code that nothing can answer is no code, and every code has both sentences.
#[test]
fn the_catalogue_has_no_dead_codes() {
    use strum::VariantArray;
    let mut source = String::new();
    read_sources(std::path::Path::new("src"), &mut source);
    let documented = std::fs::read_to_string("docs/api-design.md").unwrap();
    for code in Code::VARIANTS {
        let used = source.matches(&format!("Code::{code:?}")).count();
        assert!(used > 0, "{code:?} is never answered: remove it or use it");
        let (zh, en) = code.title();
        assert!(
            zh.ends_with('。') && en.ends_with('.'),
            "{code:?} wants whole sentences"
        );
        assert!(
            documented.contains(&format!("`{}`", code.as_str())),
            "docs/api-design.md does not list {}",
            code.as_str()
        );
    }
}

fn read_sources(folder: &std::path::Path, into: &mut String) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            read_sources(&path, into);
        } else if path.extension().is_some_and(|e| e == "rs") {
            into.push_str(&std::fs::read_to_string(path).unwrap());
        }
    }
}

/// What strangers make up does not become a figure's label, nor does a browser's question from a
/// foreign site read as bad JSON.
#[actix_web::test]
async fn figures_and_refusals_hold_nothing_that_strangers_make_up() {
    let server = Server::start().await;
    let method = Method::from_bytes(b"MADEUP").unwrap();
    server.call(method, "/wishes").send().await;
    server
        .get("/wishes/madeup")
        .refused(400, "malformed_path")
        .await;
    let figures = server.get("/metrics").expect(200).await;
    let figures = String::from_utf8(figures.bytes).unwrap();
    assert!(!figures.to_lowercase().contains("madeup"), "{figures}");
    server
        .call(Method::OPTIONS, "/wishes")
        .header("origin", "http://evil.example")
        .header("access-control-request-method", "GET")
        .refused(403, "origin_not_allowed")
        .await;
    let page = reqwest::get(format!("{}/docs", server.url)).await.unwrap();
    assert!(page.url().path().starts_with("/docs/"), "{}", page.url());
    let refused = server.get("/nope").refused(404, "not_found").await;
    let about = refused.json["type"].as_str().unwrap().to_owned();
    let page = reqwest::get(format!("{}{about}", server.url))
        .await
        .unwrap();
    assert_eq!(page.status(), 200);
    let page = page.text().await.unwrap();
    assert!(page.contains("id=\"not_found\""), "every code is explained");
}
