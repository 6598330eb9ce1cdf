//! A packet with its values spelled out.

use viewer_model::wire::wire;

/// The values of one packet as text and numbers. Texts are empty if the packet has no such value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PacketRow {
    /// Packet number within its capture run.
    pub n: i64,
    /// Timestamp in nanoseconds since the epoch.
    pub ts_ns: i64,
    /// Length on the wire in bytes.
    pub len: u32,
    /// Source address.
    pub src: String,
    /// Source port.
    pub sport: Option<u16>,
    /// Destination address.
    pub dst: String,
    /// Destination port.
    pub dport: Option<u16>,
    /// Protocol.
    pub proto: String,
    /// Time to live or hop limit.
    pub ttl: Option<u8>,
    /// Letters of the TCP flags.
    pub flags: Option<String>,
    /// Interface.
    pub interface: String,
    /// Direction.
    pub direction: String,
    /// VLAN IDs, outermost first.
    pub vlan: Vec<u16>,
    /// Offset of its line or record in the decompressed file.
    pub offset: u64,
}

wire!(struct PacketRow {
    n, ts_ns, len, src, sport, dst, dport, proto, ttl, flags, interface, direction, vlan, offset,
});
