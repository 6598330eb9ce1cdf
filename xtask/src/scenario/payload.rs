//! Payloads of application protocols that `sniffer --names` decodes: DNS, TLS, HTTP and QUIC.
//! Encrypted parts are random bytes.

use std::net::{Ipv4Addr, Ipv6Addr};

use crate::random::Random;

/// Header flags of a DNS query with recursion desired, and of its response (RFC 1035, 4.1.1).
const QUERY_FLAGS: u16 = 0x0100;
const RESPONSE_FLAGS: u16 = 0x8180;
const NAME_ERROR: u16 = 3;
const CLASS_IN: u16 = 1;
/// Pointer to the name of the question.
const NAME_POINTER: u16 = 0xc00c;
const DNS_TTL: u32 = 300;

/// Type of a DNS query, with the answer.
#[derive(Clone, Copy, Debug)]
pub(super) enum Lookup {
    A(Ipv4Addr),
    Aaaa(Ipv6Addr),
    /// AAAA of a name that has A records only.
    NoAaaa,
    /// A of a name that does not exist.
    NoName,
}

/// A DNS query and its response.
pub(super) fn dns(id: u16, name: &str, lookup: Lookup) -> (Vec<u8>, Vec<u8>) {
    let (kind, data, error) = match lookup {
        Lookup::A(address) => (1, address.octets().to_vec(), 0),
        Lookup::NoName => (1, Vec::new(), NAME_ERROR),
        Lookup::Aaaa(address) => (28, address.octets().to_vec(), 0),
        Lookup::NoAaaa => (28, Vec::new(), 0),
    };
    let mut question = Vec::new();
    for label in name.split('.') {
        question.push(u8::try_from(label.len()).expect("a label is short"));
        question.extend(label.bytes());
    }
    question.push(0);
    question.extend([kind, CLASS_IN].iter().flat_map(|field: &u16| field.to_be_bytes()));
    let message = |flags: u16, answer_count: u16| {
        let header = [id, flags, 1, answer_count, 0, 0];
        let mut message: Vec<u8> = header.iter().flat_map(|field| field.to_be_bytes()).collect();
        message.extend(&question);
        message
    };
    let query = message(QUERY_FLAGS, 0);
    let mut response = message(RESPONSE_FLAGS | error, u16::from(!data.is_empty()));
    if !data.is_empty() {
        response
            .extend([NAME_POINTER, kind, CLASS_IN].iter().flat_map(|field| field.to_be_bytes()));
        response.extend(DNS_TTL.to_be_bytes());
        response.extend(len_u16(data.len()));
        response.extend(data);
    }
    (query, response)
}

/// A TLS record (RFC 8446, 5.1).
fn record(kind: u8, content: &[u8]) -> Vec<u8> {
    [&[kind, 3, 3], &len_u16(content.len())[..], content].concat()
}

/// A TLS ClientHello with a server name (RFC 8446, 4.1.2; RFC 6066, 3).
pub(super) fn client_hello(name: &str, random: &mut Random) -> Vec<u8> {
    let mut extensions = Vec::new();
    let mut extension = |kind: u16, content: &[u8]| {
        extensions.extend(kind.to_be_bytes());
        extensions.extend(len_u16(content.len()));
        extensions.extend(content);
    };
    let entry = [&[0], &len_u16(name.len())[..], name.as_bytes()].concat();
    extension(0, &[&len_u16(entry.len())[..], &entry].concat());
    extension(43, &[2, 3, 4]); // supported versions: TLS 1.3
    extension(51, &[&[0, 36, 0, 29, 0, 32], &random.bytes(32)[..]].concat()); // key share: X25519
    extension(21, &[0; 300]); // padding
    let mut hello = vec![3, 3];
    hello.extend(random.bytes(32));
    hello.push(32);
    hello.extend(random.bytes(32));
    hello.extend([0, 6, 0x13, 1, 0x13, 2, 0x13, 3, 1, 0]);
    hello.extend(len_u16(extensions.len()));
    hello.extend(extensions);
    let handshake = [&[1, 0], &len_u16(hello.len())[..], &hello].concat();
    record(22, &handshake)
}

/// The server's flight: ServerHello, then encrypted records with its certificate.
pub(super) fn server_flight(random: &mut Random) -> Vec<u8> {
    let mut hello = vec![2, 0, 0, 78, 3, 3];
    hello.extend(random.bytes(32));
    hello.push(32);
    hello.extend(random.bytes(32));
    hello.extend([0x13, 1, 0, 0, 6, 0, 43, 0, 2, 3, 4]);
    let certificate_len = random.len(2_300, 3_900);
    [record(22, &hello), record(20, &[1]), application_data(certificate_len, random)].concat()
}

/// The client's flight: its encrypted Finished.
pub(super) fn client_finished(random: &mut Random) -> Vec<u8> {
    [record(20, &[1]), application_data(53, random)].concat()
}

/// Encrypted records with `len` bytes of content.
pub(super) fn application_data(len: usize, random: &mut Random) -> Vec<u8> {
    random.bytes(len).chunks(16_384).flat_map(|chunk| record(23, chunk)).collect()
}

/// An HTTP request.
pub(super) fn http_request(host: &str, path: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: sample/1.0\r\nAccept: */*\r\n\r\n")
        .into_bytes()
}

/// An HTTP response with a body of `len` bytes.
pub(super) fn http_response(len: usize) -> Vec<u8> {
    let mut response =
        format!("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {len}\r\n\r\n")
            .into_bytes();
    response.resize(response.len() + len, b'.');
    response
}

/// A QUIC version 1 packet with a long header: an Initial or Handshake packet (RFC 9000, 17.2).
pub(super) fn quic_long(first_byte: u8, len: usize, random: &mut Random) -> Vec<u8> {
    let mut packet = vec![first_byte, 0, 0, 0, 1, 8];
    packet.extend(random.bytes(8));
    packet.push(8);
    let mut rest = random.bytes(len - packet.len());
    // After the source connection ID: an Initial packet has the length of its token, here 0; then both have
    // the length of what follows, in two bytes (RFC 9000, 16).
    let is_initial = first_byte & 0x30 == 0;
    let at = if is_initial { 9 } else { 8 };
    rest[8] = 0;
    let [high, low] = len_u16(rest.len() - at - 2);
    rest[at..at + 2].copy_from_slice(&[0x40 | high, low]);
    packet.extend(rest);
    packet
}

/// A QUIC packet with a short header (RFC 9000, 17.3).
pub(super) fn quic_short(len: usize, random: &mut Random) -> Vec<u8> {
    let mut packet = random.bytes(len);
    packet[0] = 0x40 | packet[0] & 0x3f;
    packet
}

fn len_u16(len: usize) -> [u8; 2] {
    u16::try_from(len).expect("a length of 16 bits").to_be_bytes()
}
