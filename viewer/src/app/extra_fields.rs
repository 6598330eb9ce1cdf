//! What the lines of the packets that are seen say besides what has a column: read from the files, for
//! it is not kept.

use super::{App, Panel};
use crate::load::other_fields;

/// A packet: its part, and its place there.
pub(super) type At = (usize, usize);

/// The rests of the packets in the table.
#[derive(Debug, Default)]
pub(super) struct ExtraFields {
    known: Vec<(At, String)>,
    /// Those that are being read.
    asked: Vec<At>,
}

impl ExtraFields {
    /// Of a packet; nothing where that is not known, or nothing is left.
    pub(super) fn of(&self, at: At) -> &str {
        self.known.iter().find(|(known, _)| *known == at).map_or("", |(_, rest)| rest)
    }

    /// Takes lines that were read.
    pub(super) fn learn(&mut self, lines: Vec<(At, String)>) {
        for (at, line) in lines {
            self.asked.retain(|asked| *asked != at);
            self.known.push((at, other_fields(&line)));
        }
    }

    /// Which of the packets that are seen are to be read now; the others are forgotten.
    fn request(&mut self, seen: &[At]) -> Vec<At> {
        if !self.asked.is_empty() {
            return Vec::new();
        }
        self.known.retain(|(known, _)| seen.contains(known));
        let is_new = |at: &&At| self.known.iter().all(|(known, _)| known != *at);
        self.asked = seen.iter().filter(is_new).copied().collect();
        self.asked.clone()
    }
}

impl App {
    /// The packets whose lines are to be read for the table, where it is in sight.
    pub(super) fn missing_lines(&mut self) -> Vec<At> {
        if !self.is_seen(Panel::Packets) {
            return Vec::new();
        }
        let seen: Vec<_> =
            self.packet_rows().iter().map(|packet| (packet.part, packet.index)).collect();
        self.extra_fields.request(&seen)
    }
}
