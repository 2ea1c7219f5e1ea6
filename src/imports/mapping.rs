//! Mapping files: how foreign columns become our fields.

use std::collections::{BTreeMap, HashSet};

use regex::{Regex, RegexBuilder};
use serde::Deserialize;

use super::plan::{Bound, Plan};
use super::table::{Shape, Table, tidy};
use super::targets::{Field, Kind, Target};
use crate::error::{Code, FieldError, Problem, Result, Text};

/// A mapping file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mapping {
    /// Names where the data come from; external ids are unique in it.
    pub source: String,
    /// The column that holds the id each row has there.
    pub external_id: String,
    /// How to read the file, where it does not say so itself.
    #[serde(default)]
    pub file: Shape,
    /// Where each field comes from.
    pub fields: BTreeMap<String, Rule>,
}

/// Where a field comes from: one of `column`, `columns` and `constant`, or `default` alone.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// The column that holds it.
    pub column: Option<String>,
    /// The columns that hold it together; empty ones are left out.
    #[serde(default)]
    pub columns: Vec<String>,
    /// What stands between those; a space when left out.
    pub separator: Option<String>,
    /// The same for every row.
    pub constant: Option<Scalar>,
    /// What it is where the row says nothing.
    pub default: Option<Scalar>,
    /// The forms its dates have, in the notation of strftime; ISO 8601 is always read.
    #[serde(default)]
    pub formats: Vec<String>,
    /// What the source's texts mean here; without regard to upper and lower case.
    #[serde(default)]
    pub values: BTreeMap<String, Scalar>,
    /// What any text means that `values` does not hold.
    pub otherwise: Option<Scalar>,
    /// Texts that mean that it is not known.
    #[serde(default)]
    pub unknown: Vec<Scalar>,
    /// Texts that mean that there is no limit.
    #[serde(default)]
    pub unlimited: Vec<Scalar>,
    /// A regular expression whose group holds the value; a text without a match says nothing.
    pub pattern: Option<String>,
    /// What stands between the items of a list; a semicolon when left out.
    pub split: Option<String>,
}

/// A text, or a number or truth that means its text.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(untagged)]
pub enum Scalar {
    /// A text.
    Text(String),
    /// A whole number.
    Integer(i64),
    /// A number.
    Decimal(f64),
    /// A truth.
    Boolean(bool),
}

impl Scalar {
    /// As a cell would say it.
    pub fn text(&self) -> String {
        match self {
            Self::Text(text) => tidy(text),
            Self::Integer(number) => number.to_string(),
            Self::Decimal(number) => number.to_string(),
            Self::Boolean(truth) => truth.to_string(),
        }
    }
}

impl Mapping {
    /// Reads a mapping file.
    ///
    /// # Errors
    /// `mapping_unreadable`, with what is wrong where.
    pub fn parse(text: &str) -> Result<Self> {
        toml::from_str(text.trim_start_matches('\u{feff}')).map_err(|error| {
            let (zh, en) = Code::MappingUnreadable.title();
            let why = error.to_string();
            Problem::new(Code::MappingUnreadable)
                .detail(
                    format!("{zh}技术信息：\n{why}"),
                    format!("{en} Technically:\n{why}"),
                )
                .into()
        })
    }

    /// Binds it to a target and the columns of a file.
    ///
    /// # Errors
    /// `invalid` with every mistake: unknown fields, columns that are not there or there twice,
    /// required fields without a source, patterns that are none.
    pub fn bind(&self, target: Target, table: &Table) -> Result<Plan> {
        let mut wrong = Vec::new();
        let mut column = |pointer: String, name: &str| {
            let name = tidy(name);
            let mut at = (0..table.header.len()).filter(|n| table.header[*n] == name);
            let found = at.next();
            if found.is_none() || at.next().is_some() {
                let code = found.map_or(Code::UnknownColumn, |_| Code::Repeated);
                let mut error = FieldError::new(pointer, code);
                error.detail.zh.push_str(&format!("({name})"));
                error.detail.en.push_str(&format!(" ({name})"));
                wrong.push(error);
            }
            found.unwrap_or_default()
        };
        let key = column("/external_id".to_owned(), &self.external_id);
        let mut bound = BTreeMap::new();
        let mut mistakes = Vec::new();
        for (name, rule) in &self.fields {
            let Some(field) = target.fields().iter().find(|field| field.name == *name) else {
                mistakes.push(FieldError::new(
                    format!("/fields/{name}"),
                    Code::UnknownField,
                ));
                continue;
            };
            mistakes.extend(rule.mistakes(field));
            let columns: Vec<_> = rule
                .column
                .iter()
                .chain(&rule.columns)
                .map(|wanted| column(format!("/fields/{name}/column"), wanted))
                .collect();
            let pattern = rule.pattern.as_deref().and_then(|text| regex(text).ok());
            let one = Bound {
                field,
                rule: rule.clone(),
                columns,
                pattern,
            };
            bound.insert(field.name, one);
        }
        let required = target.fields().iter().filter(|field| field.required);
        let required = required.map(|field| vec![field.name]);
        let either = target.alternatives().iter().map(|names| names.to_vec());
        let is_given = |name: &&str| self.fields.contains_key(*name);
        let needed = required.chain(either);
        let missing = needed.filter(|names| !names.iter().any(is_given));
        mistakes.extend(missing.map(|names| lacking(&names)));
        if self.source.trim().is_empty() || self.source.chars().count() > 100 {
            mistakes.push(FieldError::new("/source", Code::Length));
        }
        wrong.extend(mistakes);
        if !wrong.is_empty() {
            let mut problem = Problem::new(Code::Invalid);
            problem.errors = wrong;
            return Err(problem.into());
        }
        let mut seen = HashSet::new();
        let keys = table.rows.iter().filter_map(|row| row.cells.get(key));
        let keys = keys.map(|key| tidy(key)).filter(|key| !key.is_empty());
        Ok(Plan {
            shared: keys.filter(|key| !seen.insert(key.clone())).collect(),
            source: tidy(&self.source),
            target,
            key: (key, tidy(&self.external_id)),
            width: table.header.len(),
            bound,
        })
    }
}

/// A field that no row can do without, or several of which it needs one, and that the mapping lacks.
fn lacking(names: &[&str]) -> FieldError {
    let first = names.first().copied().unwrap_or_default();
    FieldError {
        detail: Text::new(
            format!("映射须说明 {} 从哪里来。", names.join(" 或 ")),
            format!(
                "The mapping must say where {} comes from.",
                names.join(" or ")
            ),
        ),
        ..FieldError::new(format!("/fields/{first}"), Code::Required)
    }
}

fn regex(text: &str) -> std::result::Result<Regex, Code> {
    let regex = RegexBuilder::new(text)
        .size_limit(1 << 20)
        .build()
        .map_err(|_| Code::Format)?;
    // the whole match, and one group
    if regex.captures_len() == 2 {
        Ok(regex)
    } else {
        Err(Code::Format)
    }
}

impl Rule {
    fn mistakes(&self, field: &Field) -> Vec<FieldError> {
        let mut wrong = Vec::new();
        let mut add = |key: &str, code| {
            wrong.push(FieldError::new(
                format!("/fields/{}{key}", field.name),
                code,
            ));
        };
        let sources = [
            self.column.is_some(),
            !self.columns.is_empty(),
            self.constant.is_some(),
        ];
        match sources.iter().filter(|given| **given).count() {
            0 if self.default.is_none() => add("/column", Code::Required),
            0 | 1 => {}
            _ => add("/column", Code::OneOfTwo),
        }
        if let Some(pattern) = &self.pattern
            && regex(pattern).is_err()
        {
            add("/pattern", Code::Format);
        }
        let is_form = |form: &String| {
            !chrono::format::StrftimeItems::new(form)
                .any(|item| item == chrono::format::Item::Error)
        };
        if !self.formats.iter().all(is_form) {
            add("/formats", Code::Format);
        }
        if !self.formats.is_empty() && field.kind != Kind::Date {
            add("/formats", Code::UnknownField);
        }
        if !self.unlimited.is_empty() && field.kind != Kind::Limit {
            add("/unlimited", Code::UnknownField);
        }
        if self.split.is_some() && field.kind != Kind::List {
            add("/split", Code::UnknownField);
        }
        if self.split.as_deref() == Some("") {
            add("/split", Code::Length);
        }
        wrong
    }

    pub(super) fn translate(&self, text: &str) -> String {
        let same = |known: &&String| tidy(known).to_lowercase() == text.to_lowercase();
        match self.values.keys().find(same) {
            Some(known) => self.values[known].text(),
            None => self
                .otherwise
                .as_ref()
                .map_or(text.to_owned(), Scalar::text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::row::{Row, Value};
    use super::super::table::TableRow;
    use super::*;
    use proptest::prelude::*;

    const MAP: &str = r#"
source = "s"
external_id = "id"
[fields]
title = { columns = ["a", "b"], separator = " / " }
field = { column = "c", values = { Green = "environment" }, otherwise = "daily_life", default = "culture_sport" }
life_cycle = { constant = "support" }
starts_on = { column = "d", formats = ["%B %d %Y"] }
seats = { column = "e", unknown = [0], unlimited = [9999] }
latitude = { column = "f", pattern = '\((-?[0-9.]+),' }
skills = { column = "g", split = "|", values = { "First Aid" = "health.first_aid" } }
region = { constant = "330206" }
"#;

    fn table(cells: [&str; 8]) -> Table {
        let own = |text: &str| text.to_owned();
        Table {
            header: ["id", "a", "b", "c", "d", "e", "f", "g"].map(own).to_vec(),
            rows: vec![TableRow {
                line: 2,
                cells: cells.map(own).to_vec(),
            }],
        }
    }

    fn plan(table: &Table) -> Plan {
        let mapping = Mapping::parse(MAP).unwrap();
        mapping.bind(Target::Projects, table).unwrap()
    }

    #[test]
    fn cells_become_values() {
        let table = table([
            " 7 ",
            "A  B",
            "",
            "GREEN ",
            "July 30 2011",
            "9999",
            "Main St\n(40.5, -74)",
            "first aid| x |x",
        ]);
        let plan = plan(&table);
        let values = plan.read(&table.rows[0]);
        assert_eq!(plan.key(&table.rows[0]).as_deref(), Some("7"));
        assert_eq!(values["title"], Value::Given("A B".into()));
        assert_eq!(values["field"], Value::Given("environment".into()));
        assert_eq!(values["life_cycle"], Value::Fixed("support".into()));
        assert_eq!(values["seats"], Value::Unlimited);
        let mut row = Row::new(&plan, values, chrono_tz::Asia::Shanghai);
        assert_eq!(row.decimal("latitude"), Some(40.5));
        assert_eq!(row.list("skills"), ["health.first_aid", "x"]);
        assert_eq!(row.limit("seats", 10_000), Some(10_000));
        assert!(row.date("starts_on").is_some());
        assert!(row.finish(Ok(())).is_ok());
    }

    #[test]
    fn what_says_nothing_is_absent_or_the_default() {
        let table = table(["7", "", "", "", "", "0", "no place", ""]);
        let plan = plan(&table);
        let values = plan.read(&table.rows[0]);
        assert_eq!(values["field"], Value::Fixed("culture_sport".into()));
        for absent in ["title", "starts_on", "seats", "latitude"] {
            assert_eq!(values[absent], Value::Absent, "{absent}");
        }
        assert!(
            Row::new(&plan, values, chrono_tz::Asia::Shanghai)
                .finish(Ok(()))
                .is_err()
        );
    }

    #[test]
    fn every_mistake_of_a_mapping_is_named_at_once() {
        let text = "source = ''\nexternal_id = 'nr'\n[fields]\n\
            title = { column = 'x', constant = 1, pattern = 'a' }\nseats = { column = 'a', formats = ['%Y'] }\n\
            starts_on = { column = 'd', formats = ['%!'] }\nother = {}\n";
        let mapping = Mapping::parse(text).unwrap();
        let wrong = mapping.bind(Target::Projects, &table([""; 8])).unwrap_err();
        let crate::error::Error::Problem(wrong) = wrong else {
            panic!("{wrong}")
        };
        let named: Vec<_> = wrong
            .errors
            .iter()
            .map(|e| (e.pointer.as_str(), e.code))
            .collect();
        for expected in [
            ("/external_id", Code::UnknownColumn),
            ("/fields/title/column", Code::UnknownColumn),
            ("/fields/title/column", Code::OneOfTwo),
            ("/fields/title/pattern", Code::Format),
            ("/fields/seats/formats", Code::UnknownField),
            ("/fields/starts_on/formats", Code::Format),
            ("/fields/other", Code::UnknownField),
            ("/fields/field", Code::Required),
            ("/fields/region", Code::Required),
            ("/source", Code::Length),
        ] {
            assert!(
                named.contains(&expected),
                "{expected:?} is not among {named:?}"
            );
        }
        assert!(Mapping::parse("source = 's'\nexternal_id = 'i'\nfields = {}\nmore = 1").is_err());
    }

    proptest! {
        #[test]
        fn any_cells_are_read_or_refused(cells in prop::collection::vec("\\PC{0,40}", 0..10)) {
            let mut table = table([""; 8]);
            table.rows[0].cells = cells;
            let plan = plan(&table);
            let values = plan.read(&table.rows[0]);
            let mut row = Row::new(&plan, values, chrono_tz::Asia::Shanghai);
            row.date("starts_on");
            row.limit("seats", 10);
            row.decimal("latitude");
            row.truth("field");
            row.phone("title");
            row.list("skills");
            let _ = row.finish(Ok(()));
        }

        #[test]
        fn any_text_is_a_mapping_or_refused(text in "\\PC{0,200}") {
            let _ = Mapping::parse(&text);
        }
    }
}
