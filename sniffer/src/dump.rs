//! `-d`: prints the compiled filter program.

use std::io::{self, Write};
use std::net::Ipv4Addr;
use std::path::PathBuf;

use filter::{DumpFormat, Source};

use crate::error::STANDARD_OUTPUT_NAME;
use crate::filter::{Filter, FilterOptions};
use crate::{Error, file, interfaces, sandbox};

/// Configuration of the dump.
#[derive(Debug)]
pub(crate) struct Config {
    pub(crate) filter: FilterOptions,
    pub(crate) format: DumpFormat,
    pub(crate) source: LinkSource,
    pub(crate) sandbox: sandbox::Options,
}

/// Where the link type comes from.
#[derive(Debug)]
pub(crate) enum LinkSource {
    LinkType(filter::LinkType),
    /// The first interface of a capture file.
    File(PathBuf),
    /// The first of these interfaces.
    Interfaces(Vec<String>),
}

/// Prints the filter program to standard output.
pub(crate) fn run(config: &Config) -> Result<(), Error> {
    let filter = Filter::new(&config.filter);
    let mut netmask = Ipv4Addr::UNSPECIFIED;
    let (link, source) = match &config.source {
        LinkSource::LinkType(link) => (*link, Source::Anywhere),
        LinkSource::File(path) => {
            filter.resolve_names();
            let (link, big_endian) = file::link_type(path, &config.sandbox)?;
            (filter::LinkType(link.0.into()), Source::File { big_endian })
        }
        LinkSource::Interfaces(names) => {
            let interface = interfaces::select(names)?.swap_remove(0);
            let Some(link) = interface.link_type() else {
                return Err(Error::UnsupportedLinkType {
                    name: interface.name,
                    arphrd: interface.arphrd,
                });
            };
            netmask = interfaces::netmask(&interface.name);
            (filter::LinkType(link.0.into()), Source::Live)
        }
    };
    let text = config.filter.expression.as_deref().unwrap_or_default();
    let program = filter.compile(text, link, source, netmask)?;
    write!(io::stdout().lock(), "{}", program.display(config.format))
        .map_err(|source| Error::Output { name: STANDARD_OUTPUT_NAME.into(), source })
}
