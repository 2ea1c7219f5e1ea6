//! Traditional and simplified characters as one: whoever searches for 環境 finds 环境, and the reverse.
//!
//! The table is that of OpenCC, character by character; which word a character stands in is not looked
//! at, so that what is indexed and what is asked for become the same whatever stands around it. One of
//! several traditional forms of a simplified character is as good as another.

use std::sync::LazyLock;

/// Traditional characters and their simplified forms, ascending.
static SIMPLIFIED: LazyLock<Vec<(char, char)>> = LazyLock::new(|| {
    let one = |text: &str| {
        let mut chars = text.chars();
        chars.next().filter(|_| chars.next().is_none())
    };
    let mut table: Vec<_> = hanconv::RawDictionary::TSCharacters
        .iter()
        .filter_map(|(from, to)| Some((one(from)?, one(to)?)))
        .collect();
    table.sort_unstable();
    // what became something that becomes something else is that
    let last: Vec<_> = table.iter().map(|(_, to)| look_up(&table, *to)).collect();
    for (entry, last) in table.iter_mut().zip(last) {
        entry.1 = last;
    }
    table
});

fn look_up(table: &[(char, char)], c: char) -> char {
    let found = table.binary_search_by_key(&c, |(from, _)| *from);
    found.map_or(c, |at| table[at].1)
}

/// A character in its simplified form; itself where it has none.
pub fn simplified(c: char) -> char {
    look_up(&SIMPLIFIED, c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn traditional_characters_become_simplified_ones_and_no_others_change() {
        let of = |text: &str| -> String { text.chars().map(simplified).collect() };
        assert_eq!(of("環境保護與長者關懷"), "环境保护与长者关怀");
        assert_eq!(of("环境保护 volunteers 2026"), "环境保护 volunteers 2026");
    }

    #[test]
    fn doing_it_again_changes_nothing() {
        assert!(SIMPLIFIED.len() > 3_000);
        for (from, to) in SIMPLIFIED.iter() {
            assert_eq!(
                simplified(*to),
                *to,
                "{from} becomes {to}, and that something else"
            );
        }
    }
}
