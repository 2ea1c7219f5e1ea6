//! GeoJSON as a table.

use std::collections::BTreeSet;

use super::table::{Table, TableRow, bounded, tidy, unreadable};
use crate::error::Result;

/// A GeoJSON collection as a table: a column for every property, and `geometry`.
pub fn table(text: &str) -> Result<Option<Table>> {
    if !text.trim_start().starts_with('{') {
        return Ok(None);
    }
    let Ok(json) = serde_json::from_str::<serde_json::Value>(text) else {
        return Ok(None);
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
}
