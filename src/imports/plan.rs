//! A mapping bound to the columns of a file: what each row says.

use std::collections::{BTreeMap, HashSet};

use regex::Regex;

use super::mapping::{Rule, Scalar};
use super::row::Value;
use super::table::{TableRow, tidy};
use super::targets::{Field, Kind, Target};
use crate::identity;

/// What only one thing is or has: in normal form, so that equal ones are the same text.
pub type Tie = (&'static str, String);

/// A mapping bound to the columns of a file.
#[derive(Debug)]
pub struct Plan {
    /// Names where the data come from.
    pub source: String,
    /// What is imported.
    pub target: Target,
    pub(super) key: (usize, String),
    pub(super) width: usize,
    pub(super) bound: BTreeMap<&'static str, Bound>,
    /// The ids that stand in the file more than once.
    pub(super) shared: HashSet<String>,
}

/// A field bound to the columns it comes from.
#[derive(Debug)]
pub(super) struct Bound {
    pub(super) field: &'static Field,
    pub(super) rule: Rule,
    pub(super) columns: Vec<usize>,
    pub(super) pattern: Option<Regex>,
}

impl Plan {
    /// What a row says in the words of the target.
    pub fn read(&self, row: &TableRow) -> BTreeMap<&'static str, Value> {
        self.bound
            .iter()
            .map(|(name, bound)| (*name, bound.read(row)))
            .collect()
    }

    /// The id a row has where it comes from; none when it has none.
    pub fn key(&self, row: &TableRow) -> Option<String> {
        let key = tidy(row.cells.get(self.key.0)?);
        (!key.is_empty()).then_some(key)
    }

    /// The id of a row, if other rows have it, too.
    pub fn shared_key(&self, row: &TableRow) -> Option<&String> {
        self.shared.get(&self.key(row)?)
    }

    /// By what a row meets others of its file, and whether it makes that or only refers to it.
    pub fn ties(&self, row: &TableRow) -> Vec<(Tie, bool)> {
        let tie = |(field, what): &(&'static str, &'static str)| {
            let text = match self.bound.get(field)?.read(row) {
                Value::Given(text) | Value::Fixed(text) => text,
                Value::Absent | Value::Unlimited | Value::Failed => return None,
            };
            let text = identity::normal_phone(&text).unwrap_or(text.to_lowercase());
            Some(((*what, text), field == what))
        };
        self.target.ties().iter().filter_map(tie).collect()
    }

    /// Whether a row has more cells than there are columns.
    pub fn is_too_wide(&self, row: &TableRow) -> bool {
        row.cells
            .iter()
            .skip(self.width)
            .any(|cell| !cell.trim().is_empty())
    }

    /// The forms that the dates of a field have.
    pub fn formats(&self, field: &str) -> &[String] {
        self.bound
            .get(field)
            .map_or(&[], |bound| bound.rule.formats.as_slice())
    }

    /// What stands between the items of a list.
    pub fn split(&self, field: &str) -> &str {
        self.bound
            .get(field)
            .and_then(|bound| bound.rule.split.as_deref())
            .unwrap_or(";")
    }

    /// What an item of a list means.
    pub fn translate(&self, field: &str, item: &str) -> String {
        self.bound
            .get(field)
            .map_or(item.to_owned(), |bound| bound.rule.translate(item))
    }

    /// Whether it is a field of the target of which the mapping says nothing.
    pub fn lacks(&self, field: &str) -> bool {
        let is_known = self.target.fields().iter().any(|known| known.name == field);
        is_known && !self.bound.contains_key(field)
    }

    /// The columns a field comes from, and what stands there in a row.
    pub fn origin(&self, field: &str, row: &TableRow) -> (Option<String>, Option<String>) {
        if field == "external_id" {
            return (Some(self.key.1.clone()), row.cells.get(self.key.0).cloned());
        }
        let Some(bound) = self.bound.get(field) else {
            return (None, None);
        };
        let rule = &bound.rule;
        let named = rule.column.iter().chain(&rule.columns);
        let names: Vec<_> = named.map(|name| tidy(name)).collect();
        if names.is_empty() {
            return (None, None);
        }
        (Some(names.join(" + ")), Some(bound.source(row)))
    }
}

impl Bound {
    fn source(&self, row: &TableRow) -> String {
        let cells = self.columns.iter().filter_map(|n| row.cells.get(*n));
        let pieces: Vec<_> = cells
            .map(|cell| tidy(cell))
            .filter(|cell| !cell.is_empty())
            .collect();
        pieces.join(self.rule.separator.as_deref().unwrap_or(" "))
    }

    fn read(&self, row: &TableRow) -> Value {
        if let Some(constant) = &self.rule.constant {
            return Value::Fixed(constant.text());
        }
        let otherwise = || match &self.rule.default {
            Some(default) => Value::Fixed(default.text()),
            None => Value::Absent,
        };
        let text = self.source(row);
        let said = sentinel(&text);
        let is_one_of = |list: &[Scalar]| list.iter().any(|one| sentinel(&one.text()) == said);
        if text.is_empty() || is_one_of(&self.rule.unknown) {
            return otherwise();
        }
        if is_one_of(&self.rule.unlimited) {
            return Value::Unlimited;
        }
        let cells = self.columns.iter().filter_map(|n| row.cells.get(*n));
        if cells.into_iter().any(|cell| is_failed(cell)) {
            return Value::Failed;
        }
        let text = match &self.pattern {
            None => text,
            Some(pattern) => match pattern.captures(&text).and_then(|found| found.get(1)) {
                Some(found) => tidy(found.as_str()),
                None => return otherwise(),
            },
        };
        let text = match self.field.kind {
            Kind::List => text,
            _ => self.rule.translate(&text),
        };
        if text.is_empty() {
            otherwise()
        } else {
            Value::Given(text)
        }
    }
}

/// Whether a cell holds what spreadsheets show where a formula failed.
pub(super) fn is_failed(cell: &str) -> bool {
    const ERRORS: [&str; 8] = [
        "#DIV/0!", "#N/A", "#NAME?", "#NULL!", "#NUM!", "#REF!", "#VALUE!", "#DATA!",
    ];
    ERRORS.contains(&tidy(cell).as_str())
}

/// What a sentinel is compared by: a plain decimal number by its value (`9999.0` is `9999`), any
/// other text without regard to upper and lower case.
fn sentinel(text: &str) -> String {
    let (sign, digits) = text
        .strip_prefix('-')
        .map_or(("", text), |rest| ("-", rest));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let is_digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    if !is_digits(whole) || !is_digits(fraction) {
        return text.to_lowercase();
    }
    let (whole, fraction) = (
        whole.trim_start_matches('0'),
        fraction.trim_end_matches('0'),
    );
    match (whole, fraction) {
        ("", "") => "0".to_owned(),
        (whole, "") => format!("{sign}{whole}"),
        (whole, fraction) => format!("{sign}{whole}.{fraction}"),
    }
}

#[cfg(test)]
mod tests {
    use super::sentinel;

    #[test]
    fn sentinels_are_the_same_by_value_or_by_text() {
        for (one, other, is_same) in [
            ("9999", "9999.0", true),
            ("0", "-0.00", true),
            ("-1.50", "-1.5", true),
            ("N/A", "n/a", true),
            ("1", "-1", false),
            ("9999", "9,999", false),
            ("9999", "9999.", false),
            ("9999", "9.999e3", false),
            ("1", "10", false),
        ] {
            assert_eq!(sentinel(one) == sentinel(other), is_same, "{one} {other}");
        }
    }
}
