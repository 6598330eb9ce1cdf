//! What there is to do, as the words say it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::Generate;
use crate::capture::Options;
use crate::describe::Details;
use crate::filter::Choice;
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
    Live(LiveJob<'a>),
    /// Read a capture file.
    Read(ReadJob<'a>),
}

/// How to capture.
#[derive(Debug)]
pub(crate) struct LiveJob<'a> {
    /// Names of the interfaces; none leaves the choice to the program.
    pub(crate) interfaces: Vec<&'a str>,
    /// How their sockets are opened.
    pub(crate) capture: Options,
    /// Threads that read each interface; `None` leaves all to one thread.
    pub(crate) thread_count: Option<usize>,
    /// Whether the run ends when an interface goes.
    pub(crate) is_exit_on_down: bool,
    /// When to stop by itself.
    pub(crate) duration: Option<Duration>,
    /// Time between `stats` records; zero is never.
    pub(crate) stats_interval: Duration,
    /// What both kinds of run have.
    pub(crate) common: Common<'a>,
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
