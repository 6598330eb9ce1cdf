//! One packet socket with its ring: the way from the kernel to a [`Frame`].
//!
//! ```text
//! open -> (Capture, Reader);  Reader -> Frames -> Frame
//! ```
//!
//! [`Capture`] controls the socket (filter, counters, binding), [`Reader`] takes packets from its
//! ring. Callers decide when to read and process the frames.

mod control;
mod frame;
mod geometry;
mod header;
mod open;
mod options;
mod reader;
mod ring;
mod socket_filter;
mod sys;
mod virtio;

pub(crate) use control::{Capture, Counters};
pub(crate) use frame::Frame;
pub(crate) use open::{open, open_group};
pub(crate) use options::{
    DEFAULT_BLOCK_KIB, DEFAULT_BUFFER_KIB, DEFAULT_SNAPLEN, DirectionFilter, Options,
};
pub(crate) use reader::Reader;
pub(crate) use sys::set_default_action;
pub(crate) use virtio::is_supported as supports_gso;

#[cfg(test)]
mod tests;
