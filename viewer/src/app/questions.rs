//! Questions on their way: of each kind one at a time, and the answers of all parts become one.

use crate::query::{Answer, Query};

/// A question to be put to all workers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ask {
    /// To be told back with the answer.
    pub id: u32,
    /// The question.
    pub query: Query,
}

/// How many kinds of questions there are.
const KIND_COUNT: usize = 3;

/// The questions of one load.
#[derive(Debug, Default)]
pub(super) struct Questions {
    next_id: u32,
    slots: [Slot; KIND_COUNT],
}

/// The question of one kind.
#[derive(Debug, Default)]
struct Slot {
    asked: Option<Asked>,
    /// The question whose answer is known, while the data has not changed.
    known: Option<Query>,
}

#[derive(Debug)]
struct Asked {
    ask: Ask,
    answers: Vec<Option<Answer>>,
    /// The data has changed since: the answer is shown, but not known.
    is_outdated: bool,
}

impl Questions {
    /// For another load: answers to the questions of this one come too late.
    pub(super) fn begun_again(&self) -> Self {
        Self { next_id: self.next_id, ..Self::default() }
    }

    /// True where no answer is awaited.
    pub(super) fn is_quiet(&self) -> bool {
        self.slots.iter().all(|slot| slot.asked.is_none())
    }

    /// The data has changed: what is known has to be asked again.
    pub(super) fn outdate(&mut self) {
        for slot in &mut self.slots {
            slot.known = None;
            if let Some(asked) = &mut slot.asked {
                asked.is_outdated = true;
            }
        }
    }

    /// Asks a question of all parts, unless its answer is known or its kind is under way: then it is
    /// to be wished for again when that answer is there.
    pub(super) fn want(&mut self, query: Query, parts: usize) -> Option<Ask> {
        let slot = &mut self.slots[kind(query)];
        if slot.asked.is_some() || slot.known == Some(query) {
            return None;
        }
        let ask = Ask { id: self.next_id, query };
        self.next_id = self.next_id.wrapping_add(1);
        slot.asked = Some(Asked { ask, answers: vec![None; parts], is_outdated: false });
        Some(ask)
    }

    /// Takes a part's answer; gives question and answer when it was the last part's.
    pub(super) fn take(&mut self, id: u32, part: usize, answer: Answer) -> Option<(Query, Answer)> {
        let slot = self
            .slots
            .iter_mut()
            .find(|slot| slot.asked.as_ref().is_some_and(|asked| asked.ask.id == id))?;
        let asked = slot.asked.as_mut()?;
        *asked.answers.get_mut(part)? = Some(answer);
        if asked.answers.iter().any(Option::is_none) {
            return None;
        }
        let Asked { ask, answers, is_outdated } = slot.asked.take()?;
        slot.known = (!is_outdated).then_some(ask.query);
        let merged = answers.into_iter().flatten().reduce(Answer::merge)?;
        Some((ask.query, merged))
    }
}

fn kind(query: Query) -> usize {
    match query {
        Query::Sizes(_) => 0,
        Query::Density { .. } => 1,
        Query::Nearest { .. } => 2,
    }
}
