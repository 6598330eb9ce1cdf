//! Splits files into parts for the workers, and checks whether they fit in memory.

use crate::load::{FileProbe, Limits, Sampling};
use crate::time::Zone;
use std::ops::Range;

/// Shorter files are read by one worker, in bytes.
const MIN_SPLIT_LEN: u64 = 2 << 20;
/// Memory of one packet in captures with few flows and addresses, in bytes.
const PACKET_BYTES: u64 = 32;
/// Maximum number of flows in all workers together. The page stores all of them, and their totals twice
/// while it replaces them.
pub(super) const MAX_FLOWS: u64 = 4_000_000;

/// A file to be opened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FileInfo {
    /// File name.
    pub name: String,
    /// File size in bytes.
    pub len: u64,
    /// The number of parts in which it is read; 0 if it has not been probed.
    pub parts: usize,
    /// The estimated number of packets, after sampling.
    pub packets: u64,
    /// The time of its first packet in nanoseconds since the epoch, if known.
    pub first_ns: Option<i64>,
    /// Which of its packets are loaded.
    pub sampling: Sampling,
    /// A hash of its first bytes; 0 if it has not been probed.
    pub start_hash: u64,
}

impl FileInfo {
    /// A file whose content has not been probed.
    pub fn unprobed(name: String, len: u64) -> Self {
        Self { name, len, ..Self::default() }
    }

    /// A file that was probed. Uncompressed text is split into one part for each worker; other files
    /// are a single part.
    pub fn probed(name: String, len: u64, probe: FileProbe, workers: usize) -> Self {
        let FileProbe { is_lines, packets, first_ns, start_hash } = probe;
        let parts = if is_lines && MIN_SPLIT_LEN <= len { workers } else { 1 };
        Self { name, len, parts, packets, first_ns, sampling: Sampling::default(), start_hash }
    }

    /// Returns true if another file has the same length and first bytes, by which captures differ: these
    /// contain times.
    pub fn has_same_content(&self, other: &Self) -> bool {
        self.start_hash != 0 && (self.start_hash, self.len) == (other.start_hash, other.len)
    }

    /// The byte range of a part.
    pub(super) fn range(&self, part: usize) -> Range<u64> {
        let boundary = |part: usize| match part == self.parts {
            true => self.len,
            false => self.len / self.parts as u64 * part as u64,
        };
        boundary(part)..boundary(part + 1)
    }
}

/// The index of the worker that reads a part, given by its index among all open parts.
pub(super) fn worker_of(part: usize, workers: usize) -> usize {
    part % workers.max(1)
}

/// The memory that packets may occupy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Memory {
    /// Limit for all workers together, in bytes.
    pub bytes: u64,
    /// Limit for each worker, in bytes.
    pub worker_bytes: u64,
}

impl Memory {
    /// The limits of a worker if packets are spread over this many workers.
    pub(super) fn of_worker(self, workers: usize) -> Limits {
        let workers = workers.max(1) as u64;
        Limits { bytes: self.worker_bytes.min(self.bytes / workers), flows: MAX_FLOWS / workers }
    }
}

/// A file that was too large for a worker, although its size did not show it.
#[derive(Clone, Debug, Default)]
pub(super) struct Overflow {
    file: FileInfo,
    /// The share of the worker's memory that each of its packets took, in bytes.
    packet_bytes: u64,
}

impl Overflow {
    /// `packets` of the file reached the limits of a worker.
    pub(super) fn new(file: FileInfo, packets: u64, limits: Limits) -> Self {
        let packet_bytes = limits.bytes.div_ceil(packets.max(1)).max(PACKET_BYTES);
        Self { file, packet_bytes }
    }

    /// The memory per packet of files that are to be loaded together, in bytes.
    pub(super) fn packet_bytes(&self, files: &[FileInfo]) -> u64 {
        let is_this = |file: &FileInfo| (&file.name, file.len) == (&self.file.name, self.file.len);
        if files.iter().any(is_this) { self.packet_bytes.max(PACKET_BYTES) } else { PACKET_BYTES }
    }
}

/// A part of a file, assigned to the worker that reads it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartAssignment {
    /// Index of the file in [`Event::Load`](super::Event::Load).
    pub file: usize,
    /// Name of the file, made unique among the open files.
    pub name: String,
    /// Index of the part among all open parts.
    pub part: usize,
    /// Index of the worker.
    pub worker: usize,
    /// Byte range of the part.
    pub range: Range<u64>,
    /// The range covers the whole file, whose type must be detected from its content.
    pub is_whole: bool,
    /// Which packets are loaded.
    pub sampling: Sampling,
}

/// Files that exceed the memory limit. They wait for the user to choose how to sample them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct MemoryPlan {
    pub(super) files: Vec<FileInfo>,
    /// The limits.
    pub(super) memory: Memory,
    /// The estimated number of packets in all files.
    pub(super) packets: u64,
    /// The memory that they need at the limit that is exceeded most.
    pub(super) needed_bytes: u64,
    /// The memory that is available there.
    pub(super) free_bytes: u64,
    /// The suggested sampling: one packet in this many fits in memory.
    pub(super) every: u64,
}

impl MemoryPlan {
    /// Returns a plan if the files exceed the memory limit. `held` is the number of packets that each
    /// worker has loaded or will load; `first` is the index of the first new part. A packet takes
    /// `packet_bytes` of memory.
    pub(super) fn too_large(
        files: &[FileInfo],
        held: &[u64],
        first: usize,
        memory: Memory,
        packet_bytes: u64,
    ) -> Option<Self> {
        let mut needed = vec![0; held.len()];
        let parts = files.iter().flat_map(|file| {
            let of_part = file.packets.div_ceil(file.parts.max(1) as u64);
            std::iter::repeat_n(of_part, file.parts)
        });
        for (part, packets) in parts.enumerate() {
            needed[worker_of(first + part, held.len())] += packets * packet_bytes;
        }
        let free = |limit: u64, held: u64| limit.saturating_sub(held * packet_bytes);
        let all = (needed.iter().sum(), free(memory.bytes, held.iter().sum()));
        let each = needed.iter().zip(held).map(|(n, held)| (*n, free(memory.worker_bytes, *held)));
        let every = |(needed, free): (u64, u64)| needed.div_ceil(free.max(1)).max(1);
        let (needed_bytes, free_bytes) =
            std::iter::once(all).chain(each).max_by_key(|n| every(*n))?;
        (free_bytes < needed_bytes).then(|| Self {
            files: files.to_vec(),
            memory,
            packets: files.iter().map(|file| file.packets).sum(),
            needed_bytes,
            free_bytes,
            every: every((needed_bytes, free_bytes)),
        })
    }

    /// The earliest time among the first packets of the files.
    pub(super) fn first_ns(&self) -> Option<i64> {
        self.files.iter().filter_map(|file| file.first_ns).min()
    }

    /// Parses the N of "one packet in N".
    pub(super) fn parse_every(text: &str) -> Result<Sampling, String> {
        match text.trim().parse() {
            Ok(every @ 1..) => Ok(Sampling { every, ..Sampling::default() }),
            _ => Err(format!("“{text}” is not a whole number greater than 0.")),
        }
    }

    /// Parses a time range. An empty start or end leaves the range open.
    pub(super) fn parse_time_range(
        &self,
        from: &str,
        to: &str,
        zone: &Zone,
    ) -> Result<Sampling, String> {
        let time = |text: &str, open_end: i64| {
            match text.trim() {
            "" => Ok(open_end),
            text => zone.parse(text, self.first_ns().unwrap_or(0)).ok_or_else(|| {
                format!(
                    "“{text}” is not a time. Examples: 2026-11-24T10:15:00, or 10:15 for the day of the first packet."
                )
            }),
        }
        };
        let ts_ns = (time(from, i64::MIN)?, time(to, i64::MAX)?);
        if ts_ns.1 < ts_ns.0 {
            return Err("The end of the time range is before its start.".to_owned());
        }
        Ok(Sampling { ts_ns, ..Sampling::default() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(packets: u64, parts: usize) -> FileInfo {
        FileInfo { packets, parts, ..FileInfo::unprobed("a".to_owned(), 1_003) }
    }

    #[test]
    fn parts_cover_the_file_without_gaps() {
        for parts in 1..7 {
            let file = file(0, parts);
            let ranges: Vec<_> = (0..parts).map(|part| file.range(part)).collect();
            assert_eq!((ranges[0].start, ranges[parts - 1].end), (0, 1_003));
            assert!(ranges.windows(2).all(|two| two[0].end == two[1].start), "{ranges:?}");
        }
    }

    #[test]
    fn files_must_fit_total_and_per_worker_memory() {
        let memory = Memory { bytes: 3_200, worker_bytes: 2_400 };
        let too_large = |files: &[FileInfo], held: &[u64], first| {
            let plan = MemoryPlan::too_large(files, held, first, memory, PACKET_BYTES)?;
            Some((plan.needed_bytes, plan.free_bytes, plan.every))
        };
        assert_eq!(too_large(&[file(100, 2)], &[0, 0], 0), None);
        assert_eq!(too_large(&[file(101, 2)], &[0, 0], 0), Some((3_264, 3_200, 2)));
        // A single worker reads the whole file.
        assert_eq!(too_large(&[file(75, 1)], &[0, 0], 0), None);
        assert_eq!(too_large(&[file(76, 1)], &[0, 0], 0), Some((2_432, 2_400, 2)));
        // Packets that are already loaded count too.
        assert_eq!(too_large(&[file(40, 1)], &[0, 50], 0), None);
        assert_eq!(too_large(&[file(40, 1)], &[0, 50], 1), Some((1_280, 800, 2)));
        assert_eq!(
            too_large(&[file(50, 1), file(50, 1), file(50, 1)], &[0, 0], 0),
            Some((3_200, 2_400, 2))
        );
        assert_eq!(too_large(&[file(9, 1)], &[0, 100], 0), Some((288, 0, 288)));
    }

    #[test]
    fn file_that_reached_the_limits_is_estimated_by_its_packets() {
        let (dense, other) = (file(1_000, 2), FileInfo { len: 1, ..file(1_000, 2) });
        let memory = Memory { bytes: 3_200, worker_bytes: 2_400 };
        let limits = [1, 2, 4].map(|workers| memory.of_worker(workers));
        assert_eq!(limits.map(|limits| limits.bytes), [2_400, 1_600, 800]);
        let overflow = Overflow::new(dense.clone(), 7, limits[1]);
        let of = |files: &[FileInfo]| overflow.packet_bytes(files);
        assert_eq!(of(std::slice::from_ref(&other)), PACKET_BYTES);
        assert_eq!(of(&[other, dense.clone()]), 229);
        assert_eq!(Overflow::default().packet_bytes(std::slice::from_ref(&dense)), PACKET_BYTES);
        // The sample that is suggested then fits.
        let plan = MemoryPlan::too_large(&[dense], &[0, 0], 0, memory, 229).unwrap();
        assert!(1_000 / plan.every <= 2 * 7, "{plan:?}");
    }

    #[test]
    fn parses_sampling_input() {
        let parsed = |sampling: Result<Sampling, String>| {
            sampling.map(|sampling| (sampling.every, sampling.ts_ns))
        };
        let all = (i64::MIN, i64::MAX);
        assert_eq!(parsed(MemoryPlan::parse_every(" 4 ")), Ok((4, all)));
        for text in ["", "0", "x", "-1"] {
            assert!(
                MemoryPlan::parse_every(text)
                    .is_err_and(|error| error.contains("not a whole number")),
                "{text}"
            );
        }
        const NOON: i64 = 1_795_521_600_000_000_000; // 2026-11-24T12:00:00Z
        let files = vec![FileInfo { first_ns: Some(NOON), ..file(1, 1) }];
        let plan = MemoryPlan { files, ..MemoryPlan::default() };
        let times = |from, to| parsed(plan.parse_time_range(from, to, &Zone::Utc));
        let second = 1_000_000_000;
        assert_eq!(times("", " "), Ok((1, all)));
        assert_eq!(times("12:00:01", ""), Ok((1, (NOON + second, i64::MAX))));
        let (from, to) = ("2026-11-24T13:00:00+01:00", "12:01");
        assert_eq!(times(from, to), Ok((1, (NOON, NOON + 60 * second))));
        assert!(times("noon", "").is_err_and(|error| error.starts_with("“noon” is not a time")));
        assert!(times("12:01", "12:00").is_err());
    }
}
