//! The inverted index of titles and texts, in memory.
//!
//! In each field stand the characters of ideographic runs, so that what was asked for is found as
//! written wherever the dictionary would split it; beside them, marked, the words that the
//! dictionary sees; and the words in letters. Every clause counts a whole constant ([`weight`]), so
//! that the score of a thing is the same in every process and after every start, whatever was
//! written and removed before.

use tantivy::collector::{Collector, SegmentCollector};
use tantivy::columnar::Column;
use tantivy::indexer::IndexWriterOptions;
use tantivy::merge_policy::LogMergePolicy;
use tantivy::query::{
    BooleanQuery, ConstScoreQuery, FuzzyTermQuery, Occur, PhraseQuery, Query, TermQuery,
};
use tantivy::schema::{
    FAST, Field, INDEXED, IndexRecordOption, Schema, TextFieldIndexing, TextOptions,
};
use tantivy::tokenizer::{PreTokenizedString, Token};
use tantivy::{
    DocId, Index as Tantivy, IndexReader, IndexWriter, ReloadPolicy, Score, Searcher,
    SegmentOrdinal, SegmentReader, TantivyDocument, Term as Word,
};

use super::terms::{Term, Terms, weight};
use super::text::{Script, runs};
use crate::error::{Error, Result};

/// Put before a word of the dictionary; stands in no text that is read.
const WORD_MARK: char = '\u{1}';
/// From which share of removed things on a segment is written anew.
const WORN: f32 = 0.3;

#[derive(Clone, Copy)]
struct Fields {
    slot: Field,
    title: Field,
    text: Field,
}

/// The index, for its one writer. Things are known by the numbers they are put in under.
pub struct Index {
    fields: Fields,
    writer: IndexWriter,
    reader: IndexReader,
}

/// The index as it was at one moment. Cheap to clone.
#[derive(Clone)]
pub struct Snapshot {
    fields: Fields,
    searcher: Searcher,
}

impl Index {
    /// An empty one.
    ///
    /// # Errors
    /// When its thread cannot be started.
    pub fn new() -> Result<Self> {
        let mut schema = Schema::builder();
        let texts = TextOptions::default().set_indexing_options(
            TextFieldIndexing::default()
                .set_tokenizer("raw")
                .set_fieldnorms(false)
                .set_index_option(IndexRecordOption::WithFreqsAndPositions),
        );
        let fields = Fields {
            slot: schema.add_u64_field("slot", INDEXED | FAST),
            title: schema.add_text_field("title", texts.clone()),
            text: schema.add_text_field("text", texts),
        };
        let index = Tantivy::create_in_ram(schema.build());
        // the least memory there is, one thread to write and one to merge
        let options = IndexWriterOptions::builder().num_merge_threads(1).build();
        let writer = index
            .writer_with_options(options)
            .map_err(Error::internal)?;
        let mut merging = LogMergePolicy::default();
        merging.set_del_docs_ratio_before_merge(WORN);
        writer.set_merge_policy(Box::new(merging));
        let reader = index
            .reader_builder()
            .reload_policy(ReloadPolicy::Manual)
            .doc_store_cache_num_blocks(1)
            .try_into()
            .map_err(Error::internal)?;
        Ok(Self {
            fields,
            writer,
            reader,
        })
    }

    /// Puts something in under a new number.
    ///
    /// # Errors
    /// When the writing thread is gone.
    pub fn put(&self, slot: u64, title: &str, text: &str) -> Result<()> {
        let mut document = TantivyDocument::new();
        document.add_u64(self.fields.slot, slot);
        document.add_pre_tokenized_text(self.fields.title, tokens(title));
        document.add_pre_tokenized_text(self.fields.text, tokens(text));
        self.writer
            .add_document(document)
            .map_err(Error::internal)?;
        Ok(())
    }

    /// Takes out what is there under a number.
    pub fn remove(&self, slot: u64) {
        let slot = Word::from_field_u64(self.fields.slot, slot);
        self.writer.delete_term(slot);
    }

    /// The index with all that was put in and taken out so far.
    ///
    /// # Errors
    /// When the writing thread is gone.
    pub fn snapshot(&mut self) -> Result<Snapshot> {
        self.writer.commit().map_err(Error::internal)?;
        self.reader.reload().map_err(Error::internal)?;
        Ok(Snapshot {
            fields: self.fields,
            searcher: self.reader.searcher(),
        })
    }
}

fn tokens(text: &str) -> PreTokenizedString {
    let mut tokens = Vec::new();
    let mut position = 0;
    let mut add = |text: String, position: usize| {
        tokens.push(Token {
            offset_from: 0,
            offset_to: 0,
            position,
            text,
            position_length: 1,
        });
    };
    for run in runs(text) {
        match run.script {
            Script::Alphabetic => {
                add(run.text(), position);
                position += 1;
            }
            Script::Ideographic => {
                for word in run.words() {
                    let mut marked = String::from(WORD_MARK);
                    marked.extend(&run.chars[word.clone()]);
                    add(marked, position);
                    for c in &run.chars[word] {
                        add(c.to_string(), position);
                        position += 1;
                    }
                }
            }
        }
        position += 1; // nothing is found over what parts two runs
    }
    PreTokenizedString {
        text: String::new(),
        tokens,
    }
}

impl Snapshot {
    /// What has all of the terms, by number, each with its score.
    ///
    /// # Errors
    /// When the index is broken.
    pub fn find(&self, terms: &Terms) -> Result<Vec<(u64, u32)>> {
        let wanted = terms.0.iter().map(|term| (Occur::Must, self.either(term)));
        let query = BooleanQuery::new(wanted.collect());
        self.searcher
            .search(&query, &Slots)
            .map_err(Error::internal)
    }

    /// A term in the title, in the text, or both.
    fn either(&self, term: &Term) -> Box<dyn Query> {
        let Fields { title, text, .. } = self.fields;
        let places = [
            (title, weight::TITLE_WORD, weight::TITLE),
            (text, weight::TEXT_WORD, weight::TEXT),
        ];
        let mut clauses = Vec::new();
        for (field, as_word, otherwise) in places {
            for (query, score) in [
                (as_a_word(field, term), as_word),
                (as_written(field, term), otherwise),
            ] {
                let query: Box<dyn Query> = Box::new(ConstScoreQuery::new(query, score as Score));
                clauses.push((Occur::Should, query));
            }
        }
        Box::new(BooleanQuery::new(clauses))
    }
}

fn exactly(field: Field, text: &str) -> Box<dyn Query> {
    let word = Word::from_field_text(field, text);
    Box::new(TermQuery::new(word, IndexRecordOption::Basic))
}

fn as_a_word(field: Field, term: &Term) -> Box<dyn Query> {
    let mut text = String::new();
    if term.script == Script::Ideographic {
        text.push(WORD_MARK);
    }
    text.extend(&term.chars);
    exactly(field, &text)
}

/// Inside of a word, unfinished or with a slip; as it is, too.
fn as_written(field: Field, term: &Term) -> Box<dyn Query> {
    let text: String = term.chars.iter().collect();
    match (term.script, term.chars.as_slice()) {
        (Script::Ideographic, [_]) => exactly(field, &text),
        (Script::Ideographic, chars) => {
            let chars = chars.iter().map(char::to_string);
            let words = chars.map(|c| Word::from_field_text(field, &c));
            Box::new(PhraseQuery::new(words.collect()))
        }
        (Script::Alphabetic, _) => {
            let word = Word::from_field_text(field, &text);
            let slips = u8::from(term.is_lenient());
            match (term.is_unfinished, slips) {
                (true, _) => Box::new(FuzzyTermQuery::new_prefix(word, slips, true)),
                (false, 0) => exactly(field, &text),
                (false, _) => Box::new(FuzzyTermQuery::new(word, slips, true)),
            }
        }
    }
}

/// Gathers the numbers of all that fits.
struct Slots;

struct SlotsOfSegment {
    slots: Column<u64>,
    found: Vec<(u64, u32)>,
}

impl Collector for Slots {
    type Fruit = Vec<(u64, u32)>;
    type Child = SlotsOfSegment;

    fn for_segment(
        &self,
        _: SegmentOrdinal,
        segment: &SegmentReader,
    ) -> tantivy::Result<SlotsOfSegment> {
        Ok(SlotsOfSegment {
            slots: segment.fast_fields().u64("slot")?,
            found: Vec::new(),
        })
    }

    fn requires_scoring(&self) -> bool {
        true
    }

    fn merge_fruits(&self, of_segments: Vec<Self::Fruit>) -> tantivy::Result<Self::Fruit> {
        Ok(of_segments.into_iter().flatten().collect())
    }
}

impl SegmentCollector for SlotsOfSegment {
    type Fruit = Vec<(u64, u32)>;

    fn collect(&mut self, document: DocId, score: Score) {
        // sums of whole constants are whole
        let score = score as u32;
        self.found
            .extend(self.slots.first(document).map(|slot| (slot, score)));
    }

    fn harvest(self) -> Self::Fruit {
        self.found
    }
}
