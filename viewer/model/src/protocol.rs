//! Protocols as the charts tell them apart: few classes with fixed colours, whatever the capture.

/// A class of protocols with a colour of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Class {
    /// `tcp`
    Tcp,
    /// `udp`
    Udp,
    /// `icmp`
    Icmp,
    /// `icmp6`
    Icmp6,
    /// `arp`
    Arp,
    /// Everything else.
    Other,
}

/// How many classes there are.
pub const CLASS_COUNT: usize = 6;

/// All classes, in the order of legends and stacks.
pub const CLASSES: [Class; CLASS_COUNT] =
    [Class::Tcp, Class::Udp, Class::Icmp, Class::Icmp6, Class::Arp, Class::Other];

/// Red, green, blue.
pub type Rgb = [u8; 3];

impl Class {
    /// The class of a protocol by its name in the stream.
    pub fn of(proto: &str) -> Self {
        CLASSES[..CLASS_COUNT - 1]
            .iter()
            .copied()
            .find(|class| class.name() == proto)
            .unwrap_or(Self::Other)
    }

    /// The name in legends: the protocol's, but for the last.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
            Self::Icmp => "icmp",
            Self::Icmp6 => "icmp6",
            Self::Arp => "arp",
            Self::Other => "other",
        }
    }

    /// Its place in [`CLASSES`].
    pub const fn index(self) -> usize {
        self as usize
    }

    /// Its colour, after Okabe and Ito (<https://jfly.uni-koeln.de/color/>): told apart by
    /// colour-blind people too. On dark ground the blue is the palette's lighter one.
    pub const fn color(self, is_dark: bool) -> Rgb {
        match (self, is_dark) {
            (Self::Tcp, false) => [0x00, 0x72, 0xb2],
            (Self::Tcp, true) => [0x56, 0xb4, 0xe9],
            (Self::Udp, false) => [0xd5, 0x5e, 0x00],
            (Self::Udp, true) => [0xe6, 0x9f, 0x00],
            (Self::Icmp, _) => [0x00, 0x9e, 0x73],
            (Self::Icmp6, _) => [0xcc, 0x79, 0xa7],
            (Self::Arp, false) => [0xb8, 0x86, 0x0b],
            (Self::Arp, true) => [0xf0, 0xe4, 0x42],
            (Self::Other, false) => [0x4a, 0x4a, 0x4a],
            (Self::Other, true) => [0xc4, 0xc4, 0xc4],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_in_the_order_of_their_index() {
        assert!(CLASSES.iter().enumerate().all(|(index, class)| class.index() == index));
    }

    #[test]
    fn protocols_without_a_colour_are_other() {
        assert_eq!(
            [Class::of("icmp6"), Class::of("gre"), Class::of("")],
            [Class::Icmp6, Class::Other, Class::Other]
        );
    }
}
