//! The tooltip under the pointer, and the announcement of the cell at the keyboard cursor.

use super::charts::Chart;
use super::{App, Panel};
use crate::chart::{LegendEntry, Ranking, legend_text, problems_text};
use crate::scene::Rect;
use crate::text::integer;
use crate::time::Zone;
use summary::grouped;

/// Text beside a part of a chart.
#[derive(Clone, Debug, PartialEq)]
pub struct Tooltip {
    /// The chart.
    pub panel: Panel,
    /// The described part of the chart at the pointer, in CSS pixels, which the tooltip must not cover.
    pub rect: Rect,
    /// The text.
    pub lines: Vec<String>,
}

impl App {
    /// The tooltip.
    pub(super) fn hover(&self, zone: &Zone) -> Option<Tooltip> {
        let (panel, at) = self.pointer?;
        let size = self.size(panel);
        let mut rect = Rect { x: at.0, y: at.1, width: 0.0, height: 0.0 };
        if let Some((entry, rect)) = self.legend_at(panel, at) {
            let lines = match entry {
                LegendEntry::Class(class) => {
                    let name = self.class_names()[class.index()];
                    legend_text(name, self.shown_classes().has(class))
                }
                LegendEntry::Problems => problems_text(),
            };
            return Some(Tooltip { panel, rect, lines });
        }
        let lines = match self.chart(panel)? {
            Chart::Binned(chart) => {
                let x = size.fraction(at).0;
                if !(0.0..=1.0).contains(&x) {
                    return None;
                }
                let bin = chart.bin_at(x);
                (rect.x, rect.width) = chart.column(bin, size.plot());
                chart.bin_text(bin, zone)
            }
            Chart::Overview(_) | Chart::Note(..) => return None,
            Chart::Ranking(chart) => {
                let index = chart.item_at(size, at.1)?;
                (rect.y, rect.height) = Ranking::row(size, index);
                chart.item_text(index)
            }
            Chart::Scatter(chart) => {
                let mut lines = self.hit_text(zone)?;
                let cell = self.hit()?.cell;
                lines.extend(chart.cell_text(cell, zone).into_iter().take(1));
                lines
            }
        };
        Some(Tooltip { panel, rect, lines })
    }

    /// The packet nearest to the pointer or the cursor in the scatter plot.
    fn hit_text(&self, zone: &Zone) -> Option<Vec<String>> {
        self.pointed_cell()?;
        let row = &self.hit()?.packet.row;
        let endpoint = |address: &str, port: Option<u16>| match (address, port) {
            ("", _) => "–".to_owned(),
            (address, None) => address.to_owned(),
            (address, Some(port)) if address.contains(':') => format!("[{address}]:{port}"),
            (address, Some(port)) => format!("{address}:{port}"),
        };
        let mut lines = vec![
            format!("Packet {}", integer(row.n)),
            zone.format(row.ts_ns),
            format!("{} → {}", endpoint(&row.src, row.sport), endpoint(&row.dst, row.dport)),
        ];
        lines.extend(self.named_endpoints(row));
        lines.push(format!("{}, {} bytes", row.proto, grouped(u64::from(row.len))));
        Some(lines)
    }

    /// The text of the cell at the keyboard cursor; empty without a cursor.
    pub(super) fn announcement(&self, zone: &Zone) -> String {
        let Some((panel, cell)) = self.cursor else { return String::new() };
        let Some(chart) = self.chart(panel) else { return String::new() };
        let mut lines = chart.cell_text(cell, zone);
        if panel == Panel::Scatter {
            lines.extend(self.hit_text(zone).unwrap_or_default());
        }
        lines.join(". ")
    }
}
