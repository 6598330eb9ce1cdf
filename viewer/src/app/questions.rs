//! Questions on their way: of each kind one at a time, the latest wish wins, and the answers of all
//! parts become one.

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

/// The questions of one kind.
#[derive(Debug, Default)]
struct Slot {
    asked: Option<Asked>,
    /// To be asked when the answer to the question before is there.
    wanted: Option<(Query, usize)>,
    /// The question whose answer is known, while the data has not changed.
    known: Option<Query>,
}

#[derive(Debug)]
struct Asked {
    ask: Ask,
    answers: Vec<Option<Answer>>,
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
            // What is being answered may be of the data before.
            if let Some(asked) = &slot.asked {
                slot.wanted = Some((asked.ask.query, asked.answers.len()));
            }
        }
    }

    /// Wishes for the answer to a question of all parts: asks it now, or when its kind is free.
    pub(super) fn want(&mut self, query: Query, parts: usize) -> Option<Ask> {
        let slot = &mut self.slots[kind(query)];
        if let Some(asked) = &slot.asked {
            let is_asked = asked.ask.query == query;
            let is_outdated = slot.wanted.is_some_and(|(wanted, _)| wanted == asked.ask.query);
            slot.wanted = (!is_asked || is_outdated).then_some((query, parts));
            return None;
        }
        if slot.known == Some(query) {
            return None;
        }
        Some(self.put(query, parts))
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
        let Asked { ask, answers } = slot.asked.take()?;
        // Where the question is wanted again, what is known is outdated already.
        let is_outdated = slot.wanted.take().is_some_and(|(wanted, _)| wanted == ask.query);
        slot.known = (!is_outdated).then_some(ask.query);
        let merged = answers.into_iter().flatten().reduce(Answer::merge)?;
        Some((ask.query, merged))
    }

    fn put(&mut self, query: Query, parts: usize) -> Ask {
        let ask = Ask { id: self.next_id, query };
        self.next_id = self.next_id.wrapping_add(1);
        self.slots[kind(query)].asked = Some(Asked { ask, answers: vec![None; parts] });
        ask
    }
}

fn kind(query: Query) -> usize {
    match query {
        Query::Sizes(_) => 0,
        Query::Density { .. } => 1,
        Query::Nearest { .. } => 2,
    }
}
