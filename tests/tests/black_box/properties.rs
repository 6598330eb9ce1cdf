//! Properties of decoder and line writer, checked for all packets of the corpus and damaged copies.

use proptest::prelude::*;
use std::sync::LazyLock;
use summary::line::{Record, Writer, parse};
use summary::{Faults, Packet, Summary, Timestamp, decode};
use tests::corpus::{self, Frame};

/// All headers end before this length; truncation after it only shortens the payload.
const MAX_HEADERS_LEN: usize = 200;

static FRAMES: LazyLock<Option<Vec<Frame>>> = LazyLock::new(|| corpus::frames().unwrap());

fn packet(summary: Summary<'_>) -> Packet<'_> {
    let ts = Timestamp::from_ns(1_795_402_418_123_456_789);
    Packet::new(1, ts, summary)
}

/// The line equals serde's output, and parses to the same packet.
fn check_line(packet: &Packet<'_>) -> Result<(), String> {
    let mut line = Vec::new();
    Writer::default().write(packet, &mut line);
    let mut reference = serde_json::to_vec(packet).map_err(|error| error.to_string())?;
    reference.push(b'\n');
    let text = String::from_utf8_lossy(&line);
    if line != reference {
        return Err(format!("{text} differs from {}", String::from_utf8_lossy(&reference)));
    }
    match parse(&line) {
        Ok(Record::Packet(parsed)) if parsed == *packet => Ok(()),
        other => Err(format!("{text} is parsed as {other:?}")),
    }
}

#[test]
fn lines_of_corpus_packets_round_trip() {
    let Some(frames) = &*FRAMES else { return };
    for Frame { link, bytes, wire_len } in frames {
        check_line(&packet(decode(*link, bytes, *wire_len))).unwrap();
    }
}

/// Whether the summary of a truncated frame contains nothing that differs from the whole frame's
/// summary, and reports the truncation unless the two are equal.
fn is_consistent(cut: &Summary<'_>, whole: &Summary<'_>) -> bool {
    fn is_absent_or_equal<T: Copy + PartialEq>(cut: Option<T>, whole: Option<T>) -> bool {
        cut.is_none() || cut == whole
    }
    let faults = cut.faults;
    // Up to the header of a tunnel, the summary describes the packet around it.
    if cut.tunnel != whole.tunnel {
        let (cut, whole) = (cut.tunnel.to_string(), whole.tunnel.to_string());
        return whole.starts_with(&cut) && faults.contains(Faults::TRUNCATED);
    }
    let is_whole = Summary { cap: whole.cap, ..cut.clone() } == *whole;
    cut.len == whole.len
        && is_absent_or_equal(cut.eth_src, whole.eth_src)
        && is_absent_or_equal(cut.eth_dst, whole.eth_dst)
        && whole.vlan.as_slice().starts_with(cut.vlan.as_slice())
        && is_absent_or_equal(cut.outer_src, whole.outer_src)
        && is_absent_or_equal(cut.outer_dst, whole.outer_dst)
        && is_absent_or_equal(cut.src, whole.src)
        && is_absent_or_equal(cut.dst, whole.dst)
        && is_absent_or_equal(cut.sport, whole.sport)
        && is_absent_or_equal(cut.dport, whole.dport)
        && is_absent_or_equal(cut.ttl, whole.ttl)
        && is_absent_or_equal(cut.frag, whole.frag)
        && is_absent_or_equal(cut.tcp.flags, whole.tcp.flags)
        && is_absent_or_equal(cut.tcp.seq, whole.tcp.seq)
        && is_absent_or_equal(cut.tcp.ack, whole.tcp.ack)
        && is_absent_or_equal(cut.tcp.win, whole.tcp.win)
        && is_absent_or_equal(cut.payload, whole.payload)
        && is_absent_or_equal(cut.icmp_type, whole.icmp_type)
        && is_absent_or_equal(cut.icmp_code, whole.icmp_code)
        && is_absent_or_equal(cut.icmp_quote.src, whole.icmp_quote.src)
        && is_absent_or_equal(cut.icmp_quote.dst, whole.icmp_quote.dst)
        && is_absent_or_equal(cut.icmp_quote.proto, whole.icmp_quote.proto)
        && is_absent_or_equal(cut.icmp_quote.sport, whole.icmp_quote.sport)
        && is_absent_or_equal(cut.icmp_quote.dport, whole.icmp_quote.dport)
        && is_absent_or_equal(cut.arp_op, whole.arp_op)
        && (is_whole || cut.faults.contains(Faults::TRUNCATED))
}

#[test]
fn summaries_of_truncated_frames_contradict_nothing() {
    let Some(frames) = &*FRAMES else { return };
    for Frame { link, bytes, wire_len } in frames {
        // A damaged file can claim that more was captured than was on the wire.
        let wire_len = (*wire_len).max(u32::try_from(bytes.len()).unwrap());
        let whole = decode(*link, bytes, wire_len);
        for cut_len in 0..bytes.len().min(MAX_HEADERS_LEN) {
            let cut = decode(*link, &bytes[..cut_len], whole.len);
            assert!(
                is_consistent(&cut, &whole),
                "{link} frame of {} bytes cut to {cut_len}: {cut:?} of {whole:?} {:02x?}",
                bytes.len(),
                &bytes[..bytes.len().min(100)]
            );
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// Frames of the corpus with some bytes changed, and truncated.
    #[test]
    fn lines_of_damaged_packets_round_trip(
        frame: prop::sample::Index,
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
        cut in proptest::option::of(any::<prop::sample::Index>()),
    ) {
        let Some(frames) = &*FRAMES else { return Ok(()) };
        let Frame { link, mut bytes, wire_len } = frame.get(frames).clone();
        let headers_len = bytes.len().min(MAX_HEADERS_LEN);
        for (at, byte) in changes.into_iter().filter(|_| headers_len > 0) {
            bytes[at.index(headers_len)] = byte;
        }
        bytes.truncate(cut.map_or(bytes.len(), |cut| cut.index(bytes.len() + 1)));
        let summary = decode(link, &bytes, wire_len);
        prop_assert!(check_line(&packet(summary)).is_ok());
    }
}
