//! The open files, their parts, and the progress of loading.

#[cfg(test)]
mod tests;

use super::memory_plan::{FileInfo, PartAssignment, worker_of};
use crate::columns::Totals;
use crate::load::{Failure, Report, Sampling};
use crate::protocol::{CLASS_COUNT, CLASSES, Class};
use crate::shard::Preceding;
use summary::grouped;

/// After this many lines without a record, a file is not a capture.
const MAX_LINES_WITHOUT_RECORD: u64 = 1_000;
/// The same limit in bytes, for files without line feeds.
const MAX_BYTES_WITHOUT_RECORD: u64 = 16 << 20;

/// The state of loading.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Phase {
    /// No file is open.
    #[default]
    Empty,
    /// Files are being read.
    Loading,
    /// Everything has been read.
    Ready,
    /// No file could be read.
    Error,
}

impl Phase {
    /// The name in the page's `data-phase` attribute and in the scripting API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::Loading => "loading",
            Self::Ready => "ready",
            Self::Error => "error",
        }
    }
}

/// The open files and their parts.
#[derive(Debug, Default)]
pub(super) struct Files {
    pub(super) phase: Phase,
    pub(super) files: Vec<FileInfo>,
    /// For each part from [`Self::first_part`] on, the index of its file and its progress.
    pub(super) parts: Vec<(usize, Report)>,
    /// The number of parts of the first file that were dropped from its start.
    pub(super) first_part: usize,
    /// The totals of these parts.
    pub(super) dropped: Dropped,
    pub(super) error: Option<String>,
    pub(super) is_cancelled: bool,
    /// The user has closed all files. A link is then no longer needed.
    pub(super) is_closed: bool,
    /// Milliseconds since reading began.
    pub(super) elapsed_ms: f64,
    /// The first part added since loading was last complete. Progress is counted from here.
    first_loading: usize,
}

/// Parts that were dropped from the start of the first file.
#[derive(Debug, Default)]
pub(super) struct Dropped {
    pub(super) packets: u64,
    pub(super) lines: u64,
    read_bytes: u64,
    skipped: u64,
    /// What the first part has to know about them.
    preceding: Preceding,
}

impl Files {
    /// No files, after the user has closed some.
    pub(super) fn closed() -> Self {
        Self { is_closed: true, ..Self::default() }
    }

    /// Replaces all files by files that have only names so far.
    pub(super) fn announce(&mut self, files: Vec<FileInfo>) {
        *self = Self { phase: Phase::Loading, files, ..Self::default() };
    }

    /// Adds probed files and assigns their parts to workers.
    pub(super) fn add(
        &mut self,
        files: Vec<FileInfo>,
        sampling: Sampling,
        workers: usize,
    ) -> Vec<PartAssignment> {
        if self.phase != Phase::Loading {
            (self.first_loading, self.elapsed_ms) = (self.next_part(), 0.0);
        }
        if self.parts.is_empty() {
            self.files.clear(); // announced files
        }
        (self.phase, self.error, self.is_cancelled) = (Phase::Loading, None, false);
        let mut assignments = Vec::new();
        for (index, mut file) in files.into_iter().enumerate() {
            file.name = self.unique_name(file.name);
            for part in 0..file.parts {
                assignments.push(PartAssignment {
                    file: index,
                    name: file.name.clone(),
                    part: self.next_part(),
                    worker: worker_of(self.next_part(), workers),
                    range: file.range(part),
                    is_whole: file.parts == 1,
                    sampling,
                });
                self.parts.push((self.files.len(), Report::default()));
            }
            let packets = file.packets.div_ceil(sampling.every);
            self.files.push(FileInfo { packets, sampling, ..file });
        }
        assignments
    }

    /// Adds a part to the first file, to which lines will be appended. Returns its index.
    pub(super) fn add_growing_part(&mut self) -> usize {
        self.files[0].parts += 1;
        self.parts.push((0, Report { is_done: true, is_complete: true, ..Report::default() }));
        self.next_part() - 1
    }

    /// Drops the first part, which belongs to the first file.
    pub(super) fn drop_first_part(&mut self) {
        let preceding = self.preceding();
        let (_, report) = self.parts.remove(0);
        self.files[0].parts -= 1;
        self.first_part += 1;
        let dropped = &mut self.dropped;
        dropped.packets += report.totals.packets;
        dropped.read_bytes += report.read_bytes;
        dropped.lines += report.lines;
        dropped.skipped += report.skipped;
        if let Some(next) = preceding.get(1) {
            dropped.preceding = Preceding { lines: 0, ..*next };
        }
    }

    /// The index that the next part will have among all parts, with those that were dropped.
    pub(super) fn next_part(&self) -> usize {
        self.first_part + self.parts.len()
    }

    /// The file of a part, given by its index among all parts, and its progress.
    pub(super) fn part(&self, index: usize) -> Option<&(usize, Report)> {
        self.parts.get(index.checked_sub(self.first_part)?)
    }

    /// All parts with their indices among all parts.
    fn numbered_parts(&self) -> impl Iterator<Item = (usize, &(usize, Report))> {
        (self.first_part..).zip(&self.parts)
    }

    /// Appends a number to a name that another file already has.
    fn unique_name(&self, name: String) -> String {
        let is_free = |name: &String| self.files.iter().all(|file| file.name != *name);
        let numbered = (2u64..).map(|number| format!("{name} ({number})"));
        std::iter::once(name.clone()).chain(numbered).find(is_free).unwrap_or(name)
    }

    /// The number of packets that each worker holds, or will hold once everything is read.
    pub(super) fn held(&self, workers: usize) -> Vec<u64> {
        let mut held = vec![0; workers.max(1)];
        for (part, (file, report)) in self.numbered_parts() {
            let file = &self.files[*file];
            let expected = if report.is_done { 0 } else { file.packets / file.parts as u64 };
            held[worker_of(part, workers)] += report.totals.packets.max(expected);
        }
        held
    }

    /// Closes all files with an error.
    pub(super) fn fail(&mut self, error: String) {
        *self = Self { phase: Phase::Error, error: Some(error), ..Self::default() };
    }

    /// Returns true if lines were read, and none of them is a record.
    pub(super) fn has_only_problems(&self) -> bool {
        self.dropped.packets == 0
            && self.reports().all(|part| part.records == 0)
            && self.reports().any(|part| 0 < part.skipped)
    }

    /// Closes all files, because they are no captures.
    pub(super) fn fail_as_no_capture(&mut self) {
        let error = self.empty_error(None).unwrap_or_default();
        self.fail(error);
    }

    /// Stores the progress of a part, and completes loading after the last one.
    pub(super) fn on_report(&mut self, part: usize, report: Report) {
        let index = part.checked_sub(self.first_part);
        if let Some((_, slot)) = index.and_then(|index| self.parts.get_mut(index)) {
            *slot = report;
        }
        self.complete_if_done();
    }

    /// The files that are being read or have been, without those that could not be read.
    pub(super) fn readable(&self) -> impl Iterator<Item = &FileInfo> {
        let has_failed = |index| {
            let mut parts = self.parts.iter().filter(move |(file, _)| *file == index);
            parts.any(|(_, part)| part.failure.is_some())
        };
        let files = self.files.iter().enumerate();
        files.filter(move |(index, _)| !has_failed(*index)).map(|(_, file)| file)
    }

    /// The file to which a part belongs.
    pub(super) fn file_of(&self, part: usize) -> Option<&FileInfo> {
        self.files.get(self.part(part)?.0)
    }

    /// The parts of a file, each with the offset of its first byte.
    pub(super) fn parts_of(&self, file: usize) -> Vec<(usize, u64)> {
        let parts = self.numbered_parts().filter(|(_, (of, _))| *of == file);
        let starts = (0..).map(|part| self.files[file].range(part).start);
        parts.map(|(part, _)| part).zip(starts).collect()
    }

    /// The parts of a file, each with the number of its bytes that were read, and of the packets in them.
    pub(super) fn read_parts(&self, file: usize) -> impl Iterator<Item = (usize, u64, u64)> {
        let parts = self.numbered_parts().filter(move |(_, (of, _))| *of == file);
        parts.map(|(part, (_, report))| (part, report.read_bytes, report.totals.packets))
    }

    pub(super) fn reports(&self) -> impl Iterator<Item = &Report> + Clone {
        self.parts.iter().map(|(_, report)| report)
    }

    /// The totals of all parts. Includes the gaps between the parts of a file.
    pub(super) fn totals(&self) -> Totals {
        let preceding = self.preceding();
        let numbered = self
            .reports()
            .zip(&preceding)
            .map(|(part, before)| part.totals.renumbered(i64::try_from(before.lines).unwrap_or(0)));
        let mut totals = numbered.fold(Totals::default(), Totals::merge);
        for (part, before) in preceding.into_iter().enumerate() {
            let first = self.parts[part].1.totals.extent.map(|extent| extent.ends_ns.0);
            if let (Some(first), Some((last, _))) = (first, before.ts_ns) {
                let gap = first.saturating_sub(last);
                totals.extent = totals.extent.map(|extent| extent.with_gap(gap));
            }
        }
        totals
    }

    /// The times of the first and the last packet of a file in time order, in nanoseconds since the epoch.
    fn time_range(&self, file: usize) -> Option<(i64, i64)> {
        let parts = self.parts.iter().filter(|(of, _)| *of == file);
        let ranges = parts.filter_map(|(_, report)| Some(report.totals.extent?.ts_ns));
        let start_ns = self.dropped.preceding.start_ns.filter(|_| file == 0);
        let ranges = ranges.chain(start_ns.map(|start_ns| (start_ns, start_ns)));
        ranges.reduce(|one, other| (one.0.min(other.0), one.1.max(other.1)))
    }

    /// The longest time between the first and the last packet of a file, in nanoseconds.
    pub(super) fn longest_ns(&self) -> i64 {
        let ranges = (0..self.files.len()).filter_map(|file| self.time_range(file));
        ranges.map(|(first, last)| last.saturating_sub(first)).max().unwrap_or(0)
    }

    /// For each part from [`Self::first_part`] on, the state left by the parts before it in the same file.
    pub(super) fn preceding(&self) -> Vec<Preceding> {
        let mut preceding = Vec::with_capacity(self.parts.len());
        let (mut before, mut lines) = ((usize::MAX, Preceding::default()), 0);
        for (file, report) in &self.parts {
            if before.0 != *file {
                let start_ns = self.time_range(*file).map(|(first, _)| first);
                let (ts_ns, lines_before) = match file {
                    0 => (self.dropped.preceding.ts_ns, self.dropped.lines),
                    _ => (None, 0),
                };
                let first = Preceding { start_ns, ts_ns, ..Preceding::default() };
                (before, lines) = ((*file, first), lines_before);
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

    /// The number of lines or records that could not be read.
    pub(super) fn skipped(&self) -> u64 {
        self.dropped.skipped + self.reports().map(|part| part.skipped).sum::<u64>()
    }

    /// The number of bytes that were read of all parts.
    pub(super) fn read_bytes(&self) -> u64 {
        self.dropped.read_bytes + self.reports().map(|part| part.read_bytes).sum::<u64>()
    }

    /// The memory of all workers, in bytes. Each part reports that of its worker.
    pub(super) fn memory_bytes(&self, workers: usize) -> u64 {
        let mut bytes = vec![0; workers.max(1)];
        for (part, (_, report)) in self.numbered_parts() {
            let of_worker = &mut bytes[worker_of(part, workers)];
            *of_worker = report.memory_bytes.max(*of_worker);
        }
        bytes.into_iter().sum()
    }

    /// Of the files being loaded, the bytes read and the total size.
    pub(super) fn progress(&self) -> (u64, u64) {
        let first = self.first_loading.saturating_sub(self.first_part);
        let loading = self.parts.get(first..).unwrap_or_default();
        let first = loading.first().map_or(0, |(file, _)| *file);
        let len = self.files.get(first..).unwrap_or_default().iter().map(|file| file.len).sum();
        (loading.iter().map(|(_, part)| part.read_bytes).sum(), len)
    }

    /// Returns true if all files with packets are capture files, whose bytes can be exported.
    pub(super) fn are_captures(&self) -> bool {
        let mut parts = self.reports().filter(|part| 0 < part.totals.packets).peekable();
        parts.peek().is_some() && parts.all(|part| part.is_capture)
    }

    /// Returns true once so much was loaded without a record that loading should stop.
    pub(super) fn has_no_records(&self) -> bool {
        let lines: u64 = self.reports().map(|part| part.lines).sum();
        let records: u64 = self.reports().map(|part| part.records).sum();
        let is_enough =
            MAX_LINES_WITHOUT_RECORD <= lines || MAX_BYTES_WITHOUT_RECORD <= self.read_bytes();
        self.phase == Phase::Loading && is_enough && records == 0
    }

    /// Completes loading once all parts are read. Packets that were read stay visible beside an error.
    fn complete_if_done(&mut self) {
        let is_done = !self.parts.is_empty() && self.reports().all(|part| part.is_done);
        if self.phase != Phase::Loading || !is_done {
            return;
        }
        let failure = self.parts.iter().find_map(|(file, part)| {
            Some(failure_text(&self.files[*file].name, part.failure.as_ref()?))
        });
        let records: u64 = self.reports().map(|part| part.records).sum();
        let fatal = if 0 < records { None } else { self.empty_error(failure.as_deref()) };
        self.phase = if fatal.is_some() { Phase::Error } else { Phase::Ready };
        let empty = || self.empty_files().map(|index| self.empty_text(index)).next();
        let only_flows = || self.only_flows_text();
        self.error = fatal.or(failure).or_else(empty).or_else(only_flows).or(self.error.take());
    }

    /// The indices of files that were read completely and have no records.
    fn empty_files(&self) -> impl Iterator<Item = usize> {
        (0..self.files.len()).filter(|index| {
            let mut parts = self.parts.iter().filter(|(file, _)| file == index).peekable();
            parts.peek().is_some()
                && parts.all(|(_, part)| part.is_complete && part.is_done && part.records == 0)
        })
    }

    /// Says that there are only `flow` records, which are not shown; `None` if there are packets.
    fn only_flows_text(&self) -> Option<String> {
        let flows: u64 = self.reports().map(|part| part.flows).sum();
        let has_packets = self.reports().any(|part| 0 < part.totals.packets);
        (0 < flows && !has_packets).then(|| {
            let plural = if flows == 1 { "" } else { "s" };
            format!(
                "“{}” contains {} flow record{plural} and no packets. The viewer shows packets: \
                 write them with the sniffer, without “--only”.",
                self.names(),
                grouped(flows)
            )
        })
    }

    /// Says that a file has no packets, or is not a capture.
    fn empty_text(&self, index: usize) -> String {
        let name = &self.files[index].name;
        let parts = self.parts.iter().filter(|(file, _)| *file == index);
        match parts.map(|(_, part)| part.problems.len()).sum() {
            0 => format!("“{name}” contains no packets."),
            1.. => no_capture(name),
        }
    }

    /// Says why no record was found; `None` if loading was cancelled.
    fn empty_error(&self, failure: Option<&str>) -> Option<String> {
        if let Some(failure) = failure {
            return Some(failure.to_owned());
        }
        if let Some((file, part)) = self.parts.iter().find(|(_, part)| !part.problems.is_empty()) {
            let (name, problem) = (&self.files[*file].name, &part.problems[0]);
            let details = format!("{} {}: {}", part.unit(), problem.line, problem.reason);
            return Some(format!("{} Details: {details}.", no_capture(name)));
        }
        // Reading stopped before the end of a line, because there was no record for too long.
        if let Some((file, _)) =
            self.parts.iter().find(|(_, part)| !self.is_cancelled && !part.is_complete)
        {
            return Some(no_capture(&self.files[*file].name));
        }
        (!self.is_cancelled).then(|| format!("“{}” contains no packets.", self.names()))
    }

    /// The names of the files, abbreviated if there are more than two. Files without packets are left out.
    pub(super) fn names(&self) -> String {
        let is_ready = self.phase == Phase::Ready;
        let empty: Vec<_> = self.empty_files().filter(|_| is_ready).collect();
        let files = self.files.iter().enumerate().filter(|(index, _)| !empty.contains(index));
        let files: Vec<_> = files.map(|(_, file)| file).collect();
        match &files[..] {
            [] => String::new(),
            [file] => file.name.clone(),
            [first, second] => format!("{} and {}", first.name, second.name),
            [first, ..] => format!("{} and {} more files", first.name, files.len() - 1),
        }
    }
}

/// The class whose colour a file has. The last one is shared by all other files.
pub(super) fn file_class(index: usize) -> Class {
    CLASSES[index.min(CLASS_COUNT - 1)]
}

fn no_capture(name: &str) -> String {
    format!("“{name}” is not a capture. Expected pcap, pcapng or NDJSON.")
}

/// Says why a file was not loaded to its end.
fn failure_text(name: &str, failure: &Failure) -> String {
    match failure {
        Failure::MemoryFull => format!(
            "“{name}” needs more memory than is available. The packets before this point are shown. Close it, then open it again to load a sample."
        ),
        Failure::Unreadable(reason) => format!("“{name}” could not be read ({reason})."),
    }
}
