//! Background traffic: ARP, monitoring, NTP, IPv6 neighbor discovery, mDNS, stray DNS queries.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use super::network::{
    Endpoint, GATEWAY, Host, NAS, PBX, PHONE, PRINTER, SERVER, TIME_SERVER, WORKSTATIONS, group,
};
use super::payload::{self, Lookup};
use super::recording::{Icmp, Micros, Recording};
use super::web::lookup;
use super::{END, seconds};

const ECHO_REQUEST_V4: u8 = 8;
const ECHO_REPLY_V4: u8 = 0;
const ECHO_REQUEST_V6: u8 = 128;
const ECHO_REPLY_V6: u8 = 129;
/// Every five seconds until the end.
const ECHO_ROUNDS: u16 = 120;
const ROUTER_ADVERTISEMENT: u8 = 134;
const NEIGHBOR_SOLICITATION: u8 = 135;
const NEIGHBOR_ADVERTISEMENT: u8 = 136;

/// All background traffic, until the end.
pub(super) fn background(recording: &mut Recording) {
    arp(recording);
    monitoring(recording);
    ntp(recording);
    ndp(recording);
    mdns(recording);
    background_lookups(recording);
}

/// Hosts resolve the gateway's MAC address now and then; the server resolves the workstations'.
fn arp(recording: &mut Recording) {
    let hosts = [NAS, PRINTER, SERVER].into_iter().chain(WORKSTATIONS);
    for host in hosts {
        for time in times(recording, seconds(25), seconds(55)) {
            recording.arp(time, host, GATEWAY);
        }
    }
    for time in times(recording, seconds(9), seconds(20)) {
        let owner = recording.random.pick(&WORKSTATIONS);
        recording.arp(time, SERVER, owner);
    }
}

/// The server pings a few hosts every five seconds. Some replies of the remote one are lost.
fn monitoring(recording: &mut Recording) {
    let id = 0x1d0c;
    let pairs = [
        (SERVER.v4(0), GATEWAY.v4(0)),
        (SERVER.v4(0), NAS.v4(0)),
        (SERVER.v4(0), TIME_SERVER.v4(0)),
        (SERVER.v6(0), NAS.v6(0)),
    ];
    for (index, (from, to)) in pairs.into_iter().enumerate() {
        let mut time = seconds(1) + 170_000 * index as Micros;
        for seq in 1..ECHO_ROUNDS {
            echo(recording, time, (from, to), (id, seq));
            time += seconds(5) + recording.random.between(0, 900);
        }
    }
}

fn echo(
    recording: &mut Recording,
    time: Micros,
    (from, to): (Endpoint, Endpoint),
    ids: (u16, u16),
) {
    let (request, reply) = if from.address.is_ipv4() {
        (ECHO_REQUEST_V4, ECHO_REPLY_V4)
    } else {
        (ECHO_REQUEST_V6, ECHO_REPLY_V6)
    };
    let [[id_high, id_low], [seq_high, seq_low]] = [ids.0.to_be_bytes(), ids.1.to_be_bytes()];
    let message = |kind| Icmp { kind, code: 0, rest: [id_high, id_low, seq_high, seq_low] };
    recording.icmp(time, (from, to), message(request), &[0x5a; 56]);
    if to.host == TIME_SERVER && recording.random.chance(6) {
        return;
    }
    let delay_us = 2 * to.host.delay_us + recording.random.between(30, 1_200);
    recording.icmp(time + delay_us, (to, from), message(reply), &[0x5a; 56]);
}

fn ntp(recording: &mut Recording) {
    for host in [SERVER, NAS, GATEWAY, WORKSTATIONS[1]] {
        let (client, server) = (host.v4(123), TIME_SERVER.v4(123));
        for time in times(recording, seconds(60), seconds(68)) {
            // NTP version 4, client and server mode (RFC 5905, 7.3).
            let mut packet = vec![0; 48];
            packet[0] = 0x23;
            recording.udp(time, client, server, &packet);
            packet[0] = 0x24;
            packet[1] = 2;
            let delay_us = 2 * TIME_SERVER.delay_us + recording.random.between(50, 700);
            recording.udp(time + delay_us, server, client, &packet);
        }
    }
}

/// IPv6 neighbor discovery (RFC 4861); its packets have hop limit 255.
fn ndp(recording: &mut Recording) {
    let local = |host: Host| Host { ttl: 255, ..host };
    let all_nodes = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1);
    let all_nodes = group([0x33, 0x33, 0, 0, 0, 1], SocketAddr::new(all_nodes.into(), 0));
    for time in times(recording, seconds(90), seconds(130)) {
        let advertisement = Icmp { kind: ROUTER_ADVERTISEMENT, code: 0, rest: [64, 0, 0x07, 0x08] };
        recording.icmp(time, (local(GATEWAY).v6(0), all_nodes), advertisement, &[0; 8]);
    }
    for host in WORKSTATIONS {
        for time in times(recording, seconds(40), seconds(90)) {
            let (host, gateway) = (local(host).v6(0), local(GATEWAY).v6(0));
            let mut solicitation = GATEWAY.v6.octets().to_vec();
            solicitation.extend([1, 1]);
            solicitation.extend(host.host.mac);
            let kind = NEIGHBOR_SOLICITATION;
            recording.icmp(
                time,
                (host, gateway),
                Icmp { kind, code: 0, rest: [0; 4] },
                &solicitation,
            );
            let kind = NEIGHBOR_ADVERTISEMENT;
            let answer = Icmp { kind, code: 0, rest: [0xe0, 0, 0, 0] };
            let time = time + recording.random.between(160, 500);
            recording.icmp(time, (gateway, host), answer, &GATEWAY.v6.octets());
        }
    }
}

/// The printer and the NAS announce themselves (RFC 6762).
fn mdns(recording: &mut Recording) {
    let address = SocketAddr::new(Ipv4Addr::new(224, 0, 0, 251).into(), 5_353);
    let everybody = group([1, 0, 0x5e, 0, 0, 0xfb], address);
    for (host, name) in [(PRINTER, "_ipp._tcp.local"), (NAS, "_smb._tcp.local")] {
        for time in times(recording, seconds(28), seconds(75)) {
            let (query, _) = payload::dns(0, name, Lookup::NoName);
            recording.udp(time, Host { ttl: 255, ..host }.v4(5_353), everybody, &query);
        }
    }
    // The phone keeps its registration alive.
    for time in times(recording, seconds(29), seconds(31)) {
        recording.udp(time, PHONE.v4(5_060), PBX.v4(5_060), b"\r\n\r\n");
        recording.udp(time + 700, PBX.v4(5_060), PHONE.v4(5_060), b"\r\n");
    }
}

/// DNS queries of background programs, some for names that do not exist.
fn background_lookups(recording: &mut Recording) {
    let names = ["updates.example.com", "telemetry.example.net", "wpad.example.com"];
    for client in WORKSTATIONS {
        for time in times(recording, seconds(10), seconds(45)) {
            let name = recording.random.pick(&names);
            let kind = match name {
                "wpad.example.com" => Lookup::NoName,
                _ => Lookup::A(Ipv4Addr::new(203, 0, 113, 12)),
            };
            lookup(recording, time, client, name, kind);
        }
    }
}

/// Times from near the start to the end, `low` to `high` apart.
fn times(recording: &mut Recording, low: Micros, high: Micros) -> Vec<Micros> {
    let mut times = Vec::new();
    let mut time = recording.random.between(0, high);
    while time < END {
        times.push(time);
        time += recording.random.between(low, high);
    }
    times
}
