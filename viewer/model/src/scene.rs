//! A drawing as data. Charts create it; the canvas and the SVG export draw it; tests inspect it.

use crate::protocol::Rgb;
use crate::text::fixed;

/// Marks on a background, in drawing order. All lengths are in CSS pixels.
#[derive(Clone, Debug, PartialEq)]
pub struct Scene {
    /// Width.
    pub width_px: f64,
    /// Height.
    pub height_px: f64,
    /// Background colour.
    pub background: Rgb,
    /// The marks.
    pub marks: Vec<Mark>,
}

/// The height of a line of a caption.
const CAPTION_LINE_PX: f64 = 18.0;

impl Scene {
    /// Adds lines of text below, each with its colour.
    pub fn with_caption(mut self, lines: Vec<(String, Rgb)>) -> Self {
        for (text, color) in lines {
            self.marks.push(Mark::Text {
                at: (12.0, self.height_px + CAPTION_LINE_PX / 2.0 - 4.0),
                text,
                color,
                size_px: 12.0,
                align: Align::Start,
                is_upright: false,
            });
            self.height_px += CAPTION_LINE_PX;
        }
        self
    }
}

/// A shape, a text or an image.
#[derive(Clone, Debug, PartialEq)]
pub enum Mark {
    /// A filled rectangle.
    Rect {
        /// Position and size.
        rect: Rect,
        /// Colour.
        color: Rgb,
        /// Opacity, 0 to 1.
        opacity: f64,
    },
    /// A straight line, one pixel wide.
    Line {
        /// Start.
        from: (f64, f64),
        /// End.
        to: (f64, f64),
        /// Colour.
        color: Rgb,
    },
    /// A line of text.
    Text {
        /// Position of the point chosen by `align`, at half height.
        at: (f64, f64),
        /// The text.
        text: String,
        /// Colour.
        color: Rgb,
        /// Font size.
        size_px: f64,
        /// The part of the text that `at` refers to.
        align: Align,
        /// Rotated by 90° counterclockwise.
        is_upright: bool,
    },
    /// An image of equal cells, from the top row down.
    Cells {
        /// Position and size.
        rect: Rect,
        /// Number of cells in a row.
        columns: usize,
        /// For each cell: red, green, blue, opacity.
        rgba: Vec<u8>,
    },
}

/// A rectangle.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rect {
    /// Left edge.
    pub x: f64,
    /// Top edge.
    pub y: f64,
    /// Width.
    pub width: f64,
    /// Height.
    pub height: f64,
}

/// The part of a text that its position refers to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Align {
    /// The start.
    Start,
    /// The middle.
    Middle,
    /// The end.
    End,
}

/// The colours of everything except the protocol classes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Theme {
    /// Light on dark.
    pub is_dark: bool,
}

impl Theme {
    /// Background of charts.
    pub const fn background(self) -> Rgb {
        if self.is_dark { [0x16, 0x1b, 0x22] } else { [0xff, 0xff, 0xff] }
    }

    /// Text and axes.
    pub const fn foreground(self) -> Rgb {
        if self.is_dark { [0xe6, 0xed, 0xf3] } else { [0x1f, 0x23, 0x28] }
    }

    /// Bars without a protocol class.
    pub const fn accent(self) -> Rgb {
        if self.is_dark { [0x56, 0xb4, 0xe9] } else { [0x00, 0x72, 0xb2] }
    }

    /// Packets that are not selected. Its contrast to the background is 3:1 (WCAG 2.2, 1.4.11).
    pub const fn unselected(self) -> Rgb {
        if self.is_dark { [0x65, 0x6c, 0x76] } else { [0x8c, 0x95, 0x9f] }
    }

    /// The lines of the throughput chart, by their index.
    pub const fn line(self, index: usize) -> Rgb {
        let [light, dark] = match index {
            0 => [[0x1f, 0x23, 0x28], [0xff, 0xff, 0xff]],
            1 => [[0x7b, 0x2c, 0xbf], [0xc7, 0x7d, 0xff]],
            2 => [[0xc1, 0x12, 0x1f], [0xff, 0x6b, 0x6b]],
            _ => [[0x6b, 0x4a, 0x00], [0xe6, 0xc8, 0x9c]],
        };
        if self.is_dark { dark } else { light }
    }

    /// Packets with problems. Its contrast to the background is at least 6:1.
    pub const fn problem(self) -> Rgb {
        if self.is_dark { [0xff, 0x6b, 0x6b] } else { [0xc1, 0x12, 0x1f] }
    }

    /// Grid lines.
    pub const fn grid(self) -> Rgb {
        if self.is_dark { [0x30, 0x36, 0x3d] } else { [0xe3, 0xe6, 0xea] }
    }
}

impl Scene {
    /// Formats the scene as an SVG document (<https://www.w3.org/TR/SVG2/>).
    pub fn svg(&self) -> String {
        use std::fmt::Write;
        let px = |value: f64| fixed(value, 2);
        let (width, height) = (px(self.width_px), px(self.height_px));
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\">\n\
             <rect width=\"100%\" height=\"100%\" fill=\"{}\"/>\n",
            css(self.background)
        );
        let write_rect = |svg: &mut String, rect: &Rect, color: Rgb, opacity: f64| {
            // Writing to a string never fails.
            let _ = writeln!(
                svg,
                "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" fill=\"{}\" fill-opacity=\"{}\"/>",
                px(rect.x),
                px(rect.y),
                px(rect.width),
                px(rect.height),
                css(color),
                px(opacity)
            );
        };
        for mark in &self.marks {
            match mark {
                Mark::Rect { rect, color, opacity } => write_rect(&mut svg, rect, *color, *opacity),
                Mark::Line { from, to, color } => {
                    let _ = writeln!(
                        svg,
                        "<path d=\"M{} {}L{} {}\" stroke=\"{}\"/>",
                        px(from.0),
                        px(from.1),
                        px(to.0),
                        px(to.1),
                        css(*color)
                    );
                }
                Mark::Text { at, text, color, size_px, align, is_upright } => {
                    let anchor = match align {
                        Align::Start => "start",
                        Align::Middle => "middle",
                        Align::End => "end",
                    };
                    let turn = if *is_upright { " rotate(-90)" } else { "" };
                    let _ = writeln!(
                        svg,
                        "<text transform=\"translate({} {}){turn}\" fill=\"{}\" font-family=\"system-ui, sans-serif\" font-size=\"{}\" text-anchor=\"{anchor}\" dominant-baseline=\"central\">{}</text>",
                        px(at.0),
                        px(at.1),
                        css(*color),
                        px(*size_px),
                        escaped(text)
                    );
                }
                Mark::Cells { rect, columns, rgba } => {
                    for (run, [red, green, blue, opacity]) in runs(*rect, *columns, rgba) {
                        write_rect(&mut svg, &run, [red, green, blue], f64::from(opacity) / 255.0);
                    }
                }
            }
        }
        svg + "</svg>\n"
    }
}

/// Merges neighbouring cells of the same colour in a row into one rectangle.
fn runs(rect: Rect, columns: usize, rgba: &[u8]) -> Vec<(Rect, [u8; 4])> {
    let (cells, _) = rgba.as_chunks::<4>();
    let height = rect.height / (cells.len() / columns.max(1)).max(1) as f64;
    let width = rect.width / columns.max(1) as f64;
    let mut runs = Vec::new();
    for (row, cells) in cells.chunks(columns.max(1)).enumerate() {
        let mut from = 0;
        for run in cells.chunk_by(|a, b| a == b) {
            if run[0][3] > 0 {
                let x = rect.x + from as f64 * width;
                let y = rect.y + row as f64 * height;
                runs.push((Rect { x, y, width: run.len() as f64 * width, height }, run[0]));
            }
            from += run.len();
        }
    }
    runs
}

/// Formats a colour for CSS: `#0072b2`.
pub fn css([red, green, blue]: Rgb) -> String {
    format!("#{red:02x}{green:02x}{blue:02x}")
}

fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            // XML does not allow most control characters.
            c if c.is_control() => escaped.push('\u{fffd}'),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scene_is_formatted_as_svg() {
        let rect = Rect { x: 0.0, y: 0.0, width: 4.0, height: 2.0 };
        let red = [255, 0, 0, 255];
        let rgba = [red, red, [0; 4], [0; 4], red, [0; 4], [0, 0, 255, 51], red].concat();
        let marks = vec![
            Mark::Rect { rect, color: [1, 2, 3], opacity: 0.5 },
            Mark::Text {
                at: (1.0, 2.0),
                text: "<b>&\u{1}".into(),
                color: [0; 3],
                size_px: 12.0,
                align: Align::End,
                is_upright: true,
            },
            Mark::Cells { rect, columns: 4, rgba },
        ];
        let scene = Scene { width_px: 4.0, height_px: 2.0, background: [255; 3], marks };
        let svg = scene.svg();
        assert!(svg.contains("fill=\"#010203\" fill-opacity=\"0.50\""));
        assert!(svg.contains(">&lt;b&gt;&amp;\u{fffd}</text>") && svg.contains("rotate(-90)"));
        assert_eq!(svg.matches("fill=\"#ff0000\"").count(), 3);
        assert!(svg.contains("x=\"0.00\" y=\"0.00\" width=\"2.00\" height=\"1.00\""));
        assert!(svg.contains("x=\"2.00\" y=\"1.00\" width=\"1.00\" height=\"1.00\" fill=\"#0000ff\" fill-opacity=\"0.20\""));
    }
}
