//! The filter of a run: compiles the expression for each link type, and resolves names in it with
//! the system. The language is in the crate `filter`.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs;
use std::net::{IpAddr, Ipv4Addr, ToSocketAddrs};
use std::path::Path;
use std::sync::{Arc, OnceLock};

use filter::{Metadata, NameTables, Program, Source, Transport};
use summary::LinkType;

use crate::{Error, signals, text_file};

/// Configuration of the filter.
#[derive(Clone, Debug)]
pub(crate) struct FilterOptions {
    /// The expression, in the syntax of pcap-filter(7); `None` accepts all packets.
    pub(crate) expression: Option<String>,
    pub(crate) optimize: bool,
    /// Bytes that an accepted packet is truncated to.
    pub(crate) snaplen: u32,
}

/// The compiled programs of a run, one for each link type, compiled on first use.
#[derive(Debug)]
pub(crate) struct Filter {
    options: FilterOptions,
    names: SystemNames,
    programs: RefCell<BTreeMap<(u16, bool, Ipv4Addr), Arc<Program>>>,
}

impl Filter {
    pub(crate) fn new(options: &FilterOptions) -> Self {
        Self {
            options: options.clone(),
            names: SystemNames::default(),
            programs: RefCell::default(),
        }
    }

    /// The program for a link type; `None` if all packets are accepted. `netmask` is for
    /// `ip broadcast`.
    ///
    /// # Errors
    ///
    /// If the expression does not compile for the link type.
    pub(crate) fn program(
        &self,
        link: LinkType,
        source: Source,
        netmask: Ipv4Addr,
    ) -> Result<Option<Arc<Program>>, Error> {
        let Some(expression) = &self.options.expression else { return Ok(None) };
        // Without `broadcast`, all interfaces of a link type share one program.
        let netmask =
            if expression.contains("broadcast") { netmask } else { Ipv4Addr::UNSPECIFIED };
        let key = (link.0, matches!(source, Source::File { big_endian: true }), netmask);
        if let Some(cached) = self.programs.borrow().get(&key) {
            return Ok(Some(cached.clone()));
        }
        let link = filter::LinkType(link.0.into());
        let program = Arc::new(self.compile(expression, link, source, netmask)?);
        self.programs.borrow_mut().insert(key, program.clone());
        Ok(Some(program))
    }

    /// The program for packets of a capture file.
    ///
    /// # Errors
    ///
    /// If the expression does not compile for the link type.
    pub(crate) fn program_for_file(
        &self,
        link: LinkType,
        big_endian: bool,
    ) -> Result<Option<Arc<Program>>, Error> {
        self.program(link, Source::File { big_endian }, Ipv4Addr::UNSPECIFIED)
    }

    /// The expression; `None` accepts all packets.
    pub(crate) fn expression(&self) -> Option<&str> {
        self.options.expression.as_deref()
    }

    /// Looks up all names in the expression, and caches the results. Afterwards compiling needs
    /// neither files nor the network.
    pub(crate) fn resolve_names(&self) {
        let Some(expression) = &self.options.expression else { return };
        self.names.tables();
        // Names are looked up in the same way for all link types, but an expression that does not
        // compile for one of them may end before its last name. Errors are reported by `program`.
        let compiles = |link| {
            let options = filter::Options {
                snaplen: self.options.snaplen,
                optimize: false,
                source: Source::Anywhere,
                netmask: None,
                names: &self.names,
            };
            filter::compile(expression, link, &options).is_ok()
        };
        let mut links =
            filter::LinkType::names().filter_map(|(name, _)| filter::LinkType::from_name(name));
        let _ = compiles(filter::LinkType(LinkType::ETHERNET.0.into())) || links.any(compiles);
    }

    /// Compiles an expression for a link type, without the cache.
    pub(crate) fn compile(
        &self,
        expression: &str,
        link: filter::LinkType,
        source: Source,
        netmask: Ipv4Addr,
    ) -> Result<Program, filter::Error> {
        let options = filter::Options {
            snaplen: self.options.snaplen,
            optimize: self.options.optimize,
            source,
            netmask: Some(netmask),
            names: &self.names,
        };
        filter::compile(expression, link, &options)
    }
}

/// Applies a [`Filter`] to packets as in a capture file, in user space.
#[derive(Debug, Default)]
pub(crate) struct FileFilter {
    last: Option<LastProgram>,
}

/// The program for the last packet; `None` accepts all packets.
#[derive(Debug)]
struct LastProgram {
    link: LinkType,
    is_big_endian: bool,
    program: Option<Arc<Program>>,
}

impl FileFilter {
    /// Whether the filter accepts a packet. `is_big_endian` is the byte order of headers that have the
    /// order of a machine.
    ///
    /// # Errors
    ///
    /// If the expression does not compile for the link type.
    #[inline]
    pub(crate) fn accepts(
        &mut self,
        filter: &Filter,
        (link, is_big_endian): (LinkType, bool),
        bytes: &[u8],
        wire_len: u32,
    ) -> Result<bool, Error> {
        let last = match &self.last {
            Some(last) if (last.link, last.is_big_endian) == (link, is_big_endian) => last,
            _ => {
                let program = filter.program_for_file(link, is_big_endian)?;
                self.last.insert(LastProgram { link, is_big_endian, program })
            }
        };
        let Some(program) = &last.program else { return Ok(true) };
        Ok(filter::run(program, bytes, wire_len, &Metadata::default()) != 0)
    }
}

/// Whether an expression compiles for any link type, if all names in it exist. Looks up no names.
pub(crate) fn is_valid(expression: &str) -> bool {
    let options = filter::Options {
        optimize: false,
        source: Source::Anywhere,
        netmask: Some(Ipv4Addr::UNSPECIFIED),
        names: &AnyName,
        ..filter::Options::default()
    };
    let mut links =
        filter::LinkType::names().filter_map(|(name, _)| filter::LinkType::from_name(name));
    let compiles = |link| filter::compile(expression, link, &options).is_ok();
    compiles(filter::LinkType::ETHERNET) || links.any(compiles)
}

/// Resolves every name.
struct AnyName;

impl filter::NameResolver for AnyName {
    fn host(&self, _: &str) -> Vec<IpAddr> {
        vec![IpAddr::V4(Ipv4Addr::LOCALHOST)]
    }

    fn ethernet(&self, _: &str) -> Option<[u8; 6]> {
        Some([0; 6])
    }

    fn network(&self, _: &str) -> Option<u32> {
        Some(10)
    }

    fn port(&self, _: &str, _: Transport) -> Option<u16> {
        Some(1)
    }

    fn protocol(&self, _: &str) -> Option<u8> {
        Some(6)
    }
}

/// Reads a filter expression from a file, `-` being standard input. `#` starts a comment.
pub(crate) fn read_expression(path: &Path) -> Result<String, Error> {
    let (_, text) = text_file::read(path)?;
    Ok(text
        .lines()
        .map(|line| line.split('#').next().unwrap_or_default().trim())
        .collect::<Vec<_>>()
        .join(" ")
        .trim()
        .to_owned())
}

/// Name resolution for filter expressions: host names by the system's resolver, others by the files
/// in `/etc`. The files are read when an expression first contains a name. Results are cached.
#[derive(Debug, Default)]
struct SystemNames {
    tables: OnceLock<NameTables>,
    hosts: RefCell<BTreeMap<String, Vec<IpAddr>>>,
}

impl SystemNames {
    fn tables(&self) -> &NameTables {
        self.tables.get_or_init(|| {
            // A missing file defines no names.
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
        if let Some(addresses) = self.hosts.borrow().get(name) {
            return addresses.clone();
        }
        let found = signals::with_hangup_unblocked(|| (name, 0).to_socket_addrs());
        let mut addresses = Vec::new();
        for address in found.into_iter().flatten().map(|address| address.ip()) {
            if !addresses.contains(&address) {
                addresses.push(address);
            }
        }
        self.hosts.borrow_mut().insert(name.to_owned(), addresses.clone());
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
