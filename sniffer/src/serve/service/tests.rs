use super::*;
use proptest::prelude::*;
use std::net::Ipv4Addr;
use summary::{Faults, LinkType, Timestamp};

use crate::line_formatter::CapturedPacket;

/// A page of one file, whose content is empty (RFC 1952).
const FILES: &[(&str, &[u8])] =
    &[("index.html", &[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 2, 0xff, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0])];

fn service() -> CaptureService {
    CaptureService {
        token: Token::random().unwrap(),
        address: Ipv4Addr::LOCALHOST.into(),
        page: Page::new(FILES),
        lines: LineBuffer::new(1 << 20, Wakeup::new().unwrap()),
        packets: PacketBuffer::new(2 << 20),
    }
}

/// The response to a request for a path below the token.
fn respond(service: &CaptureService, name: &str, headers: &str) -> Option<Response> {
    let path = format!("/{}/{name}", service.token.text());
    respond_to(service, &path, &format!("Host: localhost\r\n{headers}"), false)
}

fn respond_to(
    service: &CaptureService,
    path: &str,
    headers: &str,
    is_final: bool,
) -> Option<Response> {
    let request = format!("GET {path} HTTP/1.1\r\n{headers}\r\n");
    service.respond(&Request::parse(request.as_bytes()).unwrap().unwrap(), is_final)
}

fn status(response: Option<Response>) -> String {
    response.map_or("waiting".to_owned(), |response| response.status()[..3].to_owned())
}

#[test]
fn only_requests_with_host_and_token_are_answered() {
    let service = service();
    let token = service.token.text();
    let own = "Host: 127.0.0.1:8000\r\n";
    for (path, headers, expected) in [
        (format!("/{token}/"), own, "200"),
        (format!("/{token}/index.html?x"), own, "200"),
        (format!("/{token}/capture.ndjson"), own, "200"),
        (format!("/{token}/missing"), own, "404"),
        (format!("/{token}/../{token}/"), own, "404"),
        (format!("/{token}"), own, "404"),
        (format!("//{token}/"), own, "404"),
        (format!("{token}/"), own, "404"),
        (format!("http://127.0.0.1/{token}/"), own, "404"),
        ("/".to_owned(), own, "404"),
        ("/index.html".to_owned(), own, "404"),
        (format!("/{}0/", &token[1..]), own, "404"),
        (format!("/{token}/"), "", "421"),
        (format!("/{token}/"), "Host: evil.example\r\n", "421"),
        (format!("/{token}/"), "Host: localhost\r\nHost: evil.example\r\n", "421"),
        (format!("/{token}/capture.ndjson"), "Host: evil.example\r\n", "421"),
    ] {
        let response = respond_to(&service, &path, headers, false);
        assert_eq!(status(response), expected, "{path} {headers}");
    }
}

#[test]
fn nothing_tells_a_wrong_token_from_a_missing_file() {
    let service = service();
    let missing = respond(&service, "missing", "");
    assert_eq!(respond_to(&service, "/", "Host: localhost\r\n", false), missing);
}

#[test]
fn open_ranges_follow_the_run() {
    let service = service();
    let range = |from: u64, is_final| {
        let path = format!("/{}/{CAPTURE}", service.token.text());
        let headers = format!("Host: localhost\r\nRange: bytes={from}-\r\n");
        respond_to(&service, &path, &headers, is_final)
    };
    let expected = |range: &str, text: &[u8]| {
        let slice = Slice { range: 0..text.len(), chunk: text.to_vec().into() };
        let response = lines("206 Partial Content", vec![slice])
            .header("Content-Range", range.to_owned())
            .header("Cache-Control", "no-store");
        Some(protect(response))
    };
    assert_eq!(range(0, false), None);
    assert_eq!(status(range(0, true)), "204");
    service.lines.append(b"one\ntwo\n");
    assert_eq!(range(0, false), expected("bytes 0-7/*", b"one\ntwo\n"));
    assert_eq!(range(4, false), expected("bytes 4-7/*", b"two\n"));
    assert_eq!(range(8, false), None);
    service.lines.append(b"three\n");
    service.lines.end();
    assert_eq!(range(8, false), expected("bytes 8-13/14", b"three\n"));
    let end = Response::new("416 Range Not Satisfiable")
        .header("Content-Range", "bytes */14")
        .header("Cache-Control", "no-store");
    assert_eq!(range(14, false), Some(protect(end)));
}

#[test]
fn other_ranges_are_refused() {
    let service = service();
    service.lines.append(b"line\n");
    for headers in [
        "Range: bytes=0-1\r\n",
        "Range: bytes=-1\r\n",
        "Range: bytes=0-,0-\r\n",
        "Range: bytes=0-\r\nRange: bytes=0-\r\n",
    ] {
        assert_eq!(status(respond(&service, CAPTURE, headers)), "400", "{headers}");
    }
}

#[test]
fn clients_without_gzip_get_the_content() {
    let service = service();
    let has_encoding = |headers: &str| {
        let response = respond(&service, "", headers).unwrap();
        let text = format!("{response:?}");
        text.contains("Content-Encoding")
    };
    for headers in ["Accept-Encoding: gzip\r\n", "Accept-Encoding: br;q=1.0, GZIP ;q=0.5\r\n"] {
        assert!(has_encoding(headers), "{headers}");
    }
    for headers in ["", "Accept-Encoding: br\r\n", "Accept-Encoding: gzip; q=0\r\n"] {
        assert!(!has_encoding(headers), "{headers}");
    }
}

#[test]
fn lists_of_packets_are_read_in_several_responses() {
    let service = service();
    let bytes = [7; 300_000];
    let packet = CapturedPacket {
        ts: Timestamp::default(),
        link: LinkType::ETHERNET,
        is_big_endian: cfg!(target_endian = "big"),
        bytes: &bytes,
        wire_len: 300_000,
        faults: Faults::default(),
        interface: Some("eth0"),
        direction: None,
        gso: None,
    };
    // The buffer keeps 2 MiB.
    (1..=9).for_each(|n| service.packets.push(n, &packet));
    let in_memory = (1..=9).filter(|n| service.packets.get(*n).is_some()).count();
    let header = |response: &Response, name: &str| {
        let text = format!("{response:?}");
        let value = text.split_once(&format!("(\"{name}\", \""))?.1.split_once('"')?.0;
        value.parse::<usize>().ok()
    };
    let (mut count, mut list) = (0, "1-9".to_owned());
    for responses in 1.. {
        let response = respond(&service, &format!("packets/{list}.pcapng"), "").unwrap();
        count += header(&response, "Packet-Count").unwrap();
        let Some(next) = header(&response, "Next-Packet") else {
            assert_eq!((count, responses), (in_memory, 2));
            break;
        };
        list = format!("{next}-9");
    }
    for (name, expected) in [
        ("packets/1.pcapng", "204"),
        ("packets/1,9.pcapng", "200"),
        ("packets/1.bin", "204"),
        ("packets/1,9.bin", "200"),
        ("packets/9-1.bin", "404"),
        ("packets/9-1.pcapng", "404"),
        ("packets/.pcapng", "404"),
    ] {
        assert_eq!(status(respond(&service, name, "")), expected, "{name}");
    }
}

#[test]
fn records_of_a_list_have_numbers_and_lengths() {
    let service = service();
    let body = |name: &str| {
        let text = format!("{:?}", respond(&service, name, "").unwrap());
        let (_, body) = text.split_once("body: ").unwrap();
        body.to_owned()
    };
    let packet = CapturedPacket {
        ts: Timestamp::default(),
        link: LinkType(276),
        is_big_endian: cfg!(target_endian = "big"),
        bytes: b"abc",
        wire_len: 1_500,
        faults: Faults::default(),
        interface: None,
        direction: None,
        gso: None,
    };
    [7, 300].iter().for_each(|n| service.packets.push(*n, &packet));
    let record = |n: [u8; 2]| {
        let numbers = [0, 0, 0, 0, 0, 0, n[0], n[1], 0, 0, 1, 20, 0, 0, 5, 220, 0, 0, 0, 3];
        [&numbers[..], b"abc"].concat()
    };
    let expected = |bytes: Vec<u8>| format!("{:?} }}", [Piece::Owned(bytes)]);
    assert_eq!(body("packets/7.bin"), expected(record([0, 7])));
    let both = [record([0, 7]), record([1, 44])].concat();
    assert_eq!(body("packets/1-8,300.bin"), expected(both));
}

proptest! {
    /// Nothing but the token leads to anything else than a refusal.
    #[test]
    fn any_request_without_the_token_is_refused(
        path in "[!-~]{0,60}",
        headers in prop::collection::vec("(Host|Range|Accept-Encoding): [ -~]{0,30}", 0..4),
    ) {
        let service = service();
        service.lines.append(b"line\n");
        let headers: String = headers.iter().map(|header| format!("{header}\r\n")).collect();
        let request = format!("GET /{path} HTTP/1.1\r\n{headers}\r\n");
        if let Ok(Some(request)) = Request::parse(request.as_bytes()) {
            let status = status(service.respond(&request, false));
            prop_assert!(["404", "421"].contains(&&*status), "{}", status);
        }
    }
}
