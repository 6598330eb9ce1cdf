//! Following a source that grows: its bytes become parts, of which the last one grows, and the charts
//! follow at intervals. The connection to the source is a separate module, `viewer/follow`.

use super::memory_plan::{Memory, worker_of};
use super::{App, Effect, Phase};
use crate::load::Limits;
use std::ops::Range;

/// A part that has this many bytes is complete, and the next one begins.
const PART_LEN: u64 = 16 << 20;
/// The largest number of bytes that wait for the workers. No more are requested then.
const MAX_UNREAD_LEN: u64 = 32 << 20;

/// What happens to a source that is followed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FollowEvent {
    /// Follow the file that was announced, within this memory limit.
    Start(Memory),
    /// The source answers.
    Connected,
    /// Bytes have arrived.
    Bytes(Chunk),
    /// No more bytes come. The reason, unless the run has ended.
    Over(Option<String>),
    /// Show the packets that were read since the last refresh, unless queries are in flight.
    Refresh,
}

/// Bytes of a source.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Chunk {
    /// Offset of the first byte in the source.
    pub start: u64,
    /// The number of bytes.
    pub len: usize,
    /// The number of bytes up to the last line feed, with it; `None` if there is no line feed.
    pub line_end: Option<usize>,
}

/// Bytes of the current chunk that are appended to a part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Append {
    /// Index of the part among all open parts.
    pub part: usize,
    /// Index of the worker.
    pub worker: usize,
    /// Name of the file.
    pub file: String,
    /// The bytes, as a range of the chunk.
    pub range: Range<usize>,
    /// No more bytes follow in this part.
    pub is_last: bool,
    /// The limits of the worker.
    pub limits: Limits,
}

/// The state of a source that is followed, or was until it ended.
#[derive(Debug, Default)]
pub(super) struct Follow {
    /// No more bytes come.
    is_over: bool,
    limits: Limits,
    /// Offset in the source of the bytes that come next.
    position: u64,
    /// The number of bytes that were passed to the workers.
    passed_bytes: u64,
    /// The number of bytes in the part that grows; `None` if the next bytes begin a part.
    part_len: Option<u64>,
    /// Packets were read that the charts do not show yet.
    pub(super) is_outdated: bool,
}

impl App {
    /// Returns true while a source is followed that may grow.
    pub fn is_following(&self) -> bool {
        self.follow.as_ref().is_some_and(|follow| !follow.is_over)
    }

    /// Returns true if the next bytes of the source can be taken.
    pub fn wants_bytes(&self) -> bool {
        self.follow.as_ref().is_some_and(|follow| {
            follow.passed_bytes.saturating_sub(self.files.read_bytes()) <= MAX_UNREAD_LEN
        })
    }

    /// Returns true if the workers have read all bytes that were received.
    pub fn has_read_all(&self) -> bool {
        self.follow.as_ref().is_some_and(|follow| follow.passed_bytes <= self.files.read_bytes())
    }

    /// Returns true if there are packets that the charts do not show.
    pub fn is_outdated(&self) -> bool {
        self.follow.as_ref().is_some_and(|follow| follow.is_outdated)
    }

    /// The number of parts that are complete: the last one of a followed source grows.
    pub(super) fn complete_parts(&self) -> usize {
        let is_growing = |follow: &Follow| !follow.is_over && follow.part_len.is_some();
        let growing = self.follow.as_ref().is_some_and(is_growing);
        self.files.parts.len() - usize::from(growing)
    }

    /// Handles an event of the source. Returns true if the charts must be redrawn.
    pub(super) fn on_follow(&mut self, event: FollowEvent, effects: &mut Vec<Effect>) -> bool {
        if let FollowEvent::Start(memory) = event {
            let limits = memory.of_worker(self.workers);
            self.follow = Some(Follow { limits, ..Follow::default() });
            return false;
        }
        let is_idle = self.scheduler.is_idle();
        let Some(follow) = &mut self.follow else { return false };
        match event {
            FollowEvent::Start(_) => {}
            FollowEvent::Connected => {
                if self.files.phase == Phase::Loading {
                    self.files.phase = Phase::Ready;
                    self.is_restored = false;
                    self.sync_filter_text();
                    return true;
                }
            }
            FollowEvent::Bytes(chunk) => self.append(chunk, effects),
            FollowEvent::Over(reason) => {
                follow.is_over = true;
                if self.files.parts.is_empty() && reason.is_some() {
                    let reason = reason.unwrap_or_default();
                    let error = format!("“{}” could not be loaded ({reason}).", self.files.names());
                    self.files.fail(error);
                }
                self.show_read_packets();
                return true;
            }
            FollowEvent::Refresh if follow.is_outdated && is_idle => {
                self.show_read_packets();
                return true;
            }
            FollowEvent::Refresh => {}
        }
        false
    }

    /// Stops following, because other files are opened beside the followed one.
    pub(super) fn stop_following(&mut self, effects: &mut Vec<Effect>) {
        if self.is_following() {
            self.on_follow(FollowEvent::Over(None), effects);
            effects.push(Effect::StopFollowing("other files were added"));
        }
    }

    /// Notes that a part of the followed file was read further.
    pub(super) fn on_growth(&mut self, effects: &mut Vec<Effect>) {
        if let Some(follow) = &mut self.follow {
            follow.is_outdated = true;
        }
        if self.files.has_only_problems() {
            self.on_follow(FollowEvent::Over(None), effects);
            self.files.fail_as_no_capture();
            effects.push(Effect::StopFollowing("it is not a capture"));
        }
    }

    /// Appends bytes to the part that grows. A full part ends at a line end, where the next one begins.
    fn append(&mut self, chunk: Chunk, effects: &mut Vec<Effect>) {
        let Some(follow) = &mut self.follow else { return };
        let part_len = follow.part_len.unwrap_or(0);
        let cut = chunk.line_end.filter(|end| PART_LEN <= part_len + *end as u64);
        let pieces = match cut {
            Some(end) => vec![(0..end, true), (end..chunk.len, false)],
            None => vec![(0..chunk.len, false)],
        };
        for (range, is_last) in pieces {
            if range.is_empty() {
                continue;
            }
            let part = match follow.part_len {
                Some(_) => self.files.parts.len() - 1,
                None => self.files.add_growing_part(),
            };
            let len = range.len() as u64;
            follow.passed_bytes += len;
            follow.part_len = (!is_last).then(|| follow.part_len.unwrap_or(0) + len);
            effects.push(Effect::Append(Append {
                part,
                worker: worker_of(part, self.workers),
                file: self.files.files[0].name.clone(),
                range,
                is_last,
                limits: follow.limits,
            }));
        }
        follow.position = chunk.start + chunk.len as u64;
    }
}
