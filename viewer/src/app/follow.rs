//! Following a source that grows: its bytes become parts, of which the last one grows, and the charts
//! follow at intervals. The connection to the source is a separate module, `viewer/follow`.

use super::detail::DetailPacket;
use super::memory_plan::{Memory, worker_of};
use super::tables::max_first;
use super::window::{Amount, KeptLimits};
use super::{App, Effect, Phase};
use crate::axis::Quantity;
use crate::load::{Limits, Sampling};
use std::ops::Range;
use viewer_worker::lines::MAX_LINE_LEN;

/// The largest number of bytes that wait for the workers. No more are requested then.
const MAX_UNREAD_LEN: u64 = 32 << 20;
/// If more bytes wait for the workers, reading them takes precedence.
const BEHIND_LEN: u64 = 4 << 20;

/// What happens to a source that is followed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FollowEvent {
    /// Follow the file that was announced.
    Start {
        /// The memory limit.
        memory: Memory,
        /// The source may have the bytes of the packets, too.
        has_packets: bool,
    },
    /// The open file is opened once more, to be followed: the selection stays.
    Reopen,
    /// The source answers.
    Connected,
    /// Bytes have arrived.
    Bytes(Chunk),
    /// No more bytes come. The reason, unless the run has ended.
    Over(Option<String>),
    /// Show the packets that were read since the last refresh, unless queries are in flight.
    Refresh,
    /// Show the latest packets: without zoom in time, and the end of the packet table.
    JumpToNow,
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

/// Packets of a followed source that the page does not have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Missing {
    /// Packets that were dropped from the start, because only the latest ones are kept.
    pub dropped_packets: u64,
    /// Packets that the source did not keep until they were requested.
    pub lost_packets: u64,
    /// Bytes of these packets, and of those before the first packet.
    pub lost_bytes: u64,
}

/// The state of a source that is followed, or was until it ended.
#[derive(Debug, Default)]
pub(super) struct Follow {
    /// No more bytes come.
    is_over: bool,
    /// The source may have the bytes of the packets, too.
    has_packets: bool,
    memory: Memory,
    /// Offset in the source of the bytes that come next.
    position: u64,
    /// The number of bytes that the source did not keep until they were requested.
    lost_bytes: u64,
    /// The parts before which bytes are missing, in ascending order.
    gaps: Vec<usize>,
    /// The number of packets missing before parts that were dropped.
    lost_packets: u64,
    /// The number of bytes that were passed to the workers.
    passed_bytes: u64,
    /// The number of bytes in the part that grows; `None` if the next bytes begin a part.
    part_len: Option<u64>,
    /// The number of bytes after the last line feed.
    line_len: u64,
    /// The number of packets that were dropped since the charts were refreshed.
    pub(super) newly_dropped: u64,
    /// Packets were read that the charts do not show yet.
    pub(super) is_outdated: bool,
    /// The time of the latest packet that the latest answer can contain, in nanoseconds since the epoch. Workers
    /// read on between a refresh and their answer.
    answered_ns: Option<i64>,
}

impl App {
    /// Returns true while a source is followed that may grow.
    pub fn is_following(&self) -> bool {
        self.follow.as_ref().is_some_and(|follow| !follow.is_over)
    }

    /// Returns true if the source has or had the bytes of packets, too.
    pub(super) fn is_packet_source(&self) -> bool {
        self.follow.as_ref().is_some_and(|follow| follow.has_packets)
    }

    /// Returns true if the bytes of packets can be requested from the source.
    pub fn has_served_packets(&self) -> bool {
        self.is_following() && self.is_packet_source()
    }

    /// Returns true if a single file is open, none of whose packets were left out, and it is not followed.
    pub fn can_reopen(&self) -> bool {
        let is_whole = self.files.files.iter().all(|file| file.sampling == Sampling::default());
        self.files.files.len() == 1
            && is_whole
            && self.memory_plan.is_none()
            && self.follow.is_none()
    }

    /// Returns true if the next bytes of the source can be taken.
    pub fn wants_bytes(&self) -> bool {
        self.follow.is_some() && self.unread_bytes() <= MAX_UNREAD_LEN
    }

    /// Returns true if so many bytes wait for the workers that reading them takes precedence.
    pub fn is_behind(&self) -> bool {
        BEHIND_LEN < self.unread_bytes()
    }

    /// The number of bytes that were received, but not read yet.
    fn unread_bytes(&self) -> u64 {
        let passed_bytes = self.follow.as_ref().map_or(0, |follow| follow.passed_bytes);
        passed_bytes.saturating_sub(self.files.read_bytes())
    }

    /// Returns true if the workers have read all bytes that were received.
    pub fn has_read_all(&self) -> bool {
        self.follow.is_some() && self.unread_bytes() == 0
    }

    /// Returns true if there are packets that the charts do not show.
    pub fn is_outdated(&self) -> bool {
        self.follow.as_ref().is_some_and(|follow| follow.is_outdated)
    }

    /// Handles an event of the source. Returns true if the charts must be redrawn.
    pub(super) fn on_follow(&mut self, event: FollowEvent, effects: &mut Vec<Effect>) -> bool {
        if let FollowEvent::Start { memory, has_packets } = event {
            self.follow = Some(Follow { memory, has_packets, ..Follow::default() });
            return false;
        }
        if event == FollowEvent::Reopen {
            self.is_restored = true;
            return false;
        }
        let is_idle = self.scheduler.is_idle();
        let Some(follow) = &mut self.follow else { return false };
        match event {
            FollowEvent::Start { .. } | FollowEvent::Reopen => {}
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
                if self.flows.has_many_unused() {
                    self.flows.clear();
                    effects.push(Effect::ResendFlows);
                }
                self.show_read_packets();
                return true;
            }
            FollowEvent::Refresh => {}
            FollowEvent::JumpToNow => {
                for quantity in [Quantity::Time, Quantity::Elapsed, Quantity::Number] {
                    self.settings.zoom[quantity as usize] = None;
                }
                self.packets.is_at_end = true;
                self.scene_version += 1;
                return true;
            }
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

    /// Keeps the end of the packet table in sight, if it was.
    pub(super) fn scroll_to_end(&mut self) {
        if self.packets.is_at_end && self.is_following() {
            self.packets.first = max_first(self.selected().packets, self.packets.visible_rows);
        }
    }

    /// Notes that the workers have answered. They report what they read before they answer.
    pub(super) fn note_answered_time(&mut self) {
        let latest_ns = self.totals().extent.map(|extent| extent.ts_ns.1);
        if let Some(follow) = &mut self.follow {
            follow.answered_ns = latest_ns;
        }
    }

    /// The times of the first and the last packet in the charts, in nanoseconds since the epoch.
    pub(super) fn drawn_ts_ns(&self) -> Option<(i64, i64)> {
        let (first, last) = self.drawn_totals.extent?.ts_ns;
        let answered_ns = self.follow.as_ref().and_then(|follow| follow.answered_ns);
        Some((first, answered_ns.map_or(last, |answered_ns| answered_ns.max(last))))
    }

    /// Notes that a part of the followed file was read further.
    pub(super) fn on_growth(&mut self, effects: &mut Vec<Effect>) {
        if let Some(follow) = &mut self.follow {
            follow.is_outdated = true;
        }
        self.drop_old_parts(effects);
        if self.files.has_only_problems() {
            self.on_follow(FollowEvent::Over(None), effects);
            self.files.fail_as_no_capture();
            effects.push(Effect::StopFollowing("it is not a capture"));
        }
    }

    /// Appends bytes to the part that grows. A full part ends at a line end, where the next one begins, or
    /// within a line that is too long to be read.
    fn append(&mut self, chunk: Chunk, effects: &mut Vec<Effect>) {
        let Some(follow) = &mut self.follow else { return };
        let mut pieces = vec![(0..chunk.len, false)];
        let lost_bytes = chunk.start.saturating_sub(follow.position);
        if 0 < lost_bytes {
            // The line before the gap may be incomplete.
            pieces.insert(0, (0..0, true));
            follow.lost_bytes += lost_bytes;
        }
        follow.position = chunk.start + chunk.len as u64;
        follow.line_len = match chunk.line_end {
            Some(end) => (chunk.len - end) as u64,
            None => follow.line_len + chunk.len as u64,
        };
        let is_readable = follow.line_len <= MAX_LINE_LEN as u64;
        let part_end = chunk.line_end.or_else(|| (!is_readable).then_some(chunk.len));
        let part_len = follow.part_len.unwrap_or(0);
        if let Some(end) = part_end
            && lost_bytes == 0
            && self.is_part_full(part_len + end as u64)
        {
            pieces = vec![(0..end, true), (end..chunk.len, false)];
        }
        for (range, is_last) in pieces {
            self.append_piece(range, is_last, effects);
        }
        let gap = self.files.next_part() - 1;
        if let Some(follow) = &mut self.follow
            && 0 < lost_bytes
        {
            follow.gaps.push(gap);
        }
    }

    fn append_piece(&mut self, range: Range<usize>, is_last: bool, effects: &mut Vec<Effect>) {
        let Some(follow) = &mut self.follow else { return };
        if range.is_empty() && (!is_last || follow.part_len.is_none()) {
            return;
        }
        let part = match follow.part_len {
            Some(_) => self.files.next_part() - 1,
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
            limits: follow.memory.of_worker(self.workers),
        }));
    }

    /// What of the source is kept.
    fn kept_limits(&self) -> KeptLimits {
        let memory = self.follow.as_ref().map_or_else(Memory::default, |follow| follow.memory);
        KeptLimits::new(self.settings.window, memory)
    }

    /// Returns true if the part that grows is complete with this number of bytes. The number of packets in those
    /// that no worker has read is estimated.
    fn is_part_full(&self, len: u64) -> bool {
        let part = Amount::of(self.files.reports().last().into_iter());
        let all = Amount::of(self.files.reports());
        let line_len = all.bytes.checked_div(all.packets).unwrap_or(u64::MAX).max(1);
        let packets = part.packets + len.saturating_sub(part.bytes) / line_len;
        self.kept_limits().is_part_full(Amount { bytes: len, packets, ..part })
    }

    /// Drops the oldest parts if the others are enough, or if they do not fit.
    pub(super) fn drop_old_parts(&mut self, effects: &mut Vec<Effect>) {
        let limits = self.kept_limits();
        if !self.is_following() {
            return;
        }
        let first = self.files.first_part;
        while 1 < self.files.parts.len() {
            let of_parts = |from: usize| Amount::of(self.files.reports().skip(from));
            if !limits.allow_dropping(of_parts(0), of_parts(1)) {
                break;
            }
            let next = self.files.first_part + 1;
            let lost = self.lost_before(next);
            if let Some(follow) = &mut self.follow {
                follow.newly_dropped += self.files.parts[0].1.totals.packets;
                if let Some(index) = follow.gaps.iter().position(|gap| *gap == next) {
                    follow.lost_packets += lost;
                    follow.gaps.remove(index);
                }
            }
            self.files.drop_first_part();
        }
        if first < self.files.first_part {
            self.on_parts_dropped();
            effects.push(Effect::DropBefore(self.files.first_part));
        }
    }

    /// Removes what refers to dropped parts.
    fn on_parts_dropped(&mut self) {
        let first = self.files.first_part;
        self.flows.drop_before(first);
        self.extra_progress.retain(|(part, _)| first <= *part);
        // Its line can no longer be read.
        let is_lost = |detail: &DetailPacket| detail.position.part < first && detail.line.is_none();
        if self.detail.as_ref().is_some_and(is_lost) {
            self.detail = None;
        }
    }

    /// The number of packets missing before a part, according to the packet numbers.
    fn lost_before(&self, part: usize) -> u64 {
        let extent = |part: usize| self.files.part(part)?.1.totals.extent;
        match (part.checked_sub(1).and_then(extent), extent(part)) {
            (Some(before), Some(after)) => u64::try_from(after.n.0 - before.n.1 - 1).unwrap_or(0),
            _ => 0,
        }
    }

    /// The packets of the source that the page does not have.
    pub fn missing(&self) -> Missing {
        let Some(follow) = &self.follow else { return Missing::default() };
        let lost: u64 = follow.gaps.iter().map(|gap| self.lost_before(*gap)).sum();
        Missing {
            dropped_packets: self.files.dropped.packets,
            lost_packets: follow.lost_packets + lost,
            lost_bytes: follow.lost_bytes,
        }
    }
}
