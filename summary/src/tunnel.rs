//! The tunnels around a packet: the field `tunnel`.

use std::fmt;

/// A protocol that carries frames or packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TunnelKind {
    /// VXLAN (RFC 7348) with the network identifier.
    Vxlan,
    /// The generic protocol extension of VXLAN (draft-ietf-nvo3-vxlan-gpe) with the network identifier.
    VxlanGpe,
    /// Geneve (RFC 8926) with the network identifier.
    Geneve,
    /// GRE (RFC 2784) with the key (RFC 2890), if there is one; GRE of PPTP (RFC 2637) with the call.
    Gre,
    /// ERSPAN over GRE (draft-foschiano-erspan) with the session, which type I does not have.
    Erspan,
    /// IPv4 in IP (RFC 2003, RFC 2473).
    Ip,
    /// IPv6 in IP (RFC 4213, RFC 2473).
    Ip6,
    /// GTP-U (3GPP TS 29.281) with the tunnel endpoint identifier.
    Gtp,
    /// L2TP version 2 (RFC 2661) or 3 (RFC 3931) with the session.
    L2tp,
    /// MPLS in IP (RFC 4023) and in UDP (RFC 7510).
    Mpls,
    /// EtherIP (RFC 3378).
    EtherIp,
    /// Ethernet in IPv6 segment routing (RFC 8986), and after MPLS labels (RFC 4448).
    Ethernet,
    /// CAPWAP (RFC 5415) with frames of radios or Ethernet.
    Capwap,
    /// Teredo (RFC 4380): IPv6 in UDP.
    Teredo,
    /// LISP (RFC 9300) with the instance, if there is one.
    Lisp,
    /// Generic UDP encapsulation of Linux (draft-ietf-intarea-gue).
    Gue,
    /// TZSP: captured frames.
    Tzsp,
    /// Network service header (RFC 8300) with the service path.
    Nsh,
    /// Cisco FabricPath with the forwarding tag.
    FabricPath,
    /// Cisco metadata with the security group tag.
    Cmd,
    /// Cisco VN-Tag.
    VnTag,
    /// E-Tag (IEEE 802.1BR) with the extended channel identifier.
    ETag,
    /// Provider backbone bridging (IEEE 802.1ah) with the service instance.
    Pbb,
    /// TRILL (RFC 6325).
    Trill,
}

impl TunnelKind {
    const ALL: [Self; 24] = [
        Self::Vxlan,
        Self::VxlanGpe,
        Self::Geneve,
        Self::Gre,
        Self::Erspan,
        Self::Ip,
        Self::Ip6,
        Self::Gtp,
        Self::L2tp,
        Self::Mpls,
        Self::EtherIp,
        Self::Ethernet,
        Self::Capwap,
        Self::Teredo,
        Self::Lisp,
        Self::Gue,
        Self::Tzsp,
        Self::Nsh,
        Self::FabricPath,
        Self::Cmd,
        Self::VnTag,
        Self::ETag,
        Self::Pbb,
        Self::Trill,
    ];

    /// The name in the field `tunnel`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Vxlan => "vxlan",
            Self::VxlanGpe => "vxlan-gpe",
            Self::Geneve => "geneve",
            Self::Gre => "gre",
            Self::Erspan => "erspan",
            Self::Ip => "ip",
            Self::Ip6 => "ip6",
            Self::Gtp => "gtp",
            Self::L2tp => "l2tp",
            Self::Mpls => "mpls",
            Self::EtherIp => "etherip",
            Self::Ethernet => "ethernet",
            Self::Capwap => "capwap",
            Self::Teredo => "teredo",
            Self::Lisp => "lisp",
            Self::Gue => "gue",
            Self::Tzsp => "tzsp",
            Self::Nsh => "nsh",
            Self::FabricPath => "fabricpath",
            Self::Cmd => "cmd",
            Self::VnTag => "vntag",
            Self::ETag => "etag",
            Self::Pbb => "pbb",
            Self::Trill => "trill",
        }
    }

    /// Whether its number identifies a virtual network, whose addresses other networks may use, too.
    pub const fn is_virtual_network(self) -> bool {
        matches!(self, Self::Vxlan | Self::VxlanGpe | Self::Geneve | Self::Lisp)
    }

    /// Whether both directions have the same number. The ends of GTP and L2TP choose one each, and service
    /// paths have a direction.
    pub const fn has_shared_id(self) -> bool {
        !matches!(self, Self::Gtp | Self::L2tp | Self::Nsh)
    }

    fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// Up to [`TunnelPath::CAPACITY`] tunnels, outermost first. `Display` joins them with slashes, each with
/// its number, if it has one, after a colon: `vxlan:42/ip`.
///
/// ```
/// use summary::TunnelPath;
///
/// let path = TunnelPath::parse("vxlan:42/ip").unwrap();
/// assert_eq!(path.to_string(), "vxlan:42/ip");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct TunnelPath {
    /// The tunnels, then `None`.
    kinds: [Option<TunnelKind>; Self::CAPACITY],
    /// A bit for each tunnel with a number.
    has_id: u8,
    /// The numbers; 0 for tunnels without one.
    ids: [u32; Self::CAPACITY],
}

impl TunnelPath {
    /// Maximum number of tunnels. Those further inside are not entered.
    pub const CAPACITY: usize = 6;

    /// Appends an inner tunnel; `false` if the list is full.
    #[must_use]
    pub fn push(&mut self, kind: TunnelKind, id: Option<u32>) -> bool {
        let Some(index) = self.kinds.iter().position(Option::is_none) else { return false };
        self.kinds[index] = Some(kind);
        self.has_id |= u8::from(id.is_some()) << index;
        self.ids[index] = id.unwrap_or(0);
        true
    }

    /// Returns true if there are no tunnels.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.kinds[0].is_none()
    }

    /// The tunnels with their numbers, outermost first.
    pub fn iter(&self) -> impl Iterator<Item = (TunnelKind, Option<u32>)> {
        self.kinds.iter().enumerate().map_while(|(index, kind)| {
            let has_id = self.has_id >> index & 1 == 1;
            Some(((*kind)?, has_id.then_some(self.ids[index])))
        })
    }

    /// Parses the text of `Display`; `None` for an unknown tunnel, and if there are none or too many.
    pub fn parse(text: &str) -> Option<Self> {
        let mut path = Self::default();
        for part in text.split('/') {
            let (name, id) = match part.split_once(':') {
                // Not `+1` or `01`.
                Some((name, id)) => {
                    (name, Some(id.parse().ok().filter(|n: &u32| n.to_string() == id)?))
                }
                None => (part, None),
            };
            if !path.push(TunnelKind::parse(name)?, id) {
                return None;
            }
        }
        Some(path)
    }
}

impl fmt::Display for TunnelPath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        for (kind, id) in self.iter() {
            formatter.write_str(separator)?;
            formatter.write_str(kind.name())?;
            if let Some(id) = id {
                write!(formatter, ":{id}")?;
            }
            separator = "/";
        }
        Ok(())
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use proptest::prelude::*;

    pub(crate) fn paths() -> impl Strategy<Value = TunnelPath> {
        let kind = proptest::sample::select(TunnelKind::ALL.to_vec());
        let steps = prop::collection::vec((kind, any::<Option<u32>>()), 0..=TunnelPath::CAPACITY);
        steps.prop_map(|steps| {
            let mut path = TunnelPath::default();
            for (kind, id) in steps {
                assert!(path.push(kind, id));
            }
            path
        })
    }

    proptest! {
        #[test]
        fn paths_parse_back(path in paths()) {
            let parsed = TunnelPath::parse(&path.to_string());
            prop_assert_eq!(parsed, Some(path).filter(|path| !path.is_empty()));
        }
    }

    #[test]
    fn other_texts_are_no_paths() {
        for text in
            ["", "/", "vxlan:", "vxlan:01", "vxlan:4294967296", "ip/", "IP", "ip/ip/ip/ip/ip/ip/ip"]
        {
            assert_eq!(TunnelPath::parse(text), None, "{text}");
        }
    }
}
