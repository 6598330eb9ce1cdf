//! Flows as the columns of one part store them, and how a part reports new ones.

use summary::Address;
use viewer_model::wire::{Wire, wire};

/// Source, destination and protocol shared by packets of one direction. Ports are not part of it.
///
/// The numbers are ids within one part: indices into its list of addresses and protocols.
/// Packed to 10 instead of 12 bytes, because there can be many.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(Rust, packed(2))]
pub struct Flow {
    /// Id of the source address, or [`NO_ADDRESS`].
    pub src: u32,
    /// Id of the destination address, or [`NO_ADDRESS`].
    pub dst: u32,
    /// Id of the protocol.
    pub proto: u16,
}

/// Source and destination port; `None` for packets without the port.
pub type Ports = (Option<u16>, Option<u16>);

/// Stands for a missing address in a [`Flow`].
pub const NO_ADDRESS: u32 = u32::MAX;

/// Additions to the lists of a part since the last [`SyncCursor`].
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

impl Wire for Flow {
    fn put(&self, bytes: &mut Vec<u8>) {
        // Copies, because fields of a packed struct cannot be borrowed.
        let Self { src, dst, proto } = *self;
        src.put(bytes);
        dst.put(bytes);
        proto.put(bytes);
    }

    fn get(bytes: &mut &[u8]) -> Option<Self> {
        let (src, dst) = <(u32, u32)>::get(bytes)?;
        Some(Self { src, dst, proto: u16::get(bytes)? })
    }
}

wire!(struct FlowDelta { protos, addresses, flows });
