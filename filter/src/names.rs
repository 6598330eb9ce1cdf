//! Names of hosts, networks, ports and protocols: the interface to the caller's resolver, and an
//! implementation for files such as `/etc/services`.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};

/// A transport protocol with ports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Transport {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
    /// SCTP.
    Sctp,
}

impl Transport {
    pub(crate) const fn number(self) -> u32 {
        match self {
            Self::Tcp => 6,
            Self::Udp => 17,
            Self::Sctp => 132,
        }
    }

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
            Self::Sctp => "sctp",
        }
    }
}

/// Looks names up for the compiler. Methods return `None`, or an empty list, for unknown names.
pub trait NameResolver {
    /// The addresses of a host.
    fn host(&self, name: &str) -> Vec<IpAddr>;
    /// The MAC address of a host (ethers(5)).
    fn ethernet(&self, name: &str) -> Option<[u8; 6]>;
    /// The number of a network without trailing zero bytes, such as 10 for 10.0.0.0/8
    /// (networks(5)).
    fn network(&self, name: &str) -> Option<u32>;
    /// The number of a port (services(5)).
    fn port(&self, name: &str, transport: Transport) -> Option<u16>;
    /// The number of an IP protocol (protocols(5)).
    fn protocol(&self, name: &str) -> Option<u8>;
}

/// Names from the contents of files such as `/etc/services`. The default has no names.
///
/// ```
/// use filter::{LinkType, NameTables, Options, compile};
///
/// let names = NameTables::default().with_services("https 443/tcp");
/// let options = Options { names: &names, ..Options::default() };
/// compile("tcp port https", LinkType::ETHERNET, &options)?;
/// # Ok::<(), filter::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct NameTables {
    hosts: BTreeMap<String, Vec<IpAddr>>,
    ethers: BTreeMap<String, [u8; 6]>,
    networks: BTreeMap<String, u32>,
    ports: BTreeMap<(String, Transport), u16>,
    protocols: BTreeMap<String, u8>,
}

/// The fields of each line with at least two, without comments.
fn lines(text: &str) -> impl Iterator<Item = Vec<&str>> {
    text.lines()
        .map(|line| {
            line.split('#').next().unwrap_or_default().split_whitespace().collect::<Vec<_>>()
        })
        .filter(|fields| 2 <= fields.len())
}

impl NameTables {
    /// Adds the contents of a file in the format of hosts(5).
    #[must_use]
    pub fn with_hosts(mut self, text: &str) -> Self {
        for fields in lines(text) {
            let Ok(address) = fields[0].parse() else { continue };
            for name in &fields[1..] {
                self.hosts.entry(name.to_ascii_lowercase()).or_default().push(address);
            }
        }
        self
    }

    /// Adds the contents of a file in the format of ethers(5).
    #[must_use]
    pub fn with_ethers(mut self, text: &str) -> Self {
        for fields in lines(text) {
            if let Some(address) = crate::lexer::parse_mac(fields[0]) {
                self.ethers.entry(fields[1].to_ascii_lowercase()).or_insert(address);
            }
        }
        self
    }

    /// Adds the contents of a file in the format of networks(5).
    #[must_use]
    pub fn with_networks(mut self, text: &str) -> Self {
        for fields in lines(text) {
            let mut parts =
                fields[1].split('.').map(str::parse::<u8>).collect::<Result<Vec<_>, _>>();
            let Ok(parts) = &mut parts else { continue };
            parts.resize(4, 0);
            let mut number = u32::from(Ipv4Addr::new(parts[0], parts[1], parts[2], parts[3]));
            while number != 0 && number & 0xff == 0 {
                number >>= 8;
            }
            for name in fields.iter().enumerate().filter(|(n, _)| *n != 1).map(|(_, name)| name) {
                self.networks.entry(name.to_ascii_lowercase()).or_insert(number);
            }
        }
        self
    }

    /// Adds the contents of a file in the format of services(5).
    #[must_use]
    pub fn with_services(mut self, text: &str) -> Self {
        for fields in lines(text) {
            let Some((port, transport)) = fields[1].split_once('/') else { continue };
            let Ok(port) = port.parse() else { continue };
            let transport = match transport {
                "tcp" => Transport::Tcp,
                "udp" => Transport::Udp,
                "sctp" => Transport::Sctp,
                _ => continue,
            };
            for name in fields.iter().enumerate().filter(|(n, _)| *n != 1).map(|(_, name)| name) {
                self.ports.entry(((*name).to_owned(), transport)).or_insert(port);
            }
        }
        self
    }

    /// Adds the contents of a file in the format of protocols(5).
    #[must_use]
    pub fn with_protocols(mut self, text: &str) -> Self {
        for fields in lines(text) {
            let Ok(number) = fields[1].parse() else { continue };
            for name in fields.iter().enumerate().filter(|(n, _)| *n != 1).map(|(_, name)| name) {
                self.protocols.entry((*name).to_owned()).or_insert(number);
            }
        }
        self
    }
}

impl NameResolver for NameTables {
    fn host(&self, name: &str) -> Vec<IpAddr> {
        self.hosts.get(&name.to_ascii_lowercase()).cloned().unwrap_or_default()
    }

    fn ethernet(&self, name: &str) -> Option<[u8; 6]> {
        self.ethers.get(&name.to_ascii_lowercase()).copied()
    }

    fn network(&self, name: &str) -> Option<u32> {
        self.networks.get(&name.to_ascii_lowercase()).copied()
    }

    fn port(&self, name: &str, transport: Transport) -> Option<u16> {
        self.ports.get(&(name.to_owned(), transport)).copied()
    }

    fn protocol(&self, name: &str) -> Option<u8> {
        self.protocols.get(name).copied()
    }
}

/// The EtherType of a name of pcap-filter(7), or its 802.2 SAP, which is less than 256.
pub(crate) fn ether_protocol(name: &str) -> Option<u32> {
    Some(match name {
        "aarp" => 0x80f3,
        "arp" => 0x0806,
        "atalk" => 0x809b,
        "decnet" => 0x6003,
        "ip" => 0x0800,
        "ip6" => 0x86dd,
        "lat" => 0x6004,
        "loopback" => 0x9000,
        "mopdl" => 0x6001,
        "moprc" => 0x6002,
        "rarp" => 0x8035,
        "sca" => 0x6007,
        "slow" => 0x8809,
        "lldp" => 0x88cc,
        "iso" => crate::protocol::LLC_ISO,
        "stp" => crate::protocol::LLC_STP,
        "ipx" => crate::protocol::LLC_IPX,
        "netbeui" => crate::protocol::LLC_NETBEUI,
        _ => return None,
    })
}
