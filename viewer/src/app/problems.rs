//! The table of problems: kinds of packets that tell of trouble, with their numbers. Each kind is a filter,
//! and a click selects its packets. Their findings need the analysis of TCP.

use super::choices::{contains_choice, toggled};
use super::query_scheduler::{Request, Slot};
use super::tables::{Format, VirtualRow, VirtualTable};
use super::{App, Panel};
use crate::chart::Table;
use crate::filter::{Context, Expr, parse};
use crate::query::{Answer, Query, QueryKind};
use crate::selection::Dimension;
use crate::table_columns::PROBLEM_COLUMNS;
use crate::tally::Tally;
use crate::time::Zone;

/// A kind of problem: its name, and the filter for its packets.
type Problem = (&'static str, &'static str);

/// The kinds, in the order of the table.
const PROBLEMS: [Problem; 10] = [
    ("Retransmissions after a time-out", "rtx == timeout"),
    ("Fast retransmissions", "rtx == fast"),
    ("Spurious retransmissions", "rtx == spurious"),
    ("Segments out of order", "ooo"),
    ("Duplicate acknowledgments", "dup_ack"),
    ("Zero windows", "zero_window"),
    ("Full windows", "window_full"),
    ("Slow handshakes (200 ms or more)", "handshake_us >= 200000"),
    ("Resets", "flags has R"),
    ("Gaps in the capture", "unseen"),
];

/// The packets of a kind.
fn expr(problem: &Problem) -> Option<Expr> {
    parse(problem.1, &Context::canonical()).ok().flatten()
}

impl App {
    /// The request for the number of packets of each kind, if the table is in
    /// sight or a script needs it.
    pub(super) fn problems_request(&self) -> Option<Request> {
        let is_seen = self.is_seen(Panel::Problems);
        let is_needed = self.is_analyzed() && (is_seen || self.are_conversations_requested);
        let filters = PROBLEMS.iter().map(|(_, filter)| (*filter).to_owned()).collect();
        let dimensions = self.dimensions_except(Some(Dimension::Problem)).unwrap_or_default();
        let query = Query { kind: QueryKind::Matches(filters), dimensions };
        is_needed.then_some(Request { slot: Slot::Problems, query, is_seen })
    }

    /// The kinds with their packets, as last answered.
    fn problem_tallies(&self) -> impl Iterator<Item = (&'static Problem, Tally)> {
        let tallies = match self.scheduler.latest(Slot::Problems) {
            Some((_, Answer::Tallies(tallies))) => &tallies[..],
            _ => &[],
        };
        PROBLEMS.iter().zip(tallies.iter().copied())
    }

    /// The table, which has few rows.
    pub(super) fn visible_problems(&self) -> VirtualTable {
        let format = Format { zone: &Zone::Utc, is_plain: false };
        let chosen = self.history.now().get(Dimension::Problem);
        let is_chosen = |problem| {
            let choice = expr(problem);
            chosen.zip(choice).is_some_and(|(all, one)| contains_choice(all, &one))
        };
        let row = |(problem, tally)| VirtualRow {
            cells: problem_cells(problem, tally, &format),
            is_selected: is_chosen(problem),
            ..VirtualRow::default()
        };
        let rows: Vec<_> = self.problem_tallies().map(row).collect();
        VirtualTable {
            count: rows.len() as u64,
            visible_rows: rows.len(),
            rows,
            hidden: self.settings.layout.columns.hidden(Panel::Problems, 0),
            widths: self.settings.layout.widths.of(Panel::Problems),
            ..VirtualTable::default()
        }
    }

    /// The table, as plain numbers.
    pub(super) fn problem_table(&self) -> Table {
        let cells = |(problem, tally)| problem_cells(problem, tally, &Format::PLAIN);
        Table {
            header: PROBLEM_COLUMNS.iter().map(|name| (*name).to_owned()).collect(),
            rows: self.problem_tallies().map(cells).collect(),
        }
    }

    /// The cells of a row, and the filter for its packets.
    pub(super) fn problem_row(&self, index: usize) -> Option<(Vec<String>, &'static str)> {
        let (problem, tally) = self.problem_tallies().nth(index)?;
        Some((problem_cells(problem, tally, &Format::PLAIN), problem.1))
    }

    /// Selects or deselects the packets of a kind.
    pub(super) fn toggle_problem(&mut self, index: usize) {
        if let Some(choice) = PROBLEMS.get(index).and_then(expr) {
            let choices = toggled(self.history.now().get(Dimension::Problem), choice);
            self.select(Dimension::Problem, choices, false);
        }
    }

    /// The names of the kinds that are selected; `None` if others are.
    pub(super) fn problem_names(&self, choices: &Expr) -> Option<String> {
        if let Some((name, _)) = PROBLEMS.iter().find(|one| expr(one).as_ref() == Some(choices)) {
            return Some((*name).to_owned());
        }
        let is_chosen = |problem: &&Problem| {
            expr(problem).is_some_and(|choice| contains_choice(choices, &choice))
        };
        let names: Vec<_> = PROBLEMS.iter().filter(is_chosen).map(|(name, _)| *name).collect();
        (!names.is_empty()).then(|| names.join(", "))
    }
}

/// The cells of a row, in the order of [`PROBLEM_COLUMNS`].
fn problem_cells(problem: &Problem, tally: Tally, format: &Format<'_>) -> Vec<String> {
    let [packets, bytes] = format.tally(tally);
    vec![problem.0.to_owned(), packets, bytes, problem.1.to_owned()]
}
