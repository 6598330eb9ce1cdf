//! Files that are offered to be read: whether memory is enough for them, and who reads which part.

use crate::load::{FileProbe, Sampling};
use crate::time::Zone;
use std::ops::Range;

/// A file below this is read by one worker, in bytes.
const MIN_SPLIT_LEN: u64 = 2 << 20;
/// Memory of a packet at most, where flows and addresses are few, in bytes.
const PACKET_BYTES: u64 = 32;

/// A file to be opened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FileInfo {
    /// Its name.
    pub name: String,
    /// Its bytes.
    pub len: u64,
    /// In how many parts it is read; 0 of one that nobody has looked at.
    pub parts: usize,
    /// About how many packets it has, of those that are kept.
    pub packets: u64,
    /// Time of its first packet, in nanoseconds since the epoch, where that is known.
    pub first_ns: Option<i64>,
    /// Which of its packets are kept.
    pub sampling: Sampling,
}

impl FileInfo {
    /// A file of which nothing else is known yet.
    pub fn unprobed(name: String, len: u64) -> Self {
        Self { name, len, ..Self::default() }
    }

    /// A file with its first bytes, for so many workers: lines are read in parts, all else as a whole.
    pub fn probed(name: String, len: u64, start: &[u8], workers: usize) -> Self {
        let FileProbe { is_lines, packets, first_ns } = FileProbe::new(start, len);
        let parts = if is_lines && MIN_SPLIT_LEN <= len { workers } else { 1 };
        Self { name, len, parts, packets, first_ns, sampling: Sampling::default() }
    }

    /// The bytes of one of its parts.
    pub(super) fn range(&self, part: usize) -> Range<u64> {
        let border = |part: usize| match part == self.parts {
            true => self.len,
            false => self.len / self.parts as u64 * part as u64,
        };
        border(part)..border(part + 1)
    }
}

/// The worker, of so many, that reads a part by its number among all that are open.
pub(super) fn worker_of(part: usize, workers: usize) -> usize {
    part % workers.max(1)
}

/// Memory that packets may take, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Memory {
    /// Of all workers together.
    pub bytes: u64,
    /// Of each of them.
    pub worker_bytes: u64,
}

/// A part of a file that is to be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartAssignment {
    /// The file, by its place among those that were offered.
    pub file: usize,
    /// Its name.
    pub name: String,
    /// Number of the part among all that are open.
    pub part: usize,
    /// The worker that reads it.
    pub worker: usize,
    /// Its bytes.
    pub range: Range<u64>,
    /// The range is all of the file, whose content is to be told by its bytes.
    pub is_whole: bool,
    /// Which packets are kept.
    pub sampling: Sampling,
}

/// Files that do not fit memory, until the person has chosen which of their packets are kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct MemoryPlan {
    pub(super) files: Vec<FileInfo>,
    /// About how many packets they have, and the bytes that those need.
    pub(super) packets: u64,
    pub(super) needed_bytes: u64,
    /// Bytes that are left for them.
    pub(super) free_bytes: u64,
    /// So many packets become one, and they fit.
    pub(super) every: u64,
}

impl MemoryPlan {
    /// The files, where they do not fit beside the packets that each worker has or will have; `first`
    /// is the number of the first part.
    pub(super) fn too_large(
        files: &[FileInfo],
        held: &[u64],
        first: usize,
        memory: Memory,
    ) -> Option<Self> {
        let mut needed = vec![0; held.len()];
        let parts = files.iter().flat_map(|file| {
            let of_part = file.packets.div_ceil(file.parts.max(1) as u64);
            std::iter::repeat_n(of_part, file.parts)
        });
        for (part, packets) in parts.enumerate() {
            needed[worker_of(first + part, held.len())] += packets * PACKET_BYTES;
        }
        let free = |limit: u64, held: u64| limit.saturating_sub(held * PACKET_BYTES);
        let all = (needed.iter().sum(), free(memory.bytes, held.iter().sum()));
        let each = needed.iter().zip(held).map(|(n, held)| (*n, free(memory.worker_bytes, *held)));
        let every = |(needed, free): (u64, u64)| needed.div_ceil(free.max(1)).max(1);
        let (needed_bytes, free_bytes) =
            std::iter::once(all).chain(each).max_by_key(|n| every(*n))?;
        (free_bytes < needed_bytes).then(|| Self {
            files: files.to_vec(),
            packets: files.iter().map(|file| file.packets).sum(),
            needed_bytes,
            free_bytes,
            every: every((needed_bytes, free_bytes)),
        })
    }

    /// The least time of the files' first packets.
    pub(super) fn first_ns(&self) -> Option<i64> {
        self.files.iter().filter_map(|file| file.first_ns).min()
    }

    /// Every so many packets, in a person's words.
    pub(super) fn parse_every(words: &str) -> Result<Sampling, String> {
        match words.trim().parse() {
            Ok(every @ 1..) => Ok(Sampling { every, ..Sampling::default() }),
            _ => Err(format!("“{words}” is no number of packets: 4 keeps every fourth.")),
        }
    }

    /// Those of a time, in a person's words; nothing is from the first or to the last.
    pub(super) fn time_range(&self, from: &str, to: &str, zone: &Zone) -> Result<Sampling, String> {
        let time = |words: &str, all: i64| match words.trim() {
            "" => Ok(all),
            word => zone.parse(word, self.first_ns().unwrap_or(0)).ok_or_else(|| {
                format!(
                    "“{word}” is no time: 2026-11-24T10:15:00 is one, and 10:15 of the first day."
                )
            }),
        };
        let ts_ns = (time(from, i64::MIN)?, time(to, i64::MAX)?);
        if ts_ns.1 < ts_ns.0 {
            return Err("That time ends before it begins.".to_owned());
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
    fn parts_cover_the_file_without_a_gap() {
        for parts in 1..7 {
            let file = file(0, parts);
            let ranges: Vec<_> = (0..parts).map(|part| file.range(part)).collect();
            assert_eq!((ranges[0].start, ranges[parts - 1].end), (0, 1_003));
            assert!(ranges.windows(2).all(|two| two[0].end == two[1].start), "{ranges:?}");
        }
    }

    #[test]
    fn what_does_not_fit_all_workers_or_one_of_them_is_too_large() {
        let memory = Memory { bytes: 3_200, worker_bytes: 2_400 };
        let too_large = |files: &[FileInfo], held: &[u64], first| {
            let plan = MemoryPlan::too_large(files, held, first, memory)?;
            Some((plan.needed_bytes, plan.free_bytes, plan.every))
        };
        assert_eq!(too_large(&[file(100, 2)], &[0, 0], 0), None);
        assert_eq!(too_large(&[file(101, 2)], &[0, 0], 0), Some((3_264, 3_200, 2)));
        // One worker reads all of it.
        assert_eq!(too_large(&[file(75, 1)], &[0, 0], 0), None);
        assert_eq!(too_large(&[file(76, 1)], &[0, 0], 0), Some((2_432, 2_400, 2)));
        // Beside what is there.
        assert_eq!(too_large(&[file(40, 1)], &[0, 50], 0), None);
        assert_eq!(too_large(&[file(40, 1)], &[0, 50], 1), Some((1_280, 800, 2)));
        assert_eq!(
            too_large(&[file(50, 1), file(50, 1), file(50, 1)], &[0, 0], 0),
            Some((3_200, 2_400, 2))
        );
        assert_eq!(too_large(&[file(9, 1)], &[0, 100], 0), Some((288, 0, 288)));
    }

    #[test]
    fn a_person_chooses_in_words() {
        let kept = |sampling: Result<Sampling, String>| {
            sampling.map(|sampling| (sampling.every, sampling.ts_ns))
        };
        let all = (i64::MIN, i64::MAX);
        assert_eq!(kept(MemoryPlan::parse_every(" 4 ")), Ok((4, all)));
        for words in ["", "0", "x", "-1"] {
            assert!(
                MemoryPlan::parse_every(words).is_err_and(|error| error.contains("no number")),
                "{words}"
            );
        }
        const NOON: i64 = 1_795_521_600_000_000_000; // 2026-11-24T12:00:00Z
        let files = vec![FileInfo { first_ns: Some(NOON), ..file(1, 1) }];
        let plan = MemoryPlan { files, ..MemoryPlan::default() };
        let times = |from, to| kept(plan.time_range(from, to, &Zone::Utc));
        let second = 1_000_000_000;
        assert_eq!(times("", " "), Ok((1, all)));
        assert_eq!(times("12:00:01", ""), Ok((1, (NOON + second, i64::MAX))));
        let (from, to) = ("2026-11-24T13:00:00+01:00", "12:01");
        assert_eq!(times(from, to), Ok((1, (NOON, NOON + 60 * second))));
        assert!(times("noon", "").is_err_and(|error| error.starts_with("“noon” is no time")));
        assert!(times("12:01", "12:00").is_err());
    }
}
