//! Regions: the tree of district, streets, areas, communities and grids, with codes and validity.
//!
//! Codes follow GB/T 2260 for the district (six digits) and its streets (three more), local codes
//! below. Codes change over the years: a region that ends keeps its row, its code becomes free. What
//! refers to it goes on doing so; something new refers to a [`current`] one.
//!
//! ```text
//! district ─▶ street ─┬▶ area ──────┬▶ grid
//!                     └▶ community ─┘
//! ```

pub mod http;
mod model;
mod rules;
mod service;
mod store;

pub use model::{Level, Region, RegionId, RegionView};
pub use rules::{around, distance_m};
pub use service::{NewRegion, check_outline, current, set_polygon, upsert};
pub use store::{
    ancestors, by_code, by_id, centred_in, contains, enclosing, enclosing_one, has_outline,
    holding, locate, streets, those_within, within, within_any,
};
