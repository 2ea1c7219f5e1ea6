//! One row in the words of its target, read field by field; what is wrong is collected.

use std::collections::BTreeMap;
use std::str::FromStr;

use chrono::NaiveDate;
use chrono_tz::Tz;
use serde::Serialize;

use super::dates;
use super::plan::Plan;
use crate::error::{Code, Error, FieldError, Problem, Result};
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
    /// That a formula of the sheet failed.
    Failed,
}

/// One row being read.
pub struct Row<'a> {
    plan: &'a Plan,
    values: BTreeMap<&'static str, Value>,
    zone: Tz,
    wrong: Problem,
    /// Fields of which nothing is said, since others that they hang on are wrong.
    open: Vec<&'static str>,
}

impl<'a> Row<'a> {
    /// A row whose required fields are looked at.
    pub fn new(plan: &'a Plan, values: BTreeMap<&'static str, Value>, zone: Tz) -> Self {
        let mut row = Self {
            plan,
            values,
            zone,
            wrong: Problem::new(Code::Invalid),
            open: Vec::new(),
        };
        for field in plan.target.fields() {
            match row.value(field.name) {
                Value::Failed => row.refuse(field.name, Code::Format),
                Value::Absent if field.required => row.refuse(field.name, Code::Required),
                _ => {}
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

    /// Notes that a field is missing, unless it is known to be wrong.
    pub fn require(&mut self, name: &str) {
        if !self.is_wrong(name) {
            self.refuse(name, Code::Required);
        }
    }

    /// Says nothing of a field: it hangs on another one that is wrong.
    pub fn leave_open(&mut self, name: &'static str) {
        self.open.push(name);
    }

    /// Whether a field was found wrong, or left open.
    pub fn is_wrong(&self, name: &str) -> bool {
        let at = |error: &FieldError| self.plan.target.field_at(&error.pointer) == name;
        self.open.contains(&name) || self.wrong.errors.iter().any(at)
    }

    /// Whether anything was found wrong.
    pub fn is_bad(&self) -> bool {
        !self.wrong.errors.is_empty()
    }

    /// Ends the reading with what was made of it. Something is made of a bad row, too, with stand-ins
    /// for what could not be read, so that all that is wrong is told at once; the caller undoes it.
    ///
    /// # Errors
    /// `invalid` with every field that was wrong, and what was refused about the others.
    pub fn finish<T>(&self, made: Result<T>) -> Result<T> {
        if !self.is_bad() {
            return made;
        }
        match made {
            Ok(_) => Err(self.wrong.clone().into()),
            Err(Error::Problem(mut refused)) => {
                if refused.code != Code::Invalid {
                    refused.errors.push(FieldError {
                        pointer: String::new(),
                        code: refused.code,
                        detail: refused.detail.clone(),
                    });
                }
                let target = self.plan.target;
                refused
                    .errors
                    .retain(|error| !self.is_wrong(&target.field_at(&error.pointer)));
                Err(self.wrong.clone().and(*refused).into())
            }
            Err(error) if error.is_unique_violation() => Err(self.wrong.clone().into()),
            Err(error) => Err(error),
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
            Value::Absent | Value::Unlimited | Value::Failed => None,
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

    /// Degrees east and north; neither where one is wrong.
    pub fn coordinate(&mut self) -> (Option<f64>, Option<f64>) {
        let coordinate = (self.decimal("longitude"), self.decimal("latitude"));
        if self.is_wrong("longitude") || self.is_wrong("latitude") {
            return (None, None);
        }
        coordinate
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
