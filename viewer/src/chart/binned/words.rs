//! The texts of bar charts: descriptions, tooltips, and the table of their values.

use super::super::legend::legend_text;
use super::super::{Table, bin_text, range_text};
use super::Binned;
use crate::axis::Quantity;
use crate::protocol::Class;
use crate::tally::Tally;
use crate::text;
use crate::time::Zone;

impl Binned<'_> {
    /// A description for screen readers.
    pub fn description(&self, zone: &Zone) -> String {
        let span = self.bins.axis.span;
        let peak = (0..self.count())
            .map(|bin| (self.total(self.foreground(), bin).packets, bin))
            .max_by_key(|(packets, bin)| (*packets, usize::MAX - bin));
        let Some((packets, bin)) = peak else { return String::new() };
        format!(
            "{}: {} in {} bins. Peak: {}{} in {}.",
            self.title,
            range_text(self.bins.axis.quantity, span.start, span.end - 1, zone),
            self.count(),
            text::packets(packets),
            if self.selected.is_some() { " selected" } else { "" },
            self.bin_range(bin, zone),
        )
    }

    fn bin_range(&self, bin: usize, zone: &Zone) -> String {
        bin_text(&self.bins, bin, bin, zone)
    }

    /// Number, mean and peak of the packets drawn in colour: `Peak 3.2 Mbit/s at 09:02:03 · mean …`. Gaps have
    /// the bin of their median instead of a mean: few long ones determine the mean.
    pub fn figures(&self, zone: &Zone) -> String {
        let tallies = self.foreground();
        let mut sum = Tally::default();
        tallies.iter().for_each(|tally| sum.add(*tally));
        if sum.packets == 0 {
            return "No packets".to_owned();
        }
        let seconds = self.seconds();
        let height = |bin: usize| self.measure.of(self.total(tallies, bin), seconds[bin]);
        let mut peak = 0;
        for bin in 1..self.count() {
            if height(peak) < height(bin) {
                peak = bin;
            }
        }
        let packets = text::packets(sum.packets);
        let parts = if let Some(coverage) = self.measure.coverage() {
            // The mean refers to the covered part of the visible range.
            let span = self.bins.axis.span;
            let covered_ns = coverage.of_bin_ns(span.start, span.end);
            let mean = self.measure.text(self.measure.of(sum, covered_ns as f64 / 1e9));
            let start = self.bins.edges()[peak].max(coverage.ts_ns.0);
            let zone = match self.bins.axis.quantity {
                Quantity::Time => zone,
                _ => &Zone::Relative(0),
            };
            let at = text::axis_time(start, span, self.count() as f64, zone);
            vec![
                "Peak ".to_owned(),
                self.measure.text(height(peak)),
                " at ".to_owned(),
                at,
                " · mean ".to_owned(),
                mean,
                " · ".to_owned(),
                packets,
            ]
        } else if self.bins.axis.quantity == Quantity::Size {
            let mean = text::decimal(sum.bytes as f64 / sum.packets as f64, 1);
            let range = self.bin_range(peak, zone);
            vec![packets, " · mean ".to_owned(), mean, " bytes · most at ".to_owned(), range]
        } else {
            let mut below = 0;
            let median = (0..self.count()).find(|bin| {
                below += self.total(tallies, *bin).packets;
                sum.packets <= 2 * below
            });
            let [median, most] = [median.unwrap_or(0), peak].map(|bin| self.rounded_bin(bin, zone));
            vec![packets, " · median at ".to_owned(), median, " · most at ".to_owned(), most]
        };
        let mut text = parts.concat();
        if self.bins.axis.quantity == Quantity::Elapsed {
            text.push_str(" · starts aligned");
        }
        text
    }

    /// The range of a bin of gaps with a few digits, which fit beside the chart. Its tooltip has all.
    fn rounded_bin(&self, bin: usize, zone: &Zone) -> String {
        match (self.bins.axis.quantity, self.bins.range(bin, bin)) {
            (Quantity::Gap, Some((first, last))) if first < last => {
                let text = |ns: i64| text::rounded_duration(ns.unsigned_abs());
                format!("{} to {}", text(first), text(last))
            }
            _ => self.bin_range(bin, zone),
        }
    }

    /// The tooltip of a bin in row 0, or of an entry of the legend in the rows from 1.
    pub fn cell_text(&self, (bin, row): (usize, usize), zone: &Zone) -> Vec<String> {
        match row.checked_sub(1).and_then(|entry| self.legend().get(entry).copied()) {
            Some(class) => legend_text(self.names[class.index()], self.shown.has(class)),
            None => self.bin_text(bin, zone),
        }
    }

    /// The tooltip of a bin.
    pub fn bin_text(&self, bin: usize, zone: &Zone) -> Vec<String> {
        let total = self.total(self.foreground(), bin);
        let mut lines = vec![self.bin_range(bin, zone), amount(total)];
        if let Some(coverage) = self.measure.coverage() {
            let edges = self.bins.edges();
            let (start, end) = (edges[bin], edges[bin + 1]);
            let covered_ns = coverage.of_bin_ns(start, end);
            let mut rate = self.measure.text(self.measure.of(total, covered_ns as f64 / 1e9));
            if covered_ns < start.abs_diff(end) {
                rate.push_str(" over the ");
                rate.push_str(&text::rounded_duration(covered_ns));
                rate.push_str(" that the capture covers");
            }
            lines.push(rate);
        }
        for class in self.present(self.foreground()) {
            let tally = self.foreground()[class.index() * self.count() + bin];
            if 0 < tally.packets {
                lines.push(format!("{} {}", self.names[class.index()], amount(tally)));
            }
        }
        let problems = self.problems.map_or(0, |problems| self.total(problems, bin).packets);
        if 0 < problems {
            lines.push(format!("with problems: {}", text::packets(problems)));
        }
        for line in &self.lines {
            lines.push(format!("{}: {}", line.name, amount(self.total(line.tallies, bin))));
        }
        if self.selected.is_some() {
            lines.push(format!("of {} total", amount(self.total(self.whole, bin))));
        }
        lines
    }

    /// The tallies of all bins.
    pub fn table(&self, zone: &Zone) -> Table {
        let classes = self.present(self.whole);
        let mut header = vec!["bin_start".to_owned(), "bin_end".to_owned()];
        let columns = |name: &str| [format!("{name}_packets"), format!("{name}_bytes")];
        header.extend(["packets".to_owned(), "bytes".to_owned()]);
        if self.selected.is_some() {
            header.extend(columns("selected"));
        }
        classes.iter().for_each(|class| header.extend(columns(self.names[class.index()])));
        if self.selected.is_some() {
            let selected =
                |class: &Class| columns(&format!("selected_{}", self.names[class.index()]));
            header.extend(classes.iter().flat_map(selected));
        }
        header.extend(self.lines.iter().flat_map(|line| columns(&line.name)));
        if self.problems.is_some() {
            header.extend(columns("problem"));
        }
        let (edges, plot_edges) = (self.bins.edges(), self.bins.plot_edges());
        let edge = |index: usize| match self.bins.axis.quantity {
            Quantity::Time => zone.format_compact(edges[index]),
            _ if self.bins.is_closed => text::decimal(plot_edges[index], 9),
            _ => edges[index].to_string(),
        };
        let row = |bin: usize| {
            let mut row = vec![edge(bin), edge(bin + 1)];
            let all = || std::iter::once(self.whole).chain(self.selected);
            let of =
                |(tallies, class): (&[Tally], &Class)| tallies[class.index() * self.count() + bin];
            let each = all().flat_map(|tallies| classes.iter().map(move |class| (tallies, class)));
            let totals = all().map(|tallies| self.total(tallies, bin));
            let lines = self.lines.iter().map(|line| self.total(line.tallies, bin));
            let problems = self.problems.map(|problems| self.total(problems, bin));
            for tally in totals.chain(each.map(of)).chain(lines).chain(problems) {
                row.extend([tally.packets.to_string(), tally.bytes.to_string()]);
            }
            row
        };
        Table { header, rows: (0..self.count()).map(row).collect() }
    }
}

fn amount(tally: Tally) -> String {
    format!("{}, {}", text::packets(tally.packets), text::bytes(tally.bytes))
}
