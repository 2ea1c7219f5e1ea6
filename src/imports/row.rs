//! One row in the words of its target, read field by field; what is wrong is collected.

use std::collections::BTreeMap;
use std::str::FromStr;

use chrono::NaiveDate;
use chrono_tz::Tz;
use serde::Serialize;

use super::dates;
use super::plan::Plan;
use crate::error::{Code, Problem, Result};
use crate::identity;

/// What a row says about a field.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub enum Value {
    /// Nothing.
    Absent,
    /// That there is no limit.
    Unlimited,
    /// What stands in its cells.
    Given(String),
    /// What the mapping says instead.
    Fixed(String),
}

/// One row being read.
pub struct Row<'a> {
    plan: &'a Plan,
    values: BTreeMap<&'static str, Value>,
    zone: Tz,
    wrong: Problem,
}

impl<'a> Row<'a> {
    /// A row whose required fields are looked at.
    pub fn new(plan: &'a Plan, values: BTreeMap<&'static str, Value>, zone: Tz) -> Self {
        let mut row = Self {
            plan,
            values,
            zone,
            wrong: Problem::new(Code::Invalid),
        };
        for field in plan.target.fields() {
            if field.required && row.value(field.name) == &Value::Absent {
                row.refuse(field.name, Code::Required);
            }
        }
        row
    }

    fn value(&self, name: &str) -> &Value {
        self.values.get(name).unwrap_or(&Value::Absent)
    }

    /// Notes that a field is wrong.
    pub fn refuse(&mut self, name: &str, code: Code) {
        let wrong = std::mem::replace(&mut self.wrong, Problem::new(Code::Invalid));
        self.wrong = wrong.field(format!("/{name}"), code);
    }

    /// Ends the reading.
    ///
    /// # Errors
    /// `invalid` with every field that was wrong.
    pub fn finish(&self) -> Result<()> {
        if self.wrong.errors.is_empty() {
            Ok(())
        } else {
            Err(self.wrong.clone().into())
        }
    }

    /// What the row itself says, leaving constants and defaults aside.
    pub fn given(&self, name: &str) -> Option<String> {
        match self.value(name) {
            Value::Given(text) => Some(text.clone()),
            _ => None,
        }
    }

    /// A text.
    pub fn text(&self, name: &str) -> Option<String> {
        match self.value(name) {
            Value::Given(text) | Value::Fixed(text) => Some(text.clone()),
            Value::Absent | Value::Unlimited => None,
        }
    }

    fn parsed<T>(&mut self, name: &str, parse: impl Fn(&str) -> Option<T>) -> Option<T> {
        let text = self.text(name)?;
        let value = parse(&text);
        if value.is_none() {
            self.refuse(name, Code::Format);
        }
        value
    }

    /// One of the choices of an enum, by its code.
    pub fn choice<T: FromStr>(&mut self, name: &str) -> Option<T> {
        let text = self.text(name)?;
        let value = text.to_lowercase().parse().ok();
        if value.is_none() {
            self.refuse(name, Code::UnknownReference);
        }
        value
    }

    /// A date; that of an instant is the one in the row's zone.
    pub fn date(&mut self, name: &str) -> Option<NaiveDate> {
        let (plan, zone) = (self.plan, self.zone);
        self.parsed(name, |text| dates::date(text, plan.formats(name), zone))
    }

    /// A mobile number, in its normal form.
    pub fn phone(&mut self, name: &str) -> Option<String> {
        self.parsed(name, |text| identity::normal_phone(text).ok())
    }

    /// A whole number; `12,000` and `12.0` are some.
    pub fn integer(&mut self, name: &str) -> Option<i64> {
        self.parsed(name, integer)
    }

    /// A whole number that may be unlimited: `most` then.
    pub fn limit(&mut self, name: &str, most: i32) -> Option<i32> {
        if self.value(name) == &Value::Unlimited {
            return Some(most);
        }
        let number = i32::try_from(self.integer(name)?).ok();
        if number.is_none() {
            self.refuse(name, Code::Range);
        }
        number
    }

    /// A number.
    pub fn decimal(&mut self, name: &str) -> Option<f64> {
        self.parsed(name, |text| {
            text.parse().ok().filter(|number: &f64| number.is_finite())
        })
    }

    /// A truth; false where nothing is said.
    pub fn truth(&mut self, name: &str) -> bool {
        let value = self.parsed(name, |text| match text.to_lowercase().as_str() {
            "true" | "yes" | "y" | "1" | "是" => Some(true),
            "false" | "no" | "n" | "0" | "否" => Some(false),
            _ => None,
        });
        value.unwrap_or(false)
    }

    /// The items of a list, each translated, each once.
    pub fn list(&self, name: &str) -> Vec<String> {
        let text = self.text(name).unwrap_or_default();
        let mut items: Vec<String> = Vec::new();
        for item in text.split(self.plan.split(name)).map(str::trim) {
            let item = self.plan.translate(name, item);
            if !item.is_empty() && !items.contains(&item) {
                items.push(item);
            }
        }
        items
    }
}

fn integer(text: &str) -> Option<i64> {
    let mut groups = text.split(',');
    let first = groups.next()?;
    let is_grouped =
        groups.all(|group| group.len() == 3 && group.bytes().all(|b| b.is_ascii_digit()));
    let plain = if is_grouped && !first.is_empty() {
        text.replace(',', "")
    } else {
        text.to_owned()
    };
    match plain.split_once('.') {
        Some((whole, zeros)) if zeros.bytes().all(|b| b == b'0') => whole.parse().ok(),
        Some(_) => None,
        None => plain.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_as_people_write_them() {
        for (text, number) in [
            ("12", Some(12)),
            ("12,000", Some(12_000)),
            ("12.0", Some(12)),
            ("1,5", None),
            ("1.5", None),
            ("-3", Some(-3)),
            ("", None),
            ("99999999999999999999", None),
        ] {
            assert_eq!(integer(text), number, "{text}");
        }
    }
}
