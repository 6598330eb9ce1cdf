//! Requests for the kernel's tables, and its messages when interfaces change (rtnetlink(7)).

use netlink_packet_core::{
    NLM_F_DUMP, NLM_F_DUMP_INTR, NLM_F_REQUEST, NetlinkHeader, NetlinkMessage, NetlinkPayload,
};
use netlink_packet_route::link::LinkMessage;
use netlink_packet_route::{AddressFamily, RouteNetlinkMessage};
use netlink_sys::{Socket, SocketAddr, protocols::NETLINK_ROUTE};
use nix::errno::Errno;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};

use super::{Interface, all, interface};
use crate::Error;

/// `RTNLGRP_LINK` (linux/rtnetlink.h): news of interfaces.
const LINK_GROUP: u32 = 1;

/// Something about an interface has changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// It is new, or another.
    Is(Interface),
    /// The one of that index no longer exists.
    Gone(u32),
    /// News were lost; this is how all are now.
    All(Vec<Interface>),
}

/// Hears when interfaces change. It needs no privilege.
#[derive(Debug)]
pub(crate) struct Watch {
    socket: Socket,
}

impl Watch {
    /// From now on changes are heard.
    pub(crate) fn open() -> Result<Self, Error> {
        let open = || {
            let mut socket = Socket::new(NETLINK_ROUTE)?;
            socket.bind_auto()?;
            socket.add_membership(LINK_GROUP)?;
            socket.set_non_blocking(true)?;
            Ok(Self { socket })
        };
        open().map_err(|source| Error::Netlink { source })
    }

    /// What has changed since the last time, in order.
    pub(crate) fn changes(&self) -> Result<Vec<Change>, Error> {
        let mut changes = Vec::new();
        loop {
            let datagram = match self.socket.recv_from_full() {
                Ok((datagram, _)) => datagram,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(changes),
                Err(error) if error.raw_os_error() == Some(Errno::ENOBUFS as i32) => {
                    changes.push(Change::All(all()?));
                    continue;
                }
                Err(source) => return Err(Error::Netlink { source }),
            };
            for message in messages(&datagram) {
                match message.payload {
                    NetlinkPayload::InnerMessage(RouteNetlinkMessage::NewLink(link))
                        if is_of_interface(&link) =>
                    {
                        changes.push(Change::Is(interface(&link)));
                    }
                    NetlinkPayload::InnerMessage(RouteNetlinkMessage::DelLink(link))
                        if is_of_interface(&link) =>
                    {
                        changes.push(Change::Gone(link.header.index));
                    }
                    _ => {}
                }
            }
        }
    }
}

impl AsFd for Watch {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

/// Bridges tell of their ports in the same group, with a family of their own.
fn is_of_interface(link: &LinkMessage) -> bool {
    link.header.interface_family == AddressFamily::Unspec
}

/// The messages in a datagram. One that this program's library cannot read is one that it can do
/// without.
fn messages(datagram: &[u8]) -> impl Iterator<Item = NetlinkMessage<RouteNetlinkMessage>> {
    let mut rest = datagram;
    std::iter::from_fn(move || {
        let len = u32::from_ne_bytes(*rest.first_chunk()?);
        let message = NetlinkMessage::deserialize(rest);
        // Messages begin at multiples of four bytes (netlink(7)).
        let len = (len as usize).next_multiple_of(4);
        rest = rest.get(len..).filter(|_| len != 0).unwrap_or_default();
        Some(message)
    })
    .flatten()
}

/// All answers of the kernel to a request for a table.
pub(super) fn dump(request: &RouteNetlinkMessage) -> Result<Vec<RouteNetlinkMessage>, Error> {
    for _ in 0..MAX_TRIES {
        let answers = exchange(request).map_err(|source| Error::Netlink { source })?;
        if let Some(answers) = answers {
            return Ok(answers);
        }
    }
    Err(Error::Netlink { source: io::ErrorKind::ResourceBusy.into() })
}

/// How often a table may change while it is read, before that is an error.
const MAX_TRIES: usize = 10;

/// The table; `None` where it changed while it was read.
fn exchange(request: &RouteNetlinkMessage) -> io::Result<Option<Vec<RouteNetlinkMessage>>> {
    let mut socket = Socket::new(NETLINK_ROUTE)?;
    socket.bind_auto()?;
    socket.connect(&SocketAddr::new(0, 0))?;
    let mut packet =
        NetlinkMessage::new(NetlinkHeader::default(), NetlinkPayload::from(request.clone()));
    packet.header.flags = NLM_F_DUMP | NLM_F_REQUEST;
    packet.finalize();
    let mut bytes = vec![0; packet.buffer_len()];
    packet.serialize(&mut bytes);
    socket.send(&bytes, 0)?;

    let mut answers = Vec::new();
    let mut is_interrupted = false;
    loop {
        let (datagram, _) = socket.recv_from_full()?;
        for message in messages(&datagram) {
            is_interrupted |= message.header.flags & NLM_F_DUMP_INTR != 0;
            match message.payload {
                NetlinkPayload::Done(_) => return Ok((!is_interrupted).then_some(answers)),
                NetlinkPayload::Error(error) => return Err(error.to_io()),
                NetlinkPayload::InnerMessage(answer) => answers.push(answer),
                _ => {}
            }
        }
    }
}
