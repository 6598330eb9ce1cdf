//! The table of problems: kinds of packets that tell of trouble, with their numbers. Each kind is a filter,
//! and a click selects its packets. Their findings need the analysis of TCP.

use super::choices::{contains_choice, toggled};
use super::problem_kinds::{MIN_SCANNED_PORTS, ProblemKind};
use super::query_scheduler::{Request, Slot};
use super::tables::{Format, VirtualRow, VirtualTable};
use super::{App, Panel};
use crate::chart::Table;
use crate::filter::Expr;
use crate::query::{Answer, Query, QueryKind};
use crate::selection::{Dimension, DimensionSet};
use crate::table_columns::PROBLEM_COLUMNS;
use crate::tally::Tally;
use crate::time::Zone;

impl App {
    /// The requests for the number of packets of each kind, if the table is in sight or a script needs it.
    pub(super) fn problem_requests(&mut self) -> Vec<Request> {
        self.refresh_scanners();
        let is_seen = self.is_seen(Panel::Problems);
        if !self.is_analyzed() || !(is_seen || self.are_conversations_requested) {
            return Vec::new();
        }
        let refusals = QueryKind::Refusals { max_ports: MIN_SCANNED_PORTS };
        let filters = self.problem_kinds().iter().map(ProblemKind::filter).collect();
        let dimensions = self.dimensions_except(Some(Dimension::Problem)).unwrap_or_default();
        let request = |slot, kind, dimensions| {
            let query = Query { kind, dimensions };
            Request { slot, query, is_seen }
        };
        vec![
            request(Slot::Refusals, refusals, DimensionSet::EMPTY),
            request(Slot::Problems, QueryKind::Matches(filters), dimensions),
        ]
    }

    /// The kinds with their packets, as last answered; `None` before the answer.
    fn counted_problems(&self) -> Vec<(ProblemKind, Option<Tally>)> {
        let (filters, tallies) = match self.scheduler.latest(Slot::Problems) {
            Some((Query { kind: QueryKind::Matches(filters), .. }, Answer::Tallies(tallies))) => {
                (&filters[..], &tallies[..])
            }
            _ => return Vec::new(),
        };
        let count = |kind: ProblemKind| {
            let filter = kind.filter();
            // The answer may be older than the filter.
            let index = filters.iter().position(|other| *other == filter);
            let count = match kind.expr {
                Some(_) => index.and_then(|index| *tallies.get(index)?),
                None => Some(Tally::default()),
            };
            (kind, count)
        };
        self.problem_kinds().into_iter().map(count).collect()
    }

    /// The table, which has few rows.
    pub(super) fn visible_problems(&self) -> VirtualTable {
        let format = Format { zone: &Zone::Utc, is_plain: false };
        let chosen = self.history.now().get(Dimension::Problem);
        let row = |(problem, count): &(ProblemKind, Option<Tally>)| VirtualRow {
            cells: problem_cells(problem, *count, &format),
            is_selected: chosen
                .zip(problem.expr.as_ref())
                .is_some_and(|(all, one)| contains_choice(all, one)),
            ..VirtualRow::default()
        };
        let rows: Vec<_> = self.counted_problems().iter().map(row).collect();
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
        let counted = self.counted_problems();
        let cells = |(problem, count): &(_, _)| problem_cells(problem, *count, &Format::PLAIN);
        Table {
            header: PROBLEM_COLUMNS.iter().map(|name| (*name).to_owned()).collect(),
            rows: counted.iter().map(cells).collect(),
        }
    }

    /// The cells of a row, and the filter for its packets.
    pub(super) fn problem_row(&self, index: usize) -> Option<(Vec<String>, Option<String>)> {
        let (problem, count) = self.counted_problems().into_iter().nth(index)?;
        let filter = problem.expr.is_some().then(|| problem.filter());
        Some((problem_cells(&problem, count, &Format::PLAIN), filter))
    }

    /// Selects or deselects the packets of a kind.
    pub(super) fn toggle_problem(&mut self, index: usize) {
        if let Some(choice) = self.problem_kinds().into_iter().nth(index).and_then(|kind| kind.expr)
        {
            let choices = toggled(self.history.now().get(Dimension::Problem), choice);
            self.select(Dimension::Problem, choices, false);
        }
    }

    /// The names of the kinds that are selected; `None` if others are.
    pub(super) fn problem_names(&self, choices: &Expr) -> Option<String> {
        let kinds = self.problem_kinds();
        if let Some(kind) = kinds.iter().find(|kind| kind.expr.as_ref() == Some(choices)) {
            return Some(kind.name.clone());
        }
        let is_chosen = |kind: &&ProblemKind| {
            kind.expr.as_ref().is_some_and(|choice| contains_choice(choices, choice))
        };
        let names: Vec<_> = kinds.iter().filter(is_chosen).map(|kind| &kind.name[..]).collect();
        (!names.is_empty()).then(|| names.join(", "))
    }
}

/// The cells of a row, in the order of [`PROBLEM_COLUMNS`].
fn problem_cells(problem: &ProblemKind, count: Option<Tally>, format: &Format<'_>) -> Vec<String> {
    let [packets, bytes] = count.map(|tally| format.tally(tally)).unwrap_or_default();
    vec![problem.name.clone(), packets, bytes, problem.filter()]
}
