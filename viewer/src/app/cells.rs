//! The values of table cells and ranking bars, which can be copied and filtered by.

use super::tables::{Format, NO_ADDRESS};
use super::{App, Panel};
use crate::chart::Ranking;
use crate::filter::{Expr, Field, FieldType, Set};
use crate::table_columns::{COLUMNS, Column, PACKET_COLUMNS};
use crate::time::Zone;

/// The value of a cell or bar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CellValue {
    /// The value as text, complete and without digit grouping.
    pub text: String,
    /// The filter that selects packets with this value; `None` if filters cannot express it.
    pub filter: Option<String>,
    /// The expression of the connection of its row, if that can be shown.
    pub connection: Option<String>,
}

impl CellValue {
    fn new(text: String, field: Option<Field>) -> Self {
        let is_missing = text.is_empty() || text == NO_ADDRESS;
        let filter = field.filter(|_| !is_missing).map(|field| match field.field_type() {
            FieldType::Text => Expr::In(field, Set::Texts(vec![text.clone()])).to_text(&Zone::Utc),
            // A packet can have several VLAN IDs.
            _ => {
                let values = text.split(' ').map(|value| format!("{} == {value}", field.name()));
                values.collect::<Vec<_>>().join(" and ")
            }
        });
        Self { text, filter, connection: None }
    }
}

impl App {
    /// The value of a cell of a table, given by its visible row and its column, or of the bar of a ranking.
    pub fn cell_value(&self, panel: Panel, row: usize, column: usize) -> Option<CellValue> {
        let (cells, field) = match panel {
            Panel::Conversations => {
                let conversation = self.conversations.visible().get(row)?;
                if let Some(packets) = self.counted_packets(row, column) {
                    let cells = self.conversation_cells(conversation, &Format::PLAIN);
                    let filter = Some(packets.to_text(&Zone::Utc));
                    let connection = self.connection_of(panel, row);
                    return Some(CellValue {
                        text: cells.into_iter().nth(column)?,
                        filter,
                        connection,
                    });
                }
                let field = match COLUMNS.get(column)?.0 {
                    Column::A | Column::B => Some(Field::Host),
                    Column::PortA | Column::PortB => Some(Field::Port),
                    Column::Proto => Some(Field::Proto),
                    _ => None,
                };
                (self.conversation_cells(conversation, &Format::PLAIN), field)
            }
            Panel::Endpoints => {
                let endpoint = self.endpoints.visible().get(row)?;
                let field = (column == 0).then_some(Field::Host);
                (super::tables::endpoint_cells(endpoint, &Format::PLAIN), field)
            }
            Panel::Packets => {
                let packet = self.packet_rows().get(row)?;
                let field = Field::parse(PACKET_COLUMNS.get(column)?);
                (self.packet_cells(packet, &Format::PLAIN), field)
            }
            Panel::Problems => {
                let (cells, filter) = self.problem_row(row)?;
                let text = cells.into_iter().nth(column)?;
                return Some(CellValue { text, filter, connection: None });
            }
            panel => {
                let filter = self.item_expr(panel, row)?.to_text(&Zone::Utc);
                let text = self.item_name(panel, row)?;
                return Some(CellValue { text, filter: Some(filter), connection: None });
            }
        };
        let connection = self.connection_of(panel, row);
        Some(CellValue { connection, ..CellValue::new(cells.into_iter().nth(column)?, field) })
    }

    /// The top and the height of a bar's row in its canvas, in pixels.
    pub fn bar_row(&self, panel: Panel, bar: usize) -> (f64, f64) {
        Ranking::row(self.size(panel), bar)
    }

    /// The bar of a ranking at a pixel of its canvas, or at its keyboard cursor.
    pub fn bar_at(&self, panel: Panel, y_px: Option<f64>) -> Option<usize> {
        match y_px {
            Some(y_px) => self.item_at(panel, y_px),
            None => self.cursor.filter(|cursor| cursor.0 == panel).map(|(_, (_, row))| row),
        }
    }
}
