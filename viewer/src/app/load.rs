//! The files that are open, and how far their parts are.

use crate::columns::Totals;
use crate::load::Report;
use crate::shard::Before;

/// After so many lines without one record a file is no capture, and the rest need not be read.
const HOPELESS_LINES: u64 = 1_000;
/// The same for a file without line feeds, in bytes.
const HOPELESS_BYTES: u64 = 16 << 20;

/// How far loading is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Phase {
    /// Nothing was opened.
    #[default]
    Empty,
    /// Bytes are being read.
    Loading,
    /// All was read that will be.
    Ready,
    /// It could not be read.
    Error,
}

impl Phase {
    /// The name that scripts see.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::Loading => "loading",
            Self::Ready => "ready",
            Self::Error => "error",
        }
    }
}

/// A file to be opened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FileInfo {
    /// Its name.
    pub name: String,
    /// Its bytes.
    pub len: u64,
    /// In how many parts it is read.
    pub parts: usize,
}

/// The files and their parts.
#[derive(Debug, Default)]
pub(super) struct Files {
    pub(super) phase: Phase,
    pub(super) files: Vec<FileInfo>,
    /// Of each part, its file and how far it is.
    pub(super) parts: Vec<(usize, Report)>,
    pub(super) error: Option<String>,
    pub(super) is_cancelled: bool,
    /// Milliseconds since these files began to be read.
    pub(super) elapsed_ms: f64,
    /// Bytes that had been read before.
    read_before: u64,
}

impl Files {
    pub(super) fn add(&mut self, files: Vec<FileInfo>) {
        self.read_before = self.read_bytes();
        (self.phase, self.error, self.is_cancelled) = (Phase::Loading, None, false);
        for file in files {
            let index = self.files.len();
            self.parts.extend((0..file.parts).map(|_| (index, Report::default())));
            self.files.push(file);
        }
        self.settle();
    }

    pub(super) fn fail(&mut self, error: String) {
        *self = Self { phase: Phase::Error, error: Some(error), ..Self::default() };
    }

    pub(super) fn report(&mut self, part: usize, report: Report) {
        if let Some((_, slot)) = self.parts.get_mut(part) {
            *slot = report;
        }
        self.settle();
    }

    pub(super) fn reports(&self) -> impl Iterator<Item = &Report> + Clone {
        self.parts.iter().map(|(_, report)| report)
    }

    pub(super) fn totals(&self) -> Totals {
        let mut totals =
            self.reports().map(|part| part.totals).fold(Totals::default(), Totals::merge);
        // The gaps between the parts of a file.
        for (part, before) in self.befores().into_iter().enumerate() {
            let first = self.parts[part].1.totals.extent.map(|extent| extent.ends_ns.0);
            if let (Some(first), Some((last, _))) = (first, before.ts_ns) {
                let gap = first.saturating_sub(last);
                totals.extent = totals.extent.map(|extent| extent.with_gap(gap));
            }
        }
        totals
    }

    /// What the parts before each part, in its file, leave behind.
    pub(super) fn befores(&self) -> Vec<Before> {
        let mut befores = Vec::with_capacity(self.parts.len());
        let mut before = (usize::MAX, Before::default());
        for (file, report) in &self.parts {
            if before.0 != *file {
                before = (*file, Before::default());
            }
            befores.push(before.1);
            if let Some(extent) = report.totals.extent {
                let latest = before.1.ts_ns.map_or(extent.ts_ns.1, |b| b.1.max(extent.ts_ns.1));
                before.1 = Before { ts_ns: Some((extent.ends_ns.1, latest)) };
            }
        }
        befores
    }

    pub(super) fn len(&self) -> u64 {
        self.files.iter().map(|file| file.len).sum()
    }

    pub(super) fn read_bytes(&self) -> u64 {
        self.reports().map(|part| part.read_bytes).sum()
    }

    /// Bytes read of those that were opened last, and how many those are.
    pub(super) fn progress(&self) -> (u64, u64) {
        (
            self.read_bytes() - self.read_before.min(self.read_bytes()),
            self.len() - self.read_before.min(self.len()),
        )
    }

    /// True where so much was read without a single record that the rest need not be.
    pub(super) fn is_hopeless(&self) -> bool {
        let lines: u64 = self.reports().map(|part| part.lines).sum();
        let records: u64 = self.reports().map(|part| part.records).sum();
        let is_enough = HOPELESS_LINES <= lines || HOPELESS_BYTES <= self.read_bytes();
        self.phase == Phase::Loading && is_enough && records == 0
    }

    /// Ends loading where all parts are read.
    fn settle(&mut self) {
        let is_done = !self.parts.is_empty() && self.reports().all(|part| part.is_done);
        if self.phase != Phase::Loading || !is_done {
            return;
        }
        let failure = self.reports().find_map(|part| part.failure.clone());
        let records: u64 = self.reports().map(|part| part.records).sum();
        let first = self.parts.iter().find(|(_, part)| !part.problems.is_empty());
        let first = first.map(|(file, part)| (&self.files[*file].name, &part.problems[0]));
        self.error = match (failure, first) {
            (Some(failure), _) => Some(failure),
            (None, Some((name, problem))) if records == 0 => Some(format!(
                "“{name}” is no capture: not one of its lines can be read (line {}: {}).",
                problem.line, problem.reason
            )),
            (None, None) if records == 0 && !self.is_cancelled => {
                Some(format!("“{}” holds no records.", self.names()))
            }
            _ => None,
        };
        self.phase = if self.error.is_some() { Phase::Error } else { Phase::Ready };
    }

    /// The names of the files, in words.
    pub(super) fn names(&self) -> String {
        match &self.files[..] {
            [] => String::new(),
            [file] => file.name.clone(),
            [first, second] => format!("{} and {}", first.name, second.name),
            [first, ..] => format!("{} and {} more files", first.name, self.files.len() - 1),
        }
    }
}
