//! The rankings of ports, addresses and protocols: their items, cached per answer, and the filter
//! expression of each item.

use super::charts::slots;
use super::choices::contains_choice;
use super::query_scheduler::Slot;
use super::{App, Panel};
use crate::axis::Quantity;
use crate::chart::{Item, Ranking};
use crate::filter::{Expr, Field, Set};
use crate::intern::Interner;
use crate::partial_sort::sort;
use crate::protocol::Class;
use crate::query::Answer;
use crate::service_names::service_name;
use crate::tally::{RankBy, Tally, top};
use summary::Address;

/// The number of items in tables and downloads.
const MAX_ITEMS: usize = 100;

/// The number of rows that are in sight unless the ranking is maximized.
const MAX_ROWS: usize = 5;

/// The panels that show rankings.
const RANKINGS: [Panel; RANKING_COUNT] =
    [Panel::Ports, Panel::Sources, Panel::Destinations, Panel::Protocols];
/// The number of rankings.
pub(super) const RANKING_COUNT: usize = 4;

fn ranking_index(panel: Panel) -> Option<usize> {
    RANKINGS.iter().position(|ranking| *ranking == panel)
}

/// The items of a ranking.
#[derive(Debug)]
pub(super) struct CachedRanking {
    items: Vec<Item>,
    /// The key of each item.
    keys: Vec<Key>,
    /// The number of all keys; `items` has only the top ones.
    count: usize,
    /// The number of keys of all packets.
    whole_count: usize,
    inputs: Inputs,
}

/// The inputs from which the items of a ranking are computed.
#[derive(Debug, PartialEq)]
struct Inputs {
    whole_version: u64,
    selected_version: u64,
    /// Something is selected in another dimension.
    has_selected: bool,
    rank_by: RankBy,
    is_dark: bool,
    names_version: usize,
    /// The selection in the ranking itself.
    choices: Option<Expr>,
}

/// A port, an address or a protocol.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Key {
    Port(u16),
    Address(Address),
    Proto(String),
}

/// The expression that selects a key.
fn key_expr(panel: Panel, key: &Key) -> Expr {
    match key {
        Key::Port(port) => {
            let port = i64::from(*port);
            Expr::numbers(Quantity::DestinationPort, port, port)
        }
        Key::Address(address) => {
            let field = if panel == Panel::Sources { Field::Src } else { Field::Dst };
            Expr::In(field, Set::Addresses(vec![(*address, *address)]))
        }
        Key::Proto(name) => Expr::In(Field::Proto, Set::Texts(vec![name.clone()])),
    }
}

impl App {
    /// The ranking of a panel; `None` until its data has arrived.
    pub(super) fn ranking(&self, panel: Panel, cursor: Option<usize>) -> Option<Ranking<'_>> {
        let cached = self.rankings[ranking_index(panel)?].as_ref()?;
        let (title, kind) = match panel {
            Panel::Ports => ("Destination ports", "port"),
            Panel::Sources => ("Sources", "source"),
            Panel::Destinations => ("Destinations", "destination"),
            _ => ("Protocols", "protocol"),
        };
        Some(Ranking {
            title,
            kind,
            items: &cached.items,
            count: cached.count,
            has_selected: cached.inputs.has_selected,
            rank_by: self.settings.rank,
            scale_to: self.settings.scale_to,
            cursor,
        })
    }

    /// How many rows a ranking needs unless it is maximized; `None` for other panels. The selection does not
    /// change it, so that panels keep their places.
    pub(super) fn ranking_rows(&self, panel: Panel) -> Option<usize> {
        let cached = self.rankings[ranking_index(panel)?].as_ref();
        let count = cached.map_or(MAX_ROWS, |cached| cached.whole_count);
        Some(count.clamp(1, MAX_ROWS))
    }

    /// Recomputes the rankings whose inputs have changed.
    pub(super) fn refresh_rankings(&mut self) {
        for (index, panel) in RANKINGS.into_iter().enumerate() {
            let [whole, selected] = slots(panel);
            let choices = panel.dimension().and_then(|own| self.history.now().get(own)).cloned();
            let has_selected = self.dimensions_except(panel.dimension()).is_some();
            let inputs = Inputs {
                whole_version: self.scheduler.version(whole),
                selected_version: if has_selected { self.scheduler.version(selected) } else { 0 },
                has_selected,
                rank_by: self.settings.rank,
                is_dark: self.theme.is_dark,
                names_version: self.names_version(),
                choices,
            };
            if self.rankings[index].as_ref().is_none_or(|cached| cached.inputs != inputs) {
                self.rankings[index] = self.compute_ranking(panel, inputs);
            }
        }
    }

    /// All keys with their tallies, unordered.
    fn keys(&self, panel: Panel, slot: Slot) -> Option<Vec<(Key, Tally)>> {
        Some(match (self.scheduler.latest(slot)?.1, panel) {
            (Answer::Ports(ports), _) => {
                ports.iter().map(|(port, tally)| (Key::Port(*port), *tally)).collect()
            }
            (Answer::Ids(tallies), Panel::Protocols) => {
                let all = self.flows.by_proto(tallies).into_iter();
                all.map(|(name, tally)| (Key::Proto(name.to_owned()), tally)).collect()
            }
            (Answer::Ids(tallies), _) => {
                let all = self.flows.by_address(tallies).into_iter();
                all.map(|(address, tally)| (Key::Address(address), tally)).collect()
            }
            _ => return None,
        })
    }

    /// Ranks by the packets selected in other dimensions, or by all packets.
    fn compute_ranking(&self, panel: Panel, inputs: Inputs) -> Option<CachedRanking> {
        let [whole, selected] = slots(panel);
        let whole = self.keys(panel, whole)?;
        let selected = inputs.has_selected.then(|| self.keys(panel, selected).unwrap_or_default());
        let all = selected.as_ref().unwrap_or(&whole);
        let top = top(all, inputs.rank_by, MAX_ITEMS);
        let mut wholes: Vec<_> = top.iter().map(|(_, tally)| *tally).collect();
        if selected.is_some() {
            let indices: Interner<&Key> = top.iter().map(|(key, _)| key).collect();
            for (key, tally) in &whole {
                if let Some(index) = indices.get(&key) {
                    wholes[index as usize] = *tally;
                }
            }
        }
        let item = |((key, tally), whole): (&(Key, Tally), &Tally)| {
            let (name, alias) = match key {
                Key::Port(port) => (port.to_string(), service_name(*port)),
                Key::Address(address) => (address.to_string(), None),
                Key::Proto(name) => (name.clone(), None),
            };
            let shown = match key {
                Key::Address(address) => self.name_of(*address).map(str::to_owned),
                _ => None,
            };
            let color = match key {
                Key::Proto(name) => Some(Class::of(name).color(inputs.is_dark)),
                _ => None,
            };
            let choices = inputs.choices.as_ref();
            Item {
                whole: *whole,
                selected: selected.is_some().then_some(*tally),
                is_selected: choices
                    .is_some_and(|choices| contains_choice(choices, &key_expr(panel, key))),
                name,
                alias,
                shown,
                color,
            }
        };
        let items = top.iter().zip(&wholes).map(item).collect();
        let keys = top.iter().map(|(key, _)| key.clone()).collect();
        Some(CachedRanking { items, keys, count: all.len(), whole_count: whole.len(), inputs })
    }

    /// The protocols of all packets with their numbers of packets, the largest first.
    pub(super) fn protocol_counts(&self) -> Vec<(u64, &str)> {
        let [whole, _] = slots(Panel::Protocols);
        let Some((_, Answer::Ids(tallies))) = self.scheduler.latest(whole) else {
            return Vec::new();
        };
        let all = self.flows.by_proto(tallies).into_iter();
        let mut counts: Vec<_> = all.map(|(name, tally)| (tally.packets, name)).collect();
        sort(&mut counts, |a, b| b.0.cmp(&a.0));
        counts
    }

    /// The expression that selects an item of a ranking.
    pub(super) fn item_expr(&self, panel: Panel, index: usize) -> Option<Expr> {
        let cached = self.rankings[ranking_index(panel)?].as_ref()?;
        Some(key_expr(panel, cached.keys.get(index)?))
    }

    /// The name of an item of a ranking.
    pub(super) fn item_name(&self, panel: Panel, index: usize) -> Option<String> {
        let cached = self.rankings[ranking_index(panel)?].as_ref()?;
        Some(cached.items.get(index)?.name.clone())
    }

    /// The values of a field that the filter box suggests.
    pub(super) fn values_of(&self, field: Field) -> Vec<String> {
        let names = |panel: Panel| -> Vec<String> {
            let cached = ranking_index(panel).and_then(|index| self.rankings[index].as_ref());
            cached.iter().flat_map(|cached| &cached.items).map(|item| item.name.clone()).collect()
        };
        match field {
            Field::Quantity(Quantity::DestinationPort) | Field::Port => names(Panel::Ports),
            Field::Proto => names(Panel::Protocols),
            Field::Src | Field::Host => names(Panel::Sources),
            Field::Dst => names(Panel::Destinations),
            Field::File => self.files.files.iter().map(|file| file.name.clone()).collect(),
            Field::Direction => {
                ["in", "out", "bcast", "mcast", "other"].map(str::to_owned).to_vec()
            }
            Field::Flags => ["S", "SA", "A", "PA", "FA", "R"].map(str::to_owned).to_vec(),
            _ => Vec::new(),
        }
    }
}
