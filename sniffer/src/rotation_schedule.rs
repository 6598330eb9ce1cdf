//! When a run starts its next output file, and when it ends after the last one.

use std::time::Instant;

use crate::output::Rotation;
use crate::timer::Timer;

/// The output files of a run: the time of the next one, and how many are complete.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RotationSchedule {
    rotation: Rotation,
    timer: Option<Timer>,
    completed: u32,
}

impl RotationSchedule {
    /// A schedule that starts now.
    pub(crate) fn new(rotation: Rotation) -> Self {
        let start = Instant::now();
        let timer = rotation.interval.map(|interval| Timer::new(start, interval));
        Self { rotation, timer, completed: 0 }
    }

    /// When the next file is due.
    pub(crate) fn due(&self) -> Option<Instant> {
        self.timer.as_ref().map(Timer::due)
    }

    /// Whether the next file is due. Returns true once for each.
    pub(crate) fn fires(&mut self, now: Instant) -> bool {
        self.timer.as_mut().is_some_and(|timer| timer.fires(now))
    }

    /// Whether the run ends with the current file.
    pub(crate) fn is_last_file(&self) -> bool {
        self.rotation.interval.is_some()
            && self.rotation.count.is_some_and(|count| count <= self.completed + 1)
    }

    /// Notes that the current file is complete.
    pub(crate) fn complete_file(&mut self) {
        self.completed += 1;
    }
}
