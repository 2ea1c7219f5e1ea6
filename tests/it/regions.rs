//! Regions: the tree, its codes, and which region a place lies in.

use chrono::NaiveDate;
use serde_json::{Value, json};
use yiqilai::error::Code;
use yiqilai::identity::Role;
use yiqilai::platform::journal::Actor;
use yiqilai::regions::{self, Level, NewRegion};

use crate::harness::{Answer, Server, User};

fn region(
    code: &str,
    name: &str,
    level: Level,
    parent: Option<&str>,
    centre: Option<(f64, f64)>,
) -> NewRegion {
    NewRegion {
        code: code.to_owned(),
        name: name.to_owned(),
        level,
        parent: parent.map(str::to_owned),
        population: None,
        longitude: centre.map(|c| c.0),
        latitude: centre.map(|c| c.1),
        valid_from: NaiveDate::from_ymd_opt(2020, 1, 1).unwrap(),
        valid_to: None,
    }
}

async fn add(server: &Server, new: NewRegion) -> Result<bool, yiqilai::error::Error> {
    server
        .app
        .platform
        .db
        .write(move |tx| regions::upsert(tx, Actor::System, &new))
        .await
        .map(|(_, is_new)| is_new)
}

async fn small_district() -> Server {
    let server = Server::start().await;
    for new in [
        region(
            "330206",
            "北仑区",
            Level::District,
            None,
            Some((121.84, 29.90)),
        ),
        region(
            "330206002",
            "新碶街道",
            Level::Street,
            Some("330206"),
            Some((121.85, 29.91)),
        ),
        region(
            "330206003",
            "小港街道",
            Level::Street,
            Some("330206"),
            Some((121.71, 29.94)),
        ),
        region(
            "330206002-A1",
            "示例一片区",
            Level::Area,
            Some("330206002"),
            None,
        ),
    ] {
        assert!(add(&server, new).await.unwrap());
    }
    server
}

/// A second street beside the one of [`three_levels`].
pub async fn another_street(server: &Server) -> uuid::Uuid {
    let new = region(
        "330206003",
        "小港街道",
        Level::Street,
        Some("330206"),
        Some((121.70, 29.93)),
    );
    add(server, new).await.unwrap();
    let found = |conn: &mut _| regions::by_code(conn, "330206003");
    let read = server.app.platform.db.read(found).await;
    read.unwrap().unwrap().id.0
}

/// A district, a street and a grid, for tests of other rooms.
pub async fn three_levels(server: &Server) -> (uuid::Uuid, uuid::Uuid, uuid::Uuid) {
    for new in [
        region(
            "330206",
            "北仑区",
            Level::District,
            None,
            Some((121.84, 29.90)),
        ),
        region(
            "330206002",
            "新碶街道",
            Level::Street,
            Some("330206"),
            Some((121.85, 29.91)),
        ),
        region(
            "330206002-C1",
            "新碶示例一社区",
            Level::Community,
            Some("330206002"),
            Some((121.99, 29.99)),
        ),
        region(
            "330206002-C1-G01",
            "示例一社区第01网格",
            Level::Grid,
            Some("330206002-C1"),
            Some((121.99, 29.99)),
        ),
    ] {
        add(server, new).await.unwrap();
    }
    (
        named(server, "330206").await,
        named(server, "330206002").await,
        named(server, "330206002-C1-G01").await,
    )
}

/// The region with a code.
pub async fn named(server: &Server, code: &'static str) -> uuid::Uuid {
    let db = &server.app.platform.db;
    let read = db.read(move |conn| regions::by_code(conn, code));
    read.await.unwrap().unwrap().id.0
}

/// Another grid beside that of [`three_levels`].
pub async fn another_grid(server: &Server) -> uuid::Uuid {
    let community = Some("330206002-C1");
    let name = "示例一社区第02网格";
    let grid = region("330206002-C1-G02", name, Level::Grid, community, None);
    let added = server.write(move |tx| regions::upsert(tx, Actor::System, &grid));
    added.await.0.id.0
}

#[actix_web::test]
async fn the_tree_is_listed_page_by_page() {
    let server = small_district().await;
    let first = server.get("/regions?limit=3").expect(200).await;
    let codes: Vec<_> = first.json["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|r| r["code"].clone())
        .collect();
    assert_eq!(codes, ["330206", "330206002", "330206002-A1"]);
    let next = first.json["next"].as_str().unwrap();
    let second = server
        .get(&format!("/regions?limit=3&cursor={next}"))
        .expect(200)
        .await;
    assert_eq!(second.json["items"].as_array().unwrap().len(), 1);
    assert!(second.json["next"].is_null());

    let streets = server.get("/regions?level=street").expect(200).await;
    assert_eq!(streets.json["items"].as_array().unwrap().len(), 2);
    let named = server
        .get("/regions?name=%E5%B0%8F%E6%B8%AF")
        .expect(200)
        .await;
    let street = &named.json["items"][0];
    let one = server
        .get(&format!("/regions/{}", street["id"].as_str().unwrap()))
        .expect(200)
        .await;
    assert_eq!(one.json["name"], "小港街道");
    // a wildcard is a letter like any other
    let none = server.get("/regions?name=%25").expect(200).await;
    assert_eq!(none.json["items"], json!([]));
    server
        .get("/regions/01980000-0000-7000-8000-000000000000")
        .refused(404, "not_found")
        .await;
}

#[actix_web::test]
async fn regions_hang_where_they_belong() {
    let server = small_district().await;
    let refused = |error: yiqilai::error::Error| match error {
        yiqilai::error::Error::Problem(problem) => problem.errors[0].code.as_str(),
        other => panic!("{other}"),
    };
    let orphan = region("1", "无", Level::Street, Some("nowhere"), None);
    assert_eq!(
        refused(add(&server, orphan).await.unwrap_err()),
        "unknown_reference"
    );
    let grid_in_street = region("1", "格", Level::Grid, Some("330206002"), None);
    assert_eq!(
        refused(add(&server, grid_in_street).await.unwrap_err()),
        "region_level"
    );
    let moved = region("330206002-A1", "片区", Level::Area, Some("330206003"), None);
    assert_eq!(
        refused(add(&server, moved).await.unwrap_err()),
        "region_moved"
    );
    let renamed = region("330206003", "小港", Level::Street, Some("330206"), None);
    assert!(
        !add(&server, renamed).await.unwrap(),
        "the same code is the same region"
    );
}

/// Ends a region with the year before.
async fn end(server: &Server, code: &'static str) {
    server
        .write(move |tx| {
            let known = regions::by_code(tx.conn, code)?.unwrap();
            let parent = match known.parent_id {
                Some(id) => Some(regions::by_id(tx.conn, id)?.code),
                None => None,
            };
            let ended = NewRegion {
                valid_to: NaiveDate::from_ymd_opt(2025, 12, 31),
                ..region(code, &known.name, known.level, parent.as_deref(), None)
            };
            regions::upsert(tx, Actor::System, &ended)
        })
        .await;
}

/// Regions come and go: what there was on a day is listed, and what has ended is still read.
#[actix_web::test]
async fn the_regions_of_a_day_are_listed() {
    let server = small_district().await;
    let codes = |query: &'static str| {
        let list = server.get(query);
        async move {
            let items = list.expect(200).await.json["items"]
                .as_array()
                .unwrap()
                .clone();
            let codes = items
                .iter()
                .map(|item| item["code"].as_str().unwrap().to_owned());
            codes.collect::<Vec<_>>()
        }
    };
    let known = server.get("/regions?code=330206003").expect(200).await;
    let street = known.json["items"][0]["id"].clone();
    end(&server, "330206003").await;
    let now = ["330206", "330206002", "330206002-A1"];
    let then = ["330206", "330206002", "330206002-A1", "330206003"];
    assert_eq!(codes("/regions").await, now);
    assert_eq!(codes("/regions?on=2026-01-01").await, now);
    assert_eq!(codes("/regions?on=2025-12-31").await, then, "its last day");
    assert_eq!(codes("/regions?on=2020-01-01").await, then);
    assert_eq!(codes("/regions?on=2019-12-31").await, [""; 0], "before any");
    server
        .get("/regions?on=yesterday")
        .refused(400, "malformed_query")
        .await;
    let path = format!("/regions/{}", street.as_str().unwrap());
    let ended = server.get(&path).expect(200).await.json;
    let validity = (&ended["valid_from"], &ended["valid_to"]);
    assert_eq!(validity, (&json!("2020-01-01"), &json!("2025-12-31")));

    // the first day of a code can be mended
    let older = NewRegion {
        valid_from: NaiveDate::from_ymd_opt(2018, 1, 1).unwrap(),
        ..region("330206002", "新碶街道", Level::Street, Some("330206"), None)
    };
    assert!(!add(&server, older).await.unwrap());
    assert_eq!(codes("/regions?on=2019-12-31").await, ["330206002"]);

    // a code that two bore on one day is no reason to skip one of them
    let anew = region("330206003", "小港街道", Level::Street, Some("330206"), None);
    assert!(add(&server, anew).await.unwrap());
    let path = "/regions?on=2025-12-31&code=330206003&limit=1";
    let first = server.get(path).expect(200).await.json;
    let next = first["next"].as_str().unwrap();
    let second = server
        .get(&format!("{path}&cursor={next}"))
        .expect(200)
        .await;
    assert_ne!(second.json["items"][0]["id"], first["items"][0]["id"]);
    assert_eq!(second.json["next"], serde_json::Value::Null);
}

/// What refers to a region that ends goes on doing so; nothing new refers to it.
#[actix_web::test]
async fn nothing_new_refers_to_a_region_that_has_ended() {
    let t = crate::organizations::town().await;
    let street = another_street(&t.server).await;
    let other_admin = t
        .server
        .staff("示例·区管", Role::RegionAdmin, Some(t.district));
    let other_admin = other_admin.await;
    let grid = another_grid(&t.server).await;
    let (resident, manager) = (
        t.server.person("示例·居民").await,
        t.server.person("示例·负责人").await,
    );
    let profile = crate::volunteers::profile(grid);
    let write =
        |by: &User, etag: Option<&str>| crate::volunteers::write(&t.server, by, etag, &profile);
    let organization = json!({"kind": "volunteer_team", "name": "示例·队", "region_id": street,
        "venue_region_id": street});
    let mut project = crate::projects::body(&t);
    project["region_id"] = json!(street);
    let wish = json!({
        "region_id": grid, "contact": {"name": "示例·王秀英", "phone": "13800000001", "address": "示例小区1幢101"},
        "alias": "王奶奶", "beneficiary_group": "elder", "life_cycle": "old_age", "kind": "goods",
        "title": "一台收音机", "description": "想听越剧。", "value_fen": 12000,
    });
    let campaign = json!({"region_id": street, "name": "微民生·益起来"});
    let grant = json!({"account_id": resident.id, "role": "auditor", "scope_id": street});
    let branch =
        json!({"code": "A1", "name": "示例党支部", "region_id": street, "parent_id": null});
    let post = |by: &User, path: &str, body: &Value| t.server.post(path).by(by).json(body.clone());
    write(&resident, None).expect(200).await;
    let made = [
        (&manager, "/organizations", &organization),
        (&t.district_admin, "/projects", &project),
        (&resident, "/wishes", &wish),
    ];
    let mut kept = Vec::new();
    for (by, path, body) in made {
        let id = post(by, path, body).expect(201).await.id();
        kept.push((by, format!("{path}/{id}"), body["region_id"].clone()));
    }
    end(&t.server, "330206003").await;
    end(&t.server, "330206002-C1-G02").await;

    let newcomer = t.server.person("示例·新人").await;
    let refused = |answer: Answer| {
        let fields = answer.fields().into_iter();
        let ended = fields.filter(|(_, code)| code == "region_ended");
        ended.map(|(pointer, _)| pointer).collect::<Vec<_>>()
    };
    let answer = write(&newcomer, None).refused(422, "invalid").await;
    assert_eq!(refused(answer), ["/region_id"]);
    for (by, path, body, pointers) in [
        (
            &manager,
            "/organizations",
            &organization,
            &["/region_id", "/venue_region_id"][..],
        ),
        (
            &t.district_admin,
            "/projects",
            &project,
            &["/region_id"][..],
        ),
        (&resident, "/wishes", &wish, &["/region_id"][..]),
        (
            &t.district_admin,
            "/campaigns",
            &campaign,
            &["/region_id"][..],
        ),
        (&other_admin, "/role-grants", &grant, &["/scope_id"][..]),
        (
            &t.district_admin,
            "/party-branches",
            &branch,
            &["/region_id"][..],
        ),
    ] {
        let answer = post(by, path, body).refused(422, "invalid").await;
        assert_eq!(refused(answer), pointers, "{path}");
    }
    // what is there keeps its region, also when it says so again, and moves to no ended one
    write(&resident, Some("\"1\"")).expect(200).await;
    for (by, path, region) in kept {
        let read = t.server.get(&path).by(by).expect(200).await;
        let etag = read.header("etag").unwrap().to_owned();
        let edit = |body: Value, etag: &str| {
            let call = t.server.call(reqwest::Method::PATCH, &path).by(by);
            call.header("if-match", etag).json(body)
        };
        let same = json!({ "region_id": region });
        let kept = edit(same.clone(), &etag).expect(200).await;
        let etag = kept.header("etag").unwrap().to_owned();
        let elsewhere =
            json!({"region_id": if path.starts_with("/wishes") { t.grid } else { t.street }});
        let moved = edit(elsewhere, &etag).expect(200).await;
        let etag = moved.header("etag").unwrap().to_owned();
        let back = edit(same, &etag).refused(422, "invalid").await;
        assert_eq!(refused(back), ["/region_id"], "{path}");
    }
}

#[actix_web::test]
async fn all_that_is_wrong_with_a_region_is_said_at_once() {
    let server = small_district().await;
    let wrong = |error: yiqilai::error::Error| match error {
        yiqilai::error::Error::Problem(problem) => {
            let errors = problem.errors.iter();
            let mut wrong: Vec<_> = errors
                .map(|error| (error.pointer.clone(), error.code.as_str()))
                .collect();
            wrong.sort();
            wrong
        }
        other => panic!("{other}"),
    };
    let day = |text: &str| text.parse::<NaiveDate>().unwrap();
    let new = NewRegion {
        population: Some(-1),
        latitude: Some(91.0),
        valid_from: day("2026-01-01"),
        valid_to: Some(day("2025-12-31")),
        ..region("1", "", Level::Grid, Some("330206002"), None)
    };
    let expected = [
        ("/latitude", "range"),
        ("/level", "region_level"),
        ("/longitude", "required"),
        ("/name", "length"),
        ("/population", "range"),
        ("/valid_to", "ends_before_it_begins"),
    ];
    let expected = expected.map(|(pointer, code)| (pointer.to_owned(), code));
    assert_eq!(wrong(add(&server, new).await.unwrap_err()), expected);
    let new = NewRegion {
        valid_to: Some(day("2026-11-23")),
        ..region("330206002-A1", "片区", Level::Street, Some("nowhere"), None)
    };
    let expected = [("/parent", "unknown_reference"), ("/valid_to", "not_over")];
    let expected = expected.map(|(pointer, code)| (pointer.to_owned(), code));
    assert_eq!(wrong(add(&server, new).await.unwrap_err()), expected);
}

/// A street that ends before its communities: they can be ended after it.
#[actix_web::test]
async fn what_lies_in_an_ended_region_can_be_ended_too() {
    let server = small_district().await;
    end(&server, "330206002").await;
    end(&server, "330206002-A1").await;
    let left = server.get("/regions?level=area").expect(200).await;
    assert_eq!(left.json["items"], json!([]));
}

#[actix_web::test]
async fn without_outlines_the_nearest_centre_counts_whatever_its_level() {
    let server = small_district().await;
    let area = region(
        "330206002-A2",
        "示例二片区",
        Level::Area,
        Some("330206002"),
        Some((121.87, 29.93)),
    );
    add(&server, area).await.unwrap();
    let twin = region(
        "330206002-C2",
        "示例二社区",
        Level::Community,
        Some("330206002"),
        Some((121.87, 29.93)),
    );
    add(&server, twin).await.unwrap();
    for (longitude, latitude, code) in [
        (121.841, 29.899, "330206"),
        (121.851, 29.911, "330206002"),
        (121.869, 29.929, "330206002-C2"),
        (121.72, 29.93, "330206003"),
    ] {
        let path = format!("/regions/locate?longitude={longitude}&latitude={latitude}");
        let found = server.get(&path).expect(200).await;
        assert_eq!(found.json["code"], code, "{longitude} {latitude}");
    }
}

#[actix_web::test]
async fn a_place_lies_in_the_smallest_outline_or_near_a_centre() {
    let server = small_district().await;
    let locate =
        |lon: f64, lat: f64| server.get(&format!("/regions/locate?longitude={lon}&latitude={lat}"));
    assert_eq!(
        locate(121.72, 29.93).expect(200).await.json["code"],
        "330206003",
        "the nearest street"
    );
    locate(100.0, 0.0).refused(404, "not_found").await;
    locate(181.0, 0.0).refused(422, "invalid").await;

    let square = |w: f64, s: f64, e: f64, n: f64| json!({"type": "Polygon", "coordinates": [[[w, s], [e, s], [e, n], [w, n], [w, s]]]});
    for (code, shape) in [
        ("330206002", square(121.80, 29.88, 121.90, 29.95)),
        ("330206002-A1", square(121.84, 29.90, 121.86, 29.92)),
    ] {
        server
            .write(move |tx| regions::set_polygon(tx, Actor::System, code, &shape))
            .await;
    }
    assert_eq!(
        locate(121.85, 29.91).expect(200).await.json["code"],
        "330206002-A1"
    );
    assert_eq!(
        locate(121.81, 29.94).expect(200).await.json["code"],
        "330206002"
    );
    let point = json!({"type": "Point", "coordinates": [1, 2]});
    let refused = server
        .app
        .platform
        .db
        .write(move |tx| regions::set_polygon(tx, Actor::System, "330206002", &point))
        .await;
    assert_eq!(refused.unwrap_err().code().as_str(), "invalid");
}

/// Codes change over the years: a code that is no more is not found by it, and may be born anew.
#[actix_web::test]
async fn a_code_that_is_no_more_gives_way() {
    let server = Server::start().await;
    let (_, street, _) = three_levels(&server).await;
    let code = server.get(&format!("/regions/{street}")).expect(200).await;
    let code = code.json["code"].as_str().unwrap().to_owned();
    let path = format!("/regions?code={code}");
    let found = server.get(&path).expect(200).await;
    assert_eq!(found.json["items"][0]["id"], street.to_string());
    let old = || NewRegion {
        valid_to: NaiveDate::from_ymd_opt(2025, 12, 31),
        ..region(&code, "旧街道", Level::Street, Some("330206"), None)
    };
    let late = NewRegion {
        valid_to: NaiveDate::from_ymd_opt(2026, 12, 31),
        ..old()
    };
    let db = &server.app.platform.db;
    let refused = db.write(move |tx| regions::upsert(tx, Actor::System, &late).map(|_| ()));
    assert_eq!(refused.await.unwrap_err().code(), Code::Invalid);
    let old = old();
    server
        .write(move |tx| regions::upsert(tx, Actor::System, &old).map(|_| ()))
        .await;
    let found = server.get(&path).expect(200).await;
    assert_eq!(found.json["items"], serde_json::json!([]));
    let new = region(&code, "新街道", Level::Street, Some("330206"), None);
    server
        .write(move |tx| regions::upsert(tx, Actor::System, &new).map(|_| ()))
        .await;
    let found = server.get(&path).expect(200).await;
    assert_eq!(found.json["items"][0]["name"], "新街道");
    let past = server.get(&format!("/regions/{street}")).expect(200).await;
    assert_eq!(past.json["valid_to"], "2025-12-31", "the old one is kept");
}
