//! Each expression of a list over the whole corpus, beside `tcpdump -r`.

use crate::names::TestNames;
use crate::peer;
use filter::{Metadata, run};

/// Terms of every kind, for all link types; combined they are more.
const TERMS: &[&str] = &[
    "ip",
    "ip6",
    "arp",
    "rarp",
    "tcp",
    "udp",
    "icmp",
    "icmp6",
    "igmp",
    "sctp",
    "ah",
    "esp",
    "pim",
    "vrrp",
    "carp",
    "igrp",
    "atalk",
    "aarp",
    "decnet",
    "lat",
    "sca",
    "moprc",
    "mopdl",
    "iso",
    "stp",
    "ipx",
    "netbeui",
    "esis",
    "isis",
    "clnp",
    "l1",
    "l2",
    "iih",
    "lsp",
    "snp",
    "csnp",
    "psnp",
    "host 192.168.1.1",
    "src host 10.0.0.1",
    "dst host 10.0.0.1",
    "src or dst host 127.0.0.1",
    "src and dst host 127.0.0.1",
    "host ::1",
    "src host fe80::1",
    "ip6 host ff02::1",
    "net 10",
    "net 192.168",
    "net 172.16.0.0/12",
    "src net 10.0.0.0/8",
    "dst net 224.0.0.0/4",
    "net 192.168.0.0 mask 255.255.0.0",
    "net fe80::/10",
    "dst net ff00::/8",
    "ip6 net 2001:db8::/32",
    "arp host 192.168.1.1",
    "arp net 10.0.0.0/8",
    "rarp src host 10.1.1.10",
    "host 10.1.1.1 or 10.1.1.2",
    "net 0.0.0.0/0",
    "ip host 0x7f000001",
    "port 53",
    "port 80 or 443",
    "src port 53",
    "dst port 53",
    "src and dst port 123",
    "tcp port 80",
    "udp port 53",
    "sctp port 36412",
    "tcp src port 443",
    "udp dst port 5353",
    "port domain",
    "tcp port http",
    "portrange 1-1023",
    "src portrange 1024-65535",
    "udp portrange 67-68",
    "tcp dst portrange 6000-6010",
    "portrange domain-http",
    "port (80 or 443)",
    "tcp port (22 or 23 or 179)",
    "proto 6",
    "proto 17",
    "ip proto 1",
    "ip6 proto 58",
    "ip proto \\tcp",
    "ip6 proto \\udp",
    "proto \\ospf",
    "ip proto 89 or 47",
    "protochain 6",
    "ip protochain 51",
    "ip6 protochain 58",
    "ip6 protochain 17",
    "ether proto 0x0800",
    "ether proto \\arp",
    "ether proto 0x88cc",
    "ether proto 0x42",
    "ether proto \\stp",
    "ether proto \\ipx",
    "ether proto \\atalk",
    "ether proto 0xfe",
    "ether proto \\aarp",
    "link proto 0x86dd",
    "ether host ff:ff:ff:ff:ff:ff",
    "ether src 00:00:00:00:00:00",
    "ether dst 01:80:c2:00:00:00",
    "ether src or dst 00-00-0c-07-ac-01",
    "wlan addr1 ff:ff:ff:ff:ff:ff",
    "wlan addr2 00:11:22:33:44:55",
    "wlan ra ff:ff:ff:ff:ff:ff",
    "wlan ta 00:11:22:33:44:55",
    "wlan addr3 ff:ff:ff:ff:ff:ff",
    "wlan src 00:11:22:33:44:55",
    "wlan host ff:ff:ff:ff:ff:ff",
    "wlan addr4 00:11:22:33:44:55",
    "broadcast",
    "multicast",
    "ether broadcast",
    "ether multicast",
    "ip multicast",
    "ip6 multicast",
    "less 100",
    "greater 1000",
    "len > 60 and len <= 200",
    "len = 42",
    "len & 1 = 1",
    "length >= 1514",
    "ip[0] & 0xf != 5",
    "ip[6:2] & 0x1fff != 0",
    "ip[8] < 5",
    "ip[2:2] > 576",
    "ip[12:4] = 0x7f000001",
    "ip[ip[0] & 0xf] = 0",
    "ip6[6] = 58",
    "ip6[7] = 255",
    "tcp[tcpflags] & (tcp-syn|tcp-fin) != 0",
    "tcp[tcpflags] == tcp-syn",
    "tcp[13] = 0x12",
    "tcp[2:2] = 80",
    "tcp[tcpflags] & tcp-rst != 0",
    "udp[4:2] > 100",
    "udp[0:2] = udp[2:2]",
    "icmp[icmptype] = icmp-echo",
    "icmp[icmptype] != icmp-echoreply",
    "icmp[0] = 3 and icmp[1] = 3",
    "icmp6[icmp6type] = icmp6-neighborsolicit",
    "icmp6[0] = 135 or icmp6[0] = 136",
    "ether[0] & 1 = 0 and ip[16] >= 224",
    "ether[12:2] = 0x0806",
    "link[0] = 0",
    "ether[20:4] & 0xffff0000 = 0",
    "ip[2:2] - ((ip[0] & 0xf) << 2) > 1000",
    "tcp[((tcp[12] & 0xf0) >> 2):4] = 0x47455420",
    "(ip[2:2] - ((ip[0]&0xf)<<2)) - ((tcp[12]&0xf0)>>2) != 0",
    "ip[1] * 2 + 1 > 3",
    "ip[4:2] % 7 = 3",
    "ip[4:2] / 16 = 9",
    "ip[4:2] ^ 0xff > 65000",
    "-ip[8] > 4294967200",
    "ip[8] >> 4 = 4",
    "ip[8] | 1 = 65",
    "byte 0 = 0",
    "byte 1 > 127",
    "byte 3 < 16",
    "arp[6:2] = 1",
    "arp[7] = 2",
    "ip[9] = 6 or ip[9] = 17",
    "vlan",
    "vlan 1",
    "vlan and ip",
    "vlan and tcp port 80",
    "vlan 100 and vlan",
    "vlan and vlan and ip6",
    "mpls",
    "mpls 16",
    "mpls and ip",
    "mpls and mpls and ip",
    "mpls 100000 and mpls 1024",
    "mpls and host 10.0.0.1",
    "pppoed",
    "pppoes",
    "pppoes and ip",
    "pppoes and tcp port 80",
    "pppoes 1 and ip6",
    "vlan and pppoes and ip",
    "geneve",
    "geneve and ip",
    "geneve and tcp port 22",
    "geneve 1 and arp",
    "geneve and ether broadcast",
    "geneve and icmp6",
    "llc",
    "llc i",
    "llc s",
    "llc u",
    "llc rr",
    "llc rnr",
    "llc rej",
    "llc ui",
    "llc xid",
    "llc sabme",
    "llc ua",
    "llc disc",
    "llc dm",
    "llc frmr",
    "llc test",
    "type mgt",
    "type ctl",
    "type data",
    "type mgt subtype beacon",
    "subtype probe-req",
    "subtype ack",
    "wlan type data subtype qos-data",
    "dir tods",
    "dir fromds",
    "dir nods",
    "dir dstods",
    "subtype rts",
    "inbound",
    "outbound",
    "not ip",
    "not port 53",
    "not (tcp or udp)",
    "! arp",
    "ip and not tcp",
    "icmp or udp or tcp",
    "ip or ip6 and tcp",
    "tcp and port 80 or arp",
    "not tcp port 22 and not udp",
    "radio[0] = 0",
    "radio[2] > 20",
    "decnet host 1.1",
    "decnet src 1.1",
    "ip6 and not icmp6",
    "len % 4 = 0",
];

/// What libpcap 1.10.3 and we do otherwise, on purpose.
fn is_known(expression: &str, theirs: &str) -> bool {
    // Numbers beside the parts of PDU types are masked since, as ISO/IEC 10589 has it.
    let _ = expression;
    // Names that came after it, and link types that it leaves out.
    theirs.contains("not supported on") && expression.contains("bound")
}

/// The terms, and what they are in combination.
fn expressions() -> Vec<String> {
    let mut expressions: Vec<_> = TERMS.iter().map(|term| (*term).to_owned()).collect();
    for (n, term) in TERMS.iter().enumerate() {
        let other = |step: usize| TERMS[(n * step + 11) % TERMS.len()];
        expressions.push(format!("not ({term}) and ({})", other(7)));
        expressions.push(format!("({term}) or ({}) and not ({})", other(5), other(13)));
    }
    expressions
}

#[test]
fn the_corpus_is_filtered_as_tcpdump_filters_it() {
    let directory = tempfile::tempdir().unwrap();
    let Some(traffic) = peer::traffic(&directory) else { return };
    let names = TestNames::new();
    let options = peer::options(&names);
    let expressions = expressions();
    let (mut compared, mut both_refused, mut differences) = (0, 0, Vec::new());
    for traffic in &traffic {
        for expression in &expressions {
            let own = peer::own(expression, traffic.link, &options);
            let theirs = peer::accepted(&traffic.file, expression);
            match (own, theirs) {
                (Ok(program), Ok(theirs)) => {
                    let verdict = |(place, frame): (usize, &xtask::corpus::Frame)| {
                        let verdict =
                            run(&program, &frame.bytes, frame.wire_len, &Metadata::default());
                        (verdict != 0).then_some(place)
                    };
                    let own: Vec<_> =
                        traffic.frames.iter().enumerate().filter_map(verdict).collect();
                    compared += 1;
                    if own != theirs {
                        let different = own
                            .iter()
                            .find(|place| !theirs.contains(place))
                            .or_else(|| theirs.iter().find(|place| !own.contains(place)));
                        differences.push(format!(
                            "{:?} {expression}: {} here, {} there, such as {different:?}",
                            traffic.link,
                            own.len(),
                            theirs.len()
                        ));
                    }
                }
                (Err(_), Err(_)) => both_refused += 1,
                (Err(error), Ok(_)) => differences
                    .push(format!("{:?} {expression}: only we refuse: {error}", traffic.link)),
                (Ok(_), Err(message)) if is_known(expression, &message) => {}
                (Ok(_), Err(message)) => differences
                    .push(format!("{:?} {expression}: only tcpdump: {message}", traffic.link)),
            }
        }
    }
    println!(
        "{} expressions, {compared} comparisons, {both_refused} refused by both",
        expressions.len()
    );
    assert!(
        500 <= expressions.len() && expressions.len() * 3 < compared,
        "the list is long enough"
    );
    assert!(
        differences.is_empty(),
        "{} differences:\n{}",
        differences.len(),
        differences.join("\n")
    );
}
