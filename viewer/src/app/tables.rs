//! The long tables, of which only what is seen is made.

use super::App;
use crate::chart::Table;
use crate::conversations::Conversation;
use crate::settings::COLUMNS;
use crate::text::{duration, fixed, prefixed};
use crate::time::Zone;
use summary::{Address, grouped};

/// The part of a long table that is seen.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct VirtualTable {
    /// All rows.
    pub count: u64,
    /// Place of the first one that is seen.
    pub first: u64,
    /// Rows that can be seen.
    pub room: usize,
    /// Those that are seen.
    pub rows: Vec<VirtualRow>,
}

impl VirtualTable {
    /// The last place that the first row can have.
    pub fn last(&self) -> u64 {
        last_first(self.count, self.room)
    }

    /// Which rows are seen, of how many.
    pub fn range_text(&self) -> String {
        if self.count == 0 {
            return "none".to_owned();
        }
        let last = self.first + self.rows.len() as u64;
        format!("{} to {} of {}", grouped(self.first + 1), grouped(last), grouped(self.count))
    }
}

/// The last place that the first of some rows can have, of those that can be seen.
pub(super) fn last_first(count: u64, room: usize) -> u64 {
    count.saturating_sub(room as u64)
}

/// A row of a long table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VirtualRow {
    /// The words of its cells.
    pub cells: Vec<String>,
    /// Whether it is selected.
    pub is_selected: bool,
}

impl App {
    /// The conversations that are seen.
    pub(super) fn conversation_rows(&self, zone: &Zone) -> VirtualTable {
        let rows = self.conversations.shown().iter();
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
            room: self.conversations.room,
            rows: rows.map(row).collect(),
        }
    }

    /// All conversations in numbers.
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
        span: impl Fn(i64) -> String,
        rate: impl Fn(f64) -> String,
    ) -> Vec<String> {
        let side = |address: Option<Address>| {
            address.map_or_else(|| "–".to_owned(), |address| address.to_string())
        };
        let proto = self.flows.protos()[conversation.pair.proto as usize].clone();
        let mut cells = vec![side(conversation.pair.a), side(conversation.pair.b), proto];
        for tally in [conversation.total(), conversation.a_to_b, conversation.b_to_a] {
            cells.extend(amount(tally.packets, tally.bytes));
        }
        let ns = i64::try_from(conversation.duration_ns()).unwrap_or(i64::MAX);
        cells.extend([time(conversation.ts_ns.0), span(ns)]);
        cells.push(conversation.rate().map_or_else(String::new, rate));
        cells
    }

    /// The packets that are seen.
    pub(super) fn packet_table(&self, zone: &Zone) -> VirtualTable {
        let rows = self.packet_rows().iter().map(|packet| {
            let row = &packet.row;
            let port = |port: Option<u16>| port.map_or_else(String::new, |port| port.to_string());
            let file = self.files.parts.get(packet.part).map_or(0, |(file, _)| *file);
            let file = self.files.files.get(file).map_or("", |file| &file.name);
            let vlan: Vec<_> = row.vlan.iter().map(u16::to_string).collect();
            VirtualRow {
                cells: vec![
                    crate::text::integer(row.n),
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
                    self.extra_fields.of((packet.part, packet.index)).to_owned(),
                ],
                is_selected: self
                    .picked
                    .as_ref()
                    .is_some_and(|picked| picked.at == (packet.part, packet.index)),
            }
        });
        VirtualTable {
            count: self.selected().packets,
            first: self.packets.first,
            room: self.packets.room,
            rows: rows.collect(),
        }
    }
}
