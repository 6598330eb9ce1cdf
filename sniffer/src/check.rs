//! `--check`: reports what this machine allows, with a remedy for each missing requirement.

use caps::{CapSet, Capability};
use nix::sys::prctl::get_no_new_privs;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::PathBuf;
use std::{env, fs, io};

use crate::Error;
use crate::capture::{self, Reader};
use crate::error::STANDARD_OUTPUT_NAME;
use crate::interfaces::Interface;
use crate::sandbox;

/// Memory in bytes that the longest filter takes: 4,096 instructions of 8 bytes, which the kernel
/// stores as written and translated.
const MAX_FILTER_LEN: u64 = 128 << 10;

/// The result of one check.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Finding {
    state: State,
    text: String,
    /// A command or a hint that helps.
    remedy: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Ok,
    /// Works, but not in every case.
    Limited,
    /// Does not work.
    Missing,
}

impl Finding {
    fn ok(text: impl Into<String>) -> Self {
        Self { state: State::Ok, text: text.into(), remedy: None }
    }

    fn limited(text: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { state: State::Limited, text: text.into(), remedy: Some(remedy.into()) }
    }

    fn missing(text: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { state: State::Missing, text: text.into(), remedy: Some(remedy.into()) }
    }
}

/// Prints the report to standard output.
///
/// # Errors
///
/// If capturing is impossible.
pub(crate) fn run(options: &capture::Options) -> Result<(), Error> {
    let mut capture = vec![capability()];
    if capture[0].state == State::Ok {
        capture.extend([ring(options), offload(), kernel_filter()]);
        capture.push(other_namespaces());
    }
    let is_possible = capture.iter().all(|finding| finding.state != State::Missing);
    let sections = [
        ("Capture", capture),
        ("Sandbox", sandbox_layers()),
        ("Tests and demo without root", vec![user_namespaces()]),
    ];
    io::stdout()
        .write_all(report(&sections).as_bytes())
        .map_err(|source| Error::Output { name: STANDARD_OUTPUT_NAME.into(), source })?;
    if is_possible { Ok(()) } else { Err(Error::CannotCapture) }
}

fn report(sections: &[(&str, Vec<Finding>)]) -> String {
    let mut text = String::new();
    for (title, findings) in sections {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{title}");
        for finding in findings {
            let state = match finding.state {
                State::Ok => "ok",
                State::Limited => "limited",
                State::Missing => "missing",
            };
            let _ = writeln!(text, "  {state:<8} {}", finding.text);
            if let Some(remedy) = &finding.remedy {
                let _ = writeln!(text, "           {remedy}");
            }
        }
    }
    text
}

/// Whether this process may open packet sockets.
fn capability() -> Finding {
    let capability = Capability::CAP_NET_RAW;
    let has = |set| caps::has_cap(None, set, capability).unwrap_or(false);
    let program = env::current_exe().unwrap_or_else(|_| PathBuf::from("sniffer"));
    let program = program.display();
    if has(CapSet::Effective) {
        return Finding::ok("CAP_NET_RAW: packet sockets can be opened");
    }
    if !has(CapSet::Bounding) {
        return Finding::missing(
            "CAP_NET_RAW is not in the bounding set, which limits this process and its children",
            "in a container: start it with --cap-add=NET_RAW",
        );
    }
    if get_no_new_privs().unwrap_or(false) {
        return Finding::missing(
            "CAP_NET_RAW: no_new_privs is set, so capabilities of program files have no effect",
            "start sniffer outside this sandbox or container, or as a service with \
             AmbientCapabilities=CAP_NET_RAW",
        );
    }
    Finding::missing("CAP_NET_RAW", format!("sudo setcap cap_net_raw=ep {program}"))
}

/// Opens a ring of the default size.
fn ring(options: &capture::Options) -> Finding {
    let size = format!("{} MiB", options.buffer_kib / 1024);
    match capture::open(&Interface::any(), options, None) {
        Ok((_, reader)) if Reader::is_fallback(&reader) => Finding::limited(
            format!("TPACKET_V3 is not supported; a TPACKET_V2 ring of {size} can be allocated"),
            "use Linux 3.2 or later outside emulators; until then, increase the buffer with -B KIB",
        ),
        Ok(_) => Finding::ok(format!("TPACKET_V3: a ring buffer of {size} can be allocated")),
        Err(error @ Error::RingAllocation { .. }) => Finding::limited(
            format!("ring buffer: {error}"),
            "free memory, or choose a smaller buffer with -B KIB",
        ),
        Err(error) => Finding::missing(error.to_string(), "use a Linux kernel with CONFIG_PACKET"),
    }
}

/// Whether the kernel passes segmentation offload along.
fn offload() -> Finding {
    if capture::supports_gso() {
        Finding::ok("PACKET_VNET_HDR: segmentation offload can be recorded")
    } else {
        Finding::limited("segmentation offload is not recorded", "needs Linux 6.2 or later")
    }
}

/// Whether the kernel accepts filters of any length.
fn kernel_filter() -> Finding {
    let limit = fs::read_to_string("/proc/sys/net/core/optmem_max");
    match limit.ok().and_then(|limit| limit.trim().parse::<u64>().ok()) {
        Some(limit) if limit < MAX_FILTER_LEN => Finding::limited(
            format!("net.core.optmem_max is {limit} bytes; longer filters run in user space"),
            format!("sudo sysctl net.core.optmem_max={MAX_FILTER_LEN}"),
        ),
        // The limit is visible in the initial network namespace only.
        _ => Finding::ok("filters run in the kernel"),
    }
}

/// Whether `--netns` can enter other network namespaces.
fn other_namespaces() -> Finding {
    if caps::has_cap(None, CapSet::Effective, Capability::CAP_SYS_ADMIN).unwrap_or(false) {
        return Finding::ok("CAP_SYS_ADMIN: --netns can enter network namespaces");
    }
    let program = env::current_exe().unwrap_or_else(|_| PathBuf::from("sniffer"));
    Finding::limited(
        "CAP_SYS_ADMIN is missing: --netns cannot enter other network namespaces",
        format!("sudo setcap cap_net_raw,cap_sys_admin=ep {}", program.display()),
    )
}

fn sandbox_layers() -> Vec<Finding> {
    let layers = sandbox::probe().into_iter().map(|(name, result)| match result {
        Ok(()) => Finding::ok(name),
        Err(reason) => {
            let remedy = match name {
                sandbox::LANDLOCK => {
                    "use Linux 5.13 or later, with `landlock` in the boot option lsm="
                }
                sandbox::THREAD => {
                    "raise the limits of memory (ulimit -v) and processes (ulimit -u)"
                }
                _ => "use a Linux kernel with CONFIG_SECCOMP_FILTER, on x86-64, ARM64 or RISC-V",
            };
            Finding::limited(format!("{name}: {reason}"), remedy)
        }
    });
    layers.collect()
}

/// Whether users without privileges may create network namespaces.
fn user_namespaces() -> Finding {
    let value = |name: &str| fs::read_to_string(format!("/proc/sys/{name}")).unwrap_or_default();
    for (name, refused, allowed) in [
        ("kernel/unprivileged_userns_clone", "0", "1"), // Debian
        ("kernel/apparmor_restrict_unprivileged_userns", "1", "0"), // Ubuntu
        ("user/max_user_namespaces", "0", "10000"),
    ] {
        if value(name).trim() == refused {
            let name = name.replace('/', ".");
            return Finding::limited(
                format!("user namespaces: {name} is {refused}"),
                format!("sudo sysctl {name}={allowed}"),
            );
        }
    }
    if fs::exists("/proc/self/ns/user").unwrap_or(false) {
        return Finding::ok("user namespaces");
    }
    if !fs::exists("/proc/self").unwrap_or(false) {
        return Finding::limited("user namespaces: unknown", "mount /proc to check them");
    }
    Finding::limited("user namespaces are not supported", "use a kernel with CONFIG_USER_NS")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn report_shows_the_remedy_below_the_finding() {
        let findings = vec![Finding::ok("a"), Finding::missing("b", "sudo c")];
        let text = "Title\n  ok       a\n  missing  b\n           sudo c\n";
        assert_eq!(report(&[("Title", findings)]), text);
    }
}
