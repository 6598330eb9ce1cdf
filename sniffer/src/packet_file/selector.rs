//! The filter of `--keep` or `--trigger`. It runs in user space, on the bytes that are written.

use summary::LinkType;

use crate::Error;
use crate::filter::{FileFilter, Filter, FilterOptions};
use crate::line_formatter::CapturedPacket;

/// Selects packets.
#[derive(Debug)]
pub(crate) struct Selector {
    /// The option, for messages.
    option: &'static str,
    filter: Filter,
    file_filter: FileFilter,
}

impl Selector {
    /// Looks up the names in the expression of an option, which a sandbox may prevent later.
    pub(crate) fn new(option: &'static str, options: &FilterOptions) -> Self {
        let filter = Filter::new(options);
        filter.resolve_names();
        Self { option, filter, file_filter: FileFilter::default() }
    }

    pub(crate) fn expression(&self) -> &str {
        self.filter.expression().unwrap_or_default()
    }

    /// Checks that the expression compiles for a link type.
    pub(crate) fn check(&self, link: LinkType) -> Result<(), Error> {
        let program = self.filter.program_for_file(link, cfg!(target_endian = "big"));
        program.map(drop).map_err(|error| named(self.option, error))
    }

    /// Whether a packet is selected.
    ///
    /// # Errors
    ///
    /// If the expression does not compile for the link type of the packet.
    pub(super) fn selects(&mut self, packet: &CapturedPacket<'_>) -> Result<bool, Error> {
        let CapturedPacket { link, is_big_endian, bytes, wire_len, .. } = *packet;
        self.file_filter
            .accepts(&self.filter, (link, is_big_endian), bytes, wire_len)
            .map_err(|error| named(self.option, error))
    }
}

/// Adds the option to an error in its expression.
fn named(option: &'static str, error: Error) -> Error {
    match error {
        Error::Filter(source) => Error::OptionFilter { option, source },
        error => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use summary::{Faults, Timestamp};

    fn selector(expression: &str) -> Selector {
        let expression = Some(expression.to_owned());
        let options = FilterOptions { expression, optimize: true, snaplen: 262_144 };
        Selector::new("--keep", &options)
    }

    fn packet(link: LinkType, bytes: &[u8]) -> CapturedPacket<'_> {
        CapturedPacket {
            ts: Timestamp::from_ns(0),
            link,
            is_big_endian: false,
            bytes,
            wire_len: 1_000,
            faults: Faults::default(),
            interface: None,
            direction: None,
            gso: None,
        }
    }

    #[test]
    fn packets_of_several_link_types_are_selected() {
        let mut selector = selector("(less 999 and ip) or vlan 5");
        let tagged = [&[0; 12][..], &[0x81, 0, 0, 5, 8, 0], &[0x45; 20]].concat();
        assert!(selector.selects(&packet(LinkType::ETHERNET, &tagged)).unwrap());
        let plain = [&[0; 12][..], &[8, 0], &[0x45; 20]].concat();
        assert!(!selector.selects(&packet(LinkType::ETHERNET, &plain)).unwrap());
        let mut selector = self::selector("ip");
        for link in [LinkType::RAW, LinkType::ETHERNET, LinkType::RAW] {
            let bytes = if link == LinkType::RAW { &plain[14..] } else { &plain };
            assert!(selector.selects(&packet(link, bytes)).unwrap());
        }
        assert!(!selector.selects(&packet(LinkType::RAW, &[0x60; 40])).unwrap());
    }

    #[test]
    fn errors_name_the_option() {
        let error = selector("prot 7").check(LinkType::ETHERNET).unwrap_err();
        assert!(error.is_usage() && error.to_string().starts_with("--keep: "), "{error}");
    }
}
