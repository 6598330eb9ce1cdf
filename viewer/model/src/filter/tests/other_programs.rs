//! Filters as written for Wireshark and tcpdump.

use super::*;

#[test]
fn other_notations_are_the_same_expressions() {
    const IP: &str = "host in 0.0.0.0/0 and proto != arp and";
    for (text, own) in [
        // Values and operators.
        ("dport == https", "dport == 443"),
        ("port in {HTTPS, domain, 8000..8080}", "port in {443, 53, 8000..8080}"),
        ("flags has RST", "flags has R"),
        ("flags == syn+ack", "flags == SA"),
        ("flags == 0x12", "flags == SA"),
        ("flags has ECE", "flags has E"),
        ("len gt 0x64 && n le 5 || !vlan", "len > 100 and n <= 5 or not vlan"),
        ("len ge 1 AND len lt 9 OR proto ne tcp", "len >= 1 and len < 9 or proto != tcp"),
        ("DPORT eq 80", "dport == 80"),
        ("port not in {80, 443}", "not port in {80, 443}"),
        // Wireshark.
        ("ip.addr == 10.0.0.5", &format!("{IP} host == 10.0.0.5")),
        ("ip.addr != 10.0.0.5", &format!("{IP} host != 10.0.0.5")),
        ("ip.src==10.0.0.0/8", &format!("{IP} src in 10.0.0.0/8")),
        ("ip.dst in {10.0.0.1, 10.0.0.2}", &format!("{IP} dst in {{10.0.0.1, 10.0.0.2}}")),
        ("ip.ttl < 10", &format!("{IP} ttl < 10")),
        ("ipv6.addr == fe80::1", "host in ::/0 and host == fe80::1"),
        ("ipv6.hlim == 255", "host in ::/0 and ttl == 255"),
        ("eth.addr == 02:00:00:00:00:01", "mac == 02:00:00:00:00:01"),
        ("eth.src != ff:ff:ff:ff:ff:ff", "eth_src != ff:ff:ff:ff:ff:ff"),
        ("tcp.port == 443", "proto == tcp and port == 443"),
        ("tcp.srcport in {80 443}", "proto == tcp and sport in {80, 443}"),
        ("udp.dstport != 53", "proto == udp and dport != 53"),
        ("tcp.flags.reset == 1", "flags has R"),
        (
            "tcp.flags.syn == True && tcp.flags.ack==0",
            "flags has S and (flags and not flags has A)",
        ),
        ("tcp.flags.syn", "flags"),
        ("tcp.flags & 0x06", "proto == tcp and (flags has S or flags has R)"),
        ("flags & 2 != 0", "flags has S"),
        ("flags & SYN+RST != 0", "flags has S or flags has R"),
        ("flags & 6 == 0", "flags and not (flags has S or flags has R)"),
        ("flags & SA == SA", "flags has SA"),
        ("flags & SA != SA", "flags and not flags has SA"),
        ("tcp.flags == 0x002", "proto == tcp and flags == S"),
        ("frame.len > 100", "len > 100"),
        ("frame.number == 7", "n == 7"),
        ("frame.time_delta > 0.05", "gap > 50ms"),
        ("frame.time_epoch >= 1795521601.5", "ts >= 2026-11-24T12:00:01.5Z"),
        ("frame.time_relative < 2.5", "ts < 2026-11-24T12:00:03.5Z"),
        ("vlan.id == 7", "vlan == 7"),
        ("dns.qry.name contains \"example\"", "dns contains example"),
        ("tls.handshake.extensions_server_name == a.example", "sni == a.example"),
        ("tls.handshake.extensions_alpn_str == h2", "alpn == h2"),
        ("tls.handshake.ja4 contains t13d", "ja4 contains t13d"),
        ("dns.flags.rcode == 3", "dns_rcode == NXDOMAIN"),
        ("dns.flags.rcode in {0, 3}", "dns_rcode in {NOERROR, NXDOMAIN}"),
        ("dns_rcode contains 3", "dns_rcode contains \"3\""),
        ("dns.qry.type == 28", "dns_type == AAAA"),
        ("dns.qry.type == AAAA", "dns_type == AAAA"),
        ("tcp.analysis.retransmission", "proto == tcp and rtx"),
        ("tcp.analysis.zero_window", "proto == tcp and zero_window"),
        ("dns.time > 0.25", "dns_time_us > 250000"),
        ("quic.version == 1", "quic == 0x00000001"),
        ("quic.version == 0x6b3343cf", "quic == 0x6b3343cf"),
        ("quic", "quic"),
        ("http.request.method == POST", "http_method == POST"),
        ("http.request.uri.path contains login", "http_path contains login"),
        ("http.response.code >= 400", "http_status >= 400"),
        ("tcp", "proto == tcp"),
        ("!arp", "not proto == arp"),
        ("icmpv6 or icmp6", "proto == icmp6 or proto == icmp6"),
        ("ip", "host in 0.0.0.0/0 and proto != arp"),
        ("dns", "dns"),
        // tcpdump.
        ("host 10.0.0.5", "host == 10.0.0.5"),
        ("src host 10.0.0.5", "src == 10.0.0.5"),
        ("dst 10.0.0.5", "dst == 10.0.0.5"),
        ("net 10.0.0.0/8", "host in 10.0.0.0/8"),
        ("src net 10.0.0.0/8", "src in 10.0.0.0/8"),
        ("port 443", "port == 443"),
        ("src port https", "sport == 443"),
        ("portrange 80-90", "port in 80..90"),
        ("tcp port 53", "proto == tcp and port == 53"),
        ("udp dst portrange 1-9", "proto == udp and dport in 1..9"),
        ("ip host 10.0.0.5", &format!("{IP} host == 10.0.0.5")),
        ("ether src 02:00:00:00:00:01", "eth_src == 02:00:00:00:00:01"),
        ("vlan 7", "vlan == 7"),
        ("less 100 or greater 1000", "len <= 100 or len >= 1000"),
        ("not port 22 and udp", "not port == 22 and proto == udp"),
        ("src host 10.0.0.5 or 10.0.0.6", "src == 10.0.0.5 or src == 10.0.0.6"),
        (
            "tcp dst port http or https",
            "(proto == tcp and dport == 80) or (proto == tcp and dport == 443)",
        ),
        ("port 80 or (port 443 and tcp)", "port == 80 or (port == 443 and proto == tcp)"),
        // Values alone.
        ("10.0.0.5", "host == 10.0.0.5"),
        ("10.0.0.0/8", "host in 10.0.0.0/8"),
        ("02:00:00:00:00:01", "mac == 02:00:00:00:00:01"),
        ("443 and not ::1", "port == 443 and not host == ::1"),
        ("https", "port == 443"),
        ("tcp && port==443", "proto == tcp and port == 443"),
        ("src port 80 and len > 9 and 443", "sport == 80 and len > 9 and port == 443"),
    ] {
        let [read, expected] = [text, own].map(|text| {
            parse(text, &context()).unwrap_or_else(|error| panic!("{text}: {error:?}"))
        });
        assert_eq!(read, expected, "{text}");
        let written = read.unwrap().to_text(&Zone::Utc);
        assert_eq!(parse(&written, &Context::canonical()), Ok(expected), "{text}: {written}");
    }
}

#[test]
fn likely_mistakes_have_a_correction() {
    for (text, corrected) in [
        ("prto == tcp", "proto == tcp"),
        ("tcp.prot == 443", "tcp.port == 443"),
        ("len == 1 adn n", ""),
        ("proto tcp", "proto == tcp"),
        ("len 100", "len == 100"),
        ("proto:tcp and n", "proto == tcp and n"),
        ("len == 60..100", "len in 60..100"),
        ("len > 1k", "len > 1000"),
        ("len > 1,000 and n", "len > 1000 and n"),
        ("len between 10 and 20", "len in 10..20"),
        ("10:59:20", "ts >= 10:59:20"),
        ("2015-07-20", "ts >= 2015-07-20"),
        (
            "not host www.example.com",
            "not (dns == www.example.com or sni == www.example.com or http_host == www.example.com)",
        ),
        ("host 10.0.0.256", ""),
        ("frame contains \"a\"", ""),
        ("tcp.seq == 1", "seq == 1"),
        ("dns.a == 10.0.0.1", "dns_answers == 10.0.0.1"),
        ("http.request.uri == /a", "http_path == /a"),
        ("dns_answer == a", "dns_answers == a"),
        ("frame.time > 10:15", "ts > 10:15"),
        ("ip.proto == tcp", "proto == tcp"),
        ("http", "port == http"),
        ("not tls", "not port == https"),
        ("syn", "flags has syn"),
        ("size > 100", "len > 100"),
        ("Source == 10.0.0.1", "src == 10.0.0.1"),
        ("10.0.0", "10.0.0.0/24"),
        ("src == 10.0.*", "src == 10.0.0.0/16"),
        ("net 10.", "net 10.0.0.0/8"),
        ("not 10.0.0.5:80", "not (host == 10.0.0.5 and port == 80)"),
        ("10.0.0.5:65536", ""),
        ("tcp port 80-90", "tcp portrange 80-90"),
        ("port 90-80", ""),
        ("gap > 0.5", "gap > 0.5s"),
        ("sni matches \"a\"", "sni contains \"a\""),
        ("len contains 1", "len == 1"),
        ("port 80 or port 443 and host 10.0.0.1", "(port 80 or port 443) and host 10.0.0.1"),
        ("dstport == 443", "dport == 443"),
        ("ip.host == 10.0.0.1", "host == 10.0.0.1"),
        ("src_ip == 10.0.0.1", "src == 10.0.0.1"),
        ("tcp.flags.rest == 1", "tcp.flags.reset == 1"),
        ("rst == 1", "tcp.flags.rst == 1"),
        ("proto is tcp", "proto == tcp"),
        ("len => 100", "len >= 100"),
        ("len =< 100", "len <= 100"),
        ("len === 100", "len == 100"),
        ("ip == 10.0.0.1 and n", "ip.addr == 10.0.0.1 and n"),
        ("tcp == 443", "tcp.port == 443"),
        ("ip 10.0.0.1", "ip host 10.0.0.1"),
        ("tcp 443", "tcp port 443"),
        ("tcp dport 443", "tcp dst port 443"),
        ("tcp syn", "tcp and flags has syn"),
        (
            "www.example.com and n",
            "(dns == www.example.com or sni == www.example.com or http_host == www.example.com) and n",
        ),
        // Bytes of packets.
        ("tcp[13] & 2 != 0", "tcp.flags & SYN != 0"),
        ("tcp[tcpflags] & tcp-rst != 0 and n", "tcp.flags & RST != 0 and n"),
        ("not tcp [ tcpflags ]&(tcp-syn|tcp-push) == tcp-push", "not tcp.flags & SYN+PSH == PSH"),
        ("tcp[13] = 0x12", "tcp.flags = SYN+ACK"),
        ("ip proto 17", "ip and proto == udp"),
        ("ip6 proto icmp6 and n", "ip6 and proto == icmp6 and n"),
        ("ip proto 300", ""),
        ("ether broadcast", "eth_dst == ff:ff:ff:ff:ff:ff"),
        ("ether proto 1", ""),
        // Corrections that would not lead to a filter are none.
        ("syn ack", ""),
        ("prto == len > 1", ""),
        ("tcp[12] & 2 != 0", ""),
        ("udp[tcpflags] == 0", ""),
        ("tcp[tcpflags] & tcp-none != 0", ""),
        ("tcp[tcpflags] & tcp-syn", ""),
        ("tcp[tcpflags", ""),
        ("tcp.stream == 1", ""),
        ("nonsense", ""),
    ] {
        let error = parse(text, &context()).expect_err(text);
        let fixed = error.fix.as_ref().map(|fix| fix.apply(text)).unwrap_or_default();
        assert_eq!(fixed, corrected, "{text}: {error:?}");
        if !fixed.is_empty() {
            assert!(parse(&fixed, &context()).is_ok(), "{fixed}");
        }
    }
}

#[test]
fn text_operands_are_located() {
    let text = "proto in {tcp, \"a b\"} and not dns contains x";
    let operands = text_operands(text, &context());
    let located: Vec<_> = operands
        .iter()
        .map(|operand| (operand.field.name(), operand.text.as_str(), &text[operand.range.clone()]))
        .collect();
    let expected = [("proto", "tcp", "tcp"), ("proto", "a b", "\"a b\""), ("dns", "x", "x")];
    assert_eq!(located, expected.map(|(field, text, range)| (field.to_owned(), text, range)));
    assert_eq!(text_operands("proto ==", &context()), []);
}
