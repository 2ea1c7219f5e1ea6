//! What a query asks for, and whether a text has it.
//!
//! There is no query language: every word is wanted, in any order, in title or text.
//!
//! * Ideographs are split into words by the dictionary; each must stand in the text as written,
//!   whichever words the dictionary sees there. So single characters are found, and what the
//!   dictionary splits in two ways is not lost.
//! * A word in letters is wanted as it is; one of [`LONG`] or more letters may have one slip. Digits
//!   may have none: 2026 is not 2025.
//! * The last word in letters may be unfinished, unless something follows it.

use std::ops::Range;

use super::text::{Run, Script, begins_near, is_near, runs};

/// From how many letters on a word may have a slip.
pub const LONG: usize = 4;

/// What one hit counts: in titles more than in texts, as a word more than inside of one.
pub mod weight {
    /// A word of the title is the one that was asked for.
    pub const TITLE_WORD: u32 = 8;
    /// The title has it otherwise: inside of a word, unfinished or with a slip.
    pub const TITLE: u32 = 4;
    /// A word of the text is the one that was asked for.
    pub const TEXT_WORD: u32 = 2;
    /// The text has it otherwise.
    pub const TEXT: u32 = 1;
}

/// One thing that a query asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Term {
    /// How it is written.
    pub script: Script,
    /// Its characters, in their common form.
    pub chars: Vec<char>,
    /// Whether it may be the beginning of a word.
    pub is_unfinished: bool,
}

impl Term {
    /// Whether a slip is let pass.
    pub fn is_lenient(&self) -> bool {
        self.script == Script::Alphabetic
            && self.chars.len() >= LONG
            && !self.chars.iter().any(|c| c.is_numeric())
    }

    /// Where a run has it, as ranges of its characters.
    fn places(&self, run: &Run) -> Vec<Range<usize>> {
        if run.script != self.script {
            return Vec::new();
        }
        let whole = 0..run.chars.len();
        let is_found = match (self.script, self.is_unfinished, self.is_lenient()) {
            (Script::Ideographic, ..) => {
                let length = self.chars.len();
                return (0..(run.chars.len() + 1).saturating_sub(length))
                    .filter(|from| run.chars[*from..from + length] == self.chars)
                    .map(|from| from..from + length)
                    .collect();
            }
            (_, true, true) => begins_near(&self.chars, &run.chars),
            (_, true, false) => run.chars.starts_with(&self.chars),
            (_, false, true) => is_near(&self.chars, &run.chars),
            (_, false, false) => run.chars == self.chars,
        };
        if is_found { vec![whole] } else { Vec::new() }
    }
}

/// A query as it is read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Terms(pub Vec<Term>);

impl Terms {
    /// Reads a query. Without any letter, digit or ideograph there is nothing in it.
    pub fn of(query: &str) -> Self {
        let runs = runs(query);
        // of the last run, the last character comes from the last one of the query
        let last = query.trim_end_matches('\u{200B}').chars().count();
        let ends_open = runs
            .last()
            .and_then(|run| run.at.last())
            .is_some_and(|at| at + 1 == last);
        let count = runs.len();
        let mut terms: Vec<Term> = Vec::new();
        for (number, run) in runs.iter().enumerate() {
            for word in run.words() {
                let term = Term {
                    script: run.script,
                    chars: run.chars[word].to_vec(),
                    is_unfinished: run.script == Script::Alphabetic
                        && number + 1 == count
                        && ends_open,
                };
                if !terms.contains(&term) {
                    terms.push(term);
                }
            }
        }
        Self(terms)
    }

    /// Whether there is nothing to look for.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How well a thing with this title and text fits; none when something is missing. What the
    /// index answers, without it: for few things, and to hold the index against.
    pub fn score(&self, title: &str, text: &str) -> Option<u32> {
        let fields = [
            (runs(title), weight::TITLE_WORD, weight::TITLE),
            (runs(text), weight::TEXT_WORD, weight::TEXT),
        ];
        let mut sum = 0;
        for term in &self.0 {
            let mut score = 0;
            for (runs, as_word, otherwise) in &fields {
                let in_run = |run: &Run| !term.places(run).is_empty();
                let is_word = |run: &Run| {
                    let same = run.script == term.script;
                    same && run
                        .words()
                        .into_iter()
                        .any(|word| run.chars[word] == term.chars)
                };
                if runs.iter().any(in_run) {
                    score += otherwise;
                }
                if runs.iter().any(is_word) {
                    score += as_word;
                }
            }
            if score == 0 {
                return None;
            }
            sum += score;
        }
        Some(sum)
    }

    /// Where a text has what is asked for: ranges of its characters, ascending, apart.
    pub fn hits(&self, text: &str) -> Vec<Range<usize>> {
        let mut hits: Vec<Range<usize>> = Vec::new();
        for run in runs(text) {
            for term in &self.0 {
                for place in term.places(&run) {
                    hits.push(run.at[place.start]..run.at[place.end - 1] + 1);
                }
            }
        }
        hits.sort_unstable_by_key(|hit| (hit.start, hit.end));
        let mut apart: Vec<Range<usize>> = Vec::new();
        for hit in hits {
            match apart.last_mut() {
                Some(last) if hit.start <= last.end => last.end = last.end.max(hit.end),
                _ => apart.push(hit),
            }
        }
        apart
    }
}

/// A part of a text around its first hit, up to `length` characters, with the hits in it; the
/// beginning where there is none.
pub fn excerpt(text: &str, hits: &[Range<usize>], length: usize) -> (String, Vec<Range<usize>>) {
    let chars: Vec<char> = text.chars().collect();
    let first = hits.first().map_or(0, |hit| hit.start);
    let lead = length / 4;
    let from = first
        .saturating_sub(lead)
        .min(chars.len().saturating_sub(length));
    let until = (from + length).min(chars.len());
    let mut part = String::new();
    let before = usize::from(from > 0);
    if before > 0 {
        part.push('…');
    }
    // an excerpt stands in one line
    part.extend(
        chars[from..until]
            .iter()
            .map(|c| if c.is_control() { ' ' } else { *c }),
    );
    if until < chars.len() {
        part.push('…');
    }
    let inside = hits
        .iter()
        .map(|hit| hit.start.max(from)..hit.end.min(until))
        .filter(|hit| hit.start < hit.end)
        .map(|hit| hit.start - from + before..hit.end - from + before)
        .collect();
    (part, inside)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_wanted_in_any_order() {
        let has = |query: &str, text: &str| Terms::of(query).score("", text).is_some();
        assert!(has("心理 癌症", "癌症患者心理关怀服务"));
        assert!(!has("心理 法律", "癌症患者心理关怀服务"));
        assert!(has("癌", "癌症患者心理关怀服务"), "a single character");
        assert!(has("cpr 急救", "社区ＣＰＲ急救培训"));
        assert!(has("volun", "We need volunteers"), "as one types");
        assert!(!has("volun ", "We need volunteers"), "a finished word");
        assert!(has("voluntere team", "a volunteer team"), "a slip");
        assert!(has("volnteer", "many volunteers"), "a slip as one types");
        assert!(!has("2026", "since 2025"));
        assert!(!has("心愿", "心里的愿望"));
        assert!(has("環境", "助力环境治理") && has("环境", "助力環境治理"));
        let hits = Terms::of("环境").hits("助力環境治理");
        assert_eq!((hits.len(), hits[0].start, hits[0].end), (1, 2, 4));
    }

    #[test]
    fn an_excerpt_stands_around_the_first_hit() {
        let text = "很".repeat(100) + "长的心愿" + &"！".repeat(100);
        let hits = Terms::of("心愿").hits(&text);
        assert_eq!((hits.len(), hits[0].start, hits[0].end), (1, 102, 104));
        let (part, inside) = excerpt(&text, &hits, 40);
        assert_eq!(part.chars().count(), 42);
        let hit: String = part.chars().skip(inside[0].start).take(2).collect();
        assert_eq!(hit, "心愿");
        assert_eq!(excerpt("短\n文", &[], 40).0, "短 文");
    }
}
