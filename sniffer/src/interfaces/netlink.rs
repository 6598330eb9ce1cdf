//! Netlink exchanges with the kernel (netlink(7), rtnetlink(7)).

use netlink_packet_core::{
    NLM_F_DUMP, NLM_F_DUMP_INTR, NLM_F_REQUEST, NetlinkHeader, NetlinkMessage, NetlinkPayload,
};
use netlink_packet_route::RouteNetlinkMessage;
use netlink_sys::{Socket, SocketAddr, protocols::NETLINK_ROUTE};
use std::io;

use crate::Error;

/// How often to retry a dump that was interrupted by changes of the table.
const MAX_TRIES: usize = 10;

/// The messages in a datagram, without those that the library cannot parse: none of them matters
/// here.
pub(super) fn messages(
    datagram: &[u8],
) -> impl Iterator<Item = NetlinkMessage<RouteNetlinkMessage>> {
    let mut rest = datagram;
    std::iter::from_fn(move || {
        let len = u32::from_ne_bytes(*rest.first_chunk()?);
        let message = NetlinkMessage::deserialize(rest);
        // Messages are aligned to four bytes (`NLMSG_ALIGNTO`).
        let len = (len as usize).next_multiple_of(4);
        rest = rest.get(len..).filter(|_| len != 0).unwrap_or_default();
        Some(message)
    })
    .flatten()
}

/// Dumps a table: all of the kernel's replies to a request.
pub(super) fn dump(request: &RouteNetlinkMessage) -> Result<Vec<RouteNetlinkMessage>, Error> {
    for _ in 0..MAX_TRIES {
        let replies = try_dump(request).map_err(|source| Error::Netlink { source })?;
        if let Some(replies) = replies {
            return Ok(replies);
        }
    }
    Err(Error::Netlink { source: io::ErrorKind::ResourceBusy.into() })
}

/// One attempt at a dump; `None` if the table changed meanwhile.
fn try_dump(request: &RouteNetlinkMessage) -> io::Result<Option<Vec<RouteNetlinkMessage>>> {
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

    let mut replies = Vec::new();
    let mut is_interrupted = false;
    loop {
        let (datagram, _) = socket.recv_from_full()?;
        for message in messages(&datagram) {
            is_interrupted |= message.header.flags & NLM_F_DUMP_INTR != 0;
            match message.payload {
                NetlinkPayload::Done(_) => return Ok((!is_interrupted).then_some(replies)),
                NetlinkPayload::Error(error) => return Err(error.to_io()),
                NetlinkPayload::InnerMessage(reply) => replies.push(reply),
                _ => {}
            }
        }
    }
}
