//! Regions: the tree, its codes, and which region a place lies in.

use chrono::NaiveDate;
use serde_json::json;
use yiqilai::error::Code;
use yiqilai::platform::journal::Actor;
use yiqilai::regions::{self, Level, NewRegion};

use crate::harness::Server;

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
            Some((121.85, 29.91)),
        ),
        region(
            "330206002-C1-G01",
            "示例一社区第01网格",
            Level::Grid,
            Some("330206002-C1"),
            Some((121.85, 29.91)),
        ),
    ] {
        add(server, new).await.unwrap();
    }
    let id = |code: &'static str| async move {
        let read = server
            .app
            .platform
            .db
            .read(move |conn| regions::by_code(conn, code));
        read.await.unwrap().unwrap().id.0
    };
    (
        id("330206").await,
        id("330206002").await,
        id("330206002-C1-G01").await,
    )
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
