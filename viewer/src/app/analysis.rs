//! The analysis of the TCP connections in the open files, which runs once the user has asked for it.

use super::{App, Effect, Phase};
use crate::text::percent;
use summary::{Address, grouped};

/// The analysis of the open files.
#[derive(Debug, Default)]
pub(super) struct Analysis {
    /// The number of files whose analysis was requested.
    requested: usize,
    /// The files that are being read: first part, bytes read and to read.
    reading: Vec<(usize, (u64, u64))>,
    /// The packets of a followed source that are being read, and those that were analyzed last.
    followed: [Option<Covered>; 2],
    /// The user asked to analyze the followed source once more.
    is_repeated: bool,
    /// Addresses that scan ports, with the version of the answer that they are from.
    pub(super) scanners: (u64, Vec<Address>),
    /// Why the last file that failed could not be analyzed.
    error: Option<String>,
}

/// Packets of a followed source, from the first one that the page had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Covered {
    packets: u64,
    /// The number of packets that were dropped before.
    dropped: u64,
}

impl Covered {
    /// The number of packets that the page still has, if so many were dropped.
    fn kept(self, dropped: u64) -> u64 {
        self.packets.saturating_sub(dropped.saturating_sub(self.dropped))
    }
}

impl Analysis {
    /// Whether files are being read.
    pub(super) fn is_reading(&self) -> bool {
        !self.reading.is_empty()
    }

    /// Stores the progress of a file.
    pub(super) fn on_read(&mut self, part: usize, progress: (u64, u64)) {
        if let Some((_, slot)) = self.reading.iter_mut().find(|(first, _)| *first == part) {
            *slot = progress;
        }
    }
}

impl App {
    /// The requests for the files that were loaded since the last ones, and for a followed source, if the
    /// analysis is wanted.
    pub(super) fn request_analysis(&mut self) -> Vec<Effect> {
        let (first, count) = (self.analysis.requested, self.files.files.len());
        if !self.settings.has_analysis || self.files.phase != Phase::Ready {
            return Vec::new();
        }
        let followed = self.request_followed_analysis();
        // The first file is the followed source, if there is one.
        let first = first.max(usize::from(self.follow.is_some()));
        self.analysis.requested = count;
        let files: Vec<_> = (first..count).map(|file| self.files.parts_of(file)).collect();
        let files = files.into_iter().filter(|parts| !parts.is_empty());
        let request = |parts: Vec<(usize, u64)>| {
            self.analysis.reading.push((parts[0].0, (0, 1)));
            Effect::Analyze(parts)
        };
        followed.into_iter().chain(files.map(request)).collect()
    }

    /// The request to analyze the packets that the page keeps of a followed source. The analysis is repeated when
    /// their number has doubled, and at the end, so that each packet is read only a few times.
    fn request_followed_analysis(&mut self) -> Option<Effect> {
        self.follow.as_ref()?;
        let [reading, analyzed] = self.analysis.followed;
        let packets: u64 = self.files.read_parts(0).map(|(_, _, packets)| packets).sum();
        let kept = analyzed.map_or(0, |covered| covered.kept(self.files.dropped.packets));
        let is_due = match self.is_following() && !self.analysis.is_repeated {
            true => kept.saturating_mul(2) <= packets,
            false => kept < packets && (self.is_following() || self.has_read_all()),
        };
        if reading.is_some() || packets == 0 || !is_due {
            return None;
        }
        self.analysis.is_repeated = false;
        let covered = Covered { packets, dropped: self.files.dropped.packets };
        self.analysis.followed[0] = Some(covered);
        let parts = self.files.read_parts(0).filter(|(_, _, packets)| 0 < *packets);
        let parts: Vec<_> = parts.map(|(part, bytes, _)| (part, bytes)).collect();
        self.analysis.reading.push((parts[0].0, (0, 1)));
        Some(Effect::AnalyzeFollowed(parts))
    }

    /// Removes the findings in a followed source once the analysis is switched off. Otherwise they would cover a
    /// smaller and smaller part of the packets.
    pub(super) fn end_followed_analysis(&mut self, effects: &mut Vec<Effect>) {
        let is_over = self.analysis.followed[0].is_none() && self.analysis.followed[1].is_some();
        if is_over && !self.settings.has_analysis {
            self.analysis.followed = [None; 2];
            self.scheduler.invalidate_data();
            self.packets.invalidate();
            effects.push(Effect::AnalyzeFollowed(Vec::new()));
        }
    }

    /// Analyzes a followed source once more, up to its last packet.
    pub(super) fn repeat_analysis(&mut self) {
        self.analysis.is_repeated = self.can_repeat_analysis();
    }

    /// Ends the analysis of a file, given by its first part. Fields of filters may have other values now.
    pub(super) fn on_analyzed(
        &mut self,
        part: usize,
        error: Option<String>,
        effects: &mut Vec<Effect>,
    ) {
        self.analysis.reading.retain(|(first, _)| *first != part);
        // Parts of other files are not dropped.
        if self.files.part(part).is_none_or(|(file, _)| *file == 0)
            && let Some(covered) = self.analysis.followed[0].take()
        {
            (self.analysis.followed[1], self.analysis.error) = (Some(covered), None);
            // The workers keep what was not read.
            effects.extend(error.is_some().then(|| Effect::AnalyzeFollowed(Vec::new())));
        }
        self.analysis.error = error.or(self.analysis.error.take());
        self.scheduler.invalidate_data();
        self.packets.invalidate();
        self.end_followed_analysis(effects);
    }

    /// Whether all open files have been analyzed; of a followed source, some packets.
    pub(super) fn is_analyzed(&self) -> bool {
        let is_read = match self.follow {
            Some(_) => self.analysis.followed[1].is_some(),
            None => !self.analysis.is_reading(),
        };
        self.settings.has_analysis && self.analysis.requested == self.files.files.len() && is_read
    }

    /// Whether the user can ask for the analysis.
    pub(super) fn can_analyze(&self) -> bool {
        !self.settings.has_analysis
    }

    /// Whether the user can ask for the analysis of newer packets.
    pub(super) fn can_repeat_analysis(&self) -> bool {
        self.is_analyzed() && !self.analysis.is_reading() && self.covered().is_some()
    }

    /// Whether the results do not cover all packets of a followed source, are about to change, or are missing.
    pub(super) fn is_analysis_partial(&self) -> bool {
        let Analysis { error, .. } = &self.analysis;
        self.is_analyzed()
            && (self.analysis.is_reading() || self.covered().is_some() || error.is_some())
    }

    /// The numbers of analyzed packets and of all packets of a followed source, if they differ.
    fn covered(&self) -> Option<(u64, u64)> {
        self.follow.as_ref()?;
        let packets: u64 = self.files.read_parts(0).map(|(_, _, packets)| packets).sum();
        let kept = self.analysis.followed[1]?.kept(self.files.dropped.packets);
        (kept < packets).then_some((kept, packets))
    }

    /// The state of the analysis, beside its switch; empty if it is not wanted.
    pub(super) fn analysis_text(&self) -> String {
        let Analysis { reading, error, .. } = &self.analysis;
        if !self.settings.has_analysis || !self.has_data() {
            return String::new();
        }
        if !reading.is_empty() {
            let sum = |all: (u64, u64), part: &(u64, u64)| (all.0 + part.0, all.1 + part.1);
            let (read, len) = reading.iter().map(|(_, progress)| progress).fold((0, 0), sum);
            return format!("reading… {}", percent(read, len));
        }
        match (error, self.covered()) {
            (Some(error), _) => format!("failed: {error}"),
            (None, Some((analyzed, all))) if self.is_analyzed() => {
                format!("covers the first {} of {} packets", grouped(analyzed), grouped(all))
            }
            (None, _) if self.is_analyzed() => "done".to_owned(),
            (None, _) => String::new(),
        }
    }
}
