//! The filter of a run: its text, the names it may have, and a program for each link type.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, ToSocketAddrs};
use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::{fs, io};

use filter::{NameTables, Program, Source, Transport};
use summary::LinkType;

use crate::Error;

/// How packets are chosen.
#[derive(Clone, Debug)]
pub(crate) struct FilterOptions {
    /// The expression; `None` takes all.
    pub(crate) text: Option<String>,
    /// Whether programs are made short.
    pub(crate) is_optimized: bool,
    /// Most bytes kept of a packet.
    pub(crate) snaplen: u32,
}

/// The programs of a run, one for each link type, made when it is first needed.
#[derive(Debug)]
pub(crate) struct Filter<'a> {
    choice: &'a FilterOptions,
    names: SystemNames,
    programs: RefCell<BTreeMap<(u16, bool, Ipv4Addr), Arc<Program>>>,
}

impl<'a> Filter<'a> {
    pub(crate) fn new(choice: &'a FilterOptions) -> Self {
        Self { choice, names: SystemNames::default(), programs: RefCell::default() }
    }

    /// The program for packets of a link type and, for `ip broadcast`, a network mask; `None` where all
    /// are taken.
    pub(crate) fn program(
        &self,
        link: LinkType,
        source: Source,
        netmask: Ipv4Addr,
    ) -> Result<Option<Arc<Program>>, Error> {
        let Some(text) = &self.choice.text else { return Ok(None) };
        // What does not ask for a mask is one program for all interfaces of a link type.
        let netmask = if text.contains("broadcast") { netmask } else { Ipv4Addr::UNSPECIFIED };
        let key = (link.0, matches!(source, Source::File { big_endian: true }), netmask);
        if let Some(known) = self.programs.borrow().get(&key) {
            return Ok(Some(known.clone()));
        }
        let link = filter::LinkType(link.0.into());
        let program = Arc::new(self.compile(text, link, source, netmask)?);
        self.programs.borrow_mut().insert(key, program.clone());
        Ok(Some(program))
    }

    /// Compiles the text for a link type.
    pub(crate) fn compile(
        &self,
        text: &str,
        link: filter::LinkType,
        source: Source,
        netmask: Ipv4Addr,
    ) -> Result<Program, filter::Error> {
        let options = filter::Options {
            snaplen: self.choice.snaplen,
            optimize: self.choice.is_optimized,
            source,
            netmask: Some(netmask),
            names: &self.names,
        };
        filter::compile(text, link, &options)
    }
}

/// Reads the expression of a file, where `#` begins a comment that ends with its line.
pub(crate) fn read(path: &Path) -> Result<String, Error> {
    let name = path.display().to_string();
    let text = match name.as_str() {
        "-" => io::read_to_string(io::stdin()),
        _ => fs::read_to_string(path),
    };
    let text = text.map_err(|source| Error::Input { name, source })?;
    Ok(text
        .lines()
        .map(|line| line.split('#').next().unwrap_or_default().trim())
        .collect::<Vec<_>>()
        .join(" ")
        .trim()
        .to_owned())
}

/// The names that this system knows: its files, and its resolver for hosts. Nothing is read or asked
/// before an expression has a name.
#[derive(Debug, Default)]
struct SystemNames {
    tables: OnceLock<NameTables>,
}

impl SystemNames {
    fn tables(&self) -> &NameTables {
        self.tables.get_or_init(|| {
            // A file that is not there has no names.
            let text = |name: &str| {
                let bytes = fs::read(Path::new("/etc").join(name)).unwrap_or_default();
                String::from_utf8_lossy(&bytes).into_owned()
            };
            NameTables::default()
                .with_ethers(&text("ethers"))
                .with_networks(&text("networks"))
                .with_services(&text("services"))
                .with_protocols(&text("protocols"))
        })
    }
}

impl filter::NameResolver for SystemNames {
    fn host(&self, name: &str) -> Vec<IpAddr> {
        let found = (name, 0).to_socket_addrs().into_iter().flatten();
        let mut addresses = Vec::new();
        for address in found.map(|address| address.ip()) {
            if !addresses.contains(&address) {
                addresses.push(address);
            }
        }
        addresses
    }

    fn ethernet(&self, name: &str) -> Option<[u8; 6]> {
        self.tables().ethernet(name)
    }

    fn network(&self, name: &str) -> Option<u32> {
        self.tables().network(name)
    }

    fn port(&self, name: &str, transport: Transport) -> Option<u16> {
        self.tables().port(name, transport)
    }

    fn protocol(&self, name: &str) -> Option<u8> {
        self.tables().protocol(name)
    }
}
