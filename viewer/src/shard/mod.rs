//! What a worker keeps of a part of a file: its columns, which of its packets are selected, and the
//! answers about them.
//!
//! While a selection changes, what was counted before is kept: only the packets that come or go are
//! counted in or out. So a brush costs a look at one column, and little for each packet it passes.

mod count;
mod flows;
mod order;

wire!(struct Before { ts_ns });

#[cfg(test)]
mod tests;

use crate::columns::{BLOCK_LEN, Columns, Rows};
use crate::filter::Matcher;
use crate::protocol::Class;
use crate::query::{Answer, Hit, Packet, Query, What};
use crate::selection::{Care, DIMENSION_COUNT, Dimension, Misses, Selection};
use crate::wire::wire;
use count::{Base, Chosen, Count};
use flows::Side;
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
    /// Rows at the last question.
    row_count: usize,
    selection: Selection,
    /// Changes when the selection does.
    selection_count: u64,
    /// Of each row; none at all while nothing is selected.
    misses: Vec<Misses>,
    /// What was counted of the selection as it is.
    counters: Vec<Counter>,
    order: Option<Order>,
}

/// A count of the packets that are selected in some dimensions.
#[derive(Debug)]
struct Counter {
    base: Base,
    care: Care,
    count: Count,
    /// It holds what was selected before; else nothing yet.
    is_old: bool,
    /// How many selections ago it was asked for.
    unasked: u8,
}

/// What some rows show of all.
#[derive(Clone, Copy, Debug, Default)]
struct Sample {
    rows: usize,
    selected: usize,
    changed: usize,
}

/// Which rows are selected in some dimensions.
#[derive(Clone, Copy)]
struct Selected<'a> {
    misses: &'a [Misses],
    care: Care,
}

impl Selected<'_> {
    /// Everything is, and nobody need look.
    fn is_all(&self) -> bool {
        self.care == Care::NONE || self.misses.is_empty()
    }

    /// How many rows of a block are selected.
    fn count(&self, rows: Range<usize>) -> usize {
        if self.is_all() {
            return rows.len();
        }
        self.misses[rows].iter().map(|misses| usize::from(misses.is_selected(self.care))).sum()
    }

    /// Which of them, counted from the block's first.
    fn find(&self, rows: Range<usize>, places: &mut Vec<u16>) {
        if self.is_all() {
            places.clear();
            places.extend(0..u16::try_from(rows.len()).unwrap_or(u16::MAX));
            return;
        }
        find(self.misses[rows].iter(), places, |misses| misses.is_selected(self.care));
    }
}

/// The places of those items that are meant.
fn find<T>(
    items: impl ExactSizeIterator<Item = T>,
    places: &mut Vec<u16>,
    is_meant: impl Fn(T) -> bool,
) {
    // Written always, kept where it is one: a branch that nobody could guess is dearer.
    places.resize(BLOCK_LEN, 0);
    let mut len = 0;
    for (place, item) in (0..).zip(items) {
        places[len % BLOCK_LEN] = place;
        len += usize::from(is_meant(item));
    }
    places.truncate(len);
}

/// The places of rows that were not selected and are now, and of those that were and are not.
fn changes(old: &[Misses], now: &[Misses], care: Care, come: &mut Vec<u16>, gone: &mut Vec<u16>) {
    /// Rows that are compared at a glance: most of them have not changed.
    const GLANCE: usize = 16;
    come.resize(BLOCK_LEN, 0);
    gone.resize(BLOCK_LEN, 0);
    let (mut come_len, mut gone_len) = (0, 0);
    let pairs = old.chunks(GLANCE).zip(now.chunks(GLANCE));
    for (start, (old, now)) in (0..).step_by(GLANCE).zip(pairs) {
        if Misses::are_same(old, now) {
            continue;
        }
        for (place, (old, now)) in (start..).zip(old.iter().zip(now)) {
            let (was, is) = (old.is_selected(care), now.is_selected(care));
            // As in `find`: no branch that nobody could guess.
            (come[come_len % BLOCK_LEN], gone[gone_len % BLOCK_LEN]) = (place, place);
            come_len += usize::from(is & !was);
            gone_len += usize::from(was & !is);
        }
    }
    come.truncate(come_len);
    gone.truncate(gone_len);
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
        let changed = self.prepare(columns, before, selection);
        let counted = |query: &Query| Some((Base::of(&query.what)?, query.care));
        let asked: Vec<_> = queries.iter().filter_map(counted).collect();
        let is_asked = |counter: &Counter| asked.contains(&(counter.base, counter.care));
        self.selection = selection.clone();
        if !changed.is_empty() {
            self.selection_count += 1;
            self.choose(columns, &changed, is_asked);
        }
        for (base, care) in asked.iter().copied() {
            let mut known = self.counters.iter_mut();
            if let Some(known) = known.find(|known| (known.base, known.care) == (base, care)) {
                known.unasked = 0;
            } else {
                // What a view showed before is not asked for again.
                self.counters.retain(|known| {
                    is_asked(known) || known.care != care || !known.base.is_of_view(&base)
                });
                let count = Count::new(&base, columns);
                self.counters.push(Counter { base, care, count, is_old: false, unasked: 0 });
            }
        }
        self.follow(columns, &changed);
        if queries.iter().any(|query| query.what == What::Conversations) {
            self.narrow(columns);
        }
        let answers = queries.iter().map(|query| self.answer_one(columns, query)).collect();
        // Of all packets together nothing comes and goes, and of the nearest one more than its going
        // would have to be known.
        self.counters.retain(|counter| {
            counter.care != Care::NONE && !matches!(counter.base, Base::Nearest { .. })
        });
        answers
    }

    /// Makes ready for a selection; says in which dimensions it is another.
    fn prepare(
        &mut self,
        columns: &Columns,
        before: Before,
        selection: &Selection,
    ) -> Vec<Dimension> {
        if self.before != before || self.row_count != columns.len() {
            // There are more rows; and gaps and the order depend on what is before.
            (self.before, self.row_count, self.order) = (before, columns.len(), None);
            self.misses = Vec::new();
            self.counters.clear();
        }
        if selection.is_empty() {
            self.misses = Vec::new();
            self.counters.clear();
            return Vec::new();
        }
        let is_fresh = self.misses.is_empty();
        if is_fresh {
            self.misses = vec![Misses::default(); columns.len()];
        }
        let is_changed = |dimension: &Dimension| match is_fresh {
            true => selection.get(*dimension).is_some(),
            false => self.selection.get(*dimension) != selection.get(*dimension),
        };
        Dimension::ALL.into_iter().filter(is_changed).collect()
    }

    /// Lets go of counts that are had for less by counting anew than by following what comes and goes,
    /// by a look at some of the blocks; and of those that nobody asks for any more.
    fn choose(
        &mut self,
        columns: &Columns,
        changed: &[Dimension],
        is_asked: impl Fn(&Counter) -> bool,
    ) {
        /// One block of so many is looked at.
        const SAMPLED: usize = 61;
        /// A count that was not asked for is followed where fewer rows than one in so many change.
        const FEW: usize = 8;
        /// For how many changes a count is followed without being asked for.
        const PATIENCE: u8 = 1;
        if self.counters.is_empty() {
            return;
        }
        let mut cares: Vec<(Care, Sample)> = Vec::new();
        for Counter { care, .. } in &self.counters {
            if !cares.iter().any(|(known, _)| known == care) {
                cares.push((*care, Sample::default()));
            }
        }
        let mut matchers = self.matchers(columns, &self.selection, changed);
        let mut rows = Rows::new(columns, self.before.ts_ns.map(|(last, _)| last));
        let mut room = [Misses::default(); BLOCK_LEN];
        for block in (0..columns.block_count()).step_by(SAMPLED) {
            rows.turn(block);
            let before = &self.misses[rows.range()];
            let now = &mut room[..before.len()];
            now.copy_from_slice(before);
            matchers.iter_mut().for_each(|(dimension, m)| mark(now, *dimension, m, &mut rows));
            for (care, sample) in &mut cares {
                for (before, now) in before.iter().zip(&*now) {
                    let (was, is) = (before.is_selected(*care), now.is_selected(*care));
                    sample.changed += usize::from(was != is);
                    sample.selected += usize::from(is);
                    sample.rows += 1;
                }
            }
        }
        self.counters.retain_mut(|counter| {
            let known = cares.iter().find(|(care, _)| *care == counter.care);
            let sample = known.map_or_else(Sample::default, |(_, sample)| *sample);
            if is_asked(counter) {
                return sample.changed <= sample.selected;
            }
            counter.unasked += 1;
            counter.unasked <= PATIENCE && sample.changed * FEW <= sample.rows
        });
    }

    /// What finds the rows of a selection, in these dimensions.
    fn matchers(
        &self,
        columns: &Columns,
        selection: &Selection,
        dimensions: &[Dimension],
    ) -> Vec<(Dimension, Option<Matcher>)> {
        let matcher = |dimension: &Dimension| {
            let expr = selection.get(*dimension);
            (*dimension, expr.map(|expr| Matcher::new(expr, columns, &self.file)))
        };
        dimensions.iter().map(matcher).collect()
    }

    /// Goes over all rows once: finds out which are selected now, and counts.
    fn follow(&mut self, columns: &Columns, changed: &[Dimension]) {
        let has_new = self.counters.iter().any(|counter| !counter.is_old);
        if changed.is_empty() && !has_new {
            return;
        }
        let mut matchers = self.matchers(columns, &self.selection, changed);
        let Self { misses, counters, .. } = self;
        let mut cares: Vec<Care> = Vec::with_capacity(DIMENSION_COUNT);
        for counter in &*counters {
            if !cares.contains(&counter.care) {
                cares.push(counter.care);
            }
        }
        let mut rows = Rows::new(columns, self.before.ts_ns.map(|(last, _)| last));
        let classes: Vec<Class> = columns.kinds().iter().map(|kind| kind.class).collect();
        let mut old = [Misses::default(); BLOCK_LEN];
        let (mut places, mut gone) = (Vec::new(), Vec::new());
        for block in 0..columns.block_count() {
            rows.turn(block);
            let range = rows.range();
            let old = &mut old[..range.len()];
            let mut is_same = true;
            if !changed.is_empty() {
                let now = &mut misses[range.clone()];
                old.copy_from_slice(now);
                matchers.iter_mut().for_each(|(dimension, m)| mark(now, *dimension, m, &mut rows));
                is_same = Misses::are_same(old, now);
            }
            if is_same && !has_new {
                continue;
            }
            for care in &cares {
                let of_care = |counter: &&mut Counter| counter.care == *care;
                let has_old = counters.iter().any(|known| known.care == *care && known.is_old);
                if !is_same && has_old {
                    let now = &misses[range.clone()];
                    changes(old, now, *care, &mut places, &mut gone);
                    for known in counters.iter_mut().filter(of_care).filter(|known| known.is_old) {
                        known.count.count::<true>(
                            &mut rows,
                            Chosen { places: &places, classes: &classes },
                        );
                        known
                            .count
                            .count::<false>(&mut rows, Chosen { places: &gone, classes: &classes });
                    }
                }
                let has_new = counters.iter().any(|new| new.care == *care && !new.is_old);
                if has_new {
                    Selected { misses, care: *care }.find(range.clone(), &mut places);
                    for new in counters.iter_mut().filter(of_care).filter(|new| !new.is_old) {
                        new.count.count::<true>(
                            &mut rows,
                            Chosen { places: &places, classes: &classes },
                        );
                    }
                }
            }
        }
        counters.iter_mut().for_each(|counter| counter.is_old = true);
    }

    /// Looks for first and last times where they went.
    fn narrow(&mut self, columns: &Columns) {
        let Self { misses, counters, before, .. } = self;
        for counter in counters {
            let Count::Flows(flows) = &mut counter.count else { continue };
            if !flows.begin_narrowing() {
                continue;
            }
            let selected = Selected { misses, care: counter.care };
            let mut rows = Rows::new(columns, before.ts_ns.map(|(last, _)| last));
            let mut places = Vec::new();
            for block in 0..columns.block_count() {
                rows.turn(block);
                selected.find(rows.range(), &mut places);
                flows.narrow(&mut rows, &places);
            }
            flows.end_narrowing();
        }
    }

    fn answer_one(&mut self, columns: &Columns, query: &Query) -> Answer {
        let base = Base::of(&query.what);
        let known =
            self.counters.iter().find(|known| (Some(known.base), known.care) == (base, query.care));
        let Some(counter) = known else { return self.ordered(columns, query) };
        let by = |count: &Count, side: Side| match count {
            Count::Flows(flows) => Answer::Places(flows.by(side, self.part, columns)),
            _ => Answer::Places(Vec::new()),
        };
        match (&query.what, &counter.count) {
            (What::Sources, count) => by(count, Side::Source),
            (What::Destinations, count) => by(count, Side::Destination),
            (What::Protocols, count) => by(count, Side::Protocol),
            (_, Count::Total(tally)) => Answer::Total(*tally),
            (_, Count::Bins(_, tallies)) => Answer::Bins(tallies.clone()),
            (_, Count::Density(_, density)) => Answer::Density(density.clone()),
            (_, Count::Ports(tallies)) => {
                let ports = (0..=u16::MAX).zip(tallies.iter().copied());
                Answer::Ports(ports.filter(|(_, tally)| 0 < tally.packets).collect())
            }
            (_, Count::Flows(flows)) => Answer::Flows(flows.tallies(self.part)),
            (_, Count::Nearest { best, .. }) => Answer::Nearest(best.map(|near| Hit {
                distance: near.distance,
                cell: near.cell,
                packet: self.packet(columns, near.index),
            })),
        }
    }

    fn packet(&self, columns: &Columns, index: usize) -> Packet {
        let row = columns.row(index);
        Packet { part: self.part, index, key_ns: row.ts_ns, row }
    }

    /// Answers what is about the order of packets.
    fn ordered(&mut self, columns: &Columns, query: &Query) -> Answer {
        let selected = Selected { misses: &self.misses, care: query.care };
        let mut order = match self.order.take() {
            Some(order) => order,
            None => Order::new(columns, self.before.ts_ns.map(|(_, latest)| latest)),
        };
        order.select(columns, selected, self.selection_count);
        let answer = match &query.what {
            What::Ranks { key_ns } => {
                Answer::Ranks(vec![order.rank(self.part, columns, *key_ns, selected)])
            }
            What::Rows { starts, count } => {
                let start = starts.iter().find(|(part, _)| *part == self.part);
                let indices = start.map(|(_, start)| order.rows(columns, *start, *count, selected));
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

/// Marks the rows of a block that are not selected in a dimension; without a matcher all are.
fn mark(
    misses: &mut [Misses],
    dimension: Dimension,
    matcher: &mut Option<Matcher>,
    rows: &mut Rows<'_>,
) {
    let mut room = [true; BLOCK_LEN];
    let is_meant = &mut room[..misses.len()];
    if let Some(matcher) = matcher {
        matcher.find(rows, is_meant);
    }
    Misses::mark(misses, dimension, is_meant);
}
