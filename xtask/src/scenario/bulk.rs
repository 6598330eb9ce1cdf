//! Flows with many packets: a backup, a video, a phone call, an interactive session.

use super::network::{BACKUP, NAS, PBX, PHONE, SERVER, VIDEO, WORKSTATIONS};
use super::payload::{quic_long, quic_short};
use super::recording::{Micros, Recording};
use super::seconds;
use super::tcp::{Connection, Side};
use super::transfer::Pace;

const BACKUP_START: Micros = seconds(125);
const VIDEO_START: Micros = seconds(488);
const CALL_START: Micros = seconds(252);
/// A packet of a call carries 20 ms of sound.
const RTP_INTERVAL_US: Micros = 20_000;
const RTP_PACKETS: u32 = 900;

/// An rsync backup of the NAS to a remote server, over a path that loses packets.
pub(super) fn backup(recording: &mut Recording) {
    let client = NAS.v4(recording.random.ephemeral_port());
    let mut connection = Connection::open(recording, BACKUP_START, client, BACKUP.v4(873));
    for (side, line) in [
        (Side::Server, &b"@RSYNCD: 31.0\n"[..]),
        (Side::Client, b"@RSYNCD: 31.0\n"),
        (Side::Client, b"nas\n"),
        (Side::Server, b"@RSYNCD: OK\n"),
    ] {
        connection.send(side, line);
        connection.wait(3_000);
    }
    // Four parts: length, shortest time between segments in µs, lost segments per 1,000.
    for (len, gap_us, loss_per_mille) in [
        (2_200_000, 6_500, 2),
        (3_700_000, 3_800, 6),
        (2_700_000, 4_600, 25),
        (2_000_000, 5_200, 1),
    ] {
        let random = &mut connection.recording.random;
        let data = random.bytes(len);
        let list = random.bytes(1_900);
        let pause_us = random.between(700_000, 2_400_000);
        let lost: Vec<_> = (20..len / connection.mss())
            .filter(|_| connection.recording.random.between(1, 1_000) <= loss_per_mille)
            .collect();
        connection.send(Side::Server, &list);
        connection.wait(80_000);
        connection.transfer(Side::Client, &data, Pace { gap_us, lost: &lost });
        connection.wait(pause_us);
    }
    connection.close(Side::Client);
}

/// A video over QUIC: a burst at the start, then a chunk every few seconds.
pub(super) fn video(recording: &mut Recording) {
    let client = WORKSTATIONS[2].v4(recording.random.ephemeral_port());
    let server = VIDEO.v4(443);
    let mut time = VIDEO_START;
    for (from, to, first_byte) in [
        (client, server, 0xc3),
        (server, client, 0xc1),
        (server, client, 0xe2),
        (client, server, 0xe0),
    ] {
        let packet = quic_long(first_byte, 1_200, &mut recording.random);
        recording.udp(time, from, to, &packet);
        time += 2 * to.host.delay_us + recording.random.between(100, 900);
    }
    for chunk in 0..16 {
        let packet = quic_short(recording.random.len(60, 180), &mut recording.random);
        recording.udp(time, client, server, &packet);
        let mut arrival = time + 2 * VIDEO.delay_us;
        let packet_count = if chunk == 0 { 220 } else { recording.random.between(60, 130) };
        for index in 0..packet_count {
            let packet = quic_short(1_252, &mut recording.random);
            recording.udp(arrival, server, client, &packet);
            if index % 4 == 3 {
                let ack = quic_short(recording.random.len(31, 42), &mut recording.random);
                let ack_time = arrival + recording.random.between(150, 500);
                recording.udp(ack_time, client, server, &ack);
            }
            arrival += recording.random.between(110, 700);
        }
        time = arrival + recording.random.between(seconds(3), seconds(5));
    }
}

/// A phone call: G.711 over RTP (RFC 3550), in both directions, in the VLAN of the phones.
pub(super) fn call(recording: &mut Recording) {
    let (phone, pbx) = (PHONE.v4(16_384), PBX.v4(10_500));
    for (from, to, jitter_us) in [(phone, pbx, 300), (pbx, phone, 2_500)] {
        let ssrc = recording.random.next_u32();
        let first_seq = recording.random.next_u16() >> 1;
        let start = CALL_START + recording.random.between(0, RTP_INTERVAL_US);
        for index in 0..RTP_PACKETS {
            let mut packet = vec![0x80, 8];
            let seq = first_seq + u16::try_from(index).expect("below 2^15");
            packet.extend(seq.to_be_bytes());
            packet.extend((160 * index).to_be_bytes());
            packet.extend(ssrc.to_be_bytes());
            packet.extend(recording.random.bytes(160));
            let jitter = recording.random.between(0, jitter_us);
            let time = start + Micros::from(index) * RTP_INTERVAL_US + jitter;
            recording.udp(time, from, to, &packet);
        }
    }
}

/// An interactive SSH session.
pub(super) fn shell(recording: &mut Recording) {
    let client = WORKSTATIONS[0].v4(recording.random.ephemeral_port());
    let mut connection = Connection::open(recording, seconds(18), client, SERVER.v4(22));
    for side in [Side::Server, Side::Client] {
        connection.send(side, b"SSH-2.0-OpenSSH_9.9\r\n");
    }
    for _ in 0..3 {
        for side in [Side::Client, Side::Server] {
            let message = connection.recording.random.bytes(1_100);
            connection.send(side, &message);
        }
    }
    while connection.now < seconds(560) {
        let random = &mut connection.recording.random;
        let pause_us = random.between(seconds(4), seconds(26));
        let key_count = random.between(4, 14);
        connection.wait(pause_us);
        for _ in 0..key_count {
            for side in [Side::Client, Side::Server] {
                let key = connection.recording.random.bytes(36);
                connection.send(side, &key);
            }
            let pause_us = connection.recording.random.between(60_000, 280_000);
            connection.wait(pause_us);
        }
        let len = connection.recording.random.len(100, 4_000);
        let output = connection.recording.random.bytes(len);
        connection.send(Side::Server, &output);
    }
    connection.close(Side::Client);
}
