//! The columns of the table of conversations with signs of trouble. Each cell selects the packets that it counts.

use super::App;
use super::tables::Format;
use crate::conversations::Conversation;
use crate::filter::{Context, Expr, parse};
use crate::table_columns::{COLUMNS, Column, column_mask};

/// The columns, the filters for the packets that they count, and the names of these packets.
const COUNTED: [(Column, &str, &str); 4] = [
    (Column::Handshake, "handshake_us", "handshakes"),
    (Column::Retransmissions, "rtx", "retransmissions"),
    (Column::Resets, "flags has R", "resets"),
    (Column::ZeroWindows, "zero_window", "zero windows"),
];

/// The packets that a column counts; `None` for other columns.
fn counted(column: Column) -> Option<Expr> {
    let (_, filter, _) = COUNTED.iter().find(|(other, ..)| *other == column)?;
    parse(filter, &Context::canonical()).ok().flatten()
}

/// The number of packets in a column; 0 for other columns.
fn count(conversation: &Conversation, column: Column) -> u32 {
    let health = &conversation.health;
    match column {
        Column::Handshake => health.handshakes,
        Column::Retransmissions => health.retransmissions,
        Column::Resets => health.resets,
        Column::ZeroWindows => health.zero_windows,
        _ => 0,
    }
}

/// The columns that need the analysis, as a bit mask.
pub(super) fn analysis_columns() -> u32 {
    column_mask(|column| {
        matches!(column, Column::Handshake | Column::Retransmissions | Column::ZeroWindows)
    })
}

/// The columns with packets of a conversation, as a bit mask.
pub(super) fn counted_columns(conversation: &Conversation) -> u32 {
    column_mask(|column| 0 < count(conversation, column))
}

/// The cells of a conversation, in the order of [`COLUMNS`]. Counts of 0 are not displayed.
pub(super) fn health_cells(conversation: &Conversation, format: &Format<'_>) -> [String; 4] {
    let health = &conversation.health;
    let count = |count: u32| match count {
        0 if !format.is_plain => String::new(),
        count => format.count(count.into()),
    };
    let handshake = health.mean_handshake_us().map(|us| match format.is_plain {
        true => us.to_string(),
        false => format.duration(us.saturating_mul(1_000)),
    });
    [
        handshake.unwrap_or_default(),
        count(health.retransmissions),
        count(health.resets),
        count(health.zero_windows),
    ]
}

impl App {
    /// The packets that a cell of a visible conversation counts; `None` for other cells, and if there are none.
    pub(super) fn counted_packets(&self, row: usize, column: usize) -> Option<Expr> {
        let (column, _) = *COLUMNS.get(column)?;
        let conversation = self.conversations.visible().get(row)?;
        let has_some = 0 < count(conversation, column);
        let packets = counted(column).filter(|_| has_some)?;
        Some(self.flows.expr(conversation.pair).and(packets))
    }
}

/// The name of the packets of a conversation that an expression of a cell selects.
pub(super) fn counted_name(expr: &Expr) -> Option<&'static str> {
    let Expr::And(operands) = expr else { return None };
    let last = operands.last()?;
    let is_last = |column| counted(column).as_ref() == Some(last);
    COUNTED.iter().find(|(column, ..)| is_last(*column)).map(|(.., name)| *name)
}
