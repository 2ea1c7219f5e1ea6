//! Imports: foreign tables through the command line and through HTTP.

use std::path::PathBuf;
use std::process::Output;

use serde_json::{Value, json};

use crate::harness::Server;

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
        let locality = "\"500 Main St\r\nNew York, NY\r\n(40.71, -74.00)\"";
        let rest = if n % 5 == 0 { "" } else { ",,,x,,," };
        text.push_str(&format!(
            "{},{title},{summary},,{category},{start},{end},{hits},{locality}{rest}\r\n",
            5000 + n
        ));
    }
    text
}

struct Files<'a> {
    server: &'a Server,
}

impl Files<'_> {
    fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.server.folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        path
    }

    /// Runs the command line; returns how it ended and its report.
    fn run(
        &self,
        target: &str,
        file: &PathBuf,
        map: &PathBuf,
        more: &[&str],
    ) -> (i32, Value, Output) {
        let report = self.server.folder.path().join("report.json");
        let _ = std::fs::remove_file(&report);
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_yiqilai"))
            .arg("--config")
            .arg(self.server.folder.path().join("test.toml"))
            .args(["import", target])
            .arg(file)
            .arg("--map")
            .arg(map)
            .arg("--report")
            .arg(&report)
            .args(more)
            .output()
            .unwrap();
        let json = std::fs::read(&report)
            .map_or(Value::Null, |bytes| serde_json::from_slice(&bytes).unwrap());
        (output.status.code().unwrap(), json, output)
    }

    fn district(&self) {
        let (code, report, output) = self.run(
            "regions",
            &"config/regions/beilun.csv".into(),
            &"config/imports/regions.toml".into(),
            &[],
        );
        assert_eq!(code, 0, "{}", String::from_utf8_lossy(&output.stderr));
        assert_eq!(report["created"], 224, "{report:#}");
    }
}

fn counts(report: &Value) -> [u64; 4] {
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
    let (code, none, _) = files.run("projects", &file, &map, &["--all-or-nothing"]);
    assert_eq!(
        (code, counts(&none)),
        (1, [0, 0, 0, 1]),
        "one bad row held up all"
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
