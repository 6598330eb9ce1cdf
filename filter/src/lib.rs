//! A compiler for tcpdump's filter language, [pcap-filter(7)], and an interpreter for its programs.
//!
//! [`compile`] turns an expression such as `tcp port 443` into a [`Program`] of classic BPF
//! instructions. Attach the program to a socket, so that the Linux kernel filters packets
//! (`SO_ATTACH_FILTER`, socket(7)), or apply it to captured packets with [`run`].
//!
//! ```
//! use filter::{LinkType, Metadata, Options, compile, run};
//!
//! let program = compile("udp port 53", LinkType::ETHERNET, &Options::default())?;
//!
//! let mut frame = [0; 42];
//! frame[12..14].copy_from_slice(&[0x08, 0x00]); // EtherType: IPv4
//! frame[14] = 0x45; // version 4, header length 5 * 4 bytes
//! frame[23] = 17; // protocol: UDP
//! frame[36..38].copy_from_slice(&53u16.to_be_bytes()); // destination port
//! assert_ne!(run(&program, &frame, 42, &Metadata::default()), 0);
//! # Ok::<(), filter::Error>(())
//! ```
//!
//! Errors carry the offending part of the expression, and `Display` marks it:
//!
//! ```
//! use filter::{LinkType, Options, compile};
//!
//! let error = compile("tcp port 70000", LinkType::ETHERNET, &Options::default()).unwrap_err();
//! assert_eq!(error.message(), "port number 70000 greater than maximum 65535");
//! assert_eq!(error.span(), 9..14);
//! ```
//!
//! # Stages
//!
//! | Module | Input | Output |
//! |---|---|---|
//! | `lexer` | expression | tokens |
//! | `parser` | tokens | abstract syntax tree (`ast`) |
//! | `lowering` | syntax tree, link type, [`Options`] | conditions (`condition`) on values (`value`) in the packet |
//! | `graph` | conditions | control-flow graph of tests |
//! | `optimizer` | graph | smaller graph with the same verdicts |
//! | `codegen` | graph | instructions |
//!
//! The crate does no I/O. It looks names of hosts, ports and protocols up in a [`NameResolver`]
//! that the caller provides.
//!
//! # Differences from libpcap
//!
//! Expressions mean what they mean in libpcap, except that:
//!
//! - `protochain` follows at most eight extension headers. The program has no loop, and the kernel
//!   accepts it.
//! - `gateway` works; most builds of libpcap reject it.
//! - "Division by zero" is reported if the whole divisor is the number 0. libpcap checks the first
//!   number in it.
//! - The optimizer removes more tests, and finds more expressions that reject all packets.
//!
//! As in libpcap, arithmetic checks the protocol of its left operand only. Write
//! `tcp and 1000 - tcp[2:2] > 0`, not `1000 - tcp[2:2] > 0`.
//!
//! [pcap-filter(7)]: https://www.tcpdump.org/manpages/pcap-filter.7.html

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

/// Options of [`compile`].
#[derive(Clone, Copy)]
pub struct Options<'a> {
    /// Snapshot length: the program's return value for an accepted packet, the number of bytes to
    /// keep. Must not be 0.
    pub snaplen: u32,
    /// Whether to remove redundant tests, as tcpdump does without `-O`.
    pub optimize: bool,
    /// Where the packets will come from.
    pub source: Source,
    /// Network mask of the interface, needed by `ip broadcast`.
    pub netmask: Option<Ipv4Addr>,
    /// Looks up names of hosts, networks, ports and protocols.
    pub names: &'a dyn NameResolver,
}

/// Where packets come from. This decides whether a program may use metadata of the kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// A packet socket. The kernel provides [metadata], and removes the outermost VLAN tag
    /// from the packet.
    Live,
    /// Unknown, as with tcpdump's `-y`. Programs may use the kernel's metadata; VLAN tags are in the
    /// packet.
    Anywhere,
    /// A capture file. There is no metadata.
    File {
        /// Whether the machine that wrote the file is big-endian: link type `NULL` has a field in
        /// its byte order.
        big_endian: bool,
    },
}

impl Default for Options<'_> {
    /// For capture files, with libpcap's default snapshot length and without names.
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

/// Maximum length of an expression, in bytes.
pub const MAX_EXPRESSION_LEN: usize = 1 << 20;

/// Compiles an expression for packets of a link type. An empty expression accepts all packets.
///
/// # Errors
///
/// If the expression has a syntax error, an unknown name or a number out of range, uses what the
/// link type does not support, is too long, too deeply nested or too complex, or if the optimizer
/// finds that it rejects all packets.
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
            format!("expression is longer than {MAX_EXPRESSION_LEN} bytes"),
            all,
        ));
    }
    let tokens = lexer::tokenize(expression)?;
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
