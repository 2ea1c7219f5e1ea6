//! How texts are read: the same way when they are indexed, asked for and highlighted.
//!
//! Every character is taken in its compatibility form (NFKC) and in lower case, so that full width
//! and half width, `ＣＰＲ` and `cpr`, are one; ideographs in their simplified form, so that 環境 and
//! 环境 are one. What is left falls into runs: ideographs, which a
//! dictionary splits into words, and everything else that is written in letters and digits, where a
//! run is a word. Blanks, punctuation and symbols only part them.

use std::ops::Range;

use icu_normalizer::ComposingNormalizerBorrowed;
use icu_segmenter::WordSegmenter;
use icu_segmenter::options::WordBreakInvariantOptions;

use super::variants::simplified;

/// How a run is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Script {
    /// Without blanks between words: each character may begin one.
    Ideographic,
    /// In letters and digits.
    Alphabetic,
}

/// A piece of a text without blanks or punctuation in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// How it is written.
    pub script: Script,
    /// Its characters, in their common form.
    pub chars: Vec<char>,
    /// Of each of them, the number of the character of the text that it comes from.
    pub at: Vec<usize>,
}

impl Run {
    /// Its text.
    pub fn text(&self) -> String {
        self.chars.iter().collect()
    }

    /// The words of a run of ideographs, as ranges of its characters; a run of letters is one.
    pub fn words(&self) -> Vec<Range<usize>> {
        if self.script == Script::Alphabetic {
            return std::iter::once(0..self.chars.len()).collect();
        }
        let text = self.text();
        // the dictionary is a table in the binary: making the segmenter reads nothing
        let segmenter = WordSegmenter::new_dictionary(WordBreakInvariantOptions::default());
        let mut words = Vec::new();
        let (mut from_byte, mut from) = (0, 0);
        for end in segmenter.segment_str(&text).filter(|end| *end > 0) {
            let until = from + text[from_byte..end].chars().count();
            words.push(from..until);
            (from_byte, from) = (end, until);
        }
        words
    }
}

/// Splits a text into runs.
pub fn runs(text: &str) -> Vec<Run> {
    let normal = ComposingNormalizerBorrowed::new_nfkc();
    let mut runs: Vec<Run> = Vec::new();
    let mut is_open = false;
    let mut buffer = [0; 4];
    for (number, original) in text.chars().enumerate() {
        let common = normal.normalize(original.encode_utf8(&mut buffer));
        let common = common.chars().flat_map(char::to_lowercase);
        for c in common.map(simplified) {
            let Some(script) = script(c) else {
                // accents that stand beside their letter belong to its word
                is_open &= is_mark(c);
                continue;
            };
            match runs.last_mut() {
                Some(run) if is_open && run.script == script => {
                    run.chars.push(c);
                    run.at.push(number);
                }
                _ => runs.push(Run {
                    script,
                    chars: vec![c],
                    at: vec![number],
                }),
            }
            is_open = true;
        }
    }
    runs
}

/// How a character is written; none for what parts words.
fn script(c: char) -> Option<Script> {
    let is_ideograph = matches!(c,
        '\u{3005}'..='\u{3007}' | '\u{3040}'..='\u{30FF}' | '\u{3400}'..='\u{4DBF}'
        | '\u{4E00}'..='\u{9FFF}' | '\u{F900}'..='\u{FAFF}' | '\u{20000}'..='\u{3FFFF}');
    if is_ideograph && c.is_alphanumeric() {
        Some(Script::Ideographic)
    } else if c.is_alphanumeric() {
        Some(Script::Alphabetic)
    } else {
        None
    }
}

fn is_mark(c: char) -> bool {
    matches!(c, '\u{0300}'..='\u{036F}' | '\u{200B}'..='\u{200D}' | '\u{FE00}'..='\u{FE0F}')
}

/// Whether `word` is `wanted` with at most one slip: a letter more, less or another, or two
/// neighbours swapped.
pub fn is_near(wanted: &[char], word: &[char]) -> bool {
    let same = wanted.iter().zip(word).take_while(|(a, b)| a == b).count();
    let (wanted, word) = (&wanted[same..], &word[same..]);
    match wanted.len() as i64 - word.len() as i64 {
        0 => match wanted {
            [] | [_] => true,
            [first, second, rest @ ..] => {
                wanted[1..] == word[1..] || [*second, *first] == word[..2] && *rest == word[2..]
            }
        },
        1 => wanted[1..] == *word,
        -1 => *wanted == word[1..],
        _ => false,
    }
}

/// Whether a beginning of `word` is [`is_near`] to `wanted`.
pub fn begins_near(wanted: &[char], word: &[char]) -> bool {
    let shortest = wanted.len().saturating_sub(1);
    (shortest..=wanted.len() + 1)
        .filter_map(|length| word.get(..length))
        .any(|beginning| is_near(wanted, beginning))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn words(text: &str) -> Vec<String> {
        let of = |run: Run| {
            let words = run.words();
            words
                .into_iter()
                .map(|word| run.chars[word].iter().collect())
                .collect::<Vec<String>>()
        };
        runs(text).into_iter().flat_map(of).collect()
    }

    #[test]
    fn width_and_case_are_one_and_the_dictionary_finds_words() {
        assert_eq!(words("ＣＰＲ急救，Ａ４纸"), ["cpr", "急救", "a4", "纸"]);
        assert_eq!(
            words("癌症患者心理关怀服务"),
            ["癌症", "患者", "心理", "关怀", "服务"]
        );
        assert_eq!(
            words("Sunshine MOTHERS – 朝霞妈妈"),
            ["sunshine", "mothers", "朝霞", "妈妈"]
        );
        assert_eq!(
            words("環境保護，志願服務"),
            ["环境", "保护", "志愿", "服务"]
        );
        assert!(words("？！…  \u{200B}“”*").is_empty());
    }

    #[test]
    fn each_character_knows_where_it_comes_from() {
        let runs = runs("㈱ﬁ水");
        let at: Vec<_> = runs.iter().flat_map(|run| run.at.clone()).collect();
        // a bracketed ideograph and a ligature are several characters of one place
        assert_eq!(at, [0, 1, 1, 2]);
    }

    /// Damerau's distance where no part is changed twice, by the book.
    fn distance(a: &[char], b: &[char]) -> usize {
        let mut d = vec![vec![0; b.len() + 1]; a.len() + 1];
        for i in 0..=a.len() {
            for j in 0..=b.len() {
                d[i][j] = if i == 0 || j == 0 {
                    i + j
                } else {
                    let other = usize::from(a[i - 1] != b[j - 1]);
                    let mut best = (d[i - 1][j - 1] + other)
                        .min(d[i - 1][j] + 1)
                        .min(d[i][j - 1] + 1);
                    if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                        best = best.min(d[i - 2][j - 2] + 1);
                    }
                    best
                };
            }
        }
        d[a.len()][b.len()]
    }

    proptest! {
        #[test]
        fn near_is_at_most_one_slip(a in "[abc]{0,6}", b in "[abc]{0,6}") {
            let (a, b): (Vec<_>, Vec<_>) = (a.chars().collect(), b.chars().collect());
            prop_assert_eq!(is_near(&a, &b), distance(&a, &b) <= 1);
            let beginning = (0..=b.len()).any(|length| distance(&a, &b[..length]) <= 1);
            prop_assert_eq!(begins_near(&a, &b), beginning);
        }

        #[test]
        fn any_text_can_be_read(text in any::<String>()) {
            for run in runs(&text) {
                prop_assert!(!run.chars.is_empty());
                prop_assert_eq!(run.chars.len(), run.at.len());
                let words = run.words();
                let joined: usize = words.iter().map(|word| word.len()).sum();
                prop_assert_eq!(joined, run.chars.len());
            }
        }
    }
}
