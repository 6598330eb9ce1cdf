//! What page and workers say to each other, in few bytes.

use crate::flows::News;
use crate::load::{Keep, Report};
use crate::query::{Answer, Query};
use crate::selection::Selection;
use crate::shard::Before;
use crate::wire::wire;

/// From the page to a worker.
#[derive(Clone, Debug, PartialEq)]
pub enum ToWorker {
    /// Read the lines that begin in this range of the file that comes with the message.
    Load {
        /// Which load this is: reports and answers tell it back.
        epoch: u32,
        /// Which part of all that is open.
        part: usize,
        /// Name of the file.
        file: String,
        /// First byte of the range.
        start: u64,
        /// Behind its last byte.
        end: u64,
        /// The range is all of the file, whose content is to be told by its bytes.
        is_whole: bool,
        /// Which packets are kept.
        keep: Keep,
    },
    /// Read no more; keep what was read.
    Cancel,
    /// Read no more, and forget what was read: another load begins.
    Forget {
        /// Which load that is.
        epoch: u32,
    },
    /// Answer these.
    Ask {
        /// What the parts before each part leave behind.
        befores: Vec<Before>,
        /// What is selected.
        selection: Selection,
        /// The questions, with their ids.
        queries: Vec<(u32, Query)>,
    },
    /// Give the line of a packet, and no other one any more.
    Read {
        /// Of which part.
        part: usize,
        /// Its place there.
        index: usize,
    },
    /// Give the lines of all that is selected.
    Export {
        /// Which export this is.
        id: u32,
        /// What the parts before each part leave behind.
        befores: Vec<Before>,
        /// What is selected.
        selection: Selection,
    },
    /// Give the lines of these packets, each by its part and its place there, as far as they are in the
    /// worker's parts.
    ReadAll {
        /// The packets.
        rows: Vec<(usize, usize)>,
    },
    /// Fail, as memory that runs out would make it: for the tests of what follows.
    Fail,
}

/// From a worker to the page.
#[derive(Clone, Debug, PartialEq)]
pub enum FromWorker {
    /// It is there and listens.
    Ready,
    /// How far a load is.
    Report {
        /// Of which load.
        epoch: u32,
        /// Of which part.
        part: usize,
        /// How far.
        report: Report,
    },
    /// What the worker has not told of before: answers speak of it by its places.
    Learn {
        /// Of which load.
        epoch: u32,
        /// Of which part.
        part: usize,
        /// What is new.
        news: News,
    },
    /// Answers, with the ids of their questions.
    Answers {
        /// To which load's packets they belong.
        epoch: u32,
        /// The answers.
        answers: Vec<(u32, Answer)>,
    },
    /// The line of a packet.
    Line {
        /// To which load's packets it belongs.
        epoch: u32,
        /// Of which part.
        part: usize,
        /// Its place there.
        index: usize,
        /// The line.
        line: String,
    },
    /// Lines of packets; empty where it takes reading all of a file.
    Lines {
        /// To which load's packets they belong.
        epoch: u32,
        /// Each with its part and its place there.
        lines: Vec<((usize, usize), String)>,
    },
    /// The lines that are selected come with the message, as parts of files, each with its number.
    Exported {
        /// Which export they are of.
        id: u32,
        /// Numbers of the parts.
        parts: Vec<usize>,
    },
}

wire!(enum ToWorker {
    0 Load { epoch, part, file, start, end, is_whole, keep }, 1 Cancel, 2 Forget { epoch },
    3 Ask { befores, selection, queries }, 4 Read { part, index }, 5 Export { id, befores, selection }, 6 Fail, 7 ReadAll { rows },
});
wire!(enum FromWorker {
    0 Ready, 1 Report { epoch, part, report }, 2 Learn { epoch, part, news },
    3 Answers { epoch, answers }, 4 Line { epoch, part, index, line },
    5 Exported { id, parts }, 6 Lines { epoch, lines },
});
