//! What a worker keeps of a part of a file: its columns, which of its packets are selected, and the
//! answers about them.

mod count;
mod order;

wire!(struct Before { ts_ns });

#[cfg(test)]
mod tests;

use crate::columns::{BLOCK_LEN, Block, Columns};
use crate::filter::{Expr, Matcher};
use crate::query::{Answer, Packet, Query, What};
use crate::selection::{Care, Dimension, Misses, Selection};
use crate::wire::wire;
use count::Count;
use order::Order;
use std::ops::Range;

/// What the packets before a part, in its file, leave behind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Before {
    /// Time of the last of them, and the latest time of them all, in nanoseconds since the epoch;
    /// `None` where there are none.
    pub ts_ns: Option<(i64, i64)>,
}

/// Which packets of some columns are selected, and what is counted of them.
#[derive(Debug, Default)]
pub struct Shard {
    part: usize,
    file: String,
    before: Before,
    selection: Selection,
    /// Of each row seen so far; none at all while nothing is selected.
    misses: Vec<Misses>,
    order: Option<Order>,
}

impl Shard {
    /// For the columns of that part, of the file of that name.
    pub fn new(part: usize, file: String) -> Self {
        Self { part, file, ..Self::default() }
    }

    /// Answers each query about the columns, which only grow from call to call.
    pub fn answer(
        &mut self,
        columns: &Columns,
        before: Before,
        selection: &Selection,
        queries: &[Query],
    ) -> Vec<Answer> {
        self.select(columns, before, selection);
        let mut counts: Vec<_> =
            queries.iter().map(|query| Count::new(&query.what, columns)).collect();
        if counts.iter().any(Option::is_some) {
            self.count(columns, queries, &mut counts);
        }
        let answers = counts.into_iter().zip(queries);
        let mut all = Vec::with_capacity(queries.len());
        for (count, query) in answers {
            all.push(match count {
                Some(count) => count.finish(self.part, |index| self.packet(columns, index)),
                None => self.ordered(columns, query),
            });
        }
        all
    }

    fn packet(&self, columns: &Columns, index: usize) -> Packet {
        let row = columns.row(index);
        Packet { part: self.part, index, key_ns: row.ts_ns, row }
    }

    /// Goes over all rows once, for all counts.
    fn count(&self, columns: &Columns, queries: &[Query], counts: &mut [Option<Count>]) {
        let mut block = Block::new(columns, self.before.ts_ns.map(|(last, _)| last));
        let classes: Vec<_> = columns.kinds().iter().map(|kind| kind.class as u8).collect();
        let mut cares: Vec<Care> = Vec::new();
        for query in queries {
            if !cares.contains(&query.care) {
                cares.push(query.care);
            }
        }
        let mut selected = Vec::with_capacity(BLOCK_LEN);
        for rows in blocks(0..columns.len()) {
            block.turn(rows.clone());
            for care in &cares {
                self.selected(&rows, *care, &mut selected);
                for (query, count) in queries.iter().zip(&mut *counts) {
                    if query.care == *care
                        && let Some(count) = count
                    {
                        count.add(&mut block, &selected, &classes);
                    }
                }
            }
        }
    }

    /// Which rows of a block are selected, counted from its first.
    fn selected(&self, rows: &Range<usize>, care: Care, selected: &mut Vec<u16>) {
        selected.clear();
        let places = 0..u16::try_from(rows.len()).unwrap_or(u16::MAX);
        if care == Care::NONE || self.misses.is_empty() {
            selected.extend(places);
            return;
        }
        // Written always, kept where it is one: a branch that nobody could guess is dearer.
        selected.resize(rows.len(), 0);
        let mut len = 0;
        for (place, misses) in places.zip(&self.misses[rows.clone()]) {
            selected[len] = place;
            len += usize::from(misses.is_selected(care));
        }
        selected.truncate(len);
    }

    /// Brings what is known of each row up to date.
    fn select(&mut self, columns: &Columns, before: Before, selection: &Selection) {
        if self.before != before {
            // Gaps and the order depend on it.
            (self.before, self.order) = (before, None);
            self.misses.clear();
        }
        if self.selection != *selection || self.misses.len() != columns.len() {
            self.order = None;
        }
        if selection.is_empty() {
            self.misses = Vec::new();
            self.selection = Selection::default();
            return;
        }
        let known = self.misses.len();
        if known == 0 {
            self.misses.reserve_exact(columns.len());
        }
        self.misses.resize(columns.len(), Misses::default());
        for dimension in Dimension::ALL {
            let (before, now) = (self.selection.get(dimension), selection.get(dimension));
            match now {
                // New rows are selected where nothing says otherwise.
                None if before.is_none() => {}
                None => self.misses.iter_mut().for_each(|misses| misses.set(dimension, true)),
                Some(expr) => {
                    let from = if before == now { known } else { 0 };
                    self.select_in(columns, dimension, expr, from);
                }
            }
        }
        self.selection = selection.clone();
    }

    /// Looks at the rows from `from` on.
    fn select_in(&mut self, columns: &Columns, dimension: Dimension, expr: &Expr, from: usize) {
        if from == columns.len() {
            return;
        }
        let mut matcher = Matcher::new(expr, columns, &self.file);
        let mut block = Block::new(columns, self.before.ts_ns.map(|(last, _)| last));
        let mut room = [false; BLOCK_LEN];
        for rows in blocks(from..columns.len()) {
            block.turn(rows.clone());
            let is_meant = &mut room[..rows.len()];
            matcher.find(&mut block, is_meant);
            for (misses, is_meant) in self.misses[rows].iter_mut().zip(is_meant) {
                misses.set(dimension, *is_meant);
            }
        }
    }

    /// Answers what is about the order of packets.
    fn ordered(&mut self, columns: &Columns, query: &Query) -> Answer {
        let order = match self.order.take() {
            Some(order) if order.care() == query.care => order,
            _ => {
                let mut selected = Vec::with_capacity(BLOCK_LEN);
                let latest = self.before.ts_ns.map(|(_, latest)| latest);
                Order::new(columns, latest, query.care, |rows| {
                    self.selected(&rows, query.care, &mut selected);
                    selected.len()
                })
            }
        };
        let mut selected = Vec::with_capacity(BLOCK_LEN);
        let places = |rows: Range<usize>| {
            self.selected(&rows, query.care, &mut selected);
            selected.clone()
        };
        let answer = match &query.what {
            What::Ranks { key_ns } => {
                Answer::Ranks(vec![order.rank(self.part, columns, *key_ns, places)])
            }
            What::Rows { starts, count } => {
                let start = starts.iter().find(|(part, _)| *part == self.part);
                let indices = start.map(|(_, start)| order.rows(columns, *start, *count, places));
                let packets = indices
                    .unwrap_or_default()
                    .into_iter()
                    .map(|(index, key_ns)| Packet { key_ns, ..self.packet(columns, index) });
                Answer::Rows(packets.collect())
            }
            _ => Answer::Rows(Vec::new()),
        };
        self.order = Some(order);
        answer
    }

    /// True where the packet is selected in all dimensions.
    pub fn is_selected(&self, index: usize) -> bool {
        let care = self.selection.care();
        self.misses.is_empty() || self.misses.get(index).is_some_and(|m| m.is_selected(care))
    }
}

/// Blocks of rows; but for the first, they begin at multiples of their length.
fn blocks(rows: Range<usize>) -> impl Iterator<Item = Range<usize>> {
    let mut start = rows.start;
    std::iter::from_fn(move || {
        let end = rows.end.min(start - start % BLOCK_LEN + BLOCK_LEN);
        let block = start..end;
        start = end;
        (!block.is_empty()).then_some(block)
    })
}
