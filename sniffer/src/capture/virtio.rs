//! The virtio header that the kernel puts before each packet if `PACKET_VNET_HDR` is set
//! (linux/virtio_net.h, `struct virtio_net_hdr`): the source of `gso` and `gso_type`.

use summary::{Gso, GsoKind};

/// Size of `struct virtio_net_hdr` in bytes.
pub(super) const HEADER_LEN: usize = 10;
const GSO_TYPE_OFFSET: usize = 1;
const GSO_SIZE_OFFSET: usize = 4;

// `VIRTIO_NET_HDR_GSO_` constants, which libc lacks.
const GSO_TCPV4: u8 = 1;
const GSO_UDP: u8 = 3;
const GSO_TCPV6: u8 = 4;
const GSO_UDP_L4: u8 = 5;
const GSO_ECN: u8 = 0x80;

/// The segmentation offload described by a header; `None` if there is none, or of another kind.
pub(super) fn gso(header: &[u8]) -> Option<Gso> {
    // The ECN bit does not affect segment sizes.
    let kind = match header.get(GSO_TYPE_OFFSET)? & !GSO_ECN {
        GSO_TCPV4 => GsoKind::TcpV4,
        GSO_TCPV6 => GsoKind::TcpV6,
        GSO_UDP => GsoKind::UdpFragments,
        GSO_UDP_L4 => GsoKind::UdpDatagrams,
        _ => return None,
    };
    let segment_len = u16::from_ne_bytes(*header.get(GSO_SIZE_OFFSET..)?.first_chunk()?);
    Some(Gso { segment_len, kind })
}

/// Whether the kernel supports virtio headers for all packets.
///
/// Before Linux 6.2 it dropped packets with an offload type that the header cannot represent, such
/// as UDP segments sent by QUIC servers (commit 860b7f27b8f7, `virtio_net_hdr_from_skb`). Losing
/// `gso` is better than losing packets.
pub(crate) fn is_supported() -> bool {
    let Ok(system) = nix::sys::utsname::uname() else { return false };
    is_release_at_least(&system.release().to_string_lossy(), (6, 2))
}

fn is_release_at_least(release: &str, minimum: (u32, u32)) -> bool {
    let mut numbers = release.split(|character: char| !character.is_ascii_digit());
    let mut next = || numbers.next()?.parse::<u32>().ok();
    next().zip(next()).is_some_and(|release| minimum <= release)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kernel_releases_are_compared_by_major_and_minor_number() {
        for release in ["6.2.0", "6.18.44", "6.2-rc1", "7.0.0-1-amd64", "10.0"] {
            assert!(is_release_at_least(release, (6, 2)), "{release}");
        }
        for release in ["6.1.0-13-amd64", "5.15.0", "6", "", "4.19.0-gvisor"] {
            assert!(!is_release_at_least(release, (6, 2)), "{release}");
        }
    }
}
