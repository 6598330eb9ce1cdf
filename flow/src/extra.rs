//! Values that only some flows have.

use crate::counts::Dns;
use crate::flow::Names;
use crate::rtt::HighRtt;
use crate::slab::{Entry, NONE, Slab};
use crate::tcp::Trouble;
use crate::times::LongDifferences;

/// The values that only some flows have: DNS messages, names, and [`Rare`].
#[derive(Debug, Default)]
pub(crate) struct Extra {
    pub(crate) dns: Dns,
    pub(crate) names: Option<Box<Names>>,
    rare: Option<Box<Rare>>,
}

/// The values that only few flows have. Index 0 of an array is for the packets from the source, index 1 for
/// those to it.
#[derive(Debug, Default)]
pub(crate) struct Rare {
    /// How often the flow was reported before.
    pub(crate) reports: u32,
    /// The high halves of counts.
    pub(crate) high: [HighCounts; 2],
    /// Packets that experienced congestion.
    pub(crate) ce: [u32; 2],
    pub(crate) long_differences: Option<Box<LongDifferences>>,
    /// The findings of the analysis of TCP.
    pub(crate) troubles: [Option<Box<Trouble>>; 2],
}

/// The high halves of the counts of one direction.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct HighCounts {
    pub(crate) packets: u32,
    pub(crate) bytes: u32,
    pub(crate) payload: u32,
    pub(crate) rtt: HighRtt,
}

impl Entry for Extra {
    fn link(&mut self) -> &mut u32 {
        &mut self.dns.questions
    }
}

impl Extra {
    /// The extra values of a flow, which may have none yet.
    pub(crate) fn find_or_insert<'a>(index: &mut u32, extras: &'a mut Slab<Self>) -> &'a mut Self {
        if *index == NONE {
            *index = extras.insert(Self::default());
        }
        extras.get_mut(*index)
    }
}

impl Rare {
    /// The rare values of a flow.
    pub(crate) fn find(index: u32, extras: &Slab<Extra>) -> Option<&Self> {
        extras.find(index)?.rare.as_deref()
    }

    /// The rare values of a flow, to change them.
    pub(crate) fn find_mut(index: u32, extras: &mut Slab<Extra>) -> Option<&mut Self> {
        (index != NONE).then(|| extras.get_mut(index))?.rare.as_deref_mut()
    }

    /// The rare values of a flow, which may have none yet.
    pub(crate) fn find_or_insert<'a>(index: &mut u32, extras: &'a mut Slab<Extra>) -> &'a mut Self {
        Extra::find_or_insert(index, extras).rare.get_or_insert_default()
    }
}
