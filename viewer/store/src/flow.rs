//! Flows as the columns of one part store them, and how a part reports new ones.

use summary::Address;
use viewer_model::wire::wire;

/// Source, destination and protocol shared by packets of one direction. Ports are not part of it.
///
/// The numbers are ids within one part: indices into its list of addresses and protocols.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Flow {
    /// Id of the source address, or [`NO_ADDRESS`].
    pub src: u32,
    /// Id of the destination address, or [`NO_ADDRESS`].
    pub dst: u32,
    /// Id of the protocol.
    pub proto: u16,
}

/// Stands for a missing address in a [`Flow`].
pub const NO_ADDRESS: u32 = u32::MAX;

/// What a part has added to its lists since the last [`SyncCursor`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FlowDelta {
    /// Names of new protocols.
    pub protos: Vec<String>,
    /// New addresses.
    pub addresses: Vec<Address>,
    /// New flows. Their ids refer to earlier deltas or to this one.
    pub flows: Vec<Flow>,
}

/// How far the lists of a part have been sent to the page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SyncCursor {
    /// Number of protocols sent.
    pub(crate) protos: usize,
    /// Number of addresses sent.
    pub(crate) addresses: usize,
    /// Number of flows sent.
    pub(crate) flows: usize,
}

wire!(struct Flow { src, dst, proto });
wire!(struct FlowDelta { protos, addresses, flows });
