//! What interfaces there are, asked over rtnetlink (rtnetlink(7)): it answers for the network
//! namespace of this process, which `/sys` does not.

use netlink_packet_core::{
    NLM_F_DUMP, NLM_F_DUMP_INTR, NLM_F_REQUEST, NetlinkHeader, NetlinkMessage, NetlinkPayload,
};
use netlink_packet_route::address::{AddressAttribute, AddressMessage};
use netlink_packet_route::link::{LinkAttribute, LinkFlags, LinkLayerType, LinkMessage, State};
use netlink_packet_route::route::{RouteAttribute, RouteHeader, RouteMessage, RouteType};
use netlink_packet_route::{AddressFamily, RouteNetlinkMessage};
use netlink_sys::{Socket, SocketAddr, protocols::NETLINK_ROUTE};
use std::io::{self, Write};
use summary::{Address, LinkType};

use crate::Error;

/// Raw IP, as mobile modems have it (linux/if_arp.h); libc does not know it.
const ARPHRD_RAWIP: u16 = 519;

/// The name that stands for all interfaces at once.
pub(crate) const ANY: &str = "any";

/// An interface of this network namespace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Interface {
    pub(crate) name: String,
    /// The kernel's index, from 1; 0 stands for [`ANY`].
    pub(crate) index: u32,
    /// The kernel's link type: an `ARPHRD_` number (linux/if_arp.h).
    pub(crate) arphrd: u16,
    /// Administratively up.
    pub(crate) is_up: bool,
    /// Up and with a carrier.
    pub(crate) is_running: bool,
    pub(crate) is_loopback: bool,
    /// Hardware address with colons, where it has one of six bytes.
    pub(crate) mac: Option<String>,
    pub(crate) mtu: Option<u32>,
    /// Packets that the hardware lost: missed and FIFO errors since it exists.
    pub(crate) lost: u64,
}

impl Interface {
    /// All interfaces at once.
    pub(crate) fn any() -> Self {
        Self {
            name: ANY.into(),
            index: 0,
            arphrd: libc::ARPHRD_VOID,
            is_up: true,
            is_running: true,
            is_loopback: false,
            mac: None,
            mtu: None,
            lost: 0,
        }
    }

    /// What the first bytes of its frames are on a raw packet socket, or behind the cooked header
    /// that this program puts before the packets of [`ANY`].
    pub(crate) fn link_type(&self) -> Option<LinkType> {
        if self.index == 0 {
            return Some(LinkType::LINUX_SLL2);
        }
        match self.arphrd {
            libc::ARPHRD_ETHER | libc::ARPHRD_LOOPBACK => Some(LinkType::ETHERNET),
            libc::ARPHRD_NONE
            | ARPHRD_RAWIP
            | libc::ARPHRD_TUNNEL
            | libc::ARPHRD_TUNNEL6
            | libc::ARPHRD_SIT
            // Linux hands over PPP's packets without their PPP header.
            | libc::ARPHRD_PPP
            | libc::ARPHRD_IPGRE => Some(LinkType::RAW),
            libc::ARPHRD_IEEE80211 => Some(LinkType::IEEE802_11),
            libc::ARPHRD_IEEE80211_RADIOTAP => Some(LinkType::RADIOTAP),
            _ => None,
        }
    }
}

/// All interfaces, by their index.
pub(crate) fn all() -> Result<Vec<Interface>, Error> {
    let request = RouteNetlinkMessage::GetLink(LinkMessage::default());
    let mut interfaces: Vec<_> = dump(&request)?
        .into_iter()
        .filter_map(|message| match message {
            RouteNetlinkMessage::NewLink(link) => Some(interface(&link)),
            _ => None,
        })
        .collect();
    interfaces.sort_by_key(|interface| interface.index);
    Ok(interfaces)
}

/// The interface of that name, [`ANY`] included.
pub(crate) fn named(name: &str) -> Result<Interface, Error> {
    if name == ANY {
        return Ok(Interface::any());
    }
    let interfaces = all()?;
    if let Some(interface) = interfaces.iter().find(|interface| interface.name == name) {
        return Ok(interface.clone());
    }
    let known = interfaces.into_iter().map(|interface| interface.name);
    let known = known.chain([ANY.to_owned()]).collect();
    Err(Error::NoSuchInterface { name: name.to_owned(), known })
}

/// The interface of the default route; without one the first that is up, loopback last.
pub(crate) fn default() -> Result<Interface, Error> {
    let interfaces = all()?;
    let of_route = default_route_index()?;
    let usable = || interfaces.iter().filter(|interface| interface.is_up);
    usable()
        .find(|interface| Some(interface.index) == of_route)
        .or_else(|| usable().find(|interface| !interface.is_loopback))
        .or_else(|| usable().next())
        .cloned()
        .ok_or(Error::NoInterface)
}

/// Prints the interfaces, one a line, as `tcpdump -D` numbers them.
pub(crate) fn list() -> Result<(), Error> {
    let addresses = addresses()?;
    let mut text = String::new();
    let interfaces = all()?;
    for (number, interface) in interfaces.iter().enumerate() {
        let state = match (interface.is_up, interface.is_running) {
            (true, true) => "up",
            (true, false) => "up, no carrier",
            (false, _) => "down",
        };
        let link = match interface.link_type() {
            Some(link) => link.to_string(),
            None => format!("ARPHRD {}", interface.arphrd),
        };
        text += &format!("{}.{}  [{state}]  {link}", number + 1, interface.name);
        if interface.is_loopback {
            text += ", loopback";
        }
        if let Some(mac) = &interface.mac {
            text += &format!("  {mac}");
        }
        for (_, address) in addresses.iter().filter(|(index, _)| *index == interface.index) {
            text += &format!("  {address}");
        }
        text.push('\n');
    }
    text += &format!(
        "{}.{ANY}  [up]  {}, all interfaces\n",
        interfaces.len() + 1,
        LinkType::LINUX_SLL2
    );
    io::stdout()
        .write_all(text.as_bytes())
        .map_err(|source| Error::Output { name: "standard output".into(), source })
}

fn interface(link: &LinkMessage) -> Interface {
    let flags = link.header.flags;
    let mut interface = Interface {
        name: String::new(),
        index: link.header.index,
        arphrd: link.header.link_layer_type.into(),
        is_up: flags.contains(LinkFlags::Up),
        is_running: flags.contains(LinkFlags::Up),
        is_loopback: link.header.link_layer_type == LinkLayerType::Loopback,
        mac: None,
        mtu: None,
        lost: 0,
    };
    for attribute in &link.attributes {
        match attribute {
            LinkAttribute::IfName(name) => interface.name.clone_from(name),
            LinkAttribute::Address(bytes) => {
                let mac = <[u8; 6]>::try_from(&bytes[..]).ok().filter(|mac| *mac != [0; 6]);
                interface.mac = mac.map(|mac| Address::Mac(mac).to_string());
            }
            LinkAttribute::Mtu(mtu) => interface.mtu = Some(*mtu),
            LinkAttribute::OperState(state) => {
                interface.is_running &= matches!(state, State::Up | State::Unknown);
            }
            LinkAttribute::Stats64(stats) => {
                interface.lost = stats.rx_missed_errors.saturating_add(stats.rx_fifo_errors);
            }
            _ => {}
        }
    }
    interface
}

/// Index of an interface, and one of its addresses with the length of its prefix.
fn addresses() -> Result<Vec<(u32, String)>, Error> {
    let request = RouteNetlinkMessage::GetAddress(AddressMessage::default());
    let mut addresses = Vec::new();
    for message in dump(&request)? {
        let RouteNetlinkMessage::NewAddress(message) = message else { continue };
        // Of a point-to-point link the local address is the interface's, the other its peer's.
        let is_local =
            |attribute: &&AddressAttribute| matches!(attribute, AddressAttribute::Local(_));
        let attribute = message.attributes.iter().find(is_local).or_else(|| {
            message
                .attributes
                .iter()
                .find(|attribute| matches!(attribute, AddressAttribute::Address(_)))
        });
        if let Some(AddressAttribute::Local(address) | AddressAttribute::Address(address)) =
            attribute
        {
            addresses
                .push((message.header.index, format!("{address}/{}", message.header.prefix_len)));
        }
    }
    Ok(addresses)
}

/// The interface of the default route with the best metric, IPv4 before IPv6.
fn default_route_index() -> Result<Option<u32>, Error> {
    for family in [AddressFamily::Inet, AddressFamily::Inet6] {
        let mut request = RouteMessage::default();
        request.header.address_family = family;
        let mut best = None;
        for message in dump(&RouteNetlinkMessage::GetRoute(request))? {
            let RouteNetlinkMessage::NewRoute(route) = message else { continue };
            let is_main = route.header.table == RouteHeader::RT_TABLE_MAIN
                && route.header.kind == RouteType::Unicast;
            if !is_main || route.header.destination_prefix_length != 0 {
                continue;
            }
            let (mut index, mut metric) = (None, 0);
            for attribute in &route.attributes {
                match attribute {
                    RouteAttribute::Oif(oif) => index = Some(*oif),
                    RouteAttribute::Priority(priority) => metric = *priority,
                    _ => {}
                }
            }
            best = [best, index.map(|index| (metric, index))].into_iter().flatten().min();
        }
        if let Some((_, index)) = best {
            return Ok(Some(index));
        }
    }
    Ok(None)
}

/// All answers of the kernel to a request for a table.
fn dump(request: &RouteNetlinkMessage) -> Result<Vec<RouteNetlinkMessage>, Error> {
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
        let mut rest = &datagram[..];
        while !rest.is_empty() {
            let Some(&len) = rest.first_chunk() else { break };
            let flags =
                rest.get(6..).and_then(<[u8]>::first_chunk).map_or(0, |f| u16::from_ne_bytes(*f));
            is_interrupted |= flags & NLM_F_DUMP_INTR != 0;
            // One that this program's library cannot read is one that it can do without.
            match NetlinkMessage::<RouteNetlinkMessage>::deserialize(rest).map(|m| m.payload) {
                Ok(NetlinkPayload::Done(_)) => return Ok((!is_interrupted).then_some(answers)),
                Ok(NetlinkPayload::Error(error)) => return Err(error.to_io()),
                Ok(NetlinkPayload::InnerMessage(answer)) => answers.push(answer),
                _ => {}
            }
            // Messages begin at multiples of four bytes (netlink(7)).
            let len = (u32::from_ne_bytes(len) as usize).next_multiple_of(4);
            rest = rest.get(len..).filter(|_| len != 0).unwrap_or_default();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_loopback_interface_exists_everywhere() {
        let interfaces = all().unwrap();
        let loopback = interfaces.iter().find(|interface| interface.is_loopback).unwrap();
        assert_eq!((loopback.name.as_str(), loopback.index), ("lo", 1));
        assert_eq!(loopback.link_type(), Some(LinkType::ETHERNET));
    }

    #[test]
    fn a_misspelled_name_gets_the_names_that_exist() {
        let error = named("l0").unwrap_err().to_string();
        assert!(error.starts_with("no interface is named `l0`; there are: "), "{error}");
        assert!(error.contains("lo, ") && error.ends_with("any"), "{error}");
    }
}
