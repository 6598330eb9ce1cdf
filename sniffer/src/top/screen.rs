//! The text of the screen. It consists of printable ASCII characters only, because names come from untrusted
//! packets, and each character takes one column.

use flow::Endpoint;
use std::fmt::Write as _;
use std::time::Duration;
use summary::{Address, grouped};

use super::row::{FlowRow, Problems, SortKey};
use crate::progress::duration_text;

/// The state of the run, for the first line.
#[derive(Clone, Debug, Default)]
pub(crate) struct Status {
    /// The interfaces or files.
    pub(crate) source: String,
    pub(crate) packets: u64,
    /// Packets that the kernel dropped; `None` for files.
    pub(crate) dropped: Option<u64>,
    /// Flows that did not end.
    pub(crate) flows: usize,
    /// All packets are read.
    pub(crate) is_complete: bool,
}

/// The user's choices.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct View {
    pub(super) key: SortKey,
    /// The first row on the screen.
    pub(super) offset: usize,
}

const PROTO_WIDTH: usize = 6;
/// Right-aligned columns: name, width and sort key. A narrow screen omits the last ones, except for the
/// one that rows are sorted by.
const NUMBERS: [(&str, usize, SortKey); 5] = [
    ("BYTES", 10, SortKey::Bytes),
    ("RATE", 12, SortKey::Rate),
    ("PACKETS", 12, SortKey::Packets),
    ("LATENCY", 12, SortKey::Latency),
    ("DURATION", 14, SortKey::Duration),
];
const MIN_ENDPOINT_WIDTH: usize = 15;
/// The minimum width of problems and names.
const MIN_NOTES_WIDTH: usize = 16;
/// The width of `[2001:db8:0:1:2:3:4:5]:50000`, and some more.
const MAX_ENDPOINT_WIDTH: usize = 30;

/// Lines above the rows.
pub(super) const HEADER_LINES: usize = 3;

/// The lines of the screen: at most `height`, none longer than `width`. The third one has the names of the columns.
pub(super) fn render(
    status: &Status,
    rows: &[FlowRow],
    view: &mut View,
    (width, height): (usize, usize),
) -> Vec<String> {
    let mut order: Vec<&FlowRow> = rows.iter().collect();
    order.sort_by_key(|row| std::cmp::Reverse((row.value(view.key), row.value(SortKey::Bytes))));
    let visible = height.saturating_sub(HEADER_LINES);
    view.offset = view.offset.min(order.len().saturating_sub(visible.max(1)));
    let columns = Columns::new(&order, view.key, width);
    let mut lines = vec![status_line(status), key_line(view.key), columns.header(view.key)];
    let shown = order.iter().skip(view.offset).take(visible);
    lines.extend(shown.map(|row| columns.row(row)));
    lines.truncate(height);
    for line in &mut lines {
        *line = printable(line);
        line.truncate(width);
    }
    lines
}

fn status_line(status: &Status) -> String {
    let Status { source, packets, dropped, flows, is_complete } = status;
    let mut line = format!("{source}: {}", crate::progress::packets(*packets));
    if let Some(dropped) = dropped {
        let _ = write!(line, ", {} dropped", grouped(*dropped));
    }
    let flow_count = grouped(u64::try_from(*flows).unwrap_or(u64::MAX));
    let _ = write!(line, ", active flows: {flow_count}");
    if *is_complete {
        line += ", complete";
    }
    line
}

fn key_line(current: SortKey) -> String {
    let keys = SortKey::ALL.map(|key| {
        let name = if key == current { key.name().to_uppercase() } else { key.name().to_owned() };
        format!("{}:{name}", key.letter())
    });
    // A narrow screen cuts off the end, and users have to see how to quit.
    format!("q:quit  {}  up/down:scroll", keys.join("  "))
}

/// The columns that fit the screen.
struct Columns {
    /// Width of each endpoint.
    endpoints: usize,
    numbers: Vec<(&'static str, usize, SortKey)>,
}

impl Columns {
    fn new(rows: &[&FlowRow], key: SortKey, width: usize) -> Self {
        let mut numbers = NUMBERS.to_vec();
        let fixed = |numbers: &[(&str, usize, SortKey)]| {
            let numbers: usize = numbers.iter().map(|(_, width, _)| width).sum();
            PROTO_WIDTH + numbers + 2 + MIN_NOTES_WIDTH
        };
        while width < fixed(&numbers) + 2 * MIN_ENDPOINT_WIDTH
            && let Some(last) = numbers.iter().rposition(|(.., column)| *column != key)
        {
            numbers.remove(last);
        }
        let free = width.saturating_sub(fixed(&numbers)) / 2;
        let ends = rows.iter().flat_map(|row| [row.source, row.destination]);
        let longest = ends.map(|end| endpoint(end).len()).max().unwrap_or(0);
        let endpoints = longest.min(free).clamp(MIN_ENDPOINT_WIDTH, MAX_ENDPOINT_WIDTH);
        Self { endpoints, numbers }
    }

    fn header(&self, key: SortKey) -> String {
        let mut line = self.ends("SOURCE", "DESTINATION", "PROTO");
        for &(name, width, column) in &self.numbers {
            let mark = if column == key { "*" } else { "" };
            let _ = write!(line, "{:>width$}", format!("{mark}{name}"));
        }
        line + if key == SortKey::Problems { "  *PROBLEMS, NAME" } else { "  PROBLEMS, NAME" }
    }

    fn row(&self, row: &FlowRow) -> String {
        let (source, destination) = (endpoint(row.source), endpoint(row.destination));
        let mut line = self.ends(&source, &destination, &row.proto.to_string());
        for &(_, width, column) in &self.numbers {
            let _ = write!(line, "{:>width$}", number(row.value(column), column));
        }
        let end = row.end.map(|end| format!("[{}]", end.name()));
        let notes = [Some(problems(&row.problems)), row.name.as_deref().map(str::to_owned), end];
        for note in notes.into_iter().flatten().filter(|note| !note.is_empty()) {
            line += "  ";
            line += &note;
        }
        line
    }

    fn ends(&self, source: &str, destination: &str, proto: &str) -> String {
        let width = self.endpoints;
        let (source, destination) = (shorten(source, width), shorten(destination, width));
        let proto = shorten(proto, PROTO_WIDTH);
        format!("{source:width$} {destination:width$} {proto:PROTO_WIDTH$}")
    }
}

/// A value with its unit.
fn number(value: u64, column: SortKey) -> String {
    match column {
        SortKey::Bytes => scaled(value, "B"),
        SortKey::Rate => scaled(value, "b/s"),
        SortKey::Duration => duration_text(Duration::from_millis(value)),
        SortKey::Latency if value == 0 => "-".to_owned(),
        SortKey::Latency => format!("{}.{} ms", value / 1_000, value % 1_000 / 100),
        SortKey::Packets | SortKey::Problems => grouped(value),
    }
}

fn endpoint(end: Endpoint) -> String {
    match (end.address, end.port) {
        (Some(address @ Address::V6(_)), Some(port)) => format!("[{address}]:{port}"),
        (Some(address), Some(port)) => format!("{address}:{port}"),
        (Some(address), None) => address.to_string(),
        (None, port) => port.map_or_else(|| "-".to_owned(), |port| format!("*:{port}")),
    }
}

fn problems(problems: &Problems) -> String {
    let Problems { rtx, out_of_order, zero_windows, resets, dns_failures } = *problems;
    let kinds = [
        ("rtx", rtx),
        ("ooo", out_of_order),
        ("zero-window", zero_windows),
        ("rst", resets),
        ("dns-fail", dns_failures),
    ];
    let found = kinds.iter().filter(|(_, count)| 0 < *count);
    found.map(|(name, count)| format!("{name} {count}")).collect::<Vec<_>>().join(" ")
}

/// A number with at most three digits and a fraction: `1.5 MB`.
fn scaled(number: u64, unit: &str) -> String {
    let prefixes = ["", "k", "M", "G", "T", "P", "E"];
    let mut divisor = 1u64;
    let mut prefix = 0;
    while prefix + 1 < prefixes.len() && 1_000 <= number / divisor {
        divisor *= 1_000;
        prefix += 1;
    }
    let whole = number / divisor;
    match prefix {
        0 => format!("{whole} {unit}"),
        _ => format!("{whole}.{} {}{unit}", number % divisor / (divisor / 10), prefixes[prefix]),
    }
}

/// At most `width` characters; `~` replaces the middle.
fn shorten(text: &str, width: usize) -> String {
    let text = printable(text);
    if text.len() <= width {
        return text;
    }
    let (start, end) = (width / 2, width - width / 2 - 1);
    format!("{}~{}", &text[..start], &text[text.len() - end..])
}

/// Replaces all characters that are not printable ASCII.
fn printable(text: &str) -> String {
    text.chars().map(|c| if matches!(c, ' '..='~') { c } else { '?' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::top::ranking::{Ranking, RateKind};
    use flow::{FlowTable, Limits, Names, Observation};
    use summary::{LinkType, PayloadNames, Proto, Summary, TcpOptions, Timestamp};

    /// Rows of UDP flows with these bytes from 10.0.0.n, the first with a hostile name.
    fn rows(sizes: &[u32]) -> Vec<FlowRow> {
        let mut table = FlowTable::new(Limits::default());
        for (number, &size) in (1u8..).zip(sizes) {
            let mut summary = Summary::new(LinkType::RAW, size, size);
            (summary.src, summary.dst) = (Some([10, 0, 0, number].into()), Some([1; 4].into()));
            (summary.sport, summary.proto) = (Some(number.into()), Proto::parse("udp"));
            let (options, names) = (TcpOptions::default(), PayloadNames::default());
            let ts = Timestamp::from_ns(i64::from(number));
            let mut packet = Observation::new(ts, None, &summary, &options, &names);
            let name = (number == 1).then(|| "\u{1b}]0;x\u{7}ä".into());
            packet.names = Some(Box::new(Names { sni: name, ..Names::default() }));
            table.add(&packet, &mut |_, _| panic!("no flow ends"));
        }
        Ranking::new(RateKind::Mean).snapshot(&table, std::time::Instant::now())
    }

    #[test]
    fn flows_are_sorted_and_scrolled() {
        let rows = rows(&[100, 3_000, 20_000, 1]);
        let status = Status { source: "eth0".into(), packets: 4, ..Status::default() };
        let mut view = View { key: SortKey::Bytes, offset: 0 };
        let lines = render(&status, &rows, &mut view, (120, 5));
        assert_eq!(lines[0], "eth0: 4 packets, active flows: 0");
        assert!(lines[1].contains("b:BYTES") && lines[2].contains("*BYTES"));
        let narrow = &render(&status, &rows, &mut view, (80, 5))[1];
        let keys = SortKey::ALL.map(SortKey::letter).into_iter().chain(['q']);
        assert!(keys.into_iter().all(|key| narrow.contains(&format!("{key}:"))), "{narrow}");
        assert!(lines[3].starts_with("10.0.0.3:3") && lines[3].contains("20.0 kB"), "{lines:?}");
        assert!(lines[4].starts_with("10.0.0.2:2"));
        view.offset = 99;
        let lines = render(&status, &rows, &mut view, (120, 5));
        assert_eq!((view.offset, lines.len()), (2, 5));
        assert!(lines[4].starts_with("10.0.0.4:4"));
    }

    #[test]
    fn untrusted_text_cannot_control_the_terminal() {
        let rows = rows(&[100]);
        let status = Status { source: "\u{9b}2J".into(), ..Status::default() };
        for width in [0, 1, 30, 80, 300] {
            let lines = render(&status, &rows, &mut View::default(), (width, 24));
            assert_eq!(render(&status, &rows, &mut View::default(), (width, 2)), lines[..2]);
            for line in &lines {
                assert!(line.len() <= width && line.chars().all(|c| matches!(c, ' '..='~')));
            }
            assert!(width < 300 || lines[3].ends_with("?]0;x??"), "{lines:?}");
        }
    }

    #[test]
    fn numbers_have_prefixes() {
        for (number, text) in
            [(0, "0 B"), (999, "999 B"), (1_000, "1.0 kB"), (12_345_678, "12.3 MB")]
        {
            assert_eq!(scaled(number, "B"), text);
        }
        assert_eq!(scaled(u64::MAX, "B"), "18.4 EB");
        assert_eq!(shorten("2001:db8::1234", 9), "2001~1234");
    }
}
