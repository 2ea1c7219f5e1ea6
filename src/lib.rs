//! Yiqilai (益起来): a district's public-benefit marketplace.
//!
//! One crate, a library and a thin `main.rs`. `src/` lists the domain, one room per noun; beside
//! the rooms stand [`platform`] (plumbing that knows no domain noun) and the wiring: [`command`], [`app`],
//! [`api`], [`server`], [`worker`] and [`demo`].
//!
//! A write flows `http → service → rules + store`, a read `http → store`. Rooms form a one-way
//! street and meet only through their doors; `tests/house.rs` holds them to it.

pub mod api;
pub mod app;
pub mod command;
pub mod demo;
pub mod error;
pub mod platform;
pub mod schema;
pub mod server;
pub mod worker;

pub mod regions;

pub mod branches;

pub mod taxonomies;

pub mod identity;

pub mod notifications;

pub mod organizations;

pub mod volunteers;

pub mod party;

pub mod projects;

pub mod wishes;

pub mod activities;

pub mod records;

pub mod matching;

pub mod search;

pub mod imports;
