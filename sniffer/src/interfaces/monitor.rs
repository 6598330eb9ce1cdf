//! Notifications of the kernel when interfaces change (rtnetlink(7)).

use netlink_packet_core::NetlinkPayload;
use netlink_packet_route::link::LinkMessage;
use netlink_packet_route::{AddressFamily, RouteNetlinkMessage};
use netlink_sys::{Socket, protocols::NETLINK_ROUTE};
use nix::errno::Errno;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};

use super::interface::Interface;
use super::lookup::all;
use super::netlink::messages;
use crate::Error;

/// `RTNLGRP_LINK` (linux/rtnetlink.h): notifications about interfaces.
const LINK_GROUP: u32 = 1;

/// A change of interfaces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum LinkChange {
    /// An interface is new or has changed.
    Updated(Interface),
    /// The interface with this index was removed.
    Removed(u32),
    /// Notifications were lost. Contains all interfaces that exist now.
    Resync(Vec<Interface>),
}

/// Receives notifications of changes. Needs no privilege.
#[derive(Debug)]
pub(crate) struct LinkMonitor {
    socket: Socket,
}

impl LinkMonitor {
    /// Starts to receive notifications.
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

    /// Changes since the previous call, in order.
    pub(crate) fn changes(&self) -> Result<Vec<LinkChange>, Error> {
        let mut changes = Vec::new();
        loop {
            let datagram = match self.socket.recv_from_full() {
                Ok((datagram, _)) => datagram,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(changes),
                Err(error) if error.raw_os_error() == Some(Errno::ENOBUFS as i32) => {
                    changes.push(LinkChange::Resync(all()?));
                    continue;
                }
                Err(source) => return Err(Error::Netlink { source }),
            };
            for message in messages(&datagram) {
                match message.payload {
                    NetlinkPayload::InnerMessage(RouteNetlinkMessage::NewLink(link))
                        if is_about_interface(&link) =>
                    {
                        changes.push(LinkChange::Updated(Interface::from(&link)));
                    }
                    NetlinkPayload::InnerMessage(RouteNetlinkMessage::DelLink(link))
                        if is_about_interface(&link) =>
                    {
                        changes.push(LinkChange::Removed(link.header.index));
                    }
                    _ => {}
                }
            }
        }
    }
}

impl AsFd for LinkMonitor {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

/// Whether a message is about an interface. Bridges report their ports in the same group, under an
/// address family.
fn is_about_interface(link: &LinkMessage) -> bool {
    link.header.interface_family == AddressFamily::Unspec
}
