//! What is said of rows: all that is wrong at once, and the same in a dry run as in a real one.

use serde_json::{Value, json};
use yiqilai::identity::Role;

use crate::harness::{Server, User};
use crate::imports::{Files, counts};

async fn town() -> (Server, User) {
    let server = Server::start().await;
    crate::regions::three_levels(&server).await;
    let admin = server.staff("管理员", Role::PlatformAdmin, None).await;
    (server, admin)
}

fn wrong(report: &Value) -> Vec<(u64, &str, &str)> {
    let errors = report["errors"].as_array().unwrap().iter();
    errors
        .map(|error| {
            let text = |key: &str| error[key].as_str().unwrap();
            (error["line"].as_u64().unwrap(), text("field"), text("code"))
        })
        .collect()
}

const REGIONS: &str = r#"
source = "the regions"
external_id = "nr"
[fields]
code = { column = "code" }
name = { column = "name" }
level = { column = "level" }
parent = { column = "parent" }
"#;

const PEOPLE: &str = r#"
source = "the book"
external_id = "nr"
[fields]
name = { column = "name" }
phone = { column = "phone" }
email = { column = "email" }
region = { constant = "330206002" }
"#;

const ORGANIZATIONS: &str = r#"
source = "the register"
external_id = "nr"
[fields]
name = { column = "name" }
kind = { column = "kind" }
credit_code = { column = "code" }
region = { constant = "330206" }
status = { constant = "active" }
"#;

/// A file whose rows meet others that lie more than one transaction above them.
fn far_apart(
    header: &str,
    first: &[&str],
    filler: impl Fn(u32) -> String,
    last: &[&str],
) -> String {
    let filler: Vec<_> = (1000..1600).map(filler).collect();
    let lines = [&[header], first].concat().join("\n");
    format!("{lines}\n{}\n{}\n", filler.join("\n"), last.join("\n"))
}

#[actix_web::test]
async fn a_dry_run_says_what_the_run_will_say() {
    let regions = far_apart(
        "nr,code,name,level,parent",
        &[
            "1,330206090,新街道,street,330206",
            "2,330206090-C9,新社区,community,330206090",
            "3,330206090,新新街道,,",
        ],
        |n| format!("{n},330206002-G{n},网格{n},grid,330206002-C1"),
        &[
            "2000,330206090-G1,网格,grid,330206090-C9",
            "2001,330206090-G2,网格,grid,330206091",
            "2002,330206090,搬走了,street,330206090-C9",
            "2003,330206090,新新街道,,",
            "2004,330206090,改名了,,",
            "2,330206090-C9,重复,community,330206090",
        ],
    );
    let people = far_apart(
        "nr,name,phone,email",
        &["1,甲,13900001001,", "2,乙,,yi@example.org"],
        |n| format!("{n},志愿者{n},1380000{n},"),
        &[
            "2000,又是甲,+86 139-0000-1001,",
            "2001,又是乙,13900001002,YI@example.org",
            "2002,丙,13900001003,",
            "2003,又是丙,13900001003,",
        ],
    );
    let organizations = far_apart(
        "nr,name,kind,code",
        &["1,示例·甲社,registered,51330206MJ88990059"],
        |n| format!("{n},示例·队{n},volunteer_team,"),
        &[
            "2000,示例·乙社,registered,51330206mj88990059",
            "2001,示例·丙社,registered,x",
        ],
    );
    for (target, file, map, failed) in [
        ("regions", regions, REGIONS, 3),
        ("volunteers", people, PEOPLE, 3),
        ("organizations", organizations, ORGANIZATIONS, 2),
    ] {
        let (server, admin) = town().await;
        let files = Files { server: &server };
        let query = format!("target={target}&dry_run=true");
        let dry = files
            .post(&admin, &query, file.as_str(), map)
            .expect(200)
            .await;
        let query = format!("target={target}");
        let run = files
            .post(&admin, &query, file.as_str(), map)
            .expect(201)
            .await;
        assert_eq!(
            run.json["failed"], failed,
            "{target}: {:#}",
            run.json["errors"]
        );
        assert_eq!(
            counts(&dry.json),
            counts(&run.json),
            "{target}: {:#}",
            dry.json["errors"]
        );
        assert_eq!(dry.json["errors"], run.json["errors"], "{target}");
    }
}

#[actix_web::test]
async fn all_or_nothing_has_a_bound_of_rows_over_http() {
    let server = Server::start_with(json!({"imports": {"all_or_nothing_rows": 1}})).await;
    crate::regions::three_levels(&server).await;
    let admin = server.staff("管理员", Role::PlatformAdmin, None).await;
    let files = Files { server: &server };
    let text = "nr,name,phone,email\n1,甲,13900001001,\n2,乙,13900001002,\n";
    let post = |query: &str| files.post(&admin, query, text, PEOPLE);
    post("target=volunteers&all_or_nothing=true")
        .refused(422, "too_many_rows")
        .await;
    let dry = post("target=volunteers&all_or_nothing=true&dry_run=true");
    assert_eq!(counts(&dry.expect(200).await.json), [2, 0, 0, 0]);
    let (file, map) = (
        files.file("people.csv", text),
        files.file("map.toml", PEOPLE),
    );
    let (code, report, _) = files.run("volunteers", &file, &map, &["--all-or-nothing"]);
    assert_eq!((code, counts(&report)), (0, [2, 0, 0, 0]));
}

const PROJECTS: &str = r#"
source = "projects"
external_id = "nr"
[fields]
title = { column = "title" }
field = { column = "field" }
life_cycle = { column = "cycle" }
starts_on = { column = "from" }
ends_on = { column = "to" }
longitude = { column = "east" }
latitude = { column = "north" }
minors = { constant = true }
seats = { column = "seats" }
skills = { column = "skills" }
status = { constant = "open" }
"#;

const TEAMS: &str = r#"
source = "teams"
external_id = "nr"
[fields]
name = { column = "name" }
kind = { column = "kind" }
field = { column = "field" }
credit_code = { column = "code" }
introduction = { column = "introduction" }
region = { constant = "330206" }
status = { constant = "draft" }
"#;

const GOODS: &str = r#"
source = "goods"
external_id = "nr"
[fields]
title = { column = "title" }
kind = { constant = "goods" }
value_fen = { column = "value" }
alias = { column = "alias" }
beneficiary_group = { constant = "elder" }
life_cycle = { constant = "old_age" }
consent_channel = { constant = "oral" }
contact_name = { column = "name" }
contact_phone = { column = "phone" }
contact_address = { constant = "一号楼" }
region = { constant = "330206002-C1" }
expires_on = { column = "until" }
"#;

#[actix_web::test]
async fn all_that_is_wrong_with_a_row_is_said_at_once() {
    let (server, admin) = town().await;
    let files = Files { server: &server };
    let long = "长".repeat(300);
    // what hangs on a value that cannot be read is not asked
    let text = format!(
        "nr,title,field,cycle,from,to,east,north,seats,skills\n\
         1,{long},nonsense,education,someday,2027-06-30,121.85,29.91,2,flying\n\
         2,,education,nonsense,2027-06-01,2027-05-01,east,29.91,many,\n"
    );
    let report = files.post(&admin, "target=projects", text, PROJECTS);
    let report = report.expect(201).await.json;
    let mut told = wrong(&report);
    told.sort_unstable();
    let expected = [
        (2, "field", "unknown_reference"),
        (2, "risk_notice", "risk_notice_missing"),
        (2, "skills", "unknown_skill"),
        (2, "starts_on", "format"),
        (2, "title", "length"),
        (3, "ends_on", "ends_before_it_begins"),
        (3, "life_cycle", "unknown_reference"),
        (3, "longitude", "format"),
        (3, "risk_notice", "risk_notice_missing"),
        (3, "seats", "format"),
        (3, "title", "required"),
    ];
    assert_eq!(told, expected);

    let text = format!(
        "nr,name,kind,field,code,introduction\n\
         1,{long},registered,nonsense,x,\n\
         2,短,filed,,51330206MJ88990059,{}\n",
        "长".repeat(2001)
    );
    let report = files.post(&admin, "target=organizations", text, TEAMS);
    let report = report.expect(201).await.json;
    let mut told = wrong(&report);
    told.sort_unstable();
    let expected = [
        (2, "credit_code", "credit_code_format"),
        (2, "field", "unknown_reference"),
        (2, "name", "length"),
        (3, "credit_code", "credit_code_of_filed"),
        (3, "introduction", "length"),
        (3, "name", "length"),
        (3, "region", "filing_region"),
    ];
    assert_eq!(told, expected);

    let text = format!(
        "nr,title,value,alias,name,phone,until\n\
         1,{long},99999999,王奶奶,{long},123,2020-01-01\n\
         2,给我五百元现金,,{long},王某,13900000003,\n"
    );
    let report = files.post(&admin, "target=wishes", text, GOODS);
    let report = report.expect(201).await.json;
    let mut told = wrong(&report);
    told.sort_unstable();
    let expected = [
        (2, "contact_name", "length"),
        (2, "contact_phone", "format"),
        (2, "expires_on", "in_the_past"),
        (2, "title", "length"),
        (2, "value_fen", "value_over_cap"),
        (3, "alias", "length"),
        (3, "description", "asks_for_money"),
        (3, "title", "asks_for_money"),
        (3, "value_fen", "required"),
    ];
    assert_eq!(told, expected);

    let text = "nr,name,phone,email\n1,,123,nobody\n";
    let report = files.post(&admin, "target=volunteers", text, PEOPLE);
    let report = report.expect(201).await.json;
    let expected = [
        (2, "name", "required"),
        (2, "phone", "format"),
        (2, "email", "format"),
    ];
    assert_eq!(wrong(&report), expected);
}

/// What no row of a file can have is said once, of the mapping; what some rows cannot do without is said
/// of these, and that the mapping is where it is missing.
#[actix_web::test]
async fn a_field_that_the_mapping_lacks_is_said_of_the_mapping() {
    let (server, admin) = town().await;
    let files = Files { server: &server };
    let without = |map: &str, fields: &[&str]| -> String {
        let is_kept = |line: &&str| {
            let name = line.split('=').next().unwrap_or_default().trim();
            !fields.contains(&name)
        };
        map.lines().filter(is_kept).collect::<Vec<_>>().join("\n")
    };
    for (target, map, field, detail) in [
        (
            "volunteers",
            without(PEOPLE, &["phone", "email"]),
            "phone",
            "The mapping must say where phone or email comes from.",
        ),
        (
            "volunteers",
            without(PEOPLE, &["region"]),
            "region",
            "The mapping must say where region comes from.",
        ),
        (
            "organizations",
            without(ORGANIZATIONS, &["region"]),
            "region",
            "The mapping must say where region or longitude comes from.",
        ),
        (
            "organizations",
            without(ORGANIZATIONS, &["kind"]),
            "kind",
            "The mapping must say where kind comes from.",
        ),
    ] {
        let text = "nr,name,phone,email,kind,code\n1,甲,,,,\n2,乙,,,,\n";
        let query = format!("target={target}");
        let refused = files.post(&admin, &query, text, &map);
        let refused = refused.refused(422, "invalid").await;
        let missing = (format!("/fields/{field}"), "required".to_owned());
        assert_eq!(refused.fields(), [missing]);
        assert_eq!(refused.json["errors"][0]["detail"], detail);
    }

    let text = "nr,title,field,cycle,from,to,east,north,seats,skills\n\
        1,陪伴,education,education,2027-06-01,2027-06-30,121.85,29.91,2,\n";
    for (lang, said) in [
        ("en", " The mapping has no field risk_notice."),
        ("zh-CN", "映射中没有 risk_notice 字段。"),
    ] {
        let report = files.post(&admin, "target=projects", text, PROJECTS);
        let report = report.header("accept-language", lang).expect(201).await;
        let errors = report.json["errors"].as_array().unwrap().iter();
        let of = |error: &&Value| error["field"] == "risk_notice";
        let errors: Vec<_> = errors.filter(of).collect();
        assert_eq!(errors.len(), 1, "{:#}", report.json);
        assert_eq!(errors[0]["column"], Value::Null);
        let detail = errors[0]["detail"].as_str().unwrap();
        assert!(detail.ends_with(said), "{detail}");
    }
}

const OUTLINED: &str = r#"
source = "outlined regions"
external_id = "nr"
[fields]
code = { column = "code" }
name = { column = "name" }
level = { column = "level" }
parent = { column = "parent" }
longitude = { column = "east" }
valid_from = { column = "from" }
valid_to = { column = "to" }
geometry = { column = "shape" }
"#;

#[actix_web::test]
async fn all_that_is_wrong_with_a_region_and_its_outline_is_said_at_once() {
    let (server, admin) = town().await;
    let files = Files { server: &server };
    let text = "nr,code,name,level,parent,east,from,to,shape\n\
                1,A1,,,nowhere,,,2030-01-01,\"{\"\"type\"\":\"\"Point\"\",\"\"coordinates\"\":[1,2]}\"\n\
                2,A2,网格,grid,330206002,121.8,2026-01-01,2025-01-01,\n";
    let report = files.post(&admin, "target=regions", text, OUTLINED);
    let report = report.expect(201).await.json;
    let mut told = wrong(&report);
    told.sort_unstable();
    let expected = [
        (2, "geometry", "format"),
        (2, "level", "required"),
        (2, "name", "required"),
        (2, "parent", "unknown_reference"),
        (2, "valid_to", "not_over"),
        (3, "latitude", "required"),
        (3, "level", "region_level"),
        (3, "valid_to", "ends_before_it_begins"),
    ];
    assert_eq!(told, expected);
}

const FORMULAS: &str = r##"
source = "formulas"
external_id = "nr"
[fields]
title = { column = "title" }
field = { constant = "daily_life" }
life_cycle = { constant = "support" }
starts_on = { column = "day" }
region = { constant = "330206" }
seats = { column = "seats", unknown = ["#N/A"] }
"##;

#[actix_web::test]
async fn a_formula_that_failed_is_no_value() {
    let (server, admin) = town().await;
    let files = Files { server: &server };
    let book = include_bytes!("fixtures/failed-formulas.xlsx").to_vec();
    let report = files.post(&admin, "target=projects", book, FORMULAS);
    let report = report.expect(201).await.json;
    assert_eq!(counts(&report), [1, 0, 0, 2], "{report:#}");
    let expected = [
        (2, "title", "format"),
        (3, "starts_on", "format"),
        (3, "seats", "format"),
    ];
    assert_eq!(wrong(&report), expected);
    assert_eq!(report["errors"][0]["text"], "#N/A");
}
