//! System calls on packet sockets that neither socket2 nor nix wraps, one function per call
//! (packet(7), linux/if_packet.h), and the mapping of a ring into memory. Also the one call on
//! signals that nix cannot make safe.
#![expect(unsafe_code, reason = "passes kernel structures to system calls")]
#![expect(clippy::cast_possible_truncation, reason = "the kernel's constants fit its fields")]

use super::geometry::{Geometry, Version};
use nix::sys::mman::{MapFlags, ProtFlags};
use nix::sys::signal::{SigHandler, Signal};
use socket2::{SockAddr, SockAddrStorage, Socket};
use std::ffi::{c_int, c_void};
use std::io;
use std::mem::size_of;
use std::num::NonZeroUsize;
use std::os::fd::{AsFd, AsRawFd};
use std::ptr::NonNull;

/// Counters of a packet socket since the previous read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Statistics {
    /// Packets that passed the filter, including dropped ones.
    pub(super) packets: u32,
    /// Packets dropped because the ring was full.
    pub(super) drops: u32,
    /// Times the ring was full.
    pub(super) freezes: u32,
}

/// Gives a signal its default action, which ends a signal that was ignored.
pub(crate) fn set_default_action(signal: Signal) -> nix::Result<()> {
    // SAFETY: the default action runs no code of this process, and nothing here sets handlers.
    unsafe { nix::sys::signal::signal(signal, SigHandler::SigDfl) }.map(drop)
}

/// Sets an integer option of level `SOL_PACKET`.
pub(super) fn set_option(socket: &Socket, option: c_int, value: c_int) -> io::Result<()> {
    set(socket, option, &value)
}

/// Allocates a ring: `PACKET_RX_RING`.
pub(super) fn set_ring(socket: &Socket, geometry: Geometry) -> io::Result<()> {
    let unsigned = |value: usize| u32::try_from(value).map_err(|_| io::ErrorKind::InvalidInput);
    let tp_block_size = unsigned(geometry.block_len)?;
    let tp_block_nr = unsigned(geometry.block_count)?;
    let tp_frame_size = unsigned(geometry.unit_len())?;
    let tp_frame_nr = unsigned(geometry.unit_count())?;
    match geometry.version {
        Version::V2 => {
            let request =
                libc::tpacket_req { tp_block_size, tp_block_nr, tp_frame_size, tp_frame_nr };
            set(socket, libc::PACKET_RX_RING, &request)
        }
        Version::V3 => {
            let request = libc::tpacket_req3 {
                tp_block_size,
                tp_block_nr,
                tp_frame_size,
                tp_frame_nr,
                tp_retire_blk_tov: geometry.retire_ms,
                tp_sizeof_priv: 0,
                tp_feature_req_word: 0,
            };
            set(socket, libc::PACKET_RX_RING, &request)
        }
    }
}

/// Joins a fanout group, whose sockets share the packets of their interface by flow:
/// `PACKET_FANOUT`. Without `group`, creates one with an unused id. Returns the group's id.
pub(super) fn join_fanout(socket: &Socket, group: Option<u16>) -> io::Result<u16> {
    let flags = if group.is_some() { 0 } else { libc::PACKET_FANOUT_FLAG_UNIQUEID };
    let request = (libc::PACKET_FANOUT_HASH | flags) << 16 | u32::from(group.unwrap_or(0));
    set(socket, libc::PACKET_FANOUT, &request)?;
    let joined: u32 = get(socket, libc::PACKET_FANOUT, 0)?;
    Ok((joined & 0xffff) as u16)
}

/// Enables promiscuous mode for the lifetime of the socket: `PACKET_ADD_MEMBERSHIP`.
pub(super) fn set_promiscuous(socket: &Socket, interface_index: u32) -> io::Result<()> {
    let request = libc::packet_mreq {
        mr_ifindex: index(interface_index)?,
        mr_type: libc::PACKET_MR_PROMISC as u16,
        mr_alen: 0,
        mr_address: [0; 8],
    };
    set(socket, libc::PACKET_ADD_MEMBERSHIP, &request)
}

/// Binds to an interface (0 for all) and starts receiving all protocols.
pub(super) fn bind(socket: &Socket, interface_index: u32) -> io::Result<()> {
    let address = libc::sockaddr_ll {
        sll_family: libc::AF_PACKET as u16,
        sll_protocol: (libc::ETH_P_ALL as u16).to_be(),
        sll_ifindex: index(interface_index)?,
        sll_hatype: 0,
        sll_pkttype: 0,
        sll_halen: 0,
        sll_addr: [0; 8],
    };
    let fill = |storage: *mut SockAddrStorage, len: *mut libc::socklen_t| {
        // SAFETY: `try_init` passes a buffer large enough for any address type.
        unsafe { storage.cast::<libc::sockaddr_ll>().write(address) };
        // SAFETY: `try_init` passes a valid pointer to the length.
        unsafe { len.write(size_of::<libc::sockaddr_ll>() as libc::socklen_t) };
        Ok(())
    };
    // SAFETY: `fill` writes a whole `sockaddr_ll` and its length.
    let ((), address) = unsafe { SockAddr::try_init(fill) }?;
    socket.bind(&address)
}

/// Reads and resets the counters: `PACKET_STATISTICS`.
pub(super) fn statistics(socket: &Socket) -> io::Result<Statistics> {
    // With TPACKET_V2 the kernel writes only the first two fields.
    let zeroes = libc::tpacket_stats_v3 { tp_packets: 0, tp_drops: 0, tp_freeze_q_cnt: 0 };
    let libc::tpacket_stats_v3 { tp_packets, tp_drops, tp_freeze_q_cnt } =
        get(socket, libc::PACKET_STATISTICS, zeroes)?;
    Ok(Statistics { packets: tp_packets, drops: tp_drops, freezes: tp_freeze_q_cnt })
}

fn index(interface_index: u32) -> io::Result<c_int> {
    c_int::try_from(interface_index).map_err(|_| io::ErrorKind::InvalidInput.into())
}

/// A value of a socket option, exchanged with the kernel byte by byte.
///
/// # Safety
///
/// The type has no padding, and every bit pattern is a valid value.
unsafe trait OptionValue: Copy {}

// SAFETY: an integer.
unsafe impl OptionValue for c_int {}
// SAFETY: an integer.
unsafe impl OptionValue for u32 {}
// SAFETY: four `c_uint`, without padding.
unsafe impl OptionValue for libc::tpacket_req {}
// SAFETY: seven `c_uint`, without padding.
unsafe impl OptionValue for libc::tpacket_req3 {}
// SAFETY: one `c_int`, two `c_ushort` and eight bytes, without padding.
unsafe impl OptionValue for libc::packet_mreq {}
// SAFETY: three `c_uint`, without padding.
unsafe impl OptionValue for libc::tpacket_stats_v3 {}

const _: () = assert!(size_of::<libc::tpacket_req>() == 4 * 4);
const _: () = assert!(size_of::<libc::tpacket_req3>() == 7 * 4);
const _: () = assert!(size_of::<libc::packet_mreq>() == 4 + 2 + 2 + 8);
const _: () = assert!(size_of::<libc::tpacket_stats_v3>() == 3 * 4);

/// Reads an option. Bytes that the kernel does not write keep those of `initial`.
fn get<T: OptionValue>(socket: &Socket, option: c_int, initial: T) -> io::Result<T> {
    let mut value = initial;
    let mut len = size_of::<T>() as libc::socklen_t;
    // SAFETY: `value` and `len` outlive the call and `len` is the size of `value`, which may hold
    // any bytes (`OptionValue`).
    let status = unsafe {
        libc::getsockopt(
            socket.as_raw_fd(),
            libc::SOL_PACKET,
            option,
            (&raw mut value).cast::<c_void>(),
            &raw mut len,
        )
    };
    check(status).map(|()| value)
}

fn set<T: OptionValue>(socket: &Socket, option: c_int, value: &T) -> io::Result<()> {
    // SAFETY: the kernel reads `size_of::<T>()` bytes from `value`, which outlives the call and has
    // no uninitialized padding (`OptionValue`).
    let status = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            libc::SOL_PACKET,
            option,
            std::ptr::from_ref(value).cast::<c_void>(),
            size_of::<T>() as libc::socklen_t,
        )
    };
    check(status)
}

fn check(status: c_int) -> io::Result<()> {
    if status == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Memory shared with the kernel; unmapped when dropped.
#[derive(Debug)]
pub(super) struct Mapping {
    /// Page-aligned start of `len` mapped, writable bytes.
    start: NonNull<u8>,
    len: NonZeroUsize,
}

// SAFETY: a mapping belongs to the process, not to the thread that created it.
unsafe impl Send for Mapping {}

impl Mapping {
    /// Maps the ring allocated by [`set_ring`].
    pub(super) fn of_ring(socket: &Socket, len: NonZeroUsize) -> io::Result<Self> {
        let flags = MapFlags::MAP_SHARED | MapFlags::MAP_POPULATE;
        let protection = ProtFlags::PROT_READ | ProtFlags::PROT_WRITE;
        // SAFETY: a new mapping at an address chosen by the kernel overlaps nothing.
        let start =
            unsafe { nix::sys::mman::mmap(None, len, protection, flags, socket.as_fd(), 0) };
        Ok(Self { start: start?.cast(), len })
    }

    /// Ordinary memory for tests that play the kernel's part.
    #[cfg(test)]
    pub(super) fn anonymous(len: NonZeroUsize) -> io::Result<Self> {
        let flags = MapFlags::MAP_PRIVATE;
        let protection = ProtFlags::PROT_READ | ProtFlags::PROT_WRITE;
        // SAFETY: a new mapping at an address chosen by the kernel overlaps nothing.
        let start = unsafe { nix::sys::mman::mmap_anonymous(None, len, protection, flags) };
        Ok(Self { start: start?.cast(), len })
    }

    pub(super) fn start(&self) -> NonNull<u8> {
        self.start
    }

    pub(super) fn len(&self) -> usize {
        self.len.get()
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: this value owns the mapping at `start`, and no slice over it is left: they all
        // borrow from its owner.
        let unmapped = unsafe { nix::sys::mman::munmap(self.start.cast(), self.len.get()) };
        debug_assert_eq!(unmapped, Ok(()));
    }
}
