//! Frames with the layers and fields that they have. Laws for any bytes are in the crate `fuzz`.

use super::{Field, Layer, inspect};
use crate::LinkType;

/// Ethernet, a VLAN tag, IPv4 with options, TCP with options, two bytes, padding.
fn tcp_frame() -> Vec<u8> {
    let mut frame = vec![2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x81, 0, 0x60, 7, 8, 0];
    frame.extend([0x46, 0xb8, 0, 54, 0x12, 0x34, 0x40, 0, 64, 6, 0xab, 0xcd]);
    frame.extend([10, 0, 0, 1, 10, 0, 0, 2, 148, 4, 0, 0]);
    frame.extend([0, 80, 0xd4, 0x31, 0, 0, 1, 0, 0, 0, 2, 0, 0x70, 0x12, 0x10, 0, 1, 2, 0, 0]);
    frame.extend([2, 4, 5, 0xb4, 1, 3, 3, 7, b'h', b'i', 0, 0, 0]);
    frame
}

fn layers(link: LinkType, frame: &[u8]) -> Vec<Layer> {
    inspect(link, frame, u32::try_from(frame.len()).unwrap())
}

fn spans(layers: &[Layer]) -> Vec<(&str, usize, usize)> {
    layers.iter().map(|layer| (&*layer.name, layer.bytes.start, layer.bytes.end)).collect()
}

fn field<'a>(layers: &'a [Layer], layer: &str, name: &str) -> &'a Field {
    let layer = layers.iter().find(|found| found.name == layer).unwrap();
    layer.fields.iter().find(|field| field.name == name).unwrap()
}

#[test]
fn layers_are_in_the_order_of_the_frame() {
    let layers = layers(LinkType::ETHERNET, &tcp_frame());
    assert_eq!(
        spans(&layers),
        [
            ("Ethernet", 0, 14),
            ("802.1Q", 14, 18),
            ("IPv4", 18, 42),
            ("TCP", 42, 70),
            ("Payload", 70, 72),
            ("Padding", 72, 75)
        ]
    );
}

#[test]
fn fields_have_values_meanings_and_places() {
    let layers = layers(LinkType::ETHERNET, &tcp_frame());
    let check = |layer, name, value: &str, meaning: &str, key, bits| {
        let field = field(&layers, layer, name);
        assert_eq!((&*field.value, &*field.meaning), (value, meaning), "{layer} {name}");
        assert_eq!((field.key, &field.bits), (key, &bits), "{layer} {name}");
    };
    check("Ethernet", "EtherType", "0x8100", "vlan", None, 96..112);
    check("802.1Q", "Priority", "3", "", None, 112..115);
    check("802.1Q", "VLAN", "7", "", Some("vlan"), 116..128);
    check("IPv4", "Version", "4", "", None, 144..148);
    check("IPv4", "Header length", "6", "24 bytes", None, 148..152);
    check("IPv4", "DSCP", "46", "", None, 152..158);
    check("IPv4", "Fragment offset", "0", "", None, 195..208);
    check("IPv4", "Time to live", "64", "", Some("ttl"), 208..216);
    check("IPv4", "Protocol", "6", "tcp", None, 216..224);
    check("IPv4", "Source", "10.0.0.1", "", Some("src"), 240..272);
    check("IPv4", "Router alert", "0000", "", None, 304..336);
    check("TCP", "Source port", "80", "", Some("sport"), 336..352);
    check("TCP", "Sequence number", "256", "", Some("seq"), 368..400);
    check("TCP", "Acknowledgment number", "512", "", Some("ack"), 400..432);
    check("TCP", "Flags", "SA", "0x12", Some("flags"), 440..448);
    check("TCP", "Checksum", "0x0102", "", None, 464..480);
    check("TCP", "Maximum segment size", "1460", "", None, 496..528);
    check("TCP", "Window scale", "7", "", None, 536..560);
    let flags = &field(&layers, "TCP", "Flags").fields;
    let set: Vec<_> =
        flags.iter().filter(|flag| flag.value == "1").map(|flag| &*flag.name).collect();
    assert_eq!(set, ["ACK", "SYN"]);
    assert_eq!((flags[6].bits.clone(), flags[6].bytes()), (446..447, 55..56));
}

#[test]
fn incomplete_headers_list_what_was_captured() {
    let frame = tcp_frame();
    let layers = inspect(LinkType::ETHERNET, &frame[..52], 75);
    assert_eq!(spans(&layers).last(), Some(&("TCP", 42, 52)));
    let names: Vec<_> = layers[3].fields.iter().map(|field| &*field.name).collect();
    assert_eq!(names, ["Source port", "Destination port", "Sequence number"]);
    assert_eq!(inspect(LinkType::ETHERNET, &[], 60), []);
}

/// A header that the decoder rejects keeps its fields, but they are not fields of the line.
#[test]
fn rejected_headers_have_no_keys() {
    let mut frame = tcp_frame();
    frame[18] = 0x56;
    let layers = layers(LinkType::ETHERNET, &frame);
    assert_eq!(field(&layers, "IPv4", "Version").value, "5");
    assert!(layers[2].fields.iter().all(|field| field.key.is_none()));
    assert_eq!(spans(&layers).last(), Some(&("Data", 42, 75)));
}

#[test]
fn undecoded_bytes_are_data() {
    let layers = layers(LinkType(147), &[1, 2, 3]);
    assert_eq!(spans(&layers), [("Data", 0, 3)]);
}

#[test]
fn names_in_the_payload_are_layers() {
    let question = b"\0\x01\x01\0\0\x01\0\0\0\0\0\0\x01a\x03org\0\0\x1c\0\x01";
    let ip =
        |number: u8| vec![0x45, 0, 0, 0, 0, 0, 0, 0, 64, number, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2];
    let udp = [0xd4, 0x31, 0, 53, 0, 0, 0, 0];
    let dns = layers(LinkType::RAW, &[&ip(17)[..], &udp, question].concat());
    assert_eq!(spans(&dns), [("IPv4", 0, 20), ("UDP", 20, 28), ("DNS", 28, 51)]);
    let name = field(&dns, "DNS", "Question name");
    assert_eq!((&*name.value, name.key, name.bytes()), ("a.org", Some("dns"), 40..47));
    let kind = field(&dns, "DNS", "Question type");
    assert_eq!((&*kind.value, kind.key, kind.bytes()), ("AAAA", Some("dns_type"), 47..49));

    let tcp = [0xd4, 0x31, 0, 80, 0, 0, 0, 1, 0, 0, 0, 1, 0x50, 0x18, 1, 0, 0, 0, 0, 0];
    let request = b"GET / HTTP/1.1\r\nHost: a.org\r\nAccept: */*\r\n:no name\r\n\r\nbody";
    let http = layers(LinkType::RAW, &[&ip(6)[..], &tcp, request].concat());
    assert_eq!(field(&http, "HTTP", "Request").value, "GET / HTTP/1.1");
    assert_eq!(field(&http, "HTTP", "Accept").value, "*/*");
    assert_eq!(field(&http, "HTTP", "Invalid field").value, ":no name");
    let host = field(&http, "HTTP", "Host");
    assert_eq!((&*host.value, host.key, host.bytes()), ("a.org", Some("http_host"), 62..67));
    let path = field(&http, "HTTP", "Path");
    assert_eq!((&*path.value, path.key, path.bytes()), ("/", Some("http_path"), 44..45));

    let response = b"\nHTTP/1.1 204 No Content\n\n";
    let http = layers(LinkType::RAW, &[&ip(6)[..], &tcp, response].concat());
    let status = field(&http, "HTTP", "Status code");
    assert_eq!((&*status.value, status.key, status.bytes()), ("204", Some("http_status"), 50..53));
}

#[test]
fn icmp_errors_contain_the_quoted_headers() {
    let header =
        |number: u8| vec![0x45, 0, 0, 0, 0, 0, 0, 0, 64, number, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2];
    let error = [3, 3, 0, 0, 0, 0, 0, 0];
    let udp = [0xd4, 0x31, 0, 53, 0, 9, 0, 0, 7];
    let layers = layers(LinkType::RAW, &[&header(1)[..], &error, &header(17), &udp].concat());
    assert_eq!(spans(&layers), [("IPv4", 0, 20), ("ICMP", 20, 52), ("Data", 52, 57)]);
    let port = field(&layers, "ICMP", "Destination port of the quoted packet");
    assert_eq!((&*port.value, port.key, port.bytes()), ("53", Some("icmp_dport"), 50..52));
}
