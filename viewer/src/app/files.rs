//! The files that are open, and how far their parts are.

use super::memory_plan::{FileInfo, PartAssignment, worker_of};
use crate::columns::Totals;
use crate::load::{Report, Sampling};
use crate::shard::Preceding;

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
    /// The first part of what was added since all was read: progress is about those.
    first_loading: usize,
}

impl Files {
    /// Files begin to be opened of which only the names are known.
    pub(super) fn announce(&mut self, files: Vec<FileInfo>) {
        *self = Self { phase: Phase::Loading, files, ..Self::default() };
    }

    /// Takes files that are to be read now, and says by which of the workers.
    pub(super) fn add(
        &mut self,
        files: Vec<FileInfo>,
        sampling: Sampling,
        workers: usize,
    ) -> Vec<PartAssignment> {
        if self.phase != Phase::Loading {
            (self.first_loading, self.elapsed_ms) = (self.parts.len(), 0.0);
        }
        if self.parts.is_empty() {
            self.files.clear(); // what was announced
        }
        (self.phase, self.error, self.is_cancelled) = (Phase::Loading, None, false);
        let mut pieces = Vec::new();
        for (place, mut file) in files.into_iter().enumerate() {
            file.name = self.name_of_its_own(file.name);
            for part in 0..file.parts {
                pieces.push(PartAssignment {
                    file: place,
                    name: file.name.clone(),
                    part: self.parts.len(),
                    worker: worker_of(self.parts.len(), workers),
                    range: file.range(part),
                    is_whole: file.parts == 1,
                    sampling,
                });
                self.parts.push((self.files.len(), Report::default()));
            }
            let packets = file.packets.div_ceil(sampling.every);
            self.files.push(FileInfo { packets, sampling, ..file });
        }
        pieces
    }

    /// The name, or with a number behind it where another file has it already.
    fn name_of_its_own(&self, name: String) -> String {
        let is_free = |name: &String| self.files.iter().all(|file| file.name != *name);
        let others = (2u64..).map(|number| format!("{name} ({number})"));
        std::iter::once(name.clone()).chain(others).find(is_free).unwrap_or(name)
    }

    /// How many packets each worker holds, or will when all is read.
    pub(super) fn held(&self, workers: usize) -> Vec<u64> {
        let mut held = vec![0; workers.max(1)];
        for (part, (file, report)) in self.parts.iter().enumerate() {
            let file = &self.files[*file];
            let expected = if report.is_done { 0 } else { file.packets / file.parts as u64 };
            held[worker_of(part, workers)] += report.totals.packets.max(expected);
        }
        held
    }

    /// Nothing can be shown any more, for that reason.
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
        let preceding = self.preceding();
        let counted = self
            .reports()
            .zip(&preceding)
            .map(|(part, before)| part.totals.renumbered(i64::try_from(before.lines).unwrap_or(0)));
        let mut totals = counted.fold(Totals::default(), Totals::merge);
        // The gaps between the parts of a file.
        for (part, before) in preceding.into_iter().enumerate() {
            let first = self.parts[part].1.totals.extent.map(|extent| extent.ends_ns.0);
            if let (Some(first), Some((last, _))) = (first, before.ts_ns) {
                let gap = first.saturating_sub(last);
                totals.extent = totals.extent.map(|extent| extent.with_gap(gap));
            }
        }
        totals
    }

    /// What the parts before each part, in its file, leave behind.
    pub(super) fn preceding(&self) -> Vec<Preceding> {
        let mut preceding = Vec::with_capacity(self.parts.len());
        let (mut before, mut lines) = ((usize::MAX, Preceding::default()), 0);
        for (file, report) in &self.parts {
            if before.0 != *file {
                (before, lines) = ((*file, Preceding::default()), 0);
            }
            preceding
                .push(Preceding { lines: if report.is_counted { lines } else { 0 }, ..before.1 });
            lines += report.lines;
            if let Some(extent) = report.totals.extent {
                let latest = before.1.ts_ns.map_or(extent.ts_ns.1, |b| b.1.max(extent.ts_ns.1));
                before.1.ts_ns = Some((extent.ends_ns.1, latest));
            }
        }
        preceding
    }

    fn read_bytes(&self) -> u64 {
        self.reports().map(|part| part.read_bytes).sum()
    }

    /// Bytes read of those that are being loaded, and how many those are.
    pub(super) fn progress(&self) -> (u64, u64) {
        let loading = self.parts.get(self.first_loading..).unwrap_or_default();
        let first = loading.first().map_or(0, |(file, _)| *file);
        let len = self.files.get(first..).unwrap_or_default().iter().map(|file| file.len).sum();
        (loading.iter().map(|(_, part)| part.read_bytes).sum(), len)
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
        let failed = self.parts.iter().find_map(|(file, part)| {
            Some(format!("“{}”: {}", self.files[*file].name, part.failure.as_ref()?))
        });
        let records: u64 = self.reports().map(|part| part.records).sum();
        let first = self.parts.iter().find(|(_, part)| !part.problems.is_empty());
        let first = first.map(|(file, part)| (&self.files[*file].name, part, &part.problems[0]));
        let nothing = match (&failed, first) {
            _ if 0 < records => None,
            (Some(failed), _) => Some(failed.clone()),
            (None, Some((name, part, problem))) => Some(format!(
                "“{name}” is no capture: not one of its {0}s can be read ({0} {1}: {2}).",
                part.unit(),
                problem.line,
                problem.reason
            )),
            (None, None) if self.is_cancelled => None,
            (None, None) => Some(format!("“{}” holds no records.", self.names())),
        };
        // What was read before is shown beside what is wrong.
        self.phase = if nothing.is_some() { Phase::Error } else { Phase::Ready };
        self.error = nothing.or(failed).or(self.error.take());
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::Problem;

    fn files(parts: &[usize]) -> Files {
        let mut files = Files::default();
        files.announce(vec![FileInfo::unprobed("announced".to_owned(), 9)]);
        add(&mut files, parts);
        files
    }

    fn add(files: &mut Files, parts: &[usize]) -> Vec<PartAssignment> {
        let file = |parts: &usize| FileInfo {
            parts: *parts,
            packets: 100,
            ..FileInfo::unprobed(format!("of {parts}"), 1_000)
        };
        files.add(parts.iter().map(file).collect(), Sampling { every: 2, ..Sampling::default() }, 2)
    }

    fn done(packets: u64) -> Report {
        let totals = Totals { packets, ..Totals::default() };
        Report { totals, records: packets, read_bytes: 500, is_done: true, ..Report::default() }
    }

    #[test]
    fn parts_go_to_the_workers_in_turn_and_files_are_counted_once() {
        let mut files = files(&[1]);
        let pieces = add(&mut files, &[2, 1]);
        let seen: Vec<_> = pieces.iter().map(|p| (p.file, p.part, p.worker, p.is_whole)).collect();
        assert_eq!(seen, [(0, 1, 1, false), (0, 2, 0, false), (1, 3, 1, true)]);
        assert_eq!(files.names(), "of 1 and 2 more files");
        assert_eq!(pieces[2].name, "of 1 (2)");
        let again = add(&mut files, &[2, 2]);
        assert_eq!([0, 2].map(|piece: usize| &again[piece].name[..]), ["of 2 (2)", "of 2 (3)"]);
        let mut files = self::files(&[1]);
        add(&mut files, &[2, 1]);
        // Every second packet of a hundred: 50 of each file are expected.
        assert_eq!(files.held(2), [50 + 25, 25 + 50]);
        files.report(1, done(10));
        assert_eq!(files.held(2), [75, 60]);
    }

    #[test]
    fn progress_is_of_what_is_being_read() {
        let mut files = files(&[1]);
        files.report(0, Report { read_bytes: 300, ..Report::default() });
        assert_eq!(files.progress(), (300, 1_000));
        add(&mut files, &[1]);
        assert_eq!(files.progress(), (300, 2_000));
        files.report(0, done(1));
        files.report(1, done(1));
        assert_eq!((files.phase, files.progress()), (Phase::Ready, (1_000, 2_000)));
        // The next file begins anew.
        add(&mut files, &[1]);
        assert_eq!((files.phase, files.progress()), (Phase::Loading, (0, 1_000)));
    }

    #[test]
    fn what_cannot_be_read_hides_nothing_that_can() {
        let failed = Report { failure: Some("gone".to_owned()), ..done(0) };
        let mut files = files(&[1, 1]);
        files.report(0, done(5));
        files.report(1, failed.clone());
        assert_eq!((files.phase, files.error.as_deref()), (Phase::Ready, Some("“of 1 (2)”: gone")));
        // What was refused meanwhile stays said.
        let mut files = self::files(&[1]);
        files.error = Some("“x” is empty.".to_owned());
        files.report(0, done(5));
        assert_eq!((files.phase, files.error.as_deref()), (Phase::Ready, Some("“x” is empty.")));
        // Nothing at all is an error.
        let mut files = self::files(&[1]);
        files.report(0, failed);
        assert_eq!(files.phase, Phase::Error);
        let mut files = self::files(&[1]);
        let problem = Problem { line: 1, reason: "no".to_owned() };
        files.report(0, Report { problems: vec![problem], ..done(0) });
        assert!(files.error.as_ref().is_some_and(|error| error.contains("(line 1: no)")));
        let mut files = self::files(&[1]);
        files.is_cancelled = true;
        files.report(0, done(0));
        assert_eq!((files.phase, files.error), (Phase::Ready, None));
    }

    #[test]
    fn a_file_without_records_is_given_up() {
        let mut files = files(&[1]);
        let lines = |lines, records| Report { lines, records, ..Report::default() };
        files.report(0, lines(HOPELESS_LINES - 1, 0));
        assert!(!files.is_hopeless());
        files.report(0, lines(HOPELESS_LINES, 1));
        assert!(!files.is_hopeless());
        files.report(0, lines(HOPELESS_LINES, 0));
        assert!(files.is_hopeless());
    }
}
