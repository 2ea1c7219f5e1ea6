//! A city's open data: 665 opportunities in 36 columns, most of them long over.

use std::fmt::Write;

use serde_json::{Value, json};

use crate::harness::Server;
use crate::imports::{Files, counts};

const HEADER: &str = "opportunity_id,content_id,vol_requests,event_time,title,hits,summary,\
is_priority,category_id,category_desc,amsl,amsl_unit,org_title,org_content_id,addresses_count,\
locality,region,postalcode,primary_loc,display_url,recurrence_type,hours,created_date,\
last_modified_date,start_date_date,end_date_date,status,Latitude,Longitude,Community Board,\
Community Council ,Census Tract,BIN,BBL,NTA,notes";

const MAP: &str = r#"
source = "the city's opportunities"
external_id = "opportunity_id"

[fields.title]
column = "title"
[fields.summary]
columns = ["summary", "org_title"]
separator = " / "
[fields.field]
column = "category_desc"
default = "daily_life"
otherwise = "daily_life"
values = { "Environment" = "environment", "Strengthening Communities" = "governance" }
[fields.life_cycle]
constant = "support"
[fields.starts_on]
column = "start_date_date"
formats = ["%B %d %Y"]
[fields.ends_on]
column = "end_date_date"
formats = ["%B %d %Y"]
[fields.seats]
column = "vol_requests"
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
[fields.risk_notice]
constant = "由来源审核。"
[fields.status]
constant = "draft"
"#;

/// Every 40th ends before it starts, every 50th takes place in time to come, every 13th starts
/// and ends on one day.
fn table() -> String {
    let mut text = format!("{HEADER}\r\n");
    for n in 0..665 {
        let title = match n % 7 {
            0 => format!("{n:0>4} {}  ", "volunteer ".repeat(9).trim_end()),
            1 => "Web Designer ".to_owned(),
            _ => format!("\"Helper {n}, \"\"weekends\"\"\""),
        };
        let (start, end) = match n {
            n if n % 40 == 39 => ("July 30 2011", "July 29 2011"),
            n if n % 50 == 49 => ("July 30 2069", "August 01 2069"),
            n if n % 13 == 12 => ("July 30 2011", ""),
            _ => ("July 30 2011", "December 31 2011"),
        };
        let seats = ["9999", "20", "0", "", "9999.0"][n % 5];
        let category = ["Environment", "Strengthening Communities ", "", "Health"][n % 4];
        let cells = [
            (5000 + n).to_string(),
            (90_000 + n).to_string(),
            seats.to_owned(),
            "0".to_owned(),
            title,
            (n * 3).to_string(),
            "\"Helps \"\"all\"\",\r\nevery day \"".to_owned(),
            String::new(),
            (n % 4).to_string(),
            category.to_owned(),
            String::new(),
            String::new(),
            "Some Organization".to_owned(),
            (4000 + n % 90).to_string(),
            "1".to_owned(),
            "\"500 Main St\r\nNew York, NY 10007\r\n(40.71, -74.00)\"".to_owned(),
            "NY".to_owned(),
            "10007".to_owned(),
            "1".to_owned(),
            format!("/opportunity/{n}"),
            "onetime".to_owned(),
            "2".to_owned(),
            "January 13 2011".to_owned(),
            "June 23 2011".to_owned(),
            start.to_owned(),
            end.to_owned(),
            "approved".to_owned(),
        ];
        // empty columns at the end, and a blank behind them
        writeln!(text, "{},,,,,,,,, \r", cells.join(",")).unwrap();
    }
    text
}

/// How many errors a report has of each column and code.
fn tally(report: &Value) -> Vec<(String, usize)> {
    let mut counted = std::collections::BTreeMap::new();
    for error in report["errors"].as_array().unwrap() {
        let of = |key: &str| error[key].as_str().unwrap_or("-").to_owned();
        *counted
            .entry(format!("{} {}", of("column"), of("code")))
            .or_insert(0) += 1;
    }
    counted.into_iter().collect()
}

#[actix_web::test]
async fn a_citys_open_data_as_drafts_and_as_open_projects() {
    let server = Server::start().await;
    let files = Files { server: &server };
    files.district();
    assert_eq!(HEADER.split(',').count(), 36);
    let text = table();
    let file = files.file("opportunities.csv", &text);
    let drafts = files.file("drafts.toml", MAP);
    let open = files.file("open.toml", MAP.replace("\"draft\"", "\"open\""));

    // as open projects: only what is not over, and of the others each says why
    let (code, report, _) = files.run("projects", &file, &open, &["--dry-run"]);
    assert_eq!((code, counts(&report)), (2, [10, 0, 0, 655]), "{report:#}");
    assert_eq!(
        tally(&report),
        [
            ("end_date_date ends_before_it_begins".to_owned(), 16),
            ("end_date_date in_the_past".to_owned(), 639)
        ]
    );

    // as drafts: all but those whose dates are wrong, which are named by line and cell
    let (code, report, output) = files.run("projects", &file, &drafts, &[]);
    assert_eq!((code, counts(&report)), (2, [649, 0, 0, 16]), "{report:#}");
    assert_eq!(
        tally(&report),
        [("end_date_date ends_before_it_begins".to_owned(), 16)]
    );
    let error = &report["errors"][0];
    let line = error["line"].as_u64().unwrap() as usize;
    assert!(text.split('\n').nth(line - 1).unwrap().starts_with("5039,"));
    assert_eq!(error["text"], "July 29 2011");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(said.contains("665 rows: 649 created"), "{said}");
    assert_eq!(
        server.get("/projects").expect(200).await.json["items"],
        json!([]),
        "drafts are not public"
    );

    let (_, report, _) = files.run("projects", &file, &drafts, &[]);
    assert_eq!(counts(&report), [0, 0, 649, 16]);
    // those that are not over can be opened by the next run, the others stay what they are
    let (_, report, _) = files.run("projects", &file, &open, &[]);
    assert_eq!(counts(&report), [0, 10, 0, 655], "{:?}", tally(&report));
    let listed = server.get("/projects?limit=100").expect(200).await;
    assert_eq!(listed.json["items"].as_array().unwrap().len(), 10);
}
