//! One packet socket with its ring: opened so that nothing arrives before all is set, read block by
//! block, closed to new packets before the last are drained.

mod frame;
mod geometry;
mod header;
mod program;
mod ring;
mod sys;

pub(crate) use frame::{Frame, Frames};

use crate::Error;
use crate::interfaces::{self, Interface};
use filter::Program;
use frame::Shape;
use geometry::{Geometry, Version};
use nix::sys::socket::{setsockopt, sockopt};
use ring::Ring;
use socket2::{Domain, Protocol, Socket, Type};
use std::io;
use std::num::NonZeroUsize;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;
use sys::{Mapping, Statistics};

/// A block with packets in it is handed over after this time at the latest, in milliseconds. Each
/// such hand-over takes a block, so that a process that is stopped for the time of all blocks loses
/// packets however few there are.
const RETIRE_MS: u32 = 100;
/// The same where latency counts more than CPU time.
const IMMEDIATE_RETIRE_MS: u32 = 1;

/// Longest packet that a ring of version 2 has room for: 64 KiB and what links put before it.
const MAX_SLOT_PACKET_LEN: usize = (64 << 10) + 64;

/// Default snap length in bytes, and its upper limit: tcpdump's `MAXIMUM_SNAPLEN`.
pub(crate) const DEFAULT_SNAPLEN: u32 = 262_144;

/// Default size of the ring buffer in KiB: half a second of a saturated 1 Gbit/s link.
pub(crate) const DEFAULT_BUFFER_KIB: u32 = 64 << 10;

/// Default size of a ring block in KiB: large enough for a frame of any snap length.
pub(crate) const DEFAULT_BLOCK_KIB: u32 = 512;

/// Which packets to capture, by direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DirectionFilter {
    /// Received packets only.
    In,
    /// Sent packets only.
    Out,
    /// Both.
    InOut,
}

/// What a capture is opened with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Options {
    /// Most bytes kept of a packet.
    pub(crate) snaplen: u32,
    pub(crate) is_promiscuous: bool,
    /// Which packets are captured.
    pub(crate) direction: DirectionFilter,
    /// Size of the ring in KiB.
    pub(crate) buffer_kib: u32,
    /// Size of its blocks in KiB.
    pub(crate) block_kib: u32,
    /// Whether latency counts more than CPU time.
    pub(crate) is_immediate: bool,
    /// Whether the kernel is asked about segmentation offload.
    pub(crate) has_gso: bool,
}

impl Options {
    /// Whole pages a block, and two blocks at least: one to be filled while one is read.
    fn geometry(&self, version: Version) -> Geometry {
        let block_len = (self.block_kib as usize * 1024).next_multiple_of(PAGE_LEN);
        let block_count = (self.buffer_kib as usize * 1024 / block_len).max(2);
        let retire_ms = if self.is_immediate { IMMEDIATE_RETIRE_MS } else { RETIRE_MS };
        let packet_len = (self.snaplen as usize).min(MAX_SLOT_PACKET_LEN);
        let frame_len = (frame::MAX_OVERHEAD_V2 + packet_len)
            .next_multiple_of(libc::TPACKET_ALIGNMENT)
            .min(block_len);
        Geometry { version, block_len, block_count, frame_len, retire_ms }
    }
}

/// The largest page of the architectures that Linux runs on with usual settings.
const PAGE_LEN: usize = 64 << 10;

/// An open capture: what is asked of the kernel besides packets, which its [`Reader`] has.
#[derive(Debug)]
pub(crate) struct Capture {
    socket: Arc<Socket>,
    /// The interface's name at the start, for messages.
    name: String,
    options: Options,
    /// Which packets are taken, of those that the options ask for.
    filter: Option<Arc<Program>>,
    /// The same for the kernel, where that can tell.
    kernel_filter: Option<Arc<Program>>,
    counters: Counters,
}

/// The packets of a capture.
#[derive(Debug)]
pub(crate) struct Reader {
    socket: Arc<Socket>,
    ring: Ring,
    shape: Shape,
    /// The filter, where the kernel does not run it.
    filter: Option<Arc<Program>>,
}

/// The kernel's counters since the capture began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counters {
    /// Packets accepted, those dropped included.
    pub(crate) recv: u64,
    /// Packets dropped because the ring was full.
    pub(crate) drop: u64,
    /// Times the ring was full.
    pub(crate) freeze: u64,
}

impl Counters {
    fn add(&mut self, statistics: Statistics) {
        self.recv += u64::from(statistics.packets);
        self.drop += u64::from(statistics.drops);
        self.freeze += u64::from(statistics.freezes);
    }
}

impl std::ops::Add for Counters {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            recv: self.recv + other.recv,
            drop: self.drop + other.drop,
            freeze: self.freeze + other.freeze,
        }
    }
}

/// Opens a capture on one interface, or on all: the socket is for no protocol until ring and
/// filter are set, and bound last, so that not one packet arrives that the filter has not seen.
pub(crate) fn open(
    interface: &Interface,
    options: &Options,
    filter: Option<Arc<Program>>,
) -> Result<(Capture, Reader), Error> {
    let (capture, mut reader) = prepare(interface, options, filter)?;
    reader.filter = capture.accept(interface)?;
    capture.bind(interface)?;
    Ok((capture, reader))
}

/// Opens `count` captures on one interface that share its packets by flow.
///
/// The kernel lets only bound sockets join such a group; so they accept nothing until all have.
pub(crate) fn open_group(
    interface: &Interface,
    options: &Options,
    filter: Option<&Arc<Program>>,
    count: usize,
) -> Result<Vec<(Capture, Reader)>, Error> {
    let share = Options {
        buffer_kib: options.buffer_kib / u32::try_from(count).unwrap_or(u32::MAX),
        ..*options
    };
    let mut members = Vec::with_capacity(count);
    let mut group = None;
    for _ in 0..count {
        let (capture, reader) = prepare(interface, &share, filter.cloned())?;
        capture.close()?;
        capture.bind(interface)?;
        let joined = sys::join_fanout(&capture.socket, group)
            .map_err(|source| capture.failed("PACKET_FANOUT", source))?;
        group = Some(joined);
        members.push((capture, reader));
    }
    for (capture, reader) in &mut members {
        reader.filter = capture.accept(interface)?;
    }
    Ok(members)
}

/// Opens a socket for no protocol, with its ring.
fn prepare(
    interface: &Interface,
    options: &Options,
    filter: Option<Arc<Program>>,
) -> Result<(Capture, Reader), Error> {
    let name = || interface.name.clone();
    let Some(link) = interface.link_type() else {
        return Err(Error::UnsupportedLinkType { name: name(), arphrd: interface.arphrd });
    };
    if !interface.is_up {
        return Err(Error::InterfaceDown { name: name() });
    }
    let failed =
        |call| move |source| Error::Socket { interface: interface.name.clone(), call, source };
    // Without link headers, which differ between interfaces, the kernel can filter packets of them all.
    let kernel_filter = match &filter {
        Some(filter) if interface.index == 0 => {
            program::without_cooked_header(filter).map(Arc::new)
        }
        other => other.clone(),
    };
    let is_headless = interface.index == 0 && kernel_filter.is_some();
    let kind = if is_headless { Type::DGRAM } else { Type::RAW };
    let socket = Socket::new(Domain::PACKET, kind, Some(Protocol::from(0)))
        .map_err(|source| not_opened(source, &interface.name))?;
    sys::set_option(&socket, libc::PACKET_RESERVE, frame::HEADROOM)
        .map_err(failed("PACKET_RESERVE"))?;
    // While a socket asks for time stamps, packets get theirs on arrival, once for all that capture
    // them, and not from each ring anew (`net_timestamp_check` in net/core/dev.c). Without it they are
    // a little later.
    let _ = setsockopt(&socket, sockopt::ReceiveTimestampns, &true);
    let has_virtio = options.has_gso
        && has_whole_virtio_headers()
        && sys::set_option(&socket, libc::PACKET_VNET_HDR, 1).is_ok();
    let geometry = set_ring(&socket, options)?;
    let len = NonZeroUsize::new(geometry.len()).unwrap_or(NonZeroUsize::MIN);
    let mapping = Mapping::of_ring(&socket, len).map_err(failed("mmap"))?;
    let ring = Ring::new(mapping, geometry);
    let is_loopback_or_in = interface.is_loopback || options.direction == DirectionFilter::In;
    if is_loopback_or_in {
        // Saves the kernel a copy; where it does not know the option, the filter does the same.
        let _ = sys::set_option(&socket, libc::PACKET_IGNORE_OUTGOING, 1);
    }
    let shape = Shape { version: geometry.version, link, has_virtio, snaplen: options.snaplen };
    let socket = Arc::new(socket);
    let counters = Counters::default();
    let capture = Capture {
        socket: socket.clone(),
        name: name(),
        options: *options,
        filter,
        kernel_filter,
        counters,
    };
    Ok((capture, Reader { socket, ring, shape, filter: None }))
}

/// Sets the ring of the latest version that the kernel has.
fn set_ring(socket: &Socket, options: &Options) -> Result<Geometry, Error> {
    let mut refused = io::Error::from(io::ErrorKind::Unsupported);
    for (version, number) in [
        (Version::V3, libc::tpacket_versions::TPACKET_V3),
        (Version::V2, libc::tpacket_versions::TPACKET_V2),
    ] {
        let geometry = options.geometry(version);
        let set = sys::set_option(socket, libc::PACKET_VERSION, number as i32)
            .and_then(|()| sys::set_ring(socket, geometry));
        match set.map_err(|source| (source.raw_os_error(), source)) {
            Ok(()) => return Ok(geometry),
            Err((Some(libc::EINVAL | libc::ENOPROTOOPT | libc::EOPNOTSUPP), source)) => {
                refused = source;
            }
            Err((_, source)) => {
                return Err(Error::RingAllocation { kib: geometry.len() / 1024, source });
            }
        }
    }
    Err(Error::RingUnsupported { source: refused })
}

impl Capture {
    /// Goes on with another interface of the same link type, where the one that the socket was bound to
    /// is gone: that needs no privilege.
    pub(crate) fn attach(&self, interface: &Interface) -> Result<(), Error> {
        // Not before its filter knows which one is loopback.
        self.accept(interface)?;
        self.bind(interface)
    }

    /// Binds to the interface, which starts reception.
    fn bind(&self, interface: &Interface) -> Result<(), Error> {
        if self.options.is_promiscuous && interface.index != 0 {
            sys::set_promiscuous(&self.socket, interface.index)
                .map_err(|source| self.failed("PACKET_ADD_MEMBERSHIP", source))?;
        }
        sys::bind(&self.socket, interface.index).map_err(|source| self.failed("bind", source))
    }

    /// Lets packets in. Returns the filter where the kernel does not run it: it is too long, or is about
    /// the header that this program makes for packets of `any`.
    fn accept(&self, interface: &Interface) -> Result<Option<Arc<Program>>, Error> {
        let Options { snaplen, direction, .. } = self.options;
        let loopback = loopback_index(interface)?;
        if let Some(filter) = &self.kernel_filter {
            let whole = program::accept(snaplen, direction, loopback, Some(filter));
            if whole.len() <= Program::KERNEL_MAX_LEN {
                match self.socket.attach_filter(&whole) {
                    Ok(()) => return Ok(None),
                    // More than it lets a socket have (net.core.optmem_max).
                    Err(error) if error.raw_os_error() == Some(libc::ENOMEM) => {}
                    Err(source) => return Err(self.failed("SO_ATTACH_FILTER", source)),
                }
            }
        }
        self.set_filter(&program::accept(snaplen, direction, loopback, None))?;
        Ok(self.filter.clone())
    }

    /// Lets no more packets in; those in the ring stay to be read.
    pub(crate) fn close(&self) -> Result<(), Error> {
        self.set_filter(&program::reject())
    }

    fn set_filter(&self, filter: &[socket2::SockFilter]) -> Result<(), Error> {
        let attached = self.socket.attach_filter(filter);
        attached.map_err(|source| self.failed("SO_ATTACH_FILTER", source))
    }

    /// The kernel's counters as of now.
    pub(crate) fn counters(&mut self) -> Result<Counters, Error> {
        let statistics = sys::statistics(&self.socket)
            .map_err(|source| self.failed("PACKET_STATISTICS", source))?;
        self.counters.add(statistics);
        Ok(self.counters)
    }

    fn failed(&self, call: &'static str, source: io::Error) -> Error {
        Error::Socket { interface: self.name.clone(), call, source }
    }
}

impl Reader {
    /// Whether the kernel refused the ring of blocks, and this one has a slot for each frame.
    pub(crate) fn is_fallback(&self) -> bool {
        self.shape.version == Version::V2
    }

    /// The filter, where the kernel does not run it.
    pub(crate) fn filter(&self) -> Option<&Program> {
        self.filter.as_deref()
    }

    /// Whether all packets were read that the kernel has put into the ring.
    pub(crate) fn is_empty(&self) -> bool {
        self.ring.is_empty()
    }

    /// Hands the frames of the next block to `visit`; `None` where the kernel has none ready.
    pub(crate) fn read_block<T>(&mut self, visit: impl FnOnce(&mut Frames<'_>) -> T) -> Option<T> {
        let mut block = self.ring.next_unit()?;
        let status = block.status();
        let filter = self.filter.as_deref();
        Some(visit(&mut Frames::new(block.body(), status, self.shape, filter)))
    }

    /// Takes the error that polling reported. That the interface is down is none: rtnetlink tells it,
    /// and when it is up again.
    pub(crate) fn take_error(&self) -> Result<(), Error> {
        match self.socket.take_error() {
            Ok(None) => Ok(()),
            Ok(Some(error)) if error.raw_os_error() == Some(libc::ENETDOWN) => Ok(()),
            Ok(Some(source)) | Err(source) => Err(Error::System { call: "poll", source }),
        }
    }
}

impl AsFd for Reader {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

fn not_opened(source: io::Error, interface: &str) -> Error {
    match source.kind() {
        io::ErrorKind::PermissionDenied => Error::NoPermission {
            program: std::env::current_exe().unwrap_or_else(|_| "sniffer".into()),
        },
        _ => Error::Socket { interface: interface.to_owned(), call: "socket", source },
    }
}

/// The loopback interface, where this capture sees it.
fn loopback_index(interface: &Interface) -> Result<Option<u32>, Error> {
    if interface.index != 0 {
        return Ok(interface.is_loopback.then_some(interface.index));
    }
    let loopback = interfaces::all()?.into_iter().find(|interface| interface.is_loopback);
    Ok(loopback.map(|interface| interface.index))
}

/// Whether the kernel puts virtio's header before UDP segments too. Until 6.2 it dropped the packets
/// that it had no word for (commit 860b7f27b8f7, `virtio_net_hdr_from_skb`), and those of QUIC
/// servers are among them: better no `gso` than no packet.
fn has_whole_virtio_headers() -> bool {
    let Ok(system) = nix::sys::utsname::uname() else { return false };
    is_release_at_least(&system.release().to_string_lossy(), (6, 2))
}

fn is_release_at_least(release: &str, wanted: (u32, u32)) -> bool {
    let mut numbers = release.split(|character: char| !character.is_ascii_digit());
    let mut next = || numbers.next()?.parse::<u32>().ok();
    next().zip(next()).is_some_and(|release| wanted <= release)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_are_compared_by_their_numbers() {
        for release in ["6.2.0", "6.18.44", "6.2-rc1", "7.0.0-1-amd64", "10.0"] {
            assert!(is_release_at_least(release, (6, 2)), "{release}");
        }
        for release in ["6.1.0-13-amd64", "5.15.0", "6", "", "4.19.0-gvisor"] {
            assert!(!is_release_at_least(release, (6, 2)), "{release}");
        }
    }

    #[test]
    fn unless_told_otherwise_packets_survive_ten_seconds_without_a_reader() {
        let options = Options {
            snaplen: DEFAULT_SNAPLEN,
            is_promiscuous: true,
            direction: DirectionFilter::InOut,
            buffer_kib: DEFAULT_BUFFER_KIB,
            block_kib: DEFAULT_BLOCK_KIB,
            is_immediate: false,
            has_gso: true,
        };
        let geometry = options.geometry(Version::V3);
        assert!(10_000 <= geometry.block_count * geometry.retire_ms as usize);
        assert!(DEFAULT_SNAPLEN as usize <= geometry.block_len / 2);
    }
}
