//! Scrolling that goes on after a finger has left the screen.

/// The speed falls by the factor e in this time, in milliseconds: as in the browsers' own scrolling.
const DECAY_MS: f64 = 325.0;
/// The speed is that of the finger in this time before it left, in milliseconds.
const MEASURED_MS: f64 = 100.0;
/// The slowest speed that goes on, in rows per millisecond.
const MIN_SPEED: f64 = 0.002;

/// The movement of a finger over the rows of a table.
#[derive(Clone, Debug, Default)]
pub struct Finger {
    /// Times in milliseconds and positions in rows, oldest first.
    samples: Vec<(f64, f64)>,
}

impl Finger {
    /// Notes a position in rows at a time in milliseconds.
    pub fn moved(&mut self, now_ms: f64, row: f64) {
        self.samples.retain(|(ms, _)| now_ms - MEASURED_MS <= *ms);
        self.samples.push((now_ms, row));
    }

    /// The movement that goes on when the finger leaves; `None` if it was at rest.
    pub fn released(&self, now_ms: f64) -> Option<Momentum> {
        let (first_ms, first_row) =
            *self.samples.iter().find(|(ms, _)| now_ms - MEASURED_MS <= *ms)?;
        let (_, row) = *self.samples.last()?;
        let speed = (row - first_row) / (now_ms - first_ms);
        let is_moving = speed.is_finite() && MIN_SPEED <= speed.abs();
        is_moving.then_some(Momentum { start_ms: now_ms, row, speed })
    }
}

/// A movement that slows down.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Momentum {
    start_ms: f64,
    /// Position at the start, in rows.
    row: f64,
    /// Speed at the start, in rows per millisecond.
    speed: f64,
}

impl Momentum {
    /// The position in rows, and whether the movement goes on.
    pub fn at(self, now_ms: f64) -> (f64, bool) {
        let left = (-(now_ms - self.start_ms).max(0.0) / DECAY_MS).exp();
        let row = self.row + self.speed * DECAY_MS * (1.0 - left);
        (row, MIN_SPEED <= self.speed.abs() * left)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A finger that moves at a constant speed until it leaves.
    fn flick(rows_per_ms: f64) -> Option<Momentum> {
        let mut finger = Finger::default();
        (0..20).for_each(|step| finger.moved(step.into(), f64::from(step) * rows_per_ms));
        finger.released(20.0)
    }

    #[test]
    fn movement_slows_down_and_ends() {
        for speed in [0.1, -2.0] {
            let momentum = flick(speed).unwrap();
            let positions: Vec<_> =
                (0..400).map(|frame| momentum.at(20.0 + 16.0 * f64::from(frame))).collect();
            let steps: Vec<_> =
                positions.windows(2).map(|two| (two[1].0 - two[0].0) / speed).collect();
            assert!(steps.windows(2).all(|two| 0.0 <= two[1] && two[1] <= two[0]), "{steps:?}");
            assert!(positions[1].1 && !positions[399].1);
            // It goes on for less than the distance in a third of a second at full speed.
            assert!((positions[399].0 - positions[0].0) / speed < 330.0);
        }
    }

    #[test]
    fn finger_at_rest_leaves_no_movement() {
        assert_eq!(flick(0.0), None);
        assert_eq!(Finger::default().released(0.0), None);
        let mut finger = Finger::default();
        finger.moved(0.0, 0.0);
        finger.moved(10.0, 50.0);
        assert!(finger.released(20.0).is_some());
        // It stopped before it left.
        assert_eq!(finger.released(200.0), None);
        // A single position has no speed.
        let mut finger = Finger::default();
        finger.moved(5.0, 3.0);
        assert_eq!(finger.released(5.0), None);
    }
}
