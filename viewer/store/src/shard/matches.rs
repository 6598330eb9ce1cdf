//! Counts the packets that match filters, without keeping the counts.

use super::Shard;
use crate::columns::Columns;
use crate::matcher::{File, Matcher};
use crate::tally::Tally;
use viewer_model::axis::Quantity;
use viewer_model::filter::{Context, Expr, parse};
use viewer_model::selection::DimensionSet;

impl Shard {
    /// The selected packets that match each filter; `None` if a field of the filter has not been read.
    pub(super) fn count_matches(
        &self,
        columns: &Columns,
        filters: &[String],
        dimensions: DimensionSet,
    ) -> Vec<Option<Tally>> {
        let file = File { name: &self.file, start_ns: self.preceding.start_ns() };
        let is_known = |expr: &Expr| {
            let mut fields = Vec::new();
            expr.extra_fields(&mut fields);
            columns.is_empty() || fields.iter().all(|field| columns.has_extra(*field))
        };
        let exprs =
            filters.iter().map(|filter| parse(filter, &Context::canonical()).ok().flatten());
        let exprs = exprs.map(|expr| expr.filter(is_known));
        let mut matchers: Vec<_> =
            exprs.map(|expr| expr.map(|expr| Matcher::new(&expr, columns, file))).collect();
        let mut tallies: Vec<_> =
            matchers.iter().map(|matcher| matcher.as_ref().map(|_| Tally::default())).collect();
        let mut rows = self.rows(columns);
        for block in 0..columns.block_count() {
            let selected = self.mask.selected(block, dimensions);
            if selected.count() == 0 {
                continue;
            }
            rows.load(block);
            for (matcher, tally) in matchers.iter_mut().zip(&mut tallies) {
                let (Some(matcher), Some(tally)) = (matcher, tally) else { continue };
                let found = matcher.find(&mut rows).and(&selected);
                if found.count() == 0 {
                    continue;
                }
                let lengths = rows.values(Quantity::Size);
                found.each(|row| {
                    let bytes = u64::try_from(lengths[usize::from(row)]).unwrap_or(0);
                    tally.add(Tally::of(bytes));
                });
            }
        }
        tallies
    }
}
