//! Messages in TCP segments.

use crate::packets::{ACK, RST, SYN, hello, names, reversed, tcp};
use proptest::prelude::*;
use reassembly::NameTracker;

/// The first sequence number is close to the largest one.
const FIRST: u32 = u32::MAX - 700;

/// The text of the name that each packet has.
fn found(packets: &[Vec<u8>]) -> Vec<String> {
    let mut tracker = NameTracker::default();
    let found = packets.iter().map(|packet| {
        let names = names(&mut tracker, 0, packet);
        let dns = names.dns.map(|(name, _)| name);
        [names.sni, names.http_host, dns].into_iter().flatten().collect::<Vec<_>>().join(" ")
    });
    found.collect()
}

fn segment(port: u16, bytes: &[u8], start: usize, end: usize) -> Vec<u8> {
    tcp(1, port, ACK, FIRST.wrapping_add(u32::try_from(start).unwrap()), &bytes[start..end])
}

fn syn(port: u16) -> Vec<u8> {
    tcp(1, port, SYN, FIRST.wrapping_sub(1), &[])
}

fn query(name: &str) -> Vec<u8> {
    let label = [&[u8::try_from(name.len()).unwrap()], name.as_bytes()].concat();
    let message = [&b"\0\x01\x01\0\0\x01\0\0\0\0\0\0"[..], &label, b"\0\0\x01\0\x01"].concat();
    [&[0, u8::try_from(message.len()).unwrap()], &message[..]].concat()
}

/// Hellos of browsers have 2 kB. Their segments have 1,448 bytes, or 536 on old paths.
#[test]
fn name_of_a_long_hello_is_on_the_packet_that_completes_it() {
    let hello = hello("www.example.com", 1_800);
    for size in [1_448, 536] {
        let cuts: Vec<_> = (0..hello.len()).step_by(size).chain([hello.len()]).collect();
        let packets: Vec<_> =
            cuts.windows(2).map(|cut| segment(443, &hello, cut[0], cut[1])).collect();
        let mut expected = vec![""; packets.len()];
        *expected.last_mut().unwrap() = "www.example.com";
        assert_eq!(found(&packets), expected, "{size}");
        // In the opposite order, the beginning is known from the SYN only.
        let backwards: Vec<_> = packets.iter().rev().cloned().collect();
        assert!(found(&backwards).iter().all(String::is_empty));
        let with_syn: Vec<_> = [syn(443)].into_iter().chain(backwards).collect();
        assert_eq!(found(&with_syn)[1..], expected, "{size}");
    }
}

#[test]
fn messages_of_dns_may_be_split_anywhere() {
    let bytes = [query("first"), query("second")].concat();
    for cut in 1..bytes.len() {
        let packets = [syn(53), segment(53, &bytes, 0, cut), segment(53, &bytes, cut, bytes.len())];
        let first_len = query("first").len();
        let expected = match cut {
            _ if cut < first_len => ["", "", "first"],
            _ => ["", "first", "second"],
        };
        assert_eq!(found(&packets), expected, "{cut}");
        // Without the SYN, the message proves itself if the first segment has its length.
        if 2 <= cut {
            assert_eq!(found(&packets[1..]), expected[1..], "{cut}");
        }
    }
}

/// The ID is after the length, and may be after the header of a proxy.
#[test]
fn responses_in_segments_have_times() {
    let question = query("www");
    let response = [&question[..4], &[0x81], &question[5..]].concat();
    let proxied = [b"PROXY TCP4 192.0.2.1 198.51.100.2 50000 53\r\n", &question[..]].concat();
    for question in [&question, &proxied] {
        for cut in [1, 8, response.len()] {
            let answer = |start, end| reversed(segment(53, &response, start, end));
            let packets = [
                segment(53, question, 0, question.len()),
                answer(0, cut),
                answer(cut, response.len()),
            ];
            let mut tracker = NameTracker::default();
            let times = (0..)
                .zip(&packets)
                .map(|(index, packet)| names(&mut tracker, index * 5_000, packet).dns_time_us);
            let expected = match cut {
                _ if cut == response.len() => [None, Some(5), None],
                // A single byte does not prove that a message begins.
                1 => [None; 3],
                _ => [None, None, Some(10)],
            };
            assert_eq!(times.collect::<Vec<_>>(), expected, "{cut}");
        }
    }
}

#[test]
fn later_segments_of_dns_have_no_name() {
    let answer = [&b"\xc0\x0c\0\x01\0\x01\0\0\0\x3c\0\x04"[..], &[192, 0, 2, 1]].concat();
    let body =
        [b"\0\x01\x81\x80\0\x01\x03\xe8\0\0\0\0\x01a\0\0\x01\0\x01", &answer.repeat(1_000)[..]]
            .concat();
    let message = [&u16::try_from(body.len()).unwrap().to_be_bytes()[..], &body].concat();
    let cuts: Vec<_> = (0..message.len()).step_by(1_448).chain([message.len()]).collect();
    let mut packets: Vec<_> =
        cuts.windows(2).map(|cut| segment(53, &message, cut[0], cut[1])).collect();
    let mut expected = vec![""; packets.len()];
    assert_eq!(found(&packets[1..]), expected[1..]);
    *expected.last_mut().unwrap() = "a";
    assert_eq!(found(&packets), expected);
    packets.remove(3);
    assert!(found(&packets).iter().all(String::is_empty));
}

#[test]
fn host_may_be_in_a_later_segment() {
    let request = b"GET /a HTTP/1.1\r\nCookie: abcdef\r\nHost: a.example\r\n\r\n";
    for cut in 1..40 {
        let packets =
            [syn(80), segment(80, request, 0, cut), segment(80, request, cut, request.len())];
        assert_eq!(found(&packets), ["", "", "a.example"], "{cut}");
        // Without the SYN, the request line proves itself if it is complete.
        // A path that continues is kept, too.
        if 3 <= cut {
            let expected = if [5, 6].contains(&cut) || 17 <= cut { "a.example" } else { "" };
            assert_eq!(found(&packets[1..]), ["", expected], "{cut}");
        }
    }
}

#[test]
fn next_messages_of_a_connection_have_names() {
    let request = b"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n";
    let bytes = request.repeat(3);
    let packets = [
        syn(80),
        segment(80, &bytes, 0, 35),
        segment(80, &bytes, 35, 50),
        segment(80, &bytes, 50, 70),
        segment(80, &bytes, 70, 105),
    ];
    assert_eq!(found(&packets), ["", "a.example", "", "a.example", "a.example"]);
    // The first request was lost: the next ones may be its body.
    let packets = [syn(80), segment(80, &bytes, 35, 70), segment(80, &bytes, 70, 105)];
    assert_eq!(found(&packets), ["", "", ""]);
}

#[test]
fn segments_of_another_connection_do_not_join() {
    let hello = hello("www.example.com", 400);
    let first = segment(443, &hello, 0, 300);
    let rest = segment(443, &hello, 300, hello.len());
    let other = tcp(2, 443, ACK, FIRST + 300, &hello[300..]);
    let reset = tcp(1, 443, RST, FIRST, &[]);
    let other_syn = tcp(1, 443, SYN, FIRST ^ 1 << 30, &[]);
    let other_first = tcp(1, 443, ACK, (FIRST ^ 1 << 30).wrapping_add(1), &hello[..300]);
    assert_eq!(found(&[first.clone(), other, rest.clone()]), ["", "", "www.example.com"]);
    // The receiver ignores these.
    for ignored in [reset, syn(443), other_syn.clone()] {
        let found = found(&[first.clone(), ignored, rest.clone()]);
        assert_eq!(found, ["", "", "www.example.com"]);
    }
    let packets = [first.clone(), other_syn, other_first, rest.clone()];
    assert_eq!(found(&packets), ["", "", "", ""]);
    let mut tracker = NameTracker::default();
    names(&mut tracker, 0, &first);
    assert!(names(&mut tracker, 120_000_000_000, &tcp(3, 443, ACK, 0, &hello[..300])).is_empty());
    assert!(names(&mut tracker, 120_000_000_000, &rest).is_empty(), "too old");
    assert_eq!(tracker.evicted(), 0);
}

#[test]
fn oldest_connections_are_given_up() {
    let hello = hello("www.example.com", 1_500);
    let mut tracker = NameTracker::default();
    let mut send = |number: u32, range: std::ops::Range<usize>| {
        let seq = u32::try_from(range.start).unwrap();
        let packet = tcp(number, 443, ACK, seq, &hello[range]);
        (names(&mut tracker, 0, &packet).sni.is_some(), tracker.evicted())
    };
    for number in 0..20_000 {
        assert!(!send(number, 0..1_400).0);
    }
    assert_eq!(send(0, 1_400..hello.len()), (false, 20_000 - 8_192));
    assert!(send(19_999, 1_400..hello.len()).0);
}

/// The headers that proxies send before the first bytes of a connection.
#[test]
fn headers_of_proxies_are_skipped() {
    let hello = hello("www.example.com", 100);
    let request = b"GET / HTTP/1.1\r\nHost: www.example.com\r\n\r\n";
    let text = b"PROXY TCP4 192.0.2.1 198.51.100.2 50000 443\r\n".to_vec();
    let binary = [b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c", &[9; 12][..]].concat();
    for message in [&hello[..], request] {
        for header in [&text, &binary] {
            let bytes = [&header[..], message].concat();
            let name = "www.example.com";
            assert_eq!(found(&[segment(443, &bytes, 0, bytes.len())]), [name]);
            for cut in 1..bytes.len() {
                let packets = [
                    syn(443),
                    segment(443, &bytes, 0, cut),
                    segment(443, &bytes, cut, bytes.len()),
                ];
                assert_eq!(found(&packets), ["", "", name], "{cut}");
            }
        }
    }
}

#[test]
fn messages_of_socks_are_skipped() {
    let socks = b"\x05\x01\0\x05\x01\0\x03\x09a.example\x01\xbb";
    let bytes = [&socks[..], &hello("www.example.com", 100)].concat();
    for cut in 1..bytes.len() {
        let packets =
            [syn(1080), segment(1080, &bytes, 0, cut), segment(1080, &bytes, cut, bytes.len())];
        assert_eq!(found(&packets), ["", "", "www.example.com"], "{cut}");
    }
}

/// A mail, and a file that contains a capture.
#[test]
fn streams_of_other_protocols_have_no_names_of_http() {
    let request = b"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n";
    for start in
        [&b"EHLO a.example\r\n"[..], b"220 a.example ESMTP\r\n", b"\0\x01\x02", b"\r\n\r\n"]
    {
        let bytes = [start, request, b"HTTP/1.1 200 OK\r\n\r\n", request].concat();
        let cut = start.len() + request.len();
        let packets = [
            syn(25),
            segment(25, &bytes, 0, start.len()),
            segment(25, &bytes, start.len(), cut),
            segment(25, &bytes, cut, cut + 19),
            segment(25, &bytes, cut + 19, bytes.len()),
        ];
        assert!(found(&packets).iter().all(String::is_empty), "{start:?}");
        assert!(found(&packets[1..]).iter().all(String::is_empty), "{start:?}");
        // Both sides agreed on TLS.
        let hello = hello("www.example.com", 100);
        let bytes = [start, &hello].concat();
        let packets = [
            syn(25),
            segment(25, &bytes, 0, start.len()),
            segment(25, &bytes, start.len(), bytes.len()),
        ];
        assert_eq!(found(&packets), ["", "", "www.example.com"]);
    }
}

/// A segment whose acknowledgment number is that of the bytes received so far.
fn answer(received: u32, bytes: &[u8], start: usize, end: usize) -> Vec<u8> {
    let mut packet = segment(25, bytes, start, end);
    packet[28..32].copy_from_slice(&received.to_be_bytes());
    packet
}

/// The segments of a file may begin with a message in it.
#[test]
fn files_have_no_names() {
    let hello = hello("www.example.com", 2_000);
    let short = crate::packets::hello("www.example.com", 100);
    let file = [&[0xd4; 1_000][..], &short, &[0xd4; 1_000], &hello, &[0xd4; 1_000]].concat();
    let (first, second) = (1_000, 2_000 + short.len());
    let ends =
        [first, first + short.len(), second, second + 1_000, second + hello.len(), file.len()];
    let mut starts = vec![0];
    starts.extend(ends);
    let parts = |skip: usize| {
        let cuts = starts.windows(2).skip(skip);
        cuts.map(|cut| segment(25, &file, cut[0], cut[1])).collect::<Vec<_>>()
    };
    let packets = [vec![syn(25)], parts(0)].concat();
    assert!(found(&packets).iter().all(String::is_empty));
    assert!(found(&parts(0)).iter().all(String::is_empty));
    // If the segments have other ends, the bytes after the message show that it is a part of a file.
    let rest = [segment(25, &file, first, first + short.len() + 1)];
    assert_eq!(found(&rest), [""]);
    let rest = [
        segment(25, &file, second, second + 1_000),
        segment(25, &file, second + 1_000, second + hello.len() + 1),
    ];
    assert_eq!(found(&rest), ["", ""]);
}

/// Where a connection changes to TLS, a long ClientHello follows a response or a short request.
#[test]
fn hello_after_another_protocol_may_have_several_segments() {
    let hello = hello("www.example.com", 2_000);
    let mut bytes = vec![b'a'; 600];
    bytes.extend(&hello);
    let cut = 600 + 1_448;
    let packets = [
        syn(25),
        answer(7, &bytes, 0, 600),
        answer(8, &bytes, 600, cut),
        answer(8, &bytes, cut, bytes.len()),
    ];
    assert_eq!(found(&packets), ["", "", "", "www.example.com"]);
    assert_eq!(found(&packets[1..]), ["", "", "www.example.com"]);
    let same = [answer(7, &bytes, 600, cut), answer(7, &bytes, cut, bytes.len())];
    let packets = [&packets[..2], &same].concat();
    assert_eq!(found(&packets), ["", "", "", ""]);
    let request = [&b"\0\0\0\x08\x04\xd2\x16\x2f\0\0"[..], &hello].concat();
    let packets = [
        syn(25),
        segment(25, &request, 0, 10),
        segment(25, &request, 10, 1_000),
        segment(25, &request, 1_000, request.len()),
        // A retransmission.
        segment(25, &request, 1_000, request.len()),
    ];
    assert_eq!(found(&packets)[..4], ["", "", "", "www.example.com"]);
}

proptest! {
    #[test]
    fn order_and_repetition_do_not_matter(
        size in 40usize..900,
        order in prop::collection::vec(any::<prop::sample::Index>(), 0..60),
    ) {
        let hello = hello("www.example.com", 900);
        let cuts: Vec<_> = (0..hello.len()).step_by(size).chain([hello.len()]).collect();
        let all: Vec<_> = cuts.windows(2).map(|cut| segment(443, &hello, cut[0], cut[1])).collect();
        // Some segments more than once, then all of them.
        let mixed = order.iter().map(|index| index.get(&all)).cloned();
        let packets: Vec<_> = [syn(443)].into_iter().chain(mixed).chain(all.iter().cloned()).collect();
        let complete_at = (1..=packets.len())
            .find(|count| all.iter().all(|packet| packets[..*count].contains(packet)));
        let found = found(&packets);
        let first = found.iter().position(|name| name == "www.example.com");
        prop_assert_eq!(first.map(|index| index + 1), complete_at);
    }

    #[test]
    fn any_segments_are_accepted(
        segments in prop::collection::vec(
            (0u32..200, any::<u8>(), prop::collection::vec(any::<u8>(), 0..80), any::<bool>()), 0..40,
        ),
    ) {
        let mut tracker = NameTracker::default();
        for (seq, flags, payload, is_dns) in segments {
            let packet = tcp(1, if is_dns { 53 } else { 443 }, flags & !RST, seq, &payload);
            names(&mut tracker, 0, &packet);
        }
    }
}
