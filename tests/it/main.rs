//! Behaviour, proved through the real door: HTTP against the real router and a real database.
//!
//! One binary, run once for each backend (`YIQILAI_TEST_BACKEND`); `make test` does both and
//! starts the servers they need.

#![allow(clippy::unwrap_used)] // a test that cannot go on fails

mod accounts;
mod activities;
mod attendance;
mod calendars;
mod claims;
mod contract;
mod crews;
mod enrolments;
mod feedback;
mod figures;
mod filings;
mod followers;
mod harness;
mod http;
mod identity;
mod imports;
mod imports_again;
mod imports_files;
mod imports_open_data;
mod imports_rows;
mod incidents;
mod invitations;
mod matching;
mod moves;
mod notifications;
mod organizations;
mod outbox;
mod party;
mod platform;
mod process;
mod projects;
mod publishers;
mod qualifications;
mod records;
mod regions;
mod reminders;
mod restore;
mod rounds;
mod schema;
mod search;
mod statements;
mod uploads;
mod volunteers;
mod wishes;
