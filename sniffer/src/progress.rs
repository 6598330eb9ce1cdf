//! Messages on standard error: a status line that is redrawn in place, and single messages.

use std::fmt::Display;
use std::io::{IsTerminal, Write};
use std::os::fd::AsFd;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use summary::{Printable, grouped};

use crate::output::{Framing, Lost, Output};
use crate::signals;

/// Time between two updates of the status line.
const INTERVAL: Duration = Duration::from_millis(500);

/// Files that are read faster show no status line.
const SHOW_AFTER: Duration = Duration::from_secs(1);

/// How long a message waits for a reader of standard error.
const WRITE_TIMEOUT: Duration = Duration::from_millis(50);

/// The messages of a run.
#[derive(Debug)]
pub(crate) struct Progress {
    is_quiet: bool,
    /// Whether the status line is shown: standard error is a terminal, and the output does not go
    /// to a terminal too.
    is_visible: bool,
    start: Instant,
    /// Time and packet count of the last update of the status line.
    last: (Instant, u64),
    /// When the work ended, if the run then waits for the user.
    end: Option<Instant>,
}

impl Progress {
    pub(crate) fn start(is_quiet: bool, writes_to_stdout: bool) -> Self {
        let shares_terminal = writes_to_stdout && std::io::stdout().is_terminal();
        let is_visible = !is_quiet && std::io::stderr().is_terminal() && !shares_terminal;
        let now = Instant::now();
        Self { is_quiet, is_visible, start: now, last: (now, 0), end: None }
    }

    /// Shows no status line: the terminal shows something else.
    pub(crate) fn hide(&mut self) {
        self.is_visible = false;
    }

    /// When the status line is due for an update; `None` if it is not shown.
    pub(crate) fn due(&self) -> Option<Instant> {
        self.is_visible.then(|| self.last.0 + INTERVAL)
    }

    /// Updates the status line of a capture if it is due.
    pub(crate) fn draw(&mut self, packets: u64, dropped: u64) {
        if let Some(rate) = self.rate_text(packets) {
            self.show(&format!("{rate}, {} dropped", grouped(dropped)));
        }
    }

    /// Updates the status line of files being read if it is due. `bytes` are those read so far and
    /// the total, if known.
    pub(crate) fn draw_file_progress(&mut self, packets: u64, bytes: Option<(u64, u64)>) {
        let elapsed = self.start.elapsed();
        if elapsed < SHOW_AFTER {
            return;
        }
        let Some(rate) = self.rate_text(packets) else { return };
        let bytes = bytes.filter(|(read, _)| 0 < *read);
        let rest = bytes.map(|(read, total)| remaining_text(read, total, elapsed));
        self.show(&(rate + &rest.unwrap_or_default()));
    }

    /// The count and the rate since the last update; `None` if no update is due.
    fn rate_text(&mut self, packets: u64) -> Option<String> {
        let now = Instant::now();
        if self.due().is_none_or(|due| now < due) {
            return None;
        }
        let interval_ms = u64::try_from((now - self.last.0).as_millis()).unwrap_or(u64::MAX).max(1);
        let rate = (packets - self.last.1).saturating_mul(1000) / interval_ms;
        self.last = (now, packets);
        Some(format!("{} packets, {}/s", grouped(packets), grouped(rate)))
    }

    fn show(&self, line: &str) {
        write_text(&format!("\r{line}\x1b[K"));
    }

    /// Prints a message unless `-q` is set.
    pub(crate) fn info(&self, message: impl Display) {
        if !self.is_quiet {
            self.print(message);
        }
    }

    /// Reports files of an interrupted run that are complete now.
    pub(crate) fn recovered(&self, output: &Output) {
        for path in output.recovered() {
            self.info(format_args!("kept `{}` of an interrupted run", Printable(path.display())));
        }
        for path in output.untrusted() {
            self.info(format_args!(
                "`{}` stays unfinished: it belongs to another user, and everyone may write to its \
                 directory; to keep it, rename it",
                Printable(path.display())
            ));
        }
    }

    /// Reports lines or packets that could not be written, if there are any.
    pub(crate) fn lost(&self, output: &Output) {
        let Lost { count, is_exact } = output.lost();
        if 0 < count {
            let lines = match (output.framing(), count) {
                (Framing::Lines, 1) => "line",
                (Framing::Lines, _) => "lines",
                (Framing::Blocks, 1) => "packet of the pcapng output",
                (Framing::Blocks, _) => "packets of the pcapng output",
            };
            let limit = if is_exact { "" } else { "up to " };
            let count = grouped(count);
            self.info(format_args!("{limit}the last {count} {lines} could not be written"));
        }
    }

    /// Reports flows that ended because there were too many, if there are any.
    pub(crate) fn evicted_flows(&self, count: u64) {
        if 0 < count {
            let flows = counted(count, "flow");
            self.info(format_args!("{flows} ended early because there were too many"));
        }
    }

    /// Reports incomplete messages that were given up, if there are any.
    pub(crate) fn evicted_names(&self, count: u64) {
        if 0 < count {
            let messages = counted(count, "incomplete message");
            self.info(format_args!(
                "names are missing: {messages} given up because there were too many"
            ));
        }
    }

    /// Prints a message that the user requested, also with `-q`.
    pub(crate) fn print(&self, message: impl Display) {
        self.clear();
        print_message(message);
    }

    /// Removes the status line.
    pub(crate) fn clear(&self) {
        if self.is_visible {
            write_text("\r\x1b[K");
        }
    }

    /// Ends the time of [`Self::elapsed`]: the run waits for the user from now on.
    pub(crate) fn stop_clock(&mut self) {
        self.end = Some(Instant::now());
    }

    /// Time since the start, for messages: `4 ms`, `2.5 s`, `1 h 5 min`.
    pub(crate) fn elapsed(&self) -> String {
        let end = self.end.unwrap_or_else(Instant::now);
        duration_text(end.saturating_duration_since(self.start))
    }
}

/// Prints a message on standard error, or keeps it while messages are held.
pub(crate) fn print_message(message: impl Display) {
    let line = format!("sniffer: {}\n", printable_lines(message));
    match &mut *held_messages() {
        Some(held) if held.len() < MAX_HELD => held.push(line),
        Some(_) => {}
        None => write_text(&line),
    }
}

/// The first messages that are kept while the screen shows something else.
const MAX_HELD: usize = 100;

static HELD: Mutex<Option<Vec<String>>> = Mutex::new(None);

fn held_messages() -> MutexGuard<'static, Option<Vec<String>>> {
    HELD.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Keeps messages from now on: the screen shows something else.
pub(crate) fn hold_messages() {
    *held_messages() = Some(Vec::new());
}

/// Prints the messages that were kept, and all further ones.
pub(crate) fn release_messages() {
    let held = held_messages().take();
    held.into_iter().flatten().for_each(|line| write_text(&line));
}

/// Answers a request for the counters while the output is blocked.
pub(crate) fn print_count_while_blocked(packet_count: u64) {
    let packets = packets(packet_count);
    print_message(format_args!("{packets} so far; waiting for the reader of the output"));
}

/// Writes to standard error. Drops the text if nobody reads it: messages must not stop a capture.
fn write_text(text: &str) {
    let mut stderr = std::io::stderr();
    // A closed standard error is not worth an error.
    if signals::poll_writable(stderr.as_fd(), WRITE_TIMEOUT).is_ok_and(|is_writable| is_writable) {
        let _ = stderr.write_all(text.as_bytes());
    }
}

/// A message whose line feeds are its own, with all other characters that control a terminal escaped:
/// messages contain names of files and interfaces, and text of filters.
pub(crate) fn printable_lines(message: impl Display) -> String {
    let message = message.to_string();
    let lines = message.split('\n').map(|line| Printable(line).to_string());
    lines.collect::<Vec<_>>().join("\n")
}

/// `1 packet`, `2 packets`.
pub(crate) fn packets(count: u64) -> String {
    counted(count, "packet")
}

/// A number and the noun that it counts.
fn counted(count: u64, noun: &str) -> String {
    format!("{} {noun}{}", grouped(count), if count == 1 { "" } else { "s" })
}

/// The share of the bytes read so far, and the estimated time for the rest.
fn remaining_text(read: u64, total: u64, elapsed: Duration) -> String {
    let share = read as f64 / total.max(read) as f64;
    let left_seconds = elapsed.as_secs_f64() * (1.0 / share - 1.0);
    let left = Duration::try_from_secs_f64(left_seconds).unwrap_or(Duration::MAX);
    format!(", {:.0}%, {} left", share * 100.0, duration_text(left))
}

/// A duration in at most two units: `4 ms`, `2.5 s`, `1 h 5 min`.
pub(crate) fn duration_text(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        0 => format!("{} ms", duration.as_millis()),
        1..60 => format!("{:.1} s", duration.as_secs_f64()),
        60..3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", seconds / 3600, seconds / 60 % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_at_most_two_units() {
        for (ms, text) in [
            (4, "4 ms"),
            (999, "999 ms"),
            (2_540, "2.5 s"),
            (125_000, "2 min 5 s"),
            (93_784_000, "26 h 3 min"),
        ] {
            assert_eq!(duration_text(Duration::from_millis(ms)), text);
        }
    }

    #[test]
    fn messages_cannot_control_the_terminal() {
        let message = "`a\u{1b}]0;x\u{7}\u{202e}\u{9b}`:\n  reason\r";
        let expected = "`a\\u{1b}]0;x\\u{7}\\u{202e}\\u{9b}`:\n  reason\\u{d}";
        assert_eq!(printable_lines(message), expected);
    }

    #[test]
    fn remaining_time_follows_the_share_read() {
        assert_eq!(remaining_text(25, 100, Duration::from_secs(2)), ", 25%, 6.0 s left");
        // A file that grew while it was read.
        assert_eq!(remaining_text(300, 100, Duration::from_secs(2)), ", 100%, 0 ms left");
    }
}
