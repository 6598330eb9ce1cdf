//! Begins and ends files. Each file of lines begins with `meta` and ends with `end`; the copy in memory does
//! so once.

use summary::Timestamp;
use summary::record::{CaptureRecord, End, Event, EventKind, Interface, Reason};

use super::{Stream, now};
use crate::Error;
use crate::counts::Counts;
use crate::output::Output;

/// Where a record is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Destination {
    All,
    File,
    Copy,
}

impl Stream {
    /// Writes `meta`, and flushes.
    pub(super) fn start_lines(&mut self, destination: Destination) -> Result<(), Error> {
        self.write_record_to(destination, &CaptureRecord::Meta(self.meta.clone()))?;
        self.lines.as_mut().map_or(Ok(()), Output::flush_all)
    }

    /// Ends the current file of each output that creates files, and starts the next one. The `stats`
    /// records must have been written. `interfaces` replaces those in `meta`.
    pub(crate) fn rotate(
        &mut self,
        reason: Reason,
        interfaces: Option<Vec<Interface>>,
    ) -> Result<(), Error> {
        if let Some(file) = self.packets.as_mut().filter(|file| file.output().creates_files()) {
            file.rotate(now())?;
        }
        if !self.lines.as_ref().is_some_and(Output::creates_files) {
            return Ok(());
        }
        let rotated = Event::new(now(), EventKind::Rotated);
        self.write_record(&CaptureRecord::Event(rotated))?;
        let counts = self.take_file_counts();
        self.write_end(Destination::File, now(), reason, counts)?;
        self.lines.as_mut().map_or(Ok(()), Output::rotate)?;
        self.meta.start = now();
        if let Some(interfaces) = interfaces {
            self.meta.interfaces = interfaces;
        }
        self.start_lines(Destination::File)
    }

    /// Writes all flows and `end`, and completes the outputs. An error of one output does not leave the
    /// other incomplete.
    pub(crate) fn finish(&mut self, reason: Reason) -> Result<(), Error> {
        let lines = self.finish_lines(reason);
        let packets = self.packets.as_mut().map_or(Ok(()), |file| file.finish(now()));
        lines.and(packets)
    }

    /// The copy in memory is complete even if the file cannot be written.
    fn finish_lines(&mut self, reason: Reason) -> Result<(), Error> {
        let flows = self.finish_flows();
        let (ts, counts) = (now(), self.take_file_counts());
        let copy = self.write_end(Destination::Copy, ts, reason, self.complete_counts);
        let file = self.write_end(Destination::File, ts, reason, counts);
        let finished = self.lines.as_mut().map_or(Ok(()), Output::finish);
        flows.and(copy).and(file).and(finished)
    }

    /// The counts of the current file, which ends.
    fn take_file_counts(&mut self) -> Counts {
        let counts = std::mem::take(&mut self.file_counts);
        self.complete_counts += counts;
        counts
    }

    fn write_end(
        &mut self,
        destination: Destination,
        ts: Timestamp,
        reason: Reason,
        counts: Counts,
    ) -> Result<(), Error> {
        let Counts { recv, drop, out, skip, bytes, names_evicted } = counts;
        let names_evicted = self.has_names.then_some(names_evicted);
        let end = End { ts, reason, recv, drop, out, skip, bytes, names_evicted };
        self.write_record_to(destination, &CaptureRecord::End(end))
    }

    pub(super) fn write_record_to(
        &mut self,
        destination: Destination,
        record: &CaptureRecord,
    ) -> Result<(), Error> {
        let Some(lines) = self.lines.as_mut().filter(|_| self.types.contains(record.into())) else {
            return Ok(());
        };
        let write = |buffer: &mut Vec<u8>| self.format.write(record, buffer);
        match destination {
            Destination::All => lines.append(write),
            Destination::File => lines.append_to_file(write),
            Destination::Copy => lines.append_to_copy(write),
        }
    }
}
