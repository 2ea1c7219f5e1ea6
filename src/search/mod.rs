//! Search: projects, wishes and organisations by words, in Chinese and in English, and by filters;
//! and searches that people save, to be told when something new fits.
//!
//! All that the public may find lives in memory ([`Shelf`]): an inverted index of titles and texts,
//! and the documents beside it, built from the database at start and kept current by the journal
//! ([`crate::platform::projection`]).
//!
//! ```text
//! commit ─▶ journal ─▶ projection ─▶ shelf ─▶ words ─▶ filters, facets, order ─▶ answer
//!                └───▶ what became public ─▶ saved searches ─▶ one message a day
//! ```
//!
//! What is indexed is exactly what the public lists show: [`Document`] says so for each kind. A
//! search knows no caller, so there is nothing it could tell one of them alone. What ends by the
//! clock is judged when somebody asks. What belongs to a region that has ended goes on being found,
//! as in the lists. What is asked is never logged.

mod criteria;
pub mod http;
mod index;
mod model;
mod projection;
mod saved;
mod settings;
mod shelf;
mod store;
mod terms;
mod text;
mod variants;

pub use criteria::{Criteria, Point, SearchOrder};
pub use model::{Document, Key, RegionFacts, SearchKind, SearchState};
pub use projection::Search;
pub use saved::{Desk, react, sweep};
pub use settings::SearchRules;
pub use shelf::{Count, Facets, Found, Hit, Place, RegionCount, Shelf};
