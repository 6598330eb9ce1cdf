//! The laws of decoding and of lines, over every packet of the corpus and over damaged ones.

use proptest::prelude::*;
use std::sync::LazyLock;
use summary::line::{Record, Writer, parse};
use summary::{Address, Faults, Packet, Summary, Timestamp, decode};
use tests::corpus::{self, Frame};

/// Cuts behind that are all in the payload.
const MAX_HEADERS_LEN: usize = 200;

static FRAMES: LazyLock<Option<Vec<Frame>>> = LazyLock::new(|| corpus::frames().unwrap());

fn packet(summary: Summary<'_>) -> Packet<'_> {
    let ts = Timestamp::from_ns(1_795_402_418_123_456_789);
    Packet::new(1, ts, summary)
}

/// Fast and plain writer agree, and the line reads back as what was written.
fn check_line(packet: &Packet<'_>) -> Result<(), String> {
    let mut line = Vec::new();
    Writer::default().write(packet, &mut line);
    let mut plain = serde_json::to_vec(packet).map_err(|error| error.to_string())?;
    plain.push(b'\n');
    let text = String::from_utf8_lossy(&line);
    if line != plain {
        return Err(format!("{text} is plainly {}", String::from_utf8_lossy(&plain)));
    }
    match parse(&line) {
        Ok(Record::Packet(back)) if back == *packet => Ok(()),
        other => Err(format!("{text} reads back as {other:?}")),
    }
}

#[test]
fn every_packets_line_reads_back() {
    let Some(frames) = &*FRAMES else { return };
    for Frame { link, bytes, wire_len } in frames {
        check_line(&packet(decode(*link, bytes, *wire_len))).unwrap();
    }
}

/// What a cut frame's summary says, the whole frame's says too: less is known, nothing else. And
/// where nothing is said to be missing, nothing is.
fn is_prefix(cut: &Summary<'_>, whole: &Summary<'_>) -> bool {
    fn is_less<T: Copy + PartialEq>(cut: Option<T>, whole: Option<T>) -> bool {
        cut.is_none() || cut == whole
    }
    // Until the network layer's are reached, the link's addresses stand there.
    let is_networks = |address: &Address| !matches!(address, Address::Mac(_));
    let is_whole = Summary { cap: whole.cap, ..cut.clone() } == *whole;
    cut.len == whole.len
        && is_less(cut.eth, whole.eth)
        && whole.vlan.as_slice().starts_with(cut.vlan.as_slice())
        && is_less(cut.src.filter(is_networks), whole.src)
        && is_less(cut.dst.filter(is_networks), whole.dst)
        && is_less(cut.sport, whole.sport)
        && is_less(cut.dport, whole.dport)
        && is_less(cut.ttl, whole.ttl)
        && is_less(cut.frag, whole.frag)
        && is_less(cut.tcp.flags, whole.tcp.flags)
        && is_less(cut.tcp.seq, whole.tcp.seq)
        && is_less(cut.tcp.ack, whole.tcp.ack)
        && is_less(cut.tcp.win, whole.tcp.win)
        && is_less(cut.payload, whole.payload)
        && is_less(cut.icmp_type, whole.icmp_type)
        && is_less(cut.icmp_code, whole.icmp_code)
        && is_less(cut.arp_op, whole.arp_op)
        && (is_whole || cut.faults.contains(Faults::TRUNCATED))
}

#[test]
fn a_frame_cut_anywhere_says_less_and_nothing_else() {
    let Some(frames) = &*FRAMES else { return };
    for Frame { link, bytes, wire_len } in frames {
        let whole = decode(*link, bytes, *wire_len);
        for cut_len in 0..bytes.len().min(MAX_HEADERS_LEN) {
            let cut = decode(*link, &bytes[..cut_len], whole.len);
            assert!(
                is_prefix(&cut, &whole),
                "{link} frame of {} bytes cut to {cut_len}: {cut:?} of {whole:?} {:02x?}",
                bytes.len(),
                &bytes[..bytes.len().min(100)]
            );
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// A real frame with a few bytes changed, and cut: it has a line like any other.
    #[test]
    fn damaged_packets_have_lines_too(
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
