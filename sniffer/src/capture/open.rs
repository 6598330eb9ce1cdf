//! Opens captures in an order that lets no packet in before ring and filter are in place.

use filter::Program;
use nix::sys::socket::{setsockopt, sockopt};
use socket2::{Domain, Protocol, Socket, Type};
use std::io;
use std::num::NonZeroUsize;
use std::sync::Arc;

use super::control::Capture;
use super::frame::{self, FrameLayout};
use super::geometry::{Geometry, Version};
use super::options::{DirectionFilter, Options};
use super::reader::Reader;
use super::ring::Ring;
use super::sys::{self, Mapping};
use super::{socket_filter, virtio};
use crate::Error;
use crate::interfaces::Interface;

/// Opens a capture on one interface or on `any`.
///
/// The socket receives no protocol until it is bound, after ring and filter are set: no packet
/// passes unfiltered.
pub(crate) fn open(
    interface: &Interface,
    options: &Options,
    filter: Option<Arc<Program>>,
) -> Result<(Capture, Reader), Error> {
    let (capture, mut reader) = prepare(interface, options, filter)?;
    capture.install_filter(&mut reader, interface)?;
    capture.bind(interface)?;
    Ok((capture, reader))
}

/// Opens `count` captures on one interface that share its packets by flow. They divide the buffer
/// size of the options among them.
///
/// Only bound sockets can join a fanout group, so each rejects all packets until all have joined.
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
        capture.reject_all()?;
        capture.bind(interface)?;
        group = Some(capture.join_fanout(group)?);
        members.push((capture, reader));
    }
    for (capture, reader) in &mut members {
        capture.install_filter(reader, interface)?;
    }
    Ok(members)
}

/// Opens a socket that receives nothing yet, with its ring.
pub(super) fn prepare(
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
    // Link headers differ between interfaces. Without them, one kernel filter fits packets of all.
    let is_any = interface.index == 0;
    let kernel_filter = match &filter {
        Some(filter) if is_any => socket_filter::without_cooked_header(filter).map(Arc::new),
        other => other.clone(),
    };
    let strips_link_header = is_any && kernel_filter.is_some();
    let kind = if strips_link_header { Type::DGRAM } else { Type::RAW };
    let socket = Socket::new(Domain::PACKET, kind, Some(Protocol::from(0)))
        .map_err(|source| open_error(source, &interface.name))?;
    sys::set_option(&socket, libc::PACKET_RESERVE, frame::HEADROOM)
        .map_err(failed("PACKET_RESERVE"))?;
    // While any socket requests timestamps, the kernel stamps each packet once, on arrival
    // (`net_timestamp_check` in net/core/dev.c). Otherwise each ring stamps it, a little later.
    let _ = setsockopt(&socket, sockopt::ReceiveTimestampns, &true);
    let has_virtio = options.records_gso
        && virtio::is_supported()
        && sys::set_option(&socket, libc::PACKET_VNET_HDR, 1).is_ok();
    let geometry = set_ring(&socket, options)?;
    let len = NonZeroUsize::new(geometry.len()).unwrap_or(NonZeroUsize::MIN);
    let mapping = Mapping::of_ring(&socket, len)
        .map_err(|source| Error::RingAllocation { kib: geometry.len() / 1024, source })?;
    let ring = Ring::new(mapping, geometry);
    if interface.is_loopback || options.direction == DirectionFilter::In {
        // Saves the kernel a copy. If it lacks the option, the filter has the same effect.
        let _ = sys::set_option(&socket, libc::PACKET_IGNORE_OUTGOING, 1);
    }
    let layout =
        FrameLayout { version: geometry.version, link, has_virtio, snaplen: options.snaplen };
    let socket = Arc::new(socket);
    let capture = Capture::new(socket.clone(), name(), *options, filter, kernel_filter);
    Ok((capture, Reader::new(socket, ring, layout)))
}

/// Allocates a ring of the latest version that the kernel supports.
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

fn open_error(source: io::Error, interface: &str) -> Error {
    match source.kind() {
        io::ErrorKind::PermissionDenied => Error::NoPermission {
            program: std::env::current_exe().unwrap_or_else(|_| "sniffer".into()),
        },
        _ => Error::Socket { interface: interface.to_owned(), call: "socket", source },
    }
}
