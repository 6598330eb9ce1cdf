//! NameResolver of hosts, networks, ports and protocols. The compiler asks a [`NameResolver`]; [`NameTables`] answers
//! from the texts of the files in `/etc`.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};

/// The transport protocols that have ports.
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

/// Who knows names. An unknown name is `None` or empty.
pub trait NameResolver {
    /// The addresses of a host, in the order of the resolver.
    fn host(&self, name: &str) -> Vec<IpAddr>;
    /// The MAC address of a host (ethers(5)).
    fn ethernet(&self, name: &str) -> Option<[u8; 6]>;
    /// The number of a network, without trailing zero bytes: 10 for 10.0.0.0/8 (networks(5)).
    fn network(&self, name: &str) -> Option<u32>;
    /// The number of a port (services(5)).
    fn port(&self, name: &str, transport: Transport) -> Option<u16>;
    /// The number of a protocol over IP (protocols(5)).
    fn protocol(&self, name: &str) -> Option<u8>;
}

/// NameResolver from texts in the formats of `/etc`. Empty, it knows none.
#[derive(Clone, Debug, Default)]
pub struct NameTables {
    hosts: BTreeMap<String, Vec<IpAddr>>,
    ethers: BTreeMap<String, [u8; 6]>,
    networks: BTreeMap<String, u32>,
    ports: BTreeMap<(String, Transport), u16>,
    protocols: BTreeMap<String, u8>,
}

/// The words of each line, without comments.
fn lines(text: &str) -> impl Iterator<Item = Vec<&str>> {
    text.lines()
        .map(|line| {
            line.split('#').next().unwrap_or_default().split_whitespace().collect::<Vec<_>>()
        })
        .filter(|words| 2 <= words.len())
}

impl NameTables {
    /// Adds `/etc/hosts` (hosts(5)).
    #[must_use]
    pub fn with_hosts(mut self, text: &str) -> Self {
        for words in lines(text) {
            let Ok(address) = words[0].parse() else { continue };
            for name in &words[1..] {
                self.hosts.entry(name.to_ascii_lowercase()).or_default().push(address);
            }
        }
        self
    }

    /// Adds `/etc/ethers` (ethers(5)).
    #[must_use]
    pub fn with_ethers(mut self, text: &str) -> Self {
        for words in lines(text) {
            if let Some(address) = crate::lexer::ethernet(words[0]) {
                self.ethers.entry(words[1].to_ascii_lowercase()).or_insert(address);
            }
        }
        self
    }

    /// Adds `/etc/networks` (networks(5)).
    #[must_use]
    pub fn with_networks(mut self, text: &str) -> Self {
        for words in lines(text) {
            let mut parts =
                words[1].split('.').map(str::parse::<u8>).collect::<Result<Vec<_>, _>>();
            let Ok(parts) = &mut parts else { continue };
            parts.resize(4, 0);
            let mut number = u32::from(Ipv4Addr::new(parts[0], parts[1], parts[2], parts[3]));
            while number != 0 && number & 0xff == 0 {
                number >>= 8;
            }
            for name in words.iter().enumerate().filter(|(n, _)| *n != 1).map(|(_, name)| name) {
                self.networks.entry(name.to_ascii_lowercase()).or_insert(number);
            }
        }
        self
    }

    /// Adds `/etc/services` (services(5)).
    #[must_use]
    pub fn with_services(mut self, text: &str) -> Self {
        for words in lines(text) {
            let Some((port, transport)) = words[1].split_once('/') else { continue };
            let Ok(port) = port.parse() else { continue };
            let transport = match transport {
                "tcp" => Transport::Tcp,
                "udp" => Transport::Udp,
                "sctp" => Transport::Sctp,
                _ => continue,
            };
            for name in words.iter().enumerate().filter(|(n, _)| *n != 1).map(|(_, name)| name) {
                self.ports.entry(((*name).to_owned(), transport)).or_insert(port);
            }
        }
        self
    }

    /// Adds `/etc/protocols` (protocols(5)).
    #[must_use]
    pub fn with_protocols(mut self, text: &str) -> Self {
        for words in lines(text) {
            let Ok(number) = words[1].parse() else { continue };
            for name in words.iter().enumerate().filter(|(n, _)| *n != 1).map(|(_, name)| name) {
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

/// The EtherType, or the SAP of 802.2 where it is below 256, that a name has (pcap-filter(7)).
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
