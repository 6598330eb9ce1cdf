//! The system calls that a run may make.

use libc::c_long;
use seccompiler::{
    BackendError, BpfProgram, Error, SeccompAction, SeccompCmpArgLen, SeccompCmpOp,
    SeccompCondition, SeccompFilter, SeccompRule, apply_filter,
};
use std::collections::BTreeMap;

use super::super::{Policy, SocketAccess};

/// `TCGETS` and `TIOCGWINSZ` (asm-generic/ioctls.h). Their type in libc depends on the C library.
const TCGETS: i32 = 0x5401;
const TIOCGWINSZ: i32 = 0x5413;

/// Reading and setting the modes of a terminal (asm-generic/termbits.h): `TCSETS`, `TCSETSW`, `TCSETSF`, and
/// `TCGETS2`, `TCSETS2`, `TCSETSW2`, `TCSETSF2`.
const TERMINAL_MODES: [i32; 7] =
    [0x5402, 0x5403, 0x5404, 0x802c_542a_u32.cast_signed(), 0x402c_542b, 0x402c_542c, 0x402c_542d];

/// Calls of every run, whatever their arguments. The kernel allows these without running the filter
/// (since Linux 5.11).
const ALWAYS: &[c_long] = &[
    // Descriptors that are open.
    libc::SYS_read,
    libc::SYS_readv,
    libc::SYS_pread64,
    libc::SYS_write,
    libc::SYS_writev,
    libc::SYS_lseek,
    libc::SYS_close,
    libc::SYS_fstat,
    libc::SYS_newfstatat,
    libc::SYS_statx,
    libc::SYS_ppoll,
    // Memory. `mmap` and `mprotect` are in `conditional`.
    libc::SYS_brk,
    libc::SYS_munmap,
    libc::SYS_mremap,
    libc::SYS_madvise,
    // Threads, and the end of the process.
    libc::SYS_futex,
    libc::SYS_sched_yield,
    libc::SYS_sched_getaffinity,
    libc::SYS_eventfd2,
    libc::SYS_set_robust_list,
    libc::SYS_rseq,
    libc::SYS_sigaltstack,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigreturn,
    libc::SYS_restart_syscall,
    libc::SYS_getpid,
    libc::SYS_gettid,
    libc::SYS_exit,
    libc::SYS_exit_group,
    // Clocks, where the vDSO cannot read them.
    libc::SYS_clock_gettime,
    libc::SYS_clock_getres,
    libc::SYS_gettimeofday,
    libc::SYS_clock_nanosleep,
    libc::SYS_nanosleep,
    // The seeds of hash tables, and the host name in `meta`.
    libc::SYS_getrandom,
    libc::SYS_uname,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_poll,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_time,
];

/// Calls of runs that create output files. Landlock limits them to the output's directory.
const FILES: &[c_long] = &[
    libc::SYS_openat,
    libc::SYS_readlinkat,
    libc::SYS_faccessat,
    libc::SYS_renameat2,
    libc::SYS_unlinkat,
    libc::SYS_linkat,
    libc::SYS_mkdirat,
    libc::SYS_ftruncate,
    libc::SYS_fchmod,
    libc::SYS_fsync,
    libc::SYS_fdatasync,
    libc::SYS_flock,
    #[cfg(not(target_arch = "riscv64"))]
    libc::SYS_renameat,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_open,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_stat,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_lstat,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_access,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_readlink,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_rename,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_unlink,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_link,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_mkdir,
];

/// Calls on the sockets of a live run. New sockets are in `conditional`.
const SOCKETS: &[c_long] = &[
    libc::SYS_bind,
    libc::SYS_connect,
    libc::SYS_getsockname,
    libc::SYS_getsockopt,
    libc::SYS_setsockopt,
    libc::SYS_sendto,
    libc::SYS_recvfrom,
    libc::SYS_recvmsg,
];

/// Calls that serve connections. New sockets that listen are in no list.
const CONNECTIONS: &[c_long] = &[libc::SYS_accept4, libc::SYS_shutdown];

/// `FIONBIO` (asm-generic/ioctls.h): makes a connection non-blocking.
const FIONBIO: i32 = 0x5421;

/// Calls that raise CAP_NET_RAW for the time of opening a packet socket.
const CAPABILITIES: &[c_long] = &[libc::SYS_capget, libc::SYS_capset];

/// Installs the filter for the calling thread.
pub(super) fn install(policy: &Policy) -> Result<(), Error> {
    if policy.starts_threads {
        // The flags of `clone3` are in memory, which filters cannot read. The C library falls back
        // to `clone` if the kernel does not have it.
        let rules = [(libc::SYS_clone3, Vec::new())].into();
        apply_filter(&compile(rules, SeccompAction::Allow, errno(libc::ENOSYS))?)?;
    }
    apply_filter(&compile(rules(policy)?, errno(libc::EPERM), SeccompAction::Allow)?)
}

fn errno(errno: i32) -> SeccompAction {
    SeccompAction::Errno(errno.unsigned_abs())
}

fn compile(
    rules: BTreeMap<c_long, Vec<SeccompRule>>,
    otherwise: SeccompAction,
    matching: SeccompAction,
) -> Result<BpfProgram, BackendError> {
    let architecture = std::env::consts::ARCH.try_into()?;
    SeccompFilter::new(rules, otherwise, matching, architecture)?.try_into()
}

/// The calls that a run may make, each with its alternatives of conditions; none of them means that
/// it is always allowed.
fn rules(policy: &Policy) -> Result<BTreeMap<c_long, Vec<SeccompRule>>, BackendError> {
    let mut always = ALWAYS.to_vec();
    if !policy.files.is_none() {
        always.extend(FILES);
    }
    if policy.sockets != SocketAccess::None {
        always.extend(SOCKETS);
    }
    if policy.sockets == SocketAccess::Reopen {
        always.extend(CAPABILITIES);
    }
    if policy.accepts_connections {
        always.extend(CONNECTIONS);
    }
    let mut rules: BTreeMap<_, _> = always.into_iter().map(|call| (call, Vec::new())).collect();
    rules.extend(conditional(policy)?);
    Ok(rules)
}

/// Calls that depend on their arguments.
fn conditional(policy: &Policy) -> Result<Vec<(c_long, Vec<SeccompRule>)>, BackendError> {
    // Memory must not become executable.
    let is_data = || Ok(vec![rule(&[has_none_of(2, libc::PROT_EXEC)?])?]);
    let is = |index, values: &[i32]| {
        values.iter().map(|&value| rule(&[equals(index, value)?])).collect::<Result<_, _>>()
    };
    let mut calls = vec![
        (libc::SYS_mmap, is_data()?),
        (libc::SYS_mprotect, is_data()?),
        // Whether a descriptor is a terminal: the calls of glibc and of musl.
        (libc::SYS_ioctl, is(1, &ioctl_requests(policy))?),
        (
            libc::SYS_fcntl,
            is(1, &[libc::F_DUPFD_CLOEXEC, libc::F_GETFD, libc::F_SETFD, libc::F_GETFL])?,
        ),
        // The C library names threads, and memory areas.
        (libc::SYS_prctl, is(0, &[libc::PR_SET_NAME, libc::PR_SET_VMA])?),
        // A panic while panicking aborts.
        (libc::SYS_tgkill, vec![rule(&[equals(0, std::process::id().cast_signed())?])?]),
    ];
    if policy.starts_threads {
        calls.push((libc::SYS_clone, vec![rule(&[has_all_of(0, libc::CLONE_THREAD)?])?]));
        calls.push((libc::SYS_clone3, Vec::new()));
    }
    if policy.sockets != SocketAccess::None {
        let netlink = rule(&[equals(0, libc::AF_NETLINK)?, equals(2, libc::NETLINK_ROUTE)?])?;
        let mut sockets = vec![netlink];
        if policy.sockets == SocketAccess::Reopen {
            sockets.push(rule(&[equals(0, libc::AF_PACKET)?])?);
        }
        calls.push((libc::SYS_socket, sockets));
    }
    Ok(calls)
}

/// Requests to terminals and sockets that are open.
fn ioctl_requests(policy: &Policy) -> Vec<i32> {
    let modes = TERMINAL_MODES.into_iter().filter(|_| policy.sets_terminal);
    let nonblocking = policy.accepts_connections.then_some(FIONBIO);
    [TCGETS, TIOCGWINSZ].into_iter().chain(modes).chain(nonblocking).collect()
}

/// A rule that applies if all conditions hold.
fn rule(conditions: &[SeccompCondition]) -> Result<SeccompRule, BackendError> {
    SeccompRule::new(conditions.to_vec())
}

/// The argument with this index is `value`.
fn equals(index: u8, value: i32) -> Result<SeccompCondition, BackendError> {
    condition(index, SeccompCmpOp::Eq, value)
}

/// The argument with this index has all bits of `mask`.
fn has_all_of(index: u8, mask: i32) -> Result<SeccompCondition, BackendError> {
    let mask_bits = u64::from(mask.cast_unsigned());
    condition(index, SeccompCmpOp::MaskedEq(mask_bits), mask)
}

/// The argument with this index has no bit of `mask`.
fn has_none_of(index: u8, mask: i32) -> Result<SeccompCondition, BackendError> {
    condition(index, SeccompCmpOp::MaskedEq(u64::from(mask.cast_unsigned())), 0)
}

/// Compares the low half of an argument, which is all that the kernel reads of an `int`.
fn condition(
    index: u8,
    operator: SeccompCmpOp,
    value: i32,
) -> Result<SeccompCondition, BackendError> {
    let value = u64::from(value.cast_unsigned());
    SeccompCondition::new(index, SeccompCmpArgLen::Dword, operator, value)
}
