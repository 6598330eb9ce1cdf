//! What there is to do, as the words say it.

use std::path::{Path, PathBuf};

use super::Generate;
use crate::describe::Details;
use crate::filter::Choice;
use crate::live;
use crate::output::{Compression, Rotation};

/// What the words ask for.
#[derive(Debug)]
pub(crate) enum Job<'a> {
    /// Print a manual page or completions.
    Generate(Generate),
    /// Print the interfaces.
    ListInterfaces,
    /// Print the filter's program.
    Dump(DumpJob<'a>),
    /// Capture.
    Live(live::Config<'a>),
    /// Read a capture file.
    Read(ReadJob<'a>),
}

/// What to print a program for.
#[derive(Debug)]
pub(crate) struct DumpJob<'a> {
    pub(crate) choice: Choice<'a>,
    /// The form, by the number of `d`.
    pub(crate) form: u8,
    /// The link type, if it is named.
    pub(crate) link: Option<filter::LinkType>,
    /// The capture file whose link type it is.
    pub(crate) reads: Option<&'a Path>,
    /// The interfaces, of which the first one's link type counts.
    pub(crate) interfaces: Vec<&'a str>,
}

/// What to read.
#[derive(Debug)]
pub(crate) struct ReadJob<'a> {
    /// The capture files.
    pub(crate) paths: &'a [PathBuf],
    /// Threads that make lines of packets; `None` leaves all to one thread.
    pub(crate) thread_count: Option<usize>,
    /// What both kinds of run have.
    pub(crate) common: Common<'a>,
}

/// What live runs and runs over files have in common.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Common<'a> {
    /// Where the lines go; `None` is standard output.
    pub(crate) output: Option<&'a PathBuf>,
    /// Whether that file may be overwritten.
    pub(crate) is_forced: bool,
    /// How the output is compressed; `None` is as the name of its file says.
    pub(crate) compression: Option<Compression>,
    /// When the next file begins.
    pub(crate) rotation: Rotation,
    /// Most packets to write.
    pub(crate) count: Option<u64>,
    /// Most bytes kept of a packet.
    pub(crate) snaplen: u32,
    /// Which packets are taken.
    pub(crate) choice: Choice<'a>,
    /// What lines say besides what they always do.
    pub(crate) details: Details,
    /// Whether standard error is for errors only.
    pub(crate) is_quiet: bool,
}
