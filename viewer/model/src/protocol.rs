//! Protocol classes: the few groups that charts distinguish by color.

/// A group of protocols with its own color.
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

/// Number of classes.
pub const CLASS_COUNT: usize = 6;

/// All classes, in the order of legends and stacked bars.
pub const CLASSES: [Class; CLASS_COUNT] =
    [Class::Tcp, Class::Udp, Class::Icmp, Class::Icmp6, Class::Arp, Class::Other];

/// A set of classes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClassSet {
    bits: u8,
}

impl ClassSet {
    /// All classes.
    pub const ALL: Self = Self { bits: (1 << CLASS_COUNT) - 1 };

    /// The classes in a list.
    pub fn of(classes: &[Class]) -> Self {
        Self { bits: classes.iter().fold(0, |bits, class| bits | 1 << class.index()) }
    }

    /// Whether the set contains the class.
    pub const fn has(self, class: Class) -> bool {
        self.bits >> class.index() & 1 == 1
    }

    /// The classes in exactly one of both sets.
    #[must_use]
    pub const fn toggled(self, other: Self) -> Self {
        Self { bits: self.bits ^ other.bits }
    }

    /// The classes in both sets.
    #[must_use]
    pub const fn intersection(self, other: Self) -> Self {
        Self { bits: self.bits & other.bits }
    }

    /// Whether the set contains no class.
    pub const fn is_empty(self) -> bool {
        self.bits == 0
    }
}

/// Red, green, blue.
pub type Rgb = [u8; 3];

impl Class {
    /// The class of a protocol, given its name in the NDJSON format.
    pub fn of(proto: &str) -> Self {
        CLASSES[..CLASS_COUNT - 1]
            .iter()
            .copied()
            .find(|class| class.name() == proto)
            .unwrap_or(Self::Other)
    }

    /// Name in legends.
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

    /// Index into [`CLASSES`].
    pub const fn index(self) -> usize {
        self as usize
    }

    /// Color from the palette of Okabe and Ito (<https://jfly.uni-koeln.de/color/>), which color-blind
    /// people can distinguish. Dark themes use lighter variants.
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
    fn classes_are_listed_by_index() {
        assert!(CLASSES.iter().enumerate().all(|(index, class)| class.index() == index));
    }

    #[test]
    fn unknown_protocols_are_other() {
        assert_eq!(
            [Class::of("icmp6"), Class::of("gre"), Class::of("")],
            [Class::Icmp6, Class::Other, Class::Other]
        );
    }
}
