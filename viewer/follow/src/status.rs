//! What the page says about the source.

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
    /// The source cannot be reached, for this reason. Requests are repeated.
    Lost(String),
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
            Self::Lost(_) => "lost",
            Self::Ended => "ended",
            Self::Stopped(_) => "stopped",
        }
    }
}

/// The state of the connection and the run in one line.
pub fn text(connection: &Connection, run: &Run) -> String {
    match connection {
        Connection::Connecting => "Connecting…".to_owned(),
        Connection::Live => live_text(run),
        Connection::Lost(reason) => format!("Connection lost ({reason}). Retrying…"),
        Connection::Ended => run.end.map_or_else(|| "Capture ended".to_owned(), end_text),
        Connection::Stopped(reason) => format!("No longer followed: {reason}"),
    }
}

/// The interfaces, the filter and the counters of a run.
fn live_text(run: &Run) -> String {
    let mut parts = vec!["Live".to_owned()];
    if !run.interfaces.is_empty() {
        parts.push(run.interfaces.join(", "));
    }
    if !run.filter.is_empty() {
        parts.push(run.filter.clone());
    }
    if let Some(Counters { received, dropped, .. }) = run.counters {
        parts.push(format!("{} received, {} dropped", grouped(received), grouped(dropped)));
    }
    parts.join(" · ")
}

fn end_text(end: End) -> String {
    let event = match end.is_rotated {
        true => "File ended, the capture continues in the next file",
        false => "Capture ended",
    };
    let Counters { written, dropped, .. } = end.counters;
    let plural = if written == 1 { "" } else { "s" };
    format!("{event}: {} packet{plural}, {} dropped", grouped(written), grouped(dropped))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn run_and_its_end_are_described() {
        let mut run = Run::default();
        assert_eq!(text(&Connection::Live, &run), "Live");
        run.add(r#"{"type":"meta","filter":"not port 22","interfaces":[{"name":"eth0"},{"name":"lo"}]}"#);
        run.add(r#"{"type":"stats","recv":1500,"drop":2,"out":1498}"#);
        let live = "Live · eth0, lo · not port 22 · 1,500 received, 2 dropped";
        assert_eq!(text(&Connection::Live, &run), live);
        run.add(r#"{"type":"end","reason":"signal","recv":1500,"drop":2,"out":1498}"#);
        let ended = "Capture ended: 1,498 packets, 2 dropped";
        assert_eq!(text(&Connection::Ended, &run), ended);
        run.add(r#"{"type":"end","reason":"rotated","recv":1,"drop":0,"out":1}"#);
        let rotated = "File ended, the capture continues in the next file: 1 packet, 0 dropped";
        assert_eq!(text(&Connection::Ended, &run), rotated);
    }

    #[test]
    fn lost_connections_are_explained() {
        let run = Run::default();
        let lost = Connection::Lost("no answer".to_owned());
        assert_eq!(text(&lost, &run), "Connection lost (no answer). Retrying…");
        let stopped = Connection::Stopped("the file was truncated or replaced".to_owned());
        let expected = "No longer followed: the file was truncated or replaced";
        assert_eq!(text(&stopped, &run), expected);
    }
}
