//! Linear mapping from values to pixels.

/// Maps a domain of values linearly to a range of pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LinearScale {
    domain: (f64, f64),
    range_px: (f64, f64),
}

impl LinearScale {
    /// Maps `domain` to `range_px`. An empty domain becomes one unit wide.
    pub fn new(domain: (f64, f64), range_px: (f64, f64)) -> Self {
        let domain = if domain.0 == domain.1 { (domain.0, domain.0 + 1.0) } else { domain };
        Self { domain, range_px }
    }

    /// Pixel of a value.
    pub fn px_from_value(&self, value: f64) -> f64 {
        self.range_px.0 + self.fraction(value) * (self.range_px.1 - self.range_px.0)
    }

    /// Position of a value in the domain: 0 at its start, 1 at its end.
    pub fn fraction(&self, value: f64) -> f64 {
        (value - self.domain.0) / (self.domain.1 - self.domain.0)
    }
}
