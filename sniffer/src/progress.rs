//! What a person sees on standard error: a line that is drawn over itself, and a closing sentence.

use std::fmt::Display;
use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};
use summary::grouped;

/// Time between two drawings of the status line.
const INTERVAL: Duration = Duration::from_millis(500);

/// A file that is read in less shows no line.
const SHOW_AFTER: Duration = Duration::from_secs(1);

/// The status line.
#[derive(Debug)]
pub(crate) struct Progress {
    is_quiet: bool,
    /// A person watches, and the packets' lines do not run over the same screen.
    is_visible: bool,
    start: Instant,
    /// When the line was drawn last, and the packets then.
    last: (Instant, u64),
}

impl Progress {
    pub(crate) fn start(is_quiet: bool, goes_to_stdout: bool) -> Self {
        let is_screen_taken = goes_to_stdout && std::io::stdout().is_terminal();
        let is_visible = !is_quiet && std::io::stderr().is_terminal() && !is_screen_taken;
        let now = Instant::now();
        Self { is_quiet, is_visible, start: now, last: (now, 0) }
    }

    /// When the line wants to be drawn again; `None` where nobody watches.
    pub(crate) fn due(&self) -> Option<Instant> {
        self.is_visible.then(|| self.last.0 + INTERVAL)
    }

    /// Draws the line of a capture, when it is time.
    pub(crate) fn draw(&mut self, packets: u64, dropped: u64) {
        if let Some(line) = self.line(packets) {
            self.show(&format!("{line}, {} dropped", grouped(dropped)));
        }
    }

    /// Draws the line of files being read, when it is time: with what was read of how much, where
    /// that is known.
    pub(crate) fn draw_file_progress(&mut self, packets: u64, share: Option<(u64, u64)>) {
        if self.start.elapsed() < SHOW_AFTER {
            return;
        }
        let Some(line) = self.line(packets) else { return };
        let rest = share.filter(|(read, _)| 0 < *read).map(|(read, whole)| {
            let share = read as f64 / whole.max(read) as f64;
            let left = self.start.elapsed().as_secs_f64() * (1.0 / share - 1.0);
            format!(", {:.0} %, {left:.0} s left", share * 100.0)
        });
        self.show(&(line + &rest.unwrap_or_default()));
    }

    /// What both lines begin with, when it is time for one.
    fn line(&mut self, packets: u64) -> Option<String> {
        let now = Instant::now();
        if self.due().is_none_or(|due| now < due) {
            return None;
        }
        let elapsed_ms = (now - self.last.0).as_millis().max(1);
        let rate = u128::from(packets - self.last.1) * 1000 / elapsed_ms;
        self.last = (now, packets);
        let rate = u64::try_from(rate).unwrap_or(u64::MAX);
        Some(format!("{} packets, {}/s", grouped(packets), grouped(rate)))
    }

    fn show(&self, line: &str) {
        // Nobody to tell where standard error is gone.
        let _ = write!(std::io::stderr(), "\r{line}\x1b[K");
    }

    /// A sentence of its own line.
    pub(crate) fn info(&self, sentence: impl Display) {
        if self.is_quiet {
            return;
        }
        self.print(sentence);
    }

    /// A sentence that was asked for: also where else nothing is said.
    pub(crate) fn print(&self, sentence: impl Display) {
        self.clear();
        print_message(sentence);
    }

    /// Takes the status line away before an error is told.
    pub(crate) fn clear(&self) {
        if self.is_visible {
            let _ = write!(std::io::stderr(), "\r\x1b[K");
        }
    }

    /// Seconds since the start, with one decimal.
    pub(crate) fn elapsed(&self) -> String {
        format!("{:.1} s", self.start.elapsed().as_secs_f64())
    }
}

/// A sentence on standard error.
pub(crate) fn print_message(sentence: impl Display) {
    // Nobody to tell where standard error is gone.
    let _ = writeln!(std::io::stderr(), "sniffer: {sentence}");
}

/// `1 packet`, `2 packets`.
pub(crate) fn packets(count: u64) -> String {
    format!("{} packet{}", grouped(count), if count == 1 { "" } else { "s" })
}
