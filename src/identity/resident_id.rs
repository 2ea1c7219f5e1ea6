//! Numbers of resident identity cards (GB 11643): seventeen digits and a check character.

use chrono::{Months, NaiveDate};

use crate::error::Code;

/// A number of a resident identity card that is well-formed: right check character, a real date of
/// birth. It says nothing about whether such a card exists. Never logged: it has no `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct ResidentId(String);

impl ResidentId {
    /// Reads a number; a small `x` at the end counts as `X`.
    ///
    /// # Errors
    /// `resident_id_format`.
    pub fn parse(text: &str) -> Result<Self, Code> {
        const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
        const CHECKS: &[u8; 11] = b"10X98765432";
        let text = text.trim().to_ascii_uppercase();
        let (Some(body), Some(check)) = (text.get(..17), text.as_bytes().get(17)) else {
            return Err(Code::ResidentIdFormat);
        };
        if text.len() != 18 || !body.bytes().all(|b| b.is_ascii_digit()) {
            return Err(Code::ResidentIdFormat);
        }
        let sum: u32 = body
            .bytes()
            .zip(WEIGHTS)
            .map(|(digit, weight)| u32::from(digit - b'0') * weight)
            .sum();
        let number = Self(text.clone());
        if CHECKS[(sum % 11) as usize] != *check || number.born().is_none() {
            return Err(Code::ResidentIdFormat);
        }
        Ok(number)
    }

    fn born(&self) -> Option<NaiveDate> {
        NaiveDate::parse_from_str(self.0.get(6..14)?, "%Y%m%d").ok()
    }

    /// Whether the person has turned `years` on a day. Born on 29 February, one turns a year older
    /// on 1 March of a common year (Civil Code art. 1259: a term begins the day after).
    pub fn has_turned(&self, years: u32, on: NaiveDate) -> bool {
        self.born().is_some_and(|born| {
            let birthday = born.checked_add_months(Months::new(12 * years));
            birthday.is_some_and(|day| {
                let is_leap_child = chrono::Datelike::day(&day) != chrono::Datelike::day(&born);
                if is_leap_child { on > day } else { on >= day }
            })
        })
    }

    /// The number itself, to be sealed.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The number as others may see it: the first digit and the last.
    pub fn masked(&self) -> String {
        format!("{}****************{}", &self.0[..1], &self.0[17..])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_vectors_of_the_standard_pass() {
        for good in [
            "11010519491231002X",
            "11010519491231002x",
            "440524188001010014",
        ] {
            assert!(ResidentId::parse(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "110105194912310021",
            "11010519491331002X",
            "1101051949123100",
            "11010519491231002X0",
            "一一010519491231002X",
        ] {
            assert!(ResidentId::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn one_turns_eighteen_on_the_birthday() {
        let id = ResidentId::parse("11010519491231002X").unwrap_or_else(|_| unreachable!());
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        assert!(!id.has_turned(18, day("1967-12-30")));
        assert!(id.has_turned(18, day("1967-12-31")));
        assert_eq!(id.masked(), "1****************X");
    }

    proptest! {
        #[test]
        fn no_text_breaks_it(text in "\\PC{0,24}") {
            let _ = ResidentId::parse(&text);
        }
    }
}
