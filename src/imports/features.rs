//! GeoJSON as a table.

use std::collections::BTreeSet;

use super::table::{Table, TableRow, bounded, tidy, unreadable};
use crate::error::{Error, Result};

/// A GeoJSON collection as a table: a column for every property, and `geometry`. None where the text
/// is no JSON and does not look like some that is broken.
pub fn table(text: &str) -> Result<Option<Table>> {
    let Some(inside) = text.trim_start().strip_prefix('{') else {
        return Ok(None);
    };
    let json = match serde_json::from_str::<serde_json::Value>(text) {
        Ok(json) => json,
        Err(error) if inside.trim_start().starts_with('"') || inside.contains("\"type\"") => {
            return Err(broken_at(text, &error));
        }
        Err(_) => return Ok(None), // a column may be called {x}
    };
    let features = json["features"].as_array().ok_or_else(|| {
        unreadable(
            "该 JSON 文件不是 GeoJSON 的 FeatureCollection。",
            "It is JSON, but no FeatureCollection of GeoJSON.",
        )
    })?;
    let mut header = BTreeSet::from(["geometry"]);
    for feature in features {
        let properties = feature["properties"].as_object();
        header.extend(
            properties
                .into_iter()
                .flatten()
                .map(|(key, _)| key.as_str()),
        );
    }
    let header: Vec<_> = header.into_iter().collect();
    let cell = |value: &serde_json::Value| match value {
        serde_json::Value::Null => String::new(),
        serde_json::Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let (mut rows, mut cells) = (Vec::new(), 0);
    for (feature, line) in features.iter().zip(1..) {
        bounded(rows.len(), header.len(), &mut cells)?;
        let of = |name: &&str| match *name {
            "geometry" => cell(&feature["geometry"]),
            name => cell(&feature["properties"][name]),
        };
        rows.push(TableRow {
            line,
            cells: header.iter().map(of).collect(),
        });
    }
    let header = header.into_iter().map(tidy).collect();
    Ok(Some(Table { header, rows }))
}

/// Says where JSON is broken, or breaks off.
fn broken_at(text: &str, error: &serde_json::Error) -> Error {
    let line = error.line();
    let (zh, en) = match error.is_eof() {
        true => ("内容不完整，中断于", "is cut off"),
        false => ("有误，位置在", "is broken"),
    };
    // the reader counts bytes
    let before = text.split('\n').nth(line.saturating_sub(1));
    let before = before.unwrap_or_default().char_indices();
    let column = before.take_while(|(at, _)| *at < error.column()).count();
    unreadable(
        format!("该 JSON 文件{zh}第 {line} 行第 {column} 列。"),
        format!("It is JSON that {en} in line {line}, column {column}."),
    )
}

#[cfg(test)]
mod tests {
    use super::super::table::{Shape, read};

    #[test]
    fn geojson_is_a_table_of_its_properties() {
        let table = read(
            br#"{"type":"FeatureCollection","features":[
            {"type":"Feature","properties":{"code":330206,"n":"x"},"geometry":{"type":"Point","coordinates":[1,2]}}]}"#,
            &Shape::default(),
        )
        .unwrap();
        assert_eq!(table.header, ["code", "geometry", "n"]);
        assert_eq!(table.rows[0].cells[0], "330206");
        assert!(table.rows[0].cells[1].contains("\"Point\""));
    }

    #[test]
    fn geojson_that_is_broken_is_no_csv() {
        for (text, said) in [
            (
                "{\"type\":\n \"FeatureCollection\", \"fea",
                "cut off in line 2, column 26.",
            ),
            ("{\"type\": \"要素\", x}", "broken in line 1, column 16."),
            ("{type: \"x\", \"type\": 1}", "broken in line 1, column 2."),
        ] {
            let refused = read(text.as_bytes(), &Shape::default()).unwrap_err();
            assert!(refused.to_string().ends_with(said), "{refused}");
        }
        let table = read(b"{x},y\n1,2\n", &Shape::default()).unwrap();
        assert_eq!(table.header, ["{x}", "y"]);
    }
}
