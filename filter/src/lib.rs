//! tcpdump's filter language (pcap-filter(7)), compiled to classic BPF, and a machine that runs it.
//!
//! ```
//! use filter::{LinkType, Metadata, Options, compile, run};
//!
//! let program = compile("udp port 53", LinkType::ETHERNET, &Options::default())?;
//! let mut frame = [0; 42];
//! frame[12..14].copy_from_slice(&[0x08, 0x00]); // IPv4
//! frame[14] = 0x45;
//! frame[23] = 17; // UDP
//! frame[36..38].copy_from_slice(&53u16.to_be_bytes());
//! assert_ne!(run(&program, &frame, 42, &Metadata::default()), 0);
//! # Ok::<(), filter::Error>(())
//! ```
//!
//! An expression becomes words (`lexer`), a tree (`parse`), a condition on numbers in packets of a link
//! type (`generate`), a graph of tests (`graph`, made smaller by `optimise`), and instructions (`emit`).
//! Nothing here reads files or asks a resolver: names come from a [`NameResolver`] of the caller's.
//!
//! What an expression means is what it means to libpcap, with these differences. `protochain` passes at
//! most eight headers, so that it needs no loop and the kernel runs it. `gateway` works. Whether a number
//! is divided by zero is asked of the divisor, not of the first number in it. Tests whose outcome is known
//! are left out more often, so that more expressions are found to reject all packets. A formula's right
//! side means something only where its left side is of the packet's protocols, as in libpcap: say
//! `tcp and` before `1000 - tcp[2:2] > 0`.

mod ast;
mod codegen;
mod condition;
mod error;
mod graph;
mod instruction;
mod interpreter;
mod lexer;
mod link;
mod lowering;
mod names;
mod optimizer;
mod parser;
mod protocol;
mod value;

pub use error::Error;
pub use instruction::{DumpFormat, Instruction, Program, code, metadata};
pub use interpreter::{Metadata, run};
pub use link::LinkType;
pub use names::{NameResolver, NameTables, Transport};

use condition::Condition;
use error::Diagnostic;
use graph::{Graph, NodeId};
use std::fmt;
use std::net::Ipv4Addr;
use std::sync::LazyLock;

/// How an expression is compiled.
#[derive(Clone, Copy)]
pub struct Options<'a> {
    /// What a program returns for a packet that it accepts: how many bytes to keep. Not 0.
    pub snaplen: u32,
    /// Whether tests are left out whose outcome is known.
    pub optimize: bool,
    /// Where the packets come from.
    pub source: Source,
    /// The network mask, for `ip broadcast`.
    pub netmask: Option<Ipv4Addr>,
    /// Who knows the names of hosts, networks, ports and protocols.
    pub names: &'a dyn NameResolver,
}

/// Where packets come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// A socket, whose kernel tells more of a packet than its bytes.
    Live,
    /// Not said, as with tcpdump's `-y`: what only a kernel tells is asked of it, VLAN tags are in the
    /// packet.
    Anywhere,
    /// A capture file, in the byte order of the machine that wrote it.
    File {
        /// The most significant byte comes first.
        big_endian: bool,
    },
}

impl Default for Options<'_> {
    /// For a file; accepted packets are kept whole; no names are known.
    fn default() -> Self {
        static NAMES: LazyLock<NameTables> = LazyLock::new(NameTables::default);
        let source = Source::File { big_endian: false };
        Self { snaplen: 262_144, optimize: true, source, netmask: None, names: &*NAMES }
    }
}

impl fmt::Debug for Options<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { snaplen, optimize, source, netmask, names: _ } = self;
        let mut shown = f.debug_struct("Options");
        shown.field("snaplen", snaplen).field("optimize", optimize).field("source", source);
        shown.field("netmask", netmask).finish_non_exhaustive()
    }
}

/// How long an expression may be, in bytes.
pub const MAX_EXPRESSION_LEN: usize = 1 << 20;

/// Compiles an expression for packets of a link type. An empty one accepts all.
///
/// # Errors
///
/// Where the expression is not of the language, has a name that nobody knows, asks for what the link
/// type does not have, is too long or nested too deep, or, if it is optimised, accepts nothing.
pub fn compile(expression: &str, link: LinkType, options: &Options<'_>) -> Result<Program, Error> {
    compiled(expression, link, options).map_err(|error| error.with_expression(expression))
}

fn compiled(
    expression: &str,
    link: LinkType,
    options: &Options<'_>,
) -> Result<Program, Diagnostic> {
    let all = 0..expression.len();
    if MAX_EXPRESSION_LEN < expression.len() {
        return Err(Diagnostic::new(
            format!("expression longer than {MAX_EXPRESSION_LEN} bytes"),
            all,
        ));
    }
    let tokens = lexer::tokens(expression)?;
    let Some(tree) = parser::parse(&tokens)? else {
        let graph = Graph::of(&Condition::Always(true), &mut value::Values::default());
        let program = codegen::program(&graph, &value::Values::default(), options.snaplen, true);
        return program.ok_or_else(|| Diagnostic::new(lowering::TOO_COMPLEX, all));
    };
    let (condition, mut values) = lowering::condition(&tree, link, options)?;
    let mut graph = Graph::of(&condition, &mut values);
    if options.optimize {
        graph = optimizer::optimize(graph, &values);
        if graph.root == NodeId::REJECT {
            return Err(Diagnostic::new("expression rejects all packets", all));
        }
    }
    let graph = optimizer::zero_uninitialized(graph, &mut values);
    codegen::program(&graph, &values, options.snaplen, options.optimize)
        .ok_or_else(|| Diagnostic::new(lowering::TOO_COMPLEX, all))
}
