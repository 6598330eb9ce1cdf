//! `-d`: prints the compiled filter program.

use std::io::{self, Write};
use std::net::Ipv4Addr;
use std::path::PathBuf;

use filter::{DumpFormat, Source};

use crate::filter::{Filter, FilterOptions};
use crate::{Error, file, interfaces, sandbox};

/// Configuration of the dump.
#[derive(Debug)]
pub(crate) struct Config {
    pub(crate) filter: FilterOptions,
    pub(crate) format: DumpFormat,
    /// The link type; `None` takes it from the file or the interface.
    pub(crate) link: Option<filter::LinkType>,
    /// The capture file to take the link type from.
    pub(crate) capture_file: Option<PathBuf>,
    /// The interface to take the link type from; `None` is the default interface.
    pub(crate) interface: Option<String>,
    pub(crate) sandbox: sandbox::Options,
}

/// Prints the filter program to standard output.
pub(crate) fn run(config: &Config) -> Result<(), Error> {
    let filter = Filter::new(&config.filter);
    let mut netmask = Ipv4Addr::UNSPECIFIED;
    let (link, source) = match (config.link, &config.capture_file, &config.interface) {
        (Some(link), ..) => (link, Source::Anywhere),
        (None, Some(path), _) => {
            filter.resolve_names();
            let (link, big_endian) = file::link_type(path, &config.sandbox)?;
            (filter::LinkType(link.0.into()), Source::File { big_endian })
        }
        (None, None, name) => {
            let interface = match name {
                Some(name) => interfaces::named(name)?,
                None => interfaces::default()?,
            };
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
        .map_err(|source| Error::Output { name: "standard output".into(), source })
}
