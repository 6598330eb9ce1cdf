//! The analysis of the TCP connections in the open files, which runs once the user has asked for it.

use super::{App, Effect, Phase};
use crate::text::percent;
use summary::Address;

/// Why there is none of captures that are followed.
const FOLLOWED: &str = "Captures that are followed are not analyzed. Open the file without following it, or filter by the \
    findings in lines of sniffer --tcp-analysis, such as rtx or zero_window.";

/// The analysis of the open files.
#[derive(Debug, Default)]
pub(super) struct Analysis {
    /// The number of files whose analysis was requested.
    requested: usize,
    /// The files that are being read: first part, bytes read and to read.
    reading: Vec<(usize, (u64, u64))>,
    /// Addresses that scan ports, with the version of the answer that they are from.
    pub(super) scanners: (u64, Vec<Address>),
    /// Why the last file that failed could not be analyzed.
    error: Option<String>,
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
    /// The requests for the files that were loaded since the last ones, if the analysis is wanted.
    pub(super) fn request_analysis(&mut self) -> Vec<Effect> {
        let (first, count) = (self.analysis.requested, self.files.files.len());
        let is_due = self.settings.has_analysis && self.files.phase == Phase::Ready;
        if !is_due || count <= first || self.follow.is_some() {
            return Vec::new();
        }
        self.analysis.requested = count;
        let files: Vec<_> = (first..count).map(|file| self.files.parts_of(file)).collect();
        let files = files.into_iter().filter(|parts| !parts.is_empty());
        let request = |parts: Vec<(usize, u64)>| {
            self.analysis.reading.push((parts[0].0, (0, 1)));
            Effect::Analyze(parts)
        };
        files.map(request).collect()
    }

    /// Ends the analysis of a file, given by its first part. Fields of filters may have other values now.
    pub(super) fn on_analyzed(&mut self, part: usize, error: Option<String>) {
        self.analysis.reading.retain(|(first, _)| *first != part);
        self.analysis.error = error.or(self.analysis.error.take());
        self.scheduler.invalidate_data();
        self.packets.invalidate();
    }

    /// Whether all open files have been analyzed.
    pub(super) fn is_analyzed(&self) -> bool {
        self.settings.has_analysis
            && self.analysis.requested == self.files.files.len()
            && !self.analysis.is_reading()
    }

    /// Whether the user can ask for the analysis.
    pub(super) fn can_analyze(&self) -> bool {
        !self.settings.has_analysis && self.follow.is_none()
    }

    /// The state of the analysis, beside its switch; empty if it is not wanted.
    pub(super) fn analysis_text(&self) -> String {
        let Analysis { reading, error, .. } = &self.analysis;
        if self.follow.is_some() {
            return FOLLOWED.to_owned();
        }
        if !self.settings.has_analysis || !self.has_data() {
            return String::new();
        }
        if !reading.is_empty() {
            let sum = |all: (u64, u64), part: &(u64, u64)| (all.0 + part.0, all.1 + part.1);
            let (read, len) = reading.iter().map(|(_, progress)| progress).fold((0, 0), sum);
            return format!("reading… {}", percent(read, len));
        }
        match error {
            Some(error) => format!("failed: {error}"),
            None if self.is_analyzed() => "done".to_owned(),
            None => String::new(),
        }
    }
}
