//! Black-box tests: the real sniffer in network namespaces, the real page in browsers.
//!
//! One binary, and few tests: add a test here only if it needs the kernel, a browser or a file
//! system. Everything else is tested next to the code.
#![expect(clippy::unwrap_used, reason = "a failing test panics")]

mod analysis;
mod browsers;
mod capture;
mod charts;
mod columns;
mod connection;
mod controls;
mod differential;
mod documentation;
mod engine;
mod errors;
mod examples;
mod export;
mod faults;
mod file_patterns;
mod files;
mod filters;
mod fingerprints;
mod flows;
mod follow;
mod hostile_captures;
mod hostile_files;
mod hostile_text;
mod hosting;
mod impairment;
mod inspection;
mod invocations;
mod isolation;
mod layout;
mod link_types;
mod loading;
mod metrics;
mod names;
mod namespaces;
mod open_files;
mod packages;
mod packets;
mod page;
mod pcapng;
mod pipelines;
mod pipes;
mod properties;
mod recipes;
mod record_format;
mod recorder;
mod reports;
mod resilience;
mod rotation;
mod sandbox;
mod serve;
mod serve_page;
mod shells;
mod signals;
mod source_rules;
mod tables;
mod tcpdump_parity;
mod top;
mod view_values;
mod views;
