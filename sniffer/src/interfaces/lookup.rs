//! Looks up interfaces by name, or the default one.

use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_route::link::LinkMessage;
use std::net::Ipv4Addr;

use super::interface::{ANY, Interface};
use super::{default_route, netlink};
use crate::Error;

/// All interfaces, sorted by index, without [`ANY`].
pub(crate) fn all() -> Result<Vec<Interface>, Error> {
    let request = RouteNetlinkMessage::GetLink(LinkMessage::default());
    let mut interfaces: Vec<_> = netlink::dump(&request)?
        .into_iter()
        .filter_map(|message| match message {
            RouteNetlinkMessage::NewLink(link) => Some(Interface::from(&link)),
            _ => None,
        })
        .collect();
    interfaces.sort_by_key(|interface| interface.index);
    Ok(interfaces)
}

/// The interface with a name, which may be [`ANY`].
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

/// The network mask of the first IPv4 address of an interface; without one 0.0.0.0, as in tcpdump.
pub(crate) fn netmask(name: &str) -> Ipv4Addr {
    let addresses = nix::ifaddrs::getifaddrs().into_iter().flatten();
    let of_name = addresses.filter(|address| address.interface_name == name);
    let masks = of_name.filter_map(|address| Some(address.netmask?.as_sockaddr_in()?.ip()));
    masks.into_iter().next().unwrap_or(Ipv4Addr::UNSPECIFIED)
}

/// The interface of the default route. Without one, the first that is up, other than loopback if
/// there is another.
pub(crate) fn default() -> Result<Interface, Error> {
    let interfaces = all()?;
    let default_index = default_route::interface_index()?;
    let up = || interfaces.iter().filter(|interface| interface.is_up);
    up().find(|interface| Some(interface.index) == default_index)
        .or_else(|| up().find(|interface| !interface.is_loopback))
        .or_else(|| up().next())
        .cloned()
        .ok_or(Error::NoInterface)
}

#[cfg(test)]
mod tests {
    use super::*;
    use summary::LinkType;

    #[test]
    fn loopback_has_index_1_and_ethernet_frames() {
        let interfaces = all().unwrap();
        let loopback = interfaces.iter().find(|interface| interface.is_loopback).unwrap();
        assert_eq!((loopback.name.as_str(), loopback.index), ("lo", 1));
        assert_eq!(loopback.link_type(), Some(LinkType::ETHERNET));
    }

    #[test]
    fn unknown_name_lists_available_names() {
        let error = named("l0").unwrap_err().to_string();
        assert!(error.starts_with("no interface named `l0`; available: "), "{error}");
        assert!(error.contains("lo, ") && error.ends_with("any"), "{error}");
    }
}
