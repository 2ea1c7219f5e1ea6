//! Imports: foreign tables through the command line and through HTTP.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::{Value, json};

use yiqilai::identity::{self, Role};
use yiqilai::volunteers;

use crate::harness::{Call, Server, User};

const OPPORTUNITIES: &str = r#"
source = "the city"
external_id = "opportunity_id"

[fields.title]
column = "title"
[fields.summary]
columns = ["summary", "requirements"]
separator = " / "
[fields.field]
column = "category_desc"
default = "daily_life"
[fields.field.values]
"Helping Neighbors in Need" = "daily_life"
"Strengthening Communities" = "governance"
"Environment" = "environment"
[fields.life_cycle]
constant = "support"
[fields.starts_on]
column = "start_date_date"
formats = ["%B %d %Y"]
[fields.ends_on]
column = "end_date_date"
formats = ["%B %d %Y"]
[fields.seats]
column = "hits"
unknown = [0]
unlimited = [9999]
default = 1
[fields.region]
default = "330206"
[fields.latitude]
column = "locality"
pattern = '\((-?[0-9.]+),\s*-?[0-9.]+\)'
[fields.longitude]
column = "locality"
pattern = '\(-?[0-9.]+,\s*(-?[0-9.]+)\)'
"#;

/// A table as a city publishes it: 36 columns, a byte order mark, CRLF, quoted line breaks,
/// trailing blanks, ragged rows, dates in words.
fn opportunities(rows: usize) -> String {
    let named = [
        "opportunity_id",
        " title ",
        "summary",
        "requirements",
        "category_desc",
        "start_date_date",
        "end_date_date",
        "hits",
        "locality",
    ];
    let others: Vec<_> = (named.len()..36).map(|n| format!("column {n}")).collect();
    let mut text = format!("\u{feff}{},{}\r\n", named.join(","), others.join(","));
    for n in 0..rows {
        let title = if n % 10 == 0 {
            "Web designer  ".to_owned()
        } else {
            format!("Helper {n} ")
        };
        let summary = "\"Helps \"\"everybody\"\",\r\nevery day\"";
        let category = ["Environment", "", "strengthening communities "][n % 3];
        let start = if n == 7 { "Sometime" } else { "July 30 2011" };
        let end = ["July 30 2011", "", "August 01 2011"][n % 3];
        let hits = ["9999", "20", "0", ""][n % 4];
        let locality = if n == 4 {
            "by the\u{0} sea (29.91, 121.85)".to_owned()
        } else {
            "500 Main St\r\nNew York, NY\r\n(40.71, -74.00)".to_owned()
        };
        let locality = format!("\"{locality}\"");
        let rest = if n % 5 == 0 { "" } else { ",,,x,,," };
        text.push_str(&format!(
            "{},{title},{summary},,{category},{start},{end},{hits},{locality}{rest}\r\n",
            5000 + n
        ));
    }
    text
}

pub struct Files<'a> {
    pub server: &'a Server,
}

impl Files<'_> {
    pub fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.server.folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        path
    }

    /// `yiqilai import TARGET FILE --map MAP`, said in English.
    pub fn command(&self, target: &str, file: &Path, map: &Path) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_yiqilai"));
        command
            .env("LC_ALL", "C")
            .arg("--config")
            .arg(self.server.folder.path().join("test.toml"))
            .args(["import", target])
            .arg(file)
            .arg("--map")
            .arg(map);
        command
    }

    /// Runs the command line; returns how it ended and its report.
    pub fn run(
        &self,
        target: &str,
        file: &Path,
        map: &Path,
        more: &[&str],
    ) -> (i32, Value, Output) {
        let report = self.server.folder.path().join("report.json");
        let _ = std::fs::remove_file(&report);
        let output = self
            .command(target, file, map)
            .arg("--report")
            .arg(&report)
            .args(more)
            .output()
            .unwrap();
        let json = std::fs::read(&report)
            .map_or(Value::Null, |bytes| serde_json::from_slice(&bytes).unwrap());
        (output.status.code().unwrap(), json, output)
    }

    pub fn district(&self) {
        for (table, rows) in [
            ("config/regions/beilun.csv", 12),
            ("config/demo/regions.csv", 212),
        ] {
            let map = Path::new("config/imports/regions.toml");
            let (code, report, output) = self.run("regions", Path::new(table), map, &[]);
            assert_eq!(code, 0, "{}", String::from_utf8_lossy(&output.stderr));
            assert_eq!(report["created"], rows, "{report:#}");
        }
    }
}

pub fn counts(report: &Value) -> [u64; 4] {
    ["created", "updated", "unchanged", "failed"].map(|key| report[key].as_u64().unwrap())
}

#[actix_web::test]
async fn a_citys_table_lands_row_by_row_and_again() {
    let server = Server::start().await;
    let files = Files { server: &server };
    files.district();
    let map = files.file("map.toml", OPPORTUNITIES);
    let text = opportunities(60);
    let file = files.file("opportunities.csv", &text);

    let (code, dry, _) = files.run("projects", &file, &map, &["--dry-run"]);
    assert_eq!((code, counts(&dry)), (2, [59, 0, 0, 1]), "{dry:#}");
    assert_eq!(dry["id"], Value::Null);
    let (code, none, output) = files.run("projects", &file, &map, &["--all-or-nothing"]);
    assert_eq!(
        (code, counts(&none)),
        (1, [0, 0, 0, 1]),
        "one bad row held up all"
    );
    assert_eq!(
        (&none["held_back"], &none["rows"]),
        (&json!(59), &json!(60))
    );
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        said.contains("nothing was kept, since rows were refused") && said.contains("59 held back"),
        "{said}"
    );

    let (code, report, output) = files.run("projects", &file, &map, &[]);
    assert_eq!((code, counts(&report)), (2, [59, 0, 0, 1]), "{report:#}");
    let error = &report["errors"][0];
    assert_eq!(
        (
            &error["column"],
            &error["field"],
            &error["code"],
            &error["text"]
        ),
        (
            &json!("start_date_date"),
            &json!("starts_on"),
            &json!("format"),
            &json!("Sometime")
        )
    );
    let line = error["line"].as_u64().unwrap() as usize;
    let at_line = text.split('\n').nth(line - 1).unwrap();
    assert!(at_line.starts_with("5007,"), "{at_line}");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        said.contains("start_date_date") && said.contains("59 created"),
        "{said}"
    );
    assert!(String::from_utf8_lossy(&output.stderr).contains("60/60"));

    // the same again changes nothing; the mended row lands, one that changed is brought up to date
    let text =
        text.replacen("Sometime", "July 29 2011", 1)
            .replacen("Helper 3 ", "Helper three", 1);
    let file = files.file("opportunities.csv", &text);
    let (code, report, _) = files.run("projects", &file, &map, &[]);
    assert_eq!((code, counts(&report)), (0, [1, 1, 58, 0]), "{report:#}");

    use diesel::prelude::*;
    use yiqilai::schema::{project_roles, projects};
    let read = server.app.platform.db.read(|conn| {
        let titles: Vec<(String, String)> = projects::table
            .select((projects::title, projects::summary))
            .order(projects::id)
            .load(conn)?;
        let unlimited: i64 = project_roles::table
            .filter(project_roles::seats.eq(10_000))
            .count()
            .get_result(conn)?;
        let place: (Option<f64>, Option<f64>) = projects::table
            .select((projects::latitude, projects::longitude))
            .first(conn)?;
        let district = yiqilai::regions::by_code(conn, "330206")?.map(|region| region.id);
        let elsewhere: i64 = projects::table
            .filter(projects::region_id.ne(district.unwrap()))
            .count()
            .get_result(conn)?;
        assert_eq!(elsewhere, 1, "a coordinate finds its region");
        Ok((titles, unlimited, place))
    });
    let (titles, unlimited, place) = read.await.unwrap();
    let twins = titles
        .iter()
        .filter(|(title, _)| title == "Web designer")
        .count();
    assert_eq!((titles.len(), twins, unlimited), (60, 6, 15));
    assert!(titles.iter().any(|(title, _)| title == "Helper three"));
    assert_eq!(titles[0].1, "Helps \"everybody\", every day");
    assert_eq!(place, (Some(40.71), Some(-74.0)));
}

#[actix_web::test]
async fn a_wrong_mapping_is_refused_before_any_row_with_every_mistake() {
    let server = Server::start().await;
    let files = Files { server: &server };
    let file = files.file("some.csv", "id,name\n1,x\n");
    let map = files.file(
        "map.toml",
        "source = 's'\nexternal_id = 'nr'\n[fields]\ntitle = { column = 'titel', pattern = '(' }\nnonsense = { constant = 1 }\n",
    );
    let (code, report, output) = files.run("projects", &file, &map, &[]);
    assert_eq!((code, report), (1, Value::Null));
    let said = String::from_utf8_lossy(&output.stderr);
    for place in [
        "/external_id",
        "/fields/title/column",
        "/fields/title/pattern",
        "/fields/nonsense",
        "/fields/starts_on",
    ] {
        assert!(said.contains(place), "{place} is not named in {said}");
    }
}

pub const VOLUNTEERS: &str = r#"
source = "the volunteers' book"
external_id = "编号"
[fields]
name = { column = "姓名" }
phone = { column = "手机" }
birth_date = { column = "出生日期" }
region = { constant = "330206" }
skills = { column = "技能", split = "、", values = { "急救" = "health.first_aid", "辅导" = "education.homework" } }
"#;

pub const WISHES: &str = r#"
source = "the grid's list"
external_id = "nr"
[fields]
title = { column = "title" }
kind = { constant = "goods" }
value_fen = { column = "value" }
alias = { column = "alias" }
beneficiary_group = { constant = "elder" }
life_cycle = { constant = "old_age" }
consent_channel = { constant = "paper" }
contact_name = { column = "name" }
contact_phone = { column = "phone" }
contact_address = { column = "address" }
region = { constant = "330206002-C1" }
status = { constant = "published" }
"#;

pub const ORGANIZATIONS: &str = r#"
source = "the register"
external_id = "code"
[fields]
name = { column = "name" }
kind = { constant = "registered" }
credit_code = { column = "code" }
region = { constant = "330206" }
manager_phone = { column = "phone" }
status = { constant = "active" }
"#;

impl Files<'_> {
    pub fn post(&self, by: &User, query: &str, file: impl Into<Vec<u8>>, map: &str) -> Call<'_> {
        let part = |bytes: Vec<u8>| reqwest::multipart::Part::bytes(bytes).file_name("表.csv");
        let form = reqwest::multipart::Form::new()
            .part("file", part(file.into()))
            .part("mapping", part(map.as_bytes().to_vec()));
        self.server
            .post(&format!("/imports?{query}"))
            .by(by)
            .multipart(form)
    }
}

/// Who runs the same file at the same time reads what became of each row: one run made them, the other
/// found them made.
#[actix_web::test]
async fn equal_imports_at_once_say_what_became_of_each_row() {
    let server = Server::start().await;
    crate::regions::three_levels(&server).await;
    let admin = server.staff("管理员", Role::PlatformAdmin, None).await;
    let files = Files { server: &server };
    let row = |n: usize| {
        format!("{n},示例·一台收音机{n},100,示例·王奶奶{n},示例·王{n},1000000{n:04},示例小区{n}\n")
    };
    let rows: String = (0..120).map(row).collect();
    let table = format!("nr,title,value,alias,name,phone,address\n{rows}");
    let run = || files.post(&admin, "target=wishes", table.clone(), WISHES);
    let (one, other) = futures_util::join!(run().expect(201), run().expect(201));
    let (one, other) = (counts(&one.json), counts(&other.json));
    let sum: Vec<_> = one.iter().zip(other).map(|(a, b)| a + b).collect();
    assert_eq!(sum, [120, 0, 120, 0], "{one:?} {other:?}");
}

#[actix_web::test]
async fn administrators_import_every_kind_of_thing() {
    let server = Server::start().await;
    crate::regions::three_levels(&server).await;
    let admin = server.staff("管理员", Role::PlatformAdmin, None).await;
    let files = Files { server: &server };

    // a workbook: numbers, a date, an empty row between
    let book = include_bytes!("fixtures/volunteers.xlsx").to_vec();
    let report = files
        .post(&admin, "target=volunteers", book.clone(), VOLUNTEERS)
        .expect(201)
        .await;
    assert_eq!(counts(&report.json), [1, 0, 0, 1], "{:#}", report.json);
    let error = &report.json["errors"][0];
    assert_eq!(
        (
            &error["line"],
            &error["column"],
            &error["code"],
            &error["text"]
        ),
        (&json!(4), &json!("手机"), &json!("format"), &json!("12345"))
    );
    let location = report.header("location").unwrap().to_owned();
    let path = location.strip_prefix("/api/v1").unwrap();
    let kept = server.get(path).by(&admin).expect(200).await;
    assert_eq!(kept.json["failed"], 1);
    assert_eq!(
        kept.json["errors"][0]["text"],
        Value::Null,
        "it can be personal"
    );
    let profile = server.write(|tx| {
        let account = identity::create_account(tx, Some("+8613900000001"), None, None, "")?;
        Ok(volunteers::profile(tx.conn, account.id)?.map(|(profile, _)| profile))
    });
    let profile = profile.await.unwrap();
    assert_eq!(
        profile.birth_date.map(|day| day.to_string()).as_deref(),
        Some("1991-01-01")
    );
    assert_eq!(profile.skills.len(), 2);

    // the encoding of spreadsheets in China
    let register = "code,name,phone\n51330206MJ88990059,示例社,13900000002\nx,另一社,\n";
    let (gb, _, _) = encoding_rs::GB18030.encode(register);
    let report = files
        .post(&admin, "target=organizations", gb.to_vec(), ORGANIZATIONS)
        .expect(201)
        .await;
    assert_eq!(counts(&report.json), [1, 0, 0, 1], "{:#}", report.json);
    assert_eq!(report.json["errors"][0]["code"], "credit_code_format");
    let found = server.get("/organizations").expect(200).await;
    assert_eq!(found.json["items"][0]["name"], "示例社", "{:#}", found.json);

    let wishes = "nr,title,value,alias,name,phone,address\n\
        1,想要一辆轮椅,\"30,000\",王奶奶,王某,13900000003,一号楼\n\
        2,想要一点现金,100,李奶奶,李某,13900000004,二号楼\n";
    let report = files
        .post(&admin, "target=wishes", wishes, WISHES)
        .expect(201)
        .await;
    assert_eq!(counts(&report.json), [1, 0, 0, 1], "{:#}", report.json);
    let error = &report.json["errors"][0];
    assert_eq!(
        (&error["field"], &error["code"]),
        (&json!("title"), &json!("asks_for_money"))
    );
    let wishes = wishes.replace("轮椅", "新轮椅");
    let again = files
        .post(&admin, "target=wishes", wishes, WISHES)
        .expect(201)
        .await;
    assert_eq!(counts(&again.json), [0, 1, 0, 1], "{:#}", again.json);
    let open = server.get("/wishes").expect(200).await;
    assert_eq!(
        open.json["items"][0]["title"], "想要一辆新轮椅",
        "{:#}",
        open.json
    );

    // outlines from GeoJSON, in a file of their own
    let outline = json!({"type": "FeatureCollection", "features": [
        {"type": "Feature", "properties": {"code": "330206002"}, "geometry": {"type": "Polygon",
         "coordinates": [[[121.8, 29.8], [121.9, 29.8], [121.9, 30.0], [121.8, 30.0], [121.8, 29.8]]]}},
        {"type": "Feature", "properties": {"code": "330206"}, "geometry": {"type": "Point", "coordinates": [1, 2]}},
        {"type": "Feature", "properties": {"code": "nowhere"}, "geometry": null},
    ]});
    let map = "source = 'outlines'\nexternal_id = 'code'\n[fields]\ncode = { column = 'code' }\ngeometry = { column = 'geometry' }\n";
    let report = files
        .post(&admin, "target=regions", outline.to_string(), map)
        .expect(201)
        .await;
    assert_eq!(counts(&report.json), [0, 1, 0, 2], "{:#}", report.json);
    let listed = server.get("/imports?limit=2").by(&admin).expect(200).await;
    assert_eq!(listed.json["items"].as_array().unwrap().len(), 2);
    assert_eq!(listed.json["items"][0]["target"], "regions");
}

#[actix_web::test]
async fn nobody_else_imports_and_a_dry_run_leaves_no_trace() {
    let server = Server::start().await;
    crate::regions::three_levels(&server).await;
    let admin = server.staff("管理员", Role::PlatformAdmin, None).await;
    let stranger = server.person("路人").await;
    let files = Files { server: &server };
    files
        .post(&stranger, "target=wishes", "a", "b")
        .refused(403, "forbidden")
        .await;
    server
        .get("/imports")
        .by(&stranger)
        .refused(403, "forbidden")
        .await;
    server
        .post("/imports?target=wishes")
        .refused(401, "unauthenticated")
        .await;

    let file = "nr,title,value,alias,name,phone,address\n1,想要轮椅,1,王奶奶,王某,13900000003,一号楼\n1,再一辆,1,王奶奶,王某,13900000003,一号楼\n";
    let report = files
        .post(&admin, "target=wishes&dry_run=true", file, WISHES)
        .expect(200)
        .await;
    assert_eq!(counts(&report.json), [1, 0, 0, 1], "{:#}", report.json);
    assert_eq!(report.json["errors"][0]["code"], "repeated");
    let all = files
        .post(&admin, "target=wishes&all_or_nothing=true", file, WISHES)
        .expect(201)
        .await;
    assert_eq!(counts(&all.json), [0, 0, 0, 1], "{:#}", all.json);
    assert_eq!(
        (&all.json["held_back"], &all.json["rows"]),
        (&json!(1), &json!(2))
    );
    let kept = format!("/imports/{}", all.id());
    let kept = server.get(&kept).by(&admin).expect(200).await;
    assert_eq!(kept.json["held_back"], 1, "{:#}", kept.json);
    let open = server.get("/wishes").expect(200).await;
    assert_eq!(open.json["items"], json!([]));
    let listed = server.get("/imports").by(&admin).expect(200).await;
    assert_eq!(
        listed.json["items"].as_array().unwrap().len(),
        1,
        "the dry run is not there"
    );

    let mistakes = files
        .post(&admin, "target=wishes", "a,b\n", WISHES)
        .refused(422, "invalid")
        .await;
    assert!(
        mistakes
            .fields()
            .contains(&("/external_id".into(), "unknown_column".into()))
    );
    files
        .post(&admin, "target=wishes", "a,b\n", "nonsense")
        .refused(422, "mapping_unreadable")
        .await;
    files
        .post(
            &admin,
            "target=wishes",
            b"PK\x03\x04nonsense".to_vec(),
            WISHES,
        )
        .refused(422, "table_unreadable")
        .await;
    let form = reqwest::multipart::Form::new().text("file", "x");
    server
        .post("/imports?target=wishes")
        .by(&admin)
        .multipart(form)
        .refused(422, "import_part_missing")
        .await;
    // what belongs into the address is not overlooked in the form
    let whole = reqwest::multipart::Form::new()
        .text("file", file)
        .text("mapping", WISHES)
        .text("dry_run", "true");
    let alone = reqwest::multipart::Form::new().text("dry_run", "true");
    for form in [whole, alone] {
        let lost = server.post("/imports?target=wishes").by(&admin);
        let lost = lost.multipart(form).refused(422, "invalid").await;
        let unknown = ("/dry_run".to_owned(), "unknown_field".to_owned());
        assert_eq!(lost.fields(), [unknown]);
    }
    let open = server.get("/wishes").expect(200).await;
    assert_eq!(open.json["items"], json!([]));
}

/// An empty installation begins with the district that ships with the program, without any file; the
/// sample hangs below it.
#[actix_web::test]
async fn the_real_district_ships_with_the_program() {
    let server = Server::start().await;
    let files = Files { server: &server };
    let run = |arguments: &[&str]| {
        Command::new(env!("CARGO_BIN_EXE_yiqilai"))
            .env("LC_ALL", "C")
            .current_dir(server.folder.path()) // where no file of ours is
            .args(["--config", "test.toml", "import"])
            .args(arguments)
            .output()
            .unwrap()
    };
    for said in ["12 created", "12 unchanged"] {
        let output = run(&["regions", "--bundled", "beilun"]);
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success() && text.contains(said), "{output:?}");
    }
    for wrong in [
        &["regions", "--bundled", "atlantis"][..],
        &["wishes", "--bundled", "beilun"],
        &["regions", "--bundled", "beilun", "--map", "test.toml"],
        &["regions", "test.toml"],
        &["regions"],
    ] {
        assert!(!run(wrong).status.success(), "{wrong:?}");
    }
    let listed = server.get("/regions?limit=100").expect(200).await.json;
    let items = listed["items"].as_array().unwrap();
    let codes: Vec<_> = items
        .iter()
        .map(|item| item["code"].as_str().unwrap())
        .collect();
    assert_eq!(
        codes.len(),
        12,
        "the district and its streets, nothing of ours: {codes:?}"
    );
    assert!(
        codes
            .iter()
            .all(|code| code.starts_with("330206") && code.len() <= 9)
    );
    assert!(!codes.contains(&"330206401"), "保税区 is not a street");
    assert!(items.iter().all(|item| item["valid_from"] == "2018-01-01"));

    let (_, report, _) = files.run(
        "regions",
        Path::new("config/demo/regions.csv"),
        Path::new("config/imports/regions.toml"),
        &[],
    );
    assert_eq!(report["created"], 212, "{report:#}");
    let found = |conn: &mut _| yiqilai::regions::by_code(conn, "330206002");
    let street = server
        .app
        .platform
        .db
        .read(found)
        .await
        .unwrap()
        .unwrap()
        .id;
    let path = format!("/regions?level=area&parent_id={street}");
    let areas = server.get(&path).expect(200).await.json;
    let mut grids = 0;
    for area in areas["items"].as_array().unwrap() {
        let path = format!(
            "/regions?parent_id={}&limit=100",
            area["id"].as_str().unwrap()
        );
        let below = server.get(&path).expect(200).await.json;
        grids += below["items"].as_array().unwrap().len();
    }
    assert_eq!((areas["items"].as_array().unwrap().len(), grids), (9, 143));
}
