//! The columns of the tables, and the order of their rows.

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
pub const COLUMNS: [(Column, &str); 14] = [
    (Column::A, "a"),
    (Column::PortA, "port-a"),
    (Column::B, "b"),
    (Column::PortB, "port-b"),
    (Column::Proto, "proto"),
    (Column::Packets, "packets"),
    (Column::Bytes, "bytes"),
    (Column::PacketsAToB, "packets-a-to-b"),
    (Column::BytesAToB, "bytes-a-to-b"),
    (Column::PacketsBToA, "packets-b-to-a"),
    (Column::BytesBToA, "bytes-b-to-a"),
    (Column::Start, "start"),
    (Column::Duration, "duration"),
    (Column::Rate, "rate"),
];

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
