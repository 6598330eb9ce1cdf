//! The analysis of one file.

use flow::{FlowTable, Limits, Marks, Observation};
use std::sync::Arc;
use summary::line::parse_packet;
use summary::{Packet, PayloadNames, TcpOptions};
use viewer_formats::unpack_observed;
use viewer_model::wire::Wire;
use viewer_store::findings::{get_marks, put_marks};

use crate::batch::lines;
use crate::line;

/// Receives the packets of a file in their order. Implemented here, and for the analysis in another WebAssembly
/// module.
pub trait Analyze {
    /// Receives packets of a capture file, in the form [`Form::Observed`](viewer_formats::Form::Observed).
    fn add_packets(&mut self, bytes: &[u8]);

    /// Receives lines, as [`push_line`](crate::push_line) writes them. Those that are not packets of the sniffer
    /// are ignored.
    fn add_lines(&mut self, batch: &[u8]);
}

/// Analyses the packets of a file in their order.
///
/// # Lines
///
/// Lines do not contain the options of TCP headers. Without timestamps and selective acknowledgments, the
/// findings can differ from those of the sniffer, and without the scale of windows it is not known
/// whether one is full. If the lines contain findings of the sniffer, these are used. The times of DNS responses
/// and their codes are always those of the lines.
#[derive(Debug)]
pub struct Analysis {
    flows: FlowTable,
    /// The interface of the last packet.
    interface: Option<Arc<str>>,
    parts: Vec<Part>,
    /// Index of the part of the last packet.
    current: usize,
    /// The lines have findings in TCP of their own.
    has_own: bool,
}

/// The findings in a part of the file.
#[derive(Debug, Default)]
struct Part {
    /// Offset of its first byte in the decompressed file.
    start: u64,
    /// For each packet with marks, the distance of its offset in the part to the one before, and the marks.
    bytes: Vec<u8>,
    last_offset: u64,
}

impl Analysis {
    /// Begins an analysis of a file, whose parts start at these offsets.
    pub fn new(starts: &[u64]) -> Self {
        let part = |start: &u64| Part { start: *start, ..Part::default() };
        Self {
            flows: FlowTable::new(Limits::default()),
            interface: None,
            parts: starts.iter().map(part).collect(),
            current: 0,
            has_own: false,
        }
    }

    /// The findings in each part, for [`findings`].
    pub fn finish(self) -> impl Iterator<Item = Vec<u8>> {
        self.parts.into_iter().map(|part| part.bytes)
    }

    fn observe(&mut self, packet: &Packet<'_>, options: &TcpOptions) -> Marks {
        let interface = packet.interface.as_deref().map(|name| match &mut self.interface {
            Some(last) if **last == *name => last.clone(),
            last => last.insert(name.into()).clone(),
        });
        let names = PayloadNames::default();
        let packet = Observation::new(packet.ts, interface, &packet.summary, options, &names);
        self.flows.add(&packet, &mut |_, _| ())
    }

    fn add(&mut self, offset: u64, marks: &Marks) {
        while self.parts.get(self.current + 1).is_some_and(|next| next.start <= offset) {
            self.current += 1;
        }
        if let Some(part) = self.parts.get_mut(self.current) {
            part.push(offset.saturating_sub(part.start), marks);
        }
    }
}

impl Part {
    fn push(&mut self, offset: u64, marks: &Marks) {
        if *marks != Marks::default() {
            offset.saturating_sub(self.last_offset).put(&mut self.bytes);
            put_marks(marks, &mut self.bytes);
            self.last_offset = offset;
        }
    }

    /// Removes the findings in TCP.
    fn keep_dns(&mut self) {
        let mut kept = Self { start: self.start, ..Self::default() };
        for (offset, marks) in findings(&self.bytes) {
            let Marks { dns_time_us, dns_code, .. } = marks;
            kept.push(offset, &Marks { dns_time_us, dns_code, ..Marks::default() });
        }
        *self = kept;
    }
}

impl Analyze for Analysis {
    fn add_packets(&mut self, bytes: &[u8]) {
        unpack_observed(bytes, |packet, values, offset| {
            let mut marks = self.observe(packet, &values.options);
            marks.dns_code = values.dns.code;
            marks.dns_time_us = values.dns.time_us.and_then(|us| u32::try_from(us).ok());
            self.add(offset, &marks);
        });
    }

    fn add_lines(&mut self, batch: &[u8]) {
        for (offset, line) in lines(batch) {
            let own = line::marks(line).unwrap_or_default();
            if own.has_finding() && !self.has_own {
                self.has_own = true;
                self.parts.iter_mut().for_each(Part::keep_dns);
            }
            let marks = match self.has_own {
                true => own,
                false => match parse_packet(line) {
                    Some(packet) => Marks {
                        is_window_full: false,
                        dns_time_us: own.dns_time_us,
                        dns_code: own.dns_code,
                        ..self.observe(&packet, &TcpOptions::default())
                    },
                    None => continue,
                },
            };
            self.add(offset, &marks);
        }
    }
}

/// The findings in a part: the offset of each packet with marks from the start of the part, in decompressed bytes,
/// and its marks.
pub fn findings(mut bytes: &[u8]) -> impl Iterator<Item = (u64, Marks)> {
    let mut offset = 0u64;
    std::iter::from_fn(move || {
        offset = offset.checked_add(u64::get(&mut bytes)?)?;
        Some((offset, get_marks(&mut bytes)?))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::push_line;
    use flow::Retransmission;
    use summary::capture_file::PcapFile;
    use summary::line::Writer;
    use summary::{DnsCode, LinkType, Summary, Timestamp, Tunnels, decode_into};
    use viewer_formats::{ContentSink, Form, open};

    const RAW: u16 = 101;
    const MILLISECOND: u64 = 1_000_000;
    const SYN: u8 = 2;
    const ACK: u8 = 16;
    /// MSS, window scale 7.
    const OPTIONS: [u8; 8] = [2, 4, 5, 0xb4, 1, 3, 3, 7];

    /// A segment between 10.0.0.1:50000 and 10.0.0.2:80, from the client or the server.
    fn segment(
        from_client: bool,
        flags: u8,
        numbers: [u32; 2],
        options: &[u8],
        payload: &[u8],
    ) -> Vec<u8> {
        let hosts = if from_client {
            [[10, 0, 0, 1], [10, 0, 0, 2]]
        } else {
            [[10, 0, 0, 2], [10, 0, 0, 1]]
        };
        let ports = if from_client { [50_000u16, 80] } else { [80, 50_000] };
        let len = u8::try_from(40 + options.len() + payload.len()).unwrap();
        let mut packet = vec![0x45, 0, 0, len, 0, 0, 0, 0, 64, 6, 0, 0];
        packet.extend(hosts.as_flattened());
        packet.extend(ports.map(u16::to_be_bytes).as_flattened());
        packet.extend(numbers.map(u32::to_be_bytes).as_flattened());
        packet.extend([
            0x50 + u8::try_from(options.len()).unwrap() / 4 * 16,
            flags,
            4,
            0,
            0,
            0,
            0,
            0,
        ]);
        [&packet[..], options, payload].concat()
    }

    /// A connection whose fourth packet is sent again after 300 ms.
    fn connection() -> Vec<Vec<u8>> {
        vec![
            segment(true, SYN, [100, 0], &OPTIONS, b""),
            segment(false, SYN | ACK, [500, 101], &OPTIONS, b""),
            segment(true, ACK, [101, 501], &[], b""),
            segment(true, ACK, [101, 501], &[], b"hello"),
            segment(true, ACK, [101, 501], &[], b"hello"),
        ]
    }

    /// Marks of the packets of [`connection`], by their index.
    fn expected() -> Vec<(usize, Marks)> {
        let rtt = |ms: u32| Marks { rtt_us: Some(1_000 * ms), ..Marks::default() };
        let rtx = Marks { rtx: Some(Retransmission::Timeout), ..Marks::default() };
        let end = Marks { handshake_us: Some(200_000), ..rtt(100) };
        vec![(1, rtt(100)), (2, end), (4, rtx)]
    }

    /// Collects packets in the form of the reader.
    struct Sink(Vec<u8>);

    impl ContentSink for Sink {
        fn text(&mut self, _: &[u8]) {}

        fn wants(&mut self, _: u64) -> bool {
            false
        }

        fn packets(&mut self, bytes: &[u8]) {
            self.0.extend_from_slice(bytes);
        }
    }

    /// The findings in packets that are captured at these times, in milliseconds, and the offset of each packet.
    fn analysed(
        packets: impl IntoIterator<Item = (u64, Vec<u8>)>,
    ) -> (Vec<u64>, Vec<(u64, Marks)>) {
        let mut file = PcapFile::new(RAW);
        let mut offsets = Vec::new();
        let mut len = 24;
        for (ms, packet) in packets {
            offsets.push(len);
            len += 16 + packet.len() as u64;
            file.push(ms * MILLISECOND, &packet);
        }
        let mut sink = Sink(Vec::new());
        let mut reader = open(Form::Observed);
        reader.feed(&file.into_bytes(), &mut sink).unwrap();
        let mut analysis = Analysis::new(&[0]);
        analysis.add_packets(&sink.0);
        let [part] = &analysis.finish().collect::<Vec<_>>()[..] else { panic!() };
        (offsets, findings(part).collect())
    }

    #[test]
    fn packets_of_capture_files_are_analysed() {
        let (offsets, found) = analysed((0..).map(|index| index * 100).zip(connection()));
        let expected: Vec<_> =
            expected().into_iter().map(|(index, marks)| (offsets[index], marks)).collect();
        assert_eq!(found, expected);
    }

    /// Each packet is in IP-in-IP, whose packets have two fragments: the last one is described by it.
    #[test]
    fn packets_in_fragmented_tunnels_are_analysed() {
        let fragment = |id: u8, field: [u8; 2], payload: &[u8]| {
            let len = u8::try_from(20 + payload.len()).unwrap();
            let start = [0x45, 0, 0, len, 0, id, field[0], field[1], 64, 4, 0, 0];
            [&start[..], &[192, 0, 2, 1, 192, 0, 2, 2], payload].concat()
        };
        let packets = (0u8..).zip(connection()).flat_map(|(index, packet)| {
            let (first, last) = packet.split_at(24);
            let ms = u64::from(index) * 100;
            [(ms, fragment(index, [0x20, 0], first)), (ms, fragment(index, [0, 3], last))]
        });
        let (offsets, found) = analysed(packets);
        let expected: Vec<_> =
            expected().into_iter().map(|(index, marks)| (offsets[2 * index + 1], marks)).collect();
        assert_eq!(found, expected);
    }

    /// The question `a A` and its answer that no such name exists.
    const MESSAGES: [&[u8]; 2] = [
        b"\0\x07\x01\0\0\x01\0\0\0\0\0\0\x01a\0\0\x01\0\x01",
        b"\0\x07\x81\x83\0\x01\0\0\0\0\0\0\x01a\0\0\x01\0\x01",
    ];

    /// The marks of the answer after this time.
    fn answer(ms: u32) -> Marks {
        Marks { dns_code: Some(DnsCode(3)), dns_time_us: Some(1_000 * ms), ..Marks::default() }
    }

    /// The fragments of the answer arrive in both orders. The one that completes it has the marks.
    #[test]
    fn dns_in_fragments_is_analysed() {
        let datagram = |from: u8, message: &[u8]| {
            let len = u8::try_from(8 + message.len()).unwrap();
            let ports = if from == 1 { [50_000u16, 53] } else { [53, 50_000] };
            [ports.map(u16::to_be_bytes).as_flattened(), &[0, len, 0, 0], message].concat()
        };
        let packet = |from: u8, field: [u8; 2], payload: &[u8]| {
            let len = u8::try_from(20 + payload.len()).unwrap();
            let start = [0x45, 0, 0, len, 0, 7, field[0], field[1], 64, 17, 0, 0];
            [&start[..], &[10, 0, 0, from, 10, 0, 0, 3 - from], payload].concat()
        };
        let question = packet(1, [0, 0], &datagram(1, MESSAGES[0]));
        let whole = datagram(2, MESSAGES[1]);
        let (first, last) = whole.split_at(16);
        let fragments = [packet(2, [0x20, 0], first), packet(2, [0, 2], last)];
        for order in [[0, 1], [1, 0]] {
            let packets = [&question, &fragments[order[0]], &fragments[order[1]]];
            let packets = packets.map(Clone::clone);
            let (offsets, found) = analysed([0, 20, 30].into_iter().zip(packets));
            assert_eq!(found, [(offsets[2], answer(30))]);
        }
    }

    /// The answer is in two segments.
    #[test]
    fn dns_in_segments_is_analysed() {
        let bytes = |message: &[u8]| [&[0, 19], message].concat();
        let [question, answer_bytes] = MESSAGES.map(bytes);
        // Data of a connection to port 53.
        let segment = |from_client: bool, seq: u32, payload: &[u8]| {
            let mut packet = segment(from_client, ACK, [seq, 1], &[], payload);
            packet[if from_client { 22..24 } else { 20..22 }].copy_from_slice(&[0, 53]);
            packet
        };
        let (first, last) = answer_bytes.split_at(9);
        let packets =
            [segment(true, 1, &question), segment(false, 1, first), segment(false, 10, last)];
        let (offsets, found) = analysed([0, 20, 30].into_iter().zip(packets));
        let dns: Vec<_> = found.iter().filter(|(_, marks)| marks.dns_code.is_some()).collect();
        assert_eq!(dns, [&(offsets[2], answer(30))]);
    }

    /// The lines of [`connection`] with their offsets, one after the other.
    fn lines(add: impl Fn(usize, &mut Vec<u8>)) -> (Vec<u64>, Vec<u8>) {
        let (mut offsets, mut batch, mut offset) = (Vec::new(), Vec::new(), 0);
        for (index, frame) in connection().iter().enumerate() {
            let mut summary = Summary::new(LinkType(RAW), 0, 0);
            let len = u32::try_from(frame.len()).unwrap();
            decode_into(LinkType(RAW), frame, len, Tunnels::Inner, &mut summary);
            let time = Timestamp::from_ns(i64::try_from(index as u64 * 100 * MILLISECOND).unwrap());
            let mut line = Vec::new();
            Writer::default().write(&Packet::new(index as u64 + 1, time, summary), &mut line);
            line.truncate(line.len() - 2);
            add(index, &mut line);
            line.push(b'}');
            push_line(&line, offset, &mut batch);
            offsets.push(offset);
            offset += line.len() as u64 + 1;
        }
        (offsets, batch)
    }

    #[test]
    fn lines_are_analysed_across_parts() {
        let (offsets, batch) = lines(|_, _| ());
        let starts = [0, offsets[2], offsets[2] + 1, offsets[4]];
        let mut analysis = Analysis::new(&starts);
        analysis.add_lines(b"");
        analysis.add_lines(&batch);
        let found: Vec<Vec<_>> = analysis.finish().map(|part| findings(&part).collect()).collect();
        let of = |part: usize, indices: &[usize]| -> Vec<_> {
            let marks = expected().into_iter().filter(|(index, _)| indices.contains(index));
            marks.map(|(index, marks)| (offsets[index] - starts[part], marks)).collect()
        };
        assert_eq!(found, [of(0, &[0, 1]), of(1, &[2]), of(2, &[3]), of(3, &[4])]);
    }

    #[test]
    fn times_and_codes_of_dns_responses_are_those_of_the_lines() {
        for has_rtx in [true, false] {
            let (offsets, batch) = lines(|index, line| match index {
                1 => line.extend(br#","dns_rcode":"NXDOMAIN","dns_time_us":70"#),
                3 if has_rtx => line.extend(br#","rtx":"fast""#),
                _ => {}
            });
            let mut analysis = Analysis::new(&[0]);
            analysis.add_lines(&batch);
            let part = analysis.finish().next().unwrap();
            let values = findings(&part)
                .map(|(offset, marks)| (offset, marks.dns_time_us.zip(marks.dns_code)))
                .filter(|(_, values)| values.is_some());
            assert_eq!(values.collect::<Vec<_>>(), [(offsets[1], Some((70, DnsCode(3))))]);
            // Findings in TCP come from the lines, or from the analysis.
            assert_eq!(findings(&part).count(), if has_rtx { 2 } else { 3 });
        }
    }

    #[test]
    fn findings_of_lines_are_preferred() {
        let (offsets, batch) = lines(|index, line| {
            if index == 3 {
                line.extend(br#","rtx":"fast""#);
            }
        });
        let mut analysis = Analysis::new(&[0]);
        analysis.add_lines(&batch);
        let part = analysis.finish().next().unwrap();
        let fast = Marks { rtx: Some(Retransmission::Fast), ..Marks::default() };
        assert_eq!(findings(&part).collect::<Vec<_>>(), [(offsets[3], fast)]);
    }
}
