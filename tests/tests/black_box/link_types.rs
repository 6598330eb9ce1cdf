//! Interfaces with link types other than Ethernet, played by a TUN device whose type is set.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use tempfile::tempdir;
use tests::frames::{ipv4, ipv6, udp};
use tests::process::{Capture, Process};
use tests::stream::Packet;
use xtask::namespace;

/// Creates a TUN device with an ARPHRD type (linux/if_arp.h), and sends a frame for each line of its
/// standard input, in hexadecimal.
const TUNNEL: &str = "
import fcntl, os, struct, sys
TUNSETIFF, TUNSETLINK, IFF_TUN = 0x400454ca, 0x400454cd, 1
tunnel = os.open('/dev/net/tun', os.O_RDWR)
fcntl.ioctl(tunnel, TUNSETIFF, struct.pack('16sH22x', b'tunnel', IFF_TUN))
fcntl.ioctl(tunnel, TUNSETLINK, int(sys.argv[1]))
print('made', flush=True)
for line in sys.stdin:
    # Flags and EtherType (struct tun_pi), then the frame.
    os.write(tunnel, bytes.fromhex('00000800') + bytes.fromhex(line))
    print('sent', flush=True)
";

/// Captures one frame on an interface of that type.
fn captured(arphrd: u16, interface: &str, frame: &[u8]) -> Packet {
    namespace::run(|| {
        let mut command = Command::new("python3");
        command.args(["-c", TUNNEL, &arphrd.to_string()]);
        let mut python = Process::spawn(command.stdin(Stdio::piped()).stdout(Stdio::piped()));
        let mut stdin = python.stdin.take().unwrap();
        let mut lines = BufReader::new(python.stdout.take().unwrap()).lines();
        assert_eq!(lines.next().unwrap().unwrap(), "made");
        namespace::ip("link set tunnel addrgenmode none").unwrap();
        namespace::ip("link set tunnel up").unwrap();
        let directory = tempdir().unwrap();
        let capture = Capture::start(directory.path(), &["-i", interface]);
        let hex: String = frame.iter().map(|byte| format!("{byte:02x}")).collect();
        writeln!(stdin, "{hex}").unwrap();
        assert_eq!(lines.next().unwrap().unwrap(), "sent");
        let mut stream = capture.stop();
        drop(stdin);
        assert!(python.wait().unwrap().success());
        assert_eq!(stream.packets.len(), 1);
        assert_eq!(stream.packets[0].r#if.as_deref(), Some("tunnel"));
        stream.packets.remove(0)
    })
}

fn check(arphrd: u16, frame: &[u8], link: &str, proto: &str, source: &str) {
    let packet = captured(arphrd, "tunnel", frame);
    let seen = (packet.link.as_deref(), &packet.proto[..], packet.src.as_deref());
    assert_eq!(seen, (Some(link), proto, Some(source)));
    assert_eq!((packet.len, packet.err), (frame.len() as u64, None));
}

#[test]
fn tunnels_have_raw_ip() {
    check(65_534, &ipv4(17, &udp(&[1; 9])), "raw", "udp", "10.0.0.1");
    check(65_534, &ipv6(17, &udp(&[1; 9])), "raw", "udp", "fd00::1");
    let packet = captured(65_534, "any", &ipv4(17, &udp(&[1; 9])));
    assert_eq!((packet.link.as_deref(), packet.payload), (Some("sll2"), Some(9)));
}

#[test]
fn monitor_mode_has_radiotap() {
    let header = [8, 1, 0, 0, 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 3, 0, 0];
    let snap = [0xaa, 0xaa, 3, 0, 0, 0, 8, 0];
    let data = [&header[..], &snap, &ipv4(17, &udp(&[1; 9]))].concat();
    let radiotap = [0, 0, 8, 0, 0, 0, 0, 0];
    check(803, &[&radiotap[..], &data].concat(), "radiotap", "udp", "10.0.0.1");
    check(801, &data, "ieee802.11", "udp", "10.0.0.1");
}

#[test]
fn ppp_is_decoded_with_and_without_its_header() {
    let packet = ipv4(17, &udp(&[1; 9]));
    check(512, &packet, "raw", "udp", "10.0.0.1");
    check(512, &[&[0xff, 3, 0, 0x21], &packet[..]].concat(), "ppp", "udp", "10.0.0.1");
}
