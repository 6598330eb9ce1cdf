//! Lowers tests of the link layer's protocol field.

use super::layout::Origin;
use super::{Lowered, Lowering};
use crate::Source;
use crate::ast::CmpOp;
use crate::condition::Condition;
use crate::link::Family;
use crate::protocol::{
    ETHERNET_MTU, LLC_IP, LLC_IPX, LLC_ISO, LLC_NETBEUI, LLC_SNAP, LLC_STP, ether_type,
};
use crate::value::Size;

/// Values of Linux cooked captures in place of an EtherType for 802.3 frames without and with an 802.2
/// header (`ETH_P_802_3`, `ETH_P_802_2`, linux/if_ether.h).
const COOKED_802_3: u32 = 0x0001;
const COOKED_802_2: u32 = 0x0004;

impl Lowering<'_> {
    /// Packets of a protocol, given by its EtherType or, if less than 256, by its 802.2 SAP.
    pub(super) fn link_type(&mut self, number: u32) -> Lowered {
        if 0 < self.layout.mpls_labels {
            return self.over_mpls(number);
        }
        let family = self.layout.family;
        if !matches!(family, Family::Ppp | Family::PppEther) {
            if number <= ETHERNET_MTU {
                self.check_max(0xff, "LLC DSAP", number)?;
            }
            self.check_max(0xffff, "EtherType", number)?;
        }
        Ok(match family {
            Family::Ethernet | Family::EthernetTagged => self.ethernet_type(number),
            Family::Wireless | Family::Radiotap | Family::Ppi => {
                let is_data = self.data_frame();
                is_data.and(self.llc_type_of(number))
            }
            Family::Cooked | Family::Cooked2 => self.cooked_type(number),
            Family::Raw | Family::Slip => match number {
                ether_type::IP => {
                    self.masked(Origin::LinkHeader, self.raw_start(), Size::Byte, 0x40, 0xf0)
                }
                ether_type::IP6 => {
                    self.masked(Origin::LinkHeader, self.raw_start(), Size::Byte, 0x60, 0xf0)
                }
                _ => Condition::Always(false),
            },
            Family::Ipv4 => Condition::Always(number == ether_type::IP),
            Family::Ipv6 => Condition::Always(number == ether_type::IP6),
            Family::Ppp | Family::PppEther => {
                let number = ppp_type(number);
                self.check_max(0xffff, "PPP protocol", number)?;
                self.equal(Origin::LinkType, 0, Size::Half, number)
            }
            Family::Hdlc if number == LLC_ISO => {
                self.equal(Origin::LinkType, 0, Size::Half, LLC_ISO << 8 | LLC_ISO)
            }
            Family::Hdlc => self.equal(Origin::LinkType, 0, Size::Half, number),
            Family::Null | Family::Loop => self.loopback_type(number),
            Family::Arcnet | Family::ArcnetLinux => {
                let types: &[u32] = match number {
                    ether_type::IP6 => &[196],
                    ether_type::IP => &[212, 240],
                    ether_type::ARP => &[213, 241],
                    ether_type::RARP => &[214],
                    ether_type::ATALK => &[221],
                    _ => &[],
                };
                let types =
                    types.iter().map(|number| self.equal(Origin::LinkType, 0, Size::Byte, *number));
                Condition::any(types.collect::<Vec<_>>())
            }
            Family::Mstp => {
                self.masked(Origin::LinkHeader, 0, Size::Word, 0x55ff_0000, 0xffff_0000)
            }
            Family::Mtp2 | Family::Unknown => {
                let link = self.link.description();
                return Err(self.error(format!("{link} link-layer type filtering not implemented")));
            }
        })
    }

    /// Bytes from the link header to the IP header, for link types without a protocol field.
    fn raw_start(&self) -> u32 {
        if self.layout.family == Family::Slip { 0 } else { self.layout.network }
    }

    /// Whether the length/type field contains a length.
    pub(super) fn is_length(&mut self) -> Condition {
        let value = self.load(Origin::LinkType, 0, Size::Half);
        self.compare(value, CmpOp::Greater, ETHERNET_MTU).not()
    }

    fn ethernet_type(&mut self, number: u32) -> Condition {
        let is_type =
            |lowering: &mut Self, number| lowering.equal(Origin::LinkType, 0, Size::Half, number);
        match number {
            LLC_ISO | LLC_IP | LLC_NETBEUI => {
                let is_length = self.is_length();
                is_length.and(self.equal(Origin::Payload, 0, Size::Half, number << 8 | number))
            }
            LLC_IPX => {
                // Ethernet II, SNAP, 802.2, and 802.3 without 802.2.
                let ethernet_ii = is_type(self, ether_type::IPX);
                let is_length = self.is_length();
                let snap = self.snap(0, ether_type::IPX);
                let llc = self.equal(Origin::Payload, 0, Size::Byte, LLC_IPX);
                let raw = self.equal(Origin::Payload, 0, Size::Half, 0xffff);
                ethernet_ii.or(is_length.and(Condition::any([snap, llc, raw])))
            }
            ether_type::ATALK | ether_type::AARP => {
                let ethernet_ii = is_type(self, number);
                let is_length = self.is_length();
                ethernet_ii.or(is_length.and(self.apple_snap(number)))
            }
            ..=ETHERNET_MTU => {
                let is_length = self.is_length();
                is_length.and(self.equal(Origin::LinkType, 2, Size::Byte, number))
            }
            _ => is_type(self, number),
        }
    }

    fn cooked_type(&mut self, number: u32) -> Condition {
        let is_type =
            |lowering: &mut Self, number| lowering.equal(Origin::LinkType, 0, Size::Half, number);
        match number {
            LLC_ISO | LLC_IP | LLC_NETBEUI => {
                let has_llc = is_type(self, COOKED_802_2);
                has_llc.and(self.equal(Origin::Payload, 0, Size::Half, number << 8 | number))
            }
            LLC_IPX => {
                let ethernet_ii = is_type(self, ether_type::IPX);
                let raw = is_type(self, COOKED_802_3);
                let has_llc = is_type(self, COOKED_802_2);
                let llc = self.equal(Origin::Payload, 0, Size::Byte, LLC_IPX);
                let snap = self.snap(0, ether_type::IPX);
                Condition::any([ethernet_ii, raw, has_llc.and(llc.or(snap))])
            }
            ether_type::ATALK | ether_type::AARP => {
                let ethernet_ii = is_type(self, number);
                let has_llc = is_type(self, COOKED_802_2);
                ethernet_ii.or(has_llc.and(self.apple_snap(number)))
            }
            ..=ETHERNET_MTU => {
                let has_llc = is_type(self, COOKED_802_2);
                has_llc.and(self.equal(Origin::Payload, 0, Size::Byte, number))
            }
            _ => is_type(self, number),
        }
    }

    /// The protocol in an 802.2 header.
    fn llc_type_of(&mut self, number: u32) -> Condition {
        match number {
            LLC_ISO | LLC_IP | LLC_NETBEUI => {
                self.equal(Origin::Payload, 0, Size::Half, number << 8 | number)
            }
            ether_type::ATALK => self.apple_snap(number),
            ..=ETHERNET_MTU => self.equal(Origin::Payload, 0, Size::Byte, number),
            // Like libpcap, do not check that there is a SNAP header.
            _ => self.equal(Origin::Payload, 6, Size::Half, number),
        }
    }

    /// An 802.2 header with SNAP: organization and protocol (RFC 1042).
    fn snap(&mut self, organization: u32, number: u32) -> Condition {
        let [_, organization @ ..] = organization.to_be_bytes();
        let [.., high, low] = number.to_be_bytes();
        let [a, b, c] = organization;
        self.bytes(Origin::Payload, 0, &[LLC_SNAP, LLC_SNAP, 0x03, a, b, c, high, low])
    }

    /// A SNAP header of AppleTalk, with Apple's organization code, or of AARP, with code 0.
    fn apple_snap(&mut self, number: u32) -> Condition {
        const APPLE: u32 = 0x08_0007;
        self.snap(if number == ether_type::ATALK { APPLE } else { 0 }, number)
    }

    /// The address family of a BSD loopback header. The numbers depend on the operating system.
    fn loopback_type(&mut self, number: u32) -> Condition {
        let is_live = !matches!(self.options.source, Source::File { .. });
        let families: &[u32] = match number {
            ether_type::IP => &[2],
            ether_type::IP6 if is_live => &[10],
            // NetBSD and OpenBSD, FreeBSD, macOS.
            ether_type::IP6 => &[24, 28, 30],
            _ => &[],
        };
        let is_big_endian = match self.options.source {
            _ if self.layout.family == Family::Loop => true,
            Source::Live | Source::Anywhere => cfg!(target_endian = "big"),
            Source::File { big_endian } => big_endian,
        };
        let families = families.iter().map(|family| {
            let family = if is_big_endian { *family } else { family.swap_bytes() };
            self.equal(Origin::LinkHeader, 0, Size::Word, family)
        });
        Condition::any(families.collect::<Vec<_>>())
    }

    /// MPLS has no protocol field: tests the bottom-of-stack bit and the IP version.
    fn over_mpls(&mut self, number: u32) -> Lowered {
        let version = match number {
            ether_type::IP => 0x40,
            ether_type::IP6 => 0x60,
            _ => return Err(self.error("unsupported protocol over mpls")),
        };
        let is_last = self.masked(Origin::PreviousLabel, 2, Size::Byte, 0x01, 0x01);
        Ok(is_last.and(self.masked(Origin::Network, 0, Size::Byte, version, 0xf0)))
    }
}

/// The PPP protocol number of an EtherType or SAP (IANA, PPP DLL protocol numbers).
fn ppp_type(number: u32) -> u32 {
    match number {
        ether_type::IP => 0x0021,
        LLC_ISO => 0x0023,
        ether_type::NS => 0x0025,
        ether_type::DECNET => 0x0027,
        ether_type::ATALK => 0x0029,
        LLC_IPX => 0x002b,
        LLC_STP => 0x0031,
        ether_type::IP6 => 0x0057,
        other => other,
    }
}
