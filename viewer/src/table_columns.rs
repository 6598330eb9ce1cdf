//! The columns of the tables, which of them are hidden, and the order of the rows.

use crate::app::Panel;

/// A column of the table of conversations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Column {
    /// One endpoint.
    A,
    /// Port of A.
    PortA,
    /// The other endpoint.
    B,
    /// Port of B.
    PortB,
    /// Protocol.
    Proto,
    /// Packets of both directions.
    #[default]
    Packets,
    /// Bytes of both directions.
    Bytes,
    /// Mean time of the handshakes.
    Handshake,
    /// Retransmissions.
    Retransmissions,
    /// Packets with RST.
    Resets,
    /// Packets with a window of zero.
    ZeroWindows,
    /// Packets from A to B.
    PacketsAToB,
    /// Bytes from A to B.
    BytesAToB,
    /// Packets from B to A.
    PacketsBToA,
    /// Bytes from B to A.
    BytesBToA,
    /// Timestamp of the first packet.
    Start,
    /// Time from the first to the last packet.
    Duration,
    /// Bits per second.
    Rate,
}

/// A column of the table of endpoints.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EndpointColumn {
    /// Address.
    Address,
    /// Packets from or to the address.
    #[default]
    Packets,
    /// Bytes of these packets.
    Bytes,
    /// Packets from the address.
    PacketsSent,
    /// Bytes from the address.
    BytesSent,
    /// Packets to the address.
    PacketsReceived,
    /// Bytes to the address.
    BytesReceived,
    /// Number of other addresses.
    Peers,
    /// Timestamp of the first packet.
    First,
    /// Timestamp of the last packet.
    Last,
}

/// The columns of the table of conversations, with their names in links.
pub const COLUMNS: [(Column, &str); 18] = [
    (Column::A, "a"),
    (Column::PortA, "port-a"),
    (Column::B, "b"),
    (Column::PortB, "port-b"),
    (Column::Proto, "proto"),
    (Column::Packets, "packets"),
    (Column::Bytes, "bytes"),
    (Column::Handshake, "handshake-us"),
    (Column::Retransmissions, "rtx"),
    (Column::Resets, "resets"),
    (Column::ZeroWindows, "zero-windows"),
    (Column::PacketsAToB, "packets-a-to-b"),
    (Column::BytesAToB, "bytes-a-to-b"),
    (Column::PacketsBToA, "packets-b-to-a"),
    (Column::BytesBToA, "bytes-b-to-a"),
    (Column::Start, "start"),
    (Column::Duration, "duration"),
    (Column::Rate, "rate"),
];

/// The columns of conversations for which `is_member` is true, as a bit mask by index in [`COLUMNS`].
pub fn column_mask(is_member: impl Fn(Column) -> bool) -> u32 {
    let members = COLUMNS.iter().enumerate().filter(|(_, (column, _))| is_member(*column));
    members.map(|(index, _)| 1 << index).sum()
}

/// The columns of the table of endpoints, with their names in links.
pub const ENDPOINT_COLUMNS: [(EndpointColumn, &str); 10] = [
    (EndpointColumn::Address, "address"),
    (EndpointColumn::Packets, "packets"),
    (EndpointColumn::Bytes, "bytes"),
    (EndpointColumn::PacketsSent, "packets-sent"),
    (EndpointColumn::BytesSent, "bytes-sent"),
    (EndpointColumn::PacketsReceived, "packets-received"),
    (EndpointColumn::BytesReceived, "bytes-received"),
    (EndpointColumn::Peers, "peers"),
    (EndpointColumn::First, "first"),
    (EndpointColumn::Last, "last"),
];

/// The columns of the table of packets: the names of their fields in filters.
pub const PACKET_COLUMNS: [&str; 15] = [
    "n", "ts", "src", "sport", "dst", "dport", "proto", "len", "ttl", "flags", "if", "dir", "vlan",
    "file", "info",
];

/// The columns of the table of problems.
pub const PROBLEM_COLUMNS: [&str; 4] = ["problem", "packets", "bytes", "filter"];

/// The name of an order in links: that of its column, after `-` if descending.
pub(crate) fn sort_name<C: PartialEq>(names: &[(C, &str)], sort: &(C, bool)) -> String {
    let name = names.iter().find(|column| column.0 == sort.0).map_or("", |(_, name)| name);
    format!("{}{name}", if sort.1 { "" } else { "-" })
}

/// Parses an order that [`sort_name`] wrote, and stores it in `sort`. Returns false for unknown columns.
pub(crate) fn set_sort<C: Copy>(names: &[(C, &str)], text: &str, sort: &mut (C, bool)) -> bool {
    let (name, is_ascending) = match text.strip_prefix('-') {
        Some(name) => (name, false),
        None => (text, true),
    };
    let column = names.iter().find(|column| column.1 == name);
    column.map(|column| *sort = (column.0, is_ascending)).is_some()
}

/// The columns that the user has hidden or shown. Others are hidden while they are empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ColumnChoices {
    /// Table, index of the column, and whether it is shown.
    choices: Vec<(Panel, usize, bool)>,
}

impl ColumnChoices {
    /// Shows or hides a column of a table.
    pub fn choose(&mut self, table: Panel, column: usize, is_shown: bool) {
        self.choices.retain(|choice| (choice.0, choice.1) != (table, column));
        self.choices.push((table, column, is_shown));
    }

    /// The hidden columns of a table as a bit mask, given those that are hidden without a choice.
    pub fn hidden(&self, table: Panel, by_default: u32) -> u32 {
        let own = self.choices.iter().filter(|choice| choice.0 == table);
        own.fold(
            by_default,
            |hidden, &(_, column, is_shown)| {
                if is_shown { hidden & !(1 << column) } else { hidden | 1 << column }
            },
        )
    }

    /// The choices in links, such as `packets.ttl-,packets.vlan`: a minus sign after hidden columns.
    pub fn text(&self) -> String {
        let texts = self.choices.iter().filter_map(|(table, column, is_shown)| {
            let name = *column_names(*table).get(*column)?;
            Some(format!("{}.{name}{}", table.name(), if *is_shown { "" } else { "-" }))
        });
        texts.collect::<Vec<_>>().join(",")
    }

    /// The inverse of [`ColumnChoices::text`]; `None` if a table or column is unknown.
    pub fn parse(text: &str) -> Option<Self> {
        let mut choices = Self::default();
        for choice in text.split(',').filter(|choice| !choice.is_empty()) {
            let name = choice.trim_end_matches('-');
            let (table, column) = column_index(name)?;
            choices.choose(table, column, name == choice);
        }
        Some(choices)
    }
}

/// The table and the index of a column, given as `table.column`.
pub(crate) fn column_index(text: &str) -> Option<(Panel, usize)> {
    let (table, name) = text.split_once('.')?;
    let table = Panel::parse(table)?;
    Some((table, column_names(table).iter().position(|other| *other == name)?))
}

/// The names of the columns of a table; none for a chart.
pub(crate) fn column_names(table: Panel) -> Vec<&'static str> {
    match table {
        Panel::Conversations => COLUMNS.iter().map(|column| column.1).collect(),
        Panel::Endpoints => ENDPOINT_COLUMNS.iter().map(|column| column.1).collect(),
        Panel::Packets => PACKET_COLUMNS.to_vec(),
        Panel::Problems => PROBLEM_COLUMNS.to_vec(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn choices_override_defaults_and_round_trip() {
        let mut choices = ColumnChoices::default();
        assert_eq!((choices.hidden(Panel::Packets, 0b11), choices.text()), (0b11, String::new()));
        choices.choose(Panel::Packets, 0, false);
        choices.choose(Panel::Packets, 0, true);
        choices.choose(Panel::Packets, 8, false);
        choices.choose(Panel::Endpoints, 7, false);
        assert_eq!(choices.hidden(Panel::Packets, 0b11), 0b1_0000_0010);
        assert_eq!(choices.hidden(Panel::Conversations, 0b1010), 0b1010);
        assert_eq!(choices.text(), "packets.n,packets.ttl-,endpoints.peers-");
        assert_eq!(ColumnChoices::parse(&choices.text()), Some(choices));
        for text in ["packets", "packets.", "packets.x", "sizes.n", "-", "packets.n,,x"] {
            assert_eq!(ColumnChoices::parse(text), None, "{text}");
        }
    }
}
