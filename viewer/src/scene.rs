//! A picture as data: charts make it, a canvas shows it, and tests read it.

use crate::protocol::Rgb;

/// What to draw, in order, on a ground of one colour. All lengths in CSS pixels.
#[derive(Clone, Debug, PartialEq)]
pub struct Scene {
    /// Width of the picture.
    pub width_px: f64,
    /// Height of the picture.
    pub height_px: f64,
    /// Colour of the ground.
    pub ground: Rgb,
    /// What is on it.
    pub marks: Vec<Mark>,
}

/// One thing in a picture.
#[derive(Clone, Debug, PartialEq)]
pub enum Mark {
    /// A filled rectangle.
    Rect {
        /// Where it is.
        place: Place,
        /// Its colour.
        color: Rgb,
        /// From 0, invisible, to 1.
        opacity: f64,
    },
    /// A straight line, one pixel wide.
    Line {
        /// Where it begins.
        from: (f64, f64),
        /// Where it ends.
        to: (f64, f64),
        /// Its colour.
        color: Rgb,
    },
    /// Some words.
    Text {
        /// Where they are, by `align`, on their middle line.
        at: (f64, f64),
        /// The words.
        text: String,
        /// Their colour.
        color: Rgb,
        /// Height of the letters.
        size_px: f64,
        /// Which part of them is at the place.
        align: Align,
        /// Turned to be read from below.
        is_upright: bool,
    },
    /// Cells of equal size, four bytes each: red, green, blue, opacity; the top row first.
    Cells {
        /// Where they are.
        place: Place,
        /// Cells in a row.
        columns: usize,
        /// Four bytes for each cell.
        rgba: Vec<u8>,
    },
}

/// A rectangle.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Place {
    /// Left border.
    pub x: f64,
    /// Upper border.
    pub y: f64,
    /// Width.
    pub width: f64,
    /// Height.
    pub height: f64,
}

/// Which part of some words is at their place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Align {
    /// Their beginning.
    Start,
    /// Their middle.
    Middle,
    /// Their end.
    End,
}

/// The colours of everything but the data.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Theme {
    /// Whether light is on dark.
    pub is_dark: bool,
}

impl Theme {
    /// The ground of charts.
    pub const fn ground(self) -> Rgb {
        if self.is_dark { [0x16, 0x1b, 0x22] } else { [0xff, 0xff, 0xff] }
    }

    /// Words.
    pub const fn ink(self) -> Rgb {
        if self.is_dark { [0xe6, 0xed, 0xf3] } else { [0x1f, 0x23, 0x28] }
    }

    /// Lines between values.
    pub const fn grid(self) -> Rgb {
        if self.is_dark { [0x30, 0x36, 0x3d] } else { [0xe3, 0xe6, 0xea] }
    }
}
