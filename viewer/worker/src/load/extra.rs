//! Rereads a file for the values of fields that have no column.

use super::row_reader::{RowReader, RowSink};
use super::source::Source;
use crate::columns::{Columns, ExtraColumn};
use crate::filter::{ExtraField, FieldType};
use std::collections::VecDeque;
use summary::line::{ExcerptReader, fields, string};

/// Rereads a part from its start and collects the values of some fields.
#[derive(Debug)]
pub struct ExtraReader {
    rows: RowReader,
    values: Values,
}

/// The values of some fields, by row.
#[derive(Debug, Default)]
pub(super) struct Values {
    fields: Vec<FieldColumn>,
    /// The rows of capture files whose lines will follow.
    rows: VecDeque<usize>,
    excerpts: ExcerptReader,
}

#[derive(Debug)]
struct FieldColumn {
    field: ExtraField,
    name: String,
    is_number: bool,
    column: ExtraColumn,
}

impl ExtraReader {
    /// Rereads a part that was read with an equal source, which gives packets as detailed lines.
    pub(super) fn new(source: Source, fields: &[ExtraField]) -> Self {
        Self { rows: RowReader::new(source), values: Values::new(fields) }
    }

    /// Offset in the file of the bytes to feed next.
    pub fn position(&self) -> u64 {
        self.rows.position()
    }

    /// The length of the part, and the number of bytes read.
    pub fn progress(&self) -> (u64, u64) {
        self.rows.progress()
    }

    /// Takes the next bytes of the file. An empty chunk is the end of the file. Returns false if no more
    /// bytes are needed.
    pub fn feed(&mut self, chunk: &[u8], columns: &Columns) -> bool {
        self.rows.feed(chunk, columns, &mut self.values)
    }

    /// The values that were read.
    pub fn finish(self) -> Vec<(ExtraField, ExtraColumn)> {
        self.values.finish()
    }
}

impl Values {
    /// No values of these fields.
    pub(super) fn new(fields: &[ExtraField]) -> Self {
        let mut values = Self::default();
        values.add(fields);
        values
    }

    /// Adds fields without values.
    pub(super) fn add(&mut self, fields: &[ExtraField]) {
        self.fields.extend(fields.iter().map(|field| FieldColumn {
            field: *field,
            name: field.name(),
            is_number: matches!(field.field_type(), FieldType::Number { .. }),
            column: ExtraColumn::default(),
        }));
    }

    /// Drops the other fields.
    pub(super) fn retain(&mut self, is_kept: impl Fn(ExtraField) -> bool) {
        self.fields.retain(|field| is_kept(field.field));
    }

    pub(super) fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    /// Moves the values, which are those of later rows, to the columns that exist.
    pub(super) fn extend(&mut self, columns: &mut Columns) {
        for field in &mut self.fields {
            columns.extend_extra(field.field, &mut field.column);
        }
    }

    pub(super) fn finish(self) -> Vec<(ExtraField, ExtraColumn)> {
        self.fields.into_iter().map(|field| (field.field, field.column)).collect()
    }
}

impl RowSink for Values {
    fn line(&mut self, row: usize, line: &[u8]) {
        let Ok(text) = str::from_utf8(line) else { return };
        // In the sniffer's own lines, a name in quotation marks before a colon is that of a field.
        if self.excerpts.read(line).is_some_and(|(_, len)| len == line.len()) {
            for field in &mut self.fields {
                let Some(start) = find_value(text, &field.name) else { continue };
                field.set(row, value_at_start(&text[start..]));
            }
            return;
        }
        let text = text.trim_start_matches(super::generic_json::BYTE_ORDER_MARK);
        for (name, value) in fields(text).unwrap_or_default() {
            if let Some(field) = self.fields.iter_mut().find(|field| field.name == name) {
                field.set(row, value);
            }
        }
    }

    fn wants(&mut self, row: usize) -> bool {
        self.rows.push_back(row);
        true
    }

    fn packets(&mut self, bytes: &[u8]) {
        for line in bytes.split_inclusive(|byte| *byte == b'\n') {
            if let (Some(row), Some(line)) = (self.rows.pop_front(), line.strip_suffix(b"\n")) {
                self.line(row, line);
            }
        }
    }
}

impl FieldColumn {
    /// Sets a value given as JSON. Numbers may also be strings, as other programs write them.
    fn set(&mut self, row: usize, json: &str) {
        if let Some(list) = json.strip_prefix('[') {
            let texts: Vec<_> = elements(list).filter_map(string).collect();
            if !self.is_number && !texts.is_empty() {
                self.column.set_list(row, &texts);
            }
            return;
        }
        let text = string(json);
        let text = text.as_deref().unwrap_or(json);
        match self.is_number {
            true => {
                if let Ok(number) = text.parse() {
                    self.column.set_number(row, number);
                }
            }
            false if text != "null" => self.column.set_text(row, text),
            false => {}
        }
    }
}

/// Index of a field's value in a line.
fn find_value(line: &str, name: &str) -> Option<usize> {
    let mut start = 0;
    loop {
        start += line[start..].find(name)?;
        let end = start + name.len();
        if line[..start].ends_with('"') && line[end..].starts_with("\":") {
            return Some(end + 2);
        }
        start = end;
    }
}

/// The JSON value at the start of a text: a string, number, `true`, or list of these.
fn value_at_start(text: &str) -> &str {
    let is_list = text.starts_with('[');
    let (mut is_quoted, mut is_escaped) = (false, false);
    let end = text.bytes().position(|byte| {
        let is_end = !is_quoted && if is_list { byte == b']' } else { b",]}".contains(&byte) };
        is_quoted ^= byte == b'"' && !is_escaped;
        is_escaped = byte == b'\\' && !is_escaped;
        is_end
    });
    end.map_or(text, |end| &text[..end + usize::from(is_list)])
}

/// The elements of a list, given by the text after its bracket.
fn elements(mut text: &str) -> impl Iterator<Item = &str> {
    std::iter::from_fn(move || {
        text = text.trim_start_matches([',', ' ']);
        let value = value_at_start(text);
        text = &text[value.len()..];
        Some(value.trim_end()).filter(|value| !value.is_empty())
    })
}

#[cfg(test)]
mod tests {
    use crate::filter::{Context, parse};
    use crate::load::{Loader, Sampling};
    use crate::selection::{Dimension, Selection};
    use crate::shard::{Preceding, Shard};
    use summary::capture_file::PcapFile;

    #[test]
    fn fields_of_appended_lines_are_read() {
        let line = |n: usize| {
            let names = [
                r#""dns":"a.example","dns_type":"A","dns_answers":["10.0.0.7"]"#,
                r#""sni":"A.example""#,
                r#""seq":7"#,
            ];
            let (ts, fields) = (1_000_000 + n, names[n % 3]);
            format!(
                "{{\"type\":\"pkt\",\"n\":{n},\"ts\":\"1970-01-01T00:00:00.{ts:09}Z\",\"len\":60,{fields}}}\n"
            )
        };
        let lines: String = (0..3_000).map(line).collect();
        let mut selection = Selection::default();
        let filter = "seq == 7 or sni == a.example";
        selection.set(Dimension::Filter, parse(filter, &Context::default()).unwrap());
        let fields = selection.extra_fields();
        let (mut loader, mut shard) =
            (Loader::growing(Sampling::default()), Shard::growing(0, String::new()));
        let mut reader = None;
        let mut names = 0;
        for (step, chunk) in lines.as_bytes().chunks(1_001).enumerate() {
            match step {
                // The lines so far are reread while others are appended.
                5 => {
                    loader.collect_appended(&fields);
                    loader.collect_appended_names();
                    reader = Some((loader.extra_reader(&fields), step * 1_001));
                }
                20 => {
                    let (mut reader, len) = reader.take().unwrap();
                    for chunk in lines.as_bytes()[..len].chunks(7).chain([&[][..]]) {
                        reader.feed(chunk, loader.columns());
                    }
                    loader.add_extra(reader.finish(), &fields);
                }
                _ => {}
            }
            loader.feed(chunk);
            names += loader.take_appended_names().len();
            if 20 <= step {
                shard.answer(loader.columns(), Preceding::default(), &selection, &[]);
                let selected = shard.selected();
                let rows: Vec<_> =
                    (0..loader.columns().len()).filter(|row| selected.contains(*row)).collect();
                let expected: Vec<_> = (0..loader.columns().len()).filter(|n| n % 3 != 0).collect();
                assert!(rows == expected, "step {step}: {} of {}", rows.len(), expected.len());
            }
        }
        assert!(100 < names, "{names} chunks with names");
    }

    /// Reads the fields that a filter needs, and returns the numbers of the packets that it matches.
    fn matching(file: &[u8], text: &str, sampling: Sampling) -> Vec<i64> {
        let mut loader = Loader::whole(file.len() as u64, sampling, viewer_formats::open);
        loader.feed(file);
        loader.feed(&[]);
        let mut selection = Selection::default();
        selection.set(Dimension::Filter, parse(text, &Context::default()).unwrap());
        let mut reader = loader.extra_reader(&selection.extra_fields());
        for chunk in file.chunks(7).chain([&[][..]]) {
            if !reader.feed(chunk, loader.columns()) {
                break;
            }
        }
        let columns = reader.finish();
        loader.add_extra(columns, &selection.extra_fields());
        let mut shard = Shard::new(0, String::new());
        shard.answer(loader.columns(), Preceding::default(), &selection, &[]);
        let selected = shard.selected();
        let rows = (0..loader.columns().len()).filter(|row| selected.contains(*row));
        rows.map(|row| loader.columns().row(row).n).collect()
    }

    #[test]
    fn fields_of_lines_are_read() {
        let start = r#"{"type":"pkt","n":N,"ts":"2026-11-23T02:53:38.123456789Z","len":60,"#;
        let lines = [
            r#""proto":"tcp","flags":"A","seq":7,"ack":4294967295,"win":0,"payload":0}"#,
            r#""proto":"udp","payload":30,"dns":"a\"seq\":7.example","dns_type":"A"}"#,
            r#""proto":"udp","dns":"seq","tag_site":"fra1"}"#,
            r#""dns":"x","dns_type":"A","dns_rcode":"NOERROR","dns_answers":["w.x","1.2.3.4","a],\"b"],"dns_time_us":90}"#,
            r#""alpn":["h2","http/1.1"],"ech":true,"ja4":"t13d1516h2_8daaf6152771_b186095e22b6","quic":"0x00000001"}"#,
            r#""proto":"tcp","flags":"A","rtx":"fast","ooo":true,"dup_ack":true,"zero_window":true,"window_full":true}"#,
            r#""proto":"tcp","flags":"A","rtx":"timeout","keep_alive":true,"reset":"no_data","unseen":1448,"rtt_us":20000,"handshake_us":30000,"tag_site":"fra1"}"#,
            // Written by other programs.
            r#""seq":"7", "tag_site": "\u0046RA1"}"#,
            r#""tcp":{"seq":7},"seq":null,"sni":"b.example", "alpn": [ "h3" , "x y" ] }"#,
            r#""proto":"tcp","flags":"A","seq":8}"#,
        ];
        let numbered = |(index, line): (usize, &&str)| {
            format!("{}{line}\n", start.replace('N', &(index + 1).to_string()))
        };
        let file: String = lines.iter().enumerate().map(numbered).collect();
        for (text, expected) in [
            ("seq == 7", &[1, 8][..]),
            ("seq", &[1, 8, 10]),
            ("ack > 4294967294", &[1]),
            ("win == 0 and payload == 0", &[1]),
            ("dns contains example", &[2]),
            ("dns == SEQ", &[3]),
            ("dns_type == A", &[2, 4]),
            ("tag_site == fra1", &[3, 7, 8]),
            ("sni == b.example", &[9]),
            ("not payload", &[3, 4, 5, 6, 7, 8, 9, 10]),
            ("dns_rcode == noerror and dns_time_us in 90..99", &[4]),
            ("dns_answers == 1.2.3.4", &[4]),
            (r#"dns_answers contains "a],""#, &[4]),
            ("dns_answers == w", &[]),
            ("dns_answers contains w", &[4]),
            ("dns_answers != w.x", &[]),
            ("dns_answers != w", &[4]),
            ("alpn in {h2, h3}", &[5, 9]),
            (r#"alpn == "x y""#, &[9]),
            ("alpn != H3", &[5]),
            ("ech and ja4 contains t13d and quic == 0x00000001", &[5]),
            ("ech == true", &[5]),
            ("rtx", &[6, 7]),
            ("rtx in {fast, spurious}", &[6]),
            ("ooo and dup_ack and zero_window and window_full", &[6]),
            ("keep_alive or ooo == true", &[6, 7]),
            ("not unseen and rtx", &[6]),
            ("reset == no_data", &[7]),
            ("unseen > 1000 and rtt_us in 20000..20001 and handshake_us == 30000", &[7]),
            ("dns == x and dns_type and dns_rcode and dns_answers and dns_time_us == 90", &[4]),
        ] {
            assert_eq!(matching(file.as_bytes(), text, Sampling::default()), expected, "{text}");
        }
        let every = Sampling { every: 2, ..Sampling::default() };
        assert_eq!(matching(file.as_bytes(), "seq or sni", every), [1, 9]);
    }

    #[test]
    fn fields_of_capture_files_are_read() {
        let mut file = PcapFile::new(1);
        for seq in 0..3u8 {
            let mut frame = vec![2, 0, 0, 0, 0, 9, 2, 0, 0, 0, 0, seq, 8, 0];
            frame.extend([0x45, 0, 0, 41, 0, 0, 0, 0, 64, 6, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2]);
            frame.extend([1, 187, 0, 80, 0, 0, 0, seq, 0, 0, 0, 5, 0x50, 0x10, 1, 0, 0, 0, 0, 0]);
            frame.push(b'x');
            file.push(u64::from(seq), &frame);
        }
        let file = file.into_bytes();
        for (text, expected) in [
            ("seq >= 1", &[2, 3][..]),
            ("ack == 5 and win == 256 and payload == 1", &[1, 2, 3]),
            ("eth.src == 02:00:00:00:00:01", &[2]),
            ("eth.addr != 02:00:00:00:00:01", &[1, 3]),
            ("icmp_type or frag or cap", &[]),
            ("dns or sni or http_host", &[]),
            ("community_id or tunnel or ja4 or dns_time_us or tag_site or rtx", &[]),
        ] {
            assert_eq!(matching(&file, text, Sampling::default()), expected, "{text}");
        }
    }

    #[test]
    fn tunnels_in_capture_files_are_read() {
        let ip = |protocol: u8, len: u8, last: u8| {
            [0x45, 0, 0, len, 0, 0, 0, 0, 64, protocol, 0, 0, 10, 0, 0, 1, 10, 0, 0, last]
        };
        let mut file = PcapFile::new(101);
        file.push(0, &[ip(4, 40, 2), ip(99, 20, 3)].concat());
        file.push(1, &ip(99, 20, 2));
        let file = file.into_bytes();
        for (text, expected) in [
            ("tunnel == ip", &[1][..]),
            ("outer_src == 10.0.0.0/8 and outer_dst == 10.0.0.2", &[1]),
            ("outer_dst == 10.0.0.3", &[]),
            ("dst == 10.0.0.2 and not tunnel", &[2]),
        ] {
            assert_eq!(matching(&file, text, Sampling::default()), expected, "{text}");
        }
    }

    #[test]
    fn names_in_capture_files_are_read() {
        let packet = |protocol: u8, port: u8, header: &[u8], payload: &[u8]| {
            let len = u8::try_from(24 + header.len() + payload.len()).unwrap();
            let ip = [0x45, 0, 0, len, 0, 0, 0, 0, 64, protocol, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2];
            [&[0; 12][..], &[8, 0], &ip, &[200, 0, 0, port], header, payload].concat()
        };
        let question = b"\x12\x34\x01\0\0\x01\0\0\0\0\0\0\x07example\x03org\0\0\x1c\0\x01";
        let request = b"GET / HTTP/1.1\r\nHost: www.example\r\n\r\n";
        let tcp = [0, 0, 0, 1, 0, 0, 0, 1, 0x50, 0x10, 1, 0, 0, 0, 0, 0];
        let mut file = PcapFile::new(1);
        file.push(0, &packet(17, 53, &[0, 37, 0, 0], question));
        file.push(1, &packet(6, 80, &tcp, request));
        file.push(2, &packet(17, 9, &[0, 8, 0, 0], b""));
        let file = file.into_bytes();
        for (text, expected) in [
            ("dns contains EXAMPLE and dns_type == AAAA", &[1][..]),
            ("http_host == www.example", &[2]),
            ("sni", &[]),
            ("not dns", &[2, 3]),
        ] {
            assert_eq!(matching(&file, text, Sampling::default()), expected, "{text}");
        }
    }
}
