//! `--version`: version, build and features.

use std::sync::LazyLock;

use crate::serve;

/// The day of the last commit, e.g. `2026-11-26`; empty if the build does not know it.
pub(super) const DATE: &str = match option_env!("SNIFFER_DATE") {
    Some(date) => date,
    None => "",
};

/// What follows the name of the program.
pub(super) fn version() -> &'static str {
    // clap requires texts that outlive the command.
    static VERSION: LazyLock<String> = LazyLock::new(describe);
    &VERSION
}

fn describe() -> String {
    let linking = if cfg!(target_feature = "crt-static") { "static" } else { "dynamic" };
    let build = [
        env!("SNIFFER_PROFILE"),
        env!("SNIFFER_TARGET"),
        linking,
        option_env!("SNIFFER_COMMIT").unwrap_or_default(),
        DATE,
    ];
    let build = build.into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>().join(", ");
    let has_seccomp = cfg!(all(
        target_endian = "little",
        any(target_arch = "x86_64", target_arch = "aarch64", target_arch = "riscv64")
    ));
    let seccomp = if has_seccomp { "seccomp" } else { "no seccomp on this architecture" };
    let page = if serve::is_embedded() { "included" } else { "not included" };
    format!(
        "{}\n\
         Build: {build}\n\
         Capture: TPACKET_V3 and V2, fanout, segmentation offload, network namespaces\n\
         Filter: pcap-filter(7), without libpcap\n\
         Input: pcap, pcapng; gzip, zstd, xz\n\
         Output: NDJSON; gzip, zstd\n\
         Page: {page}\n\
         Sandbox: Landlock, {seccomp}",
        env!("CARGO_PKG_VERSION")
    )
}
