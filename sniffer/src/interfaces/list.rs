//! `-D`: lists the interfaces.

use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_route::address::{AddressAttribute, AddressMessage};
use std::io::{self, Write};
use summary::{LinkType, Printable};

use super::interface::ANY;
use super::lookup::all;
use super::netlink::dump;
use crate::Error;
use crate::error::STANDARD_OUTPUT_NAME;

/// Prints the interfaces, one per line, numbered as by `tcpdump -D`.
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
        text += &format!("{}.{}  [{state}]  {link}", number + 1, Printable(&interface.name));
        if interface.is_loopback {
            text += ", loopback";
        }
        for name in &interface.alternative_names {
            text += &format!(", also {}", Printable(name));
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
        .map_err(|source| Error::Output { name: STANDARD_OUTPUT_NAME.into(), source })
}

/// All addresses with their prefix lengths, each with the index of its interface.
fn addresses() -> Result<Vec<(u32, String)>, Error> {
    let request = RouteNetlinkMessage::GetAddress(AddressMessage::default());
    let mut addresses = Vec::new();
    for message in dump(&request)? {
        let RouteNetlinkMessage::NewAddress(message) = message else { continue };
        // On a point-to-point link, the interface has the local address and the peer the other.
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
