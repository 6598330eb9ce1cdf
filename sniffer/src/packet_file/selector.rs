//! The filter of `--keep` or `--trigger`. It runs in user space, on the bytes that are written.

use filter::{Metadata, Program, Source};
use std::net::Ipv4Addr;
use std::sync::Arc;
use summary::LinkType;

use crate::Error;
use crate::filter::{Filter, FilterOptions};
use crate::line_formatter::CapturedPacket;

/// Selects packets.
#[derive(Debug)]
pub(crate) struct Selector {
    /// The option, for messages.
    option: &'static str,
    expression: String,
    filter: Filter,
    /// The program for the link type and the byte order of the last packet.
    program: Option<(LinkType, bool, Option<Arc<Program>>)>,
}

impl Selector {
    /// Looks up the names in the expression of an option, which a sandbox may prevent later.
    pub(crate) fn new(option: &'static str, options: &FilterOptions) -> Self {
        let filter = Filter::new(options);
        filter.resolve_names();
        let expression = options.expression.clone().unwrap_or_default();
        Self { option, expression, filter, program: None }
    }

    pub(crate) fn expression(&self) -> &str {
        &self.expression
    }

    /// Checks that the expression compiles for a link type.
    pub(crate) fn check(&self, link: LinkType) -> Result<(), Error> {
        self.compile(link, cfg!(target_endian = "big")).map(drop)
    }

    /// Whether a packet is selected.
    ///
    /// # Errors
    ///
    /// If the expression does not compile for the link type of the packet.
    pub(super) fn selects(&mut self, packet: &CapturedPacket<'_>) -> Result<bool, Error> {
        let CapturedPacket { link, is_big_endian, bytes, wire_len, .. } = *packet;
        let program = match &self.program {
            Some((last, order, program)) if (*last, *order) == (link, is_big_endian) => program,
            _ => {
                let program = self.compile(link, is_big_endian)?;
                &self.program.insert((link, is_big_endian, program)).2
            }
        };
        Ok(program
            .as_ref()
            .is_none_or(|program| filter::run(program, bytes, wire_len, &Metadata::default()) != 0))
    }

    fn compile(&self, link: LinkType, big_endian: bool) -> Result<Option<Arc<Program>>, Error> {
        let source = Source::File { big_endian };
        self.filter.program(link, source, Ipv4Addr::UNSPECIFIED).map_err(|error| match error {
            Error::Filter(source) => Error::OptionFilter { option: self.option, source },
            error => error,
        })
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
