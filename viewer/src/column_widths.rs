//! The widths that the user has given to columns of the tables.

use crate::app::Panel;
use crate::table_columns::{column_index, column_names};

/// The smallest and largest width in CSS pixels.
const RANGE_PX: (u16, u16) = (40, 2_000);

/// The widths of columns, in the order in which they were set. Other columns are as wide as their texts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ColumnWidths {
    /// Table, index of the column, and width in CSS pixels.
    widths: Vec<(Panel, usize, u16)>,
}

impl ColumnWidths {
    /// Sets the width of a column of a table; `None` makes it as wide as its texts. Clamps it.
    pub fn set(&mut self, table: Panel, column: usize, width_px: Option<u16>) {
        self.widths.retain(|width| (width.0, width.1) != (table, column));
        let width_px = width_px.map(|px| px.clamp(RANGE_PX.0, RANGE_PX.1));
        self.widths.extend(width_px.map(|px| (table, column, px)));
    }

    /// The columns of a table that have a width, and their widths in CSS pixels.
    pub fn of(&self, table: Panel) -> Vec<(usize, u16)> {
        let own = self.widths.iter().filter(|width| width.0 == table);
        own.map(|&(_, column, px)| (column, px)).collect()
    }

    /// The widths in links, such as `packets.src.240,endpoints.address.300`.
    pub fn text(&self) -> String {
        let texts = self.widths.iter().filter_map(|(table, column, px)| {
            Some(format!("{}.{}.{px}", table.name(), column_names(*table).get(*column)?))
        });
        texts.collect::<Vec<_>>().join(",")
    }

    /// The inverse of [`ColumnWidths::text`]; `None` if a table or column is unknown.
    pub fn parse(text: &str) -> Option<Self> {
        let mut widths = Self::default();
        for width in text.split(',').filter(|width| !width.is_empty()) {
            let (column, px) = width.rsplit_once('.')?;
            let (table, column) = column_index(column)?;
            widths.set(table, column, Some(px.parse().ok()?));
        }
        Some(widths)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn widths_are_clamped_and_round_trip() {
        let mut widths = ColumnWidths::default();
        widths.set(Panel::Packets, 2, Some(100));
        widths.set(Panel::Packets, 14, Some(9_999));
        widths.set(Panel::Endpoints, 0, Some(0));
        widths.set(Panel::Packets, 2, Some(240));
        widths.set(Panel::Conversations, 3, Some(90));
        widths.set(Panel::Conversations, 3, None);
        assert_eq!(widths.of(Panel::Packets), [(14, 2_000), (2, 240)]);
        assert_eq!(widths.of(Panel::Conversations), []);
        assert_eq!(widths.text(), "packets.info.2000,endpoints.address.40,packets.src.240");
        assert_eq!(ColumnWidths::parse(&widths.text()), Some(widths));
        assert_eq!(ColumnWidths::parse(""), Some(ColumnWidths::default()));
        for text in ["packets.src", "packets.src.", "packets.x.9", "sizes.n.9", "9", "packets.n.-1"]
        {
            assert_eq!(ColumnWidths::parse(text), None, "{text}");
        }
    }
}
