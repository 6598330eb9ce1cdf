//! The lines of a run in bounded memory, for readers on other threads.
//!
//! Each byte has an offset: the first byte of the run has offset 0. The oldest lines are dropped when there
//! are too many, except for the first one, which describes the run. Writing never waits for a reader: readers
//! copy no more than one chunk under the lock, and share the others.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::http::Wakeup;

/// Capacity of a chunk in bytes.
const CHUNK_LEN: usize = 256 << 10;

/// A reader that follows the run reads more often.
const MAX_READ_INTERVAL: Duration = Duration::from_secs(2);

/// Once a reader has got the last lines, the others have them, too, if nobody reads for this time.
const QUIET_TIME: Duration = Duration::from_millis(500);

/// Longest time that [`LineBuffer::wait_for_readers`] waits for readers that are behind, and how often it looks
/// for readers.
const MAX_WAIT: Duration = Duration::from_secs(10);
const WAIT_STEP: Duration = Duration::from_millis(20);

/// The lines of a run. Clones share them.
#[derive(Clone, Debug)]
pub(crate) struct LineBuffer(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    wakeup: Wakeup,
}

/// Bytes in a chunk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Slice {
    pub(crate) chunk: Arc<Vec<u8>>,
    pub(crate) range: Range<usize>,
}

/// The result of reading from an offset on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Available {
    /// Whole lines, if the reader began at the start of one.
    Lines {
        /// The offset of the first byte. It is greater than the requested one, and the start of a line, if
        /// bytes in between were dropped.
        start: u64,
        slices: Vec<Slice>,
        /// The number of all bytes, once the run has ended.
        total: Option<u64>,
    },
    /// Nothing yet. The next line wakes the server.
    Nothing,
    /// The run has ended with this number of bytes, or has not reached the offset.
    End(u64),
}

#[derive(Debug, Default)]
struct State {
    max_len: usize,
    /// The first line.
    first: Arc<Vec<u8>>,
    /// Chunks of whole lines that get no more lines, the oldest first.
    chunks: VecDeque<Arc<Vec<u8>>>,
    /// The chunk that gets the next line.
    last: Vec<u8>,
    /// The offset of the first byte in the chunks.
    start: u64,
    /// The offset of the next byte.
    end: u64,
    /// Memory of a dropped chunk, for the next one.
    spare: Option<Vec<u8>>,
    has_ended: bool,
    /// Whether a reader waits for the next line.
    is_awaited: bool,
    /// When a reader last read, or loaded a part of the page.
    read_at: Option<Instant>,
    /// Whether a reader has got the last lines after the end.
    is_end_read: bool,
}

impl LineBuffer {
    /// Keeps at most `max_len` bytes, one chunk and the first line. `wakeup` wakes readers that wait.
    pub(crate) fn new(max_len: usize, wakeup: Wakeup) -> Self {
        let state = State { max_len, ..State::default() };
        Self(Arc::new(Shared { state: Mutex::new(state), wakeup }))
    }

    /// Wakes readers that wait.
    pub(crate) fn wakeup(&self) -> &Wakeup {
        &self.0.wakeup
    }

    /// Appends whole lines.
    pub(crate) fn append(&self, lines: &[u8]) {
        let mut state = self.state();
        state.append(lines);
        self.wake(state);
    }

    /// Ends the run. No line follows.
    pub(crate) fn end(&self) {
        let mut state = self.state();
        state.has_ended = true;
        self.wake(state);
    }

    /// The lines from an offset on, at most `max_len` bytes but at least one chunk.
    pub(crate) fn read(&self, from: u64, max_len: usize) -> Available {
        let mut state = self.state();
        state.read_at = Some(Instant::now());
        state.read(from, max_len)
    }

    /// All lines in memory.
    pub(crate) fn read_all(&self) -> Vec<Slice> {
        let mut state = self.state();
        state.read_at = Some(Instant::now());
        let slices = |available| match available {
            Available::Lines { slices, .. } => slices,
            Available::Nothing | Available::End(_) => Vec::new(),
        };
        let first = state.dropped_first(0);
        let start = state.start;
        first.into_iter().chain(slices(state.read(start, usize::MAX))).collect()
    }

    /// A page is being loaded, which will read the lines.
    pub(crate) fn expect_reader(&self) {
        self.state().read_at = Some(Instant::now());
    }

    /// After the end, waits until the readers that followed the run have read the last lines, but at most
    /// [`MAX_WAIT`].
    pub(crate) fn wait_for_readers(&self) {
        let ended_at = Instant::now();
        loop {
            let (read_at, is_end_read) = {
                let state = self.state();
                (state.read_at, state.is_end_read)
            };
            if has_no_reader(ended_at, Instant::now(), read_at, is_end_read) {
                return;
            }
            // Another reader may read meanwhile.
            thread::sleep(WAIT_STEP);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wake(&self, mut state: MutexGuard<'_, State>) {
        let is_awaited = std::mem::take(&mut state.is_awaited);
        drop(state);
        if is_awaited {
            self.0.wakeup.wake();
        }
    }
}

/// Whether nobody reads the last lines any longer, `now` that the run has ended.
fn has_no_reader(
    ended_at: Instant,
    now: Instant,
    read_at: Option<Instant>,
    is_end_read: bool,
) -> bool {
    let Some(read_at) = read_at.filter(|at| ended_at < *at + MAX_READ_INTERVAL) else {
        return true;
    };
    let limit = if is_end_read { QUIET_TIME } else { MAX_READ_INTERVAL };
    ended_at + MAX_WAIT <= now || read_at.max(ended_at) + limit <= now
}

impl State {
    fn append(&mut self, lines: &[u8]) {
        if self.first.is_empty() {
            let first = lines.split_inclusive(|byte| *byte == b'\n').next();
            self.first = Arc::new(first.unwrap_or_default().to_vec());
        }
        let mut rest = lines;
        while !rest.is_empty() {
            let capacity = CHUNK_LEN.saturating_sub(self.last.len());
            let len = match rest.get(..capacity) {
                None => rest.len(),
                Some(start) => start.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1),
            };
            let len = match (len, self.last.is_empty()) {
                (0, false) => {
                    self.start_chunk();
                    continue;
                }
                // A line that is longer than a chunk.
                (0, true) => {
                    rest.iter().position(|byte| *byte == b'\n').map_or(rest.len(), |at| at + 1)
                }
                (len, _) => len,
            };
            let (lines, after) = rest.split_at(len);
            self.last.reserve_exact(CHUNK_LEN.saturating_sub(self.last.len()));
            self.last.extend_from_slice(lines);
            self.end += lines.len() as u64;
            rest = after;
        }
        while self.max_len as u64 + (self.last.len() as u64) < self.end - self.start
            && let Some(oldest) = self.chunks.pop_front()
        {
            self.start += oldest.len() as u64;
            self.spare = Arc::into_inner(oldest);
        }
    }

    fn start_chunk(&mut self) {
        let mut next = self.spare.take().unwrap_or_default();
        next.clear();
        self.chunks.push_back(Arc::new(std::mem::replace(&mut self.last, next)));
    }

    /// The first line from an offset on, if it is among those that were dropped.
    fn dropped_first(&self, from: u64) -> Option<Slice> {
        let len = self.first.len();
        let from = usize::try_from(from).ok().filter(|from| *from < len && 0 < self.start)?;
        Some(Slice { chunk: self.first.clone(), range: from..len })
    }

    fn read(&mut self, from: u64, max_len: usize) -> Available {
        if let Some(first) = self.dropped_first(from) {
            let total = self.has_ended.then_some(self.end);
            return Available::Lines { start: from, slices: vec![first], total };
        }
        let start = from.max(self.start);
        if start == self.end && !self.has_ended {
            self.is_awaited = true;
            return Available::Nothing;
        }
        if self.end <= start {
            self.is_end_read |= self.has_ended;
            return Available::End(self.end);
        }
        let mut slices: Vec<Slice> = Vec::new();
        let (mut offset, mut len) = (self.start, 0);
        let full = self.chunks.iter().map(|chunk| (&chunk[..], Some(chunk)));
        for (bytes, chunk) in full.chain([(&self.last[..], None)]) {
            let skipped = usize::try_from(start.saturating_sub(offset)).unwrap_or(usize::MAX);
            offset += bytes.len() as u64;
            if bytes.len() <= skipped {
                continue;
            }
            len += bytes.len() - skipped;
            if max_len < len && !slices.is_empty() {
                break;
            }
            slices.push(match chunk {
                Some(chunk) => Slice { chunk: chunk.clone(), range: skipped..bytes.len() },
                None => {
                    let copy = bytes[skipped..].to_vec();
                    Slice { range: 0..copy.len(), chunk: Arc::new(copy) }
                }
            });
        }
        let len: u64 = slices.iter().map(|slice| slice.range.len() as u64).sum();
        self.is_end_read |= self.has_ended && start + len == self.end;
        Available::Lines { start, slices, total: self.has_ended.then_some(self.end) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn buffer(max_len: usize) -> LineBuffer {
        LineBuffer::new(max_len, Wakeup::new().unwrap())
    }

    fn bytes(slices: &[Slice]) -> Vec<u8> {
        slices.iter().flat_map(|slice| slice.chunk[slice.range.clone()].to_vec()).collect()
    }

    #[test]
    fn readers_wait_at_the_end_until_there_are_lines() {
        let buffer = buffer(1 << 20);
        assert_eq!(buffer.read(0, 100), Available::Nothing);
        buffer.append(b"a\nbc\n");
        let Available::Lines { start: 2, slices, total: None } = buffer.read(2, 100) else {
            panic!("no lines")
        };
        assert_eq!(bytes(&slices), b"bc\n");
        assert_eq!(buffer.read(5, 100), Available::Nothing);
        assert_eq!(buffer.read(6, 100), Available::End(5));
        buffer.end();
        assert_eq!(buffer.read(5, 100), Available::End(5));
        assert!(matches!(buffer.read(0, 100), Available::Lines { total: Some(5), .. }));
    }

    #[test]
    fn memory_is_bounded_and_gaps_end_at_a_line() {
        let buffer = buffer(4 * CHUNK_LEN);
        let line = [&[b'x'; 999][..], b"\n"].concat();
        for _ in 0..100 {
            buffer.append(&line.repeat(150));
        }
        let Available::Lines { start, slices, .. } = buffer.read(1_500, usize::MAX) else {
            panic!("no lines")
        };
        assert!(1_500 < start && start.is_multiple_of(1_000), "{start}");
        let len = bytes(&slices).len();
        assert_eq!(start + len as u64, 15_000_000);
        // The first line is still there.
        let Available::Lines { start: 10, slices: first, .. } = buffer.read(10, usize::MAX) else {
            panic!("no lines")
        };
        assert_eq!(bytes(&first), line[10..]);
        assert_eq!(bytes(&buffer.read_all()), [&line[..], &bytes(&slices)].concat());
        assert!((3 * CHUNK_LEN..=5 * CHUNK_LEN).contains(&len), "{len}");
    }

    #[test]
    fn readers_that_are_behind_are_waited_for() {
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let (ended_at, end_read, behind) = (at(10_000), true, false);
        for (read_ms, now_ms, is_end_read, expected) in [
            (7_900, 10_000, behind, true),
            (8_100, 10_000, behind, false),
            (8_100, 11_900, behind, false),
            (8_100, 12_000, behind, true),
            (11_900, 13_800, behind, false),
            (11_900, 13_900, behind, true),
            (19_900, 19_990, behind, false),
            (19_900, 20_000, behind, true),
            (9_900, 10_400, end_read, false),
            (9_900, 10_500, end_read, true),
            (10_400, 10_800, end_read, false),
        ] {
            let read_at = Some(at(read_ms));
            let is_over = has_no_reader(ended_at, at(now_ms), read_at, is_end_read);
            assert_eq!(is_over, expected, "read at {read_ms}, now {now_ms}");
        }
        assert!(has_no_reader(ended_at, ended_at, None, false));
    }

    #[test]
    fn nobody_waits_for_readers_that_are_gone() {
        let buffer = buffer(100);
        buffer.end();
        let start = Instant::now();
        buffer.wait_for_readers();
        buffer.state().read_at = start.checked_sub(MAX_READ_INTERVAL);
        buffer.wait_for_readers();
        assert!(buffer.state().read_at.is_some_and(|at| at < start));
    }

    /// A page that is being loaded reads the lines later.
    #[test]
    fn pages_that_are_being_loaded_are_waited_for() {
        let buffer = buffer(100);
        buffer.append(b"a\n");
        buffer.expect_reader();
        buffer.end();
        let reader = buffer.clone();
        let waiting = thread::spawn(move || {
            buffer.wait_for_readers();
            buffer.state().is_end_read
        });
        assert!(matches!(reader.read(0, 100), Available::Lines { .. }));
        assert!(waiting.join().unwrap());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        /// A reader that is fast enough gets all bytes in pieces of whole lines, whatever their sizes.
        #[test]
        fn readers_get_all_lines(
            batches in prop::collection::vec(prop::collection::vec(0..300_000_usize, 1..5), 1..8),
            max_len in 1..1_000_000_usize,
        ) {
            let buffer = buffer(64 << 20);
            let (mut written, mut read) = (Vec::new(), Vec::new());
            for lens in batches {
                let lines: Vec<_> = lens.iter().flat_map(|len| [&vec![b'x'; *len][..], b"\n"].concat()).collect();
                buffer.append(&lines);
                written.extend(lines);
                while let Available::Lines { start, slices, .. } = buffer.read(read.len() as u64, max_len) {
                    prop_assert_eq!(start, read.len() as u64);
                    let bytes = bytes(&slices);
                    prop_assert!(slices.len() == 1 || bytes.len() <= max_len);
                    prop_assert_eq!(bytes.last(), Some(&b'\n'));
                    read.extend(bytes);
                }
            }
            prop_assert!(read == written);
        }
    }
}
