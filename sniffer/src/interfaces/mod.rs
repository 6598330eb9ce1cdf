//! What interfaces there are, asked over rtnetlink (rtnetlink(7)): it answers for the network
//! namespace of this process, which `/sys` does not.

mod list;
mod netlink;
mod route;

pub(crate) use list::list;
pub(crate) use netlink::{Change, Watch};

use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_route::link::{LinkAttribute, LinkFlags, LinkLayerType, LinkMessage, State};
use std::net::Ipv4Addr;
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
        link_type(self.arphrd)
    }
}

/// What frames of an interface of that type begin with on a raw packet socket.
pub(crate) fn link_type(arphrd: u16) -> Option<LinkType> {
    match arphrd {
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

/// All interfaces, by their index.
pub(crate) fn all() -> Result<Vec<Interface>, Error> {
    let request = RouteNetlinkMessage::GetLink(LinkMessage::default());
    let mut interfaces: Vec<_> = netlink::dump(&request)?
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
    let available = interfaces.into_iter().map(|interface| interface.name);
    let available = available.chain([ANY.to_owned()]).collect();
    Err(Error::NoSuchInterface { name: name.to_owned(), available })
}

/// The mask of the first IPv4 network that an interface is in; without one that of all networks, as
/// tcpdump has it.
pub(crate) fn netmask(name: &str) -> Ipv4Addr {
    let addresses = nix::ifaddrs::getifaddrs().into_iter().flatten();
    let of_name = addresses.filter(|address| address.interface_name == name);
    let masks = of_name.filter_map(|address| Some(address.netmask?.as_sockaddr_in()?.ip()));
    masks.into_iter().next().unwrap_or(Ipv4Addr::UNSPECIFIED)
}

/// The interface of the default route; without one the first that is up, loopback last.
pub(crate) fn default() -> Result<Interface, Error> {
    let interfaces = all()?;
    let of_route = route::default_route_index()?;
    let usable = || interfaces.iter().filter(|interface| interface.is_up);
    usable()
        .find(|interface| Some(interface.index) == of_route)
        .or_else(|| usable().find(|interface| !interface.is_loopback))
        .or_else(|| usable().next())
        .cloned()
        .ok_or(Error::NoInterface)
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
        assert!(error.starts_with("no interface named `l0`; available: "), "{error}");
        assert!(error.contains("lo, ") && error.ends_with("any"), "{error}");
    }
}
