//! The tables of conversations and packets. Only the visible rows are formatted.

use super::App;
use crate::chart::Table;
use crate::conversations::Conversation;
use crate::settings::COLUMNS;
use crate::text::{duration, fixed, integer, prefixed};
use crate::time::Zone;
use summary::{Address, grouped};

/// The visible part of a long table.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct VirtualTable {
    /// The number of all rows.
    pub count: u64,
    /// Index of the first visible row.
    pub first: u64,
    /// The number of rows that can be displayed.
    pub visible_rows: usize,
    /// The visible rows.
    pub rows: Vec<VirtualRow>,
}

impl VirtualTable {
    /// The largest possible index of the first visible row.
    pub fn max_first(&self) -> u64 {
        max_first(self.count, self.visible_rows)
    }

    /// The visible range: `Rows 1–12 of 650`.
    pub fn range_text(&self) -> String {
        if self.count == 0 {
            return "No rows".to_owned();
        }
        let last = self.first + self.rows.len() as u64;
        format!("Rows {}–{} of {}", grouped(self.first + 1), grouped(last), grouped(self.count))
    }
}

/// The largest possible index of the first visible row.
pub(super) fn max_first(count: u64, visible_rows: usize) -> u64 {
    count.saturating_sub(visible_rows as u64)
}

/// A row of a long table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VirtualRow {
    /// The text of each cell.
    pub cells: Vec<String>,
    /// The row is selected, or its details are shown.
    pub is_selected: bool,
}

impl App {
    /// The visible conversations.
    pub(super) fn visible_conversations(&self, zone: &Zone) -> VirtualTable {
        let rows = self.conversations.visible().iter();
        let row = |conversation: &Conversation| VirtualRow {
            cells: self.conversation_cells(
                conversation,
                |packets, bytes| [grouped(packets), crate::text::bytes(bytes)],
                |ts| zone.format(ts),
                duration,
                prefixed,
            ),
            is_selected: self.is_selected(conversation.pair),
        };
        VirtualTable {
            count: self.conversations.len(),
            first: self.conversations.first,
            visible_rows: self.conversations.visible_rows,
            rows: rows.map(row).collect(),
        }
    }

    /// All conversations, as plain numbers in base units.
    pub(super) fn conversation_table(&self) -> Table {
        let header = COLUMNS.iter().map(|(_, name)| name.replace('-', "_")).collect();
        let row = |conversation: &Conversation| {
            self.conversation_cells(
                conversation,
                |packets, bytes| [packets.to_string(), bytes.to_string()],
                |ts| Zone::Utc.format_compact(ts),
                |ns| ns.to_string(),
                |rate| fixed(rate, 3),
            )
        };
        let all = self.conversations.sorted(self.settings.sort, self.flows.protos());
        Table { header, rows: all.iter().map(row).collect() }
    }

    fn conversation_cells(
        &self,
        conversation: &Conversation,
        amount: impl Fn(u64, u64) -> [String; 2],
        time: impl Fn(i64) -> String,
        duration: impl Fn(i64) -> String,
        rate: impl Fn(f64) -> String,
    ) -> Vec<String> {
        let endpoint = |address: Option<Address>| {
            address.map_or_else(|| "–".to_owned(), |address| address.to_string())
        };
        let proto = self.flows.protos()[conversation.pair.proto as usize].clone();
        let mut cells = vec![endpoint(conversation.pair.a), endpoint(conversation.pair.b), proto];
        for tally in [conversation.total(), conversation.a_to_b, conversation.b_to_a] {
            cells.extend(amount(tally.packets, tally.bytes));
        }
        let ns = i64::try_from(conversation.duration_ns()).unwrap_or(i64::MAX);
        cells.extend([time(conversation.ts_ns.0), duration(ns)]);
        cells.push(conversation.rate().map_or_else(String::new, rate));
        cells
    }

    /// The visible packets.
    pub(super) fn visible_packets(&self, zone: &Zone) -> VirtualTable {
        let rows = self.packet_rows().iter().map(|packet| {
            let (id, row) = ((packet.part, packet.index), &packet.row);
            let port = |port: Option<u16>| port.map_or_else(String::new, |port| port.to_string());
            let file = self.files.parts.get(packet.part).map_or(0, |(file, _)| *file);
            let file = self.files.files.get(file).map_or("", |file| &file.name);
            let vlan: Vec<_> = row.vlan.iter().map(u16::to_string).collect();
            VirtualRow {
                cells: vec![
                    integer(row.n),
                    zone.format(row.ts_ns),
                    row.src.clone(),
                    port(row.sport),
                    row.dst.clone(),
                    port(row.dport),
                    row.proto.clone(),
                    grouped(u64::from(row.len)),
                    row.ttl.map_or_else(String::new, |ttl| ttl.to_string()),
                    row.flags.clone().unwrap_or_default(),
                    row.interface.clone(),
                    row.direction.clone(),
                    vlan.join(" "),
                    file.to_owned(),
                    self.extra_fields.of(id).to_owned(),
                ],
                is_selected: self.detail.as_ref().is_some_and(|detail| detail.id() == id),
            }
        });
        VirtualTable {
            count: self.selected().packets,
            first: self.packets.first,
            visible_rows: self.packets.visible_rows,
            rows: rows.collect(),
        }
    }
}
