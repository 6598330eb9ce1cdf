//! What page and workers say to each other, as JSON; files and blocks of numbers travel beside it.

use crate::load::Report;
use crate::query::{Answer, Query};
use serde::{Deserialize, Serialize};

/// From the page to a worker.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ToWorker {
    /// Read the lines that begin in this range of the file that comes with the message, and forget
    /// what was read before.
    Load {
        /// Which load this is: reports and answers tell it back.
        epoch: u32,
        /// First byte of the range.
        start: u64,
        /// Behind its last byte.
        end: u64,
        /// The range is all of the file, whose content is to be told by its bytes.
        is_whole: bool,
    },
    /// Read no more; keep what was read.
    Cancel,
    /// Read no more, and forget what was read: another load has begun.
    Forget {
        /// Which load this is.
        epoch: u32,
    },
    /// Answer this.
    Ask {
        /// Which question this is.
        id: u32,
        /// The question.
        query: Query,
    },
}

/// From a worker to the page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FromWorker {
    /// It is there and listens.
    Ready,
    /// How far a load is.
    Report {
        /// Of which load.
        epoch: u32,
        /// How far.
        report: Report,
    },
    /// An answer; the counts of a density come with the message.
    Answer {
        /// To which load's packets it belongs.
        epoch: u32,
        /// To which question.
        id: u32,
        /// The part's answer.
        answer: Answer,
    },
}
