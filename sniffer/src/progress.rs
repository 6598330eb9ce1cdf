//! What a person sees on standard error: a line that is drawn over itself, and a closing sentence.

use std::fmt::Display;
use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};
use summary::grouped;

/// Time between two drawings of the status line.
const INTERVAL: Duration = Duration::from_millis(500);

/// The status line.
#[derive(Debug)]
pub(crate) struct Progress {
    is_quiet: bool,
    /// A person watches, and the packets' lines do not run over the same screen.
    is_watched: bool,
    start: Instant,
    /// When the line was drawn last, and the packets then.
    last: (Instant, u64),
}

impl Progress {
    pub(crate) fn start(is_quiet: bool, goes_to_stdout: bool) -> Self {
        let is_screen_taken = goes_to_stdout && std::io::stdout().is_terminal();
        let is_watched = !is_quiet && std::io::stderr().is_terminal() && !is_screen_taken;
        let now = Instant::now();
        Self { is_quiet, is_watched, start: now, last: (now, 0) }
    }

    /// When the line wants to be drawn again; `None` where nobody watches.
    pub(crate) fn due(&self) -> Option<Instant> {
        self.is_watched.then(|| self.last.0 + INTERVAL)
    }

    /// Draws the line, when it is time.
    pub(crate) fn draw(&mut self, packets: u64, dropped: Option<u64>) {
        let now = Instant::now();
        if self.due().is_none_or(|due| now < due) {
            return;
        }
        let elapsed_ms = (now - self.last.0).as_millis().max(1);
        let rate = u128::from(packets - self.last.1) * 1000 / elapsed_ms;
        self.last = (now, packets);
        let mut line = format!(
            "{} packets, {}/s",
            grouped(packets),
            grouped(u64::try_from(rate).unwrap_or(u64::MAX))
        );
        if let Some(dropped) = dropped {
            line += &format!(", {} dropped", grouped(dropped));
        }
        // Nobody to tell where standard error is gone.
        let _ = write!(std::io::stderr(), "\r{line}\x1b[K");
    }

    /// A sentence of its own line.
    pub(crate) fn say(&self, sentence: impl Display) {
        if self.is_quiet {
            return;
        }
        self.report(sentence);
    }

    /// A sentence that was asked for: also where else nothing is said.
    pub(crate) fn report(&self, sentence: impl Display) {
        self.clear();
        report(sentence);
    }

    /// Takes the status line away before an error is told.
    pub(crate) fn clear(&self) {
        if self.is_watched {
            let _ = write!(std::io::stderr(), "\r\x1b[K");
        }
    }

    /// Seconds since the start, with one decimal.
    pub(crate) fn elapsed(&self) -> String {
        format!("{:.1} s", self.start.elapsed().as_secs_f64())
    }
}

/// A sentence on standard error.
pub(crate) fn report(sentence: impl Display) {
    // Nobody to tell where standard error is gone.
    let _ = writeln!(std::io::stderr(), "sniffer: {sentence}");
}

/// `1 packet`, `2 packets`.
pub(crate) fn packets(count: u64) -> String {
    format!("{} packet{}", grouped(count), if count == 1 { "" } else { "s" })
}
