//! System calls on a packet socket that neither socket2 nor nix offers, one function each
//! (packet(7), linux/if_packet.h), and the mapping of its ring.
#![expect(unsafe_code, reason = "structures of the kernel cross here and nowhere else")]
#![expect(clippy::cast_possible_truncation, reason = "the kernel's constants fit its fields")]

use super::ring::Version;
use nix::sys::mman::{MapFlags, ProtFlags};
use socket2::{SockAddr, SockAddrStorage, Socket};
use std::ffi::{c_int, c_void};
use std::io;
use std::mem::size_of;
use std::num::NonZeroUsize;
use std::os::fd::{AsFd, AsRawFd};
use std::ptr::NonNull;

/// The kernel's counters of a packet socket since they were last read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Statistics {
    /// Packets that passed the filter, those dropped included.
    pub(super) packets: u32,
    /// Packets dropped because the ring was full.
    pub(super) drops: u32,
    /// Times the ring was full.
    pub(super) freezes: u32,
}

/// The size of a ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RingGeometry {
    pub(super) version: Version,
    /// Bytes of a block: a multiple of the page size.
    pub(super) block_len: usize,
    pub(super) block_count: usize,
    /// Bytes of a slot of version 2, a multiple of `TPACKET_ALIGNMENT`; version 3 packs frames of any
    /// size into its blocks.
    pub(super) frame_len: usize,
    /// A block of version 3 with packets in it is handed over after this time, even when it is not
    /// full.
    pub(super) retire_ms: u32,
}

impl RingGeometry {
    /// Bytes of all blocks.
    pub(super) fn len(self) -> usize {
        self.block_len * self.block_count
    }

    /// Bytes of what the kernel hands over at once.
    pub(super) fn unit_len(self) -> usize {
        match self.version {
            Version::V2 => self.frame_len,
            Version::V3 => self.block_len,
        }
    }

    /// How many of those there are.
    pub(super) fn unit_count(self) -> usize {
        self.block_len / self.unit_len() * self.block_count
    }

    /// Where one of them begins.
    pub(super) fn unit_offset(self, unit: usize) -> usize {
        let in_block = self.block_len / self.unit_len();
        unit / in_block * self.block_len + unit % in_block * self.unit_len()
    }
}

/// A plain option of level `SOL_PACKET`.
pub(super) fn set_option(socket: &Socket, option: c_int, value: c_int) -> io::Result<()> {
    set(socket, option, &value)
}

/// Asks for a ring: `PACKET_RX_RING`.
pub(super) fn set_ring(socket: &Socket, geometry: RingGeometry) -> io::Result<()> {
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

/// Joins a group of sockets that share the packets of their interface by flow, or founds one with
/// an id that is free: `PACKET_FANOUT`. Returns the group's id.
pub(super) fn join_fanout(socket: &Socket, group: Option<u16>) -> io::Result<u16> {
    let flags = if group.is_some() { 0 } else { libc::PACKET_FANOUT_FLAG_UNIQUEID };
    let request = (libc::PACKET_FANOUT_HASH | flags) << 16 | u32::from(group.unwrap_or(0));
    set(socket, libc::PACKET_FANOUT, &request)?;
    let joined: u32 = get(socket, libc::PACKET_FANOUT, 0)?;
    Ok((joined & 0xffff) as u16)
}

/// Promiscuous mode for as long as the socket lives: `PACKET_ADD_MEMBERSHIP`.
pub(super) fn set_promiscuous(socket: &Socket, interface_index: u32) -> io::Result<()> {
    let request = libc::packet_mreq {
        mr_ifindex: index(interface_index)?,
        mr_type: libc::PACKET_MR_PROMISC as u16,
        mr_alen: 0,
        mr_address: [0; 8],
    };
    set(socket, libc::PACKET_ADD_MEMBERSHIP, &request)
}

/// Binds to an interface, 0 for all, and starts reception of all protocols.
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
        // SAFETY: `try_init` hands out room for any address, `sockaddr_ll` included.
        unsafe { storage.cast::<libc::sockaddr_ll>().write(address) };
        // SAFETY: `try_init` hands out a valid length to be overwritten.
        unsafe { len.write(size_of::<libc::sockaddr_ll>() as libc::socklen_t) };
        Ok(())
    };
    // SAFETY: `fill` writes a whole `sockaddr_ll` and tells its length.
    let ((), address) = unsafe { SockAddr::try_init(fill) }?;
    socket.bind(&address)
}

/// Reads and resets the counters: `PACKET_STATISTICS`.
pub(super) fn statistics(socket: &Socket) -> io::Result<Statistics> {
    // Of version 2 the kernel fills the first two.
    let none = libc::tpacket_stats_v3 { tp_packets: 0, tp_drops: 0, tp_freeze_q_cnt: 0 };
    let libc::tpacket_stats_v3 { tp_packets, tp_drops, tp_freeze_q_cnt } =
        get(socket, libc::PACKET_STATISTICS, none)?;
    Ok(Statistics { packets: tp_packets, drops: tp_drops, freezes: tp_freeze_q_cnt })
}

fn index(interface_index: u32) -> io::Result<c_int> {
    c_int::try_from(interface_index).map_err(|_| io::ErrorKind::InvalidInput.into())
}

/// Reads an option over `value`, which stays where the kernel has less to say.
fn get<T: Copy>(socket: &Socket, option: c_int, mut value: T) -> io::Result<T> {
    let mut len = size_of::<T>() as libc::socklen_t;
    // SAFETY: `value` and `len` outlive the call, and `len` is the size of `value`; `T` is an integer
    // or one of the kernel's own structures of integers, which may hold any bytes.
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

fn set<T: Copy>(socket: &Socket, option: c_int, value: &T) -> io::Result<()> {
    // SAFETY: the kernel reads `size_of::<T>()` bytes from `value`, which lives through the call;
    // `T` is an integer or one of the kernel's own structures without padding.
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
    /// `start` is page-aligned and points to `len` mapped, writable bytes.
    start: NonNull<u8>,
    len: NonZeroUsize,
}

// SAFETY: the mapping belongs to the process, not to the thread that made it.
unsafe impl Send for Mapping {}

impl Mapping {
    /// Maps the ring that [`set_ring`] made.
    pub(super) fn of_ring(socket: &Socket, len: NonZeroUsize) -> io::Result<Self> {
        let flags = MapFlags::MAP_SHARED | MapFlags::MAP_POPULATE;
        let protection = ProtFlags::PROT_READ | ProtFlags::PROT_WRITE;
        // SAFETY: a new mapping at a place of the kernel's choice overlaps nothing.
        let start =
            unsafe { nix::sys::mman::mmap(None, len, protection, flags, socket.as_fd(), 0) };
        Ok(Self { start: start?.cast(), len })
    }

    /// Ordinary memory, over which a test plays the kernel.
    #[cfg(test)]
    pub(super) fn anonymous(len: NonZeroUsize) -> io::Result<Self> {
        let flags = MapFlags::MAP_PRIVATE;
        let protection = ProtFlags::PROT_READ | ProtFlags::PROT_WRITE;
        // SAFETY: a new mapping at a place of the kernel's choice overlaps nothing.
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
        // SAFETY: `start` and `len` are those of a mapping of this value's own, and nothing borrows
        // from it: all slices over it borrow from its owner.
        let unmapped = unsafe { nix::sys::mman::munmap(self.start.cast(), self.len.get()) };
        debug_assert_eq!(unmapped, Ok(()));
    }
}
