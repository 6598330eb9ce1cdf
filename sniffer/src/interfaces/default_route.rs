//! The interface of the default route, which is captured if none is named.

use netlink_packet_route::route::{RouteAttribute, RouteHeader, RouteMessage, RouteType};
use netlink_packet_route::{AddressFamily, RouteNetlinkMessage};

use super::netlink::dump;
use crate::Error;

/// Index of the interface of the default route with the best metric, IPv4 before IPv6.
pub(super) fn interface_index() -> Result<Option<u32>, Error> {
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
