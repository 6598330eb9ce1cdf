//! Packets in a plane, as counts per cell.

use super::{Frame, Look, Size, Table, axis_label, bin_words, range_words, shade, ticks};
use crate::axis::{Axis, Bins, Quantity};
use crate::density::Density;
use crate::density::Grid;
use crate::protocol::{CLASSES, Class};
use crate::scene::{Mark, Rect, Scene, Theme};
use crate::time::Zone;
use summary::grouped;

/// Width and height of a cell in CSS pixels where there are many packets: fine, yet to be seen.
const CELL_PX: f64 = 2.0;
/// The same where there are few: each is a mark that catches the eye.
const LARGE_CELL_PX: f64 = 4.0;
/// How many packets are few.
const FEW_PACKETS: u64 = 20_000;
/// Rows and columns of the table at most: more would be pixels again.
const TABLE_SIDE: usize = 12;

/// Everything that the picture shows.
#[derive(Clone, Debug)]
pub struct Scatter<'a> {
    /// The cells.
    pub grid: Grid,
    /// All packets.
    pub whole: &'a Density,
    /// Those that are selected elsewhere, where anything is.
    pub selected: Option<&'a Density>,
    /// A line around what is selected, or being so, in pixels.
    pub outline: Vec<(f64, f64)>,
    /// The cell that the keyboard is at: column and row.
    pub cursor: Option<(usize, usize)>,
}

/// The grid for two axes in a chart of that size, where there are so many packets in all.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few thousand")]
pub fn grid_of(x: Axis, y: Axis, size: Size, packets: u64) -> Grid {
    let plot = size.plot();
    let cell_px = if packets < FEW_PACKETS { LARGE_CELL_PX } else { CELL_PX };
    let bins = |axis, px: f64| Bins {
        axis,
        count: (px / cell_px).floor().clamp(1.0, 4_000.0) as usize,
        is_closed: false,
    };
    Grid { x: bins(x, plot.width), y: bins(y, plot.height) }
}

impl<'a> Scatter<'a> {
    fn front(&self) -> &'a Density {
        self.selected.unwrap_or(self.whole)
    }

    fn title(&self) -> &'static str {
        match self.grid.y.axis.quantity {
            Quantity::SourcePort => "Source Ports",
            Quantity::DestinationPort => "Destination Ports",
            Quantity::Ttl => "Times to Live",
            Quantity::Gap => "Gaps between Packets",
            _ => "Packet Sizes",
        }
    }

    /// The picture.
    pub fn scene(&self, look: Look<'_>) -> Scene {
        let plot = look.size.plot();
        let (x, y) = (self.grid.x.axis, self.grid.y.axis);
        let frame = Frame {
            look,
            title: self.title(),
            x_label: axis_label(x.quantity, look.zone),
            y_label: y.quantity.label(),
            x_ticks: ticks(&x, look.zone, 8),
            y_ticks: ticks(&y, look.zone, 6),
            legend: self.front().present(),
        };
        let mut scene = frame.scene();
        let rgba = self.rgba(look.theme);
        scene.marks.push(Mark::Cells { rect: plot, columns: self.grid.x.count, rgba });
        frame.close(&mut scene);
        if 1 < self.outline.len() {
            for pair in self.outline.windows(2) {
                let color = look.theme.ink();
                scene.marks.push(Mark::Line { from: pair[0], to: pair[1], color });
            }
        }
        if let Some(cell) = self.cursor {
            shade(&mut scene, self.place_of(look.size, cell), look.theme);
        }
        scene
    }

    fn place_of(&self, size: Size, (column, row): (usize, usize)) -> Rect {
        let plot = size.plot();
        let (width, height) =
            (plot.width / self.grid.x.count as f64, plot.height / self.grid.y.count as f64);
        // Larger than the cell, so that it can be seen around it.
        Rect {
            x: plot.x + column as f64 * width - 3.0,
            y: plot.y + plot.height - (row + 1) as f64 * height - 3.0,
            width: width + 6.0,
            height: height + 6.0,
        }
    }

    /// What the picture shows, in words.
    pub fn words(&self, zone: &Zone) -> String {
        let sum = |density: &Density| density.counts().iter().map(|n| u64::from(*n)).sum::<u64>();
        let axis =
            |axis: Axis| range_words(axis.quantity, axis.span.start, axis.span.end - 1, zone);
        let selected = match self.selected {
            Some(selected) => format!(", {} of them selected", grouped(sum(selected))),
            None => String::new(),
        };
        format!(
            "Scatter of {}: {} packets{selected}, {}, {}.",
            self.title().to_ascii_lowercase(),
            grouped(sum(self.whole)),
            axis(self.grid.x.axis),
            axis(self.grid.y.axis),
        )
    }

    /// Packets in a cell by class, in words.
    pub fn words_of(&self, (column, row): (usize, usize), zone: &Zone) -> Vec<String> {
        let rect = row * self.grid.x.count + column;
        if self.grid.x.count <= column || self.grid.y.count <= row {
            return Vec::new();
        }
        let of = |density: &Density, class| density.of(class).get(rect).copied().unwrap_or(0);
        let total = |density| CLASSES.into_iter().map(|class| of(density, class)).sum::<u32>();
        let mut words = match total(self.front()) {
            0 => "no packets here".to_owned(),
            1 => "1 packet here:".to_owned(),
            count => format!("{} packets here:", grouped(u64::from(count))),
        };
        for class in CLASSES {
            let count = of(self.front(), class);
            if count > 0 {
                words += &format!(" {} {}", class.name(), grouped(u64::from(count)));
            }
        }
        if self.selected.is_some() {
            words += &format!(", of {} in all", grouped(u64::from(total(self.whole))));
        }
        let range = |bins: &Bins, cell: usize| bin_words(bins, cell, cell, zone);
        vec![words, format!("{}, {}", range(&self.grid.x, column), range(&self.grid.y, row))]
    }

    /// The plane in few cells, each with its packets.
    pub fn table(&self, zone: &Zone) -> Table {
        let grid = self.grid;
        let part = |bins: &Bins| bins.count.div_ceil(TABLE_SIDE).max(1);
        let (wide, high) = (part(&grid.x), part(&grid.y));
        let label =
            |bins: &Bins, from: usize, len: usize| bin_words(bins, from, from + len - 1, zone);
        let columns: Vec<_> = (0..grid.x.count).step_by(wide).collect();
        let mut header = vec!["packets".to_owned()];
        header.extend(columns.iter().map(|column| label(&grid.x, *column, wide)));
        let rows = (0..grid.y.count).step_by(high).collect::<Vec<_>>().into_iter().rev();
        let rows = rows.map(|row| {
            let mut words = vec![label(&grid.y, row, high)];
            words.extend(columns.iter().map(|column| {
                let (right, top) =
                    ((column + wide).min(grid.x.count), (row + high).min(grid.y.count));
                let mut sum = 0u64;
                for class in self.front().present() {
                    let counts = self.front().of(class);
                    for row in row..top {
                        let start = row * grid.x.count;
                        let cells = &counts[start + column..start + right];
                        sum += cells.iter().map(|count| u64::from(*count)).sum::<u64>();
                    }
                }
                sum.to_string()
            }));
            words
        });
        Table { header, rows: rows.collect() }
    }

    /// Each cell that has any packet, with its borders.
    pub fn cells(&self, zone: &Zone) -> Table {
        let grid = self.grid;
        let names = [grid.x.axis.quantity.name(), grid.y.axis.quantity.name()];
        let mut header: Vec<_> = names
            .iter()
            .flat_map(|name| [format!("{name}_from"), format!("{name}_below")])
            .collect();
        header.extend(["packets".to_owned()]);
        let classes = self.front().present();
        header.extend(classes.iter().map(|class| class.name().to_owned()));
        let borders = |bins: &Bins| -> Vec<String> {
            let edges = bins.edges().into_iter();
            edges
                .map(|edge| match bins.axis.quantity {
                    Quantity::Time => zone.format_compact(edge),
                    _ => edge.to_string(),
                })
                .collect()
        };
        let (x, y) = (borders(&grid.x), borders(&grid.y));
        let mut rows = Vec::new();
        for row in 0..grid.y.count {
            for column in 0..grid.x.count {
                let count = |class: Class| self.front().of(class)[row * grid.x.count + column];
                let total: u64 = classes.iter().map(|class| u64::from(count(*class))).sum();
                if total == 0 {
                    continue;
                }
                let mut words = vec![
                    x[column].clone(),
                    x[column + 1].clone(),
                    y[row].clone(),
                    y[row + 1].clone(),
                    total.to_string(),
                ];
                words.extend(classes.iter().map(|class| count(*class).to_string()));
                rows.push(words);
            }
        }
        Table { header, rows }
    }

    /// A colour for each cell: of the class with most packets, the stronger the more there are, on
    /// a logarithmic scale up to the fullest cell. Rows turned: a picture begins at the top.
    fn rgba(&self, theme: Theme) -> Vec<u8> {
        let (columns, cell_count) = (self.grid.x.count, self.grid.cell_count());
        let mut rgba = vec![0; cell_count * 4];
        let (totals, leading) = front_of(self.front(), cell_count);
        let ghosts = self.selected.map(|_| front_of(self.whole, cell_count).0);
        let opacities = Opacities::up_to(totals.iter().copied().max().unwrap_or(0));
        let colors = CLASSES.map(|class| class.color(theme.is_dark));
        let [ghost_red, ghost_green, ghost_blue] = theme.ghost();
        for (row, pixels) in rgba.chunks_exact_mut(columns * 4).rev().enumerate() {
            let row = row * columns..(row + 1) * columns;
            if let Some(ghosts) = &ghosts {
                for (pixel, ghost) in pixels.as_chunks_mut().0.iter_mut().zip(&ghosts[row.clone()])
                {
                    let opacity = if *ghost == 0 { 0 } else { u8::MAX };
                    *pixel = [ghost_red, ghost_green, ghost_blue, opacity];
                }
            }
            let cells = totals[row.clone()].iter().zip(&leading[row]);
            for (pixel, (total, class)) in pixels.as_chunks_mut().0.iter_mut().zip(cells) {
                if *total != 0 {
                    let [red, green, blue] = colors[usize::from(*class) % colors.len()];
                    *pixel = [red, green, blue, opacities.of(*total)];
                }
            }
        }
        rgba
    }
}

/// All packets of each cell, and the class that has most of them.
fn front_of(density: &Density, cell_count: usize) -> (Vec<u32>, Vec<u8>) {
    let mut totals = vec![0; cell_count];
    let mut most = vec![0; cell_count];
    let mut leading = vec![0; cell_count];
    for class in density.present() {
        let cells = totals.iter_mut().zip(most.iter_mut().zip(&mut leading));
        for (count, (total, (most, leading))) in density.of(class).iter().zip(cells) {
            *total += count;
            if *most < *count {
                (*most, *leading) = (*count, class as u8);
            }
        }
    }
    (totals, leading)
}

/// How strong a cell's colour is, by its packets. Most cells have few: those are computed once.
struct Opacities {
    log_fullest: f64,
    small: Vec<u8>,
}

impl Opacities {
    const SMALL_COUNT: u32 = 4_096;

    fn up_to(fullest: u32) -> Self {
        let log_fullest = f64::from(fullest.max(2)).ln();
        let mut opacities = Self { log_fullest, small: Vec::new() };
        let small = 0..Self::SMALL_COUNT.min(fullest.saturating_add(1));
        opacities.small = small.map(|count| opacities.computed(count)).collect();
        opacities
    }

    fn of(&self, count: u32) -> u8 {
        self.small.get(count as usize).copied().unwrap_or_else(|| self.computed(count))
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "in 0..=255")]
    fn computed(&self, count: u32) -> u8 {
        ((0.6 + 0.4 * f64::from(count.max(1)).ln() / self.log_fullest) * 255.0) as u8
    }
}

impl Size {
    /// The cell of a plane under a pixel; `None` outside of the plot.
    pub fn cell_at(self, grid: &Grid, at: (f64, f64)) -> Option<(usize, usize)> {
        let (x, y) = self.share(at);
        let cell = |share: f64, count: usize| {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "in 0..count"
            )]
            (0.0..1.0).contains(&share).then(|| ((share * count as f64) as usize).min(count - 1))
        };
        Some((cell(x, grid.x.count)?, cell(y, grid.y.count)?))
    }
}
