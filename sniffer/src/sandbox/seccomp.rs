//! seccomp (seccomp(2)): a filter with the system calls of the running phase. All others fail with
//! EPERM.
//!
//! They fail instead of killing the process: should a version of the C library need a call that is
//! not listed, one operation fails, with a message, and the captured packets are still written.
//! Nothing is executed in either case.

use super::Policy;

#[cfg(all(
    target_endian = "little",
    any(target_arch = "x86_64", target_arch = "aarch64", target_arch = "riscv64")
))]
mod rules;

/// Installs the filter for the calling thread.
#[cfg(all(
    target_endian = "little",
    any(target_arch = "x86_64", target_arch = "aarch64", target_arch = "riscv64")
))]
pub(super) fn restrict(policy: &Policy) -> Result<(), String> {
    rules::install(policy).map_err(|error| format!("seccomp failed: {error}"))
}

/// There is no list of system calls for this architecture.
#[cfg(not(all(
    target_endian = "little",
    any(target_arch = "x86_64", target_arch = "aarch64", target_arch = "riscv64")
)))]
pub(super) fn restrict(_policy: &Policy) -> Result<(), String> {
    Err(format!("no seccomp filter for the architecture {}", std::env::consts::ARCH))
}
