//! Calendars: activities in people's own calendar programs, as RFC 5545 has them.
//!
//! A person's calendar holds the person's places, an organisation's what it has published. Each is fetched at
//! an address of its own that nobody can guess: who has it needs no account, and a new one, or none, ends it.
//! Only a hash of the secret is kept, so it is shown once. What was cancelled stays for a while and says so:
//! a program would otherwise keep what it has. An activity or a shift is also had by itself, as a file.

pub mod http;
mod ics;
mod model;
pub mod rules;
mod service;
mod store;

pub use model::{Calendar, CalendarId, Owner};
