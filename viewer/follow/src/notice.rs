//! What the module reports to the page.

/// The first argument of the page's function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Notice {
    /// The source answers.
    Connected,
    /// Bytes. The arguments are their offset and a `Uint8Array`, which the page may transfer. If the page
    /// returns a promise, the next bytes wait for it.
    Bytes,
    /// There is nothing new. The page returns whether it has read all bytes.
    NothingNew,
    /// There are no more bytes. The last argument is the reason, or `undefined` if the run has ended.
    Over,
    /// The user wants to see the latest packets.
    JumpToNow,
}

impl Notice {
    /// The notice with this number.
    pub fn from_number(number: u32) -> Option<Self> {
        use Notice::{Bytes, Connected, JumpToNow, NothingNew, Over};
        [Connected, Bytes, NothingNew, Over, JumpToNow].get(number as usize).copied()
    }
}
