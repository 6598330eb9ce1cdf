//! Web browsing: DNS lookups, pages and their images, and a web server that crashes.

use super::network::{CDN, Endpoint, Host, INTRANET, SERVER, SHOP, SITES, Site, WORKSTATIONS};
use super::payload::{self, Lookup};
use super::recording::{Icmp, Micros, Recording};
use super::tcp::{Connection, Side, refused, unanswered};
use super::transfer::Pace;
use super::{END, seconds};

/// When the server of [`SHOP`] crashes: open connections are reset, new ones refused.
const SHOP_CRASH: Micros = seconds(390);
/// When its machine is switched off: no answers any more.
const SHOP_OFF: Micros = seconds(420);
/// When it is back.
const SHOP_BACK: Micros = seconds(465);

/// All workstations browse until the end.
pub(super) fn browse(recording: &mut Recording) {
    for client in WORKSTATIONS {
        let mut time = recording.random.between(seconds(1), seconds(12));
        while time < END - seconds(8) {
            let site = recording.random.pick(&SITES);
            visit(recording, time, client, site);
            time += recording.random.between(seconds(6), seconds(40));
        }
    }
    // Two users keep trying to reach the shop while it is down.
    for (client, attempts) in [(WORKSTATIONS[1], 6), (WORKSTATIONS[3], 5)] {
        for attempt in 0..attempts {
            let jitter = recording.random.between(0, seconds(4));
            visit(recording, SHOP_CRASH + attempt * seconds(11) + jitter, client, SHOP);
        }
    }
}

/// Connections that are open when the shop's server crashes.
pub(super) fn crash(recording: &mut Recording) {
    for (client, before_us) in WORKSTATIONS.into_iter().zip([900_000, 2_300_000, 4_100_000]) {
        let (client, server) = endpoints(recording, client, SHOP);
        let mut connection = Connection::open(recording, SHOP_CRASH - before_us, client, server);
        handshake(&mut connection, SHOP.name);
        let body = payload::application_data(9_000, &mut connection.recording.random);
        connection.send(Side::Server, &body);
        connection.now = SHOP_CRASH + connection.recording.random.between(0, 4_000);
        connection.reset(Side::Server);
    }
}

/// A page: its document, and sometimes images from the content network.
fn visit(recording: &mut Recording, time: Micros, client: Host, site: Site) {
    let time = resolve(recording, time, client, site);
    let time = load(recording, time, client, site, 1);
    if site.host != INTRANET.host && recording.random.chance(55) {
        let time = resolve(recording, time, client, CDN);
        let image_count = recording.random.between(1, 4);
        load(recording, time, client, CDN, image_count);
    }
}

/// Looks a site's addresses up and returns when the answer is there.
fn resolve(recording: &mut Recording, time: Micros, client: Host, site: Site) -> Micros {
    let lookups = [
        Lookup::A(site.host.v4),
        if site.has_v6 { Lookup::Aaaa(site.host.v6) } else { Lookup::NoAaaa },
    ];
    lookups
        .into_iter()
        .map(|kind| lookup(recording, time, client, site.name, kind))
        .max()
        .unwrap_or(time)
}

/// A DNS query and its response; returns the time of the latter.
pub(super) fn lookup(
    recording: &mut Recording,
    time: Micros,
    client: Host,
    name: &str,
    lookup: Lookup,
) -> Micros {
    let (asker, resolver) = (client.v4(recording.random.ephemeral_port()), SERVER.v4(53));
    let (query, response) = payload::dns(recording.random.next_u16(), name, lookup);
    let time = time + recording.random.between(30, 200);
    // From the resolver's cache, or from other servers.
    let is_cached = recording.random.chance(70);
    let answer_us = if is_cached { (300, 900) } else { (9_000, 60_000) };
    let answer_time = time + recording.random.between(answer_us.0, answer_us.1);
    recording.udp(time, asker, resolver, &query);
    recording.udp(answer_time, resolver, asker, &response);
    answer_time
}

/// A connection with that many requests; returns when it is closed or given up.
fn load(
    recording: &mut Recording,
    time: Micros,
    client: Host,
    site: Site,
    request_count: u64,
) -> Micros {
    let (client, server) = endpoints(recording, client, site);
    if site.host == SHOP.host && (SHOP_CRASH..SHOP_OFF).contains(&time) {
        refused(recording, time, client, server);
        return time;
    }
    if site.host == SHOP.host && (SHOP_OFF..SHOP_BACK).contains(&time) {
        unanswered(recording, time, client, server);
        unreachable(recording, time + seconds(3) + 61_000, server, client);
        return time + seconds(7);
    }
    let mut connection = Connection::open(recording, time, client, server);
    if !site.is_plain {
        handshake(&mut connection, site.name);
    }
    for _ in 0..request_count {
        let random = &mut connection.recording.random;
        let len = match random.between(1, 10) {
            1..=5 => random.len(700, 9_000),
            6..=9 => random.len(9_000, 45_000),
            _ => random.len(60_000, 160_000),
        };
        let (request, response) = if site.is_plain {
            (payload::http_request(site.name, "/"), payload::http_response(len))
        } else {
            let request_len = random.len(180, 700);
            (payload::application_data(request_len, random), payload::application_data(len, random))
        };
        let processing_us = random.between(2_000, 45_000);
        let lost = [random.len(0, 160), random.len(0, 400)];
        // Nothing is lost inside the office.
        let lost = if site.host == INTRANET.host { &[][..] } else { &lost };
        let pace = Pace { gap_us: random.pick(&[125, 240, 410]), lost };
        connection.send(Side::Client, &request);
        connection.wait(processing_us);
        connection.transfer(Side::Server, &response, pace);
        let pause_us = connection.recording.random.between(30_000, 900_000);
        connection.wait(pause_us);
    }
    let end = connection.now;
    if connection.recording.random.chance(8) {
        connection.reset(Side::Client);
    } else {
        let first = connection.recording.random.pick(&[Side::Client, Side::Server]);
        connection.close(first);
    }
    end
}

/// The TLS 1.3 handshake.
fn handshake(connection: &mut Connection<'_>, name: &str) {
    let random = &mut connection.recording.random;
    let hello = payload::client_hello(name, random);
    let flight = payload::server_flight(random);
    let finished = payload::client_finished(random);
    let processing_us = random.between(700, 3_000);
    connection.send(Side::Client, &hello);
    connection.wait(processing_us);
    connection.send(Side::Server, &flight);
    connection.wait(processing_us);
    connection.send(Side::Client, &finished);
}

/// The gateway's ICMP message that no host answers at an address.
fn unreachable(recording: &mut Recording, time: Micros, server: Endpoint, client: Endpoint) {
    let host_unreachable = Icmp { kind: 3, code: 1, rest: [0; 4] };
    // The IP header and the ports of the packet that it answers.
    let mut quoted = vec![0x45, 0, 0, 60, 0, 0, 0x40, 0, 64, 6, 0, 0];
    quoted.extend(client.host.v4.octets());
    quoted.extend(server.host.v4.octets());
    quoted.extend(client.address.port().to_be_bytes());
    quoted.extend(server.address.port().to_be_bytes());
    quoted.extend(recording.random.bytes(4));
    let gateway = super::network::GATEWAY.v4(0);
    recording.icmp(time, (gateway, client), host_unreachable, &quoted);
}

fn endpoints(recording: &mut Recording, client: Host, site: Site) -> (Endpoint, Endpoint) {
    let client_port = recording.random.ephemeral_port();
    let server_port = if site.is_plain { 80 } else { 443 };
    if site.has_v6 && recording.random.chance(60) {
        return (client.v6(client_port), site.host.v6(server_port));
    }
    (client.v4(client_port), site.host.v4(server_port))
}
