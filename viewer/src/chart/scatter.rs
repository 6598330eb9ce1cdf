//! The scatter plot, drawn as exact packet counts per cell. Its cost does not depend on the number of
//! packets.

use super::legend::Legend;
use super::problems::{draw_crosses, totals};
use super::{
    Frame, RenderContext, ScaleTo, Size, Table, axis_label, bin_text, highlight, range_text, ticks,
    unselected_opacity,
};
use crate::axis::{Axis, Bins, Quantity};
use crate::density::Density;
use crate::density::Grid;
use crate::protocol::{CLASS_COUNT, CLASSES, Class, ClassSet};
use crate::scene::{Mark, Rect, Scene, Theme};
use crate::text;
use crate::time::Zone;
use summary::grouped;

/// Side length of a cell with many packets.
const CELL_PX: f64 = 2.0;
/// Side length of a cell with few packets, which makes single packets visible.
const LARGE_CELL_PX: f64 = 4.0;
/// Fewer packets than this get large cells.
const FEW_PACKETS: u64 = 20_000;
/// The largest number of rows and columns of the table for display.
const TABLE_SIDE: usize = 12;

/// The data and settings of the chart.
#[derive(Clone, Debug)]
pub struct Scatter<'a> {
    /// Axes and cells.
    pub grid: Grid,
    /// Packet counts of all packets.
    pub whole: &'a Density,
    /// The same for the packets selected in other dimensions, if anything is selected.
    pub selected: Option<&'a Density>,
    /// The packets with problems; `None` if they are not known.
    pub problems: Option<&'a Density>,
    /// The name of each class.
    pub names: [&'a str; CLASS_COUNT],
    /// The classes that are selected, for the legend.
    pub shown: ClassSet,
    /// Whether a small selection is emphasized.
    pub scale_to: ScaleTo,
    /// The outline of the selection, in pixels.
    pub outline: Vec<(f64, f64)>,
    /// The cell at the keyboard cursor: column and row.
    pub cursor: Option<(usize, usize)>,
}

/// The grid for a chart of this size with this number of packets.
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
    fn foreground(&self) -> &'a Density {
        self.selected.unwrap_or(self.whole)
    }

    /// The title.
    pub fn title(&self) -> &'static str {
        match self.grid.y.axis.quantity {
            Quantity::SourcePort => "Source ports",
            Quantity::DestinationPort => "Destination ports",
            Quantity::Ttl => "TTL",
            Quantity::Gap => "Time since previous packet",
            _ => "Packet sizes",
        }
    }

    /// Draws the chart.
    pub fn scene(&self, context: RenderContext<'_>) -> Scene {
        let plot = context.size.plot();
        let (x, y) = (self.grid.x.axis, self.grid.y.axis);
        let frame = Frame {
            context,
            title: self.title(),
            x_label: axis_label(x.quantity, context.zone),
            y_label: y.quantity.label(),
            x_ticks: ticks(&x, context.zone, 8),
            y_ticks: ticks(&y, context.zone, 6),
            legend: Legend {
                classes: self.whole.present(),
                names: self.names,
                shown: self.shown,
                cursor: None,
                has_problems: self.problems.is_some(),
            },
        };
        let mut scene = frame.scene();
        let rgba = self.rgba(context.theme);
        scene.marks.push(Mark::Cells { rect: plot, columns: self.grid.x.count, rgba });
        if let Some(problems) = self.problems {
            let size = (self.grid.x.count, self.grid.y.count);
            draw_crosses(&mut scene, context, problems, size);
        }
        frame.draw_axes(&mut scene);
        if 1 < self.outline.len() {
            for pair in self.outline.windows(2) {
                let color = context.theme.foreground();
                scene.marks.push(Mark::Line { from: pair[0], to: pair[1], color });
            }
        }
        if let Some(cell) = self.cursor {
            highlight(&mut scene, self.cell_rect(context.size, cell), context.theme);
        }
        scene
    }

    fn cell_rect(&self, size: Size, (column, row): (usize, usize)) -> Rect {
        let plot = size.plot();
        let (width, height) =
            (plot.width / self.grid.x.count as f64, plot.height / self.grid.y.count as f64);
        // Larger than the cell, to be visible around it.
        Rect {
            x: plot.x + column as f64 * width - 3.0,
            y: plot.y + plot.height - (row + 1) as f64 * height - 3.0,
            width: width + 6.0,
            height: height + 6.0,
        }
    }

    /// A description for screen readers.
    pub fn description(&self, zone: &Zone) -> String {
        let sum = |density: &Density| density.counts().iter().map(|n| u64::from(*n)).sum::<u64>();
        let axis = |axis: Axis| range_text(axis.quantity, axis.span.start, axis.span.end - 1, zone);
        let selected = match self.selected {
            Some(selected) => format!(" ({} selected)", grouped(sum(selected))),
            None => String::new(),
        };
        format!(
            "{}, scatter plot: {}{selected}, {}, {}.",
            self.title(),
            text::packets(sum(self.whole)),
            axis(self.grid.x.axis),
            axis(self.grid.y.axis),
        )
    }

    /// Number, peak and mean of the packets drawn in colour: `33,268 packets · peak 48, mean 4.1 per cell`. Empty
    /// cells do not count.
    pub fn figures(&self) -> String {
        let (totals, _) = cell_totals(self.foreground(), self.grid.cell_count());
        let sum = totals.iter().map(|count| u64::from(*count)).sum::<u64>();
        let cells = totals.iter().filter(|count| **count != 0).count();
        if sum == 0 {
            return "No packets".to_owned();
        }
        let peak = grouped(totals.iter().copied().max().unwrap_or(0).into());
        let mean = text::decimal(sum as f64 / cells as f64, 1);
        format!("{} · peak {peak}, mean {mean} per cell", text::packets(sum))
    }

    /// The tooltip of a cell: its packets by class, and its ranges.
    pub fn cell_text(&self, (column, row): (usize, usize), zone: &Zone) -> Vec<String> {
        let index = row * self.grid.x.count + column;
        if self.grid.x.count <= column || self.grid.y.count <= row {
            return Vec::new();
        }
        let of = |density: &Density, class| density.of(class).get(index).copied().unwrap_or(0);
        let total = |density| CLASSES.into_iter().map(|class| of(density, class)).sum::<u32>();
        let mut text = match total(self.foreground()) {
            0 => "No packets".to_owned(),
            count => format!("{}:", text::packets(u64::from(count))),
        };
        for class in CLASSES {
            let count = of(self.foreground(), class);
            if count > 0 {
                text += &format!(" {} {}", self.names[class.index()], grouped(u64::from(count)));
            }
        }
        if self.selected.is_some() {
            text += &format!(" (of {} total)", grouped(u64::from(total(self.whole))));
        }
        let problems = self.problems.map_or(0, total);
        if 0 < problems {
            text += &format!(", {} with problems", grouped(u64::from(problems)));
        }
        let range = |bins: &Bins, cell: usize| bin_text(bins, cell, cell, zone);
        vec![text, format!("{}, {}", range(&self.grid.x, column), range(&self.grid.y, row))]
    }

    /// The packet counts in few, large cells.
    pub fn table(&self, zone: &Zone) -> Table {
        let grid = self.grid;
        let part = |bins: &Bins| bins.count.div_ceil(TABLE_SIDE).max(1);
        let (wide, high) = (part(&grid.x), part(&grid.y));
        let label =
            |bins: &Bins, from: usize, len: usize| bin_text(bins, from, from + len - 1, zone);
        let columns: Vec<_> = (0..grid.x.count).step_by(wide).collect();
        let mut header = vec!["packets".to_owned()];
        header.extend(columns.iter().map(|column| label(&grid.x, *column, wide)));
        let rows = (0..grid.y.count).step_by(high).collect::<Vec<_>>().into_iter().rev();
        let rows = rows.map(|row| {
            let mut cells = vec![label(&grid.y, row, high)];
            cells.extend(columns.iter().map(|column| {
                let (right, top) =
                    ((column + wide).min(grid.x.count), (row + high).min(grid.y.count));
                let mut sum = 0u64;
                for class in self.foreground().present() {
                    let counts = self.foreground().of(class);
                    for row in row..top {
                        let start = row * grid.x.count;
                        let counts = &counts[start + column..start + right];
                        sum += counts.iter().map(|count| u64::from(*count)).sum::<u64>();
                    }
                }
                sum.to_string()
            }));
            cells
        });
        Table { header, rows: rows.collect() }
    }

    /// Every cell that has packets, with its edges.
    pub fn cells(&self, zone: &Zone) -> Table {
        let grid = self.grid;
        let names = [grid.x.axis.quantity.name(), grid.y.axis.quantity.name()];
        let mut header: Vec<_> = names
            .iter()
            .flat_map(|name| [format!("{name}_start"), format!("{name}_end")])
            .collect();
        header.extend(["packets".to_owned()]);
        let classes = self.foreground().present();
        header.extend(classes.iter().map(|class| self.names[class.index()].to_owned()));
        let problems = self.problems.map(|density| totals(density, grid.cell_count()));
        if problems.is_some() {
            header.push("problem_packets".to_owned());
        }
        let edges_text = |bins: &Bins| -> Vec<String> {
            let edges = bins.edges().into_iter();
            edges
                .map(|edge| match bins.axis.quantity {
                    Quantity::Time => zone.format_compact(edge),
                    _ => edge.to_string(),
                })
                .collect()
        };
        let (x, y) = (edges_text(&grid.x), edges_text(&grid.y));
        let mut rows = Vec::new();
        for row in 0..grid.y.count {
            for column in 0..grid.x.count {
                let count = |class: Class| self.foreground().of(class)[row * grid.x.count + column];
                let total: u64 = classes.iter().map(|class| u64::from(count(*class))).sum();
                if total == 0 {
                    continue;
                }
                let mut cells = vec![
                    x[column].clone(),
                    x[column + 1].clone(),
                    y[row].clone(),
                    y[row + 1].clone(),
                    total.to_string(),
                ];
                cells.extend(classes.iter().map(|class| count(*class).to_string()));
                let problems = problems.as_ref();
                cells.extend(problems.map(|all| all[row * grid.x.count + column].to_string()));
                rows.push(cells);
            }
        }
        Table { header, rows }
    }

    /// The colour of each cell, from the top row down: that of the class with most packets. The opacity
    /// grows with the packets, on a logarithmic scale up to the fullest cell.
    fn rgba(&self, theme: Theme) -> Vec<u8> {
        let (columns, cell_count) = (self.grid.x.count, self.grid.cell_count());
        let mut rgba = vec![0; cell_count * 4];
        let (totals, leading) = cell_totals(self.foreground(), cell_count);
        let unselected = self.selected.map(|_| cell_totals(self.whole, cell_count).0);
        let opacities = OpacityScale::up_to(totals.iter().copied().max().unwrap_or(0));
        let colors = CLASSES.map(|class| class.color(theme.is_dark));
        let [unselected_red, unselected_green, unselected_blue] = theme.unselected();
        // A few selected packets would not be found among all.
        let unselected_opacity = unselected_opacity(unselected.as_ref().is_some_and(|all| {
            let sum = |counts: &[u32]| counts.iter().map(|count| u64::from(*count)).sum::<u64>();
            self.scale_to.is_selection(sum(&totals) as f64, sum(all) as f64)
        }));
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "in 0..=255")]
        let unselected_opacity = (unselected_opacity * 255.0) as u8;
        for (row, pixels) in rgba.chunks_exact_mut(columns * 4).rev().enumerate() {
            let row = row * columns..(row + 1) * columns;
            if let Some(unselected) = &unselected {
                for (pixel, count) in
                    pixels.as_chunks_mut().0.iter_mut().zip(&unselected[row.clone()])
                {
                    let opacity = if *count == 0 { 0 } else { unselected_opacity };
                    *pixel = [unselected_red, unselected_green, unselected_blue, opacity];
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

/// For each cell, its packets and the class with most of them.
fn cell_totals(density: &Density, cell_count: usize) -> (Vec<u32>, Vec<u8>) {
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

/// The opacity of a cell by its packets. Those of small counts are precomputed: most cells have few.
struct OpacityScale {
    log_fullest: f64,
    small: Vec<u8>,
}

impl OpacityScale {
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
    /// The cell under a pixel; `None` outside of the plot.
    pub fn cell_at(self, grid: &Grid, at: (f64, f64)) -> Option<(usize, usize)> {
        let (x, y) = self.fraction(at);
        let cell = |fraction: f64, count: usize| {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "in 0..count"
            )]
            (0.0..1.0)
                .contains(&fraction)
                .then(|| ((fraction * count as f64) as usize).min(count - 1))
        };
        Some((cell(x, grid.x.count)?, cell(y, grid.y.count)?))
    }
}
