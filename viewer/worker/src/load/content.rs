//! Reads a whole file for the analysis of its connections, which needs all packets in order.

use super::source::{RecordSink, Source};
use crate::lines::{Line, LineSink};
use viewer_flows::{Analyze, push_line};
use viewer_formats::{Form, OpenFile};

/// Reads a file from its start.
#[derive(Debug)]
pub struct ContentReader {
    source: Source,
    /// Lines that were read and not passed on yet.
    batch: Vec<u8>,
}

impl ContentReader {
    /// Reads a file of `len` bytes.
    pub fn new(len: u64, open: OpenFile) -> Self {
        Self { source: Source::whole(len, Form::Observed, open), batch: Vec::new() }
    }

    /// Reads `len` bytes of lines.
    pub fn of_lines(len: u64) -> Self {
        Self { source: Source::new(0..len), batch: Vec::new() }
    }

    /// The length of the file, and the number of bytes read.
    pub fn progress(&self) -> (u64, u64) {
        self.source.progress()
    }

    /// Takes the next bytes of the file, and passes on the packets in them. An empty chunk is the end of the
    /// file. Returns false if no more bytes are needed.
    pub fn feed(&mut self, chunk: &[u8], analysis: &mut dyn Analyze) -> bool {
        let Self { source, batch } = self;
        let fed = source.feed(chunk, &mut Content { analysis, batch });
        if !batch.is_empty() {
            analysis.add_lines(batch);
            batch.clear();
        }
        fed.is_ok() && !source.is_done()
    }
}

struct Content<'a> {
    analysis: &'a mut dyn Analyze,
    batch: &'a mut Vec<u8>,
}

impl LineSink for Content<'_> {
    fn line(&mut self, line: Line<'_>, offset: u64) {
        if let Line::Complete(line) = line {
            push_line(line, offset, self.batch);
        }
    }
}

impl RecordSink for Content<'_> {
    fn wants(&mut self, _: u64) -> bool {
        true
    }

    fn packets(&mut self, bytes: &[u8]) {
        self.analysis.add_packets(bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::filter::{Context, parse};
    use crate::load::{Loader, Sampling};
    use crate::selection::{Dimension, Selection};
    use crate::shard::{Preceding, Shard};
    use summary::capture_file::PcapFile;
    use summary::line::Writer;
    use summary::{LinkType, Packet, Timestamp, decode};
    use viewer_flows::Analysis;

    const RAW: u16 = 101;

    /// Ten segments with data, each of which is sent again, and later acknowledged.
    fn frames() -> Vec<Vec<u8>> {
        let segment = |seq: u8| {
            let mut packet =
                vec![0x45, 0, 0, 41, 0, 0, 0, 0, 64, 6, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2];
            packet.extend([1, 187, 0, 80, 0, 0, 0, seq, 0, 0, 0, 5, 0x50, 16, 1, 0, 0, 0, 0, 0]);
            packet.push(b'x');
            packet
        };
        (0..10).flat_map(|seq| [segment(seq), segment(seq)]).collect()
    }

    fn capture_file() -> Vec<u8> {
        let mut file = PcapFile::new(RAW);
        (0..).zip(frames()).for_each(|(index, frame)| file.push(index * 1_000_000_000, &frame));
        file.into_bytes()
    }

    fn lines() -> Vec<u8> {
        let (mut writer, mut file) = (Writer::default(), Vec::new());
        for (index, frame) in (0..).zip(frames()) {
            let summary = decode(LinkType(RAW), &frame, u32::try_from(frame.len()).unwrap());
            let time = Timestamp::from_ns(index * 1_000_000_000);
            writer.write(&Packet::new(index.unsigned_abs() + 1, time, summary), &mut file);
        }
        file
    }

    /// The numbers of the packets that are retransmissions. The file is loaded in parts that start at these
    /// offsets, or as a whole.
    fn retransmissions(file: &[u8], starts: &[u64], sampling: Sampling) -> Vec<i64> {
        let len = file.len() as u64;
        let ends = starts.iter().skip(1).copied().chain([len]);
        let mut loaders: Vec<_> = match starts {
            [_] => vec![Loader::whole(len, sampling, viewer_formats::open)],
            _ => {
                starts.iter().zip(ends).map(|(from, to)| Loader::new(*from..to, sampling)).collect()
            }
        };
        for loader in &mut loaders {
            let position = usize::try_from(loader.position()).unwrap();
            loader.feed(&file[position..]);
            loader.feed(&[]);
        }
        let mut analysis = Analysis::new(starts);
        let mut reader = ContentReader::new(len, viewer_formats::open);
        for chunk in file.chunks(1_000).chain([&[][..]]) {
            if !reader.feed(chunk, &mut analysis) {
                break;
            }
        }
        assert_eq!(reader.progress(), (len, len));
        let mut numbers = Vec::new();
        for (loader, findings) in loaders.iter_mut().zip(analysis.finish()) {
            loader.set_findings(&findings);
            numbers.extend(selected(loader));
        }
        numbers
    }

    /// The numbers of the packets that are retransmissions, according to the findings.
    fn selected(loader: &Loader) -> Vec<i64> {
        let mut selection = Selection::default();
        let expr = parse("rtx == timeout", &Context::default()).unwrap();
        selection.set(Dimension::Filter, expr);
        let mut shard = Shard::new(0, String::new());
        shard.answer(loader.columns(), Preceding::default(), &selection, &[]);
        let (columns, selected) = (loader.columns(), shard.selected());
        let rows = (0..columns.len()).filter(|row| selected.contains(*row));
        rows.map(|row| columns.row(row).n).collect()
    }

    #[test]
    fn findings_reach_the_packets_of_each_part() {
        let every_second: Vec<_> = (1..=10).map(|index| 2 * index).collect();
        let all = Sampling::default();
        let lines = lines();
        let compressed = zstd::encode_all(&lines[..], 1).unwrap();
        for file in [&capture_file(), &lines, &compressed] {
            assert_eq!(retransmissions(file, &[0], all), every_second);
        }
        let len = lines.len() as u64;
        assert_eq!(retransmissions(&lines, &[0, len / 3, len / 2], all), every_second);
        // Packets that were not loaded are part of the analysis.
        let sampling = Sampling { every: 3, ..all };
        assert_eq!(retransmissions(&capture_file(), &[0], sampling), [4, 10, 16]);
        assert_eq!(retransmissions(&lines, &[0, len / 2], Sampling { every: 3, ..all }).len(), 4);
    }

    /// The parts of a followed source are joined. The second one grows after the snapshots, which end within lines.
    #[test]
    fn findings_reach_the_packets_of_growing_parts() {
        let lines = lines();
        let tenth = memchr::memchr_iter(b'\n', &lines).nth(8).unwrap() + 20;
        let (first, second) = lines.split_at(tenth);
        let mut loaders = [first, second].map(|part| {
            let mut loader = Loader::growing(Sampling::default());
            loader.append(part.to_vec());
            loader
        });
        let lens = [first.len() as u64, second.len() as u64 - 10];
        let starts = [0, lens[0] + 1];
        let mut analysis = Analysis::new(&starts);
        let mut reader = ContentReader::of_lines(lens[0] + lens[1] + 2);
        for (loader, len) in loaders.iter().zip(lens) {
            for chunk in loader.snapshot(len) {
                reader.feed(&chunk, &mut analysis);
            }
            reader.feed(b"\n", &mut analysis);
        }
        reader.feed(b"", &mut analysis);
        let mut numbers = Vec::new();
        for (loader, findings) in loaders.iter_mut().zip(analysis.finish()) {
            loader.set_findings(&findings);
            numbers.extend(selected(loader));
        }
        // The tenth line and the last one are incomplete.
        assert_eq!(numbers, [2, 4, 6, 8, 12, 14, 16, 18]);
    }

    #[test]
    fn damage_ends_the_analysis() {
        let mut file = capture_file();
        file.truncate(file.len() - 1);
        assert_eq!(retransmissions(&file, &[0], Sampling::default()).len(), 9);
    }
}
