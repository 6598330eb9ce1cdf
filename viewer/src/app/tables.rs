//! The tables of conversations, endpoints and packets. Only the visible rows are formatted.

use super::detail::DetailPacket;
use super::gesture::endpoint_expr;
use super::health::{analysis_columns, counted_columns, health_cells};
use super::{App, Panel};
use crate::chart::Table;
use crate::conversations::{Conversation, Endpoint};
use crate::query::LocatedPacket;
use crate::table_columns::{COLUMNS, Column, ENDPOINT_COLUMNS, PACKET_COLUMNS, column_mask};
use crate::tally::Tally;
use crate::text::{fixed, integer, named, prefixed};
use crate::time::{Zone, duration};
use summary::{Address, grouped};

/// The cell of a missing address.
pub(super) const NO_ADDRESS: &str = "–";

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
    /// The hidden columns, as a bit mask.
    pub hidden: u32,
    /// The widths of the columns that the user has resized, in CSS pixels.
    pub widths: Vec<(usize, u16)>,
    /// The date and zone of all times in the visible rows, which then lack them; otherwise empty.
    pub date: String,
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
        let [first, last, count] = [self.first + 1, last, self.count].map(grouped);
        let date = if self.date.is_empty() { "" } else { " · " };
        format!("Rows {first}–{last} of {count}{date}{}", self.date)
    }

    /// Moves the date from the cells of these columns to [`VirtualTable::date`], if it is the same in all
    /// visible rows.
    fn share_date(mut self, columns: &[usize]) -> Self {
        let cells = self.rows.iter_mut().flat_map(|row| {
            row.cells.iter_mut().enumerate().filter(|(column, _)| columns.contains(column))
        });
        let mut cells: Vec<_> = cells.map(|(_, cell)| cell).collect();
        // `2026-11-24 12:00:00.000000000 UTC`; times since the start have no date.
        let parts = |cell: &str| {
            let (date, rest) = cell.split_once(' ')?;
            let (time, zone) = rest.split_once(' ')?;
            Some((time.to_owned(), format!("{date} {zone}")))
        };
        let date = cells.first().and_then(|cell| parts(cell));
        if let Some((_, date)) = date
            && cells.iter().all(|cell| parts(cell).is_some_and(|(_, other)| other == date))
        {
            for cell in &mut cells {
                **cell = parts(cell).map(|(time, _)| time).unwrap_or_default();
            }
            self.date = date;
        }
        self
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
    /// The columns that show names instead of addresses, and the addresses.
    pub addresses: Vec<(usize, String)>,
    /// The row is selected, or its details are shown.
    pub is_selected: bool,
    /// The columns whose cells select the packets that they count, as a bit mask.
    pub counted: u32,
}

/// How a table writes its values: for display, or as plain numbers in base units.
pub(super) struct Format<'a> {
    pub(super) zone: &'a Zone,
    pub(super) is_plain: bool,
}

impl Format<'_> {
    pub(super) const PLAIN: Format<'static> = Format { zone: &Zone::Utc, is_plain: true };

    fn name(&self, name: &str) -> String {
        if self.is_plain { name } else { named(name) }.to_owned()
    }

    pub(super) fn count(&self, count: u64) -> String {
        if self.is_plain { count.to_string() } else { grouped(count) }
    }

    pub(super) fn tally(&self, tally: Tally) -> [String; 2] {
        let bytes = tally.bytes;
        let bytes = if self.is_plain { bytes.to_string() } else { crate::text::bytes(bytes) };
        [self.count(tally.packets), bytes]
    }

    fn time(&self, ts_ns: i64) -> String {
        if self.is_plain { Zone::Utc.format_compact(ts_ns) } else { self.zone.format(ts_ns) }
    }

    pub(super) fn duration(&self, ns: u64) -> String {
        if self.is_plain { ns.to_string() } else { duration(i64::try_from(ns).unwrap_or(i64::MAX)) }
    }

    fn rate(&self, rate: f64) -> String {
        if self.is_plain { fixed(rate, 3) } else { prefixed(rate) }
    }
}

/// The cell of a port; empty if there is none.
fn port_text(port: Option<u16>) -> String {
    port.map_or_else(String::new, |port| port.to_string())
}

impl App {
    /// The visible conversations.
    pub(super) fn visible_conversations(&self, zone: &Zone) -> VirtualTable {
        let format = Format { zone, is_plain: false };
        let row = |conversation: &Conversation| {
            let is_selected = self.is_selected(&self.flows.expr(conversation.pair));
            let row =
                self.row(self.conversation_cells(conversation, &format), is_selected, &[0, 2]);
            VirtualRow { counted: counted_columns(conversation), ..row }
        };
        let ports = column_mask(|column| matches!(column, Column::PortA | Column::PortB));
        let hidden = if self.settings.by_ports { 0 } else { ports };
        let hidden = hidden | if self.is_analyzed() { 0 } else { analysis_columns() };
        let start = COLUMNS.iter().position(|column| column.0 == Column::Start);
        VirtualTable {
            count: self.conversations.len(),
            first: self.conversations.first,
            visible_rows: self.conversations.visible_rows,
            rows: self.conversations.visible().iter().map(row).collect(),
            hidden: self.hidden(Panel::Conversations, hidden),
            widths: self.settings.layout.widths.of(Panel::Conversations),
            date: String::new(),
        }
        .share_date(start.as_slice())
    }

    /// All conversations, as plain numbers in base units.
    pub(super) fn conversation_table(&self) -> Table {
        let row =
            |conversation: &Conversation| self.conversation_cells(conversation, &Format::PLAIN);
        Table {
            header: header(&COLUMNS),
            rows: self.sorted_conversations().iter().map(row).collect(),
        }
    }

    pub(super) fn conversation_cells(
        &self,
        conversation: &Conversation,
        format: &Format<'_>,
    ) -> Vec<String> {
        let endpoint = |address: Option<Address>| {
            address.map_or_else(|| NO_ADDRESS.to_owned(), |address| address.to_string())
        };
        let pair = conversation.pair;
        let proto = format.name(&self.flows.protos()[pair.proto as usize]);
        let mut cells = vec![
            endpoint(pair.a),
            port_text(pair.ports.0),
            endpoint(pair.b),
            port_text(pair.ports.1),
            proto,
        ];
        cells.extend(format.tally(conversation.total()));
        cells.extend(health_cells(conversation, format));
        for tally in [conversation.a_to_b, conversation.b_to_a] {
            cells.extend(format.tally(tally));
        }
        cells.push(format.time(conversation.ts_ns.0));
        cells.push(format.duration(conversation.duration_ns()));
        cells.push(conversation.rate().map_or_else(String::new, |rate| format.rate(rate)));
        cells
    }

    /// The visible endpoints.
    pub(super) fn visible_endpoints(&self, zone: &Zone) -> VirtualTable {
        let format = Format { zone, is_plain: false };
        let row = |endpoint: &Endpoint| {
            let is_selected = self.is_selected(&endpoint_expr(endpoint.address));
            self.row(endpoint_cells(endpoint, &format), is_selected, &[0])
        };
        VirtualTable {
            count: self.endpoints.len(),
            first: self.endpoints.first,
            visible_rows: self.endpoints.visible_rows,
            rows: self.endpoints.visible().iter().map(row).collect(),
            hidden: self.hidden(Panel::Endpoints, 0),
            widths: self.settings.layout.widths.of(Panel::Endpoints),
            date: String::new(),
        }
        .share_date(&[8, 9])
    }

    /// All endpoints, as plain numbers in base units.
    pub(super) fn endpoint_table(&self) -> Table {
        let row = |endpoint: &Endpoint| endpoint_cells(endpoint, &Format::PLAIN);
        Table {
            header: header(&ENDPOINT_COLUMNS),
            rows: self.sorted_endpoints().iter().map(row).collect(),
        }
    }

    /// The visible packets.
    pub(super) fn visible_packets(&self, zone: &Zone) -> VirtualTable {
        let format = Format { zone, is_plain: false };
        let (shown, filled) = (self.detail.as_ref().map(DetailPacket::id), self.filled_columns);
        let row = |packet: &LocatedPacket| {
            let is_selected = shown == Some((packet.part, packet.index));
            self.row(self.packet_cells(packet, &format), is_selected, &[2, 4])
        };
        VirtualTable {
            count: self.selected().packets,
            first: self.packets.first,
            visible_rows: self.packets.visible_rows,
            rows: self.packet_rows().iter().map(row).collect(),
            hidden: self.hidden(Panel::Packets, if filled == 0 { 0 } else { !filled }),
            widths: self.settings.layout.widths.of(Panel::Packets),
            date: String::new(),
        }
        .share_date(&[1])
    }

    /// The hidden columns of a table, given those that are hidden by default.
    fn hidden(&self, table: Panel, by_default: u32) -> u32 {
        self.settings.layout.columns.hidden(table, by_default)
    }

    /// Notes the columns of the packet table that have values. The name of the file is the same in all
    /// rows unless there are several files.
    pub(super) fn note_filled_columns(&mut self) {
        let mut filled = self.filled_columns;
        for packet in self.packet_rows() {
            let cells = self.packet_cells(packet, &Format::PLAIN);
            let columns = cells.iter().enumerate().filter(|(_, cell)| !cell.is_empty());
            filled |= columns.map(|(column, _)| 1 << column).sum::<u32>();
        }
        let file = PACKET_COLUMNS.iter().position(|name| *name == "file").map_or(0, |at| 1 << at);
        self.filled_columns = if self.files.files.len() < 2 { filled & !file } else { filled };
    }

    /// The cells of a packet, in the order of [`PACKET_COLUMNS`].
    pub(super) fn packet_cells(&self, packet: &LocatedPacket, format: &Format<'_>) -> Vec<String> {
        let row = &packet.row;
        let file = self.files.part(packet.part).map_or(0, |(file, _)| *file);
        let file = self.files.files.get(file).map_or("", |file| &file.name);
        let vlan: Vec<_> = row.vlan.iter().map(u16::to_string).collect();
        vec![
            if format.is_plain { row.n.to_string() } else { integer(row.n) },
            format.time(row.ts_ns),
            row.src.clone(),
            port_text(row.sport),
            row.dst.clone(),
            port_text(row.dport),
            format.name(&row.proto),
            format.count(row.len.into()),
            row.ttl.map_or_else(String::new, |ttl| ttl.to_string()),
            row.flags.clone().unwrap_or_default(),
            row.interface.clone(),
            row.direction.clone(),
            vlan.join(" "),
            file.to_owned(),
            self.extra_fields.of((packet.part, packet.index)).to_owned(),
        ]
    }
}

/// The header of a table for download.
fn header<C>(columns: &[(C, &str)]) -> Vec<String> {
    columns.iter().map(|(_, name)| name.replace('-', "_")).collect()
}

pub(super) fn endpoint_cells(endpoint: &Endpoint, format: &Format<'_>) -> Vec<String> {
    let mut cells = vec![endpoint.address.to_string()];
    for tally in [endpoint.total, endpoint.sent, endpoint.received] {
        cells.extend(format.tally(tally));
    }
    cells.push(format.count(endpoint.peers.into()));
    cells.extend([endpoint.ts_ns.0, endpoint.ts_ns.1].map(|ts_ns| format.time(ts_ns)));
    cells
}
