//! The kinds of problems: their names, and the filters for their packets.

use super::App;
use super::query_scheduler::Slot;
use crate::filter::{Context, Expr, Field, Set, parse};
use crate::query::Answer;
use crate::time::Zone;

/// An address is a scanner if this number of ports refused it, as in Zeek's `port_scan_threshold`.
pub(super) const MIN_SCANNED_PORTS: usize = 15;
/// The largest number of scanners in a filter. Those with the most refusals come first.
const MAX_SCANNERS: usize = 100;

/// A kind of problem.
#[derive(Debug)]
pub(super) struct ProblemKind {
    pub(super) name: String,
    /// Its packets; `None` if there are none.
    pub(super) expr: Option<Expr>,
}

impl ProblemKind {
    fn new(name: &str, filter: &str) -> Self {
        let expr = parse(filter, &Context::canonical()).ok().flatten();
        Self { name: name.to_owned(), expr }
    }

    /// The filter for its packets; empty if there are none.
    pub(super) fn filter(&self) -> String {
        self.expr.as_ref().map(|expr| expr.to_text(&Zone::Utc)).unwrap_or_default()
    }
}

impl App {
    /// The kinds, in the order of the table.
    pub(super) fn problem_kinds(&self) -> Vec<ProblemKind> {
        let ms = self.settings.slow_ms;
        let us = u64::from(ms) * 1_000;
        vec![
            ProblemKind::new("Retransmissions after a time-out", "rtx == timeout"),
            ProblemKind::new("Fast retransmissions", "rtx == fast"),
            ProblemKind::new("Spurious retransmissions", "rtx == spurious"),
            ProblemKind::new("Segments out of order", "ooo"),
            ProblemKind::new("Duplicate acknowledgments", "dup_ack"),
            ProblemKind::new("Zero windows", "zero_window"),
            ProblemKind::new("Full windows", "window_full"),
            ProblemKind::new(
                &format!("Slow handshakes ({ms} ms or more)"),
                &format!("handshake_us >= {us}"),
            ),
            ProblemKind::new("Resets", "flags has R"),
            ProblemKind::new("Resets without data", "reset == no_data"),
            ProblemKind::new("Refused connections", "reset == refused"),
            self.port_scans(),
            ProblemKind::new("DNS failures", "dns_rcode != NOERROR"),
            ProblemKind::new(
                &format!("Slow DNS answers ({ms} ms or more)"),
                &format!("dns_time_us >= {us}"),
            ),
            ProblemKind::new("Gaps in the capture", "unseen"),
        ]
    }

    /// Finds the addresses that scan ports, unless they are those of the latest answer.
    pub(super) fn refresh_scanners(&mut self) {
        let version = self.scheduler.version(Slot::Refusals);
        if self.analysis.scanners.0 == version {
            return;
        }
        let scanners = match self.scheduler.latest(Slot::Refusals) {
            Some((_, Answer::Refusals(refusals))) => {
                self.flows.scanners(refusals, MIN_SCANNED_PORTS)
            }
            _ => Vec::new(),
        };
        let addresses = scanners.into_iter().map(|(address, _)| address).collect();
        self.analysis.scanners = (version, addresses);
    }

    /// The connections that were refused to addresses that scan ports.
    fn port_scans(&self) -> ProblemKind {
        let all = &self.analysis.scanners.1;
        let (count, scanners) = (all.len(), &all[..all.len().min(MAX_SCANNERS)]);
        let sources = match count {
            0 => String::new(),
            1 => ", 1 source".to_owned(),
            count if scanners.len() < count => format!(", {MAX_SCANNERS} of {count} sources"),
            count => format!(", {count} sources"),
        };
        let mut addresses: Vec<_> = scanners.iter().map(|one| (*one, *one)).collect();
        addresses.sort();
        let refused = ProblemKind::new("", "reset == refused").expr;
        let sources_expr = Expr::In(Field::Dst, Set::Addresses(addresses));
        ProblemKind {
            name: format!("Port scans ({MIN_SCANNED_PORTS} or more refused ports{sources})"),
            expr: refused.filter(|_| 0 < count).map(|refused| refused.and(sources_expr)),
        }
    }
}
