//! The forms of headers, which select the fields that packet details list.
//!
//! A tunnel does not contain the function that lists them: it would be part of every program that decodes
//! tunnels.

use crate::TunnelKind;
use crate::inspect::{Fields, tunnel as fields};

/// The form of a header.
#[derive(Clone, Copy)]
pub(super) enum Header {
    /// The usual one of the kind of tunnel.
    OfKind,
    /// Ethernet over IP of MikroTik.
    EthernetOverIp,
    Erspan2,
    Erspan3,
    /// L2TP version 3, over UDP or IP, with this number of bytes after the session.
    L2tp3 {
        is_over_udp: bool,
        rest_len: usize,
    },
}

impl Header {
    /// Lists the fields of a header that is not empty.
    #[inline]
    pub(super) fn fields(self, kind: TunnelKind) -> fn(&mut Fields<'_>) {
        match (self, kind) {
            (Self::EthernetOverIp, _) => fields::ethernet_over_ip,
            (Self::Erspan2, _) => fields::erspan_2,
            (Self::Erspan3, _) => fields::erspan_3,
            (Self::L2tp3 { is_over_udp, rest_len }, _) => match (is_over_udp, rest_len) {
                (false, 0) => fields::l2tp_3::<0, 0>,
                (false, 4) => fields::l2tp_3::<0, 4>,
                (false, 8) => fields::l2tp_3::<0, 8>,
                (false, _) => fields::l2tp_3::<0, 12>,
                (true, 0) => fields::l2tp_3::<4, 0>,
                (true, 4) => fields::l2tp_3::<4, 4>,
                (true, 8) => fields::l2tp_3::<4, 8>,
                (true, _) => fields::l2tp_3::<4, 12>,
            },
            (Self::OfKind, TunnelKind::Vxlan) => fields::vxlan,
            (Self::OfKind, TunnelKind::VxlanGpe) => fields::vxlan_gpe,
            (Self::OfKind, TunnelKind::Geneve) => fields::geneve,
            (Self::OfKind, TunnelKind::Gre | TunnelKind::Erspan) => fields::gre,
            (Self::OfKind, TunnelKind::Gtp) => fields::gtp,
            (Self::OfKind, TunnelKind::L2tp) => fields::l2tp,
            (Self::OfKind, TunnelKind::EtherIp) => fields::ether_ip,
            (Self::OfKind, TunnelKind::Ethernet) => fields::control_word,
            (Self::OfKind, TunnelKind::Capwap) => fields::capwap,
            (Self::OfKind, TunnelKind::Teredo) => fields::teredo,
            (Self::OfKind, TunnelKind::Lisp) => fields::lisp,
            (Self::OfKind, TunnelKind::Gue) => fields::gue,
            (Self::OfKind, TunnelKind::Tzsp) => fields::tzsp,
            (Self::OfKind, TunnelKind::Nsh) => fields::nsh,
            (Self::OfKind, TunnelKind::FabricPath) => fields::fabric_path,
            (Self::OfKind, TunnelKind::Cmd) => fields::cmd,
            (Self::OfKind, TunnelKind::VnTag) => fields::vn_tag,
            (Self::OfKind, TunnelKind::ETag) => fields::e_tag,
            (Self::OfKind, TunnelKind::Pbb) => fields::pbb,
            (Self::OfKind, TunnelKind::Trill) => fields::trill,
            (Self::OfKind, TunnelKind::Ip | TunnelKind::Ip6 | TunnelKind::Mpls) => fields::none,
        }
    }
}
