//! Series: activities that come again by a rule of RFC 5545, each one of its own. They are made out of a
//! draft, the first of them; what is published, changed or cancelled afterwards is each by itself, or all
//! that a move is open to at once.

pub mod http;
mod model;
mod rules;
mod service;
mod store;

pub use model::{Series, SeriesId};
pub use service::{NewSeries, publish, repeat};
pub(in crate::activities) use store::touch;
