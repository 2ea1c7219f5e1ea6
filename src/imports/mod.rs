//! Imports: foreign tables become regions, organisations, volunteers, projects and wishes.
//!
//! ```text
//! file ─table▶ rows of text ─mapping▶ values ─target▶ the other rooms' doors
//! ```
//!
//! A mapping file says where each field comes from. The id that a row has in its source is kept
//! with the row made of it, so a second run updates. Every row stands alone: a bad one is reported
//! with its line and does not hold up the others, unless all or nothing is asked for.

mod bundled;
mod dates;
mod features;
pub mod http;
mod mapping;
mod model;
mod plan;
mod quotes;
mod record;
mod row;
mod service;
mod store;
mod table;
mod targets;
mod workbook;

pub use bundled::Bundled;
pub use model::{ImportRules, Report, RowError};
pub use service::{Desk, Order, Progress, order, run};
pub use targets::Target;
