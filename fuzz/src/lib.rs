//! Laws that hold for any input bytes: every parser of untrusted bytes has one here.
//!
//! A law is a function of bytes that panics if a parser misbehaves: round trips, agreement of two
//! implementations, independence from how input is divided, bounds on memory. Two programs apply the
//! laws: the tests of this crate to the seeds in `seeds/LAW`, and libFuzzer to generated inputs
//! (`cargo xtask fuzz`, programs in `targets`).
//!
//! If libFuzzer finds an input that breaks a law, fix the cause, add a regression test beside the
//! fix, and add the input to the seeds.

mod capture_files;
mod connections;
mod files;
mod filters;
mod flows;
mod lines;
mod packets;
mod page;
mod streams;

/// A law: panics if it does not hold for the bytes.
pub type Law = fn(&[u8]);

/// All laws with the names of their targets, those for the most exposed code first.
pub const LAWS: [(&str, Law); 17] = [
    ("decode", packets::decode),
    ("names", packets::names),
    ("streams", streams::streams),
    ("flows", flows::flows),
    ("connection", connections::connection),
    ("pcapng", capture_files::pcapng),
    ("pcap", capture_files::pcap),
    ("line", lines::line),
    ("generic_json", lines::generic_json),
    ("page_filter", page::filter),
    ("filter", filters::filter),
    ("packet_filter", filters::packet_filter),
    ("load", files::load),
    ("zstd", files::zstd),
    ("gzip", files::gzip),
    ("fragment", page::fragment),
    ("interpreter", filters::interpreter),
];

/// Applies the law of that name.
///
/// # Panics
///
/// If the law does not hold, or there is none of that name.
pub fn check(name: &str, bytes: &[u8]) {
    let law = LAWS.iter().find(|law| law.0 == name);
    law.unwrap_or_else(|| panic!("no law `{name}`")).1(bytes);
}
