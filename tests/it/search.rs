//! What is found by words and filters, and what nobody finds; saved searches.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use chrono::TimeDelta;
use diesel::prelude::*;
use reqwest::Method;
use serde_json::{Value, json};
use yiqilai::identity::Role;
use yiqilai::organizations::OrganizationStatus;
use yiqilai::platform::clock::Clock;
use yiqilai::platform::journal::Actor;
use yiqilai::projects::ProjectStatus;
use yiqilai::regions::{self, Level, NewRegion, RegionId};
use yiqilai::schema;
use yiqilai::wishes::WishStatus;
use yiqilai::worker::Worker;

use crate::harness::{Answer, Backend, Server, User, backend};
use crate::organizations::{Town, town, town_on, town_with};
use crate::process::{redis, serving};

/// The address of a search of a server that is none of the harness.
fn address_of(base: &str, parameters: &[(&str, &str)]) -> String {
    address(&format!("{base}/search"), parameters)
}

/// The address of a search.
fn address(path: &str, parameters: &[(&str, &str)]) -> String {
    let query = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(parameters)
        .finish();
    format!("{path}?{query}")
}

fn titles(answer: &Value) -> Vec<&str> {
    let items = answer["items"].as_array().unwrap();
    items
        .iter()
        .map(|item| item["title"].as_str().unwrap())
        .collect()
}

impl Town {
    async fn search(&self, parameters: &[(&str, &str)]) -> Value {
        let call = self.server.get(&address("/search", parameters));
        call.expect(200).await.json
    }

    async fn titles_of(&self, q: &str) -> Vec<String> {
        let found = self.search(&[("q", q), ("limit", "100")]).await;
        titles(&found).into_iter().map(str::to_owned).collect()
    }

    async fn refused(&self, parameters: &[(&str, &str)]) -> Answer {
        let call = self.server.get(&address("/search", parameters));
        call.refused(422, "invalid").await
    }

    fn worded(&self, title: &str, description: &str) -> Value {
        json!({
            "region_id": self.grid,
            "contact": {"name": "示例·王秀英", "phone": "13800000001", "address": "秘密小区1幢101"},
            "alias": "王奶奶", "beneficiary_group": "elder", "life_cycle": "old_age", "kind": "goods",
            "title": title, "description": description, "value_fen": 12000,
            "longitude": 121.8513, "latitude": 29.9087,
        })
    }

    fn wish_act(&self, by: &User, id: &str, verb: &str) -> crate::harness::Call<'_> {
        self.server.post(&format!("/wishes/{id}/{verb}")).by(by)
    }

    async fn draft_wish(&self, by: &User, wish: Value) -> String {
        let call = self.server.post("/wishes").by(by).json(wish);
        call.expect(201).await.id()
    }

    async fn publish_wish(&self, id: &str) {
        let read = self
            .server
            .get(&format!("/wishes/{id}"))
            .by(&self.street_admin);
        let etag = read.expect(200).await.header("etag").unwrap().to_owned();
        let publish = self.wish_act(&self.street_admin, id, "publish");
        publish.header("if-match", &etag).expect(200).await;
    }

    async fn published_wish(&self, by: &User, wish: Value) -> String {
        let id = self.draft_wish(by, wish).await;
        self.wish_act(by, &id, "submit").expect(200).await;
        self.publish_wish(&id).await;
        id
    }

    /// What was published last comes first in the answers and in the lists, page by page.
    async fn begins_with_what_is_new(&self) {
        for (kind, list, key) in [
            ("wish", "/wishes", "title"),
            ("project", "/projects", "title"),
            ("organization", "/organizations", "name"),
        ] {
            let found = self.search(&[("kind", kind), ("sort", "newest")]).await;
            let found: Vec<_> = titles(&found).iter().map(|t| t.replace('队', "")).collect();
            assert_eq!(found, ["先写的", "后写的"], "{kind}");
            // and the list, page by page
            let first = self
                .server
                .get(&format!("{list}?limit=1"))
                .expect(200)
                .await;
            let cursor = first.json["next"].as_str().unwrap();
            let path = format!("{list}?limit=1&cursor={cursor}");
            let second = self.server.get(&path).expect(200).await;
            assert_eq!(second.json["next"], Value::Null);
            for (page, wanted) in [(&first, "先写的"), (&second, "后写的")] {
                let item = &page.json["items"][0];
                let title = item[key].as_str().unwrap().replace('队', "");
                assert_eq!(title, wanted, "{list}");
                assert!(item["published_at"].is_string(), "{item:#}");
            }
        }
    }

    /// What is in memory is what a fresh start would build.
    async fn finds_what_the_database_holds(&self) {
        let search = &self.server.app.search;
        search.until_current().await.unwrap();
        let built = search.rebuilt().await.unwrap();
        assert_eq!(search.shelf().documents(), built.documents());
        assert_eq!(search.shelf().regions(), built.regions());
    }
}

#[actix_web::test]
async fn words_are_found_in_both_languages_however_they_are_written() {
    let t = town().await;
    let resident = t.server.person("示例·王奶奶").await;
    t.open_project(json!({"title": "癌症患者心理关怀服务", "summary": "Sunshine Mothers: a volunteer team, with ＣＰＲ急救培训。"}))
        .await;
    t.open_project(json!({"title": "助力环境治理", "summary": "一起清理河道，2026 年内完成。"}))
        .await;
    t.published_wish(
        &resident,
        t.worded("一台收音机", "想听越剧，家里的收音机坏了。"),
    )
    .await;
    t.active("新碶示例志愿服务队").await;
    t.open_project(json!({"title": "長者關懷", "summary": "每週探訪。"}))
        .await;

    for (q, title) in [
        ("心理 癌症", "癌症患者心理关怀服务"),
        ("癌", "癌症患者心理关怀服务"),
        ("cpr", "癌症患者心理关怀服务"),
        ("ＣＰＲ 急救", "癌症患者心理关怀服务"),
        ("SUNSHINE", "癌症患者心理关怀服务"),
        ("sunshin", "癌症患者心理关怀服务"),
        ("voluntere 心理", "癌症患者心理关怀服务"),
        ("２０２６", "助力环境治理"),
        ("收音机", "一台收音机"),
        ("越剧", "一台收音机"),
        ("志愿服务", "新碶示例志愿服务队"),
        ("環境治理", "助力环境治理"),
        ("环境", "助力环境治理"),
        ("長者關懷", "長者關懷"),
        ("长者", "長者關懷"),
        ("\"心理", "癌症患者心理关怀服务"),
        ("心理* AND (癌症", "none: AND is a word"),
    ] {
        let wanted: Vec<&str> = if title.starts_with("none") {
            vec![]
        } else {
            vec![title]
        };
        assert_eq!(t.titles_of(q).await, wanted, "{q}");
    }
    assert!(t.titles_of("2025").await.is_empty());
    assert!(t.titles_of("sunshin ").await.len() == 1, "a slip");
    assert!(t.titles_of("sunsh ").await.is_empty(), "a finished word");

    let found = t.search(&[("q", "收音机")]).await;
    let item = &found["items"][0];
    assert_eq!(item["title_highlights"], json!([{"start": 2, "end": 5}]));
    assert_eq!(item["snippet"], "想听越剧，家里的收音机坏了。");
    assert_eq!(item["snippet_highlights"], json!([{"start": 8, "end": 11}]));
    assert_eq!(
        (&item["kind"], &item["state"]),
        (&json!("wish"), &json!("published"))
    );
    assert_eq!(found["sort"], "relevance");
    // as it is written, whichever characters it was asked in
    let item = &t.search(&[("q", "关怀")]).await["items"];
    let item = item.as_array().unwrap().iter();
    let item = item
        .clone()
        .find(|item| item["title"] == "長者關懷")
        .unwrap();
    assert_eq!(item["title_highlights"], json!([{"start": 2, "end": 4}]));

    let call = t.server.get(&address("/search/suggest", &[("q", "助")]));
    let suggested = call.expect(200).await.json;
    assert_eq!(titles(&suggested), ["助力环境治理"]);
    let call = t.server.get(&address("/search/suggest", &[("q", "？")]));
    assert!(titles(&call.expect(200).await.json).is_empty());
    // what stands in the title comes first
    t.open_project(json!({"title": "其他", "summary": "心理"}))
        .await;
    assert_eq!(t.titles_of("心理").await, ["癌症患者心理关怀服务", "其他"]);
}

#[actix_web::test]
async fn bad_queries_are_told_so_and_nothing_is_a_language() {
    let t = town().await;
    t.open_project(json!({})).await;
    for q in ["？！…", "\"\"", "***", "( )"] {
        assert_eq!(
            t.refused(&[("q", q)]).await.fields(),
            [("/q".to_owned(), "format".to_owned())]
        );
    }
    let long = "long".repeat(2_500);
    assert_eq!(
        t.refused(&[("q", &long)]).await.fields()[0],
        ("/q".to_owned(), "length".to_owned())
    );
    let wrong = t
        .refused(&[("q", "*"), ("radius", "NaN"), ("field", "")])
        .await;
    assert_eq!(wrong.fields().len(), 3, "{:#}", wrong.json);
    for path in [
        "/search?q=%00",
        "/search?near=1",
        "/search?near=181,1",
        "/search?near=NaN,1",
        "/search?kind=nothing",
        "/search?region=x",
        "/search?page=2",
        "/search?sort=best",
        "/search?cursor=x",
        "/search?limit=ten",
    ] {
        t.server.get(path).expect(400).await;
    }
    t.server
        .get("/search?limit=0")
        .refused(422, "invalid")
        .await;
    // none of these is anything but words
    for q in [
        "title:课外",
        "课外 OR 示例",
        "-课外",
        "课外~2",
        "[a TO z]",
        "/.*/",
        "\\",
        "'; DROP TABLE wishes; --",
        "\u{202E}课外",
        "👪课外",
        "课\u{200B}外",
    ] {
        let answer = t.server.get(&address("/search", &[("q", q)])).send().await;
        assert!(
            [200, 422].contains(&answer.status.as_u16()),
            "{q}: {}",
            answer.status
        );
    }
    assert_eq!(t.titles_of("-课外").await.len(), 1);
    assert_eq!(
        t.search(&[("q", " ")]).await["total"],
        1,
        "a blank query browses"
    );
    // a cursor goes with its order
    let newest = t.search(&[("limit", "1")]).await;
    assert_eq!(newest["next"], Value::Null);
    t.open_project(json!({"title": "第二个"})).await;
    let cursor = t.search(&[("limit", "1")]).await["next"]
        .as_str()
        .unwrap()
        .to_owned();
    let other = address("/search", &[("cursor", &cursor), ("sort", "relevance")]);
    t.server.get(&other).refused(400, "invalid_cursor").await;
    assert_eq!(titles(&t.search(&[("cursor", &cursor)]).await).len(), 1);
}

/// The rule of what is indexed: what the public lists show, and nothing else.
#[actix_web::test]
async fn nobody_finds_what_the_public_does_not_see() {
    let t = town().await;
    let resident = t.server.person("示例·王奶奶").await;
    let volunteer = t.server.person("示例·小李").await;
    let wish = t
        .draft_wish(&resident, t.worded("一台收音机", "想听越剧。"))
        .await;
    assert!(t.titles_of("收音机").await.is_empty(), "a draft");
    t.wish_act(&resident, &wish, "submit").expect(200).await;
    assert!(t.titles_of("收音机").await.is_empty(), "not screened");
    t.publish_wish(&wish).await;
    assert_eq!(t.titles_of("收音机").await, ["一台收音机"]);
    for secret in ["秘密小区", "王秀英", "13800000001", "1幢101", "王奶奶"] {
        assert!(t.titles_of(secret).await.is_empty(), "{secret}");
    }
    // the exact place is nobody's to measure: the answer is that of the rounded one
    let near = |at: &'static str| {
        let t = &t;
        async move {
            let found = t.search(&[("near", at), ("radius", "100000")]).await;
            found["items"][0]["distance_m"].as_i64().unwrap()
        }
    };
    assert_eq!(near("121.85,29.91").await, 0, "the rounded place");
    assert!(near("121.8513,29.9087").await > 0, "the true one");

    t.wish_act(&volunteer, &wish, "claim").expect(200).await;
    assert!(t.titles_of("收音机").await.is_empty(), "claimed");
    let release = t.wish_act(&volunteer, &wish, "release");
    release.json(json!({"reason": "因故"})).expect(200).await;
    assert_eq!(t.titles_of("收音机").await.len(), 1);
    let withdraw = t.wish_act(&resident, &wish, "withdraw");
    withdraw.json(json!({"reason": "不需要了"})).send().await;
    let status = t
        .server
        .get(&format!("/wishes/{wish}"))
        .by(&resident)
        .expect(200)
        .await
        .json["status"]
        .clone();
    assert_eq!(status, "withdrawn");
    assert!(t.titles_of("收音机").await.is_empty(), "withdrawn");

    t.project(&t.street_admin, crate::projects::body(&t)).await;
    assert!(t.titles_of("课外").await.is_empty(), "a draft");
    let open = t.open_project(json!({"title": "旧名称活动"})).await;
    assert_eq!(t.titles_of("旧名称").await.len(), 1);
    let cancelled = t
        .server
        .post(&format!("/projects/{open}/cancel"))
        .by(&t.street_admin);
    cancelled
        .json(json!({"reason": "不办了"}))
        .expect(200)
        .await;
    assert!(t.titles_of("旧名称").await.is_empty(), "cancelled");

    let (organization, manager) = t.active("示例志愿队").await;
    for (introduction, gone) in [("旧的介绍", "示例某"), ("新的文字", "旧的介绍")] {
        let edited = t.edit(
            &manager,
            &organization,
            json!({"introduction": introduction}),
        );
        let edited = edited.await;
        assert_eq!(edited.status, 200, "{:#}", edited.json);
        assert_eq!(t.titles_of(introduction).await, ["示例志愿队"]);
        assert!(t.titles_of(gone).await.is_empty(), "what it said before");
    }
    let suspended = t
        .review(
            &t.district_admin,
            &organization,
            "suspend",
            json!({"reason": "整改"}),
        )
        .await;
    assert_eq!(suspended.status, 200, "{:#}", suspended.json);
    assert!(t.titles_of("新的文字").await.is_empty(), "suspended");
    let back = t
        .review(&t.district_admin, &organization, "reinstate", json!({}))
        .await;
    assert_eq!(back.status, 200, "{:#}", back.json);
    assert_eq!(t.titles_of("新的文字").await.len(), 1);
    t.finds_what_the_database_holds().await;
}

/// The newest is what became visible last, whenever it was written down; going on in its life makes it no
/// newer.
#[actix_web::test]
async fn the_newest_was_published_last() {
    let t = town().await;
    let resident = t.server.person("示例·王奶奶").await;
    let volunteer = t.server.person("示例·小李").await;
    let mut drafts = Vec::new();
    for title in ["先写的", "后写的"] {
        let wish = t.draft_wish(&resident, t.worded(title, "想听越剧。")).await;
        t.wish_act(&resident, &wish, "submit").expect(200).await;
        drafts.push(wish);
    }
    for wish in drafts.iter().rev() {
        t.server.pass(TimeDelta::minutes(1)).await;
        t.publish_wish(wish).await;
    }
    let mut projects = Vec::new();
    for title in ["先写的", "后写的"] {
        let mut body = crate::projects::body(&t);
        body["title"] = json!(title);
        projects.push(t.project(&t.street_admin, body).await);
    }
    for project in projects.iter().rev() {
        t.server.pass(TimeDelta::minutes(1)).await;
        let (by, reviewer) = (&t.street_admin, &t.district_admin);
        t.project_act(by, project, "submit").expect(200).await;
        let approved = t.project_review(reviewer, project, "approve", json!({}));
        assert_eq!(approved.await.status, 200);
        t.project_act(by, project, "open").expect(200).await;
    }
    let mut organizations = Vec::new();
    for name in ["先写的队", "后写的队"] {
        organizations.push(t.submitted_of("volunteer_team", name).await.0);
    }
    for organization in organizations.iter().rev() {
        t.server.pass(TimeDelta::minutes(1)).await;
        let by = &t.district_admin;
        let approved = t.review(by, organization, "approve", json!({})).await;
        assert_eq!(approved.status, 200, "{:#}", approved.json);
    }
    t.begins_with_what_is_new().await;

    // claimed and given back, claimed, suspended and reinstated: none is newer by that
    t.server.pass(TimeDelta::minutes(1)).await;
    let claim = t.wish_act(&volunteer, &drafts[1], "claim");
    claim.expect(200).await;
    let release = t.wish_act(&volunteer, &drafts[1], "release");
    release.json(json!({"reason": "因故"})).expect(200).await;
    let (team, manager) = t.active("第三队").await;
    t.claim(&manager, &projects[1], Some(&team))
        .expect(201)
        .await;
    let by = &t.district_admin;
    let reason = json!({"reason": "整改"});
    assert_eq!(
        t.review(by, &team, "revoke", reason.clone()).await.status,
        200
    );
    let suspended = t.review(by, &organizations[1], "suspend", reason).await;
    assert_eq!(suspended.status, 200, "{:#}", suspended.json);
    let back = t
        .review(by, &organizations[1], "reinstate", json!({}))
        .await;
    assert_eq!(back.status, 200, "{:#}", back.json);
    t.server.work().await;
    t.begins_with_what_is_new().await;
    t.finds_what_the_database_holds().await;

    // a database from before there was such a day has it by its journal
    let step = match backend() {
        Backend::Sqlite => [
            include_str!("../../migrations/sqlite/20261127000071_published_at/down.sql"),
            include_str!("../../migrations/sqlite/20261127000071_published_at/up.sql"),
        ],
        Backend::Postgres => [
            include_str!("../../migrations/postgres/20261127000071_published_at/down.sql"),
            include_str!("../../migrations/postgres/20261127000071_published_at/up.sql"),
        ],
    };
    t.server
        .write(move |tx| {
            use diesel::connection::SimpleConnection;
            tx.conn.batch_execute(step[0])?;
            Ok(tx.conn.batch_execute(step[1])?)
        })
        .await;
    let mut t = t;
    t.server = t.server.restarted().await;
    t.begins_with_what_is_new().await;
}

/// No entry of the journal says that a day is over.
#[actix_web::test]
async fn what_ends_by_the_clock_is_gone_on_the_day_after() {
    let t = town().await;
    let resident = t.server.person("示例·王奶奶").await;
    let mut wish = t.worded("一台收音机", "想听越剧。");
    wish["expires_on"] = json!("2026-11-25");
    t.published_wish(&resident, wish).await;
    t.open_project(
        json!({"title": "收音机修理", "starts_on": "2026-11-24", "ends_on": "2026-11-25"}),
    )
    .await;
    assert_eq!(t.titles_of("收音机").await.len(), 2);
    // 23:59 in Ningbo on the last day: it began at 10:00 on the 23rd
    t.server
        .app
        .platform
        .clock
        .advance(TimeDelta::minutes(2 * 24 * 60 + 13 * 60 + 59));
    assert_eq!(t.titles_of("收音机").await.len(), 2, "the last minute");
    t.server.app.platform.clock.advance(TimeDelta::minutes(1));
    let found = t.search(&[("q", "收音机")]).await;
    assert_eq!(found["total"], 0);
    assert_eq!(found["facets"]["kind"], json!([]), "not even counted");
}

#[actix_web::test]
async fn distance_filters_and_orders_and_regions_are_trees() {
    let t = town().await;
    let resident = t.server.person("示例·王奶奶").await;
    let other = crate::regions::another_street(&t.server).await;
    for (title, longitude) in [
        ("远处的课外班", 121.95),
        ("近处的课外班", 121.851),
        ("中间的课外班", 121.88),
    ] {
        t.open_project(json!({"title": title, "longitude": longitude}))
            .await;
    }
    t.open_project(json!({"title": "没有地点的课外班", "longitude": null, "latitude": null}))
        .await;
    t.published_wish(&resident, t.worded("课外书", "想看书。"))
        .await;
    let near = [
        ("q", "课外"),
        ("near", "121.85,29.91"),
        ("radius", "5000"),
        ("sort", "distance"),
    ];
    let found = t.search(&near).await;
    assert_eq!(
        titles(&found),
        ["课外书", "没有地点的课外班", "近处的课外班", "中间的课外班"],
        "the nearest first, the newest of equals; without a place at the centre of the region: {found:#}"
    );
    let distances: Vec<_> = found["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|i| i["distance_m"].as_i64().unwrap())
        .collect();
    assert_eq!(distances, [0, 0, 100, 2900]);
    assert_eq!(found["total"], 4);
    let street = t.street.to_string();
    assert_eq!(
        t.search(&[("region", &t.district.to_string())]).await["total"],
        5
    );
    assert_eq!(t.search(&[("region", &street)]).await["total"], 5);
    assert_eq!(
        t.search(&[("region", &t.grid.to_string())]).await["total"],
        0,
        "a wish is found by its street"
    );
    assert_eq!(
        t.search(&[("region", &other.to_string())]).await["total"],
        0
    );
    let all = t.search(&[]).await;
    let regions = all["facets"]["region"].as_array().unwrap();
    assert_eq!(regions.len(), 2, "district and street: {regions:?}");
    let parts = t.search(&[("region", &street)]).await;
    let parts = &parts["facets"]["region"];
    assert_eq!(parts, &json!([]), "nor counted by its community");
    // a facet leaves its own filter out, and no other
    let wishes = t.search(&[("kind", "wish"), ("q", "课外")]).await;
    assert_eq!(wishes["total"], 1);
    assert_eq!(
        wishes["facets"]["kind"],
        json!([{"value": "project", "count": 4}, {"value": "wish", "count": 1}])
    );
    assert_eq!(
        wishes["facets"]["state"],
        json!([{"value": "published", "count": 1}])
    );
    assert_eq!(
        wishes["facets"]["group"],
        json!([{"value": "elder", "count": 1}])
    );
    assert_eq!(wishes["facets"]["field"], json!([]));

    // a region that ends: what lies in it goes on being listed, and so being found
    let ended = NewRegion {
        valid_to: Some("2026-11-22".parse().unwrap()),
        ..grid_as_it_is()
    };
    t.server
        .write(move |tx| regions::upsert(tx, Actor::System, &ended))
        .await;
    let listed = t.server.get("/wishes").expect(200).await.json;
    assert_eq!(listed["items"].as_array().unwrap().len(), 1);
    assert_eq!(t.search(&[("kind", "wish")]).await["total"], 1);
    t.finds_what_the_database_holds().await;
}

/// Until it is claimed the public learns the street of a wish (domain §3), and by no question more.
#[actix_web::test]
async fn where_in_its_street_a_wish_is_nobody_finds_out() {
    let t = town().await;
    let resident = t.server.person("示例·王奶奶").await;
    let mut wish = t.worded("一台收音机", "想听越剧。");
    wish["longitude"] = Value::Null;
    wish["latitude"] = Value::Null;
    t.published_wish(&resident, wish).await;
    let smaller = [
        t.grid,
        crate::regions::named(&t.server, "330206002-C1").await,
    ];
    let found = t.search(&[("near", "121.85,29.91")]).await;
    assert_eq!(
        found["items"][0]["region"],
        json!(t.street),
        "not the grid: {found:#}"
    );
    assert_eq!(
        found["items"][0]["distance_m"], 0,
        "from the street's centre"
    );
    let listed = t.server.get("/wishes?longitude=121.85&latitude=29.91");
    let listed = listed.expect(200).await.json;
    assert_eq!(listed["items"][0]["distance_m"], 0);
    // where the grid's centre is
    let there = "/wishes?longitude=121.99&latitude=29.99&radius_m=5000";
    assert_eq!(
        t.server.get(there).expect(200).await.json["items"],
        json!([])
    );
    let near = [("near", "121.99,29.99"), ("radius", "5000")];
    assert_eq!(t.search(&near).await["total"], 0);
    for region in smaller {
        assert_eq!(
            t.search(&[("region", &region.to_string())]).await["total"],
            0
        );
        let path = format!("/wishes?region_id={region}");
        let refused = t.server.get(&path).refused(422, "invalid").await;
        let field = ("/region_id".to_owned(), "wishes_by_street".to_owned());
        assert_eq!(refused.fields(), [field]);
        for personalized in ["personalized=false", ""] {
            let path = format!("/recommendations?region_id={region}&{personalized}");
            let needs = t.server.get(&path).expect(200).await.json;
            assert_eq!(needs["items"], json!([]), "{path}");
        }
    }
    let street = t.street;
    for path in [
        format!("/wishes?region_id={street}"),
        format!("/recommendations?region_id={street}"),
        format!("/search?region={street}"),
    ] {
        let found = t.server.get(&path).expect(200).await.json;
        assert_eq!(found["items"].as_array().unwrap().len(), 1, "{path}");
    }
    // its street's staff know where it belongs
    let path = format!("/staff/wishes?region_id={}", t.grid);
    let known = t.server.get(&path).by(&t.street_admin).expect(200).await;
    assert_eq!(
        known.json["items"][0]["involved"]["region_id"],
        json!(t.grid)
    );
}

fn grid_as_it_is() -> NewRegion {
    NewRegion {
        code: "330206002-C1-G01".to_owned(),
        name: "示例一社区第01网格".to_owned(),
        level: Level::Grid,
        parent: Some("330206002-C1".to_owned()),
        population: None,
        longitude: Some(121.99),
        latitude: Some(29.99),
        valid_from: "2020-01-01".parse().unwrap(),
        valid_to: None,
    }
}

/// One row of a scan: kind, id, title, text, region, field, goal, group, state.
type Row = (
    String,
    String,
    String,
    String,
    RegionId,
    Option<String>,
    Option<String>,
    Option<String>,
    String,
);

/// What the public lists hold today, read from the tables by hand.
async fn scanned(server: &Server) -> (Vec<Row>, BTreeMap<RegionId, BTreeSet<RegionId>>) {
    let today = server.app.platform.today();
    let read = server.app.platform.db.read(move |conn| {
        let mut rows: Vec<Row> = Vec::new();
        {
            use schema::wishes::dsl::*;
            type W = (
                yiqilai::wishes::WishId,
                String,
                String,
                RegionId,
                yiqilai::taxonomies::LifeCycle,
                yiqilai::taxonomies::BeneficiaryGroup,
                Option<chrono::NaiveDate>,
            );
            let all: Vec<W> = wishes
                .filter(status.eq(WishStatus::Published))
                .select((
                    id,
                    title,
                    description,
                    region_id,
                    life_cycle,
                    beneficiary_group,
                    expires_on,
                ))
                .load(conn)?;
            for (i, t, d, r, l, g, e) in all {
                if e.is_none_or(|last| last >= today) {
                    rows.push((
                        "wish".into(),
                        i.to_string(),
                        t,
                        d,
                        r,
                        None,
                        Some(l.to_string()),
                        Some(g.to_string()),
                        "published".into(),
                    ));
                }
            }
        }
        {
            use schema::projects::dsl::*;
            type P = (
                yiqilai::projects::ProjectId,
                String,
                String,
                RegionId,
                String,
                yiqilai::taxonomies::LifeCycle,
                Option<yiqilai::taxonomies::BeneficiaryGroup>,
                chrono::NaiveDate,
                ProjectStatus,
            );
            let all: Vec<P> = projects
                .select((
                    id,
                    title,
                    summary,
                    region_id,
                    field,
                    life_cycle,
                    beneficiary_group,
                    ends_on,
                    status,
                ))
                .load(conn)?;
            for (i, t, d, r, f, l, g, e, s) in all {
                use ProjectStatus::*;
                let is_hidden = matches!(s, Draft | Submitted | Returned | Approved | Cancelled);
                if !is_hidden && (s != Open || e >= today) {
                    rows.push((
                        "project".into(),
                        i.to_string(),
                        t,
                        d,
                        r,
                        Some(f),
                        Some(l.to_string()),
                        g.map(|g| g.to_string()),
                        s.to_string(),
                    ));
                }
            }
        }
        {
            use schema::organizations::dsl::*;
            type O = (
                yiqilai::organizations::OrganizationId,
                String,
                String,
                RegionId,
                Option<String>,
            );
            let all: Vec<O> = organizations
                .filter(status.eq(OrganizationStatus::Active))
                .select((id, name, introduction, region_id, field))
                .load(conn)?;
            for (i, n, d, r, f) in all {
                rows.push((
                    "organization".into(),
                    i.to_string(),
                    n,
                    d,
                    r,
                    f,
                    None,
                    None,
                    "active".into(),
                ));
            }
        }
        let mut above: BTreeMap<RegionId, BTreeSet<RegionId>> = BTreeMap::new();
        let pairs: Vec<(RegionId, RegionId)> = schema::region_ancestors::table
            .select((
                schema::region_ancestors::region_id,
                schema::region_ancestors::ancestor_id,
            ))
            .load(conn)?;
        for (region, ancestor) in pairs {
            above.entry(region).or_default().insert(ancestor);
        }
        let streets: BTreeSet<RegionId> = schema::regions::table
            .filter(schema::regions::level.eq(Level::Street))
            .select(schema::regions::id)
            .load(conn)?
            .into_iter()
            .collect();
        for wish in rows.iter_mut().filter(|row| row.0 == "wish") {
            wish.4 = *above[&wish.4].intersection(&streets).next().unwrap();
        }
        Ok((rows, above))
    });
    read.await.unwrap()
}

fn counted(facet: &Value) -> BTreeMap<String, u64> {
    let counts = facet.as_array().unwrap().iter();
    counts
        .map(|count| {
            (
                count["value"].as_str().unwrap().to_owned(),
                count["count"].as_u64().unwrap(),
            )
        })
        .collect()
}

/// Answers, totals and facets are those of a scan of the tables.
async fn holds_against_a_scan(t: &Town, random: &mut Random) {
    let (rows, above) = scanned(&t.server).await;
    for _ in 0..6 {
        let q = random.one(&[
            "",
            "收音机",
            "课外",
            "示例",
            "队",
            "书",
            "不存在",
            "新碶 示例",
        ]);
        let kind = random.maybe(&["wish", "project", "organization"]);
        let state = random.maybe(&["published", "open", "claimed", "active"]);
        let field = random.maybe(&["education", "health"]);
        let goal = random.maybe(&["old_age", "education", "health"]);
        let group = random.maybe(&["elder", "child"]);
        let (district, street, grid) = (
            t.district.to_string(),
            t.street.to_string(),
            t.grid.to_string(),
        );
        let region = random.maybe(&[&district, &street, &grid]);
        let mut asked = vec![("q", q), ("limit", "100")];
        let filters = [
            ("kind", kind),
            ("state", state),
            ("field", field),
            ("life_cycle", goal),
            ("group", group),
        ];
        asked.extend(
            filters
                .iter()
                .filter_map(|(name, value)| Some((*name, (*value)?))),
        );
        asked.extend(region.map(|region| ("region", region)));
        let found = t.search(&asked).await;
        let value = |row: &Row, name: &str| match name {
            "kind" => Some(row.0.clone()),
            "state" => Some(row.8.clone()),
            "field" => row.5.clone(),
            "life_cycle" => row.6.clone(),
            _ => row.7.clone(),
        };
        let is_base = |row: &Row| {
            let has = |word: &str| row.2.contains(word) || row.3.contains(word);
            let is_in = |region: &str| above[&row.4].contains(&region.parse().unwrap());
            q.split(' ').all(has) && region.is_none_or(is_in)
        };
        let passes = |row: &Row, but: &str| {
            filters.iter().all(|(name, wanted)| {
                *name == but
                    || wanted.is_none_or(|wanted| value(row, name).as_deref() == Some(wanted))
            })
        };
        let base: Vec<&Row> = rows.iter().filter(|row| is_base(row)).collect();
        let expected: BTreeSet<&str> = base
            .iter()
            .filter(|row| passes(row, ""))
            .map(|row| row.1.as_str())
            .collect();
        let items = found["items"].as_array().unwrap();
        let ids: BTreeSet<&str> = items
            .iter()
            .map(|item| item["id"].as_str().unwrap())
            .collect();
        assert_eq!(ids, expected, "{asked:?}");
        assert_eq!(found["total"], json!(expected.len()), "{asked:?}");
        for (name, _) in filters {
            let mut counts = BTreeMap::new();
            for row in base.iter().filter(|row| passes(row, name)) {
                if let Some(value) = value(row, name) {
                    *counts.entry(value).or_insert(0) += 1;
                }
            }
            assert_eq!(
                counted(&found["facets"][name]),
                counts,
                "{name} of {asked:?}"
            );
        }
    }
}

/// Choices that look random and are the same in every run.
struct Random(u64);

impl Random {
    fn next(&mut self, below: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % below
    }

    fn one<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.next(of.len())]
    }

    fn maybe<'a>(&mut self, of: &[&'a str]) -> Option<&'a str> {
        (self.next(3) == 0).then(|| self.one(of))
    }
}

#[test]
fn after_any_changes_and_a_restart_it_answers_as_a_scan_does() {
    // so many different steps in one function take more than a test's usual stack
    let roomy = std::thread::Builder::new().stack_size(32 << 20);
    let run = || actix_web::rt::System::new().block_on(changes_and_a_restart());
    roomy.spawn(run).unwrap().join().unwrap();
}

async fn changes_and_a_restart() {
    let mut t = town().await;
    let mut random = Random(20_261_123);
    let resident = t.server.person("示例·王奶奶").await;
    let volunteer = t.server.person("示例·小李").await;
    let (mut wishes, mut projects) = (Vec::new(), Vec::new());
    let (mut organizations, mut managers) = (Vec::new(), Vec::new());
    for name in ["新碶示例志愿服务队", "示例读书队"] {
        let (id, manager) = t.active(name).await;
        organizations.push(id);
        managers.push(manager);
    }
    for step in 0..40 {
        match random.next(8) {
            0 | 1 => {
                let title = random.one(&["一台收音机", "课外书", "一把轮椅"]);
                let mut wish = t.worded(title, random.one(&["示例", "想听越剧", "收音机坏了"]));
                wish["life_cycle"] = json!(random.one(&["old_age", "education", "health"]));
                wish["beneficiary_group"] = json!(random.one(&["elder", "child"]));
                if random.next(4) == 0 {
                    wish["expires_on"] = json!("2026-11-24");
                }
                wishes.push(t.published_wish(&resident, wish).await);
            }
            2 => {
                let title = random.one(&["示例·一小时课外服务", "收音机修理", "读书会"]);
                let field = random.one(&["education", "health"]);
                let open = t.open_project(json!({"title": title, "field": field}));
                projects.push(open.await);
            }
            3 if !wishes.is_empty() => {
                let id = &wishes[random.next(wishes.len())];
                t.wish_act(&volunteer, id, "claim").send().await;
            }
            4 if !wishes.is_empty() => {
                let id = &wishes[random.next(wishes.len())];
                let release = t.wish_act(&volunteer, id, "release");
                release.json(json!({"reason": "因故"})).send().await;
            }
            5 if !wishes.is_empty() => {
                let id = &wishes[random.next(wishes.len())];
                let withdraw = t.wish_act(&resident, id, "withdraw");
                withdraw.json(json!({"reason": "不需要了"})).send().await;
            }
            6 => {
                let id = &organizations[random.next(organizations.len())];
                let verb = random.one(&["suspend", "reinstate"]);
                let body = match verb {
                    "suspend" => json!({"reason": "示例"}),
                    _ => json!({}),
                };
                let review = t.review(&t.district_admin, id, verb, body);
                review.await;
            }
            7 if !projects.is_empty() => {
                let id = &projects[random.next(projects.len())];
                match random.next(2) {
                    0 => {
                        let organization = random.next(organizations.len());
                        let claim = t.claim(
                            &managers[organization],
                            id,
                            Some(&organizations[organization]),
                        );
                        claim.send().await;
                    }
                    _ => {
                        let cancel = t
                            .server
                            .post(&format!("/projects/{id}/cancel"))
                            .by(&t.street_admin);
                        cancel.json(json!({"reason": "不办了"})).send().await;
                    }
                }
            }
            _ => {}
        }
        if step % 5 == 4 {
            holds_against_a_scan(&t, &mut random).await;
        }
    }
    t.finds_what_the_database_holds().await;
    let before = t.search(&[("limit", "100"), ("sort", "newest")]).await;
    let server = t.server.restarted().await;
    t = Town { server, ..t };
    assert_eq!(
        t.search(&[("limit", "100"), ("sort", "newest")]).await,
        before
    );
    holds_against_a_scan(&t, &mut random).await;
    // two days later, without a word in the journal, some are over
    t.server.app.platform.clock.advance(TimeDelta::days(2));
    holds_against_a_scan(&t, &mut random).await;
}

#[actix_web::test]
async fn readiness_waits_for_the_index() {
    let t = town().await;
    assert_eq!(
        t.server.get("/readyz").expect(200).await.json["checks"]["search"],
        "ok"
    );
    let other = yiqilai::app::App::build(
        (*t.server.app.config).clone(),
        t.server.app.platform.clock.clone(),
    );
    let other = other.await.unwrap();
    assert!(!other.search.is_ready(), "nobody follows");
    assert_eq!(
        other.search.until_current().await.unwrap_err().code(),
        yiqilai::error::Code::Overloaded
    );
}

/// Another process hears of a commit through Redis long before its slow poll.
#[actix_web::test]
async fn another_process_finds_it_within_a_second() {
    if backend() == Backend::Sqlite {
        return; // a file has one process
    }
    let t = town_with(json!({"search": {"poll_ms": 60_000}})).await;
    let other = yiqilai::app::App::build(
        (*t.server.app.config).clone(),
        t.server.app.platform.clock.clone(),
    );
    let other = other.await.unwrap();
    other.search.follow();
    other.search.until_ready().await;
    // the listening begins a moment later
    tokio::time::sleep(Duration::from_millis(1000)).await;
    t.open_project(json!({})).await;
    let started = std::time::Instant::now();
    while other.search.shelf().count() == 0 {
        assert!(
            started.elapsed() < Duration::from_secs(1),
            "it heard nothing"
        );
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Two processes of the program find what each other published, and no more what each other took away,
/// with Redis and when Redis is gone.
#[actix_web::test]
async fn processes_find_what_each_other_publishes() {
    if backend() == Backend::Sqlite {
        return; // a file has one process
    }
    let redis = redis().await;
    let settings = json!({
        "server": {"address": "127.0.0.1:0"},
        "search": {"poll_ms": 3_000},
        "cache": {"url": redis.address},
    });
    // the other process lives in the time of today
    let server = Server::start_at(settings, Clock::system().now()).await;
    let t = town_on(server).await;
    let resident = t.server.person("示例·王奶奶").await;
    let volunteer = t.server.person("示例·小李").await;
    let (_process, address) = serving(&t.server).await;
    // the listening begins a moment later
    tokio::time::sleep(Duration::from_millis(1000)).await;
    let there = format!("http://{address}/api/v1");
    // until a process finds just these, and how long that took
    let until = async |base: &str, wanted: &[&str]| {
        let started = std::time::Instant::now();
        loop {
            let asked = address_of(base, &[("kind", "wish"), ("sort", "newest")]);
            let answer: Value = reqwest::get(asked).await.unwrap().json().await.unwrap();
            if answer["items"].is_array() && titles(&answer) == wanted {
                return started.elapsed();
            }
            let waited = started.elapsed();
            assert!(waited < Duration::from_secs(30), "{wanted:?} {answer:#}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let act = async |id: &str, verb: &str, body: Value| {
        let path = format!("{there}/wishes/{id}/{verb}");
        let call = reqwest::Client::new().post(path).json(&body);
        let answer = call.bearer_auth(&volunteer.token).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{verb}");
    };
    let here = format!("{}/api/v1", t.server.url);

    let first = t.worded("一台收音机", "想听越剧。");
    let first = t.published_wish(&resident, first).await;
    let took = until(&there, &["一台收音机"]).await;
    assert!(took < Duration::from_millis(2_500), "by Redis: {took:?}");
    act(&first, "claim", json!({})).await;
    let took = until(&here, &[]).await;
    assert!(took < Duration::from_millis(2_500), "and back: {took:?}");

    drop(redis);
    let second = t.worded("一副老花镜", "看不清报纸。");
    t.published_wish(&resident, second).await;
    until(&there, &["一副老花镜"]).await;
    act(&first, "release", json!({"reason": "因故"})).await;
    until(&here, &["一副老花镜", "一台收音机"]).await;
}

// ---- saved searches

impl Town {
    async fn save(&self, by: &User, name: &str, criteria: Value) -> String {
        let call = self.server.post("/me/saved-searches").by(by);
        let call = call.json(json!({"name": name, "criteria": criteria}));
        call.expect(201).await.id()
    }

    /// The sentences that tell somebody of saved searches, the newest first.
    async fn told_of_searches(&self, user: &User) -> Vec<String> {
        let inbox = self
            .server
            .get("/me/notifications?limit=100")
            .by(user)
            .expect(200)
            .await
            .json;
        let items = inbox["items"].as_array().unwrap().iter();
        items
            .filter(|item| item["kind"] == "saved_search_news")
            .map(|item| item["text"].as_str().unwrap().to_owned())
            .collect()
    }
}

#[actix_web::test]
async fn saved_searches_are_their_owners_alone() {
    let t = town_with(json!({"search": {"saved_per_account": 2}})).await;
    let (me, other) = (
        t.server.person("示例·我").await,
        t.server.person("示例·他").await,
    );
    let id = t
        .save(
            &me,
            "我的收音机",
            json!({"q": "收音机", "near": "121.85,29.91", "radius": 3000}),
        )
        .await;
    let path = format!("/me/saved-searches/{id}");
    let read = t.server.get(&path).by(&me).expect(200).await;
    assert_eq!(
        read.json["criteria"],
        json!({"q": "收音机", "near": "121.85,29.91", "radius": 3000.0})
    );
    for (method, body) in [
        (Method::GET, None),
        (Method::PATCH, Some(json!({"name": "x"}))),
        (Method::DELETE, None),
    ] {
        let call = t
            .server
            .call(method, &path)
            .by(&other)
            .header("if-match", "\"1\"");
        let call = match body {
            Some(body) => call.json(body),
            None => call,
        };
        call.refused(404, "not_found").await;
    }
    assert_eq!(
        t.server
            .get("/me/saved-searches")
            .by(&other)
            .expect(200)
            .await
            .json["items"],
        json!([])
    );
    let patch = |etag: &'static str| {
        t.server
            .call(Method::PATCH, &path)
            .by(&me)
            .header("if-match", etag)
    };
    t.server
        .call(Method::PATCH, &path)
        .by(&me)
        .json(json!({"name": "x"}))
        .refused(428, "version_required")
        .await;
    patch("\"7\"")
        .json(json!({"name": "x"}))
        .refused(412, "version_mismatch")
        .await;
    let edited = patch("\"1\"")
        .json(json!({"name": "新名字"}))
        .expect(200)
        .await;
    assert_eq!(
        (&edited.json["name"], &edited.json["criteria"]["q"]),
        (&json!("新名字"), &json!("收音机"))
    );
    let wrong = t.server.post("/me/saved-searches").by(&me);
    let wrong = wrong.json(json!({"name": "", "criteria": {"q": "？", "radius": 0.5}}));
    let wrong = wrong.refused(422, "invalid").await;
    assert_eq!(wrong.fields().len(), 3, "{:#}", wrong.json);
    t.save(&me, "第二个", json!({})).await;
    // a third is one too many, however many ask at once
    let third = || {
        let call = t.server.post("/me/saved-searches").by(&me);
        call.json(json!({"name": "第三个", "criteria": {}})).send()
    };
    for answer in futures_util::future::join_all((0..4).map(|_| third())).await {
        assert_eq!(
            (answer.status.as_u16(), &answer.json["code"]),
            (409, &json!("too_many_saved_searches"))
        );
    }
    t.server
        .call(Method::DELETE, &path)
        .by(&me)
        .expect(204)
        .await;
    t.server.get(&path).by(&me).refused(404, "not_found").await;
    assert_eq!(third().await.status, 201);
}

/// Who looks for a state is told of what comes to stand there; others only of what becomes public.
#[actix_web::test]
async fn a_state_that_is_reached_is_news_to_who_looks_for_it() {
    let t = town().await;
    let (states, all) = (
        t.server.person("示例·甲").await,
        t.server.person("示例·乙").await,
    );
    let project = t.open_project(json!({})).await;
    t.server.work().await;
    t.save(
        &states,
        "已认领",
        json!({"kind": "project", "state": "claimed"}),
    )
    .await;
    t.save(&all, "项目", json!({"kind": "project"})).await;
    let (org, leader) = t.active("示例·服务队").await;
    t.claim(&leader, &project, Some(&org)).expect(201).await;
    t.server.work().await;
    t.server.work().await;
    assert_eq!(t.told_of_searches(&states).await.len(), 1);
    assert!(
        t.told_of_searches(&all).await.is_empty(),
        "it was there before"
    );

    let save = |criteria: Value| {
        let call = t.server.post("/me/saved-searches").by(&all);
        call.json(json!({"name": "空", "criteria": criteria}))
    };
    let unknown = json!({"region": uuid::Uuid::now_v7(), "field": "no_such_field"});
    let fields = save(unknown).refused(422, "invalid").await.fields();
    let named: Vec<_> = fields.iter().map(|(at, _)| at.as_str()).collect();
    assert_eq!(named, ["/criteria/region", "/criteria/field"]);
}

#[actix_web::test]
async fn owners_are_told_once_of_what_is_new_and_at_most_once_a_day() {
    let t = town().await;
    let resident = t.server.person("示例·王奶奶").await;
    let volunteer = t.server.person("示例·小李").await;
    let me = t.server.person("示例·我").await;
    t.published_wish(&resident, t.worded("旧的收音机", "早就有了。"))
        .await;
    t.server.work().await;
    t.save(&me, "收音机", json!({"q": "收音机", "kind": "wish"}))
        .await;
    t.save(&me, "所有项目", json!({"kind": "project"})).await;
    t.save(&volunteer, "医疗", json!({"life_cycle": "health"}))
        .await;
    t.server.work().await;
    assert!(
        t.told_of_searches(&me).await.is_empty(),
        "what was there before is not new"
    );

    let wish = t
        .published_wish(&resident, t.worded("新的收音机", "想听越剧。"))
        .await;
    t.published_wish(&resident, t.worded("一把轮椅", "出门用。"))
        .await;
    t.open_project(json!({})).await;
    t.server.work().await;
    t.server.work().await;
    let told = t.told_of_searches(&me).await;
    assert_eq!(
        told,
        ["What is new in your saved searches (收音机、所有项目): 2."],
        "one message"
    );
    assert!(
        t.told_of_searches(&volunteer).await.is_empty(),
        "nothing fits"
    );

    // within the day: nothing more; afterwards all of it together
    t.published_wish(&resident, t.worded("第二台收音机", "想听戏。"))
        .await;
    t.published_wish(&resident, t.worded("第三台收音机", "想听书。"))
        .await;
    let gone = t
        .published_wish(&resident, t.worded("撤回的收音机", "不需要了。"))
        .await;
    let withdraw = t.wish_act(&resident, &gone, "withdraw");
    withdraw.json(json!({"reason": "不需要了"})).send().await;
    // told of before, hidden and shown again
    t.wish_act(&volunteer, &wish, "claim").expect(200).await;
    let release = t.wish_act(&volunteer, &wish, "release");
    release.json(json!({"reason": "因故"})).expect(200).await;
    t.server.pass(TimeDelta::hours(23)).await;
    let me = t.server.again(&me).await;
    assert_eq!(t.told_of_searches(&me).await.len(), 1, "not yet");
    t.server.pass(TimeDelta::hours(1)).await;
    let me = t.server.again(&me).await;
    let told = t.told_of_searches(&me).await;
    assert_eq!(told.len(), 2);
    assert_eq!(told[0], "What is new in your saved searches (收音机): 2.");
    t.server.pass(TimeDelta::hours(25)).await;
    let me = t.server.again(&me).await;
    assert_eq!(
        t.told_of_searches(&me).await.len(),
        2,
        "nothing is told twice"
    );
}

#[actix_web::test]
async fn of_several_workers_one_tells_and_a_restart_forgets_nothing() {
    let mut t = town().await;
    let resident = t.server.person("示例·王奶奶").await;
    let mut people = Vec::new();
    for n in 0..5 {
        let person = t.server.person(&format!("示例·{n}")).await;
        t.save(&person, "收音机", json!({"q": "收音机"})).await;
        people.push(person);
    }
    t.server.work().await;
    t.published_wish(&resident, t.worded("新的收音机", "想听越剧。"))
        .await;
    let server = t.server.restarted().await;
    t = Town { server, ..t };
    let workers: Vec<_> = (0..4).map(|_| Worker::new(t.server.app.clone())).collect();
    for _ in 0..5 {
        let all = futures_util::future::join_all(workers.iter().map(Worker::run_once)).await;
        for done in all {
            done.unwrap();
        }
    }
    t.server.work().await;
    for person in &people {
        assert_eq!(t.told_of_searches(person).await.len(), 1);
    }
}

/// The mail is a matter of preference; the role of the caller does not matter.
#[actix_web::test]
async fn the_mail_can_be_switched_off() {
    let t = town().await;
    let me = t
        .server
        .staff("示例·区管", Role::RegionAdmin, Some(t.district))
        .await;
    let settings = t
        .server
        .get("/me/notification-settings")
        .by(&me)
        .expect(200)
        .await
        .json;
    assert!(
        settings.to_string().contains("saved_search_news"),
        "{settings:#}"
    );
}
