//! A network interface as the kernel describes it (rtnetlink(7), `RTM_NEWLINK`).

use netlink_packet_route::link::{
    LinkAttribute, LinkFlags, LinkLayerType, LinkMessage, Prop, State,
};
use summary::{Address, LinkType};

/// Hardware type of raw IP, used by mobile modems (linux/if_arp.h); libc lacks it.
const ARPHRD_RAWIP: u16 = 519;

/// Name of the pseudo-interface that stands for all interfaces.
pub(crate) const ANY: &str = "any";

/// An interface of this network namespace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Interface {
    pub(crate) name: String,
    /// Alternative names (`ip link property add dev NAME altname NAME`), of at most 127 bytes.
    pub(crate) alternative_names: Vec<String>,
    /// The kernel's index, from 1; 0 stands for [`ANY`].
    pub(crate) index: u32,
    /// Hardware type: an `ARPHRD_` number (linux/if_arp.h).
    pub(crate) arphrd: u16,
    /// Administratively up.
    pub(crate) is_up: bool,
    /// Up and with a carrier.
    pub(crate) is_running: bool,
    pub(crate) is_loopback: bool,
    /// Hardware address with colons, if it has one of six bytes.
    pub(crate) mac: Option<String>,
    /// Maximum transmission unit in bytes.
    pub(crate) mtu: Option<u32>,
    /// Packets that the hardware lost since the interface exists: missed and FIFO errors.
    pub(crate) lost: u64,
}

impl Interface {
    /// The pseudo-interface [`ANY`].
    pub(crate) fn any() -> Self {
        Self {
            name: ANY.into(),
            alternative_names: Vec::new(),
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

    /// Whether this is its name or one of its alternative names.
    pub(crate) fn is_named(&self, name: &str) -> bool {
        self.name == name || self.alternative_names.iter().any(|other| other == name)
    }

    /// Link type of its frames; `None` if it is not supported. For [`ANY`], that of the cooked
    /// header that this program puts before each packet.
    pub(crate) fn link_type(&self) -> Option<LinkType> {
        if self.index == 0 {
            return Some(LinkType::LINUX_SLL2);
        }
        link_type(self.arphrd)
    }
}

/// Link type of frames that a raw packet socket delivers from interfaces of a hardware type; `None`
/// if it is not supported.
pub(crate) fn link_type(arphrd: u16) -> Option<LinkType> {
    match arphrd {
        libc::ARPHRD_ETHER | libc::ARPHRD_LOOPBACK => Some(LinkType::ETHERNET),
        libc::ARPHRD_NONE
        | ARPHRD_RAWIP
        | libc::ARPHRD_TUNNEL
        | libc::ARPHRD_TUNNEL6
        | libc::ARPHRD_SIT
        // Linux delivers packets of PPP interfaces without a PPP header.
        | libc::ARPHRD_PPP
        | libc::ARPHRD_IPGRE => Some(LinkType::RAW),
        libc::ARPHRD_IEEE80211 => Some(LinkType::IEEE802_11),
        libc::ARPHRD_IEEE80211_RADIOTAP => Some(LinkType::RADIOTAP),
        _ => None,
    }
}

impl From<&LinkMessage> for Interface {
    fn from(link: &LinkMessage) -> Self {
        let flags = link.header.flags;
        let mut interface = Self {
            name: String::new(),
            alternative_names: Vec::new(),
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
                LinkAttribute::PropList(properties) => {
                    let names = properties.iter().filter_map(|property| match property {
                        Prop::AltIfName(name) => Some(name.clone()),
                        _ => None,
                    });
                    interface.alternative_names.extend(names);
                }
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
}
