//! Looks up interfaces by name or number, or the default one.

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

/// The interfaces with these names, in the same order; without names, the default one. Names were
/// separated at commas, which the name of an interface may contain, too.
///
/// # Errors
///
/// If a name is unknown, or two of them mean the same interface.
pub(crate) fn select(names: &[String]) -> Result<Vec<Interface>, Error> {
    if names.is_empty() {
        return Ok(vec![default()?]);
    }
    let mut selected: Vec<Interface> = Vec::with_capacity(names.len());
    let mut rest = names;
    while let [name, ..] = rest {
        let (interface, count) = first_named(rest)?;
        rest = &rest[count..];
        // Index 0 stands for all interfaces.
        if 1 < names.len() && interface.index == 0 {
            return Err(Error::AnyAmongInterfaces);
        }
        if selected.iter().any(|other| other.index == interface.index) {
            return Err(Error::DuplicateInterface { given: name.clone(), name: interface.name });
        }
        selected.push(interface);
    }
    Ok(selected)
}

/// The interface that the first of these names means, and how many of them are its name.
fn first_named(names: &[String]) -> Result<(Interface, usize), Error> {
    named(&names[0]).map(|interface| (interface, 1)).or_else(|error| {
        let joined = (2..=names.len()).find_map(|count| {
            named(&names[..count].join(",")).ok().map(|interface| (interface, count))
        });
        joined.ok_or(error)
    })
}

/// The interface with a name, an alternative name, or a number in the list of `-D`. The name may be
/// [`ANY`]. Names take precedence over numbers, as in tcpdump.
fn named(name: &str) -> Result<Interface, Error> {
    if name == ANY {
        return Ok(Interface::any());
    }
    let interfaces = all()?;
    if let Some(interface) = find(&interfaces, name) {
        return Ok(interface);
    }
    let available = interfaces.into_iter().map(|interface| interface.name);
    let available = available.chain([ANY.to_owned()]).collect();
    Err(Error::NoSuchInterface { name: name.to_owned(), available })
}

/// Looks an interface up in the list of all, which is numbered from 1; [`ANY`] is its last entry.
fn find(interfaces: &[Interface], name: &str) -> Option<Interface> {
    if let Some(interface) = interfaces.iter().find(|interface| interface.is_named(name)) {
        return Some(interface.clone());
    }
    let index = name.parse::<usize>().ok()?.checked_sub(1)?;
    match interfaces.get(index) {
        None if index == interfaces.len() => Some(Interface::any()),
        interface => interface.cloned(),
    }
}

/// The network mask of the first IPv4 address of an interface; without one 0.0.0.0, as in tcpdump.
pub(crate) fn netmask(name: &str) -> Ipv4Addr {
    let addresses = nix::ifaddrs::getifaddrs().into_iter().flatten();
    let of_name = addresses.filter(|address| address.interface_name == name);
    let masks = of_name.filter_map(|address| Some(address.netmask?.as_sockaddr_in()?.ip()));
    masks.into_iter().next().unwrap_or(Ipv4Addr::UNSPECIFIED)
}

/// Whether a default route leads to the interface.
pub(crate) fn has_default_route(interface: &Interface) -> Result<bool, Error> {
    Ok(default_route::interface_index()? == Some(interface.index))
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
    fn finds_by_name_alternative_name_or_number() {
        let interface = |name: &str, index, alternative_names: &[&str]| Interface {
            name: name.into(),
            index,
            alternative_names: alternative_names.iter().map(|&name| name.into()).collect(),
            ..Interface::any()
        };
        let interfaces = [
            interface("lo", 1, &[]),
            interface("eth0", 7, &["enp1s0", "lan"]),
            interface("1", 9, &[]),
        ];
        for (name, index) in [
            ("lo", Some(1)),
            ("lan", Some(7)),
            ("2", Some(7)),
            ("1", Some(9)),
            ("4", Some(0)),
            ("0", None),
            ("5", None),
            ("enp1", None),
        ] {
            assert_eq!(find(&interfaces, name).map(|found| found.index), index, "{name}");
        }
    }

    #[test]
    fn one_interface_cannot_be_selected_twice() {
        let select = |names: &[&str]| {
            let names: Vec<String> = names.iter().map(|&name| name.into()).collect();
            select(&names).map(|interfaces| interfaces.len()).map_err(|error| error.to_string())
        };
        assert_eq!(select(&["lo"]), Ok(1));
        assert_eq!(select(&["lo", "1"]), Err("`1` is `lo`, which is selected already".into()));
        assert_eq!(select(&["lo", "any"]), Err("`any` includes all other interfaces".into()));
        assert_eq!(select(&["any", "lo"]), Err("`any` includes all other interfaces".into()));
    }

    #[test]
    fn unknown_name_lists_available_names() {
        let error = named("l0").unwrap_err().to_string();
        assert!(error.starts_with("no interface named `l0`; available: "), "{error}");
        assert!(error.contains("lo, ") && error.ends_with("any"), "{error}");
    }
}
