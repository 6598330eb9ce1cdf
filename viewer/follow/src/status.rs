//! What the page says about the source, in the header.

use crate::{Counters, End, Run};
use summary::grouped;

/// The connection to the source.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Connection {
    /// There was no answer yet.
    #[default]
    Connecting,
    /// The source answers.
    Live,
    /// The user has paused the source.
    Paused,
    /// The source cannot be reached, for this reason. Requests are repeated.
    Lost(String),
    /// The local file cannot be read, for this reason. Reading is repeated.
    Unreadable(String),
    /// The run has ended.
    Ended,
    /// The source cannot be followed any longer, for this reason.
    Stopped(String),
}

impl Connection {
    /// The name of the state, for the style sheet.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Connecting => "connecting",
            Self::Live => "live",
            Self::Paused => "paused",
            Self::Lost(_) | Self::Unreadable(_) => "lost",
            Self::Ended => "ended",
            Self::Stopped(_) => "stopped",
        }
    }

    /// More bytes may come.
    pub fn is_open(&self) -> bool {
        !matches!(self, Self::Ended | Self::Stopped(_))
    }
}

/// What the charts show of the source.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Shown {
    /// Packets that are no longer shown, because only the latest ones are kept.
    pub removed_packets: u64,
    /// Packets that the source did not keep until they were requested.
    pub missed_packets: u64,
    /// Bytes of these packets, and of those before the first packet.
    pub missed_bytes: u64,
    /// How much later than now the latest packet is, in milliseconds; `None` if nothing is missing.
    pub behind_ms: Option<f64>,
}

/// A part of the line in the header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// The text.
    pub text: String,
    /// The explanation; empty if there is none.
    pub title: &'static str,
    /// Packets are missing.
    pub is_loss: bool,
}

impl Item {
    fn new(text: String) -> Self {
        Self { text, title: "", is_loss: false }
    }

    fn loss(text: String, title: &'static str) -> Self {
        Self { text, title, is_loss: true }
    }
}

/// The state of the connection and the run.
pub fn items(connection: &Connection, run: &Run, shown: &Shown) -> Vec<Item> {
    let mut items = vec![Item::new(match connection {
        Connection::Connecting => "Connecting…".to_owned(),
        Connection::Live => "Live".to_owned(),
        Connection::Paused => "Paused".to_owned(),
        Connection::Lost(reason) => format!("Connection lost ({reason}). Retrying…"),
        Connection::Unreadable(reason) => format!("Cannot read the file ({reason}). Retrying…"),
        Connection::Ended => run.end.map_or_else(|| "Capture ended".to_owned(), end_text),
        Connection::Stopped(reason) => format!("No longer followed: {reason}"),
    })];
    if *connection != Connection::Connecting {
        items.extend((!run.interfaces.is_empty()).then(|| Item::new(run.interfaces.join(", "))));
        items.extend((!run.filter.is_empty()).then(|| Item::new(run.filter.clone())));
    }
    if connection.is_open()
        && let Some(counters) = run.counters
    {
        items.extend(counter_items(counters));
    }
    if 0 < shown.missed_packets {
        let text = format!("{} missed", packets(shown.missed_packets));
        let title = "The source did not keep these packets until the page requested them";
        items.push(Item::loss(text, title));
    } else if 0 < shown.missed_bytes {
        let title = "The source did not keep its first packets until the page requested them";
        items.push(Item { title, ..Item::new("The start is missing".to_owned()) });
    }
    if 0 < shown.removed_packets {
        let text = format!("{} older packets removed", grouped(shown.removed_packets));
        let title = "The page keeps only the latest packets. The menu ⋯ sets how many";
        items.push(Item { title, ..Item::new(text) });
    }
    if let Some(ms) = shown.behind_ms.filter(|_| connection.is_open()) {
        items.push(Item::new(format!("{} behind", seconds(ms))));
    }
    items
}

fn counter_items(counters: Counters) -> Vec<Item> {
    let Counters { received, dropped, lost_by_interface, .. } = counters;
    let title = "The kernel dropped these packets, because the sniffer was too slow";
    let drops = Item::loss(format!("{} dropped", grouped(dropped)), title);
    let mut items = vec![
        Item::new(format!("{} received", grouped(received))),
        Item { is_loss: 0 < dropped, ..drops },
    ];
    if 0 < lost_by_interface {
        let text = format!("{} lost by the interface", grouped(lost_by_interface));
        items.push(Item::loss(text, ""));
    }
    items
}

fn end_text(end: End) -> String {
    let event = match end.is_rotated {
        true => "File ended, the capture continues in the next file",
        false => "Capture ended",
    };
    let Counters { written, dropped, .. } = end.counters;
    format!("{event}: {}, {} dropped", packets(written), grouped(dropped))
}

fn packets(count: u64) -> String {
    format!("{} packet{}", grouped(count), if count == 1 { "" } else { "s" })
}

/// A time in seconds, or in minutes and seconds.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates")]
fn seconds(ms: f64) -> String {
    let seconds = (ms / 1e3).round() as u64;
    match seconds / 60 {
        0 => format!("{seconds} s"),
        minutes => format!("{} min {} s", grouped(minutes), seconds % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const META: &str =
        r#"{"type":"meta","filter":"not port 22","interfaces":[{"name":"eth0"},{"name":"lo"}]}"#;
    const STATS: &str = r#"{"type":"stats","recv":1500,"drop":2,"out":1498}"#;

    fn run(lines: &[&str]) -> Run {
        let mut run = Run::default();
        lines.iter().for_each(|line| run.add(line));
        run
    }

    /// The items in one line; those about losses are marked.
    fn text(connection: &Connection, run: &Run, shown: &Shown) -> String {
        let items = items(connection, run, shown).into_iter();
        let texts = items.map(|item| if item.is_loss { item.text + "!" } else { item.text });
        texts.collect::<Vec<_>>().join(" · ")
    }

    #[test]
    fn run_is_described_until_its_end() {
        let text = |connection, run: &Run| text(&connection, run, &Shown::default());
        assert_eq!(text(Connection::Connecting, &Run::default()), "Connecting…");
        assert_eq!(text(Connection::Live, &Run::default()), "Live");
        let running = run(&[META, STATS]);
        let live = "Live · eth0, lo · not port 22 · 1,500 received · 2 dropped!";
        assert_eq!(text(Connection::Live, &running), live);
        assert_eq!(text(Connection::Paused, &running), live.replace("Live", "Paused"));
        let without_drops = run(&[r#"{"type":"stats","recv":1,"if_drop":7}"#]);
        let live = "Live · 1 received · 0 dropped · 7 lost by the interface!";
        assert_eq!(text(Connection::Live, &without_drops), live);
        let end = r#"{"type":"end","reason":"signal","recv":1500,"drop":2,"out":1498}"#;
        let ended = "Capture ended: 1,498 packets, 2 dropped · eth0, lo · not port 22";
        assert_eq!(text(Connection::Ended, &run(&[META, STATS, end])), ended);
        let end = r#"{"type":"end","reason":"rotated","recv":1,"drop":0,"out":1}"#;
        let rotated = "File ended, the capture continues in the next file: 1 packet, 0 dropped";
        assert_eq!(text(Connection::Ended, &run(&[end])), rotated);
    }

    #[test]
    fn lost_connections_are_explained() {
        let text = |connection| text(&connection, &Run::default(), &Shown::default());
        let lost = Connection::Lost("no answer".to_owned());
        assert_eq!(text(lost), "Connection lost (no answer). Retrying…");
        let unreadable = Connection::Unreadable("not found".to_owned());
        assert_eq!(text(unreadable), "Cannot read the file (not found). Retrying…");
        let stopped = Connection::Stopped("the file was truncated or replaced".to_owned());
        assert_eq!(text(stopped), "No longer followed: the file was truncated or replaced");
    }

    #[test]
    fn missing_packets_are_counted() {
        let text = |shown| text(&Connection::Live, &Run::default(), &shown);
        let shown = Shown { missed_bytes: 9, ..Shown::default() };
        assert_eq!(text(shown), "Live · The start is missing");
        let shown = Shown { missed_packets: 1, removed_packets: 2_000, ..shown };
        assert_eq!(text(shown), "Live · 1 packet missed! · 2,000 older packets removed");
        let behind = |ms| text(Shown { behind_ms: Some(ms), ..Shown::default() });
        assert_eq!(behind(1_400.0), "Live · 1 s behind");
        assert_eq!(behind(61_000.0), "Live · 1 min 1 s behind");
    }
}
