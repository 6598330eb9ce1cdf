//! The project's automation, and what its black-box tests share with it: the site's server, the
//! browser, network namespaces, traffic.
//!
//! No product code is here, and none knows of this crate.
#![expect(clippy::print_stdout, reason = "a tool for people: it tells them what it does")]

pub mod bench;
pub mod browser;
pub mod build;
pub mod capinfos;
pub mod capture;
pub mod corpus;
pub mod debian;
pub mod demo;
mod locations;
pub mod namespace;
mod pack;
pub mod python;
pub mod server;
pub mod test;
pub mod traffic;
